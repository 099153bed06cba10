//! All SQL. SQLite in WAL mode with full synchronisation; every writing transaction begins IMMEDIATE, so that a writer waits
//! instead of failing half-way. Times are milliseconds since 1970 UTC in the tables and [`Timestamp`]s outside.

use std::{path::Path, str::FromStr as _, time::Duration};

use jiff::Timestamp;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

mod accept;
mod backup;
mod digest;
mod export;
mod known;
mod models;
pub mod lock;
mod orders;
mod outbox;
mod secret;
mod signatures;
mod parked;
mod queue;
mod record;
mod replay;
mod sending;
mod status;
mod story;

pub use accept::{Accepted, Sighting, UNDELIVERED, Waiting};
pub use models::{InForce, Labelled, OverruledShare, StoredModel};
pub use orders::Decider;
pub use outbox::{DueLetter, ListedLetter, StoredLetter, UnsettledLetter};
pub use parked::Parked;
pub use queue::TopicFile;
pub use record::Recorded;
pub use replay::RecordedMessage;
pub use sending::{Halt, SendingState, StoredAlert};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// The database of an installation. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
}

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database answered: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the schema could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error(
        "the database was made by a newer annexd (schema {found}, this program knows {known}); install that version or restore a backup"
    )]
    NewerSchema { found: i64, known: i64 },
    #[error("the database address {0:?} is not understood; use sqlite:FILE")]
    Address(String),
    #[error("stored JSON is damaged: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a letter could not be written: {0}")]
    Letter(String),
    #[error("a file could not be used: {0}")]
    Io(#[from] std::io::Error),
}

impl Store {
    /// Opens (and makes) the database; `sqlite:` paths are relative to `data_dir`.
    ///
    /// # Errors
    /// When the address is not understood or the file cannot be opened.
    pub async fn open(url: &str, data_dir: &Path) -> Result<Self, StoreError> {
        let options = options(url, data_dir)?.create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
        let pool = SqlitePoolOptions::new().max_connections(4).acquire_timeout(Duration::from_secs(30)).connect_with(options).await?;
        Ok(Self { pool })
    }

    /// Opens an existing database for reading only; `None` where there is none yet.
    ///
    /// # Errors
    /// When the file is there and cannot be opened.
    pub async fn open_read_only(url: &str, data_dir: &Path) -> Result<Option<Self>, StoreError> {
        if !file(url, data_dir)?.exists() {
            return Ok(None);
        }
        let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options(url, data_dir)?.read_only(true)).await?;
        Ok(Some(Self { pool }))
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] for a database of a newer version.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let (found, known) = (self.schema_version().await?, Self::newest_schema());
        if found > known {
            return Err(StoreError::NewerSchema { found, known });
        }
        MIGRATIONS.run(&self.pool).await?;
        Ok(())
    }

    /// Version of the schema in the database, 0 for an empty one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        let table: Option<(String,)> = sqlx::query_as("SELECT name FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'")
            .fetch_optional(&self.pool)
            .await?;
        if table.is_none() {
            return Ok(0);
        }
        let (version,): (Option<i64>,) =
            sqlx::query_as("SELECT max(version) FROM _sqlx_migrations WHERE success").fetch_one(&self.pool).await?;
        Ok(version.unwrap_or(0))
    }

    /// Version of the schema this program knows.
    #[must_use]
    pub fn newest_schema() -> i64 {
        MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
    }

    /// SQLite's own integrity check: `ok`, or what is wrong.
    ///
    /// # Errors
    /// When the check itself cannot run.
    pub async fn integrity(&self) -> Result<String, StoreError> {
        let (answer,): (String,) = sqlx::query_as("PRAGMA integrity_check").fetch_one(&self.pool).await?;
        Ok(answer)
    }

    /// Begins a transaction that may write.
    async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, StoreError> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }
}

fn file(url: &str, data_dir: &Path) -> Result<std::path::PathBuf, StoreError> {
    let path = url.strip_prefix("sqlite:").ok_or_else(|| StoreError::Address(url.to_owned()))?;
    Ok(data_dir.join(path.trim_start_matches("//")))
}

fn options(url: &str, data_dir: &Path) -> Result<SqliteConnectOptions, StoreError> {
    let file = file(url, data_dir)?;
    let address = format!("sqlite:{}", file.display());
    Ok(SqliteConnectOptions::from_str(&address)?
        .filename(file)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(20)))
}

fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or_default()
}

/// A word of the outside contract for a value that serialises to a string.
fn word(value: impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

/// The reverse of [`word`]; `None` for a word this version does not know.
fn from_word<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
}
