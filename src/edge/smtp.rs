//! The way out: SMTP submission through lettre, or a Maildir for trying out. Connections are never pooled: one that a deadline
//! has cut short would give the next letter the last one's answer.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use lettre::{
    Address,
    transport::smtp::{
        Error as SmtpError,
        commands::{Data, Mail, Rcpt},
        extension::{Extension, MailBodyParameter, MailParameter},
    },
};
use secrecy::SecretString;
use tokio::time::timeout;

use crate::domain::{
    folding::one_line,
    letters::reply::{Reaction, Reply, Stage, react},
};

mod compose;
mod connect;
mod wire;

pub use compose::{Outgoing, compose};
use connect::{Connection, connect};
use wire::Heard;

/// Why a letter did not leave, as one sentence, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub reaction: Reaction,
    pub what: String,
}

impl Refusal {
    /// From the server's true words; the library's where there are none.
    fn heard(heard: &Heard, stage: Stage, place: &str, error: &SmtpError) -> Self {
        let reply = Reply::read(&heard.answer());
        // An answer that the library took for a good one is not what went wrong.
        let refused = reply.code.is_some_and(|code| code >= 400);
        if refused {
            return Self { reaction: react(&reply, stage), what: format!("{place}: {}", reply.text) };
        }
        let none = Reply { code: None, text: String::new() };
        let reaction = if error.is_client() { Reaction::Halt } else { react(&none, stage) };
        Self { reaction, what: format!("{place}: {}", said(error)) }
    }

    /// The letter itself cannot be written or addressed.
    fn never(what: impl Into<String>) -> Self {
        Self { reaction: Reaction::Refused { address: false }, what: what.into() }
    }
}

/// Where letters are handed over.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    pub host: String,
    pub port: u16,
    pub security: SmtpSecurity,
    /// Login; no AUTH without one.
    pub username: Option<String>,
    /// An extra CA to trust, PEM.
    pub ca_file: Option<PathBuf>,
    /// Longest wait for connecting, and for each letter beside its size.
    pub timeout: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpSecurity {
    Tls,
    StartTls,
    /// Only to loopback.
    Plain,
}

/// Reads the secret at login time, so that it can change without a restart.
pub type ReadSecret = std::sync::Arc<dyn Fn() -> Result<SecretString, String> + Send + Sync>;

/// The outlet of an installation.
pub enum Outlet {
    Smtp { settings: Box<SmtpSettings>, secret: Option<ReadSecret>, connection: Option<Box<Connection>> },
    Maildir { path: PathBuf },
}

impl Outlet {
    /// Letters go to an SMTP server; it is connected to when the first letter leaves.
    #[must_use]
    pub fn smtp(settings: SmtpSettings, secret: Option<ReadSecret>) -> Self {
        Self::Smtp { settings: Box::new(settings), secret, connection: None }
    }

    /// Letters are written to a Maildir, which is made with the first of them.
    #[must_use]
    pub fn maildir(path: &Path) -> Self {
        Self::Maildir { path: path.to_owned() }
    }

    /// Hands one letter over; the server's answer on success.
    ///
    /// # Errors
    /// What the server said and what follows from it.
    pub async fn send(&mut self, letter: &Outgoing) -> Result<String, Refusal> {
        let bytes = compose(letter).map_err(|fault| Refusal::never(fault.what))?;
        match self {
            Self::Maildir { path } => write_maildir(path, letter, &bytes),
            Self::Smtp { settings, secret, connection } => {
                let mut open = match connection.take() {
                    Some(open) => open,
                    None => Box::new(connect(settings, secret.as_ref()).await?),
                };
                // A connection on which something failed is never used again.
                let reply = hand_over(&mut open, settings, letter, &bytes).await?;
                *connection = Some(open);
                Ok(reply)
            }
        }
    }

    /// Connects and logs in without sending or making anything, for `check --connect`.
    ///
    /// # Errors
    /// As for the first letter.
    pub async fn probe(&mut self) -> Result<String, Refusal> {
        match self {
            Self::Maildir { path } if path.is_dir() => Ok(format!("letters are written to {}", path.display())),
            Self::Maildir { path } if !path.exists() => {
                Ok(format!("letters will be written to {}, which is not there yet", path.display()))
            }
            Self::Maildir { path } => {
                Err(Refusal { reaction: Reaction::Halt, what: format!("{} is no folder for letters", path.display()) })
            }
            Self::Smtp { settings, secret, .. } => {
                let mut connection = connect(settings, secret.as_ref()).await?;
                let said = format!("{}:{} accepts the login", settings.host, settings.port);
                connection.smtp.abort().await;
                Ok(said)
            }
        }
    }

    /// Ends the connection, if one is open.
    pub async fn close(&mut self) {
        if let Self::Smtp { connection, settings, .. } = self
            && let Some(mut open) = connection.take()
        {
            let _ = timeout(settings.timeout, open.smtp.abort()).await;
        }
    }
}

/// Deadlines of one letter: the configured one for the envelope; for the text also a second for each 16 KiB, and five times as
/// long for the last answer, which queues may delay (RFC 5321 section 4.5.3.2.6 grants ten minutes).
async fn hand_over(connection: &mut Connection, settings: &SmtpSettings, letter: &Outgoing, bytes: &[u8]) -> Result<String, Refusal> {
    let address = |text: &str| text.parse::<Address>().map_err(|error| Refusal::never(format!("the address is not valid: {error}")));
    let (from, to) = (address(&letter.from.address)?, address(&letter.to)?);
    let mut stage = Stage::Sender;
    let wait = settings.timeout * 6 + Duration::from_secs(bytes.len() as u64 / 16_384);
    let said = timeout(wait, conversation(connection, settings.timeout, from, to, bytes, &mut stage)).await;
    let stage = if stage == Stage::Text && connection.heard.dot_left() { Stage::AfterDot } else { stage };
    let place = format!("{}:{}", settings.host, settings.port);
    match said {
        Ok(Ok(reply)) if reply.starts_with("250") => Ok(reply),
        // RFC 5321 section 4.2.5: only 250 hands over the responsibility.
        Ok(Ok(reply)) => Err(Refusal { reaction: Reaction::Unknown, what: format!("{place}: an answer out of turn: {reply}") }),
        Ok(Err(Some(error))) => Err(Refusal::heard(&connection.heard, stage, &place, &error)),
        Ok(Err(None)) | Err(_) => {
            let reaction = react(&Reply { code: None, text: String::new() }, stage);
            Err(Refusal { reaction, what: format!("{place} did not answer in time") })
        }
    }
}

/// MAIL, RCPT, DATA, the text. `None` as error: a deadline passed.
async fn conversation(
    connection: &mut Connection,
    wait: Duration,
    from: Address,
    to: Address,
    bytes: &[u8],
    stage: &mut Stage,
) -> Result<String, Option<SmtpError>> {
    let smtp = &mut connection.smtp;
    let mut parameters = Vec::new();
    if !bytes.is_ascii() && smtp.server_info().supports_feature(Extension::EightBitMime) {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    timeout(wait, smtp.command(Mail::new(Some(from), parameters))).await.map_err(|_| None)??;
    *stage = Stage::Recipient;
    timeout(wait, smtp.command(Rcpt::new(to, Vec::new()))).await.map_err(|_| None)??;
    *stage = Stage::Text;
    timeout(wait, smtp.command(Data)).await.map_err(|_| None)??;
    let response = smtp.message(bytes).await?;
    Ok(one_line(&format!("{} {}", response.code(), response.message().collect::<Vec<_>>().join(" "))))
}

/// The error with its causes, one line.
fn said(error: &SmtpError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    one_line(&text)
}

/// Named after the Message-ID: the same letter sent twice is one file.
fn write_maildir(path: &Path, letter: &Outgoing, bytes: &[u8]) -> Result<String, Refusal> {
    let name: String = letter.message_id.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).collect();
    let failed =
        |error: std::io::Error| Refusal { reaction: Reaction::Later, what: format!("{} cannot be written: {error}", path.display()) };
    for folder in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(path.join(folder)).map_err(failed)?;
    }
    let temporary = path.join("tmp").join(&name);
    let target = path.join("new").join(format!("{name}.eml"));
    let mut file = std::fs::File::create(&temporary).map_err(failed)?;
    std::io::Write::write_all(&mut file, bytes).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    std::fs::rename(&temporary, &target).map_err(failed)?;
    Ok(format!("written to {}", target.display()))
}
