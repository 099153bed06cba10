//! The workbook of a queue letter: new topics, everything open, corrections, and the topics' texts on a sheet of their own, so that
//! each page of A4 keeps letters that can be read. Every foreign text is written as text, so a formula in it stays a text.

use jiff::tz::TimeZone;
use rust_xlsxwriter::{DataValidation, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use super::queue::{Batch, QueueCorrection, QueueTopic};
use crate::domain::{
    forms::decisions::{DECISION_HEADING, NUMBER_HEADING},
    time::{chinese_day, day_of},
};

/// A column: heading, width in characters.
type Column = (&'static str, f64);

const TOPICS: [Column; 9] = [
    ("序号", 5.0),
    (NUMBER_HEADING, 15.0),
    ("课题名称", 32.0),
    ("申报单位", 22.0),
    ("报送单位", 17.0),
    ("收到", 11.0),
    ("等待天数", 6.0),
    ("状态及提请注意", 30.0),
    (DECISION_HEADING, 20.0),
];
const CORRECTIONS: [Column; 6] =
    [("序号", 5.0), (NUMBER_HEADING, 15.0), ("课题名称", 30.0), ("更正内容", 62.0), ("收到", 11.0), (DECISION_HEADING, 20.0)];
/// One row a field, so that long texts run over the width of the page.
const DETAILS: [Column; 3] = [("编号", 15.0), ("栏目", 20.0), ("内容", 110.0)];
/// Characters of one row of details; what is longer goes on in the next row, as no row can be higher than 409 points.
const DETAIL_CHARS: usize = 900;
/// Height of a line of 12-point text and of the highest row, in points.
const LINE_POINTS: f64 = 16.5;
const ROW_MAX_POINTS: f64 = 409.0;
/// Width of an ideograph of 12 points, in the characters that column widths are counted in.
const IDEOGRAPH_CHARS: f64 = 2.25;
/// Characters of one cell; Excel's own limit is 32 767.
const CELL_MAX_CHARS: usize = 8_000;
/// Rows of one sheet.
const ROWS_MAX: usize = 5_000;
/// Row of the header, from 0; the title stands above it.
const HEADER_ROW: u32 = 1;
/// Excel's own limit on a drop-down list's text.
const LIST_MAX_CHARS: usize = 250;

/// Writes it.
///
/// # Errors
/// The writer's own sentence; it does not happen for tables of this shape.
pub fn queue_workbook(batch: &Batch<'_>) -> Result<Vec<u8>, String> {
    write(batch).map_err(|error| format!("the workbook could not be written: {error}"))
}

fn write(batch: &Batch<'_>) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let topic_rows = |topics: &[QueueTopic]| topics.iter().map(|topic| topic_row(topic, batch.zone)).collect::<Vec<_>>();
    let corrections: Vec<Vec<String>> = batch.corrections.iter().map(|correction| correction_row(correction, batch.zone)).collect();
    let details: Vec<Vec<String>> = batch.open.iter().flat_map(detail_rows).collect();
    let days = Some(6);
    for (name, what, columns, rows, number) in [
        ("新到课题", "新到课题", TOPICS.as_slice(), topic_rows(batch.topics), days),
        ("待办课题", "待办课题", &TOPICS, topic_rows(batch.open), days),
        ("补正更正", "收到的补正更正", &CORRECTIONS, corrections, None),
        ("课题详情", "待办课题详情", &DETAILS, details, None),
    ] {
        // An empty sheet would only be another page.
        if name == "补正更正" && rows.is_empty() {
            continue;
        }
        let sheet = workbook.add_worksheet();
        sheet.set_name(name)?;
        let count = if name == "课题详情" { batch.open.len() } else { rows.len() };
        let heading = format!("{}{what}（{count}项）", batch.division_name);
        fill(sheet, &heading, columns, &rows, number)?;
        if let Some(at) = columns.iter().position(|(heading, _)| *heading == DECISION_HEADING) {
            offer_decisions(sheet, at, rows.len(), batch.others)?;
        }
    }
    workbook.save_to_buffer()
}

/// Title, header, rows. `number`: the column whose texts are whole numbers.
fn fill(sheet: &mut Worksheet, heading: &str, columns: &[Column], rows: &[Vec<String>], number: Option<usize>) -> Result<(), XlsxError> {
    let last_column = u16::try_from(columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
    let title = Format::new().set_bold().set_font_size(16).set_align(FormatAlign::VerticalCenter);
    sheet.write_string_with_format(0, 0, heading, &title)?;
    sheet.set_row_height(0, 30)?;
    let head = Format::new()
        .set_bold()
        .set_font_size(12)
        .set_border(FormatBorder::Thin)
        .set_background_color(0x00D9_E2F3)
        .set_align(FormatAlign::Center)
        .set_align(FormatAlign::VerticalCenter)
        .set_text_wrap();
    sheet.set_row_height(HEADER_ROW, 36)?;
    for (column, (heading, width)) in (0_u16..).zip(columns) {
        sheet.set_column_width(column, *width)?;
        sheet.write_string_with_format(HEADER_ROW, column, *heading, &head)?;
    }
    let cell = Format::new().set_border(FormatBorder::Thin).set_text_wrap().set_align(FormatAlign::Top).set_font_size(12);
    let quoted = cell.clone().set_quote_prefix();
    let in_middle = cell.clone().set_align(FormatAlign::Center).set_align(FormatAlign::Top);
    let numbered = columns.first().is_some_and(|(heading, _)| *heading == "序号");
    for (row, (no, texts)) in (HEADER_ROW + 1..).zip((1_u32..).zip(rows).take(ROWS_MAX)) {
        let mut column = 0;
        if numbered {
            sheet.write_number_with_format(row, column, no, &in_middle)?;
            column += 1;
        }
        let first = usize::from(numbered);
        let lines = texts.iter().zip(columns.iter().skip(first)).map(|(text, (_, width))| lines_of(text, *width)).max();
        sheet.set_row_height(row, (f64::from(lines.unwrap_or(1).max(1)) * LINE_POINTS + 4.0).min(ROW_MAX_POINTS))?;
        for text in texts {
            match text.parse::<u32>() {
                Ok(whole) if number == Some(usize::from(column)) => {
                    sheet.write_number_with_format(row, column, whole, &in_middle)?;
                }
                _ => {
                    let format = if text.starts_with(['=', '+', '-', '@', '\t']) { &quoted } else { &cell };
                    sheet.write_string_with_format(row, column, text.chars().take(CELL_MAX_CHARS).collect::<String>(), format)?;
                }
            }
            column += 1;
        }
    }
    if rows.is_empty() {
        sheet.write_string(HEADER_ROW + 1, 0, "（无）")?;
    }
    let last_row = u32::try_from(rows.len().min(ROWS_MAX)).unwrap_or(u32::MAX).max(1).saturating_add(HEADER_ROW);
    sheet.autofilter(HEADER_ROW, 0, last_row, last_column)?;
    sheet.set_freeze_panes(HEADER_ROW + 1, 0)?;
    print_setup(sheet)
}

/// Lines that a text takes in a column: spreadsheet programs do not size rows of a file by themselves.
fn lines_of(text: &str, width: f64) -> u32 {
    let of = |line: &str| {
        let chars: f64 = line.chars().map(|c| if c.is_ascii() { 1.0 } else { IDEOGRAPH_CHARS }).sum();
        // The last ideograph of a line seldom fits exactly.
        (chars / (width - IDEOGRAPH_CHARS).max(1.0)).ceil().max(1.0) as u32
    };
    text.lines().map(of).sum()
}

/// What may be chosen; other words may be typed too.
fn offer_decisions(sheet: &mut Worksheet, column: usize, rows: usize, others: &[String]) -> Result<(), XlsxError> {
    let column = u16::try_from(column).unwrap_or(u16::MAX);
    let mut choices: Vec<String> = vec!["受理".to_owned(), "补正：".to_owned(), "退回：".to_owned()];
    let mut chars: usize = choices.iter().map(|choice| choice.chars().count() + 1).sum();
    for other in others {
        let choice = format!("转 {other}");
        chars += choice.chars().count() + 1;
        if chars > LIST_MAX_CHARS {
            break;
        }
        choices.push(choice);
    }
    let list = DataValidation::new()
        .allow_list_strings(&choices)?
        .show_error_message(false)
        .set_input_title(DECISION_HEADING)?
        .set_input_message("可从列表选择，也可直接填写；补正、退回请在冒号后写明意见或原因。填好后作为附件回信。")?;
    let last = u32::try_from(rows.min(ROWS_MAX)).unwrap_or(u32::MAX).max(1).saturating_add(HEADER_ROW);
    sheet.add_data_validation(HEADER_ROW + 1, column, last, column, &list)?;
    Ok(())
}

/// A4 landscape, all columns on one page, header repeated.
fn print_setup(sheet: &mut Worksheet) -> Result<(), XlsxError> {
    sheet.set_landscape();
    sheet.set_paper_size(9);
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_repeat_rows(HEADER_ROW, HEADER_ROW)?;
    sheet.set_margins(0.4, 0.4, 0.5, 0.6, 0.3, 0.3);
    sheet.set_header("&L&A");
    sheet.set_footer("&C第 &P 页，共 &N 页");
    Ok(())
}

fn topic_row(topic: &QueueTopic, zone: &TimeZone) -> Vec<String> {
    let mut notes = Vec::new();
    if topic.urgent {
        notes.push("【加急】".to_owned());
    }
    notes.push(format!("{}，完整度{}分", topic.state, topic.percent));
    if !topic.joint.is_empty() {
        notes.push(topic.joint.clone());
    } else if !topic.runners_up.is_empty() {
        notes.push(format!("可能相关处室：{}", topic.runners_up));
    }
    if !topic.duplicates.is_empty() {
        notes.push(format!("疑似重复，请人工核实：{}", topic.duplicates));
    }
    if !topic.remarks.is_empty() {
        notes.push(topic.remarks.clone());
    }
    vec![
        topic.number.clone(),
        topic.title.clone(),
        topic.applicant.clone(),
        topic.bureau.clone(),
        day_of(topic.received_at, zone).to_string(),
        topic.days.max(0).to_string(),
        notes.join("\n"),
        // For the division to fill in.
        String::new(),
    ]
}

fn correction_row(correction: &QueueCorrection, zone: &TimeZone) -> Vec<String> {
    let mut changes = correction.changes.join("\n");
    changes.push_str(&format!("\n更正后状态：{}", correction.state));
    vec![
        correction.number.clone(),
        format!("{}\n（{}）", correction.title, correction.applicant),
        changes,
        chinese_day(day_of(correction.received_at, zone)),
        String::new(),
    ]
}

/// Where the router found something, as an officer calls it.
const PLACES: [(&str, &str); 9] = [
    ("gb_code", "国民经济行业代码"),
    ("title", "课题名称"),
    ("problem", "关键问题"),
    ("goal", "研发目标"),
    ("params", "技术参数"),
    ("content", "研究内容"),
    ("product", "产品名称"),
    ("industry", "所属行业"),
    ("twin", "疑似同一课题"),
];

/// `转向架 (title)` as 转向架（课题名称）.
fn in_words(evidence: &str) -> String {
    let plain = evidence.replace(" (margin)", "").replace(" (gb_code，与课题内容不一致)", "（行业代码，与课题内容不一致）");
    PLACES.iter().fold(plain, |text, (key, name)| text.replace(&format!(" ({key})"), &format!("（{name}）")))
}

/// A field a row; long ones go on in the next.
fn detail_rows(topic: &QueueTopic) -> Vec<Vec<String>> {
    let contact = format!("{} {}", topic.contact, topic.phone);
    let mut rows = Vec::new();
    for (label, text) in [
        ("课题名称", format!("{}（{}）", topic.title, topic.applicant)),
        ("拟解决的关键问题", topic.problem.clone()),
        ("研发目标", topic.goal.clone()),
        ("主要技术参数", topic.params.clone()),
        ("预期经济效益", topic.benefit.clone()),
        ("联系人", contact.trim().to_owned()),
        ("分派依据", in_words(&topic.evidence)),
    ] {
        let chars: Vec<char> = text.trim().chars().take(CELL_MAX_CHARS).collect();
        for (at, piece) in chars.chunks(DETAIL_CHARS).enumerate() {
            let label = if at == 0 { label.to_owned() } else { format!("{label}（续）") };
            rows.push(vec![topic.number.clone(), label, piece.iter().collect()]);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::Reader as _;

    use super::*;
    use crate::domain::letters::{
        queue::Annex,
        receipt::{ReceiptValues, TopicValues},
        workbook::receipt_workbook,
    };

    /// Texts of all cells, once no cell is a formula.
    fn texts(book: Vec<u8>) -> Vec<String> {
        let mut book = calamine::Xlsx::new(Cursor::new(book)).unwrap();
        let mut texts = Vec::new();
        for sheet in book.sheet_names() {
            assert_eq!(book.worksheet_formula(&sheet).unwrap().used_cells().count(), 0, "{sheet}");
            let range = book.worksheet_range(&sheet).unwrap();
            texts.extend(range.used_cells().map(|(_, _, cell)| cell.to_string()));
        }
        texts
    }

    #[test]
    fn a_formula_in_a_form_stays_a_text_in_every_workbook() {
        for formula in ["=HYPERLINK(\"http://evil.example\",\"甲\")", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1+1"] {
            let topic = QueueTopic {
                title: formula.to_owned(),
                applicant: formula.to_owned(),
                problem: formula.to_owned(),
                ..QueueTopic::default()
            };
            let correction = QueueCorrection { title: formula.to_owned(), changes: vec![formula.to_owned()], ..QueueCorrection::default() };
            let zone = TimeZone::UTC;
            let batch = Batch {
                division: "equip",
                division_name: formula,
                others: &[],
                slot: "",
                topics: std::slice::from_ref(&topic),
                open: std::slice::from_ref(&topic),
                corrections: &[correction],
                annexes: &[Annex::default()],
                left_out: &[],
                token: "",
                department: "",
                zone: &zone,
                now: jiff::Timestamp::UNIX_EPOCH,
            };
            assert!(texts(queue_workbook(&batch).unwrap()).contains(&formula.to_owned()), "{formula}");
            let told = TopicValues { title: formula.to_owned(), corrections: vec![formula.to_owned()], ..TopicValues::default() };
            let receipt = ReceiptValues { topics: vec![told], ..ReceiptValues::default() };
            assert!(texts(receipt_workbook(&receipt).unwrap()).contains(&formula.to_owned()), "{formula}");
        }
    }

    #[test]
    fn evidence_reads_as_an_officer_would_say_it() {
        assert_eq!(in_words("转向架 (title)、3670 (gb_code)、模型：铁路"), "转向架（课题名称）、3670（国民经济行业代码）、模型：铁路");
        assert_eq!(in_words("1310 (gb_code，与课题内容不一致)"), "1310（行业代码，与课题内容不一致）");
        assert_eq!(in_words("两个处室难分，请人工确定 (margin)"), "两个处室难分，请人工确定");
    }
}
