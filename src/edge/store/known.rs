//! What is known about a mail's keys before it is judged.

use sqlx::FromRow;

use super::{Store, StoreError, from_word};
use crate::domain::verdict::{Known, KnownTopic, LookupKeys, TopicKey, TopicStatus};

#[derive(FromRow)]
struct TopicRow {
    id: String,
    applicant_key: String,
    title_key: String,
    fingerprint: String,
    fields: String,
    sender: String,
    bureau_id: Option<String>,
    status: String,
    division: String,
}

impl Store {
    /// Looks up everything a judgement depends on.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn known(&self, keys: &LookupKeys) -> Result<Known, StoreError> {
        let same: Option<(i64,)> =
            sqlx::query_as("SELECT id FROM message WHERE content_sha256 = $1 AND state IN ('recorded', 'ignored') LIMIT 1")
                .bind(&keys.content_sha256)
                .fetch_optional(&self.pool)
                .await?;
        let mut known = Known { same_content: same.is_some(), ..Known::default() };
        for reference in &keys.references {
            let ours: Option<(i64,)> =
                sqlx::query_as("SELECT id FROM letter WHERE message_id = $1 LIMIT 1").bind(reference).fetch_optional(&self.pool).await?;
            known.answers_our_letter |= ours.is_some();
        }
        for key in &keys.topics {
            let rows = sqlx::query_as::<_, TopicRow>(
                "SELECT t.id, t.applicant_key, t.title_key, t.fingerprint, r.fields, t.sender, t.bureau_id, t.status, t.division
                 FROM topic t JOIN revision r ON r.topic_serial = t.serial AND r.revision = t.revision
                 WHERE t.applicant_key = $1 AND t.title_key = $2 AND t.status <> 'withdrawn' ORDER BY t.serial",
            )
            .bind(&key.applicant)
            .bind(&key.title)
            .fetch_all(&self.pool)
            .await?;
            known.add(rows)?;
        }
        for number in &keys.receipt_numbers {
            let rows = sqlx::query_as::<_, TopicRow>(
                "SELECT t.id, t.applicant_key, t.title_key, t.fingerprint, r.fields, t.sender, t.bureau_id, t.status, t.division
                 FROM topic t JOIN revision r ON r.topic_serial = t.serial AND r.revision = t.revision WHERE t.id = $1",
            )
            .bind(number)
            .fetch_all(&self.pool)
            .await?;
            known.add(rows)?;
        }
        Ok(known)
    }
}

impl Known {
    fn add(&mut self, rows: Vec<TopicRow>) -> Result<(), StoreError> {
        for row in rows {
            if self.topics.iter().any(|topic| topic.id == row.id) {
                continue;
            }
            self.topics.push(KnownTopic {
                id: row.id,
                key: TopicKey { applicant: row.applicant_key, title: row.title_key },
                fingerprint: row.fingerprint,
                fields: serde_json::from_str(&row.fields)?,
                sender: row.sender,
                bureau: row.bureau_id,
                status: from_word(&row.status).unwrap_or(TopicStatus::Accepted),
                division: row.division,
            });
        }
        Ok(())
    }
}
