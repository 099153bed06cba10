//! Web pages that pass as spreadsheets: HTML tables saved as .xls by databases and by Excel itself, and Excel's single-file web
//! page (MHTML).

use std::collections::BTreeMap;

use super::{
    building::{Area, Content, GridBuilder},
    charset,
    delimited::is_scientific,
    markup::{Piece, Pieces, unescaped},
    numbers,
};
use crate::domain::{
    folding,
    forms::{
        ReadProblem,
        grid::{Document, Grid, GridKind},
    },
    limits::Limits,
    message,
};

/// Tables standing in each other.
const DEPTH_MAX: usize = 16;

/// Reads a page's tables, counted in the order in which they begin.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Document, ReadProblem> {
    if bytes.len() > limits.whole_workbook_max_bytes {
        return Err(ReadProblem::Refused(format!("网页表格超过{}MB的上限", limits.whole_workbook_max_bytes >> 20)));
    }
    let mut page = Page {
        limits,
        open: Vec::new(),
        left_out: 0,
        begun: 0,
        done: BTreeMap::new(),
        paragraphs: Vec::new(),
        line: String::new(),
        more: false,
        deep: false,
    };
    let archived = if is_archive(bytes) { message::web_pages(bytes) } else { Vec::new() };
    if archived.is_empty() {
        page.read(&charset::decode(bytes));
    }
    archived.iter().for_each(|text| page.read(text));
    let tables = page.done.into_values().filter(|grid| !grid.cells.is_empty()).collect();
    let mut document = Document { tables, paragraphs: page.paragraphs, ..Document::default() };
    if page.more {
        document.cut_sheets(limits.sheets_max);
    }
    if page.deep {
        document.cut(format!("网页中的表格嵌套超过{DEPTH_MAX}层的上限，更深的没有读取"));
    }
    for (number, grid) in (1_usize..).zip(&mut document.tables) {
        grid.name = format!("table {number}");
    }
    Ok(document)
}

/// MHTML begins with header lines.
fn is_archive(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(bytes.get(..bytes.len().min(2048)).unwrap_or_default()).to_ascii_lowercase();
    let head = head.trim_start();
    !head.starts_with('<') && head.contains("mime-version") && head.contains("content-type")
}

/// A page in the reading.
struct Page<'l> {
    limits: &'l Limits,
    /// Tables that have begun and not ended, the innermost last.
    open: Vec<Table<'l>>,
    /// Tables inside the innermost one that are not read: their rows are none of its own.
    left_out: usize,
    begun: usize,
    done: BTreeMap<usize, Grid>,
    /// There are more tables than are read.
    more: bool,
    /// Tables stand deeper in each other than is read.
    deep: bool,
    paragraphs: Vec<String>,
    line: String,
}

/// A table in the reading.
struct Table<'l> {
    number: usize,
    builder: GridBuilder<'l>,
    /// The row at hand; `None` before the first.
    row: Option<u32>,
    column: u32,
    /// Columns that cells of earlier rows reach into, each with the first row that is free again.
    taken: BTreeMap<u32, u32>,
    cell: Option<OpenCell>,
    /// Columns declared by `<col>` so far.
    declared: u32,
}

struct OpenCell {
    text: String,
    rows: u32,
    columns: u32,
    /// The number behind a shown text, as Excel writes it.
    number: Option<f64>,
}

impl Page<'_> {
    fn read(&mut self, text: &str) {
        for piece in Pieces::of(text) {
            match piece {
                Piece::Start { name, attributes } => self.start(&name, &attributes),
                Piece::End(name) => self.end(&name),
                Piece::Text(text) => self.text(text),
            }
        }
        while let Some(table) = self.open.pop() {
            self.close(table);
        }
        self.break_line();
    }

    fn start(&mut self, name: &str, attributes: &[(String, String)]) {
        match name {
            "table" => self.open_table(),
            "tr" | "td" | "th" | "col" if self.left_out > 0 => {}
            "br" | "p" | "div" | "li" | "h1" | "h2" | "h3" | "caption" => self.break_line(),
            _ => {
                let Some(table) = self.open.last_mut() else { return };
                match name {
                    "tr" => table.begin_row(attributes),
                    "td" | "th" => table.begin_cell(attributes),
                    "col" => table.declare_column(attributes),
                    _ => {}
                }
            }
        }
    }

    fn open_table(&mut self) {
        self.break_line();
        if self.open.len() >= DEPTH_MAX || self.begun >= self.limits.sheets_max {
            self.more |= self.begun >= self.limits.sheets_max;
            self.deep |= self.open.len() >= DEPTH_MAX;
            self.left_out += 1;
            return;
        }
        let builder = GridBuilder::new("", GridKind::WordTable, self.limits);
        let table = Table { number: self.begun, builder, row: None, column: 0, taken: BTreeMap::new(), cell: None, declared: 0 };
        self.begun += 1;
        self.open.push(table);
    }

    fn end(&mut self, name: &str) {
        match name {
            "table" | "td" | "th" | "tr" if self.left_out > 0 => self.left_out -= usize::from(name == "table"),
            "table" => {
                if let Some(table) = self.open.pop() {
                    self.close(table);
                }
            }
            "td" | "th" | "tr" => {
                if let Some(table) = self.open.last_mut() {
                    table.end_cell();
                }
            }
            "p" | "div" | "li" | "h1" | "h2" | "h3" | "caption" => self.break_line(),
            _ => {}
        }
    }

    fn close(&mut self, mut table: Table<'_>) {
        table.end_cell();
        self.done.insert(table.number, table.builder.finish());
    }

    fn text(&mut self, text: &str) {
        let max_bytes = self.limits.text_max_chars.saturating_mul(4);
        let into = match self.open.last_mut() {
            Some(table) => match &mut table.cell {
                Some(cell) => &mut cell.text,
                None => return,
            },
            None => &mut self.line,
        };
        if into.len() < max_bytes {
            append(into, &unescaped(text));
        }
    }

    /// A new line in the cell at hand, or a new paragraph outside of tables.
    fn break_line(&mut self) {
        if let Some(table) = self.open.last_mut() {
            if let Some(cell) = &mut table.cell
                && !cell.text.is_empty()
            {
                cell.text.push('\n');
            }
            return;
        }
        let line = folding::clean(&std::mem::take(&mut self.line));
        if !line.is_empty() && self.paragraphs.len() < self.limits.rows_max {
            self.paragraphs.push(line);
        }
    }
}

impl Table<'_> {
    fn begin_row(&mut self, attributes: &[(String, String)]) {
        self.end_cell();
        let row = self.row.map_or(0, |row| row.saturating_add(1));
        self.row = Some(row);
        self.column = 0;
        self.taken.retain(|_, free| *free > row);
        if is_hidden(attributes) {
            self.builder.hide_rows(row, row);
        }
    }

    fn begin_cell(&mut self, attributes: &[(String, String)]) {
        self.end_cell();
        self.row.get_or_insert(0);
        while self.taken.contains_key(&self.column) {
            self.column = self.column.saturating_add(1);
        }
        let attribute = |name: &str| attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim());
        let span = |name: &str, max: u32| attribute(name).and_then(|text| text.parse::<u32>().ok()).unwrap_or(1).clamp(1, max);
        let number = attribute("x:num").or_else(|| attribute("sdval")).and_then(|text| text.parse().ok());
        self.cell = Some(OpenCell { text: String::new(), rows: span("rowspan", 65_534), columns: span("colspan", 1_000), number });
    }

    fn end_cell(&mut self) {
        let (Some(cell), Some(row)) = (self.cell.take(), self.row) else { return };
        let first = self.column;
        let next = first.saturating_add(cell.columns);
        if cell.rows > 1 && self.builder.keeps(row, first) {
            let free = row.saturating_add(cell.rows);
            let kept = next.min(u32::try_from(self.builder.columns_max()).unwrap_or(u32::MAX));
            self.taken.extend((first..kept).map(|column| (column, free)));
        }
        let area = Area { first_row: row, first_column: first, last_row: row + cell.rows - 1, last_column: next.saturating_sub(1) };
        self.builder.put(row, first, content(&cell));
        self.builder.merge(area);
        self.column = next;
    }

    fn declare_column(&mut self, attributes: &[(String, String)]) {
        let span = attributes.iter().find(|(key, _)| key == "span").and_then(|(_, value)| value.parse::<u32>().ok()).unwrap_or(1);
        let next = self.declared.saturating_add(span.clamp(1, 1_000));
        if is_hidden(attributes) {
            self.builder.hide_columns(self.declared, next - 1);
        }
        self.declared = next;
    }
}

/// The shown text; the number behind it where the text shows it shortened.
fn content(cell: &OpenCell) -> Content {
    let text = cell.text.trim();
    match cell.number {
        Some(number) if is_scientific(text) => numbers::number(number),
        _ => Content { rounded: is_scientific(text), ..Content::text(text) },
    }
}

fn is_hidden(attributes: &[(String, String)]) -> bool {
    let style = attributes.iter().find(|(key, _)| key == "style").map_or("", |(_, value)| value.as_str());
    let style: String = style.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
    style.contains("display:none") || style.contains("visibility:collapse") || attributes.iter().any(|(key, _)| key == "hidden")
}

/// Appends text as a browser shows it: runs of white space are one space, a no-break space is a space.
fn append(into: &mut String, text: &str) {
    for c in text.chars() {
        let space = matches!(c, ' ' | '\t' | '\r' | '\n');
        match c {
            _ if space && (into.is_empty() || into.ends_with([' ', '\n'])) => {}
            _ if space => into.push(' '),
            '\u{A0}' => into.push(' '),
            c => into.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(page: &str) -> Vec<Grid> {
        read(page.as_bytes(), &Limits::default()).unwrap().tables
    }

    #[test]
    fn spans_breaks_and_forgotten_end_tags_are_understood() {
        let grid = &tables("<p>标题</p><table><tr><th rowspan=2>序号<th colspan='2'>联系<tr><td>甲<br>乙<td> 丙\n  丁&nbsp;</table>")[0];
        let cells: Vec<(u32, u32, u32, u32, &str)> =
            grid.cells.iter().map(|cell| (cell.row, cell.column, cell.row_span, cell.column_span, cell.text.as_str())).collect();
        assert_eq!(cells, [(0, 0, 2, 1, "序号"), (0, 1, 1, 2, "联系"), (1, 1, 1, 1, "甲\n乙"), (1, 2, 1, 1, "丙 丁")]);
    }

    #[test]
    fn the_number_behind_a_shortened_text_is_read() {
        let grid = &tables(
            "<table><tr><td x:num=\"13900001234\">1.39E+10</td><td>1.39E+10</td></tr><tr style='display:none'><td>甲</td></tr></table>",
        )[0];
        assert_eq!((grid.cells[0].text.as_str(), grid.cells[0].rounded), ("13900001234", false));
        assert!(grid.cells[1].rounded);
        assert_eq!(grid.hidden_rows, [1]);
    }

    #[test]
    fn tables_in_tables_are_tables_of_their_own() {
        let grids = tables("<table><tr><td>外<table><tr><td>内</td></tr></table></td><td>右</td></tr></table>");
        assert_eq!(grids[0].cells.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>(), ["外", "右"]);
        assert_eq!(grids[1].cells[0].text, "内");
        assert_eq!(grids[1].name, "table 2");
    }

    #[test]
    fn tables_nested_too_deep_leave_the_outer_ones_whole_and_are_said() {
        let deep = format!("{}内{}", "<table><tr><td>".repeat(18), "</td></tr></table>".repeat(18));
        let page = format!("<table><tr><td>甲</td><td>{deep}</td><td>乙</td></tr><tr><td>丙</td></tr></table>");
        let document = read(page.as_bytes(), &Limits::default()).unwrap();
        let outer: Vec<_> = document.tables[0].cells.iter().map(|cell| (cell.row, cell.column, cell.text.as_str())).collect();
        assert_eq!(outer, [(0, 0, "甲"), (0, 2, "乙"), (1, 0, "丙")]);
        assert!(document.cuts.iter().any(|cut| cut.contains("16层")), "{:?}", document.cuts);
    }

    #[test]
    fn absurd_spans_cost_nothing() {
        let page = format!("<table>{}</table>", "<tr><td rowspan=65534 colspan=1000>x</td></tr>".repeat(3000));
        assert_eq!(tables(&page).len(), 1);
    }
}
