//! Which industry division a topic belongs to (`domain.md` 3): the product to be developed decides. Data in `config/divisions.toml`.
//! Nothing is ever rejected for its field (R13): without a signal the topic goes to the fallback division.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{reconcile::Draft, rules};

mod combining;
mod evaluation;
mod examples;
mod features;
mod learning;
mod lexicon;
mod model;
mod settings;
mod title;

pub use evaluation::{Bucket, DivisionScore, Evaluation, SURE_FROM, Wrong, cross_validate, evaluate};
pub use examples::{Example, parse_examples, seed_examples};
pub use learning::{Trial, learn};
pub use model::Model;
pub use settings::{BelowMargin, RoutingSettings};

use lexicon::Lexicon;

/// The routing table.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Divisions {
    /// Division id that takes what no rule claims: `tech`.
    pub fallback: String,
    #[serde(rename = "division")]
    pub entries: Vec<Division>,
    /// Words that count only a little wherever they stand: 平台, 系统, 智能 …
    #[serde(default)]
    pub weak: Vec<String>,
    /// Words of two meanings, each with the partner words that settle it: 秸秆 beside 打捆.
    #[serde(default, rename = "pair")]
    pub pairs: Vec<Pair>,
    /// Assemblies that belong to the machine they are built into: 底盘, 变速箱. `压雪车底盘` is a piece of a snow groomer.
    #[serde(default)]
    pub parts: Vec<String>,
    #[serde(default)]
    pub router: RoutingSettings,
    #[serde(skip)]
    lexicon: OnceLock<Lexicon>,
    /// Hash of the table's text.
    #[serde(skip)]
    version: String,
    /// The model in force; without one the shipped model speaks.
    #[serde(skip)]
    model: Option<Arc<Model>>,
}

/// A word that points to a division only beside one of its partners.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    pub word: String,
    pub with: Vec<String>,
    pub division: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Division {
    pub id: String,
    /// 重大技术装备处.
    pub name: String,
    /// Where its queue letters go; empty: its topics are kept and administrators are told.
    #[serde(default)]
    pub mail: Vec<String>,
    /// Times of day of its queue letters, `09:00`, in the configured zone.
    #[serde(default)]
    pub queue_at: Vec<String>,
    /// GB/T 4754-2017 codes, 2–4 digits; the longest matching one decides.
    #[serde(default)]
    pub codes: Vec<String>,
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Endings of product names that point here: 药, 纤维, 芯片.
    #[serde(default)]
    pub products: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    pub division: String,
    /// Share of all signals, 0 to 1; the candidates' scores add up to at most 1.
    pub score: f64,
}

/// Who decided a route (`contract.md` section 4, `routed_by`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoutedBy {
    Rule,
    Model,
    Person,
    Twin,
    Fallback,
}

/// Where a topic goes and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    pub division: String,
    pub confidence: f64,
    /// Best first, at most three.
    pub candidates: Vec<Candidate>,
    /// `转向架 (title)`, `371 (gb_code)`.
    pub evidence: Vec<String>,
    pub routed_by: RoutedBy,
    /// The second division of a topic that lies between two (会办).
    pub joint: Option<String>,
    /// Which table was in force.
    pub rules_version: String,
    /// Which model spoke; empty without one.
    pub model_version: String,
}

impl Divisions {
    /// Reads a routing table and checks it.
    ///
    /// # Errors
    /// Every mistake found, each with the division it stands in.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let mut table: Self = toml::from_str(text).map_err(|error| vec![error.to_string()])?;
        table.version = Sha256::digest(text).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let mistakes = table.mistakes();
        if mistakes.is_empty() { Ok(table) } else { Err(mistakes) }
    }

    /// The table built into the binary.
    #[must_use]
    pub fn shipped() -> Self {
        Self::parse(include_str!("../../config/divisions.toml")).unwrap_or_default()
    }

    #[must_use]
    pub fn division(&self, id: &str) -> Option<&Division> {
        self.entries.iter().find(|division| division.id == id)
    }

    /// The same table with another model than the shipped one: one that learnt from people, or an earlier one.
    #[must_use]
    pub fn with_model(mut self, model: Arc<Model>) -> Self {
        self.model = Some(model);
        self
    }

    /// The same table speaking alone.
    #[must_use]
    pub fn without_model(mut self) -> Self {
        self.router.model = false;
        self
    }

    /// Hash of the table's text: two tables of one version route alike.
    #[must_use]
    pub fn rules_version(&self) -> &str {
        &self.version
    }

    /// The model that speaks beside the table, if any is switched on.
    #[must_use]
    pub fn model(&self) -> Option<Arc<Model>> {
        self.router.model.then(|| self.model.clone().unwrap_or_else(Model::shipped))
    }

    /// The division of a text that begins with a GB/T 4754 code (`C3714`, `371 铁路运输设备制造`); the longest matching code decides.
    fn by_code<'a>(&'a self, text: &str) -> Option<(String, &'a str)> {
        let folded = super::folding::fold(text);
        let digits: String =
            folded.trim_start_matches(|c: char| c.is_ascii_alphabetic()).chars().take_while(char::is_ascii_digit).collect();
        if !(2..=4).contains(&digits.len()) {
            return None;
        }
        self.entries
            .iter()
            .flat_map(|division| division.codes.iter().map(move |code| (code, division.id.as_str())))
            .filter(|(code, _)| digits.starts_with(code.as_str()))
            .max_by_key(|(code, _)| code.len())
            .map(|(_, division)| (digits.clone(), division))
    }

    fn order(&self, id: &str) -> usize {
        self.entries.iter().position(|division| division.id == id).unwrap_or(usize::MAX)
    }

    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let mut ids = BTreeSet::new();
        let mut codes: BTreeMap<&str, &str> = BTreeMap::new();
        for division in &self.entries {
            if division.id.is_empty() || division.name.is_empty() {
                mistakes.push(format!("division {:?} {:?}: id and name must not be empty", division.id, division.name));
            }
            if !ids.insert(division.id.as_str()) {
                mistakes.push(format!("division {}: this id stands twice", division.id));
            }
            for code in &division.codes {
                if !(2..=4).contains(&code.len()) || !code.chars().all(|c| c.is_ascii_digit()) {
                    mistakes.push(format!("division {}: {code:?} is no GB/T 4754 code of 2 to 4 digits", division.id));
                }
                if let Some(other) = codes.insert(code, &division.id) {
                    mistakes.push(format!("division {}: the code {code} belongs to {other} already", division.id));
                }
            }
            for time in division.queue_at.iter().filter(|time| time.parse::<jiff::civil::Time>().is_err()) {
                mistakes.push(format!("division {}: {time:?} is no time of day like 09:00", division.id));
            }
            for address in division.mail.iter().filter(|address| !address.contains('@')) {
                mistakes.push(format!("division {}: {address:?} is no mail address", division.id));
            }
        }
        for pair in self.pairs.iter().filter(|pair| !ids.contains(pair.division.as_str())) {
            mistakes.push(format!("pair {}: no division has the id {}", pair.word, pair.division));
        }
        mistakes.extend(self.router.mistakes());
        if !ids.contains(self.fallback.as_str()) {
            mistakes.push(format!("fallback: no division has the id {:?}", self.fallback));
        }
        mistakes
    }
}

/// Evidence as people read it: `转向架 (title)` → 转向架（题目）.
#[must_use]
pub fn evidence_in_words(evidence: &str) -> String {
    let Some((what, place)) = evidence.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")) else { return evidence.to_owned() };
    let (key, remark) = place.split_once('，').map_or((place, String::new()), |(key, remark)| (key, format!("，{remark}")));
    match key {
        "margin" => what.to_owned(),
        "title" => format!("{what}（题目{remark}）"),
        "gb_code" => format!("{what}（行业代码{remark}）"),
        "twin" => format!("{what}（疑似重复课题{remark}）"),
        key => format!("{what}（{}{remark}）", rules::label(key)),
    }
}

/// Points of each division, and what gave them.
#[derive(Debug, Default)]
struct Tally<'a> {
    points: BTreeMap<&'a str, f64>,
    signals: Vec<Signal<'a>>,
}

/// What gave a division points. Put into words only where it is shown.
#[derive(Debug)]
struct Signal<'a> {
    division: &'a str,
    /// 转向架
    what: Cow<'a, str>,
    /// Key of the field it stands in.
    place: &'a str,
    points: f64,
}

impl<'a> Tally<'a> {
    fn give(&mut self, division: &'a str, what: impl Into<Cow<'a, str>>, place: &'a str, points: f64) {
        *self.points.entry(division).or_insert(0.0) += points;
        self.signals.push(Signal { division, what: what.into(), place, points });
    }

    /// The strongest evidence for a division, each once.
    fn evidence_for(&self, division: &str, max: usize) -> Vec<String> {
        let mut own: Vec<&Signal<'_>> = self.signals.iter().filter(|signal| signal.division == division).collect();
        own.sort_by(|a, b| b.points.total_cmp(&a.points).then_with(|| a.bytes().cmp(b.bytes())));
        let mut evidence: Vec<String> = Vec::new();
        for signal in own {
            let said = format!("{} ({})", signal.what, signal.place);
            if evidence.len() < max && !evidence.contains(&said) {
                evidence.push(said);
            }
        }
        evidence
    }
}

impl Signal<'_> {
    /// Of its words.
    fn bytes(&self) -> impl Iterator<Item = u8> {
        self.what.bytes().chain(*b" (").chain(self.place.bytes()).chain(*b")")
    }
}

#[cfg(test)]
mod tests;
