//! The rule book: every requirement of the notice (R1–R28) and the credit code, what annexd does for it, and every check with its sentence.
//!
//! Sentences hold `{places}` that a check fills. A sender's sentence says where, what was found, what is expected and an example, and is
//! one sentence; a reviewer's note points and never judges (R26). `config/RULES.md` is made from this table.

use super::checks::*;

/// What a machine can do for a requirement (`domain.md` 1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleKind {
    /// A machine can decide.
    Hard,
    /// A machine can only point; a person decides.
    Flag,
    /// A way of working, without a check.
    Workflow,
    /// A fact that is quoted or an enumeration.
    Data,
}

impl RuleKind {
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Hard => "硬性检查",
            Self::Flag => "提示",
            Self::Workflow => "流程",
            Self::Data => "数据",
        }
    }
}

/// One requirement.
#[derive(Debug)]
pub struct Rule {
    /// `R23`, or `USCC` (GB 32100-2015).
    pub number: &'static str,
    /// What the notice demands.
    pub name: &'static str,
    pub kind: RuleKind,
    /// Fields whose absence is this rule's finding; how grave it is, the catalogue's `need` says.
    pub asks: &'static [&'static str],
    pub checks: &'static [&'static Check],
    /// What annexd does for it.
    pub does: &'static str,
}

impl Rule {
    /// The rule can give a finding, so it has a switch.
    #[must_use]
    pub fn gives_findings(&self) -> bool {
        !self.asks.is_empty() || !self.checks.is_empty()
    }
}

const fn rule(
    number: &'static str,
    name: &'static str,
    kind: RuleKind,
    asks: Fields,
    checks: &'static [&'static Check],
    does: &'static str,
) -> Rule {
    Rule { number, name, kind, asks, checks, does }
}

use RuleKind::{Data, Flag, Hard, Workflow};

/// Every requirement, in the notice's order.
pub static RULES: &[Rule] = &[
    rule(
        "R1",
        "报送单位为市（州）工信局、梅河口市工信局、国家和省级高新区",
        Flag,
        &[],
        &[],
        "识别报送单位；名单之外的照常答复，课题待人工确认",
    ),
    rule("R2", "企业经所在地工信部门或高新区报送", Flag, &[], &[], "企业直接来信的，收下存查，并告知应报送的渠道"),
    rule("R3", "依据吉科发规划〔2024〕51号", Data, &[], &[], "在回执和日报中引用"),
    rule("R4", "常态化征集，随时报送", Workflow, &[], &[], "不设截止时间；重复报送不重复登记"),
    rule(
        "R5",
        "符合本省产业实际",
        Flag,
        &["industry", "region"],
        &[&REGISTERED_ELSEWHERE, &REGION_ELSEWHERE],
        "提示登记地或所在地不在本省的",
    ),
    rule("R6", "以创新型产品为方向，市场潜力大、前景好、成熟度高", Flag, &["product", "maturity"], &[], "检查是否填写"),
    rule("R7", "完成后产生较大经济效益", Flag, &["benefit"], &[&BENEFIT_AMOUNT], "检查有无金额，并折算为万元"),
    rule(
        "R8",
        "申报主体必须是企业",
        Hard,
        &[],
        &[&NOT_AN_ENTERPRISE, &PERHAPS_NO_ENTERPRISE, &NAME_IS_PUBLIC, &NAME_UNSURE],
        "以信用代码前两位为准，单位名称为辅",
    ),
    rule("R9", "可以采用产学研联合攻关", Data, &[], &[], "联合单位不限于企业，只要求牵头单位是企业"),
    rule("R10", "以市场需求为导向，促进产业化", Flag, &["market"], &[], "检查是否填写"),
    rule("R11", "瞄准急需和短板，攻克“卡脖子”难题", Flag, &[], &[&BOTTLENECK], "未点明瓶颈的，提示审核人员"),
    rule("R12", "技术类别：关键共性、前沿引领、现代工程、颠覆性技术", Data, &["topic_type"], &[], "检查是否填写"),
    rule("R13", "不限定技术赛道", Workflow, &[], &[], "任何领域都不拒收；归口不明的转科技处"),
    rule(
        "R14",
        "以附件1申报，单位和联系信息完整",
        Hard,
        &["topic_title", "applicant", "uscc", "contact", "phone", "email", "leader", "period", "invest", "partners", "keywords", "gb_code"],
        &[&NO_ANNEX_1, &PHONE, &EMAIL, &MONEY, &MONEY_SCALE, &PERIOD, &PERIOD_BACKWARDS, &PERIOD_LONG, &GB_CODE, &ONE_CHOICE],
        "检查必填栏目和格式；其他未列入各规则的栏目也归此项",
    ),
    rule(
        "R15",
        "由报送单位汇总附件2",
        Hard,
        &[],
        &[&NO_TABLE, &MANY_TABLES, &ROW_WITHOUT_FORM, &FORM_WITHOUT_ROW, &DIFFERS, &HIDDEN],
        "汇总表与申报表逐项核对",
    ),
    rule("R16", "以正式文件报送", Flag, &[], &[&FORMAL_LETTER], "未见正式文件的先行收下，提请补报；印章的真伪由人核对，系统不作核验"),
    rule("R17", "集中报送", Workflow, &[], &[], "一封邮件可含多项课题；一份附件有问题不影响其他"),
    rule("R18", "电子版发至指定邮箱", Workflow, &[], &[], "守候指定邮箱；网盘链接和超限邮件提请重发"),
    rule("R19", "坚持问题导向，有明确的攻关方向", Flag, &["problem", "background"], &[&PROBLEM_SHORT], "检查是否填写和字数"),
    rule("R20", "问题描述清晰准确、通俗易懂", Flag, &[], &[&TOO_SHORT, &TOO_LONG, &BOILERPLATE, &ABBREVIATIONS], "检查篇幅、套话和缩写"),
    rule("R21", "对标国内、国际技术发展水平", Flag, &["benchmark"], &[&BENCHMARK_SIDES, &BENCHMARK_FIGURE], "检查国内、国际两侧和数据"),
    rule("R22", "研发目标聚焦并体现先进性", Flag, &["goal", "content"], &[&GOALS_MANY, &GOAL_PHRASES], "检查目标项数和是否只有套话"),
    rule("R23", "技术参数可量化、可考核", Hard, &["params"], &[&PARAMS_NONE, &PARAMS_FEW], "识别数值、范围、比较、单位和公差"),
    rule("R24", "预期成果有商业价值和经济效益", Flag, &[], &[], "见R7"),
    rule("R25", "各行业处室做好申报指导", Workflow, &[], &[], "按课题内容转送相应处室"),
    rule(
        "R26",
        "杜绝虚假申报、重复申报",
        Flag,
        &["pledge"],
        &[
            &SHARE_OVER_WHOLE,
            &BELOW_ABSOLUTE_ZERO,
            &LIFE_LONG,
            &PAYBACK_SHORT,
            &BENEFIT_SCALE,
            &BENEFIT_RATIO,
            &CODE_AND_NAME,
            &PHONE_SHARED,
            &CODE_SHARED,
            &NAME_SHARED,
        ],
        "只向审核人员列出依据，不向报送单位作任何判断；与历史课题查重",
    ),
    rule("R27", "遴选优质攻关项目", Workflow, &[], &[], "给出完整度供处室安排先后，由人遴选"),
    rule("R28", "加大宣传，鼓励自主或联合攻关", Workflow, &["mode"], &[], "日报列出尚无申报的地区；检查攻关方式是否填写"),
    rule(
        "USCC",
        "统一社会信用代码正确（GB 32100—2015）",
        Hard,
        &[],
        &[&CODE_CHECK, &CODE_INNER, &CODE_PREFIX, &CODE_LETTERS, &CODE_LICENCE, &CODE_ORGANISATION, &CODE_ROUNDED, &CODE_LENGTH],
        "检查位数、字符、校验位和登记类别；形近字母只提示，不代改",
    ),
];

/// Every check of every rule.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    RULES.iter().flat_map(|rule| rule.checks.iter().copied())
}

/// The requirement that a field answers; fields no rule names are R14's.
#[must_use]
pub fn rule_of(field: &str) -> &'static str {
    RULES.iter().find(|rule| rule.asks.contains(&field)).map_or("R14", |rule| rule.number)
}
