//! Slots and queues: which scheduled letters were written, and which topics a division has not heard of.

use jiff::Timestamp;
use sqlx::FromRow;

use super::{Store, StoreError, from_word, millis, timestamp};
use crate::domain::{
    findings::{Finding, Severity},
    letters::{Letter, queue::QueueTopic},
    routing::Candidate,
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
    confidence: f64,
    candidates: String,
    evidence: String,
}

/// The columns of [`QueueRow`], under a condition.
macro_rules! queue_where {
    ($condition:literal) => {
        concat!(
            "SELECT t.id, t.bureau_name, t.received_at, t.status, t.division, r.fields, r.findings, r.duplicates, o.confidence, o.candidates, o.evidence
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
            sqlx::query("UPDATE topic SET announced_to = $2 WHERE id = $1").bind(topic).bind(recipient).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(queued)
    }

    /// Topics that a division has neither taken on nor given back, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open_topics(&self, division: &str, knowledge: &Knowledge) -> Result<Vec<QueueTopic>, StoreError> {
        let rows = sqlx::query_as::<_, QueueRow>(queue_where!("t.division = $1 AND t.review = 'open' AND t.status <> 'withdrawn'"))
            .bind(division)
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(|row| row.topic(knowledge)).collect()
    }

    /// Topics of a division that no queue letter told it about, oldest first. Topics that wait for a person are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn unannounced_topics(&self, division: &str, knowledge: &Knowledge) -> Result<Vec<QueueTopic>, StoreError> {
        let rows = sqlx::query_as::<_, QueueRow>(queue_where!(
            "t.division = $1 AND t.held = 0 AND t.status <> 'withdrawn' AND (t.announced_to IS NULL OR t.announced_to <> t.division)"
        ))
        .bind(division)
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(|row| row.topic(knowledge)).collect()
    }
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
    fn topic(self, knowledge: &Knowledge) -> Result<QueueTopic, StoreError> {
        let mut fields: std::collections::BTreeMap<String, String> = serde_json::from_str(&self.fields)?;
        let findings: Vec<Finding> = serde_json::from_str(&self.findings)?;
        let duplicates: Vec<Duplicate> = serde_json::from_str(&self.duplicates)?;
        let candidates: Vec<Candidate> = serde_json::from_str(&self.candidates)?;
        let evidence: Vec<String> = serde_json::from_str(&self.evidence)?;
        let mut take = |key: &str| fields.remove(key).unwrap_or_default();
        let name = |id: &str| knowledge.divisions.division(id).map_or_else(|| id.to_owned(), |division| division.name.clone());
        Ok(QueueTopic {
            number: self.id,
            title: take("topic_title"),
            applicant: take("applicant"),
            bureau: self.bureau_name.unwrap_or_default(),
            received_at: timestamp(self.received_at),
            state: state_name(&self.status).to_owned(),
            confidence: self.confidence,
            runners_up: candidates
                .iter()
                .filter(|candidate| candidate.division != self.division && candidate.score >= 0.2)
                .map(|candidate| name(&candidate.division))
                .collect::<Vec<_>>()
                .join("、"),
            evidence: evidence.join("、"),
            problem: take("problem"),
            goal: take("goal"),
            params: take("params"),
            benefit: take("benefit"),
            contact: take("contact"),
            phone: take("phone"),
            remarks: findings
                .iter()
                .filter(|finding| finding.severity >= Severity::Warning)
                .map(|finding| format!("{} {}", finding.rule, finding.message))
                .collect::<Vec<_>>()
                .join("\n"),
            duplicates: duplicates
                .iter()
                .map(|duplicate| format!("{}（相似度{:.2}）", duplicate.topic, duplicate.score))
                .collect::<Vec<_>>()
                .join("、"),
        })
    }
}
