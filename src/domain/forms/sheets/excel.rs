//! Excel workbooks by calamine: .xlsx here, .xls and .et in [`super::biff`]'s clean copy.

use std::{
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
};

use calamine::{Data, DataRef, NumberFormat, Reader, SheetVisible, Xls, XlsError, Xlsx, XlsxError};

use super::{
    biff,
    building::{Content, GridBuilder},
    damaged, numbers,
    ooxml::{self, Layout, SheetPart},
    package::Package,
};
use crate::domain::{
    forms::{
        ReadProblem,
        grid::{Document, GridKind},
    },
    limits::Limits,
};

/// Reads an .xlsx (or .xlsm) workbook.
pub(super) fn read_xlsx(bytes: &[u8], limits: &Limits) -> Result<Document, ReadProblem> {
    let mut package = Package::open(bytes, limits)?;
    let mut parts = ooxml::sheets(&mut package, limits.sheets_max)?;
    let more = parts.len() > limits.sheets_max;
    parts.truncate(limits.sheets_max);
    if parts.is_empty() {
        return Err(damaged());
    }
    let mut layouts = Vec::new();
    for part in &parts {
        layouts.push(ooxml::layout(&mut package, &part.path, limits.rows_max)?);
    }
    shielded(|| {
        let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| problem(&error))?;
        let mut document = Document::default();
        if more {
            document.cut_sheets(limits.sheets_max);
        }
        for (part, layout) in parts.iter().zip(layouts) {
            let mut builder = GridBuilder::new(&part.name, GridKind::Sheet, limits).after(&document.tables);
            fill(&mut workbook, part, &layout, &mut builder)?;
            arrange(&mut builder, part.hidden, layout);
            document.tables.push(builder.finish());
        }
        Ok(document)
    })
}

/// Puts the values of one sheet into `builder`, cell by cell, so that a sheet with one cell at XFD1048576 costs one cell.
fn fill(workbook: &mut Xlsx<Cursor<&[u8]>>, part: &SheetPart, layout: &Layout, builder: &mut GridBuilder<'_>) -> Result<(), ReadProblem> {
    let mut cells = match workbook.worksheet_cells_reader(&part.name) {
        Ok(cells) => cells,
        Err(XlsxError::NotAWorksheet(_)) => return Ok(()),
        Err(error) => return Err(problem(&error)),
    };
    let formats: Vec<String> =
        cells.styles().iter().map(|style| style.number_format.as_ref().map_or_else(String::new, format_code)).collect();
    for (row, column) in layout.uncomputed.iter().copied() {
        builder.put(row, column, Content { uncomputed: true, ..Content::default() });
    }
    while let Some((cell, style)) = cells.next_cell_with_style_id().map_err(|error| problem(&error))? {
        let (row, column) = cell.get_position();
        let format = formats.get(style).map_or("", String::as_str);
        if !builder.put(row, column, content(cell.get_value(), format)) {
            break;
        }
    }
    Ok(())
}

fn format_code(format: &NumberFormat) -> String {
    format.format_id.and_then(numbers::built_in_chinese).map_or_else(|| format.format_code.clone(), str::to_owned)
}

/// Reads an .xls or .et workbook.
pub(super) fn read_xls(bytes: &[u8], limits: &Limits) -> Result<Document, ReadProblem> {
    let clean = biff::clean(bytes, limits)?;
    shielded(|| {
        let mut workbook: Xls<_> = Xls::new(Cursor::new(clean.bytes.as_slice())).map_err(|error| xls_problem(&error))?;
        let sheets = workbook.sheets_metadata().to_vec();
        let mut document = Document::default();
        if clean.more_sheets {
            document.cut_sheets(limits.sheets_max);
        }
        clean.cut.into_iter().for_each(|what| document.cut(what));
        for (number, (sheet, layout)) in sheets.iter().zip(clean.sheets).enumerate() {
            let mut builder = GridBuilder::new(&sheet.name, GridKind::Sheet, limits).after(&document.tables);
            let range = workbook.worksheet_range(&sheet.name).map_err(|error| xls_problem(&error))?;
            let (first_row, first_column) = range.start().unwrap_or_default();
            for (row, column, value) in range.used_cells() {
                let row = first_row.saturating_add(u32::try_from(row).unwrap_or(u32::MAX));
                let column = first_column.saturating_add(u32::try_from(column).unwrap_or(u32::MAX));
                let format = clean.chinese_dates.get(&(number, row, column)).copied().unwrap_or_default();
                builder.put(row, column, content(&by_reference(value), format));
            }
            for (row, column) in layout.uncomputed.iter().copied() {
                builder.put(row, column, Content { uncomputed: true, ..Content::default() });
            }
            arrange(&mut builder, sheet.visible != SheetVisible::Visible, layout);
            document.tables.push(builder.finish());
        }
        if document.tables.is_empty() { Err(damaged()) } else { Ok(document) }
    })
}

/// The .xls reader owns its values, the .xlsx reader lends them.
fn by_reference(value: &Data) -> DataRef<'_> {
    match value {
        Data::Int(value) => DataRef::Int(*value),
        Data::Float(value) => DataRef::Float(*value),
        Data::String(text) => DataRef::SharedString(text),
        Data::Bool(value) => DataRef::Bool(*value),
        Data::DateTime(value) => DataRef::DateTime(*value),
        Data::DateTimeIso(text) => DataRef::DateTimeIso(text.clone()),
        Data::DurationIso(text) => DataRef::DurationIso(text.clone()),
        Data::Error(error) => DataRef::Error(error.clone()),
        _ => DataRef::Empty,
    }
}

fn xls_problem(error: &XlsError) -> ReadProblem {
    if matches!(error, XlsError::Password) { ReadProblem::Encrypted } else { damaged() }
}

fn arrange(builder: &mut GridBuilder<'_>, hidden: bool, layout: Layout) {
    builder.set_hidden(hidden);
    layout.hidden_rows.into_iter().for_each(|row| builder.hide_rows(row, row));
    layout.hidden_columns.into_iter().for_each(|(first, last)| builder.hide_columns(first, last));
    layout.merges.into_iter().for_each(|area| builder.merge(area));
    layout.cut.into_iter().for_each(|what| builder.truncate(what));
}

/// A cell's value as text; `format` is its number format, empty where unknown.
pub(super) fn content(value: &DataRef<'_>, format: &str) -> Content {
    match value {
        DataRef::Empty => Content::default(),
        DataRef::String(text) => Content::text(escapes(text)),
        DataRef::SharedString(text) => Content::text(escapes(text)),
        DataRef::Float(value) if format.contains('%') => numbers::percentage(*value),
        DataRef::Float(value) => numbers::number(*value),
        #[expect(clippy::cast_precision_loss, reason = "spreadsheets keep every number as a float")]
        DataRef::Int(value) => numbers::number(*value as f64),
        DataRef::Bool(value) => Content::text(if *value { "是" } else { "否" }),
        DataRef::DateTime(value) if value.is_duration() || value.as_f64() < 1.0 => numbers::time_of_day(value.as_f64()),
        DataRef::DateTime(value) => {
            let (year, month, day, hour, minute, second, _) = value.to_ymd_hms_milli();
            numbers::moment(numbers::Moment { year, month, day, hour, minute, second }, format)
        }
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Content::text(numbers::iso_date(text)),
        // `#REF!` and its kin are no value of the sender's.
        DataRef::Error(_) => Content { uncomputed: true, ..Content::default() },
    }
}

/// `_x000D_` and its kin: control characters as Excel writes them into XML (ECMA-376 part 1, 22.9.2.19).
fn escapes(text: &str) -> String {
    if text.contains("_x000") { text.replace("_x000D_", "").replace("_x000A_", "\n").replace("_x0009_", "\t") } else { text.to_owned() }
}

/// calamine panics on some broken files; such a file is damaged, which is the sender's business and no fault of ours.
pub(super) fn shielded<T>(read: impl FnOnce() -> Result<T, ReadProblem>) -> Result<T, ReadProblem> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(damaged()))
}

fn problem(error: &XlsxError) -> ReadProblem {
    if matches!(error, XlsxError::Password) { ReadProblem::Encrypted } else { damaged() }
}
