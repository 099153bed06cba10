//! Large mails go to disk while they arrive, so that memory does not follow the size of a mail. The library that reads responses
//! wants each one whole in memory; it is given a short stand-in for a large literal, which only this connection can have made.

use std::{
    collections::BTreeMap,
    fs, io,
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncWrite as _, BufWriter};

use crate::{domain::hex, edge::mailbox::body::Spooled};

/// Literals from this size on go to disk, in bytes.
const SPOOL_FROM_BYTES: u64 = 256 * 1024;

/// Bytes written to the file in one go: each goes to another thread and back.
const PIECE_BYTES: usize = 256 * 1024;

/// Where one connection's large literals go. Cheap to clone; clones are one.
#[derive(Debug, Clone)]
pub struct Spool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// `None`: everything stays in memory.
    folder: Option<PathBuf>,
    /// Unguessable, so that no mail can pose as the stand-in for another.
    secret: String,
    count: AtomicU64,
    /// Complete files by their stand-ins.
    complete: Mutex<BTreeMap<Vec<u8>, Spooled>>,
    /// What this machine's disk answered, where it was the disk that ended the connection.
    failure: Mutex<Option<String>>,
    /// Bytes of literals received.
    received: AtomicU64,
}

impl Spool {
    pub fn new(folder: Option<PathBuf>) -> Self {
        let mut secret = [0; 16];
        // Without the system's random numbers nothing is spooled: a stand-in must not be guessable.
        let folder = folder.filter(|_| getrandom::fill(&mut secret).is_ok());
        let secret = hex::lower(&secret);
        Self(Arc::new(Inner {
            folder,
            secret,
            count: AtomicU64::new(0),
            complete: Mutex::new(BTreeMap::new()),
            failure: Mutex::new(None),
            received: AtomicU64::new(0),
        }))
    }

    pub fn wants(&self, literal_bytes: u64) -> bool {
        self.0.folder.is_some() && literal_bytes >= SPOOL_FROM_BYTES
    }

    pub fn note_received(&self, bytes: usize) {
        self.0.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes of literals received so far: whether a large mail is still coming.
    pub fn received(&self) -> u64 {
        self.0.received.load(Ordering::Relaxed)
    }

    /// The file that a literal stands for; `None` where it stands for itself.
    pub fn take(&self, literal: &[u8]) -> Option<Spooled> {
        self.0.complete.lock().ok()?.remove(literal)
    }

    /// Why the disk could not take a mail, where that is what broke the connection.
    pub fn failure(&self) -> Option<String> {
        self.0.failure.lock().ok()?.take()
    }

    /// Begins the file of a literal.
    pub fn begin(&self, bytes: u64) -> io::Result<Incoming> {
        let number = self.0.count.fetch_add(1, Ordering::Relaxed);
        let stand_in = format!("{}-{number}", self.0.secret);
        let folder = self.0.folder.as_deref().unwrap_or_else(|| std::path::Path::new("."));
        // The process number last: what a killed process leaves behind is recognised by it.
        let path = folder.join(format!("{stand_in}.{}", std::process::id()));
        let file = fs::File::create_new(&path).map_err(|error| self.failed(error))?;
        Ok(Incoming {
            spool: self.clone(),
            file: BufWriter::with_capacity(PIECE_BYTES, tokio::fs::File::from_std(file)),
            hash: Sha256::new(),
            left: bytes,
            bytes,
            stand_in: stand_in.into_bytes(),
            unfinished: Unfinished(Some(path)),
        })
    }

    fn failed(&self, error: io::Error) -> io::Error {
        if let Ok(mut failure) = self.0.failure.lock() {
            *failure = Some(error.to_string());
        }
        error
    }
}

/// A literal on its way to disk.
#[derive(Debug)]
pub struct Incoming {
    spool: Spool,
    file: BufWriter<tokio::fs::File>,
    hash: Sha256,
    left: u64,
    bytes: u64,
    stand_in: Vec<u8>,
    unfinished: Unfinished,
}

impl Incoming {
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Takes some of the literal's bytes; says how many.
    pub fn poll_take(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let piece = bytes.get(..wanted).unwrap_or_default();
        let written = ready!(Pin::new(&mut self.file).poll_write(context, piece)).map_err(|error| self.spool.failed(error))?;
        self.hash.update(piece.get(..written).unwrap_or_default());
        self.left = self.left.saturating_sub(written as u64);
        Poll::Ready(Ok(written))
    }

    /// Waits until the file has everything; then the literal's stand-in is answered.
    pub fn poll_finish(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
        ready!(Pin::new(&mut self.file).poll_flush(context)).map_err(|error| self.spool.failed(error))?;
        let sha256 = hex::lower(&std::mem::take(&mut self.hash).finalize());
        if let (Some(path), Ok(mut complete)) = (self.unfinished.0.take(), self.spool.0.complete.lock()) {
            complete.insert(self.stand_in.clone(), Spooled::new(path, sha256, self.bytes));
        }
        Poll::Ready(Ok(self.stand_in.clone()))
    }
}

/// A file that goes with the connection that broke while it was written.
#[derive(Debug)]
struct Unfinished(Option<PathBuf>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}
