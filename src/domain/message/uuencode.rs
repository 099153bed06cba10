//! Files that old programs write into the text itself: `begin 644 name … end` (POSIX uuencode).

use super::{Message, Part, names};
use crate::domain::{folding::one_line, limits::Limits};

/// Moves uuencoded files from the text to the files.
pub fn take_out(message: &mut Message, limits: &Limits) {
    if !message.text.contains("begin ") {
        return;
    }
    let mut text = String::with_capacity(message.text.len());
    let mut rest = message.text.as_str();
    while let Some((line, after)) = split_line(rest) {
        let file = file_name(line).and_then(|name| decode(after).map(|(bytes, after)| (name, bytes, after)));
        match file {
            Some((name, bytes, after)) if message.files.len() < limits.files_max => {
                message.files.push(Part { name, declared_type: "application/octet-stream".to_owned(), bytes, is_message: false });
                rest = after;
            }
            file => {
                message.truncated |= file.is_some();
                text.push_str(line);
                rest = after;
            }
        }
    }
    message.text = text;
}

/// The first line with its end, and the rest.
fn split_line(text: &str) -> Option<(&str, &str)> {
    (!text.is_empty()).then(|| text.split_at(text.find('\n').map_or(text.len(), |at| at + 1)))
}

/// The name in `begin 644 name`.
fn file_name(line: &str) -> Option<String> {
    let (mode, name) = line.strip_prefix("begin ")?.split_once(' ')?;
    let is_mode = matches!(mode.len(), 3 | 4) && mode.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    let name = one_line(&names::decode(name.as_bytes()));
    (is_mode && !name.is_empty()).then_some(name)
}

/// The bytes up to `end`, and what follows; `None` where a line is none of uuencode's.
fn decode(text: &str) -> Option<(Vec<u8>, &str)> {
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        let (line, after) = split_line(rest)?;
        let line = line.trim_end_matches(['\r', '\n']);
        rest = after;
        if line == "end" {
            return Some((out, rest));
        }
        let (first, data) = line.as_bytes().split_first()?;
        let count = value(*first)?;
        let start = out.len();
        for group in data.chunks(4) {
            let bits = group.iter().try_fold(0_u32, |bits, byte| value(*byte).map(|value| bits << 6 | value as u32))?;
            let bits = bits << (6 * (4 - group.len()));
            out.extend(bits.to_be_bytes().into_iter().skip(1));
        }
        if out.len() < start + count {
            return None;
        }
        out.truncate(start + count);
    }
}

fn value(byte: u8) -> Option<usize> {
    matches!(byte, b' '..=b'`').then(|| usize::from((byte - b' ') & 0x3F))
}
