//! Figures in a folded clause: `≥1.62吨`, `1620kg`, `3万次`, `四成`, `两千五百瓦` as value and unit, so that a figure told in words is
//! the same term as the figure in digits.

/// A figure and its unit. Equal figures are equal terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// In thousandths of the unit.
    pub milli: u64,
    /// An own number for each unit; 0 without one.
    pub unit: u32,
    /// Digits that say something: 2 for 1600, 3 for 1.62.
    pub digits: u32,
    /// A share of a hundred.
    pub percent: bool,
}

/// Units written in Chinese, with the letters that mean the same and the factor to them. Longer ones first.
const HAN_UNITS: &[(&str, &str, u64)] = &[
    ("摄氏度", "°c", 1),
    ("毫安时", "mah", 1),
    ("千瓦时", "kwh", 1),
    ("小时", "h", 1),
    ("分钟", "min", 1),
    ("微米", "um", 1),
    ("纳米", "nm", 1),
    ("毫米", "mm", 1),
    ("厘米", "cm", 1),
    ("公里", "km", 1),
    ("千瓦", "kw", 1),
    ("兆瓦", "mw", 1),
    ("兆帕", "mpa", 1),
    ("公斤", "kg", 1),
    ("毫欧", "mω", 1),
    ("千欧", "kω", 1),
    ("吨", "kg", 1000),
    ("升", "l", 1),
    ("克", "g", 1),
    ("秒", "s", 1),
    ("瓦", "w", 1),
    ("伏", "v", 1),
    ("米", "m", 1),
    ("度", "°c", 1),
    ("倍", "倍", 1),
    ("次", "次", 1),
    ("年", "年", 1),
    ("个月", "月", 1),
    ("天", "天", 1),
    ("亩", "亩", 1),
    ("台", "台", 1),
    ("套", "套", 1),
    ("人", "人", 1),
];
/// Letters of a unit that are compared.
const UNIT_CHARS: usize = 6;

/// Reads a figure at the start of `rest`; also says how many characters it takes.
#[must_use]
pub fn read(rest: &[char]) -> Option<(Figure, usize)> {
    let (mut milli, mut digits, mut length) = digits_of(rest).or_else(|| words_of(rest))?;
    let after = rest.get(length..).unwrap_or_default();
    if let Some(factor) = after.first().and_then(|c| myriad(*c)) {
        milli = milli.saturating_mul(factor);
        length += 1;
    }
    let after = rest.get(length..).unwrap_or_default();
    match after {
        ['成', '半', ..] => {
            milli = (milli * 10).saturating_add(5000);
            digits = 2;
            return (digits > 0).then_some((Figure { milli, unit: hash("%"), digits, percent: true }, length + 2));
        }
        ['成', ..] => return Some((Figure { milli: milli.saturating_mul(10), unit: hash("%"), digits, percent: true }, length + 1)),
        _ => {}
    }
    let named = after.first().is_some_and(|c| !c.is_ascii()).then(|| HAN_UNITS.iter().find(|(han, ..)| starts_with(after, han))).flatten();
    if let Some((han, letters, factor)) = named {
        let figure = Figure { milli: milli.saturating_mul(*factor), unit: hash(letters), digits, percent: false };
        return Some((figure, length + han.chars().count()));
    }
    let count = after.iter().take(UNIT_CHARS).take_while(|c| c.is_ascii_alphabetic() || "°%‰ω".contains(**c)).count();
    let (unit, factor, percent) = match after.get(..count).unwrap_or_default() {
        ['t'] => (hash("kg"), 1000, false),
        letters => (hash_of(letters.iter().copied()), 1, letters == ['%']),
    };
    Some((Figure { milli: milli.saturating_mul(factor), unit, digits, percent }, length + count))
}

fn myriad(c: char) -> Option<u64> {
    match c {
        '万' => Some(10_000),
        '亿' => Some(100_000_000),
        _ => None,
    }
}

fn starts_with(text: &[char], word: &str) -> bool {
    let mut text = text.iter();
    word.chars().all(|c| text.next() == Some(&c))
}

fn hash(unit: &str) -> u32 {
    hash_of(unit.chars())
}

fn hash_of(unit: impl Iterator<Item = char>) -> u32 {
    unit.fold(0, |hash: u32, c| hash.wrapping_mul(0x0100_0193).wrapping_add(u32::from(c)))
}

/// Digits with at most one point: value in thousandths, telling digits, characters taken.
fn digits_of(text: &[char]) -> Option<(u64, u32, usize)> {
    let mut value: u64 = 0;
    let (mut decimals, mut point, mut length) = (0_u32, false, 0);
    let (mut digits, mut zeros) = (0_u32, 0_u32);
    for (at, c) in text.iter().enumerate() {
        match c.to_digit(10) {
            Some(digit) if decimals < 3 => {
                value = value.saturating_mul(10).saturating_add(u64::from(digit));
                decimals += u32::from(point);
                if digit != 0 {
                    digits += zeros + 1;
                    zeros = 0;
                } else if digits > 0 {
                    zeros += 1;
                }
            }
            Some(_) => {}
            None if *c == '.' && !point && at > 0 && text.get(at + 1).is_some_and(char::is_ascii_digit) => point = true,
            None => break,
        }
        length = at + 1;
    }
    let milli = value.saturating_mul(10_u64.pow(3 - decimals.min(3)));
    (length > 0).then_some((milli, digits.max(1), length))
}

/// Numbers in words: 六, 十五, 两千五百. A single word counts only before 成, 倍 or 万, where it cannot be part of another word.
fn words_of(text: &[char]) -> Option<(u64, u32, usize)> {
    let (mut total, mut current, mut digits, mut length, mut ranks) = (0_u64, None, 0_u32, 0, 0);
    for c in text.iter().take(12) {
        if let Some(digit) = word_digit(*c) {
            if current.is_some() {
                return None;
            }
            current = Some(digit);
            digits += 1;
        } else if let Some(rank) = word_rank(*c) {
            total += current.take().unwrap_or(1) * rank;
            ranks += 1;
        } else {
            break;
        }
        length += 1;
    }
    let next = text.get(length).copied().unwrap_or(' ');
    let certain = (ranks > 0 && length > 1) || (length == 1 && digits == 1 && matches!(next, '成' | '倍' | '万'));
    certain.then(|| ((total + current.unwrap_or(0)) * 1000, digits.max(1), length))
}

fn word_digit(c: char) -> Option<u64> {
    let digit = match c {
        '零' => 0,
        '一' => 1,
        '二' | '两' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    };
    Some(digit)
}

fn word_rank(c: char) -> Option<u64> {
    match c {
        '十' => Some(10),
        '百' => Some(100),
        '千' => Some(1000),
        _ => None,
    }
}

/// Could a figure start here? Cheap, before [`read`].
#[must_use]
pub fn may_start(c: char) -> bool {
    c.is_ascii_digit() || word_digit(c).is_some() || word_rank(c).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(text: &str) -> Option<(u64, bool, usize)> {
        read(&text.chars().collect::<Vec<_>>()).map(|(figure, length)| (figure.milli, figure.percent, length))
    }

    fn same(one: &str, other: &str) -> bool {
        let read = |text: &str| read(&text.chars().collect::<Vec<_>>()).map(|(figure, _)| (figure.milli, figure.unit));
        read(one).is_some() && read(one) == read(other)
    }

    #[test]
    fn words_and_digits_are_one_figure() {
        assert!(same("40%", "四成"));
        assert!(same("15%", "一成半"));
        assert!(same("2500w", "两千五百瓦"));
        assert!(same("30000次", "3万次"));
        assert!(same("15分钟", "15min"));
        assert!(same("0.98吨", "980公斤"));
        assert!(!same("40%", "40h"));
    }

    #[test]
    fn telling_digits_leave_zeros_out() {
        let digits = |text: &str| digits_of(&text.chars().collect::<Vec<_>>()).map(|(_, digits, _)| digits);
        assert_eq!(digits("1600"), Some(2));
        assert_eq!(digits("1.62"), Some(3));
        assert_eq!(digits("105"), Some(3));
        assert_eq!(digits("0.05"), Some(1));
    }

    #[test]
    fn single_number_words_inside_words_are_no_figures() {
        assert_eq!(figure("一致性"), None);
        assert_eq!(figure("三元正极"), None);
        assert_eq!(figure("千瓦级"), None);
    }

    #[test]
    fn endless_digits_do_not_overflow() {
        assert!(figure(&"9".repeat(500)).is_some());
        assert!(figure(&"亿".repeat(3)).is_none());
    }
}
