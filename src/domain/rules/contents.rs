//! What the texts must say: R19 problem, R20 plainness and length, R11 bottleneck, R22 goal, R7 benefit.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;

use super::{Desk, Finding, checks, shortened};
use crate::domain::folding;

/// The number at the beginning of a list's item: `1.`, `（2）`, `三、`, `①`.
static ITEM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:^|[\n；;。])\s*(?:[(（]?\d{1,2}[)）.、．](?:[^\d]|$)|[(（]?[一二三四五六七八九十]{1,2}[)）、]|[①-⑳])").ok()
});
/// An abbreviation of Latin capitals, with the character before and behind it.
static ABBREVIATION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[A-Z][A-Z0-9-]{1,9}").ok());
/// Abbreviations shown in a message.
const SHOWN: usize = 3;
/// Characters of a text that are searched for phrases.
const SEARCHED_CHARS: usize = 5_000;

/// R19: the problem is described at some length. Rows hold short versions and are not measured.
pub fn problem_is_described(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(text) = desk.text("problem").filter(|_| desk.in_full_form("problem")) else { return };
    let advised = desk.form.and_then(|form| form.field("problem")).and_then(|field| field.min_chars);
    let least = advised.unwrap_or(desk.settings.thresholds.problem_min_chars);
    let chars = folding::fold(text).chars().count();
    if chars < least {
        desk.raise(findings, &checks::PROBLEM_SHORT, "problem", &[("count", &chars.to_string()), ("least", &least.to_string())]);
    }
}

/// R20: more than phrases, and few abbreviations that nobody explains. For reviewers: how plain a text is, a person must say.
pub fn problem_is_plain(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(text) = desk.text("problem").filter(|_| desk.in_full_form("problem")) else { return };
    let limits = &desk.settings.thresholds;
    let share = boilerplate_percent(text, &desk.settings.words.boilerplate);
    if share > limits.boilerplate_max_percent {
        desk.raise(findings, &checks::BOILERPLATE, "problem", &[("count", &share.to_string())]);
    }
    let abbreviations = unexplained(text);
    if abbreviations.len() > limits.abbreviations_max {
        let found = abbreviations.iter().take(SHOWN).copied().collect::<Vec<_>>().join("、");
        desk.raise(findings, &checks::ABBREVIATIONS, "problem", &[("count", &abbreviations.len().to_string()), ("found", &found)]);
    }
}

/// How many of a hundred letters belong to phrases.
fn boilerplate_percent(text: &str, phrases: &[String]) -> usize {
    let folded: String = folding::fold_words(text).chars().take(SEARCHED_CHARS).collect();
    let all = folded.chars().count();
    let left = without(&folded, phrases).chars().count();
    ((all - left.min(all)) * 100).checked_div(all).unwrap_or(0)
}

fn without(folded: &str, phrases: &[String]) -> String {
    let mut rest = folded.to_owned();
    for phrase in phrases {
        // One-letter words are no phrases by themselves and would eat into others.
        if rest.contains(phrase.as_str()) {
            rest = rest.replace(phrase.as_str(), "");
        }
    }
    rest
}

/// Abbreviations that stand in no brackets and before none: 质谱仪（MS） and MS（质谱仪） are explained.
fn unexplained(text: &str) -> BTreeSet<&str> {
    let Some(pattern) = ABBREVIATION.as_ref() else { return BTreeSet::new() };
    let bracket = |c: Option<char>| c.is_some_and(|c| matches!(c, '(' | '（' | ')' | '）'));
    let found = pattern.find_iter(text).filter(|found| {
        let before = text.get(..found.start()).and_then(|text| text.chars().next_back());
        let behind = text.get(found.end()..).and_then(|text| text.chars().next());
        let in_word = before.is_some_and(|c| c.is_ascii_alphanumeric()) || behind.is_some_and(|c| c.is_ascii_lowercase());
        let in_brackets = bracket(before) && bracket(behind);
        let explained = in_brackets || matches!(behind, Some('(' | '（'));
        !in_word && !explained && found.as_str().chars().filter(char::is_ascii_uppercase).count() >= 2
    });
    found.map(|found| found.as_str()).collect()
}

/// R11: topic type or text name the bottleneck. For reviewers: the sender may have good reasons to say it otherwise.
pub fn bottleneck_is_named(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(problem) = desk.text("problem").filter(|_| desk.in_full_form("problem")) else { return };
    let text: String = ["topic_type", "background", "benchmark"].iter().map(|key| desk.topic.text(key)).chain([problem]).collect();
    if !desk.settings.words.bottleneck.iter().any(|hint| text.contains(hint)) {
        desk.raise(findings, &checks::BOTTLENECK, "problem", &[]);
    }
}

/// R22: few goals, and more than a phrase.
pub fn goal_is_focused(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(text) = desk.text("goal") else { return };
    let most = desk.settings.thresholds.goals_max;
    let goals = ITEM.as_ref().map_or(0, |item| item.find_iter(text).count());
    if goals > most {
        desk.raise(findings, &checks::GOALS_MANY, "goal", &[("count", &goals.to_string()), ("most", &most.to_string())]);
    }
    if is_only_phrases(text, &desk.settings.words.boilerplate) {
        desk.raise(findings, &checks::GOAL_PHRASES, "goal", &[("found", &shortened(text, 30))]);
    }
}

/// What is left without the phrases says nothing, and there is no figure.
fn is_only_phrases(text: &str, phrases: &[String]) -> bool {
    let folded: String = folding::fold_words(text).chars().take(SEARCHED_CHARS).collect();
    !folded.chars().any(|c| c.is_ascii_digit()) && without(&folded, phrases).chars().count() < 6
}

/// R7: the benefit is an amount.
pub fn benefit_has_an_amount(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(text) = desk.text("benefit") else { return };
    if desk.benefit().is_empty() {
        desk.raise(findings, &checks::BENEFIT_AMOUNT, "benefit", &[("found", &shortened(text, 30))]);
    }
}

/// R20: lengths that the catalogue advises for the fields no other rule measures.
pub fn lengths_are_kept(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(form) = desk.form else { return };
    for field in form.fields.iter().filter(|field| desk.topic.fields.get(&field.key).is_some_and(|placed| placed.form == form.id)) {
        let Some(text) = desk.text(&field.key) else { continue };
        let chars = folding::fold(text).chars().count();
        if let Some(least) = field.min_chars.filter(|least| chars < *least && field.key != "problem") {
            let values = [("count", &*chars.to_string()), ("least", &*least.to_string())];
            desk.raise(findings, &checks::TOO_SHORT, &field.key, &values);
        }
        if let Some(most) = field.max_chars.filter(|most| chars > *most) {
            desk.raise(findings, &checks::TOO_LONG, &field.key, &[("count", &*chars.to_string()), ("most", &*most.to_string())]);
        }
    }
}
