//! Damaged and hostile Word files: whatever the bytes, the reader answers in time and never panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

use std::{
    fs,
    io::{Cursor, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use annexd::domain::{
    forms::{FormReading, ReadProblem, catalogue::Catalogue, read_file},
    limits::Limits,
    parts::FileType,
};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

/// In an unoptimised build, on a busy machine.
const SLOWEST: Duration = Duration::from_secs(10);
const MUTATIONS: usize = 3_000;

fn seeds(extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/word");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    files
}

fn main_part(docx: &[u8]) -> Option<Vec<u8>> {
    let mut package = ZipArchive::new(Cursor::new(docx)).ok()?;
    let mut xml = Vec::new();
    package.by_name("word/document.xml").ok()?.read_to_end(&mut xml).ok()?;
    Some(xml)
}

fn docx_of(xml: &[u8]) -> Vec<u8> {
    let mut package = ZipWriter::new(Cursor::new(Vec::new()));
    package.start_file("word/document.xml", SimpleFileOptions::default()).unwrap();
    package.write_all(xml).unwrap();
    package.finish().unwrap().into_inner()
}

fn body(content: &str) -> Vec<u8> {
    docx_of(format!(r#"<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{content}</w:body></w:document>"#).as_bytes())
}

/// Some bytes changed, cut out, doubled or moved; tags of an XML file trade places.
fn mutate(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    for _ in 0..random.usize(1..=4) {
        if bytes.len() < 8 {
            return;
        }
        let at = random.usize(..bytes.len());
        let length = random.usize(1..=64.min(bytes.len() - at));
        match random.u8(..6) {
            0 => bytes[at] ^= 1 << random.u8(..8),
            1 => bytes[at] = random.u8(..),
            2 => drop(bytes.drain(at..at + length)),
            3 => {
                let copy = bytes[at..at + length].to_vec();
                let to = random.usize(..bytes.len());
                bytes.splice(to..to, copy);
            }
            4 => bytes[at..at + length].fill(if random.bool() { 0xFF } else { 0 }),
            _ => {
                let tags: Vec<usize> = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'<').map(|(at, _)| at).collect();
                if tags.len() > 2 {
                    let (a, b) = (tags[random.usize(..tags.len())], tags[random.usize(..tags.len())]);
                    let end = |from: usize, bytes: &[u8]| {
                        bytes[from..].iter().position(|byte| *byte == b'>').map_or(bytes.len(), |length| from + length + 1)
                    };
                    let copy = bytes[a..end(a, bytes)].to_vec();
                    bytes.splice(b..b, copy);
                }
            }
        }
    }
}

fn timed(file_type: FileType, bytes: &[u8], catalogue: &Catalogue, what: &str) -> Result<Option<FormReading>, ReadProblem> {
    let start = Instant::now();
    let reading = catch_unwind(AssertUnwindSafe(|| read_file(file_type, bytes, catalogue, &Limits::default())));
    assert!(start.elapsed() < SLOWEST, "{what} took {:?}", start.elapsed());
    reading.unwrap_or_else(|_| panic!("{what} panics the reader"))
}

#[test]
fn no_mutation_of_a_word_file_panics_or_hangs_the_reader() {
    let catalogue = Catalogue::shipped();
    let docx: Vec<Vec<u8>> = seeds("docx").iter().map(|path| fs::read(path).unwrap()).collect();
    let parts: Vec<Vec<u8>> = docx.iter().filter_map(|bytes| main_part(bytes)).collect();
    let doc: Vec<Vec<u8>> = seeds("doc").iter().map(|path| fs::read(path).unwrap()).collect();
    let mut read = 0;
    for number in 0..MUTATIONS {
        let mut random = fastrand::Rng::with_seed(number as u64);
        let (file_type, bytes) = match number % 4 {
            0 => {
                let mut bytes = docx[random.usize(..docx.len())].clone();
                mutate(&mut bytes, &mut random);
                (FileType::Docx, bytes)
            }
            1 => {
                let mut bytes = parts[random.usize(..parts.len())].clone();
                mutate(&mut bytes, &mut random);
                (FileType::Docx, docx_of(&bytes))
            }
            kind => {
                let mut bytes = doc[random.usize(..doc.len())].clone();
                mutate(&mut bytes, &mut random);
                (if kind == 2 { FileType::Doc } else { FileType::Wps }, bytes)
            }
        };
        read += usize::from(timed(file_type, &bytes, &catalogue, &format!("mutation {number}")).is_ok());
    }
    println!("{read} of {MUTATIONS} mutated files could still be read");
    assert!(read > MUTATIONS / 10, "the mutations must reach beyond the first check: {read}");
}

#[test]
fn a_bomb_is_refused_by_name() {
    let catalogue = Catalogue::shipped();
    let refused = |bytes: &[u8], words: &str| match timed(FileType::Docx, bytes, &catalogue, words) {
        Err(ReadProblem::Refused(limit)) => assert!(limit.contains(words), "{limit}"),
        other => panic!("{words}: {other:?}"),
    };
    refused(&body(&format!("<w:p><w:r><w:t>{}</w:t></w:r></w:p>", "造".repeat(3_000_000))), "压缩比超过100倍");
    refused(&body(&("<w:sdt>".repeat(5_000) + &"</w:sdt>".repeat(5_000))), "嵌套超过256层");
    let limits = Limits { document_max_chars: 10, ..Limits::default() };
    let long = body("<w:p><w:r><w:t>一二三四五六七八九十一</w:t></w:r></w:p>");
    assert_eq!(read_file(FileType::Docx, &long, &catalogue, &limits), Err(ReadProblem::Refused("文档文字超过10字".to_owned())));
}

#[test]
fn work_grows_with_the_file_and_not_with_what_it_claims() {
    let catalogue = Catalogue::shipped();
    let cell = |text: &str, properties: &str| format!("<w:tc><w:tcPr>{properties}</w:tcPr><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>");
    let row = |cells: String| format!("<w:tr>{cells}</w:tr>");
    let files = [
        (
            "spans of billions",
            row(cell("课题名称", r#"<w:gridSpan w:val="4294967295"/>"#) + &cell("造雪机", r#"<w:gridSpan w:val="4294967295"/>"#))
                .repeat(500),
        ),
        ("one merged column of many rows", (0..4_000).map(|at| row(cell("甲", r#"<w:vMerge/>"#) + &cell(&at.to_string(), ""))).collect()),
        ("labels only", row(cell("课题名称", "") + &cell("申报单位", "") + &cell("联系人", "")).repeat(2_000)),
        ("a form a row", (0..2_000).map(|at| row(cell("课题名称", "") + &cell(&format!("课题{at}研制"), ""))).collect()),
    ];
    for (what, rows) in files {
        let bytes = body(&format!("<w:tbl>{rows}</w:tbl>"));
        // Repetition compresses well: the ratio is not what is tested here.
        let limits = Limits { container_ratio_max: 100_000, ..Limits::default() };
        let start = Instant::now();
        let reading = read_file(FileType::Docx, &bytes, &catalogue, &limits);
        assert!(start.elapsed() < SLOWEST, "{what} took {:?}", start.elapsed());
        assert!(reading.is_ok(), "{what}: {reading:?}");
        println!("{what}: {:?}", start.elapsed());
    }
    let colons = body(&format!("<w:p><w:r><w:t>{}</w:t></w:r></w:p>", "联系人：".repeat(50_000)));
    let start = Instant::now();
    let limits = Limits { container_ratio_max: 100_000, ..Limits::default() };
    read_file(FileType::Docx, &colons, &catalogue, &limits).unwrap();
    println!("colons: {:?}", start.elapsed());
    assert!(start.elapsed() < SLOWEST, "colons took {:?}", start.elapsed());
}
