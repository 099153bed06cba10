//! Which form a document is, and what it says: labels and values found in tables and paragraphs, gathered into records.
//!
//! The form is decided by its labels, never by a file name: a letter that names a contact and a telephone is no form.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    FormReading, Value,
    catalogue::{Catalogue, Field, Form, Shape},
    grid::{Grid, GridKind},
    labels::{LabelMatch, Labels},
    word::{Block, WordDocument},
};
use crate::domain::{folding, limits::Limits};

mod cells;
mod choices;
mod flow;
mod parts;
mod records;
mod summary;
mod values;

pub use values::person_and_phone;

/// Fewer different labels do not make a form.
const LABELS_MIN: usize = 4;

/// A label found in a document, and what stands at its value's place.
#[derive(Debug, Clone)]
struct Mention<'a> {
    field: &'a Field,
    /// Settled; `None` where nothing was filled in.
    value: Option<Value>,
    /// Name of the table; `None` in paragraphs.
    table: Option<String>,
    /// The top-level block it stands in.
    block: usize,
    /// The label is the field's own, not a synonym.
    by_main_label: bool,
    /// A label like 申报单位（盖章）： where one signs.
    is_signature: bool,
    unit: Option<String>,
}

/// Reads a document; `text` of the answer is what stands outside of tables, or everything where no form was recognised.
#[must_use]
pub fn read(document: &WordDocument, catalogue: &Catalogue, limits: &Limits) -> FormReading {
    let mut reading = FormReading::default();
    let taken = summary::read(document, catalogue, limits, &mut reading);
    if let Some((form, mentions)) = best_form(document, catalogue, limits, &taken) {
        let records = records::gather(form, &mentions);
        if records.is_empty() && reading.records.is_empty() && reading.blank_form.is_none() {
            reading.blank_form = Some(form.id.clone());
        }
        reading.notes.extend(unit_notes(&mentions));
        reading.records.extend(records);
    }
    reading.notes.extend(document.tables.iter().filter_map(|table| table.grid.truncated.clone()));
    let recognised = !reading.records.is_empty() || reading.blank_form.is_some();
    let text = if recognised { document.loose_text() } else { document.whole_text() };
    reading.text = text.chars().take(limits.text_max_chars).collect();
    reading
}

/// Reads grids of a spreadsheet as a form.
#[must_use]
pub fn read_grids(grids: &[Grid], catalogue: &Catalogue, limits: &Limits) -> FormReading {
    read(&WordDocument::of_grids(grids), catalogue, limits)
}

/// Reads plain text, a paragraph a line, as a form (text of a PDF).
#[must_use]
pub fn read_text(text: &str, catalogue: &Catalogue, limits: &Limits) -> FormReading {
    read(&WordDocument::of_text(text), catalogue, limits)
}

/// The form whose labels the document carries most of, if enough of any.
fn best_form<'a>(
    document: &WordDocument,
    catalogue: &'a Catalogue,
    limits: &Limits,
    taken: &BTreeSet<usize>,
) -> Option<(&'a Form, Vec<Mention<'a>>)> {
    let title = folding::fold_words(&document.loose_text().chars().take(2_000).collect::<String>());
    let mut best: Option<(usize, &Form, Vec<Mention<'_>>)> = None;
    for form in catalogue.forms.iter().filter(|form| form.shape == Shape::Form) {
        let mentions = mentions(document, &Labels::of(form), limits, taken);
        let fields: BTreeSet<&str> = mentions.iter().map(|mention| mention.field.key.as_str()).collect();
        let telling = mentions.iter().filter(|mention| !parts::is_contact(mention.field)).map(|mention| mention.field.key.as_str());
        let telling = telling.collect::<BTreeSet<_>>().len();
        let enough = LABELS_MIN.min(form.fields.len().saturating_sub(1)).max(2);
        if fields.len() < enough || telling < enough.saturating_sub(1) {
            continue;
        }
        let titled = title.contains(&folding::fold_words(&form.title));
        let score = fields.len() * 2 + if titled { 5 } else { 0 };
        if best.as_ref().is_none_or(|(most, _, _)| score > *most) {
            best = Some((score, form, mentions));
        }
    }
    best.map(|(_, form, mentions)| (form, mentions))
}

/// All labels of a form in reading order.
fn mentions<'a>(document: &WordDocument, labels: &Labels<'a>, limits: &Limits, taken: &BTreeSet<usize>) -> Vec<Mention<'a>> {
    let mut flow = flow::Flow::new(document, labels, limits);
    for (at, block) in document.blocks.iter().enumerate() {
        match block {
            Block::Paragraph(text) => flow.paragraph(at, text),
            Block::Table(index) if taken.contains(index) => flow.close(),
            Block::Table(index) => flow.table(at, *index),
        }
    }
    flow.finish()
}

impl<'a> Mention<'a> {
    fn new(label: &LabelMatch<'a>, field: &'a Field, printed: &str, block: usize) -> Self {
        let folded = folding::fold(printed);
        Self {
            field,
            value: None,
            table: None,
            block,
            by_main_label: super::labels::key_of(printed).contains(&super::labels::key_of(&field.label)),
            is_signature: ["签字", "签章", "盖章", "公章", "签名"].iter().any(|word| folded.contains(word)),
            unit: label.unit.clone(),
        }
    }
}

/// Where a cell stands: `table 1 R3C2`, or `Sheet1!B3`.
fn place(grid: &Grid, row: u32, column: u32) -> String {
    match grid.kind {
        GridKind::WordTable => format!("{} R{}C{}", grid.name, row + 1, column + 1),
        GridKind::Sheet => {
            let mut letters = Vec::new();
            let mut rest = column + 1;
            while rest > 0 {
                let digit = u8::try_from((rest - 1) % 26).unwrap_or_default();
                letters.push(char::from(b'A' + digit));
                rest = (rest - 1) / 26;
            }
            format!("{}!{}{}", grid.name, letters.iter().rev().collect::<String>(), row + 1)
        }
    }
}

/// A label that prints another unit than the catalogue's: the bare number would mislead.
fn unit_notes(mentions: &[Mention<'_>]) -> Vec<String> {
    let odd = |mention: &&Mention<'_>| {
        mention.value.is_some() && mention.unit.is_some() && mention.field.unit.is_some() && mention.unit != mention.field.unit
    };
    let notes: BTreeMap<&str, String> = mentions
        .iter()
        .filter(odd)
        .map(|mention| {
            let (field, unit) = (mention.field, mention.unit.as_deref().unwrap_or_default());
            (field.key.as_str(), format!("“{}”一栏的单位是{unit}，不是{}。", field.label, field.unit.as_deref().unwrap_or_default()))
        })
        .collect();
    notes.into_values().collect()
}
