//! Summary tables (annex 2) among the tables of a document.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{
    FormReading,
    catalogue::{Catalogue, Shape},
    grid::{Document, Grid},
    labels::Labels,
    table,
    word::{Block, WordDocument},
};

/// Reads the tables that hold one topic a row; answers which they are.
pub fn read(document: &WordDocument, catalogue: &Catalogue, reading: &mut FormReading) -> BTreeSet<usize> {
    let mut taken = BTreeSet::new();
    for form in catalogue.forms.iter().filter(|form| form.shape == Shape::Table) {
        let labels = Labels::of(form);
        let turned: BTreeMap<usize, Grid> = document
            .tables
            .iter()
            .enumerate()
            .filter(|(_, word)| table::has_topics_in_columns(&word.grid, &labels))
            .map(|(at, word)| (at, word.grid.turned()))
            .collect();
        let headed: Vec<bool> = (document.tables.iter().enumerate())
            .map(|(at, word)| turned.contains_key(&at) || table::has_header(&word.grid, &labels))
            .collect();
        if !headed.contains(&true) {
            continue;
        }
        // A table on the next page may go on without a header; one with a form's labels is a form.
        let goes_on = |at: usize| headed.get(..at).is_some_and(|before| before.contains(&true)) && is_unlabelled(catalogue, document, at);
        let tables: Vec<usize> = (0..document.tables.len()).filter(|at| headed.get(*at) == Some(&true) || goes_on(*at)).collect();
        let part = Document {
            tables: tables
                .iter()
                .filter_map(|at| turned.get(at).or_else(|| document.tables.get(*at).map(|table| &table.grid)))
                .cloned()
                .collect(),
            paragraphs: document
                .blocks
                .iter()
                .filter_map(|block| if let Block::Paragraph(text) = block { Some(text.clone()) } else { None })
                .collect(),
            ..Document::default()
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

fn is_unlabelled(catalogue: &Catalogue, document: &WordDocument, at: usize) -> bool {
    let Some(table) = document.tables.get(at) else { return false };
    let texts = || table.grid.cells.iter().map(|cell| cell.text.as_str());
    table.grid.cells.len() > 1
        && catalogue.forms.iter().filter(|form| form.shape == Shape::Form).all(|form| Labels::of(form).header_score(texts()).fields < 2)
}
