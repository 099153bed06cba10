//! Accepting: which mails were seen where.

use std::collections::BTreeSet;

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use super::{Store, StoreError, Writing, millis, rows, timestamp};

/// Stands in the place of a hash where the mailbox did not deliver the bytes; the mail's place follows.
pub const UNDELIVERED: &str = "undelivered: ";

/// Where and when a mail was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// `imap:user@host`, `maildir:/path`, `import`.
    pub mailbox: String,
    pub folder: String,
    /// 0 where there is none.
    pub uidvalidity: u32,
    pub uid: Option<u32>,
    /// UID as text, or the unique file name.
    pub locator: String,
    /// INTERNALDATE, or the file's time.
    pub arrived_at: Option<Timestamp>,
    pub seen_at: Timestamp,
}

/// A mail that was seen, and whose bytes are kept.
#[derive(Debug, Clone, Copy)]
pub struct Arrived<'a> {
    pub sighting: &'a Sighting,
    /// Of the raw bytes, lower-case hex.
    pub sha256: &'a str,
    pub bytes: u64,
}

/// What accepting did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    NewMessage {
        id: i64,
    },
    /// The same bytes are known from elsewhere: another copy.
    Duplicate {
        id: i64,
    },
    /// This very sighting is known: nothing changed.
    AlreadySeen {
        id: i64,
    },
}

impl Accepted {
    /// Whether these bytes came for the first time.
    #[must_use]
    pub const fn is_new(self) -> bool {
        matches!(self, Self::NewMessage { .. })
    }
}

impl Store {
    /// Registers mails whose raw bytes are durable already, in their order: all of them or none.
    ///
    /// # Errors
    /// When the transaction could not be committed; then nothing is registered.
    pub async fn accept(&self, arrived: &[Arrived<'_>]) -> Result<Vec<Accepted>, StoreError> {
        let mut transaction = self.begin().await?;
        let mut accepted = Vec::with_capacity(arrived.len());
        for mail in arrived {
            accepted.push(register(&mut transaction, mail).await?);
        }
        transaction.commit().await?;
        Ok(accepted)
    }

    /// Puts a mail on record that the mailbox does not deliver: parked from the start, without bytes.
    ///
    /// # Errors
    /// When the transaction could not be committed; then nothing is registered.
    pub async fn accept_undelivered(&self, sighting: &Sighting, problem: &str, attempts: u32) -> Result<(), StoreError> {
        // Its identity is its place: there are no bytes to hash.
        let place = format!("{UNDELIVERED}{} {} {} {}", sighting.mailbox, sighting.folder, sighting.uidvalidity, sighting.locator);
        let mut transaction = self.begin().await?;
        let inserted: Option<(i64,)> = sqlx::query_as(
            "INSERT INTO message (sha256, bytes, state, attempts, problem, accepted_at) VALUES ($1, 0, 'parked', $2, $3, $4)
             ON CONFLICT DO NOTHING RETURNING id",
        )
        .bind(place)
        .bind(i64::from(attempts))
        .bind(problem)
        .bind(millis(sighting.seen_at))
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some((id,)) = inserted {
            insert_sighting(&mut transaction, id, sighting, true, "").await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// How many mails were ever seen, copies included.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sightings(&self) -> Result<u64, StoreError> {
        let (count,): (i64,) = sqlx::query_as("SELECT count(*) FROM sighting").fetch_one(&self.pool).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// UIDs of a folder with their arrival, of the mails that were ever seen there.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn arrivals(&self, mailbox: &str, folder: &str, uidvalidity: u32) -> Result<Vec<(u32, Timestamp)>, StoreError> {
        // Row by row, here and below: a mailbox may hold very many mails, and a row as it comes is a hundred times a number.
        let mut rows = sqlx::query_as::<_, (i64, i64)>(
            "SELECT uid, arrived_at FROM sighting
             WHERE mailbox = $1 AND folder = $2 AND uidvalidity = $3 AND uid IS NOT NULL AND arrived_at IS NOT NULL",
        )
        .bind(mailbox)
        .bind(folder)
        .bind(i64::from(uidvalidity))
        .fetch(&self.pool);
        let mut arrivals = Vec::new();
        while let Some((uid, at)) = rows.try_next().await? {
            arrivals.extend(u32::try_from(uid).ok().map(|uid| (uid, timestamp(at))));
        }
        Ok(arrivals)
    }

    /// Highest UID of a folder that is accepted already.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_uid(&self, mailbox: &str, folder: &str, uidvalidity: u32) -> Result<Option<u32>, StoreError> {
        let (uid,): (Option<i64>,) =
            sqlx::query_as("SELECT max(uid) FROM sighting WHERE mailbox = $1 AND folder = $2 AND uidvalidity = $3")
                .bind(mailbox)
                .bind(folder)
                .bind(i64::from(uidvalidity))
                .fetch_one(&self.pool)
                .await?;
        Ok(uid.and_then(|uid| u32::try_from(uid).ok()))
    }

    /// UIDs of a folder, from `from_uid` up, that are accepted already.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn seen_uids(&self, mailbox: &str, folder: &str, uidvalidity: u32, from_uid: u32) -> Result<BTreeSet<u32>, StoreError> {
        let mut rows =
            sqlx::query_as::<_, (i64,)>("SELECT uid FROM sighting WHERE mailbox = $1 AND folder = $2 AND uidvalidity = $3 AND uid >= $4")
                .bind(mailbox)
                .bind(folder)
                .bind(i64::from(uidvalidity))
                .bind(i64::from(from_uid))
                .fetch(&self.pool);
        let mut seen = BTreeSet::new();
        while let Some((uid,)) = rows.try_next().await? {
            seen.extend(u32::try_from(uid).ok());
        }
        Ok(seen)
    }

    /// File names of a Maildir that are accepted already.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn seen_locators(&self, mailbox: &str) -> Result<BTreeSet<String>, StoreError> {
        let mut rows = sqlx::query_as::<_, (String,)>("SELECT locator FROM sighting WHERE mailbox = $1").bind(mailbox).fetch(&self.pool);
        let mut seen = BTreeSet::new();
        while let Some((locator,)) = rows.try_next().await? {
            seen.insert(locator);
        }
        Ok(seen)
    }
}

async fn register(transaction: &mut Writing, mail: &Arrived<'_>) -> Result<Accepted, StoreError> {
    let Arrived { sighting, sha256, bytes } = mail;
    let known: Option<(i64,)> =
        sqlx::query_as("SELECT id FROM message WHERE sha256 = $1").bind(sha256).fetch_optional(&mut **transaction).await?;
    let (id, first) = match known {
        Some((id,)) => (id, false),
        None => {
            let (id,): (i64,) =
                sqlx::query_as("INSERT INTO message (sha256, bytes, state, accepted_at) VALUES ($1, $2, 'accepted', $3) RETURNING id")
                    .bind(sha256)
                    .bind(i64::try_from(*bytes).unwrap_or(i64::MAX))
                    .bind(millis(sighting.seen_at))
                    .fetch_one(&mut **transaction)
                    .await?;
            (id, true)
        }
    };
    let inserted = insert_sighting(transaction, id, sighting, first, "ON CONFLICT DO NOTHING").await?;
    Ok(match (first, inserted) {
        (true, _) => Accepted::NewMessage { id },
        (false, 0) => Accepted::AlreadySeen { id },
        (false, _) => Accepted::Duplicate { id },
    })
}

/// The row that says where a message was seen; how many were written.
async fn insert_sighting(
    transaction: &mut Writing,
    message_id: i64,
    sighting: &Sighting,
    first: bool,
    then: &'static str,
) -> Result<u64, StoreError> {
    let into = "INSERT INTO sighting (message_id, mailbox, folder, uidvalidity, uid, locator, arrived_at, seen_at, first)";
    let inserted = sqlx::query(AssertSqlSafe(rows::insert(into, 9, 1, then)))
        .bind(message_id)
        .bind(&sighting.mailbox)
        .bind(&sighting.folder)
        .bind(i64::from(sighting.uidvalidity))
        .bind(sighting.uid.map(i64::from))
        .bind(&sighting.locator)
        .bind(sighting.arrived_at.map(millis))
        .bind(millis(sighting.seen_at))
        .bind(i64::from(first))
        .execute(&mut **transaction)
        .await?;
    Ok(inserted.rows_affected())
}
