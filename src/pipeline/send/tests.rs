//! The sending laws, played against a scripted mail server and over simulated days.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::{Outlets, Sent, send_due};
use crate::{
    config::Installation,
    daemon,
    domain::letters::{Letter, LetterKind, Urgency},
    edge::{clock::Clock, store::Sighting},
    pipeline::{House, accept, alert, examine, stop::Stopped},
};

mod server;

use server::{Move, Server, says};

const MORNING: &str = "2024-08-15T01:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A house in a folder whose letters go to a server on `port`, or into a Maildir where it is 0.
async fn house(folder: &Path, port: u16, more: &str) -> (House, Outlets) {
    let smtp = if port == 0 {
        format!("[smtp]\nkind='maildir'\npath='{}'\nfrom='厅 <gxt@163.com>'\nprovider='netease'\n", folder.join("out").display())
    } else {
        std::fs::write(folder.join("secret"), "code").unwrap();
        format!(
            "[smtp]\nhost='127.0.0.1'\nport={port}\nsecurity='plain'\nusername='gxt@163.com'\npassword_file='{}'\nfrom='厅 <gxt@163.com>'\nprovider='netease'\ntimeout_secs=5\n",
            folder.join("secret").display()
        )
    };
    std::fs::create_dir_all(folder.join("in/new")).unwrap();
    let text = format!(
        "data_dir='{}'\n[mailbox]\nkind='maildir'\npath='{}'\n{smtp}\n[digest]\nto=['admin@example.cn']\n[alerts]\ndisk_free_min_mib=0\n{more}",
        folder.join("data").display(),
        folder.join("in").display()
    );
    std::fs::write(folder.join("annexd.toml"), text).unwrap();
    let mut house = daemon::build(Installation::load(Some(&folder.join("annexd.toml")), &[]).unwrap()).await.unwrap();
    house.clock = Clock::fixed(at(MORNING));
    let outlets = daemon::outlets(&house).unwrap();
    (house, outlets)
}

fn letter(key: &str, to: &str, now: Timestamp) -> Letter {
    Letter {
        key: key.to_owned(),
        kind: LetterKind::Ack,
        urgency: Urgency::Receipt,
        to: to.to_owned(),
        subject: "【自动回执】已收到".to_owned(),
        text: format!("您好：{key}\n"),
        html: None,
        in_reply_to: None,
        references: Vec::new(),
        enclosures: Vec::new(),
        due_at: now,
        caps: None,
        alternates: false,
    }
}

async fn queue(house: &House, letters: &[Letter]) {
    let slot = letters.first().map(|letter| letter.key.clone()).unwrap_or_default();
    house.store.announce("test", "x", &slot, letters, &[], "163.com", house.now()).await.unwrap();
}

async fn round(house: &House, outlets: &mut Outlets) -> Sent {
    send_due(house, outlets, &Stopped::never()).await.unwrap()
}

async fn state(house: &House, id: i64) -> String {
    house.store.letter_list(true, 1000).await.unwrap().into_iter().find(|letter| letter.id == id).unwrap().state
}

fn later(house: &House, minutes: i64) {
    house.clock.set(house.now().checked_add(SignedDuration::from_mins(minutes)).unwrap());
}

#[tokio::test]
async fn a_line_lost_before_the_last_dot_is_tried_again_and_after_it_the_letter_is_repeated_once() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start(vec![Move::CloseInText, Move::CloseAfterDot, Move::CloseAfterDot]).await;
    let (house, mut outlets) = house(folder.path(), port, "").await;
    queue(&house, &[letter("a", "a@example.cn", house.now())]).await;
    assert_eq!(round(&house, &mut outlets).await.later, 1);
    assert_eq!((state(&house, 1).await.as_str(), server.count()), ("queued", 0));
    later(&house, 10);
    round(&house, &mut outlets).await;
    assert_eq!((state(&house, 1).await.as_str(), server.count()), ("unknown", 1));
    // Not before the provider had time to file it.
    round(&house, &mut outlets).await;
    assert_eq!(server.count(), 1);
    later(&house, 5);
    round(&house, &mut outlets).await;
    assert_eq!((state(&house, 1).await.as_str(), server.count()), ("unknown", 2));
    for _ in 0..5 {
        later(&house, 600);
        round(&house, &mut outlets).await;
    }
    assert_eq!((state(&house, 1).await.as_str(), server.count()), ("unknown", 2), "after one repeat a person decides");
    let ids: Vec<String> = server
        .texts
        .lock()
        .unwrap()
        .iter()
        .map(|text| text.lines().find(|line| line.starts_with("Message-ID")).unwrap().to_owned())
        .collect();
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_days_quota_rests_until_the_next_day_in_shanghai_and_a_restart_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start(vec![Move::AtMail(says("554 MI:STC gxt@163.com smtp11"))]).await;
    let (first, mut outlets) = house(folder.path(), port, "").await;
    queue(&first, &[letter("a", "a@example.cn", first.now())]).await;
    assert!(round(&first, &mut outlets).await.capped);
    drop(first);
    let (again, mut outlets) = house(folder.path(), port, "").await;
    for time in ["2024-08-15T02:00:00Z", "2024-08-15T15:59:00Z"] {
        again.clock.set(at(time));
        round(&again, &mut outlets).await;
    }
    assert_eq!((state(&again, 1).await.as_str(), server.count()), ("queued", 0));
    again.clock.set(at("2024-08-15T16:40:00Z"));
    assert_eq!(round(&again, &mut outlets).await.sent, 1);
}

#[tokio::test]
async fn a_ban_halts_all_sending_tells_once_by_the_other_account_and_a_real_letter_tries_every_few_hours() {
    let folder = tempfile::tempdir().unwrap();
    let (gbk, _, _) = encoding_rs::GBK.encode("550 User has no permission 用户无权限\r\n");
    let ban = Move::AtMail(gbk.into_owned());
    let (server, port) = Server::start(vec![ban.clone(), ban]).await;
    let second =
        format!("[smtp_internal]\nkind='maildir'\npath='{}'\nfrom='通知 <notice@example.cn>'\n", folder.path().join("internal").display());
    let (house, mut outlets) = house(folder.path(), port, &second).await;
    let letters: Vec<Letter> = (0..3).map(|no| letter(&format!("l{no}"), &format!("a{no}@example.cn"), house.now())).collect();
    queue(&house, &letters).await;
    for _ in 0..4 {
        round(&house, &mut outlets).await;
        alert::watch(&house).await.unwrap();
        later(&house, 20);
    }
    assert_eq!(*server.connections.lock().unwrap(), 1, "nothing tries while it is halted");
    let told: Vec<_> = std::fs::read_dir(folder.path().join("internal/new")).unwrap().collect();
    assert_eq!(told.len(), 1, "one alert leaves by the second account");
    let account = house.config.smtp.account();
    assert!(house.store.sending_state(&account).await.unwrap().reason.contains("用户无权限"));
    later(&house, 5 * 60);
    round(&house, &mut outlets).await;
    assert_eq!(*server.connections.lock().unwrap(), 2, "one real letter tried");
    later(&house, 5 * 60);
    assert_eq!(round(&house, &mut outlets).await.sent, 3);
    alert::watch(&house).await.unwrap();
    round(&house, &mut outlets).await;
    assert_eq!(std::fs::read_dir(folder.path().join("internal/new")).unwrap().count(), 2, "and that it is over");
}

#[tokio::test]
async fn the_short_quota_halves_the_rate_and_one_connection_carries_only_so_many() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start(vec![Move::AtRcpt(says("451 MI:SFQ")), Move::AtMail(says("450 MI:DMC"))]).await;
    let (house, mut outlets) = house(folder.path(), port, "").await;
    let letters: Vec<Letter> = (0..20).map(|no| letter(&format!("l{no}"), &format!("a{no}@example.cn"), house.now())).collect();
    queue(&house, &letters).await;
    round(&house, &mut outlets).await;
    assert_eq!(server.count(), 0);
    later(&house, 17);
    round(&house, &mut outlets).await;
    assert_eq!(server.count(), 1, "half of five, and one try went into the refused connection");
    assert_eq!(*server.connections.lock().unwrap(), 3, "a full connection is replaced at once");
    later(&house, 16);
    round(&house, &mut outlets).await;
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn a_login_cut_short_is_a_refused_login_and_a_wrong_address_is_marked() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) =
        Server::start(vec![Move::CloseAtAuth, Move::AtRcpt(says("550 Invalid User")), Move::AfterDot(says("554 DT:SPM"))]).await;
    let (house, mut outlets) = house(folder.path(), port, "").await;
    let letters = [letter("a", "gone@example.cn", house.now()), letter("b", "b@example.cn", house.now())];
    queue(&house, &letters).await;
    assert!(round(&house, &mut outlets).await.refused_login);
    later(&house, 3);
    round(&house, &mut outlets).await;
    assert_eq!((state(&house, 1).await.as_str(), state(&house, 2).await.as_str()), ("failed", "held"));
    assert_eq!(server.count(), 1);
    let mut answer = letter("c", "gone@example.cn", house.now());
    answer.caps = Some(house.config.answers);
    queue(&house, &[answer]).await;
    assert_eq!(state(&house, 3).await, "held", "an address that refused a letter gets no automatic answer");
    assert!(house.store.retry_letter(3, house.now()).await.unwrap());
    assert_eq!(state(&house, 3).await, "queued");
}

#[tokio::test]
async fn over_simulated_days_no_window_holds_more_letters_than_its_cap() {
    let folder = tempfile::tempdir().unwrap();
    let (house, mut outlets) = house(folder.path(), 0, "").await;
    let letters: Vec<Letter> = (0..100).map(|no| letter(&format!("l{no}"), &format!("a{no}@example.cn"), house.now())).collect();
    queue(&house, &letters).await;
    let mut per_day = Vec::new();
    for day in 15..19 {
        let mut sent = 0;
        // From midnight to midnight in Shanghai.
        house.clock.set(at(&format!("2024-08-{}T16:00:00Z", day - 1)));
        for _ in 0..95 {
            let before = house.now();
            let round = round(&house, &mut outlets).await;
            assert!(round.sent <= 5);
            sent += round.sent;
            house.clock.set(before.checked_add(SignedDuration::from_mins(15)).unwrap());
        }
        per_day.push(sent);
    }
    assert_eq!(per_day, [40, 40, 20, 0]);
}

#[tokio::test]
async fn urgent_letters_overtake_and_courtesy_comes_last() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start(Vec::new()).await;
    let (house, mut outlets) = house(folder.path(), port, "").await;
    let with = |key: &str, urgency, kind| Letter { urgency, kind, ..letter(key, &format!("{key}@example.cn"), at(MORNING)) };
    let letters = [
        with("courtesy", Urgency::Courtesy, LetterKind::Ack),
        with("digest", Urgency::Digest, LetterKind::Digest),
        with("receipt", Urgency::Receipt, LetterKind::Ack),
        with("alert", Urgency::Alert, LetterKind::Alert),
    ];
    queue(&house, &letters).await;
    assert_eq!(round(&house, &mut outlets).await.sent, 4);
    let order: Vec<String> = server
        .texts
        .lock()
        .unwrap()
        .iter()
        .map(|text| text.lines().find_map(|line| line.strip_prefix("To: ")).unwrap().split('@').next().unwrap().to_owned())
        .collect();
    assert_eq!(order, ["alert", "receipt", "digest", "courtesy"]);
}

#[tokio::test]
async fn ten_thousand_turns_of_a_loop_cause_three_answers_a_day_and_one_alert() {
    let folder = tempfile::tempdir().unwrap();
    let (house, mut outlets) = house(folder.path(), 0, "").await;
    let mut answers = Vec::new();
    for turn in 0..10_000 {
        let mut answer = letter(&format!("turn{turn}"), "vacation@bureau.example", house.now());
        (answer.caps, answer.alternates) = (Some(house.config.answers), true);
        answers.push(answer);
    }
    queue(&house, &answers).await;
    for _ in 0..40 {
        round(&house, &mut outlets).await;
        alert::watch(&house).await.unwrap();
        later(&house, 15);
    }
    let letters = house.store.letter_list(true, 20_000).await.unwrap();
    let count = |kind: &str, state: &str| letters.iter().filter(|letter| letter.kind == kind && letter.state == state).count();
    assert_eq!((count("ack", "sent"), count("ack", "held")), (3, 9_997));
    assert_eq!(count("alert", "sent"), 1);
}

#[tokio::test]
async fn many_mails_with_new_topics_from_one_bureau_are_all_answered_in_time_and_never_too_fast() {
    let folder = tempfile::tempdir().unwrap();
    let (house, mut outlets) = house(folder.path(), 0, "").await;
    let answers: Vec<Letter> = (0..12)
        .map(|no| Letter { caps: Some(house.config.answers), ..letter(&format!("m{no}"), "gxj@bureau.example", house.now()) })
        .collect();
    queue(&house, &answers).await;
    let mut hours = Vec::new();
    for _ in 0..30 {
        hours.push(round(&house, &mut outlets).await.sent);
        later(&house, 61);
    }
    assert!(hours.iter().all(|sent| *sent <= 3), "{hours:?}");
    assert_eq!(hours.iter().sum::<usize>(), 12);
}

fn mail(from: &str, extra: &str, body: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: gxt@163.com\r\nSubject: =?UTF-8?B?5ZKo6K+i?=\r\nMessage-ID: <{}@x.cn>\r\n{extra}\r\n{body}\r\n",
        body.len()
    )
    .into_bytes()
}

/// Takes a mail in and examines it; returns whether a letter was written.
async fn arrives(house: &House, raw: Vec<u8>) -> usize {
    let before = house.store.letter_list(true, 20_000).await.unwrap().len();
    let sighting = Sighting {
        mailbox: "import".to_owned(),
        folder: String::new(),
        uidvalidity: 0,
        uid: None,
        locator: format!("{:x}", fastrand::u128(..)),
        arrived_at: None,
        seen_at: house.now(),
    };
    accept::accept(house, &sighting, raw).await.unwrap();
    for waiting in house.store.next_waiting(0, house.now(), 100).await.unwrap() {
        examine::examine(house, &waiting).await.unwrap();
    }
    house.store.letter_list(true, 20_000).await.unwrap().len() - before
}

#[tokio::test]
async fn two_installations_pointed_at_each_other_fall_silent_at_once() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (server, port) = Server::start(Vec::new()).await;
    let (first, mut outlets) = house(one.path(), port, "").await;
    let (second, _) = house(other.path(), 0, "").await;
    assert_eq!(arrives(&first, mail("gxj@bureau.example", "", "请问如何申报")).await, 1);
    round(&first, &mut outlets).await;
    let receipt = server.texts.lock().unwrap()[0].clone();
    for header in ["Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All", "X-Annexd: 1", "In-Reply-To: <"] {
        assert!(receipt.contains(header), "{header}");
    }
    assert_eq!(arrives(&second, receipt.clone().into_bytes()).await, 0);
    // And where a gateway has taken our marks away, our own Message-ID and address still tell.
    let stripped: String =
        receipt.lines().filter(|line| !line.starts_with("X-A") && !line.starts_with("Auto-")).map(|line| format!("{line}\r\n")).collect();
    assert_eq!(arrives(&second, stripped.into_bytes()).await, 0);
}

#[tokio::test]
async fn responders_lists_and_a_storm_of_bounces_get_no_answer_and_the_bounced_letter_fails_once() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start(Vec::new()).await;
    let (house, mut outlets) = house(folder.path(), port, "").await;
    for (index, header) in [
        "Auto-Submitted: auto-replied (vacation)\r\n",
        "X-QQ-AUTO-REPLY: true\r\n",
        "List-Id: <x>\r\n",
        "Precedence: bulk\r\n",
        "X-Auto-Response-Suppress: All\r\n",
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(arrives(&house, mail("a@b.example", header, &"。".repeat(index + 1))).await, 0, "{header}");
    }
    assert_eq!(arrives(&house, mail("gxj@bureau.example", "", "请问")).await, 1);
    round(&house, &mut outlets).await;
    let sent = server.texts.lock().unwrap()[0].clone();
    let id = sent.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap().to_owned();
    for turn in 0..200 {
        let report = format!(
            "From: Postmaster@163.com\r\nTo: gxt@163.com\r\nSubject: bounce {turn}\r\nMessage-ID: <b{turn}@163.com>\r\nX-Mailer: Coremail MTA server\r\nX-CM-Original-Message-ID: {id}\r\n\r\n550 User not found {turn}\r\n"
        );
        assert_eq!(arrives(&house, report.into_bytes()).await, 0);
    }
    assert_eq!(state(&house, 1).await, "failed");
    alert::watch(&house).await.unwrap();
    assert_eq!(house.store.letter_list(true, 1000).await.unwrap().len(), 1, "no alert: the digest tells");
    let facts = house.store.digest_facts(at("2024-08-14T16:00:00Z"), house.now(), house.now(), &house.knowledge).await.unwrap();
    assert_eq!(facts.undeliverable.len(), 1);
    assert_eq!(arrives(&house, mail("gxj@bureau.example", "", "再问一次")).await, 1);
    assert_eq!(state(&house, 2).await, "held");
}
