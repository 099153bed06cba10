//! Summary tables without ruled columns: nothing but white space says where a column or a row ends. A table is read only where
//! the white space leaves one way to read it; in doubt the sender is asked for the spreadsheet, because a row put together wrongly
//! looks like a right one.

use super::{
    Glyph, Page,
    joining::is_page_number,
    layout::{Line, cell_text, lines},
    ruled,
};
use crate::domain::{
    folding::fold,
    forms::{
        catalogue::{Catalogue, FieldKind, Shape},
        grid::{Cell, Grid, GridKind},
        labels::Labels,
        table::{is_beside_topics, is_row_number},
    },
    limits::Limits,
};

mod header;
mod rows;

use header::{find_header, labels_in, pieces};

/// As many different labels in a row make the header of a table.
const LABELS_MIN: usize = 4;
/// White space between two columns that no line crosses, in sizes of the letters: wider than the space that programs set between
/// Chinese and figures.
const RIVER_SIZES: f64 = 0.35;
/// Digits without which a telephone number or a code is not in its column.
const PHONE_DIGITS_MIN: usize = 7;
const CODE_CHARS_MIN: usize = 15;

/// What white space gave.
#[derive(Debug, Default)]
pub struct Aligned {
    pub tables: Vec<Grid>,
    /// A table is there and cannot be read with certainty; a sentence for its sender.
    pub unclear: Option<String>,
}

/// Why a table is not read.
type Doubt = &'static str;

/// The columns of a table, found on its first page and kept on those that follow.
struct Columns {
    /// Left and right end of what stands in each.
    strips: Vec<(f64, f64)>,
    /// Where the rows' numbers stand.
    numbers: Option<usize>,
}

/// A table that grows over pages.
struct Growing {
    columns: Columns,
    grid: Grid,
    next_row: u32,
    next_number: u32,
}

/// Takes the tables out of the pages; what they do not need stays there as text.
pub fn take(pages: &mut [Page], catalogue: &Catalogue, limits: &Limits) -> Aligned {
    let mut out = Aligned::default();
    for form in catalogue.forms.iter().filter(|form| form.shape == Shape::Table) {
        let labels = Labels::of(form);
        let mut growing: Option<Growing> = None;
        for (index, page) in pages.iter_mut().enumerate() {
            match of_page(page, &labels, growing.take(), limits) {
                Ok((table, finished)) => {
                    growing = table;
                    out.tables.extend(finished.map(|done| done.grid));
                }
                Err(doubt) => {
                    out.unclear.get_or_insert_with(|| unclear(index + 1, doubt));
                    out.tables.clear();
                    return out;
                }
            }
        }
        out.tables.extend(growing.map(|done| done.grid));
    }
    out
}

fn unclear(page: usize, doubt: Doubt) -> String {
    format!("第{page}页的汇总表没有完整的表格线，{doubt}，其中的课题没有读取。请改发Excel格式（.xlsx）的汇总表。")
}

/// One page: the table that goes on or begins there, and the one that ended before.
fn of_page(
    page: &mut Page,
    labels: &Labels<'_>,
    growing: Option<Growing>,
    limits: &Limits,
) -> Result<(Option<Growing>, Option<Growing>), Doubt> {
    let (tables, mut loose) = ruled::tables(page, limits);
    // Lines between the rows alone frame one column: that is no table of its own.
    let framed = tables.iter().filter(|table| table.columns.0.len() == 2);
    loose.extend(framed.flat_map(|table| table.glyphs.iter().flatten().cloned()));
    let mut lines: Vec<Line> = lines(loose);
    // At the edge of a page a number alone is the page's; in the middle of a table it is a row's.
    if lines.last().is_some_and(is_page_number) {
        lines.pop();
    }
    if lines.first().is_some_and(is_page_number) {
        lines.remove(0);
    }
    if let Some(header) = find_header(&lines, labels) {
        let body = body(&lines, header.end);
        if body.is_empty() {
            // An empty table, or a list of what a table should hold.
            return Ok((None, growing));
        }
        let region: Vec<&Line> = lines.get(header.start..).unwrap_or_default().iter().take(header.len() + body.len()).collect();
        let repeated = growing.map(|before| (before.next_number, before));
        let start = repeated.as_ref().map_or(1, |(next, _)| *next);
        let (table, finished) = begin(&region, header.len(), page, labels, start, repeated.map(|(_, before)| before), limits)?;
        forget(page, &region);
        return Ok((Some(table), finished));
    }
    let Some(mut before) = growing else { return Ok((None, None)) };
    let body = body(&lines, 0);
    let goes_on = before.columns.numbers.is_some() && body.iter().any(|line| before.columns.number_of(line) == Some(before.next_number));
    if !goes_on {
        return Ok((None, Some(before)));
    }
    let region: Vec<&Line> = body.iter().collect();
    let bands = rows::bands(&region, 0, &ruled::level_lines(&page.rules), &before.columns, before.next_number)?;
    before.add(&bands, labels, limits)?;
    forget(page, &region);
    Ok((Some(before), None))
}

/// A table from its header down; `before` is the one of the page before, which a repeated header continues.
fn begin(
    region: &[&Line],
    header_lines: usize,
    page: &Page,
    labels: &Labels<'_>,
    next_number: u32,
    before: Option<Growing>,
    limits: &Limits,
) -> Result<(Growing, Option<Growing>), Doubt> {
    let header: Vec<&Line> = region.iter().take(header_lines).copied().collect();
    let mut columns = Columns::of(region, &header, labels)?;
    columns.numbers = columns.find_numbers(&header);
    let goes_on = before.is_some() && region.iter().skip(header_lines).any(|line| columns.number_of(line) == Some(next_number));
    let start = if goes_on { next_number } else { 1 };
    let mut bands = rows::bands(region, header_lines, &ruled::level_lines(&page.rules), &columns, start)?;
    let head = bands.remove(0);
    match before {
        Some(mut before) if goes_on && before.columns.count() == columns.count() => {
            before.columns = columns;
            before.add(&bands, labels, limits)?;
            Ok((before, None))
        }
        before => {
            let mut table = Growing {
                grid: Grid { name: "table 1".to_owned(), kind: GridKind::WordTable, ..Grid::default() },
                columns,
                next_row: 0,
                next_number: 1,
            };
            table.header(&head, labels)?;
            table.add(&bands, labels, limits)?;
            Ok((table, before))
        }
    }
}

/// The lines below a header that are rows: down to a total, a note, a signature, or the end of the page.
fn body(lines: &[Line], from: usize) -> &[Line] {
    let below = lines.get(from..).unwrap_or_default();
    let first = |line: &Line| pieces(line).first().map(|piece| piece.iter().map(|glyph| glyph.text.as_str()).collect::<String>());
    let ends = |line: &Line| is_beside_topics(&line.text()) || first(line).is_some_and(|text| is_beside_topics(&text));
    let end = below.iter().position(ends).unwrap_or(below.len());
    below.get(..end).unwrap_or_default()
}

/// What is a table's is no text beside it any more.
fn forget(page: &mut Page, region: &[&Line]) {
    let top = region.iter().map(|line| line.y - 0.5 * line.size).fold(f64::INFINITY, f64::min);
    let bottom = region.iter().map(|line| line.y + 0.2 * line.size).fold(f64::NEG_INFINITY, f64::max);
    page.glyphs.retain(|glyph| glyph.y < top || glyph.y > bottom);
}

impl Columns {
    /// Strips of white space that no line crosses part the columns, and each column has one header.
    fn of(region: &[&Line], header: &[&Line], labels: &Labels<'_>) -> Result<Self, Doubt> {
        let mut inked: Vec<(f64, f64)> = region
            .iter()
            .flat_map(|line| line.glyphs())
            .filter(|glyph| !glyph.text.trim().is_empty())
            .map(|glyph| (glyph.x, glyph.x + glyph.width))
            .collect();
        let size = region.iter().map(|line| line.size).fold(0.0, f64::max);
        inked.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut strips: Vec<(f64, f64)> = Vec::new();
        for (left, right) in inked {
            match strips.last_mut() {
                Some(strip) if left < strip.1 + RIVER_SIZES * size => strip.1 = strip.1.max(right),
                _ => strips.push((left, right)),
            }
        }
        let strips = headed(strips, header, labels)?;
        Ok(Self { strips, numbers: None })
    }

    fn count(&self) -> usize {
        self.strips.len()
    }

    fn bounds(&self, column: usize) -> (f64, f64) {
        self.strips.get(column).copied().unwrap_or((0.0, 0.0))
    }

    /// What stands in one column of some lines.
    fn glyphs(&self, lines: &[&Line], column: usize) -> Vec<Glyph> {
        let (left, right) = self.bounds(column);
        let inside = |glyph: &&Glyph| (left..right).contains(&(glyph.x + glyph.width.max(0.1) / 2.0));
        lines.iter().flat_map(|line| line.glyphs()).filter(inside).cloned().collect()
    }

    fn text(&self, lines: &[&Line], column: usize) -> String {
        let (left, right) = self.bounds(column);
        cell_text(self.glyphs(lines, column), left, right)
    }

    fn find_numbers(&self, header: &[&Line]) -> Option<usize> {
        (0..self.count()).find(|column| is_row_number(&self.text(header, *column)))
    }

    /// The row number on a line.
    fn number_of(&self, line: &Line) -> Option<u32> {
        self.text(&[line], self.numbers?).trim_end_matches(['.', '、']).parse().ok()
    }
}

/// Every strip of ink under one header: strips inside one label (序 号) are one column, a column without a header or with two
/// cannot be told from its neighbours.
fn headed(strips: Vec<(f64, f64)>, header: &[&Line], labels: &Labels<'_>) -> Result<Vec<(f64, f64)>, Doubt> {
    let text = |from: f64, to: f64| fold(&Columns { strips: vec![(from, to)], numbers: None }.text(header, 0));
    let is_known = |text: &str| is_row_number(text) || labels.find(text).is_some();
    let mut out: Vec<(f64, f64)> = Vec::new();
    for strip in strips {
        if let Some(last) = out.last_mut() {
            let (before, own) = (text(last.0, last.1), text(strip.0, strip.1));
            let both_known = is_known(&before) && is_known(&own);
            let both_there = !own.is_empty() && !before.is_empty();
            if both_there && !both_known && is_known(&text(last.0, strip.1)) {
                last.1 = strip.1;
                continue;
            }
        }
        out.push(strip);
    }
    for strip in &out {
        if text(strip.0, strip.1).is_empty() {
            return Err("有的栏目上方没有栏目名称，列的界限无法可靠辨认");
        }
        let two = header.iter().any(|line| {
            let inside =
                pieces(line).into_iter().filter(|piece| piece.first().is_some_and(|glyph| glyph.x >= strip.0 - 1.0 && glyph.x <= strip.1));
            let texts = inside.map(|piece| piece.iter().map(|glyph| glyph.text.as_str()).collect::<String>());
            texts.filter(|text| is_known(text)).count() > 1
        });
        if two || labels_in(&text(strip.0, strip.1), labels).len() > 1 {
            return Err("相邻两栏的文字挨在一起，列的界限无法可靠辨认");
        }
    }
    Ok(out)
}

impl Growing {
    fn header(&mut self, lines: &[&Line], labels: &Labels<'_>) -> Result<(), Doubt> {
        let texts: Vec<String> = (0..self.columns.count()).map(|column| self.columns.text(lines, column)).collect();
        if labels.header_score(texts.iter().map(String::as_str)).fields < LABELS_MIN {
            return Err("列的界限无法可靠辨认");
        }
        self.push_row(texts);
        Ok(())
    }

    /// Adds rows, each checked: what must be digits is, and a topic has a title.
    fn add(&mut self, bands: &[Vec<&Line>], labels: &Labels<'_>, limits: &Limits) -> Result<(), Doubt> {
        let fields: Vec<Option<(String, FieldKind)>> = (0..self.columns.count()).map(|column| self.field(column, labels)).collect();
        for band in bands {
            if self.next_row as usize >= limits.rows_max {
                self.grid.truncated = Some(format!("表格超过{}行的上限，超出部分未读取", limits.rows_max));
                return Ok(());
            }
            let texts: Vec<String> = (0..self.columns.count()).map(|column| self.columns.text(band, column)).collect();
            for (text, field) in texts.iter().zip(&fields) {
                let Some((key, kind)) = field else { continue };
                let count = |wanted: fn(&char) -> bool| text.chars().filter(wanted).count();
                let fits = match kind {
                    FieldKind::Phone => count(char::is_ascii_digit) >= PHONE_DIGITS_MIN,
                    FieldKind::Uscc => count(char::is_ascii_alphanumeric) >= CODE_CHARS_MIN,
                    _ => true,
                };
                if !text.is_empty() && !fits {
                    return Err("有的内容不在应在的栏目里，列的界限无法可靠辨认");
                }
                if key == "topic_title" && text.is_empty() {
                    return Err("有的行没有课题名称，行的界限无法可靠辨认");
                }
            }
            self.push_row(texts);
            self.next_number += 1;
        }
        Ok(())
    }

    fn field(&self, column: usize, labels: &Labels<'_>) -> Option<(String, FieldKind)> {
        let head = self.grid.cells.iter().find(|cell| cell.row == 0 && cell.column as usize == column)?;
        labels.find(&head.text).map(|found| (found.field.key.clone(), found.field.kind))
    }

    fn push_row(&mut self, texts: Vec<String>) {
        for (column, text) in texts.into_iter().enumerate() {
            let column = u32::try_from(column).unwrap_or(u32::MAX);
            self.grid.cells.push(Cell { row: self.next_row, column, row_span: 1, column_span: 1, text, ..Cell::default() });
        }
        self.next_row += 1;
    }
}
