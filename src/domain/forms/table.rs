//! A summary table: which row is the header, what each row below it says, what stands beside the table. The same for sheets,
//! Word tables and web pages.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Record, Value,
    catalogue::{FieldKind, Form},
    grid::{Grid, GridKind},
    labels::Labels,
};

mod header;
mod heading;
mod lines;
mod money;
mod people;
mod topics;
mod view;

use header::Header;
pub(super) use lines::{is_beside_topics, is_row_number};
use topics::Topics;
use view::Row;
pub(super) use view::cell_place;

/// Remarks of one kind that are listed one by one.
const REMARKS_MAX: usize = 5;
/// Rows below a header in which a form's further labels would stand.
const ROWS_BELOW: usize = 60;
/// As many other labels below a header make the whole a form.
const LABELS_BELOW_MAX: usize = 3;

/// Fewer rows of labels with several values are no topics in columns.
const ROWS_OF_TOPICS_MIN: usize = 3;
/// A telephone number or code has at least as many digits.
const DIGITS_OF_A_NUMBER: usize = 7;

/// What the tables of a document say as one summary table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableReading {
    /// A header of the form was found.
    pub is_table: bool,
    pub records: Vec<Record>,
    /// Facts beside the table by field key: `bureau`, `contact`, `phone`, `filled_on`.
    pub heading: BTreeMap<String, Value>,
    /// Lines beside the topics: title, heading, notes, signatures.
    pub lines: Vec<String>,
    /// Remarks for a person, in Chinese.
    pub notes: Vec<String>,
}

/// Reads every visible one of the tables that has a header of `form`; `paragraphs` is the text outside of them.
#[must_use]
pub fn read(tables: &[&Grid], paragraphs: &[&str], form: &Form) -> TableReading {
    let labels = Labels::of(form);
    let mut reading = TableReading::default();
    let mut last_header: Option<Header> = None;
    for grid in tables {
        if grid.hidden {
            if !view::rows(grid).is_empty() {
                reading.notes.push(format!("工作表“{}”是隐藏的，其中的内容未作为课题读取", grid.name));
            }
            continue;
        }
        last_header = read_grid(grid, &labels, last_header.as_ref(), &mut reading).or(last_header);
    }
    if reading.is_table {
        heading::from_lines(&mut reading.heading, paragraphs, &labels);
    }
    reading
}

/// How the topics of a table lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// A topic a row, below a header.
    Rows,
    /// A topic a column; the same table with rows and columns changed.
    Columns(Grid),
    /// It is no summary table by itself.
    Unknown,
}

impl Layout {
    /// How a table has the topics of the form that `labels` are of.
    #[must_use]
    pub fn of(grid: &Grid, labels: &Labels<'_>) -> Self {
        let rows = view::rows(grid);
        if has_header(&rows, labels) {
            return Self::Rows;
        }
        let turned = has_topics_in_columns(&rows, labels).then(|| grid.turned());
        turned.filter(|turned| has_header(&view::rows(turned), labels)).map_or(Self::Unknown, Self::Columns)
    }
}

/// Whether there is a header, with topics below it and not a form's further labels.
fn has_header(rows: &[Row<'_>], labels: &Labels<'_>) -> bool {
    let Some((_, header)) = header::find(rows, labels) else { return false };
    let below = rows.iter().filter(|row| row.index >= header.end_row && !header.is_repeated_by(row)).take(ROWS_BELOW);
    let mut more = BTreeSet::new();
    for cell in below.flat_map(|row| &row.cells) {
        let found = labels.find(&cell.text).map(|found| found.field.key.as_str());
        more.extend(found.filter(|key| !heading::KEYS.contains(key)));
    }
    more.len() < LABELS_BELOW_MAX
}

/// Whether labels stand down one column and a topic in each of the columns beside it. Remarks beside the values of one form look
/// alike, but nobody writes a telephone number into a remark.
fn has_topics_in_columns(rows: &[Row<'_>], labels: &Labels<'_>) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count() >= DIGITS_OF_A_NUMBER;
    let mut several = 0;
    let mut numbers = false;
    for row in rows {
        let [first, values @ ..] = row.cells.as_slice() else { continue };
        let Some(found) = labels.find(&first.text) else { continue };
        let beside = values.iter().filter(|cell| labels.find(&cell.text).is_none()).count();
        if values.len() < 2 || beside < values.len() {
            continue;
        }
        several += 1;
        if matches!(found.field.kind, FieldKind::Phone | FieldKind::Uscc) {
            if !values.iter().all(|cell| digits(&cell.text)) {
                return false;
            }
            numbers = true;
        }
    }
    numbers && several >= ROWS_OF_TOPICS_MIN
}

/// Reads one table; answers its header. A Word table that goes on from the one before without a header of its own is read under
/// that one's header.
fn read_grid(grid: &Grid, labels: &Labels<'_>, last_header: Option<&Header>, reading: &mut TableReading) -> Option<Header> {
    let rows = view::rows(grid);
    let found = header::find(&rows, labels).or_else(|| Some((0, continued(grid, &rows, last_header?)?)));
    let Some((start, header)) = found else {
        reading.lines.extend(rows.iter().map(view::Row::line));
        return None;
    };
    reading.is_table = true;
    let above = rows.get(..start).unwrap_or_default();
    heading::from_rows(&mut reading.heading, grid, above, labels);
    reading.lines.extend(above.iter().map(view::Row::line));
    let unit = above.iter().rev().flat_map(|row| &row.cells).find_map(|cell| money::unit_above(&cell.text));
    let below = rows.get(start..).unwrap_or_default();
    let mut topics = Topics::new(grid, labels, header, unit);
    topics.read(below);
    heading::from_rows(&mut reading.heading, grid, &topics.signatures, labels);
    reading.lines.append(&mut topics.lines);
    reading.records.append(&mut topics.records);
    reading.notes.append(&mut topics.notes);
    remark_on(grid, &topics.header, &reading.records, &mut reading.notes);
    Some(topics.header)
}

/// The header of the table before, where this one has as many columns and starts with a row number.
fn continued(grid: &Grid, rows: &[view::Row<'_>], last: &Header) -> Option<Header> {
    let first = rows.first()?;
    let width = first.cells.iter().map(|cell| view::column_after(cell)).max()?;
    let numbered = first.first_text().trim().parse::<u32>().is_ok();
    let fits = grid.kind == GridKind::WordTable && width == last.last_column.saturating_add(1);
    (fits && numbered).then(|| last.without_rows())
}

/// What a person should know of how the table was read.
fn remark_on(grid: &Grid, header: &Header, records: &[Record], notes: &mut Vec<String>) {
    if let Some(truncated) = &grid.truncated {
        notes.push(format!("{}：{truncated}", grid.name));
    }
    let hidden = records.iter().filter(|record| grid_owns(grid, record) && record.values.values().all(|value| value.hidden)).count();
    if hidden > 0 {
        notes.push(format!("{}有{hidden}项课题在隐藏的行中，已读取，请核对是否报送", grid.name));
    }
    let in_table = |row: u32, column: u32| row >= header.end_row && (header.first_column..=header.last_column).contains(&column);
    let uncomputed: Vec<_> = grid.cells.iter().filter(|cell| cell.uncomputed && in_table(cell.row, cell.column)).collect();
    for cell in uncomputed.iter().take(REMARKS_MAX) {
        let place = view::cell_place(grid, cell.row, cell.column);
        notes.push(format!("{place}是公式，文件中没有它的计算结果，按未填写处理；请改为直接填写内容"));
    }
    if uncomputed.len() > REMARKS_MAX {
        notes.push(format!("{}共有{}个公式没有计算结果，均按未填写处理", grid.name, uncomputed.len()));
    }
}

fn grid_owns(grid: &Grid, record: &Record) -> bool {
    record.place.strip_prefix(&grid.name).is_some_and(|rest| rest.starts_with(['!', ' ']))
}

/// The unit that a value stands in, where it does not say so itself.
fn unit_of(form: &Form, key: &str, text: &str, printed: Option<&String>, above: Option<&String>) -> Option<String> {
    let field = form.field(key)?;
    if money::names_its_unit(text) {
        return None;
    }
    let is_money = field.kind == FieldKind::Money || field.unit.as_deref().is_some_and(money::is_unit);
    let is_sum = is_money || (field.kind == FieldKind::Text && money::is_bare(text) && key != "topic_title");
    printed.or(above.filter(|_| is_sum)).cloned()
}

#[cfg(test)]
mod tests;
