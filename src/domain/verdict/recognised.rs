//! What a recogniser of characters made of a scanned formal letter: a hint for people, never a fact. It takes part in no decision
//! and stands beside what was typed, never in its place.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::{Reading, Role};
use crate::domain::{
    findings::{Audience, Finding, Severity},
    folding::{fold, one_line},
    forms::pages::scan,
    limits::Limits,
    message,
    parts::{self, File, FileStatus, FileType, Visitor},
    submitters::{Bureau, Clue, How, Submitters},
};

/// The mark that stands wherever a hint is read.
pub const MARK: &str = "识别结果，仅供参考";

/// A title's longest length; beyond, sentences have run together.
const TITLE_CHARS_MAX: usize = 100;

/// 〔2024〕 in whatever a recogniser takes its brackets for.
static NUMBER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(\p{Han}{2,10})[^\p{Han}\d]{0,2}(20\d\d)\D{1,2}第?(\d{1,5})号").ok());
static TITLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"关于[^。;:]{2,90}?的(?:推荐函|复函|函|报告|请示|通知)").ok());
/// A title whose last word was misread: 的图 for 的函.
static MISREAD_TITLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"关于[^。;:]{2,90}?的\p{Han}{1,3}\n").ok());
/// The last character lies where the seal ends, and is often misread.
static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(20\d\d年\d{1,2}月\d{1,2})(?:\p{Han}|\n)").ok());

/// What may stand in a scanned letter; each is `null` where nothing like it was recognised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recognised {
    pub number: Option<String>,
    pub title: Option<String>,
    pub bureau: Option<String>,
    /// As printed: 2024年8月15日.
    pub date: Option<String>,
    /// [`MARK`].
    pub note: String,
}

impl Recognised {
    /// Looks through recognised text; `None` where nothing in it speaks of a letter.
    #[must_use]
    pub fn of(text: &str, submitters: &Submitters) -> Option<Self> {
        // Recognisers put spaces between Chinese characters and break lines anywhere.
        let squeezed = fold(text);
        let lines: String = text.lines().map(|line| fold(line) + "\n").collect();
        let number = first(&NUMBER, &squeezed, |found| {
            let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
            // Heads run into the number where the line break between them was lost.
            let office = part(1).rsplit_once("文件").map_or(part(1), |(_, after)| after);
            format!("{office}〔{}〕{}号", part(2), part(3))
        });
        let title = first(&TITLE, &squeezed, whole)
            .or_else(|| first(&MISREAD_TITLE, &lines, whole))
            .filter(|title| title.chars().count() <= TITLE_CHARS_MAX);
        let date = DATE
            .as_ref()
            .and_then(|date| date.captures_iter(&lines).last())
            .and_then(|found| Some(format!("{}日", found.get(1)?.as_str())));
        let bureau = bureau(&lines, submitters);
        let found = Self { number, title, bureau, date, note: MARK.to_owned() };
        let parts = [&found.number, &found.title, &found.bureau, &found.date];
        parts.iter().any(|part| part.is_some()).then_some(found)
    }

    /// 文号长工信函〔2024〕37号；标题……
    fn in_words(&self) -> String {
        let parts = [("文号", &self.number), ("标题", &self.title), ("单位", &self.bureau), ("日期", &self.date)];
        let said = |(label, part): (&str, &Option<String>)| part.as_ref().map(|part| format!("{label} {}", one_line(part)));
        parts.into_iter().filter_map(said).collect::<Vec<_>>().join("；")
    }
}

/// The bureau that signs, or one that some line names: a name of the directory before one with a misread character.
fn bureau(lines: &str, submitters: &Submitters) -> Option<String> {
    let signed = submitters.recognise(&[Clue { how: How::Letter, text: lines }]);
    let is_known = |bureau: &Bureau| bureau.id != "unknown";
    let named = |line: &str| submitters.recognise(&[Clue { how: How::Letter, text: line }]).filter(is_known);
    let found = signed.clone().filter(is_known).or_else(|| lines.lines().find_map(named)).or(signed);
    found.map(|bureau| if is_known(&bureau) { bureau.name } else { put_right(bureau.name, submitters) })
}

/// The one name of the directory that differs in one character, which the recogniser has then misread; else the name as it is.
fn put_right(name: String, submitters: &Submitters) -> String {
    let mut near = submitters.entries.iter().filter(|entry| strsim::hamming(&entry.name, &name) == Ok(1));
    match (near.next(), near.next()) {
        (Some(only), None) => only.name.clone(),
        _ => name,
    }
}

fn first(pattern: &LazyLock<Option<Regex>>, text: &str, say: impl Fn(&regex::Captures<'_>) -> String) -> Option<String> {
    let found = pattern.as_ref()?.captures(text)?;
    Some(say(&found).nfc().collect())
}

fn whole(found: &regex::Captures<'_>) -> String {
    found.get(0).map_or("", |whole| whole.as_str()).replace('\n', "")
}

impl Reading {
    /// The formal letter, where it is a scan: a PDF or a picture in which nothing is typed.
    #[must_use]
    pub fn scanned_letter(&self) -> Option<&str> {
        let is_scan = |file: &&super::Attachment| {
            file.role == Role::Letter
                && file.status == FileStatus::Kept
                && file.problem.is_none()
                && matches!(file.file_type, FileType::Pdf | FileType::Image)
        };
        self.attachments.iter().find(is_scan).map(|file| file.path.as_str())
    }

    /// Adds what was recognised in the scanned letter, for people to look at.
    pub fn add_recognised(&mut self, text: &str, submitters: &Submitters) {
        let (Some(hint), Some(letter)) = (Recognised::of(text, submitters), &mut self.formal_letter) else { return };
        let base = letter.attachment.rsplit('/').next().unwrap_or_default();
        self.findings.push(Finding {
            rule: "R16".to_owned(),
            severity: Severity::Note,
            field: None,
            attachment: Some(letter.attachment.clone()),
            place: None,
            message: format!("正式文件“{base}”是扫描件（{MARK}）：{}。请以原件为准。", hint.in_words()),
            audience: Audience::Reviewer,
        });
        letter.recognised = Some(hint);
    }
}

/// Pictures of the scanned letter at `path` of a mail, as a recogniser takes them.
#[must_use]
pub fn pictures(raw: &[u8], path: &str, limits: &Limits) -> Vec<Vec<u8>> {
    let Ok(mut message) = message::parse(raw, limits) else { return Vec::new() };
    let mut seeker = Seeker { path, limits, pictures: Vec::new() };
    parts::unpack_for(&mut message, limits, &mut seeker);
    seeker.pictures
}

/// Looks into one file of a mail only.
struct Seeker<'p> {
    path: &'p str,
    limits: &'p Limits,
    pictures: Vec<Vec<u8>>,
}

impl Visitor for Seeker<'_> {
    fn refusal(&mut self, path: &str) -> Option<String> {
        let on_the_way = path == self.path || self.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        (!on_the_way).then(String::new)
    }

    fn leaf(&mut self, _: usize, mut file: File) -> File {
        if file.path == self.path {
            self.pictures = scan::pictures(file.file_type, &file.bytes, self.limits);
        }
        file.bytes = Vec::new();
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_recogniser_garbles_in_brackets_and_spaces_is_still_a_number() {
        for text in
            ["长 工 信 函 〔2024] 37 号", "长工信函[2024)37号", "长工信函 C2024〕 37 号", "长春市工业和信息化局文件 长工信函〔2024〕37号"]
        {
            let found = Recognised::of(text, &Submitters::shipped()).unwrap();
            assert_eq!(found.number.as_deref(), Some("长工信函〔2024〕37号"), "{text}");
            assert_eq!(found.note, "识别结果，仅供参考");
        }
    }

    #[test]
    fn a_recognised_page_gives_title_bureau_and_the_last_date() {
        let text = "长春市工业和信息化局\n长工信函〔2024〕37号\n关于报送聚力攻坚\n专项课题的函\n吉林省工业和信息化厅：\n按2024年7月31日通知要求，现予报送。\n长春市工业和信息化局\n2024 年 8 月 15 日\n";
        let found = Recognised::of(text, &Submitters::shipped()).unwrap();
        assert_eq!(found.title.as_deref(), Some("关于报送聚力攻坚专项课题的函"));
        assert_eq!(found.bureau.as_deref(), Some("长春市工业和信息化局"));
        assert_eq!(found.date.as_deref(), Some("2024年8月15日"));
    }

    #[test]
    fn a_bureau_with_one_misread_character_is_the_one_of_the_directory() {
        let bureau = |text: &str| Recognised::of(text, &Submitters::shipped()).unwrap().bureau;
        assert_eq!(bureau("长每市工业和信息化局\n2024年8月15日").as_deref(), Some("长春市工业和信息化局"));
        assert_ne!(bureau("长每每工业和信息化局\n2024年8月15日").as_deref(), Some("长春市工业和信息化局"));
    }

    #[test]
    fn a_picture_without_a_letter_gives_no_hint() {
        assert_eq!(Recognised::of("营业执照\n名称 甲公司", &Submitters::shipped()), None);
        assert_eq!(Recognised::of("", &Submitters::shipped()), None);
    }
}
