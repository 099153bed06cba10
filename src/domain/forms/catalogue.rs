//! The form catalogue: which fields a form has, how they are labelled, what they must hold. Read from `config/forms/*.toml`.

use serde::{Deserialize, Serialize};

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

/// Reads one form.
///
/// # Errors
/// Every mistake found.
pub fn parse(text: &str) -> Result<Form, Vec<String>> {
    toml::from_str(text).map_err(|error| vec![error.to_string()])
}

impl Catalogue {
    /// The forms built into the binary.
    #[must_use]
    pub fn shipped() -> Self {
        Self::default()
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
