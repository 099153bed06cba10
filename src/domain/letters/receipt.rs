//! The receipt: what arrived, under which numbers, and exactly what to correct where. Neutral: received, not approved.
//! Holds only what the sender gave; no word on truth or duplicates (R26).

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::{Letter, LetterKind, templates::Templates};
use crate::domain::{
    findings::{Audience, Finding, Severity},
    kind::Kind,
    time::chinese_minute,
    verdict::{Change, Knowledge, Role, Topic, Verdict},
};

/// What a receipt needs beside the verdict.
#[derive(Debug, Clone)]
pub struct ReceiptContext<'a> {
    pub templates: &'a Templates,
    pub knowledge: &'a Knowledge,
    pub zone: &'a TimeZone,
    /// When the mail reached the mailbox.
    pub received_at: Timestamp,
    pub now: Timestamp,
    /// 吉林省工业和信息化厅.
    pub department: &'a str,
    /// Names and telephone numbers for questions; may be empty.
    pub contact: &'a str,
    /// Whether the sender is told which division takes the topic.
    pub tell_division: bool,
}

/// Values of the receipt templates.
#[derive(Debug, Serialize)]
struct ReceiptValues<'a> {
    greeting: String,
    subject: &'a str,
    received_at: String,
    department: &'a str,
    contact: &'a str,
    annex1_count: usize,
    annex2_count: usize,
    topics: Vec<TopicValues<'a>>,
    /// Problems of the mail as a whole.
    problems: Vec<String>,
    complete: bool,
    /// Receipt number for the subject line, of the first topic.
    first_number: &'a str,
}

#[derive(Debug, Serialize)]
struct TopicValues<'a> {
    no: usize,
    title: &'a str,
    applicant: &'a str,
    number: &'a str,
    state: &'static str,
    /// Empty unless the sender is to be told.
    division: &'a str,
    corrections: Vec<String>,
    /// Labels of the fields that a revision changed.
    changed: String,
}

/// The acknowledgement of one mail; `None` where nobody is answered. `numbers` are the topics' receipt numbers, in order.
///
/// # Errors
/// The sentence of a template that does not render.
pub fn receipt(verdict: &Verdict, numbers: &[Option<String>], context: &ReceiptContext<'_>) -> Result<Option<Letter>, String> {
    let (true, Some(to)) = (verdict.answer, verdict.from.as_ref()) else { return Ok(None) };
    let values = values(verdict, numbers, context);
    let template = match verdict.kind {
        Kind::EnterpriseDirect => "enterprise.txt",
        Kind::Correction => "correction.txt",
        Kind::NoAnnex | Kind::DivisionReply => "no_annex.txt",
        _ => "receipt.txt",
    };
    let rendered = context.templates.render(template, &values)?;
    Ok(Some(Letter {
        key: format!("ack:{}", verdict.sha256),
        kind: LetterKind::Ack,
        to: to.address.clone(),
        subject: rendered.subject,
        text: rendered.text,
        in_reply_to: verdict.message_id.clone(),
        references: verdict.references.clone(),
        enclosures: Vec::new(),
        due_at: context.now,
    }))
}

fn values<'a>(verdict: &'a Verdict, numbers: &'a [Option<String>], context: &ReceiptContext<'a>) -> ReceiptValues<'a> {
    let count = |role: Role| verdict.attachments.iter().filter(|attachment| attachment.role == role).count();
    let topics: Vec<TopicValues<'a>> = verdict
        .topics
        .iter()
        .enumerate()
        .map(|(index, topic)| topic_values(index, topic, numbers.get(index).and_then(Option::as_deref).unwrap_or(""), context))
        .collect();
    let problems: Vec<String> = verdict.findings.iter().filter(|finding| told(finding)).map(|finding| finding.message.clone()).collect();
    ReceiptValues {
        greeting: greeting(verdict),
        subject: &verdict.subject,
        received_at: chinese_minute(context.received_at, context.zone),
        department: context.department,
        contact: context.contact,
        annex1_count: count(Role::Annex1),
        annex2_count: count(Role::Annex2),
        complete: problems.is_empty() && !topics.is_empty() && topics.iter().all(|topic| topic.corrections.is_empty()),
        first_number: topics.first().map_or("", |topic| topic.number),
        topics,
        problems,
    }
}

/// The bureau by its name; a person by theirs; else 您好.
fn greeting(verdict: &Verdict) -> String {
    match (&verdict.bureau, verdict.kind) {
        (Some(bureau), Kind::Submission | Kind::Correction) => bureau.name.clone(),
        (None, Kind::EnterpriseDirect) => {
            verdict.topics.first().map(|topic| topic.text("applicant")).filter(|name| !name.is_empty()).unwrap_or("您好").to_owned()
        }
        _ => "您好".to_owned(),
    }
}

fn topic_values<'a>(index: usize, topic: &'a Topic, number: &'a str, context: &ReceiptContext<'a>) -> TopicValues<'a> {
    let corrections: Vec<String> = topic.for_sender().filter(|finding| told(finding)).map(in_words).collect();
    let or = |text: &'a str, missing: &'static str| if text.is_empty() { missing } else { text };
    TopicValues {
        no: index + 1,
        title: or(topic.text("topic_title"), "（未填写课题名称）"),
        applicant: or(topic.text("applicant"), "未填写申报单位"),
        number,
        state: state(topic, &corrections),
        division: if context.tell_division {
            context.knowledge.divisions.division(&topic.route.division).map_or("", |division| &division.name)
        } else {
            ""
        },
        corrections,
        changed: changed_labels(topic, context.knowledge),
    }
}

fn state(topic: &Topic, corrections: &[String]) -> &'static str {
    match topic.change {
        Change::Same { .. } => "与此前报送的内容相同，未作变更",
        _ if topic.has_errors() && !corrections.is_empty() => "已收到，需补正",
        _ if !corrections.is_empty() => "已收到，建议完善",
        _ => "已收到，材料齐全",
    }
}

fn changed_labels(topic: &Topic, knowledge: &Knowledge) -> String {
    let Change::Revision { changed, .. } = &topic.change else { return String::new() };
    let label = |key: &String| {
        let field = knowledge.catalogue.forms.iter().find_map(|form| form.field(key));
        field.map_or_else(|| key.clone(), |field| field.label.clone())
    };
    changed.iter().map(label).collect::<Vec<_>>().join("、")
}

/// The sender hears of what must or should be corrected, not of notes.
fn told(finding: &Finding) -> bool {
    finding.audience == Audience::Sender && finding.severity >= Severity::Warning
}

/// The finding with its place, so that a clerk finds the cell at once.
fn in_words(finding: &Finding) -> String {
    let file = finding.attachment.as_deref().map(|path| path.rsplit('/').next().unwrap_or(path));
    match (file, finding.place.as_deref()) {
        (Some(file), Some(place)) => format!("{}（“{file}”{}）", finding.message, place_in_words(place)),
        (Some(file), None) => format!("{}（“{file}”）", finding.message),
        _ => finding.message.clone(),
    }
}

/// `Sheet1!I5` → `工作表Sheet1的I5单元格`; `Sheet1!A5:R5` → `工作表Sheet1第5行`; `table 1 R3C2` → `第1个表格第3行第2列`.
#[must_use]
pub fn place_in_words(place: &str) -> String {
    if let Some((sheet, cells)) = place.rsplit_once('!') {
        let row = |cell: &str| cell.chars().filter(char::is_ascii_digit).collect::<String>();
        return match cells.split_once(':') {
            Some((from, to)) if row(from) == row(to) => format!("工作表{sheet}第{}行", row(from)),
            Some((from, to)) => format!("工作表{sheet}第{}至{}行", row(from), row(to)),
            None => format!("工作表{sheet}的{cells}单元格"),
        };
    }
    let numbers: Vec<&str> = place.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty()).collect();
    match (place.split(' ').next(), numbers.as_slice()) {
        (Some("table"), [table]) => format!("第{table}个表格"),
        (Some("table"), [table, row]) => format!("第{table}个表格第{row}行"),
        (Some("table"), [table, row, column, ..]) => format!("第{table}个表格第{row}行第{column}列"),
        (Some("paragraph"), [paragraph, ..]) => format!("第{paragraph}段"),
        _ => place.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_as_a_clerk_would_say_it() {
        assert_eq!(place_in_words("Sheet1!I5"), "工作表Sheet1的I5单元格");
        assert_eq!(place_in_words("汇总表!A5:R5"), "工作表汇总表第5行");
        assert_eq!(place_in_words("table 2 R3C4"), "第2个表格第3行第4列");
        assert_eq!(place_in_words("table 1"), "第1个表格");
        assert_eq!(place_in_words("paragraph 7"), "第7段");
    }
}
