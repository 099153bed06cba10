//! Signatures of topics: the postings under which later mails find their twins.

use sqlx::AssertSqlSafe;

use super::{StoreError, Writing};
use crate::domain::{dedupe, verdict::Postings};

/// Rows written in one statement.
const ROWS_A_STATEMENT: usize = 200;

/// Puts the postings of a topic's latest revision in the place of the earlier ones.
pub(super) async fn replace(transaction: &mut Writing, serial: i64, number: &str, postings: &Postings) -> Result<(), StoreError> {
    for delete in ["DELETE FROM signature_band WHERE topic_serial = $1", "DELETE FROM signature_pair WHERE topic_serial = $1"] {
        sqlx::query(delete).bind(serial).execute(&mut **transaction).await?;
    }
    add(transaction, serial, number, postings).await
}

/// Writes the postings of a topic that has none yet.
pub(super) async fn add(transaction: &mut Writing, serial: i64, number: &str, postings: &Postings) -> Result<(), StoreError> {
    let priority = dedupe::priority(number);
    let tables = [
        (&postings.bands, "INSERT INTO signature_band (hash, priority, topic_serial)"),
        (&postings.pairs, "INSERT INTO signature_pair (hash, priority, topic_serial)"),
    ];
    for (hashes, insert) in tables {
        for part in hashes.chunks(ROWS_A_STATEMENT) {
            let rows: Vec<String> = (0..part.len()).map(|row| format!("(${}, $1, $2)", row + 3)).collect();
            let mut query = sqlx::query(AssertSqlSafe(format!("{insert} VALUES {}", rows.join(", ")))).bind(priority).bind(serial);
            for hash in part {
                query = query.bind(*hash);
            }
            query.execute(&mut **transaction).await?;
        }
    }
    Ok(())
}
