//! How alike two topics are, and whether that makes them twins.

use super::{
    Settings,
    applicant::Relation,
    signature::{Signature, TRIPLES_MIN},
};

/// What two signatures have in common, each from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// Common triples against all triples of both.
    pub jaccard: f32,
    /// Common triples against those of the text that has fewer.
    pub containment: f32,
    /// Cosine of the weighted terms.
    pub cosine: f32,
    /// All the text is equal.
    pub equal: bool,
    pub relation: Relation,
}

/// How twins are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The same text.
    Same,
    /// Edited, figures nudged, copied.
    Near,
    /// The same technology told anew.
    Paraphrase,
}

impl Kind {
    /// As the outside contract names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Near => "near",
            Self::Paraphrase => "paraphrase",
        }
    }
}

/// Two topics are twins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likeness {
    pub kind: Kind,
    /// The stronger of the two signals, 0 to 1, two decimals.
    pub score: f64,
    pub relation: Relation,
}

/// Texts of about one length with a smaller cosine have no triples to speak of in common.
const FAR_BELOW: f32 = 0.1;
/// Common triples from which a text counts as the same.
const SAME_FROM: f32 = 0.99;
/// A part of another text must have at least so many triples.
const CONTAINED_TRIPLES_MIN: usize = 40;

/// Both signals of two topics.
#[must_use]
pub fn measure(one: &Signature, other: &Signature) -> Measures {
    let common = common_triples(&one.triples, &other.triples);
    let fewer = one.triples.len().min(other.triples.len());
    let all = one.triples.len() + other.triples.len() - common;
    Measures {
        jaccard: share(common, all),
        containment: if fewer >= CONTAINED_TRIPLES_MIN { share(common, fewer) } else { 0.0 },
        cosine: cosine(one, other),
        equal: one.whole != 0 && one.whole == other.whole,
        relation: one.applicant.relation(&other.applicant),
    }
}

/// Judges two topics by the bars; `None`: no twins.
#[must_use]
pub fn compare(one: &Signature, other: &Signature, settings: &Settings) -> Option<Likeness> {
    if is_far(one, other) {
        return None;
    }
    let found = measure(one, other);
    let telling = one.triples.len().min(other.triples.len()) >= TRIPLES_MIN;
    let bar = match found.relation {
        Relation::Same => settings.same_enterprise_from,
        Relation::Sister => settings.sister_from,
        Relation::Other => settings.other_enterprise_from,
    };
    let kind = if found.equal || (telling && found.jaccard >= SAME_FROM) {
        Kind::Same
    } else if telling && (found.jaccard >= settings.near_from || found.containment >= settings.contained_from) {
        Kind::Near
    } else if telling && found.cosine >= bar {
        Kind::Paraphrase
    } else {
        return None;
    };
    let score = if kind == Kind::Same { 1.0 } else { found.jaccard.max(found.cosine).min(1.0) };
    Some(Likeness { kind, score: (f64::from(score) * 100.0).round() / 100.0, relation: found.relation })
}

/// The terms alone show that nothing below can hold: spares nearly all candidates the comparison of triples. A short text inside a
/// long one has a small cosine too, so it is never spared.
fn is_far(one: &Signature, other: &Signature) -> bool {
    let (fewer, more) = (one.triples.len().min(other.triples.len()), one.triples.len().max(other.triples.len()));
    one.whole != other.whole && more < 4 * fewer && cosine(one, other) < FAR_BELOW
}

#[expect(clippy::cast_precision_loss, reason = "counts of triples of one topic")]
fn share(part: usize, whole: usize) -> f32 {
    if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
}

/// Both are ascending without repeats.
fn common_triples(one: &[u32], other: &[u32]) -> usize {
    let (mut left, mut right, mut common) = (0, 0, 0);
    while let (Some(a), Some(b)) = (one.get(left), other.get(right)) {
        common += usize::from(a == b);
        left += usize::from(a <= b);
        right += usize::from(b <= a);
    }
    common
}

fn cosine(one: &Signature, other: &Signature) -> f32 {
    let (mut left, mut right, mut product) = (0, 0, 0_u64);
    while let (Some(a), Some(b)) = (one.terms.get(left), other.terms.get(right)) {
        if a == b {
            let weight = |signature: &Signature, at: usize| signature.weights.get(at).copied().map_or(0, u64::from);
            product += weight(one, left) * weight(other, right);
        }
        left += usize::from(a <= b);
        right += usize::from(b <= a);
    }
    let norms = one.norm() * other.norm();
    #[expect(clippy::cast_precision_loss, reason = "a share is shown with two decimals")]
    let cosine = if norms > 0.0 { product as f32 / norms } else { 0.0 };
    cosine
}
