//! Labels and values in running text: `标签：值` lines, and headings whose section is the value.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;

use super::{
    super::{
        Value,
        catalogue::FieldKind,
        labels::{LabelMatch, Labels},
        word::{Block, WordDocument},
    },
    Mention, cells, choices, instructions, parts, unit_of, values,
};
use crate::domain::{folding, limits::Limits};

/// A value that long on its label's own line goes on in the next paragraph, in characters.
const GOES_ON_FROM_CHARS: usize = 40;
/// A longer paragraph is no heading, in characters.
const HEADING_MAX_CHARS: usize = 30;

static HEADING: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?:(第?[一二三四五六七八九十]{1,3}(?:[、.]|部分))|(\([一二三四五六七八九十]{1,3}\)))").ok());

/// Notes below a form: 注：本表一式三份.
static NOTE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?:备?注|说明|填表说明|填报说明|填写说明)(?:[:：]|\d|[一二三])|^填[表报写]说明$").ok());

/// The section that is open: text that follows belongs to it.
struct Open<'a> {
    mention: usize,
    /// Raw text gathered so far.
    text: String,
    /// Depth of its heading's numbering, if it has one.
    level: Option<u8>,
    goes_on: bool,
    label: LabelMatch<'a>,
    also: Option<usize>,
    field: &'a super::Field,
}

/// Walks the blocks of a document.
pub struct Flow<'a, 'd> {
    document: &'d WordDocument,
    labels: &'d Labels<'a>,
    limits: &'d Limits,
    mentions: Vec<Mention<'a>>,
    open: Option<Open<'a>>,
    /// Fields that have a heading of their own somewhere: the same words inside another section are text.
    headed: BTreeSet<String>,
    /// Blocks that tell how to fill the form in.
    instructions: BTreeSet<usize>,
    paragraphs: usize,
}

impl<'a, 'd> Flow<'a, 'd> {
    pub fn new(document: &'d WordDocument, labels: &'d Labels<'a>, limits: &'d Limits) -> Self {
        let headings = document.blocks.iter().filter_map(|block| if let Block::Paragraph(text) = block { labels.find(text) } else { None });
        let headed = headings.map(|label| label.field.key.clone()).collect();
        let line = |block: &'d Block| if let Block::Paragraph(text) = block { text.as_str() } else { "" };
        let instructions = instructions::among(&document.blocks.iter().map(line).collect::<Vec<_>>(), labels);
        Self { document, labels, limits, mentions: Vec::new(), open: None, headed, instructions, paragraphs: 0 }
    }

    pub fn finish(mut self) -> Vec<Mention<'a>> {
        self.close();
        self.mentions
    }

    pub fn paragraph(&mut self, block: usize, text: &str) {
        self.paragraphs += 1;
        if self.instructions.contains(&block) {
            self.close();
            return;
        }
        let (before, mut found) = parts::split(self.labels, text);
        if let Some(open) = &self.open
            && open.goes_on
        {
            let (own, headed) = (open.field.key.as_str(), &self.headed);
            let is_text = |part: &parts::Part<'a, '_>| {
                !part.heading
                    && (part.label.field.key == own || (parts::is_long(part.label.field) && headed.contains(&part.label.field.key)))
            };
            if found.first().is_some_and(is_text) {
                found.clear();
                self.append(text);
                return;
            }
        }
        if found.is_empty() {
            if self.ends_section(text) {
                self.close();
            } else {
                self.append(text);
            }
            return;
        }
        self.append(before);
        for part in found {
            self.close();
            let printed = text.get(part.label_at..part.value_at).unwrap_or_default();
            self.begin(block, printed, &part);
        }
    }

    /// A table is the value of the heading before it, unless it holds labels itself.
    pub fn table(&mut self, block: usize, index: usize) {
        let found = cells::mentions(self.document, self.labels, self.limits, block, index);
        if found.is_empty() {
            let text = self.document.table_text(index);
            self.append(&text);
            return;
        }
        self.close();
        self.mentions.extend(found);
    }

    fn begin(&mut self, block: usize, printed: &str, part: &parts::Part<'a, '_>) {
        let mut push = |field| {
            self.mentions.push(Mention::new(field, printed, block));
            self.mentions.len() - 1
        };
        let mention = push(part.label.field);
        let also = part.label.also.map(push);
        let field = part.label.field;
        let long = parts::is_long(field)
            || part.value.chars().count() > GOES_ON_FROM_CHARS && matches!(field.kind, FieldKind::Text | FieldKind::List);
        self.open = Some(Open {
            mention,
            also,
            text: String::new(),
            level: level(printed),
            goes_on: part.value.is_empty() || long,
            label: part.label.clone(),
            field,
        });
        if !part.value.is_empty() {
            self.append(part.value);
        }
    }

    fn append(&mut self, text: &str) {
        let place = format!("paragraph {}", self.paragraphs);
        let Some(open) = &mut self.open else { return };
        let is_choice = matches!(open.field.kind, FieldKind::Enum | FieldKind::Multi);
        let goes_on = if is_choice { choices::begins_with_box(text) } else { open.goes_on };
        if text.is_empty() || (!open.text.is_empty() && !goes_on) || open.text.len() > self.limits.text_max_chars.saturating_mul(4) {
            return;
        }
        if open.text.is_empty() {
            for mention in std::iter::once(open.mention).chain(open.also) {
                if let Some(mention) = self.mentions.get_mut(mention) {
                    mention.value = Some(Value { place: place.clone(), ..Value::default() });
                }
            }
        } else {
            open.text.push('\n');
        }
        open.text.push_str(text);
    }

    /// A heading of the same or a higher level, or the document's next piece.
    fn ends_section(&self, text: &str) -> bool {
        let Some(open) = &self.open else { return false };
        let folded = folding::fold_words(text);
        if folded == folding::fold_words(&self.labels.form().title) || (folded.starts_with("附件") && folded.chars().count() < 6) {
            return true;
        }
        if NOTE.as_ref().is_some_and(|note| note.is_match(&folding::fold(text))) {
            return true;
        }
        let short = text.chars().count() <= HEADING_MAX_CHARS && !text.ends_with(['。', '；', ';', '，']);
        short && open.level.zip(level(text)).is_some_and(|(own, other)| other <= own)
    }

    /// Settles the open section's value.
    pub fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let most = self.limits.text_max_chars;
        let joint = open.also.and_then(|also| Some((also, self.mentions.get(also)?.field)));
        let settled = match joint {
            Some((also, other)) if (open.field.kind == FieldKind::Phone) != (other.kind == FieldKind::Phone) => {
                let (person, phone) = values::person_and_phone(&open.text);
                let (first, second) = if open.field.kind == FieldKind::Phone { (phone, person) } else { (person, phone) };
                self.settle(also, second);
                first
            }
            Some((also, other)) => {
                self.settle(also, values::settle(other, &open.text, most));
                values::settle(open.field, &open.text, most)
            }
            None => values::settle(open.field, &open.text, most),
        };
        if let (Some(text), Some(mention)) = (&settled, self.mentions.get_mut(open.mention))
            && let Some(value) = &mut mention.value
        {
            value.unit = unit_of(&open.label, text);
        }
        self.settle(open.mention, settled);
    }

    fn settle(&mut self, mention: usize, text: Option<String>) {
        if let Some(mention) = self.mentions.get_mut(mention) {
            mention.value = mention.value.take().zip(text).map(|(value, text)| Value { text, ..value });
        }
    }
}

/// Depth of a heading's numbering: 一、 is 1, （一） is 2.
fn level(text: &str) -> Option<u8> {
    let folded = folding::fold(text);
    let found = HEADING.as_ref()?.captures(&folded)?;
    Some(if found.get(1).is_some() { 1 } else { 2 })
}
