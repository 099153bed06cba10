//! Asked to stop in the middle of any step, the daemon ends with 0 within ten seconds, and the next one goes on where it was.

use std::{
    collections::BTreeSet,
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::support::{
    Annexd, FakeSmtp, MailSystem,
    accounts::DEPARTMENT,
    cutter::{Cutter, Fate},
    smtp_fake::{Act, Verb},
};
use annexd::edge::crash::POINTS;
use serde_json::Value;

const WAIT: Duration = Duration::from_secs(60);
/// What people are promised.
const END_MAX: Duration = Duration::from_secs(10);

fn question(number: usize, bytes: usize) -> Vec<u8> {
    let filling = "how?\r\n".repeat(bytes / 6 + 1);
    format!("From: gxj-jilin@example.cn\r\nTo: {DEPARTMENT}\r\nSubject: question {number}\r\nMessage-ID: <stop-{number}@example.cn>\r\n\r\n{filling}")
        .into_bytes()
}

fn start(annexd: &Annexd, variable: Option<(&str, &str)>) -> Child {
    let log = fs::File::create(annexd.folder().join("run.log")).unwrap();
    annexd.command(&["run"]).envs(variable).stderr(log).stdout(Stdio::null()).spawn().unwrap()
}

fn log(annexd: &Annexd) -> String {
    fs::read_to_string(annexd.folder().join("run.log")).unwrap_or_default()
}

fn until(annexd: &Annexd, what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + WAIT;
    while !is_so() {
        assert!(Instant::now() < end, "{what} did not come\n{}", log(annexd));
        std::thread::sleep(Duration::from_millis(30));
    }
}

fn stop(annexd: &Annexd, child: &mut Child) {
    let before = Instant::now();
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let ended = child.wait().unwrap();
    assert!(ended.success() && before.elapsed() < END_MAX, "{ended} after {:?}\n{}", before.elapsed(), log(annexd));
}

fn answers(annexd: &Annexd) -> Vec<Value> {
    annexd.export("letters").into_iter().filter(|letter| letter["kind"] == "ack").collect()
}

#[test]
fn asked_to_stop_in_each_step_it_ends_in_time_and_nothing_is_lost_or_doubled() {
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    annexd.open_caps();
    for (number, point) in POINTS.iter().enumerate() {
        mail.append(DEPARTMENT, "INBOX", &question(number, 10));
        let mut child = start(&annexd, Some(("ANNEXD_PAUSE_AT", point)));
        until(&annexd, point, || log(&annexd).contains(&format!("Paused at {point}")));
        stop(&annexd, &mut child);
        annexd.say(&["poll"]);
    }
    let messages = annexd.export("messages");
    assert_eq!(messages.len(), POINTS.len());
    assert!(messages.iter().all(|message| message["state"] == "recorded"), "{messages:?}");
    let letters = answers(&annexd);
    assert!(
        letters.iter().all(|letter| letter["state"] == "sent" && letter["attempts"] == 1),
        "a stop hides no letter's fate: {letters:?}"
    );
    assert_eq!((letters.len(), mail.inbox("gxj-jilin").len()), (POINTS.len(), POINTS.len()));
}

#[test]
fn asked_to_stop_while_it_reads_its_configuration_again_it_stops() {
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    for number in 0..3 {
        let mut child = start(&annexd, None);
        until(&annexd, "the start", || log(&annexd).contains("annexd is running"));
        assert!(Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap().success());
        // At once, and once it is at it.
        if number > 0 {
            until(&annexd, "the reload", || log(&annexd).contains("read its configuration again"));
        }
        stop(&annexd, &mut child);
    }
}

#[test]
fn asked_to_stop_while_a_large_mail_comes_slowly_it_does_not_wait_for_it() {
    let mail = MailSystem::start();
    let cutter = Cutter::before(mail.ports.imaps, &mail.certificates);
    let annexd = Annexd::beside(&mail);
    let text = fs::read_to_string(&annexd.configuration).unwrap();
    let (own, led) = (format!("port = {}\n", mail.ports.imaps), format!("port = {}\n", cutter.port));
    fs::write(&annexd.configuration, text.replace(&own, &led)).unwrap();
    mail.append(DEPARTMENT, "INBOX", &question(0, 5_000_000));
    cutter.next(Fate::Slow(50_000));
    let mut child = start(&annexd, None);
    let incoming = annexd.folder().join("data/raw/tmp");
    until(&annexd, "the mail", || fs::read_dir(&incoming).is_ok_and(|mut files| files.next().is_some()));
    stop(&annexd, &mut child);
    assert_eq!(fs::read_dir(&incoming).unwrap().count(), 0, "half a mail is of no use");
    annexd.say(&["poll", "--no-send"]);
    assert_eq!(annexd.export("messages").len(), 1);
}

#[test]
fn asked_to_stop_while_the_server_owes_an_answer_the_letter_is_of_unknown_fate_and_not_lost() {
    let mail = MailSystem::start();
    let password = fs::read_to_string(mail.password_file(DEPARTMENT)).unwrap();
    let smtp = FakeSmtp::start(DEPARTMENT, &password, Some(&mail.certificates));
    smtp.always(Verb::Content, Some(Act::Hang));
    let annexd = Annexd::beside(&mail);
    let text = fs::read_to_string(&annexd.configuration).unwrap();
    let (own, led) = (format!("port = {}\n", mail.ports.submissions), format!("port = {}\n", smtp.port));
    fs::write(&annexd.configuration, text.replace(&own, &led)).unwrap();
    mail.append(DEPARTMENT, "INBOX", &question(0, 10));
    let mut child = start(&annexd, None);
    until(&annexd, "the letter's text", || smtp.heard().iter().any(|(_, line)| line == "DATA"));
    // The hanging answer is one that the server has begun to owe.
    std::thread::sleep(Duration::from_millis(500));
    stop(&annexd, &mut child);
    annexd.say(&["poll", "--no-send"]);
    // Whichever letter was in hand: the digest or the answer.
    let letters = annexd.export("letters");
    let count = |state: &str| letters.iter().filter(|letter| letter["state"] == state).count();
    assert_eq!((count("unknown"), count("queued")), (1, letters.len() - 1), "{letters:?}");
    assert_eq!(answers(&annexd).len(), 1);
}

#[test]
fn of_daemons_started_at_once_one_works_and_the_others_name_it() {
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    for number in 0..6 {
        mail.append(DEPARTMENT, "INBOX", &question(number, 10));
    }
    let mut children: Vec<Child> =
        (0..4).map(|_| annexd.command(&["run"]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()).collect();
    let numbers: BTreeSet<u32> = children.iter().map(Child::id).collect();
    let end = Instant::now() + WAIT;
    let mut refused = Vec::new();
    while refused.len() < 3 {
        assert!(Instant::now() < end, "{} of 3 gave up", refused.len());
        std::thread::sleep(Duration::from_millis(30));
        let ended = children.iter_mut().position(|child| child.try_wait().unwrap().is_some());
        refused.extend(ended.map(|at| children.remove(at)));
    }
    let holder = children[0].id();
    assert!(numbers.contains(&holder));
    for child in refused {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(&format!("process {holder}")), "{said}");
    }
    until(&annexd, "every mail", || annexd.export("messages").iter().filter(|message| message["state"] == "recorded").count() == 6);
    stop(&annexd, &mut children[0]);
    assert_eq!(annexd.export("messages").len(), 6);
}
