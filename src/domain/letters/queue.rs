//! The queue letter: a division's new topics as a short text and a workbook. Twins and evidence stand here, never in a receipt.

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::{Enclosure, Letter, LetterKind, Urgency, templates::Templates, workbook};
use crate::domain::time::{chinese_day, chinese_minute, day_of};

/// One topic as a division sees it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct QueueTopic {
    /// Receipt number.
    pub number: String,
    pub title: String,
    pub applicant: String,
    /// Name of the submitting bureau.
    pub bureau: String,
    pub received_at: Timestamp,
    /// `accepted`, `needs_correction` … in Chinese.
    pub state: String,
    pub confidence: f64,
    /// Names of the other divisions it might belong to.
    pub runners_up: String,
    /// Why it came here.
    pub evidence: String,
    pub problem: String,
    pub goal: String,
    pub params: String,
    pub benefit: String,
    pub contact: String,
    pub phone: String,
    /// What reviewers should look at, one sentence a line.
    pub remarks: String,
    /// Suspected twins.
    pub duplicates: String,
}

/// Makes the letter of one division's batch to one address.
///
/// # Errors
/// The sentence of a template that does not render, or of a workbook that cannot be written.
pub fn queue_letter(batch: &Batch<'_>, to: &str, templates: &Templates) -> Result<Letter, String> {
    let bytes = workbook::queue_workbook(batch.division_name, batch.topics, batch.zone)?;
    let day = day_of(batch.now, batch.zone);
    let values = QueueValues::new(batch);
    let rendered = templates.render("queue.txt", &values)?;
    let html = templates.render("queue.html", &values)?;
    Ok(Letter {
        // The token makes the Message-ID one that nobody else can name.
        key: format!("queue:{}:{}:{to}:{}", batch.division, batch.slot, batch.token),
        kind: LetterKind::Queue,
        urgency: Urgency::Queue,
        html: Some(html.text),
        caps: None,
        alternates: false,
        to: to.to_owned(),
        subject: rendered.subject,
        text: rendered.text,
        in_reply_to: None,
        references: Vec::new(),
        enclosures: vec![Enclosure {
            name: format!("专项课题清单-{}-{day}.xlsx", batch.division_name),
            media_type: super::WORKBOOK_TYPE.to_owned(),
            bytes,
            content_id: None,
        }],
        due_at: batch.now,
    })
}

/// What a division is sent at one time.
#[derive(Debug, Clone)]
pub struct Batch<'a> {
    /// Division id and name.
    pub division: &'a str,
    pub division_name: &'a str,
    /// The scheduled moment, `2024-08-15T09:00`: at most one letter for each.
    pub slot: &'a str,
    pub topics: &'a [QueueTopic],
    /// What the division's answer must carry.
    pub token: &'a str,
    /// Name of another division, for the example of a transfer.
    pub elsewhere: &'a str,
    pub department: &'a str,
    pub zone: &'a TimeZone,
    pub now: Timestamp,
}

/// Values of the queue templates.
#[derive(Debug, Clone, Default, Serialize)]
pub struct QueueValues {
    pub division: String,
    /// What the answer must carry.
    pub token: String,
    /// A receipt number to show the orders with.
    pub example: String,
    /// Another division to show a transfer with.
    pub elsewhere: String,
    pub department: String,
    pub day: String,
    pub topics: Vec<QueueLine>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct QueueLine {
    pub no: usize,
    #[serde(flatten)]
    pub topic: QueueTopic,
    pub received: String,
}

impl QueueValues {
    fn new(batch: &Batch<'_>) -> Self {
        let line = |(index, topic): (usize, &QueueTopic)| QueueLine {
            no: index + 1,
            topic: topic.clone(),
            received: chinese_minute(topic.received_at, batch.zone),
        };
        Self {
            division: batch.division_name.to_owned(),
            token: batch.token.to_owned(),
            example: batch.topics.first().map_or("2024-00037-5", |topic| topic.number.as_str()).to_owned(),
            elsewhere: batch.elsewhere.to_owned(),
            department: batch.department.to_owned(),
            day: chinese_day(day_of(batch.now, batch.zone)),
            topics: batch.topics.iter().enumerate().map(line).collect(),
        }
    }
}
