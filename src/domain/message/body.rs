//! The parts of a mail: which of them are its text, and all others as files, whatever their disposition says.

use mail_parser::{
    Encoding, Message as Parsed, MessagePart, MimeHeaders as _, PartType,
    decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode},
};

use base64::Engine as _;

use super::{Message, Part, bulk::Skeleton, names};
use crate::domain::{folding::one_line, limits::Limits};

/// Text, HTML and the ids of the parts that they came from.
pub fn read(parsed: &Parsed<'_>, raw: &[u8], limits: &Limits) -> (String, Option<String>, Vec<usize>) {
    let mut used = Vec::new();
    let mut text = String::new();
    let mut html = String::new();
    for (index, part) in parsed.parts.iter().enumerate() {
        if is_attachment(part, raw) {
            continue;
        }
        match &part.body {
            PartType::Text(decoded) if is_plain(part) => {
                add(&mut text, &redecoded(part, raw, decoded));
                used.push(index);
            }
            PartType::Html(decoded) => {
                add(&mut html, &redecoded(part, raw, decoded));
                used.push(index);
            }
            _ => {}
        }
    }
    if text.trim().is_empty() && !html.is_empty() {
        text = html_text(&html);
    }
    let capped = |text: String, max_chars: usize| text.chars().take(max_chars).collect::<String>();
    (capped(text, limits.text_max_chars), Some(capped(html, limits.html_max_chars)).filter(|html| !html.is_empty()), used)
}

fn add(out: &mut String, text: &str) {
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(text);
}

/// Adds every leaf part that is not the body, in order.
///
/// # Errors
/// What must be read instead, where a part cannot be put together from this skeleton.
pub fn leaf_parts<'r>(
    parsed: Parsed<'_>,
    skeleton: &Skeleton<'r>,
    raw: &[u8],
    body_parts: &[usize],
    limits: &Limits,
    message: &mut Message,
) -> Result<(), Skeleton<'r>> {
    for (index, mut part) in parsed.parts.into_iter().enumerate() {
        if body_parts.contains(&index) || matches!(part.body, PartType::Multipart(_)) {
            continue;
        }
        if message.files.len() >= limits.files_max {
            message.truncated = true;
            return Ok(());
        }
        let declared_type = declared_type(&part);
        let name = name(&part, raw);
        // An inner mail is called by its subject, which goes with its bytes.
        let made_up = if name.is_none() { made_up_name(&part, index, &declared_type) } else { String::new() };
        // Moved, never copied: a mail may be as large as the memory allowed.
        let (bytes, is_message) = match std::mem::replace(&mut part.body, PartType::Multipart(Vec::new())) {
            PartType::Message(inner) if part.encoding == Encoding::None => (skeleton.verbatim(&part).to_vec(), !inner.parts.is_empty()),
            PartType::Message(inner) => (inner.raw_message.into_owned(), true),
            PartType::Binary(bytes) | PartType::InlineBinary(bytes) => match skeleton.put_together(&part, bytes.into_owned()) {
                Some(whole) => (whole, false),
                None => return Err(skeleton.whole()),
            },
            // Text files keep their own bytes: their charset is the reader's matter.
            PartType::Text(_) | PartType::Html(_) => (transfer_decoded(&part, raw), false),
            PartType::Multipart(_) => continue,
        };
        // An empty unnamed part is the mail program's filler, not a file.
        if bytes.is_empty() && name.is_none() {
            continue;
        }
        let name = name.unwrap_or(made_up);
        message.files.push(Part { name, declared_type, bytes, is_message });
    }
    Ok(())
}

/// It has a file name, or says that it is an attachment.
fn is_attachment(part: &MessagePart<'_>, raw: &[u8]) -> bool {
    part.content_disposition().is_some_and(|disposition| disposition.c_type.eq_ignore_ascii_case("attachment")) || name(part, raw).is_some()
}

fn is_plain(part: &MessagePart<'_>) -> bool {
    part.content_type().is_none_or(|declared| {
        declared.c_type.eq_ignore_ascii_case("text")
            && declared.c_subtype.as_deref().is_none_or(|subtype| subtype.eq_ignore_ascii_case("plain"))
    })
}

fn declared_type(part: &MessagePart<'_>) -> String {
    part.content_type().map_or_else(
        || "text/plain".to_owned(),
        |declared| format!("{}/{}", declared.c_type, declared.c_subtype.as_deref().unwrap_or("*")).to_ascii_lowercase(),
    )
}

/// `filename` of Content-Disposition, else `name` of Content-Type. Of the names that a part gives, the first without signs of a
/// system that could not write it: question marks stand for lost characters, for no file may be called so.
fn name(part: &MessagePart<'_>, raw: &[u8]) -> Option<String> {
    let mut first = None;
    for (header, parameter) in [("Content-Disposition", "filename"), ("Content-Type", "name")] {
        for field in part.headers.iter().filter(|field| field.name().eq_ignore_ascii_case(header)) {
            let value = raw.get(field.offset_start as usize..field.offset_end as usize).unwrap_or_default();
            for name in names::parameter(value, parameter).map(|name| one_line(&name)).filter(|name| !name.is_empty()) {
                if !name.contains(['?', '\u{FFFD}']) {
                    return Some(name);
                }
                first = first.or(Some(name));
            }
        }
    }
    first
}

fn made_up_name(part: &MessagePart<'_>, index: usize, declared_type: &str) -> String {
    if let PartType::Message(inner) = &part.body {
        let subject = inner.headers().iter().find(|header| header.name().eq_ignore_ascii_case("Subject"));
        let raw = inner.raw_message.as_ref();
        let subject = subject.and_then(|header| raw.get(header.offset_start as usize..header.offset_end as usize));
        let subject = subject.map(|value| one_line(&names::decode(&names::unfold(value)))).filter(|subject| !subject.is_empty());
        return format!("{}.eml", subject.unwrap_or_else(|| format!("part-{index}")).replace('/', "_"));
    }
    let extension = match declared_type {
        "application/pdf" => "pdf",
        "application/zip" | "application/x-zip-compressed" => "zip",
        "application/msword" => "doc",
        "application/vnd.ms-excel" => "xls",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "text/plain" => "txt",
        "text/html" => "html",
        "text/csv" => "csv",
        _ => "bin",
    };
    format!("part-{index}.{extension}")
}

fn slice<'a>(part: &MessagePart<'_>, raw: &'a [u8]) -> &'a [u8] {
    raw.get(part.offset_body as usize..part.offset_end as usize).unwrap_or_default()
}

fn transfer_decoded(part: &MessagePart<'_>, raw: &[u8]) -> Vec<u8> {
    let body = slice(part, raw);
    // The library gives up on base64 with a fault in it; what came before and after the fault is still worth having.
    let declares_base64 = part.content_transfer_encoding().is_some_and(|encoding| encoding.trim().eq_ignore_ascii_case("base64"));
    if part.is_encoding_problem && declares_base64 {
        return lenient_base64(body);
    }
    match part.encoding {
        Encoding::Base64 => base64_decode(body),
        Encoding::QuotedPrintable => quoted_printable_decode(body),
        Encoding::None => None,
    }
    .unwrap_or_else(|| body.to_vec())
}

/// Base64 up to the first line that is none, foreign characters left out, an incomplete last group dropped.
fn lenient_base64(body: &[u8]) -> Vec<u8> {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut digits = Vec::with_capacity(body.len());
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        let foreign = line.iter().filter(|byte| !is_digit(byte) && **byte != b'=').count();
        if foreign * 10 > line.len() {
            break;
        }
        digits.extend(line.iter().copied().filter(is_digit));
        if line.ends_with(b"=") {
            break;
        }
    }
    digits.truncate(digits.len() - usize::from(digits.len() % 4 == 1));
    names::LENIENT.decode(&digits).unwrap_or_default()
}

/// The library's decoding, unless it met bytes that its charset cannot explain, or a charset it does not know.
fn redecoded(part: &MessagePart<'_>, raw: &[u8], decoded: &str) -> String {
    let charset = part.content_type().and_then(|declared| declared.attribute("charset")).unwrap_or_default();
    let is_hz = charset.to_ascii_lowercase().starts_with("hz");
    if decoded.contains('\u{FFFD}') || is_hz || part.is_encoding_problem {
        names::decode_charset(charset, &transfer_decoded(part, raw))
    } else {
        decoded.to_owned()
    }
}

/// What a person sees of an HTML text: tags dropped, blocks on lines of their own, entities decoded by the library.
fn html_text(html: &str) -> String {
    mail_parser::decoders::html::html_to_text(html)
}
