//! Foreign bytes are read in child processes (`annexd reader`, the same program), started ahead and reused: a parser that crashes,
//! hangs or eats memory takes only its child with it. The file it was looking into is set aside by name and the rest of the mail
//! is read again.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};

use crate::domain::{
    submitters::Submitters,
    verdict::{
        self, Knowledge, Reading,
        attached::{Attached, Wanted, attached},
    },
};

pub mod child;
pub mod ocr;
mod process;
mod wire;

use ocr::OcrSettings;
use process::{Process, Trouble, Why};

/// Files of one mail that may break a child before the whole mail is given up.
const SET_ASIDE_MAX: usize = 20;
/// Mails one child reads before it is replaced, so that leaks of parsing libraries stay small.
const MAILS_MAX: usize = 200;
/// Mails from this size on are read one at a time, and the child that read one ends with it: its memory, two times the mail, is given
/// back at once.
const LARGE_BYTES: u64 = 16 << 20;

/// Bounds of the child processes.
#[derive(Debug, Clone)]
pub struct ReaderSettings {
    /// This program.
    pub program: PathBuf,
    /// Children at work at one time.
    pub processes: usize,
    /// Longest time for one mail.
    pub timeout: Duration,
    /// Address space of one child (RLIMIT_AS).
    pub memory_max_bytes: u64,
    /// Scanned letters are put through a recogniser of characters, where it is switched on.
    pub ocr: Option<OcrSettings>,
}

/// Where mails are read. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Readers {
    /// In this process: for tests and small tools.
    Here(Arc<Knowledge>),
    Children(Arc<Children>),
}

/// A set of child processes.
#[derive(Debug)]
pub struct Children {
    settings: ReaderSettings,
    /// What every child is told first.
    knowledge: Vec<u8>,
    /// Names by which a recognised bureau is known.
    submitters: Submitters,
    idle: Mutex<Vec<Process>>,
    permits: Semaphore,
    /// Whose turn it is to read a large mail.
    large: Semaphore,
    /// Children that a mail broke.
    crashes: AtomicU64,
}

/// A mail to be read.
#[derive(Debug)]
pub enum Mail {
    Bytes(Vec<u8>),
    /// Read piece by piece: a large mail is never whole in this process. [`Reading::sha256`] says which bytes were read.
    File(PathBuf),
}

/// Why a mail could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("a reading process could not be started: {0}")]
    Start(String),
    #[error("the raw mail could not be read back: {0}")]
    File(#[from] std::io::Error),
    #[error("reading this mail broke the reading process: {0}")]
    Broke(String),
    #[error("a bug while reading this mail: {0}")]
    Panicked(String),
}

impl Readers {
    /// Reads in children that know what `knowledge` says.
    ///
    /// # Errors
    /// When the knowledge cannot be put into words.
    pub fn children(settings: ReaderSettings, knowledge: &Knowledge) -> Result<Self, ReadError> {
        let words = serde_json::to_vec(knowledge).map_err(|error| ReadError::Start(error.to_string()))?;
        let permits = Semaphore::new(settings.processes.max(1));
        Ok(Self::Children(Arc::new(Children {
            settings,
            knowledge: words,
            submitters: knowledge.submitters.clone(),
            idle: Mutex::new(Vec::new()),
            permits,
            large: Semaphore::new(1),
            crashes: AtomicU64::new(0),
        })))
    }

    /// Reads one mail.
    ///
    /// # Errors
    /// When no child can be started, or the mail breaks every child.
    pub async fn read(&self, mail: Mail) -> Result<Reading, ReadError> {
        match self {
            Self::Here(knowledge) => {
                let knowledge = knowledge.clone();
                let raw = bytes_of(mail).await?;
                let read = tokio::task::spawn_blocking(move || verdict::read(&raw, &knowledge)).await;
                read.map_err(|error| ReadError::Panicked(panic_text(error)))
            }
            Self::Children(children) => children.read(&mail).await,
        }
    }

    /// Children that mails broke since the start.
    #[must_use]
    pub fn crashes(&self) -> u64 {
        match self {
            Self::Here(_) => 0,
            Self::Children(children) => children.crashes.load(Ordering::Relaxed),
        }
    }

    /// Takes files out of one mail, as they were attached.
    ///
    /// # Errors
    /// As [`Readers::read`].
    pub async fn files(&self, mail: Mail, wanted: Wanted) -> Result<Vec<Attached>, ReadError> {
        match self {
            Self::Here(knowledge) => {
                let knowledge = knowledge.clone();
                let raw = bytes_of(mail).await?;
                let taken = tokio::task::spawn_blocking(move || attached(&raw, &wanted, &knowledge.limits)).await;
                taken.map_err(|error| ReadError::Panicked(panic_text(error)))
            }
            Self::Children(children) => children.files(&mail, &wanted).await,
        }
    }

    /// Starts the children ahead, so that the first mail does not wait for them.
    pub async fn warm_up(&self) {
        if let Self::Children(children) = self {
            for _ in 0..children.settings.processes {
                match children.start().await {
                    Ok(process) => children.put_back(process),
                    Err(error) => tracing::warn!("{error}."),
                }
            }
        }
    }
}

async fn bytes_of(mail: Mail) -> std::io::Result<Vec<u8>> {
    match mail {
        Mail::Bytes(raw) => Ok(raw),
        Mail::File(path) => tokio::fs::read(path).await,
    }
}

/// What a panic said.
#[must_use]
pub fn panic_text(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => {
            let said = panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
            said.unwrap_or_else(|| "it panicked without a word".to_owned())
        }
        Err(error) => error.to_string(),
    }
}

impl Why {
    /// What the sender is told of a file that broke a child: the limit with its figure, and what to do.
    fn say(self, settings: &ReaderSettings) -> String {
        let what = match self {
            Self::Time => format!("读取该文件用时超过{}秒的上限", settings.timeout.as_secs()),
            Self::Answer => format!("读取该文件得到的内容超过{}MB的上限", wire::ANSWER_MAX_BYTES >> 20),
            Self::Ended => format!("读取该文件时内存超过{}MB的上限，或文件结构异常，读取中止", settings.memory_max_bytes >> 20),
            Self::Bug => "该文件结构异常，读取中止".to_owned(),
        };
        format!("{what}，文件未读取。请在本机确认文件能正常打开，删去多余内容或另存为新文件后重新发送。")
    }
}

impl Children {
    async fn read(&self, mail: &Mail) -> Result<Reading, ReadError> {
        let _permits = self.turn_of(mail).await?;
        let mut set_aside: BTreeMap<String, String> = BTreeMap::new();
        let mut doubtful = BTreeSet::new();
        loop {
            let raw = process::Raw::of(mail).await?;
            let mut process = self.take().await?;
            let read = process.read(raw, &set_aside, self.settings.timeout).await;
            self.crashes.fetch_add(u64::from(read.is_err()), Ordering::Relaxed);
            match read {
                Ok(reading) => return Ok(self.with_hint(process, mail, *reading).await),
                // Somebody may have ended it from outside (the OOM killer, a stop of the whole service): that is nobody's fault yet.
                Err(Trouble { file, what, why: Why::Ended }) if doubtful.insert(file.clone()) => {
                    tracing::warn!(file, "The reading process ended and the mail is read again: {what}.");
                }
                Err(Trouble { file: Some(file), what, why }) if !set_aside.contains_key(&file) && set_aside.len() < SET_ASIDE_MAX => {
                    tracing::warn!(file, "A file broke the reading process and is set aside: {what}.");
                    set_aside.insert(file, why.say(&self.settings));
                }
                Err(Trouble { what, .. }) => return Err(ReadError::Broke(what)),
            }
        }
    }

    /// Adds what can be recognised in a scanned letter. Whatever fails here, the mail stays as it was read.
    async fn with_hint(&self, mut process: Process, mail: &Mail, mut reading: Reading) -> Reading {
        let Some((settings, path)) = self.settings.ocr.as_ref().zip(reading.scanned_letter()) else {
            self.put_back(process);
            return reading;
        };
        let pictures = match process::Raw::of(mail).await {
            Ok(raw) => process.pictures(raw, path, self.settings.timeout).await,
            Err(_) => Ok(Vec::new()),
        };
        let recognised = match pictures {
            Ok(pictures) => {
                self.put_back(process);
                ocr::recognise(settings, &self.settings.program, pictures).await.map_err(|error| error.to_string())
            }
            Err(trouble) => Err(trouble.what),
        };
        match recognised {
            Ok(text) => reading.add_recognised(&text, &self.submitters),
            Err(what) => tracing::info!(file = path, "A scanned letter was not put through the recogniser: {what}."),
        }
        reading
    }

    async fn files(&self, mail: &Mail, wanted: &Wanted) -> Result<Vec<Attached>, ReadError> {
        let _permits = self.turn_of(mail).await?;
        let raw = process::Raw::of(mail).await?;
        let mut process = self.take().await?;
        let files = process.files(raw, wanted, self.settings.timeout).await.map_err(|trouble| ReadError::Broke(trouble.what))?;
        self.put_back(process);
        Ok(files)
    }

    /// Waits until this mail may be read.
    async fn turn_of(&self, mail: &Mail) -> Result<(Option<SemaphorePermit<'_>>, SemaphorePermit<'_>), ReadError> {
        let closed = |error: AcquireError| ReadError::Start(error.to_string());
        let is_large = process::Raw::of(mail).await?.bytes() >= LARGE_BYTES;
        let alone = if is_large { Some(self.large.acquire().await.map_err(closed)?) } else { None };
        Ok((alone, self.permits.acquire().await.map_err(closed)?))
    }

    async fn take(&self) -> Result<Process, ReadError> {
        loop {
            let idle = self.idle.lock().map_or(None, |mut idle| idle.pop());
            let Some(mut process) = idle else { return self.start().await };
            // One that ended while it waited had no mail.
            if !process.has_ended() {
                return Ok(process);
            }
        }
    }

    async fn start(&self) -> Result<Process, ReadError> {
        Process::start(&self.settings, &self.knowledge).await.map_err(|error| ReadError::Start(error.to_string()))
    }

    fn put_back(&self, process: Process) {
        if process.mails() < MAILS_MAX
            && process.largest_bytes() < LARGE_BYTES
            && let Ok(mut idle) = self.idle.lock()
        {
            idle.push(process);
        }
    }
}
