//! What each fuzz target does with its bytes: drive a door at which foreign bytes enter, and hold the laws of what comes in.
//! The same functions serve cargo-fuzz (`fuzz_targets/`) and the mutation test that every build runs (`tests/hostile_mutations.rs`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::OnceLock,
    time::Duration,
};

use annexd::{
    config::Installation,
    domain::{
        forms::{self, ReadProblem, catalogue, catalogue::Catalogue},
        letters::reply::{Reply, Stage, react},
        limits::Limits,
        links,
        message::{self, Mailbox, Message, Part},
        orders,
        parts::{self, FileStatus, FileType},
        routing::Divisions,
        rules::RuleSettings,
        submitters::Submitters,
    },
    edge::{
        mailbox::imap::{ImapSettings, Security, Session},
        smtp::{Outgoing, Outlet, SmtpSecurity, SmtpSettings},
    },
};

/// Every target by name.
pub const TARGETS: [(&str, fn(&[u8])); 17] = [
    ("message", message_bytes),
    ("names", names),
    ("containers", containers),
    ("docx", docx),
    ("doc", doc),
    ("xlsx", xlsx),
    ("xls", xls),
    ("ods", ods),
    ("csv", csv),
    ("html", html),
    ("spreadsheetml", spreadsheetml),
    ("pdf", pdf),
    ("ofd", ofd),
    ("imap_responses", imap_responses),
    ("smtp_replies", smtp_replies),
    ("division_commands", division_commands),
    ("configuration", configuration),
];

/// A whole mail.
pub fn message_bytes(bytes: &[u8]) {
    let limits = Limits::default();
    let Ok(message) = message::parse(bytes, &limits) else { return };
    assert!(message.files.len() <= limits.files_max, "{} files", message.files.len());
    assert!(message.text.chars().count() <= limits.text_max_chars, "a text of {} characters", message.text.chars().count());
    assert!(!message.subject.contains(['\r', '\n']), "a subject of several lines");
    let held: usize = message.files.iter().map(|part| part.bytes.len()).sum();
    assert!(held <= bytes.len() * 4 + 1024, "{held} bytes of files out of a mail of {}", bytes.len());
    let found = links::find_links(&message.text, message.html.as_deref());
    assert!(found.len() <= bytes.len(), "{} links", found.len());
}

/// The name of an attachment, raw as it stands in the headers, and a name inside an archive.
pub fn names(bytes: &[u8]) {
    let mut mail = b"From: a@example.cn\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/octet-stream; ".to_vec();
    mail.extend_from_slice(bytes);
    mail.extend_from_slice(b"\r\nContent-Disposition: attachment; ");
    mail.extend_from_slice(bytes);
    mail.extend_from_slice(b"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n");
    let Ok(message) = message::parse(&mail, &Limits::default()) else { return };
    for file in parts::unpack(message, &Limits::default()).files {
        let control = file.path.chars().any(|c| c.is_control() || ('\u{202A}'..='\u{202E}').contains(&c));
        assert!(!control, "a name with control characters: {:?}", file.path);
        assert!(!file.path.split('/').any(|piece| piece == ".." || piece.is_empty()), "a name that climbs: {:?}", file.path);
    }
}

/// An attachment of any kind: archives, inner mails, TNEF.
pub fn containers(bytes: &[u8]) {
    let limits = Limits { container_output_max_bytes: 32 << 20, container_file_max_bytes: 16 << 20, ..Limits::default() };
    let part = Part { name: "a.bin".to_owned(), declared_type: String::new(), bytes: bytes.to_vec(), is_message: false };
    let unpacked = parts::unpack(Message { files: vec![part], ..Message::default() }, &limits);
    assert!(unpacked.files.len() <= limits.files_max, "{} files", unpacked.files.len());
    let held: usize = unpacked.files.iter().map(|file| file.bytes.len()).sum();
    assert!(held <= limits.container_output_max_bytes + 4 * bytes.len(), "{held} bytes");
    for file in &unpacked.files {
        let told = file.problem.as_deref().is_some_and(|problem| problem.contains('请') && problem.ends_with('。'));
        assert!(told || matches!(file.status, FileStatus::Kept | FileStatus::Container), "{}: {:?}", file.path, file.problem);
    }
}

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(Catalogue::shipped)
}

fn read(file_type: FileType, bytes: &[u8]) {
    let limits = Limits::default();
    match forms::read_file(file_type, bytes, catalogue(), &limits) {
        Ok(reading) => {
            // XML is of many kinds, of which some are read.
            assert!(reading.is_some() || file_type == FileType::Xml, "a reader for this type");
            let reading = reading.unwrap_or_default();
            assert!(reading.text.chars().count() <= limits.text_max_chars, "a text of {} characters", reading.text.chars().count());
            assert!(reading.records.len() <= limits.cells_max, "{} records", reading.records.len());
            for value in reading.records.iter().flat_map(|record| record.values.values()) {
                // Rows of one topic are joined, each within the limit.
                assert!(value.text.chars().count() <= limits.document_max_chars, "a value of {} characters", value.text.chars().count());
            }
        }
        Err(ReadProblem::Refused(limit)) => assert!(!limit.is_ascii(), "a refusal without a reason"),
        Err(ReadProblem::Encrypted | ReadProblem::Damaged(_)) => {}
    }
}

pub fn docx(bytes: &[u8]) {
    read(FileType::Docx, bytes);
}

/// .doc and .wps.
pub fn doc(bytes: &[u8]) {
    read(FileType::Doc, bytes);
}

pub fn xlsx(bytes: &[u8]) {
    read(FileType::Xlsx, bytes);
}

/// .xls and .et.
pub fn xls(bytes: &[u8]) {
    read(FileType::Xls, bytes);
}

pub fn ods(bytes: &[u8]) {
    read(FileType::Ods, bytes);
}

pub fn csv(bytes: &[u8]) {
    read(FileType::Csv, bytes);
}

/// Web pages and MHTML named .xls.
pub fn html(bytes: &[u8]) {
    read(FileType::Html, bytes);
}

pub fn spreadsheetml(bytes: &[u8]) {
    read(FileType::Xml, bytes);
}

pub fn pdf(bytes: &[u8]) {
    read(FileType::Pdf, bytes);
}

pub fn ofd(bytes: &[u8]) {
    read(FileType::Ofd, bytes);
}

/// A runtime of one thread.
fn wait_for<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A server on loopback that says `bytes` at once, whatever it hears, and hangs up when it has heard the end.
fn server_that_says(bytes: &[u8]) -> (u16, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let said = bytes.to_vec();
    let server = std::thread::spawn(move || {
        let Ok((mut peer, _)) = listener.accept() else { return };
        let _ = peer.write_all(&said);
        let _ = peer.shutdown(std::net::Shutdown::Write);
        let _ = peer.set_read_timeout(Some(Duration::from_secs(5)));
        let _ = peer.read_to_end(&mut Vec::new());
    });
    (port, server)
}

/// What an IMAP server says from its greeting to a fetched mail, through the filter and the session.
pub fn imap_responses(bytes: &[u8]) {
    let (port, server) = server_that_says(bytes);
    let settings = ImapSettings {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::Plain,
        username: "a@example.cn".to_owned(),
        ca_file: None,
        id: vec![("name".to_owned(), "annexd".to_owned())],
        read_timeout: Duration::from_secs(5),
        spool: None,
    };
    wait_for(async {
        let Ok(mut session) = Session::open(&settings, &"secret".to_owned().into()).await else { return };
        let Ok(_) = session.examine("INBOX").await else { return };
        let Ok(found) = session.search(1).await else { return };
        assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "numbers out of order");
        let Ok(()) = session.start_fetch(&[1, 2]).await else { return };
        for _ in 0..bytes.len() {
            match session.next_fetched(|| {}).await {
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return,
            }
        }
        panic!("more mails than bytes");
    });
    server.join().unwrap();
}

/// What an SMTP server says while a letter is handed over, and what its words are taken to mean.
pub fn smtp_replies(bytes: &[u8]) {
    let reply = Reply::read(bytes);
    assert!(!reply.text.contains(['\r', '\n']), "an answer of several lines");
    for stage in [Stage::Connect, Stage::Login, Stage::Sender, Stage::Recipient, Stage::Text, Stage::AfterDot] {
        let _ = react(&reply, stage);
    }
    let (port, server) = server_that_says(bytes);
    let settings = SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port,
        security: SmtpSecurity::Plain,
        username: None,
        ca_file: None,
        timeout: Duration::from_secs(5),
    };
    let letter = Outgoing {
        message_id: "<a@example.cn>".to_owned(),
        from: Mailbox { name: String::new(), address: "a@example.cn".to_owned() },
        to: "b@example.cn".to_owned(),
        subject: "回执".to_owned(),
        in_reply_to: None,
        references: Vec::new(),
        date: "2024-08-15T00:00:00Z".parse().unwrap(),
        text: "已收到。".to_owned(),
        html: None,
        enclosures: Vec::new(),
        auto_submitted: "auto-replied".to_owned(),
    };
    wait_for(async {
        let mut outlet = Outlet::smtp(settings, None);
        let _ = outlet.send(&letter).await;
    });
    server.join().unwrap();
}

/// What a division writes back.
pub fn division_commands(bytes: &[u8]) {
    static DIVISIONS: OnceLock<Divisions> = OnceLock::new();
    let text = String::from_utf8_lossy(bytes);
    for line in orders::find_in(&text, DIVISIONS.get_or_init(Divisions::shipped)) {
        assert!(!line.text.contains('\n'), "an order of several lines");
    }
}

/// An administrator's TOML: the configuration, a form, divisions, submitters, rules.
pub fn configuration(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for mistakes in
        [catalogue::parse(&text).err(), Divisions::parse(&text).err(), Submitters::parse(&text).err(), RuleSettings::parse(&text).err()]
    {
        assert!(mistakes.is_none_or(|mistakes| !mistakes.is_empty()), "refused without a word");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("annexd.toml");
    std::fs::write(&file, bytes).unwrap();
    if let Err(mistakes) = Installation::load(Some(&file), &[]) {
        assert!(!mistakes.is_empty(), "refused without a word");
    }
}
