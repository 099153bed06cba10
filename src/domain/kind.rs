//! What kind of mail this is and whether its sender is answered (RFC 3834, `contract.md` section 3).

use serde::{Deserialize, Serialize};

/// The kind of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Submission,
    /// A later mail about topics already known.
    Correction,
    /// An enterprise wrote by itself (R2).
    EnterpriseDirect,
    /// A person wrote, nothing to read.
    NoAnnex,
    DivisionReply,
    AutoReply,
    Bounce,
    Receipt,
    Recall,
    Own,
    Bulk,
    Unreadable,
}
