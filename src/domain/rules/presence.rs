//! Which fields a form owes (R14 and the rule that asks for each field's content), and values that nobody sees on the page.

use super::{Desk, Finding, checks, shortened, table::rule_of};
use crate::domain::{
    findings::{Audience, Severity},
    forms::catalogue::{Field, Need, Shape},
};

/// Fields named in a finding about hidden values.
const NAMED_MAX: usize = 5;

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
        let rule = rule_of(&field.key);
        if !desk.settings.is_on(rule) {
            continue;
        }
        findings.push(Finding {
            rule: rule.to_owned(),
            severity,
            field: Some(field.key.clone()),
            attachment: desk.source.map(|source| source.attachment.clone()),
            place: desk.source.map(|source| source.place.clone()),
            message: missing(field, severity, &form.called),
            audience: Audience::Sender,
        });
    }
}

/// A missing field, with the example of the catalogue.
pub fn missing(field: &Field, severity: Severity, called: &str) -> String {
    let example = field.example.as_deref().map(|example| format!("，例如：{}", shortened(example, 60))).unwrap_or_default();
    if severity == Severity::Error {
        format!("{called}缺少“{}”，请补充填写{example}。", field.label)
    } else {
        format!("{called}未填写“{}”，建议补充{example}。", field.label)
    }
}

/// R15: a value of a hidden row or column may be a leftover. One finding a topic, at the first such value.
pub fn nothing_is_hidden(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let hidden: Vec<&str> = desk.topic.fields.iter().filter(|(_, placed)| placed.value.hidden).map(|(key, _)| key.as_str()).collect();
    let Some(first) = hidden.first() else { return };
    let labels: Vec<String> = hidden.iter().take(NAMED_MAX).map(|key| format!("“{}”", desk.label(key))).collect();
    let more = if hidden.len() > NAMED_MAX { format!("等{}项", hidden.len()) } else { String::new() };
    desk.raise(findings, &checks::HIDDEN, first, &[("found", &(labels.join("、") + &more))]);
}
