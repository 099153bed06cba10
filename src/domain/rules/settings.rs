//! What an administrator may set about the rules: switches, severities, thresholds, words, weights (`config/rules.toml`).
//!
//! A file may hold only what differs: it is laid over the shipped settings key by key, so every mistake is found, each with its line.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Table, Value};

use super::{checks::Check, table};
use crate::domain::findings::Severity;

const SHIPPED: &str = include_str!("../../../config/rules.toml");

/// The settings of an installation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSettings {
    /// By rule number; what is not named is on.
    switch: BTreeMap<String, bool>,
    /// By check: `R21.sides`.
    severity: BTreeMap<String, Weight>,
    pub thresholds: Thresholds,
    pub words: Words,
    pub score: ScoreWeights,
}

/// A severity, or no check at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Weight {
    Off,
    Note,
    Warning,
    Error,
}

/// Figures the checks compare with; units stand last in their names.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    pub problem_min_chars: usize,
    pub goals_max: usize,
    pub indicators_min: usize,
    pub indicators_recommended: usize,
    pub invest_max_wan: f64,
    pub benefit_max_wan: f64,
    pub benefit_per_invest_max: f64,
    pub period_max_months: i64,
    pub share_max_percent: f64,
    pub life_max_years: f64,
    pub payback_min_years: f64,
    pub firms_per_phone_max: usize,
    pub boilerplate_max_percent: usize,
    pub abbreviations_max: usize,
}

/// Words the checks look for.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    pub bottleneck: Vec<String>,
    pub home: Vec<String>,
    pub abroad: Vec<String>,
    pub boilerplate: Vec<String>,
}

/// Points of the completeness score.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreWeights {
    pub required_fields: u32,
    pub recommended_fields: u32,
    pub credit_code: u32,
    pub problem: u32,
    pub benchmark: u32,
    pub indicators: u32,
    pub benefit: u32,
    pub both_annexes: u32,
}

impl Default for RuleSettings {
    fn default() -> Self {
        Self::shipped()
    }
}

impl RuleSettings {
    /// Reads `rules.toml`.
    ///
    /// # Errors
    /// Every mistake, each with its line and key.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let own: Table = toml::from_str(text).map_err(|error| vec![error.to_string()])?;
        let mut merged: Table = toml::from_str(SHIPPED).map_err(|error| vec![error.to_string()])?;
        let mut mistakes = Vec::new();
        for (section, value) in own {
            match (merged.get_mut(&section), value) {
                (Some(Value::Table(known)), Value::Table(own)) => lay_over(text, &section, known, own, &mut mistakes),
                (Some(_), _) => mistakes.push(format!("line {}: {section}: must be a table", line_of(text, &section, None))),
                (None, _) => mistakes.push(format!("line {}: {section}: there is no such section", line_of(text, &section, None))),
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        Value::Table(merged).try_into().map_err(|error: toml::de::Error| vec![error.to_string()])
    }

    /// The settings built into the binary.
    #[must_use]
    pub fn shipped() -> Self {
        // A test holds that the shipped file parses; a rule book without any figure would check nothing.
        Self::parse(SHIPPED).unwrap_or_else(|_| Self {
            switch: BTreeMap::new(),
            severity: BTreeMap::new(),
            thresholds: Thresholds::default(),
            words: Words::default(),
            score: ScoreWeights::default(),
        })
    }

    /// The rule is switched on.
    #[must_use]
    pub fn is_on(&self, rule: &str) -> bool {
        self.switch.get(rule).copied().unwrap_or(true)
    }

    /// How grave a check's finding is; `None` where it is switched off.
    #[must_use]
    pub fn severity_of(&self, check: &Check) -> Option<Severity> {
        if !self.is_on(check.rule()) {
            return None;
        }
        match self.severity.get(check.id) {
            None => Some(check.severity),
            Some(Weight::Off) => None,
            Some(Weight::Note) => Some(Severity::Note),
            Some(Weight::Warning) => Some(Severity::Warning),
            Some(Weight::Error) => Some(Severity::Error),
        }
    }
}

/// One section's own keys over the shipped ones; every key must be known and of the shipped kind.
fn lay_over(text: &str, section: &str, known: &mut Table, own: Table, mistakes: &mut Vec<String>) {
    for (key, value) in own {
        let mut wrong = |what: &str| mistakes.push(format!("line {}: {section}.{key}: {what}", line_of(text, section, Some(&key))));
        if section == "severity" {
            let is_weight = value.as_str().is_some_and(|word| matches!(word, "off" | "note" | "warning" | "error"));
            if !table::checks().any(|check| check.id == key) {
                wrong("there is no such check");
            } else if !is_weight {
                wrong("must be off, note, warning or error");
            } else {
                known.insert(key, value);
            }
            continue;
        }
        match known.get(&key) {
            None => wrong("there is no such setting"),
            Some(shipped) => match fitting(shipped, value) {
                Ok(value) => {
                    known.insert(key, value);
                }
                Err(what) => wrong(what),
            },
        }
    }
}

/// The value in the shipped value's kind; a whole number may stand where a fraction may.
fn fitting(shipped: &Value, value: Value) -> Result<Value, &'static str> {
    match (shipped, &value) {
        (Value::Boolean(_), Value::Boolean(_)) => Ok(value),
        (Value::Integer(_), Value::Integer(number)) if (0..=i64::from(u32::MAX)).contains(number) => Ok(value),
        (Value::Integer(_), _) => Err("must be a whole number, 0 or more"),
        (Value::Float(_), Value::Float(number)) if *number >= 0.0 => Ok(value),
        (Value::Float(_), Value::Integer(number)) if (0..=i64::from(u32::MAX)).contains(number) => {
            Ok(Value::Float(u32::try_from(*number).map_or(0.0, f64::from)))
        }
        (Value::Float(_), _) => Err("must be a number, 0 or more"),
        (Value::Array(_), Value::Array(words)) if words.iter().all(|word| word.as_str().is_some_and(|word| !word.is_empty())) => Ok(value),
        (Value::Array(_), _) => Err("must be a list of words"),
        (Value::Boolean(_), _) => Err("must be true or false"),
        _ => Err("is of the wrong kind"),
    }
}

/// The line on which a section's head or one of its keys stands, from 1; 0 where it is written in another way.
fn line_of(text: &str, section: &str, key: Option<&str>) -> usize {
    let mut in_section = "";
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(head) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            in_section = head.trim();
            if key.is_none() && in_section == section {
                return at + 1;
            }
        }
        let names = |key: &str| line.split('=').next().is_some_and(|name| name.trim().trim_matches(['"', '\'']) == key);
        if key.map_or_else(|| names(section), |key| in_section == section && names(key)) {
            return at + 1;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_settings_name_every_rule_that_checks() {
        let settings = RuleSettings::parse(SHIPPED).unwrap();
        let named: Vec<&str> = settings.switch.keys().map(String::as_str).collect();
        let mut checking: Vec<&str> = table::RULES.iter().filter(|rule| rule.gives_findings()).map(|rule| rule.number).collect();
        checking.sort_unstable();
        assert_eq!(named, checking);
        assert_eq!(RuleSettings::shipped(), settings);
        assert_eq!(RuleSettings::parse("").unwrap(), settings, "an empty file changes nothing");
    }

    #[test]
    fn a_few_lines_change_only_what_they_name() {
        let own = "[switch]\nR11 = false\n[severity]\n\"R21.sides\" = \"error\"\n\"R23.few\" = \"off\"\n[thresholds]\ngoals_max = 7\nlife_max_years = 80\n";
        let settings = RuleSettings::parse(own).unwrap();
        assert!(!settings.is_on("R11") && settings.is_on("R12"));
        assert_eq!(settings.severity_of(&super::super::checks::BENCHMARK_SIDES), Some(Severity::Error));
        assert_eq!(settings.severity_of(&super::super::checks::PARAMS_FEW), None);
        assert_eq!((settings.thresholds.goals_max, settings.thresholds.problem_min_chars), (7, 50));
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let own = "[switch]\nR99 = true\nR11 = 1\n[severity]\n\"R21.sides\" = \"fatal\"\n\"R21.side\" = \"note\"\n[thresholds]\ngoals_max = -1\n[colours]\n";
        let mistakes = RuleSettings::parse(own).unwrap_err();
        assert_eq!(mistakes.len(), 6, "{mistakes:?}");
        for start in [
            "line 2: switch.R99",
            "line 3: switch.R11",
            "line 5: severity.R21.sides",
            "line 6: severity.R21.side",
            "line 8: thresholds.goals_max",
            "line 9: colours",
        ] {
            assert!(mistakes.iter().any(|mistake| mistake.starts_with(start)), "{start}: {mistakes:?}");
        }
        assert!(RuleSettings::parse("[switch").is_err());
    }
}
