//! The header of a table without ruled columns: a few lines whose pieces are labels.

use std::{collections::BTreeSet, ops::Range};

use super::{Glyph, LABELS_MIN, Line};
use crate::domain::{
    folding::fold,
    forms::{labels::Labels, table::is_row_number},
};

/// Lines that a header may take.
const HEADER_LINES_MAX: usize = 4;
/// A longer text is no run of labels.
const RUN_TOGETHER_CHARS_MAX: usize = 40;
/// White space between two pieces of one line, in sizes of its letters.
const PIECE_GAP_SIZES: f64 = 0.4;

/// Where the header stands among the lines: the fewest lines with the most labels.
pub fn find_header(lines: &[Line], labels: &Labels<'_>) -> Option<Range<usize>> {
    let mut best: Option<((usize, usize), Range<usize>)> = None;
    for start in 0..lines.len() {
        for end in start + 1..=(start + HEADER_LINES_MAX).min(lines.len()) {
            let window = lines.get(start..end).unwrap_or_default();
            let texts = stacked(window);
            let named: Vec<Vec<String>> = texts.iter().map(|text| labels_in(text, labels)).collect();
            let distinct: BTreeSet<&String> = named.iter().flatten().collect();
            let headed = named.iter().filter(|labels| !labels.is_empty()).count();
            let enough = distinct.len() >= LABELS_MIN && distinct.iter().any(|key| *key == "topic_title") && headed * 2 > texts.len();
            // The most labels in the fewest lines.
            let score = (distinct.len(), usize::MAX - window.len());
            if enough && best.as_ref().is_none_or(|(most, _)| score > *most) {
                best = Some((score, start..end));
            }
        }
    }
    best.map(|(_, window)| window)
}

/// The fields that a text is the label of: one, or several whose labels stand side by side without a space.
pub fn labels_in(text: &str, labels: &Labels<'_>) -> Vec<String> {
    let key = |text: &str| labels.find(text).map(|found| found.field.key.clone()).or_else(|| is_row_number(text).then(|| "no".to_owned()));
    if let Some(key) = key(text) {
        return vec![key];
    }
    let chars: Vec<char> = fold(text).chars().collect();
    if chars.len() > RUN_TOGETHER_CHARS_MAX {
        return Vec::new();
    }
    // By the end of a label: the labels up to there.
    let mut up_to: Vec<Option<Vec<String>>> = vec![None; chars.len() + 1];
    if let Some(first) = up_to.first_mut() {
        *first = Some(Vec::new());
    }
    for end in 2..=chars.len() {
        let found = (0..=end - 2).find_map(|start| {
            let before = up_to.get(start)?.clone()?;
            let part: String = chars.get(start..end)?.iter().collect();
            Some(before.into_iter().chain([key(&part)?]).collect::<Vec<_>>())
        });
        if let Some(slot) = up_to.get_mut(end) {
            *slot = found;
        }
    }
    up_to.pop().flatten().unwrap_or_default()
}

/// The texts of a few lines, pieces that stand above each other joined.
fn stacked(lines: &[Line]) -> Vec<String> {
    let mut stacks: Vec<(f64, f64, String)> = Vec::new();
    for piece in lines.iter().flat_map(pieces) {
        let (x0, x1) = (piece.first().map_or(0.0, |glyph| glyph.x), piece.last().map_or(0.0, |glyph| glyph.x + glyph.width));
        let text: String = piece.iter().map(|glyph| glyph.text.as_str()).collect();
        match stacks.iter_mut().find(|(left, right, _)| x0 < *right && x1 > *left) {
            Some((left, right, above)) => {
                (*left, *right) = (left.min(x0), right.max(x1));
                above.push_str(&text);
            }
            None => stacks.push((x0, x1, text)),
        }
    }
    stacks.into_iter().map(|(_, _, text)| text).collect()
}

/// A line cut where white space stands.
pub fn pieces(line: &Line) -> Vec<Vec<&Glyph>> {
    let mut pieces: Vec<Vec<&Glyph>> = Vec::new();
    let inked = line.glyphs().iter().filter(|glyph| !glyph.text.trim().is_empty());
    for glyph in inked {
        match pieces.last_mut() {
            Some(piece) if piece.last().is_some_and(|last| glyph.x - last.x - last.width < PIECE_GAP_SIZES * line.size) => {
                piece.push(glyph)
            }
            _ => pieces.push(vec![glyph]),
        }
    }
    pieces
}
