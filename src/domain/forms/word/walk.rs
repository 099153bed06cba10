//! One pass over a document's XML: WordprocessingML (ECMA-376 part 1, 17) to paragraphs and tables.
//!
//! Elements that only wrap others (`w:sdt`, `w:ins`, `w:smartTag`, drawings …) are looked through, so that a cell inside a content
//! control stays a cell. Tracked deletions, field codes and the fallbacks of `mc:AlternateContent` are passed over.

use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart, Event},
};

use super::{
    Block, WordDocument,
    table::{Merge, TableBuilder},
};
use crate::domain::{folding, forms::ReadProblem, limits::Limits};

mod inline;

/// What an open element is to us.
#[derive(Debug, Default)]
enum Frame {
    #[default]
    Wrapper,
    Paragraph,
    Run,
    Text,
    Table,
    Row,
    Cell,
    /// `w:txbxContent`
    TextBox,
    /// `w:sdt`
    Control,
    ControlProperties,
    RunProperties,
    /// `w:ffData` of a legacy form field.
    FormField,
    /// Nothing inside counts.
    Skipped,
}

/// A cell or text box being filled; the body is the first.
#[derive(Debug, Default)]
struct Container {
    text: String,
    /// What text boxes in the open paragraph hold.
    floating: String,
    nested: Vec<usize>,
    /// Blocks come out of it: the body, or a text box in the body.
    is_body: bool,
    span: u32,
    merge: Merge,
}

/// A content control.
#[derive(Debug, Default)]
struct Control {
    /// Shows its placeholder: what it holds is no value.
    placeholder: bool,
    /// A check box and whether it is checked.
    check: Option<bool>,
    written: bool,
}

/// A legacy form field (`w:fldChar` with `w:ffData`).
#[derive(Debug, Default)]
struct FormField {
    check: Option<bool>,
    entries: Vec<String>,
    chosen: usize,
}

struct Walker<'l> {
    limits: &'l Limits,
    out: WordDocument,
    frames: Vec<Frame>,
    containers: Vec<Container>,
    /// Paragraphs nest through text boxes.
    paragraphs: Vec<String>,
    /// What text boxes of the body hold, until their paragraph ends.
    floating: Vec<Block>,
    tables: Vec<TableBuilder>,
    controls: Vec<Control>,
    field: FormField,
    /// Depth of fields whose code is being passed over, innermost last; `true` while in the code.
    fields: Vec<bool>,
    font: Option<String>,
    hidden: bool,
    skipping: usize,
    characters: usize,
    cells: usize,
}

/// Reads the XML of a main part.
pub fn walk(xml: &str, limits: &Limits) -> Result<WordDocument, ReadProblem> {
    let mut walker = Walker::new(limits);
    let mut reader = Reader::from_str(xml);
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => walker.start(&element)?,
            Ok(Event::End(_)) => walker.end(),
            Ok(Event::Empty(element)) => {
                walker.start(&element)?;
                walker.end();
            }
            Ok(Event::Text(text)) => walker.text(&text.xml10_content())?,
            Ok(Event::CData(text)) => walker.text(&text.xml10_content())?,
            Ok(Event::GeneralRef(reference)) => {
                if let Some(c) = character(&reference) {
                    walker.text(c.encode_utf8(&mut [0; 4]))?;
                }
            }
            Ok(Event::Eof) if walker.frames.is_empty() => return Ok(walker.finish()),
            Ok(Event::Eof) => return Err(ReadProblem::Damaged("the XML ends too early".to_owned())),
            Ok(_) => {}
            Err(error) => return Err(ReadProblem::Damaged(error.to_string())),
        }
    }
}

/// An attribute by its local name.
pub fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    element
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)
        .and_then(|attribute| attribute.normalized_value(quick_xml::XmlVersion::default()).ok().map(|value| value.into_owned()))
}

/// A switch of WordprocessingML (17.17.4): on unless its value says otherwise.
fn is_on(element: &BytesStart<'_>) -> bool {
    !matches!(attribute(element, "val").as_deref(), Some("0" | "false" | "off" | "none"))
}

fn number(element: &BytesStart<'_>) -> Option<u32> {
    attribute(element, "val")?.parse().ok()
}

/// The five entities of XML and character references; a document type's own entities are never expanded.
fn character(reference: &BytesRef<'_>) -> Option<char> {
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        return Some(c);
    }
    match reference.xml10_content().as_ref() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

impl<'l> Walker<'l> {
    fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            out: WordDocument::default(),
            frames: Vec::new(),
            containers: vec![Container { is_body: true, ..Container::default() }],
            paragraphs: Vec::new(),
            floating: Vec::new(),
            tables: Vec::new(),
            controls: Vec::new(),
            field: FormField::default(),
            fields: Vec::new(),
            font: None,
            hidden: false,
            skipping: 0,
            characters: 0,
            cells: 0,
        }
    }

    fn finish(self) -> WordDocument {
        self.out
    }

    fn start(&mut self, element: &BytesStart<'_>) -> Result<(), ReadProblem> {
        if self.frames.len() >= self.limits.xml_depth_max {
            return Err(ReadProblem::Refused(format!("文档结构嵌套超过{}层的上限", self.limits.xml_depth_max)));
        }
        let name = element.local_name();
        let frame = if self.skipping > 0 { Frame::Skipped } else { self.opened(name.as_ref(), element)? };
        if matches!(frame, Frame::Skipped) {
            self.skipping += 1;
        }
        self.frames.push(frame);
        Ok(())
    }

    fn opened(&mut self, name: &str, element: &BytesStart<'_>) -> Result<Frame, ReadProblem> {
        Ok(match name {
            // Tracked deletions, what was moved away, old properties, field codes, ruby, second renderings of a drawing.
            "moveFrom" | "delText" | "instrText" | "delInstrText" | "Fallback" | "rt" | "pPrChange" | "rPrChange" | "tcPrChange"
            | "trPrChange" | "tblPrChange" | "sectPr" | "tblGrid" | "tblPr" | "binData" => Frame::Skipped,
            // Word 2003 writes notes where their marks stand, and tracked deletions and comments as annotations.
            "footnote" | "endnote" => Frame::Skipped,
            "annotation" if matches!(attribute(element, "type").as_deref(), Some("Word.Deletion" | "Word.Comment")) => Frame::Skipped,
            // A package in one file: headers, notes and comments are parts beside the main one.
            "part" if attribute(element, "name").is_some_and(|name| !name.starts_with("/word/document")) => Frame::Skipped,
            "del" => {
                if let Some(table) = self.tables.last_mut()
                    && matches!(self.frames.last(), Some(Frame::Wrapper))
                    && matches!(self.frames.iter().rev().nth(1), Some(Frame::Row))
                {
                    table.dropped_row = true;
                }
                Frame::Skipped
            }
            "tbl" => {
                let index = self.out.reserve_table();
                self.tables.push(TableBuilder::new(index));
                Frame::Table
            }
            "tr" if !self.tables.is_empty() => Frame::Row,
            "tc" if !self.tables.is_empty() => {
                self.containers.push(Container::default());
                Frame::Cell
            }
            "txbxContent" => {
                let is_body = self.containers.last().is_some_and(|container| container.is_body);
                self.containers.push(Container { is_body, ..Container::default() });
                Frame::TextBox
            }
            "p" => {
                self.paragraphs.push(String::new());
                Frame::Paragraph
            }
            "r" => {
                (self.font, self.hidden) = (None, false);
                Frame::Run
            }
            "t" => Frame::Text,
            "sdt" => {
                self.controls.push(Control::default());
                Frame::Control
            }
            "sdtPr" => Frame::ControlProperties,
            "rPr" => Frame::RunProperties,
            "ffData" => {
                self.field = FormField::default();
                Frame::FormField
            }
            _ => {
                self.detail(name, element)?;
                Frame::Wrapper
            }
        })
    }

    /// Elements that say something by themselves.
    fn detail(&mut self, name: &str, element: &BytesStart<'_>) -> Result<(), ReadProblem> {
        match self.frames.last() {
            Some(Frame::ControlProperties) => self.control_property(name, element),
            Some(Frame::RunProperties) => self.run_property(name, element),
            Some(Frame::FormField) => {}
            Some(Frame::Run) => return self.run_content(name, element),
            _ => {}
        }
        match name {
            "gridSpan" => self.in_cell(|cell| cell.span = number(element).unwrap_or(1)),
            "vMerge" | "vmerge" => {
                let restart = attribute(element, "val").as_deref() == Some("restart");
                self.in_cell(|cell| cell.merge = if restart { Merge::Restart } else { Merge::Continue });
            }
            "gridBefore" => {
                if let Some(table) = self.tables.last_mut() {
                    table.skip_columns(number(element).unwrap_or(0));
                }
            }
            // Inside w14:checkbox, which stands in the properties of a control.
            "checked" if self.frames.iter().rev().any(|frame| matches!(frame, Frame::ControlProperties)) => {
                if let Some(control) = self.controls.last_mut() {
                    control.check = Some(is_on(element));
                }
            }
            // w16se:symEx: a character that older fonts lack.
            "symEx" => {
                let code = attribute(element, "char").and_then(|code| u32::from_str_radix(&code, 16).ok());
                if let Some(c) = code.and_then(char::from_u32) {
                    return self.push(c.encode_utf8(&mut [0; 4]));
                }
            }
            "checkBox" | "checked" | "default" | "result" | "listEntry" => self.form_field(name, element),
            _ => {}
        }
        Ok(())
    }

    fn in_cell(&mut self, change: impl FnOnce(&mut Container)) {
        if let Some(cell) = self.containers.last_mut() {
            change(cell);
        }
    }

    fn end(&mut self) {
        match self.frames.pop() {
            Some(Frame::Skipped) => self.skipping = self.skipping.saturating_sub(1),
            Some(Frame::Paragraph) => self.end_paragraph(),
            Some(Frame::Table) => self.end_table(),
            Some(Frame::Row) => {
                if let Some(table) = self.tables.last_mut() {
                    table.end_row();
                }
            }
            Some(Frame::Cell) => self.end_cell(),
            Some(Frame::TextBox) => self.end_text_box(),
            Some(Frame::Control) => _ = self.controls.pop(),
            Some(Frame::FormField) => self.end_form_field(),
            _ => {}
        }
    }

    fn end_paragraph(&mut self) {
        let text = self.paragraphs.pop().unwrap_or_default();
        // A field that was never closed must not swallow the rest.
        self.fields.iter_mut().for_each(|in_code| *in_code = false);
        let at_body = self.paragraphs.is_empty();
        let outermost = self.containers.len() == 1;
        let Some(container) = self.containers.last_mut() else { return };
        if container.is_body && outermost {
            self.out.push_paragraph(&text);
            if at_body {
                self.out.blocks.append(&mut self.floating);
            }
        } else if container.is_body {
            let text = folding::clean(&text);
            if !text.is_empty() {
                self.floating.push(Block::Paragraph(text));
            }
        } else {
            container.text.push_str(&text);
            container.text.push('\n');
            container.text.push_str(&std::mem::take(&mut container.floating));
        }
    }

    fn end_table(&mut self) {
        let Some(builder) = self.tables.pop() else { return };
        let outermost = self.containers.len() == 1;
        let Some(container) = self.containers.last_mut() else { return };
        if !container.is_body {
            container.nested.push(builder.index);
        } else if outermost {
            self.out.blocks.push(Block::Table(builder.index));
        } else {
            self.floating.push(Block::Table(builder.index));
        }
    }

    fn end_cell(&mut self) {
        if self.containers.len() < 2 {
            return;
        }
        let (Some(cell), Some(builder)) = (self.containers.pop(), self.tables.last_mut()) else { return };
        self.cells += 1;
        let full = self.cells > self.limits.cells_max
            || builder.row() as usize >= self.limits.rows_max
            || builder.column() as usize >= self.limits.columns_max;
        let Some(table) = self.out.tables.get_mut(builder.index) else { return };
        if full {
            table.grid.truncated = Some(format!("表格超过{}个单元格或{}行", self.limits.cells_max, self.limits.rows_max));
            return;
        }
        if builder.dropped_row {
            return;
        }
        let at = builder.push(table, folding::clean(&cell.text), cell.span, cell.merge);
        if !cell.nested.is_empty() {
            table.nested.entry(at).or_default().extend(cell.nested);
        }
    }

    fn end_text_box(&mut self) {
        if self.containers.len() < 2 {
            return;
        }
        let Some(inner) = self.containers.pop() else { return };
        if let Some(outer) = self.containers.last_mut().filter(|_| !inner.is_body) {
            outer.floating.push_str(&inner.text);
            outer.nested.extend(inner.nested);
        }
    }
}
