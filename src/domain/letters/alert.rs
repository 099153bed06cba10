//! Alerts: troubles that cannot wait for the digest. Each is told once, again after a day, and once more when it is over; a
//! trouble that comes and goes is not told at every turn.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::Serialize;

use super::{Letter, LetterKind, Urgency, templates::Templates};
use crate::domain::time::chinese_minute;

/// A trouble as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// `sending:user@host`, `mailbox`, `disk`: at most one alert for each.
    pub topic: String,
    /// Short title for the subject line.
    pub title: String,
    /// What was seen, one Chinese sentence.
    pub said: String,
    /// What to do about it, Chinese.
    pub remedy: String,
}

/// What is remembered about a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    pub open: bool,
    pub told_at: Timestamp,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Write: it began, or it lasts and was last told a day ago.
    Tell,
    /// Write that it is over.
    TellOver,
    Nothing,
}

/// A topic that flaps is told at most this often.
const QUIET: SignedDuration = SignedDuration::from_hours(6);
/// A trouble that lasts is told again after this.
const REMIND: SignedDuration = SignedDuration::from_hours(24);

/// Decides for one topic.
#[must_use]
pub fn step(present: bool, told: Option<Told>, now: Timestamp) -> Step {
    let passed = |told: Told| now.duration_since(told.told_at);
    match (present, told) {
        (true, None) => Step::Tell,
        (true, Some(told)) => {
            if passed(told) >= if told.open { REMIND } else { QUIET } {
                Step::Tell
            } else {
                Step::Nothing
            }
        }
        (false, Some(Told { open: true, .. })) => Step::TellOver,
        (false, _) => Step::Nothing,
    }
}

/// What an alert letter is written from.
#[derive(Debug, Clone, Serialize)]
pub struct AlertValues<'a> {
    pub title: &'a str,
    pub said: &'a str,
    pub remedy: &'a str,
    /// When it began.
    pub since: String,
    pub now: String,
    /// It is over.
    pub over: bool,
    pub department: &'a str,
}

/// One alert to one administrator. `count` makes the key: letters written about the topic before.
///
/// # Errors
/// The sentence of a template that does not render.
pub fn alert_letter(trouble: &Trouble, about: &About<'_>, to: &str, templates: &Templates) -> Result<Letter, String> {
    let values = AlertValues {
        title: &trouble.title,
        said: &trouble.said,
        remedy: &trouble.remedy,
        since: chinese_minute(about.since, about.zone),
        now: chinese_minute(about.now, about.zone),
        over: about.over,
        department: about.department,
    };
    let rendered = templates.render("alert.txt", &values)?;
    Ok(Letter {
        key: format!("alert:{}:{}:{to}", trouble.topic, about.count),
        kind: LetterKind::Alert,
        urgency: Urgency::Alert,
        to: to.to_owned(),
        subject: rendered.subject,
        text: rendered.text,
        html: None,
        in_reply_to: None,
        references: Vec::new(),
        enclosures: Vec::new(),
        due_at: about.now,
        caps: None,
        alternates: false,
    })
}

/// The circumstances of an alert.
#[derive(Debug, Clone)]
pub struct About<'a> {
    pub since: Timestamp,
    pub now: Timestamp,
    pub over: bool,
    /// Letters written about the topic before.
    pub count: u32,
    pub zone: &'a TimeZone,
    pub department: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(count: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_hours(count)).unwrap()
    }

    #[test]
    fn a_trouble_is_told_once_reminded_daily_and_told_over_once() {
        let told = |open, at| Some(Told { open, told_at: at });
        assert_eq!(step(true, None, hours(0)), Step::Tell);
        assert_eq!(step(true, told(true, hours(0)), hours(23)), Step::Nothing);
        assert_eq!(step(true, told(true, hours(0)), hours(24)), Step::Tell);
        assert_eq!(step(false, told(true, hours(0)), hours(2)), Step::TellOver);
        assert_eq!(step(false, told(false, hours(2)), hours(3)), Step::Nothing);
    }

    #[test]
    fn a_trouble_that_flaps_is_not_told_at_every_turn() {
        let over = |at| Some(Told { open: false, told_at: at });
        assert_eq!(step(true, over(hours(1)), hours(2)), Step::Nothing);
        assert_eq!(step(true, over(hours(1)), hours(7)), Step::Tell);
    }
}
