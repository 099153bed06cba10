//! The files of a mail as they were attached, to be sent on.

use serde::{Deserialize, Serialize};

use crate::domain::{limits::Limits, message};

/// Most bytes taken out of one mail, whatever is wanted: they pass through memory.
const TOGETHER_MAX_BYTES: u64 = 32 << 20;

/// Which files of a mail are wanted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Wanted {
    /// Ways to bytes, as in `attachments[].path`; of an archive's entry the archive is meant.
    pub paths: Vec<String>,
    /// What together goes beyond this is named without its bytes.
    pub max_bytes: u64,
}

/// A file as it was attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    pub name: String,
    /// As the sender declared it.
    pub media_type: String,
    /// `None` where it goes beyond what was wanted.
    pub bytes: Option<Vec<u8>>,
}

/// Takes the wanted files out of a mail.
#[must_use]
pub fn attached(raw: &[u8], wanted: &Wanted, limits: &Limits) -> Vec<Attached> {
    let files = message::parse(raw, limits).map(|message| message.files).unwrap_or_default();
    let mut left = wanted.max_bytes.min(TOGETHER_MAX_BYTES);
    let mut take = |bytes: Vec<u8>| {
        // One that does not fit takes nothing from those that do.
        left = left.checked_sub(bytes.len() as u64)?;
        Some(bytes)
    };
    files
        .into_iter()
        .filter(|file| wanted.paths.iter().any(|path| stands_in(path, &file.name)))
        .map(|file| Attached { name: file.name, media_type: file.declared_type, bytes: take(file.bytes) })
        .collect()
}

/// Whether the way to some bytes is an attachment, or leads through it.
#[must_use]
pub fn stands_in(path: &str, attachment: &str) -> bool {
    path == attachment || path.strip_prefix(attachment).is_some_and(|rest| rest.starts_with('/'))
}
