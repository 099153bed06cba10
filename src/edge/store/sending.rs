//! What the sending accounts are allowed at present, what went wrong, and what people were told about it.

use jiff::Timestamp;
use sqlx::FromRow;

use super::{Store, StoreError, millis, timestamp};
use crate::domain::letters::Letter;

/// State of one sending account; the default: it works.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SendingState {
    /// Nothing leaves before this time; then one letter tries.
    pub halted_until: Option<Timestamp>,
    /// Since when it is halted; `None`: it works.
    pub halted_at: Option<Timestamp>,
    pub reason: String,
    pub token: String,
    /// People must hear of the halt.
    pub loud: bool,
    /// How often the rate was halved.
    pub halvings: u32,
    pub halved_at: Option<Timestamp>,
    /// Logins refused one after another.
    pub refusals: u32,
    /// When the last of them was.
    pub refused_at: Option<Timestamp>,
}

/// A halt to be remembered.
#[derive(Debug, Clone)]
pub struct Halt<'a> {
    pub until: Timestamp,
    pub reason: &'a str,
    pub token: &'a str,
    pub loud: bool,
    /// Send half as fast from now on.
    pub slower: bool,
    /// The login was refused once more.
    pub refused_login: bool,
}

/// Mail that machines wrote, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MachineMail {
    pub bounces: u64,
    pub automatic: u64,
}

/// A trouble that people were or will be told about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAlert {
    pub topic: String,
    pub said: String,
    pub raised_at: Timestamp,
    pub told_at: Timestamp,
    pub open: bool,
    /// Letters written about it so far.
    pub letters: u32,
}

#[derive(FromRow)]
struct StateRow {
    halted_until: Option<i64>,
    halted_at: Option<i64>,
    reason: Option<String>,
    token: Option<String>,
    loud: i64,
    halvings: i64,
    halved_at: Option<i64>,
    refusals: i64,
    refused_at: Option<i64>,
}

impl Store {
    /// State of an account.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sending_state(&self, account: &str) -> Result<SendingState, StoreError> {
        let row = sqlx::query_as::<_, StateRow>(
            "SELECT halted_until, halted_at, reason, token, loud, halvings, halved_at, refusals, refused_at FROM sending_state WHERE account = $1",
        )
        .bind(account)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map_or_else(SendingState::default, |row| SendingState {
            halted_until: row.halted_until.map(timestamp),
            halted_at: row.halted_at.map(timestamp),
            reason: row.reason.unwrap_or_default(),
            token: row.token.unwrap_or_default(),
            loud: row.loud != 0,
            halvings: u32::try_from(row.halvings).unwrap_or(0),
            halved_at: row.halved_at.map(timestamp),
            refusals: u32::try_from(row.refusals).unwrap_or(0),
            refused_at: row.refused_at.map(timestamp),
        }))
    }

    /// Halts an account; a halt that lasts keeps its beginning.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn halt_sending(&self, account: &str, halt: &Halt<'_>, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO sending_state (account, halted_until, reason, token, halted_at, loud, halvings, halved_at, refusals, refused_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $7 > 0 THEN $5 END, $8, CASE WHEN $8 > 0 THEN $5 END)
             ON CONFLICT (account) DO UPDATE SET halted_until = $2, reason = $3, token = $4, halted_at = coalesce(sending_state.halted_at, $5), loud = $6,
                halvings = sending_state.halvings + $7, halved_at = CASE WHEN $7 > 0 THEN $5 ELSE sending_state.halved_at END,
                refusals = sending_state.refusals + $8, refused_at = CASE WHEN $8 > 0 THEN $5 ELSE sending_state.refused_at END",
        )
        .bind(account)
        .bind(millis(halt.until))
        .bind(halt.reason)
        .bind(halt.token)
        .bind(millis(now))
        .bind(i64::from(halt.loud))
        .bind(i64::from(halt.slower))
        .bind(i64::from(halt.refused_login))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// The account works again; its rate stays as it is.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn resume_sending(&self, account: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE sending_state SET halted_until = NULL, halted_at = NULL, loud = 0, refusals = 0, refused_at = NULL WHERE account = $1",
        )
        .bind(account)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// A day without complaint: the rate doubles again.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn relax_rate(&self, account: &str, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE sending_state SET halvings = CASE WHEN halvings > 0 THEN halvings - 1 ELSE 0 END, halved_at = $2 WHERE account = $1",
        )
        .bind(account)
        .bind(millis(now))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Notes that something was seen now: a good poll, a fault.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn note_health(&self, name: &str, said: &str, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO health (name, at, said) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET at = $2, said = $3")
            .bind(name)
            .bind(millis(at))
            .bind(said)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// When something was last so, and what was seen.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn health(&self, name: &str) -> Result<Option<(Timestamp, String)>, StoreError> {
        let row: Option<(i64, String)> =
            sqlx::query_as("SELECT at, said FROM health WHERE name = $1").bind(name).fetch_optional(&self.pool).await?;
        Ok(row.map(|(at, said)| (timestamp(at), said)))
    }

    /// All alerts, open and past.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn alerts(&self) -> Result<Vec<StoredAlert>, StoreError> {
        let rows: Vec<(String, String, i64, i64, i64, i64)> =
            sqlx::query_as("SELECT topic, said, raised_at, told_at, open, letters FROM alert ORDER BY topic").fetch_all(&self.pool).await?;
        let alert = |(topic, said, raised_at, told_at, open, letters): (String, String, i64, i64, i64, i64)| StoredAlert {
            topic,
            said,
            raised_at: timestamp(raised_at),
            told_at: timestamp(told_at),
            open: open != 0,
            letters: u32::try_from(letters).unwrap_or(0),
        };
        Ok(rows.into_iter().map(alert).collect())
    }

    /// Remembers an alert and queues the letters about it, in one transaction.
    ///
    /// # Errors
    /// When the transaction could not be committed.
    pub async fn put_alert(&self, alert: &StoredAlert, letters: &[Letter], mail_domain: &str, now: Timestamp) -> Result<usize, StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO alert (topic, said, raised_at, told_at, open, letters) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (topic) DO UPDATE SET said = $2, raised_at = $3, told_at = $4, open = $5, letters = $6",
        )
        .bind(&alert.topic)
        .bind(&alert.said)
        .bind(millis(alert.raised_at))
        .bind(millis(alert.told_at))
        .bind(i64::from(alert.open))
        .bind(i64::from(alert.letters))
        .execute(&mut *transaction)
        .await?;
        let mut queued = 0;
        for letter in letters {
            queued += usize::from(super::outbox::insert(&mut transaction, letter, None, mail_domain, now).await?);
        }
        transaction.commit().await?;
        Ok(queued)
    }

    /// Letters held since a moment for one reason, by address, the most first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn held_since(&self, because: &str, since: Timestamp) -> Result<Vec<(String, u64)>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT recipient, count(*) FROM letter WHERE state = 'held' AND held_because = $1 AND created_at > $2 GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20",
        )
        .bind(because)
        .bind(millis(since))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(address, count)| (address, u64::try_from(count).unwrap_or(0))).collect())
    }

    /// Delivery reports and automatic answers that came since a moment.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn machine_mail_since(&self, since: Timestamp) -> Result<MachineMail, StoreError> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT kind, count(*) FROM message WHERE kind IN ('bounce', 'auto_reply') AND accepted_at > $1 GROUP BY kind")
                .bind(millis(since))
                .fetch_all(&self.pool)
                .await?;
        let count = |kind: &str| rows.iter().find(|(name, _)| name == kind).map_or(0, |(_, count)| u64::try_from(*count).unwrap_or(0));
        Ok(MachineMail { bounces: count("bounce"), automatic: count("auto_reply") })
    }

    /// How many messages are parked.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn parked_count(&self) -> Result<u64, StoreError> {
        let (count,): (i64,) = sqlx::query_as("SELECT count(*) FROM message WHERE state = 'parked'").fetch_one(&self.pool).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}
