//! Where the topics of one process share a band or key: a hash table of eight bytes an entry, because a million topics make fifty
//! million entries, nearly all of one topic.

/// Topics and lists that the table can tell apart.
pub const MOST: u32 = 1 << (VALUE_BITS - 1);
const VALUE_BITS: u32 = 26;
/// Bits of a hash that are kept. Two hashes of fifty million that agree in them are one in five thousand; then a topic is compared
/// once in vain.
const TAG_BITS: u32 = 64 - VALUE_BITS;
const EMPTY: u64 = 0;
const BITS_AT_FIRST: u32 = 10;

/// Topics by hash.
#[derive(Debug)]
pub struct Postings {
    /// Open addressing, filled to three quarters at most. An entry is a tag and, plus one, a topic's number or [`MOST`] and a list's.
    slots: Vec<u64>,
    bits: u32,
    used: usize,
    /// Priorities and numbers of several topics, ascending.
    lists: Vec<Vec<(i64, u32)>>,
}

/// What stands under a hash.
pub enum Found<'a> {
    None,
    One(u32),
    Several(&'a [(i64, u32)]),
}

impl Postings {
    pub fn new() -> Self {
        Self { slots: vec![EMPTY; 1 << BITS_AT_FIRST], bits: BITS_AT_FIRST, used: 0, lists: Vec::new() }
    }

    /// Asks for the memory of all these hashes at once, before they are looked at one by one.
    pub fn touch<'a>(&self, hashes: impl Iterator<Item = &'a i64>) {
        let met = hashes.fold(0, |met, hash| met ^ self.slots.get(self.home(tag(*hash))).copied().unwrap_or(EMPTY));
        std::hint::black_box(met);
    }

    pub fn get(&self, hash: i64) -> Found<'_> {
        match self.slots.get(self.find(tag(hash))).copied().unwrap_or(EMPTY) {
            EMPTY => Found::None,
            entry => match value(entry) {
                topic if topic < MOST => Found::One(topic),
                list => Found::Several(usize::try_from(list - MOST).ok().and_then(|at| self.lists.get(at)).map_or(&[], Vec::as_slice)),
            },
        }
    }

    /// Adds a topic under a hash, and keeps the `most` of smallest priority there.
    pub fn add(&mut self, hash: i64, topic: u32, priority_of: impl Fn(u32) -> i64, most: usize) {
        let at = self.find(tag(hash));
        let Some(entry) = self.slots.get_mut(at) else { return };
        if *entry == EMPTY {
            *entry = packed(tag(hash), topic);
            self.used += 1;
            if self.used * 4 > self.slots.len() * 3 {
                self.grow();
            }
            return;
        }
        let before = value(*entry);
        if before < MOST {
            let Some(list) = u32::try_from(self.lists.len()).ok().filter(|list| *list < MOST) else { return };
            *entry = packed(tag(hash), MOST + list);
            self.lists.push(vec![(priority_of(before), before)]);
        }
        let list = value(*entry) - MOST;
        if let Some(several) = usize::try_from(list).ok().and_then(|at| self.lists.get_mut(at)) {
            let new = (priority_of(topic), topic);
            let at = several.partition_point(|other| *other < new);
            if at < most {
                several.insert(at, new);
                several.truncate(most);
            }
        }
    }

    fn grow(&mut self) {
        self.bits += 1;
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; 1 << self.bits]);
        // In the order of the tags, so the new table is written from front to back.
        for entry in old.into_iter().filter(|entry| *entry != EMPTY) {
            let at = self.find(entry >> VALUE_BITS);
            if let Some(slot) = self.slots.get_mut(at) {
                *slot = entry;
            }
        }
    }

    fn home(&self, tag: u64) -> usize {
        usize::try_from(tag >> (TAG_BITS - self.bits)).unwrap_or(0)
    }

    /// The slot that holds a tag, or the empty one where it belongs. A quarter of the slots is empty, so the search ends.
    fn find(&self, tag: u64) -> usize {
        let mut at = self.home(tag);
        while let Some(entry) = self.slots.get(at) {
            if *entry == EMPTY || *entry >> VALUE_BITS == tag {
                break;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        at
    }
}

fn tag(hash: i64) -> u64 {
    hash.cast_unsigned() >> VALUE_BITS
}

fn packed(tag: u64, value: u32) -> u64 {
    (tag << VALUE_BITS) | u64::from(value + 1)
}

fn value(entry: u64) -> u32 {
    u32::try_from(entry & ((1 << VALUE_BITS) - 1)).unwrap_or(1) - 1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::dedupe::hashing::mix;

    #[test]
    fn whatever_was_added_is_found_again_and_nothing_else() {
        let mut postings = Postings::new();
        let mut truth: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        for topic in 0..20_000_u32 {
            for hash in [mix(u64::from(topic)).cast_signed(), mix(u64::from(topic / 7) << 32).cast_signed(), -1, 0] {
                postings.add(hash, topic, i64::from, 10);
                truth.entry(hash).or_default().push(topic);
            }
        }
        for (hash, topics) in truth {
            let found: Vec<u32> = match postings.get(hash) {
                Found::None => Vec::new(),
                Found::One(topic) => vec![topic],
                Found::Several(several) => several.iter().map(|(_, topic)| *topic).collect(),
            };
            assert_eq!(found, topics.iter().copied().take(10).collect::<Vec<_>>());
        }
        assert!((100_000..200_000_u64).all(|other| matches!(postings.get(mix(other).cast_signed()), Found::None)));
    }
}
