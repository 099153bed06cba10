//! Two programmes in one installation: each has its mailbox, forms, divisions and letters, and nothing of one reaches the other.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    time::{Duration, Instant},
};

use annexd::domain::{limits::Limits, message};
use serde_json::Value;

use crate::support::{
    Annexd, MailSystem,
    accounts::{DEPARTMENT, SECOND},
    laws::{self, log},
    office::{self, Mail},
};

const WAIT: Duration = Duration::from_secs(60);
const LINE: &str = "本邮箱只受理中小企业专项进展报告。";
const ENTRY: &str = "\n[[programme]]\nname = \"zxqy\"\ntitle = \"中小企业专项\"\nfile = \"zxqy/annexd.toml\"\nseries = 1\n";

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An installation that collects a second programme: progress reports, for one division, with a receipt in other words.
fn two(mail: &MailSystem) -> Annexd {
    let annexd = laws::beside(mail);
    annexd.give_divisions_addresses();
    let folder = annexd.folder().join("zxqy");
    for part in ["forms", "letters"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    let main = fs::read_to_string(&annexd.configuration).unwrap();
    let sections = main[main.find("[mailbox]").unwrap()..main.find("[digest]").unwrap()].replace(DEPARTMENT, SECOND);
    let sections =
        sections.replace(&mail.password_file(DEPARTMENT).display().to_string(), &mail.password_file(SECOND).display().to_string());
    let store = annexd.postgres.as_ref().map_or_else(String::new, |server| format!("\n[store]\nurl = \"{}\"\n", server.database("zxqy")));
    fs::write(folder.join("annexd.toml"), format!("{sections}{store}")).unwrap();
    fs::copy(home().join("tests/fixtures/progress/progress.toml"), folder.join("forms/progress.toml")).unwrap();
    let receipt = fs::read_to_string(home().join("config/letters/receipt.txt")).unwrap();
    fs::write(folder.join("letters/receipt.txt"), receipt.replacen("{{ greeting }}：\n", &format!("{{{{ greeting }}}}：\n\n{LINE}\n"), 1))
        .unwrap();
    let divisions = fs::read_to_string(annexd.folder().join("divisions.toml")).unwrap();
    let divisions = divisions.replace("name = \"科技处\"", "name = \"中小企业处\"").replace("tech@division", "green@division");
    fs::write(folder.join("divisions.toml"), divisions).unwrap();
    fs::write(&annexd.configuration, format!("{main}{ENTRY}")).unwrap();
    annexd
}

fn report() -> Vec<u8> {
    let bytes = fs::read(home().join("tests/fixtures/progress/table.docx")).unwrap();
    Mail {
        from: "gxj-jilin@example.cn",
        name: "吉林市工业和信息化局",
        subject: "吉林市工信局报送专项课题进展报告",
        id: "progress-1",
        text: "请查收。",
        files: vec![office::document("进展报告.docx", bytes)],
        to: None,
    }
    .bytes()
}

fn batch() -> Vec<u8> {
    fs::read(home().join("tests/fixtures/journey/01-changchun-batch.eml")).unwrap()
}

fn of_second(annexd: &Annexd, what: &str) -> Vec<Value> {
    annexd.say(&["--programme", "zxqy", "export", what]).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Headers and text as a person sees them.
fn readable(raw: &[u8]) -> String {
    let message = message::parse(raw, &Limits::default()).unwrap();
    format!("{}\n{}\n{}", message.from[0].address, message.subject, message.text)
}

#[test]
fn each_programme_reads_its_own_forms_and_answers_from_its_own_mailbox_in_its_own_words() {
    let mail = MailSystem::start();
    let annexd = two(&mail);
    mail.send("gxj-changchun", DEPARTMENT, &batch());
    // The same bytes to both: a mail of each, and no copy of the other's.
    mail.send("gxj-changchun", SECOND, &batch());
    mail.send("gxj-jilin", SECOND, &report());
    mail.wait_for(DEPARTMENT, 1, WAIT);
    mail.wait_for(SECOND, 2, WAIT);
    annexd.say(&["poll"]);

    let (main, second) = (annexd.export("topics"), of_second(&annexd, "topics"));
    assert!(!main.is_empty() && second.len() > main.len(), "{} and {}", main.len(), second.len());
    assert!(second.iter().any(|topic| topic["fields"]["stage"] == "年末"), "a form that only this programme has");
    assert!(second.iter().all(|topic| topic["duplicates"] == serde_json::json!([])), "{second:?}");
    let numbers: BTreeSet<&str> = main.iter().chain(&second).map(|topic| topic["id"].as_str().unwrap()).collect();
    assert_eq!(numbers.len(), main.len() + second.len(), "no receipt number twice");
    assert!(second.iter().all(|topic| topic["id"].as_str().unwrap().split('-').nth(1).unwrap().len() == 7), "{numbers:?}");

    let answers: Vec<String> = mail.wait_for("gxj-changchun@example.cn", 2, WAIT).iter().map(|raw| readable(raw)).collect();
    let from = |account: &str| answers.iter().filter(|text| text.starts_with(account)).collect::<Vec<_>>();
    assert_eq!((from(DEPARTMENT).len(), from(SECOND).len()), (1, 1), "{answers:?}");
    assert!(from(SECOND)[0].contains(LINE) && from(SECOND)[0].contains("（中小企业专项）"), "{}", from(SECOND)[0]);
    assert!(!from(DEPARTMENT)[0].contains(LINE));

    let (own, others) = (annexd.export("letters"), of_second(&annexd, "letters"));
    let queue = |letters: &[Value]| letters.iter().filter(|letter| letter["kind"] == "queue").count();
    assert!(queue(&own) > 0 && queue(&others) > 0);
    assert_eq!(annexd.export("messages").len(), 1);
    assert_eq!(of_second(&annexd, "messages").len(), 2);

    let usage = annexd.run(&["--programme", "nobody", "export", "topics"]);
    let said = String::from_utf8_lossy(&usage.stderr).into_owned();
    assert!(usage.status.code() == Some(2) && said.contains("main, zxqy"), "{said}");
    let checked = annexd.say(&["check", "--connect"]);
    assert!(checked.contains("zxqy 中小企业专项") && !checked.contains("failed"), "{checked}");
}

#[test]
fn a_refused_login_of_one_programme_holds_up_no_other_and_is_named() {
    let mail = MailSystem::start();
    let annexd = two(&mail);
    let window = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let wrong = annexd.folder().join("wrong.password");
    fs::write(&wrong, "not-this-one\n").unwrap();
    let text = fs::read_to_string(&annexd.configuration).unwrap();
    let (mailbox, rest) = text.split_at(text.find("[smtp]").unwrap());
    let right = mail.password_file(DEPARTMENT).display().to_string();
    let mailbox = mailbox.replace(&right, &wrong.display().to_string());
    let rest = rest.replace(ENTRY, &format!("\n[web]\nlisten = \"127.0.0.1:{window}\"\n{ENTRY}"));
    fs::write(&annexd.configuration, format!("{mailbox}{rest}")).unwrap();

    let _daemon = annexd.daemon();
    mail.send("gxj-changchun", DEPARTMENT, &batch());
    mail.send("gxj-jilin", SECOND, &report());
    until("answered", &annexd, || mail.inbox("gxj-jilin@example.cn").len() == 1);
    assert!(mail.inbox("gxj-changchun@example.cn").is_empty());
    until("refused", &annexd, || get(window, "/status.json").contains("拒绝"));
    let ready = get(window, "/readyz");
    assert!(ready.contains("503") && ready.contains("mailbox: ") && !ready.contains("【中小企业专项】"), "{ready}");
    let metrics = get(window, "/metrics");
    for line in ["annexd_ready{programme=\"main\"} 0", "annexd_ready{programme=\"zxqy\"} 1", "annexd_parked_mails{programme=\"zxqy\"} 0"] {
        assert!(metrics.lines().any(|found| found == line), "{line}: {metrics}");
    }
    assert!(get(window, "/").contains("【中小企业专项】来信"));

    fs::write(&wrong, fs::read_to_string(&right).unwrap()).unwrap();
    until("answered too", &annexd, || mail.inbox("gxj-changchun@example.cn").len() == 1);
    until("ready", &annexd, || get(window, "/readyz").contains("200"));
}

#[test]
fn what_programmes_may_not_share_is_named_with_its_file() {
    let mail = MailSystem::start();
    let annexd = two(&mail);
    let file = annexd.folder().join("zxqy/annexd.toml");
    let good = fs::read_to_string(&file).unwrap();
    let main = fs::read_to_string(&annexd.configuration).unwrap();
    let refused = |what: &str| {
        let output = annexd.run(&["check"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(78) && said.contains(what), "{what}: {said}");
    };
    fs::write(&file, good.replace(SECOND, DEPARTMENT)).unwrap();
    refused("each programme needs its own");
    let (mailbox, smtp) = good.split_at(good.find("[smtp]").unwrap());
    fs::write(&file, format!("{mailbox}{}", smtp.replace(SECOND, DEPARTMENT).replace("per_day = 0", "per_day = 40"))).unwrap();
    refused("has caps; give this programme an account of its own");
    fs::write(&file, format!("{good}\n[web]\nlisten = \"127.0.0.1:1\"\n")).unwrap();
    refused("web.listen");
    fs::write(&file, &good).unwrap();
    for (change, what) in [("series = 1", "series = 0"), ("name = \"zxqy\"", "name = \"main\""), ("zxqy/annexd.toml", "nowhere.toml")] {
        fs::write(&annexd.configuration, main.replace(change, what)).unwrap();
        refused("programme: ");
    }
    fs::write(&annexd.configuration, format!("{main}{}", ENTRY.replace("zxqy\"", "other\""))).unwrap();
    refused("the same series");
}

fn get(port: u16, path: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return String::new() };
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn until(what: &str, annexd: &Annexd, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(90);
    while !is_so() {
        assert!(Instant::now() < end, "not {what}:\n{}", log(annexd));
        std::thread::sleep(Duration::from_millis(200));
    }
}
