//! A letter as mail: text in UTF-8, threaded under the mail it answers, marked as automatic (RFC 3834) and as ours.

use jiff::Timestamp;
use lettre::{
    Message,
    message::{
        Attachment, Mailbox as LettreMailbox, MessageBuilder, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};

use crate::{
    domain::{
        letters::Enclosure,
        message::{Mailbox, OWN_MARK_HEADER},
    },
    edge::fault::Fault,
};

/// Everything that stands in an outgoing mail.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub message_id: String,
    pub from: Mailbox,
    pub to: String,
    pub subject: String,
    pub in_reply_to: Option<String>,
    pub references: Vec<String>,
    pub date: Timestamp,
    pub text: String,
    /// HTML twin of the text.
    pub html: Option<String>,
    pub enclosures: Vec<Enclosure>,
    /// `auto-replied` or `auto-generated`.
    pub auto_submitted: String,
}

/// References kept in the header: the first and the latest ones (RFC 5322 line lengths).
const REFERENCES_MAX: usize = 20;

/// The mail's bytes. No Reply-To, one recipient, From as the account's own address.
///
/// # Errors
/// An address that is not valid: the letter can never be sent.
pub fn compose(letter: &Outgoing) -> Result<Vec<u8>, Fault> {
    let never = |error: &dyn std::fmt::Display| Fault::never(format!("the letter cannot be written: {error}"));
    let address = |text: &str| text.parse().map_err(|error| never(&format!("the address {text:?} is not valid: {error}")));
    let name = Some(letter.from.name.clone()).filter(|name| !name.is_empty());
    let mut builder = Message::builder()
        .message_id(Some(letter.message_id.clone()))
        .from(LettreMailbox::new(name, address(&letter.from.address)?))
        .to(LettreMailbox::new(None, address(&letter.to)?))
        .subject(letter.subject.clone())
        .date(std::time::SystemTime::try_from(letter.date).map_err(|error| never(&error))?)
        .raw_header(raw("Auto-Submitted", &letter.auto_submitted))
        .raw_header(raw("X-Auto-Response-Suppress", "All"))
        .raw_header(raw(OWN_MARK_HEADER, "1"));
    if let Some(id) = &letter.in_reply_to {
        builder = builder.in_reply_to(id.clone());
    }
    if !letter.references.is_empty() {
        let skip = letter.references.len().saturating_sub(REFERENCES_MAX);
        let kept: Vec<&str> =
            letter.references.iter().take(1).chain(letter.references.iter().skip(skip.max(1))).map(String::as_str).collect();
        builder = builder.references(kept.join(" "));
    }
    let message = body(builder, letter).map_err(|error| never(&error))?;
    Ok(message.formatted())
}

/// Text alone; with its HTML twin as alternative; pictures beside the HTML; files around it all (RFC 2046, RFC 2387).
fn body(builder: MessageBuilder, letter: &Outgoing) -> Result<Message, String> {
    let text = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(letter.text.clone());
    let media = |enclosure: &Enclosure| ContentType::parse(&enclosure.media_type).map_err(|error| error.to_string());
    let (pictures, files): (Vec<&Enclosure>, Vec<&Enclosure>) =
        letter.enclosures.iter().partition(|enclosure| letter.html.is_some() && enclosure.content_id.is_some());
    let both = match &letter.html {
        None => None,
        Some(html) => {
            let html = SinglePart::builder().header(ContentType::TEXT_HTML).body(html.clone());
            let mut related = MultiPart::related().singlepart(html);
            for picture in &pictures {
                let id = picture.content_id.clone().unwrap_or_default();
                related = related
                    .singlepart(Attachment::new_inline_with_name(id, picture.name.clone()).body(picture.bytes.clone(), media(picture)?));
            }
            Some(MultiPart::alternative().singlepart(text.clone()).multipart(related))
        }
    };
    let message = match (both, files.is_empty()) {
        (None, true) => builder.singlepart(text),
        (Some(both), true) => builder.multipart(both),
        (both, false) => {
            let mut parts = match both {
                Some(both) => MultiPart::mixed().multipart(both),
                None => MultiPart::mixed().singlepart(text),
            };
            for file in files {
                parts = parts.singlepart(Attachment::new(file.name.clone()).body(file.bytes.clone(), media(file)?));
            }
            builder.multipart(parts)
        }
    };
    message.map_err(|error| error.to_string())
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
