//! Characters and ruled lines of a PDF (ISO 32000). A library interprets the pages; nothing is painted, no image is decoded.

use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache, InterpreterSettings, RectExt as _,
    SoftMask, TransformExt as _,
    font::{Glyph as PdfGlyph, GlyphRun},
    hayro_cmap::BfString,
    hayro_syntax::{LoadPdfError, Pdf},
    interpret_page,
    kurbo::{Affine, BezPath, PathEl, Point, Shape as _},
};
use unicode_normalization::UnicodeNormalization as _;

use super::{Glyph, Page};
use crate::domain::{forms::ReadProblem, limits::Limits};

/// Letters smaller than this are not letters: the font counts in other units.
const READABLE_POINTS: f64 = 0.5;
/// Filled shapes thinner than this are lines.
const THIN_POINTS: f64 = 2.5;

/// The pages of a PDF, and whether there are more than the limit.
///
/// # Errors
/// Encrypted with a password, broken, without pages, or unpacking to more than the limit.
pub fn pages(bytes: &[u8], limits: &Limits) -> Result<(Vec<Page>, bool), ReadProblem> {
    refuse_bombs(bytes, limits)?;
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| match error {
        LoadPdfError::Decryption(_) => ReadProblem::Encrypted,
        LoadPdfError::Invalid => ReadProblem::Damaged("PDF文件已损坏或不完整".to_owned()),
    })?;
    if pdf.pages().is_empty() {
        return Err(ReadProblem::Damaged("PDF文件没有页面".to_owned()));
    }
    let cache = InterpreterCache::new();
    let mut pages = Vec::new();
    let mut painted = false;
    let mut chars = 0;
    for page in pdf.pages().iter().take(limits.pages_max) {
        let transform = page.initial_transform(true).to_kurbo();
        let bounds = page.intersected_crop_box().to_kurbo();
        let mut context = Context::new(transform, bounds, &cache, pdf.xref(), InterpreterSettings::default());
        let mut collector = Collector(Page { width: f64::from(page.render_dimensions().0), ..Page::default() }, false, limits);
        interpret_page(page, &mut context, &mut collector);
        painted |= collector.1;
        super::count_chars(&mut chars, &collector.0, limits)?;
        pages.push(collector.0);
    }
    // The library opens some protected files without their password and finds nothing on their pages.
    if !painted && memchr::memmem::find(bytes, b"/Encrypt").is_some() {
        return Err(ReadProblem::Encrypted);
    }
    let more = pdf.pages().len() > pages.len();
    Ok((pages, more))
}

/// Inflates every stream that is no image once, counting: the library itself has no limit.
pub fn refuse_bombs(bytes: &[u8], limits: &Limits) -> Result<(), ReadProblem> {
    let max_bytes = limits.container_file_max_bytes;
    let mut total = 0_usize;
    for at in memchr::memmem::find_iter(bytes, b"stream") {
        let before = bytes.get(at.saturating_sub(600)..at).unwrap_or_default();
        let dictionary = before.get(memchr::memmem::rfind(before, b"obj").unwrap_or(0)..).unwrap_or_default();
        if before.ends_with(b"end") || memchr::memmem::find(dictionary, b"/Image").is_some() {
            continue;
        }
        let data = bytes.get(at + 6..).unwrap_or_default();
        let data = data.strip_prefix(b"\r\n").or_else(|| data.strip_prefix(b"\n")).or_else(|| data.strip_prefix(b"\r")).unwrap_or(data);
        let twice = memchr::memmem::find_iter(dictionary, b"/FlateDecode").count() > 1;
        let budget = max_bytes.saturating_sub(total);
        // A stream packed twice swells by a million; nobody writes one.
        let over = twice
            || inflated(data, budget).is_none_or(|length| {
                total += length;
                false
            });
        if over {
            return Err(ReadProblem::Refused(format!("PDF文件解压后超过{}MB的上限", max_bytes >> 20)));
        }
    }
    Ok(())
}

/// Length of a zlib stream unpacked; `None` where it passes `max_bytes`. What is no zlib has length zero.
fn inflated(data: &[u8], max_bytes: usize) -> Option<usize> {
    use std::io::Read as _;
    if data.first().is_none_or(|first| first & 0x0F != 8) {
        return Some(0);
    }
    let mut decoder = flate2::read::ZlibDecoder::new(data);
    let mut chunk = [0; 16 << 10];
    let mut length = 0;
    while let Ok(count @ 1..) = decoder.read(&mut chunk) {
        length += count;
        if length > max_bytes {
            return None;
        }
    }
    Some(length)
}

/// Takes down what would be painted, and whether anything would be.
struct Collector<'l>(Page, bool, &'l Limits);

impl Device<'_> for Collector<'_> {
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'_>, mode: &DrawMode) {
        self.1 = true;
        let bounds = props.transform.transform_rect_bbox(path.bounding_box());
        match mode {
            DrawMode::Invisible => {}
            _ if bounds.width() < THIN_POINTS || bounds.height() < THIN_POINTS => {
                self.0.add_rule((bounds.x0, bounds.y0), (bounds.x1, bounds.y1), self.2);
            }
            DrawMode::Fill(_) => self.thin_shapes(path, props.transform),
            DrawMode::Stroke(_) | DrawMode::FillAndStroke(..) => self.segments(path, props.transform),
        }
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, _: &DrawMode) {
        self.1 = true;
        for glyph in run.glyphs() {
            let place = props.transform * glyph.transform();
            let width = match &**glyph {
                PdfGlyph::Outline(outline) => outline.advance_width(),
                PdfGlyph::Type3(shape) => shape.advance_width(),
            };
            let text = match glyph.as_unicode() {
                Some(BfString::Char(c)) => c.to_string(),
                Some(BfString::String(text)) => text,
                None => continue,
            };
            let origin = place * Point::ORIGIN;
            // Glyph space is a thousandth of the em; a Type 3 font may choose another, and then writes in whole ems.
            let unit = |units: f64| (place * Point::new(0.0, units) - origin).hypot();
            let whole_em = unit(1.0);
            let is_whole = matches!(&**glyph, PdfGlyph::Type3(_)) && whole_em > READABLE_POINTS;
            let size = if is_whole { whole_em } else { unit(1_000.0) };
            let advance = place * Point::new(f64::from(width.unwrap_or(0.0)), 0.0) - origin;
            self.0.add_glyph(Glyph { x: origin.x, y: origin.y, width: advance.hypot(), size, text: unified(&text) }, self.2);
        }
    }

    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}
    fn draw_image(&mut self, _: Image<'_, '_>, _: ImageDrawProps<'_>) {
        self.1 = true;
    }
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

impl Collector<'_> {
    /// Lines drawn as thin filled rectangles, many in one path.
    fn thin_shapes(&mut self, path: &BezPath, transform: Affine) {
        for shape in path.elements().chunk_by(|_, next| !matches!(next, PathEl::MoveTo(_))) {
            let is_rectangle = shape.len() <= 6 && !shape.iter().any(|element| matches!(element, PathEl::QuadTo(..) | PathEl::CurveTo(..)));
            if is_rectangle && matches!(shape.first(), Some(PathEl::MoveTo(_))) {
                let bounds = transform.transform_rect_bbox(BezPath::from_vec(shape.to_vec()).bounding_box());
                if bounds.width() < THIN_POINTS || bounds.height() < THIN_POINTS {
                    self.0.add_rule((bounds.x0, bounds.y0), (bounds.x1, bounds.y1), self.2);
                }
            }
        }
    }

    fn segments(&mut self, path: &BezPath, transform: Affine) {
        let (mut start, mut at) = (Point::ORIGIN, Point::ORIGIN);
        for element in path.elements() {
            let next = match element {
                PathEl::MoveTo(to) => {
                    start = *to;
                    at = *to;
                    continue;
                }
                PathEl::LineTo(to) => *to,
                PathEl::ClosePath => start,
                PathEl::QuadTo(_, to) | PathEl::CurveTo(_, _, to) => {
                    at = *to;
                    continue;
                }
            };
            let (from, to) = (transform * at, transform * next);
            self.0.add_rule((from.x, from.y), (to.x, to.y), self.2);
            at = next;
        }
    }
}

/// Fonts that share a glyph between 工 and the radical ⼯ give back the radical, and those of 长 and 车 as well, which Unicode's
/// normal forms leave as they are.
fn unified(text: &str) -> String {
    text.chars()
        .flat_map(|c| match c {
            '\u{2E80}'..='\u{2EFF}' => vec![supplementary(c)],
            '\u{2F00}'..='\u{2FDF}' => c.nfkc().collect(),
            _ => vec![c],
        })
        .filter(|c| !c.is_control())
        .collect()
}

/// The character that a supplementary radical is the same shape as (Unicode, EquivalentUnifiedIdeograph.txt), for those that are
/// words by themselves.
fn supplementary(radical: char) -> char {
    const WORDS: &str = "⺁厂⺇几⺒巳⺕彐⺛旡⺝月⺞歹⺟母⺠民⺩王⺪疋⺫目⺬示⺮竹⺶羊⺷羊⺻聿⺼肉⺽臼⻁虎⻄西⻅见⻆角⻇角⻉贝⻊足⻋车⻑長⻒镸⻓长⻔门⻗雨⻘青⻙韦⻚页⻛风⻜飞⻝食⻞食⻡首⻢马⻣骨⻤鬼⻥鱼⻦鸟⻧卤⻨麦⻩黄⻪黾⻫斉⻬齐⻭歯⻮齿⻯竜⻰龙⻱龜⻲亀⻳龟⺌小⺎尢⺏尢⺓幺⺢水⺦丬⻌辶⻍辶⻎辶";
    let mut pairs = WORDS.chars();
    while let (Some(from), Some(to)) = (pairs.next(), pairs.next()) {
        if from == radical {
            return to;
        }
    }
    radical
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PDF of one page with this content.
    fn pdf(content: &str) -> Vec<u8> {
        let objects = [
            "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
            "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<<>>>>".to_owned(),
            format!("<</Length {}>>stream\n{content}\nendstream", content.len()),
        ];
        let mut made = "%PDF-1.4\n".to_owned();
        let mut places = Vec::new();
        for (number, object) in (1..).zip(&objects) {
            places.push(made.len());
            made += &format!("{number} 0 obj{object}endobj\n");
        }
        let table: String = places.iter().map(|place| format!("{place:010} 00000 n \n")).collect();
        let end = format!("xref\n0 5\n0000000000 65535 f \n{table}trailer<</Size 5/Root 1 0 R>>\nstartxref\n{}\n%%EOF\n", made.len());
        (made + &end).into_bytes()
    }

    fn rules(content: &str) -> usize {
        pages(&pdf(content), &Limits::default()).unwrap().0[0].rules.len()
    }

    #[test]
    fn a_table_drawn_as_one_path_keeps_all_its_lines() {
        let cells: String = (0..120).map(|cell| format!("{} {} 60 10 re ", 20 + cell % 8 * 60, 20 + cell / 8 * 10)).collect();
        assert_eq!(rules(&format!("{cells} S")), 480);
        let borders: String = (0..50).map(|row| format!("20 {} 500 0.5 re ", 20 + row * 12)).collect();
        assert_eq!(rules(&format!("{borders} f")), 50);
        assert_eq!(rules("20 20 500 300 re 40 40 20 20 re f"), 0, "a coloured ground is no line");
    }

    #[test]
    fn radicals_that_fonts_give_back_become_the_words_they_look_like() {
        assert_eq!(unified("⻓春⻋⻔⻢⻰⻩⻛⻚⼯⺠"), "长春车门马龙黄风页工民");
        assert_eq!(unified("长春"), "长春");
    }
}
