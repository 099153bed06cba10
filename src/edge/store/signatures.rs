//! Signatures of topics: the postings under which later mails find their twins.

use sqlx::{Sqlite, Transaction};

use super::StoreError;
use crate::domain::{dedupe, verdict::Postings};

/// Puts the postings of a topic's latest revision in the place of the earlier ones.
pub(super) async fn replace(
    transaction: &mut Transaction<'static, Sqlite>,
    serial: i64,
    number: &str,
    postings: &Postings,
) -> Result<(), StoreError> {
    let priority = dedupe::priority(number);
    let tables = [
        (
            &postings.bands,
            "DELETE FROM signature_band WHERE topic_serial = $1",
            "INSERT INTO signature_band (hash, priority, topic_serial) VALUES ($1, $2, $3)",
        ),
        (
            &postings.pairs,
            "DELETE FROM signature_pair WHERE topic_serial = $1",
            "INSERT INTO signature_pair (hash, priority, topic_serial) VALUES ($1, $2, $3)",
        ),
    ];
    for (hashes, delete, insert) in tables {
        sqlx::query(delete).bind(serial).execute(&mut **transaction).await?;
        for hash in hashes {
            sqlx::query(insert).bind(hash).bind(priority).bind(serial).execute(&mut **transaction).await?;
        }
    }
    Ok(())
}
