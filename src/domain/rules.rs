//! The notice's requirements as rules: fields in, findings out, each with rule number, severity, place and a Chinese sentence.
//!
//! Each rule is a function of its own in `rules/`. No rule stops another: a form gets all its findings at once.

use super::{
    findings::{Audience, Finding, Severity},
    forms::catalogue::{Catalogue, Form, Shape},
    reconcile::Draft,
};

mod applicant;
mod contents;
mod formats;
mod package;
mod params;
mod presence;

/// What a package as a whole holds; checked by R14, R15, R16.
#[derive(Debug, Clone, Default)]
pub struct Package<'a> {
    /// Paths of the files that hold annex 1 / annex 2.
    pub annex1_files: Vec<&'a str>,
    pub annex2_files: Vec<&'a str>,
    pub has_formal_letter: bool,
    /// Titles of annex 2 rows without a form, with the row's file and place.
    pub rows_without_form: Vec<(&'a str, &'a str, &'a str)>,
    /// Titles of forms without a row, with the form's file and place.
    pub forms_without_row: Vec<(&'a str, &'a str, &'a str)>,
    /// An enterprise wrote by itself (R2): it owes no annex 2 and no letter.
    pub enterprise_direct: bool,
}

/// Findings about one topic: presence (R14 and the rule of each field), R7, R8, R19, R21, R22, R23, formats, credit code.
#[must_use]
pub fn check_topic(topic: &Draft, catalogue: &Catalogue) -> Vec<Finding> {
    let desk = Desk::of(topic, catalogue);
    let mut findings = Vec::new();
    presence::required_fields_are_filled(&desk, &mut findings);
    applicant::credit_code_is_sound(&desk, &mut findings);
    applicant::applicant_is_an_enterprise(&desk, &mut findings);
    applicant::registered_in_the_province(&desk, &mut findings);
    contents::problem_is_described(&desk, &mut findings);
    contents::bottleneck_is_named(&desk, &mut findings);
    contents::benchmark_has_both_sides(&desk, &mut findings);
    contents::goal_is_focused(&desk, &mut findings);
    contents::benefit_has_an_amount(&desk, &mut findings);
    contents::lengths_are_kept(&desk, &mut findings);
    params::parameters_are_quantified(&desk, &mut findings);
    params::figures_are_possible(&desk, &mut findings);
    formats::phone_is_a_number(&desk, &mut findings);
    formats::email_is_an_address(&desk, &mut findings);
    formats::money_is_a_number(&desk, &mut findings);
    formats::period_is_plausible(&desk, &mut findings);
    findings
}

/// Findings about the package: R14 (an annex 1), R15 (exactly one annex 2, rows and forms agree), R16 (a formal letter).
#[must_use]
pub fn check_package(package: &Package<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    package::holds_an_annex_1(package, &mut findings);
    package::holds_one_annex_2(package, &mut findings);
    package::rows_and_forms_agree(package, &mut findings);
    package::has_a_formal_letter(package, &mut findings);
    findings
}

/// One line of the rule table, for documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleInfo {
    /// `R23`, or `USCC`.
    pub number: &'static str,
    /// What the rule demands, in Chinese.
    pub name: &'static str,
    /// The gravest finding it gives.
    pub severity: Severity,
    pub audience: Audience,
}

/// Every rule that can give a finding.
#[must_use]
pub fn rule_table() -> &'static [RuleInfo] {
    use Audience::{Reviewer, Sender};
    use Severity::{Error, Note, Warning};
    const fn rule(number: &'static str, name: &'static str, severity: Severity, audience: Audience) -> RuleInfo {
        RuleInfo { number, name, severity, audience }
    }
    const TABLE: &[RuleInfo] = &[
        rule("R5", "企业注册地在本省", Note, Reviewer),
        rule("R6", "写明研制产品和技术成熟度", Note, Sender),
        rule("R7", "预期经济效益有具体金额", Error, Sender),
        rule("R8", "申报主体为企业", Error, Sender),
        rule("R10", "写明市场前景", Note, Sender),
        rule("R11", "瞄准“卡脖子”问题", Note, Reviewer),
        rule("R12", "写明攻关类型", Note, Sender),
        rule("R14", "申报表齐全，单位和联系信息完整、格式正确", Error, Sender),
        rule("R15", "汇总表一份，且与申报表一致", Error, Sender),
        rule("R16", "有正式文件", Warning, Sender),
        rule("R19", "问题明确、目标明确", Error, Sender),
        rule("R20", "表述清晰、篇幅适当", Note, Sender),
        rule("R21", "对标国内和国际技术水平，有数据", Error, Sender),
        rule("R22", "研发目标聚焦、体现先进性", Error, Sender),
        rule("R23", "技术参数可量化、可考核", Error, Sender),
        rule("R26", "内容可信，与其他信息不矛盾", Warning, Reviewer),
        rule("R28", "写明攻关方式", Note, Sender),
        rule("USCC", "统一社会信用代码正确（GB 32100-2015）", Error, Sender),
    ];
    TABLE
}

/// One topic on the checker's desk: its fields, the form it owes and where a missing field is missed.
struct Desk<'a> {
    topic: &'a Draft,
    catalogue: &'a Catalogue,
    /// The source that the topic is judged by: its form, or else its row.
    source: Option<&'a super::reconcile::Source>,
    /// The catalogue's form of that source.
    form: Option<&'a Form>,
}

impl<'a> Desk<'a> {
    fn of(topic: &'a Draft, catalogue: &'a Catalogue) -> Self {
        let is_form = |id: &str| catalogue.form(id).is_some_and(|form| form.shape == Shape::Form);
        let source = topic.sources.iter().find(|source| is_form(&source.form)).or_else(|| topic.sources.first());
        Self { topic, catalogue, source, form: source.and_then(|source| catalogue.form(&source.form)) }
    }

    /// The text of a field; `None` where it is missing.
    fn text(&self, key: &str) -> Option<&'a str> {
        Some(self.topic.text(key).trim()).filter(|text| !text.is_empty())
    }

    /// The label of a field on the form it was read from.
    fn label(&self, key: &'a str) -> &'a str {
        let own = self.topic.fields.get(key).and_then(|placed| self.catalogue.form(&placed.form));
        own.or(self.form).map_or(key, |form| form.label(key))
    }

    /// The field was filled in a full form, not in a row of a summary table.
    fn in_full_form(&self, key: &str) -> bool {
        let form = self.topic.fields.get(key).and_then(|placed| self.catalogue.form(&placed.form));
        form.is_some_and(|form| form.shape == Shape::Form)
    }

    /// A finding where the field stands, or where it is missing.
    fn finding(&self, rule: &str, severity: Severity, audience: Audience, field: &str, message: String) -> Finding {
        let placed = self.topic.fields.get(field);
        let attachment = placed.map(|placed| placed.attachment.clone()).or_else(|| self.source.map(|source| source.attachment.clone()));
        let place = placed.map(|placed| placed.value.place.clone()).or_else(|| self.source.map(|source| source.place.clone()));
        Finding { rule: rule.to_owned(), severity, field: Some(field.to_owned()), attachment, place, message, audience }
    }

    fn for_sender(&self, rule: &str, severity: Severity, field: &str, message: String) -> Finding {
        self.finding(rule, severity, Audience::Sender, field, message)
    }

    fn for_reviewer(&self, rule: &str, severity: Severity, field: &str, message: String) -> Finding {
        self.finding(rule, severity, Audience::Reviewer, field, message)
    }
}

/// The beginning of a text for a message, at most `max` characters.
fn shortened(text: &str, max: usize) -> String {
    let line = super::folding::one_line(text);
    if line.chars().count() <= max { line } else { line.chars().take(max).chain(['…']).collect() }
}

#[cfg(test)]
mod tests;
