//! Laws of matching, reconciling and replaying, judged without any server: mails in, verdicts out, the store played by hand.

use crate::support::office::{Fields, File, Mail, form, letter, table, with};
use annexd::domain::{
    forms::catalogue::Catalogue,
    limits::Limits,
    routing::Divisions,
    submitters::Submitters,
    verdict::{
        self, Change, Knowledge, Known, KnownTopic, TopicStatus, Verdict,
        replaying::{Difference, Stored, replay},
    },
};

const BUREAU: &str = "长春市工业和信息化局";

fn knowledge() -> Knowledge {
    Knowledge {
        catalogue: Catalogue::shipped(),
        divisions: Divisions::shipped(),
        submitters: Submitters::shipped(),
        limits: Limits::default(),
        ..Knowledge::default()
    }
}

fn bearing() -> Fields {
    let fields = [
        ("topic_title", "轨道车辆转向架轴箱轴承在线监测装置研制"),
        ("applicant", "长春示例轨道装备有限公司"),
        ("uscc", "91220101DEM000014W"),
        ("region", "长春市绿园区"),
        ("industry", "轨道交通装备"),
        ("contact", "赵明"),
        ("phone", "13900001001"),
        (
            "problem",
            "高速动车组转向架轴箱轴承长期依赖进口监测装置，国内同类装置在零下40℃环境下误报率高达5%，无法提前识别早期剥离故障，制约我省轨道客车产业链自主配套。",
        ),
        ("benchmark", "国内同类产品故障识别率约85%，国际先进水平（德国、瑞典企业）为96%，本课题目标达到97%。"),
        ("goal", "研制适用于高寒环境的轴箱轴承在线监测装置，实现早期故障预警并完成装车考核。"),
        ("params", "故障识别率≥97%；误报率≤0.5%；工作温度-40℃～85℃；采样频率≥20kHz"),
        ("benefit", "达产后预计年新增产值8000万元，利税1200万元。"),
        ("period", "2024年9月至2026年8月"),
        ("invest", "1500"),
    ];
    fields.into_iter().map(|(key, text)| (key.to_owned(), text.to_owned())).collect()
}

/// What the same firm also applies for.
fn brake() -> Fields {
    with(
        &bearing(),
        &[
            ("topic_title", "高寒动车组制动夹钳密封结构研制"),
            ("problem", "制动夹钳单元在严寒线路上密封圈硬化渗油，夹钳回位不良造成闸片拖磨，一列车每个冬季更换闸片六百余片，检修停时长。"),
            ("goal", "开发耐寒密封副和自动间隙补偿机构，替代现有夹钳单元并完成两个冬季的运用考核。"),
            ("params", "零下50℃渗漏≤0.05mL/次；补偿精度±0.2mm；疲劳≥200万次"),
        ],
    )
}

fn mail<'a>(id: &'a str, subject: &'a str, text: &'a str, files: Vec<File>) -> Mail<'a> {
    Mail { from: "gxj@example.cn", name: "长春市工信局", subject, text, id, files, to: None }
}

fn judged(mail: &Mail<'_>, known: &Known) -> Verdict {
    let knowledge = knowledge();
    verdict::decide(verdict::read(&mail.bytes(), &knowledge), known, &knowledge)
}

/// What the store knows once these topics are recorded, numbered from one in their order.
fn stored(verdict: &Verdict) -> Vec<KnownTopic> {
    let bureau = verdict.bureau.as_ref().map(|bureau| bureau.id.clone());
    let known = |(at, topic): (usize, &verdict::Topic)| KnownTopic {
        id: format!("2024-0000{}-0", at + 1),
        key: topic.key.clone(),
        fingerprint: topic.fingerprint.clone(),
        draft: topic.draft.clone(),
        findings: topic.findings.clone(),
        sender: verdict.from.as_ref().unwrap().address.clone(),
        bureau: bureau.clone(),
        status: topic.status,
        held: topic.held,
        division: topic.route.division.clone(),
        brought_at: None,
    };
    verdict.topics.iter().enumerate().map(known).collect()
}

fn knows(topics: Vec<KnownTopic>) -> Known {
    Known { topics, ..Known::default() }
}

fn revised(verdict: &Verdict) -> Vec<Option<&str>> {
    let id = |topic: &verdict::Topic| match &topic.change {
        Change::Revision { id, .. } | Change::Same { id } => Some(id.as_str().to_owned().leak() as &str),
        Change::New => None,
    };
    verdict.topics.iter().map(id).collect()
}

fn r15(verdict: &Verdict) -> Vec<String> {
    let told = verdict.topics.iter().flat_map(|topic| &topic.findings).chain(&verdict.findings);
    told.filter(|finding| finding.rule == "R15").map(|finding| finding.message.clone()).collect()
}

fn rows(topics: &[Fields]) -> Vec<File> {
    vec![letter("长春市工信局"), table(BUREAU, topics)]
}

#[test]
fn one_draft_takes_the_likeliest_of_several_candidates_and_leaves_the_others_alone() {
    let second = with(
        &bearing(),
        &[
            ("topic_title", "轨道车辆转向架轴箱轴承在线监测装置研制（二期）"),
            ("problem", &brake()["problem"]),
            ("goal", &brake()["goal"]),
            ("params", &brake()["params"]),
        ],
    );
    let topics = stored(&judged(&mail("l1", "报送专项课题", BUREAU, rows(&[second, brake(), bearing()])), &Known::default()));
    let numbers: Vec<String> = topics.iter().map(|topic| topic.id.clone()).collect();
    let corrected = with(&bearing(), &[("topic_title", "转向架轴箱轴承在线监测装置研制"), ("invest", "1800")]);
    let again = judged(&mail("l2", "更正专项课题", BUREAU, vec![form(&corrected)]), &knows(topics));
    assert_eq!(revised(&again), [Some(numbers[2].as_str())], "the reworded title stands under the body it belongs to");
}

#[test]
fn two_drafts_never_revise_one_topic() {
    let topics = stored(&judged(&mail("l3", "报送专项课题", BUREAU, rows(&[bearing()])), &Known::default()));
    let reworded = with(&bearing(), &[("topic_title", "转向架轴箱轴承在线监测装置研制")]);
    let again = judged(&mail("l4", "报送专项课题", BUREAU, vec![form(&reworded), form(&bearing())]), &knows(topics));
    let mut found = revised(&again);
    found.sort_unstable();
    assert_eq!(found, [None, Some("2024-00001-0")]);
}

#[test]
fn a_late_form_that_contradicts_the_row_of_an_earlier_mail_is_asked_about_until_they_agree() {
    let first = judged(&mail("l5", "报送专项课题", BUREAU, rows(&[bearing()])), &Known::default());
    let other = with(&bearing(), &[("invest", "3200")]);
    let late = judged(&mail("l6", "补报申报表", BUREAU, vec![form(&other)]), &knows(stored(&first)));
    assert_eq!(revised(&late), [Some("2024-00001-0")]);
    let told = r15(&late);
    assert!(told.len() == 1 && told[0].contains("总投资") && told[0].contains("1500") && told[0].contains("3200"), "{told:?}");

    let agrees = judged(&mail("l7", "更正申报表", BUREAU, vec![form(&bearing())]), &knows(stored(&late)));
    assert_eq!(r15(&agrees), Vec::<String>::new());
    assert!(agrees.topics[0].closed.iter().any(|closed| closed.rule == "R15"), "{:?}", agrees.topics[0].closed);
}

#[test]
fn a_late_row_that_contradicts_the_form_of_an_earlier_mail_is_asked_about() {
    let first = judged(&mail("l8", "报送专项课题", BUREAU, vec![letter("长春市工信局"), form(&bearing())]), &Known::default());
    let other = with(&bearing(), &[("phone", "13900009999")]);
    let late = judged(&mail("l9", "补报汇总表", BUREAU, vec![table(BUREAU, &[other])]), &knows(stored(&first)));
    let told = r15(&late);
    assert!(told.iter().any(|told| told.contains("13900001001") && told.contains("13900009999")), "{told:?}");
    assert_eq!(late.topics[0].text("phone"), "13900001001", "the form wins");
}

#[test]
fn a_topic_that_a_person_took_out_is_not_revived_by_naming_its_number() {
    let mut topics = stored(&judged(&mail("l10", "报送专项课题", BUREAU, rows(&[bearing()])), &Known::default()));
    topics[0].status = TopicStatus::Withdrawn;
    let known = Known { named_topics: vec![topics[0].id.clone()], answered_topics: vec![topics[0].id.clone()], ..knows(topics) };
    let again = judged(&mail("l11", "更正2024-00001-0", BUREAU, vec![form(&bearing())]), &known);
    assert_eq!(revised(&again), [None]);
}

#[test]
fn two_bureaus_that_send_one_topic_keep_two_numbers_and_one_division() {
    let elders = stored(&judged(&mail("l12", "报送专项课题", BUREAU, rows(&[bearing()])), &Known::default()));
    let division = elders[0].division.clone();
    let other = Mail {
        from: "gxj-jilin@example.cn",
        name: "吉林市工信局",
        ..mail("l13", "报送专项课题", "吉林市工业和信息化局", vec![table("吉林市工业和信息化局", &[bearing()])])
    };
    let second = judged(&other, &knows(elders));
    assert_eq!(revised(&second), [None]);
    assert_eq!((second.topics[0].status, second.topics[0].route.division.as_str()), (TopicStatus::SuspectedDuplicate, division.as_str()));
    assert_eq!(second.topics[0].duplicates[0].topic, "2024-00001-0");
}

#[test]
fn a_twins_route_stays_in_a_replay_and_any_other_route_is_compared() {
    let sent = mail("l14", "报送专项课题", BUREAU, rows(&[bearing()]));
    let mut topics = stored(&judged(&sent, &Known::default()));
    let elsewhere = if topics[0].division == "petro" { "food" } else { "petro" };
    elsewhere.clone_into(&mut topics[0].division);
    let stored = [Stored { topic: topics.remove(0), before: None, settled: false }];
    let moves = |decided: &[String]| {
        let replayed = replay(verdict::read(&sent.bytes(), &knowledge()), &stored, decided, &knowledge());
        replayed.topics[0].differences.iter().any(|difference| matches!(difference, Difference::Division { .. }))
    };
    assert!(moves(&[]));
    assert!(!moves(&[stored[0].topic.id.clone()]));
}

#[test]
fn a_file_that_could_not_be_read_then_and_can_be_now_brings_its_topic_in_a_replay() {
    let sent = mail("l15", "报送专项课题", BUREAU, vec![letter("长春市工信局"), form(&bearing())]);
    let narrow = Knowledge { limits: Limits { package_entries_max: 1, ..Limits::default() }, ..knowledge() };
    let then = verdict::decide(verdict::read(&sent.bytes(), &narrow), &Known::default(), &narrow);
    assert!(then.topics.is_empty() && then.kind == annexd::domain::kind::Kind::Submission, "{:?}", then.kind);
    let now = replay(verdict::read(&sent.bytes(), &knowledge()), &[], &[], &knowledge());
    assert_eq!(now.topics.iter().map(|topic| topic.differences.as_slice()).collect::<Vec<_>>(), [[Difference::New]]);
    assert_eq!(now.topics[0].now.text("topic_title"), bearing()["topic_title"]);
}

#[test]
fn a_mail_whose_topic_was_corrected_later_or_taken_out_brings_nothing_new_in_a_replay() {
    let sent = mail("l16", "报送专项课题", BUREAU, rows(&[bearing(), brake()]));
    let mut topics = stored(&judged(&sent, &Known::default()));
    topics[1].status = TopicStatus::Withdrawn;
    let settled: Vec<Stored> = topics.into_iter().map(|topic| Stored { topic, before: None, settled: true }).collect();
    let replayed = replay(verdict::read(&sent.bytes(), &knowledge()), &settled, &[], &knowledge());
    assert!(replayed.topics.is_empty() && replayed.not_found.is_empty(), "{:?}", replayed.not_found);
    assert_eq!(replay(verdict::read(&sent.bytes(), &knowledge()), &[], &[], &knowledge()).topics.len(), 2);
}
