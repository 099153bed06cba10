//! Several daemons on one database: each tells that it is alive, and what only one may do at a time hangs on that. The clock is the
//! database's, so that machines need not agree on the time.

use sqlx::AssertSqlSafe;

use super::{Store, StoreError};

/// A daemon that has not been heard of for so long is dead: its turns and its mails go to the others. Milliseconds.
const ALIVE_MILLIS: i64 = 20_000;

impl Store {
    /// Tells that this process is alive, for the next 20 seconds.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn be_present(&self) -> Result<(), StoreError> {
        let now = self.engine.now();
        let sql =
            format!("INSERT INTO presence (holder, until) VALUES ($1, {now} + $2) ON CONFLICT (holder) DO UPDATE SET until = {now} + $2");
        sqlx::query(AssertSqlSafe(sql)).bind(self.holder.as_ref()).bind(ALIVE_MILLIS).execute(&self.pool).await?;
        Ok(())
    }

    /// This process ends: its turns and mails are free at once.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn leave(&self) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM presence WHERE holder = $1").bind(self.holder.as_ref()).execute(&self.pool).await?;
        Ok(())
    }

    /// Takes everybody else for dead. For whoever holds the only lock on the data of a SQLite installation; on PostgreSQL, where
    /// others may be at work, nothing happens.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn bury_others(&self) -> Result<(), StoreError> {
        if self.has_one_writer() {
            sqlx::query("DELETE FROM presence WHERE holder <> $1").bind(self.holder.as_ref()).execute(&self.pool).await?;
        }
        Ok(())
    }

    /// Whether only one daemon can work on this database at all.
    #[must_use]
    pub fn has_one_writer(&self) -> bool {
        self.engine == super::Engine::Sqlite
    }

    /// Takes a turn, or keeps it; `false` while another living process has it. `fresh` tells that it was not ours before.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn take_turn(&self, name: &str) -> Result<Turn, StoreError> {
        let mut transaction = self.begin().await?;
        let before: Option<(String,)> =
            sqlx::query_as("SELECT holder FROM lease WHERE name = $1").bind(name).fetch_optional(&mut *transaction).await?;
        if before.as_ref().is_some_and(|(holder,)| holder == self.holder.as_ref()) {
            return Ok(Turn::Kept);
        }
        let sql = format!(
            "INSERT INTO lease (name, holder) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET holder = $2
             WHERE NOT EXISTS (SELECT 1 FROM presence p WHERE p.holder = lease.holder AND p.until > {})",
            self.engine.now()
        );
        let taken = sqlx::query(AssertSqlSafe(sql)).bind(name).bind(self.holder.as_ref()).execute(&mut *transaction).await?.rows_affected();
        transaction.commit().await?;
        Ok(match before {
            _ if taken == 1 => Turn::Taken,
            Some((holder,)) => Turn::Others { holder },
            None => Turn::Others { holder: String::new() },
        })
    }

    /// Mails accepted before this one that another living process has in hand: they are judged first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn earlier_in_other_hands(&self, id: i64) -> Result<u64, StoreError> {
        if self.has_one_writer() {
            return Ok(0);
        }
        let sql = format!(
            "SELECT count(*) FROM message m JOIN presence p ON p.holder = m.claimed_by AND p.until > {}
             WHERE m.state = 'accepted' AND m.id < $1 AND m.claimed_by <> $2",
            self.engine.now()
        );
        let (count,): (i64,) = sqlx::query_as(AssertSqlSafe(sql)).bind(id).bind(self.holder.as_ref()).fetch_one(&self.pool).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

/// Whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Ours since now.
    Taken,
    /// Ours as before.
    Kept,
    /// Another living process has it.
    Others { holder: String },
}

impl Turn {
    #[must_use]
    pub fn is_ours(&self) -> bool {
        !matches!(self, Self::Others { .. })
    }
}

/// A name for this process that no other has.
pub(super) fn holder() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}:{}:{:016x}", host.trim(), std::process::id(), fastrand::u64(..))
}
