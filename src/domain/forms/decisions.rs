//! The workbook that a division sends back: its rows name a receipt number and what is to be done with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::grid::{Document, Grid};
use crate::domain::folding::fold;

/// Headings of our own workbook.
pub const NUMBER_HEADING: &str = "回执编号";
pub const DECISION_HEADING: &str = "处理意见";
/// Rows from the top in which the header is looked for.
const HEADER_ROWS: u32 = 20;
/// Decisions of one workbook.
const DECISIONS_MAX: usize = 2_000;

/// One filled row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub number: String,
    /// As written: 受理, 转医药工业处 …
    pub text: String,
}

/// The filled rows of every visible sheet that has both headings; `None` where no sheet has. What was left out goes to `notes`.
#[must_use]
pub fn read(document: &Document, notes: &mut Vec<String>) -> Option<Vec<Decision>> {
    let mut found = None;
    for grid in document.tables.iter().filter(|grid| !grid.hidden) {
        if let Some(decisions) = read_grid(grid) {
            let all: &mut Vec<Decision> = found.get_or_insert_default();
            all.extend(decisions);
            notes.extend(grid.truncated.as_ref().map(|what| format!("{}：{what}", grid.name)));
        }
    }
    if let Some(all) = found.as_mut().filter(|all| all.len() > DECISIONS_MAX) {
        all.truncate(DECISIONS_MAX);
        notes.push(format!("处理意见超过{DECISIONS_MAX}条的上限，其后的没有读取"));
    }
    found
}

fn read_grid(grid: &Grid) -> Option<Vec<Decision>> {
    let heading = |wanted: &str| grid.cells.iter().find(|cell| cell.row < HEADER_ROWS && fold(&cell.text) == wanted);
    let (number, decision) = (heading(NUMBER_HEADING)?, heading(DECISION_HEADING)?);
    if number.row != decision.row {
        return None;
    }
    let said: BTreeMap<u32, &str> =
        grid.cells.iter().filter(|cell| cell.column == decision.column).map(|cell| (cell.row, cell.text.trim())).collect();
    let rows = grid.cells.iter().filter(|cell| cell.column == number.column && cell.row > number.row && !cell.text.trim().is_empty());
    Some(
        rows.filter_map(|cell| {
            let decision = said.get(&cell.row).filter(|text| !text.is_empty())?;
            Some(Decision { number: cell.text.trim().to_owned(), text: (*decision).to_owned() })
        })
        .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::forms::grid::Cell;

    fn grid(rows: &[&[&str]]) -> Grid {
        let cells = rows.iter().zip(0..).flat_map(|(row, at)| {
            row.iter().zip(0..).map(move |(text, column)| Cell {
                row: at,
                column,
                row_span: 1,
                column_span: 1,
                text: (*text).to_owned(),
                ..Cell::default()
            })
        });
        Grid { name: "新到课题".to_owned(), cells: cells.collect(), ..Grid::default() }
    }

    #[test]
    fn filled_rows_are_decisions_and_empty_ones_are_not() {
        let grid = grid(&[
            &["清单"],
            &["序号", "回执编号", "课题名称", "处理意见"],
            &["1", "2024-00001-1", "甲", "受理"],
            &["2", "2024-00002-9", "乙", ""],
        ]);
        let document = Document { tables: vec![grid], ..Document::default() };
        let found = read(&document, &mut Vec::new());
        assert_eq!(found, Some(vec![Decision { number: "2024-00001-1".into(), text: "受理".into() }]));
    }

    #[test]
    fn decisions_beyond_the_limit_are_missed_aloud() {
        let rows: Vec<[String; 2]> = (0..=DECISIONS_MAX).map(|row| [format!("2024-{row:05}-1"), "受理".to_owned()]).collect();
        let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
        let all: Vec<&[&str]> = std::iter::once(["回执编号", "处理意见"].as_slice()).chain(rows.iter().map(Vec::as_slice)).collect();
        let mut sheet = grid(&all);
        sheet.truncated = Some("超过5000行的部分未读取".to_owned());
        let mut notes = Vec::new();
        let found = read(&Document { tables: vec![sheet], ..Document::default() }, &mut notes);
        assert_eq!(found.map(|found| found.len()), Some(DECISIONS_MAX));
        assert_eq!(notes, ["新到课题：超过5000行的部分未读取", "处理意见超过2000条的上限，其后的没有读取"]);
    }

    #[test]
    fn a_summary_table_is_no_such_workbook() {
        let document =
            Document { tables: vec![grid(&[&["序号", "课题名称", "申报单位"], &["1", "甲", "乙"]])], ..Document::default() };
        assert_eq!(read(&document, &mut Vec::new()), None);
    }
}
