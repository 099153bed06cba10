//! A line that is cut anywhere, any number of times: each mail is taken in once, each letter arrives, and arrives twice only where
//! the answer to its last dot was lost, under the same Message-ID.

use std::{collections::BTreeSet, fs};

use crate::support::{
    Annexd, MailSystem,
    accounts::DEPARTMENT,
    cutter::{Cutter, Fate, Way},
    record,
};
use annexd::{
    commands::work,
    config::Installation,
    daemon,
    edge::clock::Clock,
    pipeline::{House, send::send_due, stop::Stopped},
};
use jiff::SignedDuration;
use serde_json::Value;

const SENDERS: [&str; 4] = ["gxj-changchun", "gxj-jilin", "gxj-siping", "gxj-tonghua"];
/// One mail is as large as this, so that it goes to disk while it is fetched.
const LARGE_BYTES: usize = 600_000;

fn cuts_wanted() -> usize {
    if crate::support::long() { 600 } else { 40 }
}

fn question(number: usize, bytes: usize) -> Vec<u8> {
    let sender = SENDERS[number % SENDERS.len()];
    let filling = "请问怎样填写？\r\n".repeat(bytes / 23 + 1);
    format!(
        "From: {sender}@example.cn\r\nTo: {DEPARTMENT}\r\nSubject: question {number}\r\nMessage-ID: <line-{number}@example.cn>\r\n\
         Date: Mon, 05 Aug 2024 10:00:00 +0800\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{filling}"
    )
    .into_bytes()
}

/// Beside the servers, with one of the two ports led through the cutter.
fn beside(mail: &MailSystem, port: u16, through: &Cutter) -> Annexd {
    let annexd = Annexd::beside(mail);
    annexd.open_caps();
    let text = fs::read_to_string(&annexd.configuration).unwrap();
    let led = text.replace(&format!("port = {port}\n"), &format!("port = {}\ntimeout_secs = 5\n", through.port));
    assert_ne!(led, text);
    fs::write(&annexd.configuration, led).unwrap();
    annexd
}

/// Every place on the way of a fetch, by the words that pass there.
fn places_of_a_fetch() -> Vec<Fate> {
    let down = |words, bytes| Fate::AfterWords(Way::Down, words, bytes);
    let up = |words| Fate::AfterWords(Way::Up, words, 0);
    vec![
        down("* OK", 1),
        up(" LOGIN "),
        down("CAPABILITY", 5),
        up("EXAMINE"),
        down("UIDVALIDITY", 3),
        up("UID SEARCH"),
        down("* SEARCH ", 2),
        up("UID FETCH"),
        down("FETCH (", 4),
        down("BODY[] {", 1),
        down("BODY[] {", 100),
        down("BODY[] {6", 20),
        down("BODY[] {6", 250_000),
        down("BODY[] {6", 599_000),
        down("OK Fetch", 0),
    ]
}

#[test]
fn cut_anywhere_in_the_mailbox_each_mail_comes_once() {
    let mail = MailSystem::start();
    let cutter = Cutter::before(mail.ports.imaps, &mail.certificates);
    let annexd = beside(&mail, mail.ports.imaps, &cutter);
    let mut mails = 0;
    let put = |mails: &mut usize, large: bool| {
        let raw = question(*mails, if large { LARGE_BYTES } else { 300 + *mails * 11 });
        mail.append(DEPARTMENT, "INBOX", &raw);
        *mails += 1;
        raw.len() as u64
    };
    let places = places_of_a_fetch();
    for round in 0.. {
        let sizes = [put(&mut mails, round % 8 == 0), put(&mut mails, false)];
        // Before the mails come some 1 200 bytes of other answers.
        let anywhere = || Fate::AfterBytes(Way::Down, fastrand::u64(100..1_200 + sizes.iter().sum::<u64>()));
        cutter.next(places.get(round).cloned().unwrap_or_else(anywhere));
        // Whether a pass ends well under cuts is chance; what it leaves is not.
        annexd.run(&["poll", "--no-send"]);
        if round > places.len() && usize::try_from(cutter.cuts()).unwrap() >= cuts_wanted() {
            break;
        }
    }
    annexd.say(&["poll", "--no-send"]);
    let messages = annexd.export("messages");
    let hashes: BTreeSet<&str> = messages.iter().map(|message| message["sha256"].as_str().unwrap()).collect();
    assert_eq!((messages.len(), hashes.len()), (mails, mails), "each mail once");
    assert!(messages.iter().all(|message| message["state"] == "recorded"), "{messages:?}");
    assert_eq!(fs::read_dir(annexd.folder().join("data/raw/tmp")).unwrap().count(), 0, "nothing half-written is left");
    let how =
        format!("`faults_lines.rs`: at {} named places of a fetch, then after random bytes; {mails} mails, each in once", places.len());
    record::note("IMAP connections cut", cutter.cuts(), &how);
}

#[test]
fn a_large_mail_over_a_slow_line_takes_its_time() {
    let mail = MailSystem::start();
    let cutter = Cutter::before(mail.ports.imaps, &mail.certificates);
    let annexd = beside(&mail, mail.ports.imaps, &cutter);
    let text = fs::read_to_string(&annexd.configuration).unwrap();
    fs::write(&annexd.configuration, text.replace("timeout_secs = 5", "timeout_secs = 1")).unwrap();
    mail.append(DEPARTMENT, "INBOX", &question(3, LARGE_BYTES));
    cutter.next(Fate::Slow(150_000));
    annexd.say(&["poll", "--no-send"]);
    assert_eq!((annexd.export("messages").len(), cutter.connections()), (1, 1), "no session was given up");
}

/// Places on the way of a letter, and whether its last dot has reached the server there.
fn places_of_a_letter() -> Vec<(Fate, bool)> {
    vec![
        (Fate::AfterWords(Way::Down, "220", 1), false),
        (Fate::AfterWords(Way::Up, "EHLO", 2), false),
        (Fate::AfterWords(Way::Up, "AUTH", 3), false),
        (Fate::AfterWords(Way::Up, "MAIL FROM", 0), false),
        (Fate::AfterWords(Way::Up, "RCPT TO", 5), false),
        (Fate::AfterWords(Way::Up, "DATA\r\n", 0), false),
        (Fate::AfterWords(Way::Down, "354", 3), false),
        (Fate::AfterWords(Way::Up, "Message-ID", 7), false),
        (Fate::AfterWords(Way::Up, "\r\n\r\n", 60), false),
        (Fate::AfterWords(Way::Up, "\r\n.\r\n", 0), true),
        (Fate::AfterWords(Way::Down, "queued as", 0), true),
    ]
}

/// Everything that is due, until nothing is.
async fn send_all(house: &House, annexd: &Annexd) -> Vec<Value> {
    let mut outlets = daemon::outlets(house);
    for _ in 0..200 {
        send_due(house, &mut outlets, &Stopped::never()).await.unwrap();
        let letters: Vec<Value> = annexd.export("letters").into_iter().filter(|letter| letter["kind"] == "ack").collect();
        // A letter whose answer was lost a second time is left to a person.
        let is_left = |letter: &Value| letter["state"] == "unknown" && letter["attempts"].as_u64().unwrap() >= 2;
        if letters.iter().all(|letter| letter["state"] == "sent" || letter["state"] == "failed" || is_left(letter)) {
            return letters;
        }
        house.clock.set(house.now().checked_add(SignedDuration::from_mins(20)).unwrap());
    }
    panic!("letters are left over: {:?}", annexd.export("letters"));
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_anywhere_on_the_way_out_each_letter_arrives_and_twice_only_after_a_lost_answer() {
    let mail = MailSystem::start();
    let cutter = Cutter::before(mail.ports.submissions, &mail.certificates);
    let annexd = beside(&mail, mail.ports.submissions, &cutter);
    let rounds = if crate::support::long() { 30 } else { 2 };
    let mut house = daemon::build(Installation::load(Some(&annexd.configuration), &[]).unwrap()).await.unwrap();
    house.clock = Clock::fixed(house.now());
    let (mut after_dot, mut mails) = (0, 0);
    for _ in 0..rounds {
        let mut fates = places_of_a_letter();
        fastrand::shuffle(&mut fates);
        for (fate, dot) in fates {
            cutter.next(fate);
            after_dot += usize::from(dot);
            mail.append(DEPARTMENT, "INBOX", &question(mails, 500));
            mails += 1;
        }
        for _ in 0..4 {
            cutter.next(Fate::AfterBytes(Way::Up, fastrand::u64(10..600)));
        }
        work::one_pass(&house, false, &Stopped::never()).await.unwrap();
        send_all(&house, &annexd).await;
    }
    let letters = send_all(&house, &annexd).await;
    assert_eq!(letters.len(), mails);
    let left = letters.iter().filter(|letter| letter["state"] == "unknown").count();
    assert!(letters.iter().all(|letter| letter["state"] != "failed"), "{letters:?}");
    let inboxes: Vec<Vec<u8>> = SENDERS.iter().flat_map(|sender| mail.inbox(sender)).collect();
    let inboxes: Vec<String> = inboxes.iter().map(|raw| String::from_utf8_lossy(raw).into_owned()).collect();
    let mut doubles = 0;
    for letter in &letters {
        let id = format!("Message-ID: {}", letter["message_id"].as_str().unwrap());
        let copies = inboxes.iter().filter(|raw| raw.contains(&id)).count();
        // One that is left to a person may have been lost with both answers.
        let fewest = usize::from(letter["state"] == "sent");
        assert!((fewest..=2).contains(&copies), "{copies} copies of {letter}");
        doubles += copies.saturating_sub(1);
    }
    assert!(doubles <= after_dot, "{doubles} doubles after {after_dot} lost answers");
    record::note(
        "SMTP connections cut",
        cutter.cuts(),
        &format!("`faults_lines.rs`: {mails} letters, {doubles} arrived twice after a lost answer, {left} left to a person after two"),
    );
}
