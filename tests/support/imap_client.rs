//! A reader's eye on a mailbox: just enough IMAP (RFC 3501) to see what arrived and to put mail somewhere.

use std::{io, path::Path};

use super::wire::Wire;

/// One untagged response: its text, with literals taken out and kept beside it.
#[derive(Debug, Clone)]
pub struct Untagged {
    pub text: String,
    pub literals: Vec<Vec<u8>>,
}

/// A mail in a folder.
#[derive(Debug, Clone)]
pub struct Stored {
    /// As the server lists them: `\Seen`.
    pub flags: Vec<String>,
    pub raw: Vec<u8>,
}

/// A logged-in session.
pub struct ImapClient {
    wire: Wire,
    tag: u32,
}

impl ImapClient {
    /// Over an unprotected connection.
    pub fn plain(port: u16, user: &str, password: &str) -> io::Result<Self> {
        Self::login(Wire::plain(port)?, user, password)
    }

    /// Over TLS; the certificate must be signed by `ca`.
    pub fn tls(port: u16, ca: &Path, user: &str, password: &str) -> io::Result<Self> {
        Self::login(Wire::tls(port, ca)?, user, password)
    }

    /// Plain first, then STARTTLS.
    pub fn starttls(port: u16, ca: &Path, user: &str, password: &str) -> io::Result<Self> {
        let mut client = Self { wire: Wire::plain(port)?, tag: 0 };
        client.wire.line()?;
        client.command("STARTTLS")?;
        let mut client = Self { wire: client.wire.protect(ca)?, tag: 0 };
        client.command(&format!("LOGIN {} {}", quoted(user), quoted(password)))?;
        Ok(client)
    }

    fn login(wire: Wire, user: &str, password: &str) -> io::Result<Self> {
        let mut client = Self { wire, tag: 0 };
        client.wire.line()?;
        client.command(&format!("LOGIN {} {}", quoted(user), quoted(password)))?;
        Ok(client)
    }

    /// Sends one command and collects its untagged responses; NO and BAD are errors with the server's words.
    pub fn command(&mut self, command: &str) -> io::Result<Vec<Untagged>> {
        let tag = self.next_tag();
        self.wire.send(format!("{tag} {command}\r\n").as_bytes())?;
        self.answers(&tag)
    }

    /// What the server can do, after login.
    pub fn capabilities(&mut self) -> io::Result<Vec<String>> {
        let answers = self.command("CAPABILITY")?;
        let words = answers.iter().filter_map(|answer| answer.text.strip_prefix("CAPABILITY "));
        Ok(words.flat_map(str::split_whitespace).map(str::to_ascii_uppercase).collect())
    }

    /// All mails of a folder, oldest first. Changes no flag.
    pub fn read(&mut self, folder: &str) -> io::Result<Vec<Stored>> {
        self.command(&format!("EXAMINE {}", quoted(folder)))?;
        let found = self.command("UID SEARCH ALL")?;
        let uids: Vec<String> = found
            .iter()
            .filter_map(|answer| answer.text.strip_prefix("SEARCH"))
            .flat_map(str::split_whitespace)
            .map(str::to_owned)
            .collect();
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.command(&format!("UID FETCH {} (UID FLAGS BODY.PEEK[])", uids.join(",")))?;
        Ok(answers.into_iter().filter_map(stored).collect())
    }

    /// Puts a mail into a folder, with flags such as `\Seen`.
    pub fn append(&mut self, folder: &str, flags: &str, raw: &[u8]) -> io::Result<()> {
        let raw = crlf(raw);
        let tag = self.next_tag();
        self.wire.send(format!("{tag} APPEND {} ({flags}) {{{}}}\r\n", quoted(folder), raw.len()).as_bytes())?;
        let ready = self.wire.line()?;
        if !ready.starts_with(b"+") {
            return Err(io::Error::other(String::from_utf8_lossy(&ready).into_owned()));
        }
        self.wire.send(&raw)?;
        self.wire.send(b"\r\n")?;
        self.answers(&tag).map(|_| ())
    }

    fn next_tag(&mut self) -> String {
        self.tag += 1;
        format!("L{:04}", self.tag)
    }

    fn answers(&mut self, tag: &str) -> io::Result<Vec<Untagged>> {
        let mut answers = Vec::new();
        loop {
            let (mut text, mut literals) = (String::new(), Vec::new());
            loop {
                let line = self.wire.line()?;
                text.push_str(&String::from_utf8_lossy(&line));
                let Some(count) = literal_bytes(&line) else { break };
                literals.push(self.wire.exactly(count)?);
            }
            if let Some(rest) = text.strip_prefix(tag).and_then(|rest| rest.strip_prefix(' ')) {
                return if rest.starts_with("OK") {
                    Ok(answers)
                } else {
                    Err(io::Error::new(io::ErrorKind::PermissionDenied, rest.to_owned()))
                };
            }
            if let Some(rest) = text.strip_prefix("* ") {
                answers.push(Untagged { text: rest.to_owned(), literals });
            }
        }
    }
}

/// `{123}` at the end of a line.
fn literal_bytes(line: &[u8]) -> Option<usize> {
    let inner = line.strip_suffix(b"}")?;
    let start = inner.iter().rposition(|byte| *byte == b'{')?;
    std::str::from_utf8(&inner[start + 1..]).ok()?.parse().ok()
}

fn stored(answer: Untagged) -> Option<Stored> {
    let after = |word: &str| answer.text.find(word).map(|at| &answer.text[at + word.len()..]);
    let flags = after("FLAGS (").and_then(|rest| rest.split(')').next()).unwrap_or_default();
    let flags = flags.split_whitespace().map(str::to_owned).collect();
    Some(Stored { flags, raw: answer.literals.into_iter().next()? })
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Bare LF becomes CR LF, as SMTP and IMAP want lines to end.
pub fn crlf(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 40);
    let mut before = 0;
    for &byte in raw {
        if byte == b'\n' && before != b'\r' {
            out.push(b'\r');
        }
        out.push(byte);
        before = byte;
    }
    out
}
