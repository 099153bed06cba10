//! A finding: what a rule of the notice has to say about one topic or one mail, where, and in plain words.

use serde::{Deserialize, Serialize};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For the record.
    Note,
    /// A person should look; the sender may be asked.
    Warning,
    /// The sender must correct it.
    Error,
}

/// Who is told about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// Something the sender can correct: it stands in the receipt.
    Sender,
    /// For reviewers only: never shown to the sender.
    Reviewer,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Number of the requirement in the notice: `R23`; `USCC` for the credit code (GB 32100-2015).
    pub rule: String,
    pub severity: Severity,
    /// Key of the field it is about.
    pub field: Option<String>,
    /// Path of the file it stands in.
    pub attachment: Option<String>,
    /// Place in that file: `Sheet1!I5`, `table 1 R3C2`.
    #[serde(rename = "where")]
    pub place: Option<String>,
    /// One Chinese sentence: what was found and what to do.
    pub message: String,
    /// Left out of the outside contract's JSON, which shows every finding.
    pub audience: Audience,
}
