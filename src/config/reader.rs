//! A TOML file and the environment's overrides as one flat list of settings. Each is taken once; what is left over at the end is
//! a mistake, and so is everything of the wrong type.

use std::collections::BTreeMap;

use toml::{Value, de::DeTable};

use super::Mistake;

/// Variables that override settings: `ANNEXD__MAILBOX__HOST`.
const PREFIX: &str = "ANNEXD__";

struct Setting {
    value: Value,
    /// File or variable, and line.
    file: String,
    line: Option<usize>,
}

/// Settings that were not taken yet, and the mistakes found so far.
pub struct Reader {
    file: String,
    settings: BTreeMap<(String, String), Setting>,
    known: Vec<(String, String)>,
    mistakes: Vec<Mistake>,
}

impl Reader {
    /// Reads the file and lays the overrides over it.
    ///
    /// # Errors
    /// The one mistake that keeps everything else from being read: it is no TOML. `file` names the text in mistakes.
    pub fn new(text: &str, file: &str, environment: &[(String, String)]) -> Result<Self, Vec<Mistake>> {
        let file = file.to_owned();
        let alone = |line: Option<usize>, text: String| vec![Mistake { file: file.clone(), line, key: String::new(), text }];
        let line_of = |at: usize| text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
        let wrong =
            |error: toml::de::Error| alone(error.span().map(|span| line_of(span.start)), format!("is no valid TOML: {}", error.message()));
        let table: toml::Table = toml::from_str(text).map_err(wrong)?;
        let lines = lines(text, line_of);
        let mut reader = Self { file: file.clone(), settings: BTreeMap::new(), known: Vec::new(), mistakes: Vec::new() };
        for (name, value) in table {
            match value {
                Value::Table(section) => {
                    reader.known.push((name.clone(), String::new()));
                    for (key, value) in section {
                        let line = lines.get(&(name.clone(), key.clone())).copied();
                        reader.settings.insert((name.clone(), key), Setting { value, file: file.clone(), line });
                    }
                }
                value => {
                    let line = lines.get(&(String::new(), name.clone())).copied();
                    reader.settings.insert((String::new(), name), Setting { value, file: file.clone(), line });
                }
            }
        }
        reader.override_by(environment);
        Ok(reader)
    }

    fn override_by(&mut self, environment: &[(String, String)]) {
        for (variable, text) in environment {
            let Some(path) = variable.strip_prefix(PREFIX) else { continue };
            let path = path.to_ascii_lowercase();
            let (section, key) = path.split_once("__").unwrap_or(("", path.as_str()));
            // A text that reads as TOML is TOML (`143`, `["INBOX"]`), everything else is a plain string.
            let value = format!("value = {text}")
                .parse::<toml::Table>()
                .ok()
                .and_then(|mut table| table.remove("value"))
                .unwrap_or_else(|| Value::String(text.clone()));
            let setting = Setting { value, file: format!("environment variable {variable}"), line: None };
            self.settings.insert((section.to_owned(), key.to_owned()), setting);
        }
    }

    /// Whether anything is set in a section.
    pub fn has_section(&self, section: &str) -> bool {
        self.settings.keys().any(|(name, _)| name == section)
    }

    /// Takes over sections that the file does not have, whole, and the named keys before all sections.
    pub fn inherit(&mut self, from: Self, sections: &[&str], keys: &[&str]) {
        for ((section, key), setting) in from.settings {
            let wanted = if section.is_empty() { keys.contains(&key.as_str()) } else { sections.contains(&section.as_str()) };
            let own = !section.is_empty() && self.known.contains(&(section.clone(), String::new()));
            if wanted && !own {
                self.settings.entry((section, key)).or_insert(setting);
            }
        }
    }

    /// The entries of `[[key]]`.
    pub fn tables(&mut self, section: &str, key: &str) -> Vec<toml::Table> {
        let Some(setting) = self.take(section, key) else { return Vec::new() };
        let is_table = |value: &Value| value.is_table();
        match setting.value {
            Value::Array(values) if values.iter().all(is_table) => {
                values.into_iter().filter_map(|value| if let Value::Table(table) = value { Some(table) } else { None }).collect()
            }
            other => {
                self.wrong::<()>(section, key, &setting.file, setting.line, format!("must be written [[{key}]], not as {}", kind(&other)));
                Vec::new()
            }
        }
    }

    fn take(&mut self, section: &str, key: &str) -> Option<Setting> {
        self.known.push((section.to_owned(), key.to_owned()));
        self.settings.remove(&(section.to_owned(), key.to_owned()))
    }

    /// A text, or `None` where it is not set or empty.
    pub fn string(&mut self, section: &str, key: &str) -> Option<String> {
        let setting = self.take(section, key)?;
        match setting.value {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text),
            // A user name of digits given by a variable.
            Value::Integer(number) if setting.file.starts_with("environment") => Some(number.to_string()),
            other => self.wrong(section, key, &setting.file, setting.line, format!("must be a text in quotes, not {}", kind(&other))),
        }
    }

    /// A text that must be there.
    pub fn required(&mut self, section: &str, key: &str, example: &str) -> String {
        let before = self.mistakes.len();
        self.string(section, key).unwrap_or_else(|| {
            if self.mistakes.len() == before {
                let file = self.file.clone();
                self.wrong::<()>(section, key, &file, None, format!("is missing; for example {key} = {example:?}"));
            }
            String::new()
        })
    }

    /// A text that `parse` understands.
    pub fn parsed<T>(&mut self, section: &str, key: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let place = self.place(section, key);
        let text = self.string(section, key)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(problem) => self.wrong(section, key, &place.0, place.1, format!("{text:?} {problem}")),
        }
    }

    /// A whole number within bounds.
    pub fn number(&mut self, section: &str, key: &str, bounds: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let setting = self.take(section, key)?;
        match setting.value {
            Value::Integer(number) if u64::try_from(number).is_ok_and(|number| bounds.contains(&number)) => u64::try_from(number).ok(),
            Value::Integer(number) => {
                let text = format!("{number} is out of range; it must lie between {} and {}", bounds.start(), bounds.end());
                self.wrong(section, key, &setting.file, setting.line, text)
            }
            other => self.wrong(section, key, &setting.file, setting.line, format!("must be a whole number, not {}", kind(&other))),
        }
    }

    pub fn boolean(&mut self, section: &str, key: &str) -> Option<bool> {
        let setting = self.take(section, key)?;
        match setting.value {
            Value::Boolean(value) => Some(value),
            other => self.wrong(section, key, &setting.file, setting.line, format!("must be true or false, not {}", kind(&other))),
        }
    }

    /// A list of texts; one text alone counts as a list of one.
    pub fn strings(&mut self, section: &str, key: &str) -> Option<Vec<String>> {
        let setting = self.take(section, key)?;
        match setting.value {
            Value::String(text) => Some(vec![text]),
            Value::Array(values) if values.iter().all(Value::is_str) => {
                Some(values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            }
            other => self.wrong(section, key, &setting.file, setting.line, format!("must be a list of texts, not {}", kind(&other))),
        }
    }

    /// Whether a setting is there that is not taken yet.
    pub fn holds(&self, section: &str, key: &str) -> bool {
        self.settings.contains_key(&(section.to_owned(), key.to_owned()))
    }

    /// Where a setting stands that is not taken yet.
    pub fn place(&self, section: &str, key: &str) -> (String, Option<usize>) {
        self.settings
            .get(&(section.to_owned(), key.to_owned()))
            .map_or((self.file.clone(), None), |setting| (setting.file.clone(), setting.line))
    }

    /// Notes a mistake at a known place; always `None`.
    pub fn wrong<T>(&mut self, section: &str, key: &str, file: &str, line: Option<usize>, text: String) -> Option<T> {
        self.mistakes.push(Mistake { file: file.to_owned(), line, key: dotted(section, key), text });
        None
    }

    /// What is left over is unknown; returns all mistakes, in order of line.
    pub fn finish(mut self) -> Vec<Mistake> {
        for ((section, key), setting) in std::mem::take(&mut self.settings) {
            let hint = nearest(&self.known, &section, &key).map_or_else(String::new, |known| format!("; did you mean {known:?}?"));
            self.mistakes.push(Mistake {
                file: setting.file,
                line: setting.line,
                key: dotted(&section, &key),
                text: format!("unknown key{hint}"),
            });
        }
        self.mistakes.sort_by_key(|mistake| (mistake.line.unwrap_or(usize::MAX), mistake.key.clone()));
        self.mistakes
    }
}

/// Line of each key, by section and key.
fn lines(text: &str, line_of: impl Fn(usize) -> usize) -> BTreeMap<(String, String), usize> {
    let mut lines = BTreeMap::new();
    let Ok(document) = DeTable::parse(text) else { return lines };
    for (name, value) in document.get_ref() {
        lines.insert((String::new(), name.get_ref().to_string()), line_of(name.span().start));
        if let toml::de::DeValue::Table(section) = value.get_ref() {
            for (key, _) in section {
                lines.insert((name.get_ref().to_string(), key.get_ref().to_string()), line_of(key.span().start));
            }
        }
    }
    lines
}

fn dotted(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
    }
}

/// The known key that is spelt most alike, at most two letters away.
fn nearest(known: &[(String, String)], section: &str, key: &str) -> Option<String> {
    let keys = known.iter().filter(|(name, key)| name == section && !key.is_empty()).map(|(_, key)| key);
    keys.map(|known| (strsim::levenshtein(known, key), known)).filter(|(distance, _)| *distance <= 2).min().map(|(_, known)| known.clone())
}
