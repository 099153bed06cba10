//! Where the topics of one process share a band or key: a hash table of eight bytes an entry, because a million topics make fifty
//! million entries, nearly all of one topic.

use std::hint::black_box;

use super::hashing;

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
    lists: Vec<List>,
}

/// The most topics that lie in a list itself.
const FEW: usize = 7;

/// Several topics; half a line of a core's cache, because nearly all lists are short.
#[derive(Debug)]
#[repr(align(32))]
enum List {
    Few {
        len: u8,
        topics: [u32; FEW],
    },
    /// In no order that means anything; ascending by priority where the list is full.
    Many(Vec<u32>),
}

impl Postings {
    pub fn new() -> Self {
        Self { slots: vec![EMPTY; 1 << BITS_AT_FIRST], bits: BITS_AT_FIRST, used: 0, lists: Vec::new() }
    }

    /// Asks for the memory of all these hashes at once, before they are looked at one by one.
    pub fn touch<'a>(&self, hashes: impl Iterator<Item = &'a i64> + Clone) {
        let homes = || hashes.clone().map(|hash| self.home(tag(*hash)));
        black_box(homes().fold(EMPTY, |met, home| met ^ self.slots.get(home).copied().unwrap_or(EMPTY)));
        // What lies there is as good as always the entry itself.
        let lists = homes().filter_map(|home| self.list(*self.slots.get(home)?));
        black_box(lists.fold(0, |met, list| met ^ list.topics().len()));
    }

    /// Puts the topics under all these hashes behind those found before.
    pub fn read<'a>(&self, hashes: impl Iterator<Item = &'a i64>, found: &mut Vec<u32>) {
        for hash in hashes {
            match self.slots.get(self.find(tag(*hash))).copied().unwrap_or(EMPTY) {
                EMPTY => {}
                entry => match self.list(entry) {
                    None => found.push(value(entry)),
                    Some(list) => found.extend_from_slice(list.topics()),
                },
            }
        }
    }

    /// The list that an entry names; `None` where it names a topic, or nothing.
    fn list(&self, entry: u64) -> Option<&List> {
        let list = if entry == EMPTY { None } else { value(entry).checked_sub(MOST) };
        list.and_then(|list| self.lists.get(usize::try_from(list).ok()?))
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
            self.lists.push(List::of(before));
        }
        let list = value(*entry) - MOST;
        if let Some(list) = usize::try_from(list).ok().and_then(|at| self.lists.get_mut(at)) {
            list.add(topic, priority_of, most);
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

impl List {
    fn of(topic: u32) -> Self {
        let mut topics = [0; FEW];
        topics[0] = topic;
        Self::Few { len: 1, topics }
    }

    fn topics(&self) -> &[u32] {
        match self {
            Self::Few { len, topics } => topics.get(..usize::from(*len)).unwrap_or(topics),
            Self::Many(topics) => topics,
        }
    }

    /// Keeps the `most` of smallest priority.
    fn add(&mut self, topic: u32, priority_of: impl Fn(u32) -> i64, most: usize) {
        let place = |topic: &u32| (priority_of(*topic), *topic);
        match self {
            Self::Few { len, topics } if usize::from(*len) < FEW.min(most) => {
                if let Some(free) = topics.get_mut(usize::from(*len)) {
                    *free = topic;
                    *len += 1;
                }
            }
            Self::Few { topics, .. } if most > FEW => {
                let mut many = Vec::with_capacity(2 * FEW);
                many.extend_from_slice(topics);
                *self = Self::Many(many);
                self.add(topic, priority_of, most);
            }
            Self::Few { len, topics } => {
                let largest = topics.iter_mut().take(usize::from(*len)).max_by_key(|topic| place(topic));
                if let Some(largest) = largest.filter(|largest| place(&topic) < place(largest)) {
                    *largest = topic;
                }
            }
            Self::Many(topics) if topics.len() < most => {
                topics.push(topic);
                if topics.len() == most {
                    topics.sort_by_cached_key(place);
                }
            }
            Self::Many(topics) => {
                let new = place(&topic);
                if topics.last().is_some_and(|last| new < place(last)) {
                    let at = topics.partition_point(|other| place(other) < new);
                    topics.pop();
                    topics.insert(at, topic);
                }
            }
        }
    }
}

/// Spread anew: pairs of one word begin alike.
fn tag(hash: i64) -> u64 {
    hashing::mix(hash.cast_unsigned()) >> VALUE_BITS
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
            let mut found = Vec::new();
            postings.read([hash].iter(), &mut found);
            found.sort_unstable();
            assert_eq!(found, topics.iter().copied().take(10).collect::<Vec<_>>());
        }
        let mut found = Vec::new();
        postings.read((100_000..200_000_u64).map(|other| mix(other).cast_signed()).collect::<Vec<_>>().iter(), &mut found);
        assert_eq!(found, Vec::<u32>::new());
    }
}
