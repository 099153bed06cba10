//! The scripted NetEase servers behave as the real ones are reported to: each habit once, through the lab's own clients.

use std::time::{Duration, Instant};

use crate::support::{
    FakeSmtp, Netease,
    accounts::DEPARTMENT,
    certificates::Certificates,
    imap_client::ImapClient,
    netease::{JUNK, SENT},
    smtp_client::SmtpClient,
    smtp_fake::{Act, TOKENS, Verb},
};

const CODE: &str = "ABCDEFGHIJKLMNOP";
const MAIL: &[u8] = b"From: a@example.cn\r\nSubject: hi\r\n\r\nbody\r\n";
const ID: &str = "ID (\"name\" \"annexd\" \"version\" \"0.1.0\")";

fn ready(server: &Netease) -> ImapClient {
    let mut client = ImapClient::plain(server.port, DEPARTMENT, CODE).unwrap();
    client.command(ID).unwrap();
    client
}

fn texts(client: &mut ImapClient, command: &str) -> Vec<String> {
    client.command(command).unwrap().into_iter().map(|answer| answer.text).collect()
}

#[test]
fn id_is_demanded_on_every_connection_after_login() {
    let server = Netease::start(DEPARTMENT, CODE);
    let mut first = ready(&server);
    first.command("EXAMINE INBOX").unwrap();
    let mut second = ImapClient::plain(server.port, DEPARTMENT, CODE).unwrap();
    let refused = second.command("EXAMINE INBOX").unwrap_err().to_string();
    assert!(refused.contains("Unsafe Login"), "{refused}");
    assert!(second.command("ID (\"name\")").is_err());
    assert!(second.command("ID (name annexd)").is_err());
    assert_eq!(server.offences().len(), 2, "{:?}", server.offences());
    second.command(ID).unwrap();
    second.command("SELECT \"INBOX\"").unwrap();
    server.quirks(|quirks| quirks.unsafe_anyway = true);
    assert!(second.command("SELECT \"INBOX\"").is_err());
}

#[test]
fn folders_uids_and_searches_are_as_odd_as_reported() {
    let server = Netease::start(DEPARTMENT, CODE);
    server.put("INBOX", 1_400_000_010, MAIL);
    server.put("INBOX", 1_400_000_020, MAIL);
    server.put_ghost("INBOX", 1_400_000_015);
    server.put(JUNK, 7, MAIL);
    let mut client = ready(&server);
    let capabilities = client.capabilities().unwrap();
    assert!(capabilities.contains(&"ID".to_owned()) && !capabilities.contains(&"IDLE".to_owned()), "{capabilities:?}");
    let listed = texts(&mut client, "LIST \"\" \"*\"");
    assert!(listed.iter().any(|line| line.contains(JUNK) && line.contains("\\Junk")), "{listed:?}");
    let opened = texts(&mut client, "EXAMINE \"INBOX\"").join("\n");
    assert!(opened.contains("3 EXISTS") && opened.contains("UIDVALIDITY 1]") && !opened.contains("UIDNEXT"), "{opened}");
    assert_eq!(texts(&mut client, "STATUS \"INBOX\" (UIDNEXT)"), ["STATUS \"INBOX\" ()"]);
    assert_eq!(texts(&mut client, "UID SEARCH UID 1400000099:*"), ["SEARCH 1400000020"]);
    assert_eq!(texts(&mut client, "UID SEARCH SUBJECT hi"), ["SEARCH"]);
    assert!(client.command("UID FETCH 1400000020,1400000010 (UID)").unwrap_err().to_string().contains("inavlid"));
    let fetched = client.command("UID FETCH 1400000010:1400000020 (UID BODY.PEEK[])").unwrap();
    assert_eq!(fetched.len(), 2, "the ghost was delivered: {fetched:?}");
    assert_eq!(fetched[0].literals, [MAIL.to_vec()]);
    assert!(client.command("IDLE").is_err());
    assert_eq!(server.offences().len(), 2, "{:?}", server.offences());

    server.put("INBOX", 1_300_000_000, MAIL);
    server.shift(JUNK, 7, "INBOX", 1_400_000_001);
    server.change("INBOX", 1_400_000_015, |mail| mail.ghost = false);
    assert_eq!(texts(&mut client, "UID SEARCH ALL"), ["SEARCH 1300000000 1400000001 1400000010 1400000015 1400000020"]);
}

#[test]
fn only_bodies_fetched_without_peek_are_marked_seen() {
    let server = Netease::start(DEPARTMENT, CODE);
    server.put("INBOX", 5, MAIL);
    let mut client = ready(&server);
    client.command("SELECT INBOX").unwrap();
    client.command("UID FETCH 5 (UID BODY.PEEK[])").unwrap();
    assert!(server.seen("INBOX").is_empty());
    client.command("EXAMINE INBOX").unwrap();
    client.command("UID FETCH 5 (UID BODY[])").unwrap();
    assert!(server.seen("INBOX").is_empty());
    client.command("SELECT INBOX").unwrap();
    client.command("UID FETCH 5 (UID BODY[])").unwrap();
    assert_eq!(server.seen("INBOX"), [5]);
}

#[test]
fn habits_of_the_day_can_be_switched() {
    let server = Netease::start(DEPARTMENT, CODE);
    server.put("INBOX", 5, MAIL);
    server.put_aged("INBOX", 3, MAIL, 45);
    server.quirks(|quirks| quirks.refuse_logins = 1);
    assert!(ImapClient::plain(server.port, DEPARTMENT, CODE).is_err());
    assert_eq!(server.logins(), (0, 1));
    server.quirks(|quirks| {
        quirks.window_days = Some(30);
        quirks.size_error = 1000;
        quirks.stray_lines = vec!["* X-CM-NOTICE 42 something".to_owned()];
    });
    let mut client = ready(&server);
    client.command("EXAMINE INBOX").unwrap();
    assert!(texts(&mut client, "UID SEARCH ALL").contains(&"SEARCH 5".to_owned()));
    let sizes = texts(&mut client, "UID FETCH 5 (UID RFC822.SIZE INTERNALDATE)").join("\n");
    assert!(sizes.contains(&format!("RFC822.SIZE {}", MAIL.len() + 1000)) && sizes.contains("X-CM-NOTICE"), "{sizes}");
    server.quirks(|quirks| quirks.cut_literals = 1);
    assert!(client.command("UID FETCH 5 (UID BODY.PEEK[])").is_err());
    let mut client = ready(&server);
    client.command("EXAMINE INBOX").unwrap();
    assert!(client.command("UID FETCH 5 (UID BODY.PEEK[])").is_ok());

    server.quirks(|quirks| quirks.idle_close = Duration::from_millis(100));
    let mut client = ready(&server);
    std::thread::sleep(Duration::from_millis(400));
    assert!(client.command("NOOP").is_err());
    assert!(server.heard().iter().all(|heard| !heard.command.contains(CODE)), "the log holds the code");
}

#[test]
fn the_mailbox_speaks_tls_too() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = Certificates::make(folder.path());
    let server = Netease::start_with(DEPARTMENT, CODE, Some(&certificates));
    ImapClient::tls(server.port, &certificates.ca, DEPARTMENT, CODE).unwrap();
}

fn own_mail() -> Vec<u8> {
    format!("From: =?utf-8?B?55yB5bel5L+h5Y6F?= <{DEPARTMENT}>\r\nTo: b@example.cn\r\nSubject: x\r\n\r\n.dot\r\n").into_bytes()
}

#[test]
fn the_smtp_server_takes_only_mail_from_its_login() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = Certificates::make(folder.path());
    let server = FakeSmtp::start(DEPARTMENT, CODE, Some(&certificates));
    let login = || SmtpClient::tls(server.port, &certificates.ca, DEPARTMENT, CODE).unwrap();
    let refused = |from: &str, raw: &[u8]| login().send(from, &["b@example.cn"], raw).unwrap_err().to_string();
    assert!(SmtpClient::tls(server.port, &certificates.ca, DEPARTMENT, "wrong").err().unwrap().to_string().starts_with("535"));
    assert!(refused("other@163.com", &own_mail()).contains("must equal"));
    assert!(refused("", &own_mail()).contains("NULL sender"));
    assert!(refused(DEPARTMENT, b"From: other@163.com\r\n\r\nx\r\n").contains("DT:SUM"));
    assert!(server.taken().is_empty());
    login().send(DEPARTMENT, &["b@example.cn"], &own_mail()).unwrap();
    assert_eq!(server.taken()[0].raw, own_mail());
}

#[test]
fn every_token_can_be_played_where_it_belongs() {
    let server = FakeSmtp::start(DEPARTMENT, CODE, None);
    for (verb, reply) in TOKENS {
        server.next(verb, Act::say(reply));
        let sent = SmtpClient::plain(server.port)
            .and_then(|client| client.auth(DEPARTMENT, CODE))
            .and_then(|mut client| client.send(DEPARTMENT, &["b@example.cn"], &own_mail()));
        assert_eq!(sent.unwrap_err().to_string(), reply);
    }
    assert!(server.taken().is_empty());
}

#[test]
fn closes_quotas_and_chinese_replies_are_played() {
    let server = FakeSmtp::start(DEPARTMENT, CODE, None);
    let mailbox = Netease::start(DEPARTMENT, CODE);
    server.on_taken(mailbox.sent_folder());
    let send = || SmtpClient::plain(server.port)?.auth(DEPARTMENT, CODE)?.send(DEPARTMENT, &["b@example.cn"], &own_mail());

    server.next(Verb::Content, Act::TakeAndClose);
    assert!(send().is_err());
    assert_eq!(server.taken().len(), 1);
    server.next(Verb::Content, Act::Close);
    assert!(send().is_err());
    assert_eq!(server.taken().len(), 1);
    server.next(Verb::Auth, Act::SayAndClose(b"535 Error: authentication failed".to_vec()));
    assert!(send().is_err());
    server.next(Verb::Content, Act::say_gbk("554 DT:SPM 您的邮件可能是垃圾邮件"));
    assert!(send().unwrap_err().to_string().contains("DT:SPM"));

    server.per_day(1);
    send().unwrap();
    assert!(send().unwrap_err().to_string().contains("MI:STC"));
    server.next_day();
    send().unwrap();
    let mut client = ready(&mailbox);
    assert_eq!(client.read(SENT).unwrap().len(), 3);
}

#[test]
fn a_dropped_server_lets_go_of_clients_that_hang() {
    let server = FakeSmtp::start(DEPARTMENT, CODE, None);
    server.next(Verb::Ehlo, Act::Hang);
    let port = server.port;
    let client = std::thread::spawn(move || SmtpClient::plain(port).is_err());
    std::thread::sleep(Duration::from_millis(200));
    let before = Instant::now();
    drop(server);
    assert!(before.elapsed() < Duration::from_secs(5));
    assert!(client.join().unwrap());
}
