//! Memory is bounded by construction: neither the size of a mail nor the number of mails moves the daemon's peak beyond its bound.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::{
    fs,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use support::{Annexd, MailSystem, accounts::DEPARTMENT, process::peak_kib, record};

/// Peak resident memory of the daemon, in KiB.
const DAEMON_MAX_KIB: u64 = 128 * 1024;
/// The largest mail that NetEase takes, in bytes.
const LARGEST_BYTES: usize = 71_680_000;
const WAIT: Duration = Duration::from_secs(120);

/// A mail of so many bytes with one attachment, unlike any other.
fn large(number: usize, bytes: usize) -> Vec<u8> {
    let head = format!(
        "From: gxj-changchun@example.cn\r\nTo: {DEPARTMENT}\r\nSubject: large {number}\r\nMessage-ID: <large-{number}@example.cn>\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n见附件。\r\n\
         --b\r\nContent-Type: application/octet-stream; name=\"scan.pdf\"\r\nContent-Disposition: attachment; filename=\"scan.pdf\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n"
    );
    let tail = b"--b--\r\n";
    let (line_bytes, line) = (78, 57);
    let mut content = vec![0; (bytes - head.len() - tail.len()) / line_bytes * line];
    fastrand::Rng::with_seed(number as u64).fill(&mut content);
    content[..9].copy_from_slice(b"%PDF-1.7\n");
    let mut raw = head.into_bytes();
    for piece in content.chunks(line) {
        raw.extend_from_slice(STANDARD.encode(piece).as_bytes());
        raw.extend_from_slice(b"\r\n");
    }
    raw.extend_from_slice(tail);
    raw
}

#[test]
fn a_mail_of_the_largest_size_passes_the_daemon_in_pieces() {
    let mail = MailSystem::start();
    for number in 0..2 {
        mail.append(DEPARTMENT, "INBOX", &large(number, LARGEST_BYTES));
    }
    let annexd = Annexd::beside(&mail);
    let daemon = annexd.daemon();
    let (mut readers_kib, end) = (0, Instant::now() + WAIT);
    loop {
        readers_kib = support::process::children(daemon.child.id()).into_iter().filter_map(peak_kib).fold(readers_kib, u64::max);
        let messages = annexd.export("messages");
        if messages.len() == 2 && messages.iter().all(|message| message["state"] == "recorded") {
            break;
        }
        let log = fs::read_to_string(annexd.folder().join("run.log")).unwrap();
        assert!(Instant::now() < end, "{messages:?}\n{log}");
        std::thread::sleep(Duration::from_millis(100));
    }
    let daemon_kib = peak_kib(daemon.child.id()).unwrap();
    let how = format!("`faults_memory.rs`: 2 mails of {LARGEST_BYTES} bytes; the reading process {} MiB", readers_kib / 1024);
    record::note("peak memory of the daemon with the largest mails", format!("{} MiB", daemon_kib / 1024), &how);
    assert!(daemon_kib < DAEMON_MAX_KIB, "{daemon_kib} KiB");
    let incoming = fs::read_dir(annexd.folder().join("data/raw/tmp")).unwrap();
    assert_eq!(incoming.count(), 0, "nothing is left beside");
}

#[test]
fn the_number_of_mails_does_not_move_the_daemons_peak() {
    let mails = if support::long() { 50_000 } else { 1_000 };
    let mail = MailSystem::start();
    let mut session = mail.imap(DEPARTMENT).unwrap();
    for number in 0..mails {
        let sender = format!("gxj-{}@bureau-{}.example.cn", number % 700, number % 90);
        let raw = format!(
            "From: {sender}\r\nTo: {DEPARTMENT}\r\nSubject: small {number}\r\nMessage-ID: <small-{number}@example.cn>\r\n\r\nhow?\r\n"
        );
        session.append("INBOX", "", raw.as_bytes()).unwrap();
    }
    let annexd = Annexd::beside(&mail);
    let daemon = annexd.daemon();
    let (begun, wait) = (Instant::now(), WAIT * if support::long() { 30 } else { 1 });
    // The export of 50 000 messages is asked for as seldom as they allow.
    let recorded = || annexd.export("messages").iter().filter(|message| message["state"] == "recorded").count();
    while recorded() < mails {
        assert!(begun.elapsed() < wait, "{} of {mails}", recorded());
        std::thread::sleep(Duration::from_secs(if support::long() { 20 } else { 1 }));
    }
    let daemon_kib = peak_kib(daemon.child.id()).unwrap();
    let how = format!(
        "`faults_memory.rs`: {mails} small mails taken in and recorded in {} s (a build without optimisation)",
        begun.elapsed().as_secs()
    );
    record::note("peak memory of the daemon with many mails", format!("{} MiB", daemon_kib / 1024), &how);
    assert!(daemon_kib < DAEMON_MAX_KIB, "{daemon_kib} KiB");
}
