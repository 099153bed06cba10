//! The laws that hold whatever happens to the process: no mail lost, none in two states, no topic twice, nobody answered twice except
//! by the one letter whose fate a kill has hidden.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Annexd, MailSystem, accounts::DEPARTMENT};

/// A mail that one process after another was killed with rests for a while.
const WAIT: Duration = Duration::from_secs(200);
const SENDERS: [&str; 4] = ["gxj-changchun", "gxj-jilin", "gxj-siping", "gxj-tonghua"];

/// An installation without caps on answers: a day of mail comes in a minute here.
pub fn beside(mail: &MailSystem) -> Annexd {
    let annexd = Annexd::beside(mail);
    annexd.open_caps();
    annexd
}

/// Mails with a topic each, from the journey, and plain questions between them.
pub fn mails() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journey");
    let manifest: Vec<Value> = serde_json::from_str(&fs::read_to_string(folder.join("manifest.json")).unwrap()).unwrap();
    let fit = |mail: &&Value| {
        let topics = mail["topics"].as_array().is_some_and(|topics| !topics.is_empty());
        topics && mail["answered"] == true && mail["grow_to_bytes"].is_null() && mail["same_as"].is_null()
    };
    let with_topics: Vec<(String, Vec<u8>)> = manifest
        .iter()
        .filter(fit)
        .take(8)
        .map(|mail| (mail["sender"].as_str().unwrap().to_owned(), fs::read(folder.join(mail["file"].as_str().unwrap())).unwrap()))
        .collect();
    assert_eq!(with_topics.len(), 8, "the month has too few mails of this kind");
    let plain = (0..16).map(|number| {
        let sender = format!("{}@example.cn", SENDERS[number % SENDERS.len()]);
        let raw = format!("From: {sender}\r\nTo: {DEPARTMENT}\r\nSubject: question {number}\r\nMessage-ID: <q{number}@example.cn>\r\nDate: Mon, 05 Aug 2024 10:00:00 +0800\r\n\r\n请问第{number}项怎样填写？\r\n");
        (sender, raw.into_bytes())
    });
    with_topics.into_iter().chain(plain).collect()
}

/// Runs the daemon until everything is in a final state and no letter is due.
pub fn settle(annexd: &Annexd, count: usize) {
    let daemon = annexd.daemon();
    let end = Instant::now() + WAIT;
    loop {
        let messages = annexd.export("messages");
        let waiting = messages.iter().filter(|message| message["state"] == "accepted").count();
        let due = annexd
            .export("letters")
            .iter()
            .filter(|letter| letter["kind"] == "ack" && ["queued", "sending"].contains(&letter["state"].as_str().unwrap()))
            .count();
        if messages.len() >= count && waiting == 0 && due == 0 {
            break;
        }
        assert!(Instant::now() < end, "{} of {count} in, {waiting} wait, {due} letters due\n{}", messages.len(), log(annexd));
        std::thread::sleep(Duration::from_millis(300));
    }
    drop(daemon);
}

pub fn log(annexd: &Annexd) -> String {
    fs::read_to_string(annexd.folder().join("run.log")).unwrap_or_default()
}

/// The laws, and the letters whose fate a kill has hidden.
pub fn check_laws(mail: &MailSystem, annexd: &Annexd, sent: usize) -> usize {
    let messages = annexd.export("messages");
    assert_eq!(messages.len(), sent, "each mail once");
    let hashes: BTreeSet<&str> = messages.iter().map(|message| message["sha256"].as_str().unwrap()).collect();
    assert_eq!(hashes.len(), sent);
    assert!(messages.iter().all(|message| message["state"] != "accepted" && message["state"] != "parked"), "{messages:?}");
    assert!(messages.iter().all(|message| message["attempts"] == 1), "a kill was put down to a mail: {messages:?}");
    let topics = annexd.export("topics");
    let titles: BTreeSet<String> =
        topics.iter().map(|topic| format!("{}{}", topic["fields"]["topic_title"], topic["fields"]["applicant"])).collect();
    assert_eq!(titles.len(), topics.len(), "no topic twice");
    let letters: Vec<Value> = annexd.export("letters").into_iter().filter(|letter| letter["kind"] == "ack").collect();
    let mut answered: BTreeMap<&str, usize> = BTreeMap::new();
    for letter in &letters {
        *answered.entry(letter["in_reply_to"].as_str().unwrap_or_default()).or_default() += 1;
    }
    assert!(answered.values().all(|count| *count == 1), "a mail was answered twice: {answered:?}");
    let mut hidden = 0;
    let inboxes: BTreeMap<&str, Vec<String>> = letters
        .iter()
        .map(|letter| letter["to"].as_str().unwrap())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|to| (to, mail.inbox(to).iter().map(|raw| String::from_utf8_lossy(raw).into_owned()).collect()))
        .collect();
    for letter in &letters {
        let id = letter["message_id"].as_str().unwrap();
        let repeated = letter["attempts"].as_u64().is_some_and(|attempts| attempts >= 2);
        hidden += usize::from(repeated);
        let copies = inboxes[letter["to"].as_str().unwrap()].iter().filter(|raw| raw.contains(&format!("Message-ID: {id}"))).count();
        match letter["state"].as_str().unwrap() {
            // A kill between the handing over and the answer costs at most one repeat, under the same Message-ID.
            "sent" => assert!(copies == 1 || (copies == 2 && repeated), "{copies} copies of {letter}"),
            // Killed between handing over and hearing the answer: settled later, by hand or from the Sent folder.
            "unknown" => {
                assert!(copies <= 1, "{letter}");
                hidden += usize::from(!repeated);
            }
            _ => panic!("a letter is left over: {letter}"),
        }
    }
    let output = annexd.run(&["check", "--connect"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("integrity ok"));
    hidden
}
