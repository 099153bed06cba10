//! A clock that is set back: what was to wait for a time of the clock before must not wait until that time comes again.

use jiff::{SignedDuration, Timestamp};

use super::{Store, StoreError, millis};

/// Name of the latest time on record, in `health`.
const CLOCK: &str = "clock";
/// The time is put on record so often at most.
const NOTED_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// Steps back that are nothing but a clock being kept right.
const SLACK: SignedDuration = SignedDuration::from_secs(120);

/// Every time in the tables that something waits for. What lies ahead is moved back as far as the clock was, not before now.
const MOVED: [&str; 3] = [
    "UPDATE letter SET due_at = CASE WHEN due_at - $2 < $1 THEN $1 ELSE due_at - $2 END WHERE due_at > $1",
    "UPDATE message SET retry_at = CASE WHEN retry_at - $2 < $1 THEN $1 ELSE retry_at - $2 END WHERE retry_at > $1",
    "UPDATE sending_state SET halted_until = CASE WHEN halted_until - $2 < $1 THEN $1 ELSE halted_until - $2 END WHERE halted_until > $1",
];
/// Every time at which something is said to have been, and from which is counted: not after now.
const CAPPED: [&str; 6] = [
    "UPDATE sending_state SET halted_at = $1 WHERE halted_at > $1",
    "UPDATE sending_state SET halved_at = $1 WHERE halved_at > $1",
    "UPDATE sending_state SET refused_at = $1 WHERE refused_at > $1",
    "UPDATE alert SET told_at = $1 WHERE told_at > $1",
    "UPDATE alert SET raised_at = $1 WHERE raised_at > $1",
    "UPDATE health SET at = $1 WHERE at > $1",
];

impl Store {
    /// Compares the clock with the latest time on record; returns how far it was set back, once what waits was moved by as much.
    ///
    /// # Errors
    /// When the database cannot be written; then nothing was moved.
    pub async fn heed_clock(&self, now: Timestamp) -> Result<Option<SignedDuration>, StoreError> {
        let noted = self.health(CLOCK).await?.map(|(at, _)| at);
        let back = noted.map_or(SignedDuration::ZERO, |noted| noted.duration_since(now));
        if back < SLACK {
            // The latest time stays on record until the clock has passed it.
            if noted.is_none_or(|noted| now.duration_since(noted) >= NOTED_EVERY) {
                self.note_health(CLOCK, "", now).await?;
            }
            return Ok(None);
        }
        let (now, back_millis) = (millis(now), i64::try_from(back.as_millis()).unwrap_or(i64::MAX));
        let mut transaction = self.begin().await?;
        for statement in MOVED {
            sqlx::query(statement).bind(now).bind(back_millis).execute(&mut *transaction).await?;
        }
        for statement in CAPPED {
            sqlx::query(statement).bind(now).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(Some(back))
    }
}
