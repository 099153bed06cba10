//! How alike two topics are, and whether that makes them twins.

use std::cell::OnceCell;

use super::{
    Settings,
    applicant::{Applicant, Relation},
    marked::Marked,
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

/// What of a signature two topics are compared by.
#[derive(Debug, Clone, Copy)]
pub struct Compared<'a> {
    pub applicant: Applicant,
    pub whole: u64,
    pub triples: &'a [u32],
    pub terms: &'a [u32],
    pub weights: &'a [u16],
    pub norm: f32,
}

impl<'a> From<&'a Signature> for Compared<'a> {
    fn from(signature: &'a Signature) -> Self {
        let Signature { applicant, whole, triples, terms, weights, norm, .. } = signature;
        Self { applicant: *applicant, whole: *whole, triples, terms, weights, norm: *norm }
    }
}

/// One topic, ready to be compared with many.
#[derive(Debug)]
pub struct Comparison<'a> {
    one: Compared<'a>,
    /// An equal text is known by its hash.
    terms: OnceCell<Marked<'a>>,
    /// Nearly all others are told apart by their terms.
    triples: OnceCell<Marked<'a>>,
}

impl<'a> Comparison<'a> {
    #[must_use]
    pub fn of(one: impl Into<Compared<'a>>) -> Self {
        Self { one: one.into(), terms: OnceCell::new(), triples: OnceCell::new() }
    }

    /// All signals.
    #[must_use]
    pub fn measure<'b>(&self, other: impl Into<Compared<'b>>) -> Measures {
        let other = &other.into();
        let cosine = self.cosine(other);
        let (jaccard, containment) = self.overlap(other);
        Measures {
            jaccard,
            containment,
            cosine,
            broad: self.broad(cosine, other),
            equal: self.is_equal(other),
            relation: self.one.applicant.relation(&other.applicant),
        }
    }

    /// Whether the other is worth comparing in full: a twin by the bars, or of the same applicant, whose later version may look like none.
    #[must_use]
    pub fn is_near<'b>(&self, other: impl Into<Compared<'b>>, settings: &Settings) -> bool {
        let other = other.into();
        self.one.applicant.relation(&other.applicant) == Relation::Same || self.judge(other, settings).is_some()
    }

    /// Judges by the bars; `None`: no twins.
    #[must_use]
    pub fn judge<'b>(&self, other: impl Into<Compared<'b>>, settings: &Settings) -> Option<Likeness> {
        let other = &other.into();
        let relation = self.one.applicant.relation(&other.applicant);
        if self.is_equal(other) {
            return Some(Likeness { kind: Kind::Same, score: 1.0, relation });
        }
        let (one_len, other_len) = (self.one.triples.len(), other.triples.len());
        let (fewer, more) = (one_len.min(other_len), one_len.max(other_len));
        let cosine = self.cosine(other);
        // The terms alone show that nothing below can hold: spares nearly all candidates the comparison of triples. A short text inside
        // a long one has a small cosine too, so it is never spared. A text that says too little is a twin only as a whole.
        if fewer < TRIPLES_MIN || (more < 4 * fewer && cosine < FAR_BELOW) {
            return None;
        }
        let (bar, broad_bar) = match relation {
            Relation::Same => (settings.same_enterprise_from, settings.same_enterprise_broad_from),
            Relation::Sister => (settings.sister_from, settings.sister_broad_from),
            Relation::Other => (settings.other_enterprise_from, settings.other_enterprise_broad_from),
        };
        let (jaccard, containment) = self.overlap(other);
        let (kind, score) = if jaccard >= SAME_FROM {
            (Kind::Same, 1.0)
        } else if jaccard >= settings.near_from || containment >= settings.contained_from {
            (Kind::Near, jaccard.max(cosine))
        } else if cosine >= bar {
            (Kind::Paraphrase, jaccard.max(cosine))
        } else {
            let broad = self.broad(cosine, other);
            if broad < broad_bar {
                return None;
            }
            (Kind::Paraphrase, jaccard.max(cosine).max(broad))
        };
        Some(Likeness { kind, score: (f64::from(score.min(1.0)) * 100.0).round() / 100.0, relation })
    }

    fn terms(&self) -> &Marked<'a> {
        self.terms.get_or_init(|| Marked::of(self.one.terms))
    }

    /// All the text is equal, boiler-plate included.
    #[must_use]
    pub fn is_equal(&self, other: &Compared) -> bool {
        self.one.whole != 0 && self.one.whole == other.whole
    }

    /// Jaccard and containment of the triples.
    fn overlap(&self, other: &Compared) -> (f32, f32) {
        let (one, mut common) = (self.one.triples, 0);
        self.triples.get_or_init(|| Marked::of(one)).for_common(other.triples, |_, _| common += 1);
        let fewer = one.len().min(other.triples.len());
        let all = one.len() + other.triples.len() - common;
        (share(common, all), if fewer >= CONTAINED_TRIPLES_MIN { share(common, fewer) } else { 0.0 })
    }

    fn broad(&self, cosine: f32, other: &Compared) -> f32 {
        if cosine > 0.0 { (cosine * self.breadth(other)).sqrt() } else { 0.0 }
    }

    /// Words that stand in both, against the geometric mean of what each has: a technology told anew keeps many words of all kinds, a
    /// neighbour shares one long name told often. Overlapping pairs of characters are one word.
    fn breadth(&self, other: &Compared) -> f32 {
        let (mut common, mut continued) = (Vec::new(), Vec::new());
        self.terms().for_common(other.terms, |left, _| {
            if let Some(term) = self.one.terms.get(left) {
                common.push(*term);
                continued.extend(han_of(*term).map(|(_, second)| second));
            }
        });
        continued.sort_unstable();
        let begins = |term: &&u32| han_of(**term).is_none_or(|(first, _)| continued.binary_search(&first).is_err());
        let words = common.iter().filter(begins).count();
        #[expect(clippy::cast_precision_loss, reason = "counts of terms of one topic")]
        let all = (self.one.terms.len() as f32 * other.terms.len() as f32).sqrt();
        #[expect(clippy::cast_precision_loss, reason = "counts of terms of one topic")]
        let breadth = if all > 0.0 { words as f32 / all } else { 0.0 };
        breadth
    }

    fn cosine(&self, other: &Compared) -> f32 {
        let mut product = 0_u64;
        let weight = |weights: &[u16], at: usize| weights.get(at).copied().map_or(0, u64::from);
        self.terms().for_common(other.terms, |left, right| product += weight(self.one.weights, left) * weight(other.weights, right));
        let norms = self.one.norm * other.norm;
        #[expect(clippy::cast_precision_loss, reason = "a share is shown with two decimals")]
        let cosine = if norms > 0.0 { product as f32 / norms } else { 0.0 };
        cosine
    }
}

/// All signals of two topics.
#[must_use]
pub fn measure<'a, 'b>(one: impl Into<Compared<'a>>, other: impl Into<Compared<'b>>) -> Measures {
    Comparison::of(one).measure(other)
}

/// Judges two topics by the bars; `None`: no twins.
#[must_use]
pub fn compare<'a, 'b>(one: impl Into<Compared<'a>>, other: impl Into<Compared<'b>>, settings: &Settings) -> Option<Likeness> {
    Comparison::of(one).judge(other, settings)
}

#[expect(clippy::cast_precision_loss, reason = "counts of triples of one topic")]
fn share(part: usize, whole: usize) -> f32 {
    if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
}
