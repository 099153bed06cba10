//! The two database engines: how each is reached, set up and migrated. All other SQL is common to both.

use std::{
    path::{Path, PathBuf},
    str::FromStr as _,
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Executor as _,
    any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers},
    migrate::Migrator,
    postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};

use super::StoreError;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Only one transaction writes at a time, as in SQLite: what it read before it wrote still holds when it commits. The number is
/// annexd's own; the lock is the database's and ends with the transaction.
pub(super) const WRITERS_TURN: &str = "SELECT pg_advisory_xact_lock(4702394921427289928)";

/// Every SQLite connection: WAL, synchronised to the disk at each commit, 64 MB of log before it is worked in, and
/// 20 s of waiting for another writer.
const SQLITE_WRITING: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
    PRAGMA wal_autocheckpoint = 16000; PRAGMA busy_timeout = 20000";
/// The one connection that writes besides: 12 MB of pages, so that a transaction of many mails is written once and what the next one
/// looks up is still there; what a statement may have to take back is kept in memory.
const SQLITE_WRITER: &str = "PRAGMA cache_size = -12000; PRAGMA temp_store = MEMORY";
const SQLITE_READING: &str = "PRAGMA busy_timeout = 20000";
const POSTGRES_READING: &str = "SET default_transaction_read_only = on";

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Sqlite,
    Postgres,
}

/// What a pool may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
    /// SQLite's one writer. Each time another connection writes, a connection forgets all pages it holds.
    WriteAlone,
}

impl Engine {
    pub(super) fn of(url: &str) -> Result<Self, StoreError> {
        match url.split_once(':') {
            Some(("sqlite", _)) => Ok(Self::Sqlite),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres),
            _ => Err(StoreError::Address(url.to_owned())),
        }
    }

    pub(super) fn migrations(self) -> &'static Migrator {
        match self {
            Self::Sqlite => &SQLITE,
            Self::Postgres => &POSTGRES,
        }
    }

    pub(super) fn count_of_migration_tables(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'",
            Self::Postgres => "SELECT count(to_regclass('_sqlx_migrations'))",
        }
    }

    /// The database's clock, milliseconds since 1970 UTC.
    pub(super) fn now(self) -> &'static str {
        match self {
            Self::Sqlite => "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
            Self::Postgres => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
        }
    }

    /// Rows that another transaction is just taking are left to it.
    pub(super) fn skipping_locked(self) -> &'static str {
        match self {
            // Only one transaction writes.
            Self::Sqlite => "",
            Self::Postgres => "FOR UPDATE SKIP LOCKED",
        }
    }

    /// A table `name` (hash, one, two) for WITH, out of a text parameter that holds JSON like `[[one, two, [hash, hash]], …]`: one
    /// parameter for a thousand rows. Each inner array is taken apart once.
    pub(super) fn hashes_given(self, name: &str, parameter: usize) -> String {
        match self {
            Self::Sqlite => format!(
                "{name}_lists AS MATERIALIZED (SELECT value ->> 0 AS one, value ->> 1 AS two, value -> 2 AS hashes FROM json_each(${parameter})),
                 {name} AS (SELECT h.value AS hash, one, two FROM {name}_lists, json_each({name}_lists.hashes) AS h)"
            ),
            Self::Postgres => format!(
                "{name}_lists AS MATERIALIZED (SELECT CAST(value ->> 0 AS BIGINT) AS one, CAST(value ->> 1 AS BIGINT) AS two, value -> 2 AS hashes
                     FROM json_array_elements(CAST(${parameter} AS JSON))),
                 {name} AS (SELECT CAST(h.value AS BIGINT) AS hash, one, two FROM {name}_lists, json_array_elements_text({name}_lists.hashes) AS h)"
            ),
        }
    }

    /// The first topics by priority, so many of them, in the lists of a `table` under the hashes `given`; each with its votes. By the
    /// table's key in either database, however many hashes there seem to be.
    pub(super) fn first_of_lists(self, given: &str, table: &str, votes: u32, read: usize) -> String {
        let columns = format!("SELECT {given}.one AS place, p.topic_serial, p.priority, {votes} AS votes FROM {given}");
        match self {
            Self::Sqlite => format!(
                "{columns} CROSS JOIN {table} p WHERE p.hash = {given}.hash AND p.priority <= coalesce(
                     (SELECT l.priority FROM {table} l WHERE l.hash = {given}.hash ORDER BY l.priority LIMIT 1 OFFSET {}), {})",
                read.saturating_sub(1),
                i64::MAX
            ),
            Self::Postgres => format!(
                "{columns} CROSS JOIN LATERAL
                     (SELECT l.topic_serial, l.priority FROM {table} l WHERE l.hash = {given}.hash ORDER BY l.priority LIMIT {read}) p"
            ),
        }
    }

    /// Bytes of a column as hexadecimal digits.
    pub(super) fn hex(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("hex({column})"),
            Self::Postgres => format!("encode({column}, 'hex')"),
        }
    }

    /// Begins a transaction that sees one moment of the database.
    pub(super) fn snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Names of annexd's tables in the order of their making, so that no row comes before what it refers to.
    pub(super) fn tables(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations' ORDER BY rowid"
            }
            Self::Postgres => {
                "SELECT CAST(relname AS TEXT) FROM pg_class WHERE relkind = 'r' AND relnamespace = CAST(current_schema() AS regnamespace)
                 AND relname <> '_sqlx_migrations' ORDER BY oid"
            }
        }
    }

    /// Name and declared type of a table's columns.
    pub(super) fn columns(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT name, type FROM pragma_table_info($1) ORDER BY cid",
            Self::Postgres => {
                "SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT) FROM information_schema.columns
                 WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position"
            }
        }
    }

    pub(super) fn size(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
            Self::Postgres => "SELECT pg_database_size(current_database())",
        }
    }

    pub(super) fn pool(self, access: Access) -> AnyPoolOptions {
        let set_up = match (self, access) {
            (Self::Sqlite, Access::Write) => SQLITE_WRITING.to_owned(),
            (Self::Sqlite, Access::WriteAlone) => format!("{SQLITE_WRITING}; {SQLITE_WRITER}"),
            (Self::Sqlite, Access::Read) => SQLITE_READING.to_owned(),
            (Self::Postgres, Access::Write | Access::WriteAlone) => String::new(),
            (Self::Postgres, Access::Read) => POSTGRES_READING.to_owned(),
        };
        // Without ageing there is no maintenance task: the library's can spin for ever, and then keeps the process from ending.
        AnyPoolOptions::new()
            .idle_timeout(None)
            .max_lifetime(None)
            .max_connections(if access == Access::WriteAlone { 1 } else { 4 })
            // A file does not go away between two statements.
            .test_before_acquire(self == Self::Postgres)
            .acquire_timeout(Duration::from_secs(30))
            .after_connect(move |connection, _| {
                let set_up = set_up.clone();
                Box::pin(async move {
                    connection.execute(AssertSqlSafe(set_up)).await?;
                    Ok(())
                })
            })
    }

    pub(super) fn address(
        self,
        url: &str,
        password: Option<SecretString>,
        data_dir: &Path,
        access: Access,
    ) -> Result<AnyConnectOptions, StoreError> {
        install_default_drivers();
        match self {
            Self::Postgres => {
                let Some(password) = password else { return Ok(AnyConnectOptions::from_str(url)?) };
                let options = PgConnectOptions::from_str(url)?.password(password.expose_secret());
                Ok(AnyConnectOptions::from_url(&options.to_url_lossy())?)
            }
            Self::Sqlite => {
                let options = SqliteConnectOptions::new().filename(file(url, data_dir));
                let options = match access {
                    Access::Write | Access::WriteAlone => options.create_if_missing(true),
                    Access::Read => options.read_only(true),
                };
                Ok(AnyConnectOptions::from_url(&options.to_url_lossy())?)
            }
        }
    }
}

/// The database file of a `sqlite:` address.
pub(super) fn file(url: &str, data_dir: &Path) -> PathBuf {
    data_dir.join(url.trim_start_matches("sqlite:").trim_start_matches("//"))
}

/// Result codes of SQLite (<https://sqlite.org/rescode.html>): BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL,
/// NOTADB.
const SQLITE_MACHINE: [u32; 10] = [5, 6, 7, 8, 10, 11, 13, 14, 15, 26];
/// Classes of PostgreSQL's SQLSTATE (its manual, appendix A): connection, read-only, rollback, resources, intervention, system.
const POSTGRES_MACHINE: [&str; 6] = ["08", "25", "40", "53", "57", "58"];

/// Whether an error tells of the database's state rather than of what was asked.
pub(super) fn is_of_the_machine(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // A SQLSTATE has five places; SQLite's extended codes carry the result in their lowest byte.
            let sqlite = code.parse::<u32>().is_ok_and(|number| code.len() < 5 && SQLITE_MACHINE.contains(&(number & 0xff)));
            let postgres = code.len() == 5 && POSTGRES_MACHINE.iter().any(|class| code.starts_with(class));
            sqlite || postgres
        }),
        _ => false,
    }
}
