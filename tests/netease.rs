//! annexd against a mailbox with all the habits of 163.com: nothing is lost, nothing comes twice, nothing is said that such a
//! server does not know.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::support::{
    Annexd, Netease,
    accounts::DEPARTMENT,
    annexd::Daemon,
    netease::{ADVERTS, JUNK, SUBSCRIPTIONS, VIRUS},
};

const CODE: &str = "ABCDEFGHIJKLMNOP";

fn mail(number: u32) -> Vec<u8> {
    format!("From: gxj-{number}@example.cn\r\nTo: {DEPARTMENT}\r\nSubject: no. {number}\r\nMessage-ID: <{number}@example.cn>\r\n\r\nMail {number}\r\n").into_bytes()
}

fn beside(server: &Netease, more: &str) -> Annexd {
    let folder = tempfile::tempdir().unwrap().keep();
    let (password, letters) = (folder.join("code"), folder.join("letters"));
    fs::write(&password, CODE).unwrap();
    let annexd = Annexd::with(&format!(
        "[mailbox]\nkind = \"imap\"\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"plain\"\nusername = \"{DEPARTMENT}\"\nprovider = \"netease\"\npoll_secs = 1\n\
         password_file = \"{}\"\n{more}\n[smtp]\nkind = \"maildir\"\npath = \"{}\"\nfrom = \"科技处 <{DEPARTMENT}>\"\n",
        server.port,
        password.display(),
        letters.display()
    ));
    fs::write(annexd.folder().join("code-at"), password.display().to_string()).unwrap();
    annexd
}

/// Waits until the daemon has as many messages on record.
fn wait_for(annexd: &Annexd, _daemon: &Daemon, count: usize) -> Vec<serde_json::Value> {
    let end = Instant::now() + Duration::from_secs(40);
    loop {
        let messages = annexd.export("messages");
        if messages.len() >= count {
            return messages;
        }
        assert!(Instant::now() < end, "{} of {count}\n{}", messages.len(), log(annexd));
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn log(annexd: &Annexd) -> String {
    fs::read_to_string(annexd.folder().join("run.log")).unwrap_or_default()
}

#[test]
fn one_poll_takes_in_everything_and_says_only_what_such_a_server_knows() {
    let server = Netease::start(DEPARTMENT, CODE);
    for number in 0..60 {
        server.put("INBOX", 1_400_000_000 + number * 7, &mail(number));
    }
    server.put(JUNK, 5, &mail(900));
    server.put(VIRUS, 6, &mail(901));
    server.put_ghost("INBOX", 1_400_000_003);
    server.quirks(|quirks| {
        quirks.size_error = 1000;
        quirks.cut_literals = 2;
        quirks.stray_lines = vec!["* X-CM-NOTICE 42 something".to_owned(), "* STATUS \"INBOX\" ()".to_owned()];
        quirks.drop_on_unknown = true;
    });
    let annexd = beside(&server, "folders = [\"INBOX\", \"垃圾邮件\", \"没有的夹\"]");
    annexd.say(&["poll"]);
    let messages = annexd.export("messages");
    assert_eq!(messages.len(), 61, "60 in INBOX and one taken for junk; nothing twice in spite of two cut literals");
    assert!(messages.iter().all(|message| message["state"] == "recorded"), "{messages:?}");
    assert_eq!(server.offences(), Vec::<String>::new());
    assert!(server.seen("INBOX").is_empty() && server.seen(JUNK).is_empty());
    assert!(server.heard().iter().all(|heard| !heard.command.contains(VIRUS) || heard.command.starts_with("EXAMINE")));
    server.change("INBOX", 1_400_000_003, |mail| (mail.ghost, mail.raw) = (false, self::mail(77)));
    annexd.say(&["poll"]);
    assert_eq!(annexd.export("messages").len(), 62, "the ghost became a mail");
}

#[test]
fn a_mail_that_is_delivered_empty_is_no_mail_yet_and_is_asked_for_again() {
    let server = Netease::start(DEPARTMENT, CODE);
    for uid in 1..=3 {
        server.put("INBOX", uid, &mail(uid));
    }
    for uid in [1, 2] {
        server.change("INBOX", uid, |mail| mail.raw.clear());
    }
    let annexd = beside(&server, "");
    annexd.say(&["poll"]);
    assert_eq!(annexd.export("messages").len(), 1, "two empty ones are neither mails nor copies of each other");
    for uid in [1, 2] {
        server.change("INBOX", uid, |mail| mail.raw = self::mail(uid));
    }
    annexd.say(&["poll"]);
    assert_eq!(annexd.export("messages").iter().filter(|message| message["state"] == "recorded").count(), 3);
}

#[test]
fn a_mail_that_a_person_moves_to_another_folder_is_the_same_mail() {
    let server = Netease::start(DEPARTMENT, CODE);
    server.put(JUNK, 5, &mail(1));
    server.put("INBOX", 1_400_000_000, &mail(2));
    let annexd = beside(&server, "");
    annexd.say(&["poll"]);
    let before = annexd.export("letters").len();
    // It gets a new UID, below the latest.
    server.shift(JUNK, 5, "INBOX", 1_399_999_999);
    annexd.say(&["poll"]);
    let states: Vec<String> = annexd.export("messages").iter().map(|message| message["state"].to_string()).collect();
    assert_eq!(states.iter().filter(|state| *state == "\"recorded\"").count(), 2, "{states:?}");
    assert_eq!((states.len(), annexd.export("letters").len()), (3, before), "another copy, and no second letter: {states:?}");
}

#[test]
fn a_throttled_login_is_said_and_costs_nothing() {
    let server = Netease::start(DEPARTMENT, CODE);
    server.put("INBOX", 1, &mail(1));
    server.quirks(|quirks| quirks.refuse_logins = 1);
    let annexd = beside(&server, "");
    let refused = annexd.run(&["poll"]);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("授权码"), "{refused:?}");
    assert_eq!(server.logins(), (0, 1), "it is asked once");
    annexd.say(&["poll"]);
    assert_eq!(annexd.export("messages").len(), 1);
}

#[test]
fn a_server_that_lets_nothing_go_forward_loses_the_session_to_the_watchdog() {
    if !crate::support::long() {
        return;
    }
    let server = Netease::start(DEPARTMENT, CODE);
    server.put("INBOX", 1, &mail(1));
    // Each answer comes within its deadline, and all of them together never.
    server.quirks(|quirks| quirks.delay = Duration::from_secs(25));
    let annexd = beside(&server, "watchdog_mins = 1\n");
    let daemon = annexd.daemon();
    let end = Instant::now() + Duration::from_secs(120);
    while !log(&annexd).contains("its session is dropped") {
        assert!(Instant::now() < end, "{}", log(&annexd));
        std::thread::sleep(Duration::from_millis(500));
    }
    server.quirks(|quirks| quirks.delay = Duration::ZERO);
    wait_for(&annexd, &daemon, 1);
}

#[test]
fn spam_folders_are_taken_in_unasked_and_infected_mail_is_only_counted() {
    let server = Netease::start(DEPARTMENT, CODE);
    for (uid, folder) in (1..).zip(["INBOX", JUNK, ADVERTS, SUBSCRIPTIONS, VIRUS]) {
        server.put(folder, uid, &mail(uid));
    }
    let annexd = beside(&server, "");
    annexd.say(&["poll"]);
    let subjects: Vec<String> = annexd.export("messages").iter().map(|message| message["subject"].to_string()).collect();
    assert_eq!(subjects.len(), 4, "{subjects:?}");
    assert!(!subjects.iter().any(|subject| subject.contains("no. 5")), "{subjects:?}");
    let checked = String::from_utf8_lossy(&annexd.run(&["check", "--connect"]).stdout).into_owned();
    assert!(checked.contains("订阅邮件") && checked.contains("病毒文件夹 holds 1 mails") && !checked.contains("may add"), "{checked}");
    assert_eq!(server.offences(), Vec::<String>::new());
}

#[test]
fn a_mail_that_breaks_every_session_is_parked_and_later_mail_goes_on() {
    let server = Netease::start(DEPARTMENT, CODE);
    for number in 1..=30 {
        server.put("INBOX", number, &mail(number));
    }
    server.quirks(|quirks| quirks.poison = Some(10));
    let annexd = beside(&server, "");
    annexd.say(&["poll"]);
    let messages = annexd.export("messages");
    let parked: Vec<_> = messages.iter().filter(|message| message["state"] == "parked").collect();
    assert_eq!((messages.len(), parked.len()), (30, 1), "{messages:?}");
    assert_eq!(parked[0]["uid"], 10);
    assert!(parked[0]["problem"].as_str().unwrap().contains("did not deliver"));
    let id = annexd.say(&["parked", "list"]).split_whitespace().next().unwrap().to_owned();
    server.quirks(|quirks| quirks.poison = None);
    annexd.say(&["parked", "retry", &id]);
    annexd.say(&["poll"]);
    let messages = annexd.export("messages");
    assert_eq!(messages.len(), 30);
    assert!(messages.iter().all(|message| message["state"] == "recorded"), "{messages:?}");
}

#[test]
fn the_daemon_finds_late_mail_and_ghosts_over_cut_and_closed_connections() {
    let server = Netease::start(DEPARTMENT, CODE);
    server.put("INBOX", 1000, &mail(1));
    server.put_ghost("INBOX", 1001);
    server.put("INBOX", 1002, &mail(2));
    server.put(VIRUS, 6, &mail(901));
    let annexd = beside(&server, "reconcile_secs = 2\n");
    let daemon = annexd.daemon();
    wait_for(&annexd, &daemon, 2);
    server.put("INBOX", 500, &mail(3));
    server.change("INBOX", 1001, |mail| (mail.ghost, mail.raw) = (false, self::mail(4)));
    server.quirks(|quirks| (quirks.cut_literals, quirks.idle_close) = (1, Duration::from_millis(700)));
    wait_for(&annexd, &daemon, 4);
    assert_eq!(server.offences(), Vec::<String>::new());
    assert!(log(&annexd).contains("infected"), "{}", log(&annexd));
}

#[test]
fn a_refused_login_is_not_hammered_and_a_new_secret_is_tried_at_once() {
    let server = Netease::start(DEPARTMENT, CODE);
    server.put("INBOX", 1, &mail(1));
    let annexd = beside(&server, "");
    let secret = fs::read_to_string(annexd.folder().join("code-at")).unwrap();
    fs::write(&secret, "WRONG").unwrap();
    let daemon = annexd.daemon();
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(server.logins(), (0, 1), "{}", log(&annexd));
    fs::write(&secret, CODE).unwrap();
    wait_for(&annexd, &daemon, 1);
    assert_eq!(server.logins().1, 1);
}

#[test]
fn an_unsafe_login_is_told_apart_and_rests_long() {
    let server = Netease::start(DEPARTMENT, CODE);
    server.quirks(|quirks| quirks.unsafe_anyway = true);
    let annexd = beside(&server, "");
    let daemon = annexd.daemon();
    std::thread::sleep(Duration::from_secs(5));
    drop(daemon);
    assert_eq!(server.logins(), (1, 0), "{}", log(&annexd));
    assert!(log(&annexd).contains("Unsafe Login"), "{}", log(&annexd));
}

#[test]
fn mail_hidden_by_the_thirty_day_setting_is_said() {
    let server = Netease::start(DEPARTMENT, CODE);
    server.put_aged("INBOX", 1, &mail(1), 45);
    server.put_aged("INBOX", 2, &mail(2), 3);
    let annexd = beside(&server, "");
    let poll = || String::from_utf8_lossy(&annexd.run(&["poll"]).stderr).into_owned();
    assert!(!poll().contains("no mail older than"));
    server.quirks(|quirks| quirks.window_days = Some(30));
    let said = poll();
    assert!(said.contains("no mail older than"), "{said}");
    assert_eq!(annexd.export("messages").len(), 2, "what vanishes from the mailbox stays on record");
}
