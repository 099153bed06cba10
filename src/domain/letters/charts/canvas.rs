//! A grey picture: patterned bars, text from the embedded characters, PNG (ISO/IEC 15948) out.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    sync::LazyLock,
};

use flate2::{Compression, Crc, read::ZlibDecoder, write::ZlibEncoder};

/// Made by `assets/make_glyphs.py`; see `assets/README.md`.
const GLYPHS: &[u8] = include_bytes!("../../../../assets/glyphs.bin");
const PAPER: u8 = 255;
const INK: u8 = 0;

/// How a bar is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    Solid,
    Striped,
    Hollow,
}

/// One character's picture: grey levels 0 (paper) to 3 (ink), row by row.
struct Glyph {
    width: usize,
    levels: Vec<u8>,
}

static CHARACTERS: LazyLock<BTreeMap<char, Glyph>> = LazyLock::new(|| unpack().unwrap_or_default());

/// `None` where the embedded file is damaged.
fn unpack() -> Option<BTreeMap<char, Glyph>> {
    let mut data = Vec::new();
    ZlibDecoder::new(GLYPHS).read_to_end(&mut data).ok()?;
    let height = usize::from(*data.first()?);
    let count = usize::from(u16::from_be_bytes(data.get(1..3)?.try_into().ok()?));
    let mut at = 3 + count * 5;
    let mut characters = BTreeMap::new();
    for entry in data.get(3..at)?.chunks_exact(5) {
        let character = char::from_u32(u32::from_be_bytes(entry.get(..4)?.try_into().ok()?))?;
        let width = usize::from(*entry.get(4)?);
        let row_bytes = width.div_ceil(4);
        let picture = data.get(at..at + row_bytes * height)?;
        let row = |row: &[u8]| -> Vec<u8> {
            row.iter().flat_map(|byte| [byte >> 6, byte >> 4 & 3, byte >> 2 & 3, byte & 3]).take(width).collect()
        };
        characters.insert(character, Glyph { width, levels: picture.chunks_exact(row_bytes).flat_map(row).collect() });
        at += row_bytes * height;
    }
    Some(characters)
}

/// A picture being drawn. What lies outside is not drawn.
pub struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![PAPER; width * height] }
    }

    fn put(&mut self, x: usize, y: usize, grey: u8) {
        if x < self.width
            && let Some(pixel) = self.pixels.get_mut(y * self.width + x)
        {
            *pixel = grey;
        }
    }

    pub fn bar(&mut self, x: usize, y: usize, width: usize, height: usize, pattern: Pattern) {
        for row in 0..height {
            for column in 0..width {
                let edge = row == 0 || column == 0 || row + 1 == height || column + 1 == width;
                let inked = match pattern {
                    Pattern::Solid => true,
                    Pattern::Striped => edge || (row + column) % 6 < 2,
                    Pattern::Hollow => edge,
                };
                if inked {
                    self.put(x + column, y + row, if pattern == Pattern::Solid { 64 } else { INK });
                }
            }
        }
    }

    /// One line, cut with … where it is too wide; `false` (and nothing drawn) where a character is not embedded.
    pub fn text(&mut self, x: usize, y: usize, text: &str, max_width: usize) -> bool {
        let glyphs: Option<Vec<&Glyph>> = text.chars().map(|character| CHARACTERS.get(&character)).collect();
        let Some(mut glyphs) = glyphs else { return false };
        if glyphs.iter().map(|glyph| glyph.width).sum::<usize>() > max_width {
            let dots = CHARACTERS.get(&'…');
            let mut room = max_width.saturating_sub(dots.map_or(0, |glyph| glyph.width));
            glyphs = glyphs
                .into_iter()
                .take_while(|glyph| {
                    let fits = glyph.width <= room;
                    room = room.saturating_sub(glyph.width);
                    fits
                })
                .chain(dots)
                .collect();
        }
        let mut left = x;
        for glyph in glyphs {
            for (row, levels) in glyph.levels.chunks(glyph.width.max(1)).enumerate() {
                for (column, level) in levels.iter().enumerate().filter(|(_, level)| **level > 0) {
                    self.put(left + column, y + row, PAPER - level * 85);
                }
            }
            left += glyph.width;
        }
        true
    }

    /// The picture as PNG, 8-bit grey.
    pub fn png(&self) -> Vec<u8> {
        let size = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        let mut header = [size(self.width), size(self.height)].concat();
        header.extend([8, 0, 0, 0, 0]);
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        for row in self.pixels.chunks(self.width.max(1)) {
            // Filter type 0. Writing to memory does not fail.
            let _ = encoder.write_all(&[0]).and_then(|()| encoder.write_all(row));
        }
        let pixels = encoder.finish().unwrap_or_default();
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        for (kind, data) in [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", Vec::new())] {
            png.extend(size(data.len()));
            let mut crc = Crc::new();
            crc.update(kind);
            crc.update(&data);
            png.extend(kind);
            png.extend(data);
            png.extend(crc.sum().to_be_bytes());
        }
        png
    }
}
