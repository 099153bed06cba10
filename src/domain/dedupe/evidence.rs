//! What twins have in common, in words, for the person who decides. Reviewers and divisions see it; senders never do.

use std::collections::{BTreeSet, HashMap};

use super::{
    prose::{BODY, Prose, Written, is_han},
    rarity,
};
use crate::domain::folding;

/// Shared passages and terms of two topics, as the first of them writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Passages of at least eight characters that stand in both, longest first.
    pub passages: Vec<String>,
    /// Shorter ones that are rare elsewhere, rarest first.
    pub terms: Vec<String>,
}

const PASSAGE_CHARS_MIN: usize = 8;
const PASSAGES_MAX: usize = 5;
const TERMS_MAX: usize = 10;
/// Places where a start of two characters is looked for in the other text.
const STARTS_MAX: usize = 8;
/// Sum of the rarity of a shared term's pairs, in half units, from which it is named.
const TERM_RARITY_MIN: u32 = 10;

/// Finds what both texts say in the same words. `written` gives the fields of `one` by key, as they were sent.
#[must_use]
pub fn evidence<'a>(one: &Prose, other: &Prose, written: impl Fn(&str) -> &'a str) -> Evidence {
    let there = text(other);
    let mut starts: HashMap<(char, char), Vec<usize>> = HashMap::new();
    for (at, pair) in there.windows(2).enumerate() {
        if let [first, second] = pair {
            let places = starts.entry((*first, *second)).or_default();
            if places.len() < STARTS_MAX {
                places.push(at);
            }
        }
    }
    let here = text(one);
    let (mut passages, mut terms) = (BTreeSet::new(), BTreeSet::new());
    let mut at = 0;
    while let Some(rest) = here.get(at..).filter(|rest| rest.len() > 1) {
        let length = longest(rest, &there, &starts);
        let run: String = rest.iter().take(length).collect();
        if length >= PASSAGE_CHARS_MIN {
            passages.insert((std::cmp::Reverse(length), run));
        } else if length > 1 {
            let rare = rarity_of(rest.get(..length).unwrap_or_default());
            if rare >= TERM_RARITY_MIN {
                terms.insert((std::cmp::Reverse(rare), run));
            }
        }
        at += length.max(1);
    }
    let fields = BODY.map(|key| Written::of(written(key)));
    let as_written = |folded: String| fields.iter().find_map(|field| field.find(&folded)).map_or(folded.clone(), folding::one_line);
    Evidence {
        passages: passages.into_iter().take(PASSAGES_MAX).map(|(_, passage)| as_written(passage)).collect(),
        terms: terms.into_iter().take(TERMS_MAX).map(|(_, term)| as_written(term)).collect(),
    }
}

/// The clauses one after the other, a line end after each.
fn text(prose: &Prose) -> Vec<char> {
    prose.fields().flatten().flat_map(|clause| clause.chars.iter().copied().chain(['\n'])).collect()
}

/// Length of the longest start of `rest` that stands in the other text, within one clause; 0 without.
fn longest(rest: &[char], there: &[char], starts: &HashMap<(char, char), Vec<usize>>) -> usize {
    let [first, second, ..] = rest else { return 0 };
    let Some(places) = starts.get(&(*first, *second)) else { return 0 };
    let common = |place: &usize| {
        let from = there.get(*place..).unwrap_or_default();
        rest.iter().zip(from).take_while(|(one, other)| one == other && **one != '\n').count()
    };
    places.iter().map(common).max().unwrap_or(0)
}

fn rarity_of(run: &[char]) -> u32 {
    let pair = |pair: &[char]| match pair {
        [first, second] if is_han(*first) && is_han(*second) => u32::from(rarity::of(*first, *second).rarity),
        _ => 2,
    };
    run.windows(2).map(pair).sum()
}
