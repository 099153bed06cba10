//! Tables from ruled lines: lines that touch make a lattice, cells without a line between them are one merged cell.

use std::collections::BTreeMap;

use super::{Glyph, Page, Rule, layout};
use crate::domain::{
    forms::grid::{Cell, Grid, GridKind},
    limits::Limits,
};

/// Lines this near are one line; corners this near touch.
const NEAR_POINTS: f64 = 2.5;
/// Upright lines that reach farther than this beyond a table's last level line leave a row open.
const OPEN_POINTS: f64 = 8.0;

/// Where the columns of a table end.
#[derive(Debug, Clone)]
pub struct Columns(pub Vec<f64>);

/// A table with its place on the page.
pub struct Table {
    pub grid: Grid,
    /// What stands in each cell of the grid.
    pub glyphs: Vec<Vec<Glyph>>,
    pub columns: Columns,
    pub top: f64,
    pub bottom: f64,
    /// No line closes it above, or below: it comes from the page before, or goes on.
    pub top_open: bool,
    pub bottom_open: bool,
}

/// Tables of a page, top to bottom, and the characters outside of them. A lattice of too many fields is no table: its characters
/// stay outside, and the page says so.
pub fn tables(page: &mut Page, limits: &Limits) -> (Vec<Table>, Vec<Glyph>) {
    let mut lattices = Vec::new();
    for rules in components(page) {
        match Lattice::of(&rules, limits) {
            Ok(lattice) => lattices.extend(lattice),
            Err(TooManyFields) => {
                page.cut.get_or_insert_with(|| format!("表格超过每页{}格的上限，没有按表格读取", limits.page_fields_max));
            }
        }
    }
    // The smallest around a character is the one it stands in.
    lattices.sort_by(|a, b| a.area().total_cmp(&b.area()));
    let mut inside: Vec<BTreeMap<usize, Vec<Glyph>>> = lattices.iter().map(|_| BTreeMap::new()).collect();
    let mut loose = Vec::new();
    for glyph in &page.glyphs {
        let (x, y) = (glyph.x + glyph.width / 2.0, glyph.y - 0.35 * glyph.size);
        let place = lattices.iter().zip(&mut inside).find_map(|(lattice, cells)| lattice.cell_at(x, y).map(|cell| (cell, cells)));
        match place {
            Some((cell, cells)) => cells.entry(cell).or_default().push(glyph.clone()),
            None => loose.push(glyph.clone()),
        }
    }
    let mut tables: Vec<Table> = lattices.iter().zip(inside).map(|(lattice, cells)| lattice.table(cells)).collect();
    tables.sort_by(|a, b| a.top.total_cmp(&b.top));
    (tables, loose)
}

/// Level and upright lines, pieces joined, in groups that touch each other.
fn components(page: &Page) -> Vec<Vec<Rule>> {
    let (level, upright): (Vec<Rule>, Vec<Rule>) = page.rules.iter().partition(|rule| rule.x1 - rule.x0 > rule.y1 - rule.y0);
    let level = joined(level.into_iter().map(|rule| Span { at: (rule.y0 + rule.y1) / 2.0, from: rule.x0, to: rule.x1 }).collect());
    let upright = joined(upright.into_iter().map(|rule| Span { at: (rule.x0 + rule.x1) / 2.0, from: rule.y0, to: rule.y1 }).collect());
    let mut groups = Groups::new(level.len() + upright.len());
    for (index, line) in level.iter().enumerate() {
        for (other, post) in upright.iter().enumerate() {
            let meets = |span: &Span, at: f64| at > span.from - NEAR_POINTS && at < span.to + NEAR_POINTS;
            if meets(line, post.at) && meets(post, line.at) {
                groups.join(index, level.len() + other);
            }
        }
    }
    let mut found: BTreeMap<usize, Vec<Rule>> = BTreeMap::new();
    for (index, span) in level.iter().chain(&upright).enumerate() {
        let rule = if index < level.len() {
            Rule { x0: span.from, x1: span.to, y0: span.at, y1: span.at }
        } else {
            Rule { x0: span.at, x1: span.at, y0: span.from, y1: span.to }
        };
        found.entry(groups.root(index)).or_default().push(rule);
    }
    found.into_values().collect()
}

/// Level lines, pieces joined: programs draw the border of each cell for itself.
pub fn level_lines(rules: &[Rule]) -> Vec<Rule> {
    let level = rules.iter().filter(|rule| rule.x1 - rule.x0 > rule.y1 - rule.y0);
    let spans = joined(level.map(|rule| Span { at: f64::midpoint(rule.y0, rule.y1), from: rule.x0, to: rule.x1 }).collect());
    spans.into_iter().map(|span| Rule { x0: span.from, x1: span.to, y0: span.at, y1: span.at }).collect()
}

/// A line at one coordinate, from–to along the other.
#[derive(Debug, Clone, Copy)]
struct Span {
    at: f64,
    from: f64,
    to: f64,
}

/// Pieces of one line joined.
fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by(|a, b| a.at.total_cmp(&b.at));
    let mut level = f64::NEG_INFINITY;
    for span in &mut spans {
        if span.at - level > NEAR_POINTS {
            level = span.at;
        }
        span.at = level;
    }
    spans.sort_by(|a, b| a.at.total_cmp(&b.at).then(a.from.total_cmp(&b.from)));
    let mut out: Vec<Span> = Vec::new();
    for span in spans {
        match out.last_mut() {
            Some(last) if (last.at - span.at).abs() < f64::EPSILON && span.from <= last.to + NEAR_POINTS => last.to = last.to.max(span.to),
            _ => out.push(span),
        }
    }
    out
}

/// Disjoint sets.
struct Groups(Vec<usize>);

impl Groups {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&mut self, mut index: usize) -> usize {
        while let Some(parent) = self.0.get(index).copied().filter(|parent| *parent != index) {
            let above = self.0.get(parent).copied().unwrap_or(parent);
            if let Some(slot) = self.0.get_mut(index) {
                *slot = above;
            }
            index = parent;
        }
        index
    }

    /// The smaller index stays root: the top left cell of a merged one.
    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if let Some(slot) = self.0.get_mut(a.max(b)) {
            *slot = a.min(b);
        }
    }
}

/// More fields than a page may have.
struct TooManyFields;

/// A lattice of lines: its columns' and rows' edges, and which of its fields are one cell.
struct Lattice {
    xs: Vec<f64>,
    ys: Vec<f64>,
    /// By field number, row by row: the field at the top left of its cell.
    cells: Vec<usize>,
    top_open: bool,
    bottom_open: bool,
}

impl Lattice {
    /// `None` where the lines frame no more than one field.
    fn of(rules: &[Rule], limits: &Limits) -> Result<Option<Self>, TooManyFields> {
        let edges = |values: &mut dyn Iterator<Item = f64>| {
            let mut values: Vec<f64> = values.collect();
            values.sort_by(f64::total_cmp);
            values.dedup_by(|next, first| *next - *first <= NEAR_POINTS);
            values
        };
        let is_level = |rule: &&Rule| rule.x1 - rule.x0 > rule.y1 - rule.y0;
        let mut ys = edges(&mut rules.iter().filter(is_level).map(|rule| rule.y0));
        let (top_open, bottom_open) = close(&mut ys, rules);
        let xs = edges(&mut rules.iter().filter(|rule| !is_level(rule)).map(|rule| rule.x0));
        let (columns, rows) = (xs.len().saturating_sub(1), ys.len().saturating_sub(1));
        let fields = columns.saturating_mul(rows);
        if fields < 2 {
            return Ok(None);
        }
        if fields > limits.page_fields_max || columns > limits.columns_max {
            return Err(TooManyFields);
        }
        let mut groups = Groups::new(fields);
        for (row, band) in ys.windows(2).enumerate() {
            for (column, strip) in xs.windows(2).enumerate() {
                let ([top, bottom], [left, right]) = (band, strip) else { continue };
                let (x, y, field) = ((left + right) / 2.0, (top + bottom) / 2.0, row * columns + column);
                let wall = |rule: &Rule| {
                    (rule.x0 - right).abs() <= NEAR_POINTS && (rule.x1 - right).abs() <= NEAR_POINTS && rule.y0 < y && rule.y1 > y
                };
                let floor = |rule: &Rule| {
                    (rule.y0 - bottom).abs() <= NEAR_POINTS && (rule.y1 - bottom).abs() <= NEAR_POINTS && rule.x0 < x && rule.x1 > x
                };
                if column + 1 < columns && !rules.iter().any(wall) {
                    groups.join(field, field + 1);
                }
                if row + 1 < rows && !rules.iter().any(floor) {
                    groups.join(field, field + columns);
                }
            }
        }
        let cells = (0..fields).map(|field| groups.root(field)).collect();
        Ok(Some(Self { xs, ys, cells, top_open, bottom_open }))
    }

    fn area(&self) -> f64 {
        let extent = |values: &[f64]| values.last().zip(values.first()).map_or(0.0, |(last, first)| last - first);
        extent(&self.xs) * extent(&self.ys)
    }

    fn columns(&self) -> usize {
        self.xs.len().saturating_sub(1).max(1)
    }

    /// The cell around a point.
    fn cell_at(&self, x: f64, y: f64) -> Option<usize> {
        let strip = |values: &[f64], value: f64| {
            let after = values.partition_point(|edge| *edge <= value);
            (after > 0 && after < values.len()).then(|| after - 1)
        };
        let field = strip(&self.ys, y)? * self.columns() + strip(&self.xs, x)?;
        self.cells.get(field).copied()
    }

    fn table(&self, mut texts: BTreeMap<usize, Vec<Glyph>>) -> Table {
        let columns = self.columns();
        let mut extents: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        for (field, cell) in self.cells.iter().enumerate() {
            let last = extents.entry(*cell).or_default();
            *last = (last.0.max(field / columns), last.1.max(field % columns));
        }
        let edge = |values: &[f64], index: usize| values.get(index).copied().unwrap_or(0.0);
        let count = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let mut glyphs = Vec::new();
        let cells = extents
            .into_iter()
            .map(|(cell, (last_row, last_column))| {
                let (row, column) = (cell / columns, cell % columns);
                let own = texts.remove(&cell).unwrap_or_default();
                glyphs.push(own.clone());
                Cell {
                    row: count(row),
                    column: count(column),
                    row_span: count(last_row + 1 - row.min(last_row)),
                    column_span: count(last_column + 1 - column.min(last_column)),
                    text: layout::cell_text(own, edge(&self.xs, column), edge(&self.xs, last_column + 1)),
                    ..Cell::default()
                }
            })
            .collect();
        Table {
            grid: Grid { kind: GridKind::WordTable, cells, ..Grid::default() },
            glyphs,
            columns: Columns(self.xs.clone()),
            top: edge(&self.ys, 0),
            bottom: edge(&self.ys, self.ys.len().saturating_sub(1)),
            top_open: self.top_open,
            bottom_open: self.bottom_open,
        }
    }
}

/// Closes a table whose upright lines reach beyond its last level one: some programs draw no line where a page cuts a row.
/// Answers whether it was open above and below.
fn close(ys: &mut Vec<f64>, rules: &[Rule]) -> (bool, bool) {
    let is_upright = |rule: &&Rule| rule.x1 - rule.x0 <= rule.y1 - rule.y0;
    let (Some(first), Some(last)) = (ys.first().copied(), ys.last().copied()) else { return (false, false) };
    // Both sides of a table reach there; one line alone is something else.
    let above: Vec<f64> = rules.iter().filter(is_upright).map(|rule| rule.y0).filter(|y| *y < first - OPEN_POINTS).collect();
    let below: Vec<f64> = rules.iter().filter(is_upright).map(|rule| rule.y1).filter(|y| *y > last + OPEN_POINTS).collect();
    if above.len() > 1 {
        ys.insert(0, above.iter().copied().fold(f64::INFINITY, f64::min));
    }
    if below.len() > 1 {
        ys.push(below.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    }
    (above.len() > 1, below.len() > 1)
}
