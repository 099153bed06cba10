//! The form catalogue: which fields a form has, how they are labelled, what they must hold. Read from `config/forms/*.toml`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::labels::{self, LabelIndex};

/// All forms known to an installation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Catalogue {
    pub forms: Vec<Form>,
}

/// One form (annex 1) or summary table (annex 2).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// `annex1`, `annex2`; names the role of the files that hold it.
    pub id: String,
    /// Title as printed: 吉林省聚力攻坚专项课题申报表.
    pub title: String,
    /// What senders call it: 附件1.
    pub called: String,
    pub shape: Shape,
    pub fields: Vec<Field>,
    /// Its labels, ready for lookup.
    #[serde(skip)]
    pub labels: LabelIndex,
}

/// How a form lays out its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// One topic a form: label beside or above its value.
    Form,
    /// One topic a row under a header.
    Table,
}

/// One field of a form (`domain.md` 2.2 and 2.3).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub key: String,
    pub label: String,
    #[serde(default)]
    pub synonyms: Vec<String>,
    #[serde(default)]
    pub kind: FieldKind,
    #[serde(default)]
    pub need: Need,
    /// Soft limits in characters.
    #[serde(default)]
    pub min_chars: Option<usize>,
    #[serde(default)]
    pub max_chars: Option<usize>,
    /// Unit a bare number is in: 万元.
    #[serde(default)]
    pub unit: Option<String>,
    /// Choices of an enumeration or a row of check boxes.
    #[serde(default)]
    pub choices: Vec<String>,
    /// Shown in the blank form beside the label: 限500字.
    #[serde(default)]
    pub hint: Option<String>,
    /// A right value, shown to senders who must correct it.
    #[serde(default)]
    pub example: Option<String>,
    /// Heading in the blank form under which the field stands: 一、基本信息.
    #[serde(default)]
    pub section: Option<String>,
    /// How the blank form lays the field out; readers take every layout.
    #[serde(default)]
    pub layout: Layout,
}

/// Place of a field in the blank form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Two fields share a row.
    #[default]
    Half,
    /// A row of its own.
    Wide,
    /// The value under its label, in one cell.
    Below,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    #[default]
    Text,
    /// One of `choices`.
    Enum,
    /// Any of `choices`.
    Multi,
    List,
    Code,
    Uscc,
    Phone,
    Email,
    Money,
    Range,
    Date,
    Number,
}

/// R in the field lists: required, recommended, optional.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    Required,
    Recommended,
    #[default]
    Optional,
}

/// A form whose fields are judged one by one, so that one mistake does not hide the others.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    id: String,
    title: String,
    called: String,
    shape: Shape,
    fields: Vec<toml::Spanned<toml::Value>>,
}

/// Reads one form.
///
/// # Errors
/// Every mistake found, each with its line.
pub fn parse(text: &str) -> Result<Form, Vec<String>> {
    let draft: Draft = toml::from_str(text).map_err(|error| vec![error.to_string()])?;
    let mut mistakes = Vec::new();
    if !is_key(&draft.id) {
        mistakes.push(format!("id = \"{}\": lower-case letters, digits and _ only", draft.id));
    }
    for (name, value) in [("title", &draft.title), ("called", &draft.called)] {
        if value.trim().is_empty() {
            mistakes.push(format!("{name} is empty"));
        }
    }
    let mut fields = Vec::new();
    for spanned in draft.fields {
        let line = line_of(text, spanned.span().start);
        match spanned.into_inner().try_into::<Field>() {
            Ok(field) => fields.push((line, field)),
            Err(error) => mistakes.push(format!("line {line}: {}", error.message())),
        }
    }
    if fields.is_empty() {
        mistakes.push("no usable field".to_owned());
    }
    mistakes.extend(fields.iter().flat_map(|(line, field)| field_mistakes(*line, field)));
    mistakes.extend(repetitions(&fields));
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let fields = fields.into_iter().map(|(_, field)| field).collect();
    Ok(Form { id: draft.id, title: draft.title, called: draft.called, shape: draft.shape, fields, labels: LabelIndex::default() })
}

/// What is wrong with a field by itself.
fn field_mistakes(line: usize, field: &Field) -> Vec<String> {
    let mut mistakes = Vec::new();
    let mut say = |mistake: &str| mistakes.push(format!("line {line}: field `{}`: {mistake}", field.key));
    if !is_key(&field.key) {
        say("key: lower-case letters, digits and _ only");
    }
    if field.names().any(|name| labels::key_of(name).is_empty()) {
        say("a label or synonym without letters can never be found");
    }
    if field.min_chars.zip(field.max_chars).is_some_and(|(min, max)| min > max) {
        say("min_chars is greater than max_chars");
    }
    let chooses = matches!(field.kind, FieldKind::Enum | FieldKind::Multi);
    if chooses && field.choices.len() < 2 {
        say("enum and multi need at least two choices");
    }
    if !chooses && !field.choices.is_empty() {
        say("choices belong to enum and multi");
    }
    if field.choices.iter().any(|choice| choice.trim().is_empty()) {
        say("a choice is empty");
    }
    mistakes
}

/// Keys and labels that stand twice: a document's label must mean one field.
fn repetitions(fields: &[(usize, Field)]) -> Vec<String> {
    let mut mistakes = Vec::new();
    let mut keys = BTreeMap::new();
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for (line, field) in fields {
        if let Some(first) = keys.insert(field.key.as_str(), *line) {
            mistakes.push(format!("line {line}: field `{}` stands already in line {first}", field.key));
        }
        for name in field.names() {
            let other = *names.entry(labels::key_of(name)).or_insert(&field.key);
            if other != field.key {
                mistakes.push(format!("line {line}: field `{}`: label \"{name}\" means `{other}` already", field.key));
            }
        }
    }
    mistakes
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The shipped catalogue (`config/forms/`); a test holds that it parses.
const SHIPPED: [&str; 2] = [include_str!("../../../config/forms/annex1.toml"), include_str!("../../../config/forms/annex2.toml")];

impl Catalogue {
    /// The forms built into the binary.
    #[must_use]
    pub fn shipped() -> Self {
        Self { forms: SHIPPED.iter().filter_map(|text| parse(text).ok()).collect() }
    }

    #[must_use]
    pub fn form(&self, id: &str) -> Option<&Form> {
        self.forms.iter().find(|form| form.id == id)
    }
}

impl Form {
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.key == key)
    }

    /// The label people know a field by; the key itself where the form has no such field.
    #[must_use]
    pub fn label<'a>(&'a self, key: &'a str) -> &'a str {
        self.field(key).map_or(key, |field| field.label.as_str())
    }
}

impl Field {
    /// Everything a document may call the field: its label first, then the synonyms.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.label.as_str()).chain(self.synonyms.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_catalogue_holds_both_annexes_without_a_mistake() {
        for text in SHIPPED {
            assert_eq!(parse(text).err(), None);
        }
        let catalogue = Catalogue::shipped();
        let keys = |id: &str| -> Vec<String> {
            catalogue.form(id).unwrap().fields.iter().filter(|field| field.need == Need::Required).map(|field| field.key.clone()).collect()
        };
        assert_eq!(
            keys("annex1"),
            ["topic_title", "applicant", "uscc", "contact", "phone", "problem", "benchmark", "goal", "params", "benefit"]
        );
        assert_eq!(keys("annex2"), ["no", "topic_title", "applicant", "contact", "phone"]);
        assert_eq!(catalogue.form("annex1").unwrap().fields.len(), 34);
        assert_eq!(catalogue.form("annex2").unwrap().fields.len(), 19);
    }

    #[test]
    fn every_mistake_is_reported_with_its_line() {
        let text = r#"id = "Form 3"
title = ""
called = "附件3"
shape = "form"
[[fields]]
key = "a"
label = "名称"
synonyms = ["名　称"]
[[fields]]
key = "a"
label = "（）"
choices = ["甲"]
min_chars = 9
max_chars = 3
[[fields]]
key = "b"
lable = "乙"
"#;
        let mistakes = parse(text).unwrap_err().join("\n");
        for part in
            ["Form 3", "title is empty", "line 15: unknown field `lable`", "in line 5", "min_chars", "choices belong", "without letters"]
        {
            assert!(mistakes.contains(part), "{part} missing in\n{mistakes}");
        }
        let twice = r#"id = "x"
title = "t"
called = "c"
shape = "form"
fields = [{ key = "a", label = "名称" }, { key = "b", label = "乙", synonyms = ["名　称："] }]"#;
        assert_eq!(parse(twice).unwrap_err(), ["line 5: field `b`: label \"名　称：\" means `a` already"]);
    }
}
