//! Several daemons on one database: each tells that it is alive, and what only one may do at a time hangs on that. The clock is the
//! database's, so that machines need not agree on the time.

use sqlx::{AnyConnection, AssertSqlSafe};

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
        sqlx::query(AssertSqlSafe(sql)).bind(self.holder.as_ref()).bind(ALIVE_MILLIS).execute(&self.writer).await?;
        Ok(())
    }

    /// This process ends: its turns and mails are free at once.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn leave(&self) -> Result<(), StoreError> {
        self.let_go().await?;
        sqlx::query("DELETE FROM presence WHERE holder = $1").bind(self.holder.as_ref()).execute(&self.writer).await?;
        Ok(())
    }

    /// Takes those for dead who are: everybody else, for whoever holds the only lock on a SQLite installation; on PostgreSQL the
    /// processes that were here and are gone, so that nobody waits for them after a restart.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn bury_the_dead(&self) -> Result<(), StoreError> {
        let holders: Vec<(String,)> = sqlx::query_as("SELECT holder FROM presence").fetch_all(&self.pool).await?;
        for (holder,) in holders {
            let dead = if self.has_one_writer() { holder != *self.holder } else { is_gone(&holder, &here()) };
            if dead {
                sqlx::query("DELETE FROM presence WHERE holder = $1").bind(holder).execute(&self.writer).await?;
            }
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
        self.earlier_in_other_hands_by(&mut *self.pool.acquire().await?, id).await
    }

    /// The same over a connection that is at hand: its transaction may be what all the others wait for.
    pub(super) async fn earlier_in_other_hands_by(&self, connection: &mut AnyConnection, id: i64) -> Result<u64, StoreError> {
        if self.has_one_writer() {
            return Ok(0);
        }
        let sql = format!(
            "SELECT count(*) FROM message m JOIN presence p ON p.holder = m.claimed_by AND p.until > {}
             WHERE m.state = 'accepted' AND m.id < $1 AND m.claimed_by <> $2",
            self.engine.now()
        );
        let (count,): (i64,) = sqlx::query_as(AssertSqlSafe(sql)).bind(id).bind(self.holder.as_ref()).fetch_one(connection).await?;
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

/// A name for this process that no other has: host, where process numbers mean the same, process, draw.
pub(super) fn holder() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}:{}:{}:{:016x}", host.trim(), here(), std::process::id(), fastrand::u64(..))
}

/// This boot of this machine, and the name space of process numbers (containers have their own).
fn here() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let digits: String = space.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    format!("{}.{digits}", boot.trim())
}

/// Whether a holder's process was here and is no more.
fn is_gone(holder: &str, here: &str) -> bool {
    let mut words = holder.rsplitn(4, ':').skip(1);
    match (words.next(), words.next()) {
        (Some(process), Some(place)) if place == here => !std::path::Path::new("/proc").join(process).exists(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_that_was_here_and_is_no_more_is_gone() {
        let here = here();
        assert!(!is_gone(&holder(), &here), "this one lives");
        // No process has the largest number.
        assert!(is_gone(&format!("db1:{here}:4294967295:00ff"), &here));
        assert!(!is_gone("db1:another.1:4294967295:00ff", &here), "who knows what lives elsewhere");
        assert!(!is_gone("", &here) && !is_gone("a:b", &here));
    }
}
