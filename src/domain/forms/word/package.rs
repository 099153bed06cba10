//! From the bytes of a .docx to its main part, within limits (ECMA-376 part 2: the package); and documents that are one XML file.

use std::io::{Cursor, Read};

use quick_xml::{Reader, events::Event};
use zip::{ZipArchive, result::ZipError};

use super::{WordDocument, walk};
use crate::domain::{
    forms::{ReadProblem, sheets},
    limits::Limits,
    parts::{FileType, xml},
};

/// Below this size a part is never refused for its ratio, in bytes.
const RATIO_FLOOR_BYTES: u64 = 1 << 20;

/// Reads a .docx.
///
/// # Errors
/// Encrypted, damaged or over a limit.
pub fn read_docx(bytes: &[u8], limits: &Limits) -> Result<WordDocument, ReadProblem> {
    // Office writes an encrypted package as an OLE2 file (MS-OFFCRYPTO 2.3.4).
    if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return Err(ReadProblem::Encrypted);
    }
    let mut package = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    if package.len() > limits.package_entries_max {
        return Err(ReadProblem::Refused(format!("文档内部部件超过{}个的上限", limits.package_entries_max)));
    }
    let name = main_part(&mut package, limits)?;
    let xml = text_of(&part(&mut package, &name, limits)?)?;
    let mut document = walk::walk(&xml, limits)?;
    if xml.contains("altChunk") {
        add_chunks(&mut document, &mut package, &name, limits)?;
    }
    Ok(document)
}

/// Adds what stands in other formats inside the package (`w:altChunk`, 17.17.2): web systems put their page there, and Word turns it
/// into its own form when it saves the document.
fn add_chunks(
    document: &mut WordDocument,
    package: &mut ZipArchive<Cursor<&[u8]>>,
    main: &str,
    limits: &Limits,
) -> Result<(), ReadProblem> {
    let (folder, file) = main.rsplit_once('/').unwrap_or(("", main));
    let relations = format!("{folder}/_rels/{file}.rels");
    if package.index_for_name(&relations).is_none() {
        return Ok(());
    }
    for (kind, target) in targets(&text_of(&part(package, &relations, limits)?)?) {
        if !kind.ends_with("/aFChunk") {
            continue;
        }
        let name = if target.starts_with('/') { target.trim_start_matches('/').to_owned() } else { format!("{folder}/{target}") };
        let extension = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        if matches!(extension.as_str(), "mht" | "mhtml" | "htm" | "html" | "xhtml") && package.index_for_name(&name).is_some() {
            let page = part(package, &name, limits)?;
            document.append(WordDocument::of(sheets::read_workbook(FileType::Html, &page, limits)?));
        } else {
            document.cuts.push("文档中嵌入的另一格式的内容没有读取，请用Word或WPS打开后另存为.docx重新发送".to_owned());
        }
    }
    Ok(())
}

/// Type and target of each relationship, in order.
fn targets(xml: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut reader = Reader::from_str(xml);
    loop {
        match reader.read_event() {
            Ok(Event::Start(element) | Event::Empty(element)) => {
                found.extend(walk::attribute(&element, "Type").zip(walk::attribute(&element, "Target")));
            }
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => {}
        }
    }
}

/// Whether an XML file is a Word document: that of Word 2003, which office systems fill from templates and call .doc, or a package in
/// one file (Flat OPC).
#[must_use]
pub fn is_one_xml(bytes: &[u8]) -> bool {
    let head = sheets::text_of(bytes.get(..bytes.len().min(8 << 10)).unwrap_or_default()).to_ascii_lowercase();
    head.contains(xml::WORD_2003) || (head.contains(xml::PACKAGE) && !head.contains("progid=\"excel.sheet\""))
}

/// Reads a document that is one XML file.
///
/// # Errors
/// Damaged or over a limit.
pub fn read_one_xml(bytes: &[u8], limits: &Limits) -> Result<WordDocument, ReadProblem> {
    if bytes.len() > limits.document_max_bytes {
        return Err(ReadProblem::Refused(format!("文档内容超过{}MB的上限", limits.document_max_bytes >> 20)));
    }
    walk::walk(&sheets::text_of(bytes), limits)
}

/// The target of the package's officeDocument relationship; `word/document.xml` where none is given.
fn main_part(package: &mut ZipArchive<Cursor<&[u8]>>, limits: &Limits) -> Result<String, ReadProblem> {
    let fallback = || "word/document.xml".to_owned();
    if package.index_for_name("_rels/.rels").is_none() {
        return Ok(fallback());
    }
    let relations = targets(&text_of(&part(package, "_rels/.rels", limits)?)?);
    let main = relations.into_iter().find(|(kind, _)| kind.ends_with("/officeDocument"));
    let main = main.map(|(_, target)| target.trim_start_matches(['/', '.']).to_owned());
    Ok(main.filter(|target| package.index_for_name(target).is_some()).unwrap_or_else(fallback))
}

/// One part, unpacked; what the archive says of its size is not believed.
fn part(package: &mut ZipArchive<Cursor<&[u8]>>, name: &str, limits: &Limits) -> Result<Vec<u8>, ReadProblem> {
    let entry = package.by_name(name).map_err(damaged)?;
    let most = limits.document_max_bytes as u64;
    let by_ratio = entry.compressed_size().saturating_mul(limits.container_ratio_max as u64).max(RATIO_FLOOR_BYTES);
    let mut bytes = Vec::new();
    entry.take(most.min(by_ratio).saturating_add(1)).read_to_end(&mut bytes).map_err(|error| ReadProblem::Damaged(error.to_string()))?;
    if bytes.len() as u64 > most {
        return Err(ReadProblem::Refused(format!("文档正文解压后超过{}MB的上限", limits.document_max_bytes >> 20)));
    }
    if bytes.len() as u64 > by_ratio {
        return Err(ReadProblem::Refused(format!("文档正文的压缩比超过{}倍的上限", limits.container_ratio_max)));
    }
    Ok(bytes)
}

/// XML is UTF-8 or, with a byte order mark, UTF-16.
fn text_of(xml: &[u8]) -> Result<String, ReadProblem> {
    let (encoding, _) = encoding_rs::Encoding::for_bom(xml).unwrap_or((encoding_rs::UTF_8, 0));
    let (text, _, malformed) = encoding.decode(xml);
    if malformed {
        return Err(ReadProblem::Damaged("not valid in its encoding".to_owned()));
    }
    Ok(text.into_owned())
}

fn damaged(error: ZipError) -> ReadProblem {
    match error {
        ZipError::UnsupportedArchive(text) if text == ZipError::PASSWORD_REQUIRED => ReadProblem::Encrypted,
        error => ReadProblem::Damaged(error.to_string()),
    }
}
