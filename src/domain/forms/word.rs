//! Word documents: the one model that .docx, .doc and .wps become before labels are matched.

use std::collections::BTreeMap;

use super::grid::{Document, Grid, GridKind};
use crate::domain::folding;

pub mod legacy;
mod marks;
mod package;
mod table;
mod walk;

pub use package::{is_one_xml, read_docx, read_one_xml};

/// What a Word document says, in reading order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WordDocument {
    pub blocks: Vec<Block>,
    /// All tables in document order, nested ones behind the table that holds them.
    pub tables: Vec<WordTable>,
    /// What was left out for a limit.
    pub cuts: Vec<String>,
}

/// A piece of the body or of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Its text; never empty.
    Paragraph(String),
    /// Index into [`WordDocument::tables`].
    Table(usize),
}

/// A table and the tables that stand inside its cells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WordTable {
    pub grid: Grid,
    /// By cell index of the grid: tables inside that cell.
    pub nested: BTreeMap<usize, Vec<usize>>,
}

impl WordDocument {
    /// Text outside of tables, a paragraph a line.
    #[must_use]
    pub fn loose_text(&self) -> String {
        let mut lines = Vec::new();
        for block in &self.blocks {
            if let Block::Paragraph(text) = block {
                lines.push(text.as_str());
            }
        }
        lines.join("\n")
    }

    /// All text, tables included, in reading order.
    #[must_use]
    pub fn whole_text(&self) -> String {
        let mut lines = Vec::new();
        for block in &self.blocks {
            match block {
                Block::Paragraph(text) => lines.push(text.clone()),
                Block::Table(index) => lines.push(self.table_text(*index)),
            }
        }
        lines.retain(|line| !line.is_empty());
        lines.join("\n")
    }

    /// A table as text: a row a line, nested tables included. Terminates: a table holds only later ones.
    #[must_use]
    pub fn table_text(&self, index: usize) -> String {
        let Some(table) = self.tables.get(index) else { return String::new() };
        let mut rows: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for (at, cell) in table.grid.cells.iter().enumerate() {
            let text = self.cell_text(table, at);
            if !text.is_empty() {
                rows.entry(cell.row).or_default().push(text);
            }
        }
        rows.into_values().map(|cells| cells.join("\t")).collect::<Vec<_>>().join("\n")
    }

    /// A cell's own text followed by that of the tables inside it.
    #[must_use]
    pub fn cell_text(&self, table: &WordTable, at: usize) -> String {
        let own = table.grid.cells.get(at).map(|cell| cell.text.clone()).unwrap_or_default();
        let nested = table.nested.get(&at).into_iter().flatten().map(|index| self.table_text(*index));
        let all: Vec<String> = std::iter::once(own).chain(nested).filter(|text| !text.is_empty()).collect();
        all.join("\n")
    }

    /// A document of another format: its text, then its tables.
    #[must_use]
    pub fn of(document: Document) -> Self {
        let mut made = Self { cuts: document.cuts, ..Self::default() };
        document.paragraphs.iter().for_each(|text| made.push_paragraph(text));
        made.blocks.extend((0..document.tables.len()).map(Block::Table));
        made.tables = document.tables.into_iter().map(|grid| WordTable { grid, nested: BTreeMap::new() }).collect();
        made
    }

    /// Plain text, a paragraph a line.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        let mut document = Self::default();
        text.lines().for_each(|line| document.push_paragraph(line));
        document
    }

    /// Adds another document behind this one.
    fn append(&mut self, other: Self) {
        let shift = self.tables.len();
        self.blocks.extend(other.blocks.into_iter().map(|block| match block {
            Block::Table(index) => Block::Table(index + shift),
            paragraph @ Block::Paragraph(_) => paragraph,
        }));
        for (index, mut table) in (shift + 1..).zip(other.tables) {
            table.grid.name = format!("table {index}");
            table.nested.values_mut().flatten().for_each(|inner| *inner += shift);
            self.tables.push(table);
        }
        self.cuts.extend(other.cuts);
    }

    fn push_paragraph(&mut self, text: &str) {
        let text = folding::clean(text);
        if !text.is_empty() {
            self.blocks.push(Block::Paragraph(text));
        }
    }

    /// Takes in an empty table, so that its number is that of its first row; answers its index.
    fn reserve_table(&mut self) -> usize {
        let index = self.tables.len();
        let grid = Grid { name: format!("table {}", index + 1), kind: GridKind::WordTable, ..Grid::default() };
        self.tables.push(WordTable { grid, nested: BTreeMap::new() });
        index
    }
}
