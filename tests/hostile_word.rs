//! Damaged and hostile Word files: whatever the bytes, the reader answers in time and never panics.

use std::{
    io::{Cursor, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use annexd::domain::{
    forms::{FormReading, ReadProblem, catalogue::Catalogue, read_file},
    limits::Limits,
    parts::FileType,
};
use zip::{ZipWriter, write::SimpleFileOptions};

/// In an unoptimised build, on a busy machine.
const SLOWEST: Duration = Duration::from_secs(10);

fn docx_of(xml: &[u8]) -> Vec<u8> {
    let mut package = ZipWriter::new(Cursor::new(Vec::new()));
    package.start_file("word/document.xml", SimpleFileOptions::default()).unwrap();
    package.write_all(xml).unwrap();
    package.finish().unwrap().into_inner()
}

fn body(content: &str) -> Vec<u8> {
    docx_of(format!(r#"<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{content}</w:body></w:document>"#).as_bytes())
}

fn timed(file_type: FileType, bytes: &[u8], catalogue: &Catalogue, what: &str) -> Result<Option<FormReading>, ReadProblem> {
    let start = Instant::now();
    let reading = catch_unwind(AssertUnwindSafe(|| read_file(file_type, bytes, catalogue, &Limits::default())));
    assert!(start.elapsed() < SLOWEST, "{what} took {:?}", start.elapsed());
    reading.unwrap_or_else(|_| panic!("{what} panics the reader"))
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
    assert_eq!(read_file(FileType::Docx, &long, &catalogue, &limits), Err(ReadProblem::Refused("文档文字超过10字的上限".to_owned())));
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
