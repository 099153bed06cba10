//! What `office_oxide` 0.1.16 overlooks in a Word 97–2003 file is written into a copy of its text before it reads it:
//!
//! - deleted and hidden text whose formatting stands on a page (ChpxFkp, MS-DOC 2.9.33) of 64 runs or more, which it skips: blotted out;
//! - symbols (sprmCSymbol, MS-DOC 2.6.1), which Word stores as `(` beside the sign and font they stand for: boxes become ☑ and ☐;
//! - legacy check boxes (FORMCHECKBOX, FFData, MS-DOC 2.9.78): the field becomes ☑ or ☐.
//!
//! Every structure is optional: what cannot be followed leaves the file as it is.

use std::{
    collections::BTreeSet,
    io::{Cursor, Read, Write},
};

use cfb::CompoundFile;

use super::super::marks::{self, CHECKED, EMPTY};

const SECTOR_BYTES: usize = 512;
/// `office_oxide` takes pages of this many runs and more for damaged; MS-DOC allows 101.
const RUNS_OVERLOOKED_FROM: usize = 64;
/// A field's code is no longer, in characters.
const FIELD_MAX_CHARS: usize = 64;
/// More fields are not looked at.
const FIELDS_MAX: usize = 20_000;
/// Removed by the cleaning of every text.
const BLOT: char = '\u{200B}';
const BLOT_8_BIT: u8 = 0x1D;
/// Offsets in the FIB (MS-DOC 2.5.1): flags, piece table, character formatting, fonts.
const FLAGS_AT: usize = 0x0A;
const CLX_AT: usize = 0x01A2;
const CHPX_AT: usize = 0x00FA;
const FONTS_AT: usize = 0x0112;

/// A stretch of text in the WordDocument stream.
#[derive(Debug, Clone, Copy)]
struct Piece {
    from: usize,
    to: usize,
    /// Bytes a character: 1 or 2.
    width: usize,
}

/// Character formatting of a stretch, as far as it matters here.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    from: usize,
    to: usize,
    /// Deleted or hidden.
    excluded: bool,
    /// Font and code of a symbol.
    symbol: Option<(u16, u16)>,
    font: Option<u16>,
    /// Place of picture or form field data.
    data_at: Option<usize>,
    overlooked: bool,
}

/// A repaired copy; `None` where nothing needs repair or can be had.
pub fn repaired(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut padded = bytes.to_vec();
    // WPS cuts the last sector short.
    padded.resize(bytes.len().next_multiple_of(SECTOR_BYTES), 0);
    let mut file = CompoundFile::open(Cursor::new(padded)).ok()?;
    let word = stream(&mut file, "/WordDocument")?;
    let flags = u16_at(&word, FLAGS_AT)?;
    if flags & 0x0100 != 0 {
        return None;
    }
    let table = stream(&mut file, if flags & 0x0200 != 0 { "/1Table" } else { "/0Table" })?;
    let data = stream(&mut file, "/Data").unwrap_or_default();
    let pieces = pieces(&word, &table)?;
    let runs = runs(&word, &table)?;
    let fonts = fonts(&word, &table).unwrap_or_default();
    let mut edited = word.clone();
    for run in &runs {
        edit_run(run, &word, &pieces, &fonts, &mut edited);
    }
    let mut fields = 0;
    for piece in pieces.iter().filter(|piece| piece.width == 2) {
        edit_boxes(piece, &word, &runs, &data, &mut edited, &mut fields);
    }
    if edited == word {
        return None;
    }
    let mut stream = file.open_stream("/WordDocument").ok()?;
    stream.write_all(&edited).ok()?;
    stream.flush().ok()?;
    drop(stream);
    Some(file.into_inner().into_inner())
}

fn stream(file: &mut CompoundFile<Cursor<Vec<u8>>>, name: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    file.open_stream(name).ok()?.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let value = u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?);
    usize::try_from(value).ok()
}

/// A structure of the table stream by the place of its offset and length in the FIB.
fn structure<'t>(word: &[u8], table: &'t [u8], at: usize) -> Option<&'t [u8]> {
    let from = u32_at(word, at)?;
    table.get(from..from.checked_add(u32_at(word, at + 4)?)?)
}

/// The piece table (Clx, MS-DOC 2.9.38).
fn pieces(word: &[u8], table: &[u8]) -> Option<Vec<Piece>> {
    let mut clx = structure(word, table, CLX_AT)?;
    while clx.first() == Some(&1) {
        clx = clx.get(usize::from(u16_at(clx, 1)?) + 3..)?;
    }
    let plc = clx.get(5..u32_at(clx, 1)?.checked_add(5)?)?;
    let count = plc.len().checked_sub(4)? / 12;
    let mut pieces = Vec::new();
    for number in 0..count {
        let chars = u32_at(plc, (number + 1) * 4)?.checked_sub(u32_at(plc, number * 4)?)?;
        let fc = u32_at(plc, (count + 1) * 4 + number * 8 + 2)?;
        let (from, width) = if fc & 0x4000_0000 != 0 { ((fc & 0x3FFF_FFFF) / 2, 1) } else { (fc, 2) };
        let to = from.checked_add(chars.checked_mul(width)?)?;
        if to > word.len() {
            return None;
        }
        pieces.push(Piece { from, to, width });
    }
    pieces.sort_by_key(|piece| piece.from);
    Some(pieces)
}

/// Character formatting (PlcBteChpx and its pages).
fn runs(word: &[u8], table: &[u8]) -> Option<Vec<Run>> {
    let plc = structure(word, table, CHPX_AT)?;
    let count = plc.len().checked_sub(4)? / 8;
    let mut runs = Vec::new();
    let mut seen = BTreeSet::new();
    for number in 0..count {
        let page_number = u32_at(plc, (count + 1) * 4 + number * 4)? & 0x003F_FFFF;
        let from = page_number.checked_mul(SECTOR_BYTES)?;
        let Some(page) = word.get(from..from + SECTOR_BYTES).filter(|_| seen.insert(page_number)) else { continue };
        let size = usize::from(*page.last()?);
        for index in 0..size.min(101) {
            let (Some(from), Some(to)) = (u32_at(page, index * 4), u32_at(page, (index + 1) * 4)) else { break };
            let properties = page.get((size + 1) * 4 + index).map_or(0, |word| usize::from(*word) * 2);
            let length = page.get(properties).copied().map_or(0, usize::from);
            let list = page.get(properties + 1..properties + 1 + length).filter(|_| properties > 0).unwrap_or_default();
            runs.push(Run { from, to, overlooked: size >= RUNS_OVERLOOKED_FROM, ..properties_of(list) });
        }
    }
    runs.sort_by_key(|run| run.from);
    Some(runs)
}

/// A list of property modifiers (MS-DOC 2.6.1); the operand's size is in the upper three bits.
fn properties_of(mut list: &[u8]) -> Run {
    let mut run = Run::default();
    while let Some(code) = u16_at(list, 0) {
        let (skip, size) = match code >> 13 {
            0 | 1 => (2, 1),
            2 | 4 | 5 => (2, 2),
            3 => (2, 4),
            7 => (2, 3),
            _ => (3, list.get(2).copied().map_or(0, usize::from)),
        };
        let Some(operand) = list.get(skip..skip + size) else { break };
        match code {
            0x0800 | 0x083C => run.excluded |= operand == [1],
            0x6A09 => run.symbol = u16_at(operand, 0).zip(u16_at(operand, 2)),
            0x4A4F | 0x4A51 => run.font = u16_at(operand, 0),
            0x6A03 => run.data_at = u32_at(operand, 0),
            _ => {}
        }
        list = list.get(skip + size..).unwrap_or_default();
    }
    run
}

/// Names of the fonts by number (SttbfFfn, MS-DOC 2.9.286).
fn fonts(word: &[u8], table: &[u8]) -> Option<Vec<String>> {
    let mut rest = structure(word, table, FONTS_AT)?.get(4..)?;
    let mut fonts = Vec::new();
    while let Some((length, after)) = rest.split_first() {
        let font = after.get(..usize::from(*length)).unwrap_or_default();
        let name: Vec<u16> =
            font.get(39..).unwrap_or_default().chunks_exact(2).filter_map(|unit| u16_at(unit, 0)).take_while(|unit| *unit != 0).collect();
        fonts.push(String::from_utf16_lossy(&name));
        rest = after.get(usize::from(*length)..).unwrap_or_default();
    }
    Some(fonts)
}

fn run_at(runs: &[Run], at: usize) -> Option<&Run> {
    let after = runs.partition_point(|run| run.from <= at);
    runs.get(after.checked_sub(1)?).filter(|run| at < run.to)
}

fn piece_at(pieces: &[Piece], at: usize) -> Option<&Piece> {
    let after = pieces.partition_point(|piece| piece.from <= at);
    pieces.get(after.checked_sub(1)?).filter(|piece| at < piece.to)
}

/// Blots out excluded text and draws symbols.
fn edit_run(run: &Run, word: &[u8], pieces: &[Piece], fonts: &[String], edited: &mut [u8]) {
    let blots = run.excluded && run.overlooked;
    if !blots && run.symbol.is_none() && !(run.overlooked && run.font.is_some()) {
        return;
    }
    let font = |number: u16| fonts.get(usize::from(number)).map_or("", String::as_str);
    let mut at = run.from;
    while let Some(piece) = piece_at(pieces, at).filter(|_| at < run.to) {
        let unit = if piece.width == 2 { u16_at(word, at) } else { word.get(at).map(|byte| u16::from(*byte)) };
        let Some(unit) = unit else { return };
        let drawn = match run.symbol {
            Some((number, code)) if unit == 0x28 => marks::symbol(font(number), u32::from(code)),
            _ if run.overlooked && (0xF000..=0xF0FF).contains(&unit) => {
                run.font.and_then(|number| marks::symbol(font(number), u32::from(unit)))
            }
            _ => None,
        };
        if blots && !matches!(unit, 0x07 | 0x0C | 0x0D) {
            put(edited, at, piece.width, BLOT);
        } else if let Some(mark) = drawn.filter(|_| piece.width == 2) {
            put(edited, at, piece.width, mark);
        }
        at += piece.width;
    }
}

/// Writes a character of the basic plane over another.
fn put(edited: &mut [u8], at: usize, width: usize, c: char) {
    let unit = u16::try_from(u32::from(c)).unwrap_or_default().to_le_bytes();
    match edited.get_mut(at..at + width) {
        Some([byte]) => *byte = BLOT_8_BIT,
        Some(place) => place.copy_from_slice(&unit),
        None => {}
    }
}

/// Replaces the field of each legacy check box by the box it draws.
fn edit_boxes(piece: &Piece, word: &[u8], runs: &[Run], data: &[u8], edited: &mut [u8], fields: &mut usize) {
    let unit = |at: usize| u16_at(word, at).filter(|_| at < piece.to);
    let mut at = piece.from;
    while let Some(found) = unit(at) {
        let begin = at;
        at += 2;
        if found != 0x13 {
            continue;
        }
        *fields += 1;
        if *fields > FIELDS_MAX {
            return;
        }
        let field: Vec<u16> = (0..FIELD_MAX_CHARS).map_while(|step| unit(begin + step * 2)).collect();
        let Some(end) = field.iter().position(|unit| *unit == 0x15) else { continue };
        let code = String::from_utf16_lossy(field.get(1..end).unwrap_or_default());
        if !code.contains("FORMCHECKBOX") {
            continue;
        }
        let holder = field.iter().take(end).position(|unit| *unit == 1).map(|step| begin + step * 2);
        let data_at = holder.and_then(|holder| run_at(runs, holder)?.data_at);
        let checked = data_at.and_then(|at| is_checked(data, at)).unwrap_or(false);
        put(edited, begin, 2, if checked { CHECKED } else { EMPTY });
        for step in 1..=end {
            put(edited, begin + step * 2, 2, BLOT);
        }
        at = begin + (end + 1) * 2;
    }
}

/// The state in a check box's FFData, behind a picture header of its own length (NilPICFAndBinData, MS-DOC 2.9.157).
fn is_checked(data: &[u8], at: usize) -> Option<bool> {
    let form = data.get(at.checked_add(usize::from(u16_at(data, at.checked_add(4)?)?))?..)?;
    let bits = u16_at(form, 4)?;
    if bits & 0b11 != 1 {
        return None;
    }
    match (bits >> 2) & 0b1_1111 {
        0 => Some(false),
        1 => Some(true),
        // Undecided: the default stands behind the name (length, characters, a zero).
        _ => {
            let name = usize::from(u16_at(form, 10)?);
            Some(u16_at(form, 12 + (name + 1) * 2)? == 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn property_modifiers_are_walked_by_their_sizes() {
        // sprmCRgFtc0 (2 bytes), sprmCFRMarkDel (1), sprmCSymbol (4), sprmCPicLocation (4).
        let list = [0x4F, 0x4A, 3, 0, 0x00, 0x08, 1, 0x09, 0x6A, 7, 0, 0xFE, 0xF0, 0x03, 0x6A, 4, 1, 0, 0];
        let run = properties_of(&list);
        assert_eq!((run.font, run.excluded, run.symbol, run.data_at), (Some(3), true, Some((7, 0xF0FE)), Some(260)));
        assert!(!properties_of(&[0x00, 0x08]).excluded, "cut short");
    }

    #[test]
    fn a_symbol_stored_as_a_bracket_becomes_its_box() {
        let text: Vec<u8> = "(自主(".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let pieces = [Piece { from: 0, to: text.len(), width: 2 }];
        let fonts = ["宋体".to_owned(), "Wingdings 2".to_owned()];
        let mut edited = text.clone();
        edit_run(&Run { from: 0, to: 2, symbol: Some((1, 0xF052)), ..Run::default() }, &text, &pieces, &fonts, &mut edited);
        edit_run(&Run { from: 6, to: 8, symbol: Some((1, 0xF0A3)), ..Run::default() }, &text, &pieces, &fonts, &mut edited);
        let units: Vec<u16> = edited.chunks(2).map(|unit| u16_at(unit, 0).unwrap()).collect();
        assert_eq!(String::from_utf16(&units).unwrap(), "☑自主☐");
    }

    #[test]
    fn what_is_no_word_file_needs_no_repair() {
        assert_eq!(repaired(b""), None);
        assert_eq!(repaired(&[0xD0; 4096]), None);
    }
}
