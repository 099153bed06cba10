//! Labelled topics: the shipped seed examples, what people corrected, and test sets, all as JSON Lines with
//! `title`, `problem`, `goal`, `params` and `division`.

use std::{collections::BTreeMap, sync::OnceLock};

use serde::{Deserialize, Serialize};

use super::Draft;
use crate::domain::{forms::Value, reconcile::PlacedValue};

/// One topic whose division a person has named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Example {
    pub title: String,
    pub problem: String,
    pub goal: String,
    pub params: String,
    pub enterprise: String,
    pub gb_code: String,
    /// Division id.
    pub division: String,
}

impl Example {
    /// As if read from an annex 1.
    #[must_use]
    pub fn draft(&self) -> Draft {
        let fields = [
            ("topic_title", &self.title),
            ("problem", &self.problem),
            ("goal", &self.goal),
            ("params", &self.params),
            ("applicant", &self.enterprise),
            ("gb_code", &self.gb_code),
        ];
        let fields: BTreeMap<String, PlacedValue> = fields
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(key, text)| {
                let value = Value { text: text.clone(), ..Value::default() };
                (key.to_owned(), PlacedValue { value, attachment: String::new(), form: String::new() })
            })
            .collect();
        Draft { sources: Vec::new(), fields }
    }
}

/// Reads JSON Lines; empty lines do not count.
///
/// # Errors
/// Every line that is no topic, or has no title or division, with its number.
pub fn parse_examples(text: &str) -> Result<Vec<Example>, Vec<String>> {
    let (mut examples, mut mistakes) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str::<Example>(line) {
            Ok(example) if example.title.trim().is_empty() => mistakes.push(format!("line {}: no title", index + 1)),
            Ok(example) if example.division.trim().is_empty() => mistakes.push(format!("line {}: no division", index + 1)),
            Ok(example) => examples.push(example),
            Err(error) => mistakes.push(format!("line {}: {error}", index + 1)),
        }
    }
    if mistakes.is_empty() { Ok(examples) } else { Err(mistakes) }
}

/// The shipped examples: written topics over the industry codes of every division, then bare product names.
pub fn seed_examples() -> &'static [Example] {
    static SEEDS: OnceLock<Vec<Example>> = OnceLock::new();
    SEEDS.get_or_init(|| written_seeds().iter().chain(seeds_by_name()).cloned().collect())
}

/// The shipped topics that somebody wrote.
pub(super) fn written_seeds() -> &'static [Example] {
    static WRITTEN: OnceLock<Vec<Example>> = OnceLock::new();
    WRITTEN.get_or_init(|| parse_examples(include_str!("../../../config/routing/seed.jsonl")).unwrap_or_default())
}

/// The shipped product names, alone and put together.
pub(super) fn seeds_by_name() -> &'static [Example] {
    static NAMED: OnceLock<Vec<Example>> = OnceLock::new();
    NAMED.get_or_init(|| {
        let mut names = product_names(include_str!("../../../config/routing/products.txt"));
        let composed = composed(&names);
        names.extend(composed);
        names
    })
}

/// `[division]` headings, then product names separated by blanks.
fn product_names(text: &str) -> Vec<Example> {
    let mut division = String::new();
    let mut names = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(id) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            id.clone_into(&mut division);
            continue;
        }
        names.extend(line.split_whitespace().map(|name| Example {
            title: name.to_owned(),
            division: division.clone(),
            ..Example::default()
        }));
    }
    names
}

/// `动力电池` before `涂布机`: names of other divisions as users and materials before every product, so that the model learns
/// which end of a title decides. Always the same pairs.
fn composed(names: &[Example]) -> Vec<Example> {
    let mut composed = Vec::new();
    for (at, name) in names.iter().enumerate() {
        for (round, joint) in JOINTS.iter().enumerate() {
            let other = names.get((at * 7919 + (round + 1) * 104_729) % names.len());
            if let Some(other) = other.filter(|other| other.division != name.division) {
                composed.push(Example { title: format!("{}{joint}{}", other.title, name.title), ..name.clone() });
            }
        }
    }
    composed
}

/// What may stand between a user or material and the product.
const JOINTS: &[&str] = &["", "用"];
