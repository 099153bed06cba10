//! Servers say lines that no grammar knows: extensions of their own, a malformed STATUS, words in GBK. The library ends the
//! connection at the first of them. This stream drops untagged lines nobody asked for before the library sees them, bounds what
//! one literal may claim, and leads large literals to disk.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::spool::{Incoming, Spool};

/// Largest literal, in bytes. NetEase takes mails up to 71 680 000.
const LITERAL_MAX_BYTES: u64 = 128 << 20;
/// Longest line that is looked at; a longer one goes through as it is.
const LINE_MAX_BYTES: usize = 256 * 1024;
/// Untagged responses that annexd asks for, and those that may come at any time (RFC 3501 section 7).
const KNOWN: [&str; 10] = ["OK", "NO", "BAD", "BYE", "PREAUTH", "CAPABILITY", "LIST", "SEARCH", "FLAGS", "ID"];
const KNOWN_OF_NUMBERS: [&str; 4] = ["EXISTS", "RECENT", "EXPUNGE", "FETCH"];

/// A stream of the server's responses without what the library cannot read.
#[derive(Debug)]
pub struct Tame<S> {
    inner: S,
    /// Read and not yet looked at.
    raw: Vec<u8>,
    raw_at: usize,
    /// The line so far.
    line: Vec<u8>,
    /// Looked at and not yet taken.
    out: Vec<u8>,
    out_at: usize,
    /// Bytes of a literal still to come.
    literal_left: u64,
    /// The line belongs to the response before, after a literal of it.
    continued: bool,
    dropping: bool,
    spool: Spool,
    /// A large literal, and the start of its line, which waits for it.
    spooling: Option<(Vec<u8>, Incoming)>,
}

impl<S> Tame<S> {
    pub fn new(inner: S, spool: Spool) -> Self {
        Self {
            inner,
            spool,
            spooling: None,
            raw: Vec::new(),
            raw_at: 0,
            line: Vec::new(),
            out: Vec::new(),
            out_at: 0,
            literal_left: 0,
            continued: false,
            dropping: false,
        }
    }

    fn unread(&self) -> &[u8] {
        self.raw.get(self.raw_at..).unwrap_or_default()
    }

    /// Takes bytes of a literal from what was read already.
    fn literal_from_raw(&mut self, buffer: &mut ReadBuf<'_>) {
        let left = usize::try_from(self.literal_left).unwrap_or(usize::MAX);
        let count = self.unread().len().min(left);
        let count = if self.dropping { count } else { count.min(buffer.remaining()) };
        if !self.dropping {
            buffer.put_slice(self.unread().get(..count).unwrap_or_default());
        }
        self.raw_at += count;
        self.literal_left -= count as u64;
        self.spool.note_received(count);
    }

    /// Leads what was read of a large literal to disk, and says its stand-in once it is complete. `Ready(false)`: more must be read.
    fn poll_spool(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let Some((start, incoming)) = &mut self.spooling else { return Poll::Ready(Ok(true)) };
        if incoming.left() > 0 {
            let unread = self.raw.get(self.raw_at..).unwrap_or_default();
            if unread.is_empty() {
                return Poll::Ready(Ok(false));
            }
            let count = ready!(incoming.poll_take(context, unread))?;
            self.raw_at += count;
            self.spool.note_received(count);
            return Poll::Ready(Ok(true));
        }
        let stand_in = ready!(incoming.poll_finish(context))?;
        self.out.append(start);
        self.out.extend_from_slice(format!("{{{}}}\r\n", stand_in.len()).as_bytes());
        self.out.extend_from_slice(&stand_in);
        self.spooling = None;
        Poll::Ready(Ok(true))
    }

    /// Moves a line from what was read to what is taken, as far as it is there.
    fn take_line(&mut self) -> io::Result<()> {
        let end = memchr::memchr(b'\n', self.unread());
        let count = end.map_or(self.unread().len(), |at| at + 1);
        let piece = self.raw.get(self.raw_at..self.raw_at + count).unwrap_or_default();
        self.line.extend_from_slice(piece);
        self.raw_at += count;
        if end.is_none() {
            if self.line.len() > LINE_MAX_BYTES {
                self.out.append(&mut self.line);
                self.continued = true;
            }
            return Ok(());
        }
        let line = std::mem::take(&mut self.line);
        if !self.continued {
            self.dropping = is_stray(&line);
        }
        let literal = literal_bytes(&line);
        if literal.is_some_and(|bytes| bytes > LITERAL_MAX_BYTES) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the server announces a literal that is too large"));
        }
        self.continued = literal.is_some();
        if let Some(bytes) = literal.filter(|bytes| !self.dropping && self.spool.wants(*bytes)) {
            let start = line.iter().rposition(|byte| *byte == b'{').and_then(|at| line.get(..at)).unwrap_or_default();
            self.spooling = Some((start.to_vec(), self.spool.begin(bytes)?));
            return Ok(());
        }
        self.literal_left = literal.unwrap_or(0);
        if !self.dropping {
            self.out.extend_from_slice(&readable(line));
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tame<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let ready = this.out.get(this.out_at..).unwrap_or_default();
            if !ready.is_empty() {
                let count = ready.len().min(buffer.remaining());
                buffer.put_slice(ready.get(..count).unwrap_or_default());
                this.out_at += count;
                return Poll::Ready(Ok(()));
            }
            this.out.clear();
            this.out_at = 0;
            if this.spooling.is_some() {
                if ready!(this.poll_spool(context))? {
                    continue;
                }
            } else if !this.unread().is_empty() {
                if this.literal_left == 0 {
                    this.take_line()?;
                } else {
                    let before = buffer.filled().len();
                    this.literal_from_raw(buffer);
                    if buffer.filled().len() > before {
                        return Poll::Ready(Ok(()));
                    }
                }
                continue;
            }
            if this.literal_left > 0 && !this.dropping {
                let before = this.literal_left;
                let read = poll_literal(&mut this.inner, &mut this.literal_left, context, buffer);
                this.spool.note_received(usize::try_from(before - this.literal_left).unwrap_or(0));
                return read;
            }
            this.raw.resize(if this.spooling.is_some() { 64 * 1024 } else { 8 * 1024 }, 0);
            this.raw_at = 0;
            let mut fresh = ReadBuf::new(&mut this.raw);
            let read = Pin::new(&mut this.inner).poll_read(context, &mut fresh);
            let count = fresh.filled().len();
            this.raw.truncate(if read.is_ready() { count } else { 0 });
            ready!(read)?;
            if count == 0 {
                if this.spooling.is_some() {
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                // The end: what is left of a line is the library's to judge, in letters that it can read.
                let rest = readable(std::mem::take(&mut this.line));
                if rest.is_empty() {
                    return Poll::Ready(Ok(()));
                }
                this.out = rest;
            }
        }
    }
}

/// Straight through, without a copy in between.
fn poll_literal<S: AsyncRead + Unpin>(
    inner: &mut S,
    left: &mut u64,
    context: &mut Context<'_>,
    buffer: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let wanted = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.remaining());
    let mut limited = ReadBuf::new(buffer.initialize_unfilled_to(wanted));
    ready!(Pin::new(inner).poll_read(context, &mut limited))?;
    let count = limited.filled().len();
    *left -= count as u64;
    buffer.advance(count);
    Poll::Ready(Ok(()))
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tame<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

/// An untagged line that annexd has no use for and the library may not be able to read.
fn is_stray(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"* ") else { return false };
    let mut words = rest.split(|byte| byte.is_ascii_whitespace());
    let word = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).to_ascii_uppercase();
    let first = word(words.next());
    if !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit()) {
        return !KNOWN_OF_NUMBERS.contains(&word(words.next()).as_str());
    }
    !KNOWN.contains(&first.as_str())
}

/// `{123}` before the line's end.
fn literal_bytes(line: &[u8]) -> Option<u64> {
    let inner = line.trim_ascii_end().strip_suffix(b"}")?;
    let start = inner.iter().rposition(|byte| *byte == b'{')?;
    std::str::from_utf8(inner.get(start + 1..)?).ok()?.parse().ok()
}

/// The line in UTF-8: NetEase explains refusals in GBK.
fn readable(line: Vec<u8>) -> Vec<u8> {
    let line = match String::from_utf8(line) {
        Ok(line) => line,
        Err(error) => encoding_rs::GBK.decode_without_bom_handling(error.as_bytes()).0.into_owned(),
    };
    if is_status(&line) { with_gaps(&line).into_bytes() } else { line.into_bytes() }
}

/// `A1 NO [ALERT]…`, `* OK [UIDVALIDITY 1]…` (RFC 3501 section 7.1).
fn is_status(line: &str) -> bool {
    let mut words = line.splitn(3, ' ').skip(1);
    let status = words.next().unwrap_or_default();
    let coded = words.next().is_some_and(|text| text.starts_with('['));
    coded && ["OK", "NO", "BAD", "BYE", "PREAUTH"].iter().any(|known| status.eq_ignore_ascii_case(known))
}

/// The library takes off the byte behind a response code, whatever it is, and panics where Chinese begins there.
fn with_gaps(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 4);
    for c in line.chars() {
        if !c.is_ascii() && out.ends_with(']') {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    async fn tamed(said: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Tame::new(said, Spool::new(None)).read_to_end(&mut out).await.unwrap();
        out
    }

    #[tokio::test]
    async fn lines_of_no_grammar_are_dropped_and_literals_are_left_alone() {
        let said = b"* X-CM-NOTICE 42 x\r\n* STATUS \"INBOX\" ()\r\n* 7 X-COUNT\r\n* 1 FETCH (UID 5 BODY[] {20}\r\n* X-CM in a mail\r\n\r\n)\r\nA1 OK done\r\n";
        let kept = b"* 1 FETCH (UID 5 BODY[] {20}\r\n* X-CM in a mail\r\n\r\n)\r\nA1 OK done\r\n";
        assert_eq!(String::from_utf8(tamed(said).await).unwrap(), String::from_utf8(kept.to_vec()).unwrap());
    }

    #[tokio::test]
    async fn a_stray_line_takes_its_literal_with_it() {
        assert_eq!(tamed(b"* X-CM-BLOB {5}\r\nab\r\nc end\r\nA1 OK\r\n").await, b"A1 OK\r\n");
    }

    #[tokio::test]
    async fn a_refusal_in_gbk_can_be_read_and_an_endless_literal_is_refused() {
        let said = encoding_rs::GBK.encode("A1 NO 登录被拒绝\r\n").0.into_owned();
        assert_eq!(tamed(&said).await, "A1 NO 登录被拒绝\r\n".as_bytes());
        let mut out = Vec::new();
        assert!(Tame::new(b"* 1 FETCH (BODY[] {4294967295}\r\n".as_slice(), Spool::new(None)).read_to_end(&mut out).await.is_err());
    }

    #[tokio::test]
    async fn chinese_right_behind_a_response_code_stands_apart_from_it() {
        let said = encoding_rs::GBK.encode("A1 NO [ALERT]请重新登录\r\n* 1 FETCH (FLAGS ())\r\n").0.into_owned();
        assert_eq!(tamed(&said).await, "A1 NO [ALERT] 请重新登录\r\n* 1 FETCH (FLAGS ())\r\n".as_bytes());
    }

    #[tokio::test]
    async fn a_status_that_breaks_off_is_as_readable_as_a_whole_one() {
        assert_eq!(tamed(b"A4 OK [READ-ONLY]\x95\rhalf").await, "A4 OK [READ-ONLY] \u{FFFD}\rhalf".as_bytes());
    }

    #[tokio::test]
    async fn a_large_literal_goes_through_whole_whatever_the_pieces() {
        let body: Vec<u8> = (0..300_000_u32).map(|number| u8::try_from(number % 251).unwrap()).collect();
        let mut said = format!("* 1 FETCH (BODY[] {{{}}}\r\n", body.len()).into_bytes();
        said.extend_from_slice(&body);
        said.extend_from_slice(b")\r\nA1 OK\r\n");
        let (mut write, read) = tokio::io::duplex(777);
        let sent = said.clone();
        tokio::spawn(async move { tokio::io::AsyncWriteExt::write_all(&mut write, &sent).await });
        let mut out = Vec::new();
        Tame::new(read, Spool::new(None)).read_to_end(&mut out).await.unwrap();
        assert!(out == said);
    }

    #[tokio::test]
    async fn a_large_literal_lies_on_disk_whole_whatever_the_pieces_and_no_mail_can_pose_as_it() {
        let folder = tempfile::tempdir().unwrap();
        let body: Vec<u8> = (0..700_000_u32).map(|number| u8::try_from(number % 251).unwrap()).collect();
        let mut said = format!("* 1 FETCH (UID 5 BODY[] {{{}}}\r\n", body.len()).into_bytes();
        said.extend_from_slice(&body);
        said.extend_from_slice(b")\r\n* 2 FETCH (UID 6 BODY[] {4}\r\nmail)\r\nA1 OK\r\n");
        for piece in [777, 64 * 1024, 1 << 20] {
            let spool = Spool::new(Some(folder.path().to_owned()));
            let (mut write, read) = tokio::io::duplex(piece);
            let sent = said.clone();
            tokio::spawn(async move { tokio::io::AsyncWriteExt::write_all(&mut write, &sent).await });
            let mut out = Vec::new();
            Tame::new(read, spool.clone()).read_to_end(&mut out).await.unwrap();
            let out = String::from_utf8(out).unwrap();
            let (start, rest) = out.split_once("}\r\n").unwrap();
            let bytes: usize = start.strip_prefix("* 1 FETCH (UID 5 BODY[] {").unwrap().parse().unwrap();
            let (stand_in, rest) = rest.split_at(bytes);
            assert_eq!(rest, ")\r\n* 2 FETCH (UID 6 BODY[] {4}\r\nmail)\r\nA1 OK\r\n");
            assert!(spool.take(b"mail").is_none());
            let spooled = spool.take(stand_in.as_bytes()).unwrap();
            assert!(std::fs::read(spooled.path()).unwrap() == body);
            assert!(spool.take(stand_in.as_bytes()).is_none(), "a stand-in serves once");
            assert_eq!(spool.received(), body.len() as u64 + 4);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "what nobody renamed is gone");
    }

    #[tokio::test]
    async fn a_connection_cut_in_a_large_literal_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let said = [b"* 1 FETCH (UID 5 BODY[] {400000}\r\n".as_slice(), &vec![b'a'; 399_999]].concat();
        let spool = Spool::new(Some(folder.path().to_owned()));
        let mut out = Vec::new();
        assert!(Tame::new(said.as_slice(), spool.clone()).read_to_end(&mut out).await.is_err());
        assert_eq!((out.len(), std::fs::read_dir(folder.path()).unwrap().count()), (0, 0));
        assert_eq!(spool.failure(), None);
    }

    #[tokio::test]
    async fn a_disk_that_takes_nothing_is_told_apart_from_a_broken_connection() {
        let spool = Spool::new(Some("/nonexistent".into()));
        let said = b"* 1 FETCH (UID 5 BODY[] {400000}\r\n".as_slice();
        assert!(Tame::new(said, spool.clone()).read_to_end(&mut Vec::new()).await.is_err());
        assert!(spool.failure().is_some());
    }
}
