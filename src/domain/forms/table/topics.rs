//! The rows below a header as topics.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    header::{self, Column, Header},
    lines, people, unit_of,
    view::{self, Row, cell_place, column_after, row_after, row_place},
};
use crate::domain::forms::{
    Record, Value,
    catalogue::FieldKind,
    grid::{Cell, Grid},
    labels::Labels,
};

const NO: &str = "no";
const TITLE: &str = "topic_title";
/// Ways to say that the row above holds the value.
const DITTO: [&str; 5] = ["同上", "〃", "″", "\"", "〞"];

/// Reads the rows of one grid.
pub(super) struct Topics<'a, 'g> {
    grid: &'g Grid,
    labels: &'a Labels<'a>,
    pub header: Header,
    unit_above: Option<String>,
    /// Cells merged down into the rows that follow, by number of the header's column.
    carried: BTreeMap<usize, &'g Cell>,
    /// A note has been met: what follows without a row number is no topic.
    after_note: bool,
    pub records: Vec<Record>,
    pub lines: Vec<String>,
    pub notes: Vec<String>,
    /// Rows below the topics that say who filled the table.
    pub signatures: Vec<Row<'g>>,
}

/// One column's value in one row.
struct Found<'g> {
    cells: Vec<&'g Cell>,
    /// It stands in this row, not in one above that is merged down.
    own: bool,
}

impl<'a, 'g> Topics<'a, 'g> {
    pub(super) fn new(grid: &'g Grid, labels: &'a Labels<'a>, header: Header, unit_above: Option<String>) -> Self {
        Self {
            grid,
            labels,
            header,
            unit_above,
            carried: BTreeMap::new(),
            after_note: false,
            records: Vec::new(),
            lines: Vec::new(),
            notes: Vec::new(),
            signatures: Vec::new(),
        }
    }

    /// Reads `rows`, of which the first is the header's first.
    pub(super) fn read(&mut self, rows: &[Row<'g>]) {
        let mut fresh = true;
        for (at, row) in rows.iter().enumerate() {
            if row.index < self.header.end_row {
                continue;
            }
            if self.header.is_repeated_by(row) {
                if let Some(again) = header::at_row(rows, at, self.labels) {
                    self.header = again;
                }
                self.carried.clear();
                fresh = true;
                continue;
            }
            if fresh && lines::is_below_header(row) {
                continue;
            }
            fresh = false;
            self.read_row(row);
        }
    }

    fn read_row(&mut self, row: &Row<'g>) {
        self.carried.retain(|_, cell| row_after(cell) > row.index);
        let values = self.values(row);
        let own_text = |key: &str| -> &str {
            let column = self.header.columns.iter().position(|column| column.key == key);
            let found = column.and_then(|column| values.get(&column)).filter(|found| found.own);
            found.and_then(|found| found.cells.first()).map_or("", |cell| cell.text.as_str())
        };
        let (number, title) = (own_text(NO), own_text(TITLE));
        if self.is_no_topic(row, number, title) {
            self.lines.push(row.line());
            return;
        }
        let own_keys = values.iter().filter(|(_, found)| found.own).filter_map(|(at, _)| self.header.columns.get(*at));
        let own_keys: BTreeSet<&str> = own_keys.map(|column| column.key.as_str()).filter(|key| *key != NO).collect();
        let title_carried = title.is_empty() && self.title_is_carried(&values);
        if own_keys.is_empty() && number.is_empty() {
            self.lines.push(row.line());
        } else if title_carried && !self.records.is_empty() {
            self.extend_last(row, &values);
        } else if !title.is_empty() || own_keys.len() >= 2 {
            let record = self.record(row, &values);
            self.records.push(record);
        } else if !own_keys.is_empty() {
            self.lines.push(row.line());
            self.notes.push(format!("{}只填了个别单元格，没有课题名称，未作为课题读取", view::row_name(self.grid, row.index)));
        }
        self.carry(row);
    }

    /// Examples, totals, notes, signatures, section lines.
    fn is_no_topic(&mut self, row: &Row<'g>, number: &str, title: &str) -> bool {
        let first = row.first_text();
        let heads = [first, number, title];
        if lines::is_total(first) || lines::is_total(number) || lines::is_total(title) {
            return true;
        }
        let remark = self.header.column_of("note").and_then(|column| row.cells.iter().find(|cell| column.holds(cell)));
        if heads.iter().any(|text| lines::is_example(text)) || remark.is_some_and(|cell| lines::is_example(&cell.text)) {
            return true;
        }
        if lines::is_note(first) {
            self.after_note = true;
            return true;
        }
        let untitled = title.is_empty() || std::ptr::eq(first, title);
        if untitled && lines::is_signature(first) || (title.is_empty() && row.cells.iter().any(|cell| lines::is_signature(&cell.text))) {
            self.signatures.push(row.clone());
            return true;
        }
        let alone = row.cells.len() == 1;
        let width = self.header.last_column.saturating_sub(self.header.first_column).saturating_add(1);
        let is_wide = row.cells.first().is_some_and(|cell| u64::from(cell.column_span) * 2 > u64::from(width) && cell.column_span > 2);
        let note_goes_on = self.after_note && alone && (lines::continues_note(first) || number.parse::<u32>().is_err());
        (alone && is_wide) || note_goes_on || (alone && title.is_empty() && number.is_empty() && !first.is_empty() && self.is_section(row))
    }

    /// A line by itself in the first column: 一、长春市, or a date or name under the table.
    fn is_section(&self, row: &Row<'_>) -> bool {
        row.cells.first().is_some_and(|cell| cell.column <= self.header.first_column || lines::is_signature(&cell.text))
    }

    fn values(&self, row: &Row<'g>) -> BTreeMap<usize, Found<'g>> {
        let mut values = BTreeMap::new();
        for (at, column) in self.header.columns.iter().enumerate() {
            let cells: Vec<&Cell> = row.cells.iter().copied().filter(|cell| column.holds(cell)).collect();
            if !cells.is_empty() {
                values.insert(at, Found { cells, own: true });
            } else if let Some(cell) = self.carried.get(&at) {
                values.insert(at, Found { cells: vec![*cell], own: false });
            }
        }
        values
    }

    fn title_is_carried(&self, values: &BTreeMap<usize, Found<'g>>) -> bool {
        let titled = self.header.columns.iter().position(|column| column.key == TITLE);
        titled.and_then(|at| values.get(&at)).is_some_and(|found| !found.own)
    }

    /// Remembers cells that reach into the rows below.
    fn carry(&mut self, row: &Row<'g>) {
        for (at, column) in self.header.columns.iter().enumerate() {
            let reaching = |cell: &&&Cell| cell.row_span > 1 && column.holds(cell) && column_after(cell) <= column.last.saturating_add(1);
            if let Some(cell) = row.cells.iter().find(reaching) {
                self.carried.insert(at, cell);
            }
        }
    }

    fn record(&self, row: &Row<'_>, values: &BTreeMap<usize, Found<'g>>) -> Record {
        let form = self.labels.form();
        let mut record = Record {
            form: form.id.clone(),
            place: row_place(self.grid, row.index, self.header.first_column, self.header.last_column),
            values: BTreeMap::new(),
        };
        for (at, found) in values {
            let Some(column) = self.header.columns.get(*at) else { continue };
            let mut value = self.value(row, column, found);
            if DITTO.contains(&value.text.as_str()) {
                match self.records.last().and_then(|last| last.values.get(&column.key)) {
                    Some(above) => value = above.clone(),
                    None => continue,
                }
            }
            self.put(&mut record, column, value);
        }
        separate_person_and_phone(&mut record);
        record
    }

    fn value(&self, row: &Row<'_>, column: &Column, found: &Found<'_>) -> Value {
        let text = found.cells.iter().map(|cell| cell.text.trim()).collect::<Vec<_>>().join(" ");
        let at = found.cells.first().map_or((row.index, column.first), |cell| (cell.row, cell.column));
        let hidden = self.grid.hidden_rows.binary_search(&row.index).is_ok()
            || (column.first..=column.last).all(|column| self.grid.hidden_columns.binary_search(&column).is_ok());
        Value {
            unit: unit_of(self.labels.form(), &column.key, &text, column.unit.as_ref(), self.unit_above.as_ref()),
            rounded: found.cells.iter().any(|cell| cell.rounded),
            place: cell_place(self.grid, at.0, at.1),
            text,
            hidden,
        }
    }

    /// Puts a value under its field; the first of two columns for one field wins. A joint column fills both of its fields.
    fn put(&self, record: &mut Record, column: &Column, value: Value) {
        let form = self.labels.form();
        let is_phone = |key: &str| form.field(key).is_some_and(|field| field.kind == FieldKind::Phone);
        let Some(also) = &column.also else {
            record.values.entry(column.key.clone()).or_insert(value);
            return;
        };
        let (mut left, mut right) = (value.text.clone(), value.text.clone());
        if is_phone(also) != is_phone(&column.key) {
            let (person, number) = people::split(&value.text);
            (left, right) = if is_phone(also) { (person, number) } else { (number, person) };
        }
        for (key, text) in [(&column.key, left), (also, right)] {
            if !text.is_empty() {
                record.values.entry(key.clone()).or_insert_with(|| Value { text, ..value.clone() });
            }
        }
    }

    /// Further rows of one topic, whose title is merged down over them.
    fn extend_last(&mut self, row: &Row<'_>, values: &BTreeMap<usize, Found<'g>>) {
        let more = self.record(row, &values.iter().filter(|(_, found)| found.own).map(|(at, found)| (*at, found.again())).collect());
        let Some(last) = self.records.last_mut() else { return };
        for (key, value) in more.values {
            match last.values.get_mut(&key) {
                Some(known) if key == NO || known.text == value.text => {}
                Some(known) => {
                    known.text.push('\n');
                    known.text.push_str(&value.text);
                    known.rounded |= value.rounded;
                }
                None => drop(last.values.insert(key, value)),
            }
        }
    }
}

impl<'g> Found<'g> {
    fn again(&self) -> Self {
        Self { cells: self.cells.clone(), own: self.own }
    }
}

impl Column {
    fn holds(&self, cell: &Cell) -> bool {
        (self.first..=self.last).contains(&cell.column)
    }
}

/// A column for persons that holds their numbers too, where the table has no other column for them; and the other way round.
fn separate_person_and_phone(record: &mut Record) {
    for (from, other) in [("contact", "phone"), ("phone", "contact")] {
        if record.values.contains_key(other) {
            continue;
        }
        let Some(value) = record.values.get(from).filter(|value| people::is_joint(&value.text)).cloned() else { continue };
        let (person, number) = people::split(&value.text);
        record.values.insert("contact".to_owned(), Value { text: person, ..value.clone() });
        record.values.insert("phone".to_owned(), Value { text: number, ..value });
    }
}
