//! Slots and queues: which scheduled letters were written, and which topics a division has not heard of.

use jiff::Timestamp;
use sqlx::FromRow;

use super::{Store, StoreError, from_word, millis, timestamp};
use crate::domain::{
    completeness::Completeness,
    findings::{Finding, Severity},
    letters::{
        Letter,
        queue::{QueueCorrection, QueueTopic},
    },
    reconcile::Source,
    routing::{Candidate, evidence_in_words},
    rules::quantified,
    verdict::{Duplicate, Knowledge, TopicStatus},
};

#[derive(FromRow)]
struct QueueRow {
    id: String,
    bureau_name: Option<String>,
    received_at: i64,
    status: String,
    division: String,
    fields: String,
    findings: String,
    duplicates: String,
    completeness: String,
    urgent: i64,
    joint: Option<String>,
    confidence: f64,
    candidates: String,
    evidence: String,
}

/// A file that a topic was read from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TopicFile {
    /// Of the mail's raw bytes.
    pub message_sha256: String,
    /// Way to the bytes within the mail.
    pub path: String,
}

#[derive(FromRow)]
struct CorrectionRow {
    id: String,
    fields: String,
    before: String,
    changed: String,
    status: String,
    recorded_at: i64,
}

/// Characters of an old or new value that a correction line shows.
const SHOWN_CHARS: usize = 120;
/// Corrections of one letter.
const CORRECTIONS_MAX: i64 = 500;

/// The columns of [`QueueRow`], under a condition.
macro_rules! queue_where {
    ($condition:literal) => {
        concat!(
            "SELECT t.id, t.bureau_name, t.received_at, t.status, t.division, r.fields, r.findings, r.duplicates, r.completeness,
                    t.urgent, o.joint, o.confidence, o.candidates, o.evidence
             FROM topic t JOIN revision r ON r.topic_serial = t.serial AND r.revision = t.revision
             JOIN route o ON o.id = (SELECT max(id) FROM route WHERE topic_serial = t.serial) WHERE ",
            $condition,
            " ORDER BY t.serial"
        )
    };
}

impl Store {
    /// Whether a slot was dealt with.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn slot_done(&self, kind: &str, recipient: &str, slot: &str) -> Result<bool, StoreError> {
        let row: Option<(i64,)> = sqlx::query_as("SELECT letters FROM slot WHERE kind = $1 AND recipient = $2 AND slot = $3")
            .bind(kind)
            .bind(recipient)
            .bind(slot)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    /// The latest slot that was dealt with.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_slot(&self, kind: &str, recipient: &str) -> Result<Option<String>, StoreError> {
        let (slot,): (Option<String>,) = sqlx::query_as("SELECT max(slot) FROM slot WHERE kind = $1 AND recipient = $2")
            .bind(kind)
            .bind(recipient)
            .fetch_one(&self.pool)
            .await?;
        Ok(slot)
    }

    /// Marks a slot for which there was nothing to say.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn mark_slot(&self, kind: &str, recipient: &str, slot: &str, now: Timestamp) -> Result<(), StoreError> {
        self.announce(kind, recipient, slot, &[], &[], "", now).await?;
        Ok(())
    }

    /// Marks a slot, queues its letters and marks the topics they tell of, in one transaction. A slot marked before changes nothing.
    ///
    /// # Errors
    /// When the transaction could not be committed; then nothing is marked or queued.
    #[allow(clippy::too_many_arguments, reason = "one transaction needs all of it")]
    pub async fn announce(
        &self,
        kind: &str,
        recipient: &str,
        slot: &str,
        letters: &[Letter],
        topics: &[String],
        mail_domain: &str,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut transaction = self.begin().await?;
        let marked =
            sqlx::query("INSERT INTO slot (kind, recipient, slot, letters, marked_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
                .bind(kind)
                .bind(recipient)
                .bind(slot)
                .bind(i64::try_from(letters.len()).unwrap_or(i64::MAX))
                .bind(millis(now))
                .execute(&mut *transaction)
                .await?
                .rows_affected();
        if marked == 0 {
            return Ok(0);
        }
        let mut queued = 0;
        for letter in letters {
            queued += usize::from(super::outbox::insert(&mut transaction, letter, None, mail_domain, now).await?);
        }
        for topic in topics {
            sqlx::query(
                "UPDATE topic SET announced_to = CASE WHEN division = $2 THEN $2 ELSE announced_to END,
                        announced_joint = CASE WHEN division = $2 THEN announced_joint ELSE $2 END WHERE id = $1",
            )
            .bind(topic)
            .bind(recipient)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(queued)
    }

    /// Topics that wait for a division's word, its own and those it shares (会办), oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open_topics(&self, division: &str, knowledge: &Knowledge, now: Timestamp) -> Result<Vec<QueueTopic>, StoreError> {
        let rows = sqlx::query_as::<_, QueueRow>(queue_where!(
            "t.review = 'open' AND t.status <> 'withdrawn' AND (t.division = $1 OR o.joint = $1)"
        ))
        .bind(division)
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(|row| row.topic(division, knowledge, now)).collect()
    }

    /// Topics of a division, and those it shares, that no queue letter told it about, oldest first. Topics that wait for a person are
    /// left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn unannounced_topics(&self, division: &str, knowledge: &Knowledge, now: Timestamp) -> Result<Vec<QueueTopic>, StoreError> {
        let rows = sqlx::query_as::<_, QueueRow>(queue_where!(
            "t.held = 0 AND t.status <> 'withdrawn' AND (t.division = $1 AND (t.announced_to IS NULL OR t.announced_to <> t.division)
                OR o.joint = $1 AND t.review = 'open' AND (t.announced_joint IS NULL OR t.announced_joint <> $1))"
        ))
        .bind(division)
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(|row| row.topic(division, knowledge, now)).collect()
    }

    /// Whether a division has not heard of a topic that was marked urgent.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn urgent_waits(&self, division: &str) -> Result<bool, StoreError> {
        let (waits,): (i64,) = sqlx::query_as(
            "SELECT count(*) FROM (SELECT 1 FROM topic t JOIN route o ON o.id = (SELECT max(id) FROM route WHERE topic_serial = t.serial)
             WHERE t.urgent = 1 AND t.held = 0 AND t.review = 'open' AND t.status <> 'withdrawn'
               AND (t.division = $1 AND (t.announced_to IS NULL OR t.announced_to <> t.division)
                    OR o.joint = $1 AND (t.announced_joint IS NULL OR t.announced_joint <> $1)) LIMIT 1) AS found",
        )
        .bind(division)
        .fetch_one(&self.pool)
        .await?;
        Ok(waits > 0)
    }

    /// Corrections of a division's topics since the last letter that told it something, oldest first. A topic that it has not heard of
    /// is new, not corrected.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn corrections_since_letter(&self, division: &str, knowledge: &Knowledge) -> Result<Vec<QueueCorrection>, StoreError> {
        let rows = sqlx::query_as::<_, CorrectionRow>(
            "SELECT t.id, r.fields, coalesce(p.fields, '{}') AS before, r.changed, t.status, r.recorded_at
             FROM topic t JOIN revision r ON r.topic_serial = t.serial AND r.revision > 1
             LEFT JOIN revision p ON p.topic_serial = t.serial AND p.revision = r.revision - 1
             WHERE t.status <> 'withdrawn' AND (t.division = $1 AND t.announced_to = $1 OR t.announced_joint = $1) AND r.changed <> '[]'
               AND r.recorded_at > coalesce((SELECT max(marked_at) FROM slot WHERE kind = 'queue' AND recipient = $1 AND letters > 0), 0)
             ORDER BY r.recorded_at, t.serial LIMIT $2",
        )
        .bind(division)
        .bind(CORRECTIONS_MAX)
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(|row| row.correction(knowledge)).collect()
    }

    /// The files that the latest revision of these topics was read from, each once.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn files_of(&self, numbers: &[String]) -> Result<Vec<TopicFile>, StoreError> {
        let mut files = std::collections::BTreeSet::new();
        for number in numbers {
            let rows: Vec<(String, String, String)> = sqlx::query_as(
                "SELECT m.sha256, a.path, r.sources FROM topic t JOIN revision r ON r.topic_serial = t.serial AND r.revision = t.revision
                 JOIN message m ON m.id = r.message_id JOIN attachment a ON a.message_id = m.id WHERE t.id = $1",
            )
            .bind(number)
            .fetch_all(&self.pool)
            .await?;
            for (message_sha256, path, sources) in rows {
                let sources: Vec<Source> = serde_json::from_str(&sources)?;
                if sources.iter().any(|source| source.attachment == path) {
                    files.insert(TopicFile { message_sha256, path });
                }
            }
        }
        Ok(files.into_iter().collect())
    }
}

/// A finding as an officer reads it: the example of how to answer is for its sender.
fn without_example(sentence: &str) -> String {
    sentence.split_once("，例如").map_or_else(|| sentence.to_owned(), |(said, _)| format!("{said}。"))
}

/// A topic's state in Chinese, for internal letters.
pub(super) fn state_name(status: &str) -> &'static str {
    match from_word::<TopicStatus>(status) {
        Some(TopicStatus::Accepted) => "材料齐全",
        Some(TopicStatus::NeedsCorrection) => "待补正",
        Some(TopicStatus::SuspectedDuplicate) => "疑似重复",
        Some(TopicStatus::Withdrawn) => "已撤回",
        None => "不明",
    }
}

impl QueueRow {
    fn topic(self, reader: &str, knowledge: &Knowledge, now: Timestamp) -> Result<QueueTopic, StoreError> {
        let mut fields: std::collections::BTreeMap<String, String> = serde_json::from_str(&self.fields)?;
        let findings: Vec<Finding> = serde_json::from_str(&self.findings)?;
        let duplicates: Vec<Duplicate> = serde_json::from_str(&self.duplicates)?;
        let candidates: Vec<Candidate> = serde_json::from_str(&self.candidates)?;
        let evidence: Vec<String> = serde_json::from_str(&self.evidence)?;
        let completeness: Completeness = serde_json::from_str(&self.completeness)?;
        let quantified = quantified(fields.get("params").map_or("", String::as_str));
        let mut take = |key: &str| fields.remove(key).unwrap_or_default();
        let name = |id: &str| knowledge.divisions.division(id).map_or_else(|| id.to_owned(), |division| division.name.clone());
        Ok(QueueTopic {
            number: self.id,
            title: take("topic_title"),
            applicant: take("applicant"),
            bureau: self.bureau_name.unwrap_or_default(),
            received_at: timestamp(self.received_at),
            days: (millis(now) - self.received_at).max(0) / 86_400_000,
            urgent: self.urgent != 0,
            percent: completeness.percent,
            joint: match &self.joint {
                Some(joint) if *joint == reader => format!("会办：由{}主办，本处会办", name(&self.division)),
                Some(joint) => format!("会办：与{}会办", name(joint)),
                None => String::new(),
            },
            state: state_name(&self.status).to_owned(),
            confidence: self.confidence,
            runners_up: candidates
                .iter()
                .filter(|candidate| candidate.division != self.division && candidate.division != reader && candidate.score >= 0.2)
                .map(|candidate| name(&candidate.division))
                .collect::<Vec<_>>()
                .join("、"),
            evidence: evidence.iter().map(|evidence| evidence_in_words(evidence)).collect::<Vec<_>>().join("、"),
            problem: take("problem"),
            goal: take("goal"),
            params: take("params"),
            benefit: take("benefit"),
            contact: take("contact"),
            phone: take("phone"),
            remarks: findings
                .iter()
                .filter(|finding| finding.severity >= Severity::Warning)
                .map(|finding| without_example(&finding.message))
                .collect::<Vec<_>>()
                .join("\n"),
            quantified,
            completeness_why: completeness.in_words().join("\n"),
            duplicates: duplicates
                .iter()
                .map(|duplicate| format!("{}（相似度{:.2}）", duplicate.topic, duplicate.score))
                .collect::<Vec<_>>()
                .join("、"),
        })
    }
}

impl CorrectionRow {
    fn correction(self, knowledge: &Knowledge) -> Result<QueueCorrection, StoreError> {
        type Fields = std::collections::BTreeMap<String, String>;
        let (after, before): (Fields, Fields) = (serde_json::from_str(&self.fields)?, serde_json::from_str(&self.before)?);
        let changed: Vec<String> = serde_json::from_str(&self.changed)?;
        let label = |key: &str| {
            let field = knowledge.catalogue.forms.iter().find_map(|form| form.field(key));
            field.map_or_else(|| key.to_owned(), |field| field.label.clone())
        };
        let shown = |fields: &Fields, key: &str| {
            let text = fields.get(key).map_or("", String::as_str).trim();
            let mut shown: String = text.chars().take(SHOWN_CHARS).collect();
            if text.chars().nth(SHOWN_CHARS).is_some() {
                shown.push('…');
            }
            shown
        };
        let change = |key: &String| match (shown(&before, key), shown(&after, key)) {
            (old, new) if old.is_empty() => format!("{}：补充“{new}”", label(key)),
            (old, new) if new.is_empty() => format!("{}：删去“{old}”", label(key)),
            (old, new) if old == new => format!("{}：后文有改动，见课题详情", label(key)),
            (old, new) => format!("{}：由“{old}”改为“{new}”", label(key)),
        };
        let text = |key: &str| after.get(key).cloned().unwrap_or_default();
        Ok(QueueCorrection {
            number: self.id,
            title: text("topic_title"),
            applicant: text("applicant"),
            received_at: timestamp(self.recorded_at),
            changes: changed.iter().map(change).collect(),
            state: state_name(&self.status).to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_officer_is_not_told_how_the_sender_should_answer() {
        let told = without_example("“联系电话”附件2为“1”、附件1为“2”，请核对后更正其中一处，例如：回复本邮件，只附更正后的申报表。");
        assert_eq!(told, "“联系电话”附件2为“1”、附件1为“2”，请核对后更正其中一处。");
        assert_eq!(without_example("缺少“联系电话”。"), "缺少“联系电话”。");
    }
}
