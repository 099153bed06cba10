//! .doc and .wps (Word 97–2003 binary, MS-DOC), read by `office_oxide`, as the same model as .docx.

use std::io::Cursor;

use office_oxide::{
    Document, DocumentFormat, OfficeError,
    doc::DocError,
    ir::{Element, InlineContent, List, Table},
    options::ParseOptions,
};

use super::{Block, WordDocument, table::TableBuilder};
use crate::domain::{folding, forms::ReadProblem, limits::Limits};

mod repair;

/// Reads a Word 97–2003 file.
///
/// # Errors
/// Encrypted, damaged or over a limit.
pub fn read_doc(bytes: &[u8], limits: &Limits) -> Result<WordDocument, ReadProblem> {
    if bytes.len() > limits.document_max_bytes {
        return Err(ReadProblem::Refused(format!("旧版Word文档超过{}MB的上限", limits.document_max_bytes >> 20)));
    }
    let mut options = ParseOptions::strict();
    options.include_hidden_text = false;
    options.include_deleted_text = false;
    let bytes = repair::repaired(bytes).unwrap_or_else(|| bytes.to_vec());
    let document = Document::from_reader_with(Cursor::new(bytes), DocumentFormat::Doc, &options).map_err(problem)?;
    let mut reader = Reader { limits, out: WordDocument::default(), cells: 0, characters: 0 };
    for section in &document.to_ir().sections {
        let mut body = Vec::new();
        reader.elements(&section.elements, &mut body, 0)?;
        reader.out.blocks.append(&mut body);
    }
    Ok(reader.out)
}

fn problem(error: OfficeError) -> ReadProblem {
    match error {
        OfficeError::Doc(DocError::Encrypted) => ReadProblem::Encrypted,
        error => ReadProblem::Damaged(error.to_string()),
    }
}

struct Reader<'l> {
    limits: &'l Limits,
    out: WordDocument,
    cells: usize,
    characters: usize,
}

impl Reader<'_> {
    fn elements(&mut self, elements: &[Element], into: &mut Vec<Block>, depth: usize) -> Result<(), ReadProblem> {
        if depth > self.limits.xml_depth_max {
            return Err(ReadProblem::Refused(format!("文档结构嵌套超过{}层的上限", self.limits.xml_depth_max)));
        }
        for element in elements {
            match element {
                Element::Heading(heading) => self.paragraph(&heading.content, into)?,
                Element::Paragraph(paragraph) => self.paragraph(&paragraph.content, into)?,
                Element::Table(table) => {
                    let index = self.table(table, depth + 1)?;
                    into.push(Block::Table(index));
                }
                Element::List(list) => self.list(list, into, depth + 1)?,
                Element::TextBox(text_box) => self.elements(&text_box.content, into, depth + 1)?,
                Element::CodeBlock(code) => push(into, &code.content),
                _ => {}
            }
        }
        Ok(())
    }

    fn list(&mut self, list: &List, into: &mut Vec<Block>, depth: usize) -> Result<(), ReadProblem> {
        for item in &list.items {
            self.elements(&item.content, into, depth + 1)?;
            if let Some(nested) = &item.nested {
                if depth > self.limits.xml_depth_max {
                    return Err(ReadProblem::Refused(format!("文档结构嵌套超过{}层的上限", self.limits.xml_depth_max)));
                }
                self.list(nested, into, depth + 1)?;
            }
        }
        Ok(())
    }

    fn paragraph(&mut self, content: &[InlineContent], into: &mut Vec<Block>) -> Result<(), ReadProblem> {
        let mut text = String::new();
        for item in content {
            match item {
                InlineContent::Text(span) => text.push_str(&span.text),
                InlineContent::LineBreak => text.push('\n'),
                _ => {}
            }
        }
        self.characters = self.characters.saturating_add(text.chars().count());
        if self.characters > self.limits.document_max_chars {
            return Err(ReadProblem::Refused(format!("文档文字超过{}字的上限", self.limits.document_max_chars)));
        }
        push(into, &text);
        Ok(())
    }

    /// Cells covered by a merged one are left out.
    fn table(&mut self, table: &Table, depth: usize) -> Result<usize, ReadProblem> {
        let index = self.out.reserve_table();
        let mut builder = TableBuilder::new(index);
        for row in &table.rows {
            for cell in &row.cells {
                self.cells += 1;
                let mut blocks = Vec::new();
                self.elements(&cell.content, &mut blocks, depth + 1)?;
                let Some(table) = self.out.tables.get_mut(index) else { return Ok(index) };
                if self.cells > self.limits.cells_max || builder.row() as usize >= self.limits.rows_max {
                    table.grid.truncated = Some(format!("表格超过{}个单元格或{}行", self.limits.cells_max, self.limits.rows_max));
                    return Ok(index);
                }
                let (text, nested) = parted(blocks);
                let at = builder.push_spanning(table, text, cell.col_span, cell.row_span);
                if !nested.is_empty() {
                    table.nested.insert(at, nested);
                }
            }
            builder.next_row();
        }
        Ok(index)
    }
}

/// A cell's text, and the tables inside it.
fn parted(blocks: Vec<Block>) -> (String, Vec<usize>) {
    let mut lines = Vec::new();
    let mut nested = Vec::new();
    for block in blocks {
        match block {
            Block::Paragraph(text) => lines.push(text),
            Block::Table(index) => nested.push(index),
        }
    }
    (lines.join("\n"), nested)
}

fn push(into: &mut Vec<Block>, text: &str) {
    let text = folding::clean(text);
    if !text.is_empty() {
        into.push(Block::Paragraph(text));
    }
}
