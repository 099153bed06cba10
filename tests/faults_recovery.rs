//! `annexd run` beside a Dovecot that is stopped, restarted, firewalled and made anew, again and again: it recovers by itself, its
//! logins stay within the budget, memory and open files stay flat. One round by default, an hour with `ANNEXD_TEST_LONG=1`, or so
//! many minutes as `ANNEXD_TEST_MINUTES` says.

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use crate::support::{
    Annexd, MailSystem,
    accounts::DEPARTMENT,
    cutter::Cutter,
    process::{open_files, resident_kib},
    record,
};

/// Longest wait for a recovery: the rest after a few faults, and a time-out.
const WAIT: Duration = Duration::from_secs(90);
/// Sessions that one trouble may cost.
const LOGINS_MAX: u32 = 6;
/// Growth of resident memory that is no leak: allocator, SQLite's page cache.
const GROWTH_MAX_KIB: u64 = 24 * 1024;
/// Open files beyond those at the first look: a mail in hand.
const FILES_MORE_MAX: usize = 6;

fn question(number: usize) -> Vec<u8> {
    let id = format!("recovery-{number}@example.cn");
    format!("From: gxj-jilin@example.cn\r\nTo: {DEPARTMENT}\r\nSubject: question {number}\r\nMessage-ID: <{id}>\r\n\r\nhow?\r\n")
        .into_bytes()
}

/// What is done to the mailbox's server.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    Stopped,
    Restarted,
    Firewalled,
    Severed,
    MadeAnew,
}

const TROUBLES: [Trouble; 5] = [Trouble::Stopped, Trouble::Restarted, Trouble::Firewalled, Trouble::Severed, Trouble::MadeAnew];

fn duration() -> Duration {
    let minutes = std::env::var("ANNEXD_TEST_MINUTES").ok().and_then(|text| text.parse::<u64>().ok());
    Duration::from_secs(60 * minutes.unwrap_or(if crate::support::long() { 60 } else { 0 }))
}

struct Beside {
    mail: MailSystem,
    line: Cutter,
    annexd: Annexd,
    /// Mails put in so far.
    mails: usize,
}

impl Beside {
    fn start() -> Self {
        let mail = MailSystem::start();
        let line = Cutter::before(mail.ports.imaps, &mail.certificates);
        let annexd = Annexd::beside(&mail);
        let text = fs::read_to_string(&annexd.configuration).unwrap();
        let own = format!("port = {}\npoll_secs = 1\n", mail.ports.imaps);
        let led = format!("port = {}\npoll_secs = 5\ntimeout_secs = 5\n", line.port);
        assert!(text.contains(&own));
        fs::write(&annexd.configuration, text.replace(&own, &led)).unwrap();
        Self { mail, line, annexd, mails: 0 }
    }

    fn put(&mut self) {
        self.mail.append(DEPARTMENT, "INBOX", &question(self.mails));
        self.mails += 1;
    }

    fn meet(&mut self, trouble: Trouble) {
        let a_while = Duration::from_secs(fastrand::u64(1..8));
        match trouble {
            Trouble::Stopped => {
                self.mail.stop_imap();
                std::thread::sleep(a_while);
                self.mail.start_imap();
            }
            Trouble::Restarted => self.mail.restart_imap(),
            Trouble::Firewalled => {
                self.line.swallow(true);
                self.put();
                std::thread::sleep(a_while);
                self.line.swallow(false);
            }
            Trouble::Severed => self.line.sever(),
            Trouble::MadeAnew => {
                self.mail.recreate_mailbox(DEPARTMENT);
                // The provider brings back what it has: the latest mail again, under a new UID.
                self.mail.append(DEPARTMENT, "INBOX", &question(self.mails - 1));
            }
        }
        self.put();
    }

    fn wait_until_all_is_in(&self, trouble: Option<Trouble>) {
        let end = Instant::now() + WAIT;
        loop {
            let messages = self.annexd.export("messages");
            let hashes: BTreeSet<&str> = messages.iter().map(|message| message["sha256"].as_str().unwrap()).collect();
            let first_ones = messages.iter().filter(|message| message["state"] != "duplicate").count();
            assert!(hashes.len() == first_ones && first_ones <= self.mails, "a mail is on record twice");
            if messages.iter().filter(|message| message["state"] == "recorded").count() == self.mails {
                return;
            }
            let log = fs::read_to_string(self.annexd.folder().join("run.log")).unwrap();
            assert!(Instant::now() < end, "{} of {} mails after {trouble:?}\n{log}", messages.len(), self.mails);
            std::thread::sleep(Duration::from_millis(300));
        }
    }
}

#[test]
fn whatever_the_server_does_it_recovers_by_itself_within_its_logins_and_its_memory() {
    let mut beside = Beside::start();
    beside.put();
    let daemon = beside.annexd.daemon();
    let process = daemon.child.id();
    beside.wait_until_all_is_in(None);
    let (begun, end) = (Instant::now(), Instant::now() + duration());
    let (mut troubles, mut most_logins, mut slowest) = (0, 0, Duration::ZERO);
    let mut looks = Vec::new();
    while Instant::now() < end || troubles <= TROUBLES.len() {
        let trouble = TROUBLES[troubles % TROUBLES.len()];
        let (before, at) = (beside.line.connections(), Instant::now());
        beside.meet(trouble);
        beside.wait_until_all_is_in(Some(trouble));
        slowest = slowest.max(at.elapsed());
        // Each connection through the line is one login at most.
        let logins = beside.line.connections() - before;
        assert!(logins <= LOGINS_MAX, "{logins} logins after {trouble:?}");
        most_logins = most_logins.max(logins);
        troubles += 1;
        if troubles >= TROUBLES.len() {
            looks.push((resident_kib(process).unwrap(), open_files(process)));
        }
    }
    let (first, last) = (looks[0], *looks.last().unwrap());
    let most_files = looks.iter().map(|look| look.1).max().unwrap();
    let how = format!(
        "`faults_recovery.rs`: a Dovecot stopped, restarted, firewalled, cut off and made anew for {} min; {} mails, slowest recovery {} s, \
         at most {most_logins} logins a trouble; memory {} -> {} MiB, open files {} -> at most {most_files}",
        begun.elapsed().as_secs() / 60,
        beside.mails,
        slowest.as_secs(),
        first.0 / 1024,
        last.0 / 1024,
        first.1
    );
    record::note("troubles of the mailbox's server", troubles, &how);
    assert!(last.0 <= first.0 + GROWTH_MAX_KIB, "memory grew: {first:?} -> {last:?}");
    assert!(most_files <= first.1 + FILES_MORE_MAX, "files leak: {first:?} -> {most_files}");
}
