//! The outbox: every outgoing letter, its state and the server's answers.

use jiff::Timestamp;
use sqlx::{FromRow, Sqlite, Transaction};

use super::{Store, StoreError, from_word, millis, word};
use crate::domain::letters::{self, Enclosure, Letter, LetterKind};

/// A letter that is due.
#[derive(Debug, Clone)]
pub struct DueLetter {
    pub id: i64,
    pub kind: LetterKind,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub message_id: String,
    pub in_reply_to: Option<String>,
    pub references: Vec<String>,
    pub enclosures: Vec<Enclosure>,
    /// Times it was handed to the server before.
    pub attempts: u32,
}

/// Any letter of the outbox.
pub type StoredLetter = DueLetter;

#[derive(FromRow)]
struct LetterRow {
    id: i64,
    kind: String,
    recipient: String,
    subject: String,
    body: String,
    message_id: String,
    in_reply_to: Option<String>,
    refs: String,
    attempts: i64,
}

/// Queues a letter inside a transaction; `false` where its key was used before.
pub(super) async fn insert(
    transaction: &mut Transaction<'static, Sqlite>,
    letter: &Letter,
    cause_id: Option<i64>,
    mail_domain: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = sqlx::query_as(
        "INSERT INTO letter (key, kind, recipient, subject, body, message_id, in_reply_to, refs, cause_id, state, created_at, due_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued', $10, $11) ON CONFLICT (key) DO NOTHING RETURNING id",
    )
    .bind(&letter.key)
    .bind(word(letter.kind))
    .bind(&letter.to)
    .bind(&letter.subject)
    .bind(&letter.text)
    .bind(letters::message_id(&letter.key, mail_domain))
    .bind(&letter.in_reply_to)
    .bind(serde_json::to_string(&letter.references)?)
    .bind(cause_id)
    .bind(millis(now))
    .bind(millis(letter.due_at))
    .fetch_optional(&mut **transaction)
    .await?;
    let Some((id,)) = row else { return Ok(false) };
    for (ordinal, enclosure) in (0_i64..).zip(&letter.enclosures) {
        sqlx::query("INSERT INTO enclosure (letter_id, ordinal, name, media_type, bytes) VALUES ($1, $2, $3, $4, $5)")
            .bind(id)
            .bind(ordinal)
            .bind(&enclosure.name)
            .bind(&enclosure.media_type)
            .bind(&enclosure.bytes)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(true)
}

impl Store {
    /// Letters due now, receipts first, then by due time.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn due_letters(&self, now: Timestamp, limit: u32) -> Result<Vec<DueLetter>, StoreError> {
        let rows = sqlx::query_as::<_, LetterRow>(
            "SELECT id, kind, recipient, subject, body, message_id, in_reply_to, refs, attempts FROM letter
             WHERE state = 'queued' AND due_at <= $1 ORDER BY kind <> 'alert', kind <> 'ack', due_at, id LIMIT $2",
        )
        .bind(millis(now))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        self.with_enclosures(rows).await
    }

    /// All letters in order of writing; for the demo's small store.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn all_letters(&self) -> Result<Vec<StoredLetter>, StoreError> {
        let rows = sqlx::query_as::<_, LetterRow>(
            "SELECT id, kind, recipient, subject, body, message_id, in_reply_to, refs, attempts FROM letter ORDER BY id",
        )
        .fetch_all(&self.pool)
        .await?;
        self.with_enclosures(rows).await
    }

    async fn with_enclosures(&self, rows: Vec<LetterRow>) -> Result<Vec<DueLetter>, StoreError> {
        let mut letters = Vec::with_capacity(rows.len());
        for row in rows {
            let enclosures: Vec<(String, String, Vec<u8>)> =
                sqlx::query_as("SELECT name, media_type, bytes FROM enclosure WHERE letter_id = $1 ORDER BY ordinal")
                    .bind(row.id)
                    .fetch_all(&self.pool)
                    .await?;
            letters.push(DueLetter {
                id: row.id,
                kind: from_word(&row.kind).unwrap_or(LetterKind::Alert),
                to: row.recipient,
                subject: row.subject,
                text: row.body,
                message_id: row.message_id,
                in_reply_to: row.in_reply_to,
                references: serde_json::from_str(&row.refs)?,
                enclosures: enclosures.into_iter().map(|(name, media_type, bytes)| Enclosure { name, media_type, bytes }).collect(),
                attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
            });
        }
        Ok(letters)
    }

    /// Marks a letter as being handed over, durably before the first byte leaves. `false` where it is no longer queued.
    ///
    /// # Errors
    /// When the mark could not be committed.
    pub async fn claim_letter(&self, id: i64, now: Timestamp) -> Result<bool, StoreError> {
        let changed =
            sqlx::query("UPDATE letter SET state = 'sending', attempts = attempts + 1, started_at = $2 WHERE id = $1 AND state = 'queued'")
                .bind(id)
                .bind(millis(now))
                .execute(&self.pool)
                .await?
                .rows_affected();
        Ok(changed == 1)
    }

    /// The server accepted it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn letter_sent(&self, id: i64, reply: &str, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE letter SET state = 'sent', last_reply = $2, sent_at = $3 WHERE id = $1")
            .bind(id)
            .bind(reply)
            .bind(millis(at))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Not now: it is queued again for `due_at`.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn letter_later(&self, id: i64, reply: &str, due_at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE letter SET state = 'queued', last_reply = $2, due_at = $3 WHERE id = $1")
            .bind(id)
            .bind(reply)
            .bind(millis(due_at))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Given up; the digest lists it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn letter_failed(&self, id: i64, reply: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE letter SET state = 'failed', last_reply = $2 WHERE id = $1").bind(id).bind(reply).execute(&self.pool).await?;
        Ok(())
    }

    /// The answer was lost: one repeat with the same Message-ID, then a person.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn letter_unknown(&self, id: i64, reply: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE letter SET last_reply = $2, state = CASE WHEN repeated = 0 THEN 'queued' ELSE 'unknown' END, repeated = 1 WHERE id = $1",
        )
        .bind(id)
        .bind(reply)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// After a crash: letters left in `sending` have an unknown fate. Returns how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn recover_sending(&self) -> Result<u64, StoreError> {
        let ids: Vec<(i64,)> = sqlx::query_as("SELECT id FROM letter WHERE state = 'sending'").fetch_all(&self.pool).await?;
        for (id,) in &ids {
            self.letter_unknown(*id, "annexd stopped while this letter was being sent").await?;
        }
        Ok(ids.len() as u64)
    }

    /// Letters handed to the server since a moment: what counts against the account's caps.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn letters_started_since(&self, since: Timestamp) -> Result<u64, StoreError> {
        let (count,): (i64,) =
            sqlx::query_as("SELECT count(*) FROM letter WHERE started_at >= $1").bind(millis(since)).fetch_one(&self.pool).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// When a letter was last handed to the server.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_letter_started(&self) -> Result<Option<Timestamp>, StoreError> {
        let (started,): (Option<i64>,) = sqlx::query_as("SELECT max(started_at) FROM letter").fetch_one(&self.pool).await?;
        Ok(started.map(super::timestamp))
    }
}
