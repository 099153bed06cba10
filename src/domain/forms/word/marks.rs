//! Check boxes in all their encodings become two signs: ☑ and ☐.
//!
//! Symbol fonts (Wingdings, Wingdings 2) draw boxes at ordinary code points; Word writes them as `w:sym`, or as text in that font.

/// A checked box.
pub const CHECKED: char = '☑';
/// An empty box.
pub const EMPTY: char = '☐';

/// Whether a font draws boxes and ticks instead of letters.
pub fn is_symbol_font(font: &str) -> bool {
    let font = font.to_ascii_lowercase();
    font.starts_with("wingdings") || font == "webdings" || font == "symbol"
}

/// What a symbol font draws at `code` (Word adds F000 to the code); `None` where it is neither box nor tick.
pub fn symbol(font: &str, code: u32) -> Option<char> {
    let font = font.to_ascii_lowercase();
    let code = if (0xF000..=0xF0FF).contains(&code) { code - 0xF000 } else { code };
    match (font.as_str(), code) {
        // Wingdings: ☒ þ(☑) ý(☒) ü(✓); ¨ o q r are empty boxes, n is the filled one.
        ("wingdings", 0xFE | 0xFD | 0x78 | 0xFC | 0x6E) => Some(CHECKED),
        ("wingdings", 0xA8 | 0x6F | 0x70 | 0x71 | 0x72 | 0xA1 | 0x6D) => Some(EMPTY),
        ("wingdings", 0x6C) => Some('●'),
        // Wingdings 2: P(✓) Q(☒) R(☑) S T(☒); £ is the empty box, ¢ the filled one.
        ("wingdings 2", 0x50 | 0x51 | 0x52 | 0x53 | 0x54 | 0xA2) => Some(CHECKED),
        ("wingdings 2", 0xA3 | 0x2A | 0x30 | 0x81 | 0xA0 | 0xA1) => Some(EMPTY),
        ("webdings", 0x61 | 0x67) => Some(CHECKED),
        ("webdings", 0x63 | 0x31) => Some(EMPTY),
        _ => None,
    }
}

/// Text typed in a symbol font, boxes and ticks made readable; other drawings are left out, Symbol's letters stay.
pub fn symbols(font: &str, text: &str) -> String {
    if font.eq_ignore_ascii_case("symbol") {
        return text.to_owned();
    }
    let drawn = |c: char| match symbol(font, u32::from(c)) {
        Some(mark) => Some(mark),
        // Chinese text is not in the font: Word draws it in another one.
        None if c.is_ascii() || ('\u{F000}'..='\u{F0FF}').contains(&c) => None,
        None => Some(c),
    };
    text.chars().filter_map(drawn).collect()
}

/// Text whose run names no font: what stands in Word's area for symbol fonts is in the font of a style, and the boxes of these fonts
/// share no codes.
pub fn of_any_font(text: &str) -> String {
    let drawn = |c: char| match u32::from(c) {
        code @ 0xF000..=0xF0FF => symbol("wingdings", code).or_else(|| symbol("wingdings 2", code)).unwrap_or(c),
        _ => c,
    };
    text.chars().map(drawn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbol_fonts_draw_boxes_at_ordinary_codes() {
        assert_eq!(symbol("Wingdings", 0xF0FE), Some(CHECKED));
        assert_eq!(symbol("Wingdings", 0xF0A8), Some(EMPTY));
        assert_eq!(symbol("Wingdings 2", 0xF052), Some(CHECKED));
        assert_eq!(symbol("Wingdings 2", 0xF0A3), Some(EMPTY));
        assert_eq!(symbol("Arial", 0x52), None);
        assert_eq!(symbols("Wingdings 2", "R企业"), "☑企业");
        assert_eq!(of_any_font("\u{F0FE}是\u{F0A8}否\u{F052}\u{F0A3}R"), "☑是☐否☑☐R");
    }
}
