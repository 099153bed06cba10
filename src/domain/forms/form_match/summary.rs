//! Summary tables (annex 2) among the tables of a document.

use std::collections::BTreeSet;

use super::super::{
    FormReading,
    catalogue::{Catalogue, Shape},
    grid::Grid,
    labels::Labels,
    table::{self, Layout},
    word::{Block, WordDocument},
};

/// Reads the tables that hold one topic a row; answers which they are.
pub fn read<'d>(document: &'d WordDocument, catalogue: &Catalogue, reading: &mut FormReading) -> BTreeSet<usize> {
    let mut taken = BTreeSet::new();
    for form in catalogue.forms.iter().filter(|form| form.shape == Shape::Table) {
        let labels = Labels::of(form);
        let layouts: Vec<Layout> = document.tables.iter().map(|table| Layout::of(&table.grid, &labels)).collect();
        let headed: Vec<bool> = layouts.iter().map(|layout| *layout != Layout::Unknown).collect();
        if !headed.contains(&true) {
            continue;
        }
        // A table on the next page may go on without a header; one with a form's labels is a form.
        let goes_on = |at: usize| headed.get(..at).is_some_and(|before| before.contains(&true)) && is_unlabelled(catalogue, document, at);
        let tables: Vec<usize> = (0..document.tables.len()).filter(|at| headed.get(*at) == Some(&true) || goes_on(*at)).collect();
        let grid = |at: &usize| match layouts.get(*at) {
            Some(Layout::Columns(turned)) => Some(turned),
            _ => document.tables.get(*at).map(|table| &table.grid),
        };
        let paragraph = |block: &'d Block| if let Block::Paragraph(text) = block { Some(text.as_str()) } else { None };
        let (grids, paragraphs): (Vec<&Grid>, Vec<&str>) =
            (tables.iter().filter_map(grid).collect(), document.blocks.iter().filter_map(paragraph).collect());
        let found = table::read(&grids, &paragraphs, form);
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
