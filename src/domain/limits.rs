//! Every limit on foreign input, in one named struct. A refusal names the limit and the file; the rest of the mail is still read.

use serde::{Deserialize, Serialize};

/// Limits on one message and everything inside it. Passed in wherever foreign bytes are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest message that is examined, in bytes (NetEase accepts at most 71 680 000). Larger ones are kept, not read.
    pub message_max_bytes: usize,
    /// MIME parts and archive entries of one message, together.
    pub files_max: usize,
    /// How deep messages and archives may stand inside each other.
    pub depth_max: usize,
    /// Entries of one archive.
    pub container_entries_max: usize,
    /// Bytes that all archives of one message may unpack to, together.
    pub container_output_max_bytes: usize,
    /// Unpacked bytes for one packed byte, once more than 1 MiB is out.
    pub container_ratio_max: usize,
    /// Bytes that one entry of an archive may unpack to; larger ones are not kept in memory.
    pub container_file_max_bytes: usize,
    /// Memory that an archive's dictionary may claim (7z, RAR).
    pub dictionary_max_bytes: usize,
    /// Records in a zip's directory, which the library keeps in memory before any entry is opened.
    pub archive_records_max: usize,
    /// Pages of a PDF or OFD that are read.
    pub pages_max: usize,
    /// Characters of one page of a PDF or OFD; a page of a form has some thousands.
    pub page_max_chars: usize,
    /// Ruled lines of one page; beyond, it is a drawing.
    pub page_rules_max: usize,
    /// Fields of the lattice that a page's ruled lines make.
    pub page_fields_max: usize,
    /// XML elements of one page of an OFD.
    pub page_elements_max: usize,
    /// Characters of a PDF or OFD, all pages together: each is kept with its place.
    pub pages_max_chars: usize,
    /// Pixels of one image of a scanned page that is looked at for recognition.
    pub scan_max_pixels: usize,
    /// Bytes of a photographed letter that is looked at for recognition.
    pub scan_max_bytes: usize,
    /// Sheets of a workbook, or tables of a web page.
    pub sheets_max: usize,
    /// Merged areas of one sheet.
    pub merges_max: usize,
    /// Bytes of text of a workbook, all sheets together.
    pub workbook_text_max_bytes: usize,
    /// Filled forms of one file.
    pub forms_max: usize,
    /// Unpacked bytes of one part of a spreadsheet package.
    pub sheet_max_bytes: usize,
    /// Unpacked bytes of a spreadsheet package, all parts together.
    pub workbook_max_bytes: usize,
    /// Bytes of a spreadsheet that is read as a whole: a binary workbook's stream, a web page, plain XML.
    pub whole_workbook_max_bytes: usize,
    /// Cell formats of a workbook.
    pub cell_formats_max: usize,
    /// Cells read from one table or sheet.
    pub cells_max: usize,
    /// Rows read from one table or sheet.
    pub rows_max: usize,
    /// Columns read from one table or sheet.
    pub columns_max: usize,
    /// Characters kept of one field's value or of a mail's text.
    pub text_max_chars: usize,
    /// Characters of a mail's HTML, tags included, in which links to large attachments are looked for.
    pub html_max_chars: usize,
    /// Unpacked bytes of a Word document's main part.
    pub document_max_bytes: usize,
    /// Characters of a Word document.
    pub document_max_chars: usize,
    /// Parts of a .docx package, pictures included.
    pub package_entries_max: usize,
    /// How deep elements of an office document's XML may nest.
    pub xml_depth_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_max_bytes: 75 << 20,
            files_max: 1_000,
            depth_max: 4,
            container_entries_max: 500,
            container_output_max_bytes: 512 << 20,
            container_ratio_max: 100,
            container_file_max_bytes: 64 << 20,
            dictionary_max_bytes: 64 << 20,
            archive_records_max: 20_000,
            pages_max: 200,
            page_max_chars: 40_000,
            page_rules_max: 4_000,
            page_fields_max: 20_000,
            page_elements_max: 400_000,
            pages_max_chars: 400_000,
            scan_max_pixels: 40_000_000,
            scan_max_bytes: 20 << 20,
            sheets_max: 256,
            merges_max: 20_000,
            workbook_text_max_bytes: 24 << 20,
            forms_max: 200,
            sheet_max_bytes: 64 << 20,
            workbook_max_bytes: 160 << 20,
            whole_workbook_max_bytes: 32 << 20,
            cell_formats_max: 70_000,
            cells_max: 500_000,
            rows_max: 5_000,
            columns_max: 512,
            text_max_chars: 100_000,
            html_max_chars: 2_000_000,
            document_max_bytes: 32 << 20,
            document_max_chars: 2_000_000,
            package_entries_max: 5_000,
            xml_depth_max: 256,
        }
    }
}
