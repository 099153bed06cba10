//! From a file's bytes to the fields of the forms in the catalogue, every value with its place.
//!
//! `catalogue` says which forms exist (`config/forms/*.toml`); a small reader for each format turns bytes into a
//! [`grid::Document`]; `labels` matches cells to fields. A new form is a new TOML file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{limits::Limits, parts::FileType};
use catalogue::Catalogue;
use word::WordDocument;

pub mod blank;
pub mod blank_docx;
pub mod blank_xlsx;
pub mod catalogue;
pub mod decisions;
pub mod form_match;
pub mod grid;
pub mod pages;
pub mod labels;
pub mod sheets;
pub mod table;
pub mod word;

/// A value as the sender wrote it, after trimming, and where it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    pub text: String,
    /// `Sheet1!I5`, or `table 1 R3C2` for a Word table, or `paragraph 7`.
    pub place: String,
    /// The value stands in a hidden row or column.
    pub hidden: bool,
    /// The money unit that stands in the label or above the table (`万元`, `亿元`, `元`), where the text itself names none.
    pub unit: Option<String>,
    /// A number of 16 digits or more: the spreadsheet has rounded it to 15 digits, so the text is not what the sender typed.
    pub rounded: bool,
}

/// One filled form or one row of a summary table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Catalogue id of the form: `annex1`, `annex2`.
    pub form: String,
    /// `Sheet1!A5:R5`, `table 1`.
    pub place: String,
    /// By field key of the catalogue. Missing and placeholder values are absent.
    pub values: BTreeMap<String, Value>,
}

/// What one file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormReading {
    /// In order of appearance.
    pub records: Vec<Record>,
    /// Facts that stand beside the table: `bureau` (填报单位), `contact`, `phone`, `filled_on`; by field key.
    pub heading: BTreeMap<String, Value>,
    /// Everything outside the tables, for recognising letters and bureaus. Capped by `Limits::text_max_chars`.
    pub text: String,
    /// The file is a summary table whose header was recognised though it has no rows, or a form with no value filled.
    pub blank_form: Option<String>,
    /// Rows of a division's workbook, where the file is one.
    pub decisions: Option<Vec<decisions::Decision>>,
    /// Remarks for a person (hidden sheets, rows over the limit …), in Chinese.
    pub notes: Vec<String>,
    /// What the sender must send otherwise, though the rest of the file was read: one Chinese sentence.
    pub problem: Option<String>,
}

/// Why a file could not be read; data for the sender, not a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadProblem {
    Encrypted,
    Damaged(String),
    /// Which limit, in Chinese with its figure.
    Refused(String),
}

/// Reads one file; `None` where no reader takes its type.
///
/// # Errors
/// What keeps the file from being read: data for the sender, not a fault.
pub fn read_file(file_type: FileType, bytes: &[u8], catalogue: &Catalogue, limits: &Limits) -> Result<Option<FormReading>, ReadProblem> {
    let document = match file_type {
        FileType::Docx => word::read_docx(bytes, limits)?,
        FileType::Doc | FileType::Wps => word::legacy::read_doc(bytes, limits)?,
        FileType::Xml if word::is_one_xml(bytes) => word::read_one_xml(bytes, limits)?,
        FileType::Xml if !sheets::is_workbook_xml(bytes) => return Ok(None),
        FileType::Xlsx | FileType::Xls | FileType::Et | FileType::Ods | FileType::Csv | FileType::Html | FileType::Xml => {
            let workbook = sheets::read_workbook(file_type, bytes, limits)?;
            let mut notes = workbook.cuts.clone();
            if let Some(decisions) = decisions::read(&workbook, &mut notes) {
                return Ok(Some(FormReading { decisions: Some(decisions), notes, ..FormReading::default() }));
            }
            WordDocument::of(workbook)
        }
        FileType::Pdf | FileType::Ofd => return read_pages(file_type, bytes, catalogue, limits).map(Some),
        _ => return Ok(None),
    };
    Ok(Some(form_match::read(&document, catalogue, limits)))
}

fn read_pages(file_type: FileType, bytes: &[u8], catalogue: &Catalogue, limits: &Limits) -> Result<FormReading, ReadProblem> {
    let paged = pages::read(file_type, bytes, catalogue, limits)?;
    let mut reading = form_match::read(&WordDocument::of(paged.document), catalogue, limits);
    if paged.aligned > 0 {
        reading.notes.push("汇总表没有完整的表格线，按文字的位置分栏读取，请与原件核对".to_owned());
    }
    reading.problem = paged.unclear;
    Ok(reading)
}
