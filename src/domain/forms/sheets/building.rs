//! Collects the cells of one sheet within the limits, whatever the format, and makes a [`Grid`] of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    folding,
    forms::grid::{Cell, Grid, GridKind},
    limits::Limits,
};

/// Cells visited in all, to find those that merged ranges cover; bounds the work of hostile overlapping ranges.
const MERGE_VISITS_MAX: usize = 4_000_000;

/// Hidden rows and columns noted in one sheet, those that several ranges name counted each time.
const HIDDEN_MAX: usize = 200_000;

/// A rectangle of cells, both ends included, zero-based.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub first_row: u32,
    pub first_column: u32,
    pub last_row: u32,
    pub last_column: u32,
}

/// What a reader found in one cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub text: String,
    pub uncomputed: bool,
    pub rounded: bool,
}

impl Content {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty() && !self.uncomputed
    }
}

/// One sheet in the making.
#[derive(Debug)]
pub(super) struct GridBuilder<'a> {
    limits: &'a Limits,
    grid: Grid,
    cells: BTreeMap<(u32, u32), Content>,
    merges: Vec<Area>,
    hidden_rows: BTreeSet<u32>,
    hidden_columns: BTreeSet<u32>,
    hidden_noted: usize,
    /// What the document may still hold.
    cells_left: usize,
    text_left_bytes: usize,
}

impl<'a> GridBuilder<'a> {
    pub(super) fn new(name: &str, kind: GridKind, limits: &'a Limits) -> Self {
        Self {
            limits,
            grid: Grid { name: folding::one_line(name), kind, ..Grid::default() },
            cells: BTreeMap::new(),
            merges: Vec::new(),
            hidden_rows: BTreeSet::new(),
            hidden_columns: BTreeSet::new(),
            hidden_noted: 0,
            cells_left: limits.cells_max,
            text_left_bytes: limits.workbook_text_max_bytes,
        }
    }

    /// The limits on cells and text are for all sheets of a document: less what the `others` hold.
    pub(super) fn after(mut self, others: &[Grid]) -> Self {
        for cell in others.iter().flat_map(|grid| &grid.cells) {
            self.cells_left = self.cells_left.saturating_sub(1);
            self.text_left_bytes = self.text_left_bytes.saturating_sub(cell.text.len());
        }
        self
    }

    pub(super) fn set_hidden(&mut self, hidden: bool) {
        self.grid.hidden = hidden;
    }

    /// Whether a row or column index is one that is kept.
    pub(super) fn keeps(&self, row: u32, column: u32) -> bool {
        (row as usize) < self.limits.rows_max && (column as usize) < self.limits.columns_max
    }

    pub(super) fn columns_max(&self) -> usize {
        self.limits.columns_max
    }

    /// Puts one cell; empty ones are dropped. `false` once a limit on cells or rows is reached: the reader may stop.
    pub(super) fn put(&mut self, row: u32, column: u32, mut content: Content) -> bool {
        content.text = cut(folding::clean(&content.text), self.limits.text_max_chars);
        if content.is_empty() {
            return true;
        }
        if row as usize >= self.limits.rows_max {
            self.truncate(format!("超过{}行的部分未读取", self.limits.rows_max));
            return false;
        }
        if column as usize >= self.limits.columns_max {
            self.truncate(format!("第{}列以后的内容未读取", self.limits.columns_max));
            return true;
        }
        if self.cells.len() >= self.cells_left && !self.cells.contains_key(&(row, column)) {
            self.truncate(format!("超过{}个单元格的部分未读取", self.limits.cells_max));
            return false;
        }
        if content.text.len() > self.text_left_bytes {
            self.truncate(format!("文字超过{}MB的部分未读取", self.limits.workbook_text_max_bytes >> 20));
            return false;
        }
        self.text_left_bytes -= content.text.len();
        self.cells.insert((row, column), content);
        true
    }

    pub(super) fn truncate(&mut self, what: String) {
        self.grid.truncated.get_or_insert(what);
    }

    /// Hides the rows from `first` to `last`, both included.
    pub(super) fn hide_rows(&mut self, first: u32, last: u32) {
        let end = u32::try_from(self.limits.rows_max).unwrap_or(u32::MAX);
        let range = first..last.saturating_add(1).min(end);
        self.hidden_noted += range.len();
        if self.notes_hidden() {
            self.hidden_rows.extend(range);
        }
    }

    /// Hides the columns from `first` to `last`, both included.
    pub(super) fn hide_columns(&mut self, first: u32, last: u32) {
        let end = u32::try_from(self.limits.columns_max).unwrap_or(u32::MAX);
        let range = first..last.saturating_add(1).min(end);
        self.hidden_noted += range.len();
        if self.notes_hidden() {
            self.hidden_columns.extend(range);
        }
    }

    fn notes_hidden(&mut self) -> bool {
        let within = self.hidden_noted <= HIDDEN_MAX;
        if !within {
            self.truncate(format!("隐藏的行列超过{HIDDEN_MAX}处的上限，其后的未作标记"));
        }
        within
    }

    pub(super) fn merge(&mut self, area: Area) {
        let single = area.first_row >= area.last_row && area.first_column >= area.last_column;
        if single || !self.keeps(area.first_row, area.first_column) {
            return;
        }
        if self.merges.len() >= self.limits.merges_max {
            self.truncate(format!("合并单元格超过{}处的上限，其后的按未合并读取", self.limits.merges_max));
            return;
        }
        self.merges.push(area);
    }

    /// The finished grid: spans set, covered cells dropped, an empty merged cell kept as an empty cell.
    pub(super) fn finish(mut self) -> Grid {
        let mut spans = BTreeMap::new();
        let mut visits = 0;
        for area in std::mem::take(&mut self.merges) {
            let covered: Vec<(u32, u32)> = self
                .cells
                .range((area.first_row, 0)..=(area.last_row, u32::MAX))
                .map(|(at, _)| *at)
                .inspect(|_| visits += 1)
                .filter(|at| *at != (area.first_row, area.first_column))
                .filter(|at| (area.first_column..=area.last_column).contains(&at.1))
                .collect();
            for at in covered {
                self.cells.remove(&at);
            }
            self.cells.entry((area.first_row, area.first_column)).or_default();
            let last_row = area.last_row.min(u32::try_from(self.limits.rows_max).unwrap_or(u32::MAX));
            let last_column = area.last_column.min(u32::try_from(self.limits.columns_max).unwrap_or(u32::MAX));
            let rows = last_row.saturating_sub(area.first_row).saturating_add(1);
            let columns = last_column.saturating_sub(area.first_column).saturating_add(1);
            spans.insert((area.first_row, area.first_column), (rows, columns));
            if visits > MERGE_VISITS_MAX {
                let what = format!("合并区域内的单元格合计超过{}万个的上限，其后的按未合并读取", MERGE_VISITS_MAX / 10_000);
                self.grid.truncated.get_or_insert(what);
                break;
            }
        }
        self.grid.hidden_rows = std::mem::take(&mut self.hidden_rows).into_iter().collect();
        self.grid.hidden_columns = std::mem::take(&mut self.hidden_columns).into_iter().collect();
        self.grid.cells = std::mem::take(&mut self.cells).into_iter().map(|(at, content)| cell(at, content, &spans)).collect();
        self.grid
    }
}

fn cell(at: (u32, u32), content: Content, spans: &BTreeMap<(u32, u32), (u32, u32)>) -> Cell {
    let (row_span, column_span) = spans.get(&at).copied().unwrap_or((1, 1));
    let Content { text, uncomputed, rounded } = content;
    Cell { row: at.0, column: at.1, row_span, column_span, text, uncomputed, rounded }
}

fn cut(text: String, max_chars: usize) -> String {
    if text.len() <= max_chars { text } else { text.chars().take(max_chars).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_far_stray_cell_is_left_out_and_said_so() {
        let limits = Limits::default();
        let mut builder = GridBuilder::new("Sheet1", GridKind::Sheet, &limits);
        assert!(builder.put(0, 0, Content::text("甲")));
        assert!(!builder.put(1_048_575, 0, Content::text("乙")));
        let grid = builder.finish();
        assert_eq!(grid.cells.len(), 1);
        assert!(grid.truncated.is_some_and(|text| text.contains(&Limits::default().rows_max.to_string())));
    }

    #[test]
    fn one_long_text_in_every_cell_is_cut_off() {
        let limits = Limits::default();
        let mut builder = GridBuilder::new("Sheet1", GridKind::Sheet, &limits);
        let text = "长".repeat(30_000);
        let put = (0..5_000).take_while(|row| builder.put(*row, 0, Content::text(text.clone()))).count();
        assert!((50..1_000).contains(&put));
        assert!(builder.finish().truncated.is_some_and(|text| text.contains("24MB")));
    }

    #[test]
    fn covered_cells_give_way_to_the_merged_one() {
        let limits = Limits::default();
        let mut builder = GridBuilder::new("Sheet1", GridKind::Sheet, &limits);
        builder.put(2, 1, Content::text("甲"));
        builder.put(3, 1, Content::text("旧"));
        builder.merge(Area { first_row: 2, first_column: 1, last_row: 4, last_column: 1 });
        let grid = builder.finish();
        assert_eq!(grid.cells.len(), 1);
        assert_eq!((grid.cells[0].row_span, grid.cells[0].column_span), (3, 1));
    }
}
