//! Send what is due, as fast as each account allows: the only step that lets mail out.

use jiff::{SignedDuration, Timestamp, ToSpan as _};

use tracing::Instrument as _;

use super::{House, accept::short, stop::Stopped};
use crate::{
    config::SmtpConfig,
    domain::letters::{
        LetterKind,
        reply::{PROBE_SECS, QUARTER_SECS, Reaction},
    },
    edge::{
        crash::crash_at,
        mailbox::backoff::LoginBreaker,
        smtp::{Outgoing, Outlet, Refusal},
        store::{DueLetter, Halt, SendingState},
    },
};

mod pacing;
mod settle;

use pacing::{Leave, address_free_at, leave};
pub use settle::settle;

/// Tries that fail for a letter's own sake until it is given up for good.
const FAULTS_MAX: u32 = 12;
/// Kind of a halt that a refused login began.
const LOGIN: &str = "login";
/// How long the provider gets to file a letter before it is looked for.
const SETTLE: SignedDuration = SignedDuration::from_mins(3);

/// A sending account and its connection.
pub struct Account {
    /// `user@host`, under which the store counts.
    pub name: String,
    pub outlet: Outlet,
    pub config: SmtpConfig,
}

/// The ways out: receipts leave by the first; divisions and administrators are written to by the second, where there is one.
pub struct Outlets {
    pub receipts: Account,
    pub internal: Option<Account>,
}

/// What one round of sending did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    pub sent: usize,
    pub later: usize,
    pub failed: usize,
    /// A cap of an account is used up, or it is halted; the rest stays queued.
    pub capped: bool,
    /// A server refused the login; the rest stays queued.
    pub refused_login: bool,
}

impl Sent {
    fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.later += other.later;
        self.failed += other.failed;
        self.capped |= other.capped;
        self.refused_login |= other.refused_login;
    }
}

/// Which letters an account carries.
#[derive(Debug, Clone, Copy)]
struct Freight {
    answers: bool,
    internal: bool,
}

/// Sends every due letter that pacing allows, the most urgent first; the rest stays queued. A letter in hand is finished even when
/// stopping is asked for: broken off, its fate would be unknown. While one account is halted, the other carries internal letters.
///
/// # Errors
/// When the store cannot be reached. Mail faults are recorded with the letter instead.
pub async fn send_due(house: &House, outlets: &mut Outlets, stopped: &Stopped) -> anyhow::Result<Sent> {
    settle(house, stopped).await?;
    let mut result = Sent::default();
    let receipts_halted = is_halted(house, &outlets.receipts).await?;
    let mut internal_by_receipts = outlets.internal.is_none();
    if let Some(internal) = &mut outlets.internal {
        let halted = is_halted(house, internal).await?;
        internal_by_receipts = halted && !receipts_halted;
        result.add(send_by(house, internal, Freight { answers: false, internal: true }, stopped).await?);
    }
    let freight = Freight { answers: true, internal: internal_by_receipts };
    result.add(send_by(house, &mut outlets.receipts, freight, stopped).await?);
    Ok(result)
}

async fn is_halted(house: &House, account: &Account) -> anyhow::Result<bool> {
    Ok(rests(account, &house.store.sending_state(&account.name).await?, house.now()))
}

/// Whether nothing may leave by the account now. After a refused login a secret that was written since is tried at once.
fn rests(account: &Account, state: &SendingState, now: Timestamp) -> bool {
    let written = account.config.secret_written_at();
    let renewed = state.token == LOGIN && state.refused_at.zip(written).is_some_and(|(refused, written)| written > refused);
    state.halted_until.is_some_and(|until| until > now) && !renewed
}

async fn send_by(house: &House, account: &mut Account, freight: Freight, stopped: &Stopped) -> anyhow::Result<Sent> {
    let mut result = Sent::default();
    let mut on_connection = 0_u32;
    let mut reconnected = false;
    // One at a time: what is more urgent may have been written since.
    while let Some(letter) = house.store.due_letters(house.now(), freight.answers, freight.internal, 1).await?.pop() {
        if stopped.is_asked() {
            break;
        }
        if let Some(at) = address_free_at(house, &letter).await? {
            house.store.letter_waits(letter.id, at).await?;
            continue;
        }
        let state = house.store.sending_state(&account.name).await?;
        match leave(house, account, &state).await? {
            Leave::Now => {}
            Leave::After(wait) => {
                tokio::select! {
                    () = stopped.asked() => {}
                    () = house.clock.sleep(wait) => {}
                }
                continue;
            }
            Leave::Capped => {
                tracing::info!(account = masked(&account.name), "The sending caps of the account are used up; the other letters wait.");
                result.capped = true;
                break;
            }
            Leave::Halted => {
                result.capped = true;
                break;
            }
        }
        let per_connection = account.config.pace.per_connection;
        if per_connection > 0 && on_connection >= per_connection {
            account.outlet.close().await;
            on_connection = 0;
        }
        on_connection += 1;
        let span = tracing::error_span!("sending", letter = letter.id, mail = letter.cause.as_deref().map(short));
        match send_one(house, account, &letter, &state, &mut result).instrument(span).await? {
            Next::Letter => reconnected = false,
            Next::Connection if !reconnected => {
                account.outlet.close().await;
                (on_connection, reconnected) = (0, true);
            }
            Next::Connection => {
                halt(house, account, &Refusal { reaction: Reaction::Slower, what: "each connection is refused".to_owned() }).await?;
                break;
            }
            Next::End => break,
        }
    }
    account.outlet.close().await;
    Ok(result)
}

/// How a round goes on.
enum Next {
    Letter,
    Connection,
    End,
}

async fn send_one(
    house: &House,
    account: &mut Account,
    letter: &DueLetter,
    state: &SendingState,
    result: &mut Sent,
) -> anyhow::Result<Next> {
    let now = house.now();
    if !house.store.claim_letter(letter.id, &account.name, now).await? {
        return Ok(Next::Letter);
    }
    crash_at("send.after_claim");
    match account.outlet.send(&outgoing(&account.config, letter, now)).await {
        Ok(reply) => {
            crash_at("send.after_answer");
            house.store.letter_sent(letter.id, &reply, house.now()).await?;
            if state.halted_at.is_some() {
                house.store.resume_sending(&account.name).await?;
                tracing::info!(account = masked(&account.name), "Sending works again.");
            }
            tracing::info!(kind = ?letter.kind, to = masked(&letter.to), reply, "A letter was sent.");
            result.sent += 1;
            Ok(Next::Letter)
        }
        Err(refusal) => refused(house, account, letter, &refusal, result).await,
    }
}

/// What follows from a refusal, for the letter and for the account.
async fn refused(house: &House, account: &Account, letter: &DueLetter, refusal: &Refusal, result: &mut Sent) -> anyhow::Result<Next> {
    let (id, to, what, now) = (letter.id, masked(&letter.to), refusal.what.as_str(), house.now());
    let again = |secs: i64| now.checked_add(SignedDuration::from_secs(secs));
    match refusal.reaction {
        Reaction::Later if letter.faults + 1 >= FAULTS_MAX => {
            house.store.letter_failed(id, what).await?;
            result.failed += 1;
            tracing::error!(to, reply = what, "A letter was given up after many tries; the digest lists it.");
        }
        Reaction::Later => {
            house.store.letter_later(id, what, retry_at(now, letter.faults), true).await?;
            result.later += 1;
            tracing::warn!(to, reply = what, "A letter could not be sent now; it will be tried again.");
        }
        Reaction::OnceMore if letter.last_reply.as_deref().is_some_and(|last| last.contains("DT:SPM")) => hold(house, letter, what).await?,
        Reaction::OnceMore => {
            house.store.letter_later(id, what, again(120)?, true).await?;
            result.later += 1;
            tracing::warn!(to, reply = what, "The server wants a letter again in two minutes.");
        }
        Reaction::Hold => hold(house, letter, what).await?,
        Reaction::Refused { address } => {
            house.store.letter_failed(id, what).await?;
            if address {
                house.store.mark_undeliverable(&letter.to, what, id, now).await?;
            }
            result.failed += 1;
            tracing::error!(to, reply = what, "A letter was refused for good; the digest lists it.");
        }
        Reaction::Unknown => {
            house.store.letter_unknown(id, what, now.checked_add(SETTLE)?).await?;
            tracing::warn!(to, reply = what, "The answer to a letter was lost; it is looked for in the Sent folder.");
        }
        Reaction::Reconnect => {
            house.store.letter_later(id, what, now, false).await?;
            return Ok(Next::Connection);
        }
        Reaction::Rest { .. } | Reaction::Slower | Reaction::NextDay | Reaction::Halt | Reaction::Login => {
            house.store.letter_later(id, what, now, false).await?;
            result.later += 1;
            result.refused_login |= refusal.reaction == Reaction::Login;
            result.capped |= refusal.reaction != Reaction::Login;
            halt(house, account, refusal).await?;
            return Ok(Next::End);
        }
    }
    Ok(Next::Letter)
}

async fn hold(house: &House, letter: &DueLetter, what: &str) -> anyhow::Result<()> {
    house.store.letter_held(letter.id, "content", Some(what)).await?;
    tracing::error!(reply = what, "A letter was taken for spam and is held; see `annexd letters list`.");
    Ok(())
}

/// Remembers that nothing leaves by an account for a while; a restart changes nothing.
async fn halt(house: &House, account: &Account, refusal: &Refusal) -> anyhow::Result<()> {
    let now = house.now();
    let in_secs = |secs: i64| now.checked_add(SignedDuration::from_secs(secs + fastrand::i64(0..=secs / 10)));
    let (until, loud) = match refusal.reaction {
        Reaction::Rest { secs, loud } => (in_secs(secs)?, loud),
        Reaction::Slower => (in_secs(QUARTER_SECS)?, false),
        Reaction::NextDay => (next_day(house, now)?, false),
        Reaction::Login => {
            let refusals = house.store.sending_state(&account.name).await?.refusals;
            (now.checked_add(LoginBreaker::after(refusals).refused(fastrand::f64()))?, true)
        }
        _ => (in_secs(PROBE_SECS)?, true),
    };
    let token = match refusal.reaction {
        Reaction::NextDay => "day_quota",
        Reaction::Slower => "short_quota",
        Reaction::Login => LOGIN,
        Reaction::Rest { .. } => "rest",
        _ => "halt",
    };
    let halt = Halt {
        until,
        reason: &refusal.what,
        token,
        loud,
        slower: refusal.reaction == Reaction::Slower,
        refused_login: refusal.reaction == Reaction::Login,
    };
    house.store.halt_sending(&account.name, &halt, now).await?;
    if loud {
        tracing::error!(account = masked(&account.name), %until, reply = refusal.what, "Sending is halted; letters wait.");
    } else {
        tracing::warn!(account = masked(&account.name), %until, reply = refusal.what, "Sending rests; letters wait.");
    }
    Ok(())
}

/// The next midnight of the configured zone, with up to half an hour of jitter.
fn next_day(house: &House, now: Timestamp) -> anyhow::Result<Timestamp> {
    let midnight = now.to_zoned_datetime(house.zone.clone()).start_of_day()?.checked_add(1.day())?.timestamp();
    Ok(midnight.checked_add(SignedDuration::from_secs(60 + fastrand::i64(0..=1740)))?)
}

/// Doubling from one minute to four hours, with a quarter of jitter.
fn retry_at(now: Timestamp, faults: u32) -> Timestamp {
    let wait_secs = 60_i64.saturating_mul(1_i64.checked_shl(faults.min(10)).unwrap_or(i64::MAX)).min(4 * 3600);
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
        html: letter.html.clone().filter(|_| smtp.html),
        enclosures: letter.enclosures.iter().filter(|file| smtp.html || file.content_id.is_none()).cloned().collect(),
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

#[cfg(test)]
mod tests;
