//! The rows of a verdict: message, attachments, topics, revisions and routes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use super::{
    Engine, Store, StoreError, Writing, millis, rows,
    signatures::{self, Signed},
    word,
};
use crate::domain::{
    letters::queue::is_urgent,
    receipt_number,
    submitters::Decision,
    uscc,
    verdict::{Attachment, Change, Outcome, Topic, Verdict},
};

impl Store {
    /// Receipt numbers of years that have none yet begin after this one.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn number_receipts_after(&self, number: i64) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO counter (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
            .bind(NUMBERS_AFTER)
            .bind(number)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

/// `false` where the message is no longer waiting.
pub(super) async fn record_message(connection: &mut Writing, id: i64, verdict: &Verdict, now: Timestamp) -> Result<bool, StoreError> {
    let state = match verdict.outcome {
        Outcome::Recorded => "recorded",
        Outcome::Ignored => "ignored",
        Outcome::Duplicate => "duplicate",
    };
    let changed = sqlx::query(
        "UPDATE message SET state = $2, recorded_at = $3, content_sha256 = $4, message_id = $5, sender = $6, subject = $7, sent_at = $8,
         kind = $9, answer_reason = $10, bureau_id = $11, bureau_name = $12, letter_file = $13, letter_number = $14, authentication = $15, problem = NULL, retry_at = NULL,
         attempts = attempts + 1
         WHERE id = $1 AND state = 'accepted'",
    )
    .bind(id)
    .bind(state)
    .bind(millis(now))
    .bind(&verdict.content_sha256)
    .bind(&verdict.message_id)
    .bind(verdict.from.as_ref().map(|from| from.address.as_str()))
    .bind(&verdict.subject)
    .bind(verdict.date.map(millis))
    .bind(word(verdict.kind))
    .bind(&verdict.answer_reason)
    .bind(verdict.bureau.as_ref().map(|bureau| bureau.id.as_str()))
    .bind(verdict.bureau.as_ref().map(|bureau| bureau.name.as_str()))
    .bind(verdict.formal_letter.as_ref().map(|letter| letter.attachment.as_str()))
    .bind(verdict.formal_letter.as_ref().and_then(|letter| letter.number.as_deref()))
    .bind(word(verdict.authentication.state))
    .execute(&mut **connection)
    .await?
    .rows_affected();
    Ok(changed == 1)
}

pub(super) async fn record_attachments(connection: &mut Writing, message_id: i64, verdict: &Verdict) -> Result<(), StoreError> {
    let attachments: Vec<(i64, &Attachment)> = (0..).zip(&verdict.attachments).collect();
    for part in rows::in_steps(&attachments, 9) {
        let into = "INSERT INTO attachment (message_id, ordinal, path, sha256, bytes, type, role, status, problem)";
        let mut query = sqlx::query(AssertSqlSafe(rows::insert(into, 9, part.len(), "")));
        for (ordinal, attachment) in part {
            query = query
                .bind(message_id)
                .bind(ordinal)
                .bind(&attachment.path)
                .bind(&attachment.sha256)
                .bind(i64::try_from(attachment.bytes).unwrap_or(i64::MAX))
                .bind(word(attachment.file_type))
                .bind(word(attachment.role))
                .bind(word(attachment.status))
                .bind(&attachment.problem);
        }
        query.execute(&mut **connection).await?;
    }
    for (ordinal, finding) in (0_i64..).zip(&verdict.findings) {
        sqlx::query("INSERT INTO mail_finding (message_id, ordinal, finding) VALUES ($1, $2, $3)")
            .bind(message_id)
            .bind(ordinal)
            .bind(serde_json::to_string(finding)?)
            .execute(&mut **connection)
            .await?;
    }
    Ok(())
}

/// A topic as it stands in the database now.
struct Stored<'a> {
    serial: i64,
    number: String,
    /// What this mail brought, unless it brought nothing new.
    revision: Option<i64>,
    topic: &'a Topic,
}

impl Stored<'_> {
    fn signed(&self) -> Signed<'_> {
        Signed { serial: self.serial, number: &self.number, signature: &self.topic.signature }
    }
}

/// Records topics; returns their receipt numbers in their order.
pub(super) async fn record_topics(
    engine: Engine,
    connection: &mut Writing,
    message_id: i64,
    topics: &[&Topic],
    verdict: &Verdict,
    now: Timestamp,
    year: i16,
) -> Result<Vec<String>, StoreError> {
    let new: Vec<&Topic> = topics.iter().filter(|topic| topic.change == Change::New).copied().collect();
    let mut first = insert_topics(connection, message_id, &new, verdict, year).await?.into_iter();
    let mut stored: Vec<Stored<'_>> = Vec::with_capacity(topics.len());
    for &topic in topics {
        let (serial, number, revision) = match &topic.change {
            Change::New => {
                let (number, serial) = first.next().ok_or(sqlx::Error::RowNotFound)?;
                (serial, number, Some(1))
            }
            Change::Revision { id, .. } => {
                let (serial, revision) = revise_topic(connection, id, topic, verdict, now).await?;
                (serial, id.clone(), Some(revision))
            }
            Change::Same { id } => {
                let (serial,): (i64,) =
                    sqlx::query_as("SELECT serial FROM topic WHERE id = $1").bind(id).fetch_one(&mut **connection).await?;
                (serial, id.clone(), None)
            }
        };
        stored.push(Stored { serial, number, revision, topic });
    }
    insert_mentions(connection, message_id, &stored).await?;
    let changed = stored.iter().filter_map(|stored| Some((stored.serial, stored.revision?, stored.topic))).collect::<Vec<_>>();
    insert_revisions(connection, message_id, &changed, now).await?;
    let unsigned: Vec<Signed<'_>> = stored.iter().filter(|stored| stored.topic.change == Change::New).map(Stored::signed).collect();
    signatures::add(engine, connection, &unsigned).await?;
    for revised in stored.iter().filter(|stored| matches!(stored.topic.change, Change::Revision { .. })) {
        signatures::replace(engine, connection, &revised.signed()).await?;
    }
    Ok(stored.into_iter().map(|stored| stored.number).collect())
}

async fn insert_mentions(connection: &mut Writing, message_id: i64, stored: &[Stored<'_>]) -> Result<(), StoreError> {
    for part in rows::in_steps(stored, 3) {
        let into = "INSERT INTO topic_message (topic_serial, message_id, change)";
        let sql = rows::insert(into, 3, part.len(), "ON CONFLICT DO NOTHING");
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for stored in part {
            let change = match stored.topic.change {
                Change::New => "new",
                Change::Revision { .. } => "revision",
                Change::Same { .. } => "same",
            };
            query = query.bind(stored.serial).bind(message_id).bind(change);
        }
        query.execute(&mut **connection).await?;
    }
    Ok(())
}

/// Counter that says after which number this database's receipts begin: programmes of one installation never give out the same.
const NUMBERS_AFTER: &str = "receipts_after";

/// The first of so many new running numbers.
async fn next_numbers(connection: &mut Writing, year: i16, count: i64) -> Result<i64, StoreError> {
    let (last,): (i64,) = sqlx::query_as(
        "INSERT INTO counter (name, value) VALUES ($1, $3 + coalesce((SELECT value FROM counter WHERE name = $2), 0))
         ON CONFLICT (name) DO UPDATE SET value = counter.value + $3 RETURNING value",
    )
    .bind(format!("receipt:{year}"))
    .bind(NUMBERS_AFTER)
    .bind(count)
    .fetch_one(&mut **connection)
    .await?;
    Ok(last - count + 1)
}

/// Records new topics with their routes; returns receipt number and `topic.serial` of each, in their order.
async fn insert_topics(
    connection: &mut Writing,
    message_id: i64,
    topics: &[&Topic],
    verdict: &Verdict,
    year: i16,
) -> Result<Vec<(String, i64)>, StoreError> {
    if topics.is_empty() {
        return Ok(Vec::new());
    }
    let (received_at, recorded_at): (i64, i64) = sqlx::query_as(
        "SELECT coalesce(s.arrived_at, s.seen_at), m.recorded_at FROM message m JOIN sighting s ON s.message_id = m.id AND s.first = 1 WHERE m.id = $1",
    )
    .bind(message_id)
    .fetch_one(&mut **connection)
    .await?;
    let first = next_numbers(connection, year, i64::try_from(topics.len()).unwrap_or(i64::MAX)).await?;
    let numbered: Vec<(String, &Topic)> =
        (first..).zip(topics).map(|(number, topic)| (receipt_number::format(year, number), *topic)).collect();
    let mut serials: BTreeMap<String, i64> = BTreeMap::new();
    for part in rows::in_steps(&numbered, 14) {
        let into = "INSERT INTO topic (id, applicant_key, title_key, code_key, sender, bureau_id, bureau_name, revision, fingerprint, status, held,
                    division, urgent, received_at)";
        let sql = rows::insert(into, 14, part.len(), "RETURNING id, serial");
        let mut query = sqlx::query_as::<_, (String, i64)>(AssertSqlSafe(sql));
        for (number, topic) in part {
            query = query
                .bind(number)
                .bind(&topic.key.applicant)
                .bind(&topic.key.title)
                .bind(uscc::normalise(topic.text("uscc")))
                .bind(verdict.from.as_ref().map_or("", |from| from.address.as_str()))
                .bind(verdict.bureau.as_ref().map(|bureau| bureau.id.as_str()))
                .bind(verdict.bureau.as_ref().map(|bureau| bureau.name.as_str()))
                .bind(1_i64)
                .bind(&topic.fingerprint)
                .bind(word(topic.status))
                .bind(i64::from(topic.held))
                .bind(&topic.route.division)
                .bind(i64::from(is_urgent(&verdict.subject, topic.text("note"))))
                .bind(received_at);
        }
        serials.extend(query.fetch_all(&mut **connection).await?);
    }
    let serial_of = |number: &String| serials.get(number).copied().ok_or(sqlx::Error::RowNotFound);
    let routes = numbered.iter().map(|(number, topic)| Ok((serial_of(number)?, *topic))).collect::<Result<Vec<_>, sqlx::Error>>()?;
    insert_routes(connection, &routes, recorded_at).await?;
    Ok(numbered.into_iter().zip(routes).map(|((number, _), (serial, _))| (number, serial)).collect())
}

/// A revision keeps its number and, once a person has decided it, its division. A bureau of the notice that submits a held topic
/// takes it over.
async fn revise_topic(
    connection: &mut Writing,
    id: &str,
    topic: &Topic,
    verdict: &Verdict,
    now: Timestamp,
) -> Result<(i64, i64), StoreError> {
    let bureau = verdict.bureau.as_ref().filter(|bureau| bureau.decision == Decision::Accept);
    let (serial, revision, decided): (i64, i64, i64) = sqlx::query_as(
        "UPDATE topic SET revision = revision + 1, applicant_key = $2, title_key = $3, code_key = $4, fingerprint = $5, status = $6, sender = $7,
                bureau_id = coalesce($8, bureau_id), bureau_name = coalesce($9, bureau_name), held = CASE WHEN $8 IS NULL THEN held ELSE 0 END
         WHERE id = $1
         RETURNING serial, revision, CASE WHEN review <> 'open'
             OR EXISTS (SELECT 1 FROM route WHERE topic_serial = topic.serial AND routed_by = 'person') THEN 1 ELSE 0 END",
    )
    .bind(id)
    .bind(&topic.key.applicant)
    .bind(&topic.key.title)
    .bind(uscc::normalise(topic.text("uscc")))
    .bind(&topic.fingerprint)
    .bind(word(topic.status))
    .bind(verdict.from.as_ref().map_or("", |from| from.address.as_str()))
    .bind(bureau.map(|bureau| bureau.id.as_str()))
    .bind(bureau.map(|bureau| bureau.name.as_str()))
    .fetch_one(&mut **connection)
    .await?;
    if decided == 0 {
        let moved = sqlx::query("UPDATE topic SET division = $2 WHERE serial = $1 AND division <> $2")
            .bind(serial)
            .bind(&topic.route.division)
            .execute(&mut **connection)
            .await?
            .rows_affected();
        if moved == 1 {
            insert_routes(connection, &[(serial, topic)], millis(now)).await?;
        }
    }
    Ok((serial, revision))
}

/// Routes of topics, decided at a time in milliseconds.
pub(super) async fn insert_routes(connection: &mut Writing, topics: &[(i64, &Topic)], decided_at: i64) -> Result<(), StoreError> {
    for part in rows::in_steps(topics, 10) {
        let into = "INSERT INTO route (topic_serial, division, confidence, candidates, evidence, routed_by, joint, rules_version, model_version, decided_at)";
        let mut query = sqlx::query(AssertSqlSafe(rows::insert(into, 10, part.len(), "")));
        for (serial, topic) in part {
            query = query
                .bind(serial)
                .bind(&topic.route.division)
                .bind(topic.route.confidence)
                .bind(serde_json::to_string(&topic.route.candidates)?)
                .bind(serde_json::to_string(&topic.route.evidence)?)
                .bind(word(topic.route.routed_by))
                .bind(&topic.route.joint)
                .bind(&topic.route.rules_version)
                .bind(&topic.route.model_version)
                .bind(decided_at);
        }
        query.execute(&mut **connection).await?;
    }
    Ok(())
}

/// Revisions, by `topic.serial` and number of the revision.
async fn insert_revisions(
    connection: &mut Writing,
    message_id: i64,
    topics: &[(i64, i64, &Topic)],
    now: Timestamp,
) -> Result<(), StoreError> {
    for part in rows::in_steps(topics, 13) {
        let into =
            "INSERT INTO revision (topic_serial, revision, message_id, fields, places, changed, closed, sources, findings, duplicates,
                    completeness, normalised, recorded_at)";
        let mut query = sqlx::query(AssertSqlSafe(rows::insert(into, 13, part.len(), "")));
        for (serial, revision, topic) in part {
            let changed: &[String] = if let Change::Revision { changed, .. } = &topic.change { changed } else { &[] };
            query = query
                .bind(serial)
                .bind(revision)
                .bind(message_id)
                .bind(serde_json::to_string(&topic.fields)?)
                .bind(places_of(topic)?)
                .bind(serde_json::to_string(changed)?)
                .bind(serde_json::to_string(&topic.closed)?)
                .bind(serde_json::to_string(&topic.sources)?)
                .bind(serde_json::to_string(&topic.findings)?)
                .bind(serde_json::to_string(&topic.duplicates)?)
                .bind(serde_json::to_string(&topic.completeness)?)
                .bind(serde_json::to_string(&topic.normalised)?)
                .bind(millis(now));
        }
        query.execute(&mut **connection).await?;
    }
    Ok(())
}

/// Places and flags of a topic's values; the texts stand in a column of their own.
pub(super) fn places_of(topic: &Topic) -> Result<String, StoreError> {
    let mut places = topic.draft.fields.clone();
    for placed in places.values_mut() {
        placed.value.text.clear();
    }
    Ok(serde_json::to_string(&places)?)
}
