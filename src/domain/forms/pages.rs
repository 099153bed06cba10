//! Text of documents that know only where each character stands on a page: PDF and OFD. Characters become lines, lines paragraphs,
//! ruled lines tables; a scan has none of them.

use super::{ReadProblem, catalogue::Catalogue, grid::Document};
use crate::domain::{limits::Limits, parts::FileType};

mod aligned;
mod joining;
mod layout;
mod ofd;
mod pdf;
mod ruled;
pub mod scan;

/// One character (or ligature) and its place, in points, y growing downwards.
#[derive(Debug, Clone, PartialEq)]
struct Glyph {
    x: f64,
    /// The baseline.
    y: f64,
    width: f64,
    size: f64,
    text: String,
}

/// A horizontal or vertical line, `x0 <= x1`, `y0 <= y1`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Rule {
    x0: f64,
    y0: f64,
    x1: f64,
    y1: f64,
}

/// What stands on one page.
#[derive(Debug, Default)]
struct Page {
    glyphs: Vec<Glyph>,
    rules: Vec<Rule>,
    /// In points; 0 where unknown.
    width: f64,
    /// What was left out for a limit.
    cut: Option<String>,
}

/// What pages say.
#[derive(Debug)]
pub struct Paged {
    pub document: Document,
    /// Tables whose columns were told by white space alone; for a person to compare.
    pub aligned: usize,
    /// A summary table is there and cannot be read with certainty; a sentence for its sender.
    pub unclear: Option<String>,
}

/// Reads the text of a PDF or OFD; empty for a scan.
///
/// # Errors
/// What keeps it from being opened.
pub fn read(file_type: FileType, bytes: &[u8], catalogue: &Catalogue, limits: &Limits) -> Result<Paged, ReadProblem> {
    let (mut pages, more) = match file_type {
        FileType::Ofd => ofd::pages(bytes, limits)?,
        _ => pdf::pages(bytes, limits)?,
    };
    let found = aligned::take(&mut pages, catalogue, limits);
    let mut document = layout::document(pages, limits);
    let aligned = found.tables.len();
    document.tables.extend(found.tables);
    if more {
        document.cut(format!("页数超过{}页的上限，其后的没有读取", limits.pages_max));
    }
    for (index, grid) in document.tables.iter_mut().enumerate() {
        grid.name = format!("table {}", index + 1);
    }
    Ok(Paged { document, aligned, unclear: found.unclear })
}

/// Charges a page's characters against the limit of its document.
fn count_chars(chars: &mut usize, page: &Page, limits: &Limits) -> Result<(), ReadProblem> {
    *chars += page.glyphs.len();
    if *chars > limits.pages_max_chars {
        return Err(ReadProblem::Refused(format!("文件各页的文字合计超过{}字的上限", limits.pages_max_chars)));
    }
    Ok(())
}

impl Page {
    fn add_glyph(&mut self, glyph: Glyph, limits: &Limits) {
        let finite = [glyph.x, glyph.y, glyph.width, glyph.size].iter().all(|value| value.is_finite() && value.abs() < 1e6);
        if !finite || glyph.size <= 0.5 {
            return;
        }
        if self.glyphs.len() >= limits.page_max_chars {
            self.cut.get_or_insert_with(|| format!("文字超过每页{}字的上限，其后的没有读取", limits.page_max_chars));
            return;
        }
        self.glyphs.push(glyph);
    }

    /// Adds a line if it is level or upright and long enough to be a table's.
    fn add_rule(&mut self, from: (f64, f64), to: (f64, f64), limits: &Limits) {
        let rule = Rule { x0: from.0.min(to.0), y0: from.1.min(to.1), x1: from.0.max(to.0), y1: from.1.max(to.1) };
        let (width, height) = (rule.x1 - rule.x0, rule.y1 - rule.y0);
        let straight = width.min(height) < 2.5 && width.max(height) > 4.0;
        if !straight || !width.is_finite() || !height.is_finite() {
            return;
        }
        if self.rules.len() >= limits.page_rules_max {
            self.cut.get_or_insert_with(|| format!("线条超过每页{}条的上限，表格可能不完整", limits.page_rules_max));
            return;
        }
        self.rules.push(rule);
    }
}
