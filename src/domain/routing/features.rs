//! What the text model sees of a topic: runs of one to four signs of its title, how the title's product ends, and runs of two
//! and three signs of its body. Latin words and numbers are one sign each, so `igbt` stays whole and no figure is learnt by heart.

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

/// The features of one topic, ascending, each once. One of a title's ending begins with `$`.
#[derive(Debug, Default)]
pub struct Features {
    /// Every run stands somewhere in it.
    text: String,
    runs: Vec<Run>,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    /// The first three characters, so that most runs are told apart by one number.
    first: u64,
    from: usize,
    to: usize,
    value: f32,
}

impl Features {
    /// Each feature with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f32)> {
        self.runs.iter().map(|run| (self.text.get(run.from..run.to).unwrap_or_default(), run.value))
    }

    /// Every run once, ascending; the values of equal ones are joined in their order.
    fn joined(&self, mut runs: Vec<Run>, join: fn(f32, f32) -> f32) -> Vec<Run> {
        let text = |run: &Run| self.text.get(run.from..run.to).unwrap_or_default();
        runs.sort_by(|a, b| a.first.cmp(&b.first).then_with(|| text(a).cmp(text(b))));
        runs.dedup_by(|next, kept| {
            let same = next.first == kept.first && text(next) == text(kept);
            if same {
                kept.value = join(kept.value, next.value);
            }
            same
        });
        runs
    }

    /// Takes in a text and its runs of so many signs, each with this value.
    fn add_runs(&mut self, cleaned: &str, lengths: std::ops::RangeInclusive<usize>, into: &mut Vec<Run>, value: f32) {
        let base = self.text.len();
        self.text.push_str(cleaned);
        each_stretch(cleaned, |stretch| {
            for length in lengths.clone() {
                for window in stretch.windows(length) {
                    if let (Some(first), Some(last)) = (window.first(), window.last()) {
                        into.push(self.run(base + first.0, base + last.1, value));
                    }
                }
            }
        });
    }

    /// Takes in the endings of a text's last stretch.
    fn add_endings(&mut self, cleaned: &str, into: &mut Vec<Run>, value: f32) {
        let mut last = Vec::new();
        each_stretch(cleaned, |stretch| last = stretch.to_vec());
        for first in last.iter().rev().take(ENDING_SIGNS) {
            let from = self.text.len();
            self.text.push('$');
            self.text.push_str(cleaned.get(first.0..).unwrap_or_default());
            into.push(self.run(from, self.text.len(), value));
        }
    }

    fn run(&self, from: usize, to: usize, value: f32) -> Run {
        let mut chars = self.text.get(from..to).unwrap_or_default().chars().map(u64::from);
        let mut next = || chars.next().unwrap_or(0);
        Run { first: next() << 42 | next() << 21 | next(), from, to, value }
    }
}

/// The features of a topic whose title is taken apart already.
pub fn of(topic: &Draft, parts: &Parts) -> Features {
    let mut all = Features::default();
    let end = parts.heads.last().copied().unwrap_or(parts.text.len());
    let before = clean(parts.text.get(..parts.product_from).unwrap_or_default());
    let name = clean(parts.text.get(parts.product_from..end).unwrap_or_default());
    let product = clean(&folding::fold(&first_chars(topic.text("product").lines().next().unwrap_or_default())));

    let mut title = Vec::new();
    all.add_runs(&name, 1..=4, &mut title, 1.0);
    all.add_runs(&before, 1..=4, &mut title, BEFORE_PRODUCT);
    all.add_runs(&product, 1..=4, &mut title, BEFORE_PRODUCT);
    let mut endings = Vec::new();
    let mut share = 1.0;
    for end in parts.heads.iter().take(4) {
        all.add_endings(&clean(parts.text.get(parts.product_from..*end).unwrap_or_default()), &mut endings, share);
        share *= 0.6;
    }
    let mut body = Vec::new();
    for key in BODY_FIELDS {
        all.add_runs(&clean(&folding::fold(&first_chars(topic.text(key)))), 2..=3, &mut body, 1.0);
    }
    let sum = |one: f32, other: f32| one + other;
    let mut whole = brought_to(TITLE, all.joined(title, sum));
    whole.extend(brought_to(ENDING, all.joined(endings, f32::max)));
    whole.extend(brought_to(BODY, all.joined(body, sum)));
    all.runs = all.joined(whole, sum);
    all
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

/// The byte ranges of the signs of each stretch without blanks; the last stretch may be empty.
fn each_stretch(cleaned: &str, mut visit: impl FnMut(&[(usize, usize)])) {
    let mut stretch: Vec<(usize, usize)> = Vec::new();
    let mut in_word = false;
    for (at, c) in cleaned.char_indices() {
        let end = at + c.len_utf8();
        if c == ' ' {
            visit(&stretch);
            stretch.clear();
            in_word = false;
            continue;
        }
        let latin = c.is_ascii_alphabetic();
        match stretch.last_mut() {
            Some(last) if latin && in_word => last.1 = end,
            _ => stretch.push((at, end)),
        }
        in_word = latin;
    }
    visit(&stretch);
}

/// One part brought to length one, dampened where a run stands often, with the part's share.
fn brought_to(share: f32, mut part: Vec<Run>) -> Vec<Run> {
    let damped = |count: f32| if count > 1.0 { 1.0 + count.ln() } else { count };
    let length = part.iter().map(|run| damped(run.value).powi(2)).sum::<f32>().sqrt();
    if length <= 0.0 {
        return Vec::new();
    }
    part.iter_mut().for_each(|run| run.value = share * damped(run.value) / length);
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin_words_and_numbers_are_one_sign() {
        let (mut features, mut runs) = (Features::default(), Vec::new());
        features.add_runs(&clean("1200v igbt芯片 igbt芯"), 1..=2, &mut runs, 1.0);
        features.runs = features.joined(runs, |one, other| one + other);
        let found: Vec<(&str, f32)> = features.iter().collect();
        let once = ["0", "0v", "igbt", "igbt芯", "v", "片", "芯", "芯片"];
        assert_eq!(found.iter().map(|(run, _)| *run).collect::<Vec<_>>(), once);
        assert_eq!(found.iter().filter(|(_, count)| *count > 1.5).map(|(run, _)| *run).collect::<Vec<_>>(), ["igbt", "igbt芯", "芯"]);
    }

    #[test]
    fn the_ending_of_the_product_is_marked() {
        let topic = super::super::Example { title: "汽车座椅用聚醚多元醇制备技术".into(), ..Default::default() }.draft();
        let features = of(&topic, &Parts::of(topic.text("topic_title")));
        assert!(features.iter().any(|(run, _)| run == "$多元醇") && !features.iter().any(|(run, _)| run == "$技术"));
    }

    #[test]
    fn an_empty_topic_has_no_features() {
        assert!(of(&Draft::default(), &Parts::default()).runs.is_empty());
    }
}
