//! One mail, read from its bytes (RFC 5322, 2045–2047, 2231, 3834): who wrote it, which ids it carries, what marks it as
//! machine mail, its text, and every leaf part with its right name.

use jiff::Timestamp;

use mail_parser::MessageParser;
use serde::{Deserialize, Serialize};

use super::{folding::one_line, limits::Limits};
use bulk::Skeleton;

mod addresses;
mod body;
mod bounds;
mod bulk;
mod machine;
mod names;
mod uuencode;
#[cfg(test)]
mod tests;

/// A mail as read. Nothing in it is trusted; nothing in it is lost (the raw bytes stay beside it).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
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
    /// The raw header block, at most [`HEADER_MAX_BYTES`]: for what the provider wrote into it.
    pub header: Vec<u8>,
    /// Parts beyond [`Limits::files_max`] or [`Limits::depth_max`] were left out.
    pub truncated: bool,
}

/// An address with its display name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// Decoded display name, one line, may be empty.
    pub name: String,
    /// `local@domain`, domain in lower case.
    pub address: String,
}

/// What a machine mark says about the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineMark {
    pub kind: MachineKind,
    /// The evidence, for logs and `answer_reason`: `Auto-Submitted: auto-replied`.
    pub evidence: String,
}

/// A leaf part of the MIME tree.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
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

/// Bytes kept of a header block.
pub const HEADER_MAX_BYTES: usize = 64 * 1024;

/// Everything before the first empty line.
fn header_block(raw: &[u8]) -> &[u8] {
    let head = raw.get(..raw.len().min(HEADER_MAX_BYTES)).unwrap_or_default();
    let is_last = |at: &usize| head.get(at + 1..).is_some_and(|rest| rest.starts_with(b"\n") || rest.starts_with(b"\r\n"));
    let end = memchr::memchr_iter(b'\n', head).find(is_last).map_or(head.len(), |at| at + 1);
    head.get(..end).unwrap_or_default()
}

/// Reads a mail. Never panics on foreign bytes; whatever can be read is read.
///
/// # Errors
/// [`NotAMail`] where the bytes hold no header at all.
pub fn parse(raw: &[u8], limits: &Limits) -> Result<Message, NotAMail> {
    parse_skeleton(Skeleton::of(raw), limits)
}

/// From what is left of the mail; else with less left out, and at last from the whole of it.
fn parse_skeleton(skeleton: Skeleton<'_>, limits: &Limits) -> Result<Message, NotAMail> {
    let whole = skeleton.whole();
    let mut next = skeleton;
    for _ in 0..2 {
        match try_parse(&next, limits)? {
            Ok(message) => return Ok(message),
            Err(fuller) => next = fuller,
        }
    }
    try_parse(&whole, limits)?.map_err(|_| NotAMail("nothing can be read".into()))
}

/// Reads a mail from what is left of it; or answers what must be left of it.
fn try_parse<'r>(skeleton: &Skeleton<'r>, limits: &Limits) -> Result<Result<Message, Skeleton<'r>>, NotAMail> {
    let (raw, cut) = bounds::bounded(&skeleton.text);
    // Only what the MIME structure needs is parsed by the library; all other headers are read from their raw bytes.
    let parser = MessageParser::new().with_mime_headers().with_date_headers().default_header_ignore();
    let parsed = parser.parse(raw).ok_or_else(|| NotAMail("no header line".into()))?;
    if !parsed.headers().iter().any(|header| is_mail_header(header.name())) {
        return Err(NotAMail("none of the headers of a mail".into()));
    }
    if let Some(fuller) = skeleton.without_misplaced(&parsed) {
        return Ok(Err(fuller));
    }
    let headers = Headers::of(&parsed, raw);
    let (text, html, body_parts) = body::read(&parsed, raw, limits);
    let mut message = Message {
        message_id: ids(&headers.text("Message-ID")).into_iter().next(),
        references: references(&headers),
        from: headers.all("From").iter().flat_map(|value| addresses::parse(value)).collect(),
        recipients: ["To", "Cc"].iter().flat_map(|name| headers.all(name)).flat_map(|value| addresses::parse(&value)).collect(),
        subject: one_line(&names::decode(&headers.first("Subject").unwrap_or_default())),
        date: parsed.date().and_then(|date| Timestamp::from_second(date.to_timestamp()).ok()),
        machine_marks: Vec::new(),
        text,
        html,
        files: Vec::new(),
        truncated: cut,
        header: header_block(raw).to_vec(),
    };
    message.machine_marks = machine::marks(&headers, &message);
    if let Err(fuller) = body::leaf_parts(parsed, skeleton, raw, &body_parts, limits, &mut message) {
        return Ok(Err(fuller));
    }
    uuencode::take_out(&mut message, limits);
    Ok(Ok(message))
}

/// The HTML pages of a saved web page (MHTML, RFC 2557), decoded, in order; empty where the bytes are none.
#[must_use]
pub fn web_pages(raw: &[u8]) -> Vec<String> {
    let Some(parsed) = MessageParser::default().parse(raw) else { return Vec::new() };
    let pages = parsed.parts.iter().filter_map(|part| match &part.body {
        mail_parser::PartType::Html(page) => Some(page.to_string()),
        _ => None,
    });
    pages.collect()
}

/// A text file is not a mail because a line of it has a colon: one of these must be there.
fn is_mail_header(name: &str) -> bool {
    ["from", "to", "subject", "date", "message-id", "received", "mime-version", "return-path", "content-type"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// References and In-Reply-To, in order, without repeats (RFC 5322 section 3.6.4).
fn references(headers: &Headers<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for name in ["References", "In-Reply-To"] {
        for id in ids(&headers.text(name)) {
            if !found.contains(&id) {
                found.push(id);
            }
        }
    }
    found
}

/// `<…>` tokens of a header, brackets included; white space inside one is folding and drops out.
fn ids(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((id, tail)) = after.split_once('>') else { break };
        let id: String = id.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        if id.is_ascii() && !id.is_empty() && id.len() < 900 {
            found.push(format!("<{id}>"));
        }
        rest = tail;
    }
    found
}

/// Raw header values of a mail, by name without regard to case. The library decodes encoded words one by one, which breaks
/// characters that are split between two of them; so the bytes are taken as they are.
pub(crate) struct Headers<'a> {
    fields: Vec<(String, &'a [u8])>,
}

impl<'a> Headers<'a> {
    fn of(parsed: &mail_parser::Message<'_>, raw: &'a [u8]) -> Self {
        let value =
            |header: &mail_parser::Header<'_>| raw.get(header.offset_start as usize..header.offset_end as usize).unwrap_or_default();
        Self { fields: parsed.headers().iter().map(|header| (header.name().to_owned(), value(header))).collect() }
    }

    /// All values of one header, in order.
    fn all(&self, name: &str) -> Vec<Vec<u8>> {
        self.fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| names::unfold(value)).collect()
    }

    fn first(&self, name: &str) -> Option<Vec<u8>> {
        self.all(name).into_iter().next()
    }

    /// All values as text, joined; empty where there is none.
    fn text(&self, name: &str) -> String {
        self.all(name).iter().map(|value| String::from_utf8_lossy(value).trim().to_owned()).collect::<Vec<_>>().join(" ")
    }

    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field.eq_ignore_ascii_case(name))
    }

    fn has_prefix(&self, prefix: &str) -> Option<&str> {
        let starts = |field: &str| field.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        self.fields.iter().map(|(field, _)| field.as_str()).find(|field| starts(field))
    }
}
