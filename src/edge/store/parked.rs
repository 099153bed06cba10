//! Parked messages: set aside with a reason, kept for ever, retried or ignored by a person.

use jiff::Timestamp;

use super::{Store, StoreError, UNDELIVERED, timestamp};

/// A message that could not be processed.
#[derive(Debug, Clone)]
pub struct Parked {
    pub id: i64,
    pub sha256: String,
    /// Known only if an earlier examination got that far.
    pub subject: String,
    pub problem: String,
    pub attempts: u32,
    pub accepted_at: Timestamp,
    /// Where it lies in the mailbox.
    pub place: String,
}

impl Store {
    /// All parked messages, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn parked(&self) -> Result<Vec<Parked>, StoreError> {
        let rows: Vec<(i64, String, Option<String>, Option<String>, i64, i64, String)> = sqlx::query_as(
            "SELECT m.id, m.sha256, m.subject, m.problem, m.attempts, m.accepted_at, s.mailbox || ' ' || s.folder || ' ' || s.locator
             FROM message m JOIN sighting s ON s.message_id = m.id AND s.first = 1 WHERE m.state = 'parked' ORDER BY m.id",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, sha256, subject, problem, attempts, accepted_at, place)| Parked {
                id,
                sha256,
                subject: subject.unwrap_or_default(),
                problem: problem.unwrap_or_default(),
                attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
                accepted_at: timestamp(accepted_at),
                place,
            })
            .collect())
    }

    /// Lets a parked message be examined again; `false` where it is not parked. One that was never delivered is forgotten, so that
    /// the next full comparison fetches it again.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn retry_parked(&self, id: i64) -> Result<bool, StoreError> {
        if self.forget_undelivered(id).await? {
            return Ok(true);
        }
        let changed =
            // One that ended its process is still examined alone.
            sqlx::query(
                "UPDATE message SET state = 'accepted', attempts = 0, deaths = CASE WHEN deaths > 0 THEN 1 ELSE 0 END, retry_at = NULL,
                 claimed_by = NULL WHERE id = $1 AND state = 'parked'",
            )
            .bind(id)
            .execute(&self.writer)
            .await?
            .rows_affected();
        Ok(changed == 1)
    }

    async fn forget_undelivered(&self, id: i64) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let undelivered: Option<(i64,)> =
            sqlx::query_as("SELECT id FROM message WHERE id = $1 AND state = 'parked' AND substr(sha256, 1, length($2)) = $2")
                .bind(id)
                .bind(UNDELIVERED)
                .fetch_optional(&mut *transaction)
                .await?;
        if undelivered.is_none() {
            return Ok(false);
        }
        for statement in ["DELETE FROM sighting WHERE message_id = $1", "DELETE FROM message WHERE id = $1"] {
            sqlx::query(statement).bind(id).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// A person decided that nothing is to be done; the reason stays. `false` where it is not parked.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn ignore_parked(&self, id: i64) -> Result<bool, StoreError> {
        let changed = sqlx::query("UPDATE message SET state = 'ignored' WHERE id = $1 AND state = 'parked'")
            .bind(id)
            .execute(&self.writer)
            .await?
            .rows_affected();
        Ok(changed == 1)
    }
}
