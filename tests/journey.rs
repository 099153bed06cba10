//! A mail goes the whole way, over real SMTP and IMAP: sent to the department, read, recorded, answered. The truth is the manifest
//! that the mails' author wrote (`fixtures/make/journey.py`), never annexd's own output.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use serde_json::Value;
use support::{Annexd, MailSystem, accounts::DEPARTMENT};

const WAIT: Duration = Duration::from_secs(60);

fn manifest() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journey/manifest.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn raw(mail: &Value) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journey").join(mail["file"].as_str().unwrap())).unwrap()
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
    for (sender, receipts) in due {
        let arrived = mail.wait_for(&sender, receipts, WAIT);
        assert_eq!(arrived.len(), receipts, "{sender} got another number of receipts");
        assert!(arrived.iter().all(|letter| String::from_utf8_lossy(letter).contains("Auto-Submitted: auto-replied")));
    }
}
