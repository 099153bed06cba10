//! Send what is due, as fast as the account allows: the only step that lets mail out.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{House, stop::Stopped};
use crate::{
    config::SmtpConfig,
    domain::letters::LetterKind,
    edge::{
        fault::{Fault, FaultKind},
        smtp::{Outgoing, Outlet},
        store::DueLetter,
    },
};

/// Tries until a letter is given up for good.
const ATTEMPTS_MAX: u32 = 12;

/// What one round of sending did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    pub sent: usize,
    pub later: usize,
    pub failed: usize,
    /// A cap of the account is used up; the rest stays queued.
    pub capped: bool,
    /// The server refused the login; the rest stays queued.
    pub refused_login: bool,
}

/// Whether one more letter may leave without breaking the account's caps. Counted in the store, so that a restart changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leave {
    Now,
    /// The gap since the last letter is not over.
    After(Duration),
    /// A cap is used up.
    Capped,
}

async fn leave(house: &House) -> anyhow::Result<Leave> {
    let pace = house.config.smtp.pace;
    let now = house.now();
    let midnight = now.to_zoned_datetime(house.zone.clone()).start_of_day()?.timestamp();
    let quarter_ago = now.checked_sub(SignedDuration::from_mins(15))?;
    for (cap, since) in [(pace.per_day, midnight), (pace.per_15_min, quarter_ago)] {
        if cap > 0 && house.store.letters_started_since(since).await? >= u64::from(cap) {
            return Ok(Leave::Capped);
        }
    }
    let Some(last) = house.store.last_letter_started().await?.filter(|_| pace.gap_secs > 0) else { return Ok(Leave::Now) };
    let passed = Duration::try_from(now.duration_since(last)).unwrap_or_default();
    let left = Duration::from_secs(pace.gap_secs).saturating_sub(passed);
    Ok(if left.is_zero() { Leave::Now } else { Leave::After(left) })
}

/// Sends every due letter that pacing allows, the most urgent first; the rest stays queued. A letter in hand is finished even when
/// stopping is asked for: broken off, its fate would be unknown.
///
/// # Errors
/// When the store cannot be reached. Mail faults are recorded with the letter instead.
pub async fn send_due(house: &House, outlet: &mut Outlet, stopped: &Stopped) -> anyhow::Result<Sent> {
    let mut result = Sent::default();
    let mut on_connection = 0_u32;
    let per_connection = house.config.smtp.pace.per_connection;
    // One at a time: what is more urgent may have been written since.
    while let Some(letter) = house.store.due_letters(house.now(), 1).await?.pop().filter(|_| !stopped.is_asked()) {
        match leave(house).await? {
            Leave::Now => {}
            Leave::After(wait) => {
                tokio::select! {
                    () = stopped.asked() => {}
                    () = tokio::time::sleep(wait) => {}
                }
                continue;
            }
            Leave::Capped => {
                tracing::info!("The sending caps of the account are used up; the other letters wait.");
                result.capped = true;
                break;
            }
        }
        if per_connection > 0 && on_connection >= per_connection {
            outlet.close().await;
            on_connection = 0;
        }
        on_connection += 1;
        if !send_one(house, outlet, &letter, &mut result).await? {
            result.refused_login = true;
            break;
        }
    }
    outlet.close().await;
    Ok(result)
}

/// Sends one letter; `false` ends the round (the account was refused).
async fn send_one(house: &House, outlet: &mut Outlet, letter: &DueLetter, result: &mut Sent) -> anyhow::Result<bool> {
    let now = house.now();
    if !house.store.claim_letter(letter.id, now).await? {
        return Ok(true);
    }
    match outlet.send(&outgoing(&house.config.smtp, letter, now)).await {
        Ok(reply) => {
            house.store.letter_sent(letter.id, &reply, house.now()).await?;
            tracing::info!(letter = letter.id, kind = ?letter.kind, to = masked(&letter.to), reply, "A letter was sent.");
            result.sent += 1;
            Ok(true)
        }
        Err(fault) => failed(house, letter, &fault, result).await,
    }
}

async fn failed(house: &House, letter: &DueLetter, fault: &Fault, result: &mut Sent) -> anyhow::Result<bool> {
    let retry_at = retry_at(house.now(), letter.attempts);
    let (id, to, attempts) = (letter.id, masked(&letter.to), letter.attempts + 1);
    match fault.kind {
        FaultKind::Never => {
            house.store.letter_failed(id, &fault.what).await?;
            result.failed += 1;
            tracing::error!(letter = id, to, reply = fault.what, "A letter was refused for good; the digest lists it.");
        }
        FaultKind::Unknown => {
            house.store.letter_unknown(id, &fault.what).await?;
            tracing::error!(
                letter = id,
                to,
                reply = fault.what,
                "The server's answer to a letter was lost; it may or may not have arrived."
            );
        }
        FaultKind::Login | FaultKind::UnsafeLogin => {
            house.store.letter_later(id, &fault.what, retry_at).await?;
            result.later += 1;
            tracing::error!(letter = id, reply = fault.what, "The SMTP login was refused; letters wait. Check the authorisation code.");
            return Ok(false);
        }
        FaultKind::Later if attempts >= ATTEMPTS_MAX => {
            house.store.letter_failed(id, &fault.what).await?;
            result.failed += 1;
            tracing::error!(letter = id, to, attempts, reply = fault.what, "A letter was given up after many tries; the digest lists it.");
        }
        FaultKind::Later => {
            house.store.letter_later(id, &fault.what, retry_at).await?;
            result.later += 1;
            tracing::warn!(letter = id, to, attempts, reply = fault.what, "A letter could not be sent now; it will be tried again.");
        }
    }
    Ok(true)
}

/// Doubling from one minute to four hours, with a quarter of jitter.
fn retry_at(now: Timestamp, attempts: u32) -> Timestamp {
    let wait_secs = 60_i64.saturating_mul(1_i64.checked_shl(attempts.min(10)).unwrap_or(i64::MAX)).min(4 * 3600);
    let jitter_secs = fastrand::i64(0..=wait_secs / 4);
    now.checked_add(SignedDuration::from_secs(wait_secs + jitter_secs)).unwrap_or(now)
}

fn outgoing(smtp: &SmtpConfig, letter: &DueLetter, now: Timestamp) -> Outgoing {
    let automatic = if letter.kind == LetterKind::Ack { "auto-replied" } else { "auto-generated" };
    Outgoing {
        message_id: letter.message_id.clone(),
        from: smtp.from.clone(),
        to: letter.to.clone(),
        subject: letter.subject.clone(),
        in_reply_to: letter.in_reply_to.clone(),
        references: letter.references.clone(),
        date: now,
        text: letter.text.clone(),
        enclosures: letter.enclosures.clone(),
        auto_submitted: automatic.to_owned(),
    }
}

/// `g***@example.cn`: enough to recognise an address in a log.
#[must_use]
pub fn masked(address: &str) -> String {
    match address.split_once('@') {
        Some((local, domain)) => format!("{}***@{domain}", local.chars().next().map(String::from).unwrap_or_default()),
        None => "***".to_owned(),
    }
}
