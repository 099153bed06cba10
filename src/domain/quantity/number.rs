//! Numbers as people write them: `1,200.5`, `1.5×10⁸`, `10^5`, `3万`, `1e6`, `三十五万`, `百分之五`.

use super::Text;

/// A number found in a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number {
    pub value: f64,
    /// The place behind it, multiples included.
    pub end: usize,
    /// Written in Chinese numerals.
    pub chinese: bool,
    /// It ends with a multiple: 万, 亿.
    pub multiple: bool,
    /// It begins with a zero that is not the whole part: a telephone's area code, a serial number.
    pub padded: bool,
    /// 百分之, 千分之, 万分之: the unit that goes with it.
    pub share: Option<&'static str>,
}

/// Digits of one number that are read; more are no quantity of this world.
const DIGITS_MAX: usize = 40;
/// Digits that a number in floating point keeps as they are written.
const PLAIN_DIGITS: usize = 15;
/// Below this, a number in floating point keeps its whole part as it is.
const WHOLE_MAX: f64 = 1e15;

/// The number that begins at a place, without a sign.
#[must_use]
pub fn number_at(text: &Text, place: usize) -> Option<Number> {
    if text.at(place).is_ascii_digit() { decimal(text, place) } else { share(text, place).or_else(|| chinese(text, place)) }
}

fn decimal(text: &Text, place: usize) -> Option<Number> {
    let mut digits = String::new();
    let mut at = place;
    while digits.len() < DIGITS_MAX {
        let c = text.at(at);
        if c.is_ascii_digit() || (c == '.' && text.at(at + 1).is_ascii_digit() && !digits.contains('.')) {
            digits.push(c);
            at += 1;
        } else if c == ',' && is_thousands(text, at, &digits) {
            at += 1;
        } else {
            break;
        }
    }
    let padded = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    let written: f64 = digits.parse().ok()?;
    let mut value = written;
    if let Some((power, end)) = power_of_ten(text, at, value) {
        (value, at) = (power, end);
    }
    let (factor, end) = multiple(text, at);
    // What was written in so few digits has no noise, nor have whole numbers.
    let is_plain = digits.len() <= PLAIN_DIGITS && factor <= 1.0 && value.to_bits() == written.to_bits();
    let is_whole = value.fract() == 0.0 && value * factor < WHOLE_MAX;
    let value = if is_plain || is_whole { value * factor } else { tidy(value * factor) };
    Some(Number { value, end, chinese: false, multiple: factor > 1.0, padded, share: None })
}

/// A comma with three digits behind it, and at most three before it.
fn is_thousands(text: &Text, at: usize, digits: &str) -> bool {
    let three = (1..=3).all(|offset| text.at(at + offset).is_ascii_digit()) && !text.at(at + 4).is_ascii_digit();
    three && !digits.contains('.') && !digits.starts_with('0') && (digits.len() <= 3 || text.before(at.saturating_sub(3)) == ',')
}

/// `×10^5`, `x10⁵`, `e6`, or the number itself is the 10 of `10^5`.
fn power_of_ten(text: &Text, at: usize, value: f64) -> Option<(f64, usize)> {
    if is_ten(value)
        && let Some((exponent, end)) = exponent(text, at)
    {
        return Some((ten_to(exponent)?, end));
    }
    let sign = text.skip_blanks(at);
    if matches!(text.at(sign), '×' | 'x' | 'X' | '*' | '·' | '✕') {
        let ten = text.skip_blanks(sign + 1);
        if text.starts_with(ten, "10")
            && let Some((exponent, end)) = exponent(text, ten + 2)
        {
            return Some((value * ten_to(exponent)?, end));
        }
    }
    if matches!(text.at(at), 'e' | 'E') {
        let digits = if matches!(text.at(at + 1), '+' | '-') { at + 2 } else { at + 1 };
        let (exponent, end) = small_number(text, digits)?;
        let exponent = if text.at(at + 1) == '-' { -exponent } else { exponent };
        return (!text.at(end).is_ascii_alphanumeric() || text.at(end).is_ascii_alphabetic())
            .then_some(())
            .and_then(|()| Some((value * ten_to(exponent)?, end)));
    }
    None
}

fn is_ten(value: f64) -> bool {
    (value - 10.0).abs() < f64::EPSILON
}

/// `^5`, `^-5`, `⁵`, `⁻⁵`.
fn exponent(text: &Text, at: usize) -> Option<(i32, usize)> {
    if text.at(at) == '^' {
        let negative = text.at(at + 1) == '-';
        let (digits, end) = small_number(text, if negative { at + 2 } else { at + 1 })?;
        return Some((if negative { -digits } else { digits }, end));
    }
    let negative = text.at(at) == '⁻';
    let mut place = if negative { at + 1 } else { at };
    let mut exponent = 0;
    let first = place;
    while let Some(digit) = superscript(text.at(place)).filter(|_| place < first + 2) {
        exponent = exponent * 10 + digit;
        place += 1;
    }
    (place > first).then_some((if negative { -exponent } else { exponent }, place))
}

fn superscript(c: char) -> Option<i32> {
    "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().zip(0..).find(|(sign, _)| *sign == c).map(|(_, digit)| digit)
}

fn small_number(text: &Text, at: usize) -> Option<(i32, usize)> {
    let digits: String = (at..at + 2).map(|place| text.at(place)).take_while(char::is_ascii_digit).collect();
    Some((digits.parse().ok()?, at + digits.len()))
}

fn ten_to(exponent: i32) -> Option<f64> {
    (-40..=40).contains(&exponent).then(|| 10f64.powi(exponent))
}

/// 万, 亿, 百万, 千万, 万亿; 百 and 千 alone only before a unit that is not built with them (千瓦 is a unit).
fn multiple(text: &Text, at: usize) -> (f64, usize) {
    let from = text.skip_blanks(at);
    let mut factor = 1.0;
    let mut place = if text.at(from) == '多' || text.at(from) == '余' { from + 1 } else { from };
    let start = place;
    while place < start + 3 {
        factor *= match text.at(place) {
            '万' => 1e4,
            '亿' => 1e8,
            '千' if is_multiple_before(text.at(place + 1)) => 1e3,
            '百' if is_multiple_before(text.at(place + 1)) => 1e2,
            _ => break,
        };
        place += 1;
    }
    if place == start {
        return (1.0, at);
    }
    // 10万多台, 3万余次
    if matches!(text.at(place), '多' | '余') {
        place += 1;
    }
    (factor, place)
}

/// Behind 千 or 百 there is no unit that begins with them: 千瓦, 千克, 千米, 百帕 are units.
fn is_multiple_before(next: char) -> bool {
    matches!(next, '万' | '亿' | '吨' | '台' | '套' | '件' | '次' | '户' | '人' | '家' | '只' | '辆' | '亩' | '元' | '个' | '余' | '多')
}

/// 百分之二十, 千分之3.
fn share(text: &Text, place: usize) -> Option<Number> {
    let unit = match text.plain(place, place + 3).as_str() {
        "百分之" => "%",
        "千分之" => "‰",
        "万分之" => "‱",
        _ => return None,
    };
    let number = if text.at(place + 3).is_ascii_digit() { decimal(text, place + 3) } else { chinese(text, place + 3) }?;
    Some(Number { share: Some(unit), ..number })
}

/// 三十五, 一万二千, 两, 十, 零点五: 十百千 build up to a section, 万 and 亿 close it.
fn chinese(text: &Text, place: usize) -> Option<Number> {
    let (mut total, mut section, mut digit) = (0.0_f64, 0.0_f64, None::<f64>);
    let (mut at, mut multiple) = (place, false);
    while at < place + 16 {
        let c = text.at(at);
        if let Some(value) = chinese_digit(c) {
            // 二〇二六 is a year spelt out, not a number.
            if digit.is_some_and(|digit| digit > 0.0) {
                return None;
            }
            digit = Some(value);
        } else if let Some(power) = chinese_power(c) {
            section += digit.take().unwrap_or(1.0) * power;
        } else if matches!(c, '万' | '亿') {
            let factor = if c == '万' { 1e4 } else { 1e8 };
            let part = section + digit.take().unwrap_or(0.0);
            // 一亿两千万: a 万 behind an 亿 multiplies its own part only.
            total = if c == '万' && total >= 1e8 { total + part * factor } else { (total + part) * factor };
            (section, multiple) = (0.0, true);
        } else {
            break;
        }
        at += 1;
    }
    let mut value = total + section + digit.unwrap_or(0.0);
    // 零点五, 一点二万 are rare and only the plain decimal is clear.
    if text.at(at) == '点'
        && digit.is_some()
        && let Some(tenth) = chinese_digit(text.at(at + 1))
    {
        value += tenth / 10.0;
        at += 2;
    }
    let first = text.at(place);
    // A lone 万 or 百 is part of a word: 万向, 百搭, 千斤顶.
    let is_number = at > place && (chinese_digit(first).is_some() || first == '十') && value > 0.0;
    is_number.then_some(Number { value, end: at, chinese: true, multiple, padded: false, share: None })
}

fn chinese_digit(c: char) -> Option<f64> {
    if c == '两' {
        return Some(2.0);
    }
    "零一二三四五六七八九".chars().zip(0_u8..).find(|(sign, _)| *sign == c).map(|(_, digit)| f64::from(digit))
}

fn chinese_power(c: char) -> Option<f64> {
    match c {
        '十' => Some(10.0),
        '百' => Some(100.0),
        '千' => Some(1000.0),
        _ => None,
    }
}

/// A product in floating point, without the noise in its last digits: 1.1×10⁻⁶ is 0.0000011.
fn tidy(value: f64) -> f64 {
    format!("{value:.14e}").parse().unwrap_or(value)
}
