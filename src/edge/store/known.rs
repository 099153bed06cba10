//! What is known about a mail's keys before it is judged.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::{Engine, Store, StoreError, from_word, parameters, rows, timestamp};
use crate::domain::{
    dedupe::{self, Comparison, Signature},
    reconcile::{Draft, PlacedValue},
    verdict::{Known, KnownTopic, LookupKeys, Postings, TopicKey, TopicStatus},
};

/// Latest topics of one applicant that are compared with a mail's.
const SAME_APPLICANT_MAX: u32 = 100;
/// Keys looked for in one statement.
const KEYS_A_STATEMENT: usize = 100;
/// Topics read in one statement.
const TOPICS_A_STATEMENT: usize = 20;

#[derive(FromRow)]
pub(super) struct TopicRow {
    id: String,
    applicant_key: String,
    title_key: String,
    fingerprint: String,
    fields: String,
    places: String,
    sources: String,
    findings: String,
    sender: String,
    bureau_id: Option<String>,
    status: String,
    held: i64,
    division: String,
    brought_at: Option<i64>,
}

/// The columns of [`TopicRow`], before a condition on `t`.
macro_rules! topics_where {
    ($condition:literal) => {
        concat!(
            "SELECT t.id, t.applicant_key, t.title_key, t.fingerprint, r.fields, r.places, r.sources, r.findings, t.sender, t.bureau_id,
                    t.status, t.held, t.division,
                    (SELECT coalesce(s.arrived_at, s.seen_at) FROM sighting s WHERE s.message_id = r.message_id AND s.first = 1) AS brought_at
             FROM topic t JOIN revision r ON r.topic_serial = t.serial AND r.revision = t.revision WHERE ",
            $condition
        )
    };
}

pub(super) use topics_where;

impl Store {
    /// Looks up everything a judgement depends on.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn known(&self, keys: &LookupKeys, settings: &dedupe::Settings) -> Result<Known, StoreError> {
        known(self.engine, &mut *self.pool.acquire().await?, keys, settings).await
    }
}

/// [`Store::known`] over one connection: given back to the pool in between, each question would cost a test of it too.
pub(super) async fn known(
    engine: Engine,
    connection: &mut AnyConnection,
    keys: &LookupKeys,
    settings: &dedupe::Settings,
) -> Result<Known, StoreError> {
    let mut lookup = Lookup(connection, engine);
    let same: Option<(i64,)> =
        sqlx::query_as("SELECT id FROM message WHERE content_sha256 = $1 AND state IN ('recorded', 'ignored') LIMIT 1")
            .bind(&keys.content_sha256)
            .fetch_optional(&mut *lookup.0)
            .await?;
    let mut known = Known { same_content: same.is_some(), ..Known::default() };
    for reference in &keys.references {
        lookup.answered(reference, &mut known).await?;
    }
    for number in keys.receipt_numbers.iter().chain(&known.answered_topics.clone()) {
        let rows = sqlx::query_as::<_, TopicRow>(topics_where!("t.id = $1")).bind(number).fetch_all(&mut *lookup.0).await?;
        if !rows.is_empty() && keys.receipt_numbers.contains(number) {
            known.named_topics.push(number.clone());
        }
        known.add(rows)?;
    }
    let applicants = lookup.those_there("applicant_key", keys.topics.iter().map(|key| key.applicant.as_str())).await?;
    for key in keys.topics.iter().filter(|key| applicants.contains(&key.applicant)) {
        let rows = sqlx::query_as::<_, TopicRow>(topics_where!(
            "t.applicant_key = $1 AND t.title_key = $2 AND t.status <> 'withdrawn' ORDER BY t.serial"
        ))
        .bind(&key.applicant)
        .bind(&key.title)
        .fetch_all(&mut *lookup.0)
        .await?;
        known.add(rows)?;
    }
    known.lacks_letter = lookup.lacks_letter(&known).await?;
    lookup.same_applicants(keys, &applicants, &mut known).await?;
    lookup.likely_twins(keys, settings, &mut known).await?;
    Ok(known)
}

/// The connection that is asked, and the database's kind.
struct Lookup<'c>(&'c mut AnyConnection, Engine);

impl Lookup<'_> {
    /// Topics of the mail that the referred letter answered.
    async fn answered(&mut self, reference: &str, known: &mut Known) -> Result<(), StoreError> {
        let rows: Vec<(Option<String>, String)> = sqlx::query_as(
            "SELECT t.id, l.key FROM letter l LEFT JOIN topic_message m ON m.message_id = l.cause_id LEFT JOIN topic t ON t.serial = m.topic_serial
             WHERE l.message_id = $1 ORDER BY t.serial",
        )
        .bind(reference)
        .fetch_all(&mut *self.0)
        .await?;
        known.answers_our_letter |= !rows.is_empty();
        for (id, key) in rows {
            if let Some(division) =
                key.strip_prefix("queue:").or_else(|| key.strip_prefix("orders:")).and_then(|rest| rest.split(':').next())
            {
                known.letter_division = Some(division.to_owned());
            }
            if let Some(id) = id.filter(|id| !known.answered_topics.contains(id)) {
                known.answered_topics.push(id);
            }
        }
        Ok(())
    }

    /// Topics that share bands or rare terms with one of the mail's, and are like it or of the same applicant. A bounded read of every
    /// posting, the same topics whatever the order in which they came.
    async fn likely_twins(&mut self, keys: &LookupKeys, settings: &dedupe::Settings, known: &mut Known) -> Result<(), StoreError> {
        let candidates = self.twin_candidates(&keys.signatures, settings).await?;
        let comparisons: Vec<Comparison<'_>> = keys.signatures.iter().map(Comparison::of).collect();
        let serials: Vec<i64> = candidates.keys().copied().collect();
        let mut near: BTreeSet<i64> = serials.iter().copied().collect();
        for part in serials.chunks(KEYS_A_STATEMENT) {
            let sql = format!(
                "SELECT string_agg(topic_serial || ' ' || {}, ',') FROM signature WHERE topic_serial IN ({})",
                self.1.hex("body"),
                parameters(1, KEYS_A_STATEMENT)
            );
            let mut query = sqlx::query_as::<_, (Option<String>,)>(AssertSqlSafe(sql));
            for value in rows::filled_up(part, KEYS_A_STATEMENT) {
                query = query.bind(value);
            }
            let (signed,) = query.fetch_one(&mut *self.0).await?;
            for (serial, elder) in signed.iter().flat_map(|signed| signed.split(',')).filter_map(serial_and_signature) {
                let mut own = candidates.get(&serial).into_iter().flatten().filter_map(|at| comparisons.get(*at));
                if !own.any(|own| own.is_near(&elder, settings)) {
                    near.remove(&serial);
                }
            }
        }
        let serials: Vec<i64> = near.into_iter().collect();
        for part in serials.chunks(TOPICS_A_STATEMENT) {
            let list = parameters(1, TOPICS_A_STATEMENT);
            let sql = format!("{} ({list}) ORDER BY t.serial", topics_where!("t.status <> 'withdrawn' AND t.serial IN"));
            let mut query = sqlx::query_as::<_, TopicRow>(AssertSqlSafe(sql));
            for value in rows::filled_up(part, TOPICS_A_STATEMENT) {
                query = query.bind(value);
            }
            known.add(query.fetch_all(&mut *self.0).await?)?;
        }
        Ok(())
    }

    /// [`dedupe::Index::candidates`] where the postings lie: those of a whole mail in one statement, counted there, so that the few topics
    /// to compare are all that is fetched. `topic.serial`s, each with the places of those of the mail's topics that it may be like.
    async fn twin_candidates(
        &mut self,
        signatures: &[Signature],
        settings: &dedupe::Settings,
    ) -> Result<BTreeMap<i64, Vec<usize>>, StoreError> {
        let postings: Vec<Postings> = signatures.iter().map(Postings::of).collect();
        let placed = |hashes: fn(&Postings) -> &[i64]| {
            let placed = (0_i64..).zip(&postings).map(|(place, of)| (place, 0, hashes(of))).collect::<Vec<_>>();
            serde_json::to_string(&placed)
        };
        let list = |given: &str, table: &str, votes: u32| self.1.first_of_lists(given, table, votes, settings.postings_read);
        let sql = format!(
            "WITH {}, {}, {} SELECT string_agg(place || ' ' || votes || ' ' || priority || ' ' || topic_serial, ',') FROM (
                 SELECT place, CAST(sum(votes) AS BIGINT) AS votes, priority, topic_serial FROM ({} UNION ALL {} UNION ALL {}) AS listed
                 GROUP BY place, topic_serial, priority HAVING sum(votes) >= {}) AS found",
            self.1.hashes_given("keys", 1),
            self.1.hashes_given("bands", 2),
            self.1.hashes_given("pairs", 3),
            list("keys", "signature_band", dedupe::KEY_VOTES),
            list("bands", "signature_band", dedupe::BAND_VOTES),
            list("pairs", "signature_pair", dedupe::PAIR_VOTES),
            dedupe::ENOUGH,
        );
        // In one row: a row by itself is a message from another thread.
        let (found,): (Option<String>,) = sqlx::query_as(AssertSqlSafe(sql))
            .bind(placed(|of| &of.keys)?)
            .bind(placed(|of| &of.bands)?)
            .bind(placed(|of| &of.pairs)?)
            .fetch_one(&mut *self.0)
            .await?;
        let mut found: Vec<(i64, i64, i64, i64)> = found.iter().flat_map(|found| found.split(',')).filter_map(four).collect();
        found.sort_unstable_by_key(|(place, votes, priority, serial)| (*place, Reverse(*votes), *priority, *serial));
        let mut candidates: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for of_one in found.chunk_by(|one, other| one.0 == other.0) {
            for (place, .., serial) in of_one.iter().take(settings.compared) {
                candidates.entry(*serial).or_default().extend(usize::try_from(*place));
            }
        }
        Ok(candidates)
    }

    /// Which of these values stand in a column of the topics at all: most applicants of a mail are new, and cost nothing further.
    async fn those_there(&mut self, column: &str, values: impl Iterator<Item = &str>) -> Result<BTreeSet<String>, StoreError> {
        let values: Vec<&str> = values.collect::<BTreeSet<_>>().into_iter().collect();
        let mut there = BTreeSet::new();
        for part in values.chunks(KEYS_A_STATEMENT) {
            let list = parameters(1, KEYS_A_STATEMENT);
            let mut query = sqlx::query_as(AssertSqlSafe(format!("SELECT DISTINCT {column} FROM topic WHERE {column} IN ({list})")));
            for value in rows::filled_up(part, KEYS_A_STATEMENT) {
                query = query.bind(value);
            }
            let rows: Vec<(String,)> = query.fetch_all(&mut *self.0).await?;
            there.extend(rows.into_iter().map(|(value,)| value));
        }
        Ok(there)
    }

    async fn same_applicants(&mut self, keys: &LookupKeys, there: &BTreeSet<String>, known: &mut Known) -> Result<(), StoreError> {
        let mut applicants: Vec<&str> = keys
            .topics
            .iter()
            .map(|key| key.applicant.as_str())
            .filter(|applicant| !applicant.is_empty() && there.contains(*applicant))
            .collect();
        applicants.dedup();
        for applicant in applicants {
            let rows = sqlx::query_as::<_, TopicRow>(topics_where!(
                "t.applicant_key = $1 AND t.status <> 'withdrawn' ORDER BY t.serial DESC LIMIT $2"
            ))
            .bind(applicant)
            .bind(i64::from(SAME_APPLICANT_MAX))
            .fetch_all(&mut *self.0)
            .await?;
            known.add(rows)?;
        }
        let codes = self.those_there("code_key", keys.codes.iter().map(String::as_str)).await?;
        for code in keys.codes.iter().filter(|code| codes.contains(*code)) {
            let rows =
                sqlx::query_as::<_, TopicRow>(topics_where!("t.code_key = $1 AND t.status <> 'withdrawn' ORDER BY t.serial DESC LIMIT $2"))
                    .bind(code)
                    .bind(i64::from(SAME_APPLICANT_MAX))
                    .fetch_all(&mut *self.0)
                    .await?;
            known.add(rows)?;
        }
        Ok(())
    }

    /// A bureau's mail about one of these topics came without a formal letter, and no mail about it brought one.
    async fn lacks_letter(&mut self, known: &Known) -> Result<bool, StoreError> {
        for topic in &known.topics {
            let (submissions, letters): (i64, i64) = sqlx::query_as(
                "SELECT count(*) FILTER (WHERE m.kind = 'submission'), count(m.letter_file) FROM topic t
                 JOIN topic_message tm ON tm.topic_serial = t.serial JOIN message m ON m.id = tm.message_id WHERE t.id = $1",
            )
            .bind(&topic.id)
            .fetch_one(&mut *self.0)
            .await?;
            if submissions > 0 && letters == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Four numbers out of one text.
fn four(text: &str) -> Option<(i64, i64, i64, i64)> {
    let mut numbers = text.split(' ').map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some((next()?, next()?, next()?, next()?))
}

/// A topic's number in the database with its signature; none that this version cannot read: such a topic is read in full.
fn serial_and_signature(text: &str) -> Option<(i64, Signature)> {
    let (serial, body) = text.split_once(' ')?;
    Some((serial.parse().ok()?, Signature::from_bytes(&hex_simd::decode_to_vec(body).ok()?)?))
}

impl Known {
    fn add(&mut self, rows: Vec<TopicRow>) -> Result<(), StoreError> {
        for row in rows {
            if self.topics.iter().any(|topic| topic.id == row.id) {
                continue;
            }
            self.topics.push(row.topic()?);
        }
        Ok(())
    }
}

impl TopicRow {
    pub(super) fn topic(self) -> Result<KnownTopic, StoreError> {
        Ok(KnownTopic {
            draft: draft(&self.fields, &self.places, &self.sources)?,
            id: self.id,
            key: TopicKey { applicant: self.applicant_key, title: self.title_key },
            fingerprint: self.fingerprint,
            findings: serde_json::from_str(&self.findings)?,
            sender: self.sender,
            bureau: self.bureau_id,
            status: from_word(&self.status).unwrap_or(TopicStatus::Accepted),
            held: self.held != 0,
            division: self.division,
            brought_at: self.brought_at.map(timestamp),
        })
    }
}

/// Texts and places stand in two columns, so that texts can be searched and are kept once.
pub(super) fn draft(fields: &str, places: &str, sources: &str) -> Result<Draft, StoreError> {
    let mut texts: BTreeMap<String, String> = serde_json::from_str(fields)?;
    let mut placed: BTreeMap<String, PlacedValue> = serde_json::from_str(places)?;
    for (key, value) in &mut placed {
        value.value.text = texts.remove(key).unwrap_or_default();
    }
    Ok(Draft { sources: serde_json::from_str(sources)?, fields: placed })
}
