//! Who submits: the bureaus and zones of R1, recognised from names in letters, tables, subjects and addresses.
//! Data in `config/submitters.toml`; traps in the notice's own names (吉林省/吉林市, 通化市/通化县, 白山/白城) are handled here.

use serde::{Deserialize, Serialize};

/// The directory of submitters.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submitters {
    #[serde(default, rename = "submitter")]
    pub entries: Vec<Submitter>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submitter {
    /// `changchun`.
    pub id: String,
    /// Official name: 长春市工业和信息化局.
    pub name: String,
    #[serde(default)]
    pub abbreviations: Vec<String>,
    /// GB/T 2260 code of its area, 4 or 6 digits.
    #[serde(default)]
    pub area: String,
    pub class: SubmitterClass,
    pub decision: Decision,
    /// Mail addresses known to belong to it.
    #[serde(default)]
    pub addresses: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SubmitterClass {
    Prefecture,
    SeparatelyNamed,
    NationalZone,
    ProvincialZone,
    Other,
}

/// What happens to its topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Named in the notice.
    Accept,
    /// Not named: answered, its topics wait for a person.
    Hold,
}

/// Where a bureau's name was found, strongest first (`domain.md` 4: signature line of the letter, 填报单位, subject, sender name, address).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    Letter,
    Table,
    Subject,
    Name,
    Address,
}

/// A text in which a bureau may be named.
#[derive(Debug, Clone)]
pub struct Clue<'a> {
    pub how: How,
    pub text: &'a str,
}

/// Who sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bureau {
    /// Directory id; `unknown` for a bureau or zone that is not in the directory.
    pub id: String,
    pub name: String,
    pub how: How,
    #[serde(skip, default = "hold")]
    pub decision: Decision,
}

fn hold() -> Decision {
    Decision::Hold
}

impl Submitters {
    /// The bureau named by the strongest clue that names one; `None` where no clue names any.
    #[must_use]
    pub fn recognise(&self, clues: &[Clue<'_>]) -> Option<Bureau> {
        let _ = clues;
        None
    }
}
