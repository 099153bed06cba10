//! How alike a row and a form are, and whether two values say the same.

use std::collections::{BTreeMap, BTreeSet};

use super::Draft;
use crate::domain::{
    folding,
    forms::Value,
    money::{self, HeaderUnit},
    uscc,
};

/// Titles of one applicant from this Dice coefficient of character pairs on are taken for one topic.
const SAME_TITLE: f64 = 0.5;
/// Names of applicants from here on may be one name, if the titles are equal.
const SAME_NAME: f64 = 0.6;
/// Slips in title and name both: from here on for the title, and [`SAME_NAME`] for the name, they are still one topic.
const NEARLY_SAME_TITLE: f64 = 0.75;
/// Title and applicant are equal from here on.
pub const SURE: u32 = 4000;
/// Characters of a title or name that are compared.
const COMPARED_CHARS: usize = 200;

/// Forms that one row is compared with.
const CANDIDATES_MAX: usize = 2_000;

/// What identifies a record, folded.
pub struct Face {
    title: String,
    applicant: String,
    /// Empty unless it has 18 characters.
    code: String,
    title_pairs: BTreeSet<(char, char)>,
}

impl Face {
    pub fn of(draft: &Draft) -> Self {
        let folded = |key| folding::fold_words(draft.text(key)).chars().take(COMPARED_CHARS).collect::<String>();
        let title = folded("topic_title");
        let code = uscc::normalise(draft.text("uscc"));
        let code = if code.chars().count() == 18 { code } else { String::new() };
        Self { title_pairs: pairs(&title), title, applicant: folded("applicant"), code }
    }

    /// In thousandths, higher is better; `None`: not the same topic.
    pub fn likeness(&self, other: &Self) -> Option<u32> {
        let same_code = !self.code.is_empty() && self.code == other.code;
        let same_applicant = !self.applicant.is_empty() && self.applicant == other.applicant;
        if self.title.is_empty() || other.title.is_empty() {
            return (same_code || same_applicant).then_some(100);
        }
        let same_title = self.title == other.title;
        let title = self.title_likeness(other);
        let points = match (same_title, same_applicant, same_code) {
            (true, true, _) => 4.0,
            (_, _, true) if title >= SAME_TITLE => 3.0,
            (_, true, _) if title >= SAME_TITLE => 2.0,
            (true, ..) if self.applicant.is_empty() || other.applicant.is_empty() => 1.5,
            (true, ..) if self.same_name(other) => 1.0,
            _ if title >= NEARLY_SAME_TITLE && !self.other_code(other) && self.same_name(other) => 0.2,
            _ => return None,
        };
        // Bounded by 5000, never negative.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Some(((points + title) * 1000.0) as u32)
    }

    /// The same applicant, by name or by credit code.
    pub fn same_holder(&self, other: &Self) -> bool {
        let same_name = !self.applicant.is_empty() && self.applicant == other.applicant;
        same_name || (!self.code.is_empty() && self.code == other.code)
    }

    fn title_likeness(&self, other: &Self) -> f64 {
        let (short, long) = if self.title.len() <= other.title.len() { (&self.title, &other.title) } else { (&other.title, &self.title) };
        let contained = short.chars().count() >= 6 && long.contains(short.as_str());
        dice(&self.title_pairs, &other.title_pairs).max(if contained { 0.7 } else { 0.0 })
    }

    /// Both have a code, and not the same: two firms, however alike their names.
    fn other_code(&self, other: &Self) -> bool {
        !self.code.is_empty() && !other.code.is_empty() && self.code != other.code
    }

    fn same_name(&self, other: &Self) -> bool {
        self.applicant.contains(&other.applicant)
            || other.applicant.contains(&self.applicant)
            || dice(&pairs(&self.applicant), &pairs(&other.applicant)) >= SAME_NAME
    }
}

/// Forms by everything a row can find them by, so that large tables are not compared with every form.
pub struct Index<'a> {
    by_key: BTreeMap<(char, &'a str), Vec<usize>>,
}

impl<'a> Index<'a> {
    pub fn of(forms: &'a [Face]) -> Self {
        let mut by_key: BTreeMap<(char, &str), Vec<usize>> = BTreeMap::new();
        for (at, form) in forms.iter().enumerate() {
            for key in keys(form) {
                by_key.entry(key).or_default().push(at);
            }
        }
        Self { by_key }
    }

    /// The forms worth comparing with a row; where more than `most`, only those of the same title.
    pub fn candidates(&self, row: &Face, most: usize) -> BTreeSet<usize> {
        let found: usize = keys(row).filter_map(|key| self.by_key.get(&key)).map(Vec::len).sum();
        let keys = keys(row).filter(|(kind, _)| found <= most || *kind == 't');
        keys.filter_map(|key| self.by_key.get(&key)).flatten().take(CANDIDATES_MAX).copied().collect()
    }
}

fn keys(face: &Face) -> impl Iterator<Item = (char, &str)> {
    [('t', face.title.as_str()), ('a', face.applicant.as_str()), ('c', face.code.as_str())].into_iter().filter(|key| !key.1.is_empty())
}

fn pairs(text: &str) -> BTreeSet<(char, char)> {
    text.chars().zip(text.chars().skip(1)).collect()
}

/// Sørensen–Dice coefficient of two sets of character pairs.
fn dice(a: &BTreeSet<(char, char)>, b: &BTreeSet<(char, char)>) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    #[expect(clippy::cast_precision_loss)]
    let share = 2.0 * a.intersection(b).count() as f64 / (a.len() + b.len()) as f64;
    share
}

/// Two ways to write one thing are the same: width, spaces, punctuation, units of money, hyphens in numbers, shortened texts, order of a list.
pub fn says_the_same(key: &str, in_row: &Value, in_form: &Value) -> bool {
    if matches!(key, "invest" | "benefit")
        && let Some(same) = same_amount(in_row, in_form)
        && (same || key == "invest" || in_row.unit != in_form.unit)
    {
        return same;
    }
    let (row, form) = (in_row.text.as_str(), in_form.text.as_str());
    let (a, b) = (folding::fold_words(row), folding::fold_words(form));
    if a == b {
        return true;
    }
    match key {
        "topic_title" | "applicant" => false,
        "uscc" => uscc::normalise(row) == uscc::normalise(form),
        "phone" => same_digits(row, form),
        _ => a.is_empty() || b.is_empty() || a.contains(&b) || b.contains(&a) || items(row) == items(form),
    }
}

/// Whether both come to the same 万元; a bare number is taken for 万元, as the forms say. `None` where either names no amount.
fn same_amount(row: &Value, form: &Value) -> Option<bool> {
    let wan = |value: &Value| {
        let unit = value.unit.as_deref().and_then(HeaderUnit::named_in).unwrap_or(HeaderUnit::Wan);
        money::headline(&money::amounts(&value.text, Some(unit))).and_then(|amount| amount.wan)
    };
    let near = |x: f64, y: f64| (x - y).abs() < 0.005;
    let (x, y) = (wan(row)?, wan(form)?);
    Some(near(x.0, y.0) && near(x.1, y.1))
}

/// One number may be given with a country or area code, or one of several numbers.
fn same_digits(row: &str, form: &str) -> bool {
    let digits = |text: &str| folding::fold(text).chars().filter(char::is_ascii_digit).collect::<String>();
    let (a, b) = (digits(row), digits(form));
    a.len().min(b.len()) >= 7 && (a.contains(&b) || b.contains(&a))
}

fn items(text: &str) -> BTreeSet<String> {
    text.split(['、', '，', ',', ';', '；', '\n', '/']).map(folding::fold_words).filter(|item| !item.is_empty()).collect()
}
