//! Which fields a form owes (R14 and the rule that asks for each field's content).

use super::{Desk, Finding, Severity, shortened};
use crate::domain::forms::catalogue::{Field, Need, Shape};

/// Required fields of the form the topic stands in are filled (error); recommended ones are asked for (note).
/// A topic that stands only in a row is judged by the row's own columns: what only the form asks for is the form's matter (R15).
pub fn required_fields_are_filled(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(form) = desk.form else { return };
    for field in form.fields.iter().filter(|field| desk.text(&field.key).is_none()) {
        let severity = match field.need {
            Need::Required => Severity::Error,
            Need::Recommended => Severity::Note,
            Need::Optional => continue,
        };
        // The bureau stands beside the table as often as in it, and a row's number says nothing about the topic.
        if form.shape == Shape::Table && matches!(field.key.as_str(), "bureau" | "no") {
            continue;
        }
        findings.push(desk.for_sender(rule_of(&field.key), severity, &field.key, message(field, severity, &form.called)));
    }
}

fn message(field: &Field, severity: Severity, called: &str) -> String {
    let example = field.example.as_deref().map(|example| format!("，例如：{}", shortened(example, 60))).unwrap_or_default();
    if severity == Severity::Error {
        format!("{called}缺少“{}”，请补充填写{example}。", field.label)
    } else {
        format!("{called}未填写“{}”，建议补充{example}。", field.label)
    }
}

/// The requirement of the notice that a field answers.
fn rule_of(key: &str) -> &'static str {
    match key {
        "industry" | "region" => "R5",
        "product" | "maturity" => "R6",
        "benefit" => "R7",
        "market" => "R10",
        "topic_type" => "R12",
        "problem" | "background" => "R19",
        "benchmark" => "R21",
        "goal" | "content" => "R22",
        "params" => "R23",
        "pledge" => "R26",
        "mode" => "R28",
        _ => "R14",
    }
}
