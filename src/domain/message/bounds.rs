//! How much of a mail the MIME library may see. It parses in one go and keeps every part and header in memory, and a boundary that
//! never comes is looked for to the end; so the counts that drive memory, time and stack are bounded before it is called.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// Lines that may be boundaries.
const BOUNDARY_LINES_MAX: usize = 20_000;
/// Lines that may be header fields.
const HEADER_LINES_MAX: usize = 200_000;
/// Messages standing in each other: their destructors recurse.
const MESSAGES_MAX: usize = 200;
/// Each multipart may be searched to the mail's end once: parts × bytes.
const SEARCH_MAX_BYTES: usize = 8 << 30;
/// Longest field name that counts as one.
const FIELD_NAME_MAX_BYTES: usize = 76;

static TYPES: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let patterns = ["multipart/digest", "message/rfc822", "message/global", "multipart/"];
    AhoCorasick::builder().ascii_case_insensitive(true).match_kind(aho_corasick::MatchKind::LeftmostFirst).build(patterns).ok()
});

/// The part of the mail that stays within the bounds, and whether anything was cut.
pub fn bounded(raw: &[u8]) -> (&[u8], bool) {
    let end = lines_end(raw).min(types_end(raw));
    (raw.get(..end).unwrap_or(raw), end < raw.len())
}

fn lines_end(raw: &[u8]) -> usize {
    let (mut boundaries, mut fields, mut start) = (0, 0, 0);
    while start < raw.len() {
        let line = raw.get(start..).unwrap_or_default();
        if line.starts_with(b"--") {
            boundaries += 1;
        } else if is_field(line) {
            fields += 1;
        }
        if boundaries > BOUNDARY_LINES_MAX || fields > HEADER_LINES_MAX {
            return start;
        }
        start += memchr::memchr(b'\n', line).map_or(line.len(), |at| at + 1);
    }
    raw.len()
}

fn is_field(line: &[u8]) -> bool {
    let head = line.get(..line.len().min(FIELD_NAME_MAX_BYTES)).unwrap_or_default();
    let end = head.iter().position(|byte| !byte.is_ascii_graphic() || *byte == b':');
    end.is_some_and(|end| end > 0 && head.get(end) == Some(&b':'))
}

fn types_end(raw: &[u8]) -> usize {
    let Some(types) = TYPES.as_ref() else { return raw.len() };
    let multiparts_max = SEARCH_MAX_BYTES / raw.len().max(1);
    let (mut messages, mut multiparts) = (0, 0);
    for found in types.find_iter(raw) {
        match found.pattern().as_usize() {
            3 => multiparts += 1,
            0 => {
                multiparts += 1;
                messages += 1;
            }
            _ => messages += 1,
        }
        if messages > MESSAGES_MAX || multiparts > multiparts_max {
            return found.start();
        }
    }
    raw.len()
}
