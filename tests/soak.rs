//! `annexd run` left alone beside real servers with a mail every few seconds: memory flat, no connection leaks, every mail answered,
//! and soon. 45 seconds by default, ten minutes with `ANNEXD_TEST_LONG=1`; the figures are printed.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use crate::support::{Annexd, MailSystem, accounts::DEPARTMENT, month};

const SUBMITTER: &str = "gxj-baicheng";
/// Pause between two mails.
const PAUSE: Duration = Duration::from_secs(2);
/// Mails before memory is first looked at: caches and buffers are filled then.
const WARM_MAILS: usize = 8;
/// Growth of resident memory that is no leak: allocator, SQLite's page cache.
const GROWTH_MAX_KIB: u64 = 24 * 1024;
/// Open files beyond those at the first look: a mail in hand.
const FILES_MORE_MAX: usize = 6;
/// No target: on a quiet machine an answer takes well below 5 s. Beyond this, IDLE does not work.
const ANSWER_MAX: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy)]
struct Look {
    resident_kib: u64,
    files: usize,
}

fn look(process: u32) -> Look {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let resident_kib = resident.trim().trim_end_matches(" kB").trim().parse().unwrap();
    Look { resident_kib, files: fs::read_dir(format!("/proc/{process}/fd")).unwrap().count() }
}

/// The sample with a Message-ID and a subject of its own, so that it is another mail.
fn another(raw: &str, number: usize) -> Vec<u8> {
    let head = raw.find("\r\n\r\n").or_else(|| raw.find("\n\n")).unwrap();
    let id = regex::Regex::new(r"(?mi)^Message-ID:.*$").unwrap();
    let headers = id.replace(&raw[..head], format!("Message-ID: <soak-{number}@example.cn>"));
    format!("{headers}{}", &raw[head..]).into_bytes()
}

#[test]
fn a_daemon_left_alone_stays_small_and_answers_soon() {
    let long = std::env::var("ANNEXD_TEST_LONG").is_ok_and(|value| value == "1");
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    annexd.open_caps();
    // An ordinary address is answered a few times an hour; this one writes a mail every two seconds.
    let mut daemon = annexd.daemon();
    let raw = fs::read_to_string(month::fixtures().join("18-baicheng-csv.eml")).unwrap();
    let end = Instant::now() + Duration::from_secs(if long { 600 } else { 45 });
    let (mut waits, mut looks) = (Vec::new(), Vec::new());
    let mut sent = 0;
    while Instant::now() < end || sent < WARM_MAILS + 4 {
        mail.send(SUBMITTER, DEPARTMENT, &another(&raw, sent));
        sent += 1;
        let at = Instant::now();
        mail.wait_for(SUBMITTER, sent, Duration::from_secs(120));
        waits.push(at.elapsed());
        if sent >= WARM_MAILS {
            looks.push(look(daemon.child.id()));
        }
        std::thread::sleep(PAUSE);
    }
    assert!(Command::new("kill").args(["-TERM", &daemon.child.id().to_string()]).status().unwrap().success());
    assert_eq!(daemon.child.wait().unwrap().code(), Some(0));
    waits.sort();
    let (median, worst) = (waits[waits.len() / 2], waits[waits.len() - 1]);
    let (first, last) = (looks[0], looks[looks.len() - 1]);
    let most = looks.iter().map(|look| look.resident_kib).max().unwrap();
    let most_files = looks.iter().map(|look| look.files).max().unwrap();
    println!(
        "{sent} mails; answered after {} ms (median), {} ms (worst); memory {} -> {} KiB (most {most}); open files {} -> {} (most {most_files})",
        median.as_millis(),
        worst.as_millis(),
        first.resident_kib,
        last.resident_kib,
        first.files,
        last.files
    );
    assert!(median < ANSWER_MAX, "answers take {median:?}");
    assert!(last.resident_kib < first.resident_kib + GROWTH_MAX_KIB, "memory grew from {first:?} to {last:?}");
    assert!(last.files <= first.files + FILES_MORE_MAX, "files grew from {first:?} to {last:?}");
    let messages = annexd.export("messages");
    assert_eq!(messages.len(), sent);
    assert!(messages.iter().all(|message| message["state"] == "recorded"), "{messages:?}");
}
