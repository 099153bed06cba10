//! What one mail cannot show: stored mail judged again under other rules, and twins among many mails and within one table.

use std::{collections::BTreeMap, fs, path::Path};

use crate::support::{
    Annexd,
    office::{Fields, Mail, form, letter, table, with},
};
use annexd::domain::{
    forms::catalogue::Catalogue,
    limits::Limits,
    verdict::{self, Knowledge, Known},
};
use serde_json::Value;

fn samples() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dedupe/topics.jsonl");
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The sample's fields under the forms' keys.
fn fields(sample: &Value) -> Fields {
    let keys = [("title", "topic_title"), ("enterprise", "applicant"), ("problem", "problem"), ("goal", "goal"), ("params", "params")];
    keys.into_iter().map(|(theirs, ours)| (ours.to_owned(), sample[theirs].as_str().unwrap().to_owned())).collect()
}

/// The pairs (later, elder) that the samples' author calls twins.
fn twins(samples: &[Value]) -> Vec<(String, String)> {
    let title = |id: &Value| samples.iter().find(|sample| sample["id"] == *id).unwrap()["title"].as_str().unwrap().to_owned();
    samples.iter().filter(|sample| sample["dup_of"].is_string()).map(|sample| (title(&sample["id"]), title(&sample["dup_of"]))).collect()
}

/// An installation without servers: mail comes by `import`, letters go into a folder.
fn offline() -> Annexd {
    let annexd = Annexd::with("");
    let folder = annexd.folder();
    let path = |name: &str| {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(folder.join(name).join(part)).unwrap();
        }
        folder.join(name).display().to_string()
    };
    let text = format!(
        "data_dir = \"{}\"\n\n[mailbox]\nkind = \"maildir\"\npath = \"{}\"\n\n[smtp]\nkind = \"maildir\"\npath = \"{}\"\nfrom = \"科技处 <jlsgxtkjc@163.com>\"\n",
        folder.join("data").display(),
        path("mailbox"),
        path("letters")
    );
    fs::write(&annexd.configuration, text).unwrap();
    annexd
}

/// Puts a mail into a file of the installation's folder.
fn file(annexd: &Annexd, mail: &Mail<'_>) -> String {
    let path = annexd.folder().join(format!("{}.eml", mail.id));
    fs::write(&path, mail.bytes()).unwrap();
    path.display().to_string()
}

fn faulty() -> Fields {
    with(
        &fields(&samples()[0]),
        &[("params", "整体性能先进，稳定可靠"), ("contact", "赵明"), ("phone", "13900001001"), ("uscc", "91220101DEM000014W")],
    )
}

fn package(topics: &[Fields]) -> Vec<crate::support::office::File> {
    [letter("长春市工信局"), table("长春市工业和信息化局", topics)].into_iter().chain(topics.iter().map(form)).collect()
}

fn bureau_mail<'a>(id: &'a str, from: &'a str, files: Vec<crate::support::office::File>) -> Mail<'a> {
    Mail {
        from, name: "长春市工信局", subject: "长春市工信局报送专项课题", text: "请查收。\n长春市工业和信息化局", id, files, to: None
    }
}

fn rules_of(topic: &Value) -> Vec<String> {
    topic["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_rule_switched_off_shows_in_a_replay_and_changes_only_what_is_applied() {
    let annexd = offline();
    let mail = file(&annexd, &bureau_mail("r1", "gxj@example.cn", package(&[faulty()])));
    annexd.say(&["import", &mail]);
    let before = annexd.export("topics");
    let number = before[0]["id"].as_str().unwrap();
    assert!(rules_of(&before[0]).contains(&"R23".to_owned()), "{}", before[0]);
    let letters = annexd.export("letters");
    let elsewhere = if before[0]["division"] == "petro" { "food" } else { "petro" };
    annexd.say(&["topic", "route", number, "--to", elsewhere, "--reason", "更对口"]);
    assert!(
        annexd.say(&["replay"]).contains("课题将有变化（未更改；加 --apply 执行）0项"),
        "today's rules are yesterday's: {}",
        annexd.say(&["replay"])
    );

    fs::write(annexd.folder().join("rules.toml"), "[switch]\nR23 = false\n").unwrap();
    let shown = annexd.say(&["replay"]);
    assert!(shown.contains(number) && shown.contains("R23"), "{shown}");
    assert!(rules_of(&annexd.export("topics")[0]).contains(&"R23".to_owned()), "looking changes nothing");

    annexd.say(&["replay", "--apply"]);
    let after = annexd.export("topics");
    assert!(!rules_of(&after[0]).contains(&"R23".to_owned()));
    assert_eq!((after.len(), &after[0]["id"], &after[0]["revision"]), (1, &before[0]["id"], &before[0]["revision"]));
    assert_eq!(after[0]["division"], elsewhere, "a person's route stays");
    assert_eq!(annexd.export("letters").len(), letters.len(), "no letter is written for a replay");
    assert!(annexd.say(&["replay"]).contains("0项"), "a second replay finds nothing");
}

#[test]
fn twins_are_found_in_separate_mails_and_neighbours_are_not() {
    let (annexd, samples) = (offline(), samples());
    let mut files = Vec::new();
    for (at, sample) in samples.iter().enumerate() {
        let (id, from) = (format!("s{at:03}"), format!("office{at}@example.cn"));
        let attached = vec![form(&fields(sample))];
        // Enterprises of their own: no bureau speaks for two of them.
        let mail = Mail {
            from: &from, name: "申报人", subject: "专项课题申报", text: "请查收附件。", id: &id, files: attached, to: None
        };
        files.push(file(&annexd, &mail));
    }
    let mut arguments = vec!["import"];
    arguments.extend(files.iter().map(String::as_str));
    annexd.say(&arguments);
    let topics = annexd.export("topics");
    assert_eq!(topics.len(), samples.len());
    let titles: BTreeMap<&str, &str> =
        topics.iter().map(|topic| (topic["id"].as_str().unwrap(), topic["fields"]["topic_title"].as_str().unwrap())).collect();
    let found: Vec<(String, String)> = topics
        .iter()
        .flat_map(|topic| topic["duplicates"].as_array().unwrap().iter().map(move |twin| (topic, twin)))
        .map(|(topic, twin)| {
            (topic["fields"]["topic_title"].as_str().unwrap().to_owned(), titles[twin["topic"].as_str().unwrap()].to_owned())
        })
        .collect();
    assert_eq!(found, twins(&samples));
    for topic in topics.iter().filter(|topic| topic["status"] == "suspected_duplicate") {
        let elder = topics.iter().find(|elder| elder["id"] == topic["duplicates"][0]["topic"]).unwrap();
        assert_eq!((&topic["division"], &topic["routed_by"]), (&elder["division"], &Value::from("twin")));
    }
}

#[test]
fn twins_are_found_within_one_table() {
    let samples = samples();
    let rows: Vec<Fields> = samples.iter().map(fields).collect();
    let mail = bureau_mail("t1", "gxj@example.cn", vec![letter("长春市工信局"), table("长春市工业和信息化局", &rows)]);
    let knowledge = Knowledge { catalogue: Catalogue::shipped(), limits: Limits::default(), ..Knowledge::default() };
    let reading = verdict::read(&mail.bytes(), &knowledge);
    let verdict = verdict::decide(reading, &Known::default(), &knowledge);
    let found: Vec<(String, String)> = verdict
        .topics
        .iter()
        .flat_map(|topic| topic.duplicates.iter().map(move |twin| (topic.text("topic_title").to_owned(), twin.topic.clone())))
        .collect();
    assert_eq!((verdict.topics.len(), found), (samples.len(), twins(&samples)));
}

#[test]
fn forms_of_several_mails_and_rows_of_several_tables_each_find_their_partner() {
    let (annexd, samples) = (offline(), samples());
    let topics: Vec<Fields> = samples.iter().take(12).map(fields).collect();
    let from = "gxj@example.cn";
    let tables = vec![letter("长春市工信局"), table("长春市工业和信息化局", &topics[..6]), table("长春市工业和信息化局", &topics[6..])];
    let (odd, even): (Vec<_>, Vec<_>) = topics.iter().enumerate().partition(|(at, _)| at % 2 == 1);
    let forms = |some: &[(usize, &Fields)]| some.iter().rev().map(|(_, topic)| form(topic)).collect::<Vec<_>>();
    for mail in [bureau_mail("m1", from, tables), bureau_mail("m2", from, forms(&odd)), bureau_mail("m3", from, forms(&even))] {
        annexd.say(&["import", &file(&annexd, &mail)]);
    }
    let recorded = annexd.export("topics");
    assert_eq!(recorded.len(), topics.len());
    for topic in &recorded {
        assert_eq!(topic["sources"].as_array().unwrap().len(), 2, "{}", topic["fields"]["topic_title"]);
        assert!(!rules_of(topic).iter().any(|rule| rule == "R15"), "{:?}", topic["findings"]);
    }
}

#[test]
fn a_forged_receipt_number_overwrites_nothing() {
    let annexd = offline();
    let topic = with(&faulty(), &[("params", "效率≥95%；寿命≥3万次；质量≤80kg")]);
    annexd.say(&["import", &file(&annexd, &bureau_mail("f1", "gxj@example.cn", package(std::slice::from_ref(&topic))))]);
    let before = annexd.export("topics");
    let text = format!("回执编号{}的更正材料见附件。", before[0]["id"].as_str().unwrap());
    let forged = Mail {
        from: "stranger@example.cn",
        name: "某人",
        subject: "更正专项课题材料",
        text: &text,
        id: "f2",
        files: vec![form(&with(&topic, &[("phone", "13999999999")]))],
        to: None,
    };
    annexd.say(&["import", &file(&annexd, &forged)]);
    let after = annexd.export("topics");
    assert_eq!((after.len(), &after[0]), (2, &before[0]));
    assert_eq!((&after[1]["status"], &after[1]["held"]), (&Value::from("suspected_duplicate"), &Value::from(true)));
}

#[test]
fn a_held_topic_is_let_go_by_a_persons_word_even_to_its_own_division() {
    let annexd = offline();
    let by_itself = Mail {
        from: "wudi@example.cn",
        name: "吴迪",
        subject: "专项课题申报",
        text: "我公司申报专项课题一项，请查收附件。",
        id: "h1",
        files: vec![form(&faulty())],
        to: None,
    };
    annexd.say(&["import", &file(&annexd, &by_itself)]);
    let held = annexd.export("topics").remove(0);
    assert_eq!(held["held"], true, "{held}");
    let (id, division) = (held["id"].as_str().unwrap(), held["division"].as_str().unwrap());
    annexd.say(&["topic", "route", id, "--to", division, "--reason", "已与市局核实"]);
    let let_go = annexd.export("topics").remove(0);
    assert_eq!((&let_go["held"], &let_go["division"]), (&Value::Bool(false), &held["division"]));
    assert_eq!(let_go["routed_by"], "person");
}

/// The made-up codes of GB 32100-2015, and what is said about each: rule, severity and a part of the sentence.
const CODES: [(&str, Option<(&str, &str, &str)>); 14] = [
    ("91220101TEXT00017E", None),
    ("91220201TEXT00025E", None),
    ("91220501TEXT00033Q", None),
    ("91222403TEXT000414", None),
    ("91220581TEXT000687", None),
    ("12220000TEXT0005X8", Some(("R8", "error", "通知要求申报主体必须是企业"))),
    ("52220100TEXT000764", Some(("R8", "error", "通知要求申报主体必须是企业"))),
    ("93220882TEXT00084L", Some(("R8", "warning", "请确认申报单位"))),
    ("91220101TEXT00017F", Some(("USCC", "warning", "校验不通过"))),
    ("91220101TEXTO0017E", Some(("USCC", "error", "不应出现的字符“O”，是否应为“91220101TEXT00017E”"))),
    ("91220101TEXT0001E", Some(("USCC", "error", "为17位，应为18位"))),
    ("91220110TEXT00017E", Some(("USCC", "warning", "校验不通过"))),
    ("98220101TEXT00017Q", Some(("USCC", "warning", "前两位不在已知的登记类别之内"))),
    ("91220101TEXT00016B", Some(("USCC", "warning", "第9—17位（主体标识码）的校验位不符"))),
];

#[test]
fn every_kind_of_credit_code_is_told_apart_in_mail_that_was_imported() {
    let (annexd, samples) = (offline(), samples());
    let own = |(sample, (code, _)): (&Value, &(&str, _))| with(&fields(sample), &[("uscc", *code)]);
    let topics: Vec<Fields> = samples.iter().zip(&CODES).map(own).collect();
    annexd.say(&["import", &file(&annexd, &bureau_mail("codes", "gxj@example.cn", package(&topics)))]);
    let recorded = annexd.export("topics");
    assert_eq!(recorded.len(), CODES.len());
    for (code, expected) in CODES {
        let topic = recorded.iter().find(|topic| topic["fields"]["uscc"] == code).expect("the code stays as it was written");
        let findings = topic["findings"].as_array().unwrap().iter();
        let about: Vec<[&str; 3]> = findings
            .map(|finding| ["rule", "severity", "message"].map(|key| finding[key].as_str().unwrap()))
            .filter(|[rule, _, message]| *rule == "USCC" || (*rule == "R8" && message.contains("统一社会信用代码属于")))
            .collect();
        match (about.as_slice(), expected) {
            ([], None) => {}
            ([[rule, severity, message]], Some((its_rule, its_severity, part))) => {
                assert_eq!((*rule, *severity, message.contains(part)), (its_rule, its_severity, true), "{code}: {message}");
            }
            (about, _) => panic!("{code}: {about:?}"),
        }
    }
}

#[test]
fn a_code_under_two_names_shows_over_mails_and_a_correction_is_not_held_against_itself() {
    let (annexd, samples) = (offline(), samples());
    let topic = |at: usize, applicant: &str, code: &str| with(&fields(&samples[at]), &[("applicant", applicant), ("uscc", code)]);
    let shared = |title: &str| {
        let topics = annexd.export("topics");
        let topic = topics.iter().find(|topic| topic["fields"]["topic_title"] == title).unwrap();
        let findings = topic["findings"].as_array().unwrap().iter().map(|finding| finding["message"].as_str().unwrap().to_owned());
        findings.filter(|message| message.contains("在本批及相关已收课题中")).collect::<Vec<_>>()
    };
    let title = |at: usize| samples[at]["title"].as_str().unwrap();
    let arrives = |id: &str, from: &str, topic: Fields| annexd.say(&["import", &file(&annexd, &bureau_mail(id, from, package(&[topic])))]);

    arrives("first", "gxj@example.cn", topic(0, "长春示例轨道装备有限公司", "91220101TEXT00017E"));
    arrives("second", "gxj@example.cn", topic(1, "长春示例高速装备有限公司", "91220101TEXT00017E"));
    assert_eq!(shared(title(0)), Vec::<String>::new(), "it was alone when it came");
    let [told] = shared(title(1)).try_into().unwrap();
    assert!(told.contains("91220101TEXT00017E") && told.contains("长春示例轨道装备有限公司、长春示例高速装备有限公司"), "{told}");

    arrives("third", "gxj@example.cn", topic(1, "长春示例高速装备有限公司", "91220201TEXT00025E"));
    assert_eq!(shared(title(1)), Vec::<String>::new(), "its earlier code is put right");
}
