//! Retention: which old mails and letters may lose their contents, and the record of who had them removed. Rows stay, so that a
//! mail that still lies in the mailbox is known again; topics stay, because duplicates are searched in all history (R26).

use jiff::Timestamp;

use super::{Store, StoreError, millis};

/// A mail whose raw bytes may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    pub id: i64,
    pub sha256: String,
    pub bytes: u64,
}

/// What one purge removed, for its record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    pub mails: u64,
    pub bytes: u64,
    pub letters: u64,
}

/// Done with, and no topic that it brought waits for its division: divisions get the original annexes from it.
const EXPIRED: &str = "bytes > 0 AND accepted_at < $1 AND state IN ('recorded', 'ignored', 'duplicate')
     AND NOT EXISTS (SELECT 1 FROM topic_message c JOIN topic t ON t.serial = c.topic_serial
                     WHERE c.message_id = message.id AND t.review = 'open' AND t.status <> 'withdrawn')";

/// Letters that nobody will send any more.
const SPENT: &str = "created_at < $1 AND state IN ('sent', 'failed') AND body <> ''";

impl Store {
    /// Old mails whose raw bytes may go, after an id, a page at a time.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn expired(&self, before: Timestamp, after: i64, limit: u32) -> Result<Vec<Expired>, StoreError> {
        let sql = format!("SELECT id, sha256, bytes FROM message WHERE {EXPIRED} AND id > $2 ORDER BY id LIMIT $3");
        let rows: Vec<(i64, String, i64)> =
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(millis(before)).bind(after).bind(i64::from(limit)).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|(id, sha256, bytes)| Expired { id, sha256, bytes: u64::try_from(bytes).unwrap_or(0) }).collect())
    }

    /// Letters that left long ago and still hold their text.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn spent_letters(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM letter WHERE {SPENT}");
        let (count,): (i64,) = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(millis(before)).fetch_one(&self.pool).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Notes that the raw bytes of these mails are gone. Who wrote and about what is forgotten too where no topic came of it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget_raw(&self, mails: &[Expired]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for mail in mails {
            sqlx::query("UPDATE message SET bytes = 0 WHERE id = $1").bind(mail.id).execute(&mut *transaction).await?;
            sqlx::query(
                "UPDATE message SET sender = NULL, subject = NULL, answer_reason = NULL
                 WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM topic_message c WHERE c.message_id = message.id)",
            )
            .bind(mail.id)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Empties letters that left long ago, their enclosures too; returns how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn empty_letters(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let enclosures = format!("DELETE FROM enclosure WHERE letter_id IN (SELECT id FROM letter WHERE {SPENT})");
        sqlx::query(sqlx::AssertSqlSafe(enclosures)).bind(millis(before)).execute(&mut *transaction).await?;
        let letters = format!("UPDATE letter SET body = '', html = NULL WHERE {SPENT}");
        let emptied = sqlx::query(sqlx::AssertSqlSafe(letters)).bind(millis(before)).execute(&mut *transaction).await?.rows_affected();
        transaction.commit().await?;
        Ok(emptied)
    }

    /// Puts a purge on record.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn note_purge(&self, by: &str, before: Timestamp, removed: Removed, now: Timestamp) -> Result<(), StoreError> {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        sqlx::query("INSERT INTO purge (purged_at, purged_by, older_than, mails, bytes, letters) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(millis(now))
            .bind(by)
            .bind(millis(before))
            .bind(number(removed.mails))
            .bind(number(removed.bytes))
            .bind(number(removed.letters))
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}
