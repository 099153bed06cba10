//! The bulk of a mail is base64 in lines of one length. It is cut out before the MIME library sees the mail, which looks at every byte
//! by itself, and decoded by SIMD afterwards. What is not as clean as that stays where it is: the library reads it as it always did.

use std::borrow::Cow;

use base64_simd::{Out, STANDARD_NO_PAD};
use mail_parser::{Encoding, Message as Parsed, MessagePart, PartType};

/// Fewer bytes are not worth a cut.
const CUT_MIN_BYTES: usize = 4_096;
/// Lengths of lines that mail programs write (RFC 2045 allows 76, older ones wrote 60 to 72), in digits.
const LINE_DIGITS: std::ops::RangeInclusive<usize> = 56..=998;
/// Lines decoded in one go.
const LINES_AT_ONCE: usize = 64;

/// A mail without its bulk.
pub struct Skeleton<'r> {
    raw: &'r [u8],
    /// What the MIME library gets to see.
    pub text: Cow<'r, [u8]>,
    cuts: Vec<Cut>,
}

/// Lines that were left out. The first and the last line of their run stand before and behind the cut, so that it lies within one part.
#[derive(Debug, Clone, Copy)]
struct Cut {
    /// Where they are missing in the skeleton.
    at: usize,
    /// Where they stand in the mail.
    from: usize,
    to: usize,
    /// Bytes of a line, and how many of them are digits.
    line_bytes: usize,
    digits: usize,
}

impl<'r> Skeleton<'r> {
    pub fn of(raw: &'r [u8]) -> Self {
        Self::with(raw, runs(raw))
    }

    /// Of which nothing is left out.
    pub fn whole(&self) -> Self {
        Self::with(self.raw, Vec::new())
    }

    fn with(raw: &'r [u8], mut cuts: Vec<Cut>) -> Self {
        let mut text = Cow::Borrowed(raw);
        if !cuts.is_empty() {
            let mut kept = Vec::new();
            let mut end = 0;
            for cut in &mut cuts {
                kept.extend_from_slice(raw.get(end..cut.from).unwrap_or_default());
                (cut.at, end) = (kept.len(), cut.to);
            }
            kept.extend_from_slice(raw.get(end..).unwrap_or_default());
            text = Cow::Owned(kept);
        }
        Self { raw, text, cuts }
    }

    /// The skeleton without the cuts that lie in no part that can be put together again, where there are such.
    pub fn without_misplaced(&self, parsed: &Parsed<'_>) -> Option<Self> {
        let holds = |part: &MessagePart<'_>, cut: &Cut| {
            range(part).contains(&cut.at)
                && match part.body {
                    PartType::Binary(_) | PartType::InlineBinary(_) => part.encoding == Encoding::Base64 && !part.is_encoding_problem,
                    PartType::Message(_) => part.encoding == Encoding::None,
                    _ => false,
                }
        };
        let placed: Vec<Cut> = self.cuts.iter().filter(|cut| parsed.parts.iter().any(|part| holds(part, cut))).copied().collect();
        (placed.len() < self.cuts.len()).then(|| Self::with(self.raw, placed))
    }

    /// A part's bytes as they stand in the mail.
    pub fn verbatim(&self, part: &MessagePart<'_>) -> &'r [u8] {
        let in_raw = |at: usize| {
            let cut_bytes: usize = self.cuts.iter().take_while(|cut| cut.at < at).map(|cut| cut.to - cut.from).sum();
            at + cut_bytes
        };
        let range = range(part);
        self.raw.get(in_raw(range.start)..in_raw(range.end)).unwrap_or_default()
    }

    /// A part's decoded bytes, of which the library has `decoded` what stands in the skeleton. `None` where the lines around a cut, or
    /// the lines that were cut out, are not clean.
    pub fn put_together(&self, part: &MessagePart<'_>, decoded: Vec<u8>) -> Option<Vec<u8>> {
        let range = range(part);
        let cuts = || self.cuts.iter().filter(|cut| range.contains(&cut.at));
        let missing: usize = cuts().map(Cut::decoded_bytes).sum();
        if missing == 0 {
            return Some(decoded);
        }
        let mut whole = Vec::with_capacity(decoded.len() + missing);
        let (mut from, mut used) = (range.start, 0);
        for cut in cuts() {
            let digits = clean_digits(self.text.get(from..cut.at)?)?;
            let upto = used + digits / 4 * 3;
            whole.extend_from_slice(decoded.get(used..upto)?);
            cut.decode(self.raw, &mut whole)?;
            (from, used) = (cut.at, upto);
        }
        whole.extend_from_slice(decoded.get(used..)?);
        Some(whole)
    }
}

/// A part's body in the skeleton.
fn range(part: &MessagePart<'_>) -> std::ops::Range<usize> {
    part.offset_body as usize..part.offset_end as usize
}

/// How many base64 digits there are, where nothing but whole groups of four and white space stands.
fn clean_digits(text: &[u8]) -> Option<usize> {
    let mut digits = 0;
    for byte in text {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => digits += 1,
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => return None,
        }
    }
    (digits % 4 == 0).then_some(digits)
}

impl Cut {
    fn decoded_bytes(&self) -> usize {
        (self.to - self.from) / self.line_bytes * (self.digits / 4 * 3)
    }

    /// Appends what the lines say.
    fn decode(&self, raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let mut at = out.len();
        out.resize(at + self.decoded_bytes(), 0);
        let mut joined = Vec::with_capacity(LINES_AT_ONCE * self.digits);
        for lines in raw.get(self.from..self.to)?.chunks(LINES_AT_ONCE * self.line_bytes) {
            joined.clear();
            for line in lines.chunks(self.line_bytes) {
                joined.extend_from_slice(line.get(..self.digits)?);
            }
            let decoded = STANDARD_NO_PAD.decode(&joined, Out::from_slice(out.get_mut(at..)?)).ok()?;
            at += decoded.len();
        }
        (at == out.len()).then_some(())
    }
}

/// Runs of lines of one length, wherever they stand; what they hold is not looked at yet.
fn runs(raw: &[u8]) -> Vec<Cut> {
    let mut cuts = Vec::new();
    let mut start = 0;
    while let Some(length) = raw.get(start..).and_then(|rest| memchr::memchr(b'\n', rest)) {
        let next = start + length + 1;
        let line_bytes = length + 1;
        let digits = length - usize::from(length > 0 && raw.get(next - 2) == Some(&b'\r'));
        start = next;
        if !LINE_DIGITS.contains(&digits) || digits % 4 != 0 {
            continue;
        }
        let line_end = line_bytes - digits;
        let mut end = next;
        while raw.get(end + digits..end + line_bytes) == raw.get(next - line_end..next) {
            end += line_bytes;
        }
        // The last one stays.
        let to = end.saturating_sub(line_bytes);
        if to >= next + CUT_MIN_BYTES {
            cuts.push(Cut { at: 0, from: next, to, line_bytes, digits });
        }
        start = to.max(next);
    }
    cuts
}

#[cfg(test)]
mod tests {
    use super::super::{Message, Part, parse_skeleton};
    use super::*;
    use crate::domain::limits::Limits;

    fn wrapped(bytes: &[u8], digits: usize, end: &str) -> String {
        let text = base64_simd::STANDARD.encode_to_string(bytes);
        let lines: Vec<&str> = text.as_bytes().chunks(digits).map(|line| std::str::from_utf8(line).unwrap()).collect();
        lines.join(end)
    }

    fn mail(parts: &[(&str, &str)]) -> String {
        let mut mail = "From: a@example.cn\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n".to_owned();
        for (head, body) in parts {
            mail.push_str(&format!("--b\r\n{head}\r\n\r\n{body}\r\n"));
        }
        mail + "--b--\r\n"
    }

    const PDF: &str =
        "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"a.pdf\"\r\nContent-Transfer-Encoding: base64";

    fn noise(count: usize) -> Vec<u8> {
        (0..count).map(|at| (at.wrapping_mul(2_654_435_761) >> 7) as u8).collect()
    }

    /// Read with and without cuts; the files must be the same.
    fn files_of(mail: &[u8]) -> Vec<Part> {
        let read = |skeleton| parse_skeleton(skeleton, &Limits::default()).unwrap();
        let (quick, plain): (Message, Message) = (read(Skeleton::of(mail)), read(Skeleton::of(mail).whole()));
        assert_eq!(serde_json::to_string(&quick).unwrap(), serde_json::to_string(&plain).unwrap());
        quick.files
    }

    #[test]
    fn the_bulk_of_a_mail_is_cut_out_and_comes_back() {
        for count in [5_699, 5_700, 5_701, 57 * 200, 57 * 200 + 1, 100_000] {
            for (digits, end) in [(76, "\r\n"), (72, "\n"), (60, "\r\n")] {
                let mail = mail(&[("Content-Type: text/plain", "早"), (PDF, &wrapped(&noise(count), digits, end))]);
                assert!(Skeleton::of(mail.as_bytes()).text.len() < mail.len() / 2);
                assert_eq!(files_of(mail.as_bytes())[0].bytes, noise(count), "{count} {digits}");
            }
        }
    }

    #[test]
    fn what_is_not_clean_is_read_as_the_library_reads_it() {
        let clean = wrapped(&noise(20_000), 76, "\r\n");
        let dirty = [
            clean.replacen("\r\n", " \r\n", 150),
            clean.replacen('A', "*", 1),
            clean.replacen('A', "=", 3),
            clean.replacen('A', "-", 3),
            clean.chars().skip(1).collect(),
            clean.chars().skip(78 * 90 + 2).collect(),
            clean.trim_end_matches('=').to_owned(),
            format!("{clean}\r\n\r\nSent from my phone"),
            format!("!{clean}"),
            clean.replace("\r\n", "\r"),
            format!("{clean}\r\n{clean}"),
            format!("{}\r\n{clean}", wrapped(b"first", 76, "\r\n")),
        ];
        for body in &dirty {
            files_of(mail(&[(PDF, body), (PDF, &clean)]).as_bytes());
        }
    }

    #[test]
    fn lines_of_one_length_that_are_no_attachment_stay() {
        let clean = wrapped(&noise(20_000), 76, "\r\n");
        let text = "Content-Type: text/html; charset=gbk\r\nContent-Transfer-Encoding: base64";
        let plain = "Content-Type: application/octet-stream";
        let inner = "Content-Type: message/rfc822";
        let nested = format!("From: b@example.cn\r\nSubject: x\r\n{PDF}\r\n\r\n{clean}");
        let encoded = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64";
        let folded = wrapped(nested.as_bytes(), 76, "\r\n");
        let whole = mail(&[(text, &clean), (plain, &clean), (inner, &nested), (encoded, &folded), ("X-Key: a", &clean)]);
        assert_eq!(files_of(whole.as_bytes()).iter().filter(|file| file.is_message).count(), 2);
        files_of(format!("X: {clean}\r\n{whole}").as_bytes());
        files_of(format!("{clean}\r\n{whole}").as_bytes());
        files_of(whole.split("--b--").next().unwrap().as_bytes());
    }
}
