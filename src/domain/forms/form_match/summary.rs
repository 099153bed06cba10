//! Summary tables (annex 2) inside a Word document.

use std::collections::BTreeSet;

use super::super::{
    FormReading,
    catalogue::{Catalogue, Shape},
    labels::Labels,
    word::WordDocument,
};
use crate::domain::limits::Limits;

/// Takes out the tables that hold one topic a row; answers which they are.
pub fn read(document: &WordDocument, catalogue: &Catalogue, limits: &Limits, reading: &mut FormReading) -> BTreeSet<usize> {
    let _ = (limits, reading);
    let mut taken = BTreeSet::new();
    for form in catalogue.forms.iter().filter(|form| form.shape == Shape::Table) {
        let labels = Labels::of(form);
        for (index, table) in document.tables.iter().enumerate() {
            let cells = &table.grid.cells;
            if let Some(header) = header_row(&labels, cells)
                && labels.header_score(cells.iter().filter(|cell| cell.row != header).map(|cell| cell.text.as_str())).fields < LABELS_BELOW_MAX
            {
                taken.insert(index);
            }
        }
    }
    taken
}

/// Fewer different labels in one row are no header.
const HEADER_MIN: usize = 4;
/// As many labels in other rows are a form whose values stand below their labels.
const LABELS_BELOW_MAX: usize = 3;

/// The first of the leading rows that is made of labels.
fn header_row(labels: &Labels<'_>, cells: &[super::super::grid::Cell]) -> Option<u32> {
    (0..20).find(|row| {
        let score = labels.header_score(cells.iter().filter(|cell| cell.row == *row).map(|cell| cell.text.as_str()));
        score.fields >= HEADER_MIN && score.labels * 2 > score.texts
    })
}
