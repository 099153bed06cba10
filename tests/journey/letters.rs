//! What lies in the mailboxes of submitters, divisions and administrators, read by IMAP and taken apart by a mail parser.

use std::io::Cursor;

use calamine::Reader as _;
use mail_parser::{Message, MessageParser, MimeHeaders as _};
use serde_json::Value;

use crate::support::{
    Annexd, MailSystem,
    month::{self, is_twin, name},
};

fn parsed(raw: &[u8]) -> Message<'_> {
    MessageParser::default().parse(raw).unwrap()
}

fn header(message: &Message<'_>, name: &str) -> String {
    message.header_raw(name).unwrap_or_default().trim().to_owned()
}

/// Lines are wrapped for old programs; a reader does not mind.
fn flat(text: &str) -> String {
    text.split_whitespace().collect()
}

fn text(message: &Message<'_>) -> String {
    flat(&message.body_text(0).unwrap_or_default())
}

/// The Message-ID of a mail that was sent, as its own header has it.
fn own_id(raw: &[u8]) -> Option<String> {
    parsed(raw).message_id().map(|id| format!("<{id}>"))
}

/// One receipt a mail, in its thread, marked as automatic, with every topic, its number, and every correction in words.
pub fn submitters_got_their_receipts(mail: &MailSystem, manifest: &[Value], annexd: &Annexd) {
    let topics = annexd.export("topics");
    for (sender, due) in month::receipts_due(manifest) {
        let arrived = mail.wait_for(&sender, due, std::time::Duration::from_secs(60));
        assert_eq!(arrived.len(), due, "{sender} got another number of receipts");
        let receipts: Vec<Message<'_>> = arrived.iter().map(|raw| parsed(raw)).collect();
        for receipt in &receipts {
            assert_eq!(header(receipt, "Auto-Submitted"), "auto-replied", "{sender}");
            assert!(receipt.subject().unwrap().starts_with("【自动回执】"), "{sender}: {:?}", receipt.subject());
            assert!(receipt.message_id().is_some(), "{sender}");
            assert_eq!(
                receipt.from().and_then(|from| from.first()).and_then(|from| from.address()),
                Some(crate::support::accounts::DEPARTMENT)
            );
        }
        for sent in manifest.iter().filter(|sent| sent["sender"] == sender.as_str() && sent["answered"] == true && !is_twin(sent)) {
            answers(sent, &receipts, &topics);
        }
    }
}

fn answers(sent: &Value, receipts: &[Message<'_>], topics: &[Value]) {
    // Only one mail of the month has no Message-ID; its receipt is known by the subject that it quotes.
    let receipt = match own_id(&month::raw(sent)) {
        Some(id) => {
            let mut in_thread = receipts.iter().filter(|receipt| header(receipt, "In-Reply-To") == id);
            let receipt = in_thread.next().unwrap_or_else(|| panic!("{} has no answer in its thread", name(sent)));
            assert!(in_thread.next().is_none(), "{} was answered twice", name(sent));
            assert!(header(receipt, "References").contains(&id), "{}", name(sent));
            receipt
        }
        None => receipts.iter().find(|receipt| text(receipt).contains(&flat(sent["subject"].as_str().unwrap()))).unwrap(),
    };
    let said = text(receipt);
    for topic in sent["topics"].as_array().unwrap() {
        let title = topic["fields"]["topic_title"].as_str().unwrap();
        assert!(said.contains(&flat(title)), "{}: the receipt does not name {title}:\n{said}", name(sent));
        let numbers = topics.iter().filter(|found| found["fields"]["topic_title"] == title).map(|found| found["id"].as_str().unwrap());
        assert!(numbers.clone().any(|number| said.contains(number)), "{}: no number for {title}:\n{said}", name(sent));
        for finding in topic["findings"].as_array().unwrap() {
            let label = match finding[1].as_str().unwrap() {
                "params" => "主要技术参数",
                "uscc" => "统一社会信用代码",
                "phone" => "联系电话",
                "applicant" => "申报单位",
                other => panic!("what is {other} called in a letter?"),
            };
            assert!(said.contains(label), "{}: nothing about {label}:\n{said}", name(sent));
        }
    }
    for list in ["row_without_form", "form_without_row"] {
        for title in sent[list].as_array().into_iter().flatten() {
            assert!(said.contains(&format!("课题“{}”", flat(title.as_str().unwrap()))), "{}: nothing about {title}:\n{said}", name(sent));
        }
    }
}

/// Each division got one letter that lists exactly its topics, with a workbook of the same rows.
pub fn divisions_got_their_topics(mail: &MailSystem, annexd: &Annexd, divisions: &[&str]) {
    let topics = annexd.export("topics");
    let mut announced = 0;
    for division in divisions {
        // Topics of submitters that the notice does not name wait for a person first.
        let meant: Vec<&str> = topics
            .iter()
            .filter(|topic| topic["division"] == *division && topic["held"] == false)
            .map(|topic| topic["id"].as_str().unwrap())
            .collect();
        let arrived =
            mail.wait_for(&format!("{division}@division.example.cn"), usize::from(!meant.is_empty()), std::time::Duration::from_secs(60));
        assert_eq!(arrived.len(), usize::from(!meant.is_empty()), "{division}");
        for raw in &arrived {
            let letter = parsed(raw);
            let said = text(&letter);
            let rows = workbook(&letter);
            for id in &meant {
                assert!(said.contains(id), "{division} did not hear of {id}");
                assert!(rows.iter().any(|row| row.iter().any(|cell| cell == id)), "{division}: {id} is not in the workbook");
            }
            let others = topics.iter().filter(|topic| topic["division"] != *division).map(|topic| topic["id"].as_str().unwrap());
            let listed = |id: &&str| rows.iter().any(|row| row.first().is_some_and(|cell| cell == id));
            assert_eq!(others.filter(listed).collect::<Vec<_>>(), Vec::<&str>::new(), "{division} got topics of others");
            announced += meant.len();
        }
    }
    assert_eq!(announced, topics.iter().filter(|topic| topic["held"] == false).count(), "a topic reached no division");
}

fn workbook(letter: &Message<'_>) -> Vec<Vec<String>> {
    let part = letter
        .attachments()
        .find(|part| part.attachment_name().is_some_and(|name| name.ends_with(".xlsx")))
        .unwrap_or_else(|| panic!("no workbook with {:?}", letter.subject()));
    let mut book = calamine::Xlsx::new(Cursor::new(part.contents().to_vec())).unwrap();
    let sheet = book.sheet_names().first().unwrap().clone();
    book.worksheet_range(&sheet).unwrap().rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
}

/// Each administrator got the day's digest, and its figures are those of the export.
pub fn administrators_got_the_digest(mail: &MailSystem, annexd: &Annexd, administrators: &[&str], day: jiff::civil::Date) {
    let printed = flat(&annexd.say(&["digest", "--date", &day.to_string()]));
    let topics = annexd.export("topics").len();
    for administrator in administrators {
        let arrived = mail.wait_for(administrator, 1, std::time::Duration::from_secs(60));
        let date = day.strftime("%Y-%m-%d").to_string();
        let chinese = day.strftime("%Y年%-m月%-d日").to_string();
        let digests: Vec<String> = arrived
            .iter()
            .map(|raw| parsed(raw))
            .filter(|letter| letter.subject().is_some_and(|subject| subject.contains(&date) || subject.contains(&chinese)))
            .map(|letter| text(&letter))
            .collect();
        assert_eq!(digests.len(), 1, "{administrator}");
        assert!(digests[0].contains(&topics.to_string()), "{administrator}: the digest does not say {topics}:\n{}", digests[0]);
        assert!(printed.contains("长春市工业和信息化局") && digests[0].contains("长春市工业和信息化局"), "{}", digests[0]);
    }
}
