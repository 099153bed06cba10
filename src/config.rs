//! Configuration: TOML and environment to [`Config`], the data files beside it to [`Installation`]. Every mistake is reported at
//! once with file, line and key; secrets come from files or the environment only and are never printed.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::domain::{
    forms::catalogue::{self, Catalogue},
    letters::templates::Templates,
    routing::Divisions,
    rules::RuleSettings,
    submitters::Submitters,
    verdict::Knowledge,
};

mod programmes;
mod raw_mail;
mod reader;
mod receiving;
mod secret;
mod sections;
mod sending;
mod storing;

pub use programmes::{MAIN, Programme};
pub use raw_mail::{RawMailConfig, S3Config};
pub use receiving::{ImapConfig, MailboxConfig, MaildirConfig, NETEASE_STRAY, Provider};
pub use secret::SecretSource;
pub use sections::{Config, DataPaths, DigestConfig, ExamineConfig, QueueConfig, ReaderConfig, ReceiptsConfig, WebConfig};
pub use sending::{AlertsConfig, MaildirOutConfig, Pace, SmtpConfig, SmtpServerConfig, SmtpTransport};
pub use storing::{Role, StoreConfig};

/// Files tried where `--config` names none.
pub const DEFAULT_FILES: [&str; 2] = ["config/annexd.toml", "/etc/annexd/annexd.toml"];

/// One mistake of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// File, or `environment`.
    pub file: String,
    pub line: Option<usize>,
    /// `mailbox.port`; empty for a mistake of the file as a whole.
    pub key: String,
    pub text: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(formatter, ": {}", self.key)?;
        }
        write!(formatter, ": {}", self.text)
    }
}

/// Everything an installation runs by.
#[derive(Debug, Clone)]
pub struct Installation {
    pub config: Arc<Config>,
    pub knowledge: Arc<Knowledge>,
    pub templates: Arc<Templates>,
    /// The others, where this is the main programme of several.
    pub programmes: Vec<Self>,
}

impl Installation {
    /// Loads configuration and data files. `path` is what `--config` named; `environment` the process's variables.
    ///
    /// # Errors
    /// All mistakes of all files.
    pub fn load(path: Option<&Path>, environment: &[(String, String)]) -> Result<Self, Vec<Mistake>> {
        let file = find(path)?;
        Self::with_programmes(&file, environment)
    }

    fn with_programmes(file: &Path, environment: &[(String, String)]) -> Result<Self, Vec<Mistake>> {
        let mut whole = Self::of(Config::load(file, environment)?)?;
        let mut mistakes = Vec::new();
        for programme in &whole.config.programmes {
            match Config::load_programme(programme, &whole.config, file, environment).and_then(Self::of) {
                Ok(other) => whole.programmes.push(other),
                Err(found) => mistakes.extend(found),
            }
        }
        let all: Vec<&Self> = std::iter::once(&whole).chain(&whole.programmes).collect();
        mistakes.extend(programmes::conflicts(&all));
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        // A letter of one programme that reaches another is our own mail there too.
        let own: BTreeSet<String> = all.iter().flat_map(|one| one.knowledge.own_addresses.clone()).collect();
        for one in std::iter::once(&mut whole.knowledge).chain(whole.programmes.iter_mut().map(|other| &mut other.knowledge)) {
            let others = own.iter().filter(|address| !one.own_addresses.contains(address)).cloned().collect::<Vec<_>>();
            Arc::make_mut(one).own_addresses.extend(others);
        }
        Ok(whole)
    }

    /// One programme alone, by its name; `None` where there is none of that name.
    #[must_use]
    pub fn programme(mut self, name: &str) -> Option<Self> {
        let others = std::mem::take(&mut self.programmes);
        std::iter::once(self).chain(others).find(|one| one.config.programme.name == name)
    }

    /// All programmes apart, the main one first.
    #[must_use]
    pub fn apart(mut self) -> Vec<Self> {
        let others = std::mem::take(&mut self.programmes);
        std::iter::once(self).chain(others).collect()
    }

    /// As [`Installation::load`]; where there is no configuration file at all, the data built into the binary.
    ///
    /// # Errors
    /// All mistakes of a configuration that is there.
    pub fn load_or_shipped(environment: &[(String, String)]) -> Result<Self, Vec<Mistake>> {
        match find(None) {
            Ok(file) => Self::with_programmes(&file, environment),
            Err(_) => Self::of(Config::shipped(environment)?),
        }
    }

    /// The data files that belong to a configuration.
    fn of(config: Config) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let catalogue = forms(&config.data, &mut mistakes);
        let divisions = data_file(&config.data.divisions_file, Divisions::parse, Divisions::shipped, &mut mistakes);
        let submitters = data_file(&config.data.submitters_file, Submitters::parse, Submitters::shipped, &mut mistakes);
        let rules = data_file(&config.data.rules_file, RuleSettings::parse, RuleSettings::shipped, &mut mistakes);
        let templates = templates(&config.data, &mut mistakes);
        match templates {
            Some(templates) if mistakes.is_empty() => {
                let knowledge = Knowledge {
                    catalogue,
                    divisions,
                    submitters,
                    rules,
                    limits: config.limits.clone(),
                    own_addresses: config.own_addresses(),
                    ..Knowledge::default()
                };
                Ok(Self {
                    config: Arc::new(config),
                    knowledge: Arc::new(knowledge),
                    templates: Arc::new(templates),
                    programmes: Vec::new(),
                })
            }
            _ => Err(mistakes),
        }
    }
}

/// The configuration file that applies.
fn find(path: Option<&Path>) -> Result<PathBuf, Vec<Mistake>> {
    if let Some(path) = path {
        return Ok(path.to_owned());
    }
    DEFAULT_FILES.iter().map(PathBuf::from).find(|file| file.exists()).ok_or_else(|| {
        let text = format!("no configuration file; looked for {}. Name one with --config", DEFAULT_FILES.join(" and "));
        vec![Mistake { file: DEFAULT_FILES[1].to_owned(), line: None, key: String::new(), text }]
    })
}

/// Texts by file stem of all files with one extension in a folder; an absent folder is empty.
fn folder(path: &Path, extension: &str, mistakes: &mut Vec<Mistake>) -> BTreeMap<String, (PathBuf, String)> {
    let mut texts = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(path) else { return texts };
    for file in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if file.extension().is_none_or(|found| found != extension) {
            continue;
        }
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        match std::fs::read_to_string(&file) {
            Ok(text) => {
                texts.insert(stem, (file, text));
            }
            Err(error) => mistakes.push(whole(&file, format!("cannot be read: {error}"))),
        }
    }
    texts
}

/// A data file's problem, with the line that its words name.
fn placed(file: &Path, problem: &str) -> Mistake {
    let number = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    if let Some(rest) = problem.strip_prefix("TOML parse error at line ") {
        let what = rest.trim_end().lines().last().unwrap_or_default();
        return Mistake { line: number(rest), ..whole(file, format!("is no valid TOML: {what}")) };
    }
    match problem.strip_prefix("line ").and_then(|rest| rest.split_once(": ")) {
        Some((line, rest)) => Mistake { line: number(line), ..whole(file, rest.to_owned()) },
        None => whole(file, problem.to_owned()),
    }
}

fn whole(file: &Path, text: String) -> Mistake {
    Mistake { file: file.display().to_string(), line: None, key: String::new(), text }
}

/// Shipped forms, replaced or joined by those beside the configuration.
fn forms(paths: &DataPaths, mistakes: &mut Vec<Mistake>) -> Catalogue {
    let mut catalogue = Catalogue::shipped();
    for (file, text) in folder(&paths.forms_dir, "toml", mistakes).into_values() {
        match catalogue::parse(&text) {
            Ok(form) => {
                catalogue.forms.retain(|known| known.id != form.id);
                catalogue.forms.push(form);
            }
            Err(problems) => mistakes.extend(problems.iter().map(|problem| placed(&file, problem))),
        }
    }
    catalogue
}

fn data_file<T: Default>(
    file: &Path,
    parse: impl FnOnce(&str) -> Result<T, Vec<String>>,
    shipped: impl FnOnce() -> T,
    mistakes: &mut Vec<Mistake>,
) -> T {
    match std::fs::read_to_string(file) {
        Ok(text) => parse(&text).unwrap_or_else(|problems| {
            mistakes.extend(problems.iter().map(|problem| placed(file, problem)));
            T::default()
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => shipped(),
        Err(error) => {
            mistakes.push(whole(file, format!("cannot be read: {error}")));
            T::default()
        }
    }
}

fn templates(paths: &DataPaths, mistakes: &mut Vec<Mistake>) -> Option<Templates> {
    let mut edited = BTreeMap::new();
    for extension in ["txt", "html"] {
        let files = folder(&paths.letters_dir, extension, mistakes);
        edited.extend(files.into_iter().map(|(stem, (_, text))| (format!("{stem}.{extension}"), text)));
    }
    match Templates::load(&edited) {
        Ok(templates) => Some(templates),
        Err(problems) => {
            mistakes.extend(problems.iter().map(|problem| match problem.strip_prefix("letters/").and_then(|rest| rest.split_once(": ")) {
                Some((name, rest)) => placed(&paths.letters_dir.join(name), rest),
                None => whole(&paths.letters_dir, problem.clone()),
            }));
            None
        }
    }
}
