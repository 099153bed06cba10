//! The outside contract, key by key: what `examine --json` and `export` show has every promised key, with `null` or an empty list
//! where there is no value, and every word is one of the promised ones.

use std::{collections::BTreeSet, fs};

use crate::support::{Annexd, accounts::DEPARTMENT, month};
use serde_json::Value;

/// An installation that has taken in the month's mails from a Maildir.
fn after_the_month() -> Annexd {
    let annexd = Annexd::with("");
    let folder = annexd.folder().to_owned();
    for sub in ["new", "cur", "tmp"] {
        fs::create_dir_all(folder.join("mailbox").join(sub)).unwrap();
    }
    for mail in month::manifest() {
        fs::write(folder.join("mailbox/new").join(month::name(&mail)), month::raw(&mail)).unwrap();
    }
    let text = format!(
        "data_dir = \"{0}/data\"\n[mailbox]\nkind = \"maildir\"\npath = \"{0}/mailbox\"\n[smtp]\nkind = \"maildir\"\npath = \"{0}/letters\"\nfrom = \"{DEPARTMENT}\"\n",
        folder.display()
    );
    fs::write(&annexd.configuration, text).unwrap();
    annexd.say(&["poll"]);
    annexd
}

/// Every key is there.
fn has(value: &Value, keys: &[&str]) {
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    for key in keys {
        assert!(object.contains_key(*key), "{key} is missing in {value}");
    }
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

fn one_of(value: &Value, words: &[&str]) {
    assert!(value.as_str().is_some_and(|word| words.contains(&word)), "{value} is not one of {words:?}");
}

const KINDS: [&str; 12] = [
    "submission",
    "correction",
    "enterprise_direct",
    "no_annex",
    "division_reply",
    "auto_reply",
    "bounce",
    "receipt",
    "recall",
    "own",
    "bulk",
    "unreadable",
];
const TYPES: [&str; 20] = [
    "docx", "doc", "wps", "xlsx", "xls", "et", "ods", "csv", "html", "xml", "pdf", "ofd", "image", "zip", "rar", "7z", "tnef", "eml",
    "other", "tar",
];
const STATUSES: [&str; 8] = ["read", "container", "kept", "encrypted", "unsupported", "damaged", "too_large", "refused"];

fn finding(finding: &Value) {
    has(finding, &["rule", "severity", "field", "attachment", "where", "message"]);
    one_of(&finding["severity"], &["error", "warning", "note"]);
    assert!(!finding["message"].as_str().unwrap().is_empty());
}

fn source(source: &Value) {
    has(source, &["attachment", "where"]);
}

fn twin(twin: &Value) {
    has(twin, &["topic", "score", "kind"]);
}

#[test]
fn examine_shows_every_key_of_the_contract() {
    let annexd = Annexd::with(
        "[mailbox]\nkind = \"maildir\"\npath = \"/proc/nowhere\"\n[smtp]\nkind = \"maildir\"\npath = \"/proc/nowhere\"\nfrom = \"a@example.cn\"\n",
    );
    let empty = annexd.folder().join("empty.eml");
    fs::write(&empty, "").unwrap();
    let files: Vec<String> = month::manifest().iter().map(|mail| month::fixtures().join(month::name(mail)).display().to_string()).collect();
    let arguments: Vec<&str> = ["examine", "--json", empty.to_str().unwrap()].into_iter().chain(files.iter().map(String::as_str)).collect();
    let mut seen = BTreeSet::new();
    for line in annexd.say(&arguments).lines() {
        let said: Value = serde_json::from_str(line).unwrap();
        has(
            &said,
            &[
                "file",
                "sha256",
                "message_id",
                "from",
                "subject",
                "date",
                "kind",
                "answer",
                "answer_reason",
                "bureau",
                "formal_letter",
                "attachments",
                "links",
                "topics",
                "reconciliation",
            ],
        );
        one_of(&said["kind"], &KINDS);
        seen.insert(said["kind"].as_str().unwrap().to_owned());
        assert!(said["answer"].is_boolean() && said["answer_reason"].is_string());
        if !said["bureau"].is_null() {
            has(&said["bureau"], &["id", "name", "how"]);
            one_of(&said["bureau"]["how"], &["letter", "table", "subject", "name", "address"]);
        }
        if !said["formal_letter"].is_null() {
            has(&said["formal_letter"], &["attachment", "number"]);
        }
        for attachment in list(&said["attachments"]) {
            has(attachment, &["path", "sha256", "bytes", "type", "role", "status", "problem"]);
            one_of(&attachment["type"], &TYPES);
            one_of(&attachment["role"], &["annex1", "annex2", "letter", "container", "other"]);
            one_of(&attachment["status"], &STATUSES);
        }
        for link in list(&said["links"]) {
            has(link, &["provider", "name", "expires", "url_host"]);
        }
        for topic in list(&said["topics"]) {
            has(topic, &["fields", "sources", "division", "confidence", "candidates", "evidence", "findings", "duplicates"]);
            assert!(topic["fields"].is_object() && topic["division"].is_string() && topic["confidence"].is_number());
            list(&topic["sources"]).iter().for_each(source);
            list(&topic["findings"]).iter().for_each(finding);
            list(&topic["duplicates"]).iter().for_each(twin);
            list(&topic["candidates"]).iter().for_each(|candidate| has(candidate, &["division", "score"]));
            assert!(list(&topic["evidence"]).iter().all(Value::is_string));
        }
        let reconciliation = &said["reconciliation"];
        has(reconciliation, &["rows", "forms", "matched", "row_without_form", "form_without_row", "differs"]);
        for key in ["row_without_form", "form_without_row"] {
            assert!(list(&reconciliation[key]).iter().all(Value::is_string));
        }
        list(&reconciliation["differs"]).iter().for_each(|differs| has(differs, &["title", "field", "row", "form"]));
    }
    assert!(seen.len() >= 8, "the month shows only {seen:?}");
}

#[test]
fn exports_show_every_key_of_the_contract_and_the_balance_holds() {
    let annexd = after_the_month();
    let topics = annexd.export("topics");
    for topic in &topics {
        has(
            topic,
            &[
                "id",
                "message_sha256",
                "revision",
                "status",
                "division",
                "routed_by",
                "confidence",
                "received_at",
                "bureau",
                "fields",
                "sources",
                "findings",
                "duplicates",
            ],
        );
        one_of(&topic["status"], &["accepted", "needs_correction", "suspected_duplicate", "withdrawn"]);
        one_of(&topic["routed_by"], &["rule", "model", "person", "twin", "fallback"]);
        list(&topic["sources"]).iter().for_each(source);
        list(&topic["findings"]).iter().for_each(finding);
        list(&topic["duplicates"]).iter().for_each(twin);
    }
    let ids: BTreeSet<&str> = topics.iter().map(|topic| topic["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), topics.len());
    for row in annexd.export("findings") {
        finding(&row);
        assert!(ids.contains(row["topic"].as_str().unwrap()));
    }
    let messages = annexd.export("messages");
    assert_eq!(messages.len(), month::manifest().len());
    for message in &messages {
        has(
            message,
            &[
                "sha256",
                "mailbox",
                "uidvalidity",
                "uid",
                "message_id",
                "from",
                "subject",
                "received_at",
                "kind",
                "state",
                "attempts",
                "problem",
            ],
        );
        one_of(&message["state"], &["accepted", "recorded", "ignored", "duplicate", "parked"]);
        one_of(&message["kind"], &KINDS);
    }
    for letter in annexd.export("letters") {
        has(&letter, &["id", "kind", "to", "subject", "message_id", "in_reply_to", "state", "attempts", "last_reply", "due_at", "sent_at"]);
        one_of(&letter["kind"], &["ack", "queue", "digest", "alert"]);
        one_of(&letter["state"], &["queued", "sending", "sent", "unknown", "failed", "held"]);
    }
}
