//! Whatever happens to the process, no mail is lost, none is in two states, no topic comes twice, and nobody is answered twice
//! except by the one letter whose fate a kill has hidden.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::support::{
    Annexd, MailSystem,
    accounts::DEPARTMENT,
    laws::{beside, check_laws, log, mails, settle},
    record,
};
use annexd::edge::crash::POINTS;

const WAIT: Duration = Duration::from_secs(60);

#[test]
fn killed_at_random_moments_it_loses_nothing_and_answers_once() {
    let mail = MailSystem::start();
    let annexd = beside(&mail);
    let (mails, kills) = (mails(), if crate::support::long() { 400 } else { 40 });
    let mut sent = 0;
    for kill in 0..kills {
        let daemon = annexd.daemon();
        if let Some((sender, raw)) = mails.get(sent).filter(|_| kill * mails.len() >= sent * kills) {
            mail.send(sender, DEPARTMENT, raw);
            sent += 1;
        }
        std::thread::sleep(Duration::from_millis(fastrand::u64(30..500)));
        drop(daemon);
    }
    for (sender, raw) in &mails[sent..] {
        mail.send(sender, DEPARTMENT, raw);
    }
    settle(&annexd, mails.len());
    let hidden = check_laws(&mail, &annexd, mails.len());
    let how = format!("`faults.rs`: SIGKILL of `annexd run` at random moments; {} mails, {hidden} letters of hidden fate", mails.len());
    record::note("random kills", kills, &how);
}

#[test]
fn killed_at_every_named_point_it_goes_on_where_it_was() {
    let mail = MailSystem::start();
    let annexd = beside(&mail);
    let mails = mails();
    for (point, (sender, raw)) in POINTS.iter().zip(mails.iter().rev()) {
        mail.send(sender, DEPARTMENT, raw);
        let before = Instant::now();
        let mut child = annexd.command(&["run"]).env("ANNEXD_CRASH_AT", point).stderr(std::process::Stdio::null()).spawn().unwrap();
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            assert!(before.elapsed() < WAIT, "{point} was never reached");
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(!ended.success(), "{point}");
        // The cursor of the next point is this point's mail done.
        settle_all(&annexd);
    }
    settle(&annexd, POINTS.len());
    let hidden = check_laws(&mail, &annexd, POINTS.len());
    assert_eq!(hidden, 2, "after the claim and after the answer nobody can know");
    record::note("kills at named points", POINTS.len(), "`faults.rs`: every point of `edge/crash.rs`");
}

/// One pass that leaves nothing waiting.
fn settle_all(annexd: &Annexd) {
    annexd.say(&["poll"]);
}

#[test]
fn a_second_daemon_is_refused_and_the_first_ends_in_time_when_asked() {
    let mail = MailSystem::start();
    let annexd = beside(&mail);
    for (sender, raw) in mails().iter().take(6) {
        mail.send(sender, DEPARTMENT, raw);
    }
    let mut first = annexd.daemon();
    let end = Instant::now() + WAIT;
    while !log(&annexd).contains("A mail was accepted") {
        assert!(Instant::now() < end, "{}", log(&annexd));
        std::thread::sleep(Duration::from_millis(20));
    }
    let second = annexd.run(&["run"]);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && said.contains(&first.child.id().to_string()), "{said}");
    let before = Instant::now();
    std::process::Command::new("kill").args(["-TERM", &first.child.id().to_string()]).status().unwrap();
    let ended = first.child.wait().unwrap();
    assert!(ended.success() && before.elapsed() < Duration::from_secs(10), "{ended} after {:?}", before.elapsed());
}

#[test]
fn a_backup_made_while_it_runs_is_whole_and_goes_on_elsewhere() {
    let mail = MailSystem::start();
    let annexd = beside(&mail);
    let mails = mails();
    for (sender, raw) in mails.iter().take(6) {
        mail.send(sender, DEPARTMENT, raw);
    }
    settle(&annexd, 6);
    let daemon = annexd.daemon();
    let folder = annexd.folder().join("backup");
    annexd.say(&["backup", folder.to_str().unwrap()]);
    assert!(!annexd.run(&["backup", folder.to_str().unwrap()]).status.success(), "a backup is never written over another");
    drop(daemon);
    let mut there: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    there.sort();
    assert_eq!(there, ["annexd.db", "raw"], "nothing half-written stands beside");
    let before = (annexd.export("messages"), annexd.export("topics"));
    fs::rename(annexd.folder().join("data"), annexd.folder().join("lost")).unwrap();
    fs::rename(&folder, annexd.folder().join("data")).unwrap();
    assert_eq!((annexd.export("messages"), annexd.export("topics")), before);
    mail.send(&mails[7].0, DEPARTMENT, &mails[7].1);
    settle(&annexd, 7);
    annexd.say(&["replay"]);
}

#[test]
fn asked_to_reload_it_goes_on_even_when_the_configuration_has_become_wrong() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["mailbox/new", "mailbox/cur", "mailbox/tmp"] {
        fs::create_dir_all(folder.path().join(part)).unwrap();
    }
    let place = |name: &str| folder.path().join(name).display().to_string();
    let annexd = Annexd::with(&format!(
        "[mailbox]\nkind = \"maildir\"\npath = \"{}\"\npoll_secs = 1\n\n[smtp]\nkind = \"maildir\"\npath = \"{}\"\nfrom = \"科技处 <jlsgxtkjc@163.com>\"\n",
        place("mailbox"),
        place("letters")
    ));
    let mut daemon = annexd.daemon();
    let said = |times: usize, what: &str| {
        let end = Instant::now() + WAIT;
        while log(&annexd).matches(what).count() < times {
            assert!(Instant::now() < end, "{what:?} is not {times} times in\n{}", log(&annexd));
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let hang_up = |daemon: &crate::support::annexd::Daemon| {
        assert!(std::process::Command::new("kill").args(["-HUP", &daemon.child.id().to_string()]).status().unwrap().success());
    };
    said(1, "annexd is running");
    hang_up(&daemon);
    said(2, "annexd is running");
    let text = fs::read_to_string(&annexd.configuration).unwrap();
    fs::write(&annexd.configuration, format!("{text}\n[mailbx]\nhost = 1\n")).unwrap();
    hang_up(&daemon);
    said(3, "annexd is running");
    assert!(log(&annexd).contains("goes on with the one before"));
    assert!(daemon.child.try_wait().unwrap().is_none());
}
