//! The counts that status page, metrics and `annexd status` show, and the trial write.

use jiff::Timestamp;

use super::{Store, StoreError, millis, timestamp};
use crate::domain::status::{Backlog, LetterCount, MailCount, StateCount};

/// Name under which the trial write is noted.
const TRIAL: &str = "trial_write";

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn backlog((number, oldest): (i64, Option<i64>)) -> Backlog {
    Backlog { count: count(number), oldest: oldest.map(timestamp) }
}

impl Store {
    /// Mails by kind and state; further copies of a mail count as duplicates.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn mail_counts(&self) -> Result<Vec<MailCount>, StoreError> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT coalesce(m.kind, ''), CASE WHEN s.first = 1 THEN m.state ELSE 'duplicate' END, count(*)
             FROM sighting s JOIN message m ON m.id = s.message_id GROUP BY 1, 2 ORDER BY 1, 2",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(kind, state, number)| MailCount { kind, state, count: count(number) }).collect())
    }

    /// Messages that wait to be examined, and since when.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn waiting_backlog(&self) -> Result<Backlog, StoreError> {
        Ok(backlog(sqlx::query_as("SELECT count(*), min(accepted_at) FROM message WHERE state = 'accepted'").fetch_one(&self.pool).await?))
    }

    /// Topics by status.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn topic_counts(&self) -> Result<Vec<StateCount>, StoreError> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT status, count(*) FROM topic GROUP BY 1 ORDER BY 1").fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|(state, number)| StateCount { state, count: count(number) }).collect())
    }

    /// Open topics of each division that has any, and since when the oldest waits.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn queue_backlogs(&self) -> Result<Vec<(String, Backlog)>, StoreError> {
        let rows: Vec<(String, i64, Option<i64>)> = sqlx::query_as(
            "SELECT division, count(*), min(received_at) FROM topic WHERE review = 'open' AND status <> 'withdrawn' GROUP BY 1 ORDER BY 1",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(division, number, oldest)| (division, backlog((number, oldest)))).collect())
    }

    /// Letters by kind and state.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn letter_counts(&self) -> Result<Vec<LetterCount>, StoreError> {
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT kind, state, count(*) FROM letter GROUP BY 1, 2 ORDER BY 1, 2").fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|(kind, state, number)| LetterCount { kind, state, count: count(number) }).collect())
    }

    /// Letters that are due and have not left, and since when.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn due_backlog(&self, now: Timestamp) -> Result<Backlog, StoreError> {
        let row = sqlx::query_as("SELECT count(*), min(due_at) FROM letter WHERE state = 'queued' AND due_at <= $1").bind(millis(now));
        Ok(backlog(row.fetch_one(&self.pool).await?))
    }

    /// Writes something of no importance, to see whether writing works.
    ///
    /// # Errors
    /// When it does not.
    pub async fn try_to_write(&self, now: Timestamp) -> Result<(), StoreError> {
        self.note_health(TRIAL, "", now).await
    }
}
