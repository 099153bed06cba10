//! The operator's first hour and later years: `init`, `poll --dry-run`, `message`, `submitters`, `purge`, `report`, on real servers.

use std::{
    fs,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use crate::support::{Annexd, MailSystem, accounts::DEPARTMENT};
use annexd::{commands::purge, config::Installation, daemon, edge::clock::Clock, pipeline::House};

fn month(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journey").join(name)).unwrap()
}

/// `annexd init` with these flags, without a terminal.
fn init(flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_annexd")).arg("init").args(flags).stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Flags for the private mail system; the authorisation code stands in `secret`.
fn flags(mail: &MailSystem, folder: &Path, secret: &Path) -> Vec<String> {
    let (imap, smtp) = (format!("127.0.0.1:{}", mail.ports.imaps), format!("127.0.0.1:{}", mail.ports.submissions));
    let path = |path: &Path| path.display().to_string();
    let dir = path(&folder.join("etc"));
    let data = path(&folder.join("data"));
    let ca = path(&mail.certificates.ca);
    let secret = path(secret);
    [
        ("--mailbox", DEPARTMENT),
        ("--name", "吉林省工信厅科技处"),
        ("--admin", "admin@dept.example.cn"),
        ("--password-file", &secret),
        ("--imap", &imap),
        ("--smtp", &smtp),
        ("--ca-file", &ca),
        ("--dir", &dir),
        ("--data-dir", &data),
    ]
    .iter()
    .flat_map(|(flag, value)| [(*flag).to_owned(), (*value).to_owned()])
    .collect()
}

fn run_init(flags: &[String]) -> Output {
    init(&flags.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn the_first_hour_ends_with_verdicts_and_an_untouched_mailbox() {
    let mail = MailSystem::start();
    mail.send("gxj-changchun", DEPARTMENT, &month("01-changchun-batch.eml"));
    mail.send("gxj-yanbian", DEPARTMENT, &month("10-yanbian-wrong-code.eml"));
    let folder = tempfile::tempdir().unwrap();
    let flags = flags(&mail, folder.path(), &mail.password_file(DEPARTMENT));
    let output = run_init(&flags);
    let told = said(&output);
    assert!(output.status.success(), "{told}");
    for sign in [
        "已写入",
        "accepts the login",
        "课题报送",
        "邮箱中共有2封来信",
        "没有任何改动",
        "收取全部邮件",
        "接下来：",
        "systemctl enable --now annexd",
    ] {
        assert!(told.contains(sign), "{sign} is missing:\n{told}");
    }
    assert!(mail.folder(DEPARTMENT, "INBOX").iter().all(|stored| !stored.flags.iter().any(|flag| flag == "\\Seen")), "a flag was set");
    assert!(!folder.path().join("data").exists(), "something was stored");
    let configuration = folder.path().join("etc/annexd.toml");
    let text = fs::read_to_string(&configuration).unwrap();
    assert!(text.contains("provider = \"netease\"") && text.lines().filter(|line| line.contains('#')).count() > 8, "{text}");

    let again = run_init(&flags);
    assert!(!again.status.success() && said(&again).contains("已存在"), "{}", said(&again));
    let checked = Command::new(env!("CARGO_BIN_EXE_annexd"))
        .arg("--config")
        .arg(&configuration)
        .args(["poll", "--dry-run", "--json"])
        .output()
        .unwrap();
    let verdicts: Vec<serde_json::Value> =
        String::from_utf8(checked.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(verdicts.len(), 2);
    assert!(verdicts.iter().all(|verdict| verdict["kind"] == "submission"));
}

#[test]
fn a_password_in_place_of_the_code_is_told_apart_and_the_files_stay() {
    let mail = MailSystem::start();
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("wrong");
    fs::write(&wrong, "the-web-password\n").unwrap();
    let output = run_init(&flags(&mail, folder.path(), &wrong));
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("这里要填授权码，不是邮箱的登录密码") && told.contains("check --connect 再试"), "{told}");
    assert!(folder.path().join("etc/annexd.toml").exists());
    assert!(!told.contains("the-web-password"));
}

#[test]
fn a_connection_that_somebody_intercepts_is_told_so() {
    let mail = MailSystem::start();
    let folder = tempfile::tempdir().unwrap();
    let mut flags = flags(&mail, folder.path(), &mail.password_file(DEPARTMENT));
    let at = flags.iter().position(|flag| flag == "--ca-file").unwrap();
    flags.drain(at..at + 2);
    let told = said(&run_init(&flags));
    assert!(told.contains("拦截加密连接") && told.contains("ca_file"), "{told}");
}

#[test]
fn without_a_terminal_everything_missing_is_named_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let output = init(&["--dir", folder.path().to_str().unwrap(), "--mailbox", DEPARTMENT]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        told.contains("--name") && told.contains("--admin") && told.contains("--password-file") && !told.contains("--mailbox 地址"),
        "{told}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn on_a_terminal_it_asks_and_the_code_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("etc");
    let command = format!(
        "{} init --offline --dir {} --data-dir {}",
        env!("CARGO_BIN_EXE_annexd"),
        dir.display(),
        folder.path().join("data").display()
    );
    // `script` gives it a terminal.
    let mut child =
        Command::new("script").args(["-qec", &command, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(
        child.stdin.as_mut().unwrap(),
        b"no address\ncollect@163.com\n\xe7\xa7\x91\xe6\x8a\x80\xe5\xa4\x84\na@dept.cn, b@dept.cn\nABCD EFGH\n",
    )
    .unwrap();
    let output = child.wait_with_output().unwrap();
    let told = said(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("不是邮箱地址，请重新输入"), "{told}");
    let secret = dir.join("imap.password");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "ABCDEFGH\n");
    assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(dir.join("annexd.toml")).unwrap();
    assert!(text.contains("\"imap.163.com\"") && text.contains("[\"a@dept.cn\", \"b@dept.cn\"]") && !text.contains("ABCD"), "{text}");
}

/// The same installation at a later day.
async fn later(configuration: &Path, days: i64) -> House {
    let house = daemon::build(Installation::load(Some(configuration), &[]).unwrap()).await.unwrap();
    let at = house.now().checked_add(jiff::SignedDuration::from_hours(24 * days)).unwrap();
    House { clock: Clock::fixed(at), ..house }
}

fn raw_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(raw_files(&entry));
        } else {
            found.push(entry);
        }
    }
    found
}

#[test]
fn what_is_purged_is_gone_on_record_and_never_taken_in_again() {
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    mail.send("gxj-changchun", DEPARTMENT, &month("01-changchun-batch.eml"));
    let idle = b"From: a <gxj-jilin@example.cn>\r\nTo: jlsgxtkjc@163.com\r\nSubject: =?utf-8?B?6Ieq5Yqo5Zue5aSN?=\r\nAuto-Submitted: auto-replied\r\nMessage-ID: <x@example.cn>\r\nDate: Thu, 15 Aug 2024 09:00:00 +0800\r\n\r\nI am away.\r\n";
    mail.send("gxj-jilin", DEPARTMENT, idle);
    annexd.say(&["poll"]);
    let before = (annexd.export("messages"), annexd.export("topics"));
    let raw = annexd.folder().join("data/raw");
    assert_eq!(raw_files(&raw).len(), 2);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let house = later(&annexd.configuration, 400).await;
        purge::purge(&house, 365, true).await.unwrap();
        assert_eq!(raw_files(&raw).len(), 2, "a dry run changes nothing");
        purge::purge(&house, 365, false).await.unwrap();
        assert_eq!(raw_files(&raw).len(), 1, "the divisions still need the annexes of open topics");
    });
    for topic in &before.1 {
        annexd.say(&["topic", "withdraw", topic["id"].as_str().unwrap(), "--reason", "单位来函撤回"]);
    }
    runtime.block_on(async { purge::purge(&later(&annexd.configuration, 400).await, 365, false).await.unwrap() });
    assert_eq!(raw_files(&raw).len(), 0);
    annexd.say(&["poll"]);
    let after = (annexd.export("messages"), annexd.export("topics"));
    assert_eq!(after.0.len(), before.0.len(), "what still lies in the mailbox is known");
    assert_eq!(
        after.1.iter().map(|topic| &topic["fields"]).collect::<Vec<_>>(),
        before.1.iter().map(|topic| &topic["fields"]).collect::<Vec<_>>()
    );
    assert!(
        after.0.iter().any(|message| message["kind"] == "auto_reply" && message["from"].is_null()),
        "who wrote nothing of weight is forgotten"
    );
    let shown = annexd.say(&["message", "show", "1"]);
    assert!(shown.contains("原始邮件已不在"), "{shown}");
    annexd.say(&["replay"]);
    annexd.say(&["backup", annexd.folder().join("copy").to_str().unwrap()]);
    let database = annexd.folder().join("data/annexd.db");
    let query = "import sqlite3,sys;print(sqlite3.connect(sys.argv[1]).execute('select count(*), sum(mails), min(length(purged_by)) > 0, sum(letters) > 0 from purge').fetchone())";
    let record = Command::new("python3").args(["-c", query]).arg(&database).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&record.stdout).trim(), "(2, 2, 1, 1)");
}

#[test]
fn one_mail_is_shown_with_headers_files_topics_and_letters() {
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    mail.send("gxj-changchun", DEPARTMENT, &month("01-changchun-batch.eml"));
    annexd.say(&["poll"]);
    let message = &annexd.export("messages")[0];
    let sha256 = message["sha256"].as_str().unwrap();
    let shown = annexd.say(&["message", "show", &sha256[..12]]);
    for sign in ["课题报送", "已登记", "附件", "annex1", "课题", "由此发出的信", "sent", "原始信头", "Subject:"] {
        assert!(shown.contains(sign), "{sign} is missing:\n{shown}");
    }
    let json: serde_json::Value = serde_json::from_str(&annexd.say(&["message", "show", "1", "--json"])).unwrap();
    assert_eq!((json["sha256"].as_str(), json["letters"].as_array().unwrap().is_empty()), (Some(sha256), false));
    let out = annexd.folder().join("one.eml");
    annexd.say(&["message", "export", "1", "--out", out.to_str().unwrap()]);
    assert!(fs::metadata(&out).unwrap().len() > 1000);
    assert!(!annexd.run(&["message", "show", "99"]).status.success());
}

#[test]
fn one_mail_can_be_followed_through_the_log_from_its_arrival_to_its_receipt() {
    let annexd = Annexd::local(
        "[mailbox]\nkind = \"maildir\"\npath = \"in\"\n[smtp]\nkind = \"maildir\"\npath = \"out\"\nfrom = \"a@example.cn\"\n",
    );
    fs::write(annexd.folder().join("in/new/1"), month("01-changchun-batch.eml")).unwrap();
    let polled = annexd.command(&["poll"]).env("ANNEXD_LOG_FORMAT", "json").output().unwrap();
    let log = String::from_utf8_lossy(&polled.stderr).into_owned();
    let sha256 = annexd.export("messages")[0]["sha256"].as_str().unwrap().to_owned();
    let lines: Vec<serde_json::Value> =
        log.lines().filter(|line| line.contains(&sha256[..12])).map(|line| serde_json::from_str(line).unwrap()).collect();
    let sentences: Vec<&str> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(sentences, ["A mail was accepted.", "A message was examined and recorded.", "A letter was sent."], "{log}");
}

#[test]
fn a_submitter_that_was_added_is_known_and_is_not_added_twice() {
    let maildir = tempfile::tempdir().unwrap();
    let path = maildir.path().display();
    let annexd = Annexd::with(&format!(
        "[mailbox]\nkind = \"maildir\"\npath = \"{path}\"\n[smtp]\nkind = \"maildir\"\npath = \"{path}/out\"\nfrom = \"a@example.cn\"\n"
    ));
    let add = [
        "submitters",
        "add",
        "nongan",
        "农安县工业和信息化局",
        "--alias",
        "农安县工信局",
        "--address",
        "gxj@nongan.example.cn",
        "--area",
        "220122",
    ];
    annexd.say(&add);
    let listed = annexd.say(&["submitters", "list"]);
    assert!(listed.lines().any(|line| line == "nongan  农安县工业和信息化局  待人工确认  gxj@nongan.example.cn"), "{listed}");
    assert!(listed.contains("长春市工业和信息化局"), "the built-in ones stay");
    annexd.say(&["check"]);
    let again = annexd.run(&add);
    assert!(!again.status.success() && said(&again).contains("is there already"));
    let quoted = annexd.run(&["submitters", "add", "x", "甲\"\n[[x]]局"]);
    assert!(quoted.status.success(), "{}", said(&quoted));
    annexd.say(&["check"]);
    let divisions = annexd.say(&["divisions", "list"]);
    assert!(divisions.contains("equip") && divisions.contains("拿不准的转此处"), "{divisions}");
}

#[test]
fn the_report_is_a_workbook_with_charts_that_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    let demo = folder.path().join("demo");
    let made = Command::new(env!("CARGO_BIN_EXE_annexd")).args(["demo", "--dir"]).arg(&demo).output().unwrap();
    assert!(made.status.success(), "{}", said(&made));
    let out = folder.path().join("report.xlsx");
    let ask = |from: &str, to: &str| {
        let config = demo.join("annexd.toml");
        Command::new(env!("CARGO_BIN_EXE_annexd"))
            .arg("--config")
            .arg(config)
            .args(["report", "--from", from, "--to", to, "--out"])
            .arg(&out)
            .output()
            .unwrap()
    };
    let told = said(&ask("2000-01-01", "2100-01-01"));
    assert!(told.contains("14项课题"), "{told}");
    let mut archive = zip::ZipArchive::new(fs::File::open(&out).unwrap()).unwrap();
    let mut part = |name: &str| {
        let mut text = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    let book = part("xl/workbook.xml");
    for sheet in ["总览", "报送单位", "处室", "月份", "材料质量", "课题明细"] {
        assert!(book.contains(sheet), "{sheet} is missing");
    }
    assert!(part("xl/charts/chart1.xml").contains("c:barChart") && part("xl/charts/chart4.xml").contains("c:barChart"));
    assert!(said(&ask("2100-01-02", "2100-01-03")).contains("0项课题"), "an empty period is no fault");
    assert!(!ask("2024-02-01", "2024-01-01").status.success());
}
