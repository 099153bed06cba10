//! R14: phone, mail address, money and period are written so that a person can use them.

use std::sync::LazyLock;

use regex::Regex;

use super::{Desk, Finding, Severity, shortened};
use crate::domain::{folding, forms::catalogue::FieldKind};

/// Investments above this, in 万元, are likely given in 元.
const INVEST_MAX: f64 = 1_000_000.0;
/// Months of a usual period (chapter 2.2 of the field list: three years).
const PERIOD_MAX_MONTHS: i64 = 36;

static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:^|\D)(?:(?:\+?86-?)?1[3-9]\d-?\d{4}-?\d{4}|(?:\+?86-?)?\(?0\d{2,3}\)?-?\d{7,8}(?:(?:-|转|ext\.?)\d{1,6})?|[2-9]\d{6,7}|400-?\d{3,4}-?\d{3,4})(?:\D|$)").ok()
});
static EMAIL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}").ok());
static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\d+(?:\.\d+)?").ok());
static MONTH: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(20\d\d)(?:年|[./-])?(?:(\d{1,2})(?:月|[./-]|\D|$))?").ok());

/// A phone number can be called: 11 digits, or an area code with 7 or 8 digits.
pub fn phone_is_a_number(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    for (key, text) in of_kind(desk, FieldKind::Phone) {
        if !PHONE.as_ref().is_some_and(|phone| phone.is_match(&folding::fold(text))) {
            let shown = shortened(text, 40);
            let message =
                format!("“{}”所填“{shown}”不像可以拨打的号码，请填写11位手机号或带区号的固定电话，例如：0431-88970710。", desk.label(key));
            findings.push(desk.for_sender("R14", Severity::Warning, key, message));
        }
    }
}

/// A mail address has a name, an @ and a domain.
pub fn email_is_an_address(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    for (key, text) in of_kind(desk, FieldKind::Email) {
        if !EMAIL.as_ref().is_some_and(|email| email.is_match(&folding::fold(text))) {
            let shown = shortened(text, 60);
            let message = format!("“{}”所填“{shown}”不是有效的邮箱地址，请核对，例如：name@example.cn。", desk.label(key));
            findings.push(desk.for_sender("R14", Severity::Warning, key, message));
        }
    }
}

/// Money holds a number, of a size that the unit 万元 allows. Never corrected silently.
pub fn money_is_a_number(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    for (key, text) in of_kind(desk, FieldKind::Money).filter(|(key, _)| *key != "benefit") {
        let folded = folding::fold(text).replace(',', "");
        let label = desk.label(key);
        let shown = shortened(text, 40);
        let number = NUMBER.as_ref().and_then(|number| number.find(&folded)).and_then(|found| found.as_str().parse::<f64>().ok());
        let message = match number {
            None => format!("“{label}”所填“{shown}”中没有数字，请以万元为单位填写，例如：1200。"),
            Some(value) if value > INVEST_MAX && !folded.contains("元") => {
                format!("“{label}”所填“{shown}”按万元计数额过大，请确认单位是否为元，并换算为万元填写，例如：1200。")
            }
            Some(_) => continue,
        };
        findings.push(desk.for_sender("R14", Severity::Warning, key, message));
    }
}

/// A period has a figure, does not run backwards and lasts three years as a rule.
pub fn period_is_plausible(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    for (key, text) in of_kind(desk, FieldKind::Range) {
        let folded = folding::fold(text);
        let label = desk.label(key);
        let shown = shortened(text, 40);
        if !folded.chars().any(|c| c.is_ascii_digit() || "一二两三四五六七八九十".contains(c)) {
            let message = format!("“{label}”所填“{shown}”中没有年月，请填写起止时间，例如：2024年9月至2026年8月。");
            findings.push(desk.for_sender("R14", Severity::Warning, key, message));
            continue;
        }
        let Some((start, end)) = start_and_end(&folded) else { continue };
        if end < start {
            let message = format!("“{label}”所填“{shown}”的结束时间早于开始时间，请核对，例如：2024年9月至2026年8月。");
            findings.push(desk.for_sender("R14", Severity::Warning, key, message));
        } else if end - start > PERIOD_MAX_MONTHS {
            let message = format!("“{label}”所填“{shown}”超过三年，攻关周期一般不超过三年，请确认。");
            findings.push(desk.for_sender("R14", Severity::Note, key, message));
        }
    }
}

/// First and last month a folded text names, counted from year 0; a bare start year means January, a bare end year December.
fn start_and_end(folded: &str) -> Option<(i64, i64)> {
    let months: Vec<(i64, Option<i64>)> = MONTH
        .as_ref()?
        .captures_iter(folded)
        .filter_map(|found| {
            let month = found.get(2).and_then(|month| month.as_str().parse().ok()).filter(|month| (1..=12).contains(month));
            Some((found.get(1)?.as_str().parse().ok()?, month))
        })
        .collect();
    let ((start, first), (end, last)) = match months.as_slice() {
        [start, .., end] => (*start, *end),
        _ => return None,
    };
    Some((start * 12 + first.unwrap_or(1), end * 12 + last.unwrap_or(if first.is_none() { 12 } else { first.unwrap_or(12) })))
}

/// Filled fields of a kind, as the form they were read from says.
fn of_kind<'a>(desk: &'a Desk<'a>, kind: FieldKind) -> impl Iterator<Item = (&'a str, &'a str)> {
    desk.topic.fields.iter().filter_map(move |(key, placed)| {
        let field = desk.catalogue.form(&placed.form)?.field(key)?;
        (field.kind == kind).then_some(())?;
        Some((key.as_str(), desk.text(key)?))
    })
}
