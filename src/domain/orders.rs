//! What a division orders by mail, in the words it would use: one order a line, above the quoted text.
//!
//! `受理 2024-00037-5`, `转 医药工业处 2024-00037-5 属于医疗器械`, `补正 … 意见`, `退回 … 原因`, `重复 … …`, `查询 …`. Several numbers and
//! ranges a line; full-width signs, missing spaces and numbers in front are understood.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{folding::one_line, links::above_quote, receipt_number, routing::Divisions};

/// Numbers that one line may name, ranges counted out.
const NUMBERS_MAX: usize = 200;
/// Lines of one mail that are looked at.
const LINES_MAX: usize = 500;

/// One order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// 受理: the division takes the topic on.
    Accept,
    /// 转: it belongs to another division.
    Transfer {
        /// Division id.
        to: String,
        reason: String,
    },
    /// 补正: guidance for the submitter (R25).
    Amend { opinion: String },
    /// 退回: not this division's, and no other is named; a person decides.
    Return { reason: String },
    /// 重复: a person's word that two topics are one.
    Duplicate { of: String },
    /// 查询: tell me about it.
    Query,
}

/// What one line says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// As written.
    pub text: String,
    pub said: Result<Said, Misunderstood>,
}

/// An order and the topics it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub order: Order,
    /// Receipt numbers.
    pub topics: Vec<String>,
}

/// Why a line that looks like an order is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Misunderstood {
    NoVerb,
    NoNumber,
    /// The number's check digit does not fit.
    WrongNumber(String),
    TooManyNumbers,
    /// 转 without a division that is known.
    UnknownDivision(String),
    /// 补正, 退回 without words.
    NoReason,
    /// 重复 needs two numbers.
    NotTwoNumbers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Accept,
    Transfer,
    Amend,
    Return,
    Duplicate,
    Query,
}

/// Longer words first: 转办 before 转.
const VERBS: [(&str, Verb); 27] = [
    ("同意受理", Verb::Accept),
    ("予以受理", Verb::Accept),
    ("已受理", Verb::Accept),
    ("受理", Verb::Accept),
    ("接收", Verb::Accept),
    ("请转至", Verb::Transfer),
    ("请转", Verb::Transfer),
    ("转办至", Verb::Transfer),
    ("转办", Verb::Transfer),
    ("转至", Verb::Transfer),
    ("转到", Verb::Transfer),
    ("转给", Verb::Transfer),
    ("转交", Verb::Transfer),
    ("移交", Verb::Transfer),
    ("改派", Verb::Transfer),
    ("转", Verb::Transfer),
    ("需补正", Verb::Amend),
    ("请补正", Verb::Amend),
    ("补正", Verb::Amend),
    ("退回", Verb::Return),
    ("退", Verb::Return),
    ("疑似重复", Verb::Duplicate),
    ("重复", Verb::Duplicate),
    ("请查询", Verb::Query),
    ("查询", Verb::Query),
    ("查看", Verb::Query),
    ("查", Verb::Query),
];

/// A number, or a range of two.
static NUMBER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(20\d\d-\d{5,}-\d)(?:\s*(?:至|到|~|—+|--+|\.\.+)\s*(20\d\d-\d{5,}-\d))?").ok());
/// Digits that were meant as a number.
static NEARLY_A_NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"20\d\d(?:-\d+|\d{3,})(?:-\d*)?").ok());

/// The orders of a mail's text: every line above the quoted history that begins with a verb or names a number. Greetings and
/// signatures are passed over.
#[must_use]
pub fn find_in(text: &str, divisions: &Divisions) -> Vec<OrderLine> {
    above_quote(text).lines().take(LINES_MAX).map(one_line).filter_map(|line| read_line(&line, divisions)).collect()
}

/// One line; `None` where it is no order and does not try to be one.
#[must_use]
pub fn read_line(line: &str, divisions: &Divisions) -> Option<OrderLine> {
    let plain = plain(line);
    let numbers = numbers(&plain);
    let words = without_numbers(&plain);
    let verb = verb_of(&words);
    let named = !matches!(&numbers, Ok(found) if found.is_empty());
    let said = match (verb, numbers) {
        (None, _) if !named => return None,
        // "转发给你" and "查收" are talk, not orders.
        (Some(_), Ok(found)) if found.is_empty() && !has_digits(&plain) => return None,
        (_, Err(misunderstood)) => Err(misunderstood),
        (None, Ok(_)) => Err(Misunderstood::NoVerb),
        (Some(_), Ok(found)) if found.is_empty() => Err(Misunderstood::NoNumber),
        (Some((verb, rest)), Ok(found)) => order(verb, rest, found, divisions),
    };
    Some(OrderLine { text: line.to_owned(), said })
}

fn order(verb: Verb, rest: &str, mut topics: Vec<String>, divisions: &Divisions) -> Result<Said, Misunderstood> {
    let words = rest.trim_matches(|c: char| c.is_whitespace() || "：:，,、。;；（）()".contains(c));
    let order = match verb {
        Verb::Accept => Order::Accept,
        Verb::Query => Order::Query,
        Verb::Amend if words.is_empty() => return Err(Misunderstood::NoReason),
        Verb::Amend => Order::Amend { opinion: words.to_owned() },
        Verb::Return if words.is_empty() => return Err(Misunderstood::NoReason),
        Verb::Return => Order::Return { reason: words.to_owned() },
        Verb::Transfer => {
            let (to, reason) = division_in(words, divisions).ok_or_else(|| Misunderstood::UnknownDivision(words.to_owned()))?;
            Order::Transfer { to, reason }
        }
        Verb::Duplicate => match topics.as_slice() {
            [_, of] => {
                let of = of.clone();
                topics.truncate(1);
                Order::Duplicate { of }
            }
            _ => return Err(Misunderstood::NotTwoNumbers),
        },
    };
    Ok(Said { order, topics })
}

/// The division that words begin with, by name, id, or the name without its 处; and what follows.
fn division_in(words: &str, divisions: &Divisions) -> Option<(String, String)> {
    let mut names: Vec<(String, &str)> = Vec::new();
    for division in &divisions.entries {
        names.push((division.name.clone(), &division.id));
        names.push((division.id.clone(), &division.id));
        for ending in ["工业处", "处"] {
            if let Some(short) = division.name.strip_suffix(ending).filter(|short| short.chars().count() >= 2) {
                names.push((format!("{short}处"), &division.id));
                names.push((short.to_owned(), &division.id));
            }
        }
    }
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    let words = words.trim_start_matches(|c: char| c.is_whitespace() || "给到至：:".contains(c));
    let (name, id) = names.iter().find(|(name, _)| words.starts_with(name.as_str()))?;
    let reason = words.strip_prefix(name.as_str()).unwrap_or_default().trim_start_matches('处');
    let reason = reason.trim_matches(|c: char| c.is_whitespace() || "：:，,、。;；（）()".contains(c));
    Some(((*id).to_owned(), reason.strip_prefix("原因").unwrap_or(reason).trim_start_matches(['：', ':', ' ']).to_owned()))
}

/// Half-width digits and dashes; a list mark in front drops out.
fn plain(line: &str) -> String {
    let line: String = line
        .chars()
        .map(|c| match c {
            '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10).unwrap_or(c),
            '－' | '–' | '‐' | '−' => '-',
            '～' => '~',
            '\u{3000}' => ' ',
            other => other,
        })
        .collect();
    let spaced = line.replace(" -", "-").replace("- ", "-");
    let spaced = spaced.trim_start();
    let mark = spaced.find(|c: char| !c.is_ascii_digit()).filter(|at| (1..=2).contains(at));
    match mark.and_then(|at| spaced.get(at..)).and_then(|rest| rest.strip_prefix(['.', '、', ')', '）'])) {
        Some(rest) => rest.trim_start().to_owned(),
        None => spaced.trim_start_matches(['-', '*', '·', '•', ' ']).to_owned(),
    }
}

/// All numbers of a line, ranges counted out.
fn numbers(plain: &str) -> Result<Vec<String>, Misunderstood> {
    let mut found = Vec::new();
    for captures in NUMBER.iter().flat_map(|pattern| pattern.captures_iter(plain)) {
        let number = |index: usize| captures.get(index).map(|part| part.as_str().to_owned());
        for number in [number(1), number(2)].into_iter().flatten() {
            if !receipt_number::is_valid(&number) {
                return Err(Misunderstood::WrongNumber(number));
            }
        }
        let range = match (number(1), number(2)) {
            (Some(from), Some(to)) => receipt_number::range(&from, &to, NUMBERS_MAX).ok_or(Misunderstood::TooManyNumbers)?,
            (Some(one), None) => vec![one],
            _ => Vec::new(),
        };
        found.extend(range);
        if found.len() > NUMBERS_MAX {
            return Err(Misunderstood::TooManyNumbers);
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|number| seen.insert(number.clone()));
    if found.is_empty()
        && let Some(nearly) = NEARLY_A_NUMBER.as_ref().and_then(|pattern| pattern.find(plain))
        && verb_of(&without_numbers(plain)).is_some()
    {
        return Err(Misunderstood::WrongNumber(nearly.as_str().to_owned()));
    }
    Ok(found)
}

fn without_numbers(plain: &str) -> String {
    let words = NUMBER.as_ref().map_or_else(|| plain.to_owned(), |pattern| pattern.replace_all(plain, " ").into_owned());
    words.trim_start_matches(|c: char| c.is_whitespace() || "：:，,、。;；和及与".contains(c)).to_owned()
}

fn has_digits(plain: &str) -> bool {
    NEARLY_A_NUMBER.as_ref().is_some_and(|pattern| pattern.is_match(plain))
}

fn verb_of(words: &str) -> Option<(Verb, &str)> {
    VERBS.iter().find_map(|(word, verb)| words.strip_prefix(word).map(|rest| (*verb, rest)))
}

impl Misunderstood {
    /// What to tell the division, with an example.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::NoVerb => "未写明如何处理，例如：受理 2024-00037-5".to_owned(),
            Self::NoNumber => "未写明回执编号，例如：受理 2024-00037-5".to_owned(),
            Self::WrongNumber(number) => format!("回执编号“{number}”有误，请对照清单核对"),
            Self::TooManyNumbers => format!("一行中的编号超过{NUMBERS_MAX}个，或起止编号颠倒，请分行填写"),
            Self::UnknownDivision(words) if words.is_empty() => {
                "未写明转往的处室，例如：转 医药工业处 2024-00037-5 属于医疗器械".to_owned()
            }
            Self::UnknownDivision(words) => {
                let shown: String = words.chars().take(20).collect();
                format!("未识别到处室“{shown}”，请写处室全称，例如：转 医药工业处 2024-00037-5 属于医疗器械")
            }
            Self::NoReason => "请写明意见或原因，例如：补正 2024-00037-5 请补充国际对标数据".to_owned(),
            Self::NotTwoNumbers => "请写两个回执编号，例如：重复 2024-00037-5 2024-00012-7".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(serial: i64) -> String {
        receipt_number::format(2024, serial)
    }

    fn said(line: &str) -> Result<Said, Misunderstood> {
        read_line(line, &Divisions::shipped()).unwrap().said
    }

    fn order(order: Order, serials: &[i64]) -> Result<Said, Misunderstood> {
        Ok(Said { order, topics: serials.iter().map(|serial| number(*serial)).collect() })
    }

    #[test]
    fn the_words_a_division_would_use_are_understood() {
        let (one, two) = (number(37), number(12));
        assert_eq!(said(&format!("受理 {one}")), order(Order::Accept, &[37]));
        assert_eq!(said(&format!("1、受理{one}、{two}")), order(Order::Accept, &[37, 12]));
        assert_eq!(said(&format!("{one} 受理")), order(Order::Accept, &[37]));
        let transfer = |reason: &str| order(Order::Transfer { to: "pharma".into(), reason: reason.into() }, &[37]);
        assert_eq!(said(&format!("转 医药工业处 {one} 属于医疗器械")), transfer("属于医疗器械"));
        assert_eq!(said(&format!("转医药处{one}，原因：属于医疗器械")), transfer("属于医疗器械"));
        assert_eq!(said(&format!("请转至 {one} 医药工业处")), transfer(""));
        assert_eq!(said(&format!("补正：{one} 请补充国际对标数据。")), order(Order::Amend { opinion: "请补充国际对标数据".into() }, &[37]));
        assert_eq!(said(&format!("退回 {one} 不属于我处职责")), order(Order::Return { reason: "不属于我处职责".into() }, &[37]));
        assert_eq!(said(&format!("重复 {one} {two}")), order(Order::Duplicate { of: two.clone() }, &[37]));
        assert_eq!(said(&format!("查询 {two}")), order(Order::Query, &[12]));
    }

    #[test]
    fn full_width_signs_and_ranges_are_understood() {
        let (from, to) = (number(3), number(6));
        let wide: String = from.chars().map(|c| if c == '-' { '－' } else { char::from_u32(u32::from(c) + 0xFEE0).unwrap() }).collect();
        assert_eq!(said(&format!("受理　{wide}")), order(Order::Accept, &[3]));
        assert_eq!(said(&format!("受理 {from}至{to}")), order(Order::Accept, &[3, 4, 5, 6]));
        assert_eq!(said(&format!("受理 {from}～{to}")), order(Order::Accept, &[3, 4, 5, 6]));
        assert_eq!(said(&format!("受理 {to}至{from}")), Err(Misunderstood::TooManyNumbers));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let one = number(37);
        let wrong = format!("{}{}", &one[..one.len() - 1], (one[one.len() - 1..].parse::<u32>().unwrap() + 1) % 10);
        assert_eq!(said(&format!("受理 {wrong}")), Err(Misunderstood::WrongNumber(wrong.clone())));
        assert_eq!(said(&format!("{one} 看过了")), Err(Misunderstood::NoVerb));
        assert_eq!(said(&format!("转 火箭处 {one}")), Err(Misunderstood::UnknownDivision("火箭处".into())));
        assert_eq!(said(&format!("补正 {one}")), Err(Misunderstood::NoReason));
        assert_eq!(said(&format!("重复 {one}")), Err(Misunderstood::NotTwoNumbers));
        assert_eq!(said("受理 2024-37"), Err(Misunderstood::WrongNumber("2024-37".into())));
    }

    #[test]
    fn greetings_signatures_and_quoted_history_are_no_orders() {
        let text = format!(
            "您好：\n受理 {}\n查收。\n转发给科长了\n王科长 0431-88970710\n\n------ 原始邮件 ------\n发件人: x\n受理 {}\n",
            number(1),
            number(2)
        );
        let lines = find_in(&text, &Divisions::shipped());
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].said, order(Order::Accept, &[1]));
    }
}
