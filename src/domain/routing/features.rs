//! What the text model sees of a topic: runs of one to four signs of its title, how the title's product ends, and runs of two
//! and three signs of its body. Latin words and numbers are one sign each, so `igbt` stays whole and no figure is learnt by heart.

use std::collections::BTreeMap;

use super::{Draft, title::Parts};
use crate::domain::folding;

/// Version of this file's reading; a model trained by another one is not used.
pub const READING: &str = "r1";

/// Shares of the parts of a topic in its feature vector; each part is brought to length one before. Chosen by measurement
/// (`benches/ROUTING.md`).
const TITLE: f32 = 3.0;
const ENDING: f32 = 1.5;
const BODY: f32 = 2.0;
/// How much less the users, means and raw materials before the product count in the title.
const BEFORE_PRODUCT: f32 = 0.4;
/// Fields of the body, each read up to so many characters.
const BODY_FIELDS: &[&str] = &["problem", "goal", "params", "content"];
const READ_CHARS: usize = 600;
/// Longest ending that is looked at, in signs.
const ENDING_SIGNS: usize = 6;

/// A feature and its value. A feature of a title's ending begins with `$`.
pub type Features = Vec<(String, f32)>;

/// The features of one topic, sorted, each once.
pub fn of(topic: &Draft) -> Features {
    let mut all: BTreeMap<String, f32> = BTreeMap::new();
    let parts = Parts::of(topic.text("topic_title"));
    let end = parts.heads.last().copied().unwrap_or(parts.text.len());
    let before = clean(parts.text.get(..parts.product_from).unwrap_or_default());
    let name = clean(parts.text.get(parts.product_from..end).unwrap_or_default());
    let product = clean(&folding::fold(&first_chars(topic.text("product").lines().next().unwrap_or_default())));

    let mut title: BTreeMap<String, f32> = BTreeMap::new();
    runs(&name, 1..=4, &mut title, 1.0);
    runs(&before, 1..=4, &mut title, BEFORE_PRODUCT);
    runs(&product, 1..=4, &mut title, BEFORE_PRODUCT);
    add(&mut all, title, TITLE);
    let mut endings: BTreeMap<String, f32> = BTreeMap::new();
    let mut share = 1.0;
    for end in parts.heads.iter().take(4) {
        ending(&clean(parts.text.get(parts.product_from..*end).unwrap_or_default()), share, &mut endings);
        share *= 0.6;
    }
    add(&mut all, endings, ENDING);
    let mut body: BTreeMap<String, f32> = BTreeMap::new();
    for key in BODY_FIELDS {
        runs(&clean(&folding::fold(&first_chars(topic.text(key)))), 2..=3, &mut body, 1.0);
    }
    add(&mut all, body, BODY);
    all.into_iter().collect()
}

fn first_chars(text: &str) -> String {
    text.chars().take(READ_CHARS).collect()
}

/// Letters and ideographs; a number becomes `0`, everything else a blank.
fn clean(folded: &str) -> String {
    let mut cleaned = String::with_capacity(folded.len());
    for c in folded.chars() {
        match c {
            c if c.is_ascii_digit() => {
                if !cleaned.ends_with('0') {
                    cleaned.push('0');
                }
            }
            c if c.is_alphabetic() => cleaned.push(c),
            _ if cleaned.ends_with(' ') => {}
            _ => cleaned.push(' '),
        }
    }
    cleaned
}

/// Byte ranges of the signs of each stretch without blanks.
fn signs(cleaned: &str) -> Vec<Vec<(usize, usize)>> {
    let mut stretches: Vec<Vec<(usize, usize)>> = vec![Vec::new()];
    let mut in_word = false;
    for (at, c) in cleaned.char_indices() {
        let end = at + c.len_utf8();
        if c == ' ' {
            stretches.push(Vec::new());
            in_word = false;
            continue;
        }
        let latin = c.is_ascii_alphabetic();
        if let Some(stretch) = stretches.last_mut() {
            match stretch.last_mut() {
                Some(last) if latin && in_word => last.1 = end,
                _ => stretch.push((at, end)),
            }
        }
        in_word = latin;
    }
    stretches
}

fn runs(cleaned: &str, lengths: std::ops::RangeInclusive<usize>, into: &mut BTreeMap<String, f32>, share: f32) {
    for stretch in signs(cleaned) {
        for length in lengths.clone() {
            for window in stretch.windows(length) {
                let (Some(first), Some(last)) = (window.first(), window.last()) else { continue };
                if let Some(run) = cleaned.get(first.0..last.1) {
                    *into.entry(run.to_owned()).or_insert(0.0) += share;
                }
            }
        }
    }
}

fn ending(cleaned: &str, share: f32, into: &mut BTreeMap<String, f32>) {
    let Some(stretch) = signs(cleaned).pop() else { return };
    for first in stretch.iter().rev().take(ENDING_SIGNS) {
        if let Some(text) = cleaned.get(first.0..) {
            let entry = into.entry(format!("${text}")).or_insert(0.0);
            *entry = entry.max(share);
        }
    }
}

/// Brings one part to length one, dampens what stands often, and adds it with its share.
fn add(all: &mut BTreeMap<String, f32>, part: BTreeMap<String, f32>, share: f32) {
    let damped = |count: f32| if count > 1.0 { 1.0 + count.ln() } else { count };
    let length = part.values().map(|count| damped(*count).powi(2)).sum::<f32>().sqrt();
    if length > 0.0 {
        for (run, count) in part {
            *all.entry(run).or_insert(0.0) += share * damped(count) / length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin_words_and_numbers_are_one_sign() {
        let mut into = BTreeMap::new();
        runs(&clean("1200v igbt芯片"), 1..=2, &mut into, 1.0);
        let keys: Vec<&str> = into.keys().map(String::as_str).collect();
        assert_eq!(keys, ["0", "0v", "igbt", "igbt芯", "v", "片", "芯", "芯片"]);
    }

    #[test]
    fn the_ending_of_the_product_is_marked() {
        let topic = super::super::Example { title: "汽车座椅用聚醚多元醇制备技术".into(), ..Default::default() }.draft();
        let features = of(&topic);
        assert!(features.iter().any(|(run, _)| run == "$多元醇") && !features.iter().any(|(run, _)| run == "$技术"));
    }

    #[test]
    fn an_empty_topic_has_no_features() {
        assert!(of(&Draft::default()).is_empty());
    }
}
