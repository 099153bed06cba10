//! Summary tables (annex 2) among the tables of a document.

use std::collections::BTreeSet;

use super::super::{
    FormReading,
    catalogue::{Catalogue, Shape},
    grid::{Cell, Document},
    labels::Labels,
    table,
    word::{Block, WordDocument},
};

/// Fewer different labels in one row are no header.
const HEADER_MIN: usize = 4;
/// As many labels in other rows are a form whose values stand below their labels.
const LABELS_BELOW_MAX: usize = 3;
/// A header stands in the first rows.
const HEADER_ROWS: u32 = 20;

/// Reads the tables that hold one topic a row; answers which they are.
pub fn read(document: &WordDocument, catalogue: &Catalogue, reading: &mut FormReading) -> BTreeSet<usize> {
    let mut taken = BTreeSet::new();
    for form in catalogue.forms.iter().filter(|form| form.shape == Shape::Table) {
        let labels = Labels::of(form);
        let headed: Vec<bool> = document.tables.iter().map(|table| has_header(&labels, &table.grid.cells)).collect();
        if !headed.contains(&true) {
            continue;
        }
        // A table on the next page may go on without a header; one with a form's labels is a form.
        let goes_on = |at: usize| headed.get(..at).is_some_and(|before| before.contains(&true)) && is_unlabelled(catalogue, document, at);
        let tables: Vec<usize> = (0..document.tables.len()).filter(|at| headed.get(*at) == Some(&true) || goes_on(*at)).collect();
        let part = Document {
            tables: tables.iter().filter_map(|at| document.tables.get(*at)).map(|table| table.grid.clone()).collect(),
            paragraphs: document
                .blocks
                .iter()
                .filter_map(|block| if let Block::Paragraph(text) = block { Some(text.clone()) } else { None })
                .collect(),
        };
        let found = table::read(&part, form);
        if !found.is_table {
            continue;
        }
        taken.extend(tables);
        if found.records.is_empty() {
            reading.blank_form = Some(form.id.clone());
        }
        reading.records.extend(found.records);
        reading.notes.extend(found.notes);
        found.heading.into_iter().for_each(|(key, value)| _ = reading.heading.entry(key).or_insert(value));
        // Titles and notes inside a sheet are text beside the topics.
        reading.text.push_str(&found.lines.join("\n"));
    }
    taken
}

/// A row made of labels, and none below it.
fn has_header(labels: &Labels<'_>, cells: &[Cell]) -> bool {
    let texts =
        |wanted: &dyn Fn(u32) -> bool| labels.header_score(cells.iter().filter(|cell| wanted(cell.row)).map(|cell| cell.text.as_str()));
    (0..HEADER_ROWS).any(|row| {
        // The header may be two rows high.
        let (one, two) = (texts(&|at| at == row), texts(&|at| at == row || at == row + 1));
        let is_header = |score: super::super::labels::HeaderScore| score.fields >= HEADER_MIN && score.labels * 2 > score.texts;
        let height = if is_header(one) { 1 } else { 2 };
        (is_header(one) || is_header(two)) && texts(&|at| at >= row + height).fields < LABELS_BELOW_MAX
    })
}

fn is_unlabelled(catalogue: &Catalogue, document: &WordDocument, at: usize) -> bool {
    let Some(table) = document.tables.get(at) else { return false };
    let texts = || table.grid.cells.iter().map(|cell| cell.text.as_str());
    table.grid.cells.len() > 1
        && catalogue.forms.iter().filter(|form| form.shape == Shape::Form).all(|form| Labels::of(form).header_score(texts()).fields < 2)
}
