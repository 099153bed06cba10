//! The receipt: what arrived, under which numbers, and exactly what to correct where. Neutral: received, not approved.
//! Holds only what the sender gave; no word on truth or duplicates (R26).

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::{
    Enclosure, Letter, LetterKind, Urgency,
    caps::AnswerCaps,
    templates::{Rendered, Templates},
    workbook,
};
use crate::domain::{
    findings::{Audience, Finding, Severity},
    folding::one_line,
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
    pub caps: AnswerCaps,
    /// The full list of a long batch is a workbook instead of a text file.
    pub list_as_workbook: bool,
}

/// Values of the receipt templates. Every text of the sender stands on one line, is cut where it is long, and holds no live link.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ReceiptValues {
    /// The bureau's name, or 您好.
    pub greeting: String,
    /// Subject of the sender's mail.
    pub subject: String,
    pub received_at: String,
    pub department: String,
    pub contact: String,
    pub annex1_count: usize,
    pub annex2_count: usize,
    /// All topics, also those that are not shown.
    pub topic_count: usize,
    /// Topics that need a correction or completion.
    pub open_count: usize,
    pub topics: Vec<TopicValues>,
    /// Problems of the mail as a whole.
    pub problems: Vec<String>,
    /// Problems not shown.
    pub more_problems: usize,
    pub complete: bool,
    /// Receipt number for the subject line, of the first topic.
    pub first_number: String,
    /// The formal letter that was awaited came with this mail.
    pub letter_arrived: bool,
    /// Everything in the mail was known already, word for word.
    pub unchanged: bool,
    /// The submitter is not one that the notice names: a person looks first.
    pub held: bool,
    /// Name of the enclosed file with the full list; empty where the letter says everything.
    pub list_file: String,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct TopicValues {
    pub no: usize,
    pub title: String,
    pub applicant: String,
    pub number: String,
    pub state: &'static str,
    /// Empty unless the sender is to be told.
    pub division: String,
    pub corrections: Vec<String>,
    /// Corrections not shown here but in the enclosed list.
    pub more_corrections: usize,
    /// Labels of the fields that a revision changed, but for those in `put_right`.
    pub changed: String,
    /// Labels of the fields that were to be corrected and now are.
    pub put_right: String,
}

/// Longest receipt, in bytes of its text (RFC 3834 section 3.1.5: no large answers).
pub const TEXT_MAX_BYTES: usize = 4096;
/// States of a topic without corrections.
pub const COMPLETE: &str = "已收到，材料齐全";
pub const FORM_COMPLETE: &str = "已收到，表格内容齐全";
/// Characters shown of a title, a name or a subject.
const SHOWN_MAX_CHARS: usize = 60;
/// Topics and problems of the mail as a whole that a long letter shows, tried in this order until it is short enough.
const SHOWN: [(usize, usize); 6] = [(30, 6), (20, 6), (12, 5), (6, 4), (3, 2), (0, 1)];

/// The acknowledgement of one mail; `None` where nobody is answered. `numbers` are the topics' receipt numbers, in order.
///
/// # Errors
/// The sentence of a template that does not render.
pub fn receipt(verdict: &Verdict, numbers: &[Option<String>], context: &ReceiptContext<'_>) -> Result<Option<Letter>, String> {
    let (true, Some(to)) = (verdict.answer, verdict.from.as_ref()) else { return Ok(None) };
    let values = values(verdict, numbers, context);
    let (rendered, enclosures) = fitted(template_of(verdict.kind), values, context)?;
    Ok(Some(Letter {
        key: format!("ack:{}", verdict.sha256),
        kind: LetterKind::Ack,
        urgency: if verdict.topics.is_empty() { Urgency::Courtesy } else { Urgency::Receipt },
        html: None,
        caps: Some(context.caps),
        alternates: brings_nothing_new(verdict),
        to: to.address.clone(),
        subject: rendered.subject,
        text: rendered.text,
        in_reply_to: verdict.message_id.clone(),
        references: verdict.references.clone(),
        enclosures,
        due_at: context.now,
    }))
}

fn template_of(kind: Kind) -> &'static str {
    match kind {
        Kind::EnterpriseDirect => "enterprise.txt",
        Kind::Correction => "correction.txt",
        Kind::NoAnnex | Kind::DivisionReply => "no_annex.txt",
        _ => "receipt.txt",
    }
}

/// The letter as it is, or, where it would be too long, a summary with the full list enclosed.
fn fitted(template: &str, values: ReceiptValues, context: &ReceiptContext<'_>) -> Result<(Rendered, Vec<Enclosure>), String> {
    let whole = context.templates.render(template, &values)?;
    if whole.text.len() <= TEXT_MAX_BYTES {
        return Ok((whole, Vec::new()));
    }
    let enclosure = full_list(&values, context)?;
    let mut shortened = whole;
    for (topics, problems) in SHOWN {
        shortened = context.templates.render(template, summary(&values, topics, problems, &enclosure.name))?;
        if shortened.text.len() <= TEXT_MAX_BYTES {
            break;
        }
    }
    Ok((shortened, vec![enclosure]))
}

/// The same letter with so many topics and problems, the corrections counted instead of told.
fn summary(values: &ReceiptValues, topics: usize, problems: usize, list_file: &str) -> ReceiptValues {
    let mut short = values.clone();
    short.topics.truncate(topics);
    for topic in &mut short.topics {
        topic.more_corrections = topic.corrections.len();
        topic.corrections.clear();
        topic.changed.clear();
    }
    short.more_problems = short.problems.len().saturating_sub(problems);
    short.problems.truncate(problems);
    list_file.clone_into(&mut short.list_file);
    short
}

/// Everything the letter would have said, as one file.
fn full_list(values: &ReceiptValues, context: &ReceiptContext<'_>) -> Result<Enclosure, String> {
    let number = if values.first_number.is_empty() { "明细" } else { &values.first_number };
    if context.list_as_workbook {
        return Ok(Enclosure {
            name: format!("回执明细-{number}.xlsx"),
            media_type: super::WORKBOOK_TYPE.to_owned(),
            bytes: workbook::receipt_workbook(values)?,
            content_id: None,
        });
    }
    let rendered = context.templates.render("list.txt", values)?;
    // Windows Notepad of older offices takes a text without this mark for GBK.
    let bytes = format!("\u{FEFF}{}\n\n{}", rendered.subject, rendered.text).replace('\n', "\r\n").into_bytes();
    Ok(Enclosure {
        name: format!("回执明细-{number}.txt"), media_type: "text/plain; charset=utf-8".to_owned(), bytes, content_id: None
    })
}

/// No new topic and no changed one: a machine that talks to us looks like this.
fn brings_nothing_new(verdict: &Verdict) -> bool {
    verdict.topics.iter().all(|topic| matches!(topic.change, Change::Same { .. }))
}

fn values(verdict: &Verdict, numbers: &[Option<String>], context: &ReceiptContext<'_>) -> ReceiptValues {
    let count = |role: Role| verdict.attachments.iter().filter(|attachment| attachment.role == role).count();
    let mut topics: Vec<TopicValues> = verdict
        .topics
        .iter()
        .enumerate()
        .map(|(index, topic)| topic_values(index, topic, numbers.get(index).and_then(Option::as_deref).unwrap_or(""), context))
        .collect();
    let problems: Vec<String> =
        verdict.findings.iter().filter(|finding| told(finding)).map(|finding| shown(&finding.message, 200)).collect();
    // Where the mail as a whole lacks something, its materials are not complete; the topic's form is.
    for topic in topics.iter_mut().filter(|topic| topic.state == COMPLETE && !problems.is_empty()) {
        topic.state = FORM_COMPLETE;
    }
    ReceiptValues {
        greeting: greeting(verdict),
        subject: if verdict.subject.is_empty() { "（无主题）".to_owned() } else { shown(&verdict.subject, SHOWN_MAX_CHARS) },
        received_at: chinese_minute(context.received_at, context.zone),
        department: context.department.to_owned(),
        contact: context.contact.to_owned(),
        annex1_count: count(Role::Annex1),
        annex2_count: count(Role::Annex2),
        topic_count: topics.len(),
        open_count: topics.iter().filter(|topic| !topic.corrections.is_empty()).count(),
        complete: problems.is_empty() && !topics.is_empty() && topics.iter().all(|topic| topic.corrections.is_empty()),
        first_number: topics.first().map_or_else(String::new, |topic| topic.number.clone()),
        held: verdict.topics.iter().any(|topic| topic.held),
        letter_arrived: verdict.letter_arrived,
        unchanged: !topics.is_empty() && brings_nothing_new(verdict),
        topics,
        problems,
        more_problems: 0,
        list_file: String::new(),
    }
}

/// A foreign text as a letter shows it: one line, cut, and no live link in it (a forged sender's advertisement must not leave
/// under our name).
fn shown(text: &str, max_chars: usize) -> String {
    let line = one_line(text).replace("://", "：//").replace("www.", "www ");
    if line.chars().count() <= max_chars {
        return line;
    }
    line.chars().take(max_chars.saturating_sub(1)).chain(['…']).collect()
}

/// The bureau by its name; an enterprise by its own; else 您好.
fn greeting(verdict: &Verdict) -> String {
    match (&verdict.bureau, verdict.kind) {
        (Some(bureau), Kind::Submission | Kind::Correction) => shown(&bureau.name, SHOWN_MAX_CHARS),
        (None, Kind::EnterpriseDirect) => verdict
            .topics
            .first()
            .map(|topic| shown(topic.text("applicant"), SHOWN_MAX_CHARS))
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "您好".to_owned()),
        _ => "您好".to_owned(),
    }
}

fn topic_values(index: usize, topic: &Topic, number: &str, context: &ReceiptContext<'_>) -> TopicValues {
    let corrections: Vec<String> = topic.for_sender().filter(|finding| told(finding)).map(in_words).collect();
    let or = |text: String, missing: &str| if text.is_empty() { missing.to_owned() } else { text };
    TopicValues {
        no: index + 1,
        title: or(shown(topic.text("topic_title"), SHOWN_MAX_CHARS), "（未填写课题名称）"),
        applicant: or(shown(topic.text("applicant"), SHOWN_MAX_CHARS), "未填写申报单位"),
        number: number.to_owned(),
        state: state(topic, &corrections),
        division: if context.tell_division {
            context.knowledge.divisions.division(&topic.route.division).map_or_else(String::new, |division| division.name.clone())
        } else {
            String::new()
        },
        corrections,
        more_corrections: 0,
        changed: changed_labels(topic, context.knowledge),
        put_right: put_right_labels(topic, context.knowledge),
    }
}

fn state(topic: &Topic, corrections: &[String]) -> &'static str {
    match topic.change {
        Change::Same { .. } => "与此前报送的内容相同，未作变更",
        _ if topic.has_errors() && !corrections.is_empty() => "已收到，需补正",
        _ if !corrections.is_empty() => "已收到，建议完善",
        _ => COMPLETE,
    }
}

fn changed_labels(topic: &Topic, knowledge: &Knowledge) -> String {
    let Change::Revision { changed, .. } = &topic.change else { return String::new() };
    let put_right = |key: &String| topic.closed.iter().any(|finding| told(finding) && finding.field.as_ref() == Some(key));
    changed.iter().filter(|key| !put_right(key)).map(|key| label(key, knowledge)).collect::<Vec<_>>().join("、")
}

/// What the sender was asked to correct and has corrected, each field once.
fn put_right_labels(topic: &Topic, knowledge: &Knowledge) -> String {
    let asked = topic.closed.iter().filter(|finding| told(finding)).filter_map(|finding| finding.field.as_deref());
    let mut labels: Vec<String> = Vec::new();
    for key in asked {
        let label = label(key, knowledge);
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels.join("、")
}

/// What a form calls a field.
fn label(key: &str, knowledge: &Knowledge) -> String {
    let field = knowledge.catalogue.forms.iter().find_map(|form| form.field(key));
    field.map_or_else(|| key.to_owned(), |field| field.label.clone())
}

/// The sender hears of what must or should be corrected, not of notes.
fn told(finding: &Finding) -> bool {
    finding.audience == Audience::Sender && finding.severity >= Severity::Warning
}

/// The finding after its place, so that a clerk finds the cell at once.
fn in_words(finding: &Finding) -> String {
    let file = finding.attachment.as_deref().map(|path| shown(path.rsplit('/').next().unwrap_or(path), SHOWN_MAX_CHARS));
    let message = shown(&finding.message, 240);
    match (file, finding.place.as_deref()) {
        (Some(file), Some(place)) => format!("“{file}”{}：{message}", place_in_words(&shown(place, SHOWN_MAX_CHARS))),
        (Some(file), None) => format!("“{file}”：{message}"),
        _ => message,
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

    fn context<'a>(templates: &'a Templates, knowledge: &'a Knowledge, zone: &'a TimeZone) -> ReceiptContext<'a> {
        ReceiptContext {
            templates,
            knowledge,
            zone,
            received_at: Timestamp::UNIX_EPOCH,
            now: Timestamp::UNIX_EPOCH,
            department: "吉林省工业和信息化厅",
            contact: "科技处 0431-88900000",
            tell_division: false,
            caps: AnswerCaps::default(),
            list_as_workbook: false,
        }
    }

    #[test]
    fn a_long_batch_is_summarised_within_four_kibibytes_and_nothing_is_left_out_of_the_list() {
        let (templates, knowledge, zone) = (Templates::load(&Default::default()).unwrap(), Knowledge::default(), TimeZone::UTC);
        for count in [1, 5, 12, 60, 400] {
            let topic = |no: usize| TopicValues {
                no,
                title: "高".repeat(SHOWN_MAX_CHARS),
                applicant: "长".repeat(SHOWN_MAX_CHARS),
                number: crate::domain::receipt_number::format(2024, i64::try_from(no).unwrap()),
                state: "已收到，需补正",
                corrections: vec!["“主要技术参数”中未见量化指标，请写明数值和单位。".repeat(5); 4],
                ..TopicValues::default()
            };
            let values = ReceiptValues {
                greeting: "长春市工业和信息化局".to_owned(),
                topics: (1..=count).map(topic).collect(),
                topic_count: count,
                problems: vec!["未见正式文件，请补报。".repeat(18); 12],
                ..ReceiptValues::default()
            };
            let numbers: Vec<String> = values.topics.iter().map(|topic| topic.number.clone()).collect();
            let mut context = context(&templates, &knowledge, &zone);
            let (letter, files) = fitted("receipt.txt", values.clone(), &context).unwrap();
            assert!(letter.text.len() <= TEXT_MAX_BYTES, "{count}: {}", letter.text.len());
            let list = files.first().map(|file| String::from_utf8(file.bytes.clone()).unwrap()).unwrap_or_else(|| letter.text.clone());
            assert!(numbers.iter().all(|number| list.contains(number.as_str())));
            context.list_as_workbook = true;
            let files = fitted("receipt.txt", values, &context).unwrap().1;
            assert!(files.iter().all(|file| file.bytes.starts_with(b"PK") && file.name.ends_with(".xlsx")));
        }
    }

    #[test]
    fn a_foreign_text_is_one_line_short_and_without_a_live_link() {
        assert_eq!(shown("a\r\nBcc: x@y.cn http://evil.cn www.evil.cn", 60), "a Bcc: x@y.cn http：//evil.cn www evil.cn");
        assert_eq!(shown(&"长".repeat(100), 60).chars().count(), 60);
    }

    #[test]
    fn a_place_reads_as_a_clerk_would_say_it() {
        assert_eq!(place_in_words("Sheet1!I5"), "工作表Sheet1的I5单元格");
        assert_eq!(place_in_words("汇总表!A5:R5"), "工作表汇总表第5行");
        assert_eq!(place_in_words("table 2 R3C4"), "第2个表格第3行第4列");
        assert_eq!(place_in_words("table 1"), "第1个表格");
        assert_eq!(place_in_words("paragraph 7"), "第7段");
    }
}
