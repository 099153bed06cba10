//! Bad input at the command line and in the mailbox: one clear message on standard error, the right exit code, nothing lost. And
//! the promises that need no server: help, export, blank forms, signals.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
    time::{Duration, Instant},
};

use crate::support::{Annexd, MailSystem, accounts::DEPARTMENT, month};
use serde_json::Value;

/// An installation without servers: a Maildir in, a Maildir out.
fn local() -> Annexd {
    let annexd = Annexd::with("");
    let folder = annexd.folder().to_owned();
    for sub in ["new", "cur", "tmp"] {
        fs::create_dir_all(folder.join("mailbox").join(sub)).unwrap();
    }
    let text = format!(
        "data_dir = \"{0}/data\"\n[mailbox]\nkind = \"maildir\"\npath = \"{0}/mailbox\"\npoll_secs = 1\n[smtp]\nkind = \"maildir\"\npath = \"{0}/letters\"\nfrom = \"{DEPARTMENT}\"\n",
        folder.display()
    );
    fs::write(&annexd.configuration, text).unwrap();
    annexd
}

fn sample(name: &str) -> PathBuf {
    month::fixtures().join(name)
}

fn put(annexd: &Annexd, name: &str, bytes: &[u8]) {
    fs::write(annexd.folder().join("mailbox/new").join(name), bytes).unwrap();
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Ended with this code, said these words, and did not panic.
fn ends(output: &Output, code: i32, words: &[&str]) {
    let told = told(output);
    assert_eq!(output.status.code(), Some(code), "{told}");
    for word in words {
        assert!(told.contains(word), "{word:?} is not in:\n{told}");
    }
    assert!(!told.contains("panicked"), "{told}");
}

fn balance_holds(annexd: &Annexd, seen: usize) {
    let messages = annexd.export("messages");
    assert_eq!(messages.len(), seen);
    let known = ["accepted", "recorded", "ignored", "duplicate", "parked"];
    assert!(messages.iter().all(|message| known.contains(&message["state"].as_str().unwrap())), "{messages:?}");
}

#[test]
fn every_command_has_a_help_text() {
    let annexd = |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_annexd")).args(arguments).output().unwrap();
    let help = String::from_utf8(annexd(&["--help"]).stdout).unwrap();
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    for wanted in
        ["demo", "run", "poll", "examine", "import", "export", "check", "parked", "topic", "route", "replay", "digest", "forms", "migrate"]
    {
        assert!(commands.contains(&wanted), "{wanted} is missing in {commands:?}");
    }
    for command in commands {
        let output = annexd(&[command, "--help"]);
        assert!(output.status.success() && output.stdout.len() > 80, "{command}");
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    let annexd = local();
    for wrong in
        [vec!["pol"], vec!["examine"], vec!["export", "everything"], vec!["poll", "--sned"], vec!["export", "topics", "--format", "pdf"]]
    {
        ends(&annexd.run(&wrong), 2, &["--help"]);
    }
}

#[test]
fn a_wrong_password_is_said_once_and_nothing_is_lost() {
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    mail.send("gxj-baicheng", DEPARTMENT, &fs::read(sample("18-baicheng-csv.eml")).unwrap());
    mail.wait_for(DEPARTMENT, 1, Duration::from_secs(60));
    let right = mail.password_file(DEPARTMENT);
    let secret = fs::read_to_string(&right).unwrap();
    fs::write(&right, "not-the-password").unwrap();
    let output = annexd.run(&["poll"]);
    ends(&output, 1, &["LOGIN", "授权码"]);
    assert_eq!(told(&output).matches("annexd:").count(), 1, "{}", told(&output));
    ends(&annexd.run(&["check", "--connect"]), 1, &["checks failed"]);
    assert_eq!(annexd.export("messages"), Vec::<Value>::new());
    fs::write(&right, secret).unwrap();
    annexd.say(&["poll"]);
    balance_holds(&annexd, 1);
    assert_eq!(annexd.export("topics").len(), 1);
}

#[test]
fn an_unreachable_host_is_named() {
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    let text = fs::read_to_string(&annexd.configuration).unwrap();
    // Port 1 of loopback: nobody listens.
    fs::write(&annexd.configuration, text.replace(&format!("port = {}", mail.ports.imaps), "port = 1")).unwrap();
    ends(&annexd.run(&["poll"]), 1, &["127.0.0.1:1"]);
    let output = annexd.run(&["check", "--connect"]);
    ends(&output, 1, &["1 of"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("failed  mailbox"));
}

#[test]
fn a_file_that_is_no_mail_and_an_empty_mailbox_break_nothing() {
    let annexd = local();
    annexd.say(&["poll"]);
    balance_holds(&annexd, 0);
    put(&annexd, "picture", &[0x89, b'P', b'N', b'G', 0, 0xFF, 0xFE, 0, 1, 2, 3]);
    put(&annexd, "empty", b"");
    put(&annexd, "good", &fs::read(sample("18-baicheng-csv.eml")).unwrap());
    annexd.say(&["poll"]);
    balance_holds(&annexd, 3);
    assert!(annexd.export("messages").iter().all(|message| message["state"] != "duplicate"), "things without a header are no copies");
    assert_eq!(annexd.export("topics").len(), 1);
    let output = annexd.run(&["examine", "/nowhere.eml", sample("09-baicheng-no-params.eml").to_str().unwrap()]);
    ends(&output, 1, &["/nowhere.eml", "1 of 2 files"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("黑土地低损伤马铃薯联合收获机"), "the good file is still examined");
}

#[test]
fn a_mail_of_forty_megabytes_is_taken_in_and_answered() {
    let annexd = local();
    let small = fs::read(sample("33-forty-megabytes.eml")).unwrap();
    put(&annexd, "large", &month::grown(small, 40 << 20));
    annexd.say(&["poll"]);
    balance_holds(&annexd, 1);
    assert_eq!(annexd.export("topics").len(), 1);
    assert_eq!(annexd.export("letters").len(), 1);
}

#[test]
fn letters_wait_where_sending_is_not_wanted_and_an_import_is_idempotent() {
    let annexd = local();
    put(&annexd, "good", &fs::read(sample("18-baicheng-csv.eml")).unwrap());
    annexd.say(&["poll", "--no-send"]);
    assert_eq!(annexd.export("letters")[0]["state"], "queued");
    annexd.say(&["poll"]);
    assert_eq!(annexd.export("letters")[0]["state"], "sent");
    let (topics, letters) = (annexd.export("topics"), annexd.export("letters"));
    let folder = annexd.folder().join("again");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(sample("18-baicheng-csv.eml"), folder.join("copy.eml")).unwrap();
    annexd.say(&["import", folder.to_str().unwrap()]);
    annexd.say(&["import", folder.to_str().unwrap()]);
    assert_eq!((annexd.export("topics"), annexd.export("letters")), (topics, letters));
    assert!(annexd.export("messages").iter().skip(1).all(|row| row["state"] == "duplicate"));
}

#[test]
fn everything_can_be_exported_in_every_format() {
    let annexd = local();
    put(&annexd, "good", &fs::read(sample("09-baicheng-no-params.eml")).unwrap());
    annexd.say(&["poll"]);
    for what in ["topics", "messages", "letters", "findings"] {
        let rows = annexd.export(what);
        assert!(!rows.is_empty(), "{what}");
        let csv = annexd.say(&["export", what, "--format", "csv"]);
        let read: Vec<csv::StringRecord> =
            csv::Reader::from_reader(csv.trim_start_matches('\u{FEFF}').as_bytes()).records().map(Result::unwrap).collect();
        assert_eq!(read.len(), rows.len(), "{what}");
        let workbook = annexd.folder().join(format!("{what}.xlsx"));
        annexd.say(&["export", what, "--format", "xlsx", "--out", workbook.to_str().unwrap()]);
        let mut book: calamine::Xlsx<_> = calamine::open_workbook(&workbook).unwrap();
        let sheet = calamine::Reader::worksheet_range_at(&mut book, 0).unwrap().unwrap();
        assert_eq!(sheet.height(), rows.len() + 1, "{what}");
    }
    ends(&annexd.run(&["export", "topics", "--out", "/proc/nowhere/topics.jsonl"]), 1, &["/proc/nowhere/topics.jsonl"]);
}

#[test]
fn machine_output_is_json_wherever_it_is_asked_for() {
    let annexd = local();
    put(&annexd, "good", &fs::read(sample("09-baicheng-no-params.eml")).unwrap());
    annexd.say(&["poll"]);
    let id = annexd.export("topics")[0]["id"].as_str().unwrap().to_owned();
    for command in [
        vec!["check"],
        vec!["check", "--connect"],
        vec!["parked", "list"],
        vec!["letters", "list"],
        vec!["topic", "show", &id],
        vec!["queue"],
        vec!["route", "explain", sample("09-baicheng-no-params.eml").to_str().unwrap()],
        vec!["replay"],
        vec!["digest"],
        vec!["examine", sample("09-baicheng-no-params.eml").to_str().unwrap()],
    ] {
        let out = annexd.say(&[&["--json"], command.as_slice()].concat());
        let each: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(&out).into_iter::<Value>().collect();
        assert!(each.is_ok(), "{command:?}: {each:?}\n{out}");
    }
}

#[test]
fn the_blank_forms_can_be_read_back() {
    let annexd = local();
    let out = annexd.folder().join("blank");
    annexd.say(&["forms", "blank", "--out", out.to_str().unwrap()]);
    let files: Vec<PathBuf> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path()).collect();
    let mut mail =
        "From: gxj@example.cn\r\nSubject: blank\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n".to_owned();
    for file in &files {
        use base64::Engine as _;
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let body = base64::engine::general_purpose::STANDARD.encode(fs::read(file).unwrap());
        mail.push_str(&format!(
            "--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename*=UTF-8''{}\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}\r\n",
            name.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>()
        ));
    }
    mail.push_str("--b--\r\n");
    let path = annexd.folder().join("blank.eml");
    fs::write(&path, mail).unwrap();
    let said: Value = serde_json::from_str(&annexd.say(&["examine", "--json", path.to_str().unwrap()])).unwrap();
    let roles: Vec<&str> = said["attachments"].as_array().unwrap().iter().filter_map(|attachment| attachment["role"].as_str()).collect();
    assert!(roles.contains(&"annex1") && roles.contains(&"annex2"), "{said}");
    assert_eq!(said["topics"].as_array().unwrap().iter().filter(|topic| topic["fields"]["topic_title"].is_string()).count(), 0, "{said}");
}

#[test]
fn a_daemon_ends_with_0_within_ten_seconds_of_sigterm_and_a_second_one_names_the_first() {
    let annexd = local();
    let mut daemon = annexd.daemon();
    put(&annexd, "good", &fs::read(sample("18-baicheng-csv.eml")).unwrap());
    let end = Instant::now() + Duration::from_secs(60);
    while annexd.export("letters").iter().all(|letter| letter["state"] != "sent") {
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(100));
    }
    ends(&annexd.run(&["run"]), 1, &[&daemon.child.id().to_string()]);
    assert!(Command::new("kill").args(["-TERM", &daemon.child.id().to_string()]).status().unwrap().success());
    let asked = Instant::now();
    assert_eq!(daemon.child.wait().unwrap().code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(10));
    balance_holds(&annexd, 1);
}

#[test]
fn commands_that_start_at_once_on_a_new_data_folder_do_not_disturb_each_other() {
    let annexd = local();
    let started: Vec<_> =
        (0..6).map(|_| annexd.command(&["export", "topics"]).stderr(std::process::Stdio::piped()).spawn().unwrap()).collect();
    for process in started {
        ends(&process.wait_with_output().unwrap(), 0, &[]);
    }
}
