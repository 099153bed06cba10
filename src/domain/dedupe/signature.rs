//! The signature of a topic: what is stored beside it so that its twins find it again, and what two topics are compared by.
//!
//! Nothing in it depends on other topics or on the order in which they came.

use serde::{Deserialize, Serialize};

use super::{
    applicant::Applicant,
    figures,
    hashing::{self, mix},
    keys, ordering,
    prose::{Clause, Prose, is_word},
};

/// A text with fewer triples than this says too little to be compared but as a whole.
pub const TRIPLES_MIN: usize = 12;
/// Letters and digits of a word that are looked at.
const WORD_CHARS: usize = 20;
/// The longest of [`UNITS`].
const UNIT_CHARS: usize = 3;
/// Letters of units of measure: terms of little weight.
const UNITS: [&str; 32] = [
    "mm", "cm", "km", "nm", "um", "kg", "mg", "ug", "ng", "ml", "min", "mpa", "gpa", "kpa", "pa", "kw", "mw", "kwh", "wh", "kj", "mj",
    "khz", "mhz", "ghz", "hz", "kn", "ma", "mah", "db", "ppm", "rpm", "kv",
];

/// A topic's signature.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Signature {
    pub applicant: Applicant,
    /// Hash of all the text, boiler-plate included; 0 where there is next to none.
    pub whole: u64,
    /// Hashes of the character triples, ascending: for edits and copies.
    pub triples: Vec<u32>,
    /// Hashes of terms, ascending: for the same told in other words.
    pub terms: Vec<u32>,
    /// The weight of each term, in hundredths.
    pub weights: Vec<u16>,
    /// Length of the vector of terms.
    pub norm: f32,
    /// Band hashes; none where the text says too little.
    pub bands: Vec<i64>,
    /// Hashes of all the text, of the applicant, its credit code and its house: what else a twin is found by.
    pub keys: Vec<i64>,
    /// Hashes of pairs of rare words. What they and the others weigh: [`ENOUGH`](super::index::ENOUGH).
    pub pairs: Vec<i64>,
}

impl Signature {
    /// Of a text and its applicant.
    #[must_use]
    pub fn of(prose: &Prose, applicant: Applicant) -> Self {
        let triples = triples(prose);
        let mut found = Terms { found: Vec::with_capacity(prose.whole.len()) };
        for clause in prose.title() {
            found.add_clause(clause, TITLE_SHARE);
        }
        for clause in prose.fields().flatten() {
            found.add_clause(clause, 1.0);
        }
        let (terms, weights) = found.weigh();
        let mut keys = applicant_keys(&applicant);
        let whole = if prose.whole.len() >= WHOLE_CHARS_MIN { hashing::chain(prose.whole.iter().map(|c| u64::from(*c))) } else { 0 };
        if whole != 0 {
            keys.push(tagged(WHOLE_TAG, whole));
        }
        Self { applicant, whole, triples, terms, norm: norm(&weights), weights, keys, bands: Vec::new(), pairs: Vec::new() }.renewed()
    }

    /// With the bands and pairs of today, which follow from what topics are compared by: that has not changed since the earlier version.
    #[must_use]
    pub fn renewed(self) -> Self {
        let telling = self.triples.len() >= TRIPLES_MIN;
        Self {
            bands: if telling { keys::bands(&self.triples) } else { Vec::new() },
            pairs: if telling { keys::pairs(&self.terms, &self.weights) } else { Vec::new() },
            ..self
        }
    }
}

/// Length of a vector of terms.
fn norm(weights: &[u16]) -> f32 {
    let squares: u64 = weights.iter().map(|weight| u64::from(*weight).pow(2)).sum();
    #[expect(clippy::cast_precision_loss, reason = "a share is shown with two decimals")]
    let norm = (squares as f32).sqrt();
    norm
}

/// What a mention in the title counts against one in the text.
const TITLE_SHARE: f32 = 0.5;
/// Shorter texts are never equal as a whole: 同上, 详见附件.
const WHOLE_CHARS_MIN: usize = 20;
const WHOLE_TAG: u64 = 1;
const NAME_TAG: u64 = 2;
const CODE_TAG: u64 = 3;
const HOUSE_TAG: u64 = 4;

/// The low half of a hash.
#[expect(clippy::cast_possible_truncation, reason = "half of a hash is a hash")]
pub fn low(hash: u64) -> u32 {
    hash as u32
}

fn tagged(tag: u64, value: u64) -> i64 {
    mix(value ^ mix(tag)).cast_signed()
}

fn applicant_keys(applicant: &Applicant) -> Vec<i64> {
    [(NAME_TAG, applicant.name), (CODE_TAG, applicant.code), (HOUSE_TAG, applicant.house)]
        .into_iter()
        .filter(|(_, value)| *value != 0)
        .map(|(tag, value)| tagged(tag, value))
        .collect()
}

/// Triples of letters, digits and ideographs of each field, over the ends of its clauses.
fn triples(prose: &Prose) -> Vec<u32> {
    let mut triples = Vec::with_capacity(prose.whole.len());
    for field in prose.fields() {
        let (mut one, mut two, mut seen) = (0_u64, 0_u64, 0);
        for c in field.flat_map(|clause| clause.chars).filter(|c| is_word(**c)) {
            let three = u64::from(u32::from(*c));
            seen += 1;
            if seen >= 3 {
                triples.push(low(mix((one << 42) | (two << 21) | three)));
            }
            (one, two) = (two, three);
        }
    }
    let mut triples = ordering::ascending(triples, |triple| *triple);
    triples.dedup();
    triples.shrink_to_fit();
    triples
}

/// Spreads terms evenly over all numbers, so that they are sorted fast (Fibonacci hashing, Knuth 1973); multiplied with its inverse,
/// it gives the term back.
const SCRAMBLE: u32 = 0x9E37_79B1;
const SCRAMBLE_BACK: u32 = 0x0E8B_2F51;
/// Marks a term that is a hash: a figure or a word in letters.
const HASHED: u32 = 1 << 31;
/// Bits of one ideograph in a term, counted from the first of the basic block.
const HAN_BITS: u32 = 15;
const FIRST_HAN: u32 = 0x4E00;

/// Two ideographs as a term that can be taken apart again: terms that overlap are one longer word.
fn han_pair(one: char, two: char) -> u32 {
    let place = |c: char| u32::from(c).wrapping_sub(FIRST_HAN) & ((1 << HAN_BITS) - 1);
    ((place(one) << HAN_BITS) | place(two)).wrapping_mul(SCRAMBLE)
}

/// A term's hash: which of equally heavy terms make pairs is a draw, the same one in every text.
#[must_use]
pub fn drawn(term: u32) -> u32 {
    match han_of(term) {
        Some((one, two)) => low(mix((u64::from(one + FIRST_HAN) << 21) | u64::from(two + FIRST_HAN))),
        None => term.wrapping_mul(SCRAMBLE_BACK),
    }
}

fn hashed(hash: u64) -> u32 {
    (low(hash) | HASHED).wrapping_mul(SCRAMBLE)
}

/// First and second ideograph of a term; `None` for figures and words in letters.
#[must_use]
pub fn han_of(term: u32) -> Option<(u32, u32)> {
    let term = term.wrapping_mul(SCRAMBLE_BACK);
    (term & HASHED == 0).then_some((term >> HAN_BITS, term & ((1 << HAN_BITS) - 1)))
}

/// Terms as they are found, with the weight of one mention and the mention's share.
struct Terms {
    found: Vec<(u32, f32, f32)>,
}

impl Terms {
    fn add_clause(&mut self, clause: Clause<'_>, share: f32) {
        let mut at = 0;
        while let Some(c) = clause.chars.get(at) {
            let rest = clause.chars.get(at..).unwrap_or_default();
            if let Some((figure, length)) = figures::may_start(*c).then(|| figures::read(rest)).flatten() {
                self.add(hashed(mix(figure.milli ^ (u64::from(figure.unit) << 32))), figure_weight(&figure), share);
                at += length;
            } else if c.is_ascii_alphabetic() {
                let length = rest.iter().take(WORD_CHARS).take_while(|c| c.is_ascii_alphanumeric()).count();
                let word = rest.get(..length).unwrap_or_default();
                if length > 1 {
                    let is_unit = length <= UNIT_CHARS && UNITS.iter().any(|unit| unit.chars().eq(word.iter().copied()));
                    self.add(hashed(hashing::chain(word.iter().map(|c| u64::from(*c)))), if is_unit { 1.5 } else { 5.5 }, share);
                }
                at += length;
            } else {
                if let (Some(Some(scale)), Some(next)) = (clause.scales.get(at), rest.get(1)) {
                    let weight = f32::from(scale.rarity) / 2.0;
                    self.add(han_pair(*c, *next), weight, share);
                }
                at += 1;
            }
        }
    }

    fn add(&mut self, term: u32, weight: f32, share: f32) {
        if weight > 0.0 {
            self.found.push((term, weight, share));
        }
    }

    /// Each term once, ascending, with its weight.
    fn weigh(self) -> (Vec<u32>, Vec<u16>) {
        let found = ordering::ascending(self.found, |(term, ..)| *term);
        let (mut terms, mut weights) = (Vec::with_capacity(found.len()), Vec::with_capacity(found.len()));
        for same in found.chunk_by(|one, other| one.0 == other.0) {
            let Some((term, weight, _)) = same.first().copied() else { continue };
            let mentions: f32 = same.iter().map(|(.., share)| share).sum();
            let often = match same {
                [(.., 1.0)] => 1.0,
                _ if mentions < 1.0 => mentions.sqrt(),
                _ => 1.0 + 0.4 * mentions.ln(),
            };
            terms.push(term);
            weights.push(hundredths(weight * often));
        }
        terms.shrink_to_fit();
        weights.shrink_to_fit();
        (terms, weights)
    }
}

/// Whole numbers, so that the last bit of a logarithm can decide nothing.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a term is mentioned at most 20 000 times, so below 4000")]
fn hundredths(weight: f32) -> u16 {
    weight.mul_add(100.0, 0.5) as u16
}

/// Figures of three digits are nearly as telling as a rare word; round ones, and shares near a hundred, are in every form.
fn figure_weight(figure: &figures::Figure) -> f32 {
    const YEARS: std::ops::RangeInclusive<u64> = 1_990_000..=2_060_000;
    let common_share = figure.percent && (figure.milli.is_multiple_of(5000) || figure.milli >= 97_000);
    match figure.digits {
        _ if YEARS.contains(&figure.milli) => 0.5,
        0 | 1 => 0.8,
        2 if common_share => 1.0,
        2 => 2.6,
        _ => 4.5,
    }
}
