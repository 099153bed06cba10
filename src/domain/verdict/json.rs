//! The verdict as the outside contract shows it (`annexd examine --json`): every key present, `null` or `[]` where there is no value.

use serde_json::{Map, Value, json};

use super::{Topic, Verdict};
use crate::domain::findings::Finding;

/// One object for one message; `file` is the path it was read from.
#[must_use]
pub fn to_json(verdict: &Verdict, file: Option<&str>) -> Value {
    json!({
        "file": file,
        "sha256": verdict.sha256,
        "message_id": verdict.message_id,
        "from": verdict.from.as_ref().map(|from| from.address.as_str()),
        "subject": verdict.subject,
        "date": verdict.date.map(|date| date.to_string()),
        "kind": verdict.kind,
        "answer": verdict.answer,
        "answer_reason": verdict.answer_reason,
        "authentication": verdict.authentication.state,
        "bureau": verdict.bureau,
        "formal_letter": verdict.formal_letter,
        "attachments": verdict.attachments,
        "links": verdict.links,
        "topics": verdict.topics.iter().map(topic_json).collect::<Vec<_>>(),
        "findings": verdict.findings.iter().map(finding_json).collect::<Vec<_>>(),
        "reconciliation": verdict.reconciliation,
    })
}

fn topic_json(topic: &Topic) -> Value {
    let fields: Map<String, Value> = topic.fields.iter().map(|(key, text)| (key.clone(), Value::from(text.as_str()))).collect();
    let sources: Vec<Value> = topic.sources.iter().map(|source| json!({"attachment": source.attachment, "where": source.place})).collect();
    json!({
        "fields": fields,
        "sources": sources,
        "status": topic.status,
        "division": topic.route.division,
        "confidence": topic.route.confidence,
        "routed_by": topic.route.routed_by,
        "candidates": topic.route.candidates,
        "evidence": topic.route.evidence,
        "joint": topic.route.joint,
        "rules_version": topic.route.rules_version,
        "model_version": topic.route.model_version,
        "findings": topic.findings.iter().map(finding_json).collect::<Vec<_>>(),
        "duplicates": topic.duplicates,
        "completeness": topic.completeness,
        "normalised": topic.normalised,
    })
}

/// A finding with the contract's keys.
#[must_use]
pub fn finding_json(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule,
        "severity": finding.severity,
        "field": finding.field,
        "attachment": finding.attachment,
        "where": finding.place,
        "message": finding.message,
    })
}
