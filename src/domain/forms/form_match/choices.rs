//! Rows of check boxes, however they were typed, become the options chosen.
//!
//! Boxes that Word draws arrive as ☑ and ☐; typed ones are √ ■ ✔ □ ○ 口 （√） `[x]` and more. Two chosen where one is asked for, or none,
//! is said as it stands: judging it is not the reader's matter.

use super::super::catalogue::{Field, FieldKind};

/// Longest option of a row of boxes in a field that is no choice by itself, in characters.
const OPTION_MAX_CHARS: usize = 24;

/// What the boxes of a text say.
#[derive(Debug, PartialEq, Eq)]
pub enum Chosen {
    /// The text is no row of boxes.
    NoBoxes,
    /// No box is checked.
    Nothing,
    /// The options chosen, joined by 、.
    Options(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Mark(Mark),
    Text(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    checked: bool,
    /// A sign that is nothing but a box: a bullet or tick may also stand in a text.
    is_box: bool,
}

/// Whether a line begins with a box: it is one more option of the question before.
pub fn begins_with_box(line: &str) -> bool {
    let chars: Vec<char> = line.trim_start().chars().take(12).collect();
    mark_at(&chars, 0, true, true).is_some()
}

/// Reads the boxes of a value.
pub fn chosen(field: &Field, text: &str) -> Chosen {
    let is_choice = matches!(field.kind, FieldKind::Enum | FieldKind::Multi);
    let tokens = tokens(text, is_choice);
    let marks: Vec<Mark> = tokens.iter().filter_map(|token| if let Token::Mark(mark) = token { Some(*mark) } else { None }).collect();
    let empty = marks.iter().filter(|mark| !mark.checked).count();
    let starts_with_box = matches!(tokens.first(), Some(Token::Mark(mark)) if mark.is_box);
    if marks.is_empty() || (!is_choice && empty == 0 && !starts_with_box) || (!is_choice && marks.len() == 1 && !starts_with_box) {
        return Chosen::NoBoxes;
    }
    let options = options(&tokens, empty > 0, field);
    let picked: Vec<&str> =
        options.iter().filter(|(_, checked)| *checked).map(|(text, _)| text.as_str()).filter(|text| !text.is_empty()).collect();
    if !picked.is_empty() {
        return Chosen::Options(picked.join("、"));
    }
    // A list whose items begin with □ is a text; a row of short options with empty boxes is an unanswered question.
    let is_row = options.iter().all(|(text, _)| text.chars().count() <= OPTION_MAX_CHARS);
    if is_choice || marks.len() == 1 || is_row { Chosen::Nothing } else { Chosen::NoBoxes }
}

/// Each option with its box: the box stands before its option, or behind it (企业（√）高校（ ）).
fn options(tokens: &[Token], has_empty: bool, field: &Field) -> Vec<(String, bool)> {
    let leads = match tokens.first() {
        Some(Token::Text(text)) => {
            text.trim_end().ends_with([':', '：']) || matches!(tokens.last(), Some(Token::Text(last)) if !is_hint(last))
        }
        _ => true,
    };
    let mut options = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Token::Mark(mark) = token else { continue };
        let beside = if leads { tokens.get(at + 1) } else { at.checked_sub(1).and_then(|at| tokens.get(at)) };
        let Some(Token::Text(text)) = beside else { continue };
        options.push((option(text, leads, has_empty, field), mark.checked));
    }
    options
}

/// One option's own words. Without empty boxes the other options stand in the same text, behind or before it.
fn option(text: &str, leads: bool, has_empty: bool, field: &Field) -> String {
    let separators = |c: char| c.is_whitespace() || matches!(c, '、' | '，' | ',' | '；' | ';' | '/' | '|');
    let text = text.trim_matches(separators);
    let text = if has_empty || field.choices.is_empty() {
        text
    } else if leads {
        text.split(separators).next().unwrap_or(text)
    } else {
        text.rsplit(separators).next().unwrap_or(text)
    };
    let text = if let Some(at) = text.rfind(['（', '(']).filter(|at| text.get(*at..).is_some_and(is_hint)) {
        text.get(..at).unwrap_or(text)
    } else {
        text
    };
    text.trim_end_matches(|c: char| separators(c) || c == '_').split_whitespace().collect::<Vec<_>>().join(" ")
}

/// （可多选） behind the last option.
fn is_hint(text: &str) -> bool {
    let text = text.trim();
    text.is_empty()
        || (text.starts_with(['(', '（']) && ["选", "√", "勾"].iter().any(|word| text.contains(word)) && text.chars().count() < 20)
}

/// Marks and the texts between them; marks that touch are one, checked if any is (□√).
fn tokens(text: &str, is_choice: bool) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let has_sure = chars.iter().any(|c| matches!(c, '□' | '☐' | '☑' | '☒' | '√' | '✓' | '✔' | '■' | '£'));
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        let (mark, length) = match mark_at(&chars, at, is_choice, has_sure) {
            Some(found) => (Some(found.0), found.1),
            None => (None, 1),
        };
        match (mark, tokens.last_mut()) {
            (Some(mark), Some(Token::Mark(before))) => {
                *before = Mark { checked: before.checked || mark.checked, is_box: before.is_box || mark.is_box };
            }
            (Some(mark), _) => tokens.push(Token::Mark(mark)),
            // Spaces between a box and its tick do not part them, nor do they begin a text.
            (None, None | Some(Token::Mark(_))) if c.is_whitespace() => {}
            (None, Some(Token::Text(text))) => text.push(*c),
            (None, _) => tokens.push(Token::Text(c.to_string())),
        }
        at += length;
    }
    if let Some(Token::Text(text)) = tokens.last()
        && text.trim().is_empty()
    {
        tokens.pop();
    }
    tokens
}

/// A mark at this place, and how many characters it takes.
fn mark_at(chars: &[char], at: usize, is_choice: bool, has_sure: bool) -> Option<(Mark, usize)> {
    let c = *chars.get(at)?;
    let before = at.checked_sub(1).and_then(|at| chars.get(at)).copied();
    let after = chars.get(at + 1).copied();
    let opens = before.is_none_or(|c| c.is_whitespace() || !c.is_alphanumeric());
    let mark = |checked, is_box| Some((Mark { checked, is_box }, 1));
    match c {
        '☑' | '☒' | '✔' | '✓' | '√' | '✅' | '🗹' | '🗸' | '⍻' | '⊠' | '⊡' | '▣' | '🗷' | '🗵' | '🗶' => {
            mark(true, true)
        }
        '☐' | '□' | '▢' | '◻' | '⬜' | '❏' | '❐' | '❑' | '❒' | '◽' | '▫' | '🞏' | '🞎' | '🞐' | '🞑' | '🞍' => {
            mark(false, true)
        }
        '■' | '◼' | '⬛' | '●' | '◉' | '⊙' | '◆' | '◾' if opens || is_choice => mark(true, false),
        '○' | '◯' | '◇' | '⚪' if opens || is_choice => mark(false, false),
        // The character 口 typed for a box, and what Wingdings boxes become when the font is lost.
        '口' if opens && (is_choice || has_sure) && after.is_some_and(|c| !c.is_whitespace()) => mark(false, false),
        'R' | 'þ' | 'ý' if opens && has_sure && after.is_some_and(|c| !c.is_ascii_alphanumeric()) => mark(true, false),
        '£' | '¨' if opens && (is_choice || has_sure) => mark(false, false),
        '(' | '（' | '[' | '［' | '【' | '〔' => bracketed(chars, at, is_choice || has_sure),
        _ => None,
    }
}

/// （√） （ ） `[x]` `[ ]`
fn bracketed(chars: &[char], at: usize, expected: bool) -> Option<(Mark, usize)> {
    let mut checked = false;
    let mut inside = 0;
    for (length, c) in chars.iter().skip(at + 1).take(8).enumerate() {
        match c {
            ')' | '）' | ']' | '］' | '】' | '〕' => {
                return (expected || checked).then_some((Mark { checked, is_box: checked }, length + 2)).filter(|_| inside <= 1);
            }
            '√' | '✓' | '✔' | '■' | '☑' | 'x' | 'X' | '×' | 'v' | 'V' | '*' | '＊' => {
                // (x) is a check only in square brackets; （√） in any.
                checked = !matches!(c, 'x' | 'X' | 'v' | 'V' | '*' | '＊' | '×') || matches!(chars.get(at), Some('[' | '［'));
                inside += 1;
                if !checked {
                    return None;
                }
            }
            c if c.is_whitespace() => {}
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::forms::catalogue::Catalogue;

    fn read(key: &str, text: &str) -> Chosen {
        let catalogue = Catalogue::shipped();
        chosen(catalogue.form("annex1").unwrap().field(key).unwrap(), text)
    }

    #[test]
    fn the_chosen_options_are_read_in_every_typing() {
        for text in [
            "☑自主研发 ☐联合高校院所 ☐委托研发",
            "■自主研发　□联合高校院所　□委托研发",
            "√自主研发  □联合高校院所  □委托研发",
            "□√自主研发 □联合高校院所",
            "□联合高校院所\n☒ 自主研发\n□委托研发",
            "（√）自主研发 （ ）联合高校院所 （　）委托研发",
            "[x]自主研发 [ ]联合高校院所",
            "自主研发（√） 联合高校院所（ ） 委托研发（ ）",
            "自主研发☑ 联合高校院所☐ 委托研发☐",
            "●自主研发 ○联合高校院所 ○委托研发",
            "口联合高校院所 √自主研发 口委托研发",
            "√自主研发  联合高校院所  委托研发",
            "方式：☑自主研发、□委托研发（可多选）",
            "R自主研发 £联合高校院所",
            "□委托研发、☑自主研发",
        ] {
            assert_eq!(read("mode", text), Chosen::Options("自主研发".to_owned()), "{text}");
        }
    }

    #[test]
    fn several_chosen_options_are_joined() {
        assert_eq!(
            read("topic_type", "☑关键共性技术 ☐前沿引领技术 ☑“卡脖子”技术 ☑其他：军民两用____"),
            Chosen::Options("关键共性技术、“卡脖子”技术、其他：军民两用".to_owned())
        );
        assert_eq!(read("industry", "□汽车 ☑装备制造 □医药"), Chosen::Options("装备制造".to_owned()));
        assert_eq!(read("pledge", "☑ 本单位承诺所填内容真实。"), Chosen::Options("本单位承诺所填内容真实。".to_owned()));
    }

    #[test]
    fn no_box_checked_is_no_answer() {
        assert_eq!(read("mode", "□自主研发 □联合高校院所"), Chosen::Nothing);
        assert_eq!(read("mode", "自主研发（ ） 委托研发（ ）"), Chosen::Nothing);
        assert_eq!(read("industry", "□汽车 □装备制造 □医药"), Chosen::Nothing);
        assert_eq!(read("pledge", "☐ 本单位承诺所填内容真实，如有不实愿承担一切责任。"), Chosen::Nothing);
    }

    #[test]
    fn texts_with_bullets_are_no_boxes() {
        for (key, text) in [
            ("params", "■效率≥95%\n■质量≤780kg"),
            ("params", "●效率≥95%；●寿命≥1万小时"),
            ("mode", "自主研发"),
            ("goal", "提高出口产品的竞争力（见图1）"),
            ("params", "（1）效率≥95%（额定）（2）质量"),
            ("goal", "圆孔直径○5mm"),
        ] {
            assert_eq!(read(key, text), Chosen::NoBoxes, "{text}");
        }
    }
}
