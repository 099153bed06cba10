//! Outlook's winmail.dat (MS-OXTNEF): attachments with their long Unicode names, which stand only among the MAPI properties.

use encoding_rs::GB18030;

use super::{
    archives::{Entry, Sink, nothing_inside},
    budget::{Meter, Trouble},
    names,
};
use crate::domain::folding::one_line;

const RENDER_DATA: u32 = 0x0006_9002;
const TITLE: u32 = 0x0001_8010;
const DATA: u32 = 0x0006_800F;
const ATTACHMENT: u32 = 0x0006_9005;

const PR_ATTACH_DATA: u16 = 0x3701;
/// Long name, display name, short name: best first.
const NAME_PROPERTIES: [u16; 3] = [0x3707, 0x3001, 0x3704];
const PT_OBJECT: u16 = 0x000D;
const PT_STRING8: u16 = 0x001E;
const PT_UNICODE: u16 = 0x001F;
const PT_BINARY: u16 = 0x0102;
const MULTI_VALUE: u16 = 0x1000;
/// An embedded message stands behind the 16 bytes of its interface's id.
const OBJECT_ID_BYTES: usize = 16;

#[derive(Default)]
struct Attachment<'a> {
    short_name: Option<String>,
    /// By rank in [`NAME_PROPERTIES`].
    names: [Option<String>; 3],
    data: Option<&'a [u8]>,
    object: Option<&'a [u8]>,
}

/// Hands over every attachment.
///
/// # Errors
/// What keeps the rest from being read.
pub fn open(bytes: &[u8], meter: &Meter<'_>, sink: Sink<'_>) -> Result<(), Trouble> {
    let mut cursor = Cursor { rest: bytes.get(6..).ok_or(Trouble::Damaged)? };
    let mut open: Option<Attachment<'_>> = None;
    let mut count = 0_usize;
    let mut give = |attachment: Option<Attachment<'_>>, count: &mut usize| -> Result<(), Trouble> {
        let Some(attachment) = attachment else { return Ok(()) };
        *count += 1;
        hand_over(attachment, *count, meter, sink)
    };
    let mut cut = false;
    while !cursor.rest.is_empty() {
        let Some((id, value)) = cursor.attribute() else {
            cut = true;
            break;
        };
        match id {
            RENDER_DATA => give(open.replace(Attachment::default()), &mut count)?,
            TITLE => open.get_or_insert_default().short_name = Some(text8(value)),
            DATA => open.get_or_insert_default().data = Some(value),
            ATTACHMENT => {
                // What cannot be read of the properties leaves the title and the data.
                let _ = properties(value, open.get_or_insert_default());
            }
            _ => {}
        }
    }
    give(open, &mut count)?;
    match (count, cut) {
        (_, true) => Err(Trouble::Damaged),
        (0, false) => Err(nothing_inside()),
        _ => Ok(()),
    }
}

fn hand_over(attachment: Attachment<'_>, number: usize, meter: &Meter<'_>, sink: Sink<'_>) -> Result<(), Trouble> {
    let object = attachment.object.and_then(|object| object.get(OBJECT_ID_BYTES..));
    let Some(bytes) = attachment.data.filter(|data| !data.is_empty()).or(object) else { return Ok(()) };
    let long = attachment.names.into_iter().flatten().find(|name| !name.is_empty());
    let name = long.or(attachment.short_name).filter(|name| !name.is_empty()).unwrap_or_else(|| format!("附件{number}"));
    let name = names::tidy(&name);
    if names::is_junk(&name) {
        return Ok(());
    }
    meter.count_entry()?;
    meter.charge(bytes.len())?;
    sink(Entry { name, content: Ok(bytes.to_vec()) });
    Ok(())
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).and_then(|slice| slice.try_into().ok()).map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4).and_then(|slice| slice.try_into().ok()).map(u32::from_le_bytes)
    }

    /// Level, id, length, value, checksum (MS-OXTNEF 2.1.3.3).
    fn attribute(&mut self) -> Option<(u32, &'a [u8])> {
        self.take(1)?;
        let id = self.u32()?;
        let length = self.u32()? as usize;
        let value = self.take(length)?;
        self.take(2)?;
        Some((id, value))
    }

    /// A value of known length, padded to four bytes.
    fn padded(&mut self, length: usize) -> Option<&'a [u8]> {
        let value = self.take(length)?;
        let padding = length.wrapping_neg() % 4;
        self.take(padding.min(self.rest.len()))?;
        Some(value)
    }
}

/// Reads the MAPI properties of one attachment (MS-OXTNEF 2.1.3.4).
fn properties<'a>(value: &'a [u8], attachment: &mut Attachment<'a>) -> Option<()> {
    let mut cursor = Cursor { rest: value };
    let count = cursor.u32()?;
    for _ in 0..count {
        let kind = cursor.u16()?;
        let id = cursor.u16()?;
        if id >= 0x8000 {
            skip_name(&mut cursor)?;
        }
        let values = if kind & MULTI_VALUE != 0 || is_variable(kind) { cursor.u32()? } else { 1 };
        for _ in 0..values {
            let value = property_value(&mut cursor, kind & !MULTI_VALUE)?;
            if id == PR_ATTACH_DATA {
                match kind {
                    PT_OBJECT => attachment.object = Some(value),
                    _ => attachment.data = Some(value),
                }
            }
            if let Some(slot) = NAME_PROPERTIES.iter().position(|known| *known == id).and_then(|rank| attachment.names.get_mut(rank)) {
                *slot = Some(if kind == PT_UNICODE { text16(value) } else { text8(value) });
            }
        }
    }
    Some(())
}

/// A named property's set and its number or name.
fn skip_name(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.take(16)?;
    match cursor.u32()? {
        0 => cursor.take(4).map(|_| ()),
        _ => {
            let length = cursor.u32()? as usize;
            cursor.padded(length).map(|_| ())
        }
    }
}

fn is_variable(kind: u16) -> bool {
    matches!(kind, PT_OBJECT | PT_STRING8 | PT_UNICODE | PT_BINARY)
}

fn property_value<'a>(cursor: &mut Cursor<'a>, kind: u16) -> Option<&'a [u8]> {
    match kind {
        _ if is_variable(kind) => {
            let length = cursor.u32()? as usize;
            cursor.padded(length)
        }
        // Currency, double, time, 8-byte integer.
        0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => cursor.take(8),
        0x0048 => cursor.take(16),
        _ => cursor.take(4),
    }
}

/// Text in the sender's code page: on Chinese systems GBK.
fn text8(value: &[u8]) -> String {
    let value = value.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = std::str::from_utf8(value).map_or_else(|_| GB18030.decode(value).0.into_owned(), str::to_owned);
    one_line(&text)
}

fn text16(value: &[u8]) -> String {
    let units = value.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).take_while(|unit| *unit != 0);
    one_line(&char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')).collect::<String>())
}
