//! Sorting numbers that are spread evenly, as hashes are: nearly every one falls at once where it belongs.

use super::hashing;

/// Buckets a number; text fields have a few hundred triples.
const BUCKETS_MAX: usize = 4096;
/// Below this, comparing is as fast.
const EVENLY_MIN: usize = 32;

/// Sorted by a key whose upper bits are evenly spread; any other key is sorted as well, only slower.
pub fn ascending<T: Copy + Default>(items: Vec<T>, key: impl Fn(&T) -> u32) -> Vec<T> {
    together(items, &key, &key)
}

/// Items of one identity side by side, in no order that means anything. `spread` is evenly spread in its upper bits, and the same for
/// the same identity.
pub fn together<T: Copy + Default, I: Ord>(items: Vec<T>, spread: impl Fn(&T) -> u32, identity: impl Fn(&T) -> I) -> Vec<T> {
    if items.len() < EVENLY_MIN {
        let mut items = items;
        items.sort_unstable_by_key(identity);
        return items;
    }
    let buckets = items.len().next_power_of_two().min(BUCKETS_MAX);
    let shift = 32 - buckets.trailing_zeros();
    let bucket = |item: &T| usize::try_from(spread(item) >> shift).unwrap_or(0);
    let mut ends = hashing::zeros::<u32>(buckets);
    for item in &items {
        if let Some(count) = ends.get_mut(bucket(item)) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for end in &mut ends {
        sum += *end;
        *end = sum;
    }
    let mut sorted = hashing::zeros::<T>(items.len());
    for item in items.iter().rev() {
        if let Some(end) = ends.get_mut(bucket(item)) {
            *end -= 1;
            if let Some(place) = usize::try_from(*end).ok().and_then(|at| sorted.get_mut(at)) {
                *place = *item;
            }
        }
    }
    // Each end now stands at its bucket's start.
    let starts = ends.iter().filter_map(|start| usize::try_from(*start).ok());
    let after = starts.clone().skip(1).chain([items.len()]);
    for (start, after) in starts.zip(after).filter(|(start, after)| after - start > 1) {
        match sorted.get_mut(start..after) {
            Some([one, other]) if identity(other) < identity(one) => std::mem::swap(one, other),
            Some([_, _]) | None => {}
            Some(bucket) => bucket.sort_unstable_by_key(&identity),
        }
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_numbers_come_out_ascending(numbers in prop::collection::vec(prop_oneof![any::<u32>(), 0_u32..300], 0..600)) {
            let mut expected = numbers.clone();
            expected.sort_unstable();
            prop_assert_eq!(ascending(numbers, |number| *number), expected);
        }

        #[test]
        fn the_same_comes_together(numbers in prop::collection::vec(0_u32..90, 0..600)) {
            let sorted = together(numbers.clone(), |number| number.wrapping_mul(0x9E37_79B1), |number| *number);
            let mut seen: Vec<u32> = sorted.chunk_by(|one, other| one == other).filter_map(|same| same.first().copied()).collect();
            seen.sort_unstable();
            let mut expected = numbers;
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(seen, expected);
        }
    }
}
