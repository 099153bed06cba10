//! From characters with places to lines, paragraphs and tables.

use super::{
    Glyph, Page,
    joining::{Open, is_page_number},
    ruled,
};
use crate::domain::{folding::clean, forms::grid::Document, limits::Limits};

/// Characters that stand on one line.
pub struct Line {
    pub x0: f64,
    pub x1: f64,
    pub y: f64,
    pub size: f64,
    glyphs: Vec<Glyph>,
}

/// All pages as one document; a table that goes on over a page break is one table.
pub fn document(pages: Vec<Page>, limits: &Limits) -> Document {
    let mut document = Document::default();
    let mut open = Open::default();
    let mut chars = 0_usize;
    for (number, mut page) in (1_usize..).zip(pages) {
        let (tables, loose) = ruled::tables(&mut page, limits);
        if let Some(cut) = &page.cut {
            document.cut(format!("第{number}页的{cut}"));
        }
        let lines = lines(loose);
        let text_lines = || lines.iter().filter(|line| !is_page_number(line));
        let top_of_text = text_lines().map(|line| line.y).fold(f64::INFINITY, f64::min);
        let bottom_of_text = text_lines().map(|line| line.y).fold(f64::NEG_INFINITY, f64::max);
        if tables.is_empty() && top_of_text.is_finite() {
            open.end();
        }
        for (index, table) in tables.into_iter().enumerate() {
            let bottom = table.bottom;
            if index == 0 && table.top < top_of_text && open.goes_on_as(&table) {
                open.append(table, limits);
            } else {
                let before = std::mem::replace(&mut open, Open::new(table));
                document.tables.extend(before.close(document.tables.len() + 1));
            }
            if bottom_of_text > bottom {
                open.end();
            }
        }
        for paragraph in paragraphs(lines, page.width) {
            chars += paragraph.chars().count();
            if chars <= limits.text_max_chars {
                document.paragraphs.push(paragraph);
            } else {
                document.cut(format!("正文超过{}字的上限，其后的没有读取", limits.text_max_chars));
            }
        }
    }
    document.tables.extend(open.close(document.tables.len() + 1));
    document
}

/// Characters as lines, top to bottom.
pub fn lines(mut glyphs: Vec<Glyph>) -> Vec<Line> {
    glyphs.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x)));
    let mut lines: Vec<Line> = Vec::new();
    for glyph in glyphs {
        match lines.last_mut() {
            Some(line) if (glyph.y - line.y).abs() <= 0.45 * line.size.max(glyph.size) => line.add(glyph),
            _ => {
                let mut line = Line { x0: f64::INFINITY, x1: f64::NEG_INFINITY, y: glyph.y, size: glyph.size, glyphs: Vec::new() };
                line.add(glyph);
                lines.push(line);
            }
        }
    }
    for line in &mut lines {
        line.glyphs.sort_by(|a, b| a.x.total_cmp(&b.x));
        // Bold type is often the same character painted twice.
        line.glyphs.dedup_by(|next, first| next.text == first.text && (next.x - first.x).abs() < 0.2 * first.size && first.text != " ");
    }
    lines.retain(|line| line.glyphs.iter().any(|glyph| !glyph.text.trim().is_empty()));
    lines
}

impl Line {
    fn add(&mut self, glyph: Glyph) {
        if !glyph.text.trim().is_empty() {
            self.x0 = self.x0.min(glyph.x);
            self.x1 = self.x1.max(glyph.x + glyph.width);
            self.size = self.size.max(glyph.size);
        }
        self.glyphs.push(glyph);
    }

    pub fn glyphs(&self) -> &[Glyph] {
        &self.glyphs
    }

    fn ends_with_space(&self) -> bool {
        self.glyphs.last().is_some_and(|glyph| glyph.text == " ")
    }

    fn ends_sentence(&self) -> bool {
        self.glyphs
            .iter()
            .rev()
            .find(|glyph| !glyph.text.trim().is_empty())
            .is_some_and(|glyph| glyph.text.ends_with(['。', '；', ';', '！', '？']))
    }

    /// Width of what may not be broken at the line's beginning: a number, a word, a formula; none for Chinese.
    fn first_word_width(&self) -> f64 {
        let is_word = |glyph: &&Glyph| glyph.text.chars().all(|c| !c.is_whitespace() && c < '\u{2E80}');
        self.glyphs.iter().take_while(is_word).map(|glyph| glyph.width).sum()
    }

    /// The text, with spaces where the characters stand apart.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut end: Option<f64> = None;
        for glyph in &self.glyphs {
            if let Some(end) = end {
                let gap = (glyph.x - end) / self.size.max(1.0);
                let ascii =
                    out.ends_with(|c: char| c.is_ascii_alphanumeric()) && glyph.text.starts_with(|c: char| c.is_ascii_alphanumeric());
                if gap > 2.0 {
                    out.push_str("    ");
                } else if gap > 0.9 || (ascii && gap > 0.2) {
                    out.push(' ');
                }
            }
            out.push_str(&glyph.text);
            end = Some(glyph.x + glyph.width);
        }
        out.trim().to_owned()
    }
}

/// Lines outside of tables as paragraphs: a line that reaches the right margin goes on in the next one. Margins are taken to be
/// equal, so that the longest of some short lines does not pass for a full one.
fn paragraphs(lines: Vec<Line>, page_width: f64) -> Vec<String> {
    let left = lines.iter().map(|line| line.x0).fold(f64::INFINITY, f64::min);
    let reach = lines.iter().map(|line| line.x1).fold(f64::NEG_INFINITY, f64::max);
    let right = if left < page_width * 0.35 { reach.max(page_width - left - 6.0) } else { reach };
    join(&lines, left, right).into_iter().map(|text| clean(&text)).filter(|text| !text.is_empty()).collect()
}

/// The text of a cell: wrapped lines joined, others kept apart.
pub fn cell_text(glyphs: Vec<Glyph>, left: f64, right: f64) -> String {
    let lines = lines(glyphs);
    // The cell's padding is what the longest line leaves free.
    let reach = lines.iter().map(|line| line.x1).fold(f64::NEG_INFINITY, f64::max).min(right);
    let size = lines.iter().map(|line| line.size).fold(0.0, f64::max);
    let edge = if right - reach < 2.5 * size { reach } else { right };
    clean(&join(&lines, left, edge).join("\n"))
}

fn join(lines: &[Line], left: f64, right: f64) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut last: Option<&Line> = None;
    for line in lines {
        let text = line.text();
        let goes_on = last.is_some_and(|last| {
            // A number or word that did not fit leaves the end of its line free.
            let moved_down = if last.ends_sentence() { 0.0 } else { line.first_word_width() };
            last.x1 + moved_down > right - 1.3 * last.size
                && line.x0 < left + 1.6 * line.size
                && line.y - last.y < 2.6 * last.size.max(line.size)
        });
        match out.last_mut() {
            Some(open) if goes_on && !begins_item(&text) => {
                // A code is broken anywhere, words are broken where a space stood.
                let words = open.ends_with(|c: char| c.is_ascii_lowercase()) && text.starts_with(|c: char| c.is_ascii_lowercase());
                if words || last.is_some_and(Line::ends_with_space) {
                    open.push(' ');
                }
                open.push_str(&text);
            }
            _ => out.push(text),
        }
        last = Some(line);
    }
    out
}

/// A line that begins something new however full the one before is: 附件：, 一、, （二）, 3., 课题名称：.
fn begins_item(text: &str) -> bool {
    let is_numeral = |c: char| c.is_ascii_digit() || "一二三四五六七八九十".contains(c);
    let inner = text.trim_start_matches(['（', '(']);
    let after = inner.trim_start_matches(is_numeral);
    // 1.5 is a number, 1.专项 an item.
    let dotted = after.strip_prefix('.').is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
    let numbered = after.len() < inner.len() && (after.starts_with(['、', '．', '）', ')']) || dotted);
    let label = text.find(['：', ':']).and_then(|at| text.get(..at)).is_some_and(|label| {
        let count = label.chars().count();
        (2..=12).contains(&count) && label.chars().all(|c| !c.is_ascii() && !"，。；、".contains(c))
    });
    numbered || label
}
