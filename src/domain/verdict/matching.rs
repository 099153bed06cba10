//! Which known topic a draft is a later version of: the same title and applicant, a receipt number in the mail, an answer to our
//! receipt, or the same applicant with nearly the same words. An assignment over the whole mail, as between rows and forms: each topic
//! is taken once, and no draft takes the topic that another needs.

use std::collections::BTreeSet;

use super::{Known, KnownTopic, Reading, TopicStatus, reading::topic_key};
use crate::domain::{
    folding::fold,
    forms::catalogue::{Catalogue, Shape},
    message::Mailbox,
    reconcile::{
        self, Difference, Draft,
        assignment::{self, Pair},
        likeness::Face,
    },
};

/// Share of common character triples from which two bodies are one topic's, whatever their titles say.
const SAME_BODY: f64 = 0.5;
/// Below this share, two full bodies under like titles are different topics of one firm.
const OTHER_BODY: f64 = 0.12;
/// Characters from which a body says enough to compare.
const BODY_MIN_CHARS: usize = 40;

/// The known topic that each draft revises, in the order of the drafts.
pub fn assign<'a>(reading: &Reading, known: &'a Known, sender: Option<&Mailbox>) -> Vec<Option<&'a KnownTopic>> {
    let own: Vec<(&KnownTopic, Face, Body)> = known
        .topics
        .iter()
        .filter(|topic| may_revise(topic, reading, known, sender))
        .map(|topic| (topic, Face::of(&topic.draft), Body::of(&topic.draft)))
        .collect();
    let mut pairs: Vec<Pair> = Vec::new();
    for (at, draft) in reading.drafts.iter().enumerate() {
        let (face, body) = (Face::of(draft), Body::of(draft));
        for (candidate, (topic, known_face, known_body)) in own.iter().enumerate() {
            let same_key = topic.key == topic_key(draft);
            let likeness = face.likeness(known_face);
            let certainty = if same_key {
                // Of two topics with this key, the one that the sender speaks of.
                Some(if known.named_topics.contains(&topic.id) || known.answered_topics.contains(&topic.id) { 9_500 } else { 9_000 })
            } else {
                certainty(topic, likeness, face.same_holder(known_face), body.share(known_body), reading, known)
            };
            pairs.extend(certainty.map(|likeness| Pair { likeness, row: at, form: candidate, sure: same_key }));
        }
    }
    let partners = assignment::assign(pairs);
    let topic_of = |draft: usize| partners.get(&draft).and_then(|candidate| own.get(*candidate)).map(|(topic, ..)| *topic);
    (0..reading.drafts.len()).map(topic_of).collect()
}

/// A topic may be revised by its own sender or bureau, and by whoever answers the receipt that named it. A topic that an enterprise
/// sent by itself is taken over by the bureau that submits it. Anybody else's version waits for a person.
pub fn may_revise(earlier: &KnownTopic, reading: &Reading, known: &Known, sender: Option<&Mailbox>) -> bool {
    let same_sender = sender.is_some_and(|sender| sender.address == earlier.sender);
    let bureau = reading.bureau.as_ref().filter(|bureau| bureau.id != "unknown").map(|bureau| bureau.id.as_str());
    let same_bureau = bureau.is_some() && earlier.bureau.as_deref() == bureau;
    let taken_over = bureau.is_some() && earlier.held && earlier.bureau.is_none();
    // What a person took out comes back under a new number only.
    let withdrawn = earlier.status == TopicStatus::Withdrawn;
    !withdrawn && (same_sender || same_bureau || taken_over || known.answered_topics.contains(&earlier.id))
}

/// How certain a draft is a version of a topic with another key; `None`: it is another topic.
fn certainty(
    topic: &KnownTopic,
    likeness: Option<u32>,
    same_holder: bool,
    body: Option<f64>,
    reading: &Reading,
    known: &Known,
) -> Option<u32> {
    let named = known.named_topics.contains(&topic.id);
    let only = |topics: &[String]| topics.len() == 1 && reading.drafts.len() == 1;
    // The sender says which topic it is.
    if named && (only(&known.named_topics) || likeness.is_some() || same_holder) {
        return Some(8_000 + likeness.unwrap_or(0) / 10);
    }
    let answered = known.answered_topics.contains(&topic.id);
    if answered && (likeness.is_some() || (same_holder && (only(&known.answered_topics) || body.is_some_and(|share| share >= OTHER_BODY))))
    {
        return Some(7_000 + likeness.unwrap_or(0) / 10);
    }
    if !same_holder {
        return None;
    }
    match (likeness, body) {
        (_, Some(share)) if share >= SAME_BODY => Some(6_000 + likeness.unwrap_or(0) / 10),
        (Some(likeness), Some(share)) if share >= OTHER_BODY => Some(5_000 + likeness / 10),
        // A row meets its late form: one of them has no body to compare.
        (Some(likeness), None) => Some(4_000 + likeness / 10),
        _ => None,
    }
}

/// The words of a topic's body.
struct Body(BTreeSet<[char; 3]>);

impl Body {
    fn of(draft: &Draft) -> Self {
        let text = fold(&["problem", "goal", "params", "content"].map(|key| draft.text(key)).concat());
        let chars: Vec<char> = text.chars().take(4_000).collect();
        let enough = chars.len() >= BODY_MIN_CHARS;
        Self(if enough { chars.windows(3).filter_map(|window| <[char; 3]>::try_from(window).ok()).collect() } else { BTreeSet::new() })
    }

    /// Share of common triples; `None` where one side says too little.
    #[allow(clippy::cast_precision_loss, reason = "counts of triples are far below 2^52")]
    fn share(&self, other: &Self) -> Option<f64> {
        if self.0.is_empty() || other.0.is_empty() {
            return None;
        }
        let common = self.0.intersection(&other.0).count();
        Some(common as f64 / (self.0.len() + other.0.len() - common) as f64)
    }
}

/// Where a row and a form of the same topic came in two mails and say different things: what this mail brings against the side that
/// it does not send again.
pub fn differences_across_mails(reading: &Reading, assigned: &[Option<&KnownTopic>], catalogue: &Catalogue) -> Vec<Difference> {
    let is_form = |form: &str| catalogue.form(form).is_none_or(|form| form.shape == Shape::Form);
    let side = |draft: &Draft, form: bool| Draft {
        sources: Vec::new(),
        fields: draft
            .fields
            .iter()
            .filter(|(_, placed)| is_form(&placed.form) == form)
            .map(|(key, placed)| (key.clone(), placed.clone()))
            .collect(),
    };
    let has = |draft: &Draft, form: bool| draft.sources.iter().any(|source| is_form(&source.form) == form);
    let mut found = Vec::new();
    for (draft, earlier) in reading.drafts.iter().zip(assigned).filter_map(|(draft, earlier)| Some((draft, (*earlier)?))) {
        let (row, form) = match (has(draft, false), has(draft, true)) {
            (false, true) => (side(&earlier.draft, false), side(draft, true)),
            (true, false) => (side(draft, false), side(&earlier.draft, true)),
            _ => continue,
        };
        found.extend(reconcile::differences(&row, &form));
    }
    found
}

/// A later version joined with what is known: what was sent again replaces what it was, the rest stays. A form wins over a row.
pub fn joined(earlier: &Draft, later: &Draft, catalogue: &Catalogue) -> Draft {
    let is_form = |form: &str| catalogue.form(form).is_none_or(|form| form.shape == Shape::Form);
    let sent_again = |form: &str| later.sources.iter().any(|source| is_form(&source.form) == is_form(form));
    let mut draft = later.clone();
    for (key, placed) in earlier.fields.iter().filter(|(_, placed)| !sent_again(&placed.form)) {
        if is_form(&placed.form) || !draft.fields.contains_key(key) {
            draft.fields.insert(key.clone(), placed.clone());
        }
    }
    draft.sources.extend(earlier.sources.iter().filter(|source| !sent_again(&source.form)).cloned());
    // Rows first, as in a mail that brings both.
    draft.sources.sort_by_key(|source| is_form(&source.form));
    draft
}
