//! A topic's story in Chinese, for a person at the terminal.

use std::fmt::Write as _;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use crate::domain::{time::chinese_minute, verdict::Knowledge};

/// The story that the store tells, line by line.
#[must_use]
pub fn in_words(story: &Value, knowledge: &Knowledge, zone: &TimeZone) -> String {
    let mut out = String::new();
    let division = |id: &str| knowledge.divisions.division(id).map_or_else(|| id.to_owned(), |division| division.name.clone());
    let _ = writeln!(out, "课题 {}  状态 {}  处室 {}", text(story, "id"), text(story, "status"), division(text(story, "division")));
    let _ = writeln!(out, "报送单位 {}{}", text(story, "bureau"), if story["held"] == true { "（待人工确认）" } else { "" });
    for revision in list(story, "revisions") {
        let _ = writeln!(
            out,
            "\n第{}版  {}  邮件 {:.12}",
            revision["revision"],
            when(revision, "recorded_at", zone),
            text(revision, "message_sha256")
        );
        revision_lines(&mut out, revision, knowledge);
    }
    for route in list(story, "routes") {
        let evidence: Vec<&str> = list(route, "evidence").iter().filter_map(Value::as_str).collect();
        let (to, by) = (division(text(route, "division")), text(route, "routed_by"));
        let _ = writeln!(
            out,
            "\n分派 {}  {to}（{}，{:.2}）{}  {}  规则表{} 模型{}",
            when(route, "decided_at", zone),
            routed_by_in_words(by),
            route["confidence"].as_f64().unwrap_or(0.0),
            route["joint"].as_str().map(|id| format!("，与{}会办", division(id))).unwrap_or_default(),
            evidence.join("、"),
            version(route, "rules_version"),
            version(route, "model_version")
        );
        let others: Vec<String> = list(route, "candidates")
            .iter()
            .skip(1)
            .map(|candidate| format!("{} {:.2}", division(text(candidate, "division")), candidate["score"].as_f64().unwrap_or(0.0)))
            .collect();
        if !others.is_empty() {
            let _ = writeln!(out, "  其次 {}", others.join("，"));
        }
    }
    for decision in list(story, "decisions") {
        let (verb, words) = (verb_in_words(text(decision, "verb")), text(decision, "words"));
        let _ = writeln!(
            out,
            "\n决定 {}  {verb}  {words}  {}（{}）",
            when(decision, "decided_at", zone),
            division(text(decision, "division")),
            text(decision, "decided_by")
        );
    }
    for letter in list(story, "letters") {
        let _ = writeln!(
            out,
            "\n信件 {}  {}  {}  “{}”  {}",
            letter["id"],
            text(letter, "kind"),
            text(letter, "to"),
            text(letter, "subject"),
            text(letter, "state")
        );
    }
    out.trim_end().to_owned()
}

fn revision_lines(out: &mut String, revision: &Value, knowledge: &Knowledge) {
    let label = |key: &str| {
        knowledge.catalogue.forms.iter().find_map(|form| form.field(key)).map_or_else(|| key.to_owned(), |field| field.label.clone())
    };
    let changed: Vec<&str> = list(revision, "changed").iter().filter_map(Value::as_str).collect();
    for (key, value) in revision["fields"].as_object().into_iter().flatten() {
        let mark = if changed.contains(&key.as_str()) { "＊" } else { "  " };
        let _ = writeln!(out, "{mark}{}：{}", label(key), value.as_str().unwrap_or_default());
        let then = list(revision, "changes").iter().find(|change| change["field"] == key.as_str()).map(|change| &change["then"]);
        if let Some(then) = then.filter(|_| revision["revision"] != 1) {
            let _ = writeln!(out, "    （原为：{}）", then.as_str().unwrap_or("未填写"));
        }
    }
    for key in changed.iter().filter(|key| revision["fields"].get(**key).is_none()) {
        let _ = writeln!(out, "＊{}：已删去", label(key));
    }
    for source in list(revision, "sources") {
        let _ = writeln!(out, "  来源 {} {}", text(source, "attachment"), text(source, "where"));
    }
    let is_first = revision["revision"] == 1;
    for finding in list(revision, "findings") {
        let new = !is_first && list(revision, "opened").contains(finding);
        let state = if new { "新出现" } else { "未办结" };
        let _ = writeln!(
            out,
            "  {state} {} {}：{}",
            text(finding, "rule"),
            severity_in_words(text(finding, "severity")),
            text(finding, "message")
        );
    }
    for finding in list(revision, "closed") {
        let _ = writeln!(out, "  已办结 {}：{}", text(finding, "rule"), text(finding, "message"));
    }
    if let Some(quantified) = revision["quantified"].as_str().filter(|text| !text.is_empty()) {
        let _ = writeln!(out, "  {quantified}");
    }
    completeness_lines(out, &revision["completeness"]);
    for twin in list(revision, "duplicates") {
        let _ = writeln!(out, "  疑似重复 {}（{:.2}）", text(twin, "topic"), twin["score"].as_f64().unwrap_or(0.0));
    }
}

/// The score and its points, for ordering only.
fn completeness_lines(out: &mut String, completeness: &Value) {
    let Some(percent) = completeness["percent"].as_u64() else { return };
    let point = |point: &Value| format!("{} {}/{}（{}）", text(point, "name"), point["points"], point["of"], text(point, "why"));
    let points: Vec<String> = list(completeness, "points").iter().map(point).collect();
    let _ = writeln!(out, "  完整度 {percent}%：{}", points.join("；"));
}

fn severity_in_words(severity: &str) -> &str {
    match severity {
        "error" => "须补正",
        "warning" => "建议完善",
        "info" => "提示",
        other => other,
    }
}

/// A person's word has no version.
fn version<'a>(route: &'a Value, key: &str) -> &'a str {
    route[key].as_str().filter(|version| !version.is_empty()).unwrap_or("—")
}

fn routed_by_in_words(by: &str) -> &str {
    match by {
        "rule" => "规则表",
        "model" => "模型",
        "person" => "人工",
        "twin" => "随疑似重复课题",
        "fallback" => "待人工确定",
        other => other,
    }
}

fn verb_in_words(verb: &str) -> &str {
    match verb {
        "accept" => "受理",
        "transfer" => "转办",
        "amend" => "补正意见",
        "return" => "退回",
        "duplicate" => "重复",
        "withdraw" => "撤回",
        other => other,
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("—")
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn when(value: &Value, key: &str, zone: &TimeZone) -> String {
    text(value, key).parse::<Timestamp>().map_or_else(|_| "—".to_owned(), |at| chinese_minute(at, zone))
}
