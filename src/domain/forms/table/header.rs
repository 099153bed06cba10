//! The header of a summary table: one to three rows of labels, found by how many fields they name.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    money,
    view::{Row, column_after, row_after},
};
use crate::domain::{
    folding::{fold, is_ideograph},
    forms::{catalogue::Need, grid::Cell, labels::Labels},
};

/// Rows in which a header is looked for.
const SEARCHED_ROWS: usize = 20;
/// Rows that one header may take.
const DEPTH_MAX: usize = 3;
/// Fields that make a row a header.
const FIELDS_MIN: usize = 3;
/// Longest name of a group of columns: 项目负责人及联系方式.
const GROUP_MAX_CHARS: usize = 24;
/// Fields of a contact, whose name may stand under a common label.
const KEYS_OF_CONTACT: [&str; 2] = ["phone", "contact"];
/// Columns looked at; a table of a hundred fields is none.
const COLUMNS_MAX: usize = 512;

/// A column that holds a field, from its first to its last sheet column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub first: u32,
    pub last: u32,
    pub key: String,
    /// The second field of a joint label (联系人及电话), by key.
    pub also: Option<String>,
    /// Money unit printed in the label.
    pub unit: Option<String>,
    /// 合计 under a label that several columns share.
    total: bool,
}

/// A header and where it ends.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub columns: Vec<Column>,
    /// First sheet row below the header.
    pub end_row: u32,
    /// First and last sheet column with a label, known or not.
    pub first_column: u32,
    pub last_column: u32,
    /// How many different fields it names.
    fields: usize,
    /// Folded labels, to recognise the header when it is printed again.
    texts: BTreeSet<String>,
}

/// The best header among the first rows, and the number of the row it starts in.
pub(super) fn find(rows: &[Row<'_>], labels: &Labels<'_>) -> Option<(usize, Header)> {
    let mut best: Option<(usize, Header)> = None;
    for at in 0..rows.len().min(SEARCHED_ROWS) {
        if let Some(header) = at_row(rows, at, labels)
            && best.as_ref().is_none_or(|(_, best)| header.beats(best))
        {
            best = Some((at, header));
        }
    }
    best
}

/// The header that starts in row `at`, if one does: the shortest of those that name the most fields.
pub(super) fn at_row(rows: &[Row<'_>], at: usize, labels: &Labels<'_>) -> Option<Header> {
    let mut best: Option<(Header, &[Row<'_>])> = None;
    for depth in 1..=DEPTH_MAX {
        let Some(block) = rows.get(at..at + depth) else { break };
        // Most rows hold no label at all.
        if depth == 1 && !block.iter().flat_map(|row| &row.cells).any(|cell| labels.find(&cell.text).is_some()) {
            continue;
        }
        if depth > 1 && !is_upper_row(block, labels) {
            break;
        }
        let header = build(block, labels);
        if best.as_ref().is_none_or(|(best, _)| header.fields > best.fields) {
            best = Some((header, block));
        }
    }
    let (header, block) = best.filter(|(header, _)| is_header(header, labels))?;
    // Folded only now: most rows begin no header.
    let texts = block.iter().flat_map(|row| row.cells.iter()).map(|cell| fold(&cell.text)).collect();
    Some(Header { texts, ..header })
}

impl Header {
    /// Whether a row prints this header again.
    pub(super) fn is_repeated_by(&self, row: &Row<'_>) -> bool {
        let same = row.cells.iter().filter(|cell| self.begins_like_a_text(&cell.text) && self.texts.contains(&fold(&cell.text))).count();
        same >= FIELDS_MIN && same * 2 > row.cells.len()
    }

    /// Cheaper than folding, and enough for nearly all values: ideographs and digits fold to themselves.
    fn begins_like_a_text(&self, text: &str) -> bool {
        let first = text.chars().next().filter(|first| is_ideograph(*first) || first.is_ascii_digit());
        first.is_none_or(|first| self.texts.iter().any(|text| text.starts_with(first)))
    }

    /// More fields; or the same header without a row above it that names none.
    fn beats(&self, other: &Self) -> bool {
        self.fields > other.fields || (self.fields == other.fields && self.end_row == other.end_row)
    }

    /// The same columns for a table that starts with its topics.
    pub(super) fn without_rows(&self) -> Self {
        Self { end_row: 0, ..self.clone() }
    }

    pub(super) fn column_of(&self, key: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.key == key)
    }
}

/// Enough fields, one of them required, and labels side by side: in a form, label and value take turns.
fn is_header(header: &Header, labels: &Labels<'_>) -> bool {
    let form = labels.form();
    let required = |key: &str| form.field(key).is_some_and(|field| field.need == Need::Required && key != "no");
    let side_by_side = header.columns.windows(2).filter(|pair| matches!(pair, [left, right] if left.last + 1 == right.first)).count();
    header.fields >= FIELDS_MIN.min(form.fields.len())
        && header.columns.iter().any(|column| required(&column.key))
        && side_by_side * 2 + 1 >= header.columns.len()
        && side_by_side > 0
}

/// Whether the first row of a block can be the upper row of a header: labels with nothing or their own parts below, and
/// group names over several columns.
fn is_upper_row(block: &[Row<'_>], labels: &Labels<'_>) -> bool {
    let [upper, lower, ..] = block else { return false };
    let adjacent = lower.index.saturating_sub(upper.index) <= 1;
    let below = |cell: &Cell| lower.cells.iter().filter(|other| (cell.column..column_after(cell)).contains(&other.column)).count();
    let is_group = |(at, cell): (usize, &&Cell)| {
        let next = upper.cells.get(at + 1).map_or(u32::MAX, |next| next.column);
        let parts = || lower.cells.iter().filter(|other| (cell.column..next).contains(&other.column)).count();
        let is_name = || !cell.text.contains(['：', ':']) && cell.text.chars().nth(GROUP_MAX_CHARS).is_none();
        (cell.column_span > 1 || next > column_after(cell)) && is_name() && parts() > 1
    };
    let groups = if adjacent { upper.cells.iter().enumerate().filter(|entry| is_group(*entry)).count() } else { 0 };
    let labelled = || upper.cells.iter().filter(|cell| labels.find(&cell.text).is_some() && below(cell) == 0).count();
    groups > 1 || (groups == 1 && labelled() > 0)
}

/// Reads a block of rows as a header, good or not; its texts are left out.
fn build(block: &[Row<'_>], labels: &Labels<'_>) -> Header {
    let mut columns: Vec<Column> = Vec::new();
    let mut end_row = block.last().map_or(0, |row| row.index.saturating_add(1));
    for stack in stacks(block) {
        let Some(column) = resolve(&stack, labels) else { continue };
        end_row = end_row.max(stack.end_row.min(block.first().map_or(0, |row| row.index) + DEPTH_MAX as u32));
        columns.push(column);
    }
    let cells = || block.iter().flat_map(|row| row.cells.iter());
    let mut header = Header {
        fields: columns.iter().flat_map(|column| [Some(&column.key), column.also.as_ref()]).flatten().collect::<BTreeSet<_>>().len(),
        columns,
        end_row,
        first_column: cells().map(|cell| cell.column).min().unwrap_or(0),
        last_column: cells().map(|cell| column_after(cell) - 1).max().unwrap_or(0),
        texts: BTreeSet::new(),
    };
    prefer_totals(&mut header);
    header
}

/// Of several columns under one label, the one called 合计 comes first.
fn prefer_totals(header: &mut Header) {
    let totals: BTreeSet<String> = header.columns.iter().filter(|column| column.total).map(|column| column.key.clone()).collect();
    header.columns.retain(|column| column.total || !totals.contains(&column.key));
}

/// The texts that stand above each other in one column, top down.
struct Stack<'g> {
    first: u32,
    last: u32,
    texts: Vec<&'g str>,
    /// The upper text stands over several columns.
    shared: bool,
    end_row: u32,
}

fn stacks<'g>(block: &[Row<'g>]) -> Vec<Stack<'g>> {
    let [rows @ .., bottom] = block else { return Vec::new() };
    // The lowest label of a column says how wide it is.
    let mut stacks: BTreeMap<u32, Stack<'g>> = BTreeMap::new();
    for cell in bottom.cells.iter().take(COLUMNS_MAX) {
        stacks.insert(cell.column, Stack::of(cell));
    }
    for row in rows.iter().rev() {
        for (at, cell) in row.cells.iter().enumerate().take(COLUMNS_MAX) {
            let next = row.cells.get(at + 1).map_or(u32::MAX, |next| next.column);
            let own = cell.column..column_after(cell);
            // Where merges are lost (CSV), a group name stands over the columns up to the next name.
            let reach = if cell.column_span > 1 || !stacks.contains_key(&cell.column) { own.clone() } else { cell.column..next };
            let parts: Vec<u32> = stacks.range(reach).map(|(column, _)| *column).collect();
            let several = parts.len() > 1;
            for part in &parts {
                if let Some(stack) = stacks.get_mut(part) {
                    stack.texts.insert(0, &cell.text);
                    stack.shared |= several;
                }
            }
            if parts.is_empty() {
                stacks.insert(cell.column, Stack::of(cell));
            }
        }
    }
    stacks.into_values().collect()
}

impl<'g> Stack<'g> {
    fn of(cell: &'g Cell) -> Self {
        Self { first: cell.column, last: column_after(cell) - 1, texts: vec![&cell.text], shared: false, end_row: row_after(cell) }
    }
}

/// Which field a column holds: its lowest text names it, or all its texts together, or a shared upper text alone.
fn resolve(stack: &Stack<'_>, labels: &Labels<'_>) -> Option<Column> {
    let bottom = stack.texts.last()?;
    let group = stack.texts.iter().rev().nth(1);
    // Alone, it is all its texts together.
    let together = || group.and_then(|_| labels.find(&stack.texts.concat()));
    let found = labels.find(bottom).or_else(together).or_else(|| labels.find_in_group(group?, bottom));
    let by_group = || {
        let group = stack.texts.iter().rev().skip(1).filter(|_| stack.shared).find_map(|text| labels.find(text))?;
        // 联系方式 over 姓名 and 电话: the name is the contact's.
        let is_name = fold(bottom) == "姓名" && KEYS_OF_CONTACT.contains(&group.field.key.as_str());
        if is_name { labels.find("联系人") } else { Some(group) }
    };
    let (found, shared) = match found {
        Some(found) => (found, false),
        None => (by_group()?, true),
    };
    let printed = found.unit.clone().filter(|unit| money::is_unit(unit));
    let unit = printed.or_else(|| stack.texts.iter().rev().find_map(|text| money::unit_in_label(text)));
    let total = shared && ["合计", "总计", "总额", "小计"].iter().any(|word| bottom.contains(word));
    Some(Column {
        first: stack.first,
        last: stack.last,
        key: found.field.key.clone(),
        also: found.also.map(|field| field.key.clone()),
        unit,
        total,
    })
}
