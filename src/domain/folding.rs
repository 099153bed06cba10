//! Folding of text for comparison: the same words written in full width, with spaces or in other brackets become equal.
//! Only copies are folded; what the sender wrote is kept beside.

use unicode_normalization::UnicodeNormalization;

/// Marks that fold to themselves, the most frequent first.
const MARKS: &str = "、。≥≤“”—±×°μ《》【】·‘’〔〕";

/// NFKC, lower case, all white space and invisible characters removed. For labels, names and titles.
#[must_use]
pub fn fold(text: &str) -> String {
    folded_by_table(text)
        .unwrap_or_else(|| text.nfkc().filter(|c| !c.is_whitespace() && !is_invisible(*c)).flat_map(char::to_lowercase).collect())
}

/// [`fold`] for text of ASCII, ideographs and the usual Chinese marks alone, which is nearly all of it: none of them joins with its
/// neighbours, so that each folds by itself, many times faster. `None` for any other text.
fn folded_by_table(text: &str) -> Option<String> {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{3000}' => {}
            '\u{FF01}'..='\u{FF5E}' => {
                let narrow = char::from_u32(u32::from(c) - 0xFEE0)?;
                folded.push(narrow.to_ascii_lowercase());
            }
            '℃' => folded.push_str("°c"),
            _ if c.is_ascii() => {
                if !c.is_whitespace() {
                    folded.push(c.to_ascii_lowercase());
                }
            }
            _ if is_ideograph(c) || MARKS.contains(c) => folded.push(c),
            _ => return None,
        }
    }
    Some(folded)
}

/// Of the block that holds the common characters; all of them are letters that fold to themselves.
#[must_use]
pub const fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}')
}

/// [`fold`], keeping only letters and digits: two titles that differ in punctuation alone become equal.
#[must_use]
pub fn fold_words(text: &str) -> String {
    fold(text).chars().filter(|c| is_ideograph(*c) || c.is_alphanumeric()).collect()
}

/// One line that is safe in a header, a log, a file name or a table cell: control and bidirectional marks become spaces,
/// runs of white space become one space.
#[must_use]
pub fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() || is_invisible(c) { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A value as it is stored: NUL and other control characters but line breaks and tabs removed, line ends unified, ends trimmed.
#[must_use]
pub fn clean(text: &str) -> String {
    let is_foreign = |c: char| !matches!(c, '\n' | '\t') && (c.is_control() || is_invisible(c));
    if !text.contains(is_foreign) {
        return text.trim().to_owned();
    }
    let text: String = text.replace("\r\n", "\n").replace('\r', "\n").chars().filter(|c| !is_foreign(*c)).collect();
    text.trim().to_owned()
}

/// Zero-width and bidirectional control characters, and the byte order mark.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_and_spaces_fold_away() {
        assert_eq!(fold("名　　称（ＡＢＣ）"), "名称(abc)");
        assert_eq!(fold_words("“卡脖子”问题："), "卡脖子问题");
    }

    #[test]
    fn the_table_folds_as_the_standard_does() {
        let standard = |text: &str| -> String {
            text.nfkc().filter(|c| !c.is_whitespace() && !is_invisible(*c)).flat_map(char::to_lowercase).collect()
        };
        let mut by_table = 0;
        for c in '\0'..=char::MAX {
            // Before and behind a letter and an ideograph: nothing may join.
            for text in [format!("{c}"), format!("e{c}E"), format!("课{c}题")] {
                if let Some(folded) = folded_by_table(&text) {
                    assert_eq!(folded, standard(&text), "{c:?}");
                    by_table += 1;
                }
            }
            assert!(!is_ideograph(c) || c.is_alphanumeric());
        }
        assert!(by_table > 3 * 20_000);
        assert_eq!(folded_by_table("e\u{301}"), None, "a mark that joins is the standard's");
    }

    #[test]
    fn a_subject_with_line_breaks_becomes_one_line() {
        assert_eq!(one_line("报送\r\nBcc: x\u{202E}课题"), "报送 Bcc: x 课题");
    }

    #[test]
    fn values_keep_their_line_breaks_and_lose_nul() {
        assert_eq!(clean(" a\r\nb\0 "), "a\nb");
    }
}
