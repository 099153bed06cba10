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

mod loops;

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
    let outlets = daemon::outlets(&house);
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

/// Puts the secret's file before the simulated days.
fn written(folder: &Path, when: &str) {
    let file = std::fs::File::options().append(true).open(folder.join("secret")).unwrap();
    file.set_modified(std::time::SystemTime::try_from(at(when)).unwrap()).unwrap();
}

#[tokio::test]
async fn refused_logins_rest_longer_and_longer_and_no_restart_forgets_it_but_a_new_secret_is_tried_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start((0..6).map(|_| Move::CloseAtAuth).collect()).await;
    let mut tries = Vec::new();
    for minute in (0..100).step_by(2) {
        // A new process every two minutes: nothing but the store remembers.
        let (mut house, mut outlets) = house(folder.path(), port, "").await;
        written(folder.path(), "2024-08-01T00:00:00Z");
        house.clock = Clock::fixed(at(MORNING).checked_add(SignedDuration::from_mins(minute)).unwrap());
        if minute == 0 {
            queue(&house, &[letter("a", "a@example.cn", house.now())]).await;
        }
        if round(&house, &mut outlets).await.refused_login {
            tries.push(minute);
        }
    }
    assert_eq!(tries.len(), 5, "{tries:?}");
    let gaps: Vec<i64> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps[0] == 2 && gaps[1] == 2 && (16..=20).contains(&gaps[2]) && (30..=38).contains(&gaps[3]), "{gaps:?}");
    let (mut house, mut outlets) = house(folder.path(), port, "").await;
    house.clock = Clock::fixed(at(MORNING).checked_add(SignedDuration::from_mins(100)).unwrap());
    written(folder.path(), "2024-08-15T02:39:30Z");
    assert!(round(&house, &mut outlets).await.refused_login, "the sixth refusal: the new secret was tried");
    written(folder.path(), "2024-08-15T03:00:00Z");
    later(&house, 40);
    assert_eq!(round(&house, &mut outlets).await.sent, 1);
    assert_eq!(server.count(), 1);
    assert_eq!(house.store.sending_state(&outlets.receipts.name).await.unwrap().refusals, 0);
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
