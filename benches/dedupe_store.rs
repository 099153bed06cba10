//! How long one lookup of twins takes in a real database, and what one more topic costs, as the store grows.
//!
//! ```sh
//! DEDUPE_STORE_SIZES=10000,100000 cargo bench --bench dedupe_store
//! ```

#![allow(clippy::indexing_slicing, clippy::print_stdout)]

use std::time::Instant;

use annexd::{
    domain::{
        dedupe::{self, Prepared, Settings},
        verdict::{LookupKeys, Postings},
    },
    edge::store::Store,
};
use sqlx::{Connection as _, QueryBuilder, Sqlite, SqliteConnection};
use synthetic::{Synthetic, Writer};

mod synthetic;

const QUERIES: usize = 500;
/// Topics written in one transaction.
const BATCH: usize = 500;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sizes = std::env::var("DEDUPE_STORE_SIZES").unwrap_or_else(|_| "10000,100000".to_owned());
    println!("| topics | lookup median / p99, ms | copies among the candidates | add one: first 1000 / last 1000, µs |\n|---|---|---|---|");
    for size in sizes.split(',').map(str::parse).collect::<Result<Vec<usize>, _>>()? {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite:{}", folder.path().join("bench.db").display());
        let store = Store::open(&url, None, folder.path()).await?;
        store.migrate().await?;
        let mut connection = SqliteConnection::connect(&url).await?;
        sqlx::query("INSERT INTO message (id, sha256, bytes, state, accepted_at) VALUES (1, 'x', 1, 'recorded', 0)")
            .execute(&mut connection)
            .await?;
        let topics = Writer::new(7).topics(size);
        let (mut first, mut last) = (0.0, 0.0);
        for (at, batch) in topics.chunks(BATCH).enumerate() {
            let prepared: Vec<Postings> = batch.iter().map(postings).collect();
            let started = Instant::now();
            let mut transaction = connection.begin().await?;
            for (number, (topic, postings)) in (at * BATCH..).zip(batch.iter().zip(&prepared)) {
                add(&mut transaction, i64::try_from(number)? + 1, topic, postings).await?;
            }
            transaction.commit().await?;
            last = started.elapsed().as_secs_f64() * 1e6 / batch.len() as f64;
            if at == 1 {
                first = last;
            }
        }
        let (mut times, mut copies, mut found) = (Vec::new(), 0, 0);
        for topic in topics.iter().rev().step_by((size / QUERIES).max(1)) {
            let keys = LookupKeys { signatures: vec![postings(topic)], ..LookupKeys::default() };
            let started = Instant::now();
            let known = store.known(&keys, &Settings::default()).await?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
            if let Some(elder) = topic.copy_of {
                copies += 1;
                found += usize::from(known.topics.iter().any(|known| known.id == format!("B{}", elder + 1)));
            }
        }
        times.sort_by(f64::total_cmp);
        println!(
            "| {size} | {:.2} / {:.2} | {found} of {copies} | {first:.0} / {last:.0} |",
            times[times.len() / 2],
            times[times.len() * 99 / 100]
        );
    }
    Ok(())
}

fn postings(topic: &Synthetic) -> Postings {
    let text = |key: &str| match key {
        "topic_title" => topic.title.as_str(),
        "applicant" => topic.applicant.as_str(),
        "problem" => topic.text.as_str(),
        _ => "",
    };
    Postings::of(&Prepared::of(text, &Settings::default()).signature)
}

async fn add(connection: &mut SqliteConnection, serial: i64, topic: &Synthetic, postings: &Postings) -> Result<(), sqlx::Error> {
    let id = format!("B{serial}");
    sqlx::query(
        "INSERT INTO topic (serial, id, applicant_key, title_key, code_key, sender, revision, fingerprint, status, held, division, received_at)
         VALUES ($1, $2, $3, $4, '', 'a@b', 1, $2, 'accepted', 0, 'tech', 0)",
    )
    .bind(serial)
    .bind(&id)
    .bind(&topic.applicant)
    .bind(&topic.title)
    .execute(&mut *connection)
    .await?;
    let fields = serde_json::json!({"topic_title": topic.title, "applicant": topic.applicant, "problem": topic.text}).to_string();
    sqlx::query(
        "INSERT INTO revision (topic_serial, revision, message_id, fields, places, changed, closed, sources, findings, duplicates, completeness, normalised, recorded_at)
         VALUES ($1, 1, 1, $2, '{}', '[]', '[]', '[]', '[]', '[]', '{}', '{}', 0)",
    )
    .bind(serial)
    .bind(fields)
    .execute(&mut *connection)
    .await?;
    let priority = dedupe::priority(&id);
    for (insert, hashes) in [
        ("INSERT INTO signature_band (hash, priority, topic_serial) ", &postings.bands),
        ("INSERT INTO signature_pair (hash, priority, topic_serial) ", &postings.pairs),
    ] {
        if hashes.is_empty() {
            continue;
        }
        let mut query = QueryBuilder::<Sqlite>::new(insert);
        query.push_values(hashes, |mut row, hash| {
            row.push_bind(*hash).push_bind(priority).push_bind(serial);
        });
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}
