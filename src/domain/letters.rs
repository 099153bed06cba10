//! The letters annexd writes: plain values, rendered from templates an administrator may edit. The outbox keeps them; only the
//! send step lets them out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub mod digest;
pub mod orders;
pub mod queue;
pub mod receipt;
pub mod templates;
mod workbook;

/// One outgoing letter, before it is queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// What it is about; unique, so that nothing is said twice: `ack:<sha256>`, `queue:<division>:<slot>`, `digest:<to>:<day>`.
    pub key: String,
    pub kind: LetterKind,
    /// One address.
    pub to: String,
    pub subject: String,
    pub text: String,
    pub in_reply_to: Option<String>,
    pub references: Vec<String>,
    pub enclosures: Vec<Enclosure>,
    /// Not before.
    pub due_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LetterKind {
    Ack,
    Queue,
    Digest,
    Alert,
}

/// A file that goes with a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enclosure {
    pub name: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
}

/// Message-ID of a letter: derived from its key, so that a second copy can be recognised. `domain` is the mailbox's own.
#[must_use]
pub fn message_id(key: &str, domain: &str) -> String {
    use sha2::{Digest, Sha256};
    let hash: String = Sha256::digest(key.as_bytes()).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("<annexd.{hash}@{domain}>")
}
