//! The workbook that goes with a long receipt: header frozen, columns sized, A4 landscape. Every foreign text is written as text, so a
//! formula in it stays a text.

use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Workbook, XlsxError};

use super::receipt::ReceiptValues;

/// Rows of a long text shown before Excel cuts it off at its cell limit of 32 767 characters.
const CELL_MAX_CHARS: usize = 8_000;

/// The full list of a long receipt: one row a topic, its corrections in one cell.
///
/// # Errors
/// The writer's own sentence; it does not happen for tables of this shape.
pub fn receipt_workbook(values: &ReceiptValues) -> Result<Vec<u8>, String> {
    write_receipt(values).map_err(|error| format!("the workbook could not be written: {error}"))
}

fn write_receipt(values: &ReceiptValues) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name("回执明细")?;
    let bold = Format::new().set_bold().set_border(FormatBorder::Thin).set_align(FormatAlign::Center).set_text_wrap();
    let cell = Format::new().set_border(FormatBorder::Thin).set_text_wrap().set_align(FormatAlign::Top);
    for (column, (heading, width)) in (0_u16..).zip([
        ("序号", 6.0),
        ("回执编号", 16.0),
        ("课题名称", 36.0),
        ("申报单位", 26.0),
        ("状态", 18.0),
        ("需补正或完善的内容", 80.0),
    ]) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(0, column, heading, &bold)?;
    }
    for (row, topic) in (1_u32..).zip(&values.topics) {
        sheet.write_number_with_format(row, 0, row, &cell)?;
        let corrections = topic.corrections.join("\n");
        for (column, text) in (1_u16..).zip([topic.number.as_str(), &topic.title, &topic.applicant, topic.state, &corrections]) {
            sheet.write_string_with_format(row, column, text.chars().take(CELL_MAX_CHARS).collect::<String>(), &cell)?;
        }
    }
    let first_free = u32::try_from(values.topics.len()).unwrap_or(u32::MAX).saturating_add(2);
    for (row, problem) in (first_free..).zip(&values.problems) {
        sheet.write_string(row, 1, format!("邮件整体：{problem}"))?;
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_landscape();
    sheet.set_paper_size(9);
    sheet.set_print_fit_to_pages(1, 0);
    workbook.save_to_buffer()
}
