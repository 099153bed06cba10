//! When the machine itself misbehaves: a database that somebody else holds, a full disk, a clock that jumps. The daemon stays up,
//! waits, and goes on where it was.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::support::{
    Annexd, FakeSmtp, MailSystem,
    accounts::{ADMINISTRATORS, DEPARTMENT},
    process,
    smtp_fake::{Act, Verb},
};
use annexd::{
    commands::work,
    config::Installation,
    daemon,
    edge::clock::Clock,
    pipeline::{send::send_due, stop::Stopped},
};
use jiff::SignedDuration;
use serde_json::Value;

const WAIT: Duration = Duration::from_secs(90);

fn question(number: usize, bytes: usize) -> Vec<u8> {
    let filling = "怎样填写？\r\n".repeat(bytes / 17 + 1);
    format!(
        "From: gxj-siping@example.cn\r\nTo: {DEPARTMENT}\r\nSubject: question {number}\r\nMessage-ID: <machine-{number}@example.cn>\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{number}\r\n{filling}"
    )
    .into_bytes()
}

fn log(annexd: &Annexd) -> String {
    fs::read_to_string(annexd.folder().join("run.log")).unwrap_or_default()
}

/// Waits until something is so.
fn until(annexd: &Annexd, what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + WAIT;
    while !is_so() {
        assert!(Instant::now() < end, "{what} did not come\n{}", log(annexd));
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn recorded(annexd: &Annexd) -> usize {
    let messages = annexd.export("messages");
    assert!(messages.iter().all(|message| message["state"] != "parked"), "nobody's mail is to blame: {messages:?}");
    messages.iter().filter(|message| message["state"] == "recorded").count()
}

fn answers(annexd: &Annexd) -> Vec<Value> {
    annexd.export("letters").into_iter().filter(|letter| letter["kind"] == "ack").collect()
}

fn is_whole(annexd: &Annexd) {
    assert!(String::from_utf8_lossy(&annexd.run(&["check", "--connect"]).stdout).contains("integrity ok"));
}

#[test]
fn a_database_that_another_process_holds_is_waited_for() {
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    mail.append(DEPARTMENT, "INBOX", &question(0, 10));
    let mut daemon = annexd.daemon();
    until(&annexd, "the first answer", || answers(&annexd).iter().any(|letter| letter["state"] == "sent"));
    let hold = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\nc.execute('BEGIN IMMEDIATE')\nprint('held', flush=True)\nsys.stdin.read()";
    let mut holder = Command::new("python3")
        .args(["-c", hold, annexd.folder().join("data/annexd.db").to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut held = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut held).unwrap();
    assert_eq!(held, "held\n");
    mail.append(DEPARTMENT, "INBOX", &question(1, 10));
    // Longer than the database is waited for: the loop gives up and is begun again.
    until(&annexd, "a fault", || log(&annexd).contains("database is locked"));
    drop(holder.stdin.take());
    holder.wait().unwrap();
    until(&annexd, "the second answer", || answers(&annexd).iter().filter(|letter| letter["state"] == "sent").count() == 2);
    assert!(daemon.child.try_wait().unwrap().is_none(), "it is the same daemon");
    assert_eq!(recorded(&annexd), 2);
    assert_eq!(mail.inbox("gxj-siping").len(), 2);
    is_whole(&annexd);
}

/// A small disk of its own, mounted at a folder.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path, mib: u32) -> Self {
        fs::create_dir_all(folder).unwrap();
        let size = format!("size={mib}m,mode=0777");
        let mounted = as_root(&["mount", "-t", "tmpfs", "-o", &size, "annexd-lab", folder.to_str().unwrap()]);
        assert!(mounted, "this test mounts a small tmpfs and must be allowed to: run ./test as root, or with sudo");
        Self(folder.to_owned())
    }

    fn free_bytes(&self) -> u64 {
        annexd::edge::disk::free_bytes(&self.0).unwrap()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        as_root(&["umount", "--lazy", self.0.to_str().unwrap()]);
    }
}

fn as_root(command: &[&str]) -> bool {
    let is_root = process::is_root();
    let words: Vec<&str> = if is_root { command.to_vec() } else { [&["sudo", "-n"], command].concat() };
    Command::new(words[0]).args(&words[1..]).status().is_ok_and(|status| status.success())
}

#[test]
fn a_full_disk_costs_no_mail_and_blames_none() {
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    annexd.open_caps();
    let disk = SmallDisk::mount(&annexd.folder().join("data"), 24);
    mail.append(DEPARTMENT, "INBOX", &question(0, 10));
    let mut daemon = annexd.daemon();
    until(&annexd, "the first answer", || answers(&annexd).iter().any(|letter| letter["state"] == "sent"));
    let ballast = annexd.folder().join("data/ballast");
    for left_bytes in [700_000, 0] {
        let fill = usize::try_from(disk.free_bytes().saturating_sub(left_bytes)).unwrap();
        // What the disk does not take any more is what the test is about.
        let _ = fs::write(&ballast, vec![0; fill]);
        let (large, small) = if left_bytes == 0 { (3, 4) } else { (1, 2) };
        let faults = log(&annexd).lines().filter(|line| is_disk_fault(line)).count();
        mail.append(DEPARTMENT, "INBOX", &question(large, 2_000_000));
        mail.append(DEPARTMENT, "INBOX", &question(small, 10));
        until(&annexd, "a fault", || log(&annexd).lines().filter(|line| is_disk_fault(line)).count() > faults + 1);
        fs::remove_file(&ballast).unwrap();
        until(&annexd, "every mail", || recorded(&annexd) == small + 1);
    }
    assert!(daemon.child.try_wait().unwrap().is_none(), "it is the same daemon");
    // Where the disk was full between a letter's answer and its mark, its fate is unknown: it is looked for, never left lying.
    let is_out = |letter: &Value| letter["state"] == "sent" || letter["state"] == "unknown";
    until(&annexd, "every answer", || answers(&annexd).iter().filter(|letter| is_out(letter)).count() == 5);
    let hashes: std::collections::BTreeSet<String> =
        annexd.export("messages").iter().map(|message| message["sha256"].to_string()).collect();
    assert_eq!(hashes.len(), 5);
    is_whole(&annexd);
    let _ = daemon.child.kill();
    let _ = daemon.child.wait();
    drop(disk);
}

#[test]
fn a_backup_that_finds_no_room_is_never_taken_for_a_whole_one() {
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    for number in 0..4 {
        mail.append(DEPARTMENT, "INBOX", &question(number, 1_000_000));
    }
    annexd.say(&["poll", "--no-send"]);
    let disk = SmallDisk::mount(&annexd.folder().join("elsewhere"), 3);
    let folder = disk.0.join("backup");
    let output = annexd.run(&["backup", folder.to_str().unwrap()]);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("No space left"), "{output:?}");
    assert!(folder.join("raw").exists() && !folder.join("annexd.db").exists(), "the database is named last");
}

fn is_disk_fault(line: &str) -> bool {
    line.contains("No space left") || line.contains("disk is full")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_a_day_loses_and_doubles_nothing_and_stops_no_letter() {
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    annexd.open_caps();
    let text = fs::read_to_string(&annexd.configuration).unwrap();
    fs::write(&annexd.configuration, text.replace("per_15_min = 0", "per_15_min = 6").replace("gap_secs = 0", "gap_secs = 20")).unwrap();
    let mut house = daemon::build(Installation::load(Some(&annexd.configuration), &[]).unwrap()).await.unwrap();
    house.clock = Clock::fixed(house.now());
    let mut outlets = daemon::outlets(&house);
    let day = SignedDuration::from_hours(24);
    let mut mails = 0;
    for jump in [SignedDuration::ZERO, day, -day, -day, day + day, -day] {
        house.clock.set(house.now().checked_add(jump).unwrap());
        for _ in 0..3 {
            mail.append(DEPARTMENT, "INBOX", &question(mails, 10));
            mails += 1;
        }
        work::one_pass(&house, false, &Stopped::never()).await.unwrap();
        for _ in 0..4 {
            send_due(&house, &mut outlets, &Stopped::never()).await.unwrap();
            house.clock.set(house.now().checked_add(SignedDuration::from_mins(15)).unwrap());
        }
        let waiting: Vec<Value> = answers(&annexd).into_iter().filter(|letter| letter["state"] != "sent").collect();
        assert!(waiting.is_empty(), "after a jump of {jump:?} letters stand still: {waiting:?}");
    }
    assert_eq!(recorded(&annexd), mails);
    assert_eq!(mail.inbox("gxj-siping").len(), mails);
    for administrator in ADMINISTRATORS {
        let mut digests: BTreeMap<String, usize> = BTreeMap::new();
        for letter in annexd.export("letters").iter().filter(|letter| letter["kind"] == "digest" && letter["to"] == administrator) {
            *digests.entry(letter["subject"].to_string()).or_default() += 1;
        }
        assert!(digests.values().all(|count| *count == 1), "a day was told twice: {digests:?}");
    }
    assert!(house.store.balance().await.unwrap().holds());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_when_the_clock_is_set_back_waits_no_longer_than_it_would_have() {
    let mail = MailSystem::start();
    let password = fs::read_to_string(mail.password_file(DEPARTMENT)).unwrap();
    let smtp = FakeSmtp::start(DEPARTMENT, &password, Some(&mail.certificates));
    let annexd = Annexd::beside(&mail);
    let text = fs::read_to_string(&annexd.configuration).unwrap();
    let (own, led) = (format!("port = {}\n", mail.ports.submissions), format!("port = {}\n", smtp.port));
    fs::write(&annexd.configuration, text.replace(&own, &led) + "\n[answers]\nper_address_hour = 2\n").unwrap();
    let mut house = daemon::build(Installation::load(Some(&annexd.configuration), &[]).unwrap()).await.unwrap();
    let right = house.now();
    let wrong = right.checked_add(SignedDuration::from_hours(24 * 60)).unwrap();
    house.clock = Clock::fixed(wrong);
    let mut outlets = daemon::outlets(&house);

    // In a future that never was: a mail that cannot be read yet, a letter that is refused for now, an account that must rest.
    for number in 0..2 {
        mail.append(DEPARTMENT, "INBOX", &question(number, 10));
    }
    work::one_pass(&house, false, &Stopped::never()).await.unwrap();
    mail.append(DEPARTMENT, "INBOX", &question(2, 10));
    let crashed = annexd.command(&["poll", "--no-send"]).env("ANNEXD_CRASH_AT", "accept.after_row").output().unwrap();
    assert!(!crashed.status.success());
    house.store.bury_the_dead().await.unwrap();
    let raw = raw_file(&annexd, &unread(&annexd));
    fs::rename(&raw, annexd.folder().join("away")).unwrap();
    smtp.next(Verb::Content, Act::say("451 local error in processing"));
    smtp.next(Verb::Content, Act::say("451 MI:SFQ too many"));
    work::one_pass(&house, false, &Stopped::never()).await.unwrap();
    send_due(&house, &mut outlets, &Stopped::never()).await.unwrap();
    fs::rename(annexd.folder().join("away"), &raw).unwrap();
    assert!(house.store.sending_state(&outlets.receipts.name).await.unwrap().halted_until.is_some_and(|until| until > wrong));

    // The right time again. A third answer to one address within the hour waits for its hour, as on any day.
    house.clock.set(right);
    for _ in 0..7 {
        work::one_pass(&house, false, &Stopped::never()).await.unwrap();
        send_due(&house, &mut outlets, &Stopped::never()).await.unwrap();
        house.clock.set(house.now().checked_add(SignedDuration::from_mins(15)).unwrap());
    }
    assert_eq!(recorded(&annexd), 3);
    let waiting: Vec<Value> = annexd.export("letters").into_iter().filter(|letter| letter["state"] != "sent").collect();
    assert!(waiting.is_empty() && answers(&annexd).len() == 3, "after {} they still wait: {waiting:?}", house.now().duration_since(right));
}

/// Hash of the one mail that waits to be examined.
fn unread(annexd: &Annexd) -> String {
    let messages = annexd.export("messages");
    let mut waiting = messages.iter().filter(|message| message["state"] == "accepted");
    let sha256 = waiting.next().unwrap()["sha256"].as_str().unwrap().to_owned();
    assert!(waiting.next().is_none());
    sha256
}

fn raw_file(annexd: &Annexd, sha256: &str) -> PathBuf {
    annexd.folder().join("data/raw").join(&sha256[..2]).join(&sha256[2..4]).join(sha256)
}
