//! Sample mails as submitters' programs write them: multipart, base64, names in the encodings seen in practice.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A file of a sample mail.
#[derive(Debug, Clone)]
pub struct Attached {
    pub name: String,
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

/// A sample mail.
#[derive(Debug, Clone, Default)]
pub struct Eml {
    pub from_name: String,
    pub from: String,
    pub to: String,
    pub subject: String,
    /// Date header, RFC 5322.
    pub date: String,
    /// Left part of the Message-ID; its domain is that of `from`.
    pub id: String,
    pub headers: Vec<(String, String)>,
    pub text: String,
    pub files: Vec<Attached>,
}

impl Eml {
    /// The mail's bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let domain = self.from.rsplit('@').next().unwrap_or("example.cn");
        let mut out = String::new();
        let mut line = |text: String| {
            out.push_str(&text);
            out.push_str("\r\n");
        };
        line(format!("From: {} <{}>", word(&self.from_name), self.from));
        line(format!("To: {}", self.to));
        line(format!("Subject: {}", word(&self.subject)));
        line(format!("Date: {}", self.date));
        line(format!("Message-ID: <{}@{domain}>", self.id));
        line("MIME-Version: 1.0".to_owned());
        for (name, value) in &self.headers {
            line(format!("{name}: {value}"));
        }
        if self.files.is_empty() {
            line(format!(
                "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
                wrapped(self.text.as_bytes())
            ));
            return out.into_bytes();
        }
        let boundary = "----=_NextPart_annexd_demo";
        line(format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n"));
        line(format!(
            "--{boundary}\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            wrapped(self.text.as_bytes())
        ));
        for file in &self.files {
            line(part(boundary, file));
        }
        line(format!("--{boundary}--"));
        out.into_bytes()
    }
}

fn part(boundary: &str, file: &Attached) -> String {
    let name = word(&file.name);
    if file.media_type == "message/rfc822" {
        let inner = String::from_utf8_lossy(&file.bytes);
        return format!(
            "--{boundary}\r\nContent-Type: message/rfc822; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\r\n{inner}"
        );
    }
    format!(
        "--{boundary}\r\nContent-Type: {}; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        file.media_type,
        wrapped(&file.bytes)
    )
}

/// Encoded words of GB18030 text, as Chinese mail programs write them, at most 30 bytes of text each (RFC 2047).
fn word(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words = String::new();
    let mut chunk = String::new();
    let flush = |chunk: &mut String, words: &mut String| {
        if !chunk.is_empty() {
            let (bytes, _, _) = encoding_rs::GB18030.encode(chunk);
            let space = if words.is_empty() { "" } else { "\r\n " };
            let _ = write!(words, "{space}=?GB18030?B?{}?=", STANDARD.encode(&bytes));
            chunk.clear();
        }
    };
    for c in text.chars() {
        chunk.push(c);
        if chunk.len() >= 36 {
            flush(&mut chunk, &mut words);
        }
    }
    flush(&mut chunk, &mut words);
    words
}

fn wrapped(bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / 38);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (head, tail) = rest.split_at(rest.len().min(76));
        lines.push_str(head);
        lines.push_str("\r\n");
        rest = tail;
    }
    lines
}
