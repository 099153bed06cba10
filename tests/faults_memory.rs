//! Memory is bounded by construction: neither the size of a mail nor the number of mails moves the daemon's peak beyond its bound.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use crate::support::{
    Annexd, MailSystem,
    accounts::DEPARTMENT,
    office::{Fields, Mail, form, letter, table},
    process::peak_kib,
    record,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Peak resident memory of the daemon, in KiB.
const DAEMON_MAX_KIB: u64 = 128 * 1024;
/// The largest mail that NetEase takes, in bytes.
const LARGEST_BYTES: usize = 71_680_000;
const WAIT: Duration = Duration::from_secs(120);

/// A submission that is blown up to so many bytes by a scanned file, unlike any other.
fn large(number: usize, bytes: usize) -> Vec<u8> {
    let fields = [
        ("topic_title", format!("高速动车组轴箱轴承状态监测（{number}期）")),
        ("applicant", "长春轨道轴承有限公司".to_owned()),
        ("industry", "轨道交通装备".to_owned()),
        ("problem", format!("第{number}期：轴箱轴承长期依赖进口监测装置，国内同类装置误报率高达5%，无法提前识别早期剥离故障。")),
    ];
    let topic: Fields = fields.map(|(key, text)| (key.to_owned(), text)).into();
    let files = vec![form(&topic), table("长春市工业和信息化局", std::slice::from_ref(&topic)), letter("长春市工信局")];
    let (from, name, id) = ("gxj-changchun@example.cn", "长春市工信局", format!("large-{number}"));
    let small =
        Mail { from, name, subject: "【加急】长春市工信局报送专项课题", text: "请查收。", id: &id, files, to: None }.bytes();
    let end = b"--=_b--\r\n";
    let mut raw = small.strip_suffix(end).unwrap().to_vec();
    raw.extend_from_slice(
        b"--=_b\r\nContent-Type: application/octet-stream; name=\"scan.pdf\"\r\nContent-Disposition: attachment; filename=\"scan.pdf\"\r\n\
          Content-Transfer-Encoding: base64\r\n\r\n",
    );
    let (line_bytes, line) = (78, 57);
    let mut content = vec![0; (bytes - raw.len() - end.len()) / line_bytes * line];
    fastrand::Rng::with_seed(number as u64).fill(&mut content);
    content[..9].copy_from_slice(b"%PDF-1.7\n");
    for piece in content.chunks(line) {
        raw.extend_from_slice(STANDARD.encode(piece).as_bytes());
        raw.extend_from_slice(b"\r\n");
    }
    raw.extend_from_slice(end);
    raw
}

#[test]
fn a_mail_of_the_largest_size_passes_the_daemon_in_pieces() {
    let mail = MailSystem::start();
    for number in 0..2 {
        mail.append(DEPARTMENT, "INBOX", &large(number, LARGEST_BYTES));
    }
    let annexd = Annexd::beside(&mail);
    // Each division has a mailbox, so that its letter carries the annexes.
    let shipped = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/divisions.toml")).unwrap();
    fs::write(annexd.folder().join("divisions.toml"), shipped.replace("mail = []", "mail = [\"equip@division.example.cn\"]")).unwrap();
    let daemon = annexd.daemon();
    let (mut readers_kib, end) = (0, Instant::now() + WAIT);
    loop {
        readers_kib = crate::support::process::children(daemon.child.id()).into_iter().filter_map(peak_kib).fold(readers_kib, u64::max);
        let messages = annexd.export("messages");
        let is_told = |letter: &serde_json::Value| letter["kind"] == "queue" && letter["state"] == "sent";
        let recorded = messages.len() == 2 && messages.iter().all(|message| message["state"] == "recorded");
        // The division gets the annexes of these mails with its letter.
        if recorded && annexd.export("letters").iter().any(is_told) {
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
    let mails = if crate::support::long() { 50_000 } else { 1_000 };
    let mail = MailSystem::start();
    mail.fill(
        DEPARTMENT,
        (0..mails).map(|number| {
            let sender = format!("gxj-{}@bureau-{}.example.cn", number % 700, number % 90);
            format!(
                "From: {sender}\r\nTo: {DEPARTMENT}\r\nSubject: small {number}\r\nMessage-ID: <small-{number}@example.cn>\r\n\r\nhow?\r\n"
            )
            .into_bytes()
        }),
    );
    let annexd = Annexd::beside(&mail);
    let daemon = annexd.daemon();
    let (begun, wait) = (Instant::now(), WAIT * if crate::support::long() { 30 } else { 1 });
    // The export of 50 000 messages is asked for seldom.
    let pause = Duration::from_secs(if crate::support::long() { 20 } else { 1 });
    loop {
        let recorded = annexd.export("messages").iter().filter(|message| message["state"] == "recorded").count();
        println!("{recorded} recorded after {} s, peak {} MiB", begun.elapsed().as_secs(), peak_kib(daemon.child.id()).unwrap() / 1024);
        if recorded == mails {
            break;
        }
        assert!(begun.elapsed() < wait, "{recorded} of {mails}");
        std::thread::sleep(pause);
    }
    let daemon_kib = peak_kib(daemon.child.id()).unwrap();
    let how = format!(
        "`faults_memory.rs`: a mailbox of {mails} small mails, taken in and recorded in {} s ({})",
        begun.elapsed().as_secs(),
        if std::env::var_os("ANNEXD_TEST_PROGRAM").is_some() {
            "the program named by `ANNEXD_TEST_PROGRAM`"
        } else {
            "a build without optimisation"
        }
    );
    record::note("peak memory of the daemon with many mails", format!("{} MiB", daemon_kib / 1024), &how);
    assert!(daemon_kib < DAEMON_MAX_KIB, "{daemon_kib} KiB");
}
