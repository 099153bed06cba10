//! The notice's requirements as rules: fields in, findings out, each with rule number, severity, place and a Chinese sentence.
//!
//! [`table`] is the rule book: every requirement, what annexd does for it, every check with its sentence. Each check is a function of
//! its own in `rules/`. No rule stops another: a form gets all its findings at once. [`RuleSettings`] switch and tune them.

use std::cell::OnceCell;

use super::{
    findings::Finding,
    forms::catalogue::{Catalogue, Form, Shape},
    money::{self, Amount, HeaderUnit},
    quantity::{self, Indicator},
    reconcile::{Difference, Draft, Source},
};

mod applicant;
mod batch;
pub mod book;
pub mod checks;
mod contents;
mod formats;
pub mod normal;
mod package;
mod params;
mod plausible;
mod presence;
mod region;
mod settings;
pub mod table;

pub use batch::check_batch;
pub use book::label;
use checks::Check;
use params::benchmark_sides;
pub use params::quantified;
pub use settings::{RuleSettings, ScoreWeights, Thresholds, Words};
pub use table::{RULES, Rule, RuleKind};

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
    /// Where a row and its form differ, with the form's file and place.
    pub differs: Vec<(&'a Difference, &'a str, &'a str)>,
    /// An enterprise wrote by itself (R2): it owes no annex 2 and no letter.
    pub enterprise_direct: bool,
}

/// Findings about one topic by itself, in the order of the rules' checks.
#[must_use]
pub fn check_topic(desk: &Desk<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    presence::required_fields_are_filled(desk, &mut findings);
    presence::nothing_is_hidden(desk, &mut findings);
    applicant::credit_code_is_sound(desk, &mut findings);
    applicant::applicant_is_an_enterprise(desk, &mut findings);
    applicant::registered_in_the_province(desk, &mut findings);
    region::region_is_in_the_province(desk, &mut findings);
    contents::problem_is_described(desk, &mut findings);
    contents::problem_is_plain(desk, &mut findings);
    contents::bottleneck_is_named(desk, &mut findings);
    contents::goal_is_focused(desk, &mut findings);
    contents::benefit_has_an_amount(desk, &mut findings);
    contents::lengths_are_kept(desk, &mut findings);
    params::benchmark_has_both_sides(desk, &mut findings);
    params::parameters_are_quantified(desk, &mut findings);
    plausible::figures_are_possible(desk, &mut findings);
    plausible::benefit_is_in_scale(desk, &mut findings);
    formats::phone_is_a_number(desk, &mut findings);
    formats::email_is_an_address(desk, &mut findings);
    formats::money_is_a_number(desk, &mut findings);
    formats::period_is_plausible(desk, &mut findings);
    formats::industry_code_is_known(desk, &mut findings);
    formats::one_choice_is_one(desk, &mut findings);
    findings
}

/// Findings about the package: R14 (an annex 1), R15 (exactly one annex 2, rows and forms agree), R16 (a formal letter).
#[must_use]
pub fn check_package(package: &Package<'_>, settings: &RuleSettings) -> Vec<Finding> {
    let mut findings = Vec::new();
    package::holds_an_annex_1(package, settings, &mut findings);
    package::holds_one_annex_2(package, settings, &mut findings);
    package::rows_and_forms_agree(package, settings, &mut findings);
    package::has_a_formal_letter(package, settings, &mut findings);
    findings
}

/// One topic on the checker's desk: its fields, the form it owes and where a missing field is missed. What several checks count is
/// counted once.
pub struct Desk<'a> {
    pub(super) topic: &'a Draft,
    pub(super) catalogue: &'a Catalogue,
    pub(super) settings: &'a RuleSettings,
    /// The source that the topic is judged by: its form, or else its row.
    source: Option<&'a Source>,
    /// The catalogue's form of that source.
    form: Option<&'a Form>,
    indicators: OnceCell<Vec<Indicator>>,
    benefit: OnceCell<Vec<Amount>>,
    invest: OnceCell<Vec<Amount>>,
    sides: OnceCell<(bool, bool, bool)>,
}

impl<'a> Desk<'a> {
    #[must_use]
    pub fn of(topic: &'a Draft, catalogue: &'a Catalogue, settings: &'a RuleSettings) -> Self {
        let is_form = |id: &str| catalogue.form(id).is_some_and(|form| form.shape == Shape::Form);
        let source = topic.sources.iter().find(|source| is_form(&source.form)).or_else(|| topic.sources.first());
        Self {
            topic,
            catalogue,
            settings,
            source,
            form: source.and_then(|source| catalogue.form(&source.form)),
            indicators: OnceCell::new(),
            benefit: OnceCell::new(),
            invest: OnceCell::new(),
            sides: OnceCell::new(),
        }
    }

    /// The quantified parameters.
    pub(super) fn indicators(&self) -> &[Indicator] {
        self.indicators.get_or_init(|| self.text("params").map(quantity::indicators).unwrap_or_default())
    }

    /// The amounts of the benefit, bare numbers in the unit that its label gives.
    pub(super) fn benefit(&self) -> &[Amount] {
        let amounts = |text| money::amounts(text, self.benefit_unit());
        self.benefit.get_or_init(|| self.text("benefit").map(amounts).unwrap_or_default())
    }

    pub(super) fn benefit_unit(&self) -> Option<HeaderUnit> {
        formats::header_unit(self, "benefit")
    }

    /// The amounts of the investment; 万元 where nothing says otherwise.
    fn invest(&self) -> &[Amount] {
        let amounts = |text| money::amounts(text, formats::header_unit(self, "invest").or(Some(HeaderUnit::Wan)));
        self.invest.get_or_init(|| self.text("invest").map(amounts).unwrap_or_default())
    }

    /// Whether the benchmark names the national side, the international side, and a figure.
    pub(super) fn sides(&self) -> (bool, bool, bool) {
        let sides = |text| benchmark_sides(text, &self.settings.words);
        *self.sides.get_or_init(|| self.text("benchmark").map(sides).unwrap_or_default())
    }

    /// The text of a field; `None` where it is missing.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
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

    /// A check's finding where the field stands, or where it is missing; `{label}` is filled from the form. Nothing where it is off.
    fn raise(&self, findings: &mut Vec<Finding>, check: &Check, field: &'a str, values: &[(&str, &str)]) {
        let Some(severity) = self.settings.severity_of(check) else { return };
        let values: Vec<(&str, &str)> = values.iter().copied().chain([("label", self.label(field))]).collect();
        let placed = self.topic.fields.get(field);
        findings.push(Finding {
            rule: check.rule().to_owned(),
            severity,
            field: Some(field.to_owned()),
            attachment: placed.map(|placed| placed.attachment.clone()).or_else(|| self.source.map(|source| source.attachment.clone())),
            place: placed.map(|placed| placed.value.place.clone()).or_else(|| self.source.map(|source| source.place.clone())),
            message: check.say(&values),
            audience: check.audience,
        });
    }
}

/// The beginning of a text for a message, at most `max` characters, without the mark at its end: it stands within a sentence.
fn shortened(text: &str, max: usize) -> String {
    let line = super::folding::one_line(text);
    let line = line.trim_end_matches(['。', '；', ';', '，', ',']);
    if line.chars().count() <= max { line.to_owned() } else { line.chars().take(max).chain(['…']).collect() }
}

#[cfg(test)]
mod tests;
