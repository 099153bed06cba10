//! The installation's own secret: made once, kept in the database, so that every daemon and every backup has it.

use super::{Store, StoreError};

/// Bytes of the secret.
const SECRET_BYTES: usize = 32;

impl Store {
    /// The secret; made at the first call.
    ///
    /// # Errors
    /// When the database cannot be written, or the system has no randomness.
    pub async fn secret(&self) -> Result<Vec<u8>, StoreError> {
        let mut fresh = vec![0; SECRET_BYTES];
        getrandom::fill(&mut fresh).map_err(|error| std::io::Error::other(error.to_string()))?;
        sqlx::query("INSERT INTO setting (name, value) VALUES ('secret', $1) ON CONFLICT DO NOTHING")
            .bind(&fresh)
            .execute(&self.writer)
            .await?;
        let (secret,): (Vec<u8>,) = sqlx::query_as("SELECT value FROM setting WHERE name = 'secret'").fetch_one(&self.pool).await?;
        Ok(secret)
    }
}
