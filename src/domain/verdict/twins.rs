//! Suspected twins of a topic: among what the store knows, and within the same mail. For reviewers; a sender never hears of them (R26).

use super::{Duplicate, Knowledge, Known, KnownTopic, Topic};
use crate::domain::{
    dedupe::{self, Comparison, Evidence, Likeness, Prepared, Prose},
    reconcile::Draft,
    routing::{Candidate, Route, RoutedBy},
};

/// Twins of one topic that are named.
const TWINS_MAX: usize = 10;

/// The store's topics, made ready for comparison once a mail.
pub struct Elders<'a> {
    elders: Vec<(&'a KnownTopic, Prepared)>,
}

impl<'a> Elders<'a> {
    pub fn of(known: &'a Known, knowledge: &Knowledge) -> Self {
        let ready = |topic: &'a KnownTopic| (topic, Prepared::of(|key| topic.draft.text(key), &knowledge.dedupe));
        Self { elders: known.topics.iter().map(ready).collect() }
    }

    /// Notes every elder that `topic` looks like, the likest first. A topic that this mail revises is no twin of its own mail.
    pub fn note(&self, topic: &mut Topic, prepared: &Prepared, revised: &[Option<&KnownTopic>], knowledge: &Knowledge) {
        let comparison = Comparison::of(&prepared.signature);
        let others = self.elders.iter().filter(|(elder, _)| !is_revised(elder, revised));
        let mut found: Vec<(&KnownTopic, Duplicate)> = others
            .filter_map(|(elder, ready)| {
                match comparison.judge(&ready.signature, &knowledge.dedupe) {
                    Some(likeness) => Some((*elder, twin(&elder.id, &likeness, evidence(topic, prepared, &ready.prose)))),
                    // Two bare rows say too little to compare, but the same title of the same applicant is the same topic.
                    None if elder.key == topic.key => {
                        Some((*elder, Duplicate { topic: elder.id.clone(), score: 1.0, kind: "same".to_owned(), ..Duplicate::default() }))
                    }
                    None => None,
                }
            })
            .collect();
        found.sort_by(|one, other| other.1.score.total_cmp(&one.1.score).then_with(|| one.0.id.cmp(&other.0.id)));
        if let Some((elder, _)) = found.first() {
            follow(&mut topic.route, &elder.division, &elder.id);
        }
        topic.duplicates.extend(found.into_iter().take(TWINS_MAX).map(|(_, twin)| twin));
    }
}

/// Notes the twins among the topics that stand before this one in the same mail.
pub fn note_within_mail(topic: &mut Topic, prepared: &Prepared, batch: &dedupe::Index, before: &[Topic], knowledge: &Knowledge) {
    let twins = batch.twins(&prepared.signature);
    let elder = |number: u32| usize::try_from(number).ok().and_then(|at| before.get(at));
    for (number, likeness) in twins.iter().take(TWINS_MAX) {
        if let Some(elder) = elder(*number) {
            let evidence = evidence(topic, prepared, &Prepared::of(|key| elder.draft.text(key), &knowledge.dedupe).prose);
            topic.duplicates.push(twin(elder.text("topic_title"), likeness, evidence));
        }
    }
    let eldest = twins.first().and_then(|(number, _)| elder(*number)).filter(|_| topic.route.routed_by != RoutedBy::Twin);
    if let Some(eldest) = eldest {
        let title = eldest.text("topic_title").to_owned();
        follow(&mut topic.route, &eldest.route.division, &title);
    }
}

/// What the store knows beside the topics that this mail revises: their earlier versions may hold the very mistake that it corrects.
pub fn others_on_record<'a>(known: &'a Known, revised: &[Option<&KnownTopic>]) -> impl Iterator<Item = &'a Draft> {
    known.topics.iter().filter(|elder| !is_revised(elder, revised)).map(|elder| &elder.draft)
}

fn is_revised(elder: &KnownTopic, revised: &[Option<&KnownTopic>]) -> bool {
    revised.iter().flatten().any(|own| own.id == elder.id)
}

fn evidence(topic: &Topic, prepared: &Prepared, elder: &Prose) -> Evidence {
    dedupe::evidence(&prepared.prose, elder, |key| topic.draft.text(key))
}

fn twin(topic: &str, likeness: &Likeness, evidence: Evidence) -> Duplicate {
    Duplicate {
        topic: topic.to_owned(),
        score: likeness.score,
        kind: likeness.kind.as_str().to_owned(),
        passages: evidence.passages,
        terms: evidence.terms,
    }
}

/// Rule 6 of the routing table: a suspected twin goes where its elder went.
fn follow(route: &mut Route, division: &str, elder: &str) {
    division.clone_into(&mut route.division);
    route.routed_by = RoutedBy::Twin;
    // The elder's division is settled: no second one.
    route.joint = None;
    route.candidates.retain(|candidate| candidate.division != division);
    route.candidates.insert(0, Candidate { division: division.to_owned(), score: route.confidence });
    route.evidence.push(format!("{elder} (twin)"));
}
