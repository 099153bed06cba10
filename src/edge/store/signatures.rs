//! Signatures of topics, and the postings under which later mails find them.

use sqlx::AssertSqlSafe;

use super::{StoreError, Writing, rows};
use crate::domain::{
    dedupe::{self, Signature},
    verdict::Postings,
};

/// Hashes taken out by one statement.
const HASHES_A_STATEMENT: usize = 50;

/// A topic's number in the database, its receipt number and what it says now.
pub(super) struct Signed<'a> {
    pub serial: i64,
    pub number: &'a str,
    pub signature: &'a Signature,
}

/// Writes the signatures of topics that have none yet.
pub(super) async fn add(transaction: &mut Writing, topics: &[Signed<'_>]) -> Result<(), StoreError> {
    for part in rows::in_steps(topics, 2) {
        let sql = rows::insert("INSERT INTO signature (topic_serial, body)", 2, part.len(), "");
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for topic in part {
            query = query.bind(topic.serial).bind(topic.signature.to_bytes());
        }
        query.execute(&mut **transaction).await?;
    }
    let (mut bands, mut pairs) = (Vec::new(), Vec::new());
    for topic in topics {
        let priority = dedupe::priority(topic.number);
        let postings = Postings::of(topic.signature);
        bands.extend(postings.bands.into_iter().map(|hash| (hash, priority, topic.serial)));
        pairs.extend(postings.pairs.into_iter().map(|hash| (hash, priority, topic.serial)));
    }
    post(transaction, "INSERT INTO signature_band (hash, priority, topic_serial)", bands).await?;
    post(transaction, "INSERT INTO signature_pair (hash, priority, topic_serial)", pairs).await
}

/// In the order of the tables, so that neighbours are written together.
async fn post(transaction: &mut Writing, insert: &str, mut postings: Vec<(i64, i64, i64)>) -> Result<(), StoreError> {
    postings.sort_unstable();
    for part in rows::in_steps(&postings, 3) {
        let mut query = sqlx::query(AssertSqlSafe(rows::insert(insert, 3, part.len(), "")));
        for (hash, priority, serial) in part {
            query = query.bind(hash).bind(priority).bind(serial);
        }
        query.execute(&mut **transaction).await?;
    }
    Ok(())
}

/// Puts the signature of a topic's latest revision in the place of the earlier one.
pub(super) async fn replace(transaction: &mut Writing, topic: &Signed<'_>) -> Result<(), StoreError> {
    let before: Option<(Vec<u8>,)> =
        sqlx::query_as("SELECT body FROM signature WHERE topic_serial = $1").bind(topic.serial).fetch_optional(&mut **transaction).await?;
    match before.and_then(|(body,)| Signature::from_bytes(&body)) {
        Some(signature) => take_out(transaction, topic, &signature).await?,
        // Signed by an earlier version, which left no signature, or one that this version does not read.
        None => {
            for delete in ["DELETE FROM signature_band WHERE topic_serial = $1", "DELETE FROM signature_pair WHERE topic_serial = $1"] {
                sqlx::query(delete).bind(topic.serial).execute(&mut **transaction).await?;
            }
        }
    }
    sqlx::query("DELETE FROM signature WHERE topic_serial = $1").bind(topic.serial).execute(&mut **transaction).await?;
    add(transaction, std::slice::from_ref(topic)).await
}

async fn take_out(transaction: &mut Writing, topic: &Signed<'_>, before: &Signature) -> Result<(), StoreError> {
    let Postings { bands, pairs } = Postings::of(before);
    for (table, hashes) in [("signature_band", bands), ("signature_pair", pairs)] {
        for part in hashes.chunks(HASHES_A_STATEMENT) {
            let list = super::parameters(3, HASHES_A_STATEMENT);
            let sql = format!("DELETE FROM {table} WHERE priority = $1 AND topic_serial = $2 AND hash IN ({list})");
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(dedupe::priority(topic.number)).bind(topic.serial);
            for hash in rows::filled_up(part, HASHES_A_STATEMENT) {
                query = query.bind(hash);
            }
            query.execute(&mut **transaction).await?;
        }
    }
    Ok(())
}
