//! Tags and text of a web page, one after the other, in time that grows with its length only. Tree builders for browsers take
//! far longer on hostile pages, and a table needs no tree.

use quick_xml::escape::resolve_html5_entity;

/// Attributes kept of one tag.
const ATTRIBUTES_MAX: usize = 24;
/// Longest name of an entity.
const ENTITY_MAX_BYTES: usize = 32;

/// A piece of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// Name in lower case, attributes with names in lower case.
    Start {
        name: String,
        attributes: Vec<(String, String)>,
    },
    End(String),
    Text(&'t str),
}

/// The pieces of a page. Comments, declarations, scripts and styles are left out.
pub(super) struct Pieces<'t> {
    rest: &'t str,
}

impl<'t> Pieces<'t> {
    pub(super) fn of(page: &'t str) -> Self {
        Self { rest: page }
    }

    /// Goes behind the next `mark`, or to the end.
    fn skip_past(&mut self, mark: &str) {
        self.rest = self.rest.split_once(mark).map_or("", |(_, rest)| rest);
    }

    /// Goes to the end tag of an element whose content is no markup.
    fn skip_raw(&mut self, name: &str) {
        let mut from = self.rest;
        while let Some((_, rest)) = from.split_once("</") {
            if rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
                self.rest = rest;
                self.skip_past(">");
                return;
            }
            from = rest;
        }
        self.rest = "";
    }

    fn text(&mut self) -> Piece<'t> {
        // A `<` that begins no tag is text.
        let from = usize::from(self.rest.starts_with('<'));
        let end = self.rest.get(from..).and_then(|rest| rest.find('<')).map_or(self.rest.len(), |at| at + from);
        let (text, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        Piece::Text(text)
    }

    fn start_tag(&mut self) -> Piece<'t> {
        self.rest = self.rest.get(1..).unwrap_or_default();
        let name = self.word().to_ascii_lowercase();
        let mut attributes = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            if self.rest.is_empty() {
                break;
            }
            if let Some(rest) = self.rest.strip_prefix('>') {
                self.rest = rest;
                break;
            }
            let (key, value) = self.attribute();
            if attributes.len() < ATTRIBUTES_MAX {
                attributes.push((key.to_ascii_lowercase(), unescaped(value)));
            }
        }
        if matches!(name.as_str(), "script" | "style" | "title") {
            self.skip_raw(&name);
            return Piece::Text("");
        }
        Piece::Start { name, attributes }
    }

    fn attribute(&mut self) -> (&'t str, &'t str) {
        let key = self.word();
        if key.is_empty() {
            // A stray mark; go on behind it.
            let mut chars = self.rest.chars();
            chars.next();
            self.rest = chars.as_str();
            return ("", "");
        }
        let Some(rest) = self.rest.trim_start().strip_prefix('=') else { return (key, "") };
        self.rest = rest.trim_start();
        for quote in ['"', '\''] {
            if let Some(rest) = self.rest.strip_prefix(quote) {
                let (value, rest) = rest.split_once(quote).unwrap_or((rest, ""));
                self.rest = rest;
                return (key, value);
            }
        }
        let end = self.rest.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(self.rest.len());
        let (value, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        (key, value)
    }

    fn word(&mut self) -> &'t str {
        let end = self.rest.find(|c: char| c.is_whitespace() || "=/><\"'".contains(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        word
    }
}

impl<'t> Iterator for Pieces<'t> {
    type Item = Piece<'t>;

    fn next(&mut self) -> Option<Piece<'t>> {
        loop {
            let mut after = self.rest.strip_prefix('<').unwrap_or_default().chars();
            let next = after.next();
            if self.rest.is_empty() {
                return None;
            } else if self.rest.starts_with("<!--") {
                self.skip_past("-->");
            } else if self.rest.starts_with("<![") {
                // <![if supportMisalignedColumns]>: what Office hides from other programs; only the mark is left out.
                self.skip_past(">");
            } else if matches!(next, Some('!' | '?')) {
                self.skip_past(">");
            } else if next == Some('/') && after.next().is_some_and(|c| c.is_ascii_alphabetic()) {
                self.rest = self.rest.get(2..).unwrap_or_default();
                let name = self.word().to_ascii_lowercase();
                self.skip_past(">");
                return Some(Piece::End(name));
            } else if next.is_some_and(|c| c.is_ascii_alphabetic()) {
                return Some(self.start_tag());
            } else {
                return Some(self.text());
            }
        }
    }
}

/// Text with its entities resolved; what is no entity stays as it is.
pub(super) fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let end = after.bytes().take(ENTITY_MAX_BYTES).position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'#'));
        let end = end.unwrap_or_else(|| after.len().min(ENTITY_MAX_BYTES));
        let name = after.get(..end).unwrap_or_default();
        match entity(name) {
            Some(resolved) => {
                out.push_str(&resolved);
                let behind = after.get(end..).unwrap_or_default();
                rest = behind.strip_prefix(';').unwrap_or(behind);
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<String> {
    let Some(number) = name.strip_prefix('#') else { return resolve_html5_entity(name).map(str::to_owned) };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_falls_into_tags_and_texts() {
        let page = "<!DOCTYPE html><!-- <td> --><TD Colspan=2 x:num='3.5' NOWRAP>甲&nbsp;&lt;乙 < 3</td><style>td{}</style><br/>";
        let pieces: Vec<Piece<'_>> = Pieces::of(page).filter(|piece| *piece != Piece::Text("")).collect();
        let attributes =
            [("colspan", "2"), ("x:num", "3.5"), ("nowrap", "")].map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        assert_eq!(
            pieces,
            [
                Piece::Start { name: "td".to_owned(), attributes },
                Piece::Text("甲&nbsp;&lt;乙 "),
                Piece::Text("< 3"),
                Piece::End("td".to_owned()),
                Piece::Start { name: "br".to_owned(), attributes: Vec::new() },
            ]
        );
    }

    #[test]
    fn entities_are_resolved_and_their_likes_are_kept() {
        assert_eq!(unescaped("&ge;95&#37; &#x9644;&amp;R&D&#1234567890; a&b;"), "≥95% 附&R&D&#1234567890; a&b;");
        for broken in ["<", "<td", "<td a", "<td a=", "<td a='", "</", "<!", "<!--", "&", "<script>", "<a=\"x\">", "<td \">"] {
            assert!(Pieces::of(broken).count() < 9, "{broken}");
        }
    }
}
