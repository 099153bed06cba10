//! R26 over the whole batch and what is on record beside it: what only shows when topics lie side by side. For reviewers; an agency may
//! well serve three honest firms.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, RuleSettings, checks, checks::Check, formats, shortened};
use crate::domain::{
    folding,
    reconcile::Draft,
    uscc::{self, UsccOutcome},
};

/// Names or codes shown in a message.
const SHOWN: usize = 4;

/// One phone for many firms, one code under different names, one name with different codes: among these topics, and between them and
/// those on record. Each finding with the place of the topic it belongs to; none is about a topic on record.
#[must_use]
pub fn check_batch<'a>(topics: &[Draft], on_record: impl IntoIterator<Item = &'a Draft>, settings: &RuleSettings) -> Vec<(usize, Finding)> {
    let faces: Vec<Face> = topics.iter().map(Face::of).chain(on_record.into_iter().map(Face::of)).collect();
    let mut findings = Vec::new();
    let firms = |face: &Face| face.phones.iter().map(|phone| (phone.clone(), face.name.clone())).collect();
    shared(&faces, firms, settings.thresholds.firms_per_phone_max, |phone, at, names| {
        let count = names.len().to_string();
        let values = [("found", phone), ("count", &*count), ("others", &*listed(names, &faces))];
        findings.extend(finding(topics, at, &checks::PHONE_SHARED, "phone", settings, &values));
    });
    let names = |face: &Face| if face.code.is_empty() { Vec::new() } else { vec![(face.code.clone(), face.name.clone())] };
    shared(&faces, names, 1, |code, at, names| {
        let values = [("found", code), ("others", &*listed(names, &faces))];
        findings.extend(finding(topics, at, &checks::CODE_SHARED, "uscc", settings, &values));
    });
    let codes = |face: &Face| if face.code.is_empty() { Vec::new() } else { vec![(face.name.clone(), face.code.clone())] };
    shared(&faces, codes, 1, |_, at, codes| {
        let own = faces.get(at).map_or("", |face| face.written.as_str());
        let codes = codes.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("、");
        findings.extend(finding(topics, at, &checks::NAME_SHARED, "uscc", settings, &[("found", own), ("others", &codes)]));
    });
    findings.sort_by_key(|(at, _)| *at);
    findings
}

/// What topics of a batch are compared by.
struct Face {
    /// Folded.
    name: String,
    written: String,
    /// Empty unless it passes its check.
    code: String,
    phones: Vec<String>,
}

impl Face {
    fn of(topic: &Draft) -> Self {
        let code = topic.text("uscc");
        let sound = matches!(uscc::check(code), UsccOutcome::Valid { .. } | UsccOutcome::SoftOrganisationMismatch { .. });
        Self {
            name: folding::fold_words(topic.text("applicant")),
            written: shortened(topic.text("applicant"), 40),
            code: if sound { uscc::normalise(code) } else { String::new() },
            phones: formats::phones(topic.text("phone")),
        }
    }
}

/// For each topic whose key stands with more than `most` different values in the batch: the key, the topic, all values.
fn shared(
    faces: &[Face],
    pairs: impl Fn(&Face) -> Vec<(String, String)>,
    most: usize,
    mut tell: impl FnMut(&str, usize, &BTreeSet<String>),
) {
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut holders: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (at, face) in faces.iter().enumerate().filter(|(_, face)| !face.name.is_empty()) {
        for (key, value) in pairs(face) {
            values.entry(key.clone()).or_default().insert(value);
            holders.entry(key).or_default().insert(at);
        }
    }
    for (key, values) in values.iter().filter(|(_, values)| values.len() > most) {
        for at in holders.get(key).into_iter().flatten() {
            tell(key, *at, values);
        }
    }
}

/// Folded names as somebody wrote them.
fn listed(names: &BTreeSet<String>, faces: &[Face]) -> String {
    let mut shown: Vec<&str> = Vec::new();
    for name in names.iter().take(SHOWN) {
        shown.push(faces.iter().find(|face| &face.name == name).map_or(name.as_str(), |face| face.written.as_str()));
    }
    shown.join("、") + if names.len() > SHOWN { "等" } else { "" }
}

fn finding(
    topics: &[Draft],
    at: usize,
    check: &Check,
    field: &str,
    settings: &RuleSettings,
    values: &[(&str, &str)],
) -> Option<(usize, Finding)> {
    let placed = topics.get(at)?.fields.get(field)?;
    let finding = Finding {
        rule: check.rule().to_owned(),
        severity: settings.severity_of(check)?,
        field: Some(field.to_owned()),
        attachment: Some(placed.attachment.clone()),
        place: Some(placed.value.place.clone()),
        message: check.say(values),
        audience: check.audience,
    };
    Some((at, finding))
}
