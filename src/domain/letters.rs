//! The letters annexd writes: plain values, rendered from templates an administrator may edit. The outbox keeps them; only the
//! send step lets them out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub mod alert;
pub mod caps;
pub mod charts;
pub mod digest;
pub mod faults;
pub mod orders;
pub mod preview;
pub mod queue;
mod queue_workbook;
pub mod receipt;
pub mod reply;
pub mod templates;
mod workbook;

/// One outgoing letter, before it is queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// What it is about; unique, so that nothing is said twice: `ack:<sha256>`, `queue:<division>:<slot>`, `digest:<to>:<day>`.
    pub key: String,
    pub kind: LetterKind,
    pub urgency: Urgency,
    /// One address.
    pub to: String,
    pub subject: String,
    pub text: String,
    /// HTML twin of the text; internal letters only (163 takes HTML for a mark of spam).
    pub html: Option<String>,
    pub in_reply_to: Option<String>,
    pub references: Vec<String>,
    pub enclosures: Vec<Enclosure>,
    /// Not before.
    pub due_at: Timestamp,
    /// What an automatic answer must keep to; `None` for internal letters.
    pub caps: Option<caps::AnswerCaps>,
    /// It answers a mail that answered us or brought nothing new, as a mail loop does.
    pub alternates: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LetterKind {
    Ack,
    Queue,
    Digest,
    Alert,
}

/// The order in which waiting letters leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    Alert = 0,
    /// Receipt of annexes.
    Receipt = 1,
    Queue = 2,
    Digest = 3,
    /// Answer to a mail without annexes.
    Courtesy = 4,
}

/// A file that goes with a letter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Enclosure {
    pub name: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
    /// Of a picture that stands inside the HTML text (`cid:`).
    pub content_id: Option<String>,
}

/// A letter's state in the outbox, as people read it.
#[must_use]
pub fn state_in_words(state: &str) -> &str {
    match state {
        "queued" => "待发",
        "sending" => "发送中",
        "sent" => "已发",
        "unknown" => "结果不明",
        "failed" => "失败",
        "held" => "暂缓",
        other => other,
    }
}

/// Why a letter is held, as people read it.
#[must_use]
pub fn held_in_words(because: &str) -> &'static str {
    match because {
        "loop" => "与该地址自动往返，已停止回复",
        "address_cap" => "对该地址的回复超过上限",
        "undeliverable" => "该地址近期退信",
        "content" => "被判为垃圾邮件",
        _ => "人工暂缓",
    }
}

/// Media type of a workbook.
pub const WORKBOOK_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Message-ID of a letter: derived from its key, so that a second copy can be recognised. `domain` is the mailbox's own.
#[must_use]
pub fn message_id(key: &str, domain: &str) -> String {
    use sha2::{Digest, Sha256};
    let hash: String = Sha256::digest(key.as_bytes()).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("<annexd.{hash}@{domain}>")
}
