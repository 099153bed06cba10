//! What stands in two ascending lists of hashes, for one list and many others.

use super::hashing;

/// Marks a number of the list; beyond, the marks are larger than a core's fastest cache.
const MARKS_A_NUMBER: usize = 32;
const MARKS_MIN: usize = 1 << 12;
const MARKS_MAX: usize = 1 << 18;
const BLOCK: usize = 64;

/// An ascending list without repeats, and which beginnings of numbers it has: nearly all of what another list alone has is told by one
/// look, without a search.
#[derive(Debug)]
pub struct Marked<'a> {
    numbers: &'a [u32],
    /// Marks of neighbouring beginnings.
    blocks: Vec<u64>,
    /// How many numbers come before each block.
    before: Vec<u32>,
    shift: u32,
}

impl<'a> Marked<'a> {
    #[must_use]
    pub fn of(numbers: &'a [u32]) -> Self {
        let marks = (numbers.len() * MARKS_A_NUMBER).next_power_of_two().clamp(MARKS_MIN, MARKS_MAX);
        let (blocks, before) = (hashing::zeros(marks / BLOCK), hashing::zeros(marks / BLOCK));
        let mut marked = Self { numbers, blocks, before, shift: u32::BITS - marks.trailing_zeros() };
        for number in numbers {
            let (block, bit) = marked.place(*number);
            if let (Some(marks), Some(before)) = (marked.blocks.get_mut(block), marked.before.get_mut(block)) {
                *marks |= 1 << bit;
                *before += 1;
            }
        }
        let mut sum = 0;
        for before in &mut marked.before {
            sum += std::mem::replace(before, sum);
        }
        marked
    }

    /// The places of what stands in both, in either list; the other is ascending without repeats too.
    pub fn for_common(&self, other: &[u32], mut found: impl FnMut(usize, usize)) {
        for (start, part) in (0..).step_by(BLOCK).zip(other.chunks(BLOCK)) {
            // Without a branch: what is common comes as it pleases, and a core that guesses is mostly wrong. Each mark comes in from above.
            let marked = part.iter().fold(0_u64, |marked, number| (marked >> 1) | (self.mark(*number) << (BLOCK - 1)));
            let marked = marked >> (BLOCK - part.len());
            let mut left = marked;
            while left != 0 {
                let right = left.trailing_zeros() as usize;
                left &= left - 1;
                if let Some(own) = part.get(right).and_then(|number| self.position(*number)) {
                    found(own, start + right);
                }
            }
        }
    }

    /// 1 where the list may hold the number.
    fn mark(&self, number: u32) -> u64 {
        let (block, bit) = self.place(number);
        self.blocks.get(block).map_or(0, |marks| (marks >> bit) & 1)
    }

    /// Where the list holds a number. Every mark before its own stands for one number or more.
    fn position(&self, number: u32) -> Option<usize> {
        let (block, bit) = self.place(number);
        let (marks, before) = (self.blocks.get(block)?, self.before.get(block)?);
        let mut at = (before + (marks & ((1 << bit) - 1)).count_ones()) as usize;
        while self.numbers.get(at).is_some_and(|own| *own < number) {
            at += 1;
        }
        (self.numbers.get(at) == Some(&number)).then_some(at)
    }

    fn place(&self, number: u32) -> (usize, u32) {
        let place = number >> self.shift;
        (place as usize / BLOCK, place % BLOCK as u32)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list() -> impl Strategy<Value = Vec<u32>> {
        // Close together, over all numbers, and at either end.
        let number = prop_oneof![0..400_u32, any::<u32>(), (0..400_u32).prop_map(|below| u32::MAX - below)];
        prop::collection::btree_set(number, 0..400).prop_map(|numbers| numbers.into_iter().collect())
    }

    proptest! {
        #[test]
        fn the_common_numbers_are_those_that_a_plain_search_finds(one in list(), other in list()) {
            let mut found = Vec::new();
            Marked::of(&one).for_common(&other, |left, right| found.push((left, right)));
            let plain: Vec<(usize, usize)> =
                other.iter().enumerate().filter_map(|(right, number)| Some((one.iter().position(|own| own == number)?, right))).collect();
            prop_assert_eq!(found, plain);
        }
    }
}
