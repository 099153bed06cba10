//! The files of a mail as one flat list: parts, archive entries and the parts of inner mails, each with the way to its bytes
//! (`材料.zip/附件1-甲.docx`) and with what its bytes really are. Names and declared types are hints, never proof.

use serde::{Deserialize, Serialize};

use sha2::{Digest, Sha256};

use super::{
    hex,
    limits::Limits,
    message::{self, Message},
};
use archives::Entry;
use budget::{Budget, Trouble};
use kinds::{Container, Kind};

mod archives;
mod budget;
mod kinds;
mod names;
pub(crate) mod ole;
mod outlook;
mod plain;
#[cfg(test)]
mod tests;
mod tnef;
pub(crate) mod xml;
mod zipped;

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
    /// Decoded bytes; empty where refused, and for containers, whose entries follow.
    pub bytes: Vec<u8>,
    /// Length of the decoded bytes, also where they are not kept.
    pub size_bytes: usize,
    /// SHA-256 of the bytes, lower-case hex; empty where they could not be unpacked.
    pub sha256: String,
    pub file_type: FileType,
    /// `Kept` for readable leaves until a reader has taken them; final for containers and refusals.
    pub status: FileStatus,
    /// Why it was not read, in Chinese, for the sender: names the limit or the remedy.
    pub problem: Option<String>,
    /// Name or declared type speak of another kind than the bytes; a remark for people, in Chinese.
    pub mismatch: Option<String>,
}

/// What a mail holds, unpacked.
#[derive(Debug, Clone, Default)]
pub struct Unpacked {
    pub files: Vec<File>,
    /// Inner mails (forwarded as attachment), outermost first; their files stand in `files`.
    pub inner_mails: Vec<Message>,
    /// Limits of the mail as a whole that were passed, in Chinese, each with its figure and what to do.
    pub notes: Vec<String>,
}

/// All files of a mail: leaf parts, entries of archives, files of inner mails, nested up to the limits.
/// Junk entries (`__MACOSX`, `~$…`, `Thumbs.db`, `.DS_Store`) are left out.
#[must_use]
pub fn unpack(mut message: Message, limits: &Limits) -> Unpacked {
    unpack_for(&mut message, limits, &mut Keep)
}

/// [`unpack`], handing each file to `visitor` as soon as its bytes are there, so that they need not all be held at once. The
/// message's parts are used up.
pub fn unpack_for(message: &mut Message, limits: &Limits, visitor: &mut dyn Visitor) -> Unpacked {
    let budget = Budget::new(limits);
    let mut walk = Walk { budget: &budget, limits, out: Unpacked::default(), full: false, visitor };
    if message.truncated {
        walk.note_files_max();
    }
    for part in std::mem::take(&mut message.files) {
        let path = names::tidy(&part.name.replace(['/', '\\'], "_"));
        if !names::is_junk(&path) {
            walk.file(Found { path, bytes: part.bytes, declared_type: &part.declared_type, is_message: part.is_message }, 0);
        }
    }
    walk.out
}

/// Who looks at the files while they are unpacked.
pub trait Visitor {
    /// Asked before a file's bytes are looked into; an answer sets it aside, and tells the sender why.
    fn refusal(&mut self, path: &str) -> Option<String>;
    /// A file that is no container, at its place in the list; what is answered goes into the list, with its bytes or without.
    fn leaf(&mut self, place: usize, file: File) -> File;
}

/// Looks at nothing and keeps everything.
struct Keep;

impl Visitor for Keep {
    fn refusal(&mut self, _: &str) -> Option<String> {
        None
    }

    fn leaf(&mut self, _: usize, file: File) -> File {
        file
    }
}

/// A file on its way into the list.
struct Found<'b> {
    path: String,
    bytes: Vec<u8>,
    declared_type: &'b str,
    is_message: bool,
}

struct Walk<'l> {
    budget: &'l Budget<'l>,
    limits: &'l Limits,
    out: Unpacked,
    full: bool,
    visitor: &'l mut dyn Visitor,
}

impl Walk<'_> {
    /// Takes one file; `depth` counts the containers around it.
    fn file(&mut self, found: Found<'_>, depth: usize) {
        if self.out.files.len() >= self.limits.files_max {
            self.note_files_max();
            return;
        }
        let bytes = found.bytes.as_slice();
        let mut kind = match self.visitor.refusal(&found.path) {
            None => kinds::sniff(bytes, &found.path),
            Some(why) => {
                let file_type = kinds::by_extension(&names::extension(&found.path));
                Kind { file_type, container: None, trouble: Some((FileStatus::Refused, why)) }
            }
        };
        if kind.trouble.is_none() && found.is_message && kind.container.is_none() && !bytes.is_empty() {
            kind = Kind { file_type: FileType::Eml, container: Some(Container::Mail), trouble: None };
        }
        let (status, problem) = match (&kind.trouble, kind.container) {
            (Some((status, problem)), _) => (*status, Some(problem.clone())),
            (None, Some(_)) => (FileStatus::Container, None),
            (None, None) => (FileStatus::Kept, None),
        };
        let mut file = File {
            size_bytes: bytes.len(),
            sha256: hex::lower(&Sha256::digest(bytes)),
            bytes: Vec::new(),
            file_type: kind.file_type,
            status,
            problem,
            mismatch: kinds::mismatch(&kind, &found.path, found.declared_type),
            path: found.path,
        };
        let Some(container) = kind.container else {
            file.bytes = found.bytes;
            let file = self.visitor.leaf(self.out.files.len(), file);
            self.out.files.push(file);
            return;
        };
        let (place, path) = (self.out.files.len(), file.path.clone());
        self.out.files.push(file);
        let opened = if depth >= self.limits.depth_max {
            Err(Trouble::Refused(format!("压缩包或邮件的嵌套超过{}层的上限", self.limits.depth_max)))
        } else {
            self.open(container, &path, found.bytes, depth + 1)
        };
        if let (Err(trouble), Some(file)) = (opened, self.out.files.get_mut(place)) {
            let what = if matches!(container, Container::Mail | Container::Outlook) { "邮件" } else { "压缩包" };
            let (status, problem) = trouble.say(what);
            (file.status, file.problem) = (status, Some(problem));
        }
    }

    fn open(&mut self, container: Container, path: &str, bytes: Vec<u8>, depth: usize) -> Result<(), Trouble> {
        if container == Container::Mail {
            return self.mail(path, bytes, depth);
        }
        let budget = self.budget;
        let bytes = bytes.as_slice();
        let meter = budget.meter(bytes.len());
        let mut inner_mails = Vec::new();
        let mut sink = |entry: Entry| self.entry(path, entry, depth);
        let opened = match container {
            Container::Zip => zipped::open(bytes, &meter, &mut sink),
            Container::SevenZ => archives::open_seven_z(bytes, &meter, &mut sink),
            Container::Rar => archives::open_rar(bytes, &meter, &mut sink),
            Container::Gzip => archives::open_gzip(bytes, path, &meter, &mut sink),
            Container::Tar => archives::open_tar(bytes, &meter, &mut sink),
            Container::Tnef => tnef::open(bytes, &meter, &mut sink),
            Container::Outlook => outlook::open(bytes, &meter, &mut sink).map(|messages| inner_mails = messages),
            Container::Mail => Ok(()),
        };
        self.out.inner_mails.extend(inner_mails);
        opened
    }

    fn entry(&mut self, path: &str, entry: Entry, depth: usize) {
        let path = format!("{path}/{}", entry.name);
        match entry.content {
            Ok(bytes) => self.file(Found { path, bytes, declared_type: "", is_message: false }, depth),
            Err(trouble) => {
                if self.out.files.len() >= self.limits.files_max {
                    self.note_files_max();
                    return;
                }
                let (status, problem) = trouble.say("文件");
                self.out.files.push(File {
                    bytes: Vec::new(),
                    size_bytes: 0,
                    sha256: String::new(),
                    file_type: kinds::by_extension(&names::extension(&path)),
                    status,
                    problem: Some(problem),
                    mismatch: None,
                    path,
                });
            }
        }
    }

    /// An inner mail: its text is kept, its files join the list.
    fn mail(&mut self, path: &str, bytes: Vec<u8>, depth: usize) -> Result<(), Trouble> {
        let mut inner = message::parse(&bytes, self.limits).map_err(|_| Trouble::Damaged)?;
        drop(bytes);
        let files = std::mem::take(&mut inner.files);
        if inner.truncated {
            self.note_files_max();
        }
        self.out.inner_mails.push(inner);
        for part in files {
            let name = names::tidy(&part.name.replace(['/', '\\'], "_"));
            if names::is_junk(&name) {
                continue;
            }
            let (declared_type, is_message) = (part.declared_type.as_str(), part.is_message);
            self.file(Found { path: format!("{path}/{name}"), bytes: part.bytes, declared_type, is_message }, depth);
        }
        Ok(())
    }

    fn note_files_max(&mut self) {
        if !self.full {
            self.full = true;
            let max = self.limits.files_max;
            self.out
                .notes
                .push(format!("邮件中的文件（含压缩包内文件）超过{max}个或邮件结构过于复杂，超出部分未读取。请精简或分几封邮件重新发送。"));
        }
    }
}
