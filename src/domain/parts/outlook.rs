//! Outlook messages saved as files (.msg, MS-OXMSG): subject and text, and the attachments with their long names.

use super::{
    archives::{Entry, Sink},
    budget::{Meter, Trouble},
    names,
    ole::Ole,
};
use crate::domain::{
    folding::{clean, one_line},
    message::Message,
};

/// The message of a .msg file (subject and text only); its attachments go to the sink.
///
/// # Errors
/// What keeps the rest from being read.
pub fn open(bytes: &[u8], meter: &Meter<'_>, sink: Sink<'_>) -> Result<Vec<Message>, Trouble> {
    let ole = Ole::open(bytes).ok_or(Trouble::Damaged)?;
    let mut messages = Vec::new();
    read(&ole, (0, ""), meter, sink, &mut messages)?;
    Ok(messages)
}

/// Reads the message in `storage`; `place` is its number and the way to it.
fn read(ole: &Ole<'_>, place: (usize, &str), meter: &Meter<'_>, sink: Sink<'_>, messages: &mut Vec<Message>) -> Result<(), Trouble> {
    let (storage, way) = place;
    let text_max_bytes = meter.limits().text_max_chars.saturating_mul(4);
    messages.push(Message {
        subject: one_line(&text(ole, storage, "0037", 2_000).unwrap_or_default()),
        text: clean(&text(ole, storage, "1000", text_max_bytes).unwrap_or_default()),
        ..Message::default()
    });
    let attachments = ole
        .children(storage)
        .into_iter()
        .filter(|child| ole.entry(*child).is_some_and(|entry| entry.is_storage && entry.name.starts_with("__attach_version1.0")));
    for (number, attachment) in attachments.enumerate() {
        let name = ["3707", "3001", "3704"].iter().find_map(|tag| text(ole, attachment, tag, 2_000)).filter(|name| !name.is_empty());
        let name = names::tidy(&name.unwrap_or_else(|| format!("附件{}", number + 1)));
        let full = if way.is_empty() { name.clone() } else { format!("{way}/{name}") };
        if names::is_junk(&name) {
            continue;
        }
        if let Some(inner) = ole.find(attachment, "__substg1.0_3701000D") {
            meter.count_entry()?;
            // Each message inside stands one name further along the way.
            let depth_max = meter.limits().depth_max;
            if full.matches('/').count() < depth_max {
                read(ole, (inner, &full), meter, sink, messages)?;
            } else {
                let limit = format!("压缩包或邮件的嵌套超过{depth_max}层的上限");
                sink(Entry { name: full, content: Err(Trouble::Refused(limit)) });
            }
            continue;
        }
        meter.count_entry()?;
        sink(Entry { name: full, content: content(ole, attachment, meter)? });
    }
    Ok(())
}

/// An attachment's bytes, or why there are none.
///
/// # Errors
/// A limit of the whole file.
fn content(ole: &Ole<'_>, attachment: usize, meter: &Meter<'_>) -> Result<Result<Vec<u8>, Trouble>, Trouble> {
    // A file on a net disk or a share is only named (MS-OXCMSG 2.2.2.9, attachment by reference).
    let Some(data) = ole.find(attachment, "__substg1.0_37010102") else { return Ok(Err(only_named())) };
    let bytes = ole.stream(data, meter.entry_max_bytes().saturating_add(1));
    if bytes.len() > meter.entry_max_bytes() {
        return Ok(Err(meter.too_large()));
    }
    meter.charge(bytes.len())?;
    Ok(Ok(bytes))
}

fn only_named() -> Trouble {
    Trouble::Unsupported("邮件中只有该附件的名称或链接，没有附件本身。请将文件作为普通附件重新发送。".to_owned())
}

/// A text property: Unicode, else in the code page of a Chinese system.
fn text(ole: &Ole<'_>, storage: usize, tag: &str, max_bytes: usize) -> Option<String> {
    if let Some(wide) = ole.find(storage, &format!("__substg1.0_{tag}001F")) {
        let raw = ole.stream(wide, max_bytes);
        let units = raw.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
        return Some(char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')).filter(|c| *c != '\0').collect());
    }
    let narrow = ole.find(storage, &format!("__substg1.0_{tag}001E"))?;
    Some(names::decode(&ole.stream(narrow, max_bytes)).replace('\0', ""))
}
