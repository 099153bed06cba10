//! A text that holds labels and their values: `联系人：张三　电话：139…`, or a long cell with `1、主要问题（限500字）` inside.

use super::super::{
    catalogue::{Field, FieldKind, Layout},
    labels::{LabelMatch, Labels},
};

/// How far before a colon a label inside a line may begin, in characters.
const LABEL_BACK_CHARS: usize = 40;
/// A label before a colon, bracket or gap at the start of a line is never longer, in bytes.
const LABEL_MAX_BYTES: usize = 600;
/// A field that may hold more is a text of several sentences, in characters.
const LONG_FROM_CHARS: usize = 200;

/// A label inside a text, and what follows it up to the next one.
#[derive(Debug, Clone)]
pub struct Part<'a, 't> {
    pub label: LabelMatch<'a>,
    pub value: &'t str,
    /// Where label and value begin in the text, in bytes.
    pub label_at: usize,
    pub value_at: usize,
    /// The label stands alone on its line.
    pub heading: bool,
}

/// A field whose value runs over several sentences.
pub fn is_long(field: &Field) -> bool {
    field.layout == Layout::Below || field.max_chars.is_some_and(|most| most >= LONG_FROM_CHARS)
}

/// The text before the first label, and the parts.
pub fn split<'a, 't>(labels: &Labels<'a>, text: &'t str) -> (&'t str, Vec<Part<'a, 't>>) {
    let mut starts: Vec<Start<'a>> = Vec::new();
    let mut offset = 0;
    for line in text.split('\n') {
        let first = at_line_start(labels, line);
        let scan_from = first.as_ref().map_or(0, |start| start.value);
        starts.extend(first.map(|start| start.moved(offset)));
        starts.extend(inside_line(labels, line, scan_from).into_iter().map(|start| start.moved(offset)));
        offset += line.len() + 1;
    }
    let before = text.get(..starts.first().map_or(text.len(), |start| start.label_at)).unwrap_or_default();
    let ends: Vec<usize> = starts.iter().skip(1).map(|start| start.label_at).chain([text.len()]).collect();
    let parts = starts
        .into_iter()
        .zip(ends)
        .map(|(start, end)| Part {
            value: text.get(start.value..end).unwrap_or_default().trim(),
            label_at: start.label_at,
            value_at: start.value,
            label: start.label,
            heading: start.heading,
        })
        .collect();
    (before.trim(), parts)
}

struct Start<'a> {
    label: LabelMatch<'a>,
    label_at: usize,
    value: usize,
    heading: bool,
}

impl Start<'_> {
    fn moved(self, by: usize) -> Self {
        Self { label_at: self.label_at + by, value: self.value + by, ..self }
    }
}

/// A label at the beginning of a line: alone, before a colon, with a closing bracket, or before a wide gap.
fn at_line_start<'a>(labels: &Labels<'a>, line: &str) -> Option<Start<'a>> {
    if let Some(label) = labels.find(line) {
        return Some(Start { label, label_at: 0, value: line.len(), heading: true });
    }
    let head = line.get(..LABEL_MAX_BYTES.min(line.len())).or_else(|| line.char_indices().nth(200).and_then(|(at, _)| line.get(..at)))?;
    let start = |value: usize, label| Start { label, label_at: 0, value, heading: false };
    let mut depth = 0_usize;
    for (at, c) in head.char_indices() {
        let end = at + c.len_utf8();
        match c {
            '(' | '（' | '[' | '【' | '〔' => depth += 1,
            ')' | '）' | ']' | '】' | '〕' => {
                depth = depth.saturating_sub(1);
                let label = head.get(..end).and_then(|prefix| labels.find(prefix));
                if let Some(label) = label.filter(|label| label.hinted || label.unit.is_some()) {
                    let rest = line.get(end..).unwrap_or_default().trim_start();
                    let colon = rest.chars().next().filter(|c| matches!(c, ':' | '：')).map_or(0, char::len_utf8);
                    return Some(start(line.len() - rest.len() + colon, label));
                }
            }
            ':' | '：' if depth == 0 => return labels.find(head.get(..at)?).map(|label| start(end, label)),
            _ => {}
        }
    }
    gaps(head).filter_map(|(at, end)| Some(start(end, labels.find(head.get(..at)?)?))).last()
}

/// Wide gaps in a line: a tab, a full-width space, two spaces. Start and end of each, in bytes.
fn gaps(line: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let indented = line.len() - line.trim_start().len();
    let mut from = indented;
    std::iter::from_fn(move || {
        loop {
            let rest = line.get(from..)?;
            let at = from + rest.find(char::is_whitespace)?;
            let gap = line.get(at..)?;
            let end = at + (gap.len() - gap.trim_start().len());
            from = end;
            let blank = line.get(at..end)?;
            if end < line.len() && (blank.contains(['\t', '\u{3000}']) || blank.chars().count() > 1) {
                return Some((at, end));
            }
        }
    })
    .take(8)
}

/// Labels before a colon in the middle of a line; only of short fields, for sentences speak of 技术指标： too.
fn inside_line<'a>(labels: &Labels<'a>, line: &str, from: usize) -> Vec<Start<'a>> {
    let mut starts = Vec::new();
    let mut boundary = from;
    for (at, colon) in line.char_indices().filter(|(at, c)| *at >= from && matches!(c, ':' | '：')) {
        let Some(before) = line.get(boundary..at) else { continue };
        let nearest = before.char_indices().rev().nth(LABEL_BACK_CHARS).map_or(0, |(at, _)| at);
        let near = before.get(nearest..).unwrap_or_default();
        let begins = near.char_indices().filter(|(_, c)| is_break(*c)).map(|(at, c)| nearest + at + c.len_utf8());
        let found = begins.filter_map(|begin| Some((begin, labels.find(before.get(begin..)?)?))).find(|(_, label)| !is_long(label.field));
        if let Some((begin, label)) = found {
            let value = at + colon.len_utf8();
            starts.push(Start { label, label_at: boundary + begin, value, heading: false });
            boundary = value;
        }
    }
    starts
}

fn is_break(c: char) -> bool {
    c.is_whitespace() || matches!(c, '；' | ';' | '，' | ',' | '|' | '。')
}

/// Whether a field is one of a person or an office rather than of the topic: it says nothing about which form this is.
pub fn is_contact(field: &Field) -> bool {
    matches!(field.kind, FieldKind::Phone | FieldKind::Email | FieldKind::Date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::forms::catalogue::Catalogue;

    fn parts(text: &str) -> Vec<(String, String)> {
        let catalogue = Catalogue::shipped();
        let labels = Labels::of(catalogue.form("annex1").unwrap());
        let (_, parts) = split(&labels, text);
        parts.into_iter().map(|part| (part.label.field.key.clone(), part.value.to_owned())).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn labels_on_one_line_stand_apart() {
        let line = "联 系 人：张 三    电 话：0431-88970710；邮箱：a@example.cn";
        assert_eq!(parts(line), pairs(&[("contact", "张 三"), ("phone", "0431-88970710；"), ("email", "a@example.cn")]));
        assert_eq!(parts("课题名称\t造雪机研制"), pairs(&[("topic_title", "造雪机研制")]));
    }

    #[test]
    fn a_long_cell_falls_into_its_sections() {
        let cell = "1、主要问题（限500字）\n喷嘴结冰：难以解决。\n2、技术关键（限500字）：核化喷嘴\n3、预期目标（限500字）研制样机";
        assert_eq!(parts(cell), pairs(&[("problem", "喷嘴结冰：难以解决。"), ("content", "核化喷嘴"), ("goal", "研制样机")]));
    }

    #[test]
    fn a_sentence_with_colons_is_no_list_of_labels() {
        assert_eq!(parts("本项目的技术指标如下：效率≥95%"), pairs(&[]));
        assert_eq!(parts("提高效率， 技术指标：95%"), pairs(&[]));
    }
}
