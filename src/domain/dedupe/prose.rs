//! What a topic says, ready to be compared: the text of its fields, folded, cut into clauses, without the clauses that anybody writes.

use std::ops::Range;

use unicode_normalization::char::decompose_compatible;

use super::rarity::{self, Scale};

/// Fields whose text is the topic. The applicant's profile, the market and the benefit are alike in all topics of a firm.
pub const BODY: [&str; 7] = ["problem", "goal", "params", "content", "background", "benchmark", "product"];
/// Characters of one topic that are compared.
const CHARS_MAX: usize = 20_000;
/// Characters of a title that are compared.
const TITLE_CHARS_MAX: usize = 200;
/// A clause with a figure in it is a little more telling than its words (half units).
const FIGURE_BONUS: f32 = 1.0;
/// What the whole sentence says about each of its clauses: boiler-plate comes by the sentence.
const SENTENCE_SHARE: f32 = 0.6;

/// One clause, folded: neither white space nor the mark that ended it.
#[derive(Debug, Clone, Copy)]
pub struct Clause<'a> {
    pub chars: &'a [char],
    /// Of each character with the next one; `None` unless both are ideographs.
    pub scales: &'a [Option<Scale>],
}

/// Clauses one after the other, so that a topic of many takes few allocations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Clauses {
    chars: Vec<char>,
    scales: Vec<Option<Scale>>,
    ends: Vec<usize>,
}

impl Clauses {
    /// Ends the clause whose characters were pushed last.
    fn end(&mut self) {
        let start = self.scales.len();
        let Some(chars) = self.chars.get(start..).filter(|chars| !chars.is_empty()) else { return };
        let tables = rarity::tables();
        let scale = |(first, second): (&char, &char)| (is_han(*first) && is_han(*second)).then(|| tables.get(*first, *second));
        self.scales.extend(chars.iter().zip(chars.iter().skip(1)).map(scale).chain([None]));
        self.ends.push(self.chars.len());
    }

    fn push(&mut self, clause: Clause<'_>) {
        self.chars.extend_from_slice(clause.chars);
        self.scales.extend_from_slice(clause.scales);
        self.ends.push(self.chars.len());
    }

    fn clear(&mut self) {
        self.chars.clear();
        self.scales.clear();
        self.ends.clear();
    }

    fn get(&self, numbers: Range<usize>) -> impl Iterator<Item = Clause<'_>> {
        numbers.filter_map(|number| {
            let start = number.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
            let here = start..*self.ends.get(number)?;
            Some(Clause { chars: self.chars.get(here.clone())?, scales: self.scales.get(here)? })
        })
    }

    fn all(&self) -> impl Iterator<Item = Clause<'_>> {
        self.get(0..self.ends.len())
    }
}

/// The text of one topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prose {
    /// The title's, then field by field those that are no boiler-plate.
    clauses: Clauses,
    /// Clauses up to the end of the title and of each field.
    parts: Vec<usize>,
    /// All folded characters of the fields, boiler-plate included, marks left out: equal for equal texts.
    pub whole: Vec<char>,
}

impl Prose {
    /// From the fields of a topic by key; clauses whose mean plainness is below `plain_below` (half units) are left out.
    pub fn of<'a>(text: impl Fn(&str) -> &'a str, plain_below: f32) -> Self {
        let mut prose = Self::default();
        fold_steps(text("topic_title"), TITLE_CHARS_MAX, |step, _| match step {
            Step::Char(c) => prose.clauses.chars.push(c),
            Step::ClauseEnd | Step::SentenceEnd => prose.clauses.end(),
        });
        prose.clauses.end();
        prose.parts.push(prose.clauses.ends.len());
        let mut left = CHARS_MAX;
        let mut sentence = Clauses::default();
        for key in BODY {
            fold_steps(text(key), left, |step, _| match step {
                Step::Char(c) => sentence.chars.push(c),
                Step::ClauseEnd => sentence.end(),
                Step::SentenceEnd => {
                    sentence.end();
                    left = left.saturating_sub(sentence.chars.len());
                    prose.add(&mut sentence, plain_below);
                }
            });
            sentence.end();
            left = left.saturating_sub(sentence.chars.len());
            prose.add(&mut sentence, plain_below);
            prose.parts.push(prose.clauses.ends.len());
        }
        prose
    }

    /// Adds what is telling of a sentence, and empties it.
    fn add(&mut self, sentence: &mut Clauses, plain_below: f32) {
        self.whole.extend(sentence.chars.iter().filter(|c| is_word(**c)));
        let of_sentence = plainness(&sentence.scales);
        for clause in sentence.all().filter(|clause| is_telling(clause, of_sentence, plain_below)) {
            self.clauses.push(clause);
        }
        sentence.clear();
    }

    /// The title's clauses.
    pub fn title(&self) -> impl Iterator<Item = Clause<'_>> {
        self.clauses.get(0..self.parts.first().copied().unwrap_or(0))
    }

    /// The clauses of each field that are no boiler-plate.
    pub fn fields(&self) -> impl Iterator<Item = impl Iterator<Item = Clause<'_>>> {
        self.parts.iter().zip(self.parts.iter().skip(1)).map(|(start, end)| self.clauses.get(*start..*end))
    }
}

/// Chinese ideographs of the basic block, in which nearly all text is written.
pub fn is_han(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}')
}

/// Letters, digits and ideographs.
pub fn is_word(c: char) -> bool {
    is_han(c) || if c.is_ascii() { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() }
}

fn is_telling(clause: &Clause<'_>, of_sentence: Option<f32>, plain_below: f32) -> bool {
    let (Some(own), Some(of_sentence)) = (plainness(clause.scales), of_sentence) else { return true };
    let bonus = if clause.chars.iter().any(char::is_ascii_digit) { FIGURE_BONUS } else { 0.0 };
    own + SENTENCE_SHARE * (of_sentence - own) + bonus >= plain_below
}

/// Mean plainness of the pairs of ideographs (half units); `None` without any.
fn plainness(scales: &[Option<Scale>]) -> Option<f32> {
    let (mut pairs, mut sum) = (0_u32, 0_u32);
    for scale in scales.iter().flatten() {
        pairs += 1;
        sum += u32::from(scale.plainness);
    }
    #[expect(clippy::cast_precision_loss, reason = "one topic has far less than 2^24 half units")]
    let mean = (pairs > 0).then(|| sum as f32 / pairs as f32);
    mean
}

/// What folding makes of a text, step by step.
enum Step {
    Char(char),
    ClauseEnd,
    SentenceEnd,
}

/// Folds up to `most` characters; each step comes with the place (in bytes) of the character it is made from. A comma between digits is
/// part of the number.
fn fold_steps(text: &str, most: usize, mut step: impl FnMut(Step, usize)) {
    let mut after_digit = false;
    let mut chars = text.char_indices().take(most).map(|(at, c)| (at, narrow(c))).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            ',' if after_digit && chars.peek().is_some_and(|(_, next)| next.is_ascii_digit()) => continue,
            ';' | '。' | '!' | '?' | '\n' | '\r' => step(Step::SentenceEnd, at),
            ',' | ':' | '(' | ')' | '"' | '“' | '”' | '|' => step(Step::ClauseEnd, at),
            c if is_han(c) => step(Step::Char(c), at),
            c if c.is_ascii() => {
                if c.is_ascii_whitespace() || c.is_ascii_control() {
                    continue;
                }
                step(Step::Char(c.to_ascii_lowercase()), at);
            }
            c => {
                push_folded(c, &mut after_digit, |c| step(Step::Char(c), at));
                continue;
            }
        }
        after_digit = c.is_ascii_digit();
    }
}

/// A text beside what folding made of it: finds what was folded again as it was written.
pub struct Written<'a> {
    text: &'a str,
    /// Folded characters, a line end after each clause, and where each comes from.
    folded: Vec<(char, usize)>,
}

impl<'a> Written<'a> {
    pub fn of(text: &'a str) -> Self {
        let mut folded = Vec::new();
        fold_steps(text, CHARS_MAX, |step, at| match step {
            Step::Char(c) => folded.push((c, at)),
            Step::ClauseEnd | Step::SentenceEnd => folded.push(('\n', at)),
        });
        Self { text, folded }
    }

    /// The first place of a part of a folded clause, as it was written.
    pub fn find(&self, part: &str) -> Option<&'a str> {
        let part: Vec<char> = part.chars().collect();
        let is_part = |here: &&[(char, usize)]| here.iter().map(|(c, _)| c).eq(&part);
        let [(_, first), .., (_, last)] = self.folded.windows(part.len().max(1)).find(is_part)? else { return None };
        let end = last + self.text.get(*last..)?.chars().next()?.len_utf8();
        self.text.get(*first..end)
    }
}

/// Full-width forms of ASCII and the ideographic space.
fn narrow(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '\u{3000}' => ' ',
        '\u{2028}' | '\u{2029}' => '\n',
        c => c,
    }
}

/// NFKD of one character, lower case; white space and what cannot be seen are dropped. The two micro signs and the minus sign become one.
fn push_folded(c: char, after_digit: &mut bool, mut push: impl FnMut(char)) {
    let mut push = |c: char| {
        *after_digit = c.is_ascii_digit();
        push(c);
    };
    match c {
        'µ' | 'μ' => push('u'),
        '−' | '–' | '—' | '～' => push('-'),
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' => {}
        c => decompose_compatible(c, |part| {
            if !part.is_whitespace() && !part.is_control() {
                part.to_lowercase().for_each(&mut push);
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clauses(text: &str) -> Vec<String> {
        texts(Prose::of(|key| if key == "problem" { text } else { "" }, 0.0).fields().flatten())
    }

    fn texts<'a>(clauses: impl Iterator<Item = Clause<'a>>) -> Vec<String> {
        clauses.map(|clause| clause.chars.iter().collect()).collect()
    }

    #[test]
    fn widths_spaces_and_marks_fold_away() {
        assert_eq!(clauses("ＡＢ　c，1,200 μm；≥３ ℃"), ["abc", "1200um", "≥3°c"]);
    }

    #[test]
    fn what_anybody_writes_is_left_out() {
        let text = "我省企业长期依赖进口，属于“卡脖子”环节，亟需开展关键核心技术攻关。鹿茸多肽酶解液苦味重";
        let prose = Prose::of(|key| if key == "problem" { text } else { "" }, 23.0);
        assert_eq!(texts(prose.fields().flatten()), ["鹿茸多肽酶解液苦味重"]);
    }

    #[test]
    fn what_was_folded_is_found_as_it_was_written() {
        let text = "前文。ＡＢ　c，耐温≥１,200 ℃ 时 Ra≤0.8μm；后文";
        let written = Written::of(text);
        assert_eq!(written.find("abc"), Some("ＡＢ　c"));
        assert_eq!(written.find("≥1200°c时ra"), Some("≥１,200 ℃ 时 Ra"));
        assert_eq!(written.find("c时"), Some("℃ 时"));
        assert_eq!(written.find("c耐温"), None, "not over the end of a clause");
        assert_eq!(written.find(""), None);
    }

    #[test]
    fn endless_text_is_cut() {
        let text = "齿轮箱".repeat(100_000);
        assert!(Prose::of(|_| &text, 23.0).whole.len() <= CHARS_MAX);
    }
}
