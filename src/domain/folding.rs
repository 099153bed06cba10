//! Folding of text for comparison: the same words written in full width, with spaces or in other brackets become equal.
//! Only copies are folded; what the sender wrote is kept beside.

use unicode_normalization::UnicodeNormalization;

/// NFKC, lower case, all white space and invisible characters removed. For labels, names and titles.
#[must_use]
pub fn fold(text: &str) -> String {
    text.nfkc().filter(|c| !c.is_whitespace() && !is_invisible(*c)).flat_map(char::to_lowercase).collect()
}

/// [`fold`], keeping only letters and digits: two titles that differ in punctuation alone become equal.
#[must_use]
pub fn fold_words(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
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
    let text: String = text
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .chars()
        .filter(|c| matches!(c, '\n' | '\t') || !(c.is_control() || is_invisible(*c)))
        .collect();
    text.trim_matches(|c: char| c.is_whitespace()).to_owned()
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
    fn a_subject_with_line_breaks_becomes_one_line() {
        assert_eq!(one_line("报送\r\nBcc: x\u{202E}课题"), "报送 Bcc: x 课题");
    }

    #[test]
    fn values_keep_their_line_breaks_and_lose_nul() {
        assert_eq!(clean(" a\r\nb\0 "), "a\nb");
    }
}
