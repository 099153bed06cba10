//! Counting how often each topic was found, for the few dozen that one query finds.

use super::hashing;

/// Slots a topic found: nearly every one falls where nothing else is.
const SLOTS_A_TOPIC: usize = 2;
/// Fibonacci hashing (Knuth 1973).
const SCRAMBLE: u32 = 0x9E37_79B1;

/// Votes by topic, and the topics that have enough.
#[derive(Debug)]
pub struct Votes {
    /// Open addressing, at least half of it empty: a topic's number plus one, and its votes.
    slots: Vec<(u32, u32)>,
    shift: u32,
    enough: u32,
    /// Slots of those that have enough.
    elected: Vec<usize>,
}

impl Votes {
    /// For so many calls of [`Self::add`].
    #[must_use]
    pub fn room_for(topics: usize, enough: u32) -> Self {
        let slots = (topics * SLOTS_A_TOPIC).next_power_of_two().max(2);
        Self { slots: hashing::zeros(slots), shift: u32::BITS - slots.trailing_zeros(), enough, elected: Vec::new() }
    }

    pub fn add(&mut self, topic: u32, votes: u32) {
        let mask = self.slots.len() - 1;
        let mut at = (topic.wrapping_mul(SCRAMBLE) >> self.shift) as usize;
        while let Some((there, before)) = self.slots.get_mut(at) {
            if *there == 0 || *there == topic + 1 {
                if *before < self.enough && *before + votes >= self.enough {
                    self.elected.push(at);
                }
                *there = topic + 1;
                *before += votes;
                return;
            }
            at = (at + 1) & mask;
        }
    }

    /// Every topic that has enough, once, with its votes, in no order that means anything.
    pub fn elected(&self) -> impl Iterator<Item = (u32, u32)> {
        self.elected.iter().filter_map(|at| self.slots.get(*at)).map(|(topic, votes)| (topic - 1, *votes))
    }
}
