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

#[expect(clippy::cast_precision_loss, reason = "counts of triples of one topic")]
fn share(part: usize, whole: usize) -> f32 {
    if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
}

/// Both are ascending without repeats.
fn common_triples(one: &[u32], other: &[u32]) -> usize {
    let (mut one, mut other, mut common) = (one.iter().peekable(), other.iter().peekable(), 0);
    while let (Some(left), Some(right)) = (one.peek(), other.peek()) {
        match left.cmp(right) {
            std::cmp::Ordering::Less => _ = one.next(),
            std::cmp::Ordering::Greater => _ = other.next(),
            std::cmp::Ordering::Equal => {
                common += 1;
                one.next();
                other.next();
            }
        }
    }
    common
}

fn cosine(one: &Signature, other: &Signature) -> f32 {
    let mut left = one.terms.iter().zip(&one.weights).peekable();
    let mut right = other.terms.iter().zip(&other.weights).peekable();
    let mut product = 0_u64;
    while let (Some((a, weight_a)), Some((b, weight_b))) = (left.peek(), right.peek()) {
        match a.cmp(b) {
            std::cmp::Ordering::Less => _ = left.next(),
            std::cmp::Ordering::Greater => _ = right.next(),
            std::cmp::Ordering::Equal => {
                product += u64::from(**weight_a) * u64::from(**weight_b);
                left.next();
                right.next();
            }
        }
    }
    let norms = one.norm() * other.norm();
    #[expect(clippy::cast_precision_loss, reason = "a share is shown with two decimals")]
    let cosine = if norms > 0.0 { product as f32 / norms } else { 0.0 };
    cosine
}
