//! The wording of all letters: templates that an administrator may edit (`config/letters/*.txt`, and the HTML twins of internal
//! letters). The first line is the subject. Every value is made harmless for where it goes: one line in the subject, set in in plain
//! text, escaped in HTML, without control and direction marks anywhere. A template that does not render is found when it is loaded,
//! on sample values, not at the tenth letter.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use minijinja::{
    AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value, escape_formatter,
    syntax::SyntaxConfig,
    value::{Serde, ValueKind},
};
use regex::Regex;
use serde::Serialize;

use crate::domain::folding::{clean, one_line};

/// Names of the templates, each with its shipped wording.
const SHIPPED: [(&str, &str); 12] = [
    ("receipt.txt", include_str!("../../../config/letters/receipt.txt")),
    ("enterprise.txt", include_str!("../../../config/letters/enterprise.txt")),
    ("correction.txt", include_str!("../../../config/letters/correction.txt")),
    ("no_annex.txt", include_str!("../../../config/letters/no_annex.txt")),
    ("confirmation.txt", include_str!("../../../config/letters/confirmation.txt")),
    ("guidance.txt", include_str!("../../../config/letters/guidance.txt")),
    ("queue.txt", include_str!("../../../config/letters/queue.txt")),
    ("digest.txt", include_str!("../../../config/letters/digest.txt")),
    ("alert.txt", include_str!("../../../config/letters/alert.txt")),
    ("list.txt", include_str!("../../../config/letters/list.txt")),
    ("queue.html", include_str!("../../../config/letters/queue.html")),
    ("digest.html", include_str!("../../../config/letters/digest.html")),
];

/// Name of the way in which values stand in plain text.
const PLAIN: &str = "text";

/// Compiled templates.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
}

/// A rendered letter text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    pub text: String,
}

impl Templates {
    /// The shipped wording, replaced where `edited` holds a template of the same name.
    ///
    /// # Errors
    /// One sentence for each template that does not parse, and for each unknown name.
    pub fn load(edited: &BTreeMap<String, String>) -> Result<Self, Vec<String>> {
        let mut environment = Environment::new();
        // A line that holds only a tag leaves no empty line behind.
        match SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
            Ok(syntax) => environment.set_syntax(syntax),
            Err(error) => return Err(vec![error.to_string()]),
        }
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment
            .set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::Custom(PLAIN.into()) });
        environment.set_formatter(|out, state, value| match state.auto_escape() {
            // What a macro wrote is the template's own.
            AutoEscape::Custom(_) if !value.is_safe() => write!(out, "{}", within_its_line(&value.to_string())).map_err(Into::into),
            AutoEscape::Custom(_) => write!(out, "{value}").map_err(Into::into),
            _ => escape_formatter(out, state, value),
        });
        let mut mistakes: Vec<String> = edited
            .keys()
            .filter(|name| !SHIPPED.iter().any(|(known, _)| known == name))
            .map(|name| format!("letters/{name}: no letter has this name"))
            .collect();
        for (name, shipped) in SHIPPED {
            let source = edited.get(name).map_or(shipped, String::as_str);
            if let Err(error) = environment.add_template_owned(name, source.to_owned()) {
                mistakes.push(format!("letters/{name}: line {}: {error}", error.line().unwrap_or(1)));
            }
        }
        let templates = Self { environment };
        if mistakes.is_empty() {
            mistakes = templates.rehearse();
        }
        if mistakes.is_empty() { Ok(templates) } else { Err(mistakes) }
    }

    /// Writes every letter on made-up values for many situations; one sentence for each template that fails in one.
    fn rehearse(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let mut failed = std::collections::BTreeSet::new();
        for sample in super::preview::samples() {
            match sample.render(self) {
                Err(problem) if failed.insert(sample.template) => mistakes.push(format!("{problem} (when writing: {})", sample.about)),
                Ok(rendered) if rendered.subject.is_empty() && failed.insert(sample.template) => {
                    mistakes.push(format!("letters/{}: line 1: the subject is empty (when writing: {})", sample.template, sample.about));
                }
                _ => {}
            }
        }
        mistakes
    }

    /// Renders one template: first line subject, rest text.
    ///
    /// # Errors
    /// One sentence naming the template and the line where it uses a value that does not exist.
    pub fn render(&self, name: &str, values: impl Serialize) -> Result<Rendered, String> {
        let template = self.environment.get_template(name).map_err(|error| format!("letters/{name}: {error}"))?;
        let values = Value::from(Serde(&values));
        let rendered = template.render(&values).map_err(|error| {
            let line = error.line().unwrap_or(1);
            let written = template.source().lines().nth(line.saturating_sub(1)).unwrap_or_default();
            let unknown = if error.kind() == ErrorKind::UndefinedError { unknown_names(written, &values) } else { Vec::new() };
            if unknown.is_empty() {
                format!("letters/{name}: line {line}: {error}")
            } else {
                format!("letters/{name}: line {line}: {}: no letter of this kind has such a value", unknown.join(", "))
            }
        })?;
        let (subject, text) = rendered.split_once('\n').unwrap_or((rendered.as_str(), ""));
        Ok(Rendered { subject: one_line(subject), text: format!("{}\n", clean(&text.replace(BREAK, SET_IN))) })
    }
}

/// Further lines of a value are set in: none of them can pass for a line of the letter.
const SET_IN: &str = "\n      ";
/// Stands for a line break inside a value until subject and text are told apart.
const BREAK: &str = "\u{B}";

/// A value in plain text, its line breaks marked.
fn within_its_line(value: &str) -> String {
    value.lines().map(str::trim_end).collect::<Vec<_>>().join(BREAK)
}

/// What stands between the marks of a tag.
static TAG: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\{[{%](.*?)[%}]\}").ok());
/// A text in quotation marks, or a name with its parts: `facts.parked`.
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#""[^"]*"|'[^']*'|[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*"#).ok());
/// Words of the template language, not names of values.
const LANGUAGE: [&str; 18] = [
    "if", "elif", "else", "endif", "for", "in", "endfor", "set", "macro", "endmacro", "and", "or", "not", "is", "none", "loop", "true",
    "false",
];

/// What stands before a name that the template itself gives.
const BINDING: [&str; 3] = ["for", "set", "macro"];

/// Names in one line of a template that no value bears: the library says where something was undefined, not what.
fn unknown_names(line: &str, values: &Value) -> Vec<String> {
    let mut known = BTreeSet::new();
    keys(values, &mut known);
    let tags = TAG.iter().flat_map(|pattern| pattern.captures_iter(line)).filter_map(|found| found.get(1)).map(|tag| tag.as_str());
    let names = tags.flat_map(|tag| NAME.iter().flat_map(move |pattern| pattern.find_iter(tag))).map(|found| found.as_str());
    let unknown = |name: &&str| {
        !name.starts_with(['"', '\'']) && {
            let parts: Vec<&str> = name.split('.').map(str::trim).collect();
            // What a loop calls its rows is no value's name.
            let given =
                |first: &str| LANGUAGE.contains(&first) || BINDING.iter().any(|before| line.contains(&format!("{before} {first} ")));
            match parts.split_first() {
                Some((first, [])) => !given(first) && !known.contains(*first),
                Some((first, rest)) => *first != "loop" && rest.iter().any(|part| !known.contains(*part)),
                None => false,
            }
        }
    };
    names.filter(unknown).map(str::to_owned).collect()
}

/// Every key anywhere in a value.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    let Ok(items) = value.try_iter() else { return };
    match value.kind() {
        ValueKind::Map => {
            for key in items {
                if let Ok(inner) = value.get_item(&key) {
                    keys(&inner, found);
                }
                found.insert(key.to_string());
            }
        }
        ValueKind::Seq | ValueKind::Iterable => items.for_each(|item| keys(&item, found)),
        _ => {}
    }
}
