//! The administrators' digest: what arrived, what waits, what failed, and the closing balance that proves no mail was lost.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;

use super::{
    Enclosure, Letter, LetterKind, Urgency,
    charts::{Bar, BarChart},
    faults::in_chinese,
    templates::Templates,
};
use crate::domain::time::{chinese_day, chinese_minute, day_of};

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
    /// All topics by division and state.
    pub divisions: Vec<DivisionLine>,
    /// Topics that wait longest for their correction.
    pub waiting_longest: Vec<WaitingLine>,
    /// Corrections open by bureau, with the oldest.
    pub open_corrections: Vec<OpenCorrection>,
    /// Topics of submitters not named in the notice, waiting for a person.
    pub held_topics: Vec<TopicLine>,
    /// Suspected twins.
    pub duplicates: Vec<TopicLine>,
    pub parked: Vec<ParkedLine>,
    /// Letters by state, all time.
    pub letters_by_state: Vec<Count>,
    /// Letters that are due and wait for a cap, a halt or the network.
    pub letters_waiting: u64,
    pub failed_letters: Vec<LetterLine>,
    /// Addresses that letters came back from.
    pub undeliverable: Vec<AddressLine>,
    /// Mails of the day whose sender is forged according to our own provider: recorded, not answered.
    pub forged: Vec<ParkedLine>,
    /// People's decisions against the router in the period, and how many there were by the division that the router had named.
    pub overrules: Vec<OverruleLine>,
    pub overruled: Vec<Count>,
    /// Topics not yet sent to their division, for divisions without an address.
    pub unaddressed: Vec<Count>,
    /// Bureaus named in the notice without a topic for 90 days (R28).
    pub silent: Vec<String>,
    pub balance: Balance,
    /// Mails that do not add up, or wait longer than they should: folder, UID and why.
    pub unsettled: Vec<String>,
}

/// Lines that one list of a digest shows: it is read in a minute, whatever happened.
const LINES_MAX: usize = 30;

/// Lines that the digest does not show, by list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct More {
    pub parked: usize,
    pub unsettled: usize,
    pub failed_letters: usize,
    pub undeliverable: usize,
    pub held_topics: usize,
    pub duplicates: usize,
    pub forged: usize,
    pub overrules: usize,
}

/// Shortens a list; how many lines went.
fn cut<T>(lines: &mut Vec<T>) -> usize {
    let more = lines.len().saturating_sub(LINES_MAX);
    lines.truncate(LINES_MAX);
    more
}

impl DigestFacts {
    /// As people read it: faults in Chinese, lists of bearable length.
    fn for_people(&self) -> (Self, More) {
        let mut facts = self.clone();
        let more = More {
            parked: cut(&mut facts.parked),
            unsettled: cut(&mut facts.unsettled),
            failed_letters: cut(&mut facts.failed_letters),
            undeliverable: cut(&mut facts.undeliverable),
            held_topics: cut(&mut facts.held_topics),
            duplicates: cut(&mut facts.duplicates),
            forged: cut(&mut facts.forged),
            overrules: cut(&mut facts.overrules),
        };
        for line in &mut facts.parked {
            line.problem = in_chinese(&line.problem);
        }
        for line in &mut facts.failed_letters {
            line.reply = in_chinese(&line.reply);
        }
        for line in &mut facts.undeliverable {
            line.why = in_chinese(&line.why);
        }
        (facts, more)
    }
}

/// All topics of one division.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DivisionLine {
    pub name: String,
    pub accepted: u64,
    pub needs_correction: u64,
    pub suspected_duplicate: u64,
    pub withdrawn: u64,
    pub total: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WaitingLine {
    pub number: String,
    pub title: String,
    pub bureau: String,
    pub days: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AddressLine {
    pub address: String,
    pub why: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OverruleLine {
    pub number: String,
    pub title: String,
    /// Names of the divisions.
    pub from: String,
    pub to: String,
    pub reason: String,
}

/// How the system itself does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Last successful poll, `2024年8月15日 09:02`; empty where there was none.
    pub polled: String,
    /// The mailbox's last fault, where it is later than the last good poll.
    pub fault: String,
    pub disk_free_mib: u64,
    /// Database file.
    pub database_mib: u64,
    /// Days since the mailbox's authorisation code was written; `None` where it is not in a file.
    pub secret_days: Option<u64>,
    /// It should be renewed.
    pub secret_due: bool,
    /// Open alerts, and accounts that rest.
    pub troubles: Vec<String>,
}

/// A picture in the HTML digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Chart {
    pub content_id: String,
    pub title: String,
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
    /// 失败, 结果不明, 暂缓.
    pub state: String,
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
    pub health: &'a Health,
    pub department: &'a str,
    pub zone: &'a TimeZone,
    pub now: Timestamp,
}

/// Values of the digest templates.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DigestValues {
    pub day: String,
    /// `（截至17:30）` on the day itself, which is not over; else empty.
    pub until: String,
    pub now: String,
    pub facts: DigestFacts,
    pub more: More,
    pub since: Option<DigestFacts>,
    pub health: Health,
    pub balance_holds: bool,
    /// No mail came.
    pub quiet: bool,
    /// Nothing waits for a person.
    pub idle: bool,
    pub charts: Vec<Chart>,
    pub department: String,
}

/// Writes the digest to one administrator; once a (recipient, day) by its key.
///
/// # Errors
/// The sentence of a template that does not render.
pub fn digest_letter(digest: &DigestDay<'_>, to: &str, templates: &Templates) -> Result<Letter, String> {
    let mut values = values(digest);
    let rendered = templates.render("digest.txt", &values)?;
    let mut enclosures = Vec::new();
    if !(values.quiet && values.idle) {
        for (name, title, bytes) in charts(digest.facts) {
            let content_id = format!("{name}.{}@annexd", digest.day);
            values.charts.push(Chart { content_id: content_id.clone(), title });
            enclosures.push(Enclosure {
                name: format!("{name}.png"),
                media_type: "image/png".to_owned(),
                bytes,
                content_id: Some(content_id),
            });
        }
    }
    let html = templates.render("digest.html", &values)?;
    Ok(Letter {
        key: format!("digest:{to}:{}", digest.day),
        kind: LetterKind::Digest,
        urgency: Urgency::Digest,
        to: to.to_owned(),
        subject: rendered.subject,
        text: rendered.text,
        html: Some(html.text),
        in_reply_to: None,
        references: Vec::new(),
        enclosures,
        due_at: digest.now,
        caps: None,
        alternates: false,
    })
}

/// Subject and text of a digest, for printing.
///
/// # Errors
/// As [`digest_letter`].
pub fn digest_text(digest: &DigestDay<'_>, templates: &Templates) -> Result<(String, String), String> {
    let rendered = templates.render("digest.txt", values(digest))?;
    Ok((rendered.subject, rendered.text))
}

fn values(digest: &DigestDay<'_>) -> DigestValues {
    let nothing = |facts: &DigestFacts| facts.mails_by_kind.is_empty();
    let facts = digest.facts;
    let (shown, more) = facts.for_people();
    DigestValues {
        day: chinese_day(digest.day),
        until: if day_of(digest.now, digest.zone) == digest.day {
            format!("（截至{}）", digest.now.to_zoned_datetime(digest.zone.clone()).strftime("%H:%M"))
        } else {
            String::new()
        },
        now: chinese_minute(digest.now, digest.zone),
        since: digest.since.filter(|since| !nothing(since)).cloned(),
        health: Health { fault: in_chinese(&digest.health.fault), ..digest.health.clone() },
        balance_holds: facts.balance.holds(),
        quiet: nothing(facts),
        idle: facts.parked.is_empty()
            && facts.failed_letters.is_empty()
            && facts.held_topics.is_empty()
            && facts.duplicates.is_empty()
            && facts.open_corrections.is_empty()
            && facts.unaddressed.is_empty()
            && facts.undeliverable.is_empty()
            && facts.unsettled.is_empty()
            && digest.health.troubles.is_empty()
            && digest.health.fault.is_empty()
            && !digest.health.secret_due
            && facts.balance.holds(),
        charts: Vec::new(),
        department: digest.department.to_owned(),
        facts: shown,
        more,
    }
}

/// Name, words and picture of each chart that has something to show.
fn charts(facts: &DigestFacts) -> Vec<(&'static str, String, Vec<u8>)> {
    let bar = |count: &Count| Bar { label: count.name.clone(), values: vec![count.count] };
    let correction = |row: &OpenCorrection| Bar { label: row.bureau.clone(), values: vec![row.count] };
    let division =
        |row: &DivisionLine| Bar { label: row.name.clone(), values: vec![row.accepted, row.needs_correction, row.suspected_duplicate] };
    let chart = |title: &str, bars: Vec<Bar>| BarChart { title: title.to_owned(), parts: Vec::new(), bars };
    let mut divisions = chart("全部课题按处室和状态（项）", facts.divisions.iter().map(division).collect());
    divisions.parts = ["材料齐全", "待补正", "疑似重复"].map(str::to_owned).to_vec();
    let corrections = chart("待补正课题按报送单位（项）", facts.open_corrections.iter().map(correction).collect());
    let arrived = chart("当日新课题按报送单位（项）", facts.topics_by_bureau.iter().map(bar).collect());
    [("arrived", arrived), ("divisions", divisions), ("corrections", corrections)]
        .into_iter()
        .filter(|(_, chart)| !chart.bars.is_empty())
        .map(|(name, chart)| (name, chart.in_words(), chart.png()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_kind_is_cut_short_and_counted() {
        let templates = Templates::load(&std::collections::BTreeMap::new()).unwrap();
        let letter =
            |id| LetterLine { id, to: "a@b.cn".to_owned(), subject: "回执".to_owned(), state: "暂缓".to_owned(), reply: String::new() };
        let facts = DigestFacts { failed_letters: (0..500).map(letter).collect(), ..DigestFacts::default() };
        let day = DigestDay {
            day: jiff::civil::date(2024, 8, 15),
            facts: &facts,
            since: None,
            health: &Health::default(),
            department: "厅",
            zone: &TimeZone::UTC,
            now: Timestamp::UNIX_EPOCH,
        };
        let letter = digest_letter(&day, "a@b.cn", &templates).unwrap();
        for text in [letter.text, letter.html.unwrap()] {
            assert_eq!(text.matches("annexd letters retry").count(), LINES_MAX);
            assert!(text.contains(&format!("另有{}封", 500 - LINES_MAX)) && text.contains("annexd letters list"), "{text}");
        }
    }

    #[test]
    fn a_busy_day_has_pictures_beside_its_html_and_a_quiet_day_has_none() {
        let templates = Templates::load(&std::collections::BTreeMap::new()).unwrap();
        let write = |facts: &DigestFacts| {
            let day = DigestDay {
                day: jiff::civil::date(2024, 8, 15),
                facts,
                since: None,
                health: &Health::default(),
                department: "厅",
                zone: &TimeZone::UTC,
                now: Timestamp::UNIX_EPOCH,
            };
            digest_letter(&day, "a@b.cn", &templates).unwrap()
        };
        let count = Count { name: "长春市工业和信息化局".to_owned(), count: 3 };
        let busy = write(&DigestFacts {
            mails_by_kind: vec![count.clone()],
            topics_by_bureau: vec![count.clone()],
            open_corrections: vec![OpenCorrection { bureau: count.name, count: 1, oldest_days: 2 }],
            ..DigestFacts::default()
        });
        let html = busy.html.unwrap();
        assert_eq!(busy.enclosures.len(), 2);
        for picture in &busy.enclosures {
            assert!(html.contains(&format!("cid:{}", picture.content_id.as_ref().unwrap())));
        }
        let quiet = write(&DigestFacts::default());
        assert!(quiet.enclosures.is_empty() && quiet.text.len() < 800, "{}", quiet.text.len());
    }
}
