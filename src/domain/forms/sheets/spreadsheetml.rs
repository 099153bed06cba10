//! Excel's XML spreadsheet of 2003 (SpreadsheetML), as databases and old Excel save it under the name .xls.

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::{
    building::{Area, Content, GridBuilder},
    charset, damaged, numbers,
    ooxml::{attribute, is_true},
};
use crate::domain::{
    forms::{
        ReadProblem,
        grid::{Document, GridKind},
    },
    limits::Limits,
};

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Document, ReadProblem> {
    if bytes.len() > limits.whole_workbook_max_bytes {
        return Err(ReadProblem::Refused(format!("XML表格超过{}MB的上限", limits.whole_workbook_max_bytes >> 20)));
    }
    let text = charset::decode(bytes);
    let mut xml = Reader::from_str(&text);
    let mut book = Book { limits, document: Document::default(), sheet: None };
    loop {
        match xml.read_event().map_err(|_| damaged())? {
            Event::Start(start) => book.start(&start),
            Event::Empty(start) => {
                book.start(&start);
                book.end(start.local_name().as_ref());
            }
            Event::End(end) => book.end(end.local_name().as_ref()),
            Event::Text(text) => book.text(&text),
            Event::CData(text) => book.text(&text),
            Event::GeneralRef(entity) => book.text(&super::markup::unescaped(&format!("&{};", &*entity))),
            Event::Eof => break,
            _ => {}
        }
    }
    if book.document.tables.is_empty() { Err(damaged()) } else { Ok(book.document) }
}

struct Book<'l> {
    limits: &'l Limits,
    document: Document,
    sheet: Option<Sheet<'l>>,
}

/// A worksheet in the reading. Positions are zero-based; `ss:Index` counts from one.
struct Sheet<'l> {
    builder: GridBuilder<'l>,
    next_row: u32,
    row: u32,
    next_column: u32,
    column: u32,
    next_declared: u32,
    has_formula: bool,
    /// `Number`, `DateTime`, `String`, `Boolean` or `Error` while inside of `Data`.
    data: Option<String>,
    value: Option<Content>,
    text: String,
    in_visible: bool,
}

impl Book<'_> {
    fn start(&mut self, start: &BytesStart<'_>) {
        let name = start.local_name();
        if name.as_ref() == "Worksheet" && self.document.tables.len() >= self.limits.sheets_max {
            self.document.cut_sheets(self.limits.sheets_max);
        } else if name.as_ref() == "Worksheet" {
            let builder =
                GridBuilder::new(&attribute(start, "Name").unwrap_or_default(), GridKind::Sheet, self.limits).after(&self.document.tables);
            self.sheet = Some(Sheet {
                builder,
                next_row: 0,
                row: 0,
                next_column: 0,
                column: 0,
                next_declared: 0,
                has_formula: false,
                data: None,
                value: None,
                text: String::new(),
                in_visible: false,
            });
        }
        if let Some(sheet) = &mut self.sheet {
            sheet.start(name.as_ref(), start);
        }
    }

    fn end(&mut self, name: &str) {
        if name == "Worksheet" {
            if let Some(sheet) = self.sheet.take() {
                self.document.tables.push(sheet.builder.finish());
            }
        } else if let Some(sheet) = &mut self.sheet {
            sheet.end(name);
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(sheet) = &mut self.sheet
            && (sheet.data.is_some() || sheet.in_visible)
            && sheet.text.len() < self.limits.text_max_chars.saturating_mul(4)
        {
            sheet.text.push_str(text);
        }
    }
}

impl Sheet<'_> {
    fn start(&mut self, name: &str, start: &BytesStart<'_>) {
        let number = |name: &str| attribute(start, name).and_then(|text| text.trim().parse::<u32>().ok());
        let hidden = || is_true(attribute(start, "Hidden").as_deref());
        let index = |next: u32| number("Index").map_or(next, |index| index.saturating_sub(1));
        match name {
            "Column" => {
                let first = index(self.next_declared);
                let last = first.saturating_add(number("Span").unwrap_or(0));
                if hidden() {
                    self.builder.hide_columns(first, last);
                }
                self.next_declared = last.saturating_add(1);
            }
            "Row" => {
                self.row = index(self.next_row);
                let last = self.row.saturating_add(number("Span").unwrap_or(0));
                if hidden() {
                    self.builder.hide_rows(self.row, last);
                }
                self.next_row = last.saturating_add(1);
                self.next_column = 0;
            }
            "Cell" => {
                self.column = index(self.next_column);
                let last_column = self.column.saturating_add(number("MergeAcross").unwrap_or(0));
                let last_row = self.row.saturating_add(number("MergeDown").unwrap_or(0));
                self.builder.merge(Area { first_row: self.row, first_column: self.column, last_row, last_column });
                self.next_column = last_column.saturating_add(1);
                self.has_formula = attribute(start, "Formula").is_some();
                self.value = None;
            }
            "Data" => {
                self.data = Some(attribute(start, "Type").unwrap_or_default());
                self.text.clear();
            }
            "Visible" => {
                self.in_visible = true;
                self.text.clear();
            }
            // Comments hold a Data element too.
            "Comment" => self.data = None,
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "Data" => {
                if let Some(kind) = self.data.take() {
                    let text = std::mem::take(&mut self.text);
                    self.value.get_or_insert_with(|| content(&kind, &text));
                }
            }
            "Cell" => {
                let missing = Content { uncomputed: self.has_formula, ..Content::default() };
                let value = self.value.take().filter(|value| !value.text.is_empty()).unwrap_or(missing);
                self.builder.put(self.row, self.column, value);
            }
            "Visible" => {
                self.builder.set_hidden(matches!(self.text.trim(), "SheetHidden" | "SheetVeryHidden"));
                self.in_visible = false;
            }
            _ => {}
        }
    }
}

fn content(kind: &str, text: &str) -> Content {
    match kind {
        "Number" => text.trim().parse().map_or_else(|_| Content::text(text), numbers::number),
        "DateTime" => Content::text(numbers::iso_date(text.trim())),
        "Boolean" => Content::text(if is_true(Some(text.trim())) { "是" } else { "否" }),
        "Error" => Content::default(),
        _ => Content::text(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_merges_types_and_hidden_sheets_are_understood() {
        let book = r#"<?xml version="1.0" encoding="gb2312"?><ss:Workbook xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
<ss:Worksheet ss:Name="汇总"><ss:Table><ss:Column ss:Index="2" ss:Hidden="1"/>
<ss:Row ss:Index="3"><ss:Cell ss:MergeDown="1" ss:MergeAcross="1"><ss:Data ss:Type="String">甲<B xmlns="x">乙&amp;</B>&#10;丙</ss:Data></ss:Cell>
<ss:Cell ss:Index="5"><ss:Data ss:Type="Number">1.3900001234E10</ss:Data><ss:Comment><ss:Data>批注</ss:Data></ss:Comment></ss:Cell></ss:Row>
<ss:Row ss:Hidden="1"><ss:Cell ss:Index="4" ss:Formula="=1+1"/><ss:Cell><ss:Data ss:Type="DateTime">2024-08-15T00:00:00.000</ss:Data></ss:Cell></ss:Row>
</ss:Table><WorksheetOptions><Visible>SheetHidden</Visible></WorksheetOptions></ss:Worksheet></ss:Workbook>"#;
        let document = read(&encoding_rs::GB18030.encode(book).0, &Limits::default()).unwrap();
        let grid = &document.tables[0];
        assert!(grid.hidden);
        assert_eq!((grid.hidden_rows.as_slice(), grid.hidden_columns.as_slice()), ([3].as_slice(), [1].as_slice()));
        let cells: Vec<(u32, u32, &str)> = grid.cells.iter().map(|cell| (cell.row, cell.column, cell.text.as_str())).collect();
        assert_eq!(cells, [(2, 0, "甲乙&\n丙"), (2, 4, "13900001234"), (3, 3, ""), (3, 4, "2024-08-15")]);
        assert_eq!((grid.cells[0].row_span, grid.cells[0].column_span), (2, 2));
        assert!(grid.cells[2].uncomputed);
    }
}
