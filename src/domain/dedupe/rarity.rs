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

struct Tables {
    /// Open addressing: a key beside its two scales, 0 where empty.
    pairs: Vec<u64>,
    /// By character: its share of the plainness as the first and as the second of a pair.
    characters: Vec<(u8, u8)>,
}

impl Tables {
    fn parse(table: &str) -> Self {
        let mut tables = Self { pairs: vec![0; SLOTS], characters: vec![(CHARACTER_UNLISTED, CHARACTER_UNLISTED); HANS] };
        for line in table.lines() {
            let cells: Vec<&str> = line.split(' ').collect();
            let [kind @ ("pair" | "char"), one, other, listed] = cells.as_slice() else { continue };
            let (Ok(one), Ok(other)) = (one.parse(), other.parse()) else { continue };
            let mut chars = listed.chars();
            if *kind == "pair" {
                while let (Some(first), Some(second)) = (chars.next(), chars.next()) {
                    tables.put(key(first, second), Scale { rarity: one, plainness: other });
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

    fn put(&mut self, key: u64, scale: Scale) {
        let entry = (key << 16) | (u64::from(scale.rarity) << 8) | u64::from(scale.plainness);
        let free = probe(key).find(|at| self.pairs.get(*at) == Some(&0));
        if let Some(slot) = free.and_then(|at| self.pairs.get_mut(at)) {
            *slot = entry;
        }
    }

    fn get(&self, first: char, second: char) -> Scale {
        let key = key(first, second);
        for at in probe(key) {
            match self.pairs.get(at) {
                Some(entry) if entry >> 16 == key => {
                    let [plainness, rarity, ..] = entry.to_le_bytes();
                    return Scale { rarity, plainness };
                }
                Some(0) | None => break,
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

/// Never 0 and below 2^48: two characters of at most 21 bits each.
fn key(first: char, second: char) -> u64 {
    (u64::from(u32::from(first)) << 21) | u64::from(u32::from(second))
}

fn probe(key: u64) -> impl Iterator<Item = usize> {
    #[expect(clippy::cast_possible_truncation, reason = "masked to the table")]
    let start = mix(key) as usize & (SLOTS - 1);
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
        assert!(TABLES.pairs.iter().filter(|slot| **slot != 0).count() * 2 < SLOTS);
        assert!(TABLES.pairs.iter().filter(|slot| **slot != 0).count() > 20_000);
    }
}
