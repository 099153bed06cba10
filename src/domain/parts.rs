//! The files of a mail as one flat list: parts, archive entries and the parts of inner mails, each with the way to its bytes
//! (`材料.zip/附件1-甲.docx`) and with what its bytes really are. Names and declared types are hints, never proof.

use serde::{Deserialize, Serialize};

use super::{limits::Limits, message::Message};

/// What the bytes are (`contract.md` section 3, `type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileType {
    Docx,
    Doc,
    Wps,
    Xlsx,
    Xls,
    Et,
    Ods,
    Csv,
    Html,
    Xml,
    Pdf,
    Ofd,
    Image,
    Zip,
    Rar,
    #[serde(rename = "7z")]
    SevenZ,
    Tnef,
    Eml,
    Other,
}

/// What became of a file (`contract.md` section 3, `status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileStatus {
    /// Its content was read as a form, a table or a letter.
    Read,
    /// It was opened and its entries follow in the list.
    Container,
    /// Kept, not meant to be read.
    Kept,
    /// Protected by a password.
    Encrypted,
    /// A kind that this version cannot read.
    Unsupported,
    /// Says it is one thing, cannot be opened as it.
    Damaged,
    /// Over a size limit.
    TooLarge,
    /// Over another limit (ratio, entries, depth …).
    Refused,
}

/// One file of a mail.
#[derive(Debug, Clone)]
pub struct File {
    /// The way to the bytes: names joined by `/`.
    pub path: String,
    /// Decoded bytes; empty where refused.
    pub bytes: Vec<u8>,
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
    pub file_type: FileType,
    /// `Kept` for readable leaves until a reader has taken them; final for containers and refusals.
    pub status: FileStatus,
    /// Why it was not read, in Chinese, for the sender: names the limit or the remedy.
    pub problem: Option<String>,
}

/// What a mail holds, unpacked.
#[derive(Debug, Clone, Default)]
pub struct Unpacked {
    pub files: Vec<File>,
    /// Inner mails (forwarded as attachment), outermost first.
    pub inner_mails: Vec<Message>,
}

/// All files of a mail: leaf parts, entries of archives, files of inner mails, nested up to the limits.
/// Junk entries (`__MACOSX`, `~$…`, `Thumbs.db`, `.DS_Store`) are left out.
#[must_use]
pub fn unpack(message: &Message, limits: &Limits) -> Unpacked {
    let _ = (message, limits);
    Unpacked::default()
}
