//! Mails that wait to be examined: who has them in hand, what failed, and whose examination its process did not survive.
//!
//! Nothing is written when an examination begins. A mail that a dead process had in hand is a suspect; suspects are handed out one at
//! a time, so that from the second death on it is known whose examination it was.

use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use super::{Store, StoreError, millis, timestamp};

/// Rest of a mail once it has been alone in the hands of a process that died, doubled with each further time. Others go on meanwhile.
const REST_MILLIS: i64 = 15_000;

/// A message that waits to be examined.
#[derive(Debug, Clone)]
pub struct Waiting {
    pub id: i64,
    pub sha256: String,
    /// Examinations that failed.
    pub attempts: u32,
    /// Processes that ended with this mail in hand; all but the first of them had no other.
    pub deaths: u32,
    /// IMAP folder it was first seen in; empty otherwise.
    pub folder: String,
    pub locator: String,
    pub arrived_at: Option<Timestamp>,
    pub seen_at: Timestamp,
}

/// What stands in a row of [`Waiting`].
type Row = (i64, String, i64, i64, String, String, Option<i64>, i64);

impl Store {
    /// Takes messages in hand that are to be examined now, in order of acceptance, after the given id; a suspect comes alone. No other
    /// process gets them while this one lives.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn claim_waiting(&self, after: i64, now: Timestamp, limit: u32) -> Result<Vec<Waiting>, StoreError> {
        self.inherit_from_the_dead(now).await?;
        let (suspect,): (Option<i64>,) = sqlx::query_as(
            "SELECT min(id) FROM message WHERE state = 'accepted' AND deaths > 0 AND id > $1 AND (retry_at IS NULL OR retry_at <= $2)
                 AND (claimed_by IS NULL OR claimed_by = $3)",
        )
        .bind(after)
        .bind(millis(now))
        .bind(self.holder.as_ref())
        .fetch_one(&self.pool)
        .await?;
        let sound = self.claim_between(after, suspect.unwrap_or(i64::MAX), now, limit).await?;
        match suspect {
            Some(suspect) if sound.is_empty() => self.claim_between(suspect - 1, suspect + 1, now, 1).await,
            _ => Ok(sound),
        }
    }

    /// What dead processes had in hand is free, and suspect.
    async fn inherit_from_the_dead(&self, now: Timestamp) -> Result<(), StoreError> {
        let inherit = format!(
            "UPDATE message SET claimed_by = NULL, deaths = deaths + 1,
                 retry_at = CASE WHEN deaths < 2 THEN retry_at ELSE $2 + $3 * (1 << CAST(deaths - 2 AS INTEGER)) END
             WHERE state = 'accepted' AND claimed_by IS NOT NULL AND claimed_by <> $1
                 AND NOT EXISTS (SELECT 1 FROM presence p WHERE p.holder = message.claimed_by AND p.until > {})",
            self.engine.now()
        );
        sqlx::query(AssertSqlSafe(inherit)).bind(self.holder.as_ref()).bind(millis(now)).bind(REST_MILLIS).execute(&self.writer).await?;
        Ok(())
    }

    async fn claim_between(&self, after: i64, before: i64, now: Timestamp, limit: u32) -> Result<Vec<Waiting>, StoreError> {
        let claim = format!(
            "UPDATE message SET claimed_by = $1 WHERE claimed_by IS NULL AND id IN (
                 SELECT m.id FROM message m WHERE m.state = 'accepted' AND m.id > $2 AND m.id < $3 AND (m.retry_at IS NULL OR m.retry_at <= $4)
                     AND (m.claimed_by IS NULL OR m.claimed_by = $1)
                 ORDER BY m.id LIMIT $5 {})",
            self.engine.skipping_locked()
        );
        sqlx::query(AssertSqlSafe(claim))
            .bind(self.holder.as_ref())
            .bind(after)
            .bind(before)
            .bind(millis(now))
            .bind(i64::from(limit))
            .execute(&self.writer)
            .await?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT m.id, m.sha256, m.attempts, m.deaths, s.folder, s.locator, s.arrived_at, s.seen_at
             FROM message m JOIN sighting s ON s.message_id = m.id AND s.first = 1
             WHERE m.state = 'accepted' AND m.claimed_by = $1 AND m.id > $2 AND m.id < $3 AND (m.retry_at IS NULL OR m.retry_at <= $4)
             ORDER BY m.id LIMIT $5",
        )
        .bind(self.holder.as_ref())
        .bind(after)
        .bind(before)
        .bind(millis(now))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        let number = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        let waiting = |(id, sha256, attempts, deaths, folder, locator, arrived_at, seen_at): Row| Waiting {
            id,
            sha256,
            attempts: number(attempts),
            deaths: number(deaths),
            folder,
            locator,
            arrived_at: arrived_at.map(timestamp),
            seen_at: timestamp(seen_at),
        };
        Ok(rows.into_iter().map(waiting).collect())
    }

    /// This process ends in good order: what it had in hand is free, and nobody's death is put down to it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub(super) async fn let_go(&self) -> Result<(), StoreError> {
        sqlx::query("UPDATE message SET claimed_by = NULL WHERE state = 'accepted' AND claimed_by = $1")
            .bind(self.holder.as_ref())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// An examination failed: leaves the message for later.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn postpone(&self, id: i64, until: Timestamp, problem: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE message SET retry_at = $2, problem = $3, attempts = attempts + 1, claimed_by = NULL WHERE id = $1 AND state = 'accepted'",
        )
        .bind(id)
        .bind(millis(until))
        .bind(problem)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Its last examination failed: sets a message aside for a person, with the reason.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn park(&self, id: i64, problem: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE message SET state = 'parked', attempts = attempts + 1, problem = $2 WHERE id = $1 AND state = 'accepted'")
            .bind(id)
            .bind(problem)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}
