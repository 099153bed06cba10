//! A sender: SMTP submission with TLS and AUTH (RFC 5321, 4954, 6409), the bytes exactly as given.

use std::{io, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{imap_client::crlf, wire::Wire};

/// An authenticated session.
pub struct SmtpClient {
    wire: Wire,
}

impl SmtpClient {
    /// Implicit TLS, as on port 465.
    pub fn tls(port: u16, ca: &Path, user: &str, password: &str) -> io::Result<Self> {
        let mut client = Self { wire: Wire::tls(port, ca)? };
        client.expect(2)?;
        client.command("EHLO lab.example.cn", 2)?;
        client.auth(user, password)
    }

    /// STARTTLS, as on port 587.
    pub fn starttls(port: u16, ca: &Path, user: &str, password: &str) -> io::Result<Self> {
        let mut client = Self { wire: Wire::plain(port)? };
        client.expect(2)?;
        client.command("EHLO lab.example.cn", 2)?;
        client.command("STARTTLS", 2)?;
        let mut client = Self { wire: client.wire.protect(ca)? };
        client.command("EHLO lab.example.cn", 2)?;
        client.auth(user, password)
    }

    /// Unprotected and without AUTH, for servers of the lab's own.
    pub fn plain(port: u16) -> io::Result<Self> {
        let mut client = Self { wire: Wire::plain(port)? };
        client.expect(2)?;
        client.command("EHLO lab.example.cn", 2)?;
        Ok(client)
    }

    /// AUTH PLAIN.
    pub fn auth(mut self, user: &str, password: &str) -> io::Result<Self> {
        self.command(&format!("AUTH PLAIN {}", STANDARD.encode(format!("\0{user}\0{password}"))), 2)?;
        Ok(self)
    }

    /// One mail; the server's last answer. An empty `from` is the null sender.
    pub fn send(&mut self, from: &str, to: &[&str], raw: &[u8]) -> io::Result<String> {
        self.command(&format!("MAIL FROM:<{from}>"), 2)?;
        for address in to {
            self.command(&format!("RCPT TO:<{address}>"), 2)?;
        }
        self.command("DATA", 3)?;
        let mut body = Vec::with_capacity(raw.len() + 8);
        for line in crlf(raw).split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(b".") {
                body.push(b'.');
            }
            body.extend_from_slice(line);
        }
        if !body.ends_with(b"\r\n") {
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b".\r\n");
        self.wire.send(&body)?;
        self.expect(2)
    }

    /// One command; an answer of another class than `class` is an error with the server's words.
    pub fn command(&mut self, command: &str, class: u8) -> io::Result<String> {
        self.wire.send(format!("{command}\r\n").as_bytes())?;
        self.expect(class)
    }

    fn expect(&mut self, class: u8) -> io::Result<String> {
        let mut answer = String::new();
        loop {
            let line = self.wire.line()?;
            answer.push_str(&String::from_utf8_lossy(&line));
            if line.get(3) != Some(&b'-') {
                break;
            }
            answer.push('\n');
        }
        if answer.starts_with(char::from(b'0' + class)) { Ok(answer) } else { Err(io::Error::new(io::ErrorKind::PermissionDenied, answer)) }
    }
}
