//! A mail goes the whole way, over real SMTP and IMAP: sent to the department, read, recorded, answered. The truth is the manifest
//! that the mails' author wrote (`fixtures/make/journey.py`), never annexd's own output.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use serde_json::{Value, json};
use support::{Annexd, MailSystem, accounts::DEPARTMENT};

const WAIT: Duration = Duration::from_secs(60);

fn manifest() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journey/manifest.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The mail's bytes; grown by a scanned letter where the manifest wants it large.
fn raw(mail: &Value) -> Vec<u8> {
    let mut raw = small(mail);
    if let Some(bytes) = mail["grow_to_bytes"].as_u64().map(|bytes| usize::try_from(bytes).unwrap()) {
        let end = raw.windows(4).rposition(|window| window == b"\r\n--").unwrap();
        let closing = raw.split_off(end);
        let boundary = String::from_utf8(closing.clone()).unwrap().trim().strip_suffix("--").unwrap().to_owned();
        let head = "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=scan.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n";
        raw.extend_from_slice(format!("\r\n{boundary}\r\n{head}").as_bytes());
        let line = format!("{}\r\n", "JVBERi0xLjQK".repeat(6));
        raw.extend_from_slice(line.repeat(bytes.saturating_sub(raw.len()) / line.len()).as_bytes());
        raw.extend_from_slice(&closing);
    }
    raw
}

fn small(mail: &Value) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journey").join(mail["file"].as_str().unwrap())).unwrap()
}

/// Every topic that was put in came out, with every field as it was written and at the division a clerk would choose.
fn missing_topics(manifest: &[Value], exported: &[Value]) -> Vec<String> {
    let corrected: Vec<&str> = manifest.iter().filter_map(|mail| mail["after"].as_str()).collect();
    let mut missing = Vec::new();
    for mail in manifest.iter().filter(|mail| !corrected.contains(&mail["file"].as_str().unwrap())) {
        for topic in mail["topics"].as_array().unwrap() {
            let fields = topic["fields"].as_object().unwrap();
            let alike = |found: &&Value| ["topic_title", "applicant"].iter().all(|key| found["fields"][key] == fields[*key]);
            let differences = |found: &Value| {
                let wrong = fields.iter().filter(|(key, value)| found["fields"][key] != **value).map(|(key, _)| key.clone());
                let astray = topic["division"].is_string() && found["division"] != topic["division"] && mail["held"] != true;
                wrong.chain(astray.then(|| format!("division {}", found["division"]))).collect::<Vec<_>>()
            };
            let best = exported.iter().filter(alike).map(differences).min_by_key(Vec::len);
            if best.as_ref().is_none_or(|wrong| !wrong.is_empty()) {
                missing.push(format!("{}: {}: {best:?}", mail["file"], topic["fields"]["topic_title"]));
            }
        }
    }
    missing
}

#[test]
fn every_mail_of_a_month_is_recorded_and_each_sender_gets_as_many_receipts_as_are_due() {
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    let manifest = manifest();
    let mut due: BTreeMap<String, usize> = BTreeMap::new();
    for (index, sent) in manifest.iter().enumerate() {
        let sender = sent["sender"].as_str().unwrap();
        mail.send_as(sender, sent["envelope_from"].as_str().unwrap(), DEPARTMENT, &raw(sent)).unwrap();
        mail.wait_for(DEPARTMENT, index + 1, WAIT);
        let twin = sent.get("same_as").is_some();
        *due.entry(sender.to_owned()).or_default() += usize::from(sent["answered"] == true && !twin);
    }
    annexd.say(&["poll"]);
    let messages = annexd.export("messages");
    assert_eq!(messages.len(), manifest.len());
    let acknowledgements = annexd.export("letters").iter().filter(|letter| letter["kind"] == "ack").count();
    assert_eq!(acknowledgements, due.values().sum::<usize>());
    let missing = missing_topics(&manifest, &annexd.export("topics"));
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    for (sender, receipts) in due {
        let arrived = mail.wait_for(&sender, receipts, WAIT);
        assert_eq!(arrived.len(), receipts, "{sender} got another number of receipts");
        assert!(arrived.iter().all(|letter| String::from_utf8_lossy(letter).contains("Auto-Submitted: auto-replied")));
    }
}

#[test]
fn a_topic_that_is_lost_or_changed_or_sent_astray_is_caught() {
    let truth =
        [json!({"file": "x.eml", "topics": [{"fields": {"topic_title": "甲", "applicant": "乙", "phone": "1"}, "division": "auto"}]})];
    let found =
        |phone: &str, division: &str| [json!({"fields": {"topic_title": "甲", "applicant": "乙", "phone": phone}, "division": division})];
    assert_eq!(missing_topics(&truth, &found("1", "auto")), Vec::<String>::new());
    for wrong in [missing_topics(&truth, &[]), missing_topics(&truth, &found("2", "auto")), missing_topics(&truth, &found("1", "food"))] {
        assert_eq!(wrong.len(), 1, "{wrong:?}");
    }
}
