//! Summary tables in PDF without ruled columns (`tests/fixtures/make/letters_aligned.py`): read exactly, or refused with the
//! request for a spreadsheet; never a row put together wrongly.

use std::{collections::BTreeMap, fs, path::Path};

use annexd::domain::{
    forms::{self, FormReading, catalogue::Catalogue},
    limits::Limits,
    parts::{FileStatus, FileType},
    verdict::{self, Knowledge, Role},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

type Rows = Vec<BTreeMap<String, String>>;

fn fixtures() -> Vec<(String, Vec<u8>, Option<Rows>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/aligned");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".pdf"));
    names.sort();
    let truth = |name: &str| serde_json::from_slice(&fs::read(folder.join(format!("{name}.json"))).unwrap()).unwrap();
    names.into_iter().map(|name| (name.clone(), fs::read(folder.join(&name)).unwrap(), truth(&name))).collect()
}

fn read(bytes: &[u8]) -> FormReading {
    forms::read_file(FileType::Pdf, bytes, &Catalogue::shipped(), &Limits::default()).unwrap().unwrap()
}

fn rows(reading: &FormReading) -> Rows {
    let texts = |record: &forms::Record| record.values.iter().map(|(key, value)| (key.clone(), value.text.clone())).collect();
    reading.records.iter().map(texts).collect()
}

#[test]
fn a_table_told_by_white_space_is_read_exactly_or_not_at_all() {
    let mut wrong = Vec::new();
    let mut read_whole = 0;
    for (name, bytes, truth) in fixtures() {
        let reading = read(&bytes);
        match truth {
            Some(rows_put_in) => {
                read_whole += 1;
                if rows(&reading) != rows_put_in || reading.problem.is_some() {
                    wrong.push(format!("{name}: {:?}\n{:#?}", reading.problem, rows(&reading)));
                } else if !reading.notes.iter().any(|note| note.contains("按文字的位置分栏读取")) {
                    wrong.push(format!("{name}: nobody is told how it was read"));
                }
            }
            None => {
                let problem = reading.problem.clone().unwrap_or_default();
                if !reading.records.is_empty() || !problem.contains("请改发Excel格式") {
                    wrong.push(format!("{name}: {problem} {:#?}", rows(&reading)));
                }
            }
        }
    }
    assert!(read_whole >= 8, "{read_whole}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_sender_is_asked_for_the_spreadsheet_where_a_table_is_in_doubt() {
    let (_, bytes, _) = fixtures().into_iter().find(|(name, ..)| name == "doubt-rows.pdf").unwrap();
    let (name, body) = (STANDARD.encode("汇总表.pdf"), STANDARD.encode(bytes));
    let mail = format!(
        "From: gxj@example.cn\r\nTo: kjc@example.cn\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=\"=?UTF-8?B?{name}?=\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}\r\n"
    );
    let reading = verdict::read(mail.as_bytes(), &Knowledge { catalogue: Catalogue::shipped(), ..Knowledge::default() });
    let file = &reading.attachments[0];
    assert_eq!((file.role, file.status), (Role::Other, FileStatus::Unsupported));
    let told = reading.findings.iter().find(|finding| finding.rule == "R14").unwrap();
    assert!(
        told.message.starts_with("文件“汇总表.pdf”：第1页的汇总表没有完整的表格线") && told.message.ends_with("汇总表。"),
        "{}",
        told.message
    );
}

#[test]
fn letters_and_forms_in_columns_of_text_are_not_taken_for_tables() {
    for name in ["letter.pdf", "form-plain.pdf", "form.pdf", "summary.pdf", "letter-unembedded.pdf"] {
        let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/letters").join(name)).unwrap();
        let reading = read(&bytes);
        assert_eq!(reading.problem, None, "{name}");
        assert!(!reading.notes.iter().any(|note| note.contains("按文字的位置")), "{name}");
    }
}
