//! The sections of the configuration, each with its defaults, bounds and named mistakes.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{civil::Time, tz::TimeZone};

use super::{
    Mistake,
    programmes::{Base, Programme, SHARED_SECTIONS, programmes},
    raw_mail::{RawMailConfig, raw_mail},
    reader::Reader,
    receiving::{MailboxConfig, mailbox},
    sending::{AlertsConfig, SmtpConfig, alerts, answer_caps, smtp},
    storing::{Role, StoreConfig, roles, store},
};
use crate::{
    domain::{letters::caps::AnswerCaps, limits::Limits, message::Mailbox},
    edge::reader::ocr::OcrSettings,
};

/// Everything `annexd.toml` says.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which programme this is, where there are several.
    pub programme: Programme,
    /// Further programmes; their files are read by [`super::Installation::load`].
    pub programmes: Vec<Programme>,
    /// Raw mail, SQLite file.
    pub data_dir: PathBuf,
    pub timezone: String,
    /// What this daemon does, where several share one database.
    pub roles: Vec<Role>,
    pub mailbox: MailboxConfig,
    pub smtp: SmtpConfig,
    /// A second way out, for letters to divisions and administrators.
    pub smtp_internal: Option<SmtpConfig>,
    pub store: StoreConfig,
    pub raw_mail: RawMailConfig,
    pub digest: DigestConfig,
    pub web: Option<WebConfig>,
    pub limits: Limits,
    pub receipts: ReceiptsConfig,
    pub answers: AnswerCaps,
    pub alerts: AlertsConfig,
    pub examine: ExamineConfig,
    pub reader: ReaderConfig,
    /// Recognition of scanned letters, where it is switched on.
    pub ocr: Option<OcrSettings>,
    pub queue: QueueConfig,
    pub data: DataPaths,
}

#[derive(Debug, Clone)]
pub struct DigestConfig {
    pub to: Vec<String>,
    /// `08:30`.
    pub at: String,
}

/// The window for watchers: health, metrics, status page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebConfig {
    pub listen: SocketAddr,
}

#[derive(Debug, Clone)]
pub struct ReceiptsConfig {
    /// Signs every letter.
    pub department: String,
    /// For questions; shown in receipts.
    pub contact: String,
    /// Whether senders are told which division takes a topic.
    pub tell_division: bool,
    /// The full list of a long batch goes with the receipt as a workbook instead of a text file.
    pub list_as_workbook: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct ExamineConfig {
    /// Examinations of one message before it is parked.
    pub attempts_max: u32,
}

/// Letters to divisions.
#[derive(Debug, Clone, Copy)]
pub struct QueueConfig {
    /// Original annexes of new topics go with the letter up to this size together; 0: none. The rest is listed.
    pub attach_max_bytes: u64,
}

/// The processes in which foreign bytes are read.
#[derive(Debug, Clone)]
pub struct ReaderConfig {
    /// Mails read at one time.
    pub processes: usize,
    /// Longest time for one mail.
    pub timeout_secs: u64,
    /// Address space of one process.
    pub memory_max_bytes: u64,
}

/// Where the data files lie; a file that is not there is taken from the shipped ones.
#[derive(Debug, Clone)]
pub struct DataPaths {
    pub forms_dir: PathBuf,
    pub divisions_file: PathBuf,
    pub rules_file: PathBuf,
    pub submitters_file: PathBuf,
    pub letters_dir: PathBuf,
}

impl Config {
    /// Reads one file and the environment's overrides.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn load(file: &Path, environment: &[(String, String)]) -> Result<Self, Vec<Mistake>> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            vec![Mistake { file: file.display().to_string(), line: None, key: String::new(), text: format!("cannot be read: {error}") }]
        })?;
        Self::parse(Reader::new(&text, &file.display().to_string(), environment)?, file, None)
    }

    /// Reads a programme's file; what it leaves out is the main file's.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn load_programme(
        programme: &Programme,
        main: &Self,
        main_file: &Path,
        environment: &[(String, String)],
    ) -> Result<Self, Vec<Mistake>> {
        let reader = |file: &Path, environment: &[(String, String)]| {
            let name = file.display().to_string();
            let unread = |error: std::io::Error| {
                vec![Mistake { file: name.clone(), line: None, key: String::new(), text: format!("cannot be read: {error}") }]
            };
            Reader::new(&std::fs::read_to_string(file).map_err(unread)?, &name, environment)
        };
        let base = Base { programme, main, settings: reader(main_file, environment)? };
        // Overrides are the main programme's: they name no other.
        Self::parse(reader(&programme.file, &[])?, &programme.file, Some(base))
    }

    /// The configuration built into the binary.
    ///
    /// # Errors
    /// Mistakes of the environment's overrides.
    pub fn shipped(environment: &[(String, String)]) -> Result<Self, Vec<Mistake>> {
        let (text, file) = (include_str!("../../config/annexd.toml"), "(built-in configuration)");
        Self::parse(Reader::new(text, file, environment)?, Path::new(file), None)
    }

    fn parse(mut reader: Reader, file: &Path, base: Option<Base>) -> Result<Self, Vec<Mistake>> {
        let beside = file.parent().unwrap_or(Path::new("")).to_owned();
        let has_own = ["raw_mail", "receipts", "store"].map(|section| reader.has_section(section));
        let (programme, main) = match base {
            Some(Base { programme, main, settings }) => {
                reader.inherit(settings, &SHARED_SECTIONS, &["timezone", "roles"]);
                (programme.clone(), Some(main))
            }
            None => (Programme::main(file), None),
        };
        // What a programme shares with the main one, kept apart by its name.
        let apart = |index: usize| main.is_some() && has_own.get(index) == Some(&false);
        let store = store(&mut reader, main.filter(|_| apart(2)));
        let config = Self {
            programmes: if main.is_none() { programmes(&mut reader, &beside) } else { Vec::new() },
            data_dir: reader.string("", "data_dir").map_or_else(|| default_data_dir(main, &programme.name), PathBuf::from),
            timezone: reader.parsed("", "timezone", time_zone).unwrap_or_else(|| "Asia/Shanghai".to_owned()),
            roles: roles(&mut reader, &store),
            mailbox: mailbox(&mut reader),
            smtp: smtp(&mut reader, "smtp"),
            smtp_internal: if reader.has_section("smtp_internal") { Some(smtp(&mut reader, "smtp_internal")) } else { None },
            store,
            raw_mail: raw_mail(&mut reader, if apart(0) { &programme.name } else { "" }),
            digest: DigestConfig {
                to: addresses(&mut reader, "digest", "to"),
                at: reader.parsed("digest", "at", time_of_day).unwrap_or_else(|| "08:30".to_owned()),
            },
            // One window shows all programmes.
            web: if main.is_none() { web(&mut reader) } else { None },
            limits: limits(&mut reader),
            receipts: ReceiptsConfig {
                department: department(&mut reader, if apart(1) { &programme.title } else { "" }),
                contact: reader.string("receipts", "contact").unwrap_or_default(),
                tell_division: reader.boolean("receipts", "tell_division").unwrap_or(false),
                list_as_workbook: reader.parsed("receipts", "list", |text| one_of(text, &["txt", "xlsx"])).as_deref() == Some("xlsx"),
            },
            answers: answer_caps(&mut reader),
            alerts: alerts(&mut reader),
            examine: ExamineConfig { attempts_max: small(&mut reader, "examine", "attempts_max", 1..=100).unwrap_or(3) },
            reader: ReaderConfig {
                processes: small(&mut reader, "reader", "processes", 1..=64).map_or_else(cores, |processes| processes as usize),
                timeout_secs: reader.number("reader", "timeout_secs", 1..=3_600).unwrap_or(60),
                memory_max_bytes: reader.number("reader", "memory_max_mib", 128..=65_536).unwrap_or(1_024) << 20,
            },
            ocr: ocr(&mut reader),
            queue: QueueConfig { attach_max_bytes: reader.number("queue", "attach_max_mib", 0..=50).unwrap_or(10) << 20 },
            data: data_paths(&mut reader, &beside, main.map(|main| &main.data)),
            programme,
        };
        let mistakes = reader.finish();
        if mistakes.is_empty() { Ok(config) } else { Err(mistakes) }
    }

    /// Addresses that are ourselves, lower case.
    #[must_use]
    pub fn own_addresses(&self) -> Vec<String> {
        let mut own = vec![self.smtp.from.address.to_lowercase()];
        own.extend(self.smtp_internal.as_ref().map(|smtp| smtp.from.address.to_lowercase()));
        if let MailboxConfig::Imap(imap) = &self.mailbox
            && imap.username.contains('@')
            && !own.contains(&imap.username.to_lowercase())
        {
            own.push(imap.username.to_lowercase());
        }
        own
    }
}

impl Config {
    /// Who is told of what cannot wait.
    #[must_use]
    pub fn alerts_to(&self) -> &[String] {
        if self.alerts.to.is_empty() { &self.digest.to } else { &self.alerts.to }
    }
}

/// An address that others can reach must be asked for in so many words: the page has neither login nor encryption.
fn web(reader: &mut Reader) -> Option<WebConfig> {
    let (file, line) = reader.place("web", "listen");
    let remote = reader.boolean("web", "allow_remote").unwrap_or(false);
    let listen: SocketAddr =
        reader.parsed("web", "listen", |text| text.parse().map_err(|_| "is no address and port, like 127.0.0.1:8425".to_owned()))?;
    if !listen.ip().is_loopback() && !remote {
        let text = format!(
            "{listen} can be reached from other machines, and the status page has neither login nor encryption; listen on \
             127.0.0.1:{} behind a web server that has both, or say allow_remote = true",
            listen.port()
        );
        return reader.wrong("web", "listen", &file, line, text);
    }
    Some(WebConfig { listen })
}

/// Off unless it is asked for: what it finds is a hint only.
fn ocr(reader: &mut Reader) -> Option<OcrSettings> {
    let enabled = reader.boolean("ocr", "enabled").unwrap_or(false);
    let settings = OcrSettings {
        program: reader.string("ocr", "program").unwrap_or_else(|| "tesseract".to_owned()).into(),
        language: reader.string("ocr", "language").unwrap_or_else(|| "chi_sim".to_owned()),
        timeout: Duration::from_secs(reader.number("ocr", "timeout_secs", 1..=3_600).unwrap_or(60)),
        memory_max_bytes: reader.number("ocr", "memory_max_mib", 256..=65_536).unwrap_or(1_024) << 20,
    };
    enabled.then_some(settings)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

pub fn small(reader: &mut Reader, section: &str, key: &str, bounds: std::ops::RangeInclusive<u64>) -> Option<u32> {
    reader.number(section, key, bounds).and_then(|number| u32::try_from(number).ok())
}

/// Every limit is a whole number that may be set under its own name.
fn limits(reader: &mut Reader) -> Limits {
    let Ok(mut table) = toml::Table::try_from(Limits::default()) else { return Limits::default() };
    for (key, value) in &mut table {
        if let Some(number) = reader.number("limits", key, 1..=1 << 40).and_then(|number| i64::try_from(number).ok()) {
            *value = toml::Value::Integer(number);
        }
    }
    table.try_into().unwrap_or_default()
}

fn default_data_dir(main: Option<&Config>, name: &str) -> PathBuf {
    main.map_or_else(|| PathBuf::from("/var/lib/annexd"), |main| main.data_dir.join("programmes").join(name))
}

/// Who signs; a programme that takes the signature from the main file says which one it is.
fn department(reader: &mut Reader, title: &str) -> String {
    let department = reader.string("receipts", "department").unwrap_or_else(|| "吉林省工业和信息化厅".to_owned());
    if title.is_empty() { department } else { format!("{department}（{title}）") }
}

/// A path that a key names must exist; the default places need not: then a programme has the main one's, if that has any.
fn data_paths(reader: &mut Reader, beside: &Path, main: Option<&DataPaths>) -> DataPaths {
    let mut path = |key: &str, default: &str, mains: Option<&PathBuf>| {
        let named = reader.parsed("", key, |text| existing(&beside.join(text).display().to_string()));
        let own = beside.join(default);
        named.unwrap_or_else(|| mains.filter(|_| !own.exists()).cloned().unwrap_or(own))
    };
    DataPaths {
        forms_dir: path("forms_dir", "forms", main.map(|main| &main.forms_dir)),
        divisions_file: path("divisions_file", "divisions.toml", main.map(|main| &main.divisions_file)),
        rules_file: path("rules_file", "rules.toml", main.map(|main| &main.rules_file)),
        submitters_file: path("submitters_file", "submitters.toml", main.map(|main| &main.submitters_file)),
        letters_dir: path("letters_dir", "letters", main.map(|main| &main.letters_dir)),
    }
}

pub fn addresses(reader: &mut Reader, section: &str, key: &str) -> Vec<String> {
    let (file, line) = reader.place(section, key);
    let list = reader.strings(section, key).unwrap_or_default();
    for address in list.iter().filter(|address| !looks_like_address(address)) {
        reader.wrong::<()>(section, key, &file, line, format!("{address:?} is no mail address"));
    }
    list
}

fn looks_like_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.') && !text.contains(char::is_whitespace))
}

/// `Name <local@domain>` or a bare address.
pub fn named_address(text: &str) -> Result<Mailbox, String> {
    let (name, address) = match text.split_once('<') {
        Some((name, rest)) => (name.trim().trim_matches('"'), rest.trim_end().trim_end_matches('>')),
        None => ("", text.trim()),
    };
    if looks_like_address(address) || address.ends_with("@localhost") {
        return Ok(Mailbox { name: name.to_owned(), address: address.to_owned() });
    }
    Err("is no mail address, like 吉林省工信厅科技处 <jlsgxtkjc@163.com>".to_owned())
}

pub fn one_of(text: &str, allowed: &[&str]) -> Result<String, String> {
    if allowed.contains(&text) { Ok(text.to_owned()) } else { Err(format!("is not one of {}", allowed.join(", "))) }
}

pub fn existing(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.exists() { Ok(path) } else { Err("does not exist".to_owned()) }
}

fn time_zone(text: &str) -> Result<String, String> {
    TimeZone::get(text).map(|_| text.to_owned()).map_err(|_| "is no time zone, like Asia/Shanghai".to_owned())
}

fn time_of_day(text: &str) -> Result<String, String> {
    text.parse::<Time>().map(|_| text.to_owned()).map_err(|_| "is no time of day, like 08:30".to_owned())
}
