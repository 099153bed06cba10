//! Everything the database holds about one mail: where it was seen, its files, what was found, its topics and its letters.

use serde_json::{Value, json};

use super::{Store, StoreError, timestamp};

#[derive(sqlx::FromRow)]
struct MessageRow {
    id: i64,
    sha256: String,
    bytes: i64,
    state: String,
    attempts: i64,
    problem: Option<String>,
    accepted_at: i64,
    recorded_at: Option<i64>,
    message_id: Option<String>,
    sender: Option<String>,
    subject: Option<String>,
    kind: Option<String>,
    answer_reason: Option<String>,
    bureau_name: Option<String>,
    letter_file: Option<String>,
    letter_number: Option<String>,
    authentication: Option<String>,
}

impl Store {
    /// The story of one mail, by its running number or the beginning of its SHA-256; `None` where there is no such mail, or more
    /// than one begins so.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn message_story(&self, id: &str) -> Result<Option<Value>, StoreError> {
        let rows = sqlx::query_as::<_, MessageRow>(
            "SELECT id, sha256, bytes, state, attempts, problem, accepted_at, recorded_at, message_id, sender, subject, kind, answer_reason,
                    bureau_name, letter_file, letter_number, authentication
             FROM message WHERE id = $1 OR length($2) >= 8 AND substr(sha256, 1, length($2)) = $2 ORDER BY id LIMIT 2",
        )
        .bind(id.parse::<i64>().unwrap_or(-1))
        .bind(id.to_ascii_lowercase())
        .fetch_all(&self.pool)
        .await?;
        let [row] = rows.as_slice() else { return Ok(None) };
        Ok(Some(json!({
            "id": row.id,
            "sha256": row.sha256,
            "bytes": row.bytes,
            "state": row.state,
            "attempts": row.attempts,
            "problem": row.problem,
            "accepted_at": timestamp(row.accepted_at).to_string(),
            "recorded_at": row.recorded_at.map(|at| timestamp(at).to_string()),
            "message_id": row.message_id,
            "from": row.sender,
            "subject": row.subject,
            "kind": row.kind,
            "answer_reason": row.answer_reason,
            "bureau": row.bureau_name,
            "formal_letter": row.letter_file.as_ref().map(|file| json!({"attachment": file, "number": row.letter_number})),
            "authentication": row.authentication,
            "seen": self.sightings_of(row.id).await?,
            "attachments": self.attachments_of(row.id).await?,
            "findings": self.findings_of(row.id).await?,
            "topics": self.topics_of(row.id).await?,
            "letters": self.letters_of(row.id).await?,
        })))
    }

    async fn sightings_of(&self, id: i64) -> Result<Vec<Value>, StoreError> {
        let rows: Vec<(String, String, String, i64)> =
            sqlx::query_as("SELECT mailbox, folder, locator, seen_at FROM sighting WHERE message_id = $1 ORDER BY id")
                .bind(id)
                .fetch_all(&self.pool)
                .await?;
        let seen = |(mailbox, folder, locator, at): (String, String, String, i64)| json!({"mailbox": mailbox, "folder": folder, "locator": locator, "seen_at": timestamp(at).to_string()});
        Ok(rows.into_iter().map(seen).collect())
    }

    async fn attachments_of(&self, id: i64) -> Result<Vec<Value>, StoreError> {
        let rows: Vec<(String, String, i64, String, String, String, Option<String>)> = sqlx::query_as(
            "SELECT path, sha256, bytes, type, role, status, problem FROM attachment WHERE message_id = $1 ORDER BY ordinal",
        )
        .bind(id)
        .fetch_all(&self.pool)
        .await?;
        let attachment = |(path, sha256, bytes, kind, role, status, problem): (
            String,
            String,
            i64,
            String,
            String,
            String,
            Option<String>,
        )| {
            json!({"path": path, "sha256": sha256, "bytes": bytes, "type": kind, "role": role, "status": status, "problem": problem})
        };
        Ok(rows.into_iter().map(attachment).collect())
    }

    async fn findings_of(&self, id: i64) -> Result<Vec<Value>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as("SELECT finding FROM mail_finding WHERE message_id = $1 ORDER BY ordinal")
            .bind(id)
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(|(finding,)| Ok(serde_json::from_str(&finding)?)).collect()
    }

    async fn topics_of(&self, id: i64) -> Result<Vec<Value>, StoreError> {
        let rows: Vec<(String, String, String, String)> = sqlx::query_as(
            "SELECT t.id, t.status, t.division, c.change FROM topic_message c JOIN topic t ON t.serial = c.topic_serial
             WHERE c.message_id = $1 ORDER BY t.serial",
        )
        .bind(id)
        .fetch_all(&self.pool)
        .await?;
        let topic = |(id, status, division, change): (String, String, String, String)| json!({"id": id, "status": status, "division": division, "change": change});
        Ok(rows.into_iter().map(topic).collect())
    }

    async fn letters_of(&self, id: i64) -> Result<Vec<Value>, StoreError> {
        let rows: Vec<(i64, String, String, String, String, Option<String>, Option<i64>)> =
            sqlx::query_as("SELECT id, kind, recipient, subject, state, last_reply, sent_at FROM letter WHERE cause_id = $1 ORDER BY id")
                .bind(id)
                .fetch_all(&self.pool)
                .await?;
        let letter =
            |(id, kind, to, subject, state, last_reply, sent_at): (i64, String, String, String, String, Option<String>, Option<i64>)| {
                json!({"id": id, "kind": kind, "to": to, "subject": subject, "state": state, "last_reply": last_reply,
                   "sent_at": sent_at.map(|at| timestamp(at).to_string())})
            };
        Ok(rows.into_iter().map(letter).collect())
    }
}
