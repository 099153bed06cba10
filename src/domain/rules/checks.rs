//! Every check with its severity, its audience, the fields it reads and its sentence.
//!
//! Sentences hold `{places}` that a check fills. A sender's sentence says where, what was found, what is expected and an example, and is
//! one sentence; a reviewer's note points and never judges (R26).

use super::super::findings::{
    Audience, Severity,
    Severity::{Error, Note, Warning},
};

/// One check of a rule.
#[derive(Debug)]
pub struct Check {
    /// `R21.sides`: rule and name, as `[severity]` of the settings calls it.
    pub id: &'static str,
    /// As shipped.
    pub severity: Severity,
    pub audience: Audience,
    /// Fields it reads.
    pub fields: &'static [&'static str],
    pub sentence: &'static str,
}

impl Check {
    /// Number of the rule.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.id.split_once('.').map_or(self.id, |(rule, _)| rule)
    }

    /// The sentence with its places filled; what is filled in is not searched for places again.
    #[must_use]
    pub fn say(&self, values: &[(&str, &str)]) -> String {
        let mut said = String::with_capacity(self.sentence.len() + 64);
        let mut rest = self.sentence;
        while let Some((before, after)) = rest.split_once('{') {
            said.push_str(before);
            let Some((name, behind)) = after.split_once('}') else { break };
            said.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
            rest = behind;
        }
        said + rest
    }
}

/// Keys of fields.
pub(super) type Fields = &'static [&'static str];

const fn sender(id: &'static str, severity: Severity, fields: Fields, sentence: &'static str) -> Check {
    Check { id, severity, audience: Audience::Sender, fields, sentence }
}

const fn reviewer(id: &'static str, severity: Severity, fields: Fields, sentence: &'static str) -> Check {
    Check { id, severity, audience: Audience::Reviewer, fields, sentence }
}

pub static REGISTERED_ELSEWHERE: Check =
    reviewer("R5.registered", Note, &["uscc"], "统一社会信用代码中的登记机关区划码为{found}，不属于吉林省（22），请留意企业注册地。");
pub static REGION_ELSEWHERE: Check =
    reviewer("R5.region", Note, &["region"], "“{label}”所填“{found}”提到外省且未见本省市县名称，请留意企业所在地。");
pub static BENEFIT_AMOUNT: Check = sender(
    "R7.amount",
    Warning,
    &["benefit"],
    "“{label}”中未见具体金额（所填为“{found}”），请补充预计新增产值、利润或税收等的数额和单位，例如：达产后年新增产值5000万元。",
);
pub static NOT_AN_ENTERPRISE: Check = sender(
    "R8.code",
    Error,
    &["uscc", "applicant"],
    "申报单位“{found}”的统一社会信用代码属于{kind}，通知要求申报主体必须是企业，请改由企业牵头申报，该单位可列为联合单位，例如：由联合攻关的有限公司申报。",
);
pub static PERHAPS_NO_ENTERPRISE: Check = sender(
    "R8.code_unsure",
    Warning,
    &["uscc", "applicant"],
    "申报单位“{found}”的统一社会信用代码属于{kind}，通知要求申报主体为企业，请确认申报单位，例如：改由有限公司申报。",
);
pub static NAME_IS_PUBLIC: Check = sender(
    "R8.name",
    Error,
    &["applicant"],
    "从名称看，申报单位“{found}”不是企业，通知要求申报主体必须是企业，请改由企业牵头申报，该单位可列为联合单位，例如：由联合攻关的有限公司申报。",
);
pub static NAME_UNSURE: Check = sender(
    "R8.name_unsure",
    Warning,
    &["applicant"],
    "从名称看，尚不能确定申报单位“{found}”是企业，请核对单位全称并填写营业执照上18位的统一社会信用代码（企业一般以91开头）。",
);
pub static BOTTLENECK: Check = reviewer(
    "R11.bottleneck",
    Note,
    &["problem", "topic_type", "background", "benchmark"],
    "“{label}”中未见瓶颈或短板方面的表述（如进口依赖、空白、制约），请人工判断是否符合“卡脖子”方向。",
);
pub static NO_ANNEX_1: Check =
    sender("R14.no_form", Error, &[], "未见附件1（申报表），请为每项课题附上填写完整的附件1，例如：附件1-课题名称-企业名称.docx。");
pub static PHONE: Check = sender(
    "R14.phone",
    Warning,
    &["phone"],
    "“{label}”所填“{found}”不像可以拨打的号码，请填写11位手机号或带区号的固定电话，例如：0431-88970710。",
);
pub static EMAIL: Check =
    sender("R14.email", Warning, &["email"], "“{label}”所填“{found}”不是有效的邮箱地址，请核对，例如：name@example.cn。");
pub static MONEY: Check = sender("R14.money", Warning, &["invest"], "“{label}”所填“{found}”中没有金额，请以万元为单位填写，例如：1200。");
pub static MONEY_SCALE: Check = sender(
    "R14.money_scale",
    Warning,
    &["invest"],
    "“{label}”所填“{found}”按万元计数额过大，请确认单位是否为元，并换算为万元填写，例如：1200。",
);
pub static PERIOD: Check =
    sender("R14.period", Warning, &["period"], "“{label}”所填“{found}”中没有年月，请填写起止时间，例如：2024年9月至2026年8月。");
pub static PERIOD_BACKWARDS: Check = sender(
    "R14.period_backwards",
    Warning,
    &["period"],
    "“{label}”所填“{found}”的结束时间早于开始时间，请核对，例如：2024年9月至2026年8月。",
);
pub static PERIOD_LONG: Check = sender(
    "R14.period_long",
    Note,
    &["period"],
    "“{label}”所填“{found}”超过{most}个月，攻关周期一般不超过三年，请确认，例如：2024年9月至2026年8月。",
);
pub static GB_CODE: Check = sender(
    "R14.gb_code",
    Warning,
    &["gb_code"],
    "“{label}”所填“{found}”不是国民经济行业分类（GB/T 4754—2017）中的代码，请填写2至4位数字，可带门类字母，例如：C3670。",
);
pub static ONE_CHOICE: Check =
    reviewer("R14.choice", Warning, &["mode"], "“{label}”只能选一项，所填“{found}”有{count}项，请人工核对以哪一项为准。");
pub static NO_TABLE: Check = sender("R15.no_table", Error, &[], "未见附件2（汇总表），请由报送单位汇总后附上，例如：附件2汇总表.xlsx。");
pub static MANY_TABLES: Check = sender(
    "R15.many_tables",
    Warning,
    &[],
    "收到{count}份附件2（汇总表）：{found}，每批应只有一份，请确认以哪一份为准，例如：回复“以第二份为准”。",
);
pub static ROW_WITHOUT_FORM: Check = sender(
    "R15.row_without_form",
    Error,
    &["topic_title", "applicant"],
    "附件2中的课题“{found}”未找到对应的附件1，请补报该课题的申报表，或核对两处的课题名称和申报单位是否一致，例如：附件1-课题名称-企业名称.docx。",
);
pub static FORM_WITHOUT_ROW: Check = sender(
    "R15.form_without_row",
    Warning,
    &["topic_title", "applicant"],
    "附件1中的课题“{found}”未列入附件2，请在汇总表中补充一行，或核对两处的课题名称和申报单位是否一致，例如：两处均写企业全称和课题全名。",
);
pub static DIFFERS: Check = sender(
    "R15.differs",
    Warning,
    &["topic_title", "applicant", "uscc", "contact", "phone", "invest", "benefit", "period"],
    "附件2与附件1填写不一致：{found}，请核对后更正其中一处，例如：回复本邮件，只附更正后的申报表。",
);
pub static HIDDEN: Check =
    reviewer("R15.hidden", Warning, &[], "{found}取自表格中隐藏的行或列，打开文件时看不到，请人工核对是否应当采用。");
pub static FORMAL_LETTER: Check = sender(
    "R16.letter",
    Warning,
    &[],
    "未见正式文件，材料先行收下，请补报加盖公章的正式文件扫描件，例如：《关于报送聚力攻坚专项课题的函》。",
);
pub static PROBLEM_SHORT: Check = sender(
    "R19.short",
    Warning,
    &["problem"],
    "“{label}”只有{count}字，建议不少于{least}字，请说明现状、具体难点和造成的影响，例如：现有产品在什么条件下达不到什么要求。",
);
pub static TOO_SHORT: Check =
    sender("R20.short", Note, &[], "“{label}”只有{count}字，建议不少于{least}字，请写得更具体一些，例如：写明现有水平、差距和原因。");
pub static TOO_LONG: Check =
    sender("R20.long", Note, &[], "“{label}”有{count}字，建议不超过{most}字，请适当精简，例如：只保留主要问题和关键数据。");
pub static BOILERPLATE: Check =
    reviewer("R20.boilerplate", Note, &["problem"], "“{label}”中概括性用语约占{count}%，具体内容较少，请人工判断问题是否明确。");
pub static ABBREVIATIONS: Check = reviewer(
    "R20.abbreviations",
    Note,
    &["problem"],
    "“{label}”中有{count}个未加说明的英文缩写（如{found}），请人工判断表述是否通俗易懂。",
);
pub static BENCHMARK_SIDES: Check = sender(
    "R21.sides",
    Warning,
    &["benchmark"],
    "“{label}”中未见{side}对标，请补充国内、国际先进水平与本课题目标的比较，例如：国内同类产品93%，国际先进96%，本课题目标95.5%。",
);
pub static BENCHMARK_FIGURE: Check = sender(
    "R21.figure",
    Warning,
    &["benchmark"],
    "“{label}”中未见数据，请用具体数值说明国内、国际水平和本课题目标，例如：国内180ms，国际120ms，目标≤120ms。",
);
pub static GOALS_MANY: Check = sender(
    "R22.many",
    Warning,
    &["goal"],
    "“{label}”列出了{count}项目标，建议聚焦到{most}项以内，突出最关键的技术突破，例如：研制样机、完成示范应用各一项。",
);
pub static GOAL_PHRASES: Check = sender(
    "R22.phrases",
    Warning,
    &["goal"],
    "“{label}”只有“{found}”一类的概括表述，请写明要研制的产品和要达到的具体指标，例如：研制某型样机2台，效率≥95%。",
);
pub static PARAMS_NONE: Check = sender(
    "R23.none",
    Error,
    &["params"],
    "“{label}”中未见量化指标（所填为“{found}”），请写明数值和单位，做到可量化、可考核，例如：峰值效率≥95%；质量≤780kg；寿命≥1万小时。",
);
pub static PARAMS_FEW: Check = sender(
    "R23.few",
    Warning,
    &["params"],
    "“{label}”中只识别到{count}项量化指标：{found}，建议不少于{least}项，请补充其他可量化、可考核的参数，例如：寿命≥1万小时。",
);
pub static SHARE_OVER_WHOLE: Check =
    reviewer("R26.share", Warning, &["params", "goal"], "“{label}”中的“{found}”超过{most}%，请人工核对数值和口径。");
pub static BELOW_ABSOLUTE_ZERO: Check =
    reviewer("R26.temperature", Warning, &["params", "goal"], "“{label}”中的“{found}”低于绝对零度，请人工核对数值。");
pub static LIFE_LONG: Check = reviewer("R26.life", Warning, &["params", "goal"], "“{label}”中的“{found}”超过{most}年，请人工核对数值。");
pub static PAYBACK_SHORT: Check =
    reviewer("R26.payback", Warning, &["params", "goal", "benefit"], "“{label}”中的“{found}”短于{least}年，请人工核对数值。");
pub static BENEFIT_SCALE: Check =
    reviewer("R26.benefit", Warning, &["benefit"], "“{label}”折合{count}万元，数额超过{most}万元，请人工核对单位和数值。");
pub static BENEFIT_RATIO: Check = reviewer(
    "R26.benefit_ratio",
    Warning,
    &["benefit", "invest"],
    "“{label}”折合{count}万元，约为总投资{other}万元的{times}倍，请人工核对两处的单位和数值。",
);
pub static CODE_AND_NAME: Check = reviewer(
    "R26.code_name",
    Warning,
    &["uscc", "applicant"],
    "申报单位“{found}”的名称与统一社会信用代码所示的企业类别不一致，请人工核对代码与名称是否对应。",
);
pub static PHONE_SHARED: Check = reviewer(
    "R26.phone",
    Warning,
    &["phone", "applicant"],
    "联系电话“{found}”在本批及相关已收课题中对应{count}家申报单位（{others}），请人工核实联系人。",
);
pub static CODE_SHARED: Check = reviewer(
    "R26.code_shared",
    Warning,
    &["uscc", "applicant"],
    "统一社会信用代码“{found}”在本批及相关已收课题中对应不同的申报单位名称（{others}），请人工核对。",
);
pub static NAME_SHARED: Check = reviewer(
    "R26.name_shared",
    Warning,
    &["uscc", "applicant"],
    "申报单位“{found}”在本批及相关已收课题中填写了不同的统一社会信用代码（{others}），请人工核对。",
);
pub static CODE_CHECK: Check = sender(
    "USCC.check",
    Warning,
    &["uscc"],
    "统一社会信用代码“{found}”校验不通过，可能有个别字符录入有误，请对照营业执照核对，如核对无误请在回复中说明。",
);
pub static CODE_INNER: Check = reviewer(
    "USCC.inner",
    Warning,
    &["uscc"],
    "统一社会信用代码“{found}”整体校验通过，但其中第9—17位（主体标识码）的校验位不符，请人工核对。",
);
pub static CODE_PREFIX: Check = sender(
    "USCC.prefix",
    Warning,
    &["uscc"],
    "统一社会信用代码“{found}”的前两位不在已知的登记类别之内（企业一般以91开头），请对照营业执照核对。",
);
pub static CODE_LETTERS: Check =
    sender("USCC.letters", Error, &["uscc"], "统一社会信用代码“{found}”含有不应出现的字符“{letters}”，{ask}请对照营业执照核对后更正。");
pub static CODE_LICENCE: Check =
    sender("USCC.licence", Error, &["uscc"], "“{found}”是15位的旧版营业执照注册号，请填写现行营业执照上18位的统一社会信用代码。");
pub static CODE_ORGANISATION: Check =
    sender("USCC.organisation", Error, &["uscc"], "“{found}”是9位的组织机构代码，请填写现行营业执照上18位的统一社会信用代码。");
pub static CODE_ROUNDED: Check = sender(
    "USCC.rounded",
    Error,
    &["uscc"],
    "统一社会信用代码“{found}”已被表格软件当作数字存储，末几位已经丢失，请将该单元格设为文本格式后重新填写18位代码。",
);
pub static CODE_LENGTH: Check =
    sender("USCC.length", Error, &["uscc"], "统一社会信用代码“{found}”为{count}位，应为18位，请对照营业执照核对，例如以91开头的18位代码。");
