//! The same stored mail under today's rules: what would its topics say now? Nothing is looked up by likeness here; the store knows
//! which topics the mail brought.

use std::collections::BTreeMap;

use super::{Knowledge, Known, KnownTopic, Reading, Topic, TopicStatus, Verdict, decide};
use crate::domain::{findings::Finding, reconcile::Draft};

/// A topic that a mail was about.
#[derive(Debug, Clone)]
pub struct Stored {
    pub topic: KnownTopic,
    /// What was known before that mail; `None` where the mail brought the topic's first revision.
    pub before: Option<Draft>,
    /// A later mail brought the latest revision, or a person took the topic out: this mail has no say in it any more.
    pub settled: bool,
}

/// What today's rules make of one mail.
#[derive(Debug, Clone)]
pub struct Replayed {
    pub verdict: Verdict,
    pub topics: Vec<Comparison>,
    /// Numbers of stored topics that today's reading does not find any more. They are never taken out.
    pub not_found: Vec<String>,
}

/// One topic, then and now.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// `None`: today's reading finds a topic that the store has not.
    pub stored: Option<KnownTopic>,
    pub now: Topic,
    pub differences: Vec<Difference>,
}

/// One thing that would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    New,
    Field { key: String, then: String, now: String },
    Opened(Finding),
    Closed(Finding),
    Division { then: String, now: String },
}

/// Judges a stored mail again. `decided` names the topics whose division a person chose: their route stays.
#[must_use]
pub fn replay(reading: Reading, stored: &[Stored], decided: &[String], knowledge: &Knowledge) -> Replayed {
    let as_before = |stored: &Stored| KnownTopic {
        draft: stored.before.clone().unwrap_or_default(),
        // Held and taken over are matters of the first judgement.
        held: false,
        ..stored.topic.clone()
    };
    let is_settled = |number: &str| stored.iter().any(|stored| stored.settled && stored.topic.id == number);
    let numbers: Vec<String> = stored.iter().map(|stored| stored.topic.id.clone()).collect();
    let with_latest = Known {
        answers_our_letter: stored.iter().any(|stored| stored.before.is_some()),
        answered_topics: numbers.clone(),
        // What a person took out is recognised here, so that it is not taken for new.
        topics: stored.iter().map(|stored| KnownTopic { status: TopicStatus::Accepted, ..stored.topic.clone() }).collect(),
        ..Known::default()
    };
    // Which draft is which topic is settled with what the store holds; what it says, with what stood before.
    let sender = reading.message.from.first().cloned();
    let assigned: Vec<Option<String>> = super::matching::assign(&reading, &with_latest, sender.as_ref())
        .into_iter()
        .map(|topic| topic.map(|topic| topic.id.clone()))
        .collect();
    let known =
        Known { topics: stored.iter().filter(|stored| stored.before.is_some() && !stored.settled).map(as_before).collect(), ..with_latest };
    let verdict = decide(reading, &known, knowledge);
    let by_number: BTreeMap<&str, &Stored> = stored.iter().map(|stored| (stored.topic.id.as_str(), stored)).collect();
    let topics: Vec<Comparison> = verdict
        .topics
        .iter()
        .zip(&assigned)
        .filter(|(_, number)| !number.as_deref().is_some_and(is_settled))
        .map(|(now, number)| {
            let then = number.as_deref().and_then(|number| by_number.get(number)).map(|stored| stored.topic.clone());
            let differences =
                then.as_ref().map_or_else(|| vec![Difference::New], |then| differences(then, now, decided.contains(&then.id)));
            Comparison { stored: then, now: now.clone(), differences }
        })
        .collect();
    let missing = |number: &String| !is_settled(number) && !assigned.iter().flatten().any(|found| found == number);
    let not_found = numbers.into_iter().filter(missing).collect();
    Replayed { verdict, topics, not_found }
}

fn differences(then: &KnownTopic, now: &Topic, decided: bool) -> Vec<Difference> {
    let mut found = Vec::new();
    let keys: std::collections::BTreeSet<&String> = then.draft.fields.keys().chain(now.fields.keys()).collect();
    for key in keys {
        let (old, new) = (then.draft.text(key), now.text(key));
        if old != new {
            found.push(Difference::Field { key: key.clone(), then: old.to_owned(), now: new.to_owned() });
        }
    }
    let same = |one: &Finding, other: &Finding| one.rule == other.rule && one.field == other.field && one.message == other.message;
    found.extend(now.findings.iter().filter(|new| !then.findings.iter().any(|old| same(old, new))).cloned().map(Difference::Opened));
    found.extend(then.findings.iter().filter(|old| !now.findings.iter().any(|new| same(old, new))).cloned().map(Difference::Closed));
    if !decided && then.division != now.route.division {
        found.push(Difference::Division { then: then.division.clone(), now: now.route.division.clone() });
    }
    found
}
