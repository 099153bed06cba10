//! Workbooks that go with letters: header frozen, filters on, columns sized, A4 landscape. Every foreign text is written as
//! text, so a formula in it stays a text.

use jiff::tz::TimeZone;
use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use super::{queue::QueueTopic, receipt::ReceiptValues};
use crate::domain::{
    forms::decisions::{DECISION_HEADING, NUMBER_HEADING},
    time::chinese_minute,
};

/// A column: heading, width in characters.
type Column = (&'static str, f64);

const COLUMNS: [Column; 18] = [
    ("序号", 5.0),
    (NUMBER_HEADING, 15.0),
    ("课题名称", 32.0),
    ("申报单位", 24.0),
    ("报送单位", 20.0),
    ("收到时间", 18.0),
    ("状态", 10.0),
    ("拟解决的关键问题", 42.0),
    ("研发目标", 36.0),
    ("主要技术参数", 36.0),
    ("预期经济效益", 22.0),
    ("联系人", 10.0),
    ("联系电话", 15.0),
    ("需核对事项", 36.0),
    ("疑似重复", 20.0),
    ("分派依据", 24.0),
    ("可能相关处室", 16.0),
    (DECISION_HEADING, 22.0),
];
/// Rows of a long text shown before Excel cuts it off at its cell limit of 32 767 characters.
const CELL_MAX_CHARS: usize = 8_000;

/// One sheet of topics for a division.
///
/// # Errors
/// The writer's own sentence; it does not happen for tables of this shape.
pub fn queue_workbook(division: &str, topics: &[QueueTopic], zone: &TimeZone) -> Result<Vec<u8>, String> {
    write(division, topics, zone).map_err(|error| format!("the workbook could not be written: {error}"))
}

fn write(division: &str, topics: &[QueueTopic], zone: &TimeZone) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name("新到课题")?;
    let title = Format::new().set_bold().set_font_size(14).set_align(FormatAlign::Center).set_align(FormatAlign::VerticalCenter);
    let last_column = u16::try_from(COLUMNS.len().saturating_sub(1)).unwrap_or(u16::MAX);
    sheet.merge_range(0, 0, 0, last_column, &format!("{division}专项课题清单（{}项）", topics.len()), &title)?;
    sheet.set_row_height(0, 26)?;
    header(sheet)?;
    let cell = Format::new().set_border(FormatBorder::Thin).set_text_wrap().set_align(FormatAlign::Top).set_font_size(9);
    for (row, (number, topic)) in (2_u32..).zip((1_u32..).zip(topics)) {
        sheet.write_number_with_format(row, 0, number, &cell)?;
        for (column, text) in (1_u16..).zip(texts(topic, zone)) {
            sheet.write_string_with_format(row, column, text.chars().take(CELL_MAX_CHARS).collect::<String>(), &cell)?;
        }
    }
    let last_row = u32::try_from(topics.len()).unwrap_or(u32::MAX).saturating_add(1);
    sheet.autofilter(1, 0, last_row, last_column)?;
    sheet.set_freeze_panes(2, 3)?;
    print_setup(sheet)?;
    workbook.save_to_buffer()
}

/// The full list of a long receipt: one row a topic, its corrections in one cell.
///
/// # Errors
/// As [`queue_workbook`].
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

fn header(sheet: &mut Worksheet) -> Result<(), XlsxError> {
    let format = Format::new()
        .set_bold()
        .set_border(FormatBorder::Thin)
        .set_background_color(0x00D9_E2F3)
        .set_align(FormatAlign::Center)
        .set_text_wrap();
    for (column, (heading, width)) in (0_u16..).zip(COLUMNS) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(1, column, heading, &format)?;
    }
    Ok(())
}

/// A4 landscape, all columns on one page, header repeated.
fn print_setup(sheet: &mut Worksheet) -> Result<(), XlsxError> {
    sheet.set_landscape();
    sheet.set_paper_size(9);
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_repeat_rows(1, 1)?;
    sheet.set_margins(0.4, 0.4, 0.5, 0.5, 0.3, 0.3);
    sheet.set_footer("&C第 &P 页，共 &N 页");
    Ok(())
}

fn texts(topic: &QueueTopic, zone: &TimeZone) -> [String; 17] {
    [
        topic.number.clone(),
        topic.title.clone(),
        topic.applicant.clone(),
        topic.bureau.clone(),
        chinese_minute(topic.received_at, zone),
        topic.state.clone(),
        topic.problem.clone(),
        topic.goal.clone(),
        topic.params.clone(),
        topic.benefit.clone(),
        topic.contact.clone(),
        topic.phone.clone(),
        topic.remarks.clone(),
        topic.duplicates.clone(),
        topic.evidence.clone(),
        topic.runners_up.clone(),
        // For the division to fill in.
        String::new(),
    ]
}
