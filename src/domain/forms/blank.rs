//! Blank and filled forms made from the catalogue.

use std::collections::BTreeMap;

pub use super::blank_xlsx::blank_xlsx;
use super::catalogue::Form;

/// A form of [`super::catalogue::Shape::Form`] as .docx, filled with `values` by field key.
///
/// # Errors
/// The writer's own sentence.
pub fn blank_docx(form: &Form, values: &BTreeMap<String, String>) -> Result<Vec<u8>, String> {
    let _ = (form, values);
    Err("not built yet".to_owned())
}
