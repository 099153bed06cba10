//! A copy of the database that is consistent while others write.

use std::path::Path;

use super::{Store, StoreError};

impl Store {
    /// Writes a consistent copy of the database into a new file (SQLite's `VACUUM INTO`).
    ///
    /// # Errors
    /// When the file exists already or cannot be written.
    pub async fn backup(&self, file: &Path) -> Result<(), StoreError> {
        sqlx::query("VACUUM INTO $1").bind(file.display().to_string()).execute(&self.pool).await?;
        Ok(())
    }

    /// Hashes of all raw mails that the database speaks of, after a running number, a page at a time.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn raw_mails(&self, after: i64, limit: u32) -> Result<Vec<(i64, String)>, StoreError> {
        let rows = sqlx::query_as("SELECT id, sha256 FROM message WHERE id > $1 AND bytes > 0 ORDER BY id LIMIT $2")
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        Ok(rows)
    }
}
