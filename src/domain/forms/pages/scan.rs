//! What a scanned page looks like, as a grey picture that a recogniser of characters takes. A PDF's page is put together from the
//! images on it, turned as the page is; whatever packing the scanner chose (JPEG, JPEG 2000, CCITT fax, JBIG2, plain) the library
//! unpacks. Text and drawings are not painted: a page that has text needs no recogniser.

use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageData, ImageDrawProps, InterpreterCache, InterpreterSettings,
    LumaData, SoftMask, TransformExt as _,
    font::GlyphRun,
    hayro_syntax::{Pdf, page::Page as PdfPage},
    interpret_page,
    kurbo::{Affine, BezPath, Point, Rect},
};

use super::pdf::refuse_bombs;
use crate::domain::{limits::Limits, parts::FileType};

/// Longer side of the picture, in pixels: an A4 page at some 190 dots an inch, where Chinese of ordinary size is still clear.
const SIDE_PIXELS: f64 = 2_200.0;
/// Images painted on one page; scanners cut pages into strips, none into more.
const IMAGES_MAX: usize = 400;

/// Pictures of the pages that say what a formal letter is: the first and the last. Empty where there is nothing to look at.
#[must_use]
pub fn pictures(file_type: FileType, bytes: &[u8], limits: &Limits) -> Vec<Vec<u8>> {
    match file_type {
        FileType::Image if is_taken(bytes) && bytes.len() <= limits.scan_max_bytes => vec![bytes.to_vec()],
        FileType::Pdf => pages(bytes, limits).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// JPEG, PNG, TIFF: what the recogniser takes as it is.
fn is_taken(bytes: &[u8]) -> bool {
    let magics: [&[u8]; 4] = [b"\xFF\xD8\xFF", b"\x89PNG", b"II*\0", b"MM\0*"];
    magics.iter().any(|magic| bytes.starts_with(magic))
}

fn pages(bytes: &[u8], limits: &Limits) -> Option<Vec<Vec<u8>>> {
    refuse_bombs(bytes, limits).ok()?;
    let pdf = Pdf::new(bytes.to_vec()).ok()?;
    let pages = pdf.pages();
    let last = pages.last().filter(|_| pages.len() > 1);
    let cache = InterpreterCache::new();
    let chosen = pages.first().into_iter().chain(last);
    Some(chosen.filter_map(|page| picture(&pdf, page, &cache, limits)).collect())
}

/// One page as a portable grey map (PGM); `None` where no image lies on it.
fn picture<'p>(pdf: &'p Pdf, page: &'p PdfPage<'p>, cache: &'p InterpreterCache<'p>, limits: &Limits) -> Option<Vec<u8>> {
    let (width, height) = page.render_dimensions();
    let (width, height) = (f64::from(width), f64::from(height));
    if !(1.0..100_000.0).contains(&width) || !(1.0..100_000.0).contains(&height) {
        return None;
    }
    let scale = SIDE_PIXELS / width.max(height);
    let transform = Affine::scale(scale) * page.initial_transform(true).to_kurbo();
    let bounds = Rect::new(0.0, 0.0, width * scale, height * scale);
    let mut context = Context::new(transform, bounds, cache, pdf.xref(), InterpreterSettings::default());
    let mut canvas = Canvas::new(pixels(width * scale), pixels(height * scale), limits.scan_max_pixels);
    interpret_page(page, &mut context, &mut canvas);
    (canvas.images > 0).then(|| canvas.into_pgm())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a picture may measure")]
fn pixels(length: f64) -> usize {
    length.round().clamp(1.0, SIDE_PIXELS) as usize
}

/// White paper on which images are laid.
struct Canvas {
    width: usize,
    height: usize,
    grey: Vec<u8>,
    images: usize,
    pixels_max: usize,
}

impl Canvas {
    fn new(width: usize, height: usize, pixels_max: usize) -> Self {
        Self { width, height, grey: vec![255; width * height], images: 0, pixels_max }
    }

    fn into_pgm(self) -> Vec<u8> {
        let mut picture = format!("P5 {} {} 255\n", self.width, self.height).into_bytes();
        picture.extend(self.grey);
        picture
    }

    /// Lays an image: `ink` answers darkness (0 to 255) and cover (0 to 255) of one of its pixels.
    fn lay(&mut self, placed: Affine, size: (u32, u32), ink: impl Fn(usize, usize) -> Option<(u8, u8)>) {
        let (columns, rows) = (f64::from(size.0), f64::from(size.1));
        let inverse = placed.inverse();
        if !inverse.as_coeffs().iter().all(|value| value.is_finite()) {
            return;
        }
        let looks: &[(f64, f64)] = if inverse.determinant().abs().sqrt() > REDUCED { &LOOKS } else { &LOOK };
        let covered = placed.transform_rect_bbox(Rect::new(0.0, 0.0, columns, rows));
        let from = |value: f64, most: usize| pixels_from(value).min(most);
        let (left, right) = (from(covered.x0.floor(), self.width), from(covered.x1.ceil(), self.width));
        let (top, bottom) = (from(covered.y0.floor(), self.height), from(covered.y1.ceil(), self.height));
        for y in top..bottom {
            for x in left..right {
                let Some(paper) = self.grey.get_mut(y * self.width + x) else { continue };
                *paper = mixed(*paper, (x, y), looks, &inverse, (columns, rows), &ink);
            }
        }
        self.images += 1;
    }
}

/// An image that is not made smaller by more than this is looked at once a pixel.
const REDUCED: f64 = 1.3;
const LOOK: [(f64, f64); 1] = [(0.5, 0.5)];
/// Four looks into a pixel keep thin strokes when an image is made smaller.
const LOOKS: [(f64, f64); 4] = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)];

fn mixed(
    paper: u8,
    (x, y): (usize, usize),
    looks: &[(f64, f64)],
    inverse: &Affine,
    (columns, rows): (f64, f64),
    ink: &impl Fn(usize, usize) -> Option<(u8, u8)>,
) -> u8 {
    let mut sum = 0_u32;
    for (right, down) in looks {
        let at = *inverse * Point::new(coordinate(x) + right, coordinate(y) + down);
        let inside = at.x >= 0.0 && at.y >= 0.0 && at.x < columns && at.y < rows;
        let found = if inside { ink(pixels_from(at.x), pixels_from(at.y)) } else { None };
        let (grey, cover) = found.map_or((0, 0), |(grey, cover)| (u32::from(grey), u32::from(cover)));
        sum += (grey * cover + u32::from(paper) * (255 - cover)) / 255;
    }
    let count = u32::try_from(looks.len()).unwrap_or(1).max(1);
    u8::try_from(sum / count).unwrap_or(u8::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a picture's side")]
fn coordinate(pixel: usize) -> f64 {
    pixel as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "negative values become 0, large ones saturate")]
fn pixels_from(value: f64) -> usize {
    value as usize
}

fn luma(data: &LumaData, x: usize, y: usize) -> Option<u8> {
    data.data.get(y * data.width as usize + x).copied()
}

/// How bright a pixel is in red light: a red seal over a signature fades there, and black letters stay.
fn grey(data: &ImageData, x: usize, y: usize) -> Option<u8> {
    match data {
        ImageData::Luma(data) => luma(data, x, y),
        ImageData::Rgb(data) => {
            let at = (y * data.width as usize + x) * 3;
            data.data.get(at).copied()
        }
    }
}

impl<'a> Device<'a> for Canvas {
    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}
    fn draw_glyph_run(&mut self, _: &GlyphRun<'_, 'a>, _: DrawProps<'a>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        let declared = (image.width() as usize).saturating_mul(image.height() as usize);
        if declared > self.pixels_max || self.images >= IMAGES_MAX {
            return;
        }
        let placed = |(x, y): (f32, f32)| props.transform * Affine::scale_non_uniform(f64::from(x), f64::from(y));
        match image {
            Image::Raster(image) => image.with_rgba(
                |data, alpha| {
                    let ratio = |part: u32, whole: u32| f64::from(part) / f64::from(whole.max(1));
                    let (width, height) = (data.width(), data.height());
                    let masks = alpha.as_ref().map(|mask| (ratio(mask.width, width), ratio(mask.height, height)));
                    self.lay(placed(data.scale_factors()), (width, height), |x, y| {
                        let cover = match (&alpha, masks) {
                            (Some(mask), Some((right, down))) => {
                                luma(mask, pixels_from(coordinate(x) * right), pixels_from(coordinate(y) * down)).unwrap_or(255)
                            }
                            _ => 255,
                        };
                        Some((grey(&data, x, y)?, cover))
                    });
                },
                None,
            ),
            // A black and white scan is often a stencil through which black is painted.
            Image::Stencil(image) => image.with_stencil(
                |data, _| {
                    let (factors, size) = (data.scale_factors, (data.width, data.height));
                    self.lay(placed(factors), size, |x, y| Some((0, luma(&data, x, y)?)));
                },
                None,
            ),
        }
    }
}
