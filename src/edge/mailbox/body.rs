//! The bytes of one mail on their way into the blob store: small ones in memory, large ones in a file.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

/// One mail's bytes.
#[derive(Debug)]
pub enum Body {
    Bytes(Vec<u8>),
    /// Written to a temporary file while it was fetched.
    Spooled(Spooled),
    /// A file of somebody else's, open for reading.
    File(File),
}

/// A temporary file that is complete but not durable yet. Dropped, it is gone; whoever wants it renames it.
#[derive(Debug)]
pub struct Spooled {
    path: PathBuf,
    /// Of all bytes, lower-case hex; taken while they passed.
    pub sha256: String,
    pub bytes: u64,
}

impl Spooled {
    pub(super) fn new(path: PathBuf, sha256: String, bytes: u64) -> Self {
        Self { path, sha256, bytes }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        // Renamed away by now, or of no use to anybody.
        let _ = fs::remove_file(&self.path);
    }
}
