//! A table over a page break is one table, and a row that the break cuts is one row. On paper nothing says so: what tells is where
//! the lines stand, which cells are empty, and how far down the text of the last row reaches.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    layout::{Line, cell_text, lines},
    ruled::{Columns, Table},
};
use crate::domain::{forms::grid::Grid, limits::Limits};

/// Rows of a header that is printed again on the next page.
const HEADER_ROWS_MAX: u32 = 3;
/// A cell goes on over the break only where its text reaches this near to its lower edge, in sizes of its letters: widow control
/// leaves a line or two free.
const FREE_BELOW_SIZES: f64 = 4.5;
/// Distance of two lines of one paragraph, in sizes of its letters.
const LINE_SIZES: f64 = 1.3;

static PAGE_NUMBER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[-—–－·\s]*第?\s*\d{1,4}\s*页?(?:\s*[,，/／]?\s*共?\s*\d{1,4}\s*页?)?[-—–－·\s]*$").ok());

/// Whether a line is a page's number.
pub fn is_page_number(line: &Line) -> bool {
    PAGE_NUMBER.as_ref().is_some_and(|number| number.is_match(&line.text()))
}

/// The table that the last page ended with, to which the next page may add.
#[derive(Default)]
pub struct Open {
    table: Option<Table>,
    /// Text stands below it on its page: its last row ends there.
    ended: bool,
}

impl Open {
    pub fn new(table: Table) -> Self {
        Self { table: Some(table), ended: false }
    }

    pub fn end(&mut self) {
        self.ended = true;
    }

    /// The table as a grid; its place in the document gives its name.
    pub fn close(self, number: usize) -> Option<Grid> {
        self.table.map(|table| Grid { name: format!("table {number}"), ..table.grid })
    }

    /// Whether the first table of a page is this one going on.
    pub fn goes_on_as(&self, next: &Table) -> bool {
        self.table.as_ref().is_some_and(|table| table.columns.same_frame(&next.columns))
    }

    /// Adds the rows of the next page: a header that is printed again is left out, a row cut by the break is made whole.
    pub fn append(&mut self, mut next: Table, limits: &Limits) {
        let Some(open) = &mut self.table else { return };
        let columns = open.columns.union(&next.columns);
        open.refine(&columns);
        next.refine(&columns);
        let texts = |table: &Table, row: u32| {
            table.grid.cells.iter().filter(|cell| cell.row == row).map(|cell| cell.text.clone()).collect::<Vec<_>>()
        };
        let printed_again = |row: &u32| {
            let first = texts(open, *row);
            first.iter().any(|text| !text.is_empty()) && first == texts(&next, *row)
        };
        let skip = u32::try_from((0..HEADER_ROWS_MAX).take_while(printed_again).count()).unwrap_or(0);
        let end = open.rows();
        let cut = !self.ended && end > 0 && is_cut(open, &next, skip, end - 1);
        // The first new row lies over the last one where a break has cut it.
        let start = if cut { end - 1 } else { end };
        for (mut cell, glyphs) in next.grid.cells.into_iter().zip(next.glyphs).filter(|(cell, _)| cell.row >= skip) {
            let above = open.covering(start.max(1) - u32::from(!cut), cell.column);
            let is_first = cell.row == skip;
            if let Some(at) = above.filter(|_| is_first && (cut || cell.text.is_empty()))
                && let Some(known) = open.grid.cells.get_mut(at)
                && (cut || known.row_span > 1 || cell.row_span > 1)
            {
                // A cell merged down over the break is one cell.
                known.row_span += cell.row_span.max(1) - u32::from(cut);
                if let Some(glyphs_above) = open.glyphs.get_mut(at).filter(|_| !glyphs.is_empty()) {
                    append_below(glyphs_above, glyphs);
                    let (left, right) = columns.edges(known.column, known.column_span);
                    known.text = cell_text(glyphs_above.clone(), left, right);
                }
                continue;
            }
            cell.row = cell.row - skip + start;
            if cell.row as usize >= limits.rows_max || open.grid.cells.len() >= limits.cells_max {
                open.grid.truncated = Some(format!("表格超过{}行的上限，超出部分未读取", limits.rows_max));
                break;
            }
            open.grid.cells.push(cell);
            open.glyphs.push(glyphs);
        }
        open.columns = columns;
        open.bottom_open = next.bottom_open;
        self.ended = false;
    }
}

/// Whether the first new row is the rest of the last row: what identified that row is not said again, and everything that is said
/// stands below a text that reached the end of its page.
fn is_cut(open: &Table, next: &Table, skip: u32, last: u32) -> bool {
    if open.bottom_open && next.top_open {
        return true;
    }
    let first: Vec<usize> = (0..next.grid.cells.len()).filter(|at| next.grid.cells.get(*at).is_some_and(|cell| cell.row == skip)).collect();
    let filled = || first.iter().filter_map(|at| next.grid.cells.get(*at)).filter(|cell| !cell.text.is_empty());
    let above = |column: u32| open.covering(last, column).and_then(|at| Some((at, open.grid.cells.get(at)?)));
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let goes_on = |column: u32| above(column).is_some_and(|(at, cell)| !is_number(&cell.text) && open.reaches_end(at, FREE_BELOW_SIZES));
    if filled().next().is_none() || !filled().all(|cell| goes_on(cell.column)) {
        return false;
    }
    let own = |at: &usize| open.grid.cells.get(*at).filter(|cell| cell.row + cell.row_span.max(1) > last && !cell.text.is_empty());
    let mut in_last: Vec<_> = (0..open.grid.cells.len()).filter_map(|at| own(&at)).collect();
    in_last.sort_by_key(|cell| cell.column);
    match in_last.as_slice() {
        // One cell over the whole width: a sentence that stops in the middle goes on.
        [only] => {
            let unfinished = !only.text.ends_with(['。', '；', '：', '！', '？', ';', ':', '.', '）', ')']);
            first.len() == 1 && unfinished && above(only.column).is_some_and(|(at, _)| open.last_line_is_full(at))
        }
        [leftmost, ..] => first
            .iter()
            .filter_map(|at| next.grid.cells.get(*at))
            .any(|cell| (leftmost.column..leftmost.column + leftmost.column_span.max(1)).contains(&cell.column) && cell.text.is_empty()),
        [] => false,
    }
}

/// Puts characters of the next page right below those of the page before.
fn append_below(above: &mut Vec<super::Glyph>, mut below: Vec<super::Glyph>) {
    let (lines_above, lines_below) = (lines(above.clone()), lines(below.clone()));
    if let (Some(last), Some(first)) = (lines_above.last(), lines_below.first()) {
        let moved = last.y + LINE_SIZES * last.size.max(first.size) - first.y;
        below.iter_mut().for_each(|glyph| glyph.y += moved);
    }
    above.append(&mut below);
}

impl Columns {
    /// The same left and right edge: whatever the rows of one page divide between them.
    fn same_frame(&self, other: &Self) -> bool {
        let near = |a: Option<&f64>, b: Option<&f64>| a.zip(b).is_some_and(|(a, b)| (a - b).abs() < 5.0);
        near(self.0.first(), other.0.first()) && near(self.0.last(), other.0.last())
    }

    fn union(&self, other: &Self) -> Self {
        let mut all: Vec<f64> = self.0.iter().chain(&other.0).copied().collect();
        all.sort_by(f64::total_cmp);
        all.dedup_by(|next, first| *next - *first < 5.0);
        Self(all)
    }

    fn edges(&self, column: u32, span: u32) -> (f64, f64) {
        let edge = |index: u32| self.0.get(index as usize).or(self.0.last()).copied().unwrap_or(0.0);
        (edge(column), edge(column.saturating_add(span.max(1))))
    }

    /// The number of the edge next to `x`.
    fn nearest(&self, x: f64) -> u32 {
        let distance = |edge: &f64| (edge - x).abs();
        let nearest = self.0.iter().enumerate().min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)));
        nearest.and_then(|(index, _)| u32::try_from(index).ok()).unwrap_or(0)
    }
}

impl Table {
    /// Counts the columns by `finer` edges.
    fn refine(&mut self, finer: &Columns) {
        for cell in &mut self.grid.cells {
            let (left, right) = self.columns.edges(cell.column, cell.column_span);
            let (first, after) = (finer.nearest(left), finer.nearest(right));
            (cell.column, cell.column_span) = (first, after.saturating_sub(first).max(1));
        }
        self.columns = finer.clone();
    }

    fn rows(&self) -> u32 {
        self.grid.cells.iter().map(|cell| cell.row + cell.row_span.max(1)).max().unwrap_or(0)
    }

    /// The cell over a row and column.
    fn covering(&self, row: u32, column: u32) -> Option<usize> {
        self.grid.cells.iter().position(|cell| {
            (cell.row..cell.row + cell.row_span.max(1)).contains(&row)
                && (cell.column..cell.column + cell.column_span.max(1)).contains(&column)
        })
    }

    fn reaches_end(&self, at: usize, sizes: f64) -> bool {
        let last = self.glyphs.get(at).and_then(|glyphs| glyphs.iter().max_by(|a, b| a.y.total_cmp(&b.y)));
        last.is_some_and(|glyph| self.bottom - glyph.y < sizes * glyph.size)
    }

    fn last_line_is_full(&self, at: usize) -> bool {
        let (Some(cell), Some(glyphs)) = (self.grid.cells.get(at), self.glyphs.get(at)) else { return false };
        let (_, right) = self.columns.edges(cell.column, cell.column_span);
        lines(glyphs.clone()).last().is_some_and(|line| right - line.x1 < 2.5 * line.size)
    }
}
