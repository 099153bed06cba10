//! A grid row by row, and how its places are written.

use std::collections::BTreeMap;

use crate::domain::forms::grid::{Cell, Grid, GridKind};

/// The filled cells of one row, left to right.
#[derive(Debug, Clone)]
pub(super) struct Row<'g> {
    /// Zero-based.
    pub index: u32,
    pub cells: Vec<&'g Cell>,
}

/// The rows that hold anything, top down.
pub(super) fn rows(grid: &Grid) -> Vec<Row<'_>> {
    let mut rows: BTreeMap<u32, Vec<&Cell>> = BTreeMap::new();
    for cell in grid.cells.iter().filter(|cell| !cell.text.is_empty()) {
        rows.entry(cell.row).or_default().push(cell);
    }
    rows.into_iter()
        .map(|(index, mut cells)| {
            cells.sort_by_key(|cell| cell.column);
            Row { index, cells }
        })
        .collect()
}

impl<'g> Row<'g> {
    pub(super) fn first_text(&self) -> &'g str {
        self.cells.first().map_or("", |cell| cell.text.as_str())
    }

    /// All texts, one line, for reading by people and by recognisers of names.
    pub(super) fn line(&self) -> String {
        self.cells.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join("  ")
    }
}

/// The column behind a cell.
pub(super) fn column_after(cell: &Cell) -> u32 {
    cell.column.saturating_add(cell.column_span.max(1))
}

/// The row below a cell.
pub(super) fn row_after(cell: &Cell) -> u32 {
    cell.row.saturating_add(cell.row_span.max(1))
}

/// `Sheet1!I5`, or `table 1 R3C2` in a Word table.
pub(in crate::domain::forms) fn cell_place(grid: &Grid, row: u32, column: u32) -> String {
    let (row, column) = if grid.transposed { (column, row) } else { (row, column) };
    match grid.kind {
        GridKind::Sheet => format!("{}!{}{}", grid.name, letters(column), u64::from(row) + 1),
        GridKind::WordTable => format!("{} R{}C{}", grid.name, u64::from(row) + 1, u64::from(column) + 1),
    }
}

/// `Sheet1!A5:R5`, or `table 1 R5` in a Word table.
pub(super) fn row_place(grid: &Grid, row: u32, first_column: u32, last_column: u32) -> String {
    let number = u64::from(row) + 1;
    match grid.kind {
        GridKind::Sheet if grid.transposed => {
            let column = letters(row);
            format!("{}!{column}{}:{column}{}", grid.name, u64::from(first_column) + 1, u64::from(last_column) + 1)
        }
        GridKind::WordTable if grid.transposed => format!("{} C{number}", grid.name),
        GridKind::Sheet => format!("{}!{}{number}:{}{number}", grid.name, letters(first_column), letters(last_column)),
        GridKind::WordTable => format!("{} R{number}", grid.name),
    }
}

/// A row as people call it: `Sheet1第5行`.
pub(super) fn row_name(grid: &Grid, row: u32) -> String {
    format!("{}第{}{}", grid.name, u64::from(row) + 1, if grid.transposed { "列" } else { "行" })
}

/// Spreadsheet letters of a zero-based column.
fn letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = u64::from(column) + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or(0)));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_spreadsheets_and_people_write_them() {
        let sheet = Grid { name: "汇总".to_owned(), ..Grid::default() };
        assert_eq!(cell_place(&sheet, 4, 8), "汇总!I5");
        assert_eq!(row_place(&sheet, 4, 0, 27), "汇总!A5:AB5");
        assert_eq!(letters(16_383), "XFD");
        let word = Grid { name: "table 1".to_owned(), kind: GridKind::WordTable, ..Grid::default() };
        assert_eq!(cell_place(&word, 2, 1), "table 1 R3C2");
    }
}
