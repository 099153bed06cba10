//! Whatever a file does to the process that reads it, only that file is refused, its sender is told why, and the mail goes on.

use std::{
    fmt::Write as _,
    fs,
    io::{Cursor, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use annexd::{
    domain::{
        parts::FileStatus,
        verdict::{Attachment, Reading},
    },
    edge::reader::{Mail, ReaderSettings, Readers},
};

use crate::support::attached::{self, fixture, shipped};

const ANNEXD: &str = env!("CARGO_BIN_EXE_annexd");
const MIB: u64 = 1 << 20;

fn readers(program: PathBuf, timeout: Duration, memory_max_bytes: u64) -> Readers {
    Readers::children(ReaderSettings { program, processes: 1, timeout, memory_max_bytes, ocr: None }, &shipped()).unwrap()
}

/// A mail with these files attached.
fn mail(files: &[(&str, &[u8])]) -> Mail {
    Mail::Bytes(attached::mail(files))
}

fn attachment<'r>(reading: &'r Reading, name: &str) -> &'r Attachment {
    reading.attachments.iter().find(|file| file.path == name).unwrap()
}

/// The one file is refused with these words; the form beside it is read.
fn only_that_file_is_refused(reading: &Reading, name: &str, words: &str) {
    let refused = attachment(reading, name);
    let problem = refused.problem.clone().unwrap_or_default();
    assert_eq!(refused.status, FileStatus::Refused, "{problem}");
    assert!(problem.contains(words) && problem.contains('请') && problem.ends_with('。'), "{problem}");
    assert_eq!(attachment(reading, "附件1.docx").status, FileStatus::Read);
    assert_eq!(reading.drafts.len(), 1);
    assert!(reading.findings.iter().any(|finding| finding.message.contains(name) && finding.message.contains(words)));
}

/// The real reader in front of which a script stands (`misbehaving.py`).
fn misbehaving(folder: &Path, habit: &str) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile_reader/misbehaving.py");
    let program = folder.join("reader");
    fs::write(
        &program,
        format!("#!/bin/sh\nexec /usr/bin/python3 '{}' '{habit}' '{ANNEXD}' '{}'\n", script.display(), folder.join("mark").display()),
    )
    .unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}

async fn one_bad_file(habit: &str, timeout: Duration, words: &str) {
    let folder = tempfile::tempdir().unwrap();
    let readers = readers(misbehaving(folder.path(), habit), timeout, 4096 * MIB);
    let form = fixture("letters/letter.docx");
    let good = fixture("word/four_columns_1.docx");
    let mails = [("坏.docx", form.as_slice()), ("附件1.docx", good.as_slice())];
    only_that_file_is_refused(&readers.read(mail(&mails)).await.unwrap(), "坏.docx", words);
    let next = readers.read(mail(&[("附件1.docx", good.as_slice())])).await.unwrap();
    assert_eq!(next.drafts.len(), 1, "the next mail is read");
}

const LONG: Duration = Duration::from_secs(120);

#[tokio::test]
async fn a_file_that_aborts_its_reader_is_refused_alone() {
    one_bad_file("aborts", LONG, "4096MB").await;
}

#[tokio::test]
async fn a_file_that_overflows_the_stack_is_refused_alone() {
    one_bad_file("overflows its stack", LONG, "文件结构异常").await;
}

#[tokio::test]
async fn a_file_whose_reader_is_killed_is_refused_alone() {
    one_bad_file("is killed for its memory", LONG, "4096MB").await;
}

#[tokio::test]
async fn a_reader_that_is_killed_once_from_outside_costs_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let readers = readers(misbehaving(folder.path(), "is killed once"), LONG, 4096 * MIB);
    let (form, good) = (fixture("letters/letter.docx"), fixture("word/four_columns_1.docx"));
    let reading = readers.read(mail(&[("坏.docx", form.as_slice()), ("附件1.docx", good.as_slice())])).await.unwrap();
    assert!(folder.path().join("mark").exists(), "it was killed");
    assert!(
        reading.attachments.iter().all(|file| file.status == FileStatus::Read || file.status == FileStatus::Kept),
        "{:?}",
        reading.attachments
    );
    assert_eq!(reading.drafts.len(), 1);
}

#[tokio::test]
async fn a_file_that_panics_its_reader_is_refused_alone() {
    one_bad_file("panics", LONG, "文件结构异常").await;
}

#[tokio::test]
async fn a_file_whose_answer_has_no_end_is_refused_alone() {
    one_bad_file("answers without end", LONG, "48MB").await;
}

#[tokio::test]
async fn a_file_whose_reader_answers_nonsense_or_hangs_up_is_refused_alone() {
    one_bad_file("answers nonsense", LONG, "文件结构异常").await;
    one_bad_file("hangs up", LONG, "文件结构异常").await;
}

#[tokio::test]
async fn a_file_that_never_ends_is_refused_alone_when_its_time_is_up() {
    one_bad_file("loops for ever", Duration::from_secs(8), "8秒").await;
    one_bad_file("stops in the middle of its answer", Duration::from_secs(8), "8秒").await;
}

/// A sheet that is within every limit of its format and yet needs more memory than its reader is given here.
fn large_sheet() -> Vec<u8> {
    let mut rows = String::from("<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>");
    for row in 0..4_900 {
        write!(rows, "<row r=\"{}\">", row + 1).unwrap();
        (0..100).for_each(|column| write!(rows, "<c t=\"inlineStr\"><is><t>第{row}行第{column}列的内容写得长一些</t></is></c>").unwrap());
        rows.push_str("</row>");
    }
    rows.push_str("</sheetData></worksheet>");
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relations = |kind: &str, target: &str| {
        format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"{office}/{kind}\" Target=\"{target}\"/></Relationships>"
        )
    };
    let parts = [
        ("_rels/.rels", relations("officeDocument", "xl/workbook.xml")),
        ("xl/_rels/workbook.xml.rels", relations("worksheet", "worksheets/sheet1.xml")),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"{office}\"><sheets><sheet name=\"A\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
            ),
        ),
        ("xl/worksheets/sheet1.xml", rows),
    ];
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[tokio::test]
async fn a_real_file_that_wants_more_memory_than_a_reader_may_take_is_refused_alone() {
    let readers = readers(ANNEXD.into(), LONG, 96 * MIB);
    let (large, good) = (large_sheet(), fixture("word/four_columns_1.docx"));
    let reading = readers.read(mail(&[("汇总表.xlsx", large.as_slice()), ("附件1.docx", good.as_slice())])).await.unwrap();
    only_that_file_is_refused(&reading, "汇总表.xlsx", "96MB");
}
