//! R14: phone, mail address, money, period and industry code are written so that a person can use them; each has one normalised spelling.

use std::sync::LazyLock;

use regex::Regex;

use super::{Desk, Finding, checks, shortened};
use crate::domain::{
    folding,
    forms::catalogue::FieldKind,
    money::{self, Amount, HeaderUnit},
    quantity,
};

static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:^|\D)((?:\+?86-?)?1[3-9]\d-?\d{4}-?\d{4}|(?:\+?86-?)?\(?0\d{2,3}\)?-?\d{7,8}(?:(?:-|转|ext\.?)\d{1,6})?|[2-9]\d{6,7}|400-?\d{3,4}-?\d{3,4})(?:\D|$)").ok()
});
static EMAIL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[a-z0-9._%+-]+@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}").ok());
static MONTH: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"((?:20|19)\d\d)(?:年|[./-])?(?:(\d{1,2})(?:月|[./-]|\D|$))?").ok());
static GB_CODE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?:^|[^a-z0-9])([a-t])?(\d{2,4})(?:[^0-9]|$)").ok());

/// Telephone numbers taken from one field.
const PHONES_MAX: usize = 5;
/// Letter and two-digit divisions of GB/T 4754-2017.
const SECTORS: &[(char, u32, u32)] = &[
    ('A', 1, 5),
    ('B', 6, 12),
    ('C', 13, 43),
    ('D', 44, 46),
    ('E', 47, 50),
    ('F', 51, 52),
    ('G', 53, 60),
    ('H', 61, 62),
    ('I', 63, 65),
    ('J', 66, 69),
    ('K', 70, 70),
    ('L', 71, 72),
    ('M', 73, 75),
    ('N', 76, 79),
    ('O', 80, 82),
    ('P', 83, 83),
    ('Q', 84, 85),
    ('R', 86, 90),
    ('S', 91, 96),
    ('T', 97, 97),
];

/// A phone number can be called: 11 digits, or an area code with 7 or 8 digits.
pub fn phone_is_a_number(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    for (key, text) in of_kind(desk, FieldKind::Phone) {
        if phones(text).is_empty() {
            desk.raise(findings, &checks::PHONE, key, &[("found", &shortened(text, 40))]);
        }
    }
}

/// The numbers of a field: `13800000000`, `0431-88970710`, `0431-88970710转801`, digits only but for the hyphen and the extension.
pub fn phones(text: &str) -> Vec<String> {
    // Two numbers apart by a blank only would fold into one: cut where a whole number ends.
    let pieces = text.split(['、', '，', ',', '；', ';', '/', '\n', '／']);
    let whole = pieces.flat_map(|piece| first_phone(piece).into_iter()).take(PHONES_MAX).collect::<Vec<_>>();
    if whole.is_empty() { text.split_whitespace().filter_map(first_phone).take(PHONES_MAX).collect() } else { whole }
}

fn first_phone(piece: &str) -> Option<String> {
    let folded = folding::fold(piece).replace(['—', '–', '－', '―', '‐'], "-");
    let found = PHONE.as_ref()?.captures(&folded)?.get(1)?.as_str();
    let found = found.trim_start_matches('+');
    let digits: String = found.chars().filter(char::is_ascii_digit).collect();
    let national = digits.strip_prefix("86").filter(|rest| rest.len() >= 10).unwrap_or(&digits);
    if national.starts_with('1') && national.len() == 11 {
        return Some(national.to_owned());
    }
    let area_digits = if national.starts_with("010") || national.starts_with("02") { 3 } else { 4 };
    let (area, rest) = national.starts_with('0').then(|| national.split_at_checked(area_digits)).flatten().unwrap_or(("", national));
    let extension = found.split_once(['转', 'x', 't']).map(|(_, extension)| extension.trim_matches(|c: char| !c.is_ascii_digit()));
    let own = extension.map_or(rest, |extension| rest.strip_suffix(extension).unwrap_or(rest));
    let head = if area.is_empty() { String::new() } else { format!("{area}-") };
    Some(head + own + &extension.map_or_else(String::new, |extension| format!("转{extension}")))
}

/// A mail address has a name, an @ and a domain.
pub fn email_is_an_address(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    for (key, text) in of_kind(desk, FieldKind::Email) {
        if email(text).is_none() {
            desk.raise(findings, &checks::EMAIL, key, &[("found", &shortened(text, 60))]);
        }
    }
}

/// The first address of a field, in lower case.
pub fn email(text: &str) -> Option<String> {
    let folded = folding::fold(text);
    EMAIL.as_ref()?.find(&folded).map(|found| found.as_str().to_owned()).filter(|found| !found.contains(".."))
}

/// The unit that the field's label or the catalogue gives to bare numbers.
pub fn header_unit(desk: &Desk<'_>, key: &str) -> Option<HeaderUnit> {
    let placed = desk.topic.fields.get(key)?;
    // What the sender's own header says outweighs what the catalogue asks for.
    if let Some(unit) = placed.value.unit.as_deref().and_then(HeaderUnit::named_in) {
        return Some(unit);
    }
    let field = desk.catalogue.form(&placed.form)?.field(key)?;
    HeaderUnit::named_in(&field.label).or_else(|| HeaderUnit::named_in(field.unit.as_deref()?))
}

/// Money holds a number, of a size that the unit 万元 allows. Never corrected silently.
pub fn money_is_a_number(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let most = desk.settings.thresholds.invest_max_wan;
    for (key, text) in of_kind(desk, FieldKind::Money).filter(|(key, _)| *key != "benefit") {
        let found = shortened(text, 40);
        let counted: Vec<Amount>;
        let amounts = if key == "invest" {
            desk.invest()
        } else {
            counted = money::amounts(text, header_unit(desk, key).or(Some(HeaderUnit::Wan)));
            &counted
        };
        let largest = amounts.iter().filter_map(|amount| amount.wan).map(|(_, high)| high).fold(0.0, f64::max);
        if amounts.is_empty() {
            desk.raise(findings, &checks::MONEY, key, &[("found", &found)]);
        } else if largest > most && !folding::fold(text).contains('元') {
            desk.raise(findings, &checks::MONEY_SCALE, key, &[("found", &found)]);
        }
    }
}

/// Where one option is asked for, one is chosen: which of two is meant, a person decides.
pub fn one_choice_is_one(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    for (key, text) in of_kind(desk, FieldKind::Enum) {
        let choices = desk.form.and_then(|form| form.field(key)).map(|field| field.choices.as_slice()).unwrap_or_default();
        let chosen: Vec<&str> = text.split(['、', '；', '\n']).map(str::trim).filter(|option| !option.is_empty()).collect();
        let known = |option: &&&str| choices.iter().any(|choice| folding::fold(choice) == folding::fold(option));
        if chosen.len() > 1 && chosen.iter().filter(known).count() > 0 {
            let count = chosen.len().to_string();
            desk.raise(findings, &checks::ONE_CHOICE, key, &[("found", &shortened(text, 40)), ("count", &count)]);
        }
    }
}

/// How long a topic takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// First and last month, counted from year 0.
    Months { from: i64, to: i64 },
    /// A length in months: 24个月, 两年.
    Length(i64),
}

/// A period has a figure, does not run backwards and lasts three years as a rule.
pub fn period_is_plausible(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let most = desk.settings.thresholds.period_max_months;
    for (key, text) in of_kind(desk, FieldKind::Range) {
        let found = shortened(text, 40);
        let values = [("found", found.as_str()), ("most", &*most.to_string())];
        let folded = folding::fold(text);
        if !folded.chars().any(|c| c.is_ascii_digit() || "一二两三四五六七八九十".contains(c)) {
            desk.raise(findings, &checks::PERIOD, key, &values);
            continue;
        }
        match period(text) {
            Some(Period::Months { from, to }) if to < from => desk.raise(findings, &checks::PERIOD_BACKWARDS, key, &values),
            Some(Period::Months { from, to }) if to - from > most => desk.raise(findings, &checks::PERIOD_LONG, key, &values),
            Some(Period::Length(months)) if months > most => desk.raise(findings, &checks::PERIOD_LONG, key, &values),
            _ => {}
        }
    }
}

/// The period a text names; a bare start year means January, a bare end year December.
pub fn period(text: &str) -> Option<Period> {
    let folded = folding::fold(text);
    let months: Vec<(i64, Option<i64>)> = MONTH
        .as_ref()?
        .captures_iter(&folded)
        .filter_map(|found| {
            let month = found.get(2).and_then(|month| month.as_str().parse().ok()).filter(|month| (1..=12).contains(month));
            Some((found.get(1)?.as_str().parse().ok()?, month))
        })
        .collect();
    if let [(start, first), .., (end, last)] = months.as_slice() {
        let last = last.unwrap_or_else(|| first.unwrap_or(12));
        return Some(Period::Months { from: start * 12 + first.unwrap_or(1), to: end * 12 + last });
    }
    length_in_months(text).map(Period::Length)
}

/// 24个月, 2年, 两年半 (its half is not read), 三年.
fn length_in_months(text: &str) -> Option<i64> {
    let found = quantity::quantities(text).into_iter().find_map(|quantity| match quantity.unit.as_str() {
        "年" => Some(quantity.largest() * 12.0),
        "个月" => Some(quantity.largest()),
        _ => None,
    });
    let spelt = || {
        let folded = quantity::Text::of(text.trim());
        let number = quantity::number_at(&folded, 0)?;
        match (folded.at(number.end), folded.starts_with(number.end, "个月")) {
            ('年', _) => Some(number.value * 12.0),
            (_, true) => Some(number.value),
            _ => None,
        }
    };
    #[expect(clippy::cast_possible_truncation, reason = "bounded by the filter")]
    found.or_else(spelt).filter(|months| (0.0..10_000.0).contains(months)).map(|months| months.round() as i64)
}

/// GB/T 4754: two to four digits of a known division, the letter, if any, that of its sector.
pub fn industry_code_is_known(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    if let Some(text) = desk.text("gb_code").filter(|text| industry_code(text).is_none()) {
        desk.raise(findings, &checks::GB_CODE, "gb_code", &[("found", &shortened(text, 40))]);
    }
}

/// `C3670` of `3670`, `c36` or `C3670 汽车零部件及配件制造`.
pub fn industry_code(text: &str) -> Option<String> {
    let folded = folding::fold(text);
    let found = GB_CODE.as_ref()?.captures(&folded)?;
    let letter = found.get(1).and_then(|letter| letter.as_str().chars().next()).map(|letter| letter.to_ascii_uppercase());
    let digits = found.get(2)?.as_str();
    let division: u32 = digits.get(..2)?.parse().ok()?;
    let (sector, ..) = SECTORS.iter().find(|(_, first, last)| (*first..=*last).contains(&division))?;
    letter.is_none_or(|letter| letter == *sector).then(|| format!("{sector}{digits}"))
}

/// Filled fields of a kind, as the form they were read from says.
fn of_kind<'a>(desk: &'a Desk<'a>, kind: FieldKind) -> impl Iterator<Item = (&'a str, &'a str)> {
    desk.topic.fields.iter().filter_map(move |(key, placed)| {
        let field = desk.catalogue.form(&placed.form)?.field(key)?;
        (field.kind == kind).then_some(())?;
        Some((key.as_str(), desk.text(key)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephone_numbers_have_one_spelling() {
        for (text, expected) in [
            ("１３８ ００００ ００００", "13800000000"),
            ("张三 138-0000-0000", "13800000000"),
            ("+86-13800000000", "13800000000"),
            ("(0431)88970710转801", "0431-88970710转801"),
            ("0431—88970710", "0431-88970710"),
            ("043188970710、13800000000", "0431-88970710 13800000000"),
            ("010-66012345", "010-66012345"),
            ("88970710", "88970710"),
            ("0431-88970710 13800000000", "0431-88970710 13800000000"),
            ("见附件", ""),
            ("1380000000", ""),
        ] {
            assert_eq!(phones(text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn periods_are_read_as_months() {
        assert_eq!(period("2024年9月至2026年8月"), Some(Period::Months { from: 2024 * 12 + 9, to: 2026 * 12 + 8 }));
        for (text, months) in [("24个月", 24), ("2年", 24), ("两年", 24), ("三年", 36), ("约18个月", 18), ("十八个月", 18)] {
            assert_eq!(period(text), Some(Period::Length(months)), "{text}");
        }
        assert_eq!(period("尽快"), None);
    }

    #[test]
    fn industry_codes_carry_their_letter() {
        for (text, code) in [
            ("3670", "C3670"),
            ("C36", "C36"),
            ("c3670 汽车零部件", "C3670"),
            ("汽车制造业（36）", "C36"),
            ("65", "I65"),
            ("M7320", "M7320"),
        ] {
            assert_eq!(industry_code(text).as_deref(), Some(code), "{text}");
        }
        for text in ["汽车制造", "99", "I3670", "367012", "5", "00"] {
            assert_eq!(industry_code(text), None, "{text}");
        }
    }

    #[test]
    fn mail_addresses_are_lower_case_and_whole() {
        assert_eq!(email("Ｎame@Example.CN").as_deref(), Some("name@example.cn"));
        for text in ["example.cn", "a@b", "a@@b.cn", "a@-.cn", "无"] {
            assert_eq!(email(text), None, "{text}");
        }
    }
}
