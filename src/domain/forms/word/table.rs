//! Rows and cells as they come become a grid with absolute coordinates (ECMA-376 part 1, 17.4).

use std::collections::BTreeMap;

use super::WordTable;
use crate::domain::forms::grid::Cell;

/// A wider cell is nonsense.
const SPAN_MAX: u32 = 1_000;

/// How a cell takes part in a vertical merge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Merge {
    #[default]
    None,
    /// First cell of a merged column.
    Restart,
    /// Belongs to the cell above.
    Continue,
}

/// A table while its rows come in.
#[derive(Debug, Default)]
pub struct TableBuilder {
    pub index: usize,
    row: u32,
    column: u32,
    /// A tracked deletion or an empty row leaves no trace.
    row_cells: usize,
    /// By column: cell index and width of the merge that is open there.
    open: BTreeMap<u32, (usize, u32)>,
    pub dropped_row: bool,
    /// By column: width of a cell from above, and the first row that it no longer covers.
    covered: BTreeMap<u32, (u32, u32)>,
}

impl TableBuilder {
    pub fn new(index: usize) -> Self {
        Self { index, ..Self::default() }
    }

    /// Columns left free before the first cell, or behind the last.
    pub fn skip_columns(&mut self, count: u32) {
        self.column = self.column.saturating_add(count.min(SPAN_MAX));
    }

    /// Places one cell; answers its index when it is a cell of its own.
    pub fn push(&mut self, table: &mut WordTable, text: String, span: u32, merge: Merge) -> usize {
        let span = span.clamp(1, SPAN_MAX);
        let (row, column) = (self.row, self.column);
        self.column = column.saturating_add(span);
        self.row_cells += 1;
        if merge == Merge::Continue
            && let Some((above, width)) = self.open.get(&column).copied()
            && let Some(cell) = table.grid.cells.get_mut(above)
            && cell.row + cell.row_span == row
        {
            cell.row_span += 1;
            // Some writers leave text in the continued cells.
            if !text.is_empty() {
                if !cell.text.is_empty() {
                    cell.text.push('\n');
                }
                cell.text.push_str(&text);
            }
            self.open.insert(column, (above, width));
            return above;
        }
        let at = table.grid.cells.len();
        table.grid.cells.push(Cell { row, column, row_span: 1, column_span: span, text, ..Cell::default() });
        match merge {
            Merge::None => _ = self.open.remove(&column),
            Merge::Restart | Merge::Continue => _ = self.open.insert(column, (at, span)),
        }
        at
    }

    /// Places one cell where covered cells are left out, as in HTML; answers its index.
    pub fn push_spanning(&mut self, table: &mut WordTable, text: String, columns: u32, rows: u32) -> usize {
        let (columns, rows) = (columns.clamp(1, SPAN_MAX), rows.max(1));
        let row = self.row;
        while let Some(width) = self.covered.get(&self.column).filter(|(_, until)| *until > row).map(|(width, _)| *width) {
            self.column = self.column.saturating_add(width);
        }
        let column = self.column;
        self.column = column.saturating_add(columns);
        if rows > 1 {
            self.covered.insert(column, (columns, row.saturating_add(rows)));
        }
        table.grid.cells.push(Cell { row, column, row_span: rows, column_span: columns, text, ..Cell::default() });
        table.grid.cells.len() - 1
    }

    /// Begins the next row, whether or not this one has cells of its own.
    pub fn next_row(&mut self) {
        self.row += 1;
        self.column = 0;
    }

    pub fn end_row(&mut self) {
        if self.row_cells > 0 {
            self.row += 1;
        }
        self.column = 0;
        self.row_cells = 0;
        self.dropped_row = false;
    }

    pub fn row(&self) -> u32 {
        self.row
    }

    pub fn column(&self) -> u32 {
        self.column
    }
}
