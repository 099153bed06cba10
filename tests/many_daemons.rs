//! Several daemons on one database and one data folder: one watches the mailbox, one sends, all examine; when one dies the others
//! take over, and the laws of a single one hold.

use std::{
    fs,
    process::Child,
    time::{Duration, Instant},
};

use crate::support::{
    Annexd, MailSystem, Postgres,
    accounts::DEPARTMENT,
    laws::{self, check_laws, mails, settle},
    record,
};

/// An installation on PostgreSQL, whatever the rest of the run uses.
fn on_postgres(mail: &MailSystem) -> Annexd {
    let mut annexd = laws::beside(mail);
    if annexd.postgres.is_none() {
        let server = Postgres::start();
        let text = fs::read_to_string(&annexd.configuration).unwrap();
        fs::write(&annexd.configuration, format!("{text}\n[store]\nurl = \"{}\"\n", server.database("annexd"))).unwrap();
        annexd.postgres = Some(server);
    }
    annexd
}

struct Daemons {
    running: Vec<Child>,
}

impl Daemons {
    fn start(annexd: &Annexd, count: usize) -> Self {
        Self { running: (0..count).map(|number| begin(annexd, number, "")).collect() }
    }

    fn kill(&mut self, number: usize) {
        let daemon = &mut self.running[number];
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }
}

impl Drop for Daemons {
    fn drop(&mut self) {
        for daemon in &mut self.running {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

fn begin(annexd: &Annexd, number: usize, roles: &str) -> Child {
    let log = fs::OpenOptions::new().create(true).append(true).open(annexd.folder().join(format!("run{number}.log"))).unwrap();
    let mut command = annexd.command(&["run"]);
    if !roles.is_empty() {
        command.env("ANNEXD__ROLES", roles);
    }
    command.stderr(log.try_clone().unwrap()).stdout(log).spawn().unwrap()
}

fn logs(annexd: &Annexd) -> String {
    (0..3).map(|number| fs::read_to_string(annexd.folder().join(format!("run{number}.log"))).unwrap_or_default()).collect()
}

#[test]
fn three_daemons_of_which_one_dies_at_any_moment_keep_the_laws_of_one() {
    let mail = MailSystem::start();
    let annexd = on_postgres(&mail);
    let mails = mails();
    let mut daemons = Daemons::start(&annexd, 3);
    let kills = if crate::support::long() { 120 } else { 12 };
    let mut sent = 0;
    for kill in 0..kills {
        let until = mails.len() * (kill + 1) / kills;
        while sent < until {
            let (sender, raw) = &mails[sent];
            mail.send(sender, DEPARTMENT, raw);
            sent += 1;
        }
        std::thread::sleep(Duration::from_millis(fastrand::u64(200..1500)));
        let one = fastrand::usize(0..3);
        daemons.kill(one);
        daemons.running[one] = begin(&annexd, one, "");
    }
    drop(daemons);
    settle(&annexd, mails.len());
    let hidden = check_laws(&mail, &annexd, mails.len());
    let how =
        format!("`many_daemons.rs`: SIGKILL of one of three on one PostgreSQL; {} mails, {hidden} letters of hidden fate", mails.len());
    record::note("kills of three daemons", kills, &how);
}

#[test]
fn the_turn_at_the_mailbox_passes_on_within_half_a_minute_when_its_holder_dies() {
    let mail = MailSystem::start();
    let annexd = on_postgres(&mail);
    let mails = mails();
    let mut daemons = Daemons::start(&annexd, 1);
    let arrive = |index: usize, daemons: &Daemons| {
        let (sender, raw) = &mails[index];
        mail.send(sender, DEPARTMENT, raw);
        let began = Instant::now();
        while annexd.export("messages").len() <= index {
            assert!(began.elapsed() < Duration::from_secs(60), "{} daemons: {}", daemons.running.len(), logs(&annexd));
            std::thread::sleep(Duration::from_millis(200));
        }
        began.elapsed()
    };
    arrive(0, &daemons);
    daemons.running.push(begin(&annexd, 1, ""));
    let end = Instant::now() + Duration::from_secs(30);
    while !logs(&annexd).contains("Another annexd does this") {
        assert!(Instant::now() < end, "{}", logs(&annexd));
        std::thread::sleep(Duration::from_millis(100));
    }
    daemons.kill(0);
    let waited = arrive(1, &daemons);
    assert!(waited < Duration::from_secs(30), "the mailbox stood alone for {waited:?}");
}

#[test]
fn a_worker_without_mailbox_examines_what_another_took_in() {
    let mail = MailSystem::start();
    let annexd = on_postgres(&mail);
    let mails = mails();
    let mut daemons = Daemons { running: vec![begin(&annexd, 0, "[\"watch\"]")] };
    for (sender, raw) in &mails[..4] {
        mail.send(sender, DEPARTMENT, raw);
    }
    let until = |what: &str, is_so: &dyn Fn() -> bool| {
        let end = Instant::now() + Duration::from_secs(60);
        while !is_so() {
            assert!(Instant::now() < end, "{what}: {}", logs(&annexd));
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    until("taken in", &|| annexd.export("messages").len() == 4);
    assert!(annexd.export("messages").iter().all(|message| message["state"] == "accepted"));
    daemons.running.push(begin(&annexd, 1, "[\"examine\"]"));
    until("examined", &|| annexd.export("messages").iter().all(|message| message["state"] == "recorded"));
    assert!(annexd.export("letters").iter().all(|letter| letter["state"] == "queued"), "nobody sends");
}
