//! Receipt numbers that people can read over the telephone: `2024-00037-5`: year, running number, check digit (ISO 7064 MOD 11,10),
//! digits only. One wrong digit is always found.

use std::sync::LazyLock;

use regex::Regex;

static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(20\d\d)-(\d{5,})-(\d)").ok());

/// The number of the `serial`th topic of `year`.
#[must_use]
pub fn format(year: i16, serial: i64) -> String {
    let digits = format!("{year}{serial:05}");
    format!("{year}-{serial:05}-{}", check_digit(&digits))
}

/// Whether a text is a receipt number with the right check digit.
#[must_use]
pub fn is_valid(number: &str) -> bool {
    let Some(found) = NUMBER.as_ref().and_then(|pattern| pattern.captures(number)) else { return false };
    let part = |index: usize| found.get(index).map_or("", |part| part.as_str());
    part(0) == number && check_digit(&format!("{}{}", part(1), part(2))).to_string() == part(3)
}

/// Valid numbers named in a text, in order, without repeats; full-width digits and other dashes are understood.
#[must_use]
pub fn find_in(text: &str) -> Vec<String> {
    let plain: String = text
        .chars()
        .map(|c| match c {
            '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10).unwrap_or(c),
            '－' | '—' | '–' | '‐' | '−' => '-',
            other => other,
        })
        .collect();
    let mut numbers = Vec::new();
    for found in NUMBER.iter().flat_map(|pattern| pattern.find_iter(&plain)) {
        let number = found.as_str().to_owned();
        if is_valid(&number) && !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    numbers
}

/// All numbers from one to another of the same year; `None` where they are reversed, of different years, or more than `most`.
#[must_use]
pub fn range(from: &str, to: &str, most: usize) -> Option<Vec<String>> {
    let parts = |number: &str| -> Option<(i16, i64)> {
        let mut parts = number.split('-');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    let ((year, first), (last_year, last)) = (parts(from)?, parts(to)?);
    let count = usize::try_from(last.checked_sub(first)?).ok()?.checked_add(1)?;
    (year == last_year && count <= most).then(|| (first..=last).map(|serial| format(year, serial)).collect())
}

/// ISO 7064 MOD 11,10 over decimal digits.
fn check_digit(digits: &str) -> u32 {
    let mut product = 10;
    for digit in digits.chars().filter_map(|c| c.to_digit(10)) {
        let sum = (product + digit) % 10;
        product = (if sum == 0 { 10 } else { sum }) * 2 % 11;
    }
    (11 - product) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_single_wrong_digit_is_found() {
        for serial in [1, 37, 999, 12345, 99999] {
            let number = format(2024, serial);
            assert!(is_valid(&number), "{number}");
            for (at, right) in number.char_indices().filter(|(_, c)| c.is_ascii_digit()) {
                for wrong in ('0'..='9').filter(|wrong| *wrong != right) {
                    let mut mistyped = number.clone();
                    mistyped.replace_range(at..=at, &wrong.to_string());
                    assert!(!is_valid(&mistyped), "{number} and {mistyped} are both valid");
                }
            }
        }
    }

    #[test]
    fn numbers_are_found_in_what_people_write() {
        let number = format(2024, 37);
        let full_width: String =
            number.chars().map(|c| c.to_digit(10).and_then(|digit| char::from_u32(u32::from('０') + digit)).unwrap_or('－')).collect();
        assert_eq!(find_in(&format!("回复：回执编号 {number} 等，见{full_width}")), [number]);
        assert!(find_in("2024-00037-0 2024-08-15").is_empty());
    }
}
