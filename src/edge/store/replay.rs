//! Replaying: which stored mails brought which topics, and writing what today's rules make of them.

use jiff::Timestamp;
use serde_json::json;

use super::{
    Engine, Store, StoreError, Writing,
    known::{TopicRow, draft, topics_where},
    millis,
    record::{insert_routes, places_of, record_attachments, record_topics},
    signatures::{self, Signed},
    word,
};
use crate::domain::{
    uscc,
    verdict::{
        Topic,
        replaying::{Comparison, Difference, Replayed, Stored},
    },
};

/// A recorded message, for reading it again.
#[derive(Debug, Clone)]
pub struct RecordedMessage {
    pub id: i64,
    pub sha256: String,
    pub subject: String,
}

impl Store {
    /// Recorded messages accepted since a moment, in order, after an id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn recorded_messages(&self, since: Timestamp, after: i64, limit: u32) -> Result<Vec<RecordedMessage>, StoreError> {
        let rows: Vec<(i64, String, Option<String>)> = sqlx::query_as(
            "SELECT id, sha256, subject FROM message WHERE state = 'recorded' AND bytes > 0 AND accepted_at >= $1 AND id > $2
             AND kind IN ('submission', 'correction', 'enterprise_direct') ORDER BY id LIMIT $3",
        )
        .bind(millis(since))
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(id, sha256, subject)| RecordedMessage { id, sha256, subject: subject.unwrap_or_default() }).collect())
    }

    /// The topics that a message was about, marked where a later mail or a person has settled them, and the numbers of those whose
    /// division is not the router's matter.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn brought_by(&self, message_id: i64) -> Result<(Vec<Stored>, Vec<String>), StoreError> {
        let rows = sqlx::query_as::<_, TopicRow>(topics_where!("r.message_id = $1 AND t.status <> 'withdrawn' ORDER BY t.serial"))
            .bind(message_id)
            .fetch_all(&self.pool)
            .await?;
        let (mut stored, mut decided) = (Vec::new(), Vec::new());
        for row in rows {
            let topic = row.topic()?;
            let before: Option<(String, String, String)> = sqlx::query_as(
                "SELECT r.fields, r.places, r.sources FROM topic t JOIN revision r ON r.topic_serial = t.serial AND r.revision = t.revision - 1 WHERE t.id = $1",
            )
            .bind(&topic.id)
            .fetch_optional(&self.pool)
            .await?;
            let (by, review): (String, String) = sqlx::query_as(
                "SELECT o.routed_by, t.review FROM route o JOIN topic t ON t.serial = o.topic_serial WHERE t.id = $1 ORDER BY o.id DESC LIMIT 1",
            )
            .bind(&topic.id)
            .fetch_one(&self.pool)
            .await?;
            if matches!(by.as_str(), "person" | "twin") || review != "open" {
                decided.push(topic.id.clone());
            }
            let before = before.map(|(fields, places, sources)| draft(&fields, &places, &sources)).transpose()?;
            stored.push(Stored { topic, before, settled: false });
        }
        let settled = sqlx::query_as::<_, TopicRow>(topics_where!(
            "t.serial IN (SELECT m.topic_serial FROM topic_message m WHERE m.message_id = $1)
             AND (r.message_id <> $1 OR t.status = 'withdrawn') ORDER BY t.serial"
        ))
        .bind(message_id)
        .fetch_all(&self.pool)
        .await?;
        for row in settled {
            stored.push(Stored { topic: row.topic()?, before: None, settled: true });
        }
        Ok((stored, decided))
    }

    /// Writes what a replay found, in one transaction: latest revisions are put right in place, new topics get numbers. No letter is
    /// written; what stood before stays in the `replay` table.
    ///
    /// # Errors
    /// When the transaction could not be committed; then nothing is changed.
    pub async fn apply_replay(&self, message_id: i64, replayed: &Replayed, now: Timestamp, year: i16) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM attachment WHERE message_id = $1").bind(message_id).execute(&mut *transaction).await?;
        sqlx::query("DELETE FROM mail_finding WHERE message_id = $1").bind(message_id).execute(&mut *transaction).await?;
        record_attachments(&mut transaction, message_id, &replayed.verdict).await?;
        for comparison in replayed.topics.iter().filter(|comparison| !comparison.differences.is_empty()) {
            match &comparison.stored {
                None => {
                    record_topics(self.engine, &mut transaction, message_id, &[&comparison.now], &replayed.verdict, now, year).await?;
                }
                Some(_) => put_right(self.engine, &mut transaction, comparison, now).await?,
            }
        }
        transaction.commit().await?;
        Ok(())
    }
}

async fn put_right(engine: Engine, transaction: &mut Writing, comparison: &Comparison, now: Timestamp) -> Result<(), StoreError> {
    let Some(then) = &comparison.stored else { return Ok(()) };
    let topic: &Topic = &comparison.now;
    let moved = comparison.differences.iter().any(|difference| matches!(difference, Difference::Division { .. }));
    let division = if moved { &topic.route.division } else { &then.division };
    let (serial, revision): (i64, i64) = sqlx::query_as(
        "UPDATE topic SET applicant_key = $2, title_key = $3, code_key = $4, fingerprint = $5, division = $6,
                status = CASE WHEN status IN ('accepted', 'needs_correction') THEN $7 ELSE status END
         WHERE id = $1 RETURNING serial, revision",
    )
    .bind(&then.id)
    .bind(&topic.key.applicant)
    .bind(&topic.key.title)
    .bind(uscc::normalise(topic.text("uscc")))
    .bind(&topic.fingerprint)
    .bind(division)
    .bind(word(topic.status))
    .fetch_one(&mut **transaction)
    .await?;
    let before = json!({"fields": then.draft.fields.iter().map(|(key, placed)| (key, &placed.value.text)).collect::<std::collections::BTreeMap<_, _>>(), "findings": then.findings, "division": then.division});
    sqlx::query("INSERT INTO replay (topic_serial, revision, before, replayed_at) VALUES ($1, $2, $3, $4)")
        .bind(serial)
        .bind(revision)
        .bind(before.to_string())
        .bind(millis(now))
        .execute(&mut **transaction)
        .await?;
    sqlx::query(
        "UPDATE revision SET fields = $3, places = $4, sources = $5, findings = $6, completeness = $7, normalised = $8
         WHERE topic_serial = $1 AND revision = $2",
    )
    .bind(serial)
    .bind(revision)
    .bind(serde_json::to_string(&topic.fields)?)
    .bind(places_of(topic)?)
    .bind(serde_json::to_string(&topic.sources)?)
    .bind(serde_json::to_string(&topic.findings)?)
    .bind(serde_json::to_string(&topic.completeness)?)
    .bind(serde_json::to_string(&topic.normalised)?)
    .execute(&mut **transaction)
    .await?;
    signatures::replace(engine, transaction, &Signed { serial, number: &then.id, signature: &topic.signature }).await?;
    if moved {
        insert_routes(transaction, &[(serial, topic)], millis(now)).await?;
    }
    Ok(())
}
