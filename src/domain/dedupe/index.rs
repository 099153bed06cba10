//! Finding candidates: the in-memory form of what a store does with two tables, and the rules both share.

use std::{cmp::Reverse, hint::black_box};

use super::{
    Settings,
    applicant::Applicant,
    arena::{Arena, Place},
    hashing,
    likeness::{Compared, Comparison, Likeness},
    postings::{MOST, Postings},
    signature::Signature,
    votes::Votes,
};

/// The place of a topic in long postings: a draw fixed by its name.
#[must_use]
pub fn priority(topic: &str) -> i64 {
    hashing::text(topic).cast_signed()
}

/// Votes that make a candidate, and what is shared weighs: a key is enough; of bands two, or one with a pair of rare words; of pairs three,
/// which three shared words make.
pub const ENOUGH: u32 = 3;
pub const KEY_VOTES: u32 = 3;
pub const BAND_VOTES: u32 = 2;
pub const PAIR_VOTES: u32 = 1;

/// Topics found under one topic's hashes, with room to spare.
const FOUND_USUALLY: usize = 256;

/// Numbers, and weights, of a line of a core's cache: one look brings the rest.
const NUMBERS_A_LINE: usize = 16;
const WEIGHTS_A_LINE: usize = 32;

/// Topics of one process: of a batch, a replay, a benchmark.
#[derive(Debug)]
pub struct Index {
    settings: Settings,
    topics: Vec<Stored>,
    priorities: Vec<i64>,
    /// The terms, then the triples of each topic: what is read together lies together, for to fetch it costs more than to compare it.
    numbers: Arena<u32>,
    weights: Arena<u16>,
    postings: Postings,
}

/// What a topic is compared by.
#[derive(Debug)]
struct Stored {
    applicant: Applicant,
    whole: u64,
    norm: f32,
    terms: u32,
    numbers: Place,
    weights: Place,
}

impl Index {
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            topics: Vec::new(),
            priorities: Vec::new(),
            numbers: Arena::new(),
            weights: Arena::new(),
            postings: Postings::new(),
        }
    }

    /// Adds a topic; returns its number, from 0 upwards. Past 2^25 topics nothing is added.
    pub fn insert(&mut self, name: &str, signature: &Signature) -> Option<u32> {
        let number = u32::try_from(self.topics.len()).ok().filter(|number| *number < MOST)?;
        let Signature { applicant, whole, triples, terms, weights, norm, .. } = signature;
        let stored = Stored {
            applicant: *applicant,
            whole: *whole,
            norm: *norm,
            terms: u32::try_from(terms.len()).ok()?,
            numbers: self.numbers.put(&[terms, triples])?,
            weights: self.weights.put(&[weights])?,
        };
        self.topics.push(stored);
        self.priorities.push(priority(name));
        self.postings.touch(hashes(signature));
        for hash in hashes(signature) {
            self.postings.add(*hash, number, |topic| priority_of(topic, &self.priorities), self.settings.postings_read);
        }
        Some(number)
    }

    /// The topics to compare with one, by number: those that have [`ENOUGH`] votes; those with most first, the smaller priority first where
    /// equal.
    #[must_use]
    pub fn candidates(&self, of: &Signature) -> Vec<u32> {
        let mut elected = self.elected(of);
        self.order(&mut elected);
        elected.into_iter().map(|(_, number)| number).collect()
    }

    /// The twins of a topic among those added, by number, the most alike first.
    #[must_use]
    pub fn twins(&self, of: &Signature) -> Vec<(u32, Likeness)> {
        let candidates = self.elected(of);
        let comparison = Comparison::of(of);
        self.touch(&candidates, &comparison);
        let mut twins: Vec<(u32, Likeness)> = candidates
            .into_iter()
            .filter_map(|(_, number)| Some((number, comparison.judge(self.signature(number)?, &self.settings)?)))
            .collect();
        twins.sort_by(|one, other| other.1.score.total_cmp(&one.1.score).then(one.0.cmp(&other.0)));
        twins
    }

    /// The candidates with their votes, in no order that means anything.
    fn elected(&self, of: &Signature) -> Vec<(u32, u32)> {
        self.postings.touch(hashes(of));
        let mut found = Vec::with_capacity(FOUND_USUALLY);
        let kinds = [(&of.keys, KEY_VOTES), (&of.bands, BAND_VOTES), (&of.pairs, PAIR_VOTES)];
        let ends = kinds.map(|(hashes, votes)| {
            self.postings.read(hashes.iter(), &mut found);
            (found.len(), votes)
        });
        let mut votes = Votes::room_for(found.len(), ENOUGH);
        let mut start = 0;
        for (end, weight) in ends {
            found.get(start..end).into_iter().flatten().for_each(|number| votes.add(*number, weight));
            start = end;
        }
        let mut elected: Vec<(u32, u32)> = votes.elected().map(|(number, votes)| (votes, number)).collect();
        if elected.len() > self.settings.compared {
            self.order(&mut elected);
            elected.truncate(self.settings.compared);
        }
        elected
    }

    /// Those with most votes first.
    fn order(&self, elected: &mut [(u32, u32)]) {
        elected.sort_by_cached_key(|(votes, number)| (Reverse(*votes), priority_of(*number, &self.priorities), *number));
    }

    /// What a topic is compared by; its bands and keys are in the postings.
    #[must_use]
    pub fn signature(&self, number: u32) -> Option<Compared<'_>> {
        let Stored { applicant, whole, norm, terms, numbers, weights } = self.topics.get(usize::try_from(number).ok()?)?;
        let (terms, triples) = self.numbers.get(*numbers).split_at_checked(usize::try_from(*terms).ok()?)?;
        Some(Compared { applicant: *applicant, whole: *whole, triples, terms, weights: self.weights.get(*weights), norm: *norm })
    }

    /// Asks for the memory of all these topics at once, before they are compared one by one; an equal text needs none of it.
    fn touch(&self, candidates: &[(u32, u32)], comparison: &Comparison<'_>) {
        let topics = || candidates.iter().filter_map(|(_, number)| self.signature(*number));
        black_box(topics().fold(0, |met, topic| met ^ topic.whole));
        let others = || topics().filter(|topic| !comparison.is_equal(topic));
        let terms = others().flat_map(|topic| topic.terms.iter().step_by(NUMBERS_A_LINE)).fold(0, |met, term| met ^ term);
        let weights = others().flat_map(|topic| topic.weights.iter().step_by(WEIGHTS_A_LINE)).fold(0, |met, weight| met ^ weight);
        black_box((terms, weights));
    }
}

fn hashes(signature: &Signature) -> impl Iterator<Item = &i64> + Clone {
    signature.bands.iter().chain(&signature.keys).chain(&signature.pairs)
}

fn priority_of(number: u32, priorities: &[i64]) -> i64 {
    usize::try_from(number).ok().and_then(|at| priorities.get(at)).copied().unwrap_or(i64::MAX)
}
