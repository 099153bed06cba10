//! Blank and filled forms made from the catalogue.

use std::collections::BTreeMap;

use super::catalogue::Form;

/// A form of [`super::catalogue::Shape::Form`] as .docx, filled with `values` by field key.
///
/// # Errors
/// The writer's own sentence.
pub fn blank_docx(form: &Form, values: &BTreeMap<String, String>) -> Result<Vec<u8>, String> {
    let _ = (form, values);
    Err("not built yet".to_owned())
}

/// A summary table as .xlsx; `heading` holds what stands above the table (填报单位 …), `rows` the topics.
///
/// # Errors
/// The writer's own sentence.
pub fn blank_xlsx(form: &Form, heading: &BTreeMap<String, String>, rows: &[BTreeMap<String, String>]) -> Result<Vec<u8>, String> {
    let _ = (form, heading, rows);
    Err("not built yet".to_owned())
}
