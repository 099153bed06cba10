//! All SQL, written once for SQLite and PostgreSQL: numbered parameters, 64-bit integers for numbers and truths, functions that both
//! know. A writing transaction has the one writer's turn from its beginning, so that it waits instead of failing half-way. Times are milliseconds since 1970 UTC in the tables and [`Timestamp`]s outside.

use std::{path::Path, sync::Arc};

use jiff::Timestamp;
use secrecy::SecretString;
use sqlx::AnyPool;

mod accept;
mod backup;
mod copying;
mod digest;
mod engine;
mod export;
mod known;
mod message_story;
mod models;
pub mod lock;
mod orders;
mod outbox;
mod secret;
mod signatures;
mod parked;
mod presence;
mod queue;
mod purge;
mod record;
mod recording;
mod replay;
mod report;
mod rows;
mod sending;
mod set_back;
mod status;
mod story;
mod waiting;

use engine::{Access, Engine};

pub use accept::{Accepted, Arrived, Sighting, UNDELIVERED};
pub use copying::Copied;
pub use models::{InForce, Labelled, StoredModel};
pub use orders::Decider;
pub use outbox::{DueLetter, ListedLetter, StoredLetter, UnsettledLetter};
pub use parked::Parked;
pub use presence::Turn;
pub use purge::{Expired, Removed};
pub use queue::TopicFile;
pub use recording::{Recorded, Recording};
pub use replay::RecordedMessage;
pub use sending::{Halt, SendingState, StoredAlert};
pub use waiting::Waiting;

/// The database of an installation. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    /// For what reads.
    pool: AnyPool,
    /// For what writes: SQLite's one connection that does; the same pool with PostgreSQL.
    writer: AnyPool,
    engine: Engine,
    /// This process, among all that work on the database.
    holder: Arc<str>,
}

/// A transaction that may write.
type Writing = sqlx::Transaction<'static, sqlx::Any>;

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
    #[error("the database has schema {found}, this program {known}; bring it up to date with annexd migrate first")]
    OtherSchema { found: i64, known: i64 },
    #[error("the database is not empty, its table {0} holds rows; name a new one")]
    NotEmpty(String),
    #[error("the database address {0:?} is not understood; use sqlite:FILE or postgres://USER@HOST/DATABASE")]
    Address(String),
    #[error("stored JSON is damaged: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a letter could not be written: {0}")]
    Letter(String),
    #[error("a file could not be used: {0}")]
    Io(#[from] std::io::Error),
}

impl StoreError {
    /// Whether the database could not work at all: full disk, lock, lost connection. What was asked of it is not to blame.
    #[must_use]
    pub fn is_of_the_machine(&self) -> bool {
        match self {
            Self::Database(error) => engine::is_of_the_machine(error),
            Self::Io(_) => true,
            _ => false,
        }
    }
}

impl Store {
    /// Opens (and makes) the database; `sqlite:` paths are relative to `data_dir`; `password` is PostgreSQL's.
    ///
    /// # Errors
    /// When the address is not understood or the database cannot be opened.
    pub async fn open(url: &str, password: Option<SecretString>, data_dir: &Path) -> Result<Self, StoreError> {
        let engine = Engine::of(url)?;
        let address = engine.address(url, password, data_dir, Access::Write)?;
        let pool = engine.pool(Access::Write).connect_with(address.clone()).await?;
        let writer = match engine {
            Engine::Sqlite => engine.pool(Access::WriteAlone).connect_with(address).await?,
            Engine::Postgres => pool.clone(),
        };
        Ok(Self { pool, writer, engine, holder: presence::holder().into() })
    }

    /// Opens an existing database for reading only; `None` where there is none yet.
    ///
    /// # Errors
    /// When the database is there and cannot be opened.
    pub async fn open_read_only(url: &str, password: Option<SecretString>, data_dir: &Path) -> Result<Option<Self>, StoreError> {
        let engine = Engine::of(url)?;
        if engine == Engine::Sqlite && !engine::file(url, data_dir).exists() {
            return Ok(None);
        }
        let pool = engine.pool(Access::Read).connect_with(engine.address(url, password, data_dir, Access::Read)?).await?;
        let store = Self { writer: pool.clone(), pool, engine, holder: presence::holder().into() };
        Ok((engine == Engine::Sqlite || store.schema_version().await? > 0).then_some(store))
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
        self.engine.migrations().run(&self.pool).await?;
        self.renew_signatures().await
    }

    /// Version of the schema in the database, 0 for an empty one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        let (tables,): (i64,) = sqlx::query_as(self.engine.count_of_migration_tables()).fetch_one(&self.pool).await?;
        if tables == 0 {
            return Ok(0);
        }
        let (version,): (Option<i64>,) =
            sqlx::query_as("SELECT max(version) FROM _sqlx_migrations WHERE success").fetch_one(&self.pool).await?;
        Ok(version.unwrap_or(0))
    }

    /// Version of the schema this program knows, the same for both engines.
    #[must_use]
    pub fn newest_schema() -> i64 {
        Engine::Sqlite.migrations().iter().map(|migration| migration.version).max().unwrap_or(0)
    }

    /// SQLite's own integrity check: `ok`, or what is wrong. PostgreSQL checks its pages by itself.
    ///
    /// # Errors
    /// When the check itself cannot run.
    pub async fn integrity(&self) -> Result<String, StoreError> {
        let check = if self.engine == Engine::Sqlite { "PRAGMA integrity_check" } else { "SELECT 'ok'" };
        let (answer,): (String,) = sqlx::query_as(check).fetch_one(&self.pool).await?;
        Ok(answer)
    }

    /// Size of the database.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn size_bytes(&self) -> Result<u64, StoreError> {
        let (bytes,): (i64,) = sqlx::query_as(self.engine.size()).fetch_one(&self.pool).await?;
        Ok(u64::try_from(bytes).unwrap_or(0))
    }

    /// Closes every connection, so that no file beside the database is left open.
    pub async fn close(&self) {
        self.pool.close().await;
        self.writer.close().await;
    }

    /// Begins a transaction that may write: one at a time, the others wait.
    async fn begin(&self) -> Result<Writing, StoreError> {
        match self.engine {
            Engine::Sqlite => Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?),
            Engine::Postgres => {
                let mut transaction = self.writer.begin().await?;
                sqlx::query(engine::WRITERS_TURN).execute(&mut *transaction).await?;
                Ok(transaction)
            }
        }
    }
}

/// Numbered parameters for a list: `$3, $4, $5` for three from the third.
fn parameters(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
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
