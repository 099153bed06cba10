//! Which form a document is, and what it says: labels and values found in tables and paragraphs, gathered into records.
//!
//! The form is decided by its labels, never by a file name: a letter that names a contact and a telephone is no form.

use std::collections::BTreeSet;

use super::{
    FormReading, Value,
    catalogue::{Catalogue, Field, Form, Shape},
    labels::{LabelMatch, Labels},
    word::{Block, WordDocument},
};
use crate::domain::{folding, limits::Limits};

mod cells;
mod choices;
mod flow;
mod instructions;
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
}

/// Reads a document; `text` of the answer is what stands outside of tables, or everything where no form was recognised.
#[must_use]
pub fn read(document: &WordDocument, catalogue: &Catalogue, limits: &Limits) -> FormReading {
    let mut reading = FormReading::default();
    let taken = summary::read(document, catalogue, &mut reading);
    if let Some((form, mentions)) = best_form(document, catalogue, limits, &taken) {
        let mut records = records::gather(form, &mentions);
        if records.len() > limits.forms_max {
            records.truncate(limits.forms_max);
            reading.notes.push(format!("表格超过{}份的上限，其后的没有读取", limits.forms_max));
        }
        if records.is_empty() && reading.records.is_empty() && reading.blank_form.is_none() {
            reading.blank_form = Some(form.id.clone());
        }
        reading.records.extend(records);
    }
    reading.notes.extend(document.tables.iter().filter_map(|table| table.grid.truncated.clone()));
    let recognised = !reading.records.is_empty() || reading.blank_form.is_some();
    let mut text = if recognised { document.loose_text() } else { document.whole_text() };
    text.push('\n');
    text.push_str(&reading.text);
    reading.notes.extend(document.cuts.iter().cloned());
    reading.notes.extend(cut_values(&reading, limits.text_max_chars));
    reading.text = text.trim().chars().take(limits.text_max_chars).collect();
    if text.trim().len() > reading.text.len() {
        reading.notes.push(format!("正文超过{}字的上限，其后的没有读取", limits.text_max_chars));
    }
    reading
}

/// Values that reach the length at which readers cut.
fn cut_values(reading: &FormReading, max_chars: usize) -> Vec<String> {
    let values = reading.records.iter().flat_map(|record| record.values.values());
    let long = values.filter(|value| value.text.len() >= max_chars && value.text.chars().count() >= max_chars);
    long.map(|value| format!("{}的内容达到{max_chars}字的上限，其后的没有读取", value.place)).collect()
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
            Block::Table(index) if taken.contains(index) || document.tables.get(*index).is_some_and(|table| table.grid.hidden) => {
                flow.close()
            }
            Block::Table(index) => flow.table(at, *index),
        }
    }
    flow.finish()
}

/// The money unit a label prints, where the value names none itself.
fn unit_of(label: &LabelMatch<'_>, text: &str) -> Option<String> {
    label.unit.clone().filter(|unit| unit.ends_with('元') && !text.contains('元'))
}

impl<'a> Mention<'a> {
    fn new(field: &'a Field, printed: &str, block: usize) -> Self {
        let folded = folding::fold(printed);
        Self {
            field,
            value: None,
            table: None,
            block,
            by_main_label: super::labels::key_of(printed).contains(&super::labels::key_of(&field.label)),
            is_signature: ["签字", "签章", "盖章", "公章", "签名"].iter().any(|word| folded.contains(word)),
        }
    }
}
