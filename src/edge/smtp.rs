//! The way out: SMTP submission through lettre, or a Maildir for trying out. Connections are never pooled: one that a deadline
//! has cut short would give the next letter the last one's answer.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use lettre::{
    Address,
    address::Envelope,
    transport::smtp::{
        Error as SmtpError,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        extension::ClientId,
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;

use super::fault::{Fault, FaultKind};

mod compose;

pub use compose::{Outgoing, compose};

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
    Smtp { settings: Box<SmtpSettings>, secret: Option<ReadSecret>, connection: Option<Box<AsyncSmtpConnection>> },
    Maildir { path: PathBuf },
}

impl Outlet {
    /// Letters go to an SMTP server; it is connected to when the first letter leaves.
    #[must_use]
    pub fn smtp(settings: SmtpSettings, secret: Option<ReadSecret>) -> Self {
        Self::Smtp { settings: Box::new(settings), secret, connection: None }
    }

    /// Letters are written to a Maildir, which is made.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn maildir(path: &Path) -> std::io::Result<Self> {
        for folder in ["new", "cur", "tmp"] {
            std::fs::create_dir_all(path.join(folder))?;
        }
        Ok(Self::Maildir { path: path.to_owned() })
    }

    /// Hands one letter over; the server's answer on success.
    ///
    /// # Errors
    /// A fault that says whether to try later.
    pub async fn send(&mut self, letter: &Outgoing) -> Result<String, Fault> {
        let bytes = compose(letter)?;
        match self {
            Self::Maildir { path } => write_maildir(path, letter, &bytes),
            Self::Smtp { settings, secret, connection } => {
                let mut open = match connection.take() {
                    Some(open) => open,
                    None => Box::new(connect(settings, secret.as_ref()).await?),
                };
                let reply = hand_over(&mut open, settings, letter, &bytes).await?;
                *connection = Some(open);
                Ok(reply)
            }
        }
    }

    /// Connects and logs in without sending, for `check --connect`.
    ///
    /// # Errors
    /// As for the first letter.
    pub async fn probe(&mut self) -> Result<String, Fault> {
        match self {
            Self::Maildir { path } => Ok(format!("letters are written to {}", path.display())),
            Self::Smtp { settings, secret, .. } => {
                let mut connection = connect(settings, secret.as_ref()).await?;
                let said = format!("{}:{} accepts the login", settings.host, settings.port);
                connection.abort().await;
                Ok(said)
            }
        }
    }

    /// Ends the connection, if one is open.
    pub async fn close(&mut self) {
        if let Self::Smtp { connection, settings, .. } = self
            && let Some(mut open) = connection.take()
        {
            let _ = timeout(settings.timeout, open.abort()).await;
        }
    }
}

async fn connect(settings: &SmtpSettings, secret: Option<&ReadSecret>) -> Result<AsyncSmtpConnection, Fault> {
    let place = format!("{}:{}", settings.host, settings.port);
    timeout(settings.timeout, connect_now(settings, secret, &place))
        .await
        .map_err(|_| Fault::later(format!("{place} did not answer in time")))?
}

async fn connect_now(settings: &SmtpSettings, secret: Option<&ReadSecret>, place: &str) -> Result<AsyncSmtpConnection, Fault> {
    let hello = ClientId::default();
    let tls = if settings.security == SmtpSecurity::Plain { None } else { Some(tls(settings)?) };
    let (implicit, upgrade) = if settings.security == SmtpSecurity::Tls { (tls, None) } else { (None, tls) };
    let broken = |error: SmtpError| Fault::later(format!("{place}: {}", said(&error)));
    let address = (settings.host.as_str(), settings.port);
    let mut connection =
        AsyncSmtpConnection::connect_tokio1(address, Some(settings.timeout), &hello, implicit, None).await.map_err(broken)?;
    if let Some(parameters) = upgrade {
        connection.starttls(parameters, &hello).await.map_err(broken)?;
    }
    if let (Some(username), Some(secret)) = (&settings.username, secret) {
        let password = secret().map_err(Fault::login)?;
        let credentials = Credentials::new(username.clone(), password.expose_secret().to_owned());
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        connection.auth(&mechanisms, &credentials).await.map_err(|error| auth_fault(place, &error))?;
    }
    Ok(connection)
}

fn tls(settings: &SmtpSettings) -> Result<TlsParameters, Fault> {
    let wrong = |error: &dyn std::fmt::Display| Fault::never(format!("TLS to {} cannot be set up: {error}", settings.host));
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        let pem = std::fs::read(path).map_err(|error| wrong(&format!("{}: {error}", path.display())))?;
        builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| wrong(&error))?);
    }
    builder.build_rustls().map_err(|error| wrong(&error))
}

/// One letter under a deadline that grows with its size (a slow line moves 16 KiB a second). After the deadline the connection
/// is thrown away and the letter's fate is unknown.
async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    settings: &SmtpSettings,
    letter: &Outgoing,
    bytes: &[u8],
) -> Result<String, Fault> {
    let address = |text: &str| text.parse::<Address>().map_err(|error| Fault::never(format!("the address is not valid: {error}")));
    let envelope =
        Envelope::new(Some(address(&letter.from.address)?), vec![address(&letter.to)?]).map_err(|error| Fault::never(error.to_string()))?;
    let wait = settings.timeout + Duration::from_secs(bytes.len() as u64 / 16_384);
    match timeout(wait, connection.send(&envelope, bytes)).await {
        Ok(Ok(response)) => Ok(format!("{} {}", response.code(), response.message().collect::<Vec<_>>().join(" "))),
        Ok(Err(error)) => Err(send_fault(&error)),
        Err(_) => Err(Fault { kind: FaultKind::Unknown, what: "the server did not answer the letter in time".to_owned() }),
    }
}

/// 4xx later, 5xx never, an answer that cannot be read unknown, everything before it later.
fn send_fault(error: &SmtpError) -> Fault {
    let what = said(error);
    let kind = match error.status().map(u16::from) {
        Some(530 | 534 | 535 | 538) => FaultKind::Login,
        Some(code) if code >= 500 => FaultKind::Never,
        Some(_) => FaultKind::Later,
        None if error.is_permanent() => FaultKind::Never,
        // The connection ended where an answer was due: after DATA that may mean accepted.
        None if error.is_response() || error.is_timeout() => FaultKind::Unknown,
        None => FaultKind::Later,
    };
    Fault { kind, what }
}

/// Any permanent answer to AUTH is a matter of the account, not of the letter.
fn auth_fault(place: &str, error: &SmtpError) -> Fault {
    let what = format!("{place} refused the login: {}", said(error));
    if error.is_permanent() || error.is_client() { Fault::login(what) } else { Fault::later(what) }
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
    crate::domain::folding::one_line(&text)
}

/// Named after the Message-ID: the same letter sent twice is one file.
fn write_maildir(path: &Path, letter: &Outgoing, bytes: &[u8]) -> Result<String, Fault> {
    let name: String = letter.message_id.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).collect();
    let failed = |error: std::io::Error| Fault::later(format!("{} cannot be written: {error}", path.display()));
    let temporary = path.join("tmp").join(&name);
    let target = path.join("new").join(format!("{name}.eml"));
    let mut file = std::fs::File::create(&temporary).map_err(failed)?;
    std::io::Write::write_all(&mut file, bytes).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    std::fs::rename(&temporary, &target).map_err(failed)?;
    Ok(format!("written to {}", target.display()))
}
