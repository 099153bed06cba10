//! Twins in a database: it names the topics that the index in memory names, on SQLite and on PostgreSQL.

use std::{collections::BTreeSet, fs, path::Path};

use annexd::{
    domain::{
        dedupe::{self, Comparison, Index, Prepared, Settings, Signature},
        verdict::{LookupKeys, Postings},
    },
    edge::store::Store,
};
use serde_json::Value;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};

use crate::support::Postgres;

/// Sides of the labelled pairs: families of eight and more that share bands, words and applicants.
fn sides() -> Vec<Signature> {
    let file = format!("{}/tests/fixtures/dedupe/pairs.jsonl", env!("CARGO_MANIFEST_DIR"));
    let pairs: Vec<Value> = fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sign = |topic: &Value| {
        let text = |key: &str| match key {
            "topic_title" => topic["title"].as_str().unwrap_or_default(),
            "applicant" => topic["enterprise"].as_str().unwrap_or_default(),
            key => topic[key].as_str().unwrap_or_default(),
        };
        Prepared::of(text, &Settings::default()).signature
    };
    pairs.iter().take(60).flat_map(|pair| [sign(&pair["a"]), sign(&pair["b"])]).collect()
}

#[test]
fn a_database_names_the_topics_that_the_index_in_memory_names() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (folder, server) = (tempfile::tempdir().unwrap(), Postgres::start());
    let sqlite = format!("sqlite:{}", folder.path().join("twins.db").display());
    for url in [sqlite, server.database("twins")] {
        runtime.block_on(names_the_same(&url, folder.path()));
    }
}

/// With lists and comparisons so few that both are cut.
async fn names_the_same(url: &str, folder: &Path) {
    let settings = Settings { postings_read: 5, compared: 4, ..Settings::default() };
    let store = Store::open(url, None, folder).await.unwrap();
    store.migrate().await.unwrap();
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await.unwrap();
    let message = "INSERT INTO message (id, sha256, bytes, state, accepted_at) VALUES (1, 'x', 1, 'recorded', 0)";
    sqlx::query(message).execute(&mut connection).await.unwrap();
    let (sides, mut index) = (sides(), Index::new(settings.clone()));
    for (serial, side) in (1..).zip(&sides) {
        index.insert(&format!("T{serial}"), side);
        put(&mut connection, serial, side).await;
    }
    let (mut named, mut cut) = (0, 0);
    for side in &sides {
        let candidates = index.candidates(side);
        let comparison = Comparison::of(side);
        let near = candidates.iter().filter(|number| comparison.is_near(index.signature(**number).unwrap(), &settings));
        let expected: BTreeSet<String> = near.map(|number| format!("T{}", number + 1)).collect();
        let keys = LookupKeys { signatures: vec![side.clone()], ..LookupKeys::default() };
        let known = store.known(&keys, &settings).await.unwrap();
        assert_eq!(known.topics.into_iter().map(|topic| topic.id).collect::<BTreeSet<_>>(), expected, "{url}");
        named += expected.len();
        cut += usize::from(candidates.len() == settings.compared);
    }
    assert!(named > sides.len() && cut > sides.len() / 4, "{named} named, {cut} cut");
    store.close().await;
}

async fn put(connection: &mut AnyConnection, serial: i64, signature: &Signature) {
    let id = format!("T{serial}");
    let statements = [
        "INSERT INTO topic (serial, id, applicant_key, title_key, code_key, sender, revision, fingerprint, status, held, division, received_at)
         VALUES ($1, $2, '', '', '', 'a@b', 1, $2, 'accepted', 0, 'tech', 0)",
        "INSERT INTO revision (topic_serial, revision, message_id, fields, places, changed, closed, sources, findings, duplicates, completeness, normalised, recorded_at)
         VALUES ($1, 1, 1, '{}', '{}', $2, '[]', '[]', '[]', '[]', '{}', '{}', 0)",
    ];
    for statement in statements {
        sqlx::query(statement).bind(serial).bind(&id).execute(&mut *connection).await.unwrap();
    }
    let body = "INSERT INTO signature (topic_serial, body) VALUES ($1, $2)";
    sqlx::query(body).bind(serial).bind(signature.to_bytes()).execute(&mut *connection).await.unwrap();
    let Postings { keys, bands, pairs } = Postings::of(signature);
    for (table, hashes) in [("signature_band", [keys, bands].concat()), ("signature_pair", pairs)] {
        for hash in hashes {
            let posting = format!("INSERT INTO {table} (hash, priority, topic_serial) VALUES ($1, $2, $3)");
            let query = sqlx::query(AssertSqlSafe(posting)).bind(hash).bind(dedupe::priority(&id)).bind(serial);
            query.execute(&mut *connection).await.unwrap();
        }
    }
}
