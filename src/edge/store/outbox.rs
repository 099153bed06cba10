//! The outbox: every outgoing letter, its state and the server's answers.

use jiff::Timestamp;
use sqlx::FromRow;

use super::{Store, StoreError, from_word, millis, timestamp};
use crate::domain::letters::{Enclosure, LetterKind};

mod admit;
mod listed;

pub(super) use admit::{bounced, insert};
pub use listed::ListedLetter;

/// A letter that is due.
#[derive(Debug, Clone)]
pub struct DueLetter {
    pub id: i64,
    pub kind: LetterKind,
    pub to: String,
    pub subject: String,
    pub text: String,
    /// HTML twin of the text.
    pub html: Option<String>,
    pub message_id: String,
    pub in_reply_to: Option<String>,
    pub references: Vec<String>,
    pub enclosures: Vec<Enclosure>,
    /// SHA-256 of the mail that caused it.
    pub cause: Option<String>,
    /// Times it was handed to the server before.
    pub attempts: u32,
    /// Tries that failed for its own sake.
    pub faults: u32,
    /// The server's last words about it.
    pub last_reply: Option<String>,
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
    html: Option<String>,
    message_id: String,
    in_reply_to: Option<String>,
    refs: String,
    cause: Option<String>,
    attempts: i64,
    faults: i64,
    last_reply: Option<String>,
}

/// Columns of a [`LetterRow`].
macro_rules! letter_columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, recipient, subject, body, html, message_id, in_reply_to, refs, attempts, faults, last_reply, ",
            "(SELECT message.sha256 FROM message WHERE message.id = letter.cause_id) AS cause FROM letter ",
            $rest
        )
    };
}

impl Store {
    /// Letters due now, the most urgent first, then by due time. `answers`: receipts; `internal`: everything else.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn due_letters(&self, now: Timestamp, answers: bool, internal: bool, limit: u32) -> Result<Vec<DueLetter>, StoreError> {
        let rows = sqlx::query_as::<_, LetterRow>(letter_columns!(
            "WHERE state = 'queued' AND due_at <= $1 AND ((kind = 'ack' AND $2) OR (kind <> 'ack' AND $3)) ORDER BY urgency, due_at, id LIMIT $4"
        ))
        .bind(millis(now))
        .bind(answers)
        .bind(internal)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        self.with_enclosures(rows).await
    }

    /// Letters whose fate is unknown and that no person has to decide yet.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn unsettled_letters(&self, now: Timestamp) -> Result<Vec<UnsettledLetter>, StoreError> {
        let rows: Vec<(i64, String, i64, Option<String>, Option<i64>, i64)> = sqlx::query_as(
            "SELECT id, message_id, repeated, account, started_at, created_at FROM letter WHERE state = 'unknown' AND repeated < 2 AND due_at <= $1 ORDER BY id LIMIT 50",
        )
        .bind(millis(now))
        .fetch_all(&self.pool)
        .await?;
        let letter = |(id, message_id, repeated, account, started_at, created_at): (i64, String, i64, Option<String>, Option<i64>, i64)| {
            UnsettledLetter { id, message_id, repeated: repeated > 0, account, started_at: timestamp(started_at.unwrap_or(created_at)) }
        };
        Ok(rows.into_iter().map(letter).collect())
    }

    /// All letters in order of writing; for the demo's small store.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn all_letters(&self) -> Result<Vec<StoredLetter>, StoreError> {
        let rows = sqlx::query_as::<_, LetterRow>(letter_columns!("ORDER BY id")).fetch_all(&self.pool).await?;
        self.with_enclosures(rows).await
    }

    /// One letter.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn letter(&self, id: i64) -> Result<Option<StoredLetter>, StoreError> {
        let rows = sqlx::query_as::<_, LetterRow>(letter_columns!("WHERE id = $1")).bind(id).fetch_all(&self.pool).await?;
        Ok(self.with_enclosures(rows).await?.pop())
    }

    async fn with_enclosures(&self, rows: Vec<LetterRow>) -> Result<Vec<DueLetter>, StoreError> {
        let mut letters = Vec::with_capacity(rows.len());
        for row in rows {
            let enclosures: Vec<(String, String, Vec<u8>, Option<String>)> =
                sqlx::query_as("SELECT name, media_type, bytes, content_id FROM enclosure WHERE letter_id = $1 ORDER BY ordinal")
                    .bind(row.id)
                    .fetch_all(&self.pool)
                    .await?;
            let enclosure = |(name, media_type, bytes, content_id)| Enclosure { name, media_type, bytes, content_id };
            letters.push(DueLetter {
                id: row.id,
                kind: from_word(&row.kind).unwrap_or(LetterKind::Alert),
                to: row.recipient,
                subject: row.subject,
                text: row.body,
                html: row.html,
                message_id: row.message_id,
                in_reply_to: row.in_reply_to,
                references: serde_json::from_str(&row.refs)?,
                enclosures: enclosures.into_iter().map(enclosure).collect(),
                cause: row.cause,
                attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
                faults: u32::try_from(row.faults).unwrap_or(u32::MAX),
                last_reply: row.last_reply,
            });
        }
        Ok(letters)
    }

    /// Marks a letter as being handed over by an account, durably before the first byte leaves, and counts it against the account's
    /// caps. `false` where it is no longer queued.
    ///
    /// # Errors
    /// When the mark could not be committed.
    pub async fn claim_letter(&self, id: i64, account: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let changed = sqlx::query(
            "UPDATE letter SET state = 'sending', attempts = attempts + 1, started_at = $2, account = $3 WHERE id = $1 AND state = 'queued'",
        )
        .bind(id)
        .bind(millis(now))
        .bind(account)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if changed == 0 {
            return Ok(false);
        }
        sqlx::query("INSERT INTO handover (account, letter_id, started_at) VALUES ($1, $2, $3)")
            .bind(account)
            .bind(id)
            .bind(millis(now))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The server accepted it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn letter_sent(&self, id: i64, reply: &str, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE letter SET state = 'sent', last_reply = $2, sent_at = $3, held_because = NULL WHERE id = $1")
            .bind(id)
            .bind(reply)
            .bind(millis(at))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Not now: it is queued again for `due_at`. `own_fault`: for its own sake, not the account's.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn letter_later(&self, id: i64, reply: &str, due_at: Timestamp, own_fault: bool) -> Result<(), StoreError> {
        sqlx::query("UPDATE letter SET state = 'queued', last_reply = $2, due_at = $3, faults = faults + $4 WHERE id = $1")
            .bind(id)
            .bind(reply)
            .bind(millis(due_at))
            .bind(i64::from(own_fault))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// It waits for its turn, untried.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn letter_waits(&self, id: i64, due_at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE letter SET due_at = $2 WHERE id = $1 AND state = 'queued'")
            .bind(id)
            .bind(millis(due_at))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Given up; the digest lists it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn letter_failed(&self, id: i64, reply: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE letter SET state = 'failed', last_reply = $2 WHERE id = $1").bind(id).bind(reply).execute(&self.writer).await?;
        Ok(())
    }

    /// Set aside for a person. `false` where it left already or leaves just now.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn letter_held(&self, id: i64, because: &str, reply: Option<&str>) -> Result<bool, StoreError> {
        let changed = sqlx::query(
            "UPDATE letter SET state = 'held', held_because = $2, last_reply = coalesce($3, last_reply) WHERE id = $1 AND (state <> 'sent') AND (state <> 'sending' OR $3 IS NOT NULL)",
        )
        .bind(id)
        .bind(because)
        .bind(reply)
        .execute(&self.writer)
        .await?
        .rows_affected();
        Ok(changed == 1)
    }

    /// A person lets it leave after all. `false` where it is neither held nor failed nor unknown.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn retry_letter(&self, id: i64, now: Timestamp) -> Result<bool, StoreError> {
        let changed = sqlx::query(
            "UPDATE letter SET state = 'queued', due_at = $2, faults = 0, repeated = 0, held_because = NULL, bounced_at = NULL
             WHERE id = $1 AND state IN ('held', 'failed', 'unknown')",
        )
        .bind(id)
        .bind(millis(now))
        .execute(&self.writer)
        .await?
        .rows_affected();
        Ok(changed == 1)
    }

    /// The answer was lost. It is looked for at `due_at`; after its one repeat a second look, then a person.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn letter_unknown(&self, id: i64, reply: &str, due_at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE letter SET state = 'unknown', last_reply = $2, due_at = $3 WHERE id = $1")
            .bind(id)
            .bind(reply)
            .bind(millis(due_at))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// It was not found: one repeat with the same Message-ID, then a person. Returns whether it is repeated.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn letter_not_found(&self, id: i64) -> Result<bool, StoreError> {
        let (state,): (String,) = sqlx::query_as(
            "UPDATE letter SET state = CASE WHEN repeated = 0 THEN 'queued' ELSE 'unknown' END, repeated = repeated + 1 WHERE id = $1 RETURNING state",
        )
        .bind(id)
        .fetch_one(&self.pool)
        .await?;
        Ok(state == "queued")
    }

    /// After a crash: letters left in `sending` have an unknown fate. Returns how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn recover_sending(&self, now: Timestamp) -> Result<u64, StoreError> {
        let left = sqlx::query(
            "UPDATE letter SET state = 'unknown', due_at = $1, last_reply = 'annexd stopped while this letter was being sent' WHERE state = 'sending'",
        )
        .bind(millis(now))
        .execute(&self.writer)
        .await?
        .rows_affected();
        Ok(left)
    }

    /// Letters an account handed to its server between two moments: what counts against its caps.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn handed_over_between(&self, account: &str, since: Timestamp, until: Timestamp) -> Result<u64, StoreError> {
        let (count,): (i64,) = sqlx::query_as("SELECT count(*) FROM handover WHERE account = $1 AND started_at BETWEEN $2 AND $3")
            .bind(account)
            .bind(millis(since))
            .bind(millis(until))
            .fetch_one(&self.pool)
            .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// When an account last handed a letter to its server, up to a moment.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_handover(&self, account: &str, until: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let (started,): (Option<i64>,) = sqlx::query_as("SELECT max(started_at) FROM handover WHERE account = $1 AND started_at <= $2")
            .bind(account)
            .bind(millis(until))
            .fetch_one(&self.pool)
            .await?;
        Ok(started.map(timestamp))
    }

    /// When the answer left to an address that lies `n` answers back.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn nth_last_answer(&self, address: &str, n: u32) -> Result<Option<Timestamp>, StoreError> {
        let row: Option<(i64,)> = sqlx::query_as(
            "SELECT started_at FROM letter WHERE kind = 'ack' AND recipient = $1 AND started_at IS NOT NULL ORDER BY started_at DESC LIMIT 1 OFFSET $2",
        )
        .bind(address)
        .bind(i64::from(n.saturating_sub(1)))
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|(at,)| timestamp(at)))
    }
}

/// A letter in state `unknown`.
#[derive(Debug, Clone)]
pub struct UnsettledLetter {
    pub id: i64,
    pub message_id: String,
    /// It was sent a second time already.
    pub repeated: bool,
    /// The account it left through.
    pub account: Option<String>,
    pub started_at: Timestamp,
}
