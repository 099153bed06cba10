//! Who may still be written to: caps on automatic answers, loops, and addresses that letters came back from.

use jiff::{SignedDuration, Timestamp};

use super::super::{Store, StoreError, Writing, millis, timestamp, word};
use crate::domain::letters::{
    self, Letter,
    caps::{AnswerCaps, Earlier, is_public, leave_at},
};

/// How long an address that a letter came back from gets no automatic answers.
const UNDELIVERABLE_DAYS: i64 = 7;

/// Queues a letter inside a transaction; `false` where its key was used before.
pub async fn insert(
    transaction: &mut Writing,
    letter: &Letter,
    cause_id: Option<i64>,
    mail_domain: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (due_at, held) = match &letter.caps {
        Some(caps) => admit(transaction, letter, caps, now).await?,
        None => (letter.due_at, None),
    };
    let row: Option<(i64,)> = sqlx::query_as(
        "INSERT INTO letter (key, kind, recipient, subject, body, message_id, in_reply_to, refs, cause_id, state, created_at, due_at,
                             urgency, html, alternates, domain, held_because)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT (key) DO NOTHING RETURNING id",
    )
    .bind(&letter.key)
    .bind(word(letter.kind))
    .bind(&letter.to)
    .bind(&letter.subject)
    .bind(&letter.text)
    .bind(letters::message_id(&letter.key, mail_domain))
    .bind(&letter.in_reply_to)
    .bind(serde_json::to_string(&letter.references)?)
    .bind(cause_id)
    .bind(if held.is_some() { "held" } else { "queued" })
    .bind(millis(now))
    .bind(millis(due_at))
    .bind(letter.urgency as i64)
    .bind(&letter.html)
    .bind(i64::from(letter.alternates))
    .bind(domain_of(&letter.to))
    .bind(held)
    .fetch_optional(&mut **transaction)
    .await?;
    let Some((id,)) = row else { return Ok(false) };
    for (ordinal, enclosure) in (0_i64..).zip(&letter.enclosures) {
        sqlx::query("INSERT INTO enclosure (letter_id, ordinal, name, media_type, bytes, content_id) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(id)
            .bind(ordinal)
            .bind(&enclosure.name)
            .bind(&enclosure.media_type)
            .bind(&enclosure.bytes)
            .bind(&enclosure.content_id)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(true)
}

fn domain_of(address: &str) -> String {
    address.rsplit('@').next().unwrap_or_default().to_ascii_lowercase()
}

/// Whether and when an automatic answer may leave, in view of all earlier ones. Counted here, in the transaction that queues it,
/// so that a flood of mails neither outruns the count nor fills the queue.
async fn admit(
    transaction: &mut Writing,
    letter: &Letter,
    caps: &AnswerCaps,
    now: Timestamp,
) -> Result<(Timestamp, Option<&'static str>), StoreError> {
    let day_ago = now.saturating_sub(SignedDuration::from_hours(24)).unwrap_or(now);
    let week_ago = now.saturating_sub(SignedDuration::from_hours(24 * UNDELIVERABLE_DAYS)).unwrap_or(now);
    let domain = domain_of(&letter.to);
    let (marked, alternations, address_hour, address_day, domain_hour, domain_day, all_day): Counted = sqlx::query_as(COUNTED)
        .bind(letter.to.to_lowercase())
        .bind(millis(week_ago))
        .bind(&letter.to)
        .bind(millis(day_ago))
        .bind(&domain)
        .bind(letter.urgency as i64)
        .bind(answers_back(caps.per_address_hour))
        .bind(answers_back(caps.per_address_day))
        .bind(answers_back(caps.per_domain_hour))
        .bind(answers_back(caps.per_domain_day))
        .bind(answers_back(caps.total_day))
        .fetch_one(&mut **transaction)
        .await?;
    if marked > 0 {
        return Ok((letter.due_at, Some("undeliverable")));
    }
    if letter.alternates && caps.alternations_day > 0 && alternations >= i64::from(caps.alternations_day) {
        return Ok((letter.due_at, Some("loop")));
    }
    let (hour, day) = (SignedDuration::from_hours(1), SignedDuration::from_hours(24));
    let per_domain = if is_public(&domain) { (0, 0) } else { (caps.per_domain_hour, caps.per_domain_day) };
    let earlier: Vec<Earlier> = [
        (caps.per_address_hour, address_hour, hour),
        (caps.per_address_day, address_day, day),
        (per_domain.0, domain_hour, hour),
        (per_domain.1, domain_day, day),
        (caps.total_day, all_day, day),
    ]
    .into_iter()
    .filter(|(cap, ..)| *cap > 0)
    .map(|(_, nth_last, window)| Earlier { nth_last: nth_last.map(timestamp), window })
    .collect();
    Ok(match leave_at(now, &earlier) {
        Some(at) => (at.max(letter.due_at), None),
        None => (letter.due_at, Some("address_cap")),
    })
}

/// How many answers back lies the one that a cap looks at; any, where there is no cap.
fn answers_back(cap: u32) -> i64 {
    i64::from(cap.saturating_sub(1))
}

/// Marks of an address and its alternations with us; then when the answers leave that lie so many answers back.
type Counted = (i64, i64, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>);

/// One question for all of it. Of all addresses only letters count that are as urgent: forged strangers, who get a courtesy each, must
/// not use up what the bureaus' receipts need.
const COUNTED: &str = "SELECT
    (SELECT count(*) FROM undeliverable WHERE address = $1 AND marked_at > $2),
    (SELECT count(*) FROM letter WHERE recipient = $3 AND kind = 'ack' AND alternates = 1 AND state <> 'held' AND created_at > $4),
    (SELECT due_at FROM letter WHERE kind = 'ack' AND recipient = $3 AND state <> 'held' ORDER BY due_at DESC LIMIT 1 OFFSET $7),
    (SELECT due_at FROM letter WHERE kind = 'ack' AND recipient = $3 AND state <> 'held' ORDER BY due_at DESC LIMIT 1 OFFSET $8),
    (SELECT due_at FROM letter WHERE kind = 'ack' AND domain = $5 AND state <> 'held' ORDER BY due_at DESC LIMIT 1 OFFSET $9),
    (SELECT due_at FROM letter WHERE kind = 'ack' AND domain = $5 AND state <> 'held' ORDER BY due_at DESC LIMIT 1 OFFSET $10),
    (SELECT due_at FROM letter WHERE kind = 'ack' AND urgency <= $6 AND state <> 'held' ORDER BY due_at DESC LIMIT 1 OFFSET $11)";

impl Store {
    /// The server refused an address.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn mark_undeliverable(&self, address: &str, why: &str, letter: i64, at: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        mark_undeliverable(&mut transaction, address, why, Some(letter), at).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A letter to it left or a person knows better.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn unmark_undeliverable(&self, address: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM undeliverable WHERE address = $1").bind(address.to_lowercase()).execute(&self.writer).await?;
        Ok(())
    }
}

/// A delivery report about one of our letters: it failed, and its address is marked where the failure is permanent. A Message-ID
/// that is not ours and a report heard before change nothing.
pub async fn bounced(transaction: &mut Writing, message_id: &str, why: &str, permanent: bool, at: Timestamp) -> Result<(), StoreError> {
    let row: Option<(i64, String)> = sqlx::query_as(
        "UPDATE letter SET state = CASE WHEN $4 THEN 'failed' ELSE state END, bounced_at = CASE WHEN $4 THEN $2 END, last_reply = $3
         WHERE message_id = $1 AND bounced_at IS NULL AND state IN ('sent', 'unknown') RETURNING id, recipient",
    )
    .bind(message_id)
    .bind(millis(at))
    .bind(why)
    .bind(permanent)
    .fetch_optional(&mut **transaction)
    .await?;
    match row {
        Some((id, recipient)) if permanent => mark_undeliverable(transaction, &recipient, why, Some(id), at).await,
        _ => Ok(()),
    }
}

async fn mark_undeliverable(
    transaction: &mut Writing,
    address: &str,
    why: &str,
    letter: Option<i64>,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO undeliverable (address, why, letter_id, marked_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (address) DO UPDATE SET why = $2, letter_id = $3, marked_at = $4",
    )
    .bind(address.to_lowercase())
    .bind(why)
    .bind(letter)
    .bind(millis(at))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
