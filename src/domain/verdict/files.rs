//! The files of one mail: each is read once, gets its role, and the formal letter is found among them.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    Attachment, FormalLetter, Knowledge, Role,
    reading::{Go, mail_error},
};
use crate::domain::{
    findings::Finding,
    forms::{
        self, FormReading, ReadProblem,
        catalogue::{Catalogue, Shape},
    },
    parts::{File, FileStatus, FileType},
    reconcile::Sourced,
};

/// A file and what it says.
#[derive(Debug, Clone)]
pub struct ReadFile {
    pub file: File,
    pub reading: FormReading,
    pub role: Role,
}

/// Titles of formal letters (`domain.md` 2.4).
static LETTER_TITLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"关于(报送|征集|推荐|上报|申报|转报|呈报)[\s\S]{0,60}?的\s*(函|报告|请示|通知)").ok());
/// Document numbers: 长工信函〔2024〕37号.
static LETTER_NUMBER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(\p{Han}{2,10})\s*[〔\[【(（]\s*(20\d\d)\s*[〕\]】)）]\s*(\d{1,5})\s*号").ok());
/// Words in the names of scanned letters.
static LETTER_NAME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"函|请示|报告|通知|正式文件|红头|公文|盖章|扫描|推荐文件|报送文件").ok());

/// Reads every file that a reader can take.
pub fn read_files(files: Vec<File>, knowledge: &Knowledge, watch: &mut dyn FnMut(&str) -> Go) -> Vec<ReadFile> {
    let mut read = |mut file: File| {
        if file.status == FileStatus::Kept && watch(&file.path) == Go::SetAside {
            file.status = FileStatus::Refused;
            file.problem = Some("读取该文件时超出时间或内存限度，文件未读取。请确认文件正常，另存后重新发送。".to_owned());
        }
        read_file(file, knowledge)
    };
    files.into_iter().map(&mut read).collect()
}

fn read_file(mut file: File, knowledge: &Knowledge) -> ReadFile {
    if file.status != FileStatus::Kept {
        let role = if file.status == FileStatus::Container { Role::Container } else { Role::Other };
        return ReadFile { file, reading: FormReading::default(), role };
    }
    match forms::read_file(file.file_type, &file.bytes, &knowledge.catalogue, &knowledge.limits) {
        Ok(Some(reading)) => {
            let role = role_of(&reading, &knowledge.catalogue);
            if role != Role::Other {
                file.status = FileStatus::Read;
            }
            ReadFile { file, reading, role }
        }
        Ok(None) => {
            if let Some(remedy) = unsupported(file.file_type) {
                file.status = FileStatus::Unsupported;
                file.problem = Some(remedy.to_owned());
            }
            ReadFile { file, reading: FormReading::default(), role: Role::Other }
        }
        Err(problem) => {
            (file.status, file.problem) = say(problem);
            ReadFile { file, reading: FormReading::default(), role: Role::Other }
        }
    }
}

/// What to do about formats that could hold an annex but have no reader.
fn unsupported(file_type: FileType) -> Option<&'static str> {
    match file_type {
        FileType::Doc | FileType::Wps => Some("本系统暂不能读取旧版Word（.doc）或WPS文字（.wps）格式，请另存为.docx后重新发送。"),
        FileType::Xls | FileType::Et | FileType::Csv | FileType::Html | FileType::Xml => {
            Some("本系统暂不能读取该表格格式，请另存为.xlsx后重新发送。")
        }
        _ => None,
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
    /// Its text carries a letter's title or number.
    #[must_use]
    pub fn looks_like_letter(&self) -> bool {
        self.role == Role::Other
            && !self.reading.text.is_empty()
            && (matches(&LETTER_TITLE, &self.reading.text) || matches(&LETTER_NUMBER, &self.reading.text))
    }

    fn base_name(&self) -> &str {
        self.file.path.rsplit('/').next().unwrap_or(&self.file.path)
    }

    /// Scans have no text: a name that speaks of a letter, else, in a mail with annexes, any scan not called an annex.
    fn could_be_scan(&self) -> bool {
        self.role == Role::Other
            && matches!(self.file.file_type, FileType::Pdf | FileType::Ofd | FileType::Image)
            && self.file.status == FileStatus::Kept
            && !self.file.bytes.is_empty()
    }
}

/// The formal letter: by its text, else by its name, else by elimination (R16). `texts` may name its number.
pub fn find_letter(files: &[ReadFile], texts: &[&str]) -> Option<FormalLetter> {
    let by_text = files.iter().find(|file| file.looks_like_letter());
    let by_name = || files.iter().find(|file| file.could_be_scan() && matches(&LETTER_NAME, file.base_name()));
    let has_annex = files.iter().any(|file| matches!(file.role, Role::Annex1 | Role::Annex2));
    let by_elimination = || {
        files
            .iter()
            .find(|file| has_annex && file.could_be_scan() && file.file.file_type != FileType::Image && !file.base_name().contains("附件"))
    };
    let letter = by_text.or_else(by_name).or_else(by_elimination)?;
    let number =
        std::iter::once(letter.reading.text.as_str()).chain([letter.base_name()]).chain(texts.iter().copied()).find_map(document_number);
    Some(FormalLetter { attachment: letter.file.path.clone(), number })
}

/// `长工信函〔2024〕37号`, brackets made uniform. A leading 关于… or 见 is not part of it.
fn document_number(text: &str) -> Option<String> {
    let found = LETTER_NUMBER.as_ref()?.captures(text)?;
    let (office, year, number) = (found.get(1)?.as_str(), found.get(2)?.as_str(), found.get(3)?.as_str());
    Some(format!("{office}〔{year}〕{number}号"))
}

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
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
    for file in files.iter().filter(|file| !is_letter(file)) {
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
