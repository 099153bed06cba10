//! Blank and filled forms made from the catalogue.

pub use super::{blank_docx::blank_docx, blank_xlsx::blank_xlsx};
