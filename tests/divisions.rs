//! Divisions answer by mail, over real SMTP and IMAP: orders in words and in the workbook that LibreOffice saved, forged orders, the
//! same order twice; what submitters, divisions and the router get of it.

#[path = "divisions/desk.rs"]
mod desk;

use crate::support::accounts::{ADMINISTRATORS, DEPARTMENT};
use desk::{Desk, workbook_of};

#[test]
fn a_transfer_by_mail_reaches_the_new_division_and_the_router_learns_it() {
    let desk = Desk::open();
    desk.submit_urgent();
    let letter = desk.letter_to("equip", 1);
    let number = desk.number_of("受电弓");
    assert!(letter.subject.contains("加急") && letter.text.contains(&number), "{}", letter.text);
    assert!(letter.files.iter().any(|(name, _)| name.contains("汇总表")), "the original annex goes with it: {:?}", letter.names());

    desk.reply("equip@division.example.cn", &letter, &format!("转 电子信息处 {number} 传感检测为主\n谢谢！\n"), &[]);
    desk.poll();
    let topic = desk.topic("受电弓");
    assert_eq!((topic["division"].as_str(), topic["routed_by"].as_str()), (Some("electronics"), Some("person")));
    let confirmation = desk.letter_to("equip", 2);
    assert!(confirmation.subject.contains("成功1项"), "{}", confirmation.subject);
    let told = desk.letter_to("electronics", 1);
    assert!(told.text.contains(&number), "{}", told.text);

    let story = desk.say(&["topic", "show", &number]);
    for words in ["equip@division.example.cn", "转办", "传感检测为主", "转办", "人工"] {
        assert!(story.contains(words), "{words} is missing:\n{story}");
    }
    let trained = desk.json(&["--json", "route", "train"]);
    assert_eq!(trained["trained_on"], serde_json::json!([number]));
    let before = desk.json(&["--json", "route", "explain", &number]);
    assert_eq!(before["model_version"] == trained["version"], trained["active"] == true);
    assert_eq!(desk.json(&["--json", "route", "off"])["in_force"], "off");
    assert_eq!(desk.json(&["--json", "route", "explain", &number])["model_version"], "");
    assert_eq!(desk.json(&["--json", "route", "rollback"])["in_force"] == trained["version"], trained["active"] == true);
    assert_eq!(desk.json(&["--json", "route", "use", "shipped"])["in_force"], "shipped");
}

#[test]
fn guidance_reaches_the_submitter_as_a_reply_and_what_is_not_understood_comes_back_with_an_example() {
    let desk = Desk::open();
    let submitted = desk.submit_urgent();
    let letter = desk.letter_to("equip", 1);
    let number = desk.number_of("受电弓");
    let words = format!("补正 {number} 请补充与国外产品的对标数据\n同意这一项 {number}\n转 火箭处 {number}\n\n> 受理 {number}\n");
    desk.reply("equip@division.example.cn", &letter, &words, &[]);
    desk.poll();
    let received = desk.letters_to("gxj-changchun@example.cn", 2);
    let guidance = received.iter().find(|letter| letter.text.contains("对标数据")).expect("no guidance arrived");
    assert_eq!(guidance.in_reply_to.as_deref(), Some(submitted.as_str()));
    assert!(!guidance.text.contains("equip@division"), "the submitter is not told the division's address");
    let confirmation = desk.letter_to("equip", 2);
    for words in ["成功1项，未办2项", "同意这一项", "转 火箭处", "例如：受理", "例如：转 医药工业处"] {
        assert!(confirmation.subject.contains(words) || confirmation.text.contains(words), "{words}:\n{}", confirmation.text);
    }
    let topic = desk.topic("受电弓");
    assert_eq!((topic["division"].as_str(), topic["status"].as_str()), (Some("equip"), Some("needs_correction")));
}

#[test]
fn a_forged_order_changes_nothing_is_not_answered_and_is_shown_to_administrators() {
    let desk = Desk::open();
    desk.submit_urgent();
    let letter = desk.letter_to("equip", 1);
    let number = desk.number_of("受电弓");
    let before = desk.topic("受电弓");
    let letters_before = desk.export("letters").len();
    let order = format!("转 食品工业处 {number} 请即办理\n");
    // Another address with the token; the right address without it; another address without it.
    desk.reply("heping@qiye.example.cn", &letter, &order, &[]);
    desk.write("equip@division.example.cn", "Subject: order\r\n", &order);
    desk.write("sunli@qiye.example.cn", "Subject: order\r\n", &order);
    desk.poll();
    assert_eq!(desk.topic("受电弓"), before);
    assert_eq!(desk.export("letters").len(), letters_before, "a forged order is answered with nothing");
    let held: Vec<_> = desk.export("messages").into_iter().filter(|message| message["kind"] == "division_reply").collect();
    assert_eq!(held.len(), 3, "{held:?}");
    let digest = desk.say(&["digest", "--date", &desk.today()]);
    for sender in ["heping@qiye.example.cn", "equip@division.example.cn", "sunli@qiye.example.cn"] {
        assert!(digest.contains(sender), "{sender}:\n{digest}");
    }
    assert!(!ADMINISTRATORS.contains(&DEPARTMENT));
}

#[test]
fn the_same_order_twice_changes_nothing_the_second_time() {
    let desk = Desk::open();
    desk.submit_urgent();
    let letter = desk.letter_to("equip", 1);
    let number = desk.number_of("受电弓");
    let order = format!("补正 {number} 请补充检测数据\n");
    desk.reply("equip@division.example.cn", &letter, &order, &[]);
    desk.poll();
    let story = desk.json(&["--json", "topic", "show", &number]);
    let guidance = || desk.export("letters").iter().filter(|letter| letter["subject"].as_str().unwrap().contains("申报指导")).count();
    assert_eq!(guidance(), 1);
    desk.reply("equip@division.example.cn", &letter, &order, &[]);
    desk.poll();
    assert_eq!(desk.json(&["--json", "topic", "show", &number])["decisions"], story["decisions"]);
    assert_eq!(guidance(), 1, "the submitter is told once");
}

#[test]
fn a_workbook_that_libreoffice_saved_is_understood() {
    let desk = Desk::open();
    desk.submit_urgent();
    let letter = desk.letter_to("auto", 1);
    let (first, second) = (desk.number_of("循环球转向"), desk.number_of("燃料电池发动机"));
    let workbook = letter.files.iter().find(|(name, _)| name.ends_with(".xlsx") && name.contains("清单")).unwrap();
    let decisions = [(first.as_str(), "受理"), (second.as_str(), "转 重大技术装备处")];
    let edited = workbook_of(&workbook.1, &decisions);
    desk.reply("auto@division.example.cn", &letter, "见附件，请办理。\n", &[("清单-已填.xlsx", &edited)]);
    desk.poll();
    assert_eq!(desk.topic("燃料电池发动机")["division"], "equip");
    let story = desk.json(&["--json", "topic", "show", &first]);
    assert_eq!(story["decisions"][0]["verb"], "accept");
    assert!(desk.letter_to("auto", 2).subject.contains("成功2项"));
}
