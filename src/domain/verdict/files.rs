//! The files of one mail: each is read once, gets its role, and the formal letter is found among them.

use std::collections::BTreeMap;

use super::{
    Attachment, FormalLetter, Knowledge, Role, letter,
    reading::{Go, mail_error},
};
use crate::domain::{
    findings::{Audience, Finding, Severity},
    folding::fold,
    forms::{
        self, FormReading, ReadProblem,
        catalogue::{Catalogue, Shape},
    },
    message::Message,
    parts::{self, File, FileStatus, FileType, Unpacked, Visitor},
    reconcile::Sourced,
};

/// A file and what it says.
#[derive(Debug, Clone)]
pub struct ReadFile {
    pub file: File,
    pub reading: FormReading,
    pub role: Role,
}

/// Unpacks a mail and reads every file that a reader can take, one after the other: bytes that are read are dropped.
pub fn read_files(message: &mut Message, knowledge: &Knowledge, watch: &mut dyn FnMut(&str) -> Go) -> (Unpacked, Vec<ReadFile>) {
    let mut reader = Reader { knowledge, watch, readings: BTreeMap::new() };
    let mut unpacked = parts::unpack_for(message, &knowledge.limits, &mut reader);
    let mut readings = reader.readings;
    let with_reading = |(place, file): (usize, File)| {
        let other = if file.status == FileStatus::Container { Role::Container } else { Role::Other };
        let (reading, role) = readings.remove(&place).unwrap_or_else(|| (FormReading::default(), other));
        ReadFile { file, reading, role }
    };
    let files = std::mem::take(&mut unpacked.files).into_iter().enumerate().map(with_reading).collect();
    (unpacked, files)
}

/// Reads files while they are unpacked.
struct Reader<'k> {
    knowledge: &'k Knowledge,
    watch: &'k mut dyn FnMut(&str) -> Go,
    /// By place in the list of files.
    readings: BTreeMap<usize, (FormReading, Role)>,
}

impl Visitor for Reader<'_> {
    fn refusal(&mut self, path: &str) -> Option<String> {
        match (self.watch)(path) {
            Go::Read => None,
            Go::SetAside(why) => Some(why),
        }
    }

    fn leaf(&mut self, place: usize, file: File) -> File {
        let mut read = read_file(file, self.knowledge);
        read.file.bytes = Vec::new();
        self.readings.insert(place, (read.reading, read.role));
        read.file
    }
}

fn read_file(mut file: File, knowledge: &Knowledge) -> ReadFile {
    if file.status != FileStatus::Kept {
        return ReadFile { file, reading: FormReading::default(), role: Role::Other };
    }
    match forms::read_file(file.file_type, &file.bytes, &knowledge.catalogue, &knowledge.limits) {
        Ok(Some(reading)) => {
            let role = role_of(&reading, &knowledge.catalogue);
            if role != Role::Other || reading.decisions.is_some() {
                file.status = FileStatus::Read;
            }
            if let Some(problem) = &reading.problem {
                file.problem = Some(problem.clone());
                if role == Role::Other {
                    file.status = FileStatus::Unsupported;
                }
            }
            ReadFile { file, reading, role }
        }
        // Pictures and the like: kept, not meant to be read. What cannot be read at all was named when its kind was found.
        Ok(None) => ReadFile { file, reading: FormReading::default(), role: Role::Other },
        Err(problem) => {
            (file.status, file.problem) = say(problem);
            ReadFile { file, reading: FormReading::default(), role: Role::Other }
        }
    }
}

fn say(problem: ReadProblem) -> (FileStatus, Option<String>) {
    match problem {
        ReadProblem::Encrypted => (FileStatus::Encrypted, Some("文件设有密码，无法打开。请取消密码后重新发送。".to_owned())),
        ReadProblem::Damaged(_) => (FileStatus::Damaged, Some("文件已损坏，无法打开。请在本机确认能正常打开后重新发送。".to_owned())),
        ReadProblem::Refused(limit) => (FileStatus::Refused, Some(format!("{limit}，文件未读取。请精简后重新发送。"))),
    }
}

/// The role that the forms in a file give it.
fn role_of(reading: &FormReading, catalogue: &Catalogue) -> Role {
    let form = reading.records.first().map(|record| record.form.as_str()).or(reading.blank_form.as_deref());
    match form.and_then(|id| catalogue.form(id)).map(|form| form.shape) {
        Some(Shape::Form) => Role::Annex1,
        Some(Shape::Table) => Role::Annex2,
        None => Role::Other,
    }
}

impl ReadFile {
    /// Its text is a formal letter's.
    #[must_use]
    pub fn looks_like_letter(&self) -> bool {
        self.role == Role::Other && letter::is_letter(&self.reading.text)
    }

    fn base_name(&self) -> &str {
        self.file.path.rsplit('/').next().unwrap_or(&self.file.path)
    }

    /// A file without text that may hold a letter: a scan, or one that could not be opened.
    fn could_be_scan(&self) -> bool {
        let kind = self.is_word() || matches!(self.file.file_type, FileType::Pdf | FileType::Ofd | FileType::Image);
        self.role == Role::Other
            && kind
            && self.file.status == FileStatus::Kept
            && self.reading.text.trim().is_empty()
            && self.file.size_bytes > 0
    }

    fn is_word(&self) -> bool {
        matches!(self.file.file_type, FileType::Docx | FileType::Doc | FileType::Wps)
    }

    /// Locked or broken, but called a letter: it is said of the letter, not of some file.
    fn could_be_closed_letter(&self) -> bool {
        self.role == Role::Other
            && matches!(self.file.status, FileStatus::Encrypted | FileStatus::Damaged | FileStatus::Unsupported)
            && letter::is_called_letter(self.base_name())
    }

    /// A scan that no name speaks for: documents before pictures, and of these none as small as a signature's logo.
    fn could_be_eliminated_to(&self) -> bool {
        let large = self.file.file_type != FileType::Image || self.file.size_bytes >= PHOTO_MIN_BYTES;
        self.could_be_scan() && large && !letter::is_called_otherwise(self.base_name())
    }
}

/// A photographed page has more bytes than this.
const PHOTO_MIN_BYTES: usize = 60_000;

/// The formal letter: by its text, else by its name, else by elimination (R16). `texts` may name its number.
pub fn find_letter(files: &[ReadFile], texts: &[&str]) -> Option<FormalLetter> {
    let by_text = files.iter().filter(|file| file.looks_like_letter()).max_by_key(|file| letter::score(&file.reading.text));
    let by_name = || files.iter().find(|file| file.could_be_scan() && letter::is_called_letter(file.base_name()));
    let closed = || files.iter().find(|file| file.could_be_closed_letter());
    let has_annex = files.iter().any(|file| matches!(file.role, Role::Annex1 | Role::Annex2));
    let by_elimination = || {
        let candidates = || files.iter().filter(|file| has_annex && file.could_be_eliminated_to());
        candidates().find(|file| file.file.file_type != FileType::Image).or_else(|| candidates().next())
    };
    let found = by_text.or_else(by_name).or_else(closed).or_else(by_elimination)?;
    let number = std::iter::once(found.reading.text.as_str())
        .chain([found.base_name()])
        .chain(texts.iter().copied())
        .find_map(letter::document_number);
    Some(FormalLetter { attachment: found.file.path.clone(), number, recognised: None })
}

/// Scans, plain texts and other kinds that came in place of a form or table are asked for as documents. A scan beside a form that was
/// read is its sealed copy.
pub fn ask_for_scanned_annexes(files: &mut [ReadFile], letter: Option<&FormalLetter>, catalogue: &Catalogue) {
    let has = |role: Role| files.iter().any(|file| file.role == role);
    let (forms, tables) = (has(Role::Annex1), has(Role::Annex2));
    for file in files {
        let is_scan = file.could_be_scan();
        let of_no_kind = file.role == Role::Other && file.file.file_type == FileType::Other && file.file.status == FileStatus::Kept;
        if !(is_scan || of_no_kind) || letter.is_some_and(|letter| letter.attachment == file.file.path) {
            continue;
        }
        let missing = match annex_called(file.base_name(), catalogue) {
            Some(Shape::Form) => !forms,
            Some(Shape::Table) => !tables,
            None => file.is_word() && !forms && !tables,
        };
        if missing {
            let what = if is_scan {
                "文件是扫描件或图片，没有可以读取的文字。"
            } else {
                "文件不是可以读取的表格或文档格式。"
            };
            let remedy = "请将填写好的申报表以.docx格式、汇总表以.xlsx格式作为附件发送，盖章扫描件可同时附上。";
            (file.file.status, file.file.problem) = (FileStatus::Unsupported, Some(format!("{what}{remedy}")));
        }
    }
}

/// Which annex the name of a file speaks of: by what the catalogue calls it, or by the usual words.
fn annex_called(name: &str, catalogue: &Catalogue) -> Option<Shape> {
    let folded = fold(name);
    let called = catalogue.forms.iter().find(|form| folded.contains(&fold(&form.called))).map(|form| form.shape);
    let says = |words: &[&str]| words.iter().any(|word| folded.contains(word));
    let by_word = || match () {
        () if says(&["汇总表", "一览表"]) => Some(Shape::Table),
        () if says(&["申报表", "申报书", "申请表", "征集表", "需求表"]) => Some(Shape::Form),
        () => None,
    };
    called.or_else(by_word)
}

/// Forms and rows, each with its file, in order of appearance.
pub fn records(files: &[ReadFile], catalogue: &Catalogue) -> (Vec<Sourced>, Vec<Sourced>) {
    let all = files
        .iter()
        .flat_map(|file| file.reading.records.iter().map(|record| Sourced { attachment: file.file.path.clone(), record: record.clone() }));
    all.partition(|sourced| catalogue.form(&sourced.record.form).is_none_or(|form| form.shape == Shape::Form))
}

/// What is wrong with the files themselves.
pub fn findings(files: &[ReadFile], letter: Option<&FormalLetter>) -> Vec<Finding> {
    let is_letter = |file: &ReadFile| letter.is_some_and(|letter| letter.attachment == file.file.path);
    let mut findings = Vec::new();
    for file in files {
        findings.extend(remarks(file));
        if is_letter(file) {
            let problem = file.file.problem.as_ref();
            findings.extend(
                problem
                    .map(|problem| mail_error("R16", Some(file.file.path.clone()), format!("正式文件“{}”：{problem}", file.base_name()))),
            );
            continue;
        }
        if let Some(problem) = &file.file.problem {
            findings.push(mail_error("R14", Some(file.file.path.clone()), format!("文件“{}”：{problem}", file.base_name())));
        }
        if file.reading.blank_form.is_some() && file.reading.records.is_empty() {
            findings.push(mail_error(
                "R14",
                Some(file.file.path.clone()),
                format!("文件“{}”是空白表格，没有填写内容。请填写后重新发送。", file.base_name()),
            ));
        }
    }
    findings
}

/// What a reader has to remark about a file's content (hidden sheets and rows, formulas without a result, cut tables): for reviewers.
fn remarks(file: &ReadFile) -> impl Iterator<Item = Finding> {
    let rule = if file.role == Role::Annex1 { "R14" } else { "R15" };
    file.reading.notes.iter().map(move |note| Finding {
        rule: rule.to_owned(),
        severity: Severity::Note,
        field: None,
        attachment: Some(file.file.path.clone()),
        place: None,
        message: format!("文件“{}”：{}。", file.base_name(), note.trim_end_matches('。')),
        audience: Audience::Reviewer,
    })
}

/// The list for record and receipt.
pub fn attachments(files: Vec<ReadFile>, letter: Option<&FormalLetter>) -> Vec<Attachment> {
    files
        .into_iter()
        .map(|read| {
            let is_letter = letter.is_some_and(|letter| letter.attachment == read.file.path);
            Attachment {
                bytes: read.file.size_bytes,
                role: if is_letter { Role::Letter } else { read.role },
                status: if is_letter && !read.reading.text.is_empty() { FileStatus::Read } else { read.file.status },
                path: read.file.path,
                sha256: read.file.sha256,
                file_type: read.file.file_type,
                problem: read.file.problem,
                mismatch: read.file.mismatch,
            }
        })
        .collect()
}
