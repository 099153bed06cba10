//! A copy of the database that is consistent while others write.

use std::path::Path;

use super::{Store, StoreError, engine::Engine};

impl Store {
    /// Writes a consistent copy of the database into a new SQLite file, whichever engine this one has.
    ///
    /// # Errors
    /// When the file exists already or cannot be written.
    pub async fn backup(&self, file: &Path) -> Result<(), StoreError> {
        match self.engine {
            Engine::Sqlite => {
                sqlx::query("VACUUM INTO $1").bind(file.display().to_string()).execute(&self.pool).await?;
            }
            Engine::Postgres => {
                let copy = Self::open(&format!("sqlite:{}", file.display()), None, Path::new("/")).await?;
                copy.migrate().await?;
                self.copy_into(&copy).await?;
                copy.close().await;
            }
        }
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
