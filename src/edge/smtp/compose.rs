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
        folding::one_line,
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
    let name = Some(one_line(&letter.from.name)).filter(|name| !name.is_empty());
    let mut builder = Message::builder()
        .message_id(Some(letter.message_id.clone()))
        .from(LettreMailbox::new(name, address(&letter.from.address)?))
        .to(LettreMailbox::new(None, address(&letter.to)?))
        .subject(one_line(&letter.subject))
        .date(std::time::SystemTime::try_from(letter.date).map_err(|error| never(&error))?)
        .raw_header(raw("Auto-Submitted", &letter.auto_submitted))
        .raw_header(raw("X-Auto-Response-Suppress", "All"))
        .raw_header(raw(OWN_MARK_HEADER, "1"));
    if let Some(id) = &letter.in_reply_to {
        builder = builder.in_reply_to(one_line(id));
    }
    if !letter.references.is_empty() {
        let skip = letter.references.len().saturating_sub(REFERENCES_MAX);
        let kept: Vec<&str> =
            letter.references.iter().take(1).chain(letter.references.iter().skip(skip.max(1))).map(String::as_str).collect();
        builder = builder.references(one_line(&kept.join(" ")));
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
                    .singlepart(Attachment::new_inline_with_name(id, one_line(&picture.name)).body(picture.bytes.clone(), media(picture)?));
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
                parts = parts.singlepart(Attachment::new(one_line(&file.name)).body(file.bytes.clone(), media(file)?));
            }
            builder.multipart(parts)
        }
    };
    message.map_err(|error| error.to_string())
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Header lines of all parts.
    fn header_lines(raw: &str) -> impl Iterator<Item = &str> {
        raw.lines().filter(|line| line.contains(": ") && !line.starts_with([' ', '\t']))
    }

    #[test]
    fn nothing_that_a_letter_holds_becomes_a_header_of_its_own() {
        let evil = "甲\r\nBcc: x@evil.example\r\n\r\n<b>\u{202E}\"; filename=y.exe";
        let letter = Outgoing {
            message_id: "<annexd.1@163.com>".to_owned(),
            from: Mailbox { name: evil.to_owned(), address: "gxt@163.com".to_owned() },
            to: "a@b.cn".to_owned(),
            subject: evil.to_owned(),
            in_reply_to: Some("<a@b>\r\nBcc: x@evil.example".to_owned()),
            references: vec![evil.to_owned()],
            date: Timestamp::UNIX_EPOCH,
            text: "文\n".to_owned(),
            html: None,
            enclosures: vec![Enclosure {
                name: evil.to_owned(),
                media_type: "text/plain".to_owned(),
                bytes: b"x".to_vec(),
                content_id: None,
            }],
            auto_submitted: "auto-replied".to_owned(),
        };
        // Refused or harmless, never obeyed.
        if let Ok(bytes) = compose(&letter) {
            let raw = String::from_utf8(bytes).unwrap();
            assert!(!header_lines(&raw).any(|line| line.to_ascii_lowercase().starts_with("bcc")), "{raw}");
            assert_eq!(header_lines(&raw).filter(|line| line.starts_with("Subject: ")).count(), 1);
        }
        let refused = compose(&Outgoing { to: "a@b.cn\r\nBcc: x@evil.example".to_owned(), ..letter });
        assert!(refused.is_err(), "an address with a line break is no address");
    }
}
