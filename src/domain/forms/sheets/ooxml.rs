//! What calamine does not tell of an .xlsx: which part a sheet is, hidden rows and columns, merged ranges, formulas without a
//! cached value (ECMA-376 part 1, 18.2 and 18.3).

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::{
    XmlVersion,
    events::{BytesStart, Event},
};

use super::{
    building::Area,
    damaged,
    package::{Package, PartReader},
};
use crate::domain::forms::ReadProblem;

/// One sheet of the workbook, in the order of its tabs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SheetPart {
    pub name: String,
    /// `xl/worksheets/sheet1.xml`.
    pub path: String,
    pub hidden: bool,
}

/// What a sheet's XML says beside its values.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub hidden_rows: Vec<u32>,
    /// First and last column of each hidden range.
    pub hidden_columns: Vec<(u32, u32)>,
    pub merges: Vec<Area>,
    /// Cells with a formula and no value.
    pub uncomputed: BTreeSet<(u32, u32)>,
    /// Cells that were left out for a limit; which, in Chinese.
    pub cut: Option<String>,
}

/// The sheets of a workbook, up to one more than the limit.
pub(super) fn sheets(package: &mut Package<'_>, sheets_max: usize) -> Result<Vec<SheetPart>, ReadProblem> {
    let root = relations(package, "_rels/.rels");
    let main = root.into_values().find(|relation| relation.kind.ends_with("/officeDocument")).map(|relation| resolve("", &relation.target));
    let main = main.unwrap_or_else(|| "xl/workbook.xml".to_owned());
    let (folder, file) = main.rsplit_once('/').unwrap_or(("", &main));
    let relations = relations(package, &format!("{folder}/_rels/{file}.rels"));
    let mut xml = package.part(&main).ok_or_else(damaged)?;
    let mut sheets = Vec::new();
    each_start(&mut xml, |start| {
        if start.local_name().as_ref() == "sheet" && sheets.len() <= sheets_max {
            let relation = attribute(start, "id").and_then(|id| relations.get(&id));
            if let Some((name, relation)) = attribute(start, "name").zip(relation)
                && relation.kind.ends_with("/worksheet")
            {
                let hidden = attribute(start, "state").is_some_and(|state| state != "visible");
                sheets.push(SheetPart { name, path: resolve(folder, &relation.target), hidden });
            }
        }
    })?;
    Ok(sheets)
}

#[derive(Debug)]
struct Relation {
    kind: String,
    target: String,
}

fn relations(package: &mut Package<'_>, path: &str) -> BTreeMap<String, Relation> {
    let mut found = BTreeMap::new();
    let Some(mut xml) = package.part(path) else { return found };
    // A broken list of relations gives what came before the break.
    let _ = each_start(&mut xml, |start| {
        if start.local_name().as_ref() == "Relationship"
            && let (Some(id), Some(kind), Some(target)) = (attribute(start, "Id"), attribute(start, "Type"), attribute(start, "Target"))
        {
            found.insert(id, Relation { kind, target });
        }
    });
    found
}

/// A relation's target against the folder of its source.
fn resolve(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut steps: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    steps.join("/")
}

/// Reads a sheet's XML for everything but its values; stops at `rows_max`.
pub(super) fn layout(package: &mut Package<'_>, path: &str, rows_max: usize) -> Result<Layout, ReadProblem> {
    let mut xml = package.part(path).ok_or_else(damaged)?;
    let mut scan = Scan::default();
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer).map_err(|_| damaged())? {
            Event::Start(start) => scan.start(&start, rows_max),
            Event::Empty(start) => {
                scan.start(&start, rows_max);
                scan.end(start.local_name().as_ref());
            }
            Event::Text(text) => scan.text(!text.trim().is_empty()),
            Event::GeneralRef(_) | Event::CData(_) => scan.text(true),
            Event::End(end) => scan.end(end.local_name().as_ref()),
            Event::Eof => return Ok(scan.layout),
            _ => {}
        }
    }
}

/// Where the scan of a sheet stands.
#[derive(Default)]
struct Scan {
    layout: Layout,
    /// Position of the current or, between cells, of the next cell.
    row: u32,
    column: u32,
    in_value: bool,
    has_formula: bool,
    has_value: bool,
}

impl Scan {
    fn start(&mut self, start: &BytesStart<'_>, rows_max: usize) {
        let number = |name: &str| attribute(start, name).and_then(|text| text.parse::<u32>().ok());
        match start.local_name().as_ref() {
            "row" => {
                self.row = number("r").map_or(self.row, |row| row.saturating_sub(1));
                self.column = 0;
                if is_true(attribute(start, "hidden").as_deref()) && (self.row as usize) < rows_max {
                    self.layout.hidden_rows.push(self.row);
                }
            }
            "col" if is_true(attribute(start, "hidden").as_deref()) => {
                if let Some((first, last)) = number("min").zip(number("max")) {
                    self.layout.hidden_columns.push((first.saturating_sub(1), last.saturating_sub(1)));
                }
            }
            "c" => {
                if let Some((row, column)) = attribute(start, "r").as_deref().and_then(position) {
                    (self.row, self.column) = (row, column);
                }
                (self.has_formula, self.has_value) = (false, false);
            }
            "f" => self.has_formula = true,
            "v" | "t" => self.in_value = true,
            "mergeCell" => {
                if let Some(area) = attribute(start, "ref").as_deref().and_then(area) {
                    self.layout.merges.push(area);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, has_ink: bool) {
        self.has_value |= self.in_value && has_ink;
    }

    fn end(&mut self, name: &str) {
        match name {
            "v" | "t" => self.in_value = false,
            "row" => self.row = self.row.saturating_add(1),
            "c" => {
                if self.has_formula && !self.has_value {
                    self.layout.uncomputed.insert((self.row, self.column));
                }
                self.column = self.column.saturating_add(1);
            }
            _ => {}
        }
    }
}

/// `B3:D5`.
fn area(text: &str) -> Option<Area> {
    let (first, last) = text.split_once(':')?;
    let ((first_row, first_column), (last_row, last_column)) = (position(first)?, position(last)?);
    (first_row <= last_row && first_column <= last_column).then_some(Area { first_row, first_column, last_row, last_column })
}

/// `B3` as zero-based row and column.
fn position(text: &str) -> Option<(u32, u32)> {
    let text = text.replace('$', "");
    let letters = text.find(|c: char| c.is_ascii_digit())?;
    let (letters, digits) = text.split_at_checked(letters)?;
    let mut column = 0_u32;
    for letter in letters.chars() {
        let place = u32::from(letter.to_ascii_uppercase()).checked_sub(u32::from('A')).filter(|place| *place < 26)?;
        column = column.checked_mul(26)?.checked_add(place + 1)?;
    }
    Some((digits.parse::<u32>().ok()?.checked_sub(1)?, column.checked_sub(1)?))
}

/// An attribute by local name, unescaped.
pub(super) fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start.attributes().with_checks(false).flatten().find(|attribute| attribute.key.local_name().as_ref() == name)?;
    Some(found.normalized_value(XmlVersion::Implicit1_0).map_or_else(|_| found.value.to_string(), std::borrow::Cow::into_owned))
}

pub(super) fn is_true(text: Option<&str>) -> bool {
    matches!(text, Some("1" | "true" | "on"))
}

/// Calls `visit` for every start tag.
fn each_start(xml: &mut PartReader<'_>, mut visit: impl FnMut(&BytesStart<'_>)) -> Result<(), ReadProblem> {
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer).map_err(|_| damaged())? {
            Event::Start(start) | Event::Empty(start) => visit(&start),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cell_names_are_positions() {
        assert_eq!(position("A1"), Some((0, 0)));
        assert_eq!(position("XFD1048576"), Some((1_048_575, 16_383)));
        assert_eq!(position("$B$3"), Some((2, 1)));
        for bad in ["", "A", "1", "A0", "é1", "ZZZZZZZZZ1", "A99999999999"] {
            assert_eq!(position(bad), None, "{bad}");
        }
        assert_eq!(area("B3:D5"), Some(Area { first_row: 2, first_column: 1, last_row: 4, last_column: 3 }));
    }

    #[test]
    fn targets_are_relative_to_the_workbook_or_to_the_package() {
        assert_eq!(resolve("xl", "worksheets/sheet1.xml"), "xl/worksheets/sheet1.xml");
        assert_eq!(resolve("xl", "/xl/worksheets/sheet1.xml"), "xl/worksheets/sheet1.xml");
        assert_eq!(resolve("xl", "../a.xml"), "a.xml");
    }
}
