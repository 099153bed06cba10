//! Delimited text: .csv by Excel, WPS and databases, with comma, semicolon, tab or stroke between the fields.

use std::{borrow::Cow, collections::BTreeMap};

use csv::ReaderBuilder;

use super::{
    building::{Content, GridBuilder},
    charset,
};
use crate::domain::{
    forms::grid::{Document, GridKind},
    limits::Limits,
};

const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];
/// Records by which the delimiter is chosen.
const SAMPLED_RECORDS: usize = 50;
/// Delimiters of one line; a long text has some hundred commas.
const MARKS_MAX: usize = 20_000;
/// A file of one table has no sheet name; this is what Excel calls the first sheet.
const SHEET: &str = "Sheet1";

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Document {
    let text = charset::decode(bytes);
    // Excel's own first line that names the delimiter.
    let (named, text) = match text.strip_prefix("sep=").and_then(|rest| rest.split_once('\n')) {
        Some((mark, rest)) => (mark.trim_end().bytes().next(), rest),
        None => (None, text.as_str()),
    };
    let text = &narrowed(text);
    let delimiter = named.unwrap_or_else(|| delimiter(text));
    let mut builder = GridBuilder::new(SHEET, GridKind::Sheet, limits);
    // The line that names the delimiter is the sheet's first.
    let mut row = u32::from(named.is_some());
    for (blank, record) in records(text, delimiter) {
        row = row.saturating_add(blank);
        for (column, field) in (0_u32..).zip(record.iter()) {
            if !builder.put(row, column, content(field)) {
                return Document { tables: vec![builder.finish()], ..Document::default() };
            }
        }
        row = row.saturating_add(1);
    }
    Document { tables: vec![builder.finish()], ..Document::default() }
}

/// The text without what stands beyond twenty thousand marks in a line: each field costs memory, and no table is that wide.
fn narrowed(text: &str) -> Cow<'_, str> {
    let cut = |line: &'_ str| -> usize { line.match_indices([',', '\t', ';', '|']).nth(MARKS_MAX).map_or(line.len(), |(at, _)| at) };
    if text.split_inclusive('\n').all(|line| cut(line) == line.len()) {
        return Cow::Borrowed(text);
    }
    let lines = text.split_inclusive('\n').map(|line| match line.get(..cut(line)) {
        Some(start) if start.len() < line.len() && line.ends_with('\n') => format!("{start}\n"),
        Some(start) => start.to_owned(),
        None => line.to_owned(),
    });
    Cow::Owned(lines.collect())
}

/// Records, each with the number of blank lines before it, which the csv reader swallows.
fn records(text: &str, delimiter: u8) -> impl Iterator<Item = (u32, csv::StringRecord)> + '_ {
    let reader = ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text.as_bytes());
    reader.into_records().map_while(Result::ok).map(move |record| {
        let begin = record.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or_default();
        let before = text.get(begin..).unwrap_or_default();
        // The csv reader ends a record at CR; the LF behind it ends the same line.
        let ended = begin.checked_sub(1).and_then(|at| text.as_bytes().get(at)) == Some(&b'\r');
        let before = before.strip_prefix('\n').filter(|_| ended).unwrap_or(before);
        let blank = before.bytes().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| *byte == b'\n').count();
        (u32::try_from(blank).unwrap_or(u32::MAX), record)
    })
}

/// The delimiter that cuts the most records into the same number of fields.
fn delimiter(text: &str) -> u8 {
    let sample: String = text.chars().take(64 << 10).collect();
    let score = |delimiter: u8| {
        let mut widths: BTreeMap<usize, usize> = BTreeMap::new();
        for (_, record) in records(&sample, delimiter).take(SAMPLED_RECORDS) {
            *widths.entry(record.len()).or_default() += 1;
        }
        widths.into_iter().filter(|(width, _)| *width > 1).map(|(width, count)| width * count).max().unwrap_or(0)
    };
    let best = DELIMITERS.into_iter().rev().max_by_key(|delimiter| score(*delimiter));
    best.unwrap_or(b',')
}

/// A field; `="0431"`, which keeps Excel from making it a number, loses its wrapping.
fn content(field: &str) -> Content {
    let text = field.trim();
    let text = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let text = text.strip_prefix('\'').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(text);
    Content { rounded: is_scientific(text), ..Content::text(text) }
}

/// `1.39E+10`, `9.12E+17`: the spreadsheet has saved what it showed, and the digits are lost.
pub(super) fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let fraction = mantissa.split_once('.').map_or(mantissa, |(whole, fraction)| if digits(whole) { fraction } else { "" });
    digits(fraction) && exponent.strip_prefix('+').is_some_and(|power| power.parse::<u32>().is_ok_and(|power| power >= 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(u32, u32, String)> {
        let document = read(text.as_bytes(), &Limits::default());
        document.tables[0].cells.iter().map(|cell| (cell.row, cell.column, cell.text.clone())).collect()
    }

    #[test]
    fn the_delimiter_is_found_and_quotes_hold_line_breaks() {
        for delimiter in [',', ';', '\t', '|'] {
            let text =
                format!("序号{delimiter}课题名称{delimiter}电话\n1{delimiter}\"甲{delimiter}乙\n丙 \"\"丁\"\"\"{delimiter}0431-1,2\n");
            let text = if delimiter == ',' { text.replace("1,2", "12") } else { text };
            let cells = texts(&text);
            assert_eq!(cells[4].2, format!("甲{delimiter}乙\n丙 \"丁\""), "{delimiter}");
            assert_eq!(cells.len(), 6);
        }
    }

    #[test]
    fn blank_lines_keep_their_row_numbers_and_wrappings_fall_off() {
        assert_eq!(
            texts("a,b\n\n\n=\"0431\",'139\n"),
            [(0, 0, "a".to_owned()), (0, 1, "b".to_owned()), (3, 0, "0431".to_owned()), (3, 1, "139".to_owned()),]
        );
        let rows = |text: &str| texts(text).into_iter().map(|(row, ..)| row).collect::<Vec<_>>();
        assert_eq!(rows("a,b\r\n1,2\r\n\r\n3,4\r\n"), [0, 0, 1, 1, 3, 3], "as Excel ends its lines");
    }

    #[test]
    fn lost_digits_are_noticed() {
        assert!(is_scientific("1.39E+10") && is_scientific("9.12201E+17"));
        assert!(!is_scientific("1.5E-3") && !is_scientific("E+10") && !is_scientific("TRE+10") && !is_scientific("139"));
    }
}
