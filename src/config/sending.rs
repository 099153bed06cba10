//! The sections about what leaves: `[smtp]`, `[smtp_internal]`, `[answers]`, `[alerts]`.

use std::{path::PathBuf, time::Duration};

use super::{
    SecretSource,
    reader::Reader,
    receiving::{Protection, Provider, missing_password, password, port, protection, provider},
    sections::{addresses, existing, named_address, one_of, small},
};
use crate::{
    domain::{letters::caps::AnswerCaps, message::Mailbox},
    edge::smtp::{SmtpSecurity, SmtpSettings},
};

#[derive(Debug, Clone)]
pub struct SmtpConfig {
    pub transport: SmtpTransport,
    /// Header From and envelope sender; NetEase wants it to be the login.
    pub from: Mailbox,
    pub pace: Pace,
    /// Internal letters leave with their HTML twin and pictures. Not by NetEase unless asked for: its filters take HTML and pictures
    /// for marks of spam, and the account is the receipts' only way out.
    pub html: bool,
}

#[derive(Debug, Clone)]
pub enum SmtpTransport {
    Smtp(SmtpServerConfig),
    Maildir(MaildirOutConfig),
}

#[derive(Debug, Clone)]
pub struct SmtpServerConfig {
    pub host: String,
    pub port: u16,
    pub security: SmtpSecurity,
    pub username: Option<String>,
    pub password: Option<SecretSource>,
    pub ca_file: Option<PathBuf>,
    pub timeout_secs: u64,
}

#[derive(Debug, Clone)]
pub struct MaildirOutConfig {
    pub path: PathBuf,
}

/// Caps of the sending account; 0 = none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Letters a day in the configured time zone.
    pub per_day: u32,
    pub per_15_min: u32,
    pub per_connection: u32,
    pub gap_secs: u64,
}

#[derive(Debug, Clone)]
pub struct AlertsConfig {
    /// Who is told; the digest's readers where it is empty.
    pub to: Vec<String>,
    /// Minutes without a successful poll.
    pub no_poll_mins: u64,
    /// Free space of the data folder's disk, in MiB.
    pub disk_free_min_mib: u64,
    /// Days after which the mailbox's authorisation code should be renewed (163.com: 180).
    pub secret_max_days: u64,
}

impl SmtpConfig {
    /// When the password was written; `None` where it is not in a file.
    #[must_use]
    pub fn secret_written_at(&self) -> Option<jiff::Timestamp> {
        match &self.transport {
            SmtpTransport::Smtp(server) => server.password.as_ref().and_then(SecretSource::written_at),
            SmtpTransport::Maildir(_) => None,
        }
    }

    /// `user@host`: the name under which the store counts what leaves.
    #[must_use]
    pub fn account(&self) -> String {
        match &self.transport {
            SmtpTransport::Smtp(server) => format!("{}@{}", server.username.as_deref().unwrap_or(&self.from.address), server.host),
            SmtpTransport::Maildir(maildir) => format!("maildir:{}", maildir.path.display()),
        }
    }
}

impl SmtpServerConfig {
    #[must_use]
    pub fn settings(&self) -> SmtpSettings {
        SmtpSettings {
            host: self.host.clone(),
            port: self.port,
            security: self.security,
            username: self.username.clone(),
            ca_file: self.ca_file.clone(),
            timeout: Duration::from_secs(self.timeout_secs),
        }
    }
}

pub fn smtp(reader: &mut Reader, section: &str) -> SmtpConfig {
    let kind = reader.parsed(section, "kind", |text| one_of(text, &["smtp", "maildir"]));
    let written = reader.holds(section, "from");
    let from = reader.parsed(section, "from", named_address);
    let (transport, provider) = if kind.as_deref() == Some("maildir") {
        let path = reader.required(section, "path", "/var/lib/annexd/letters").into();
        (SmtpTransport::Maildir(MaildirOutConfig { path }), provider(reader, section, ""))
    } else {
        let host = reader.required(section, "host", "smtp.163.com");
        let provider = provider(reader, section, &host);
        (SmtpTransport::Smtp(smtp_server(reader, section, host)), provider)
    };
    let from = from.unwrap_or_else(|| {
        let username =
            if let SmtpTransport::Smtp(server) = &transport { server.username.clone().unwrap_or_default() } else { String::new() };
        Mailbox { name: String::new(), address: username }
    });
    // What is written and wrong was told already.
    if from.address.is_empty() && !written {
        let (file, line) = reader.place(section, "from");
        reader.wrong::<()>(
            section,
            "from",
            &file,
            line,
            "is missing; for example from = \"吉林省工信厅科技处 <jlsgxtkjc@163.com>\"".to_owned(),
        );
    }
    let html = reader.boolean(section, "html").unwrap_or(provider != Provider::Netease);
    SmtpConfig { transport, from, pace: pace(reader, section, provider), html }
}

fn smtp_server(reader: &mut Reader, section: &str, host: String) -> SmtpServerConfig {
    let security = match protection(reader, section, &host) {
        Protection::Tls => SmtpSecurity::Tls,
        Protection::StartTls => SmtpSecurity::StartTls,
        Protection::Plain => SmtpSecurity::Plain,
    };
    let default_port = match security {
        SmtpSecurity::Tls => 465,
        SmtpSecurity::StartTls => 587,
        SmtpSecurity::Plain => 25,
    };
    let username = reader.string(section, "username");
    let password = password(reader, section);
    if username.is_some() && password.is_none() {
        missing_password(reader, section);
    }
    SmtpServerConfig {
        host,
        port: port(reader, section).unwrap_or(default_port),
        security,
        username,
        password,
        ca_file: reader.parsed(section, "ca_file", existing),
        timeout_secs: reader.number(section, "timeout_secs", 1..=3_600).unwrap_or(60),
    }
}

/// NetEase's limits are not published; these defaults are those its users report as safe.
fn pace(reader: &mut Reader, section: &str, provider: Provider) -> Pace {
    let default = match provider {
        Provider::Netease => Pace { per_day: 40, per_15_min: 5, per_connection: 5, gap_secs: 20 },
        Provider::Generic => Pace { per_day: 0, per_15_min: 0, per_connection: 0, gap_secs: 0 },
    };
    Pace {
        per_day: small(reader, section, "per_day", 0..=1_000_000).unwrap_or(default.per_day),
        per_15_min: small(reader, section, "per_15_min", 0..=1_000_000).unwrap_or(default.per_15_min),
        per_connection: small(reader, section, "per_connection", 0..=1_000_000).unwrap_or(default.per_connection),
        gap_secs: reader.number(section, "gap_secs", 0..=3_600).unwrap_or(default.gap_secs),
    }
}

pub fn answer_caps(reader: &mut Reader) -> AnswerCaps {
    let default = AnswerCaps::default();
    let mut cap = |key: &str, default: u32| small(reader, "answers", key, 0..=1_000_000).unwrap_or(default);
    AnswerCaps {
        per_address_hour: cap("per_address_hour", default.per_address_hour),
        per_address_day: cap("per_address_day", default.per_address_day),
        per_domain_hour: cap("per_domain_hour", default.per_domain_hour),
        per_domain_day: cap("per_domain_day", default.per_domain_day),
        total_day: cap("total_day", default.total_day),
        alternations_day: cap("alternations_day", default.alternations_day),
    }
}

pub fn alerts(reader: &mut Reader) -> AlertsConfig {
    AlertsConfig {
        to: addresses(reader, "alerts", "to"),
        no_poll_mins: reader.number("alerts", "no_poll_mins", 1..=100_000).unwrap_or(60),
        disk_free_min_mib: reader.number("alerts", "disk_free_min_mib", 0..=1 << 30).unwrap_or(1024),
        secret_max_days: reader.number("alerts", "secret_max_days", 1..=10_000).unwrap_or(165),
    }
}
