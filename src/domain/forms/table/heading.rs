//! Facts beside the table: 填报单位（盖章）：… 填报日期：… 联系人：… 联系电话：…, in one cell or in several.

use std::collections::BTreeMap;

use super::{
    people,
    view::{Row, cell_place},
};
use crate::domain::forms::{Value, grid::Grid, labels::Labels};

/// Fields that may stand beside a table.
pub(super) const KEYS: [&str; 4] = ["bureau", "contact", "phone", "filled_on"];
/// A line of facts is shorter, in characters; longer texts are prose.
const LINE_MAX_CHARS: usize = 400;
/// A label with its padding is shorter.
const LABEL_MAX_CHARS: usize = 40;

/// Facts by field key.
pub(super) type Facts = BTreeMap<String, Value>;

/// Adds the facts of some rows above or below a table; what is known already stays.
pub(super) fn from_rows(facts: &mut Facts, grid: &Grid, rows: &[Row<'_>], labels: &Labels<'_>) {
    for row in rows {
        for (at, cell) in row.cells.iter().enumerate() {
            let next = row.cells.get(at + 1).filter(|next| pairs(&next.text, labels).is_empty() && whole(&next.text, labels).is_none());
            let mut found = pairs(&cell.text, labels);
            if let Some(key) = whole(&cell.text, labels) {
                found.push((key, String::new()));
            }
            let last = found.len().saturating_sub(1);
            for (number, (key, text)) in found.into_iter().enumerate() {
                // 填报单位： | 长春市工信局
                let (text, column) = match next {
                    Some(next) if text.is_empty() && number == last => (trimmed(&next.text), next.column),
                    _ => (text, cell.column),
                };
                add(facts, key, &text, || cell_place(grid, cell.row, column));
            }
        }
    }
}

/// Adds the facts of lines outside of tables.
pub(super) fn from_lines(facts: &mut Facts, lines: &[&str], labels: &Labels<'_>) {
    for (number, line) in (1_usize..).zip(lines) {
        for (key, text) in pairs(line, labels) {
            add(facts, key, &text, || format!("paragraph {number}"));
        }
    }
}

fn add(facts: &mut Facts, key: &'static str, text: &str, place: impl Fn() -> String) {
    let is_date = key == "filled_on";
    if text.is_empty() || (is_date && !text.chars().any(|c| c.is_numeric() || "一二三四五六七八九〇".contains(c))) {
        return;
    }
    let mut put = |key: &str, text: String| {
        if !text.is_empty() {
            facts.entry(key.to_owned()).or_insert_with(|| Value { text, place: place(), ..Value::default() });
        }
    };
    if matches!(key, "contact" | "phone") && people::is_joint(text) {
        let (person, number) = people::split(text);
        put("contact", person);
        put("phone", number);
    } else {
        put(key, text.to_owned());
    }
}

/// The field that the whole of a text labels, if it may stand beside a table.
fn whole(text: &str, labels: &Labels<'_>) -> Option<&'static str> {
    if text.contains([':', '：']) {
        return None;
    }
    key_of(text, labels)
}

fn key_of(text: &str, labels: &Labels<'_>) -> Option<&'static str> {
    let found = labels.find(text)?;
    KEYS.into_iter().find(|key| found.field.key == *key)
}

/// All `标签：值` of a text, in order. Labels of other facts (审核人：…) end a value too.
fn pairs(text: &str, labels: &Labels<'_>) -> Vec<(&'static str, String)> {
    if text.chars().nth(LINE_MAX_CHARS).is_some() {
        return Vec::new();
    }
    let pieces: Vec<&str> = text.split([':', '：']).collect();
    let mut pairs = Vec::new();
    let mut open: Option<&'static str> = None;
    for (at, piece) in pieces.iter().enumerate() {
        let is_last = at + 1 == pieces.len();
        let (value, label) = if is_last { (*piece, None) } else { cut_label(piece, labels) };
        if let Some(key) = open {
            pairs.push((key, trimmed(value)));
        }
        open = label;
    }
    pairs
}

/// Splits the text before a colon into the value that ends there and the label that begins there.
fn cut_label<'t>(piece: &'t str, labels: &Labels<'_>) -> (&'t str, Option<&'static str>) {
    let starts: Vec<usize> = piece.char_indices().map(|(at, _)| at).collect();
    let from = starts.len().saturating_sub(LABEL_MAX_CHARS);
    for start in starts.get(from..).unwrap_or_default() {
        let Some((value, label)) = piece.split_at_checked(*start) else { continue };
        if (*start == 0 || label.starts_with(char::is_alphabetic)) && labels.find(label).is_some() {
            return (value, key_of(label, labels));
        }
    }
    // An unknown label ends the value before it when a gap stands between them.
    let value = piece.trim_end().rfind(char::is_whitespace).and_then(|gap| piece.get(..gap)).unwrap_or_default();
    (value, None)
}

/// A value without blanks to be filled, seals and white space.
fn trimmed(text: &str) -> String {
    let mut text = text.to_owned();
    for seal in ["（盖章）", "(盖章)", "（公章）", "(公章)", "（加盖公章）", "（章）", "（签字）", "(签字)", "（签章）"]
    {
        text = text.replace(seal, "");
    }
    let text = text.trim_matches(|c: char| c.is_whitespace() || "_＿—－-，,；;。、|*".contains(c));
    if text.chars().any(char::is_alphanumeric) { text.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::forms::catalogue::Catalogue;

    fn facts_of(lines: &[&str]) -> BTreeMap<String, String> {
        let catalogue = Catalogue::shipped();
        let labels = Labels::of(catalogue.form("annex2").unwrap());
        let mut facts = Facts::new();
        from_lines(&mut facts, lines, &labels);
        facts.into_iter().map(|(key, value)| (key, value.text)).collect()
    }

    #[test]
    fn several_facts_stand_in_one_line() {
        let facts = facts_of(&["填报单位（盖章）：长春市工业和信息化局    填报日期：2024年8月15日  联系人：张三 联系电话：0431-88970710"]);
        assert_eq!(facts["bureau"], "长春市工业和信息化局");
        assert_eq!(facts["filled_on"], "2024年8月15日");
        assert_eq!(facts["contact"], "张三");
        assert_eq!(facts["phone"], "0431-88970710");
    }

    #[test]
    fn padded_labels_joint_values_and_unknown_labels_are_understood() {
        let facts =
            facts_of(&["报 送 单 位：通化市工信局（盖章）", "审核人：王五 填报人：李四 13900001234  日 期：2024.8.15 单位负责人：赵六"]);
        assert_eq!(facts["bureau"], "通化市工信局");
        assert_eq!(facts["contact"], "李四");
        assert_eq!(facts["phone"], "13900001234");
        assert_eq!(facts["filled_on"], "2024.8.15");
    }

    #[test]
    fn blanks_that_nobody_filled_are_no_facts() {
        assert_eq!(facts_of(&["填报单位：________  填报日期：    年  月  日  联系人：   联系电话："]), BTreeMap::new());
    }
}
