//! [`Reading`] and what is known to [`Verdict`]: kind, findings, routes, revisions and twins.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::{
    Change, Duplicate, Knowledge, Known, KnownTopic, Outcome, Reading, Role, Topic, TopicStatus, Verdict,
    reading::{could_be_annex, hex, topic_key},
};
use crate::domain::{
    dedupe::{self, Evidence, Likeness, Prepared},
    findings::Finding,
    folding::fold,
    kind::{self, Kind, KindFacts},
    message::Mailbox,
    reconcile::{Draft, Source},
    routing::{Candidate, Route, RoutedBy},
    rules::{self, Package},
    submitters::Decision,
};

/// Fields that say nothing about the topic itself.
const NOT_CONTENT: [&str; 6] = ["no", "note", "bureau", "filled_on", "pledge", "opinion"];

/// Twins of one topic that are named, the most alike first.
const TWINS_MAX: usize = 10;

/// Judges one mail. The clock has no say in it: the same reading and the same knowledge give the same verdict.
#[must_use]
pub fn decide(reading: Reading, known: &Known, knowledge: &Knowledge) -> Verdict {
    let verdict_kind = kind::classify(&kind_facts(&reading, known, knowledge));
    let kind = verdict_kind.kind;
    let examined = matches!(kind, Kind::Submission | Kind::Correction | Kind::EnterpriseDirect);
    let sender = single_sender(&reading);
    let mut findings = Vec::new();
    let mut topics = Vec::new();
    if examined {
        let about_package = package_findings(&reading, kind, known, knowledge);
        topics = judge_topics(&reading, known, knowledge, sender.as_ref());
        findings = reading.findings.clone();
        share_out(about_package, &mut topics, &mut findings);
        for topic in &mut topics {
            topic.status = status_of(topic);
        }
    }
    let outcome = match kind {
        _ if known.same_content => Outcome::Duplicate,
        Kind::Submission | Kind::Correction | Kind::EnterpriseDirect | Kind::NoAnnex | Kind::DivisionReply | Kind::Recall => {
            Outcome::Recorded
        }
        _ => Outcome::Ignored,
    };
    let repeated = outcome == Outcome::Duplicate;
    Verdict {
        references: answer_references(&reading),
        message_id: reading.message.message_id,
        sha256: reading.sha256,
        content_sha256: reading.content_sha256,
        from: sender,
        subject: reading.message.subject,
        date: reading.message.date,
        kind,
        outcome,
        answer: verdict_kind.answer && !repeated,
        answer_reason: if repeated {
            "同一封邮件已经收到并处理过，不重复回复。".to_owned()
        } else {
            verdict_kind.answer_reason
        },
        bureau: reading.bureau,
        formal_letter: reading.formal_letter,
        attachments: reading.attachments,
        links: reading.links,
        topics: if repeated { Vec::new() } else { topics },
        findings,
        reconciliation: reading.reconciliation,
    }
}

fn kind_facts<'a>(reading: &'a Reading, known: &Known, knowledge: &'a Knowledge) -> KindFacts<'a> {
    KindFacts {
        message: &reading.message,
        readable: reading.unreadable.is_none(),
        own_addresses: &knowledge.own_addresses,
        annex_forms: reading.forms,
        annex_rows: reading.rows,
        annex_like_files: reading.attachments.iter().filter(|attachment| could_be_annex(attachment)).count()
            + usize::from(reading.findings.iter().any(|finding| finding.rule == "R18" || finding.rule == "R14")),
        links: reading.links.len(),
        known_topics: refers_to_known(reading, known),
        bureau_known: reading.bureau.is_some(),
        division_reply: false,
        has_formal_letter: reading.formal_letter.is_some(),
    }
}

/// The mail answers one of our letters, names a receipt number, or all its topics are known already.
fn refers_to_known(reading: &Reading, known: &Known) -> bool {
    let named = reading.keys().receipt_numbers.iter().any(|number| known.topics.iter().any(|topic| &topic.id == number));
    let all_known =
        !reading.drafts.is_empty() && reading.drafts.iter().all(|draft| known.topics.iter().any(|topic| topic.key == topic_key(draft)));
    known.answers_our_letter || named || all_known
}

fn single_sender(reading: &Reading) -> Option<Mailbox> {
    match reading.message.from.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// References of the answer: the sender's, then the sender's own id (RFC 5322 section 3.6.4).
fn answer_references(reading: &Reading) -> Vec<String> {
    let mut references = reading.message.references.clone();
    references.extend(reading.message.message_id.clone());
    references
}

/// R14, R15, R16 of the whole mail. A correction may bring single files, so it owes no full package.
fn package_findings(reading: &Reading, kind: Kind, known: &Known, knowledge: &Knowledge) -> Vec<Finding> {
    if kind == Kind::Correction && !known.topics.is_empty() {
        return Vec::new();
    }
    let with_role = |role: Role| {
        reading.attachments.iter().filter(move |attachment| attachment.role == role).map(|attachment| attachment.path.as_str())
    };
    let (mut rows_without_form, mut forms_without_row) = (Vec::new(), Vec::new());
    for draft in &reading.drafts {
        let is_form = |source: &&Source| {
            knowledge.catalogue.form(&source.form).is_none_or(|form| form.shape == crate::domain::forms::catalogue::Shape::Form)
        };
        let form = draft.sources.iter().find(is_form);
        let row = draft.sources.iter().find(|source| !is_form(source));
        let title = draft.text("topic_title");
        match (form, row) {
            (None, Some(row)) => rows_without_form.push((title, row.attachment.as_str(), row.place.as_str())),
            (Some(form), None) if reading.rows > 0 => forms_without_row.push((title, form.attachment.as_str(), form.place.as_str())),
            _ => {}
        }
    }
    rules::check_package(&Package {
        annex1_files: with_role(Role::Annex1).collect(),
        annex2_files: with_role(Role::Annex2).collect(),
        has_formal_letter: reading.formal_letter.is_some(),
        rows_without_form,
        forms_without_row,
        enterprise_direct: kind == Kind::EnterpriseDirect,
    })
}

fn judge_topics(reading: &Reading, known: &Known, knowledge: &Knowledge, sender: Option<&Mailbox>) -> Vec<Topic> {
    let held = reading.bureau.as_ref().is_some_and(|bureau| bureau.decision == Decision::Hold);
    let mut earlier = dedupe::Index::new(knowledge.dedupe.clone());
    let mut topics: Vec<Topic> = Vec::with_capacity(reading.drafts.len());
    for draft in &reading.drafts {
        let mut topic = judge_topic(draft, reading, known, knowledge, sender);
        let prepared = Prepared::of(|key| draft.text(key), &knowledge.dedupe);
        let twins = earlier.twins(&prepared.signature);
        for (number, likeness) in twins.iter().take(TWINS_MAX) {
            if let Some(elder) = usize::try_from(*number).ok().and_then(|at| reading.drafts.get(at)) {
                let evidence = dedupe::evidence(&prepared.prose, &Prepared::of(|key| elder.text(key), &knowledge.dedupe).prose);
                topic.duplicates.push(twin(elder.text("topic_title"), likeness, evidence));
            }
        }
        let eldest = twins.first().and_then(|(number, _)| topics.get(usize::try_from(*number).ok()?));
        if let Some(elder) = eldest.filter(|_| topic.route.routed_by != RoutedBy::Twin) {
            follow(&mut topic.route, &elder.route.division, &elder.key.title);
        }
        topic.held = held;
        earlier.insert(&topic.fingerprint, prepared.signature);
        topics.push(topic);
    }
    topics
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
    route.candidates.insert(0, Candidate { division: division.to_owned(), score: route.confidence });
    route.evidence.push(format!("{elder} (twin)"));
}

fn judge_topic(draft: &Draft, reading: &Reading, known: &Known, knowledge: &Knowledge, sender: Option<&Mailbox>) -> Topic {
    let fields: BTreeMap<String, String> = draft.fields.iter().map(|(key, placed)| (key.clone(), placed.value.text.clone())).collect();
    let key = topic_key(draft);
    let fingerprint = fingerprint(&fields);
    let mut route = knowledge.divisions.route(draft);
    let mut duplicates = Vec::new();
    let mut change = Change::New;
    for earlier in known.topics.iter().filter(|topic| topic.key == key) {
        if belongs_together(earlier, reading, known, sender) {
            change = change_of(earlier, &fields, &fingerprint);
        } else {
            duplicates.push(Duplicate { topic: earlier.id.clone(), score: 1.0, kind: "same".into(), ..Duplicate::default() });
            follow(&mut route, &earlier.division, &earlier.id);
        }
    }
    Topic {
        findings: rules::check_topic(draft, &knowledge.catalogue),
        sources: draft.sources.clone(),
        fields,
        route,
        duplicates,
        key,
        fingerprint,
        change,
        status: TopicStatus::Accepted,
        held: false,
    }
}

/// A topic may be revised by its own sender or bureau, or by whoever answers our receipt; another sender's version waits for a person.
fn belongs_together(earlier: &KnownTopic, reading: &Reading, known: &Known, sender: Option<&Mailbox>) -> bool {
    let same_sender = sender.is_some_and(|sender| sender.address == earlier.sender);
    let same_bureau =
        reading.bureau.as_ref().is_some_and(|bureau| bureau.id != "unknown" && earlier.bureau.as_deref() == Some(bureau.id.as_str()));
    same_sender || same_bureau || known.answers_our_letter
}

fn change_of(earlier: &KnownTopic, fields: &BTreeMap<String, String>, fingerprint: &str) -> Change {
    if earlier.fingerprint == fingerprint {
        return Change::Same { id: earlier.id.clone() };
    }
    let keys: BTreeSet<&String> = earlier.fields.keys().chain(fields.keys()).collect();
    let changed = keys
        .into_iter()
        .filter(|key| !NOT_CONTENT.contains(&key.as_str()))
        .filter(|key| earlier.fields.get(*key).map(|text| fold(text)) != fields.get(*key).map(|text| fold(text)))
        .cloned()
        .collect();
    Change::Revision { id: earlier.id.clone(), changed }
}

/// Equal for equal content, whatever the spaces, widths and order.
fn fingerprint(fields: &BTreeMap<String, String>) -> String {
    let mut hash = Sha256::new();
    for (key, text) in fields.iter().filter(|(key, _)| !NOT_CONTENT.contains(&key.as_str())) {
        hash.update(key);
        hash.update([0]);
        hash.update(fold(text));
        hash.update([0]);
    }
    hex(&hash.finalize())
}

/// Findings about one topic go to that topic, the rest stay with the mail.
fn share_out(findings: Vec<Finding>, topics: &mut [Topic], about_mail: &mut Vec<Finding>) {
    for finding in findings {
        let stands_in =
            |source: &Source| Some(&source.attachment) == finding.attachment.as_ref() && Some(&source.place) == finding.place.as_ref();
        match topics.iter_mut().find(|topic| topic.sources.iter().any(stands_in)) {
            Some(topic) => topic.findings.push(finding),
            None => about_mail.push(finding),
        }
    }
}

fn status_of(topic: &Topic) -> TopicStatus {
    if !topic.duplicates.is_empty() {
        TopicStatus::SuspectedDuplicate
    } else if topic.has_errors() {
        TopicStatus::NeedsCorrection
    } else {
        TopicStatus::Accepted
    }
}
