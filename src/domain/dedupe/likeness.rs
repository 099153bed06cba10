//! How alike two topics are, and whether that makes them twins.

use super::{
    Settings,
    applicant::Relation,
    signature::{Signature, TRIPLES_MIN, han_of},
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
    /// Geometric mean of the cosine and of the share of words that stand in both.
    pub broad: f32,
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
    /// The strongest of the signals, 0 to 1, two decimals.
    pub score: f64,
    pub relation: Relation,
}

/// Texts of about one length with a smaller cosine have no triples to speak of in common.
const FAR_BELOW: f32 = 0.08;
/// Common triples from which a text counts as the same.
const SAME_FROM: f32 = 0.99;
/// A part of another text must have at least so many triples.
const CONTAINED_TRIPLES_MIN: usize = 40;

/// All signals of two topics.
#[must_use]
pub fn measure(one: &Signature, other: &Signature) -> Measures {
    let cosine = cosine(one, other);
    let (jaccard, containment) = overlap(one, other);
    Measures {
        jaccard,
        containment,
        cosine,
        broad: broad(cosine, one, other),
        equal: is_equal(one, other),
        relation: one.applicant.relation(&other.applicant),
    }
}

/// Judges two topics by the bars; `None`: no twins.
#[must_use]
pub fn compare(one: &Signature, other: &Signature, settings: &Settings) -> Option<Likeness> {
    let (fewer, more) = (one.triples.len().min(other.triples.len()), one.triples.len().max(other.triples.len()));
    let (cosine, equal) = (cosine(one, other), is_equal(one, other));
    // The terms alone show that nothing below can hold: spares nearly all candidates the comparison of triples. A short text inside a
    // long one has a small cosine too, so it is never spared.
    if !equal && more < 4 * fewer && cosine < FAR_BELOW {
        return None;
    }
    let relation = one.applicant.relation(&other.applicant);
    let (bar, broad_bar) = match relation {
        Relation::Same => (settings.same_enterprise_from, settings.same_enterprise_broad_from),
        Relation::Sister => (settings.sister_from, settings.sister_broad_from),
        Relation::Other => (settings.other_enterprise_from, settings.other_enterprise_broad_from),
    };
    let telling = fewer >= TRIPLES_MIN;
    let (jaccard, containment) = overlap(one, other);
    let broad = || broad(cosine, one, other);
    let (kind, score) = if equal || (telling && jaccard >= SAME_FROM) {
        (Kind::Same, 1.0)
    } else if telling && (jaccard >= settings.near_from || containment >= settings.contained_from) {
        (Kind::Near, jaccard.max(cosine))
    } else if telling && cosine >= bar {
        (Kind::Paraphrase, jaccard.max(cosine))
    } else if telling && broad() >= broad_bar {
        (Kind::Paraphrase, jaccard.max(cosine).max(broad()))
    } else {
        return None;
    };
    Some(Likeness { kind, score: (f64::from(score.min(1.0)) * 100.0).round() / 100.0, relation })
}

fn is_equal(one: &Signature, other: &Signature) -> bool {
    one.whole != 0 && one.whole == other.whole
}

/// Jaccard and containment of the triples.
fn overlap(one: &Signature, other: &Signature) -> (f32, f32) {
    let common = common_triples(&one.triples, &other.triples);
    let fewer = one.triples.len().min(other.triples.len());
    let all = one.triples.len() + other.triples.len() - common;
    (share(common, all), if fewer >= CONTAINED_TRIPLES_MIN { share(common, fewer) } else { 0.0 })
}

fn broad(cosine: f32, one: &Signature, other: &Signature) -> f32 {
    if cosine > 0.0 { (cosine * breadth(one, other)).sqrt() } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "counts of triples of one topic")]
fn share(part: usize, whole: usize) -> f32 {
    if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
}

fn common_triples(one: &[u32], other: &[u32]) -> usize {
    let mut common = 0;
    for_common(one, other, |_, _| common += 1);
    common
}

/// The places of what stands in both; each is ascending without repeats.
fn for_common(one: &[u32], other: &[u32], mut found: impl FnMut(usize, usize)) {
    let (mut left, mut right) = (0, 0);
    while let (Some(a), Some(b)) = (one.get(left), other.get(right)) {
        if a == b {
            found(left, right);
        }
        left += usize::from(a <= b);
        right += usize::from(b <= a);
    }
}

/// Words that stand in both, against the geometric mean of what each has: a technology told anew keeps many words of all kinds, a
/// neighbour shares one long name told often. Overlapping pairs of characters are one word.
fn breadth(one: &Signature, other: &Signature) -> f32 {
    let (mut common, mut continued) = (Vec::new(), Vec::new());
    for_common(&one.terms, &other.terms, |left, _| {
        if let Some(term) = one.terms.get(left) {
            common.push(*term);
            continued.extend(han_of(*term).map(|(_, second)| second));
        }
    });
    continued.sort_unstable();
    let begins = |term: &&u32| han_of(**term).is_none_or(|(first, _)| continued.binary_search(&first).is_err());
    let words = common.iter().filter(begins).count();
    #[expect(clippy::cast_precision_loss, reason = "counts of terms of one topic")]
    let all = (one.terms.len() as f32 * other.terms.len() as f32).sqrt();
    #[expect(clippy::cast_precision_loss, reason = "counts of terms of one topic")]
    let breadth = if all > 0.0 { words as f32 / all } else { 0.0 };
    breadth
}

fn cosine(one: &Signature, other: &Signature) -> f32 {
    let mut product = 0_u64;
    let weight = |signature: &Signature, at: usize| signature.weights.get(at).copied().map_or(0, u64::from);
    for_common(&one.terms, &other.terms, |left, right| product += weight(one, left) * weight(other, right));
    let norms = one.norm * other.norm;
    #[expect(clippy::cast_precision_loss, reason = "a share is shown with two decimals")]
    let cosine = if norms > 0.0 { product as f32 / norms } else { 0.0 };
    cosine
}
