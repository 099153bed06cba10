//! `[mailbox]`: how mail comes in; and what both mailbox and SMTP settings are made of.

use std::{path::PathBuf, time::Duration};

use super::{
    SecretSource,
    reader::Reader,
    sections::{existing, one_of},
};
use crate::edge::mailbox::imap::{ImapSettings, Security, is_loopback};

/// Folders in which NetEase puts good mail by mistake.
pub const NETEASE_STRAY: [&str; 3] = ["垃圾邮件", "广告邮件", "订阅邮件"];

#[derive(Debug, Clone)]
pub enum MailboxConfig {
    Imap(ImapConfig),
    Maildir(MaildirConfig),
}

impl MailboxConfig {
    /// Its name in the store: `imap:user@host`, `maildir:/path`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Imap(config) => format!("imap:{}@{}", config.username, config.host),
            Self::Maildir(config) => format!("maildir:{}", config.path.display()),
        }
    }
}

#[derive(Debug, Clone)]
pub struct ImapConfig {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub username: String,
    pub password: SecretSource,
    pub ca_file: Option<PathBuf>,
    /// In plain Unicode: 垃圾邮件.
    pub folders: Vec<String>,
    /// Watched where the account has them.
    pub folders_if_there: Vec<String>,
    pub provider: Provider,
    pub poll_secs: u64,
    /// Use IDLE where the server has it.
    pub idle: bool,
    /// Longest wait for one network read, in seconds.
    pub timeout_secs: u64,
    /// A session in which nothing goes forward for so long, beside the polling interval, is dropped.
    pub watchdog_mins: u64,
    /// All mails are compared with the store this often, so that late and moved mail is found.
    pub reconcile_secs: u64,
}

#[derive(Debug, Clone)]
pub struct MaildirConfig {
    pub path: PathBuf,
    pub poll_secs: u64,
}

/// A mail provider's habits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// 163.com, 126.com, yeah.net.
    Netease,
    Generic,
}

impl ImapConfig {
    /// What the IMAP edge needs; the ID fields name the program and whom to write to.
    #[must_use]
    pub fn settings(&self) -> ImapSettings {
        let id =
            [("name", "annexd"), ("version", env!("CARGO_PKG_VERSION")), ("vendor", "annexd"), ("support-email", self.username.as_str())];
        ImapSettings {
            host: self.host.clone(),
            port: self.port,
            security: self.security,
            username: self.username.clone(),
            ca_file: self.ca_file.clone(),
            id: id.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            read_timeout: Duration::from_secs(self.timeout_secs),
            spool: None,
        }
    }
}

/// How a connection is protected, before it becomes one library's or the other's own type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    Tls,
    StartTls,
    Plain,
}

pub fn protection(reader: &mut Reader, section: &str, host: &str) -> Protection {
    let place = reader.place(section, "security");
    let found = reader.parsed(section, "security", |text| match text {
        "tls" => Ok(Protection::Tls),
        "starttls" => Ok(Protection::StartTls),
        "plain" => Ok(Protection::Plain),
        _ => Err("is not one of tls, starttls, plain".to_owned()),
    });
    if found == Some(Protection::Plain) && !host.is_empty() && !is_loopback(host) {
        let text = format!("plain is allowed only to this machine itself, not to {host}; use tls or starttls");
        reader.wrong::<()>(section, "security", &place.0, place.1, text);
    }
    found.unwrap_or(Protection::Tls)
}

pub fn mailbox(reader: &mut Reader) -> MailboxConfig {
    let kind = reader.parsed("mailbox", "kind", |text| one_of(text, &["imap", "maildir"]));
    let poll_secs = reader.number("mailbox", "poll_secs", 1..=86_400).unwrap_or(120);
    if kind.as_deref() == Some("maildir") {
        return MailboxConfig::Maildir(MaildirConfig { path: reader.required("mailbox", "path", "/var/mail/annexd").into(), poll_secs });
    }
    let host = reader.required("mailbox", "host", "imap.163.com");
    let security = match protection(reader, "mailbox", &host) {
        Protection::Tls => Security::Tls,
        Protection::StartTls => Security::StartTls,
        Protection::Plain => Security::Plain,
    };
    let default_port = if security == Security::Tls { 993 } else { 143 };
    let provider = provider(reader, "mailbox", &host);
    let named = reader.strings("mailbox", "folders").filter(|folders| !folders.is_empty());
    let stray = if provider == Provider::Netease && named.is_none() { NETEASE_STRAY.as_slice() } else { &[] };
    MailboxConfig::Imap(ImapConfig {
        port: port(reader, "mailbox").unwrap_or(default_port),
        security,
        username: reader.required("mailbox", "username", "jlsgxtkjc@163.com"),
        password: password(reader, "mailbox").unwrap_or_else(|| missing_password(reader, "mailbox")),
        ca_file: reader.parsed("mailbox", "ca_file", existing),
        folders: named.unwrap_or_else(|| vec!["INBOX".to_owned()]),
        folders_if_there: stray.iter().map(|name| (*name).to_owned()).collect(),
        provider,
        poll_secs,
        idle: reader.boolean("mailbox", "idle").unwrap_or(true),
        timeout_secs: reader.number("mailbox", "timeout_secs", 1..=3_600).unwrap_or(60),
        reconcile_secs: reader.number("mailbox", "reconcile_secs", 1..=86_400).unwrap_or(3_600),
        watchdog_mins: reader.number("mailbox", "watchdog_mins", 1..=1_440).unwrap_or(15),
        host,
    })
}

pub fn provider(reader: &mut Reader, section: &str, host: &str) -> Provider {
    let named = reader.parsed(section, "provider", |text| one_of(text, &["auto", "netease", "generic"]));
    let is_netease = ["163.com", "126.com", "yeah.net"].iter().any(|domain| host.ends_with(domain));
    match named.as_deref() {
        Some("netease") => Provider::Netease,
        Some("generic") => Provider::Generic,
        _ if is_netease => Provider::Netease,
        _ => Provider::Generic,
    }
}

/// [`secret`] named `password`.
pub fn password(reader: &mut Reader, section: &str) -> Option<SecretSource> {
    secret(reader, section, "password")
}

/// `NAME_file` or `NAME_env`; a secret in the TOML itself is refused.
pub fn secret(reader: &mut Reader, section: &str, name: &str) -> Option<SecretSource> {
    let (of_file, of_env) = (format!("{name}_file"), format!("{name}_env"));
    let (file, line) = reader.place(section, name);
    if reader.string(section, name).is_some() {
        let remedy = format!("a secret must not stand here; put it into a file and name that with {of_file}, or use {of_env}");
        reader.wrong::<()>(section, name, &file, line, remedy);
    }
    let (path_file, path_line) = reader.place(section, &of_file);
    match (reader.string(section, &of_file), reader.string(section, &of_env)) {
        (Some(_), Some(_)) => reader.wrong(section, &of_file, &path_file, path_line, format!("stands beside {of_env}; keep one of them")),
        (Some(path), None) => Some(SecretSource::File(path.into())),
        (None, Some(variable)) => Some(SecretSource::Environment(variable)),
        (None, None) => None,
    }
}

pub fn missing_password(reader: &mut Reader, section: &str) -> SecretSource {
    let (file, _) = reader.place(section, "");
    reader.wrong::<()>(
        section,
        "password_file",
        &file,
        None,
        "is missing; name the file that holds the password (163.com: the 授权码)".to_owned(),
    );
    SecretSource::File(PathBuf::new())
}

pub fn port(reader: &mut Reader, section: &str) -> Option<u16> {
    reader.number(section, "port", 1..=65_535).and_then(|port| u16::try_from(port).ok())
}
