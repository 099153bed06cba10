//! Whether a letter may leave now: the account's caps, the rest a server asked for, and an address's share.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Account, rests};
use crate::{
    config::Pace,
    domain::letters::{LetterKind, reply::QUARTER_SECS},
    edge::store::{DueLetter, SendingState},
    pipeline::House,
};

/// Rate and gap that halving begins with where none is configured.
const UNCAPPED_PER_15_MIN: u32 = 20;
const UNCAPPED_GAP_SECS: u64 = 10;

/// Whether one more letter may leave without breaking the account's caps. Counted in the store, so that a restart changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    Now,
    /// The gap since the last letter is not over.
    After(Duration),
    /// A cap is used up.
    Capped,
    /// The server forbade it for a while.
    Halted,
}

/// Looks at every cap of the account.
///
/// # Errors
/// When the store cannot be read.
pub async fn leave(house: &House, account: &Account, state: &SendingState) -> anyhow::Result<Leave> {
    let now = house.now();
    if rests(account, state, now) {
        return Ok(Leave::Halted);
    }
    if state.halvings > 0 && state.halved_at.is_some_and(|at| now.duration_since(at) > SignedDuration::from_hours(24)) {
        house.store.relax_rate(&account.name, now).await?;
    }
    let pace = slowed(account.config.pace, state.halvings);
    let midnight = now.to_zoned_datetime(house.zone.clone()).start_of_day()?.timestamp();
    let quarter_ago = now.checked_sub(SignedDuration::from_secs(QUARTER_SECS))?;
    // What seems to lie in the future left before the clock was set back: it must not stop everything until that time comes again.
    let until = now.checked_add(SignedDuration::from_secs(QUARTER_SECS))?;
    for (cap, since) in [(pace.per_day, midnight), (pace.per_15_min, quarter_ago)] {
        if cap > 0 && house.store.handed_over_between(&account.name, since, until).await? >= u64::from(cap) {
            return Ok(Leave::Capped);
        }
    }
    let Some(last) = house.store.last_handover(&account.name, until).await?.filter(|_| pace.gap_secs > 0) else { return Ok(Leave::Now) };
    let passed = Duration::try_from(now.duration_since(last)).unwrap_or_default();
    let left = Duration::from_secs(pace.gap_secs).saturating_sub(passed);
    Ok(if left.is_zero() { Leave::Now } else { Leave::After(left) })
}

/// The configured pace, halved as often as the server asked for it.
fn slowed(pace: Pace, halvings: u32) -> Pace {
    if halvings == 0 {
        return pace;
    }
    let per_15_min = if pace.per_15_min == 0 { UNCAPPED_PER_15_MIN } else { pace.per_15_min };
    let gap_secs = if pace.gap_secs == 0 { UNCAPPED_GAP_SECS } else { pace.gap_secs };
    let halvings = halvings.min(5);
    Pace { per_15_min: (per_15_min >> halvings).max(1), gap_secs: (gap_secs << halvings).min(600), ..pace }
}

/// When an answer may leave whose address has had its share of the hour or day; `None`: now. The outbox plans for it; this holds
/// after a pause in which planned letters piled up.
///
/// # Errors
/// When the store cannot be read.
pub async fn address_free_at(house: &House, letter: &DueLetter) -> anyhow::Result<Option<Timestamp>> {
    let caps = house.config.answers;
    if letter.kind != LetterKind::Ack {
        return Ok(None);
    }
    let now = house.now();
    let mut free = now;
    for (cap, hours) in [(caps.per_address_hour, 1), (caps.per_address_day, 24)] {
        if cap > 0
            && let Some(at) = house.store.nth_last_answer(&letter.to, cap).await?
        {
            free = free.max(at.min(now).checked_add(SignedDuration::from_hours(hours))?);
        }
    }
    Ok((free > now).then_some(free))
}
