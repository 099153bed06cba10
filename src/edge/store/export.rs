//! The database as rows of the outside contract, a page at a time.

use serde_json::{Value, json};
use sqlx::FromRow;

use super::{Store, StoreError, timestamp};
use crate::domain::{findings::Finding, verdict::json::finding_json};

/// Rows with the key that the next page starts after.
type Page = Vec<(i64, Value)>;

#[derive(FromRow)]
struct TopicRow {
    serial: i64,
    id: String,
    sha256: String,
    revision: i64,
    status: String,
    held: i64,
    division: String,
    routed_by: String,
    confidence: f64,
    evidence: String,
    candidates: String,
    joint: Option<String>,
    rules_version: String,
    model_version: String,
    urgent: i64,
    received_at: i64,
    bureau_id: Option<String>,
    bureau_name: Option<String>,
    fields: String,
    sources: String,
    findings: String,
    duplicates: String,
    completeness: String,
    normalised: String,
}

#[derive(FromRow)]
struct MessageRow {
    sighting: i64,
    first: i64,
    sha256: String,
    mailbox: String,
    uidvalidity: i64,
    uid: Option<i64>,
    message_id: Option<String>,
    sender: Option<String>,
    subject: Option<String>,
    arrived_at: i64,
    kind: Option<String>,
    state: String,
    attempts: i64,
    problem: Option<String>,
}

#[derive(FromRow)]
struct LetterRow {
    id: i64,
    kind: String,
    recipient: String,
    subject: String,
    message_id: String,
    in_reply_to: Option<String>,
    state: String,
    attempts: i64,
    last_reply: Option<String>,
    due_at: i64,
    sent_at: Option<i64>,
}

impl Store {
    /// Topics at their latest revision.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn export_topics(&self, after: i64, limit: u32) -> Result<Page, StoreError> {
        self.topic_rows(after, limit).await?.into_iter().map(|row| Ok((row.serial, row.json()?))).collect()
    }

    /// One row a finding, with its topic's id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn export_findings(&self, after: i64, limit: u32) -> Result<Page, StoreError> {
        let mut page = Vec::new();
        for row in self.topic_rows(after, limit).await? {
            let findings: Vec<Finding> = serde_json::from_str(&row.findings)?;
            for finding in &findings {
                let mut value = finding_json(finding);
                if let Value::Object(columns) = &mut value {
                    columns.shift_insert(0, "topic".to_owned(), Value::from(row.id.as_str()));
                }
                page.push((row.serial, value));
            }
            if findings.is_empty() {
                page.push((row.serial, Value::Null));
            }
        }
        Ok(page)
    }

    async fn topic_rows(&self, after: i64, limit: u32) -> Result<Vec<TopicRow>, StoreError> {
        Ok(sqlx::query_as::<_, TopicRow>(
            "SELECT t.serial, t.id, m.sha256, t.revision, t.status, t.held, t.division, o.routed_by, o.confidence, o.evidence, o.candidates, o.joint,
                    o.rules_version, o.model_version, t.urgent, t.received_at,
                    t.bureau_id, t.bureau_name, r.fields, r.sources, r.findings, r.duplicates, r.completeness, r.normalised
             FROM topic t JOIN revision r ON r.topic_serial = t.serial AND r.revision = t.revision JOIN message m ON m.id = r.message_id
             JOIN route o ON o.id = (SELECT max(id) FROM route WHERE topic_serial = t.serial)
             WHERE t.serial > $1 ORDER BY t.serial LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?)
    }

    /// One row a sighting: the first carries the message's state, later ones are duplicates.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn export_messages(&self, after: i64, limit: u32) -> Result<Page, StoreError> {
        let rows = sqlx::query_as::<_, MessageRow>(
            "SELECT s.id AS sighting, s.first, m.sha256, s.mailbox, s.uidvalidity, s.uid, m.message_id, m.sender, m.subject,
                    coalesce(s.arrived_at, s.seen_at) AS arrived_at, m.kind, m.state, m.attempts, m.problem
             FROM sighting s JOIN message m ON m.id = s.message_id WHERE s.id > $1 ORDER BY s.id LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (row.sighting, row.json())).collect())
    }

    /// The outbox.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn export_letters(&self, after: i64, limit: u32) -> Result<Page, StoreError> {
        let rows = sqlx::query_as::<_, LetterRow>(
            "SELECT id, kind, recipient, subject, message_id, in_reply_to, state, attempts, last_reply, due_at, sent_at
             FROM letter WHERE id > $1 ORDER BY id LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (row.id, row.json())).collect())
    }
}

impl TopicRow {
    fn json(&self) -> Result<Value, StoreError> {
        let findings: Vec<Finding> = serde_json::from_str(&self.findings)?;
        let bureau = self.bureau_id.as_ref().map(|id| json!({"id": id, "name": self.bureau_name}));
        let mut sources: Value = serde_json::from_str(&self.sources)?;
        for source in sources.as_array_mut().into_iter().flatten() {
            if let Value::Object(columns) = source {
                columns.shift_remove("form");
            }
        }
        Ok(json!({
            "id": self.id,
            "message_sha256": self.sha256,
            "revision": self.revision,
            "status": self.status,
            "held": self.held != 0,
            "division": self.division,
            "routed_by": self.routed_by,
            "confidence": self.confidence,
            "evidence": serde_json::from_str::<Value>(&self.evidence)?,
            "candidates": serde_json::from_str::<Value>(&self.candidates)?,
            "joint": self.joint,
            "rules_version": self.rules_version,
            "model_version": self.model_version,
            "urgent": self.urgent != 0,
            "received_at": timestamp(self.received_at).to_string(),
            "bureau": bureau,
            "fields": serde_json::from_str::<Value>(&self.fields)?,
            "sources": sources,
            "findings": findings.iter().map(finding_json).collect::<Vec<_>>(),
            "duplicates": serde_json::from_str::<Value>(&self.duplicates)?,
            "completeness": serde_json::from_str::<Value>(&self.completeness)?,
            "normalised": serde_json::from_str::<Value>(&self.normalised)?,
        }))
    }
}

impl MessageRow {
    fn json(&self) -> Value {
        json!({
            "sha256": self.sha256,
            "mailbox": self.mailbox,
            "uidvalidity": self.uidvalidity,
            "uid": self.uid,
            "message_id": self.message_id,
            "from": self.sender,
            "subject": self.subject,
            "received_at": timestamp(self.arrived_at).to_string(),
            "kind": self.kind,
            "state": if self.first == 1 { self.state.as_str() } else { "duplicate" },
            "attempts": self.attempts,
            "problem": self.problem,
        })
    }
}

impl LetterRow {
    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "kind": self.kind,
            "to": self.recipient,
            "subject": self.subject,
            "message_id": self.message_id,
            "in_reply_to": self.in_reply_to,
            "state": self.state,
            "attempts": self.attempts,
            "last_reply": self.last_reply,
            "due_at": timestamp(self.due_at).to_string(),
            "sent_at": self.sent_at.map(|at| timestamp(at).to_string()),
        })
    }
}
