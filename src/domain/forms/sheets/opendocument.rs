//! OpenDocument spreadsheets (.ods, OASIS OpenDocument 1.3 part 3, chapter 9). Read here and not by calamine, which tells
//! neither merged ranges nor hidden rows, and gives booleans as numbers.

use std::collections::BTreeSet;

use quick_xml::events::{BytesStart, Event};

use super::{
    building::{Area, Content, GridBuilder},
    damaged, numbers,
    ooxml::attribute,
    package::Package,
};
use crate::domain::{
    forms::{
        ReadProblem,
        grid::{Document, GridKind},
    },
    limits::Limits,
};

/// Elements whose texts and cells are no content of the sheet.
const BESIDE: [&str; 6] = ["annotation", "shapes", "tracked-changes", "dde-links", "frame", "data-pilot-tables"];

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Document, ReadProblem> {
    let mut package = Package::open(bytes, limits)?;
    if is_encrypted(&mut package) {
        return Err(ReadProblem::Encrypted);
    }
    let mut xml = package.part("content.xml").ok_or_else(damaged)?;
    let mut book =
        Book { limits, document: Document::default(), hidden_styles: BTreeSet::new(), style: String::new(), sheet: None, beside: 0 };
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer).map_err(|_| damaged())? {
            Event::Start(start) => book.start(&start),
            Event::Empty(start) => {
                book.start(&start);
                book.end(start.local_name().as_ref());
            }
            Event::End(end) => book.end(end.local_name().as_ref()),
            Event::Text(text) => book.text(&text),
            Event::GeneralRef(entity) => book.text(&super::markup::unescaped(&format!("&{};", &*entity))),
            Event::Eof => break,
            _ => {}
        }
    }
    if book.document.tables.is_empty() { Err(damaged()) } else { Ok(book.document) }
}

fn is_encrypted(package: &mut Package<'_>) -> bool {
    let Some(mut xml) = package.part("META-INF/manifest.xml") else { return false };
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer) {
            Ok(Event::Start(start) | Event::Empty(start)) if start.local_name().as_ref() == "encryption-data" => return true,
            Ok(Event::Eof) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}

struct Book<'l> {
    limits: &'l Limits,
    document: Document,
    /// Table styles that do not show their sheet.
    hidden_styles: BTreeSet<String>,
    /// The style being defined.
    style: String,
    sheet: Option<Sheet<'l>>,
    /// Depth inside of what does not belong to the sheet.
    beside: usize,
}

/// A sheet in the reading.
struct Sheet<'l> {
    builder: GridBuilder<'l>,
    row: u32,
    /// How often the row at hand stands.
    row_repeats: u32,
    /// First and last column, content.
    row_cells: Vec<(u32, u32, Content)>,
    column: u32,
    declared: u32,
    cell: Option<OpenCell>,
    full: bool,
}

struct OpenCell {
    repeats: u32,
    kind: String,
    value: String,
    has_formula: bool,
    text: String,
    paragraphs: usize,
    rows: u32,
    columns: u32,
    covered: bool,
}

impl Book<'_> {
    fn start(&mut self, start: &BytesStart<'_>) {
        let name = start.local_name();
        if BESIDE.contains(&name.as_ref()) {
            self.beside += 1;
        }
        if self.beside > 0 {
            return;
        }
        match name.as_ref() {
            "style" => self.style = attribute(start, "name").unwrap_or_default(),
            "table-properties" if attribute(start, "display").as_deref() == Some("false") => {
                self.hidden_styles.extend([self.style.clone()]);
            }
            "table" if self.sheet.is_none() && self.document.tables.len() >= self.limits.sheets_max => {
                self.document.cut_sheets(self.limits.sheets_max);
            }
            "table" if self.sheet.is_none() => {
                let mut builder = GridBuilder::new(&attribute(start, "name").unwrap_or_default(), GridKind::Sheet, self.limits)
                    .after(&self.document.tables);
                builder.set_hidden(attribute(start, "style-name").is_some_and(|style| self.hidden_styles.contains(&style)));
                let row_cells = Vec::new();
                self.sheet = Some(Sheet { builder, row: 0, row_repeats: 1, row_cells, column: 0, declared: 0, cell: None, full: false });
            }
            _ => {
                if let Some(sheet) = &mut self.sheet {
                    sheet.start(name.as_ref(), start);
                }
            }
        }
    }

    fn end(&mut self, name: &str) {
        if BESIDE.contains(&name) {
            self.beside = self.beside.saturating_sub(1);
        } else if self.beside > 0 {
        } else if name == "table" {
            if let Some(sheet) = self.sheet.take() {
                self.document.tables.push(sheet.builder.finish());
            }
        } else if let Some(sheet) = &mut self.sheet {
            sheet.end(name);
        }
    }

    fn text(&mut self, text: &str) {
        let max_bytes = self.limits.text_max_chars.saturating_mul(4);
        if self.beside == 0
            && let Some(cell) = self.sheet.as_mut().and_then(|sheet| sheet.cell.as_mut())
            && cell.paragraphs > 0
            && cell.text.len() < max_bytes
        {
            cell.text.push_str(text);
        }
    }
}

impl Sheet<'_> {
    fn start(&mut self, name: &str, start: &BytesStart<'_>) {
        let count = |name: &str| attribute(start, name).and_then(|text| text.parse::<u32>().ok()).unwrap_or(1).max(1);
        let hidden = || attribute(start, "visibility").is_some_and(|visibility| visibility != "visible");
        match name {
            "table-column" => {
                let next = self.declared.saturating_add(count("number-columns-repeated"));
                if hidden() {
                    self.builder.hide_columns(self.declared, next - 1);
                }
                self.declared = next;
            }
            "table-row" => {
                self.row_repeats = count("number-rows-repeated");
                self.column = 0;
                if hidden() {
                    self.builder.hide_rows(self.row, self.row.saturating_add(self.row_repeats - 1));
                }
            }
            "table-cell" | "covered-table-cell" => {
                let value = ["date-value", "boolean-value", "time-value", "value"].iter().find_map(|name| attribute(start, name));
                self.cell = Some(OpenCell {
                    repeats: count("number-columns-repeated"),
                    kind: attribute(start, "value-type").unwrap_or_default(),
                    value: value.unwrap_or_default(),
                    has_formula: attribute(start, "formula").is_some(),
                    text: String::new(),
                    paragraphs: 0,
                    rows: count("number-rows-spanned"),
                    columns: count("number-columns-spanned"),
                    covered: name == "covered-table-cell",
                });
            }
            _ => {
                if let Some(cell) = &mut self.cell {
                    cell.start(name, start);
                }
            }
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "table-cell" | "covered-table-cell" => {
                if let Some(cell) = self.cell.take() {
                    self.end_cell(cell);
                }
            }
            "table-row" => self.end_row(),
            _ => {}
        }
    }

    fn end_cell(&mut self, cell: OpenCell) {
        let first = self.column;
        self.column = first.saturating_add(cell.repeats);
        if cell.covered || self.full {
            return;
        }
        let (last_row, last_column) = (self.row.saturating_add(cell.rows - 1), first.saturating_add(cell.columns - 1));
        self.builder.merge(Area { first_row: self.row, first_column: first, last_row, last_column });
        let last = self.column.saturating_sub(1);
        let content = cell.content();
        if content != Content::default() {
            self.row_cells.push((first, last, content));
        }
    }

    /// Puts the row as often as it repeats; empty rows cost nothing.
    fn end_row(&mut self) {
        let cells = std::mem::take(&mut self.row_cells);
        let last = self.row.saturating_add(self.row_repeats);
        if !cells.is_empty() {
            self.full |= (self.row..last).any(|row| !self.put_row(row, &cells));
        }
        self.row = last;
    }

    /// `false` once the sheet is full.
    fn put_row(&mut self, row: u32, cells: &[(u32, u32, Content)]) -> bool {
        for (first, last, content) in cells {
            let columns = (*first..=*last).take_while(|column| self.builder.keeps(0, *column)).collect::<Vec<_>>();
            if !columns.into_iter().all(|column| self.builder.put(row, column, content.clone())) {
                return false;
            }
        }
        true
    }
}

impl OpenCell {
    fn start(&mut self, name: &str, start: &BytesStart<'_>) {
        match name {
            "p" => {
                if self.paragraphs > 0 {
                    self.text.push('\n');
                }
                self.paragraphs += 1;
            }
            "line-break" => self.text.push('\n'),
            "tab" => self.text.push('\t'),
            "s" => {
                let count = attribute(start, "c").and_then(|text| text.parse().ok()).unwrap_or(1_usize);
                self.text.extend(std::iter::repeat_n(' ', count.min(1_000)));
            }
            _ => {}
        }
    }

    fn content(self) -> Content {
        let number = self.value.parse::<f64>();
        let is_error = self.has_formula && (self.text.starts_with('#') || self.text.starts_with("Err:"));
        let content = match (self.kind.as_str(), number) {
            _ if is_error => Content::default(),
            ("float" | "currency", Ok(number)) => numbers::number(number),
            ("percentage", Ok(number)) => numbers::percentage(number),
            ("date", _) if self.text.contains('年') => Content::text(self.text),
            ("date", _) if !self.value.is_empty() => Content::text(numbers::iso_date(&self.value)),
            ("boolean", _) => Content::text(if self.value == "true" { "是" } else { "否" }),
            _ => Content::text(self.text),
        };
        let uncomputed = self.has_formula && content.text.is_empty();
        Content { uncomputed, ..content }
    }
}
