//! Whatever happens to the process, no mail is lost, none is in two states, no topic comes twice, and nobody is answered twice
//! except by the one letter whose fate a kill has hidden.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::{Duration, Instant},
};

use annexd::edge::crash::POINTS;
use serde_json::Value;
use support::{Annexd, MailSystem, accounts::DEPARTMENT, record};

const WAIT: Duration = Duration::from_secs(60);
const SENDERS: [&str; 4] = ["gxj-changchun", "gxj-jilin", "gxj-siping", "gxj-tonghua"];

fn beside(mail: &MailSystem) -> Annexd {
    let annexd = Annexd::beside(mail);
    annexd.open_caps();
    annexd
}

/// Mails with a topic each, from the journey, and plain questions between them.
fn mails() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journey");
    let manifest: Vec<Value> = serde_json::from_str(&fs::read_to_string(folder.join("manifest.json")).unwrap()).unwrap();
    let fit = |mail: &&Value| {
        mail["kind"] == "submission" && mail["answered"] == true && mail["grow_to_bytes"].is_null() && mail["same_as"].is_null()
    };
    let with_topics = manifest
        .iter()
        .filter(fit)
        .take(8)
        .map(|mail| (mail["sender"].as_str().unwrap().to_owned(), fs::read(folder.join(mail["file"].as_str().unwrap())).unwrap()));
    let plain = (0..16).map(|number| {
        let sender = format!("{}@example.cn", SENDERS[number % SENDERS.len()]);
        let raw = format!("From: {sender}\r\nTo: {DEPARTMENT}\r\nSubject: question {number}\r\nMessage-ID: <q{number}@example.cn>\r\nDate: Mon, 05 Aug 2024 10:00:00 +0800\r\n\r\n请问第{number}项怎样填写？\r\n");
        (sender, raw.into_bytes())
    });
    with_topics.chain(plain).collect()
}

/// Runs the daemon until everything is in a final state and no letter is due.
fn settle(annexd: &Annexd, count: usize) {
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

fn log(annexd: &Annexd) -> String {
    fs::read_to_string(annexd.folder().join("run.log")).unwrap_or_default()
}

/// The laws, and the letters whose fate a kill has hidden.
fn check_laws(mail: &MailSystem, annexd: &Annexd, sent: usize) -> usize {
    let messages = annexd.export("messages");
    assert_eq!(messages.len(), sent, "each mail once");
    let hashes: BTreeSet<&str> = messages.iter().map(|message| message["sha256"].as_str().unwrap()).collect();
    assert_eq!(hashes.len(), sent);
    assert!(messages.iter().all(|message| message["state"] != "accepted" && message["state"] != "parked"), "{messages:?}");
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

#[test]
fn killed_at_random_moments_it_loses_nothing_and_answers_once() {
    let mail = MailSystem::start();
    let annexd = beside(&mail);
    let (mails, kills) = (mails(), if support::long() { 400 } else { 40 });
    let mut sent = 0;
    for kill in 0..kills {
        let daemon = annexd.daemon();
        if let Some((sender, raw)) = mails.get(sent).filter(|_| kill * mails.len() >= sent * kills) {
            mail.send(sender, DEPARTMENT, raw);
            sent += 1;
        }
        std::thread::sleep(Duration::from_millis(fastrand::u64(30..500)));
        drop(daemon);
    }
    for (sender, raw) in &mails[sent..] {
        mail.send(sender, DEPARTMENT, raw);
    }
    settle(&annexd, mails.len());
    let hidden = check_laws(&mail, &annexd, mails.len());
    let how = format!("`faults.rs`: SIGKILL of `annexd run` at random moments; {} mails, {hidden} letters of hidden fate", mails.len());
    record::note("random kills", kills, &how);
}

#[test]
fn killed_at_every_named_point_it_goes_on_where_it_was() {
    let mail = MailSystem::start();
    let annexd = beside(&mail);
    let mails = mails();
    for (point, (sender, raw)) in POINTS.iter().zip(mails.iter().rev()) {
        mail.send(sender, DEPARTMENT, raw);
        let before = Instant::now();
        let mut child = annexd.command(&["run"]).env("ANNEXD_CRASH_AT", point).stderr(std::process::Stdio::null()).spawn().unwrap();
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            assert!(before.elapsed() < WAIT, "{point} was never reached");
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(!ended.success(), "{point}");
        // The cursor of the next point is this point's mail done.
        settle_all(&annexd);
    }
    settle(&annexd, POINTS.len());
    let hidden = check_laws(&mail, &annexd, POINTS.len());
    assert_eq!(hidden, 2, "after the claim and after the answer nobody can know");
    record::note("kills at named points", POINTS.len(), "`faults.rs`: every point of `edge/crash.rs`");
}

/// One pass that leaves nothing waiting.
fn settle_all(annexd: &Annexd) {
    annexd.say(&["poll"]);
}

#[test]
fn a_second_daemon_is_refused_and_the_first_ends_in_time_when_asked() {
    let mail = MailSystem::start();
    let annexd = beside(&mail);
    for (sender, raw) in mails().iter().take(6) {
        mail.send(sender, DEPARTMENT, raw);
    }
    let mut first = annexd.daemon();
    let end = Instant::now() + WAIT;
    while !log(&annexd).contains("A mail was accepted") {
        assert!(Instant::now() < end, "{}", log(&annexd));
        std::thread::sleep(Duration::from_millis(20));
    }
    let second = annexd.run(&["run"]);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && said.contains(&first.child.id().to_string()), "{said}");
    let before = Instant::now();
    std::process::Command::new("kill").args(["-TERM", &first.child.id().to_string()]).status().unwrap();
    let ended = first.child.wait().unwrap();
    assert!(ended.success() && before.elapsed() < Duration::from_secs(10), "{ended} after {:?}", before.elapsed());
}

#[test]
fn a_backup_made_while_it_runs_is_whole_and_goes_on_elsewhere() {
    let mail = MailSystem::start();
    let annexd = beside(&mail);
    let mails = mails();
    for (sender, raw) in mails.iter().take(6) {
        mail.send(sender, DEPARTMENT, raw);
    }
    settle(&annexd, 6);
    let daemon = annexd.daemon();
    let folder = annexd.folder().join("backup");
    annexd.say(&["backup", folder.to_str().unwrap()]);
    assert!(!annexd.run(&["backup", folder.to_str().unwrap()]).status.success(), "a backup is never written over another");
    drop(daemon);
    let before = (annexd.export("messages"), annexd.export("topics"));
    fs::rename(annexd.folder().join("data"), annexd.folder().join("lost")).unwrap();
    fs::rename(&folder, annexd.folder().join("data")).unwrap();
    assert_eq!((annexd.export("messages"), annexd.export("topics")), before);
    mail.send(&mails[7].0, DEPARTMENT, &mails[7].1);
    settle(&annexd, 7);
    annexd.say(&["replay"]);
}

#[test]
fn asked_to_reload_it_goes_on_even_when_the_configuration_has_become_wrong() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["mailbox/new", "mailbox/cur", "mailbox/tmp"] {
        fs::create_dir_all(folder.path().join(part)).unwrap();
    }
    let place = |name: &str| folder.path().join(name).display().to_string();
    let annexd = Annexd::with(&format!(
        "[mailbox]\nkind = \"maildir\"\npath = \"{}\"\npoll_secs = 1\n\n[smtp]\nkind = \"maildir\"\npath = \"{}\"\nfrom = \"科技处 <jlsgxtkjc@163.com>\"\n",
        place("mailbox"),
        place("letters")
    ));
    let mut daemon = annexd.daemon();
    let said = |times: usize, what: &str| {
        let end = Instant::now() + WAIT;
        while log(&annexd).matches(what).count() < times {
            assert!(Instant::now() < end, "{what:?} is not {times} times in\n{}", log(&annexd));
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let hang_up = |daemon: &support::annexd::Daemon| {
        assert!(std::process::Command::new("kill").args(["-HUP", &daemon.child.id().to_string()]).status().unwrap().success());
    };
    said(1, "annexd is running");
    hang_up(&daemon);
    said(2, "annexd is running");
    let text = fs::read_to_string(&annexd.configuration).unwrap();
    fs::write(&annexd.configuration, format!("{text}\n[mailbx]\nhost = 1\n")).unwrap();
    hang_up(&daemon);
    said(3, "annexd is running");
    assert!(log(&annexd).contains("goes on with the one before"));
    assert!(daemon.child.try_wait().unwrap().is_none());
}
