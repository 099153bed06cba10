//! Text in headers: encoded words (RFC 2047) and parameters (RFC 2231) as Chinese mail programs really write them: words inside
//! quotes, characters split between words or segments, raw GBK bytes, `gb2312` that means GB18030.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GB18030};

/// Base64 as it comes: with or without padding.
pub const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// An encoded word is searched for its end no further than this (RFC 2047 allows 75); else hostile headers cost squared time.
const WORD_MAX_BYTES: usize = 4 << 10;

/// Removes folding: line breaks before white space.
pub fn unfold(value: &[u8]) -> Vec<u8> {
    value.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect()
}

/// A header value as text: encoded words decoded, neighbours of one charset and encoding joined before they are decoded.
pub fn decode(value: &[u8]) -> String {
    let mut out = String::new();
    let mut pending: Option<Word> = None;
    let mut rest = value;
    while let Some((before, word, after)) = next_word(rest) {
        let gap = before.iter().all(u8::is_ascii_whitespace);
        match &mut pending {
            Some(open) if gap && open.joins(&word) => open.bytes.extend(word.bytes),
            _ => {
                out.extend(pending.take().map(Word::text));
                if !gap || out.is_empty() {
                    out.push_str(&guess(before));
                }
                pending = Some(word);
            }
        }
        rest = after;
    }
    out.extend(pending.map(Word::text));
    out.push_str(&guess(rest));
    out
}

/// The values of a parameter, best first: `filename*` before `filename`, segments joined as bytes before they are decoded (RFC 2231
/// section 3).
pub fn parameter(header: &[u8], name: &str) -> impl Iterator<Item = String> {
    let parameters = parameters(&unfold(header));
    let plain = parameters.iter().find(|(key, _)| key == name).map(|(_, value)| percent_utf8(&decode(value)));
    extended(&parameters, name).into_iter().chain(plain)
}

/// Decodes bytes by charset label; every GB label means GB18030, unknown labels are guessed.
pub fn decode_charset(label: &str, bytes: &[u8]) -> String {
    let label = label.trim().to_ascii_lowercase();
    if matches!(label.as_str(), "hz-gb-2312" | "hz") {
        return decode_hz(bytes);
    }
    let is_gb = ["gb2312", "gbk", "gb18030", "x-gbk", "cp936", "ms936", "windows-936", "gb2312-80", "gb_2312-80", "euc-cn"]
        .contains(&label.as_str());
    let encoding = if is_gb { Some(GB18030) } else { Encoding::for_label(label.as_bytes()) };
    match encoding {
        Some(encoding) => {
            let (text, _, broken) = encoding.decode(bytes);
            if broken { guess(bytes) } else { text.into_owned() }
        }
        None => guess(bytes),
    }
}

/// HZ (RFC 1843): 7-bit text with GB2312 between `~{` and `~}`. The encoding library refuses it.
fn decode_hz(bytes: &[u8]) -> String {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut chinese = false;
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        match (chinese, first, tail.first()) {
            (_, b'~', Some(b'{')) | (_, b'~', Some(b'}')) => {
                chinese = tail.first() == Some(&b'{');
                rest = tail.get(1..).unwrap_or_default();
            }
            (false, b'~', Some(b'~')) => {
                plain.push(b'~');
                rest = tail.get(1..).unwrap_or_default();
            }
            (false, b'~', Some(b'\n')) => rest = tail.get(1..).unwrap_or_default(),
            (true, 0x21..=0x7E, Some(second @ 0x21..=0x7E)) => {
                plain.extend([first | 0x80, second | 0x80]);
                rest = tail.get(1..).unwrap_or_default();
            }
            _ => {
                // A line end closes what was left open.
                chinese &= *first != b'\n';
                plain.push(*first);
                rest = tail;
            }
        }
    }
    GB18030.decode(&plain).0.into_owned()
}

/// Bytes without a label: strict UTF-8, else GB18030, else what a detector says.
pub fn guess(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let (text, _, broken) = GB18030.decode(bytes);
    if !broken {
        return text.into_owned();
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(Some(b"cn"), Utf8Detection::Allow).decode(bytes).0.into_owned()
}

/// An encoded word, its transfer encoding undone.
struct Word {
    charset: String,
    base64: bool,
    bytes: Vec<u8>,
}

impl Word {
    fn joins(&self, next: &Word) -> bool {
        self.charset == next.charset && self.base64 == next.base64
    }

    fn text(self) -> String {
        decode_charset(&self.charset, &self.bytes)
    }
}

/// The next `=?charset?B?…?=`, with what stands before and after it.
fn next_word(text: &[u8]) -> Option<(&[u8], Word, &[u8])> {
    let mut from = 0;
    loop {
        let at = from + find(text.get(from..)?, b"=?")?;
        match word_at(text.get(at + 2..)?) {
            Some((word, length)) => return Some((text.get(..at)?, word, text.get(at + 2 + length..)?)),
            None => from = at + 2,
        }
    }
}

/// A word after its `=?`, and how many bytes it takes.
fn word_at(text: &[u8]) -> Option<(Word, usize)> {
    let text = text.get(..text.len().min(WORD_MAX_BYTES))?;
    let charset_end = find(text, b"?")?;
    let charset = text.get(..charset_end)?;
    if charset.is_empty() || !charset.iter().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let encoding = text.get(charset_end + 1)?.to_ascii_lowercase();
    if text.get(charset_end + 2) != Some(&b'?') {
        return None;
    }
    let start = charset_end + 3;
    let length = find(text.get(start..)?, b"?=")?;
    let payload = text.get(start..start + length)?;
    let bytes = match encoding {
        b'b' => LENIENT.decode(payload.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<u8>>()).ok()?,
        b'q' => decode_q(payload),
        _ => return None,
    };
    let charset = String::from_utf8_lossy(charset).to_ascii_lowercase();
    // RFC 2231 section 5: a language may follow the charset.
    let charset = charset.split('*').next().unwrap_or_default().to_owned();
    Some((Word { charset, base64: encoding == b'b', bytes }, start + length + 2))
}

fn decode_q(payload: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = payload.iter().map(|byte| if *byte == b'_' { b' ' } else { *byte }).collect();
    unescape(&spaced, b'=')
}

/// `=XX` or `%XX`, lenient: what is no escape stays.
fn unescape(text: &[u8], mark: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex {
            Some(byte) if *first == mark => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

/// Some programs write plain `filename=%E9%99%84…`.
fn percent_utf8(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    match String::from_utf8(unescape(text.as_bytes(), b'%')) {
        Ok(decoded) if !decoded.is_ascii() => decoded,
        _ => text.to_owned(),
    }
}

/// `key=value` pairs after the first `;`, keys in lower case, quotes taken off.
fn parameters(header: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut pieces = Vec::new();
    let (mut piece, mut quoted, mut escaped) = (Vec::new(), false, false);
    for byte in header {
        match byte {
            b'"' if !escaped => quoted = !quoted,
            b';' if !quoted => {
                pieces.push(std::mem::take(&mut piece));
                continue;
            }
            _ => {}
        }
        escaped = *byte == b'\\' && !escaped && quoted && piece.last().is_none_or(u8::is_ascii);
        piece.push(*byte);
    }
    pieces.push(piece);
    for piece in pieces.iter().skip(1) {
        let Some(at) = piece.iter().position(|byte| *byte == b'=') else { continue };
        let key = String::from_utf8_lossy(piece.get(..at).unwrap_or_default()).trim().to_ascii_lowercase();
        found.push((key, unquote(piece.get(at + 1..).unwrap_or_default().trim_ascii())));
    }
    found
}

fn unquote(value: &[u8]) -> Vec<u8> {
    let Some(inner) = value.strip_prefix(b"\"") else { return value.to_vec() };
    let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
    if inner.is_ascii() {
        let mut out = Vec::with_capacity(inner.len());
        let mut bytes = inner.iter();
        while let Some(byte) = bytes.next() {
            if *byte == b'\\' { out.extend(bytes.next()) } else { out.push(*byte) }
        }
        return out;
    }
    // Raw GBK: 0x5C may be the second half of a character, so nothing is unescaped.
    inner.to_vec()
}

/// `name*`, `name*0*`, `name*1` … joined in order of their numbers.
fn extended(parameters: &[(String, Vec<u8>)], name: &str) -> Option<String> {
    let mut segments: Vec<(u32, bool, &Vec<u8>)> = Vec::new();
    for (key, value) in parameters {
        let Some(rest) = key.strip_prefix(name).and_then(|rest| rest.strip_prefix('*')) else { continue };
        let escaped = rest.is_empty() || rest.ends_with('*');
        let number = rest.trim_end_matches('*');
        let number = if number.is_empty() { 0 } else { number.parse().ok()? };
        segments.push((number, escaped, value));
    }
    segments.sort_by_key(|(number, ..)| *number);
    let (_, first_escaped, first) = segments.first()?;
    let (charset, start) = if *first_escaped { charset_of(first) } else { (String::new(), 0) };
    let mut bytes = Vec::new();
    for (index, (_, escaped, value)) in segments.iter().enumerate() {
        let value = if index == 0 { value.get(start..).unwrap_or_default() } else { value.as_slice() };
        if *escaped { bytes.extend(unescape(value, b'%')) } else { bytes.extend(value) }
    }
    if charset.is_empty() { Some(decode(&bytes)) } else { Some(decode_charset(&charset, &bytes)) }
}

/// `gb18030'zh'…`: the charset and where the value begins.
fn charset_of(value: &[u8]) -> (String, usize) {
    let mut quotes = value.iter().enumerate().filter(|(_, byte)| **byte == b'\'').map(|(at, _)| at);
    match (quotes.next(), quotes.next()) {
        (Some(first), Some(second)) => (String::from_utf8_lossy(value.get(..first).unwrap_or_default()).into_owned(), second + 1),
        _ => (String::new(), 0),
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}
