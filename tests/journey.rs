//! A month of mail goes the whole way, over real SMTP and IMAP: sent to the department, read, recorded, routed, answered. Then the
//! submitters, the divisions and the administrators look into their own mailboxes.
//!
//! Two things are held: the truth, which the mails' author wrote down (`fixtures/make/journey.py`, never annexd's own output), and
//! golden files of everything else (`golden/journey/`; `UPDATE_GOLDEN=1` writes them anew).

#[path = "journey/golden.rs"]
mod golden;
#[path = "journey/letters.rs"]
mod letters;
use std::{process::Command, time::Duration};

use crate::support::{
    Annexd, MailSystem,
    accounts::{ADMINISTRATORS, DEPARTMENT, DIVISIONS},
    month,
};
use serde_json::{Map, Value, json};

const WAIT: Duration = Duration::from_secs(120);

fn send(mail: &MailSystem, manifest: &[Value]) {
    for (index, sent) in manifest.iter().enumerate() {
        let sender = sent["sender"].as_str().unwrap();
        mail.send_as(sender, sent["envelope_from"].as_str().unwrap(), DEPARTMENT, &month::raw(sent)).unwrap();
        // One after the other: the order of arrival decides which of two copies is the first.
        mail.wait_for(DEPARTMENT, index + 1, WAIT);
    }
}

/// Messages, topics and receipts are the author's, and the golden files'.
fn holds(manifest: &[Value], annexd: &Annexd) {
    let messages = annexd.export("messages");
    assert_eq!(messages.len(), manifest.len());
    for (mail, row) in manifest.iter().zip(&messages) {
        assert_eq!(row["state"] == "duplicate", month::is_twin(mail), "{row}");
        let fits = month::is_twin(mail) || mail["kind"].as_array().unwrap().contains(&row["kind"]);
        assert!(fits, "{}: {row}", month::name(mail));
    }
    let topics = annexd.export("topics");
    let missing = month::missing_topics(manifest, &topics);
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    golden::hold("messages", &golden::of_messages(manifest, &messages));
    golden::hold("topics", &topics.iter().map(golden::of_topic).collect());
    let receipts: Vec<Value> = annexd.export("letters").into_iter().filter(|letter| letter["kind"] == "ack").collect();
    assert_eq!(receipts.len(), month::receipts_due(manifest).values().sum::<usize>());
    golden::hold("receipts", &receipts.iter().map(golden::of_letter).collect());
}

#[test]
fn a_month_of_mail_is_read_recorded_routed_and_everybody_gets_their_letters() {
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    annexd.open_caps();
    annexd.give_divisions_addresses();
    let manifest = month::manifest();
    send(&mail, &manifest);
    annexd.say(&["poll"]);
    holds(&manifest, &annexd);
    letters::submitters_got_their_receipts(&mail, &manifest, &annexd);
    letters::divisions_got_their_topics(&mail, &annexd, &DIVISIONS);
    let today = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap()).datetime().date();
    annexd.say(&["digest", "--date", &today.to_string(), "--send"]);
    letters::administrators_got_the_digest(&mail, &annexd, &ADMINISTRATORS, today);
    // Another pass finds nothing new, and nobody gets a letter twice.
    let before = annexd.export("letters").len();
    annexd.say(&["poll"]);
    assert_eq!(annexd.export("letters").len(), before);
    assert!(mail.folder(DEPARTMENT, "INBOX").iter().all(|stored| stored.flags.iter().all(|flag| flag == "\\Recent")), "a flag was changed");
}

#[test]
fn the_daemon_does_the_same_while_the_mail_comes_in_and_ends_in_good_order() {
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    annexd.open_caps();
    let manifest = month::manifest();
    let mut daemon = annexd.daemon();
    send(&mail, &manifest);
    for (sender, receipts) in month::receipts_due(&manifest) {
        mail.wait_for(&sender, receipts, WAIT);
    }
    // What is not answered may still be on its way in, or to the record.
    let end = std::time::Instant::now() + WAIT;
    let is_done = |messages: &[Value]| messages.len() == manifest.len() && messages.iter().all(|message| message["state"] != "accepted");
    while !is_done(&annexd.export("messages")) {
        assert!(std::time::Instant::now() < end, "mail still waits");
        std::thread::sleep(Duration::from_millis(200));
    }
    let terminated = Command::new("kill").args(["-TERM", &daemon.child.id().to_string()]).status().unwrap();
    assert!(terminated.success());
    assert_eq!(daemon.child.wait().unwrap().code(), Some(0));
    holds(&manifest, &annexd);
    letters::submitters_got_their_receipts(&mail, &manifest, &annexd);
}

#[test]
fn a_dry_run_says_of_every_mail_what_its_author_meant() {
    let nowhere = "[mailbox]\nkind = \"maildir\"\npath = \"/proc/nowhere\"\n[smtp]\nkind = \"maildir\"\npath = \"/proc/nowhere\"\nfrom = \"jlsgxtkjc@163.com\"\n";
    let annexd = Annexd::with(nowhere);
    let manifest = month::manifest();
    let files: Vec<String> = manifest.iter().map(|mail| month::fixtures().join(month::name(mail)).display().to_string()).collect();
    let arguments: Vec<&str> = ["examine", "--json"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let said: Vec<Value> = annexd.say(&arguments).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(said.len(), manifest.len());
    let wrong: Vec<String> = manifest
        .iter()
        .zip(&said)
        .filter(|(mail, _)| !month::is_twin(mail))
        .flat_map(|(mail, said)| month::disagreements(mail, said))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let kept: Map<String, Value> =
        manifest.iter().zip(&said).map(|(mail, said)| (month::name(mail).to_owned(), golden::of_mail(said))).collect();
    golden::hold("mails", &kept.into());
}

// The checks can fail.

#[test]
fn a_topic_that_is_lost_or_changed_or_sent_astray_is_caught() {
    let truth =
        [json!({"file": "x.eml", "topics": [{"fields": {"topic_title": "甲", "applicant": "乙", "phone": "1"}, "division": "auto"}]})];
    let found =
        |phone: &str, division: &str| [json!({"fields": {"topic_title": "甲", "applicant": "乙", "phone": phone}, "division": division})];
    assert_eq!(month::missing_topics(&truth, &found("1", "auto")), Vec::<String>::new());
    for wrong in [
        month::missing_topics(&truth, &[]),
        month::missing_topics(&truth, &found("2", "auto")),
        month::missing_topics(&truth, &found("1", "food")),
    ] {
        assert_eq!(wrong.len(), 1, "{wrong:?}");
    }
}

#[test]
fn numbers_of_any_year_read_the_same_in_golden_files() {
    assert_eq!(golden::without_year("回执编号 2031-00012-2，2031-02-03"), "回执编号 〔00012〕，〔日期〕");
}
