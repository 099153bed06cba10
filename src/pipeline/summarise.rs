//! Summarise: queue letters to divisions on their schedule and the administrators' digest once a day, each at most once for
//! its (recipient, slot), and made up for after a downtime.

use std::collections::{BTreeMap, btree_map::Entry};

use anyhow::anyhow;
use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Time},
    tz::TimeZone,
};

use super::{House, alert};
use crate::{
    config::MailboxConfig,
    domain::{
        letters::{
            digest::{DigestDay, DigestFacts, Health, digest_letter, digest_text},
            faults::in_chinese,
        },
        time::chinese_minute,
    },
    edge::disk,
};

mod queue;

/// Digests made up for after a downtime.
const DIGESTS_MAX: usize = 7;

/// Makes every queue letter and digest that is due now; returns how many letters were queued.
///
/// # Errors
/// When the store cannot be reached or a template does not render.
pub async fn summarise(house: &House) -> anyhow::Result<usize> {
    let mut letters = 0;
    for division in &house.knowledge.divisions.entries {
        if !division.mail.is_empty() {
            letters += match queue::queue(house, division).await {
                Ok(queued) => queued,
                // The letter waits for its copies; receipts, and the alert that says so, do not.
                Err(error) if error.is::<std::io::Error>() => {
                    tracing::warn!(division = division.id, "A division's queue letter waits, because raw mail cannot be reached: {error}.");
                    0
                }
                Err(error) => return Err(error),
            };
        }
    }
    Ok(letters + digest(house).await?)
}

/// The latest scheduled moment that has passed, as a civil time in the zone.
fn latest_slot(times: &[String], now: Timestamp, zone: &TimeZone) -> Option<String> {
    let local = now.to_zoned_datetime(zone.clone()).datetime();
    let yesterday = local.date().yesterday().ok()?;
    let slots = times.iter().filter_map(|time| time.parse::<Time>().ok());
    slots
        .flat_map(|time| [local.date().to_datetime(time), yesterday.to_datetime(time)])
        .filter(|slot| *slot <= local)
        .max()
        .map(|slot| slot.strftime("%Y-%m-%dT%H:%M").to_string())
}

/// Yesterday's digest, once today's time for it has come.
async fn digest(house: &House) -> anyhow::Result<usize> {
    let now = house.now();
    let Some(slot) = latest_slot(std::slice::from_ref(&house.config.digest.at), now, &house.zone) else { return Ok(0) };
    let Some(day) = slot.get(..10).and_then(|day| day.parse::<Date>().ok()).and_then(|day| day.yesterday().ok()) else { return Ok(0) };
    let mut queued = 0;
    let mut days: BTreeMap<Date, Gathered> = BTreeMap::new();
    for to in &house.config.digest.to {
        for missed in days_to_tell(house.store.last_slot("digest", to).await?.as_deref(), day) {
            let gathered = match days.entry(missed) {
                Entry::Occupied(there) => there.into_mut(),
                Entry::Vacant(place) => place.insert(gather(house, missed).await?),
            };
            if missed < day && gathered.facts.mails_by_kind.is_empty() {
                house.store.mark_slot("digest", to, &missed.to_string(), now).await?;
            } else {
                queued += announce(house, gathered, to).await?;
            }
        }
    }
    Ok(queued)
}

/// Days that a reader has not been told of: all since the last one, at most a week of them; to a new reader the latest alone.
fn days_to_tell(last: Option<&str>, latest: Date) -> Vec<Date> {
    let Some(last) = last.and_then(|last| last.parse::<Date>().ok()) else { return vec![latest] };
    let mut days: Vec<Date> =
        std::iter::successors(Some(latest), |day| day.yesterday().ok()).take(DIGESTS_MAX).take_while(|day| *day > last).collect();
    days.reverse();
    days
}

/// Queues the digest of `day` to every administrator who has not had it.
///
/// # Errors
/// When the store cannot be reached or the template does not render.
pub async fn send_digest(house: &House, day: Date) -> anyhow::Result<usize> {
    let gathered = gather(house, day).await?;
    let mut queued = 0;
    for to in &house.config.digest.to {
        queued += announce(house, &gathered, to).await?;
    }
    Ok(queued)
}

/// Queues a digest to one administrator; once a (recipient, day).
async fn announce(house: &House, gathered: &Gathered, to: &str) -> anyhow::Result<usize> {
    let day = gathered.day;
    let letter = digest_letter(&gathered.digest(house), to, &house.templates).map_err(|problem| anyhow!(problem))?;
    let queued = house.store.announce("digest", to, &day.to_string(), &[letter], &[], house.mail_domain(), house.now()).await?;
    tracing::info!(%day, letters = queued, "The digest was written.");
    Ok(queued)
}

/// Subject and text of a day's digest, for printing.
///
/// # Errors
/// As [`send_digest`].
pub async fn print_digest(house: &House, day: Date) -> anyhow::Result<(String, String)> {
    let gathered = gather(house, day).await?;
    digest_text(&gathered.digest(house), &house.templates).map_err(|problem| anyhow!(problem))
}

/// What a digest is written from.
struct Gathered {
    day: Date,
    facts: DigestFacts,
    since: Option<DigestFacts>,
    health: Health,
}

impl Gathered {
    fn digest<'a>(&'a self, house: &'a House) -> DigestDay<'a> {
        DigestDay {
            day: self.day,
            facts: &self.facts,
            since: self.since.as_ref(),
            health: &self.health,
            department: &house.config.receipts.department,
            zone: &house.zone,
            now: house.now(),
        }
    }
}

/// Facts of the half-open day in the configured zone, and of the time since, where the day is over.
async fn gather(house: &House, day: Date) -> anyhow::Result<Gathered> {
    let now = house.now();
    let start = day.to_zoned_datetime(house.zone.clone())?.timestamp();
    let end = day.checked_add(1.day())?.to_zoned_datetime(house.zone.clone())?.timestamp();
    let facts = house.store.digest_facts(start, end, now, &house.knowledge).await?;
    let since = if now > end { Some(house.store.digest_facts(end, now, now, &house.knowledge).await?) } else { None };
    Ok(Gathered { day, facts, since, health: health(house).await? })
}

/// How mailbox, accounts, disk and secret do at present.
async fn health(house: &House) -> anyhow::Result<Health> {
    let polled = house.store.health(alert::POLLED).await?;
    let fault = house.store.health(alert::POLL_FAULT).await?;
    let later = |at: Timestamp| polled.as_ref().is_none_or(|(good, _)| *good < at);
    let mut troubles: Vec<String> = house.store.alerts().await?.into_iter().filter(|alert| alert.open).map(|alert| alert.said).collect();
    for smtp in [Some(&house.config.smtp), house.config.smtp_internal.as_ref()].into_iter().flatten() {
        let state = house.store.sending_state(&smtp.account()).await?;
        if let Some(until) = state.halted_until.filter(|until| *until > house.now() && !state.loud) {
            troubles.push(format!(
                "发信账号{}的发送额度已用完，{}后继续：{}",
                smtp.account(),
                chinese_minute(until, &house.zone),
                in_chinese(&state.reason)
            ));
        }
    }
    let secret_days = match &house.config.mailbox {
        MailboxConfig::Imap(imap) => imap.password.age_days(house.now()),
        MailboxConfig::Maildir(_) => None,
    };
    Ok(Health {
        polled: polled.as_ref().map(|(at, _)| chinese_minute(*at, &house.zone)).unwrap_or_default(),
        fault: fault.filter(|(at, _)| later(*at)).map(|(_, said)| said).unwrap_or_default(),
        disk_free_mib: disk::free_bytes(&house.config.data_dir).unwrap_or(0) >> 20,
        database_mib: house.store.size_bytes().await? >> 20,
        secret_days,
        secret_due: secret_days.is_some_and(|days| days >= house.config.alerts.secret_max_days),
        troubles,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(times: &[&str], now: &str) -> Option<String> {
        let times: Vec<String> = times.iter().map(ToString::to_string).collect();
        latest_slot(&times, now.parse().unwrap(), &TimeZone::get("Asia/Shanghai").unwrap())
    }

    #[test]
    fn the_latest_passed_time_is_the_slot() {
        assert_eq!(slot(&["09:00", "15:00"], "2024-08-15T02:00:00Z").as_deref(), Some("2024-08-15T09:00"));
        assert_eq!(slot(&["09:00", "15:00"], "2024-08-15T08:00:00Z").as_deref(), Some("2024-08-15T15:00"));
    }

    #[test]
    fn before_the_first_time_yesterdays_last_slot_still_stands() {
        assert_eq!(slot(&["09:00"], "2024-08-15T00:30:00Z").as_deref(), Some("2024-08-14T09:00"));
    }

    #[test]
    fn days_missed_in_a_downtime_are_told_once_and_no_day_twice() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let told = |last: Option<&str>| days_to_tell(last, day("2024-08-15")).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(told(None), ["2024-08-15"]);
        assert_eq!(told(Some("2024-08-15")), [""; 0]);
        assert_eq!(told(Some("2024-08-12")), ["2024-08-13", "2024-08-14", "2024-08-15"]);
        assert_eq!(told(Some("2024-01-01")).len(), 7);
    }

    #[test]
    fn without_a_time_there_is_no_letter() {
        assert_eq!(slot(&[], "2024-08-15T00:30:00Z"), None);
    }
}
