//! A [`Status`] in Prometheus' text format. Names end in their unit; addresses never stand in labels.

use std::fmt;

use jiff::Timestamp;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet, prometheus_text},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::{Registry, Unit},
};

use crate::domain::status::{BOUNDS_SECS, Durations, Status};

/// The text.
///
/// # Errors
/// When a value cannot be put into the format.
pub fn metrics(status: &Status) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("annexd");
    registry.register_collector(Box::new(Snapshot(status.clone())));
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct Snapshot(Status);

/// Label names with their values, and the number.
type Sample<'a, const N: usize> = ([(&'static str, &'a str); N], u64);

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let status = &self.0;
        let version = [("version", status.version.as_str())];
        gauges(&mut encoder, "build_info", "Version of the program; always 1", None, [(version, 1)])?;
        readiness(&mut encoder, status)?;
        mails(&mut encoder, status)?;
        letters(&mut encoder, status)?;
        store(&mut encoder, status)?;
        process(&mut encoder, status)
    }
}

fn readiness(encoder: &mut DescriptorEncoder, status: &Status) -> fmt::Result {
    gauge(encoder, "ready", "1: it polls, writes, examines and sends", None, u64::from(status.ready))?;
    let checks = ["mailbox", "store", "examine", "letters"].map(|check| {
        let fails = status.reasons.iter().any(|reason| reason.check == check);
        ([("check", check)], u64::from(fails))
    });
    gauges(encoder, "check_failed", "1: this part is the reason for not being ready", None, checks)?;
    gauge(encoder, "alerts_open", "Troubles that administrators were written about and that last", None, count(status.alerts.len()))?;
    if let Some(good) = status.mailbox.last_good_poll {
        gauge(encoder, "last_good_poll_timestamp", "When the mailbox was last polled well", Some(&Unit::Seconds), seconds(good))?;
        let since = u64::try_from(status.at.duration_since(good).as_secs()).unwrap_or(0);
        gauge(encoder, "since_good_poll", "Time since the mailbox was last polled well", Some(&Unit::Seconds), since)?;
    }
    Ok(())
}

fn mails(encoder: &mut DescriptorEncoder, status: &Status) -> fmt::Result {
    let kinds = status.mails.iter().map(|mails| {
        let kind = if mails.kind.is_empty() { "unexamined" } else { &mails.kind };
        ([("kind", kind), ("state", mails.state.as_str())], mails.count)
    });
    gauges(encoder, "mails", "Mails seen, by kind and state", None, kinds)?;
    gauge(encoder, "waiting_mails", "Mails that wait to be examined", None, status.waiting.count)?;
    gauge(encoder, "waiting_age", "How long the oldest of them has waited", Some(&Unit::Seconds), status.waiting.age_secs(status.at))?;
    gauge(encoder, "parked_mails", "Mails that could not be processed and wait for a person", None, status.parked)?;
    let topics = status.topics.iter().map(|topics| ([("state", topics.state.as_str())], topics.count));
    gauges(encoder, "topics", "Topics by status", None, topics)?;
    let open = status.queues.iter().map(|queue| ([("division", queue.division.as_str())], queue.open.count));
    gauges(encoder, "queue_topics", "Topics that wait for a division's word", None, open)?;
    let ages = status.queues.iter().map(|queue| ([("division", queue.division.as_str())], queue.open.age_secs(status.at)));
    gauges(encoder, "queue_age", "How long the oldest topic of a division has waited", Some(&Unit::Seconds), ages)
}

fn letters(encoder: &mut DescriptorEncoder, status: &Status) -> fmt::Result {
    let letters =
        status.letters.iter().map(|letters| ([("kind", letters.kind.as_str()), ("state", letters.state.as_str())], letters.count));
    gauges(encoder, "letters", "Letters by kind and state", None, letters)?;
    gauge(encoder, "letters_due", "Letters that are due and have not left", None, status.letters_due.count)?;
    let age = status.letters_due.age_secs(status.at);
    gauge(encoder, "letters_due_age", "How long the oldest of them has been due", Some(&Unit::Seconds), age)?;
    let accounts = || status.accounts.iter();
    let today = accounts().map(|account| ([("account", account.role.as_str())], account.sent_today));
    gauges(encoder, "handovers_today", "Letters handed to the server since midnight", None, today)?;
    let left = accounts().filter_map(|account| Some(([("account", account.role.as_str())], account.left_today?)));
    gauges(encoder, "quota_left_letters", "Letters that the account may still send today; none where it has no cap", None, left)?;
    let halted = accounts().map(|account| ([("account", account.role.as_str())], u64::from(account.is_halted(status.at))));
    gauges(encoder, "sending_halted", "1: nothing leaves by the account for now", None, halted)
}

fn store(encoder: &mut DescriptorEncoder, status: &Status) -> fmt::Result {
    gauge(encoder, "store", "Size of the database", Some(&Unit::Bytes), status.store.size_bytes)?;
    gauge(encoder, "disk_free", "Free space of the data folder's disk", Some(&Unit::Bytes), status.store.disk_free_bytes)?;
    gauge(encoder, "schema_version", "Version of the database's schema", None, u64::try_from(status.store.schema).unwrap_or(0))
}

fn process(encoder: &mut DescriptorEncoder, status: &Status) -> fmt::Result {
    let Some(process) = &status.process else { return Ok(()) };
    gauge(encoder, "start_timestamp", "When the daemon started", Some(&Unit::Seconds), seconds(process.started_at))?;
    let crashes = ConstCounter::new(process.reader_crashes);
    let metric = encoder.encode_descriptor(
        "reader_crashes",
        "Reading processes that foreign bytes broke since the start",
        None,
        crashes.metric_type(),
    )?;
    crashes.encode(metric)?;
    histogram(encoder, &process.examined)
}

fn histogram(encoder: &mut DescriptorEncoder, durations: &Durations) -> fmt::Result {
    let mut metric = encoder.encode_descriptor("examine", "Time to examine one mail", Some(&Unit::Seconds), MetricType::Histogram)?;
    let bounds = BOUNDS_SECS.into_iter().chain([f64::MAX]);
    let buckets: Vec<(f64, u64)> = bounds.zip(durations.buckets.iter().copied().chain(std::iter::repeat(0))).collect();
    metric.encode_histogram::<NoLabelSet>(durations.sum_secs, durations.count, &buckets, None)
}

fn gauge(encoder: &mut DescriptorEncoder, name: &str, help: &str, unit: Option<&Unit>, value: u64) -> fmt::Result {
    let metric = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
    ConstGauge::new(value).encode(metric)
}

fn gauges<'a, const N: usize>(
    encoder: &mut DescriptorEncoder,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    samples: impl IntoIterator<Item = Sample<'a, N>>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
    for (labels, value) in samples {
        ConstGauge::new(value).encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_second()).unwrap_or(0)
}
