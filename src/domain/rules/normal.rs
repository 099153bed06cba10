//! A topic's facts in one spelling each, for export, queue letters and comparison. What the sender wrote stands beside it, untouched.

use std::collections::BTreeMap;

use super::{Desk, formats, region};
use crate::domain::{
    money,
    uscc::{self, UsccOutcome},
};

/// By name; what could not be read is absent.
///
/// `uscc` (18 characters, its check passed) · `phone` (numbers apart by 、) · `email` · `region` (GB/T 2260 code and name) · `gb_code`
/// (`C3670`) · `period` (`2024-09/2026-08`, or `24个月`) · `invest_wan`, `benefit_wan` (万元: `5000`, `3000-5000`) · `indicators` (count).
#[must_use]
pub fn normalised(desk: &Desk<'_>) -> BTreeMap<&'static str, String> {
    let text = |key: &str| desk.text(key);
    let wan = |amounts| money::headline(amounts).map(money::Amount::wan_text).filter(|text| !text.is_empty());
    let sound = |code: &&str| matches!(uscc::check(code), UsccOutcome::Valid { .. } | UsccOutcome::SoftOrganisationMismatch { .. });
    let facts = [
        ("uscc", text("uscc").filter(sound).map(uscc::normalise)),
        ("phone", text("phone").map(|text| formats::phones(text).join("、")).filter(|text| !text.is_empty())),
        ("email", text("email").and_then(formats::email)),
        ("region", text("region").and_then(region::region).map(|region| format!("{} {}", region.code, region.name))),
        ("gb_code", text("gb_code").and_then(formats::industry_code)),
        ("period", text("period").and_then(formats::period).map(period_text)),
        ("invest_wan", wan(desk.invest())),
        ("benefit_wan", wan(desk.benefit())),
        ("indicators", text("params").map(|_| desk.indicators().len().to_string())),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn period_text(period: formats::Period) -> String {
    let month = |month: i64| format!("{:04}-{:02}", (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    match period {
        formats::Period::Months { from, to } => format!("{}/{}", month(from), month(to)),
        formats::Period::Length(months) => format!("{months}个月"),
    }
}
