//! Signatures of topics, and the postings under which later mails find them.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;

use super::{Engine, Store, StoreError, Writing, rows};
use crate::domain::{
    dedupe::{self, Prepared, Signature},
    verdict::Postings,
};

/// Hashes taken out by one statement.
const HASHES_A_STATEMENT: usize = 50;
/// Topics renewed in one transaction.
const RENEWED_AT_ONCE: i64 = 200;

/// A topic's number in the database, its receipt number and what it says now.
pub(super) struct Signed<'a> {
    pub serial: i64,
    pub number: &'a str,
    pub signature: &'a Signature,
}

/// Writes the signatures of topics that have none yet.
pub(super) async fn add(engine: Engine, transaction: &mut Writing, topics: &[Signed<'_>]) -> Result<(), StoreError> {
    for part in rows::in_steps(topics, 2) {
        let sql = rows::insert("INSERT INTO signature (topic_serial, body)", 2, part.len(), "");
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for topic in part {
            query = query.bind(topic.serial).bind(topic.signature.to_bytes());
        }
        query.execute(&mut **transaction).await?;
    }
    let postings: Vec<(i64, i64, Postings)> =
        topics.iter().map(|topic| (topic.serial, dedupe::priority(topic.number), Postings::of(topic.signature))).collect();
    let firm = postings.iter().map(|(serial, priority, of)| (serial, priority, [&*of.keys, &of.bands].concat())).collect::<Vec<_>>();
    let pairs = postings.iter().map(|(serial, priority, of)| (serial, priority, &*of.pairs)).collect::<Vec<_>>();
    post(engine, transaction, "signature_band", serde_json::to_string(&firm)?).await?;
    post(engine, transaction, "signature_pair", serde_json::to_string(&pairs)?).await
}

/// In the order of the table, so that neighbours are written together.
async fn post(engine: Engine, transaction: &mut Writing, table: &str, postings: String) -> Result<(), StoreError> {
    let sql = format!(
        "WITH {} INSERT INTO {table} (hash, priority, topic_serial) SELECT hash, two, one FROM given ORDER BY 1, 2, 3",
        engine.hashes_given("given", 1)
    );
    sqlx::query(AssertSqlSafe(sql)).bind(postings).execute(&mut **transaction).await?;
    Ok(())
}

impl Store {
    /// Signs again what an earlier version signed, for it stands under hashes that nobody asks for any more. The latest topics first, so
    /// that the very first one tells whether all is done.
    pub(super) async fn renew_signatures(&self) -> Result<(), StoreError> {
        let first: Option<(Option<Vec<u8>>,)> =
            sqlx::query_as("SELECT s.body FROM topic t LEFT JOIN signature s ON s.topic_serial = t.serial ORDER BY t.serial LIMIT 1")
                .fetch_optional(&self.pool)
                .await?;
        if first.is_none_or(|(body,)| body.is_some_and(|body| Signature::from_bytes(&body).is_some())) {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        for table in ["signature_band", "signature_pair"] {
            let sql =
                format!("DELETE FROM {table} WHERE NOT EXISTS (SELECT 1 FROM signature s WHERE s.topic_serial = {table}.topic_serial)");
            sqlx::query(AssertSqlSafe(sql)).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        let mut before = i64::MAX;
        while let Some(last) = self.renew_some(before).await? {
            before = last;
        }
        Ok(())
    }

    /// Renews the latest topics before one; the last of them.
    async fn renew_some(&self, before: i64) -> Result<Option<i64>, StoreError> {
        let mut transaction = self.begin().await?;
        let topics: Vec<(i64, String, Option<Vec<u8>>, String)> = sqlx::query_as(
            "SELECT t.serial, t.id, s.body, r.fields FROM topic t JOIN revision r ON r.topic_serial = t.serial AND r.revision = t.revision
             LEFT JOIN signature s ON s.topic_serial = t.serial WHERE t.serial < $1 ORDER BY t.serial DESC LIMIT $2",
        )
        .bind(before)
        .bind(RENEWED_AT_ONCE)
        .fetch_all(&mut *transaction)
        .await?;
        for (serial, number, body, fields) in &topics {
            let kept = body.as_deref();
            if kept.is_some_and(|body| Signature::from_bytes(body).is_some()) {
                continue;
            }
            let (serial, number) = (*serial, number.as_str());
            let signature = if let Some(stood) = kept.and_then(Signature::from_bytes_of_before) {
                take_out(&mut transaction, number, serial, &stood).await?;
                stood.renewed()
            } else {
                let fields: BTreeMap<String, String> = serde_json::from_str(fields)?;
                Prepared::of(|key| fields.get(key).map_or("", String::as_str), &dedupe::Settings::default()).signature
            };
            sqlx::query("DELETE FROM signature WHERE topic_serial = $1").bind(serial).execute(&mut *transaction).await?;
            add(self.engine, &mut transaction, &[Signed { serial, number, signature: &signature }]).await?;
        }
        transaction.commit().await?;
        Ok(topics.last().map(|(serial, ..)| *serial))
    }
}

/// Puts the signature of a topic's latest revision in the place of the earlier one.
pub(super) async fn replace(engine: Engine, transaction: &mut Writing, topic: &Signed<'_>) -> Result<(), StoreError> {
    let before: Option<(Vec<u8>,)> =
        sqlx::query_as("SELECT body FROM signature WHERE topic_serial = $1").bind(topic.serial).fetch_optional(&mut **transaction).await?;
    match before.and_then(|(body,)| Signature::from_bytes(&body)) {
        Some(signature) => take_out(transaction, topic.number, topic.serial, &signature).await?,
        // Signed by an earlier version, which left no signature, or one that this version does not read.
        None => {
            for delete in ["DELETE FROM signature_band WHERE topic_serial = $1", "DELETE FROM signature_pair WHERE topic_serial = $1"] {
                sqlx::query(delete).bind(topic.serial).execute(&mut **transaction).await?;
            }
        }
    }
    sqlx::query("DELETE FROM signature WHERE topic_serial = $1").bind(topic.serial).execute(&mut **transaction).await?;
    add(engine, transaction, std::slice::from_ref(topic)).await
}

async fn take_out(transaction: &mut Writing, number: &str, serial: i64, before: &Signature) -> Result<(), StoreError> {
    let Postings { keys, bands, pairs } = Postings::of(before);
    for (table, hashes) in [("signature_band", [keys, bands].concat()), ("signature_pair", pairs)] {
        for part in hashes.chunks(HASHES_A_STATEMENT) {
            let list = super::parameters(3, HASHES_A_STATEMENT);
            let sql = format!("DELETE FROM {table} WHERE priority = $1 AND topic_serial = $2 AND hash IN ({list})");
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(dedupe::priority(number)).bind(serial);
            for hash in rows::filled_up(part, HASHES_A_STATEMENT) {
                query = query.bind(hash);
            }
            query.execute(&mut **transaction).await?;
        }
    }
    Ok(())
}
