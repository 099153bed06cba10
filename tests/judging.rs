//! Corrections, late forms, resent mails, two senders of one topic: whole journeys over real SMTP and IMAP, judged by what the sender
//! reads and what a reviewer finds recorded.

use crate::support::office::{Department, Fields, Mail, form, letter, table, with};
use annexd::domain::message::Message;
use serde_json::Value;

const CHANGCHUN: &str = "gxj-changchun@example.cn";
const JILIN: &str = "gxj-jilin@example.cn";

/// A topic with every field that the forms ask for.
fn topic(title: &str, applicant: &str, code: &str) -> Fields {
    let fields = [
        ("topic_title", title),
        ("applicant", applicant),
        ("uscc", code),
        ("region", "长春市绿园区"),
        ("industry", "轨道交通装备"),
        ("gb_code", "C371"),
        ("topic_type", "关键核心技术攻关"),
        ("contact", "赵明"),
        ("phone", "13900001001"),
        (
            "problem",
            "高速动车组转向架轴箱轴承长期依赖进口监测装置，国内同类装置在零下40℃环境下误报率高达5%，无法提前识别早期剥离故障，制约我省轨道客车产业链自主配套。",
        ),
        ("benchmark", "国内同类产品故障识别率约85%，国际先进水平（德国、瑞典企业）为96%，本课题目标达到97%。"),
        ("goal", "研制适用于高寒环境的轴箱轴承在线监测装置，实现早期故障预警并完成装车考核。"),
        ("content", "声发射与振动信号融合诊断算法研究；低功耗无线传感节点设计；装车试验与考核。"),
        ("params", "故障识别率≥97%；误报率≤0.5%；工作温度-40℃～85℃；采样频率≥20kHz"),
        ("product", "轴箱轴承在线监测装置"),
        ("market", "省内动车组年需求约1200套，市场前景良好。"),
        ("benefit", "达产后预计年新增产值8000万元，利税1200万元。"),
        ("mode", "联合高校院所"),
        ("partners", "吉林示例大学"),
        ("period", "2024年9月至2026年8月"),
        ("invest", "1500"),
    ];
    fields.into_iter().map(|(key, text)| (key.to_owned(), text.to_owned())).collect()
}

fn bearing() -> Fields {
    topic("轨道车辆转向架轴箱轴承在线监测装置研制", "长春示例轨道装备有限公司", "91220101DEM000014W")
}

/// Another technology of another enterprise.
fn encoder() -> Fields {
    let other = topic("高精度光学编码器专用芯片开发", "长春示例光电科技有限公司", "91220101DEM000022P");
    with(
        &other,
        &[
            ("industry", "电子信息"),
            ("gb_code", "C397"),
            ("phone", "13900001002"),
            ("contact", "钱立"),
            (
                "problem",
                "高端数控机床用绝对式光学编码器的专用细分芯片被国外两家企业垄断，交货周期超过六个月且限量供应，国内产品细分精度不足。",
            ),
            ("benchmark", "国内产品分辨率为23位，国际先进水平为28位，进口芯片单价是国产芯片的6倍。"),
            ("goal", "开发28位绝对式光学编码器专用细分芯片，完成流片和装机验证。"),
            ("content", "细分电路设计；误差补偿；流片与装机验证。"),
            ("params", "分辨率≥28位；细分误差≤±0.5角秒；响应频率≥10MHz"),
            ("product", "编码器专用细分芯片"),
            ("market", "国内年需求约60万片。"),
            ("benefit", "预计三年内新增销售收入1.2亿元。"),
        ],
    )
}

fn from_changchun<'a>(id: &'a str, subject: &'a str, files: Vec<crate::support::office::File>) -> Mail<'a> {
    Mail {
        from: CHANGCHUN, name: "长春市工信局", subject, text: "现报送我市专项课题，请查收。\n长春市工业和信息化局", id, files, to: None
    }
}

/// Letter, table and forms of one bureau.
fn package(bureau: &str, topics: &[Fields]) -> Vec<crate::support::office::File> {
    [letter(bureau), table(bureau, topics)].into_iter().chain(topics.iter().map(form)).collect()
}

fn number(topic: &Value) -> &str {
    topic["id"].as_str().unwrap()
}

fn says(receipt: &Message, words: &[&str]) {
    for word in words {
        assert!(receipt.text.contains(word), "“{word}” does not stand in:\n{}", receipt.text);
    }
}

fn is_silent_about(receipt: &Message, words: &[&str]) {
    for word in words {
        assert!(!receipt.text.contains(word), "“{word}” stands in:\n{}", receipt.text);
    }
}

fn rules(findings: &Value) -> Vec<(&str, &str)> {
    let findings = findings.as_array().unwrap().iter();
    findings.map(|finding| (finding["rule"].as_str().unwrap(), finding["field"].as_str().unwrap_or(""))).collect()
}

#[test]
fn a_correction_by_reply_keeps_its_number_and_is_told_what_changed_and_what_is_left() {
    let department = Department::open();
    let faulty = with(&bearing(), &[("params", "整体性能达到先进水平，稳定可靠"), ("phone", "")]);
    let files = package("长春市工业和信息化局", std::slice::from_ref(&faulty));
    let first = department.receives(&from_changchun("a1", "长春市工信局报送专项课题", files)).unwrap();
    let id = number(&department.topics()[0]).to_owned();
    says(&first, &[&id, "需补正", "主要技术参数", "联系电话"]);

    let better = with(&faulty, &[("params", &bearing()["params"]), ("invest", "1800")]);
    let reply =
        Mail { to: Some(&first), ..from_changchun("a2", "回复：【自动回执】已收到专项课题材料", vec![form(&better)]) };
    let second = department.receives(&reply).unwrap();
    says(&second, &[&id, "本次已补正：", "主要技术参数", "本次变更：总投资", "联系电话"]);
    is_silent_about(&second, &["未见可量化", "材料齐全"]);

    let topics = department.topics();
    assert_eq!((topics.len(), topics[0]["revision"].as_i64(), number(&topics[0])), (1, Some(2), id.as_str()));
    assert_eq!((&topics[0]["status"], &topics[0]["held"]), (&Value::from("needs_correction"), &Value::from(false)));
    let revision = &department.story(&id)["revisions"][1];
    assert_eq!(revision["changed"], serde_json::json!(["invest", "params"]));
    let of_params = revision["changes"].as_array().unwrap().iter().find(|change| change["field"] == "params").unwrap();
    assert_eq!((&of_params["then"], &of_params["now"]), (&Value::from(faulty["params"].as_str()), &Value::from(better["params"].as_str())));
    assert!(rules(&revision["closed"]).contains(&("R23", "params")), "{revision}");
    assert!(revision["opened"].as_array().unwrap().is_empty(), "{revision}");

    let third = department.receives(&Mail {
        to: Some(&second),
        ..from_changchun("a3", "回复：【自动回执】已收到补充更正材料", vec![form(&with(&better, &[("phone", "13900001001")]))])
    });
    let third = third.unwrap();
    says(&third, &[&id, "本次已补正：联系电话"]);
    assert_eq!(department.topics()[0]["status"], "accepted", "{}", third.text);
    assert!(department.annexd.say(&["topic", "show", &id]).contains("已办结"));
}

#[test]
fn forms_that_come_days_later_close_the_open_points_of_their_rows() {
    let department = Department::open();
    let topics = [bearing(), encoder()];
    let files = vec![letter("长春市工信局"), table("长春市工业和信息化局", &topics), form(&topics[0])];
    let first = department.receives(&from_changchun("b1", "长春市工信局报送专项课题", files)).unwrap();
    let before = department.topics();
    assert_eq!(before.len(), 2);
    let waiting = before.iter().find(|topic| topic["fields"]["topic_title"] == *topics[1]["topic_title"]).unwrap();
    assert_eq!((&waiting["status"], waiting["sources"].as_array().unwrap().len()), (&Value::from("needs_correction"), 1));
    says(&first, &[number(waiting), "附件1"]);

    let second = department.receives(&from_changchun("b2", "补报申报表", vec![form(&topics[1])])).unwrap();
    says(&second, &[number(waiting)]);
    is_silent_about(&second, &["需补正", "未见正式文件"]);
    let after = department.topics();
    assert_eq!(after.len(), 2, "a late form is no new topic");
    let complete = after.iter().find(|topic| topic["id"] == waiting["id"]).unwrap();
    assert_eq!((&complete["status"], complete["sources"].as_array().unwrap().len()), (&Value::from("accepted"), 2), "{}", second.text);
    assert!(complete["completeness"]["percent"].as_u64() > waiting["completeness"]["percent"].as_u64());
}

#[test]
fn the_same_mail_sent_once_more_changes_nothing_and_is_not_answered() {
    let department = Department::open();
    let raw = from_changchun("c1", "长春市工信局报送专项课题", package("长春市工业和信息化局", &[bearing()])).bytes();
    assert!(department.receives_raw(CHANGCHUN, &raw).is_some());
    let before = department.topics();
    assert!(department.receives_raw(CHANGCHUN, &raw).is_none());
    assert_eq!(department.topics(), before);
    assert_eq!(department.annexd.export("messages").len(), 2);
}

#[test]
fn the_same_content_in_a_new_mail_keeps_number_and_revision_and_the_receipt_says_so() {
    let department = Department::open();
    let send =
        |id: &str| department.receives(&from_changchun(id, "长春市工信局报送专项课题", package("长春市工业和信息化局", &[bearing()])));
    send("d1").unwrap();
    let before = department.topics();
    let again = send("d2").unwrap();
    says(&again, &[number(&before[0]), "与此前"]);
    assert_eq!(department.topics(), before);
}

#[test]
fn a_topic_that_two_bureaus_send_waits_for_a_person_and_neither_sender_hears_of_it() {
    let department = Department::open();
    department.receives(&from_changchun("e1", "长春市工信局报送专项课题", package("长春市工业和信息化局", &[bearing()]))).unwrap();
    let elder = department.topics().remove(0);
    let other = with(&bearing(), &[("invest", "1600"), ("industry", "电子信息")]);
    let receipt = department.receives(&Mail {
        from: JILIN,
        name: "吉林市工信局",
        subject: "吉林市工信局报送专项课题",
        text: "请查收。\n吉林市工业和信息化局",
        id: "e2",
        files: package("吉林市工业和信息化局", &[other]),
        to: None,
    });
    let receipt = receipt.unwrap();
    is_silent_about(&receipt, &["重复", "相似", "雷同", number(&elder)]);
    let topics = department.topics();
    assert_eq!(topics.len(), 2, "another sender's version is a topic of its own");
    assert_eq!(topics[0], elder, "and changes nothing of the elder");
    assert_eq!(topics[1]["status"], "suspected_duplicate");
    assert_eq!((&topics[1]["division"], &topics[1]["routed_by"]), (&elder["division"], &Value::from("twin")));
    assert_eq!(topics[1]["duplicates"][0]["topic"], elder["id"]);
}

#[test]
fn a_topic_that_an_enterprise_sent_by_itself_is_taken_over_by_its_bureau() {
    let department = Department::open();
    let alone = Mail {
        from: "heping@qiye.example.cn",
        name: "何平",
        subject: "专项课题申报",
        text: "您好，我公司申报专项课题一项。",
        id: "f1",
        files: vec![form(&bearing())],
        to: None,
    };
    let receipt = department.receives(&alone).unwrap();
    let first = department.topics().remove(0);
    assert_eq!(first["held"], true, "{}", receipt.text);
    let submitted =
        department.receives(&from_changchun("f2", "长春市工信局报送专项课题", package("长春市工业和信息化局", &[bearing()]))).unwrap();
    let topics = department.topics();
    assert_eq!(
        (topics.len(), &topics[0]["id"], &topics[0]["held"]),
        (1, &first["id"], &Value::from(false)),
        "{}\n{}",
        submitted.text,
        topics[0]
    );
    assert_eq!(topics[0]["bureau"]["id"], "changchun");
    says(&submitted, &[number(&first)]);
}

#[test]
fn a_person_takes_a_topic_out_with_a_reason_that_its_story_tells() {
    let department = Department::open();
    department
        .receives(&from_changchun("g1", "长春市工信局报送专项课题", package("长春市工业和信息化局", &[bearing(), encoder()])))
        .unwrap();
    let topics = department.topics();
    let (out, stays) = (number(&topics[0]), number(&topics[1]));
    assert!(!department.annexd.run(&["topic", "withdraw", out]).status.success(), "not without a reason");
    department.annexd.say(&["topic", "withdraw", out, "--reason", "企业书面申请撤回"]);
    let story = department.annexd.say(&["topic", "show", out]);
    assert!(story.contains("撤回") && story.contains("企业书面申请撤回"), "{story}");
    let status = |id: &str| department.topics().into_iter().find(|topic| topic["id"] == id).unwrap()["status"].clone();
    assert_eq!((status(out), status(stays)), (Value::from("withdrawn"), Value::from("accepted")));
}

#[test]
fn a_reworded_title_with_the_receipt_number_in_the_text_is_a_revision() {
    let department = Department::open();
    department
        .receives(&from_changchun("h1", "长春市工信局报送专项课题", package("长春市工业和信息化局", &[bearing(), encoder()])))
        .unwrap();
    let before = department.topics();
    let known = before.iter().find(|topic| topic["fields"]["topic_title"] == *bearing()["topic_title"]).unwrap();
    let reworded = with(&bearing(), &[("topic_title", "面向高寒地区的走行部状态感知系统")]);
    let text = format!("我市回执编号{}的课题名称有调整，更正后的申报表见附件。\n长春市工业和信息化局", number(known));
    let receipt = department.receives(&Mail { text: &text, ..from_changchun("h2", "更正专项课题材料", vec![form(&reworded)]) }).unwrap();
    says(&receipt, &[number(known), "走行部状态感知系统", "本次变更：课题名称"]);
    let after = department.topics();
    let revised = after.iter().find(|topic| topic["id"] == known["id"]).unwrap();
    assert_eq!((after.len(), revised["revision"].as_i64()), (2, Some(2)));
    assert_eq!(revised["fields"]["topic_title"], *reworded["topic_title"]);
}

#[test]
fn a_late_form_that_says_no_more_than_its_row_still_closes_the_open_point() {
    let department = Department::open();
    let row = bearing();
    let in_table: Fields = row
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "gb_code" | "content" | "product" | "market" | "mode"))
        .map(|(key, text)| (key.clone(), text.clone()))
        .collect();
    let in_table = with(&in_table, &[("benchmark", "")]);
    let files = vec![letter("长春市工信局"), table("长春市工业和信息化局", std::slice::from_ref(&in_table))];
    department.receives(&from_changchun("i1", "长春市工信局报送专项课题", files)).unwrap();
    let waiting = department.topics().remove(0);
    department.receives(&from_changchun("i2", "补报申报表", vec![form(&in_table)])).unwrap();
    let topics = department.topics();
    assert_eq!((topics.len(), &topics[0]["id"], topics[0]["sources"].as_array().unwrap().len()), (1, &waiting["id"], 2));
    assert!(!rules(&topics[0]["findings"]).iter().any(|(rule, field)| *rule == "R14" && field.is_empty()), "{}", topics[0]["findings"]);
}
