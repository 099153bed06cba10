//! Many short lists that stay, one after the other in a few large blocks: a million lists of their own would scatter over the heap and
//! leave holes in which every later allocation has to search.

/// Items of the first block; each further one has twice as many, up to the most.
const FIRST: usize = 1 << 12;
const MOST: usize = 1 << 20;

#[derive(Debug)]
pub struct Arena<T> {
    blocks: Vec<Vec<T>>,
}

/// Where a list lies.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    block: u32,
    start: u32,
    len: u32,
}

impl<T: Copy> Arena<T> {
    pub const fn new() -> Self {
        Self { blocks: Vec::new() }
    }

    /// Adds the parts as one list; `None` where no number is left for its place.
    pub fn put(&mut self, parts: &[&[T]]) -> Option<Place> {
        let len = parts.iter().map(|part| part.len()).sum();
        if self.blocks.last().is_none_or(|block| block.capacity() - block.len() < len) {
            let room = self.blocks.last().map_or(FIRST, |block| (block.capacity() * 2).min(MOST)).max(len);
            self.blocks.push(Vec::with_capacity(room));
        }
        let number = u32::try_from(self.blocks.len() - 1).ok()?;
        let block = self.blocks.last_mut()?;
        let place = Place { block: number, start: u32::try_from(block.len()).ok()?, len: u32::try_from(len).ok()? };
        parts.iter().for_each(|part| block.extend_from_slice(part));
        Some(place)
    }

    pub fn get(&self, place: Place) -> &[T] {
        let [block, start, len] = [place.block, place.start, place.len].map(|number| number as usize);
        self.blocks.get(block).and_then(|block| block.get(start..start + len)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_given_back_however_long() {
        let mut arena = Arena::new();
        let lists: Vec<Vec<u32>> = (0..2000_u32).map(|at| (0..if at % 500 == 7 { 9000 } else { at % 40 }).collect()).collect();
        let places: Vec<Place> = lists.iter().filter_map(|list| arena.put(&[list, &[7]])).collect();
        assert_eq!(places.len(), lists.len());
        for (mut list, place) in lists.into_iter().zip(places) {
            list.push(7);
            assert_eq!(arena.get(place), list);
        }
    }
}
