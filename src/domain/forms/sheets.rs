//! Readers for everything spreadsheet-like: workbooks, delimited text, and the web pages and XML that pass as `.xls`.
//! Each turns bytes into a [`Document`] of grids; what the cells mean is the business of [`super::table`].

use super::{ReadProblem, grid::Document};
use crate::domain::{
    limits::Limits,
    parts::{FileType, xml},
};

mod biff;
mod building;
mod charset;
mod delimited;
mod excel;
mod markup;
mod numbers;
mod ooxml;
mod opendocument;
mod package;
mod spreadsheetml;
mod web;

pub(super) use charset::decode as text_of;

/// Reads a file of a spreadsheet-like type; [`FileType::Html`] and [`FileType::Xml`] are taken too, since they come as `.xls`.
///
/// # Errors
/// What keeps the file from being read; other types are refused.
pub fn read_workbook(file_type: FileType, bytes: &[u8], limits: &Limits) -> Result<Document, ReadProblem> {
    match file_type {
        FileType::Csv => Ok(delimited::read(bytes, limits)),
        FileType::Html => web::read(bytes, limits),
        FileType::Xml => spreadsheetml::read(bytes, limits),
        FileType::Ods => opendocument::read(bytes, limits),
        // The signature decides between the two Excel formats: a protected .xlsx is a compound file too.
        FileType::Xlsx | FileType::Xls | FileType::Et if bytes.starts_with(b"PK") => excel::read_xlsx(bytes, limits),
        FileType::Xlsx | FileType::Xls | FileType::Et => excel::read_xls(bytes, limits),
        _ => Err(ReadProblem::Refused("不是电子表格".to_owned())),
    }
}

/// Whether an XML file is a workbook of Excel 2003.
#[must_use]
pub fn is_workbook_xml(bytes: &[u8]) -> bool {
    text_of(bytes.get(..bytes.len().min(8 << 10)).unwrap_or_default()).contains(xml::WORKBOOK_2003)
}

fn damaged() -> ReadProblem {
    ReadProblem::Damaged("表格文件已损坏或不完整，无法打开。请用Excel或WPS表格打开后另存为.xlsx格式，重新发送".to_owned())
}
