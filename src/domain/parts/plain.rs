//! Kinds without a signature: mails, web pages, XML, tables as text.

use super::{
    FileType,
    budget::Trouble,
    kinds::{Container, Kind, by_extension},
    xml,
};

/// How much of a file is looked at.
const HEAD_BYTES: usize = 16 << 10;

/// What a text is; what is no text is `Other`, or damaged where its name promises a format with a signature.
pub fn sniff(bytes: &[u8], extension: &str) -> Kind {
    if bytes.is_empty() {
        return empty(extension);
    }
    let Some(head) = head_text(bytes) else { return unknown(extension) };
    let start = head.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}');
    if is_mhtml(start) {
        return Kind::leaf(FileType::Html);
    }
    if is_mail(start) {
        return Kind { file_type: FileType::Eml, container: Some(Container::Mail), trouble: None };
    }
    if start.starts_with('<') {
        return markup(start, extension);
    }
    if is_table(&head) || (extension == "csv" && head.contains([',', '\t', ';'])) {
        return Kind::leaf(FileType::Csv);
    }
    unknown(extension)
}

fn empty(extension: &str) -> Kind {
    let remedy = "文件是空的（0字节）。请在本机确认文件有内容后重新发送。";
    Kind::trouble(by_extension(extension), Trouble::Unsupported(remedy.to_owned())).damaged()
}

/// Text or bytes of no known kind: damaged where the name promises more.
fn unknown(extension: &str) -> Kind {
    match by_extension(extension) {
        FileType::Other | FileType::Csv | FileType::Html | FileType::Xml | FileType::Eml => Kind::leaf(FileType::Other),
        // Office files that a company's encryption software has closed look like noise outside of it, and open well inside.
        _ => Kind::trouble(
            FileType::Other,
            Trouble::Unsupported(
                "文件的内容与后缀不符，无法打开：可能已损坏，也可能被本单位的文档加密软件加密。请在未装加密软件的电脑上确认能打开，或解密后重新发送。"
                    .to_owned(),
            ),
        )
        .damaged(),
    }
}

impl Kind {
    fn damaged(mut self) -> Self {
        if let Some((status, _)) = &mut self.trouble {
            *status = super::FileStatus::Damaged;
        }
        self
    }
}

/// The first bytes as text: UTF-16 with a mark, UTF-8, else GB18030; `None` where they are no text.
fn head_text(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..bytes.len().min(HEAD_BYTES)).unwrap_or_default();
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(head) {
        let (text, _) = encoding.decode_without_bom_handling(head.get(mark..).unwrap_or_default());
        return Some(text.into_owned());
    }
    if head.iter().filter(|byte| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n' | 0x0C | 0x1A | 0x1B)).count()
        > head.len() / 200
    {
        return None;
    }
    let text = match std::str::from_utf8(head) {
        Ok(text) => text.to_owned(),
        // A character cut in two at the end of the head is no fault.
        Err(error) if error.error_len().is_none() => String::from_utf8_lossy(head).into_owned(),
        Err(_) => encoding_rs::GB18030.decode(head).0.into_owned(),
    };
    let broken = text.chars().filter(|c| *c == '\u{FFFD}').count();
    (broken <= 1 + text.chars().count() / 100).then_some(text)
}

/// A saved web page: it says MIME-Version like a mail, but nobody sent it.
fn is_mhtml(text: &str) -> bool {
    let header = header_names(text);
    let has = |name: &str| header.iter().any(|known| known == name);
    has("content-type")
        && (has("snapshot-content-location") || has("x-document-type") || has("mime-version"))
        && !["to", "received", "message-id", "return-path", "delivered-to"].iter().any(|name| has(name))
        && text.get(..floor(text, 2_000)).is_some_and(|head| head.to_ascii_lowercase().contains("multipart/related"))
        && (!has("from") || has("snapshot-content-location") || text.contains("Saved by"))
}

/// It begins with header fields, and among them two that every mail has.
fn is_mail(text: &str) -> bool {
    let header = header_names(text);
    let known =
        ["from", "to", "cc", "subject", "date", "message-id", "received", "mime-version", "return-path", "content-type", "x-mailer"];
    let sent = ["from", "received", "return-path", "message-id", "to"];
    header.iter().filter(|name| known.contains(&name.as_str())).count() >= 2 && header.iter().any(|name| sent.contains(&name.as_str()))
}

/// Field names of the header block at the start, lower case; empty where the first line is none.
fn header_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (index, line) in text.lines().take(200).enumerate() {
        if line.starts_with([' ', '\t']) {
            continue;
        }
        // A mailbox file's first line (mbox).
        if index == 0 && line.starts_with("From ") {
            continue;
        }
        let Some((name, _)) = line.split_once(':') else { break };
        if name.is_empty() || name.len() > 76 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            break;
        }
        names.push(name.to_ascii_lowercase());
    }
    names
}

fn markup(text: &str, extension: &str) -> Kind {
    let head = text.get(..floor(text, 8_000)).unwrap_or(text).to_ascii_lowercase();
    if head.contains(xml::WORKBOOK_2003) && !head.contains("<html") {
        return Kind::leaf(FileType::Xml);
    }
    let is_word = head.contains(xml::WORD_2003) || head.contains(xml::PACKAGE);
    if is_word && head.starts_with("<?xml") {
        return Kind::leaf(FileType::Xml);
    }
    let is_html = ["<html", "<!doctype html", "<table", "<body", "<meta", "<head", "<div", "<style"].iter().any(|tag| head.contains(tag));
    if is_html {
        return Kind::leaf(FileType::Html);
    }
    if !head.starts_with("<?xml") && !head.contains("xmlns") {
        return Kind::leaf(FileType::Other);
    }
    match by_extension(extension) {
        FileType::Xml | FileType::Other => Kind::leaf(FileType::Xml),
        // Called an office document, and none of the kinds of XML that office programs write.
        _ => Kind::trouble(
            FileType::Xml,
            Trouble::Unsupported(
                "文件的内容是XML数据，不是其后缀所示的文档，本系统不能读取。请用Office或WPS打开后另存为.docx或.xlsx，重新发送。".to_owned(),
            ),
        ),
    }
}

/// Most lines have a tab, or two commas or semicolons.
fn is_table(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(60).collect();
    let of = |mark: char, least: usize| lines.iter().filter(|line| line.matches(mark).count() >= least).count();
    lines.len() >= 2 && [('\t', 1), (',', 2), (';', 2)].iter().any(|(mark, least)| of(*mark, *least) * 2 >= lines.len())
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
