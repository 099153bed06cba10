//! A mail that could not be read is retried after the cause is gone, with its original context: when it arrived, where it lay, and
//! what has come since.

use std::{fs, path::PathBuf, process::Command};

use crate::support::{
    accounts::DEPARTMENT,
    office::{Department, Fields, Mail, form, letter, table, with},
};
use serde_json::Value;

fn topic() -> Fields {
    let fields = [
        ("topic_title", "高速动车组轴箱轴承状态监测"),
        ("applicant", "长春轨道轴承有限公司"),
        ("uscc", "91220101MA0Y1XEM4J"),
        ("region", "长春市绿园区"),
        ("industry", "轨道交通装备"),
        ("topic_type", "关键核心技术攻关"),
        ("contact", "赵明"),
        ("phone", "13900001001"),
        ("problem", "轴箱轴承长期依赖进口监测装置，国内同类装置在零下40℃环境下误报率高达5%，无法提前识别早期剥离故障。"),
        ("goal", "研制国产轴承状态监测装置并装车考核。"),
        ("params", "误报率≤1%"),
    ];
    fields.map(|(key, text)| (key.to_owned(), text.to_owned())).into()
}

fn submission(id: &str, subject: &str, topic: &Fields) -> Vec<u8> {
    let files = vec![form(topic), table("长春市工业和信息化局", std::slice::from_ref(topic)), letter("长春市工信局")];
    let (from, name) = ("gxj-changchun@example.cn", "长春市工信局");
    Mail { from, name, subject, text: "现报送专项课题，请查收。", id, files, to: None }.bytes()
}

/// The file of a raw mail.
fn raw_file(office: &Department, sha256: &str) -> PathBuf {
    office.annexd.folder().join("data/raw").join(&sha256[..2]).join(&sha256[2..4]).join(sha256)
}

fn message(office: &Department, id: &str) -> Value {
    let messages = office.annexd.export("messages");
    messages.into_iter().find(|message| message["sha256"] == id).unwrap()
}

#[test]
fn a_poisoned_mail_retried_after_its_correction_keeps_its_context_and_overwrites_nothing() {
    let office = Department::open();
    let text = fs::read_to_string(&office.annexd.configuration).unwrap();
    fs::write(&office.annexd.configuration, format!("{text}\n[examine]\nattempts_max = 1\n")).unwrap();
    let (first, second) = (topic(), with(&topic(), &[("params", "误报率≤0.5%，识别率≥99%")]));

    // The first mail is safe, and cannot be read: its file is out of reach for now.
    office.mail.append(DEPARTMENT, "INBOX", &submission("first", "报送专项课题", &first));
    let crashed = office.annexd.command(&["poll"]).env("ANNEXD_CRASH_AT", "accept.after_row").output().unwrap();
    assert!(!crashed.status.success());
    let sha256 = office.annexd.export("messages")[0]["sha256"].as_str().unwrap().to_owned();
    let raw = raw_file(&office, &sha256);
    fs::rename(&raw, office.annexd.folder().join("away")).unwrap();
    office.annexd.say(&["poll"]);
    let parked = message(&office, &sha256);
    assert_eq!(parked["state"], "parked", "{parked}");

    // What comes after is not held up: the correction is recorded. INBOX tells arrival by the second.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    office.mail.append(DEPARTMENT, "INBOX", &submission("second", "报送专项课题（更正）", &second));
    office.annexd.say(&["poll"]);
    let before = office.topics();
    assert_eq!((before.len(), before[0]["fields"]["params"].as_str()), (1, Some("误报率≤0.5%，识别率≥99%")));

    // The cause is gone.
    fs::rename(office.annexd.folder().join("away"), &raw).unwrap();
    let id = office.annexd.say(&["parked", "list"]).split_whitespace().next().unwrap().to_owned();
    office.annexd.say(&["parked", "retry", &id]);
    let after = office.topics();
    assert_eq!(after.len(), 1);
    for key in ["id", "revision", "fields", "status", "received_at", "division"] {
        assert_eq!(after[0][key], before[0][key], "the newer version stands: {key}");
    }
    let retried = message(&office, &sha256);
    assert_eq!(retried["state"], "recorded");
    for key in ["mailbox", "uidvalidity", "uid", "received_at"] {
        assert_eq!(retried[key], parked[key], "{key}");
    }
    let answers = office.annexd.export("letters").iter().filter(|letter| letter["kind"] == "ack").count();
    assert_eq!(answers, 2, "each mail has its answer");
}

#[test]
fn an_error_at_one_mail_takes_nothing_from_those_recorded_with_it() {
    let office = Department::open();
    office.annexd.say(&["poll", "--no-send"]);
    let database = office.annexd.folder().join("data/annexd.db");
    let refuse = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(\"CREATE TRIGGER refuse BEFORE UPDATE OF state ON message \
                  WHEN NEW.subject = '第三封' BEGIN SELECT RAISE(ABORT, 'refused by a test'); END\")";
    assert!(Command::new("python3").args(["-c", refuse]).arg(&database).status().unwrap().success());

    let mails = [
        ("第一封", "人参皂苷连续提取", "吉林皂苷药业有限公司", "提取率低、溶剂残留高"),
        ("第二封", "光学镜片镀膜在线检测", "长春明镜光学有限公司", "膜厚只能离线抽检"),
        ("第三封", "碳纤维储氢瓶缠绕成型", "吉林碳谷瓶业有限公司", "层间气泡多、爆破压力不稳"),
        ("第四封", "玉米秸秆制糖", "四平秸秆生化有限公司", "酶解慢、糖液发黄"),
        ("第五封", "微纳卫星姿态控制飞轮", "长春星轮航天有限公司", "飞轮低速过零时抖动"),
    ];
    for (subject, title, applicant, problem) in mails {
        let fields =
            [("topic_title", title), ("applicant", applicant), ("problem", problem), ("goal", title), ("uscc", ""), ("params", problem)];
        office.mail.append(DEPARTMENT, "INBOX", &submission(title, subject, &with(&topic(), &fields)));
    }
    office.annexd.say(&["poll", "--no-send"]);
    let messages = office.annexd.export("messages");
    let of = |state: &str| messages.iter().filter(|message| message["state"] == state).count();
    assert_eq!((of("recorded"), of("accepted"), messages.len()), (4, 1, 5));
    let mut numbers: Vec<String> = office.topics().iter().map(|topic| topic["id"].as_str().unwrap()[..10].to_owned()).collect();
    numbers.sort();
    let year = &numbers[0][..4];
    assert_eq!(numbers, ["00001", "00002", "00003", "00004"].map(|number| format!("{year}-{number}")), "no number was given out in vain");
    let letters = office.annexd.export("letters");
    assert_eq!(letters.iter().filter(|letter| letter["kind"] == "ack").count(), 4, "and each mail is answered once");
}
