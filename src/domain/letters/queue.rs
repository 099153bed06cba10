//! The queue letter: a division's new topics and corrections as a short text, and a workbook with everything open. Twins and evidence
//! stand here, never in a receipt.

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::{Enclosure, Letter, LetterKind, Urgency, queue_workbook, templates::Templates};
use crate::domain::time::{chinese_day, chinese_minute, day_of};

/// Topics and corrections that the letter's text lists; the workbook holds all.
const LINES_MAX: usize = 100;

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
    /// Whole days since then.
    pub days: i64,
    /// `accepted`, `needs_correction` … in Chinese.
    pub state: String,
    /// Marked so by its submitter.
    pub urgent: bool,
    /// How complete it is, 0 to 100: an aid for ordering, no judgement.
    pub percent: u32,
    pub confidence: f64,
    /// 会办: `由汽车工业处主办，本处会办`, `与汽车工业处会办`; empty for most.
    pub joint: String,
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
    /// 识别到3项量化指标：…
    pub quantified: String,
    /// Why `percent` is what it is, one point a line: 量化指标 16/16：识别到3项
    pub completeness_why: String,
    /// Suspected twins.
    pub duplicates: String,
}

/// A correction that arrived since the last letter.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct QueueCorrection {
    pub number: String,
    pub title: String,
    pub applicant: String,
    pub received_at: Timestamp,
    /// One line a field: `主要技术参数：由“…”改为“…”`.
    pub changes: Vec<String>,
    /// State after it, in Chinese.
    pub state: String,
}

/// An annex of the new topics, as it was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Annex {
    pub name: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
}

/// Whether a submitter marked a mail or a topic as urgent. An emergency brake is no urgent matter.
#[must_use]
pub fn is_urgent(subject: &str, note: &str) -> bool {
    const PLAIN: [&str; 4] = ["加急", "特急", "急件", "急办"];
    const PRODUCTS: [&str; 16] =
        ["制动", "切断", "救援", "停车", "停机", "停堆", "呼叫", "避险", "避让", "逃生", "疏散", "处置", "医", "照明", "关断", "泄放"];
    let marked = |text: &str| {
        PLAIN.iter().any(|word| text.contains(word) && !text.contains(&format!("不{word}")) && !text.contains(&format!("非{word}")))
            || text.match_indices("紧急").any(|(at, word)| {
                let before = text.get(..at).unwrap_or_default();
                let after = text.get(at + word.len()..).unwrap_or_default();
                !before.ends_with(['不', '非']) && !PRODUCTS.iter().any(|product| after.starts_with(product))
            })
    };
    marked(subject) || marked(note)
}

/// Makes the letter of one division's batch to one address.
///
/// # Errors
/// The sentence of a template that does not render, or of a workbook that cannot be written.
pub fn queue_letter(batch: &Batch<'_>, to: &str, templates: &Templates) -> Result<Letter, String> {
    let bytes = queue_workbook::queue_workbook(batch)?;
    let day = day_of(batch.now, batch.zone);
    let values = QueueValues::new(batch);
    let rendered = templates.render("queue.txt", &values)?;
    let html = templates.render("queue.html", &values)?;
    let workbook = Enclosure {
        name: format!("专项课题清单-{}-{day}.xlsx", batch.division_name),
        media_type: super::WORKBOOK_TYPE.to_owned(),
        bytes,
        content_id: None,
    };
    let annexes = batch.annexes.iter().map(|annex| Enclosure {
        name: annex.name.clone(),
        media_type: annex.media_type.clone(),
        bytes: annex.bytes.clone(),
        content_id: None,
    });
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
        enclosures: std::iter::once(workbook).chain(annexes).collect(),
        due_at: batch.now,
    })
}

/// What a division is sent at one time.
#[derive(Debug, Clone)]
pub struct Batch<'a> {
    /// Division id and name.
    pub division: &'a str,
    pub division_name: &'a str,
    /// Names of all other divisions, for the drop-down list of decisions.
    pub others: &'a [String],
    /// The scheduled moment, `2024-08-15T09:00`: at most one letter for each.
    pub slot: &'a str,
    /// New to this division.
    pub topics: &'a [QueueTopic],
    /// Everything that waits for its word, the new ones too.
    pub open: &'a [QueueTopic],
    pub corrections: &'a [QueueCorrection],
    pub annexes: &'a [Annex],
    /// Names of annexes that would make the letter too large.
    pub left_out: &'a [String],
    /// What the division's answer must carry.
    pub token: &'a str,
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
    pub department: String,
    pub day: String,
    /// One of the new topics is urgent.
    pub urgent: bool,
    pub new: usize,
    pub topics: Vec<QueueLine>,
    pub corrected: usize,
    pub corrections: Vec<CorrectionLine>,
    /// Topics that wait for the division's word, and the days of the one that waits longest.
    pub open: usize,
    pub oldest_days: i64,
    /// Original annexes that go with the letter, and those that do not.
    pub annexes: usize,
    pub left_out: Vec<String>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct QueueLine {
    pub no: usize,
    #[serde(flatten)]
    pub topic: QueueTopic,
    pub received: String,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct CorrectionLine {
    pub no: usize,
    #[serde(flatten)]
    pub correction: QueueCorrection,
    pub received: String,
}

impl QueueValues {
    fn new(batch: &Batch<'_>) -> Self {
        let line = |(index, topic): (usize, &QueueTopic)| QueueLine {
            no: index + 1,
            topic: topic.clone(),
            received: chinese_minute(topic.received_at, batch.zone),
        };
        let correction = |(index, correction): (usize, &QueueCorrection)| CorrectionLine {
            no: index + 1,
            correction: correction.clone(),
            received: chinese_minute(correction.received_at, batch.zone),
        };
        let example = batch.topics.iter().chain(batch.open).map(|topic| topic.number.as_str()).next();
        let example = example.or_else(|| batch.corrections.first().map(|correction| correction.number.as_str()));
        Self {
            division: batch.division_name.to_owned(),
            token: batch.token.to_owned(),
            example: example.unwrap_or("2024-00037-5").to_owned(),
            department: batch.department.to_owned(),
            day: chinese_day(day_of(batch.now, batch.zone)),
            urgent: batch.topics.iter().any(|topic| topic.urgent),
            new: batch.topics.len(),
            topics: batch.topics.iter().enumerate().take(LINES_MAX).map(line).collect(),
            corrected: batch.corrections.len(),
            corrections: batch.corrections.iter().enumerate().take(LINES_MAX).map(correction).collect(),
            open: batch.open.len(),
            oldest_days: batch.open.iter().map(|topic| topic.days).max().unwrap_or(0),
            annexes: batch.annexes.len(),
            left_out: batch.left_out.iter().take(LINES_MAX).cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_urgent_is_urgent_and_an_emergency_brake_is_not() {
        for (subject, note) in
            [("【紧急】报送专项课题", ""), ("报送课题（加急）", ""), ("长春市报送", "加急"), ("特急：课题", ""), ("报送", "紧急，请尽快")]
        {
            assert!(is_urgent(subject, note), "{subject} {note}");
        }
        for (subject, note) in
            [("报送紧急制动系统等课题", ""), ("紧急切断阀课题", ""), ("报送", "不加急"), ("报送", "非紧急"), ("应急电源", "")]
        {
            assert!(!is_urgent(subject, note), "{subject} {note}");
        }
    }
}
