//! Under what a topic is found again: bands of its triples and pairs of its rarest words. Both follow from what it is compared by.
//!
//! How many of each was measured on the labelled pairs and on 400 000 synthetic topics with copies: see [`BANDS`] and [`WORDS`].

use super::{
    hashing::{self, mix},
    signature::{drawn, han_of, low},
};

/// Bands of MinHash values. Ten of three, of which one with one pair or two alone make a candidate, find as many copies as 24 of four
/// of which one was enough (0.9946 against 0.9950), with a fifth fewer candidates to compare in vain: among a million texts, one band
/// is shared by hundreds.
const BANDS: usize = 10;
/// MinHash values in one band.
const ROWS: usize = 3;
const BINS: usize = BANDS * ROWS;
/// Rarest words of which every two make a pair. By them alone 174 of the 214 labelled twins are found (the others by their applicant);
/// by seven, 164.
const WORDS: usize = 8;
/// Heaviest terms among which those words are looked for.
const TERMS: usize = 24;
const PAIR_TAG: u64 = 5;
/// The upper half of a pair's hash tells its first word alone.
const FIRST_WORD: u64 = 0xFFFF_FFFF_0000_0000;

/// MinHash by one permutation (Li, Owen, Zhang 2012): each triple falls into one bin, each bin keeps its smallest; empty bins borrow from
/// a bin chosen by hash (optimal densification, Shrivastava 2017).
pub fn bands(triples: &[u32]) -> Vec<i64> {
    const EMPTY: u64 = u64::MAX;
    let mut bins = [EMPTY; BINS];
    for triple in triples {
        let hash = mix(u64::from(*triple));
        let bin = (((hash >> 32) * BINS as u64) >> 32) as usize;
        if let Some(least) = bins.get_mut(bin) {
            *least = (*least).min(hash & 0xFFFF_FFFF);
        }
    }
    let filled = bins;
    for (at, bin) in (0_u64..).zip(bins.iter_mut()) {
        let mut attempt = 0;
        while *bin == EMPTY && attempt < 64 * BINS as u64 {
            attempt += 1;
            #[expect(clippy::cast_possible_truncation, reason = "below BINS")]
            let donor = (mix((at << 32) | attempt) % BINS as u64) as usize;
            *bin = filled.get(donor).copied().unwrap_or(EMPTY);
        }
    }
    bins.chunks(ROWS).zip(0_u64..).map(|(rows, band)| mix(hashing::chain(rows.iter().copied()) ^ mix(band)).cast_signed()).collect()
}

/// Every two of the rarest words make one: each is common enough to be shared, the two together are rare. Pairs of one first word stand
/// together, so that a database writes them to few pages: 28 pairs to about 15.
pub fn pairs(terms: &[u32], weights: &[u16]) -> Vec<i64> {
    let mut words = rarest(terms, weights);
    words.sort_unstable();
    let mut pairs = Vec::with_capacity(words.len() * words.len() / 2);
    for (at, first) in (1..).zip(&words) {
        let together = mix(u64::from(*first) ^ mix(PAIR_TAG)) & FIRST_WORD;
        pairs.extend(
            words.iter().skip(at).map(|other| (together | (mix((u64::from(*first) << 32) | u64::from(*other)) >> 32)).cast_signed()),
        );
    }
    pairs
}

/// The heaviest terms, without those that only continue another: 双极 and 极板 are one word, and say so once.
fn rarest(terms: &[u32], weights: &[u16]) -> Vec<u32> {
    // Heavier ones have smaller places; of equally heavy ones it is a draw.
    let place = |term: &u32, weight: &u16| (u64::from(u16::MAX - weight) << 32) | u64::from(drawn(*term));
    let mut heaviest: Vec<(u64, u32)> = terms.iter().zip(weights).map(|(term, weight)| (place(term, weight), *term)).collect();
    if heaviest.len() > TERMS {
        heaviest.select_nth_unstable(TERMS);
        heaviest.truncate(TERMS);
    }
    heaviest.sort_unstable();
    let mut words: Vec<u32> = Vec::with_capacity(WORDS);
    let mut taken: Vec<(u32, u32)> = Vec::with_capacity(WORDS);
    for (place, term) in heaviest {
        if words.len() == WORDS {
            break;
        }
        if let Some((first, second)) = han_of(term) {
            if taken.iter().any(|(before, after)| *before == second || *after == first) {
                continue;
            }
            taken.push((first, second));
        }
        words.push(low(place));
    }
    words
}
