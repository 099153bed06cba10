//! A letter whose answer was lost after the last dot is looked for in 已发送 of the scripted NetEase mailbox, by its Message-ID.

use std::path::Path;

use crate::support::{
    FakeSmtp, Netease,
    accounts::DEPARTMENT,
    smtp_fake::{Act, Verb},
};
use annexd::{
    config::{Installation, MailboxConfig},
    daemon,
    edge::clock::Clock,
    pipeline::{
        House, examine,
        send::{Outlets, send_due},
        stop::Stopped,
        watch,
    },
};
use jiff::{SignedDuration, Timestamp};

const CODE: &str = "ABCDEFGHIJKLMNOP";

async fn house(folder: &Path, mailbox: &Netease, smtp: &FakeSmtp) -> (House, Outlets) {
    std::fs::write(folder.join("secret"), CODE).unwrap();
    let secret = folder.join("secret");
    let account = |port: u16| {
        format!(
            "host='127.0.0.1'\nport={port}\nsecurity='plain'\nusername='{DEPARTMENT}'\npassword_file='{}'\nprovider='netease'\ntimeout_secs=5\n",
            secret.display()
        )
    };
    let text = format!(
        "data_dir='{}'\n[mailbox]\n{}[smtp]\n{}from='厅 <{DEPARTMENT}>'\n[alerts]\ndisk_free_min_mib=0\n",
        folder.join("data").display(),
        account(mailbox.port),
        account(smtp.port)
    );
    std::fs::write(folder.join("annexd.toml"), text).unwrap();
    let mut house = daemon::build(Installation::load(Some(&folder.join("annexd.toml")), &[]).unwrap()).await.unwrap();
    house.clock = Clock::fixed("2024-08-15T01:00:00Z".parse::<Timestamp>().unwrap());
    let outlets = daemon::outlets(&house);
    (house, outlets)
}

/// Takes the mailbox in and examines everything.
async fn take_in(house: &House) {
    let MailboxConfig::Imap(config) = &house.config.mailbox else { return };
    let mut session = watch::open(config, None).await.unwrap();
    watch::take_in_imap(house, config, &mut session, &watch::Memory::default(), true).await.unwrap();
    session.logout().await;
    for waiting in house.store.claim_waiting(0, house.now(), 100).await.unwrap() {
        examine::examine(house, &waiting).await.unwrap();
    }
}

async fn play(filed: bool) -> (String, usize) {
    let folder = tempfile::tempdir().unwrap();
    let mailbox = Netease::start(DEPARTMENT, CODE);
    let smtp = FakeSmtp::start(DEPARTMENT, CODE, None);
    if filed {
        smtp.on_taken(mailbox.sent_folder());
    }
    let mail = format!("From: gxj@bureau.example\r\nTo: {DEPARTMENT}\r\nSubject: ask\r\nMessage-ID: <1@bureau.example>\r\n\r\nhow?\r\n");
    mailbox.put("INBOX", 1_400_000_001, mail.as_bytes());
    let (house, mut outlets) = house(folder.path(), &mailbox, &smtp).await;
    take_in(&house).await;
    smtp.next(Verb::Content, Act::TakeAndClose);
    for _ in 0..4 {
        send_due(&house, &mut outlets, &Stopped::never()).await.unwrap();
        house.clock.set(house.now().checked_add(SignedDuration::from_mins(10)).unwrap());
    }
    assert_eq!(mailbox.offences(), [""; 0]);
    let letter = house.store.letter_list(true, 10).await.unwrap().pop().unwrap();
    (letter.state, smtp.taken().len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_found_in_the_sent_folder_is_sent_and_never_repeated() {
    assert_eq!(play(true).await, ("sent".to_owned(), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_not_found_there_is_repeated_once() {
    assert_eq!(play(false).await, ("sent".to_owned(), 2));
}
