//! A [`Status`] in Prometheus' text format. Names end in their unit; addresses never stand in labels.

use std::fmt;

use jiff::Timestamp;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet, prometheus_text},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::{Registry, Unit},
};

use crate::domain::status::{AccountStatus, BOUNDS_SECS, Durations, Status};

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

/// Label names with their values.
type Labels<'a> = Vec<(&'static str, &'a str)>;
/// One number and what it is of.
type Sample<'a> = (Labels<'a>, u64);

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let parts = std::iter::once(&self.0).chain(&self.0.programmes).collect();
        let mut writer = Writer { encoder, parts };
        writer.version(&self.0.version)?;
        readiness(&mut writer)?;
        mails(&mut writer)?;
        letters(&mut writer)?;
        store(&mut writer)?;
        process(&mut writer)
    }
}

fn readiness(writer: &mut Writer) -> fmt::Result {
    writer.gauge("ready", "1: it polls, writes, examines and sends", None, |status| Some(u64::from(is_ready(status))))?;
    writer.gauges("check_failed", "1: this part is the reason for not being ready", None, |status| {
        let checks = ["mailbox", "store", "examine", "letters"];
        checks.map(|check| (vec![("check", check)], u64::from(own_checks(status).any(|failed| failed == check)))).into()
    })?;
    let alerts = |status: &Status| Some(count(status.alerts.len()));
    writer.gauge("alerts_open", "Troubles that administrators were written about and that last", None, alerts)?;
    let unit = Some(&Unit::Seconds);
    let good = |status: &Status| status.mailbox.last_good_poll.map(seconds);
    writer.gauge("last_good_poll_timestamp", "When the mailbox was last polled well", unit, good)?;
    writer.gauge("since_good_poll", "Time since the mailbox was last polled well", unit, |status| {
        let good = status.mailbox.last_good_poll?;
        Some(u64::try_from(status.at.duration_since(good).as_secs()).unwrap_or(0))
    })
}

/// Of several programmes, the main one's state speaks for all.
fn is_ready(status: &Status) -> bool {
    if status.programmes.is_empty() { status.ready } else { own_checks(status).next().is_none() }
}

fn own_checks(status: &Status) -> impl Iterator<Item = &str> {
    let own = status.reasons.iter().filter(|reason| reason.programme.is_empty() || reason.programme == status.programme);
    own.map(|reason| reason.check.as_str())
}

fn mails(writer: &mut Writer) -> fmt::Result {
    writer.gauges("mails", "Mails seen, by kind and state", None, |status| {
        let labels = |kind, state| vec![("kind", if str::is_empty(kind) { "unexamined" } else { kind }), ("state", state)];
        status.mails.iter().map(|mails| (labels(&mails.kind, &mails.state), mails.count)).collect()
    })?;
    let seconds = Some(&Unit::Seconds);
    writer.gauge("waiting_mails", "Mails that wait to be examined", None, |status| Some(status.waiting.count))?;
    writer.gauge("waiting_age", "How long the oldest of them has waited", seconds, |status| Some(status.waiting.age_secs(status.at)))?;
    writer.gauge("parked_mails", "Mails that could not be processed and wait for a person", None, |status| Some(status.parked))?;
    writer.gauges("topics", "Topics by status", None, |status| {
        status.topics.iter().map(|topics| (vec![("state", topics.state.as_str())], topics.count)).collect()
    })?;
    writer.gauges("queue_topics", "Topics that wait for a division's word", None, |status| {
        status.queues.iter().map(|queue| (vec![("division", queue.division.as_str())], queue.open.count)).collect()
    })?;
    writer.gauges("queue_age", "How long the oldest topic of a division has waited", seconds, |status| {
        status.queues.iter().map(|queue| (vec![("division", queue.division.as_str())], queue.open.age_secs(status.at))).collect()
    })
}

fn letters(writer: &mut Writer) -> fmt::Result {
    writer.gauges("letters", "Letters by kind and state", None, |status| {
        let labels = |kind, state| vec![("kind", kind), ("state", state)];
        status.letters.iter().map(|letters| (labels(letters.kind.as_str(), letters.state.as_str()), letters.count)).collect()
    })?;
    writer.gauge("letters_due", "Letters that are due and have not left", None, |status| Some(status.letters_due.count))?;
    let age = |status: &Status| Some(status.letters_due.age_secs(status.at));
    writer.gauge("letters_due_age", "How long the oldest of them has been due", Some(&Unit::Seconds), age)?;
    writer.gauges("handovers_today", "Letters handed to the server since midnight", None, |status| {
        status.accounts.iter().map(|account| (vec![("account", account.role.as_str())], account.sent_today)).collect()
    })?;
    writer.gauges("quota_left_letters", "Letters that the account may still send today; none where it has no cap", None, |status| {
        let capped = status.accounts.iter().filter_map(|account| Some((account, account.left_today?)));
        capped.map(|(account, left)| (vec![("account", account.role.as_str())], left)).collect()
    })?;
    writer.gauges("sending_halted", "1: nothing leaves by the account for now", None, |status| {
        let halted = |account: &AccountStatus| u64::from(account.is_halted(status.at));
        status.accounts.iter().map(|account| (vec![("account", account.role.as_str())], halted(account))).collect()
    })
}

fn store(writer: &mut Writer) -> fmt::Result {
    let bytes = Some(&Unit::Bytes);
    writer.gauge("store", "Size of the database", bytes, |status| Some(status.store.size_bytes))?;
    writer.gauge("disk_free", "Free space of the data folder's disk", bytes, |status| Some(status.store.disk_free_bytes))?;
    writer.gauge("schema_version", "Version of the database's schema", None, |status| u64::try_from(status.store.schema).ok())
}

fn process(writer: &mut Writer) -> fmt::Result {
    if writer.parts.iter().all(|status| status.process.is_none()) {
        return Ok(());
    }
    let started = |status: &Status| status.process.as_ref().map(|process| seconds(process.started_at));
    writer.gauge("start_timestamp", "When the daemon started", Some(&Unit::Seconds), started)?;
    writer.crashes()?;
    writer.durations()
}

/// Writes one family after another; each sample says whose it is where there are several programmes.
struct Writer<'e, 'a> {
    encoder: DescriptorEncoder<'e>,
    parts: Vec<&'a Status>,
}

impl Writer<'_, '_> {
    fn version(&mut self, version: &str) -> fmt::Result {
        let metric = self.encoder.encode_descriptor("build_info", "Version of the program; always 1", None, MetricType::Gauge)?;
        encode(metric, &[(vec![("version", version)], ConstGauge::new(1_u64))])
    }

    fn gauge(&mut self, name: &str, help: &str, unit: Option<&Unit>, value: impl Fn(&Status) -> Option<u64>) -> fmt::Result {
        if self.parts.iter().all(|status| value(status).is_none()) {
            return Ok(());
        }
        self.gauges(name, help, unit, |status| value(status).map(|value| (Vec::new(), value)).into_iter().collect())
    }

    fn gauges(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        samples: impl for<'s> Fn(&'s Status) -> Vec<Sample<'s>>,
    ) -> fmt::Result {
        let all: Vec<(Labels, ConstGauge<u64>)> =
            self.each(|status, of| samples(status).into_iter().map(|sample| labelled(&of, sample)).collect());
        encode(self.encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?, &all)
    }

    fn crashes(&mut self) -> fmt::Result {
        let all: Vec<_> =
            self.each(|status, of| status.process.iter().map(|process| (of.clone(), ConstCounter::new(process.reader_crashes))).collect());
        let help = "Reading processes that foreign bytes broke since the start";
        encode(self.encoder.encode_descriptor("reader_crashes", help, None, MetricType::Counter)?, &all)
    }

    fn durations(&mut self) -> fmt::Result {
        let all: Vec<_> = self.each(|status, of| status.process.iter().map(|process| (of.clone(), Spread(&process.examined))).collect());
        let seconds = Some(&Unit::Seconds);
        encode(self.encoder.encode_descriptor("examine", "Time to examine one mail", seconds, MetricType::Histogram)?, &all)
    }
}

impl<'a> Writer<'_, 'a> {
    /// The samples of all programmes; the labels say whose they are, where there are several.
    fn each<T>(&self, samples: impl Fn(&'a Status, Labels<'a>) -> Vec<T>) -> Vec<T> {
        let of = |status: &'a Status| if self.parts.len() > 1 { vec![("programme", status.programme.as_str())] } else { Vec::new() };
        self.parts.iter().flat_map(|status| samples(status, of(status))).collect()
    }
}

fn labelled<'s>(of: &Labels<'s>, (labels, value): Sample<'s>) -> (Labels<'s>, ConstGauge<u64>) {
    (of.iter().copied().chain(labels).collect(), ConstGauge::new(value))
}

/// Writes the samples of one family; one alone without labels is no family.
fn encode(mut metric: MetricEncoder, samples: &[(Labels, impl EncodeMetric)]) -> fmt::Result {
    if let [(labels, value)] = samples
        && labels.is_empty()
    {
        return value.encode(metric);
    }
    for (labels, value) in samples {
        value.encode(metric.encode_family(labels)?)?;
    }
    Ok(())
}

/// Durations as a histogram.
struct Spread<'a>(&'a Durations);

impl EncodeMetric for Spread<'_> {
    fn encode(&self, mut encoder: MetricEncoder) -> fmt::Result {
        let bounds = BOUNDS_SECS.into_iter().chain([f64::MAX]);
        let buckets: Vec<(f64, u64)> = bounds.zip(self.0.buckets.iter().copied().chain(std::iter::repeat(0))).collect();
        encoder.encode_histogram::<NoLabelSet>(self.0.sum_secs, self.0.count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_second()).unwrap_or(0)
}
