//! Finding candidates: the in-memory form of what a store does with two tables, and the rules both share.

use std::cmp::Reverse;

use super::{
    Settings, hashing,
    likeness::{Likeness, compare},
    ordering,
    postings::{Found, MOST, Postings},
    signature::Signature,
};

/// The place of a topic in long postings: a draw fixed by its name.
#[must_use]
pub fn priority(topic: &str) -> i64 {
    hashing::text(topic).cast_signed()
}

/// Pairs of rare terms that two topics must share, where nothing else makes them candidates: three terms make three pairs.
pub const PAIRS_MIN: usize = 3;

/// Of all topics found, those to compare: found under a band or key, or under [`PAIRS_MIN`] pairs; those found most often first, the
/// smaller priority first where equal.
///
/// `found` holds (priority, topic, by a band or key) for every posting a topic was found in.
#[must_use]
pub fn candidates<T: Ord + Copy + Default>(found: Vec<(i64, T, bool)>, settings: &Settings) -> Vec<T> {
    // Long postings hold the smallest priorities, so these are spread anew.
    let spread = |(priority, ..): &(i64, T, bool)| (hashing::mix(priority.cast_unsigned()) >> 32) as u32;
    let found = ordering::together(found, spread, |(priority, topic, _)| (*priority, *topic));
    let mut counted: Vec<(Reverse<usize>, i64, T)> = Vec::new();
    for (priority, topic, firm) in found {
        let votes = if firm { PAIRS_MIN } else { 1 };
        match counted.last_mut() {
            Some((count, last_priority, last)) if *last_priority == priority && *last == topic => count.0 += votes,
            _ => counted.push((Reverse(votes), priority, topic)),
        }
    }
    counted.retain(|(votes, ..)| votes.0 >= PAIRS_MIN);
    counted.sort_unstable();
    counted.into_iter().take(settings.compared).map(|(.., topic)| topic).collect()
}

/// Topics of one process: of a batch, a replay, a benchmark.
#[derive(Debug)]
pub struct Index {
    settings: Settings,
    signatures: Vec<Signature>,
    priorities: Vec<i64>,
    postings: Postings,
}

impl Index {
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, signatures: Vec::new(), priorities: Vec::new(), postings: Postings::new() }
    }

    /// Adds a topic; returns its number, from 0 upwards. Past 2^25 topics nothing is added.
    pub fn insert(&mut self, name: &str, mut signature: Signature) -> Option<u32> {
        let number = u32::try_from(self.signatures.len()).ok().filter(|number| *number < MOST)?;
        self.priorities.push(priority(name));
        let [bands, keys, pairs] = [&mut signature.bands, &mut signature.keys, &mut signature.pairs].map(std::mem::take);
        let hashes = || bands.iter().chain(&keys).chain(&pairs);
        self.postings.touch(hashes());
        for hash in hashes() {
            self.postings.add(*hash, number, |topic| priority_of(topic, &self.priorities), self.settings.postings_read);
        }
        self.signatures.push(signature);
        Some(number)
    }

    /// The topics to compare with one, by number: see [`candidates`].
    #[must_use]
    pub fn candidates(&self, of: &Signature) -> Vec<u32> {
        let mut found = Vec::new();
        self.postings.touch(of.bands.iter().chain(&of.keys).chain(&of.pairs));
        let firm = of.bands.iter().chain(&of.keys).map(|hash| (hash, true));
        for (hash, firm) in firm.chain(of.pairs.iter().map(|hash| (hash, false))) {
            match self.postings.get(*hash) {
                Found::One(number) => found.push((priority_of(number, &self.priorities), number, firm)),
                Found::Several(several) => found.extend(several.iter().map(|(priority, number)| (*priority, *number, firm))),
                Found::None => {}
            }
        }
        candidates(found, &self.settings)
    }

    /// The twins of a topic among those added, by number, the most alike first.
    #[must_use]
    pub fn twins(&self, of: &Signature) -> Vec<(u32, Likeness)> {
        let compared = self.candidates(of).into_iter();
        let mut twins: Vec<(u32, Likeness)> =
            compared.filter_map(|number| Some((number, compare(of, self.signature(number)?, &self.settings)?))).collect();
        twins.sort_by(|one, other| other.1.score.total_cmp(&one.1.score).then(one.0.cmp(&other.0)));
        twins
    }

    /// What a topic is compared by; its bands and keys are in the postings.
    #[must_use]
    pub fn signature(&self, number: u32) -> Option<&Signature> {
        self.signatures.get(usize::try_from(number).ok()?)
    }
}

fn priority_of(number: u32, priorities: &[i64]) -> i64 {
    usize::try_from(number).ok().and_then(|at| priorities.get(at)).copied().unwrap_or(i64::MAX)
}
