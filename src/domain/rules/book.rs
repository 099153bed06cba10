//! The rule book as a page for administrators: `config/RULES.md`. Made from the table, so it cannot fall behind.

use super::{
    checks::Check,
    table::{RULES, Rule},
};
use crate::domain::findings::{Audience, Severity};

/// The page in Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(HEAD);
    for rule in RULES {
        let fields: Vec<String> = rule.asks.iter().map(|key| label(key).to_owned()).collect();
        let row = [
            rule.number,
            rule.name,
            rule.kind.chinese(),
            &if fields.is_empty() { "—".to_owned() } else { fields.join("、") },
            &gravest(rule),
            rule.does,
            &if rule.gives_findings() { format!("`[switch] {}`", rule.number) } else { "—".to_owned() },
        ];
        page += &format!("| {} |\n", row.join(" | "));
    }
    page += CHECKS_HEAD;
    for check in RULES.iter().flat_map(|rule| rule.checks) {
        let fields: Vec<String> = check.fields.iter().map(|key| label(key).to_owned()).collect();
        let row = [
            format!("`{}`", check.id),
            weight(check).to_owned(),
            audience(check).to_owned(),
            if fields.is_empty() { "—".to_owned() } else { fields.join("、") },
            check.sentence.replace('|', "\\|"),
        ];
        page += &format!("| {} |\n", row.join(" | "));
    }
    page
}

const HEAD: &str = "# 规则一览

本页由程序生成（`UPDATE_GOLDEN=1 cargo test --test all rules`），请勿手工修改。开关、程度、阈值和用词在 `rules.toml` 中设置。

程度：**须补正**（error）写入回执，课题标为待补正；**建议完善**（warning，告知报送单位）写入回执；**请核实**（warning，告知审核人员）只在处室清单中出现；**记录**（note）只记录，不写入回执。
栏目是否必填以申报表目录（`forms/*.toml`）为准：缺必填栏目须补正，缺建议栏目只记录。

## 要求

| 规则 | 通知的要求 | 类别 | 检查是否填写的栏目 | 最高程度 | 系统所做的 | 开关 |
|---|---|---|---|---|---|---|
";

const CHECKS_HEAD: &str = "
## 各项检查

每项检查可在 `rules.toml` 的 `[severity]` 中改变程度或关闭。缺少栏目的话术为：`附件1缺少“{label}”，请补充填写，例如：{example}。` 或 `附件1未填写“{label}”，建议补充，例如：{example}。`

| 检查 | 程度 | 告知 | 所用栏目 | 话术 |
|---|---|---|---|---|
";

/// The main label of a field (`domain.md` 2.2), for pages and messages that stand beside no form.
#[must_use]
pub fn label(key: &str) -> &str {
    LABELS.iter().find(|(known, _)| *known == key).map_or(key, |(_, label)| label)
}

const LABELS: &[(&str, &str)] = &[
    ("topic_title", "课题名称"),
    ("industry", "所属产业"),
    ("gb_code", "国民经济行业代码"),
    ("topic_type", "攻关类型"),
    ("applicant", "申报单位"),
    ("uscc", "统一社会信用代码"),
    ("region", "所在地区"),
    ("leader", "课题负责人"),
    ("contact", "联系人"),
    ("phone", "联系电话"),
    ("email", "电子邮箱"),
    ("background", "课题背景及必要性"),
    ("problem", "拟解决的关键问题"),
    ("benchmark", "国内外技术水平对标"),
    ("goal", "研发目标"),
    ("content", "主要攻关内容"),
    ("params", "主要技术参数"),
    ("maturity", "技术成熟度"),
    ("product", "研制产品"),
    ("market", "市场前景"),
    ("benefit", "预期经济效益"),
    ("mode", "攻关方式"),
    ("partners", "联合单位"),
    ("period", "攻关周期"),
    ("invest", "总投资"),
    ("keywords", "关键词"),
    ("pledge", "企业承诺"),
];

fn gravest(rule: &Rule) -> String {
    let own = rule.checks.iter().map(|check| check.severity).max().map(severity);
    match (own, rule.asks.is_empty()) {
        (Some(own), _) => own.to_owned(),
        (None, false) => "按目录".to_owned(),
        (None, true) => "—".to_owned(),
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "须补正",
        Severity::Warning => "建议完善",
        Severity::Note => "记录",
    }
}

/// A reviewer is asked to look, not to correct.
fn weight(check: &Check) -> &'static str {
    match (check.severity, check.audience) {
        (Severity::Warning, Audience::Reviewer) => "请核实",
        (weight, _) => severity(weight),
    }
}

fn audience(check: &Check) -> &'static str {
    match check.audience {
        Audience::Sender => "报送单位",
        Audience::Reviewer => "审核人员",
    }
}
