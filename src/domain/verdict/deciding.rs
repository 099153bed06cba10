//! [`Reading`] and what is known to [`Verdict`]: kind, findings, routes, revisions and twins.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::{
    Change, Knowledge, Known, KnownTopic, Outcome, Reading, Role, Topic, TopicStatus, Verdict, matching, ordering,
    reading::{could_be_annex, topic_key},
    twins,
};
use crate::domain::{
    authentication::{self, Authentication},
    bounces,
    completeness::completeness,
    dedupe::{self, Prepared},
    findings::{Audience, Finding, Severity},
    folding::fold,
    forms::catalogue::Shape,
    hex,
    kind::{self, Kind, KindFacts},
    message::Mailbox,
    reconcile::{Draft, Source},
    rules::{self, Desk, Package, normal::normalised},
    submitters::Decision,
};

/// Fields that say nothing about the topic itself.
const NOT_CONTENT: [&str; 6] = ["no", "note", "bureau", "filled_on", "pledge", "opinion"];

/// Judges one mail. The clock has no say in it: the same reading and the same knowledge give the same verdict.
#[must_use]
pub fn decide(mut reading: Reading, known: &Known, knowledge: &Knowledge) -> Verdict {
    let sender = single_sender(&reading);
    let assigned = matching::assign(&reading, known, sender.as_ref());
    let authentication = authentication::judge(&reading.message.header, sender.as_ref().map(|sender| sender.address.as_str()));
    let orders = ordering::orders(&reading, known, sender.as_ref(), &authentication, knowledge);
    let mut verdict_kind = kind::classify(&kind_facts(&reading, known, &assigned, orders.is_some(), &authentication, knowledge));
    let kind = verdict_kind.kind;
    if kind == Kind::DivisionReply && orders.as_ref().is_some_and(|orders| !orders.verified) {
        verdict_kind.answer = false;
        "处室指令的发件地址或验证码未能核实，已转管理员处理，不回复。".clone_into(&mut verdict_kind.answer_reason);
    }
    let outcome = match kind {
        _ if known.same_content => Outcome::Duplicate,
        Kind::Submission | Kind::Correction | Kind::EnterpriseDirect | Kind::NoAnnex | Kind::DivisionReply | Kind::Recall => {
            Outcome::Recorded
        }
        _ => Outcome::Ignored,
    };
    let repeated = outcome == Outcome::Duplicate;
    let mut findings = Vec::new();
    let mut topics = Vec::new();
    if !repeated && matches!(kind, Kind::Submission | Kind::Correction | Kind::EnterpriseDirect) {
        let alone = reading.take_alone(knowledge);
        topics = judge_topics(&reading, alone, known, &assigned, kind, knowledge);
        let drafts: Vec<Draft> = topics.iter().map(|topic| topic.draft.clone()).collect();
        for (at, finding) in rules::check_batch(&drafts, twins::others_on_record(known, &assigned), &knowledge.rules) {
            topics.get_mut(at).into_iter().for_each(|topic| topic.findings.push(finding.clone()));
        }
        findings.clone_from(&reading.findings);
        share_out(package_findings(&reading, kind, known, &topics, &assigned, knowledge), &mut topics, &mut findings);
        for (topic, earlier) in topics.iter_mut().zip(&assigned) {
            topic.status = status_of(topic);
            topic.closed = earlier.map(|earlier| closed(earlier, topic)).unwrap_or_default();
        }
    }
    findings.extend(orders.as_ref().filter(|orders| kind == Kind::DivisionReply && !orders.verified).map(ordering::unverified));
    Verdict {
        returned: if kind == Kind::Bounce { bounces::read(&reading.message) } else { Vec::new() },
        authentication,
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
        letter_arrived: known.lacks_letter && reading.formal_letter.is_some(),
        formal_letter: reading.formal_letter,
        attachments: reading.attachments,
        links: reading.links,
        topics,
        findings,
        reconciliation: reading.reconciliation,
        orders: orders.filter(|_| kind == Kind::DivisionReply && !repeated),
    }
}

fn kind_facts<'a>(
    reading: &'a Reading,
    known: &Known,
    assigned: &[Option<&KnownTopic>],
    division_reply: bool,
    authentication: &'a Authentication,
    knowledge: &'a Knowledge,
) -> KindFacts<'a> {
    KindFacts {
        message: &reading.message,
        readable: reading.unreadable.is_none(),
        own_addresses: &knowledge.own_addresses,
        annex_forms: reading.forms,
        annex_rows: reading.rows,
        annex_like_files: reading.attachments.iter().filter(|attachment| could_be_annex(attachment)).count()
            + usize::from(
                reading
                    .findings
                    .iter()
                    .any(|finding| finding.audience == Audience::Sender && matches!(finding.rule.as_str(), "R14" | "R18")),
            ),
        links: reading.links.len(),
        known_topics: refers_to_known(known, assigned),
        bureau_known: reading.bureau.is_some(),
        division_reply,
        has_formal_letter: reading.formal_letter.is_some(),
        authentication,
    }
}

/// The mail answers one of our letters, names a topic it may revise, or all its topics are known already.
fn refers_to_known(known: &Known, assigned: &[Option<&KnownTopic>]) -> bool {
    let all_known = !assigned.is_empty() && assigned.iter().all(Option::is_some);
    known.answers_our_letter || all_known || !known.named_topics.is_empty()
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

/// R14, R15, R16 of the whole mail. A correction may bring single files: what it completes counts with it, and it owes only what is still open.
fn package_findings(
    reading: &Reading,
    kind: Kind,
    known: &Known,
    topics: &[Topic],
    assigned: &[Option<&KnownTopic>],
    knowledge: &Knowledge,
) -> Vec<Finding> {
    let across = matching::differences_across_mails(reading, assigned, &knowledge.catalogue);
    let correction = kind == Kind::Correction;
    if correction && topics.is_empty() {
        return Vec::new();
    }
    let is_form = |source: &Source| knowledge.catalogue.form(&source.form).is_none_or(|form| form.shape == Shape::Form);
    let with_role = |role: Role| {
        reading.attachments.iter().filter(move |attachment| attachment.role == role).map(|attachment| attachment.path.as_str())
    };
    let mut annex1_files: BTreeSet<&str> = with_role(Role::Annex1).collect();
    let mut annex2_files: BTreeSet<&str> = with_role(Role::Annex2).collect();
    if correction {
        let sources = topics.iter().flat_map(|topic| &topic.draft.sources);
        annex1_files.extend(sources.clone().filter(|source| is_form(source)).map(|source| source.attachment.as_str()));
        // The table of an earlier mail stands behind the corrected one.
        if annex2_files.is_empty() {
            annex2_files.extend(sources.filter(|source| !is_form(source)).map(|source| source.attachment.as_str()).take(1));
        }
    }
    let (mut rows_without_form, mut forms_without_row, mut differs) = (Vec::new(), Vec::new(), Vec::new());
    for draft in topics.iter().map(|topic| &topic.draft) {
        let form = draft.sources.iter().find(|source| is_form(source));
        let row = draft.sources.iter().find(|source| !is_form(source));
        let title = draft.text("topic_title");
        match (form, row) {
            (None, Some(row)) => rows_without_form.push((title, row.attachment.as_str(), row.place.as_str())),
            (Some(form), None) if !annex2_files.is_empty() => {
                forms_without_row.push((title, form.attachment.as_str(), form.place.as_str()));
            }
            (Some(form), Some(_)) => {
                let about = reading.reconciliation.differs.iter().chain(&across).filter(|difference| difference.title == title);
                differs.extend(about.map(|difference| (difference, form.attachment.as_str(), form.place.as_str())));
            }
            _ => {}
        }
    }
    let package = Package {
        enterprise_direct: kind == Kind::EnterpriseDirect || (correction && annex2_files.is_empty()),
        // A correction owes a form only for its own rows.
        annex1_files: if correction && annex1_files.is_empty() { vec![""] } else { annex1_files.into_iter().collect() },
        annex2_files: annex2_files.into_iter().collect(),
        has_formal_letter: reading.formal_letter.is_some() || (correction && !known.lacks_letter),
        rows_without_form,
        forms_without_row,
        differs,
    };
    rules::check_package(&package, &knowledge.rules)
}

fn judge_topics(
    reading: &Reading,
    alone: Vec<Topic>,
    known: &Known,
    assigned: &[Option<&KnownTopic>],
    kind: Kind,
    knowledge: &Knowledge,
) -> Vec<Topic> {
    // R1, R2: what comes from no submitter of the notice waits for a person.
    let held = kind == Kind::EnterpriseDirect || reading.bureau.as_ref().is_none_or(|bureau| bureau.decision == Decision::Hold);
    let elders = twins::Elders::of(known, knowledge);
    let mut batch = dedupe::Index::new(knowledge.dedupe.clone());
    let mut topics: Vec<Topic> = Vec::with_capacity(reading.drafts.len());
    for ((alone, ready), earlier) in alone.into_iter().zip(reading.prepared(&knowledge.dedupe)).zip(assigned) {
        let mut topic = match earlier {
            None => alone,
            Some(earlier) => judge_revision(alone, earlier, known, held, knowledge),
        };
        // What joins an earlier version says more than this mail alone.
        let joined = earlier.map(|_| Prepared::of(|key| topic.draft.text(key), &knowledge.dedupe));
        let prepared = joined.as_ref().unwrap_or(ready);
        elders.note(&mut topic, prepared, assigned, knowledge);
        twins::note_within_mail(&mut topic, prepared, &batch, &topics, knowledge);
        topic.held = held;
        batch.insert(&topic.fingerprint, &prepared.signature);
        topic.signature = joined.map_or_else(|| ready.signature.clone(), |joined| joined.signature);
        topics.push(topic);
    }
    topics
}

/// A draft with what its topic says on record.
fn judge_revision(alone: Topic, earlier: &KnownTopic, known: &Known, held: bool, knowledge: &Knowledge) -> Topic {
    // What arrived later has been recorded already: an older version does not replace it.
    let older = known.arrived_at.is_some_and(|at| earlier.brought_at.is_some_and(|brought| at < brought));
    let (first, then) = if older { (&alone.draft, &earlier.draft) } else { (&earlier.draft, &alone.draft) };
    let topic = judge_alone(matching::joined(first, then, &knowledge.catalogue), knowledge);
    // It goes by the name that this mail gives it.
    Topic { key: alone.key, change: change_of(earlier, &topic, held), ..topic }
}

/// A draft by itself, as a topic that nobody has sent before.
pub(super) fn judge_alone(draft: Draft, knowledge: &Knowledge) -> Topic {
    let fields: BTreeMap<String, String> = draft.fields.iter().map(|(key, placed)| (key.clone(), placed.value.text.clone())).collect();
    let desk = Desk::of(&draft, &knowledge.catalogue, &knowledge.rules);
    Topic {
        findings: rules::check_topic(&desk),
        sources: draft.sources.clone(),
        change: Change::New,
        completeness: completeness(&desk),
        normalised: normalised(&desk),
        route: knowledge.divisions.route(&draft),
        fingerprint: fingerprint(&fields),
        key: topic_key(&draft),
        fields,
        draft,
        duplicates: Vec::new(),
        closed: Vec::new(),
        signature: dedupe::Signature::default(),
        status: TopicStatus::Accepted,
        held: false,
    }
}

/// What an earlier mail was told to correct and this one has corrected.
fn closed(earlier: &KnownTopic, topic: &Topic) -> Vec<Finding> {
    let still_open = |finding: &Finding| topic.findings.iter().any(|open| open.rule == finding.rule && open.field == finding.field);
    let told = |finding: &&Finding| finding.audience == Audience::Sender && finding.severity >= Severity::Warning;
    earlier.findings.iter().filter(told).filter(|finding| !still_open(finding)).cloned().collect()
}

/// The same words are no revision, unless a form joins its row (or a row its form), or a bureau takes over what an enterprise sent.
fn change_of(earlier: &KnownTopic, topic: &Topic, held: bool) -> Change {
    let fields = &topic.fields;
    let stands_in = |draft: &Draft| draft.sources.iter().map(|source| source.form.clone()).collect::<BTreeSet<String>>();
    let taken_over = earlier.held && !held;
    if earlier.fingerprint == topic.fingerprint && !taken_over && stands_in(&earlier.draft) == stands_in(&topic.draft) {
        return Change::Same { id: earlier.id.clone() };
    }
    let keys: BTreeSet<&String> = earlier.draft.fields.keys().chain(fields.keys()).collect();
    let changed = keys
        .into_iter()
        .filter(|key| !NOT_CONTENT.contains(&key.as_str()))
        .filter(|key| fold(earlier.draft.text(key)) != fields.get(*key).map(|text| fold(text)).unwrap_or_default())
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
    hex::lower(&hash.finalize())
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
