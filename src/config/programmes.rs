//! `[[programme]]`: further mailboxes of one installation. Each programme has a file of its own, with its mailbox and its account for
//! letters, and its own forms, divisions, letters and database; what its file leaves out is the main file's.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use toml::Value;

use super::{Config, Installation, Mistake, SmtpConfig, reader::Reader};

/// Names the programme of the main file where one must be named.
pub const MAIN: &str = "main";
/// Sections that a programme takes from the main file whole, where its own file has none of that name.
pub const SHARED_SECTIONS: [&str; 11] =
    ["smtp_internal", "raw_mail", "digest", "receipts", "answers", "alerts", "examine", "queue", "reader", "limits", "ocr"];
/// Receipt numbers of one series; enough for a year of any programme.
const SERIES_NUMBERS: i64 = 1_000_000;

/// One programme among several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programme {
    /// In commands, metrics and folder names; empty for the main one where there are no others.
    pub name: String,
    /// For people; empty for the main one.
    pub title: String,
    /// Its configuration.
    pub file: PathBuf,
    /// Its receipt numbers begin after so many millions, so that no number is given out twice.
    pub series: u32,
}

impl Programme {
    /// The programme of the main file.
    #[must_use]
    pub fn main(file: &Path) -> Self {
        Self { name: MAIN.to_owned(), title: String::new(), file: file.to_owned(), series: 0 }
    }

    /// Running numbers begin after this one.
    #[must_use]
    pub fn numbers_after(&self) -> i64 {
        i64::from(self.series) * SERIES_NUMBERS
    }

    /// Whether it is the main file's.
    #[must_use]
    pub fn is_main(&self) -> bool {
        self.series == 0
    }
}

/// What a programme's file may lean on.
pub struct Base<'a> {
    pub programme: &'a Programme,
    pub main: &'a Config,
    /// The main file with the environment's overrides.
    pub settings: Reader,
}

/// The entries of the main file; paths are relative to it.
pub fn programmes(reader: &mut Reader, beside: &Path) -> Vec<Programme> {
    let (file, line) = reader.place("", "programme");
    let mut found: Vec<Programme> = Vec::new();
    for table in reader.tables("", "programme") {
        match entry(table, beside) {
            Ok(entry) => match twin(&found, &entry) {
                Some(problem) => drop(reader.wrong::<()>("", "programme", &file, line, problem)),
                None => found.push(entry),
            },
            Err(problem) => drop(reader.wrong::<()>("", "programme", &file, line, problem)),
        }
    }
    found
}

fn entry(mut table: toml::Table, beside: &Path) -> Result<Programme, String> {
    let mut text = |key: &str| match table.remove(key) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(_) => Err(format!("{key} must be a text in quotes")),
        None => Err(format!("{key} is missing; an entry has name, title, file and series")),
    };
    let (name, title, file) = (text("name")?, text("title")?, beside.join(text("file")?));
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name == MAIN || !name.chars().all(fits) {
        return Err(format!("name {name:?} must be of small letters, digits and hyphens, and not {MAIN:?}"));
    }
    if !file.exists() {
        return Err(format!("the file {} of {name:?} does not exist", file.display()));
    }
    let series = match table.remove("series") {
        Some(Value::Integer(number)) if (1..=99).contains(&number) => u32::try_from(number).unwrap_or(1),
        _ => return Err(format!("series of {name:?} must be a number from 1 to 99, its own: its receipt numbers begin with it")),
    };
    match table.keys().next() {
        Some(key) => Err(format!("unknown key {key:?} in the entry of {name:?}; an entry has name, title, file and series")),
        None => Ok(Programme { name, title, file, series }),
    }
}

fn twin(found: &[Programme], entry: &Programme) -> Option<String> {
    let other = found.iter().find(|other| other.name == entry.name || other.series == entry.series)?;
    let what = if other.name == entry.name { "name" } else { "series" };
    Some(format!("two programmes have the same {what}: {:?} and {:?}", other.name, entry.name))
}

/// What programmes must not share. Each of them counts what it sends in its own database, so that a capped account has one owner.
pub fn conflicts(all: &[&Installation]) -> Vec<Mistake> {
    let mut found = Vec::new();
    let mut owners: BTreeMap<(&str, String), &Programme> = BTreeMap::new();
    let capped: BTreeSet<String> =
        all.iter().flat_map(|one| accounts(&one.config)).filter(|smtp| has_caps(smtp)).map(SmtpConfig::account).collect();
    for installation in all {
        let (config, programme) = (&installation.config, &installation.config.programme);
        let taken = [
            ("mailbox", config.mailbox.name()),
            ("data_dir", config.data_dir.display().to_string()),
            ("store.url", format!("{} in {}", config.store.url, database_folder(config))),
        ];
        let sending = accounts(config).map(SmtpConfig::account).filter(|account| capped.contains(account)).map(|account| ("smtp", account));
        for (key, what) in taken.into_iter().chain(sending) {
            let owner = *owners.entry((key, what.clone())).or_insert(programme);
            if owner.name == programme.name {
                continue;
            }
            let text = match key {
                "smtp" => format!("the account {what} is {}'s too and has caps; give this programme an account of its own", owner.name),
                _ => format!("{what} is {}'s already; each programme needs its own", owner.name),
            };
            found.push(Mistake { file: programme.file.display().to_string(), line: None, key: key.to_owned(), text });
        }
    }
    found
}

fn accounts(config: &Config) -> impl Iterator<Item = &SmtpConfig> {
    std::iter::once(&config.smtp).chain(&config.smtp_internal)
}

fn has_caps(smtp: &SmtpConfig) -> bool {
    smtp.pace.per_day > 0 || smtp.pace.per_15_min > 0
}

/// A SQLite file is named from its folder; a server's database is not.
fn database_folder(config: &Config) -> String {
    if config.store.url.starts_with("sqlite:") { config.data_dir.display().to_string() } else { String::new() }
}
