//! A clean copy of an .xls or .et workbook (MS-XLS), made before calamine sees it.
//!
//! calamine lays a sheet out as one dense block and trusts the records that say where it ends, so a file of a few kilobytes can
//! ask for many gigabytes. The copy holds only the records that carry values, each of the right length and within the limits.
//! On the way hidden rows and columns, merged ranges and formulas without a result are noted, which calamine does not tell.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Cursor, Write},
};

use records::{CONTINUES_MAX, Record, Records};

use super::{building::Area, damaged, ooxml::Layout};
use crate::domain::{forms::ReadProblem, limits::Limits, parts::ole::Ole};

mod records;

/// Streams from this size on stand in whole sectors (MS-CFB 2.2).
const STREAM_MIN_BYTES: usize = 4_096;
/// Cells of the rectangle that all values of all sheets span; calamine takes 56 bytes for each.
const AREA_MAX: u64 = 1_500_000;

mod typ {
    pub const BOF: u16 = 0x0809;
    pub const EOF: u16 = 0x000A;
    pub const CONTINUE: u16 = 0x003C;
    pub const FILEPASS: u16 = 0x002F;
    pub const BOUNDSHEET: u16 = 0x0085;
    pub const SST: u16 = 0x00FC;
    pub const XF: u16 = 0x00E0;
    pub const FORMAT: u16 = 0x041E;
    pub const CODEPAGE: u16 = 0x0042;
    pub const DATEMODE: u16 = 0x0022;
    pub const ROW: u16 = 0x0208;
    pub const COLINFO: u16 = 0x007D;
    pub const MERGECELLS: u16 = 0x00E5;
    pub const FORMULA: u16 = 0x0006;
    pub const STRING: u16 = 0x0207;
    pub const NUMBER: u16 = 0x0203;
    pub const LABEL: u16 = 0x0204;
    pub const RSTRING: u16 = 0x00D6;
    pub const BOOLERR: u16 = 0x0205;
    pub const RK: u16 = 0x027E;
    pub const MULRK: u16 = 0x00BD;
    pub const LABELSST: u16 = 0x00FD;
}

/// The clean copy and what was noted while it was made.
#[derive(Debug)]
pub(super) struct Clean {
    /// A compound file that calamine can read.
    pub bytes: Vec<u8>,
    /// One a sheet, in the order of the tabs.
    pub sheets: Vec<Layout>,
    /// Cells whose date format is written in Chinese, by sheet and position, with the format.
    pub chinese_dates: BTreeMap<(usize, u32, u32), &'static str>,
    /// What was left out of the workbook as a whole; in Chinese.
    pub cut: Option<String>,
    /// There are more sheets than are read.
    pub more_sheets: bool,
}

/// Makes the clean copy.
pub(super) fn clean(bytes: &[u8], limits: &Limits) -> Result<Clean, ReadProblem> {
    let stream = workbook_stream(bytes, limits.whole_workbook_max_bytes)?;
    let mut copy = Copy::new(limits);
    copy.globals(&stream)?;
    copy.sheets(&stream)?;
    // Below this size a stream is kept in small sectors, of which calamine misses some.
    copy.out.resize(copy.out.len().max(STREAM_MIN_BYTES), 0);
    let bytes = compound_file(&copy.out).ok_or_else(damaged)?;
    Ok(Clean { bytes, sheets: copy.layouts, chinese_dates: copy.chinese_dates, cut: copy.cut, more_sheets: copy.more_sheets })
}

/// The stream `Workbook` (or `Book`, before Excel 97), whatever the case of its name.
fn workbook_stream(bytes: &[u8], max_bytes: usize) -> Result<Vec<u8>, ReadProblem> {
    // The lenient reader: WPS cuts the last sector short, LibreOffice counts sectors in its own way, and a stream that breaks off gives
    // what is there.
    let file = Ole::open(bytes).ok_or_else(damaged)?;
    if file.find(0, "EncryptedPackage").is_some() {
        return Err(ReadProblem::Encrypted);
    }
    let entry = file.find(0, "Workbook").or_else(|| file.find(0, "Book"));
    let entry = entry.or_else(|| file.find_anywhere("Workbook")).or_else(|| file.find_anywhere("Book")).ok_or_else(damaged)?;
    let content = file.stream(entry, max_bytes + 1);
    if content.len() > max_bytes {
        return Err(ReadProblem::Refused(format!("表格内容超过{}MB的上限", max_bytes >> 20)));
    }
    Ok(content)
}

fn compound_file(stream: &[u8]) -> Option<Vec<u8>> {
    let mut file = cfb::CompoundFile::create_with_version(cfb::Version::V3, Cursor::new(Vec::new())).ok()?;
    file.create_stream("/Workbook").ok()?.write_all(stream).ok()?;
    file.flush().ok()?;
    Some(file.into_inner().into_inner())
}

/// The copy in the making.
struct Copy<'l> {
    limits: &'l Limits,
    out: Vec<u8>,
    /// For each sheet kept: where it begins in the original, and where its position stands in the copy.
    bound: Vec<(usize, usize)>,
    /// Number formats written in Chinese, by format id.
    formats: BTreeMap<u16, &'static str>,
    /// Format id of each cell format.
    xfs: Vec<u16>,
    layouts: Vec<Layout>,
    chinese_dates: BTreeMap<(usize, u32, u32), &'static str>,
    area_left: u64,
    /// Rows and columns of the rectangle of the sheet at hand.
    extent: (u32, u32),
    cut: Option<String>,
    more_sheets: bool,
}

impl<'l> Copy<'l> {
    fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            out: Vec::new(),
            bound: Vec::new(),
            formats: BTreeMap::new(),
            xfs: Vec::new(),
            layouts: Vec::new(),
            chinese_dates: BTreeMap::new(),
            area_left: AREA_MAX,
            extent: (0, 0),
            cut: None,
            more_sheets: false,
        }
    }

    fn put(&mut self, typ: u16, data: &[u8]) {
        let Ok(length) = u16::try_from(data.len()) else { return };
        self.out.extend(typ.to_le_bytes());
        self.out.extend(length.to_le_bytes());
        self.out.extend(data);
    }

    fn put_all(&mut self, record: &Record<'_>) {
        if record.cut {
            self.cut.get_or_insert_with(|| format!("工作簿的一处文字分成了超过{CONTINUES_MAX}段，其后的没有读取"));
        }
        self.put(record.typ, record.data);
        for data in &record.continues {
            self.put(typ::CONTINUE, data);
        }
    }

    /// The globals substream (MS-XLS 2.1.7.20.3).
    fn globals(&mut self, stream: &[u8]) -> Result<(), ReadProblem> {
        let mut seen = BTreeSet::new();
        for record in (Records { stream, at: 0 }) {
            let data = record.data;
            match record.typ {
                typ::FILEPASS => return Err(ReadProblem::Encrypted),
                typ::BOF if data.len() >= 4 => self.put(typ::BOF, data),
                typ::CODEPAGE | typ::DATEMODE if data.len() >= 2 => self.put(record.typ, data),
                typ::XF if data.len() >= 4 => {
                    self.xfs.push(u16_at(data, 2).unwrap_or_default());
                    self.put(typ::XF, data);
                }
                typ::FORMAT if data.len() >= 5 => {
                    if let (Some(id), Some(format)) = (u16_at(data, 0), chinese_format(data)) {
                        self.formats.insert(id, format);
                    }
                    self.put(typ::FORMAT, data);
                }
                typ::SST if data.len() >= 8 => self.put_all(&record),
                typ::BOUNDSHEET => self.bound_sheet(stream, data, &mut seen),
                typ::EOF => break,
                _ => {}
            }
        }
        self.put(typ::EOF, &[]);
        Ok(())
    }

    /// Keeps the entry of a worksheet that begins where it says, once.
    fn bound_sheet(&mut self, stream: &[u8], data: &[u8], seen: &mut BTreeSet<usize>) {
        let is_worksheet = data.len() >= 8 && data.get(5) == Some(&0);
        let Some(begin) = u32_at(data, 0).and_then(|at| usize::try_from(at).ok()) else { return };
        let begins = Records { stream, at: begin }.raw().is_some_and(|(typ, _, _)| typ == typ::BOF);
        if !is_worksheet || !begins || !seen.insert(begin) {
            return;
        }
        if self.bound.len() >= self.limits.sheets_max {
            self.more_sheets = true;
            return;
        }
        let mut entry = data.to_vec();
        if let Some(state) = entry.get_mut(4) {
            *state = if *state & 0b11 == 0b11 { 1 } else { *state & 0b11 };
        }
        self.bound.push((begin, self.out.len() + 4));
        self.put(typ::BOUNDSHEET, &entry);
    }

    fn sheets(&mut self, stream: &[u8]) -> Result<(), ReadProblem> {
        for (begin, entry) in self.bound.clone() {
            let position = u32::try_from(self.out.len()).map_err(|_| damaged())?;
            if let Some(place) = self.out.get_mut(entry..entry + 4) {
                place.copy_from_slice(&position.to_le_bytes());
            }
            self.layouts.push(Layout::default());
            self.extent = (0, 0);
            self.sheet(stream, begin);
            self.put(typ::EOF, &[]);
            self.area_left = self.area_left.saturating_sub(u64::from(self.extent.0) * u64::from(self.extent.1));
        }
        Ok(())
    }

    /// One sheet's substream; charts inside it are substreams of their own and are left out.
    fn sheet(&mut self, stream: &[u8], begin: usize) {
        let mut depth = 0_usize;
        let mut text_of_formula = None;
        for record in (Records { stream, at: begin }) {
            match record.typ {
                typ::BOF => {
                    depth += 1;
                    if depth == 1 && record.data.len() >= 4 {
                        self.put(typ::BOF, record.data);
                    }
                }
                typ::EOF if depth <= 1 => return,
                typ::EOF => depth -= 1,
                _ if depth != 1 => {}
                typ::STRING => {
                    if text_of_formula.take().is_some() && record.data.len() >= 3 {
                        self.put_all(&record);
                    }
                }
                typ::FORMULA => text_of_formula = self.formula(record.data),
                _ => {
                    self.layout_record(&record);
                    self.value_record(&record);
                }
            }
        }
    }

    /// Hidden rows and columns, merged ranges (MS-XLS 2.4.221, 2.4.53, 2.4.168).
    fn layout_record(&mut self, record: &Record<'_>) {
        let rows_max = self.limits.rows_max;
        let Some(layout) = self.layouts.last_mut() else { return };
        let word = |at: usize| u16_at(record.data, at).map(u32::from);
        match record.typ {
            typ::ROW => {
                if let (Some(row), Some(options)) = (word(0), word(12))
                    && options & 0x20 != 0
                    && (row as usize) < rows_max
                {
                    layout.hidden_rows.push(row);
                }
            }
            typ::COLINFO => {
                if let (Some(first), Some(last), Some(options)) = (word(0), word(2), word(8))
                    && options & 1 != 0
                {
                    layout.hidden_columns.push((first, last));
                }
            }
            typ::MERGECELLS => {
                for range in record.data.get(2..).unwrap_or_default().chunks_exact(8) {
                    let at = |at: usize| u16_at(range, at).map_or(0, u32::from);
                    let area = Area { first_row: at(0), last_row: at(2), first_column: at(4), last_column: at(6) };
                    if area.first_row <= area.last_row && area.first_column <= area.last_column {
                        layout.merges.push(area);
                    }
                }
            }
            _ => {}
        }
    }

    /// Cells with constant values.
    fn value_record(&mut self, record: &Record<'_>) {
        let data = record.data;
        let least = match record.typ {
            typ::NUMBER => 14,
            typ::LABEL | typ::RSTRING => 9,
            typ::BOOLERR => 8,
            typ::RK | typ::LABELSST => 10,
            typ::MULRK => 12,
            _ => return,
        };
        let Some((row, column)) = position(data).filter(|_| data.len() >= least) else { return };
        let last = if record.typ == typ::MULRK { u16_at(data, data.len() - 2).map_or(0, u32::from) } else { column };
        let is_whole = record.typ != typ::MULRK || (last >= column && data.len() as u64 == 6 + 6 * u64::from(last - column + 1));
        // calamine gives up on error codes that it does not know.
        let is_known = record.typ != typ::BOOLERR || data.get(7) == Some(&0);
        if is_whole && is_known && self.fits(row, last) {
            self.note_date(row, column, data);
            self.put_all(record);
        }
    }

    /// A formula's cached value without the formula. Answers the cell where a text follows in a record of its own.
    fn formula(&mut self, data: &[u8]) -> Option<(u32, u32)> {
        let (row, column) = position(data)?;
        let result = data.get(6..14)?;
        let is_number = result.get(6..) != Some(&[0xFF, 0xFF]);
        let kind = result.first().copied().unwrap_or_default();
        if !self.fits(row, column) {
            return None;
        }
        if !is_number && !matches!(kind, 0 | 1) {
            // An empty text, or an error: no value of the sender's.
            self.layouts.last_mut()?.uncomputed.insert((row, column));
            return None;
        }
        let mut bare = data.get(..20)?.to_vec();
        bare.extend([0, 0]);
        self.note_date(row, column, data);
        self.put(typ::FORMULA, &bare);
        (!is_number && kind == 0).then_some((row, column))
    }

    /// Whether a cell is within the limits, and within the rectangle that may still be laid out.
    fn fits(&mut self, row: u32, column: u32) -> bool {
        let wider = (self.extent.0.max(row + 1), self.extent.1.max(column + 1));
        let within = (row as usize) < self.limits.rows_max && (column as usize) < self.limits.columns_max;
        let fits = within && u64::from(wider.0) * u64::from(wider.1) <= self.area_left;
        if fits {
            self.extent = wider;
        } else if let Some(layout) = self.layouts.last_mut() {
            layout.cut.get_or_insert_with(|| match (row as usize, column as usize) {
                (row, _) if row >= self.limits.rows_max => format!("超过{}行的部分未读取", self.limits.rows_max),
                (_, column) if column >= self.limits.columns_max => format!("第{}列以后的内容未读取", self.limits.columns_max),
                _ => format!("各工作表所占的区域合计超过{}万格的上限，其外的未读取", AREA_MAX / 10_000),
            });
        }
        fits
    }

    /// Remembers a cell whose date is shown in Chinese.
    fn note_date(&mut self, row: u32, column: u32, data: &[u8]) {
        let Some(id) = u16_at(data, 4).and_then(|xf| self.xfs.get(usize::from(xf))).copied() else { return };
        if let Some(format) = self.formats.get(&id).copied().or_else(|| super::numbers::built_in_chinese(u32::from(id))) {
            self.chinese_dates.insert((self.layouts.len().saturating_sub(1), row, column), format);
        }
    }
}

/// `年` and `日` in a FORMAT record, in UTF-16 or GBK.
fn chinese_format(data: &[u8]) -> Option<&'static str> {
    let has = |needles: [&[u8]; 2]| needles.iter().any(|needle| data.windows(2).any(|window| window == *needle));
    match (has([b"\x74\x5E", b"\xC4\xEA"]), has([b"\xE5\x65", b"\xC8\xD5"])) {
        (true, true) => Some("年日"),
        (true, false) => Some("年"),
        _ => None,
    }
}

fn position(data: &[u8]) -> Option<(u32, u32)> {
    Some((u32::from(u16_at(data, 0)?), u32::from(u16_at(data, 2)?)))
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(data.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(data.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{forms::sheets::read_workbook, parts::FileType};

    fn record(typ: u16, data: &[u8]) -> Vec<u8> {
        [&typ.to_le_bytes()[..], &u16::try_from(data.len()).unwrap().to_le_bytes()[..], data].concat()
    }

    fn number(row: u16, column: u16, value: f64) -> Vec<u8> {
        record(typ::NUMBER, &[&row.to_le_bytes()[..], &column.to_le_bytes()[..], &[0, 0], &value.to_le_bytes()[..]].concat())
    }

    /// A workbook of one sheet with these records; `extra` stands in the globals.
    fn workbook(extra: &[u8], sheet: &[Vec<u8>]) -> Vec<u8> {
        let bof = |kind: u8| record(typ::BOF, &[0, 6, kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let mut stream = [bof(5), extra.to_vec()].concat();
        let begin = u32::try_from(stream.len() + 4 + 8 + 2 + 4).unwrap();
        stream.extend(record(typ::BOUNDSHEET, &[&begin.to_le_bytes()[..], &[0, 0, 2, 0, b'A', b'B']].concat()));
        stream.extend(record(typ::EOF, &[]));
        stream.extend([bof(0x10), sheet.concat(), record(typ::EOF, &[])].concat());
        compound_file(&stream).unwrap()
    }

    #[test]
    fn a_sheet_that_claims_to_be_huge_costs_only_its_cells() {
        let dimensions = record(0x0200, &[0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0, 0]);
        let cells = [dimensions, number(0, 0, 7.0), number(19_999, 255, 8.0), number(65_535, 255, 9.0), number(1, 1, 10.0)];
        let document = read_workbook(FileType::Xls, &workbook(&[], &cells), &Limits::default()).unwrap();
        let grid = &document.tables[0];
        assert_eq!(grid.name, "AB");
        assert_eq!(grid.cells.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>(), ["7", "10"]);
        assert!(grid.truncated.is_some());
    }

    #[test]
    fn rows_columns_and_merges_are_noted() {
        let row = [3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 0, 0];
        let cells = [
            record(typ::COLINFO, &[1, 0, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0]),
            record(typ::ROW, &row),
            number(3, 0, 13_900_001_234.0),
            record(typ::MERGECELLS, &[1, 0, 3, 0, 4, 0, 0, 0, 0, 0]),
        ];
        let document = read_workbook(FileType::Et, &workbook(&[], &cells), &Limits::default()).unwrap();
        let grid = &document.tables[0];
        assert_eq!((grid.hidden_rows.as_slice(), grid.hidden_columns.as_slice()), ([3].as_slice(), [1, 2].as_slice()));
        assert_eq!((grid.cells[0].text.as_str(), grid.cells[0].row_span), ("13900001234", 2));
    }

    #[test]
    fn a_password_is_recognised() {
        let locked = workbook(&record(typ::FILEPASS, &[1, 0, 1, 0, 1, 0]), &[]);
        assert_eq!(read_workbook(FileType::Xls, &locked, &Limits::default()), Err(ReadProblem::Encrypted));
    }

    #[test]
    fn a_sheet_that_begins_nowhere_is_left_out() {
        let entry = record(typ::BOUNDSHEET, &[0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 2, 0, b'X', b'Y']);
        let document = read_workbook(FileType::Xls, &workbook(&entry, &[number(0, 0, 1.0)]), &Limits::default()).unwrap();
        assert_eq!(document.tables.len(), 1);
    }
}
