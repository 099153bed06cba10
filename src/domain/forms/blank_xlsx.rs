//! A summary table as .xlsx, blank or filled, made from the catalogue: what an office needs to fill it without mistakes.
//! It reads back without loss through [`super::sheets`] and [`super::table`].

use std::collections::BTreeMap;

use rust_xlsxwriter::{
    DataValidation, DataValidationErrorStyle, DataValidationRule, Format, FormatAlign, FormatBorder, IgnoreError, Workbook, Worksheet,
    XlsxError,
};

use super::catalogue::{Field, FieldKind, Form, Need};

/// Facts above the table, in the order in which offices write them; each column of a row may hold the others too.
const ABOVE: [&str; 4] = ["bureau", "filled_on", "contact", "phone"];
/// Rows ready to be filled below the last topic.
const READY_ROWS: usize = 20;
const TITLE_ROW: u32 = 0;
const NOTE_ROW: u32 = 1;
const FACTS_ROW: u32 = 2;
const HEADER_ROW: u32 = 3;
/// Excel takes 255 characters of choices in a drop-down list.
const CHOICES_MAX_CHARS: usize = 255;
const TITLE_KEY: &str = "topic_title";
const LINE_POINTS: f64 = 14.0;
const ROW_MIN_POINTS: f64 = 26.0;
/// Excel's own limit.
const ROW_MAX_POINTS: f64 = 409.0;
const SHEET: &str = "汇总表";
const NOTE: &str = "说明：带*的列必填；每项课题填写一行，请勿合并单元格；信用代码、电话按文本填写。";

/// A summary table as .xlsx; `heading` holds what stands above the table by field key (填报单位 …), `rows` the topics.
///
/// # Errors
/// The writer's own sentence, for instance where a text is longer than the 32 767 characters of a cell.
pub fn blank_xlsx(form: &Form, heading: &BTreeMap<String, String>, rows: &[BTreeMap<String, String>]) -> Result<Vec<u8>, String> {
    write(form, heading, rows).map_err(|error| format!("the workbook could not be written: {error}"))
}

/// The table in the writing.
struct Table<'a> {
    form: &'a Form,
    fields: Vec<&'a Field>,
    last_column: u16,
    /// The last row to be filled.
    last_row: u32,
}

fn write(form: &Form, heading: &BTreeMap<String, String>, rows: &[BTreeMap<String, String>]) -> Result<Vec<u8>, XlsxError> {
    let in_rows = |key: &str| rows.iter().any(|row| row.contains_key(key));
    let fields: Vec<&Field> = form.fields.iter().filter(|field| field.key != "filled_on" || in_rows("filled_on")).collect();
    let count = if rows.is_empty() { READY_ROWS } else { rows.len() };
    let table = Table {
        form,
        last_column: u16::try_from(fields.len().saturating_sub(1)).unwrap_or(u16::MAX),
        last_row: HEADER_ROW.saturating_add(u32::try_from(count).unwrap_or(u32::MAX)),
        fields,
    };
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name(SHEET)?;
    table.top(sheet, heading)?;
    table.header(sheet)?;
    table.rows(sheet, rows, count)?;
    table.validation(sheet)?;
    table.print_setup(sheet)?;
    workbook.save_to_buffer()
}

impl Table<'_> {
    /// Title, note and facts above the table.
    fn top(&self, sheet: &mut Worksheet, heading: &BTreeMap<String, String>) -> Result<(), XlsxError> {
        let title = Format::new().set_bold().set_font_size(16).set_align(FormatAlign::Center).set_align(FormatAlign::VerticalCenter);
        let small = Format::new().set_font_size(9).set_font_color(0x0060_6060).set_align(FormatAlign::VerticalCenter);
        let facts = Format::new().set_align(FormatAlign::VerticalCenter);
        wide(sheet, TITLE_ROW, (0, self.last_column), &self.form.title, &title)?;
        wide(sheet, NOTE_ROW, (0, self.last_column), NOTE, &small)?;
        sheet.set_row_height(TITLE_ROW, 30)?.set_row_height(NOTE_ROW, 18)?.set_row_height(FACTS_ROW, 22)?;
        let above: Vec<&str> = ABOVE.into_iter().filter(|key| self.form.field(key).is_some()).collect();
        let columns = usize::from(self.last_column) + 1;
        for (at, key) in above.iter().enumerate() {
            // Each fact gets its share of the columns; where there are too few, the facts stand side by side and run over.
            let share = |part: usize| u16::try_from(part * columns / above.len().max(1)).unwrap_or(u16::MAX);
            let (first, next) = (share(at), share(at + 1));
            let value = heading.get(*key).map_or("", String::as_str);
            wide(sheet, FACTS_ROW, (first, next.saturating_sub(1).max(first)), &format!("{}：{value}", self.called(key)), &facts)?;
        }
        Ok(())
    }

    /// What offices write above a table: 填报单位（盖章）.
    fn called(&self, key: &str) -> String {
        if key == "bureau" { "填报单位（盖章）".to_owned() } else { self.form.label(key).to_owned() }
    }

    fn header(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        let format = Format::new()
            .set_bold()
            .set_border(FormatBorder::Thin)
            .set_background_color(0x00D9_E2F3)
            .set_align(FormatAlign::Center)
            .set_align(FormatAlign::VerticalCenter)
            .set_text_wrap();
        for (column, field) in (0_u16..).zip(&self.fields) {
            let mark = if field.need == Need::Required { "*" } else { "" };
            let hint = field.hint.as_ref().map_or_else(String::new, |hint| format!("\n（{hint}）"));
            sheet.set_column_width(column, width(field))?;
            sheet.set_column_format(column, &column_format(field))?;
            sheet.write_string_with_format(HEADER_ROW, column, format!("{mark}{}{hint}", field.label), &format)?;
        }
        sheet.set_row_height(HEADER_ROW, 48)?;
        Ok(())
    }

    fn rows(&self, sheet: &mut Worksheet, rows: &[BTreeMap<String, String>], count: usize) -> Result<(), XlsxError> {
        for (number, at) in (1_u32..).zip(0..count) {
            let row = HEADER_ROW.saturating_add(number);
            let values = rows.get(at);
            sheet.set_row_height(row, height(&self.fields, values))?;
            for (column, field) in (0_u16..).zip(&self.fields) {
                let format = column_format(field).set_border(FormatBorder::Thin).set_text_wrap().set_align(FormatAlign::VerticalCenter);
                match values.and_then(|values| values.get(&field.key)) {
                    Some(text) if field.key == "no" && text.parse::<u32>().is_ok_and(|number| number.to_string() == *text) => {
                        sheet.write_number_with_format(row, column, text.parse::<u32>().unwrap_or_default(), &format)?;
                    }
                    // Whatever a text looks like, a formula or a number, it stays a text.
                    Some(text) => drop(sheet.write_string_with_format(row, column, text, &format)?),
                    None if field.key == "no" && values.is_none() => {
                        sheet.write_number_with_format(row, column, number, &format)?;
                    }
                    None => drop(sheet.write_blank(row, column, &format)?),
                }
            }
        }
        sheet.ignore_error_range(HEADER_ROW + 1, 0, self.last_row, self.last_column, IgnoreError::NumberStoredAsText)?;
        Ok(())
    }

    fn validation(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        for (column, field) in (0_u16..).zip(&self.fields) {
            if let Some(validation) = validation(field)? {
                sheet.add_data_validation(HEADER_ROW + 1, column, self.last_row, column, &validation)?;
            }
        }
        Ok(())
    }

    /// Header and title column frozen; A4 landscape, all columns on one page, header repeated.
    fn print_setup(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        let title = self.fields.iter().position(|field| field.key == TITLE_KEY).and_then(|at| u16::try_from(at + 1).ok());
        sheet.set_freeze_panes(HEADER_ROW + 1, title.unwrap_or(1))?;
        sheet.set_landscape();
        sheet.set_paper_size(9);
        sheet.set_print_fit_to_pages(1, 0);
        sheet.set_repeat_rows(HEADER_ROW, HEADER_ROW)?;
        sheet.set_margins(0.4, 0.4, 0.5, 0.5, 0.3, 0.3);
        sheet.set_footer("&C第 &P 页，共 &N 页");
        Ok(())
    }
}

/// One text over several columns; a single column needs no merging.
fn wide(sheet: &mut Worksheet, row: u32, columns: (u16, u16), text: &str, format: &Format) -> Result<(), XlsxError> {
    if columns.0 < columns.1 {
        sheet.merge_range(row, columns.0, row, columns.1, text, format)?;
    } else {
        sheet.write_string_with_format(row, columns.0, text, format)?;
    }
    Ok(())
}

/// Codes and numbers that are no quantities are texts, or Excel rounds them.
fn column_format(field: &Field) -> Format {
    match field.kind {
        FieldKind::Uscc | FieldKind::Phone | FieldKind::Code | FieldKind::Date | FieldKind::Range => Format::new().set_num_format("@"),
        _ => Format::new(),
    }
}

fn validation(field: &Field) -> Result<Option<DataValidation>, XlsxError> {
    let choices: usize = field.choices.iter().map(|choice| choice.chars().count() + 1).sum();
    let validation = match field.kind {
        FieldKind::Enum | FieldKind::Multi if !field.choices.is_empty() && choices <= CHOICES_MAX_CHARS => {
            let several = field.kind == FieldKind::Multi;
            let style = if several { DataValidationErrorStyle::Information } else { DataValidationErrorStyle::Stop };
            let message =
                if several { "可从列表中选择一项；有多项的，用顿号隔开填写。" } else { "请从列表中选择。" };
            DataValidation::new().allow_list_strings(&field.choices)?.set_error_style(style).set_error_message(message)?
        }
        FieldKind::Uscc => DataValidation::new()
            .allow_text_length(DataValidationRule::EqualTo(18))
            .set_error_style(DataValidationErrorStyle::Warning)
            .set_error_message("统一社会信用代码为18位，请核对。")?,
        _ => return Ok(None),
    };
    Ok(Some(validation.set_error_title("请核对")?))
}

/// Column width in characters of half width; a table of eighteen columns must still be readable on one page.
fn width(field: &Field) -> f64 {
    match field.kind {
        FieldKind::Number => 5.0,
        FieldKind::Money | FieldKind::Range => 11.5,
        FieldKind::Date | FieldKind::Code | FieldKind::Enum | FieldKind::Multi => 11.0,
        FieldKind::Phone => 14.0,
        FieldKind::Uscc | FieldKind::Email => 20.0,
        FieldKind::List => 15.0,
        FieldKind::Text if field.key == TITLE_KEY => 20.0,
        FieldKind::Text if field.label.chars().count() <= 3 => 8.0,
        FieldKind::Text => 14.0,
    }
}

/// Height of a row in points that shows its longest text, up to Excel's greatest height.
fn height(fields: &[&Field], values: Option<&BTreeMap<String, String>>) -> f64 {
    let lines_of = |field: &Field, text: &String| -> f64 {
        let half_widths = |line: &str| line.chars().map(|c| if c.is_ascii() { 1.0 } else { 2.0 }).sum::<f64>();
        text.lines().map(|line| (half_widths(line) * 1.1 / width(field)).ceil().max(1.0)).sum()
    };
    let lines = fields.iter().filter_map(|field| Some(lines_of(field, values?.get(&field.key)?))).fold(1.0, f64::max);
    (lines * LINE_POINTS + 6.0).clamp(ROW_MIN_POINTS, ROW_MAX_POINTS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        forms::{catalogue::Catalogue, sheets, table},
        limits::Limits,
        parts::FileType,
    };

    type Row = BTreeMap<String, String>;

    fn round_trip(heading: &Row, rows: &[Row]) -> (Row, Vec<Row>) {
        let catalogue = Catalogue::shipped();
        let form = catalogue.form("annex2").unwrap();
        let bytes = blank_xlsx(form, heading, rows).unwrap();
        let document = sheets::read_workbook(FileType::Xlsx, &bytes, &Limits::default()).unwrap();
        let reading = table::read(&document.tables.iter().collect::<Vec<_>>(), &[], form);
        let texts = |values: BTreeMap<String, super::super::Value>| values.into_iter().map(|(key, value)| (key, value.text)).collect();
        (texts(reading.heading), reading.records.into_iter().map(|record| texts(record.values)).collect())
    }

    #[test]
    fn a_blank_table_reads_as_blank() {
        assert_eq!(round_trip(&Row::new(), &[]), (Row::new(), vec![]));
    }

    /// Texts as people type them, some of which look like formulas, numbers or dates.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[一-龥]{2,12}(\n[一-龥0-9a-zA-Z<>&\"'≥％㎡𠮷]{1,20})?",
            "[一-龥]{1,5}[ 　][a-zA-Z0-9=+@-]{1,8}",
            "=[A-Z]{1,3}[0-9]{1,2}",
            "0[0-9]{1,17}",
            "[1-9][0-9]{0,17}",
            "20[0-9]{2}[-/.]0[1-9]",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn what_is_written_is_read(
            titles in prop::collection::vec("[一-龥]{4}[=+0-9A-Za-z<&>]{0,6}研制", 1..6),
            others in prop::collection::vec(prop::collection::btree_map(
                prop::sample::select(vec!["uscc", "applicant", "problem", "goal", "params", "region", "industry", "note", "period", "topic_type"]),
                text(), 1..10), 6),
            bureau in "[一-龥]{4}工信局",
        ) {
            let mut rows: Vec<Row> = Vec::new();
            for (number, (title, other)) in (1_u32..).zip(titles.into_iter().zip(others)) {
                let mut row: Row = other.into_iter().map(|(key, text)| (key.to_owned(), text)).collect();
                row.extend([("no".to_owned(), number.to_string()), ("topic_title".to_owned(), title)]);
                row.extend([("contact".to_owned(), "张三".to_owned()), ("phone".to_owned(), "0431-88970710".to_owned())]);
                rows.push(row);
            }
            let heading = Row::from([("bureau".to_owned(), bureau), ("filled_on".to_owned(), "2024年8月15日".to_owned())]);
            prop_assert_eq!(round_trip(&heading, &rows), (heading, rows));
        }
    }
}
