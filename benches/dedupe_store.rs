//! How long one lookup of twins takes in a real database, and what one more topic costs, as the store grows.
//!
//! ```sh
//! DEDUPE_STORE_SIZES=10000,100000 cargo bench --bench dedupe_store
//! ```

#![allow(clippy::indexing_slicing, clippy::print_stdout)]

use std::time::Instant;

use annexd::{
    domain::{
        dedupe::{self, Prepared, Settings, Signature, measure},
        verdict::{LookupKeys, Postings},
    },
    edge::store::Store,
};
use sqlx::{Connection as _, QueryBuilder, Sqlite, SqliteConnection};
use synthetic::{Synthetic, Writer, machine, write_half};

mod synthetic;

const QUERIES: usize = 500;
/// Topics written in one transaction.
const BATCH: usize = 500;

/// Copies whose every likeness is looked for by brute force too.
const BRUTE: usize = 100;
const TABLE: &str = "\
| topics | lookup median / p99, ms | add one, µs: first 1000 / last 1000 | bytes a topic | copies found | recall at Jaccard ≥ 0.5, against brute force |
|---|---|---|---|---|---|
";
const NOTES: &str = "\
SQLite on a local disk, 500 topics a transaction, each with its revision. A lookup is what a mail with one topic asks for: postings, the
topics they name and those of its applicant, ready to be compared. Times by the clock; bytes are those of the database file.
";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sizes = std::env::var("DEDUPE_STORE_SIZES").unwrap_or_else(|_| "10000,100000".to_owned());
    let built = if cfg!(debug_assertions) { " Built without optimisation." } else { "" };
    let mut rows = String::new();
    for size in sizes.split(',').map(str::parse).collect::<Result<Vec<usize>, _>>()? {
        rows.push_str(&run(size).await?);
        let report = format!("Written by `cargo bench --bench dedupe_store`. {}{built}\n\n{TABLE}{rows}\n{NOTES}", machine());
        write_half(true, &report)?;
        println!("{report}");
    }
    Ok(())
}

async fn run(size: usize) -> Result<String, Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("bench.db").display());
    let store = Store::open(&url, None, folder.path()).await?;
    store.migrate().await?;
    let mut connection = SqliteConnection::connect(&url).await?;
    sqlx::query("INSERT INTO message (id, sha256, bytes, state, accepted_at) VALUES (1, 'x', 1, 'recorded', 0)")
        .execute(&mut connection)
        .await?;
    let topics = Writer::new(7).topics(size);
    let signatures: Vec<Signature> = topics.iter().map(sign).collect();
    let (mut first, mut last) = (0.0, 0.0);
    for (at, batch) in topics.chunks(BATCH).enumerate() {
        let started = Instant::now();
        let mut transaction = connection.begin().await?;
        for (number, topic) in (at * BATCH..).zip(batch) {
            add(&mut transaction, i64::try_from(number)? + 1, topic, &signatures[number]).await?;
        }
        transaction.commit().await?;
        last = started.elapsed().as_secs_f64() * 1e6 / batch.len() as f64;
        if at == 1 {
            first = last;
        }
    }
    let (mut times, mut copies, mut found, mut alike, mut recalled) = (Vec::new(), 0, 0, 0, 0);
    for (number, topic) in topics.iter().enumerate().rev().step_by((size / QUERIES).max(1)) {
        let keys = LookupKeys { signatures: vec![signatures[number].clone()], ..LookupKeys::default() };
        let started = Instant::now();
        let known = store.known(&keys, &Settings::default()).await?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
        let Some(elder) = topic.copy_of else { continue };
        let is_known = |other: usize| known.topics.iter().any(|known| known.id == format!("B{}", other + 1));
        copies += 1;
        found += usize::from(is_known(elder));
        if copies <= BRUTE {
            let near = |other: &usize| *other != number && measure(&signatures[number], &signatures[*other]).jaccard >= 0.5;
            let near: Vec<usize> = (0..size).filter(near).collect();
            alike += near.len();
            recalled += near.into_iter().filter(|other| is_known(*other)).count();
        }
    }
    times.sort_by(f64::total_cmp);
    let bytes = std::fs::metadata(folder.path().join("bench.db"))?.len() as f64 / size as f64;
    let (median, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    let recall = recalled as f64 / alike as f64;
    Ok(format!(
        "| {size} | {median:.2} / {p99:.2} | {first:.0} / {last:.0} | {bytes:.0} | {found} of {copies} | {recall:.4} of {alike} |\n"
    ))
}

fn sign(topic: &Synthetic) -> Signature {
    let text = |key: &str| match key {
        "topic_title" => topic.title.as_str(),
        "applicant" => topic.applicant.as_str(),
        "problem" => topic.text.as_str(),
        _ => "",
    };
    Prepared::of(text, &Settings::default()).signature
}

async fn add(connection: &mut SqliteConnection, serial: i64, topic: &Synthetic, signature: &Signature) -> Result<(), sqlx::Error> {
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
    sqlx::query("INSERT INTO signature (topic_serial, body) VALUES ($1, $2)")
        .bind(serial)
        .bind(signature.to_bytes())
        .execute(&mut *connection)
        .await?;
    let postings = Postings::of(signature);
    let priority = dedupe::priority(&id);
    for (insert, hashes) in [
        ("INSERT INTO signature_band (hash, priority, topic_serial) ", &[postings.keys, postings.bands].concat()),
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
