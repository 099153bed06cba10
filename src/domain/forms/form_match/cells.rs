//! Labels and values in a table: beside, below or inside the label's own cell, whatever is merged.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        Value,
        grid::Cell,
        labels::{LabelMatch, Labels},
        table::cell_place,
        word::{WordDocument, WordTable},
    },
    Mention, choices, instructions,
    parts::{self, Part},
    unit_of, values,
};
use crate::domain::{folding, limits::Limits};

/// Longest line that may stand before the first label inside a cell, in characters.
const LEAD_MAX_CHARS: usize = 20;
/// Fewer single characters in a row of cells are no number.
const DIGITS_MIN: usize = 6;

/// What a cell is to the form.
enum Role<'a, 'd> {
    Empty,
    Label(LabelMatch<'a>),
    /// Labels with their values inside.
    Parts(Vec<Part<'a, 'd>>),
    /// 姓名: means the label to its left.
    Relative,
    /// How to fill the form in.
    Instruction,
    Text,
}

struct Matcher<'a, 'd> {
    document: &'d WordDocument,
    table: &'d WordTable,
    labels: &'d Labels<'a>,
    limits: &'d Limits,
    block: usize,
    roles: Vec<Role<'a, 'd>>,
    /// By row and column: the cell that covers it.
    covered: BTreeMap<(u32, u32), usize>,
    /// Rows made of labels: their values stand below.
    header_rows: BTreeSet<u32>,
    owned: BTreeSet<usize>,
    mentions: Vec<(u32, u32, Mention<'a>)>,
}

/// Labels and values of one table and the tables inside it, in reading order.
pub fn mentions<'a>(document: &WordDocument, labels: &Labels<'a>, limits: &Limits, block: usize, index: usize) -> Vec<Mention<'a>> {
    let Some(table) = document.tables.get(index) else { return Vec::new() };
    let mut matcher = Matcher::new(document, table, labels, limits, block);
    matcher.match_labels();
    matcher.match_parts();
    let mut found = std::mem::take(&mut matcher.mentions);
    let values = found.iter().filter_map(|(_, _, mention)| Some(mention.value.as_ref()?.text.as_str()));
    if instructions::is_table_of(&table.grid, values) {
        found.clear();
    }
    for (at, inner) in &table.nested {
        let Some(cell) = table.grid.cells.get(*at) else { continue };
        for index in inner {
            found.extend(mentions(document, labels, limits, block, *index).into_iter().map(|mention| (cell.row, cell.column, mention)));
        }
    }
    found.sort_by_key(|(row, column, _)| (*row, *column));
    found.into_iter().map(|(_, _, mention)| mention).collect()
}

impl<'a, 'd> Matcher<'a, 'd> {
    fn new(document: &'d WordDocument, table: &'d WordTable, labels: &'d Labels<'a>, limits: &'d Limits, block: usize) -> Self {
        let cells = &table.grid.cells;
        let asked = instructions::cells_of(&table.grid, labels);
        let role_of = |(at, cell): (usize, &'d Cell)| if asked.contains(&at) { Role::Instruction } else { role(labels, &cell.text) };
        let roles: Vec<Role<'a, 'd>> = cells.iter().enumerate().map(role_of).collect();
        let mut covered = BTreeMap::new();
        for (at, cell) in cells.iter().enumerate() {
            // Spans are bounded by what the grid holds; what overlaps keeps the first.
            for row in cell.row..cell.row.saturating_add(cell.row_span.max(1).min(limits.rows_max as u32)) {
                covered.entry((row, cell.column)).or_insert(at);
            }
        }
        let header_rows = BTreeSet::new();
        let mut matcher =
            Self { document, table, labels, limits, block, roles, covered, header_rows, owned: BTreeSet::new(), mentions: Vec::new() };
        matcher.see_groups();
        matcher.see_requests();
        matcher.header_rows = header_rows_of(cells, &matcher.roles);
        matcher
    }

    /// 名称 beside 申报单位基本情况, merged down over its rows, is a label of its own.
    fn see_groups(&mut self) {
        for at in 0..self.roles.len() {
            let Some(Role::Relative | Role::Label(_)) = self.roles.get(at) else { continue };
            let Some(cell) = self.cell(at) else { continue };
            let left = cell.column.checked_sub(1).and_then(|left| self.cell(self.at(cell.row, left)?));
            let group = left.filter(|left| left.row_span > cell.row_span.max(1)).map(|left| left.text.as_str());
            if let Some(label) = group.and_then(|group| self.labels.find_in_group(group, &cell.text))
                && let Some(role) = self.roles.get_mut(at)
            {
                *role = Role::Label(label);
            }
        }
    }

    /// A label with a request below it, and the place for the answer beside or below its cell, is a label.
    fn see_requests(&mut self) {
        for at in 0..self.roles.len() {
            let Some(Role::Parts(inner)) = self.roles.get(at) else { continue };
            let [only] = inner.as_slice() else { continue };
            let is_label = (only.heading || only.label.hinted) && values::is_request(only.value);
            let free = |at: Option<usize>| at.is_some_and(|at| matches!(self.roles.get(at), Some(Role::Text | Role::Empty)));
            if is_label && (free(self.right_of(at)) || (self.right_of(at).is_none() && free(self.below(at)))) {
                let label = only.label.clone();
                if let Some(role) = self.roles.get_mut(at) {
                    *role = Role::Label(label);
                }
            }
        }
    }

    fn cell(&self, at: usize) -> Option<&'d Cell> {
        self.table.grid.cells.get(at)
    }

    /// The cell whose left edge is at this place, or that reaches over it.
    fn at(&self, row: u32, column: u32) -> Option<usize> {
        let (_, at) = self.covered.range((row, 0)..=(row, column)).next_back()?;
        let cell = self.cell(*at)?;
        (cell.column.saturating_add(cell.column_span.max(1)) > column).then_some(*at)
    }

    fn right_of(&self, at: usize) -> Option<usize> {
        let cell = self.cell(at)?;
        self.covered.range((cell.row, cell.column + 1)..=(cell.row, u32::MAX)).map(|(_, right)| *right).find(|right| *right != at)
    }

    fn below(&self, at: usize) -> Option<usize> {
        let cell = self.cell(at)?;
        let below = self.at(cell.row.saturating_add(cell.row_span.max(1)), cell.column)?;
        let same = self.cell(below)?;
        (same.column == cell.column && (same.column_span >= cell.column_span || self.right_of(below).is_none())).then_some(below)
    }

    fn match_labels(&mut self) {
        for at in 0..self.roles.len() {
            let Some(Role::Label(label)) = self.roles.get(at) else { continue };
            let label = label.clone();
            let values = self.values_of(at, &label);
            self.owned.insert(at);
            self.owned.extend(&values);
            self.mention(at, &label, &values);
        }
    }

    /// The cells that hold a label's value.
    fn values_of(&self, at: usize, label: &LabelMatch<'a>) -> Vec<usize> {
        let Some(cell) = self.cell(at) else { return Vec::new() };
        let right = if self.header_rows.contains(&cell.row) { None } else { self.right_of(at) };
        match right.and_then(|right| Some((right, self.roles.get(right)?))) {
            Some((right, Role::Relative)) => self.right_of(right).filter(|value| self.may_hold(*value, label)).into_iter().collect(),
            // 企业基本情况 merged down beside the labels of its group has no value of its own.
            Some((right, Role::Label(_))) if self.cell(right).is_some_and(|right| cell.row_span > right.row_span.max(1)) => Vec::new(),
            Some((_, Role::Label(_))) | None => self.value_below(at, label).into_iter().collect(),
            Some((right, _)) if !self.may_hold(right, label) => Vec::new(),
            Some((right, _)) => self.block_beside(cell, right),
        }
    }

    fn value_below(&self, at: usize, label: &LabelMatch<'a>) -> Option<usize> {
        let below = self.below(at)?;
        let free = !self.owned.contains(&below) && self.may_hold(below, label);
        // What stands right of a label is that label's.
        let left = self.cell(below).and_then(|cell| self.at(cell.row, cell.column.checked_sub(1)?));
        let claimed = left.is_some_and(|left| {
            matches!(self.roles.get(left), Some(Role::Label(_)))
                && self.cell(left).is_some_and(|left| !self.header_rows.contains(&left.row))
        });
        (free && !claimed).then_some(below)
    }

    /// Whether a cell may be this label's value: inner labels speak for themselves, unless they belong to the value's own text.
    fn may_hold(&self, at: usize, label: &LabelMatch<'a>) -> bool {
        match self.roles.get(at) {
            Some(Role::Text | Role::Empty) => true,
            Some(Role::Parts(inner)) => {
                if label.also.is_some() {
                    return !inner.iter().any(|part| part.label.field == label.field);
                }
                let printed = inner.iter().any(|part| part.label.hinted && parts::is_long(part.label.field));
                let all_short = inner.iter().all(|part| !parts::is_long(part.label.field));
                let same = inner.first().is_some_and(|part| part.label.field == label.field);
                (parts::is_long(label.field) && all_short) || (same && !printed)
            }
            _ => false,
        }
    }

    /// A value is one cell, but for figures written one to a cell, options with their boxes, and 2024年9月 | 至 | 2026年8月.
    fn row_beside(&self, first: usize) -> Vec<usize> {
        let text = |at: usize| self.cell(at).map_or("", |cell| cell.text.as_str());
        let single = |at: usize| text(at).trim().chars().count() == 1;
        let mut cells = vec![first];
        while let Some(next) =
            cells.last().and_then(|last| self.right_of(*last)).filter(|next| matches!(self.roles.get(*next), Some(Role::Text)))
        {
            let boxes = choices::begins_with_box(text(first)) && choices::begins_with_box(text(next));
            let to = |at: usize| matches!(text(at).trim(), "至" | "到" | "—" | "～" | "~" | "-" | "－");
            let joined = to(next) && self.right_of(next).is_some_and(|at| matches!(self.roles.get(at), Some(Role::Text)));
            if !((single(first) && single(next)) || boxes || joined || cells.last().is_some_and(|last| to(*last))) {
                break;
            }
            cells.push(next);
        }
        if single(first) && cells.len() < DIGITS_MIN && !cells.iter().any(|at| text(*at).len() > 4) { vec![first] } else { cells }
    }

    /// A label merged over several rows owns everything beside it up to the next label of each row.
    fn block_beside(&self, label: &Cell, first: usize) -> Vec<usize> {
        let Some(right) = self.cell(first) else { return Vec::new() };
        if label.row_span <= right.row_span.max(1) {
            return self.row_beside(first);
        }
        let (mut block, mut seen) = (Vec::new(), BTreeSet::new());
        for row in label.row..label.row.saturating_add(label.row_span) {
            for (_, at) in self.covered.range((row, right.column)..=(row, u32::MAX)) {
                match self.roles.get(*at) {
                    Some(Role::Text | Role::Empty) => {
                        if seen.insert(*at) {
                            block.push(*at);
                        }
                    }
                    _ => break,
                }
            }
        }
        block
    }

    /// Notes a label and its value.
    fn mention(&mut self, at: usize, label: &LabelMatch<'a>, value_cells: &[usize]) {
        let Some(cell) = self.cell(at) else { return };
        let text = self.text_of(value_cells);
        let value_at = value_cells.first().and_then(|at| self.cell(*at)).unwrap_or(cell);
        self.push(cell, value_at, label, &cell.text, &text);
    }

    /// Text of the value's cells: a row a line, cells of a row apart by tabs; tables inside included unless they are forms themselves.
    fn text_of(&self, cells: &[usize]) -> String {
        let mut text = String::new();
        let mut row = None;
        let mut single_before = false;
        for at in cells {
            let Some(cell) = self.cell(*at) else { continue };
            let inner = self.table.nested.get(at).into_iter().flatten();
            let labelled = inner.clone().any(|index| is_labelled(self.document, self.labels, *index));
            let own = if labelled { cell.text.clone() } else { self.document.cell_text(self.table, *at) };
            if own.is_empty() {
                continue;
            }
            // Figures of a number, one to a cell, stand together.
            let is_single = own.trim().chars().count() == 1;
            if row != Some(cell.row) && !text.is_empty() {
                text.push('\n');
            } else if !(text.is_empty() || is_single || single_before) {
                text.push('\t');
            }
            single_before = is_single;
            text.push_str(&own);
            row = Some(cell.row);
        }
        text
    }

    /// Labels inside cells that belong to no other label.
    fn match_parts(&mut self) {
        let roles = std::mem::take(&mut self.roles);
        for (at, role) in roles.iter().enumerate() {
            let (Role::Parts(inner), false, Some(cell)) = (role, self.owned.contains(&at), self.cell(at)) else { continue };
            let first_long = inner.first().is_some_and(|part| parts::is_long(part.label.field));
            let last = inner.len().saturating_sub(1);
            let mut skip_short = false;
            for (number, part) in inner.iter().enumerate() {
                // Signature lines under a pledge belong to the pledge.
                if skip_short && !parts::is_long(part.label.field) {
                    continue;
                }
                let short_tail = first_long && inner.iter().skip(number + 1).all(|next| !parts::is_long(next.label.field));
                let mut text = part.value.to_owned();
                if short_tail && parts::is_long(part.label.field) {
                    text = cell.text.get(part.value_at..).unwrap_or(part.value).to_owned();
                    skip_short = true;
                }
                if number == last || skip_short {
                    let nested = self.table.nested.get(&at).into_iter().flatten();
                    for index in nested.filter(|index| !is_labelled(self.document, self.labels, **index)) {
                        text.push('\n');
                        text.push_str(&self.document.table_text(*index));
                    }
                }
                let printed = cell.text.get(part.label_at..part.value_at).unwrap_or_default();
                self.push(cell, cell, &part.label, printed, &text);
            }
        }
    }

    fn push(&mut self, cell: &Cell, value_at: &Cell, label: &LabelMatch<'a>, printed: &str, text: &str) {
        let most = self.limits.text_max_chars;
        let grid = &self.table.grid;
        let hidden = grid.hidden_rows.binary_search(&value_at.row).is_ok() || grid.hidden_columns.binary_search(&value_at.column).is_ok();
        let (first, second) = match label.also {
            Some(_) if label.is_person_with_phone() => {
                let (person, phone) = values::person_and_phone(&folding::clean(text));
                if label.field.kind == super::super::catalogue::FieldKind::Phone { (phone, person) } else { (person, phone) }
            }
            Some(also) => (values::settle(label.field, text, most), values::settle(also, text, most)),
            None => (values::settle(label.field, text, most), None),
        };
        let fields = std::iter::once((label.field, first)).chain(label.also.map(|also| (also, second)));
        for (field, text) in fields {
            let value = text.map(|text| Value {
                unit: unit_of(label, &text),
                text,
                place: cell_place(grid, value_at.row, value_at.column),
                hidden,
                rounded: value_at.rounded,
            });
            let mention = Mention { value, table: Some(grid.name.clone()), ..Mention::new(field, printed, self.block) };
            self.mentions.push((cell.row, cell.column, mention));
        }
    }
}

fn role<'a, 'd>(labels: &Labels<'a>, text: &'d str) -> Role<'a, 'd> {
    if text.trim().is_empty() {
        return Role::Empty;
    }
    if let Some(label) = labels.find(text) {
        return Role::Label(label);
    }
    if matches!(folding::fold_words(text).as_str(), "姓名" | "名称" | "全称" | "单位名称") {
        return Role::Relative;
    }
    let (before, found) = parts::split(labels, text);
    if found.is_empty() || before.chars().count() > LEAD_MAX_CHARS || before.contains('\n') { Role::Text } else { Role::Parts(found) }
}

/// A table inside a cell that has labels of its own.
fn is_labelled(document: &WordDocument, labels: &Labels<'_>, index: usize) -> bool {
    let Some(table) = document.tables.get(index) else { return false };
    labels.header_score(table.grid.cells.iter().map(|cell| cell.text.as_str())).fields >= 2
}

/// Rows in which labels stand side by side and little else: 课题名称 | 申报单位 | 联系人, values below.
fn header_rows_of(cells: &[Cell], roles: &[Role<'_, '_>]) -> BTreeSet<u32> {
    let mut rows: BTreeMap<u32, Vec<(u32, bool, bool)>> = BTreeMap::new();
    let mut least: BTreeMap<u32, u32> = BTreeMap::new();
    for (cell, _) in cells.iter().zip(roles).filter(|(_, role)| matches!(role, Role::Label(_))) {
        let known = least.entry(cell.row).or_insert(u32::MAX);
        *known = (*known).min(cell.row_span.max(1));
    }
    // A label merged down farther than its neighbours names the group of rows beside it.
    let names_group = |cell: &Cell| least.get(&cell.row).is_some_and(|least| cell.row_span.max(1) > *least);
    for (cell, role) in cells.iter().zip(roles).filter(|(cell, _)| !names_group(cell)) {
        rows.entry(cell.row).or_default().push((cell.column, matches!(role, Role::Label(_)), matches!(role, Role::Empty | Role::Relative)));
    }
    let is_header = |row: &Vec<(u32, bool, bool)>| {
        let labels = row.iter().filter(|(_, is_label, _)| *is_label).count();
        let others = row.iter().filter(|(_, is_label, is_empty)| !*is_label && !*is_empty).count();
        let adjacent = row.windows(2).any(|pair| pair.iter().all(|(_, is_label, _)| *is_label));
        labels >= 2 && adjacent && others * 2 <= labels
    };
    rows.into_iter().filter(|(_, row)| is_header(row)).map(|(row, _)| row).collect()
}
