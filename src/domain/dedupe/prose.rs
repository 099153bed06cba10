//! What a topic says, ready to be compared: the text of its fields, folded, cut into clauses, without the clauses that anybody writes.

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
/// Room for a usual clause.
const CLAUSE_CHARS: usize = 64;
/// What the whole sentence says about each of its clauses: boiler-plate comes by the sentence.
const SENTENCE_SHARE: f32 = 0.6;

/// One clause, folded: neither white space nor the mark that ended it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clause {
    pub chars: Vec<char>,
    /// Of each character but the last with the next one; `None` unless both are ideographs.
    pub scales: Vec<Option<Scale>>,
}

impl Clause {
    fn of(chars: &[char]) -> Self {
        let tables = rarity::tables();
        let scale = |(first, second): (&char, &char)| (is_han(*first) && is_han(*second)).then(|| tables.get(*first, *second));
        let scales = chars.iter().zip(chars.iter().skip(1)).map(scale).collect();
        Self { chars: chars.to_vec(), scales }
    }
}

/// The text of one topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prose {
    pub title: Vec<Clause>,
    /// Field by field, without boiler-plate.
    pub fields: Vec<Vec<Clause>>,
    /// All folded characters of the fields, boiler-plate included, marks left out: equal for equal texts.
    pub whole: Vec<char>,
}

impl Prose {
    /// From the fields of a topic by key; clauses whose mean plainness is below `plain_below` (half units) are left out.
    pub fn of<'a>(text: impl Fn(&str) -> &'a str, plain_below: f32) -> Self {
        let mut prose = Self { title: folded(text("topic_title"), TITLE_CHARS_MAX).into_iter().flatten().collect(), ..Self::default() };
        let mut left = CHARS_MAX;
        for key in BODY {
            let mut telling = Vec::new();
            for sentence in folded(text(key), left) {
                let of_sentence = plainness(&sentence);
                for clause in sentence {
                    left = left.saturating_sub(clause.chars.len());
                    prose.whole.extend(clause.chars.iter().filter(|c| is_word(**c)));
                    if is_telling(&clause, of_sentence, plain_below) {
                        telling.push(clause);
                    }
                }
            }
            if !telling.is_empty() {
                prose.fields.push(telling);
            }
        }
        prose
    }
}

/// Chinese ideographs of the basic block, in which nearly all text is written.
pub fn is_han(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}')
}

/// Letters, digits and ideographs.
pub fn is_word(c: char) -> bool {
    is_han(c) || c.is_alphanumeric()
}

fn is_telling(clause: &Clause, of_sentence: Option<f32>, plain_below: f32) -> bool {
    let (Some(own), Some(of_sentence)) = (plainness(std::slice::from_ref(clause)), of_sentence) else { return true };
    let bonus = if clause.chars.iter().any(char::is_ascii_digit) { FIGURE_BONUS } else { 0.0 };
    own + SENTENCE_SHARE * (of_sentence - own) + bonus >= plain_below
}

/// Mean plainness of the pairs of ideographs (half units); `None` without any.
fn plainness(clauses: &[Clause]) -> Option<f32> {
    let (mut pairs, mut sum) = (0_u32, 0_u32);
    for scale in clauses.iter().flat_map(|clause| &clause.scales).flatten() {
        pairs += 1;
        sum += u32::from(scale.plainness);
    }
    #[expect(clippy::cast_precision_loss, reason = "one topic has far less than 2^24 half units")]
    let mean = (pairs > 0).then(|| sum as f32 / pairs as f32);
    mean
}

/// Folds up to `most` characters and cuts them into sentences of clauses. A comma between digits is part of the number.
fn folded(text: &str, most: usize) -> Vec<Vec<Clause>> {
    let mut sentences = vec![Vec::new()];
    let mut clause = Vec::with_capacity(CLAUSE_CHARS);
    let mut chars = text.chars().take(most).peekable();
    while let Some(c) = chars.next() {
        let c = narrow(c);
        match c {
            ',' if clause.last().is_some_and(char::is_ascii_digit) && chars.peek().is_some_and(char::is_ascii_digit) => {}
            ',' | ';' | '。' | '!' | '?' | ':' | '(' | ')' | '\n' | '\r' | '"' | '“' | '”' | '|' => {
                end(&mut sentences, &mut clause, matches!(c, ';' | '。' | '!' | '?' | '\n' | '\r'));
            }
            c if is_han(c) => clause.push(c),
            c if c.is_ascii() => {
                if !c.is_ascii_whitespace() && !c.is_ascii_control() {
                    clause.push(c.to_ascii_lowercase());
                }
            }
            c => push_folded(&mut clause, c),
        }
    }
    end(&mut sentences, &mut clause, false);
    sentences
}

/// Puts a finished clause into the last sentence and, if that ends too, opens the next.
fn end(sentences: &mut Vec<Vec<Clause>>, clause: &mut Vec<char>, sentence: bool) {
    if let Some(last) = sentences.last_mut() {
        if !clause.is_empty() {
            last.push(Clause::of(clause));
            clause.clear();
        }
        if sentence && !last.is_empty() {
            sentences.push(Vec::new());
        }
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
fn push_folded(clause: &mut Vec<char>, c: char) {
    match c {
        'µ' | 'μ' => clause.push('u'),
        '−' | '–' | '—' | '～' => clause.push('-'),
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' => {}
        c => decompose_compatible(c, |part| {
            if !part.is_whitespace() && !part.is_control() {
                clause.extend(part.to_lowercase());
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clauses(text: &str) -> Vec<String> {
        folded(text, 1000).into_iter().flatten().map(|clause| clause.chars.into_iter().collect()).collect()
    }

    #[test]
    fn widths_spaces_and_marks_fold_away() {
        assert_eq!(clauses("ＡＢ　c，1,200 μm；≥３ ℃"), ["abc", "1200um", "≥3°c"]);
    }

    #[test]
    fn what_anybody_writes_is_left_out() {
        let text = "我省企业长期依赖进口，属于“卡脖子”环节，亟需开展关键核心技术攻关。鹿茸多肽酶解液苦味重";
        let prose = Prose::of(|key| if key == "problem" { text } else { "" }, 23.0);
        assert_eq!(prose.fields, [[Clause::of(&"鹿茸多肽酶解液苦味重".chars().collect::<Vec<_>>())]]);
    }

    #[test]
    fn endless_text_is_cut() {
        let text = "齿轮箱".repeat(100_000);
        assert!(Prose::of(|_| &text, 23.0).whole.len() <= CHARS_MAX);
    }
}
