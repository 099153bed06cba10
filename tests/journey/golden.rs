//! What annexd made of the month, kept as files: `UPDATE_GOLDEN=1` writes them anew, and the difference is then read by a person.

use std::{fs, path::PathBuf};

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::support::month::name;

/// Compares with `golden/journey/NAME.json`, or writes it.
pub fn hold(name: &str, found: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/journey").join(format!("{name}.json"));
    let text = serde_json::to_string_pretty(found).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let differs = kept.lines().zip(text.lines()).enumerate().find(|(_, (kept, found))| kept != found);
    let place = differs.map(|(line, (kept, found))| format!("line {}:\n- {kept}\n+ {found}", line + 1));
    assert!(
        kept == text,
        "golden/journey/{name}.json differs; {}\nRead the change, then run again with UPDATE_GOLDEN=1.",
        place.unwrap_or_else(|| format!("{} lines are now {}", kept.lines().count(), text.lines().count()))
    );
}

/// Receipt numbers begin with the year of the test: `2026-00012-2` becomes `〔00012〕`, as on the day the file was kept.
pub fn without_year(text: &str) -> String {
    let number = Regex::new(r"20\d\d-(\d{5,})-\d").unwrap();
    let day = Regex::new(r"20\d\d(-\d\d-\d\d|年\d{1,2}月\d{1,2}日)").unwrap();
    let token = Regex::new(r"〔[0-9a-f]{8,}〕").unwrap();
    let text = number.replace_all(text, "〔$1〕");
    token.replace_all(&day.replace_all(&text, "〔日期〕"), "〔验证码〕").into_owned()
}

/// A dry run's object without what changes with every wording: messages, digests, scores.
pub fn of_mail(said: &Value) -> Value {
    let keep = |keys: &[&str], from: &Value| -> Value {
        keys.iter().map(|key| ((*key).to_owned(), from[*key].clone())).collect::<Map<_, _>>().into()
    };
    let each = |keys: &[&str], list: &Value| -> Value { list.as_array().unwrap().iter().map(|item| keep(keys, item)).collect() };
    json!({
        "kind": said["kind"], "answer": said["answer"], "bureau": said["bureau"], "formal_letter": said["formal_letter"],
        "attachments": each(&["path", "type", "role", "status"], &said["attachments"]),
        "links": each(&["provider", "name", "expires"], &said["links"]),
        "findings": each(&["rule", "severity", "field", "attachment", "where"], &said["findings"]),
        "reconciliation": said["reconciliation"],
    })
}

/// One line a finding, so that the file can be read.
fn finding(finding: &Value) -> Value {
    let word = |key: &str| finding[key].as_str().unwrap_or("-").to_owned();
    format!("{} {} {} @ {} {}", word("rule"), word("severity"), word("field"), word("attachment"), word("where")).into()
}

/// An exported topic without numbers, digests, times and scores.
pub fn of_topic(topic: &Value) -> Value {
    let twins: Vec<String> =
        topic["duplicates"].as_array().unwrap().iter().map(|twin| without_year(twin["topic"].as_str().unwrap())).collect();
    json!({
        "number": without_year(topic["id"].as_str().unwrap()),
        "revision": topic["revision"], "status": topic["status"], "held": topic["held"], "bureau": topic["bureau"]["id"],
        "division": topic["division"], "routed_by": topic["routed_by"],
        "fields": topic["fields"],
        "sources": topic["sources"].as_array().unwrap().iter().map(|source| format!("{} {}", source["attachment"].as_str().unwrap_or("-"), source["where"].as_str().unwrap_or("-"))).collect::<Vec<_>>(),
        "findings": topic["findings"].as_array().unwrap().iter().map(finding).collect::<Vec<_>>(),
        "duplicates": twins,
    })
}

/// What became of each sighting of a mail.
pub fn of_messages(manifest: &[Value], rows: &[Value]) -> Value {
    let each = manifest
        .iter()
        .zip(rows)
        .map(|(mail, row)| (name(mail).to_owned(), json!({"kind": row["kind"], "state": row["state"], "problem": row["problem"]})));
    each.collect::<Map<_, _>>().into()
}

/// A letter of the outbox.
pub fn of_letter(letter: &Value) -> Value {
    json!({
        "kind": letter["kind"], "to": letter["to"], "subject": without_year(letter["subject"].as_str().unwrap()),
        "in_reply_to": letter["in_reply_to"], "state": letter["state"],
    })
}
