//! The outbox as an administrator looks at it.

use jiff::Timestamp;
use sqlx::FromRow;

use super::super::{Store, StoreError, timestamp};

/// Columns of a [`ListedLetter`].
macro_rules! listed_columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, recipient, subject, state, attempts, created_at, due_at, sent_at, coalesce(held_because, '') AS held_because, ",
            "coalesce(last_reply, '') AS last_reply FROM letter ",
            $rest
        )
    };
}

impl Store {
    /// Letters that a person should know of: held, failed, unknown; with `all`, also those that wait and those that left.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn letter_list(&self, all: bool, limit: u32) -> Result<Vec<ListedLetter>, StoreError> {
        let rows = sqlx::query_as::<_, ListedLetter>(listed_columns!(
            "WHERE $1 OR state IN ('held', 'failed', 'unknown') ORDER BY id DESC LIMIT $2"
        ))
        .bind(all)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }

    /// One letter as lists show it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn listed_letter(&self, id: i64) -> Result<Option<ListedLetter>, StoreError> {
        let row = sqlx::query_as::<_, ListedLetter>(listed_columns!("WHERE id = $1")).bind(id).fetch_optional(&self.pool).await?;
        Ok(row)
    }

    /// Letters that wait to leave, and when the first of them is due.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn letters_queued(&self) -> Result<(u64, Option<Timestamp>), StoreError> {
        let (count, first): (i64, Option<i64>) =
            sqlx::query_as("SELECT count(*), min(due_at) FROM letter WHERE state = 'queued'").fetch_one(&self.pool).await?;
        Ok((u64::try_from(count).unwrap_or(0), first.map(timestamp)))
    }
}

/// A letter as `annexd letters list` shows it. Times are milliseconds.
#[derive(Debug, Clone, FromRow)]
pub struct ListedLetter {
    pub id: i64,
    pub kind: String,
    pub recipient: String,
    pub subject: String,
    pub state: String,
    pub attempts: i64,
    pub created_at: i64,
    pub due_at: i64,
    pub sent_at: Option<i64>,
    /// `loop`, `address_cap`, `undeliverable`, `content`, `person`; empty where it is not held.
    pub held_because: String,
    pub last_reply: String,
}
