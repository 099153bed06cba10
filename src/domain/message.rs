//! One mail, read from its bytes (RFC 5322, 2045–2047, 2231, 3834): who wrote it, which ids it carries, what marks it as
//! machine mail, its text, and every leaf part with its right name.

use jiff::Timestamp;

use super::limits::Limits;

/// A mail as read. Nothing in it is trusted; nothing in it is lost (the raw bytes stay beside it).
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// `<…>` of the Message-ID header, brackets included; `None` where missing or malformed.
    pub message_id: Option<String>,
    /// Ids of In-Reply-To and References, brackets included, in order, without repeats.
    pub references: Vec<String>,
    /// Mailboxes of the From header. Empty or several: never answered.
    pub from: Vec<Mailbox>,
    /// Mailboxes of To and Cc.
    pub recipients: Vec<Mailbox>,
    /// Decoded, one line.
    pub subject: String,
    /// The Date header; a hint, never proof.
    pub date: Option<Timestamp>,
    /// Everything that marks this as machine mail, each with the header that says so (RFC 3834, `X-QQ-AUTO-REPLY`, list mail …).
    pub machine_marks: Vec<MachineMark>,
    /// What a person would read: the text part, or the HTML part without its tags. Quoted history included.
    pub text: String,
    /// The HTML part, where there is one.
    pub html: Option<String>,
    /// Leaf parts that are not the body, in order.
    pub files: Vec<Part>,
    /// Parts beyond [`Limits::files_max`] or [`Limits::depth_max`] were left out.
    pub truncated: bool,
}

/// An address with its display name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// Decoded display name, one line, may be empty.
    pub name: String,
    /// `local@domain`, domain in lower case.
    pub address: String,
}

/// What a machine mark says about the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MachineKind {
    /// Out-of-office and other automatic replies (RFC 3834).
    AutoReply,
    /// Delivery status notification or a provider's 退信 (RFC 3464).
    Bounce,
    /// Read receipt (RFC 8098).
    Receipt,
    /// A sender tries to take a mail back (撤回).
    Recall,
    /// Mailing list, newsletter, promotion.
    Bulk,
    /// Written by annexd itself.
    Own,
    /// Not one of the above, but nobody expects an answer (no-reply addresses, suppressed responses).
    NoReply,
}

/// One reason to take a mail for machine mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineMark {
    pub kind: MachineKind,
    /// The evidence, for logs and `answer_reason`: `Auto-Submitted: auto-replied`.
    pub evidence: String,
}

/// A leaf part of the MIME tree.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// File name, decoded; made up (`part-3`) where the mail gives none. Not safe as a path: use it for show only.
    pub name: String,
    /// Media type as declared; a hint only.
    pub declared_type: String,
    /// Decoded bytes. For `message/rfc822`, the inner mail's raw bytes.
    pub bytes: Vec<u8>,
    /// An inner mail (forwarded as attachment).
    pub is_message: bool,
}

/// The bytes are no mail at all: no header line, or empty.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a mail: {0}")]
pub struct NotAMail(pub String);

/// Name of the header that marks annexd's own mail.
pub const OWN_MARK_HEADER: &str = "X-Annexd";

/// Reads a mail. Never panics on foreign bytes; whatever can be read is read.
///
/// # Errors
/// [`NotAMail`] where the bytes hold no header at all.
pub fn parse(raw: &[u8], limits: &Limits) -> Result<Message, NotAMail> {
    let _ = (raw, limits);
    Err(NotAMail("not built yet".into()))
}
