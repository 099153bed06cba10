//! Which row belongs to which form, over the whole package at once: the sum of all likenesses is the greatest there is.
//!
//! First come, first served would let a row take a form that another row needs. Pairs that agree in title and applicant are joined
//! before anything is weighed: no sum of half-alike pairs may tear them apart.

use std::collections::{BTreeMap, BTreeSet};

use pathfinding::{kuhn_munkres::kuhn_munkres, matrix::Matrix};

/// Rows and forms that hang together are assigned optimally up to so many on the longer side; beyond it, best pairs first.
/// 160 takes a few milliseconds; one enterprise with more similar topics in one mail has not been seen.
const SIDE_MAX: usize = 160;
/// Room for the order of appearance below the likeness in a weight.
const ORDER: i64 = 4096;

/// A row and a form that may be one topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// In thousandths, higher is better, above 0.
    pub likeness: u32,
    pub row: usize,
    pub form: usize,
    /// Title and applicant are equal.
    pub sure: bool,
}

/// Each row's form, at most one each. Ties go to those that stand in the same order.
pub fn assign(mut pairs: Vec<Pair>) -> BTreeMap<usize, usize> {
    pairs.sort_by(|a, b| (b.sure, b.likeness, a.row, a.form).cmp(&(a.sure, a.likeness, b.row, b.form)));
    let mut taken = Taken::default();
    let mut open = Vec::new();
    for pair in pairs {
        if pair.sure {
            taken.take(pair.row, pair.form);
        } else {
            open.push(pair);
        }
    }
    open.retain(|pair| taken.both_free(pair));
    for together in components(&open) {
        for (row, form) in best(&together) {
            taken.take(row, form);
        }
    }
    taken.partners
}

#[derive(Default)]
struct Taken {
    partners: BTreeMap<usize, usize>,
    forms: BTreeSet<usize>,
}

impl Taken {
    fn both_free(&self, pair: &Pair) -> bool {
        !self.partners.contains_key(&pair.row) && !self.forms.contains(&pair.form)
    }

    fn take(&mut self, row: usize, form: usize) {
        if !self.partners.contains_key(&row) && self.forms.insert(form) {
            self.partners.insert(row, form);
        }
    }
}

/// Pairs that hang together by a row or a form in common.
fn components(pairs: &[Pair]) -> Vec<Vec<Pair>> {
    let (mut of_row, mut of_form): (BTreeMap<usize, Vec<usize>>, BTreeMap<usize, Vec<usize>>) = Default::default();
    for (at, pair) in pairs.iter().enumerate() {
        of_row.entry(pair.row).or_default().push(at);
        of_form.entry(pair.form).or_default().push(at);
    }
    let mut seen = vec![false; pairs.len()];
    let mut all = Vec::new();
    for start in 0..pairs.len() {
        let (mut together, mut waiting) = (Vec::new(), vec![start]);
        while let Some(at) = waiting.pop() {
            let (Some(seen), Some(pair)) = (seen.get_mut(at), pairs.get(at)) else { continue };
            if std::mem::replace(seen, true) {
                continue;
            }
            together.push(*pair);
            // Each row's and form's list is followed once: the second time there is nothing left in it.
            waiting.extend(of_row.remove(&pair.row).into_iter().flatten());
            waiting.extend(of_form.remove(&pair.form).into_iter().flatten());
        }
        if !together.is_empty() {
            all.push(together);
        }
    }
    all
}

/// The best assignment of one component.
fn best(pairs: &[Pair]) -> Vec<(usize, usize)> {
    let rows: Vec<usize> = pairs.iter().map(|pair| pair.row).collect::<BTreeSet<_>>().into_iter().collect();
    let forms: Vec<usize> = pairs.iter().map(|pair| pair.form).collect::<BTreeSet<_>>().into_iter().collect();
    if rows.len().max(forms.len()) > SIDE_MAX {
        return best_first(pairs);
    }
    let weights: BTreeMap<(usize, usize), i64> = pairs.iter().map(|pair| ((pair.row, pair.form), pair.likeness.into())).collect();
    // The shorter side must be the matrix's rows; a pair that may not be weighs nothing.
    let turned = rows.len() > forms.len();
    let (short, long) = if turned { (&forms, &rows) } else { (&rows, &forms) };
    let pair_at = |(at_short, at_long): (usize, usize)| {
        let (one, other) = (short.get(at_short).copied().unwrap_or(0), long.get(at_long).copied().unwrap_or(0));
        if turned { (other, one) } else { (one, other) }
    };
    let matrix = Matrix::from_fn(short.len(), long.len(), |at| {
        let in_order = ORDER - 1 - i64::try_from(at.0.abs_diff(at.1)).unwrap_or(0);
        weights.get(&pair_at(at)).map_or(0, |likeness| likeness * ORDER * i64::try_from(SIDE_MAX).unwrap_or(1) + in_order)
    });
    let (_, assigned) = kuhn_munkres(&matrix);
    assigned.into_iter().enumerate().map(pair_at).filter(|pair| weights.contains_key(pair)).collect()
}

/// Best pairs first, then the earlier row, then the earlier form.
fn best_first(pairs: &[Pair]) -> Vec<(usize, usize)> {
    let mut pairs = pairs.to_vec();
    pairs.sort_by(|a, b| (b.likeness, a.row, a.form).cmp(&(a.likeness, b.row, b.form)));
    let mut taken = Taken::default();
    for pair in pairs {
        taken.take(pair.row, pair.form);
    }
    taken.partners.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pair(row: usize, form: usize, likeness: u32) -> Pair {
        Pair { likeness, row, form, sure: false }
    }

    fn sum(pairs: &[Pair], partners: &BTreeMap<usize, usize>) -> u32 {
        partners
            .iter()
            .filter_map(|(row, form)| pairs.iter().find(|pair| (pair.row, pair.form) == (*row, *form)))
            .map(|pair| pair.likeness)
            .sum()
    }

    /// Every way to join, tried out.
    fn greatest_sum(pairs: &[Pair], rows: &[usize], used: &mut BTreeSet<usize>) -> u32 {
        let Some((row, rest)) = rows.split_first() else { return 0 };
        let mut most = greatest_sum(pairs, rest, used);
        for pair in pairs.iter().filter(|pair| pair.row == *row) {
            if used.insert(pair.form) {
                most = most.max(pair.likeness + greatest_sum(pairs, rest, used));
                used.remove(&pair.form);
            }
        }
        most
    }

    #[test]
    fn no_row_takes_a_form_that_another_needs() {
        // Best first would give form 0 to row 0 and leave row 1 with nothing.
        let pairs = vec![pair(0, 0, 2900), pair(0, 1, 2800), pair(1, 0, 2700)];
        assert_eq!(assign(pairs), BTreeMap::from([(0, 1), (1, 0)]));
    }

    #[test]
    fn a_sure_pair_is_not_torn_apart_for_a_greater_sum() {
        let sure = Pair { sure: true, ..pair(0, 0, 4500) };
        assert_eq!(assign(vec![pair(0, 1, 2900), sure, pair(1, 0, 2900)]), BTreeMap::from([(0, 0)]));
    }

    #[test]
    fn equal_likenesses_are_joined_in_order_of_appearance() {
        let pairs: Vec<Pair> = (0..6).flat_map(|row| (0..6).map(move |form| pair(row, form, 2500))).collect();
        assert_eq!(assign(pairs), (0..6).map(|at| (at, at)).collect());
    }

    #[test]
    fn thousands_of_rows_that_all_look_alike_are_joined_within_a_moment() {
        let pairs: Vec<Pair> =
            (0..400).flat_map(|row| (0..400).map(move |form| pair(row, form, 2000 + ((row * 7 + form * 13) % 900) as u32))).collect();
        assert_eq!(assign(pairs).len(), 400);
        let pairs: Vec<Pair> =
            (0..150).flat_map(|row| (0..160).map(move |form| pair(row, form, 2000 + ((row * 7 + form * 13) % 900) as u32))).collect();
        assert_eq!(assign(pairs).len(), 150);
    }

    proptest! {
        #[test]
        fn the_sum_of_likenesses_is_the_greatest_there_is(cells in proptest::collection::vec((0usize..5, 0usize..6, 1u32..3000), 0..16)) {
            let unique: BTreeMap<(usize, usize), u32> = cells.into_iter().map(|(row, form, likeness)| ((row, form), likeness)).collect();
            let pairs: Vec<Pair> = unique.into_iter().map(|((row, form), likeness)| pair(row, form, likeness)).collect();
            let partners = assign(pairs.clone());
            let forms: BTreeSet<&usize> = partners.values().collect();
            prop_assert_eq!(forms.len(), partners.len());
            prop_assert_eq!(sum(&pairs, &partners), greatest_sum(&pairs, &[0, 1, 2, 3, 4], &mut BTreeSet::new()));
        }
    }
}
