//! The report as a workbook with native charts: an overview, then a sheet each for bureaus, divisions, months, requirements and
//! the topics themselves. A4, printable; foreign text is written as text.

use jiff::tz::TimeZone;
use rust_xlsxwriter::{Chart, ChartLegendPosition, ChartType, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use super::{Line, PeriodReport, RuleLine, state};
use crate::domain::time::{chinese_day, day_of};

/// A column: heading, width in characters.
type Column = (&'static str, f64);

const COUNTS: [Column; 9] = [
    ("", 30.0),
    ("课题", 8.0),
    ("材料齐全", 10.0),
    ("待补正", 9.0),
    ("疑似重复", 10.0),
    ("已撤回", 9.0),
    ("待处室办理", 12.0),
    ("一次合格率", 12.0),
    ("平均完整度", 12.0),
];
const RULES: [Column; 4] = [("要求", 8.0), ("须补正课题", 12.0), ("提请注意课题", 14.0), ("示例", 90.0)];
const TOPICS: [Column; 8] = [
    ("编号", 15.0),
    ("课题名称", 44.0),
    ("申报单位", 30.0),
    ("报送单位", 26.0),
    ("处室", 20.0),
    ("状态", 22.0),
    ("完整度", 8.0),
    ("收到", 12.0),
];
/// Bars of one chart; the table below shows all.
const BARS_MAX: usize = 15;
/// Characters of one cell.
const CELL_MAX_CHARS: usize = 2_000;
/// Row of the first table's header on a sheet with a title.
const HEADER: u32 = 2;

/// Writes it.
///
/// # Errors
/// The writer's own sentence; it does not happen for tables of this shape.
pub fn workbook(report: &PeriodReport, zone: &TimeZone) -> Result<Vec<u8>, String> {
    write(report, zone).map_err(|error| format!("the workbook could not be written: {error}"))
}

struct Look {
    title: Format,
    head: Format,
    cell: Format,
    number: Format,
    share: Format,
}

fn look() -> Look {
    let cell = Format::new().set_border(FormatBorder::Thin).set_align(FormatAlign::Top).set_text_wrap();
    Look {
        title: Format::new().set_bold().set_font_size(16),
        head: Format::new()
            .set_bold()
            .set_border(FormatBorder::Thin)
            .set_align(FormatAlign::Center)
            .set_text_wrap()
            .set_background_color(0x00E7_E6E6),
        number: cell.clone().set_align(FormatAlign::Right),
        share: cell.clone().set_align(FormatAlign::Right).set_num_format("0%"),
        cell: cell.set_quote_prefix(),
    }
}

fn write(report: &PeriodReport, zone: &TimeZone) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let look = look();
    overview(workbook.add_worksheet().set_name("总览")?, report, &look)?;
    let period = format!("{}至{}", chinese_day(report.from), chinese_day(report.to));
    for (name, kind, lines) in [
        ("报送单位", ChartType::BarStacked, &report.bureaus),
        ("处室", ChartType::BarStacked, &report.divisions),
        ("月份", ChartType::ColumnStacked, &report.months),
    ] {
        let sheet = workbook.add_worksheet().set_name(name)?;
        title(sheet, &format!("按{name}（{period}）"), &look)?;
        counts(sheet, HEADER, name, lines, &report.total, &look)?;
        if !lines.is_empty() {
            let below = HEADER + rows(lines.len()) + 3;
            sheet.insert_chart(below, 0, &states(kind, name, lines))?;
        }
        paper(sheet)?;
    }
    requirements(workbook.add_worksheet().set_name("材料质量")?, &report.rules, &look)?;
    topics(workbook.add_worksheet().set_name("课题明细")?, report, zone, &look)?;
    workbook.save_to_buffer()
}

fn rows(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn title(sheet: &mut Worksheet, text: &str, look: &Look) -> Result<(), XlsxError> {
    sheet.write_string_with_format(0, 0, text, &look.title)?;
    Ok(())
}

fn overview(sheet: &mut Worksheet, report: &PeriodReport, look: &Look) -> Result<(), XlsxError> {
    title(sheet, "专项课题征集情况", look)?;
    sheet.write_string(1, 0, format!("{}至{}收到的课题，按最新一版材料统计", chinese_day(report.from), chinese_day(report.to)))?;
    sheet.set_column_width(0, 24)?.set_column_width(1, 14)?;
    let total = &report.total;
    let facts = [
        ("收到课题", format!("{}项", total.topics)),
        ("报送单位", format!("{}个", report.bureaus.len())),
        ("材料齐全", format!("{}项", total.complete)),
        ("其中一次合格", format!("{}项", total.right_at_once)),
        ("待补正", format!("{}项", total.needs_correction)),
        ("疑似重复，待核实", format!("{}项", total.suspected_duplicate)),
        ("已撤回", format!("{}项", total.withdrawn)),
        ("待处室办理", format!("{}项", total.open)),
        ("平均完整度", total.mean_percent().map_or_else(|| "–".to_owned(), |percent| format!("{percent}分"))),
    ];
    for (row, (name, value)) in (3_u32..).zip(&facts) {
        sheet.write_string_with_format(row, 0, *name, &look.cell)?;
        fit(sheet, row, &[])?;
        sheet.write_string_with_format(row, 1, value, &look.number)?;
    }
    if total.topics > 0 {
        let mut chart = states(ChartType::ColumnStacked, "月份", &report.months);
        chart.title().set_name("每月收到的课题");
        sheet.insert_chart(14, 0, &chart)?;
    }
    paper(sheet)
}

fn counts(sheet: &mut Worksheet, header: u32, name: &str, lines: &[Line], total: &Line, look: &Look) -> Result<(), XlsxError> {
    for (column, (heading, width)) in (0_u16..).zip(COUNTS) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(header, column, if column == 0 { name } else { heading }, &look.head)?;
    }
    for (row, line) in (header + 1..).zip(lines.iter().chain([total])) {
        sheet.write_string_with_format(row, 0, text(&line.name), &look.cell)?;
        fit(sheet, row, &[(&line.name, 30.0)])?;
        let numbers = [line.topics, line.complete, line.needs_correction, line.suspected_duplicate, line.withdrawn, line.open];
        for (column, number) in (1_u16..).zip(numbers) {
            sheet.write_number_with_format(row, column, number as f64, &look.number)?;
        }
        if line.topics > 0 {
            sheet.write_number_with_format(row, 7, line.right_at_once as f64 / line.topics as f64, &look.share)?;
        } else {
            sheet.write_string_with_format(row, 7, "–", &look.number)?;
        }
        match line.mean_percent() {
            Some(percent) => sheet.write_number_with_format(row, 8, percent as f64, &look.number)?,
            None => sheet.write_string_with_format(row, 8, "–", &look.number)?,
        };
    }
    sheet.set_freeze_panes(header + 1, 1)?;
    Ok(())
}

/// Bars split by state, from the table on the sheet of that name; grey tones that differ in print.
fn states(kind: ChartType, sheet: &str, lines: &[Line]) -> Chart {
    let mut chart = Chart::new(kind);
    let last = HEADER + rows(lines.len().min(BARS_MAX));
    for (column, colour) in [(2_u16, 0x0040_4040_u32), (3, 0x00A0_A0A0), (4, 0x00D9_D9D9), (5, 0x00F2_F2F2)] {
        chart
            .add_series()
            .set_name((sheet, HEADER, column))
            .set_categories((sheet, HEADER + 1, 0, last, 0))
            .set_values((sheet, HEADER + 1, column, last, column))
            .set_gap(80)
            .set_format(
                rust_xlsxwriter::ChartFormat::new()
                    .set_solid_fill(rust_xlsxwriter::ChartSolidFill::new().set_color(colour))
                    .set_border(rust_xlsxwriter::ChartLine::new().set_color(0x0040_4040).set_width(0.5)),
            );
    }
    let cut = if lines.len() > BARS_MAX { format!("（前{BARS_MAX}名）") } else { String::new() };
    chart.title().set_name(&format!("按{sheet}{cut}"));
    chart.legend().set_position(ChartLegendPosition::Bottom);
    if kind == ChartType::BarStacked {
        // The first of the table on top.
        chart.y_axis().set_reverse();
    }
    let most = lines.iter().map(|line| line.topics).max().unwrap_or(0);
    // Half a topic is none.
    let counts = if kind == ChartType::BarStacked { chart.x_axis() } else { chart.y_axis() };
    counts.set_major_unit(most.div_ceil(8).max(1) as f64).set_num_format("0");
    let height = if kind == ChartType::BarStacked { 160 + rows(lines.len().min(BARS_MAX)) * 28 } else { 340 };
    chart.set_width(860).set_height(height);
    chart
}

fn requirements(sheet: &mut Worksheet, rules: &[RuleLine], look: &Look) -> Result<(), XlsxError> {
    title(sheet, "材料质量：哪些要求最常未达到（按最新一版材料）", look)?;
    for (column, (heading, width)) in (0_u16..).zip(RULES) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(HEADER, column, heading, &look.head)?;
    }
    for (row, line) in (HEADER + 1..).zip(rules) {
        sheet.write_string_with_format(row, 0, text(&line.rule), &look.cell)?;
        sheet.write_number_with_format(row, 1, line.errors as f64, &look.number)?;
        sheet.write_number_with_format(row, 2, line.warnings as f64, &look.number)?;
        sheet.write_string_with_format(row, 3, text(&line.example), &look.cell)?;
        fit(sheet, row, &[(&line.example, 90.0)])?;
    }
    if rules.is_empty() {
        sheet.write_string(HEADER + 1, 0, "（无）")?;
    }
    paper(sheet)
}

fn topics(sheet: &mut Worksheet, report: &PeriodReport, zone: &TimeZone, look: &Look) -> Result<(), XlsxError> {
    title(sheet, "课题明细", look)?;
    for (column, (heading, width)) in (0_u16..).zip(TOPICS) {
        sheet.set_column_width(column, width)?;
        sheet.write_string_with_format(HEADER, column, heading, &look.head)?;
    }
    for (row, topic) in (HEADER + 1..).zip(&report.topics) {
        let state = state(topic);
        let texts = [&topic.number, &topic.title, &topic.applicant, &topic.bureau, &topic.division, &state];
        for (column, cell) in (0_u16..).zip(texts) {
            sheet.write_string_with_format(row, column, text(cell), &look.cell)?;
        }
        let widths = TOPICS.map(|(_, width)| width);
        fit(sheet, row, &texts.into_iter().map(String::as_str).zip(widths).collect::<Vec<_>>())?;
        if let Some(percent) = topic.percent {
            sheet.write_number_with_format(row, 6, f64::from(percent), &look.number)?;
        }
        sheet.write_string_with_format(row, 7, day_of(topic.received_at, zone).to_string(), &look.cell)?;
    }
    let last = HEADER + rows(report.topics.len()).max(1);
    sheet.autofilter(HEADER, 0, last, 7)?;
    sheet.set_freeze_panes(HEADER + 1, 1)?;
    sheet.set_repeat_rows(HEADER, HEADER)?;
    paper(sheet)
}

fn text(foreign: &str) -> String {
    foreign.chars().take(CELL_MAX_CHARS).collect()
}

/// Height for texts in columns of these widths: spreadsheet programs do not size rows of a file by themselves.
fn fit(sheet: &mut Worksheet, row: u32, texts: &[(&str, f64)]) -> Result<(), XlsxError> {
    let lines = |(text, width): &(&str, f64)| {
        let chars: f64 = text.chars().take(CELL_MAX_CHARS).map(|c| if c.is_ascii() { 1.0 } else { 2.1 }).sum();
        (chars / (width - 2.0).max(1.0)).ceil().max(1.0)
    };
    let most = texts.iter().map(lines).fold(1.0, f64::max);
    sheet.set_row_height(row, (most * 16.0 + 3.0).min(400.0))?;
    Ok(())
}

fn paper(sheet: &mut Worksheet) -> Result<(), XlsxError> {
    sheet.set_landscape();
    sheet.set_paper_size(9);
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_footer("&L&A&C第 &P 页，共 &N 页");
    Ok(())
}
