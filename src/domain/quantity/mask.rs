//! Numbers that are no quantity: dates, numbers of standards, telephone numbers.

use super::Text;

/// Heads of the numbers of standards and certificates. Longer names first where one begins with another.
const STANDARDS: &[&str] = &[
    "AEC-Q", "AEC", "ASTM", "GBZ", "GB", "GJB", "JB", "ISO", "IEC", "IEEE", "IATF", "EN", "DIN", "JIS", "UL", "SAE", "HG", "YY", "YB",
    "YS", "QC", "QB", "TB", "DB", "HJ", "NB", "SJ", "SH", "SY", "DL", "FZ", "LY", "NY", "SN", "SB", "CJ", "JG", "JT", "GA", "WS", "AQ",
    "CNAS", "CSAE", "T/CSAE", "DO-", "DO", "MIL-STD", "MIL", "ECE", "CCAR", "RTCA", "MT", "XB", "JJF", "JJG", "HB", "CB", "BB", "ICH",
];

/// Places of a text that belong to no quantity.
pub fn mask(text: &Text) -> Vec<bool> {
    let mut masked = vec![false; text.len()];
    let mut at = 0;
    while at < text.len() {
        match date(text, at).or_else(|| standard(text, at)).or_else(|| telephone(text, at)) {
            Some(end) => {
                masked.iter_mut().take(end).skip(at).for_each(|place| *place = true);
                at = end.max(at + 1);
            }
            None => at += 1,
        }
    }
    masked
}

/// `2026年12月31日`, `2024.09`, `2024-2026年`, `12月底`; a year alone where 年 follows.
fn date(text: &Text, place: usize) -> Option<usize> {
    if !text.at(place).is_ascii_digit() || text.before(place).is_ascii_digit() || matches!(text.before(place), '.') {
        return None;
    }
    let digits = digits(text, place);
    let end = place + digits;
    if digits == 4 && is_year(text, place) {
        return year(text, end);
    }
    // 12月底 is a date, 12个月 is not.
    let month = digits <= 2 && text.at(text.skip_blanks(end)) == '月';
    month.then(|| {
        let day = text.skip_blanks(text.skip_blanks(end) + 1);
        let length = self::digits(text, day);
        let behind = text.skip_blanks(day + length);
        if length > 0 && matches!(text.at(behind), '日' | '号') { behind + 1 } else { text.skip_blanks(end) + 1 }
    })
}

/// What belongs to a date behind its year; `None` where the four digits are no year.
fn year(text: &Text, end: usize) -> Option<usize> {
    let mut at = text.skip_blanks(end);
    let mut parts = 0;
    let starts = text.at(at);
    if !matches!(starts, '年' | '.' | '/' | '-' | '—' | '–' | '~' | '～' | '至') {
        return None;
    }
    while parts < 3 && matches!(text.at(at), '年' | '月' | '日' | '.' | '/' | '-' | '—' | '–' | '~' | '～' | '至') {
        let next = text.skip_blanks(at + 1);
        let length = digits(text, next);
        let plausible = matches!(length, 1 | 2) || (length == 4 && is_year(text, next));
        if !plausible {
            let closed = matches!(text.at(at), '年' | '月' | '日');
            return (closed || parts > 0).then_some(if closed { at + 1 } else { at });
        }
        at = text.skip_blanks(next + length);
        parts += 1;
    }
    Some(if matches!(text.at(at), '年' | '月' | '日') { at + 1 } else { at })
}

fn is_year(text: &Text, place: usize) -> bool {
    text.starts_with(place, "20") || text.starts_with(place, "19")
}

fn digits(text: &Text, place: usize) -> usize {
    (place..place + 20).take_while(|at| text.at(*at).is_ascii_digit()).count()
}

/// `GB/T 4754-2017`, `ISO 9001`, `EN45545-2`, `T/CSAE 123-2020`.
fn standard(text: &Text, place: usize) -> Option<usize> {
    if text.before(place).is_ascii_alphanumeric() || !text.at(place).is_ascii_uppercase() {
        return None;
    }
    let head = STANDARDS.iter().find(|head| text.starts_with(place, head) && !text.at(place + head.len()).is_ascii_alphabetic())?;
    let mut at = place + head.len();
    if matches!(text.at(at), '/' | '-') {
        at += 1;
        while text.at(at).is_ascii_uppercase() {
            at += 1;
        }
    }
    at = text.skip_blanks(at);
    let length = digits(text, at);
    if length == 0 {
        return None;
    }
    at += length;
    while matches!(text.at(at), '.' | '-' | '—' | '–' | ':' | '/') && text.at(at + 1).is_ascii_digit() {
        at += 1 + digits(text, at + 1);
    }
    Some(at)
}

/// `0431-88970710`, or eleven digits of a mobile number.
fn telephone(text: &Text, place: usize) -> Option<usize> {
    if text.before(place).is_ascii_digit() || !text.at(place).is_ascii_digit() {
        return None;
    }
    let first = digits(text, place);
    let end = place + first;
    if first == 11 && text.at(place) == '1' {
        return Some(end);
    }
    let second = digits(text, end + 1);
    (text.at(place) == '0' && matches!(first, 3 | 4) && text.at(end) == '-' && matches!(second, 7 | 8)).then_some(end + 1 + second)
}
