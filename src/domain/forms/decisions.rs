//! The workbook that a division sends back: its rows name a receipt number and what is to be done with it.

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

/// The filled rows of every visible sheet that has both headings; `None` where no sheet has.
#[must_use]
pub fn read(document: &Document) -> Option<Vec<Decision>> {
    let mut found = None;
    for grid in document.tables.iter().filter(|grid| !grid.hidden) {
        if let Some(decisions) = read_grid(grid) {
            let all: &mut Vec<Decision> = found.get_or_insert_default();
            all.extend(decisions);
            all.truncate(DECISIONS_MAX);
        }
    }
    found
}

fn read_grid(grid: &Grid) -> Option<Vec<Decision>> {
    let heading = |wanted: &str| grid.cells.iter().find(|cell| cell.row < HEADER_ROWS && fold(&cell.text) == wanted);
    let (number, decision) = (heading(NUMBER_HEADING)?, heading(DECISION_HEADING)?);
    if number.row != decision.row {
        return None;
    }
    let text = |row: u32, column: u32| grid.cells.iter().find(|cell| cell.row == row && cell.column == column).map(|cell| cell.text.trim());
    let rows = grid.cells.iter().filter(|cell| cell.column == number.column && cell.row > number.row && !cell.text.trim().is_empty());
    Some(
        rows.filter_map(|cell| {
            let decision = text(cell.row, decision.column).filter(|text| !text.is_empty())?;
            Some(Decision { number: cell.text.trim().to_owned(), text: decision.to_owned() })
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
        assert_eq!(read(&document), Some(vec![Decision { number: "2024-00001-1".into(), text: "受理".into() }]));
    }

    #[test]
    fn a_summary_table_is_no_such_workbook() {
        let document =
            Document { tables: vec![grid(&[&["序号", "课题名称", "申报单位"], &["1", "甲", "乙"]])], ..Document::default() };
        assert_eq!(read(&document), None);
    }
}
