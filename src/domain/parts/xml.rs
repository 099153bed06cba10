//! Names by which the XML of office programs is known, in lower case; the readers and what tells kinds apart look for the same.

/// A workbook of Excel 2003.
pub const WORKBOOK_2003: &str = "schemas-microsoft-com:office:spreadsheet";
/// A document of Word 2003.
pub const WORD_2003: &str = "schemas.microsoft.com/office/word/2003/wordml";
/// A package in one file (Flat OPC).
pub const PACKAGE: &str = "schemas.microsoft.com/office/2006/xmlpackage";
