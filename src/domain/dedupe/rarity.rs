//! How telling a pair of Chinese characters is, from the shipped table `config/dedupe/rarity.txt`.
//!
//! The table is part of the program and never learns from what was submitted: a topic's signature depends on its own text alone, so
//! it is the same in every database and whatever came before it.

use std::sync::LazyLock;

use super::hashing::mix;

const TABLE: &str = include_str!("../../../config/dedupe/rarity.txt");
/// Rarity of a pair that is not listed, in half units.
const RARITY_UNLISTED: u8 = 16;
/// Plainness of what general Chinese does not know, in half units; of one character, the half of it.
const PLAINNESS_MOST: u8 = 35;
const CHARACTER_UNLISTED: u8 = 22;
/// A power of two, more than twice the pairs listed.
const SLOTS: usize = 1 << 17;
const EMPTY: u32 = u32::MAX;
/// The bits of a slot that hold the two scales.
const SCALES: u32 = (1 << 11) - 1;
/// First character of the basic block of ideographs, and their number.
const FIRST_HAN: u32 = 0x4E00;
const HANS: usize = 0x5200;

static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables::parse(TABLE));

/// The two scales of one pair, in half units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// How rare it is in the language of science, 0 to 16: its weight as a term.
    pub rarity: u8,
    /// How rare it is in any Chinese, to 35: clauses low on this scale are boiler-plate.
    pub plainness: u8,
}

/// The scales of two neighbouring characters.
#[must_use]
pub fn of(first: char, second: char) -> Scale {
    TABLES.get(first, second)
}

/// For many lookups.
#[must_use]
pub fn tables() -> &'static Tables {
    &TABLES
}

/// The table, ready for lookups.
pub struct Tables {
    /// Open addressing: 21 bits of the pair's hash, 5 of rarity, 6 of plainness. Half a megabyte stays in a core's cache.
    pairs: Vec<u32>,
    /// By character: its share of the plainness as the first and as the second of a pair.
    characters: Vec<(u8, u8)>,
}

impl Tables {
    fn parse(table: &str) -> Self {
        let mut tables = Self { pairs: vec![EMPTY; SLOTS], characters: vec![(CHARACTER_UNLISTED, CHARACTER_UNLISTED); HANS] };
        for line in table.lines() {
            let cells: Vec<&str> = line.split(' ').collect();
            let [kind @ ("pair" | "char"), one, other, listed] = cells.as_slice() else { continue };
            let (Ok(one), Ok(other)) = (one.parse(), other.parse()) else { continue };
            let mut chars = listed.chars();
            if *kind == "pair" {
                while let (Some(first), Some(second)) = (chars.next(), chars.next()) {
                    tables.put(hash(first, second), Scale { rarity: one, plainness: other });
                }
            } else {
                for c in chars {
                    if let Some(character) = tables.characters.get_mut(place(c)) {
                        *character = (one, other);
                    }
                }
            }
        }
        tables
    }

    fn put(&mut self, hash: u64, scale: Scale) {
        let entry = check(hash) | (u32::from(scale.rarity.min(31)) << 6) | u32::from(scale.plainness.min(62));
        let free = probe(hash).find(|at| self.pairs.get(*at) == Some(&EMPTY));
        if let Some(slot) = free.and_then(|at| self.pairs.get_mut(at)) {
            *slot = entry;
        }
    }

    /// The scales of two neighbouring characters.
    #[must_use]
    pub fn get(&self, first: char, second: char) -> Scale {
        let hash = hash(first, second);
        let check = check(hash);
        for at in probe(hash) {
            match self.pairs.get(at) {
                Some(&EMPTY) | None => break,
                Some(entry) if entry & !SCALES == check => {
                    let [plainness, rarity] = [entry & 63, (entry >> 6) & 31].map(|scale| scale.to_le_bytes()[0]);
                    return Scale { rarity, plainness };
                }
                Some(_) => {}
            }
        }
        let share = |c: char| self.characters.get(place(c)).copied().unwrap_or((CHARACTER_UNLISTED, CHARACTER_UNLISTED));
        Scale { rarity: RARITY_UNLISTED, plainness: (share(first).0 + share(second).1).min(PLAINNESS_MOST) }
    }
}

fn place(c: char) -> usize {
    usize::try_from(u32::from(c).wrapping_sub(FIRST_HAN)).unwrap_or(HANS)
}

fn hash(first: char, second: char) -> u64 {
    mix((u64::from(u32::from(first)) << 21) | u64::from(u32::from(second)))
}

/// The part of the hash that a slot keeps: the top 21 bits of 32.
fn check(hash: u64) -> u32 {
    let upper = (hash >> 32) as u32;
    upper & !SCALES
}

fn probe(hash: u64) -> impl Iterator<Item = usize> {
    #[expect(clippy::cast_possible_truncation, reason = "masked to the table")]
    let start = hash as usize & (SLOTS - 1);
    (0..SLOTS).map(move |step| (start + step) & (SLOTS - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_writes_is_plain_and_what_a_trade_writes_is_not() {
        assert!(of('国', '内').rarity <= 1);
        assert!(of('攻', '关').rarity <= 1);
        assert!(of('皂', '苷').rarity >= 10);
        assert!(of('皂', '苷').plainness > of('支', '持').plainness + 10);
        assert_eq!(of('鼗', '黼'), Scale { rarity: RARITY_UNLISTED, plainness: PLAINNESS_MOST });
    }

    #[test]
    fn pairs_across_two_words_are_as_plain_as_the_words() {
        assert!(of('府', '的').plainness < of('府', '鼗').plainness);
    }

    #[test]
    fn the_table_fits_its_slots_twice() {
        assert!(TABLES.pairs.iter().filter(|slot| **slot != EMPTY).count() * 2 < SLOTS);
        assert!(TABLES.pairs.iter().filter(|slot| **slot != EMPTY).count() > 20_000);
    }
}
