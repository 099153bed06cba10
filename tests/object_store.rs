//! Raw mail in an S3-compatible object store: acknowledged only once it is there, found there by every reader, waited for when the
//! store is away; and the way there from the folder.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sha2::{Digest as _, Sha256};

use crate::support::{
    Annexd, MailSystem,
    accounts::DEPARTMENT,
    cutter::{Cutter, Fate, Way},
    laws::{self, check_laws, log, settle},
    s3_server::S3Server,
};

const PREFIX: &str = "jilin/2024";
const KEYS: [(&str, &str); 2] = [("TEST_S3_ACCESS", "key"), ("TEST_S3_SECRET", "never-shown")];

fn add(annexd: &Annexd, section: &str) {
    let text = fs::read_to_string(&annexd.configuration).unwrap();
    fs::write(&annexd.configuration, format!("{text}{section}")).unwrap();
}

/// Files that are kept below `data/raw`.
fn kept(annexd: &Annexd) -> Vec<PathBuf> {
    fn below(folder: &Path) -> Vec<PathBuf> {
        let entries =
            fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_else(|_| Vec::new());
        entries.into_iter().flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
    }
    below(&annexd.folder().join("data/raw"))
}

fn until(what: &str, annexd: &Annexd, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(90);
    while !is_so() {
        assert!(Instant::now() < end, "not {what}:\n{}", log(annexd));
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A question with so much behind it that it is put in parts.
fn large() -> Vec<u8> {
    let line = format!("{}\r\n", "x".repeat(76));
    let body = line.repeat(10 * 1024 * 1024 / line.len());
    format!("From: a <gxj-jilin@example.cn>\r\nTo: {DEPARTMENT}\r\nSubject: large\r\nMessage-ID: <large@example.cn>\r\nDate: Thu, 15 Aug 2024 09:00:00 +0800\r\n\r\n{body}").into_bytes()
}

#[test]
fn every_mail_is_one_object_and_every_reader_finds_it_there() {
    let (mail, server) = both();
    let annexd = laws::beside(&mail).with_variables(&KEYS);
    add(&annexd, &server.section(server.port, PREFIX));
    let batch = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journey/01-changchun-batch.eml")).unwrap();
    let mut mails: Vec<(String, Vec<u8>)> = laws::mails().into_iter().take(3).collect();
    mails.extend([("gxj-changchun@example.cn".to_owned(), batch), ("gxj-jilin@example.cn".to_owned(), large())]);
    for (sender, raw) in &mails {
        mail.send(sender, DEPARTMENT, raw);
    }
    mail.wait_for(DEPARTMENT, mails.len(), Duration::from_secs(60));
    annexd.say(&["poll"]);
    let messages = annexd.export("messages");
    let mut names: Vec<String> = messages.iter().map(|message| format!("{PREFIX}/{}", message["sha256"].as_str().unwrap())).collect();
    names.sort();
    assert_eq!((names.len(), server.keys()), (mails.len(), names.clone()));
    for name in &names {
        assert!(name.ends_with(&hash(&server.object(name))), "{name} holds its own bytes");
    }
    assert_eq!(kept(&annexd), Vec::<PathBuf>::new(), "nothing stays on this machine");
    assert!(!annexd.export("topics").is_empty(), "they were read back to be examined");
    annexd.say(&["replay"]);

    annexd.say(&["poll"]);
    assert_eq!(server.keys(), names, "a second pass puts nothing new");

    let folder = annexd.folder().join("backup");
    annexd.say(&["backup", folder.to_str().unwrap()]);
    for name in &names {
        let sha256 = name.rsplit('/').next().unwrap();
        let copy = fs::read(folder.join("raw").join(&sha256[..2]).join(&sha256[2..4]).join(sha256)).unwrap();
        assert_eq!(hash(&copy), sha256, "a backup is whole without the store");
    }
    let out = annexd.folder().join("one.eml");
    let first = messages[0]["sha256"].as_str().unwrap();
    annexd.say(&["message", "export", first, "--out", out.to_str().unwrap()]);
    assert_eq!(hash(&fs::read(&out).unwrap()), first);
}

#[test]
fn while_the_store_is_away_mail_waits_in_the_mailbox_and_a_cut_upload_is_put_again() {
    let (mail, server) = both();
    let line = Cutter::before(server.port, &mail.certificates);
    let annexd = laws::beside(&mail).with_variables(&KEYS);
    let window = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    add(&annexd, &format!("{}\n[web]\nlisten = \"127.0.0.1:{window}\"\n", server.section(line.port, PREFIX)));
    let mails: Vec<(String, Vec<u8>)> = laws::mails().into_iter().take(4).collect();
    let send = |index: usize| mail.send(&mails[index].0, DEPARTMENT, &mails[index].1);

    // The first connection breaks in the middle of whatever it carries.
    line.next(Fate::AfterBytes(Way::Up, 20_000));
    send(0);
    send(1);
    let daemon = annexd.daemon();
    until("taken in", &annexd, || annexd.export("messages").len() == 2);
    line.swallow(true);
    line.sever();
    send(2);
    send(3);
    until("noticed", &annexd, || {
        let state = annexd.run(&["status", "--json"]);
        String::from_utf8_lossy(&state.stdout).contains("来信原件无法存入对象存储")
    });
    // The letters' loop looks every 20 seconds.
    if crate::support::long() {
        until("told", &annexd, || {
            annexd
                .export("letters")
                .iter()
                .any(|letter| letter["kind"] == "alert" && letter["subject"].as_str().unwrap().contains("来信原件"))
        });
    }
    assert_eq!(annexd.export("messages").len(), 2, "nothing is acknowledged that is not kept");
    line.swallow(false);
    until("taken in late", &annexd, || annexd.export("messages").len() == 4);
    drop(daemon);
    settle(&annexd, mails.len());
    check_laws(&mail, &annexd, mails.len());
    assert_eq!(server.keys().len(), mails.len());
}

#[test]
fn an_installation_moves_its_raw_mail_from_the_folder_to_the_store_without_loss() {
    let (mail, server) = both();
    let annexd = laws::beside(&mail).with_variables(&KEYS);
    for (sender, raw) in laws::mails().iter().take(3) {
        mail.send(sender, DEPARTMENT, raw);
    }
    mail.wait_for(DEPARTMENT, 3, Duration::from_secs(60));
    annexd.say(&["poll"]);
    let before = kept(&annexd);
    assert_eq!(before.len(), 3);
    let refused = annexd.run(&["migrate", "--raw-mail"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("[raw_mail]"), "there is nowhere to move to yet");

    add(&annexd, &server.section(server.port, PREFIX));
    annexd.say(&["replay"]);
    // One damaged file: nothing that is not what it says it is leaves the folder.
    let whole = fs::read(&before[1]).unwrap();
    fs::write(&before[1], b"damaged").unwrap();
    assert!(!annexd.run(&["migrate", "--raw-mail"]).status.success());
    assert!(before[1].exists());
    fs::write(&before[1], whole).unwrap();
    annexd.say(&["migrate", "--raw-mail"]);
    assert_eq!((kept(&annexd).len(), server.keys().len()), (0, 3));
    annexd.say(&["replay"]);
}

#[test]
fn check_puts_gets_and_deletes_an_object_and_no_key_is_shown() {
    let (mail, server) = both();
    let annexd = Annexd::beside(&mail).with_variables(&KEYS);
    add(&annexd, &server.section(server.port, PREFIX));
    let said = annexd.say(&["check", "--connect"]);
    assert!(said.lines().any(|line| line.starts_with("ok") && line.contains("raw_mail") && line.contains("deletes")), "{said}");
    assert_eq!(server.keys(), Vec::<String>::new());

    let text = fs::read_to_string(&annexd.configuration).unwrap();
    fs::write(&annexd.configuration, text.replace("bucket = \"mails\"", "bucket = \"elsewhere\"")).unwrap();
    let output = annexd.run(&["check", "--connect"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("an object cannot be put") && said.contains("NoSuchBucket"), "{said}");
    assert!(!said.contains("never-shown"));

    fs::write(&annexd.configuration, format!("{text}secret_key = \"never-shown\"\n")).unwrap();
    let output = annexd.run(&["check"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(78) && said.contains("raw_mail.secret_key") && said.contains("secret_key_file"), "{said}");
    assert!(!said.contains("never-shown"), "{said}");
}

fn both() -> (MailSystem, S3Server) {
    let mail = MailSystem::start();
    let server = S3Server::start(&mail.certificates);
    (mail, server)
}
