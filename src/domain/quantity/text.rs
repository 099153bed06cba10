//! A text that can be walked by place: half width, one character for each of the original, so that places agree.
//! NFKC would turn `10⁵` into `105`; superscripts stay here.

/// A text and its half-width twin.
#[derive(Debug, Clone)]
pub struct Text {
    original: Vec<char>,
    plain: Vec<char>,
}

/// What stands beyond either end.
const NOTHING: char = '\0';

impl Text {
    #[must_use]
    pub fn of(text: &str) -> Self {
        let original: Vec<char> = text.chars().collect();
        let plain = original.iter().map(|c| half_width(*c)).collect();
        Self { original, plain }
    }

    /// The character at a place in half width; NUL beyond the end.
    #[must_use]
    pub fn at(&self, place: usize) -> char {
        self.plain.get(place).copied().unwrap_or(NOTHING)
    }

    /// The character before a place.
    #[must_use]
    pub fn before(&self, place: usize) -> char {
        place.checked_sub(1).map_or(NOTHING, |place| self.at(place))
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.plain.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty()
    }

    #[must_use]
    pub fn starts_with(&self, place: usize, word: &str) -> bool {
        word.chars().enumerate().all(|(offset, c)| self.at(place + offset) == c)
    }

    /// The text before a place ends with a word.
    #[must_use]
    pub fn ends_with(&self, place: usize, word: &str) -> bool {
        word.chars().rev().zip(1..).all(|(c, back)| place.checked_sub(back).is_some_and(|at| self.at(at) == c))
    }

    /// The first place from here on that is no blank.
    #[must_use]
    pub fn skip_blanks(&self, mut place: usize) -> usize {
        while matches!(self.at(place), ' ' | '\t') {
            place += 1;
        }
        place
    }

    /// The place behind the last character before here that is no blank.
    #[must_use]
    pub fn skip_blanks_back(&self, mut place: usize) -> usize {
        while matches!(self.before(place), ' ' | '\t') {
            place -= 1;
        }
        place
    }

    /// As the sender wrote it.
    #[must_use]
    pub fn original(&self, from: usize, to: usize) -> String {
        self.original.get(from..to.min(self.original.len())).unwrap_or_default().iter().collect()
    }

    /// In half width.
    #[must_use]
    pub fn plain(&self, from: usize, to: usize) -> String {
        self.plain.get(from..to.min(self.plain.len())).unwrap_or_default().iter().collect()
    }
}

fn half_width(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '\u{3000}' | '\u{A0}' | '\u{2002}'..='\u{200A}' => ' ',
        'µ' => 'μ',
        '\u{2126}' => '\u{3A9}',
        '−' | '﹣' => '-',
        other => other,
    }
}
