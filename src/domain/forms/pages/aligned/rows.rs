//! Which lines of a table without ruled columns make one row. Three witnesses are heard, from the surest: lines drawn between the
//! rows; white space between rows that is larger than any within one; rows that all begin on their number's line. Where none of
//! them is clear nothing is read.

use super::{Columns, Doubt, Line};
use crate::domain::forms::pages::Rule;

/// White space between rows is as much larger than that within a row, times and points.
const CLEARLY_TIMES: f64 = 1.25;
const CLEARLY_POINTS: f64 = 0.8;
/// Letters reach so far above and below their baseline, in their sizes.
const ABOVE_SIZES: f64 = 0.85;
const BELOW_SIZES: f64 = 0.2;
/// A line that goes on in the next one leaves no more free than this, in sizes of its letters.
const FULL_SIZES: f64 = 1.6;

const UNCLEAR: Doubt = "一行文字属于上一行还是下一行无法可靠辨认";

/// The lines of the header, where `header_lines` is not 0, and of each row.
pub fn bands<'l>(
    region: &[&'l Line],
    header_lines: usize,
    rules: &[Rule],
    columns: &Columns,
    first_number: u32,
) -> Result<Vec<Vec<&'l Line>>, Doubt> {
    let header = usize::from(header_lines > 0);
    let found = if columns.numbers.is_some() {
        let by_rules = between_rules(region, rules).filter(|bands| counts(bands, header, columns, first_number));
        let by_space = || between_spaces(region, header, columns, first_number);
        let by_lines = || from_number_down(region, header_lines, columns, first_number);
        by_rules.or_else(by_space).or_else(by_lines)
    } else {
        let by_rules = between_rules(region, rules).filter(|bands| bands.len() > header && whole_header(bands, header_lines));
        by_rules.or_else(|| a_line_each(region, header_lines, columns))
    };
    found.ok_or(UNCLEAR)
}

/// Whether the bands are a header without a number and rows numbered one after the other.
fn counts(bands: &[Vec<&Line>], header: usize, columns: &Columns, first_number: u32) -> bool {
    let numbers = |band: &[&Line]| band.iter().filter_map(|line| columns.number_of(line)).collect::<Vec<_>>();
    let (head, rows) = bands.split_at(header.min(bands.len()));
    let counted = rows.iter().zip(first_number..).all(|(band, number)| numbers(band) == [number]);
    let only_numbers = rows.iter().all(|band| {
        let Some(column) = columns.numbers else { return false };
        columns.text(band, column).chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '、'))
    });
    !rows.is_empty() && head.iter().all(|band| numbers(band).is_empty()) && counted && only_numbers
}

fn whole_header(bands: &[Vec<&Line>], header_lines: usize) -> bool {
    header_lines == 0 || bands.first().is_some_and(|band| band.len() == header_lines)
}

/// Cut at the level lines that run along the whole table.
fn between_rules<'l>(region: &[&'l Line], rules: &[Rule]) -> Option<Vec<Vec<&'l Line>>> {
    let left = region.iter().map(|line| line.x0).fold(f64::INFINITY, f64::min);
    let right = region.iter().map(|line| line.x1).fold(f64::NEG_INFINITY, f64::max);
    let mut cuts: Vec<f64> = rules.iter().filter(|rule| rule.x0 < left + 12.0 && rule.x1 > right - 12.0).map(|rule| rule.y0).collect();
    cuts.sort_by(f64::total_cmp);
    let mut bands: Vec<(usize, Vec<&Line>)> = Vec::new();
    for line in region {
        let band = cuts.partition_point(|cut| *cut < line.y - 0.3 * line.size);
        match bands.last_mut() {
            Some((last, lines)) if *last == band => lines.push(line),
            _ => bands.push((band, vec![line])),
        }
    }
    (bands.len() > 1).then(|| bands.into_iter().map(|(_, lines)| lines).collect())
}

/// Cut at the largest white spaces, as many as there are rows, if each is clearly larger than all others.
fn between_spaces<'l>(region: &[&'l Line], header: usize, columns: &Columns, first_number: u32) -> Option<Vec<Vec<&'l Line>>> {
    let blocks = blocks(region);
    let numbers = region.iter().filter(|line| columns.number_of(line).is_some()).count();
    let cuts = (numbers + header).checked_sub(1)?;
    let mut spaces: Vec<f64> = blocks.iter().skip(1).map(|(space, _)| *space).collect();
    spaces.sort_by(|a, b| b.total_cmp(a));
    if spaces.len() < cuts {
        return None;
    }
    let largest_within = spaces.get(cuts).copied();
    let smallest_cut = if cuts == 0 { f64::INFINITY } else { *spaces.get(cuts - 1)? };
    if largest_within.is_some_and(|within| smallest_cut < within * CLEARLY_TIMES + CLEARLY_POINTS) {
        return None;
    }
    let mut bands: Vec<Vec<&Line>> = Vec::new();
    for (space, lines) in blocks {
        match bands.last_mut() {
            Some(band) if space < smallest_cut => band.extend(lines),
            _ => bands.push(lines),
        }
    }
    counts(&bands, header, columns, first_number).then_some(bands)
}

/// Lines in groups whose letters overlap in height, each with the white space above it.
fn blocks<'l>(region: &[&'l Line]) -> Vec<(f64, Vec<&'l Line>)> {
    let mut blocks: Vec<(f64, Vec<&Line>)> = Vec::new();
    let mut bottom = f64::NEG_INFINITY;
    for line in region {
        let top = line.y - ABOVE_SIZES * line.size;
        match blocks.last_mut() {
            Some((_, lines)) if top <= bottom => lines.push(line),
            _ => blocks.push((top - bottom, vec![line])),
        }
        bottom = bottom.max(line.y + BELOW_SIZES * line.size);
    }
    blocks
}

/// Rows set from their top: each begins on the line of its number with all that it holds, what goes on below fills its lines, and
/// the last row goes on below its number, which no row set from its middle or bottom does while none begins above.
fn from_number_down<'l>(region: &[&'l Line], header_lines: usize, columns: &Columns, first_number: u32) -> Option<Vec<Vec<&'l Line>>> {
    let (head, rows) = region.split_at(header_lines.min(region.len()));
    let mut bands: Vec<Vec<&Line>> = if head.is_empty() { Vec::new() } else { vec![head.to_vec()] };
    let header = bands.len();
    for line in rows {
        match columns.number_of(line) {
            Some(_) => bands.push(vec![line]),
            None if bands.len() > header => bands.last_mut()?.push(line),
            None => return None,
        }
    }
    let single = bands.iter().skip(header).all(|band| band.len() == 1);
    let last_goes_on = bands.last().is_some_and(|band| band.len() > 1);
    let whole = bands.iter().skip(header).all(|band| begins_together(band, columns) && fills_its_lines(band, columns, rows));
    ((single || last_goes_on) && whole && counts(&bands, header, columns, first_number)).then_some(bands)
}

/// Every filled column of a row stands on its first line.
fn begins_together(band: &[&Line], columns: &Columns) -> bool {
    let Some((first, rest)) = band.split_first() else { return false };
    (0..columns.count()).all(|column| columns.text(rest, column).is_empty() || !columns.text(&[first], column).is_empty())
}

/// A cell's line that goes on in the next one reaches the end of its column.
fn fills_its_lines(band: &[&Line], columns: &Columns, rows: &[&Line]) -> bool {
    (0..columns.count()).all(|column| {
        let reach =
            |line: &Line| columns.glyphs(&[line], column).iter().map(|glyph| glyph.x + glyph.width).fold(f64::NEG_INFINITY, f64::max);
        let right = rows.iter().map(|line| reach(line)).fold(f64::NEG_INFINITY, f64::max);
        let own: Vec<&&Line> = band.iter().filter(|line| reach(line).is_finite()).collect();
        own.iter().rev().skip(1).all(|line| reach(line) > right - FULL_SIZES * line.size)
    })
}

/// Without numbers only a table whose every row is one line, filled in most columns, is sure.
fn a_line_each<'l>(region: &[&'l Line], header_lines: usize, columns: &Columns) -> Option<Vec<Vec<&'l Line>>> {
    let (head, rows) = region.split_at(header_lines.min(region.len()));
    let filled = |line: &Line| (0..columns.count()).filter(|column| !columns.text(&[line], *column).is_empty()).count();
    let whole = rows.iter().all(|line| filled(line) * 3 >= columns.count() * 2);
    if head.is_empty() || rows.is_empty() || !whole {
        return None;
    }
    Some(std::iter::once(head.to_vec()).chain(rows.iter().map(|line| vec![*line])).collect())
}
