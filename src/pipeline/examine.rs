//! Examine one accepted message: all thinking is pure and runs on a blocking thread; a panic there parks the message.

use std::{io::ErrorKind, sync::Arc};

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;

use super::{House, accept::short, record};
use crate::{
    domain::{
        kind,
        verdict::{self, Knowledge, Known, LookupKeys, Reading, Verdict},
    },
    edge::{
        crash::{crash_at, crash_at_mail},
        reader::{Mail, ReadError, Readers, panic_text},
        store::{Recording, Store, StoreError, Waiting},
    },
};

/// What became of one message.
#[derive(Debug)]
pub enum Examined {
    /// Its verdict is recorded; the receipt numbers stand in the order of the verdict's topics.
    Recorded { verdict: Box<Verdict>, numbers: Vec<Option<String>>, letters: usize },
    /// It failed and will be tried again.
    Postponed,
    /// It failed for good and waits for a person.
    Parked { problem: String },
}

/// A mail that was read and is yet to be judged.
#[derive(Debug)]
pub enum ReadMail {
    Read(anyhow::Result<Box<Ready>>),
    /// Too many processes have ended with it in hand.
    GivenUp,
}

/// A reading with all that can be done for it before earlier mails are recorded.
#[derive(Debug)]
pub struct Ready {
    reading: Reading,
    keys: LookupKeys,
    /// What it was prepared by.
    by: Arc<Knowledge>,
}

impl Ready {
    /// # Errors
    /// A bug while judging the mail.
    async fn make(reading: Reading, by: Arc<Knowledge>) -> anyhow::Result<Box<Self>> {
        let made = tokio::task::spawn_blocking(move || {
            reading.prepare(&by);
            Box::new(Self { keys: reading.keys(&by.dedupe), reading, by })
        });
        made.await.map_err(|error| anyhow!("a bug while judging this mail: {}", panic_text(error)))
    }

    /// The same by the knowledge that is in force now.
    fn renewed(&mut self, knowledge: &Arc<Knowledge>) {
        if !Arc::ptr_eq(&self.by, knowledge) {
            self.reading.forget_prepared();
            self.keys = self.reading.keys(&knowledge.dedupe);
            self.by = knowledge.clone();
        }
    }
}

/// Processes that may end with one mail in hand until it is set aside. All but the first had no other mail, and each waits longer
/// before it tries, so that a machine that is switched off again and again is not put down to a mail.
const DEATHS_MAX: u32 = 8;

/// Examines and records one waiting message. Never fails for what stands in the mail.
///
/// # Errors
/// When the store itself cannot be reached.
pub async fn examine(house: &House, waiting: &Waiting) -> anyhow::Result<Examined> {
    let read = read(house, waiting).await?;
    finish(house, waiting, read).await
}

/// The first half, which needs nothing but the mail: several may be read at one time.
///
/// # Errors
/// When the store itself cannot be reached.
pub async fn read(house: &House, waiting: &Waiting) -> anyhow::Result<ReadMail> {
    if waiting.deaths >= DEATHS_MAX {
        return Ok(ReadMail::GivenUp);
    }
    let raw = match house.blobs.file(&waiting.sha256).await {
        // A store that does not answer is not the mail's fault and uses up none of its attempts.
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        raw => raw,
    };
    crash_at_mail("examine.begun", &waiting.sha256);
    let began = house.now();
    let reading = match &raw {
        Ok(raw) => house.readers.read(Mail::File(raw.path().to_owned())).await.map_err(anyhow::Error::from),
        Err(error) => Err(anyhow!("the raw mail could not be read back: {error}")),
    };
    house.meters.examined(house.now().duration_since(began).as_secs_f64());
    let knowledge = house.judging.last().await;
    let ready = match reading {
        Ok(reading) if reading.sha256 == waiting.sha256 => Ready::make(reading, knowledge).await,
        Ok(_) => Err(anyhow!("the raw mail {} is damaged on disk", waiting.sha256)),
        Err(error) => Err(error),
    };
    Ok(ReadMail::Read(ready))
}

/// The second half: judged by what is known now, and recorded. One mail at a time, in order of acceptance.
///
/// # Errors
/// When the store itself cannot be reached.
pub async fn finish(house: &House, waiting: &Waiting, read: ReadMail) -> anyhow::Result<Examined> {
    let ReadMail::Read(reading) = read else {
        return park(house, waiting, format!("{} processes ended while they examined this mail", waiting.deaths)).await;
    };
    match alone(house, waiting, reading).await {
        Ok(examined) => {
            told(&examined);
            Ok(examined)
        }
        Err(error) if is_of_the_machine(&error) => Err(error),
        Err(error) => failed(house, waiting, &error).await,
    }
}

async fn alone(house: &House, waiting: &Waiting, ready: anyhow::Result<Box<Ready>>) -> anyhow::Result<Examined> {
    let knowledge = house.judging.now(&house.store).await?;
    let ready = ready?;
    let mut recording = house.store.begin_recording().await?;
    let examined = judge_and_record(house, &mut recording, &knowledge, waiting, *ready).await?;
    recording.commit().await.context("the verdict could not be recorded")?;
    Ok(examined)
}

/// What is to be said of a verdict once it is durable.
pub fn told(examined: &Examined) {
    crash_at("record.after_commit");
    if let Examined::Recorded { verdict, .. } = examined {
        log_verdict(verdict);
    }
}

/// Faults of reading a raw mail back that say nothing about this one.
const RESOURCES: [ErrorKind; 9] = [
    ErrorKind::OutOfMemory,
    ErrorKind::TimedOut,
    ErrorKind::WouldBlock,
    ErrorKind::ConnectionRefused,
    ErrorKind::ConnectionReset,
    ErrorKind::ConnectionAborted,
    ErrorKind::NotConnected,
    ErrorKind::HostUnreachable,
    ErrorKind::NetworkUnreachable,
];

/// Whether the cause lies outside the mail: a full disk, a database that does not answer, no process to be had. No mail is blamed.
pub fn is_of_the_machine(error: &anyhow::Error) -> bool {
    let store = error.downcast_ref::<StoreError>().is_some_and(StoreError::is_of_the_machine);
    let read = match error.downcast_ref::<ReadError>() {
        Some(ReadError::Start(_)) => true,
        Some(ReadError::File(error)) => RESOURCES.contains(&error.kind()),
        _ => false,
    };
    store || read
}

/// Judges a mail by what is known and recorded, and records it, in an open transaction: durable once that is committed.
///
/// # Errors
/// Then the transaction must not be committed.
pub async fn judge_and_record(
    house: &House,
    recording: &mut Recording,
    knowledge: &Arc<Knowledge>,
    waiting: &Waiting,
    mut ready: Ready,
) -> anyhow::Result<Examined> {
    ready.renewed(knowledge);
    let mut known = recording.known(&ready.keys, &knowledge.dedupe).await?;
    known.arrived_at = Some(waiting.arrived_at.unwrap_or(waiting.seen_at));
    let (mut verdict, _) = decide(ready, known).await?;
    if verdict.answer && kind::is_doubtful(&waiting.folder, verdict.authentication.state) {
        verdict.answer = false;
        "邮件在垃圾邮件夹中，发件人也未经验证，已登记，不回复。".clone_into(&mut verdict.answer_reason);
    }
    let (numbers, letters) = record::record(house, recording, waiting, &verdict).await?;
    Ok(Examined::Recorded { verdict: Box::new(verdict), numbers, letters })
}

/// Reads and judges a mail that arrived at a time, where it did; looks up what the store knows, where there is one.
///
/// # Errors
/// A mail that breaks its reader, a bug while judging, or a store that cannot be read.
pub async fn judge(
    mail: Mail,
    arrived_at: Option<Timestamp>,
    readers: &Readers,
    knowledge: Arc<Knowledge>,
    store: Option<&Store>,
) -> anyhow::Result<(Verdict, Known)> {
    let ready = Ready::make(readers.read(mail).await?, knowledge).await?;
    let mut known = match store {
        Some(store) => store.known(&ready.keys, &ready.by.dedupe).await?,
        None => Known::default(),
    };
    known.arrived_at = arrived_at;
    decide(*ready, known).await
}

async fn decide(ready: Ready, known: Known) -> anyhow::Result<(Verdict, Known)> {
    let Ready { reading, by, .. } = ready;
    let judged = tokio::task::spawn_blocking(move || (verdict::decide(reading, &known, &by), known)).await;
    judged.map_err(|error| anyhow!("a bug while judging this mail: {}", panic_text(error)))
}

/// The retry rule: later, until the attempts are used up; then the message is parked with its reason.
async fn failed(house: &House, waiting: &Waiting, error: &anyhow::Error) -> anyhow::Result<Examined> {
    let (attempt, problem) = (waiting.attempts.saturating_add(1), format!("{error:#}"));
    if attempt >= house.config.examine.attempts_max {
        return park(house, waiting, problem).await;
    }
    let wait_secs = 30_i64.saturating_mul(1_i64.checked_shl(attempt.min(10)).unwrap_or(1));
    let until = house.now().checked_add(jiff::SignedDuration::from_secs(wait_secs))?;
    house.store.postpone(waiting.id, until, &problem).await?;
    tracing::warn!(mail = short(&waiting.sha256), attempt, wait_secs, problem, "A message could not be examined; it will be tried again.");
    Ok(Examined::Postponed)
}

async fn park(house: &House, waiting: &Waiting, problem: String) -> anyhow::Result<Examined> {
    house.store.park(waiting.id, &problem).await?;
    tracing::error!(mail = short(&waiting.sha256), problem, "A message was parked; retry it with `annexd parked retry`.");
    Ok(Examined::Parked { problem })
}

fn log_verdict(verdict: &Verdict) {
    tracing::info!(
        mail = short(&verdict.sha256),
        kind = ?verdict.kind,
        topics = verdict.topics.len(),
        files = verdict.attachments.len(),
        answer = verdict.answer,
        "A message was examined and recorded."
    );
}
