//! A topic's story in Chinese, for a person at the terminal.

use std::fmt::Write as _;

use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize as _;
use serde_json::Value;

use crate::{
    commands::report::{shared_in_words, twin_in_words},
    domain::{
        letters::receipt::place_in_words,
        routing::evidence_in_words,
        time::chinese_minute,
        verdict::{Duplicate, Knowledge},
    },
};

/// Least score of a division that is named as the next best.
const WORTH_NAMING: f64 = 0.05;

/// The story that the store tells, line by line.
#[must_use]
pub fn in_words(story: &Value, knowledge: &Knowledge, zone: &TimeZone) -> String {
    let mut out = String::new();
    let division = |id: &str| knowledge.divisions.division(id).map_or_else(|| id.to_owned(), |division| division.name.clone());
    let _ = writeln!(
        out,
        "课题 {}  状态 {}  处室 {}",
        text(story, "id"),
        status_in_words(text(story, "status")),
        division(text(story, "division"))
    );
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
        let evidence: Vec<String> = list(route, "evidence").iter().filter_map(Value::as_str).map(evidence_in_words).collect();
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
            .filter(|candidate| candidate["score"].as_f64().is_some_and(|score| score >= WORTH_NAMING))
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
            letter_in_words(text(letter, "kind")),
            text(letter, "to"),
            text(letter, "subject"),
            state_in_words(text(letter, "state"))
        );
    }
    out.trim_end().to_owned()
}

fn revision_lines(out: &mut String, revision: &Value, knowledge: &Knowledge) {
    let label = |key: &str| {
        knowledge.catalogue.forms.iter().find_map(|form| form.field(key)).map_or_else(|| key.to_owned(), |field| field.label.clone())
    };
    let changed: Vec<&str> = list(revision, "changed").iter().filter_map(Value::as_str).collect();
    let mut fields: Vec<(&String, &Value)> = revision["fields"].as_object().into_iter().flatten().collect();
    // As the form has them.
    let place = |key: &str| knowledge.catalogue.forms.iter().find_map(|form| form.fields.iter().position(|field| field.key == key));
    fields.sort_by_key(|(key, _)| place(key).unwrap_or(usize::MAX));
    for (key, value) in fields {
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
        let _ = writeln!(out, "  来源 {} {}", text(source, "attachment"), place_in_words(text(source, "where")));
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
        let score = twin["score"].as_f64().unwrap_or(0.0);
        let _ = writeln!(out, "  疑似重复 {}（{}，相似度{score:.2}）", text(twin, "topic"), twin_in_words(text(twin, "kind")));
        let shared = Duplicate::deserialize(twin).ok().and_then(|twin| shared_in_words(&twin));
        if let Some(shared) = shared {
            let _ = writeln!(out, "    {shared}");
        }
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
        "note" => "提示",
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

fn status_in_words(status: &str) -> &str {
    match status {
        "accepted" => "已接收",
        "needs_correction" => "待补正",
        "suspected_duplicate" => "疑似重复，待核实",
        "withdrawn" => "已撤回",
        other => other,
    }
}

fn letter_in_words(kind: &str) -> &str {
    match kind {
        "ack" => "回执",
        "queue" => "处室清单",
        "digest" => "日报",
        "alert" => "告警",
        other => other,
    }
}

fn state_in_words(state: &str) -> &str {
    match state {
        "queued" => "待发送",
        "sending" => "发送中",
        "sent" => "已发送",
        "unknown" => "是否送达不明",
        "failed" => "发送失败",
        "held" => "暂缓发送",
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
