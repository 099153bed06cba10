//! The words of the routing table, ready to be looked for, and the points they give.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aho_corasick::AhoCorasick;

use super::{Divisions, Draft, Tally, title::Parts};
use crate::domain::folding;

/// Points of one word of two characters; longer words give more.
const TITLE: f64 = 3.0;
const BODY: f64 = 1.0;
/// What the title is about in the end.
const PRODUCT: f64 = 5.0;
/// Users, means and raw materials in the title.
const BEFORE_PRODUCT: f64 = 0.35;
const WEAK: f64 = 0.3;
/// A keyword at the end of the title's product, where the table knows no ending.
const AT_HEAD: f64 = 2.0;
/// An assembly's own division, where the machine it is built into is another's.
const PART: f64 = 0.3;
/// Fields of the body with their share.
const BODY_FIELDS: &[(&str, f64)] = &[
    ("industry", 2.0),
    ("product", 1.5),
    ("problem", 1.0),
    ("goal", 1.0),
    ("params", 1.0),
    ("content", 1.0),
    ("keywords", 1.5),
    ("background", 0.5),
    ("applicant", 0.5),
];
/// Characters of a field that are read for routing.
const READ_CHARS: usize = 4_000;

/// How names of whole machines end.
const MACHINE_ENDINGS: [char; 8] = ['机', '车', '船', '艇', '人', '组', '器', '星'];

/// The compiled words of a routing table.
#[derive(Debug, Clone, Default)]
pub struct Lexicon {
    finder: Option<AhoCorasick>,
    /// By pattern number.
    words: Vec<Word>,
    /// Folded endings, longest first, each with its division.
    products: Vec<(String, String)>,
    /// Places of those by their last character.
    by_last: HashMap<char, Vec<usize>>,
    pairs: Vec<FoldedPair>,
    /// Folded names of assemblies.
    parts: Vec<String>,
}

#[derive(Debug, Clone)]
struct Word {
    text: String,
    divisions: Vec<String>,
    weight: f64,
}

#[derive(Debug, Clone)]
struct FoldedPair {
    word: String,
    with: Vec<String>,
    division: String,
}

struct Hit<'a> {
    word: &'a Word,
    start: usize,
    end: usize,
}

impl Lexicon {
    pub fn of(table: &Divisions) -> Self {
        let weak: BTreeSet<String> = table.weak.iter().map(|word| folding::fold(word)).collect();
        let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut products = BTreeSet::new();
        for division in &table.entries {
            for keyword in &division.keywords {
                let divisions = owners.entry(folding::fold(keyword)).or_default();
                if !divisions.contains(&division.id) {
                    divisions.push(division.id.clone());
                }
            }
            products.extend(division.products.iter().map(|product| (folding::fold(product), division.id.clone())));
        }
        owners.remove("");
        let words: Vec<Word> = owners
            .into_iter()
            .map(|(text, divisions)| {
                let weight = length_factor(&text) * if weak.contains(&text) { WEAK } else { 1.0 };
                Word { text, divisions, weight }
            })
            .collect();
        let mut products: Vec<(String, String)> = products.into_iter().filter(|(text, _)| !text.is_empty()).collect();
        products.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        let mut by_last: HashMap<char, Vec<usize>> = HashMap::new();
        for (at, (ending, _)) in products.iter().enumerate() {
            ending.chars().next_back().into_iter().for_each(|last| by_last.entry(last).or_default().push(at));
        }
        let pairs = table
            .pairs
            .iter()
            .map(|pair| FoldedPair {
                word: folding::fold(&pair.word),
                with: pair.with.iter().map(|word| folding::fold(word)).collect(),
                division: pair.division.clone(),
            })
            .collect();
        Self {
            finder: AhoCorasick::new(words.iter().map(|word| &word.text)).ok(),
            words,
            products,
            by_last,
            pairs,
            parts: table.parts.iter().map(|part| folding::fold(part)).collect(),
        }
    }

    pub fn weigh(&self, topic: &Draft, parts: &Parts) -> Tally<'_> {
        let mut tally = Tally::default();
        self.weigh_title(parts, &mut tally);
        let product = Parts::of(topic.text("product").lines().next().unwrap_or_default());
        self.weigh_heads(&product, PRODUCT / 2.0, "product", &mut tally);
        let body = self.weigh_body(topic, &mut tally);
        self.weigh_pairs(parts, &body, &mut tally);
        tally
    }

    fn weigh_title<'a>(&'a self, parts: &Parts, tally: &mut Tally<'a>) {
        let ends_known = self.weigh_heads(parts, PRODUCT, "title", tally);
        for hit in self.hits(&parts.text) {
            let at_head = parts.heads.contains(&hit.end);
            let place = match (hit.end <= parts.product_from, at_head && !ends_known) {
                (true, _) => BEFORE_PRODUCT,
                (false, true) => AT_HEAD,
                (false, false) => 1.0,
            };
            add(tally, hit.word, TITLE * place, "title");
        }
        for hit in self.hits(&parts.remarks) {
            add(tally, hit.word, TITLE * BEFORE_PRODUCT, "title");
        }
    }

    /// Points for the endings of product names; the first product counts most. Whether any ending was known.
    fn weigh_heads<'a>(&'a self, parts: &Parts, points: f64, place: &'static str, tally: &mut Tally<'a>) -> bool {
        let mut share = 1.0;
        let mut known = false;
        for end in parts.heads.iter().take(4) {
            let name = parts.text.get(parts.product_from..*end).unwrap_or_default();
            let machine = self.machine_of(name);
            if let Some((machine, division)) = machine {
                known = true;
                tally.give(division, machine, place, points * share * length_factor(machine));
            }
            let mut longest = 0;
            let mut seen = BTreeSet::new();
            for (ending, division) in self.endings_of(name) {
                longest = longest.max(ending.len());
                // A shorter ending of another division (镜头 in 头) is a much weaker sign.
                let points = points * share * length_factor(ending) * if ending.len() < longest { 0.3 } else { 1.0 };
                let points = points * if machine.is_some_and(|(_, owner)| owner != division.as_str()) { PART } else { 1.0 };
                if seen.insert(division) {
                    known = true;
                    tally.give(division, ending.as_str(), place, points);
                }
            }
            share *= 0.6;
        }
        known
    }

    /// The known endings of a name, longest first.
    fn endings_of(&self, name: &str) -> impl Iterator<Item = &(String, String)> {
        let last = name.chars().next_back();
        let candidates = last.and_then(|last| self.by_last.get(&last)).map(Vec::as_slice).unwrap_or_default();
        candidates.iter().filter_map(|at| self.products.get(*at)).filter(move |(ending, _)| ends_with_word(name, ending))
    }

    /// The machine that an assembly is built into, where the name ends with an assembly: `压雪车` of `压雪车静液驱动底盘`.
    fn machine_of(&self, name: &str) -> Option<(&str, &str)> {
        let part = self.parts.iter().filter(|part| ends_with_word(name, part)).max_by_key(|part| part.len())?;
        let before = name.strip_suffix(part.as_str())?;
        self.products
            .iter()
            .filter(|(product, _)| product.chars().count() >= 2 && product.ends_with(MACHINE_ENDINGS) && before.contains(product.as_str()))
            .max_by_key(|(product, _)| before.rfind(product.as_str()).map(|at| (at + product.len(), product.len())))
            .map(|(product, division)| (product.as_str(), division.as_str()))
    }

    /// Every word counts once, in the field where it weighs most. Gives back the folded body.
    fn weigh_body<'a>(&'a self, topic: &Draft, tally: &mut Tally<'a>) -> String {
        let mut body = String::new();
        let mut best: BTreeMap<&str, (&'a Word, f64, &'static str)> = BTreeMap::new();
        for (key, share) in BODY_FIELDS {
            let text = folding::fold(&first_chars(topic.text(key)));
            for hit in self.hits(&text) {
                let entry = best.entry(hit.word.text.as_str()).or_insert((hit.word, 0.0, key));
                if *share > entry.1 {
                    *entry = (hit.word, *share, key);
                }
            }
            body.push_str(&text);
            body.push('\n');
        }
        let mut own = Tally::default();
        for (word, share, key) in best.into_values() {
            add(&mut own, word, BODY * share, key);
        }
        // Long texts name many users and materials: their sum counts, but less and less.
        for (division, points) in own.points {
            *tally.points.entry(division).or_insert(0.0) += 5.0 * (points / 5.0).ln_1p();
        }
        tally.signals.extend(own.signals);
        body
    }

    fn weigh_pairs<'a>(&'a self, parts: &Parts, body: &str, tally: &mut Tally<'a>) {
        for pair in &self.pairs {
            let in_title = parts.text.contains(&pair.word);
            if !in_title && !body.contains(&pair.word) {
                continue;
            }
            let partner = |text: &str| pair.with.iter().find(|with| text.contains(with.as_str()));
            let (with, points, place) = match (in_title, partner(&parts.text), partner(body)) {
                (true, Some(with), _) => (with, 4.0, "title"),
                (true, None, Some(with)) => (with, 1.5, "title"),
                (false, Some(with), _) => (with, 1.0, "body"),
                (false, None, Some(with)) => (with, 0.5, "body"),
                (_, None, None) => continue,
            };
            tally.give(&pair.division, format!("{}+{with}", pair.word), place, points);
        }
    }

    /// Words of a folded text; a word inside a longer one does not count.
    fn hits(&self, text: &str) -> Vec<Hit<'_>> {
        let Some(finder) = &self.finder else { return Vec::new() };
        let mut hits: Vec<Hit<'_>> = finder
            .find_overlapping_iter(text)
            .filter(|found| is_whole_word(text, found.start(), found.end()))
            .filter_map(|found| {
                let word = self.words.get(found.pattern().as_usize())?;
                Some(Hit { word, start: found.start(), end: found.end() })
            })
            .collect();
        hits.sort_by(|a, b| a.start.cmp(&b.start).then(b.end.cmp(&a.end)));
        let mut covered = 0;
        hits.retain(|hit| {
            let inside = hit.end <= covered;
            covered = covered.max(hit.end);
            !inside
        });
        hits
    }
}

fn add<'a>(tally: &mut Tally<'a>, word: &'a Word, points: f64, place: &'static str) {
    for division in &word.divisions {
        tally.give(division, word.text.as_str(), place, points * word.weight);
    }
}

/// Longer words say more: 碳纤维原丝 is clearer than 铜.
fn length_factor(word: &str) -> f64 {
    match word.chars().count() {
        0 | 1 => 0.5,
        2 => 1.0,
        3 => 1.3,
        4 => 1.6,
        _ => 1.9,
    }
}

/// Latin words count only as whole words: `led` is not in `sealed`.
fn is_whole_word(text: &str, start: usize, end: usize) -> bool {
    let latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphabetic());
    let first = text.get(start..end).and_then(|word| word.chars().next());
    let last = text.get(start..end).and_then(|word| word.chars().next_back());
    let before = text.get(..start).and_then(|text| text.chars().next_back());
    let after = text.get(end..).and_then(|text| text.chars().next());
    !(latin(first) && latin(before) || latin(last) && latin(after))
}

fn ends_with_word(name: &str, ending: &str) -> bool {
    name.strip_suffix(ending).is_some_and(|before| is_whole_word(name, before.len(), name.len()))
}

fn first_chars(text: &str) -> String {
    text.chars().take(READ_CHARS).collect()
}
