//! A mail whose examination ends the whole process is found out and set aside; the mails that were in hand with it, or that wait
//! behind it, are neither blamed nor held up. What the machine lacks is no mail's fault either.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::support::{Annexd, MailSystem, accounts::DEPARTMENT};
use annexd::{
    commands::work,
    config::Installation,
    daemon,
    edge::{
        clock::Clock,
        reader::{ReaderSettings, Readers},
        store::Store,
    },
    pipeline::{House, stop::Stopped},
};
use jiff::SignedDuration;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const WAIT: Duration = Duration::from_secs(60);
const MAILS: usize = 8;
const POISON: usize = 3;

fn question(number: usize) -> Vec<u8> {
    format!(
        "From: gxj-siping@example.cn\r\nTo: {DEPARTMENT}\r\nSubject: question {number}\r\nMessage-ID: <suspect-{number}@example.cn>\r\n\r\nhow?\r\n"
    )
    .into_bytes()
}

fn sha256(raw: &[u8]) -> String {
    Sha256::digest(raw).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn house(annexd: &Annexd) -> House {
    daemon::build(Installation::load(Some(&annexd.configuration), &[]).unwrap()).await.unwrap()
}

fn message<'m>(messages: &'m [Value], sha256: &str) -> &'m Value {
    messages.iter().find(|message| message["sha256"] == sha256).unwrap()
}

/// A process that takes what waits in hand, once that has rested, and dies at once; what it had, by hash.
async fn dies_with_what_waits(annexd: &Annexd, clock: &Clock) -> Vec<String> {
    let store = Store::open("sqlite:annexd.db", None, &annexd.folder().join("data")).await.unwrap();
    store.bury_the_dead().await.unwrap();
    store.be_present().await.unwrap();
    let mut in_hand = store.claim_waiting(0, clock.now(), 50).await.unwrap();
    if in_hand.is_empty() {
        clock.set(clock.now().checked_add(SignedDuration::from_hours(1)).unwrap());
        in_hand = store.claim_waiting(0, clock.now(), 50).await.unwrap();
    }
    in_hand.into_iter().map(|waiting| waiting.sha256).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_ends_every_process_is_parked_and_no_other_is_blamed_or_held_up() {
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    annexd.open_caps();
    for number in 0..MAILS {
        mail.append(DEPARTMENT, "INBOX", &question(number));
    }
    let poison = sha256(&question(POISON));

    // The real daemon, started again each time it has died, as systemd does it.
    let begun = Instant::now();
    let mut deaths = 0;
    while annexd.export("messages").iter().filter(|message| message["state"] == "recorded").count() < MAILS - 1 {
        let mut daemon = annexd.command(&["run"]).env("ANNEXD_CRASH_AT", format!("examine.begun {poison}")).spawn().unwrap();
        while annexd.export("messages").iter().filter(|message| message["state"] == "recorded").count() < MAILS - 1 {
            if let Some(ended) = daemon.try_wait().unwrap() {
                assert!(!ended.success());
                deaths += 1;
                break;
            }
            assert!(begun.elapsed() < WAIT, "{deaths} deaths, and not all the others are recorded: {:?}", annexd.export("messages"));
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = daemon.kill();
        let _ = daemon.wait();
    }
    let messages = annexd.export("messages");
    assert!(messages.iter().filter(|message| message["sha256"] != poison.as_str()).all(|message| message["attempts"] == 1), "{messages:?}");
    assert_eq!(message(&messages, &poison)["state"], "accepted", "it rests");

    // However long it goes on: each time it is alone, and at last it is set aside.
    let mut house = house(&annexd).await;
    house.clock = Clock::fixed(house.now());
    for _ in 0..6 {
        assert_eq!(dies_with_what_waits(&annexd, &house.clock).await, std::slice::from_ref(&poison));
    }
    house.store.bury_the_dead().await.unwrap();
    house.store.claim_waiting(0, house.now(), 1).await.unwrap();
    house.clock.set(house.now().checked_add(SignedDuration::from_hours(1)).unwrap());
    mail.append(DEPARTMENT, "INBOX", &question(MAILS));
    work::one_pass(&house, false, &Stopped::never()).await.unwrap();
    let messages = annexd.export("messages");
    let parked = message(&messages, &poison);
    assert!(parked["state"] == "parked" && parked["problem"].as_str().unwrap().contains("processes ended"), "{parked}");
    assert_eq!(message(&messages, &sha256(&question(MAILS)))["state"], "recorded");

    // After an upgrade a person has it tried again.
    let id = annexd.say(&["parked", "list"]).split_whitespace().next().unwrap().to_owned();
    annexd.say(&["parked", "retry", &id]);
    let messages = annexd.export("messages");
    assert!(messages.len() == MAILS + 1 && messages.iter().all(|message| message["state"] == "recorded"), "{messages:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_with_many_mails_in_hand_blames_each_only_where_it_was_alone() {
    let annexd = Annexd::local(
        "[mailbox]\nkind = \"maildir\"\npath = \"in\"\n\n[smtp]\nkind = \"maildir\"\npath = \"out\"\nfrom = \"科技处 <jlsgxtkjc@163.com>\"\n",
    );
    for number in 0..MAILS {
        std::fs::write(annexd.folder().join(format!("in/new/{number}")), question(number)).unwrap();
    }
    let crashed = annexd.command(&["poll"]).env("ANNEXD_CRASH_AT", "examine.begun").output().unwrap();
    assert!(!crashed.status.success());
    let clock = Clock::system();
    // The one that died above had all of them; from now on the first is in hand alone, and only it pays for it with a rest.
    let first = dies_with_what_waits(&annexd, &clock).await;
    assert_eq!(first.len(), 1);
    assert_eq!(dies_with_what_waits(&annexd, &clock).await, first);
    let second = dies_with_what_waits(&annexd, &clock).await;
    assert!(second.len() == 1 && second != first, "the first rests, the others go on one by one");
    let third = dies_with_what_waits(&annexd, &clock).await;
    assert_eq!(third, second);
    assert_eq!(annexd.say(&["parked", "list"]), "No message is parked.\n");

    // An end in good order is nobody's death.
    let store = Store::open("sqlite:annexd.db", None, &annexd.folder().join("data")).await.unwrap();
    store.bury_the_dead().await.unwrap();
    store.be_present().await.unwrap();
    let in_hand = store.claim_waiting(0, clock.now(), 50).await.unwrap();
    store.leave().await.unwrap();
    let again = Store::open("sqlite:annexd.db", None, &annexd.folder().join("data")).await.unwrap();
    let next = again.claim_waiting(0, clock.now(), 50).await.unwrap();
    assert_eq!(
        next.iter().map(|one| (one.id, one.deaths)).collect::<Vec<_>>(),
        in_hand.iter().map(|one| (one.id, one.deaths)).collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_cannot_start_a_reader_blames_no_mail() {
    let annexd = Annexd::local(
        "[mailbox]\nkind = \"maildir\"\npath = \"in\"\n\n[smtp]\nkind = \"maildir\"\npath = \"out\"\nfrom = \"科技处 <jlsgxtkjc@163.com>\"\n",
    );
    std::fs::write(annexd.folder().join("in/new/1"), question(1)).unwrap();
    let mut house = house(&annexd).await;
    let readers = |program: &Path| {
        let settings = ReaderSettings { program: program.to_owned(), processes: 1, timeout: WAIT, memory_max_bytes: 1 << 30, ocr: None };
        Readers::children(settings, &house.knowledge).unwrap()
    };
    let (missing, there) = (readers(Path::new("/nonexistent/annexd")), readers(Path::new(env!("CARGO_BIN_EXE_annexd"))));
    house.readers = missing;
    for _ in 0..5 {
        assert!(work::one_pass(&house, false, &Stopped::never()).await.is_err());
    }
    let waits = annexd.export("messages");
    assert_eq!((waits.len(), &waits[0]["state"], &waits[0]["attempts"]), (1, &Value::from("accepted"), &Value::from(0)));
    house.readers = there;
    work::one_pass(&house, false, &Stopped::never()).await.unwrap();
    let recorded = annexd.export("messages");
    assert_eq!((&recorded[0]["state"], &recorded[0]["attempts"]), (&Value::from("recorded"), &Value::from(1)));
}
