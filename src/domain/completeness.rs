//! How complete a topic is, point by point: an aid for divisions to order their queue (R27). No judgement; people select.

use serde::{Deserialize, Serialize};

use super::{
    forms::catalogue::{Catalogue, Form, Need, Shape},
    money::{self, Amount},
    reconcile::Draft,
    rules::{Desk, RuleSettings},
    uscc::{self, UsccOutcome},
};

/// The score of one topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completeness {
    /// 0 to 100.
    pub percent: u32,
    /// In the order of the settings; those without weight are left out.
    pub points: Vec<Point>,
}

/// One line of the explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// 量化指标
    pub name: String,
    pub points: u32,
    pub of: u32,
    /// One Chinese phrase: 识别到3项
    pub why: String,
}

/// How much of a point is earned, in hundredths, and why.
type Earned = (u32, String);

/// Scores one topic by the form it owes. Deterministic; the weights are the settings'.
#[must_use]
pub fn completeness(desk: &Desk<'_>) -> Completeness {
    let (topic, catalogue, settings) = (desk.topic, desk.catalogue, desk.settings);
    let weights = &settings.score;
    let full_form = catalogue.forms.iter().find(|form| form.shape == Shape::Form);
    let lines: [(&'static str, u32, Earned); 8] = [
        ("必填栏目", weights.required_fields, filled(topic, full_form, Need::Required)),
        ("建议栏目", weights.recommended_fields, filled(topic, full_form, Need::Recommended)),
        ("统一社会信用代码", weights.credit_code, credit_code(topic)),
        ("问题描述", weights.problem, problem(topic, full_form, settings)),
        ("国内外对标", weights.benchmark, benchmark(desk)),
        ("量化指标", weights.indicators, indicators(desk)),
        ("预期经济效益", weights.benefit, benefit(desk, full_form)),
        ("附件1与附件2对应", weights.both_annexes, both_annexes(topic, catalogue)),
    ];
    let points: Vec<Point> = lines
        .into_iter()
        .filter(|(_, of, _)| *of > 0)
        .map(|(name, of, (hundredths, why))| Point { name: name.to_owned(), points: of.saturating_mul(hundredths.min(100)) / 100, of, why })
        .collect();
    let (earned, of) =
        points.iter().fold((0_u32, 0_u32), |(earned, of), point| (earned.saturating_add(point.points), of.saturating_add(point.of)));
    Completeness { percent: earned.saturating_mul(100).checked_div(of).unwrap_or(0), points }
}

impl Completeness {
    /// The whole explanation as lines: `量化指标 16/16：识别到3项`.
    #[must_use]
    pub fn in_words(&self) -> Vec<String> {
        self.points.iter().map(|point| format!("{} {}/{}：{}", point.name, point.points, point.of, point.why)).collect()
    }
}

fn share(part: usize, whole: usize) -> u32 {
    (part.min(whole) * 100).checked_div(whole).map_or(100, |percent| u32::try_from(percent).unwrap_or(0))
}

/// A topic that stands only in a row is measured by the form all the same: what it still lacks is what a division wants to know.
fn filled(topic: &Draft, form: Option<&Form>, need: Need) -> Earned {
    let wanted: Vec<_> = form.iter().flat_map(|form| &form.fields).filter(|field| field.need == need).collect();
    let missing: Vec<&str> =
        wanted.iter().filter(|field| topic.text(&field.key).trim().is_empty()).map(|field| field.label.as_str()).collect();
    let why = match missing.as_slice() {
        [] => "齐全".to_owned(),
        [first, second, third, _, _, _, ..] => format!("缺{first}、{second}、{third}等{}项", missing.len()),
        few => format!("缺{}", few.join("、")),
    };
    (share(wanted.len() - missing.len(), wanted.len()), why)
}

fn credit_code(topic: &Draft) -> Earned {
    let code = topic.text("uscc");
    if code.trim().is_empty() {
        return (0, "未填写".to_owned());
    }
    match uscc::check(code) {
        UsccOutcome::Valid { .. } => (100, "校验通过".to_owned()),
        UsccOutcome::SoftOrganisationMismatch { .. } => (80, "整体校验通过，主体标识码待核".to_owned()),
        UsccOutcome::WrongCheck { .. } | UsccOutcome::UnknownPrefix => (50, "位数和字符正确，校验待核".to_owned()),
        _ => (0, "位数或字符不符".to_owned()),
    }
}

fn problem(topic: &Draft, form: Option<&Form>, settings: &RuleSettings) -> Earned {
    let chars = super::folding::fold(topic.text("problem")).chars().count();
    let advised = form.and_then(|form| form.field("problem")).and_then(|field| field.min_chars);
    let least = advised.unwrap_or(settings.thresholds.problem_min_chars);
    (share(chars, least), format!("{chars}字，建议不少于{least}字"))
}

fn benchmark(desk: &Desk<'_>) -> Earned {
    if desk.text("benchmark").is_none() {
        return (0, "未填写".to_owned());
    }
    let (home, abroad, figure) = desk.sides();
    let parts = [(home, "国内水平"), (abroad, "国际水平"), (figure, "数据")];
    let has: Vec<&str> = parts.iter().filter(|(has, _)| *has).map(|(_, name)| *name).collect();
    (share(has.len(), parts.len()), if has.is_empty() { "未见国内、国际水平和数据".to_owned() } else { format!("有{}", has.join("、")) })
}

fn indicators(desk: &Desk<'_>) -> Earned {
    let found = desk.indicators().len();
    (share(found, desk.settings.thresholds.indicators_recommended), format!("识别到{found}项"))
}

fn benefit(desk: &Desk<'_>, form: Option<&Form>) -> Earned {
    let Some(text) = desk.text("benefit") else { return (0, "未填写".to_owned()) };
    let written = desk.topic.fields.get("benefit").and_then(|placed| placed.value.unit.as_deref());
    let field = form.and_then(|form| form.field("benefit"));
    let of_form =
        || field.and_then(|field| money::HeaderUnit::named_in(&field.label).or(money::HeaderUnit::named_in(field.unit.as_deref()?)));
    let unit = written.and_then(money::HeaderUnit::named_in).or_else(of_form);
    let counted: Vec<Amount>;
    let amounts = if unit == desk.benefit_unit() {
        desk.benefit()
    } else {
        counted = money::amounts(text, unit);
        &counted
    };
    match money::headline(amounts) {
        None => (30, "未见金额".to_owned()),
        Some(amount) if amount.wan.is_none() => (100, "有外币金额".to_owned()),
        Some(amount) => (100, format!("折合{}万元", amount.wan_text())),
    }
}

fn both_annexes(topic: &Draft, catalogue: &Catalogue) -> Earned {
    let of_shape = |shape: Shape| topic.sources.iter().any(|source| catalogue.form(&source.form).is_some_and(|form| form.shape == shape));
    match (of_shape(Shape::Form), of_shape(Shape::Table)) {
        (true, true) => (100, "附件1、附件2都有".to_owned()),
        (true, false) => (60, "未列入附件2".to_owned()),
        (false, true) => (20, "只在附件2中".to_owned()),
        (false, false) => (0, "没有出处".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::{
        forms::{Value, catalogue},
        reconcile::{PlacedValue, Source},
    };

    fn the_catalogue() -> Catalogue {
        let forms =
            [include_str!("../../tests/fixtures/rules/forms/annex1.toml"), include_str!("../../tests/fixtures/rules/forms/annex2.toml")];
        Catalogue { forms: forms.map(|text| catalogue::parse(text).unwrap()).to_vec() }
    }

    fn good(changes: &[(&str, &str)], sources: &[&str]) -> Draft {
        let mut fields: BTreeMap<String, String> = toml::from_str(include_str!("../../tests/fixtures/rules/good.toml")).unwrap();
        fields.extend(changes.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())));
        fields.retain(|_, text| !text.is_empty());
        let placed = |(key, text)| {
            let value = Value { text, place: "table 1".to_owned(), ..Value::default() };
            (key, PlacedValue { value, attachment: "甲.docx".to_owned(), form: "annex1".to_owned() })
        };
        let source = |form: &&str| Source { attachment: "甲.docx".to_owned(), place: "table 1".to_owned(), form: (*form).to_owned() };
        Draft { sources: sources.iter().map(source).collect(), fields: fields.into_iter().map(placed).collect() }
    }

    fn scored(topic: &Draft) -> Completeness {
        completeness(&Desk::of(topic, &the_catalogue(), &RuleSettings::shipped()))
    }

    #[test]
    fn a_whole_topic_has_every_point() {
        let score = scored(&good(&[], &["annex1", "annex2"]));
        assert_eq!(score.percent, 100, "{:?}", score.in_words());
        assert!(score.in_words().contains(&"量化指标 16/16：识别到3项".to_owned()));
        assert!(score.in_words().contains(&"预期经济效益 7/7：折合5000万元".to_owned()));
    }

    #[test]
    fn every_point_lost_says_why() {
        let score = scored(&good(&[("params", "性能良好"), ("benchmark", "国内领先"), ("benefit", ""), ("uscc", "123")], &["annex1"]));
        let lost: Vec<&str> = score.points.iter().filter(|point| point.points < point.of).map(|point| point.why.as_str()).collect();
        assert_eq!(lost, ["缺预期经济效益", "位数或字符不符", "有国内水平", "识别到0项", "未填写", "未列入附件2"]);
        assert!(score.percent < 70);
    }

    #[test]
    fn filling_more_never_lowers_the_score() {
        let mut last = 0;
        let keys = ["problem", "benchmark", "goal", "params", "benefit", "uscc", "market"];
        for filled in 0..=keys.len() {
            let emptied: Vec<(&str, &str)> = keys.iter().skip(filled).map(|key| (*key, "")).collect();
            let percent = scored(&good(&emptied, &["annex1"])).percent;
            assert!(percent >= last);
            last = percent;
        }
    }

    #[test]
    fn weights_are_the_settings_and_an_empty_topic_has_no_points_for_content() {
        let only = RuleSettings::parse(
            "[score]\nrequired_fields = 0\nrecommended_fields = 0\ncredit_code = 0\nproblem = 0\nbenchmark = 0\nindicators = 5\nbenefit = 0\nboth_annexes = 0\n",
        )
        .unwrap();
        let score = completeness(&Desk::of(&good(&[("params", "功率≥25kW")], &["annex1"]), &the_catalogue(), &only));
        assert_eq!((score.percent, score.points.len()), (20, 1), "1 of 5, rounded down from a third");
        assert_eq!(scored(&Draft::default()).percent, 0);
    }
}
