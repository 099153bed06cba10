//! The administrators' digest: what arrived, what waits, what failed, and the closing balance that proves no mail was lost.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;

use super::{Letter, LetterKind, templates::Templates};
use crate::domain::time::{chinese_day, chinese_minute};

/// Facts of a period and of the present, as the store counts them. Names are Chinese display names already.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DigestFacts {
    /// Mails of the day by kind.
    pub mails_by_kind: Vec<Count>,
    /// Mails of the day by bureau.
    pub mails_by_bureau: Vec<Count>,
    /// New topics of the day by bureau and by division.
    pub topics_by_bureau: Vec<Count>,
    pub topics_by_division: Vec<Count>,
    /// Revisions of the day.
    pub revisions: u64,
    /// All topics by state.
    pub topics_by_state: Vec<Count>,
    /// Corrections open by bureau, with the oldest.
    pub open_corrections: Vec<OpenCorrection>,
    /// Topics of submitters not named in the notice, waiting for a person.
    pub held_topics: Vec<TopicLine>,
    /// Suspected twins.
    pub duplicates: Vec<TopicLine>,
    pub parked: Vec<ParkedLine>,
    /// Letters by state, all time.
    pub letters_by_state: Vec<Count>,
    pub failed_letters: Vec<LetterLine>,
    /// Topics not yet sent to their division, for divisions without an address.
    pub unaddressed: Vec<Count>,
    pub balance: Balance,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    pub name: String,
    pub count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenCorrection {
    pub bureau: String,
    pub count: u64,
    pub oldest_days: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TopicLine {
    pub number: String,
    pub title: String,
    pub applicant: String,
    /// Bureau, or numbers of the suspected twins.
    pub about: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParkedLine {
    pub id: i64,
    pub subject: String,
    pub problem: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LetterLine {
    pub id: i64,
    pub to: String,
    pub subject: String,
    pub reply: String,
}

/// Messages seen = recorded + ignored + duplicate + parked + waiting, over all time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Balance {
    pub seen: u64,
    pub recorded: u64,
    pub ignored: u64,
    pub duplicate: u64,
    pub parked: u64,
    /// State `accepted`: still waiting.
    pub waiting: u64,
}

impl Balance {
    /// The promise: nothing is missing.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.seen == self.recorded + self.ignored + self.duplicate + self.parked + self.waiting
    }
}

/// One digest.
#[derive(Debug, Clone)]
pub struct DigestDay<'a> {
    /// The day it is about.
    pub day: Date,
    pub facts: &'a DigestFacts,
    /// What came after that day until now, where the digest is written later.
    pub since: Option<&'a DigestFacts>,
    pub department: &'a str,
    pub zone: &'a TimeZone,
    pub now: Timestamp,
}

#[derive(Debug, Serialize)]
struct DigestValues<'a> {
    day: String,
    now: String,
    facts: &'a DigestFacts,
    since: Option<&'a DigestFacts>,
    balance_holds: bool,
    quiet: bool,
    department: &'a str,
}

/// Writes the digest to one administrator; once a (recipient, day) by its key.
///
/// # Errors
/// The sentence of a template that does not render.
pub fn digest_letter(digest: &DigestDay<'_>, to: &str, templates: &Templates) -> Result<Letter, String> {
    let (subject, text) = digest_text(digest, templates)?;
    Ok(Letter {
        key: format!("digest:{to}:{}", digest.day),
        kind: LetterKind::Digest,
        to: to.to_owned(),
        subject,
        text,
        in_reply_to: None,
        references: Vec::new(),
        enclosures: Vec::new(),
        due_at: digest.now,
    })
}

/// Subject and text of a digest, for printing.
///
/// # Errors
/// As [`digest_letter`].
pub fn digest_text(digest: &DigestDay<'_>, templates: &Templates) -> Result<(String, String), String> {
    let nothing = |facts: &DigestFacts| facts.mails_by_kind.is_empty();
    let values = DigestValues {
        day: chinese_day(digest.day),
        now: chinese_minute(digest.now, digest.zone),
        facts: digest.facts,
        since: digest.since.filter(|since| !nothing(since)),
        balance_holds: digest.facts.balance.holds(),
        quiet: nothing(digest.facts),
        department: digest.department,
    };
    let rendered = templates.render("digest.txt", &values)?;
    Ok((rendered.subject, rendered.text))
}
