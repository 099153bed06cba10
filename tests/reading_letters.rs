//! Formal letters, forms and tables as PDF and OFD (`tests/fixtures/make/parts_letters.py`): text where there is text, the letter by
//! elimination where not, and a plain word where a file cannot be opened.

use std::{collections::BTreeMap, fs, path::Path};

use annexd::domain::{
    forms::{self, FormReading, ReadProblem, catalogue::Catalogue},
    limits::Limits,
    parts::{FileStatus, FileType},
    verdict::{self, Knowledge, Reading, Role},
};

use crate::support::attached;

fn bytes_of(name: &str) -> Vec<u8> {
    attached::fixture(&format!("letters/{name}"))
}

fn read(name: &str) -> Result<FormReading, ReadProblem> {
    let file_type = if name.ends_with(".ofd") { FileType::Ofd } else { FileType::Pdf };
    forms::read_file(file_type, &bytes_of(name), &Catalogue::shipped(), &Limits::default()).map(Option::unwrap)
}

/// A mail with these fixtures attached under these names.
fn mail(files: &[(&str, &str)]) -> Reading {
    let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(fixture, shown)| (*shown, bytes_of(fixture))).collect();
    let knowledge = Knowledge { catalogue: Catalogue::shipped(), limits: Limits::default(), ..Knowledge::default() };
    verdict::read(&attached::mail(&files), &knowledge)
}

fn letter(reading: &Reading) -> (Option<&str>, Option<&str>) {
    let letter = reading.formal_letter.as_ref();
    (letter.map(|letter| letter.attachment.as_str()), letter.and_then(|letter| letter.number.as_deref()))
}

const NUMBER: Option<&str> = Some("长工信函〔2024〕37号");

#[test]
fn text_of_a_letter_comes_out_whole_whatever_its_fonts() {
    for name in ["letter.pdf", "letter-owner-locked.pdf", "letter-unembedded.pdf", "letter.ofd"] {
        let text = read(name).unwrap().text;
        for line in
            ["长春市工业和信息化局", "长工信函〔2024〕37号", "关于报送聚力攻坚专项课题的函", "吉林省工业和信息化厅：", "2024年8月15日"]
        {
            assert!(text.lines().any(|read| read == line), "{name}: {line} is not a line of\n{text}");
        }
    }
    assert!(
        read("letter.pdf")
            .unwrap()
            .text
            .contains("共征集到专项课题3项，涉及汽车、轨道交通装备、医药等领域，现随函报送，请审阅。\n附件：1.专项课题申报表")
    );
    assert!(read("letter.ofd").unwrap().text.contains("A&B"));
}

#[test]
fn locked_broken_and_empty_letters_say_so() {
    assert_eq!(read("letter-locked.pdf"), Err(ReadProblem::Encrypted));
    assert!(matches!(read("not-a.pdf"), Err(ReadProblem::Damaged(_))));
    assert!(read("scan.pdf").unwrap().text.is_empty());
}

#[test]
fn a_letter_is_found_by_its_text_whatever_it_is_called() {
    for fixture in ["letter.pdf", "letter-unembedded.pdf", "letter.ofd", "letter.docx"] {
        let shown = format!("扫描0001.{}", fixture.rsplit('.').next().unwrap());
        let reading = mail(&[("form.pdf", "附件1.pdf"), (fixture, &shown)]);
        assert_eq!(letter(&reading), (Some(shown.as_str()), NUMBER), "{fixture}");
    }
}

#[test]
fn a_scan_is_the_letter_by_its_name_or_by_elimination() {
    assert_eq!(letter(&mail(&[("scan.pdf", "长工信函〔2024〕37号.pdf")])), (Some("长工信函〔2024〕37号.pdf"), NUMBER));
    assert_eq!(letter(&mail(&[("form.pdf", "附件1.pdf"), ("scan.pdf", "20240815.pdf")])).0, Some("20240815.pdf"));
    assert_eq!(letter(&mail(&[("form.pdf", "附件1.pdf"), ("scan.jpg", "微信图片_1.jpg")])).0, Some("微信图片_1.jpg"));
    assert_eq!(letter(&mail(&[("form.pdf", "附件1.pdf"), ("scan.pdf", "附件3检测报告.pdf")])).0, None);
    assert_eq!(letter(&mail(&[("form.pdf", "附件1.pdf")])).0, None);
}

#[test]
fn a_letter_that_cannot_be_opened_is_named_and_asked_for_again() {
    for (fixture, status) in [("letter-locked.pdf", FileStatus::Encrypted), ("not-a.pdf", FileStatus::Damaged)] {
        let reading = mail(&[("form.pdf", "附件1.pdf"), (fixture, "关于报送专项课题的函.pdf")]);
        assert_eq!(letter(&reading).0, Some("关于报送专项课题的函.pdf"));
        let attachment = reading.attachments.iter().find(|file| file.role == Role::Letter).unwrap();
        assert_eq!(attachment.status, status);
        assert!(reading.findings.iter().any(|finding| finding.rule == "R16" && finding.message.contains("正式文件")));
    }
}

#[test]
fn a_form_that_comes_as_a_pdf_is_read() {
    for name in ["form.pdf", "form-plain.pdf"] {
        let reading = read(name).unwrap();
        assert_eq!(reading.records.len(), 1, "{name}");
        let record = &reading.records[0];
        let text = |key: &str| record.values.get(key).map_or("", |value| value.text.as_str());
        assert_eq!(record.form, "annex1");
        assert_eq!(
            [text("topic_title"), text("applicant"), text("uscc"), text("contact"), text("phone")],
            ["高速转向架轴承关键技术", "吉林省甲机械有限公司", "91220101MA0Y0XXX4K", "张三", "0431-12345678"],
            "{name}"
        );
        assert_eq!(text("problem"), "高速动车组转向架轴承长期依赖进口，国产轴承在350km/h工况下寿命不足，".repeat(4), "{name}");
        assert_eq!(text("params"), "1.寿命≥240万公里；2.温升≤40℃；3.噪声≤75dB。", "{name}");
    }
}

#[test]
fn a_summary_table_over_several_pages_is_one_table() {
    let reading = read("summary.pdf").unwrap();
    assert_eq!(reading.records.len(), 60);
    for (index, record) in reading.records.iter().enumerate() {
        let text = |key: &str| record.values.get(key).map_or("", |value| value.text.as_str());
        assert_eq!(text("topic_title"), format!("高速动车组转向架轴承关键技术研究与应用第{}号课题", index + 1));
        assert_eq!([text("applicant"), text("phone")], ["吉林省甲机械制造有限公司", "0431-12345678"]);
    }
}

/// Rows cut by page breaks, from LibreOffice's PDFs of Word tables (`tests/fixtures/make/letters_split.py`).
#[test]
fn a_row_that_a_page_break_cuts_is_one_row() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/letters");
    let mut files = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(pdf) = name.strip_suffix(".json").filter(|name| name.ends_with(".pdf")) else { continue };
        let truth: Vec<BTreeMap<String, String>> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let reading = read(pdf).unwrap();
        files += 1;
        if reading.records.len() != truth.len() {
            wrong.push(format!("{pdf}: {} rows of {}", reading.records.len(), truth.len()));
        }
        for (number, (record, expected)) in reading.records.iter().zip(&truth).enumerate() {
            for (key, expected) in expected {
                let text = record.values.get(key).map_or("", |value| value.text.as_str());
                if text != expected {
                    wrong.push(format!("{pdf} row {} {key}:\n  put in {expected}\n  read   {text}", number + 1));
                }
            }
        }
    }
    assert!(files >= 8, "only {files} files");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Enterprises scan the stamped form and forget the document. Beside the document the scan is its sealed copy.
#[test]
fn a_scan_in_place_of_an_annex_is_asked_for_as_a_document() {
    let read = |files: &[(&str, Vec<u8>)]| verdict::read(&attached::mail(files), &attached::shipped());
    let asked = |reading: &Reading, name: &str| {
        reading
            .findings
            .iter()
            .any(|finding| finding.rule == "R14" && finding.message.contains(name) && finding.message.contains("以.docx格式"))
    };
    let (scan, photo, form) = (bytes_of("scan.pdf"), bytes_of("scan.jpg"), attached::fixture("word/four_columns_1.docx"));
    for (name, bytes) in [
        ("附件1-造雪机.pdf", &scan),
        ("专项课题申报表.jpg", &photo),
        ("汇总表.pdf", &scan),
        ("材料.docx", &picture_in_word()),
        ("附件1.txt", &b"abc".to_vec()),
    ] {
        assert!(asked(&read(&[(name, bytes.clone())]), name), "{name}");
    }
    let both = read(&[("附件1-造雪机.docx", form.clone()), ("附件1-造雪机（盖章）.pdf", scan.clone())]);
    assert!(!asked(&both, "附件1-造雪机（盖章）.pdf"), "{:?}", both.findings);
    let letter = read(&[("附件1-造雪机.docx", form), ("长春市工信局函.docx", picture_in_word())]);
    assert_eq!(letter.formal_letter.map(|letter| letter.attachment).as_deref(), Some("长春市工信局函.docx"));
}

/// A .docx that holds a picture and no text.
fn picture_in_word() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let body = "<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body><w:p><w:r><w:drawing/></w:r></w:p></w:body></w:document>";
    for (name, content) in [("[Content_Types].xml", "<Types/>"), ("word/document.xml", body)] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}
