//! What is known about a mail's keys before it is judged.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use sqlx::{Any, AssertSqlSafe, FromRow, pool::PoolConnection};

use super::{Store, StoreError, from_word, parameters, rows, timestamp};
use crate::domain::{
    dedupe::{self, Comparison, Signature},
    reconcile::{Draft, PlacedValue},
    verdict::{Known, KnownTopic, LookupKeys, Postings, TopicKey, TopicStatus},
};

/// Latest topics of one applicant that are compared with a mail's.
const SAME_APPLICANT_MAX: u32 = 100;
/// Postings read in one statement: SQLite joins at most 500 SELECTs.
const POSTINGS_A_STATEMENT: usize = 200;
/// Statements come in steps of so many postings, so that the database need not prepare one for every number.
const POSTINGS_A_STEP: usize = 10;
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
        let mut lookup = Lookup(self.pool.acquire().await?);
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
}

/// One connection for all that is asked: given back to the pool in between, each question would cost a test of it too.
struct Lookup(PoolConnection<Any>);

impl Lookup {
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
        let mut candidates: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (at, signature) in keys.signatures.iter().enumerate() {
            for serial in self.twin_candidates(&Postings::of(signature), settings).await? {
                candidates.entry(serial).or_default().push(at);
            }
        }
        let comparisons: Vec<Comparison<'_>> = keys.signatures.iter().map(Comparison::of).collect();
        let serials: Vec<i64> = candidates.keys().copied().collect();
        let mut near: BTreeSet<i64> = serials.iter().copied().collect();
        for part in serials.chunks(KEYS_A_STATEMENT) {
            let sql = format!("SELECT topic_serial, body FROM signature WHERE topic_serial IN ({})", parameters(1, KEYS_A_STATEMENT));
            let mut query = sqlx::query_as::<_, (i64, Vec<u8>)>(AssertSqlSafe(sql));
            for value in rows::filled_up(part, KEYS_A_STATEMENT) {
                query = query.bind(value);
            }
            for (serial, body) in query.fetch_all(&mut *self.0).await? {
                // One that has no signature is read in full.
                let Some(elder) = Signature::from_bytes(&body) else { continue };
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

    /// [`dedupe::Index::candidates`] where the postings lie: all of them in one statement, counted there, so that the few topics to
    /// compare are all that is fetched. Best first; `topic.serial`s.
    async fn twin_candidates(&mut self, postings: &Postings, settings: &dedupe::Settings) -> Result<Vec<i64>, StoreError> {
        let enough = i64::from(dedupe::ENOUGH);
        let mut votes: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        let kinds = [
            (&postings.keys, Kind("signature_band", dedupe::KEY_VOTES)),
            (&postings.bands, Kind("signature_band", dedupe::BAND_VOTES)),
            (&postings.pairs, Kind("signature_pair", dedupe::PAIR_VOTES)),
        ];
        let hashes: Vec<(i64, Kind)> = kinds.into_iter().flat_map(|(hashes, kind)| hashes.iter().map(move |hash| (*hash, kind))).collect();
        for part in hashes.chunks(POSTINGS_A_STATEMENT) {
            let lists: Vec<String> = (1..)
                .zip(&padded(part))
                .map(|(parameter, (_, Kind(table, weight)))| {
                    let read = settings.postings_read;
                    format!("SELECT * FROM (SELECT topic_serial, priority, {weight} AS votes FROM {table} WHERE hash = ${parameter} ORDER BY priority LIMIT {read}) AS list")
                })
                .collect();
            let mut sql = format!(
                "SELECT topic_serial, priority, CAST(sum(votes) AS BIGINT) FROM ({}) AS found GROUP BY topic_serial, priority",
                lists.join(" UNION ALL ")
            );
            // Counted in one statement: what has too few votes need not be fetched.
            if hashes.len() <= POSTINGS_A_STATEMENT {
                let most = settings.compared;
                sql.push_str(&format!(" HAVING sum(votes) >= {enough} ORDER BY sum(votes) DESC, priority, topic_serial LIMIT {most}"));
            }
            let mut query = sqlx::query_as::<_, (i64, i64, i64)>(AssertSqlSafe(sql));
            for (hash, _) in padded(part) {
                query = query.bind(hash);
            }
            for (serial, priority, found) in query.fetch_all(&mut *self.0).await? {
                votes.entry(serial).or_insert((0, priority)).0 += found;
            }
        }
        let mut counted: Vec<(Reverse<i64>, i64, i64)> = votes
            .into_iter()
            .filter(|(_, (found, _))| *found >= enough)
            .map(|(serial, (found, priority))| (Reverse(found), priority, serial))
            .collect();
        counted.sort_unstable();
        Ok(counted.into_iter().take(settings.compared).map(|(.., serial)| serial).collect())
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

/// Where postings lie, and their votes.
#[derive(Clone, Copy, PartialEq)]
struct Kind(&'static str, u32);

/// Postings kind by kind, each kind filled up with what equals nothing (NULL) to a whole number of steps.
fn padded(postings: &[(i64, Kind)]) -> Vec<(Option<i64>, Kind)> {
    let mut all = Vec::with_capacity(postings.len() + 3 * POSTINGS_A_STEP);
    for of_one_kind in postings.chunk_by(|one, other| one.1 == other.1) {
        all.extend(of_one_kind.iter().map(|(hash, kind)| (Some(*hash), *kind)));
        let missing = of_one_kind.len().next_multiple_of(POSTINGS_A_STEP) - of_one_kind.len();
        all.extend(of_one_kind.iter().cycle().take(missing).map(|(_, kind)| (None, *kind)));
    }
    all
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
