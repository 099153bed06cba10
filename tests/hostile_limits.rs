//! Every limit by its name: what passes it is refused or cut with the figure in the sentence, and the rest of the mail is read.

use std::io::{Cursor, Write as _};

use annexd::domain::{
    findings::Finding,
    forms::catalogue::Catalogue,
    limits::Limits,
    parts::FileStatus,
    verdict::{Knowledge, Reading, read},
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::support::attached::{self, fixture};

fn zip_of(entries: &[(String, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(name.as_str(), SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn stored(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<_> = entries.iter().map(|(name, content)| ((*name).to_owned(), content.clone())).collect();
    zip_of(&entries, CompressionMethod::Stored)
}

/// A mail with a good form and this file behind it.
fn mail(name: &str, bytes: &[u8]) -> Vec<u8> {
    attached::mail(&[("附件1.docx", fixture("word/four_columns_1.docx").as_slice()), (name, bytes)])
}

/// A .docx with this body and, around it, as many parts.
fn docx(body: &str, parts: usize) -> Vec<u8> {
    let xml = format!(
        "<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{body}</w:body></w:document>"
    );
    let mut entries = vec![("[Content_Types].xml".to_owned(), b"<Types/>".to_vec()), ("word/document.xml".to_owned(), xml.into_bytes())];
    entries.extend((0..parts).map(|at| (format!("word/media/{at}.png"), Vec::new())));
    zip_of(&entries, CompressionMethod::Stored)
}

fn noise(bytes: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..bytes).map(|_| random.u8(..)).collect()
}

/// A file that passes a limit once this change is made to the limits, and the words its sender reads.
struct Case {
    limit: &'static str,
    change: fn(&mut Limits),
    name: &'static str,
    bytes: Vec<u8>,
    status: FileStatus,
    words: &'static str,
}

#[allow(clippy::too_many_lines, reason = "one entry a limit")]
fn cases() -> Vec<Case> {
    let text = |count: usize| format!("<w:p><w:r><w:t>{}</w:t></w:r></w:p>", "字".repeat(count));
    let case = |limit, change, name, bytes, status, words| Case { limit, change, name, bytes, status, words };
    let refused = FileStatus::Refused;
    let zip = |count: usize, size: usize| {
        stored(&(0..count).map(|at| (["a.bin", "b.bin", "c.bin", "d.bin"][at], noise(size))).collect::<Vec<_>>())
    };
    let inner = stored(&[("b.zip", stored(&[("c.zip", stored(&[("d.txt", b"x".to_vec())]))]))]);
    let xlsx = fixture("bureaus/unknown_columns-xlsx.xlsx");
    vec![
        case("depth_max", |limits| limits.depth_max = 2, "a.zip", inner, refused, "2层"),
        case("container_entries_max", |limits| limits.container_entries_max = 2, "a.zip", zip(3, 10), refused, "2个"),
        case("container_output_max_bytes", |limits| limits.container_output_max_bytes = 1 << 20, "a.zip", zip(3, 600_000), refused, "1MB"),
        case(
            "container_ratio_max",
            |limits| limits.container_ratio_max = 3,
            "a.zip",
            zip_of(&[("a.bin".to_owned(), vec![0; 3 << 20])], CompressionMethod::Deflated),
            refused,
            "3倍",
        ),
        case(
            "container_file_max_bytes",
            |limits| limits.container_file_max_bytes = 1 << 20,
            "a.zip",
            zip(1, 2 << 20),
            FileStatus::TooLarge,
            "1MB",
        ),
        case("archive_records_max", |limits| limits.archive_records_max = 3, "a.zip", zip(4, 10), refused, "3条"),
        case("dictionary_max_bytes", |limits| limits.dictionary_max_bytes = 1 << 10, "a.7z", fixture("parts/lzma2.7z"), refused, "字典"),
        case("pages_max_chars", |limits| limits.pages_max_chars = 30, "a.pdf", fixture("letters/letter.pdf"), refused, "30字"),
        case("document_max_bytes", |limits| limits.document_max_bytes = 1 << 20, "a.docx", docx(&text(400_000), 0), refused, "1MB"),
        case("document_max_chars", |limits| limits.document_max_chars = 5_000, "a.docx", docx(&text(5_001), 0), refused, "5000字"),
        case("package_entries_max", |limits| limits.package_entries_max = 40, "a.docx", docx(&text(1), 50), refused, "40个"),
        case(
            "xml_depth_max",
            |limits| limits.xml_depth_max = 40,
            "a.docx",
            docx(&("<w:sdt>".repeat(50) + &"</w:sdt>".repeat(50)), 0),
            refused,
            "40层",
        ),
        case("sheet_max_bytes", |limits| limits.sheet_max_bytes = 1_000, "a.xlsx", xlsx.clone(), refused, "上限"),
        case("workbook_max_bytes", |limits| limits.workbook_max_bytes = 4_000, "a.xlsx", xlsx.clone(), refused, "上限"),
        case("cell_formats_max", |limits| limits.cell_formats_max = 1, "a.xlsx", xlsx, refused, "1种"),
        case(
            "whole_workbook_max_bytes",
            |limits| limits.whole_workbook_max_bytes = 1_000,
            "a.xls",
            fixture("bureaus/old_sheet-xls.xls"),
            refused,
            "上限",
        ),
    ]
}

fn reading(raw: &[u8], limits: Limits) -> Reading {
    read(raw, &Knowledge { catalogue: Catalogue::shipped(), limits, ..Knowledge::default() })
}

#[test]
fn every_limit_says_its_figure_and_spares_the_rest_of_the_mail() {
    let mut wrong = Vec::new();
    for case in cases() {
        let mut limits = Limits::default();
        (case.change)(&mut limits);
        let reading = reading(&mail(case.name, &case.bytes), limits);
        let struck = reading.attachments.iter().find(|file| file.status == case.status);
        let problem = struck.and_then(|file| file.problem.clone()).unwrap_or_default();
        if !(problem.contains(case.words) && problem.contains('请') && problem.ends_with('。')) {
            let seen: Vec<_> = reading.attachments.iter().map(|file| (&file.path, file.status, &file.problem)).collect();
            wrong.push(format!("{}: {:?} wanted in {seen:?}", case.limit, case.words));
        }
        let told = reading.findings.iter().any(|finding| finding.message.contains(&problem) && finding.message.contains('“'));
        if reading.drafts.len() != 1 || !told {
            wrong.push(format!("{}: the form beside it gave {} topics; told: {told}", case.limit, reading.drafts.len()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn tables_over_a_limit_are_read_up_to_it_and_say_so() {
    let xlsx = mail("汇总表.xlsx", &fixture("bureaus/unknown_columns-xlsx.xlsx"));
    let changes: [(&str, fn(&mut Limits)); 3] = [
        ("rows_max", |limits| limits.rows_max = 5),
        ("columns_max", |limits| limits.columns_max = 8),
        ("cells_max", |limits| limits.cells_max = 40),
    ];
    for (limit, change) in changes {
        let mut limits = Limits::default();
        change(&mut limits);
        let reading = reading(&xlsx, limits);
        let said = reading.findings.iter().any(|finding| finding.message.contains("汇总表.xlsx") && finding.message.contains("未读取"));
        assert!(said, "{limit}: {:#?}", reading.findings);
        assert!(reading.drafts.iter().any(|draft| !draft.text("topic_title").is_empty()), "{limit}");
    }
}

/// A file of which a part is left out once this change is made to the limits, and the words that say so.
struct Cut {
    limit: &'static str,
    change: fn(&mut Limits),
    name: &'static str,
    bytes: Vec<u8>,
    words: &'static str,
}

fn workbook(sheets: usize, merges: u32) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    for number in 0..sheets {
        let sheet = book.add_worksheet().set_name(format!("表{number}")).unwrap();
        for (column, label) in ["序号", "课题名称", "申报单位", "联系人", "联系电话"].into_iter().enumerate() {
            sheet.write(0, column as u16, label).unwrap();
            sheet.write(1, column as u16, ["1", "造雪机研制", "甲公司", "李明", "0431-88970001"][column]).unwrap();
        }
        for merge in 0..merges {
            sheet.merge_range(10 + merge, 0, 10 + merge, 3, "", &rust_xlsxwriter::Format::new()).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

fn cuts() -> Vec<Cut> {
    let cut = |limit, change, name, bytes, words| Cut { limit, change, name, bytes, words };
    let table = "<table><tr><td>序号</td><td>课题名称</td></tr></table>";
    let sheet = "<Worksheet ss:Name=\"a\"><Table><Row><Cell><Data ss:Type=\"String\">甲</Data></Cell></Row></Table></Worksheet>";
    let xml = format!(
        "<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\" xmlns:ss=\"urn:schemas-microsoft-com:office:spreadsheet\">{}</Workbook>",
        sheet.repeat(3)
    );
    let one_sheet = |limits: &mut Limits| limits.sheets_max = 1;
    vec![
        cut("pages_max", |limits| limits.pages_max = 1, "a.pdf", fixture("letters/split-over-three-pages.pdf"), "页数超过1页的上限"),
        cut("page_max_chars", |limits| limits.page_max_chars = 50, "a.pdf", fixture("letters/letter.pdf"), "文字超过每页50字的上限"),
        cut("page_rules_max", |limits| limits.page_rules_max = 3, "a.pdf", fixture("letters/summary.pdf"), "线条超过每页3条的上限"),
        cut("page_fields_max", |limits| limits.page_fields_max = 3, "a.pdf", fixture("letters/summary.pdf"), "表格超过每页3格的上限"),
        cut("page_elements_max", |limits| limits.page_elements_max = 9, "a.ofd", fixture("letters/letter.ofd"), "每页9个元素的上限"),
        cut("text_max_chars", |limits| limits.text_max_chars = 8, "a.pdf", fixture("letters/letter.pdf"), "正文超过8字的上限"),
        cut("text_max_chars", |limits| limits.text_max_chars = 8, "a.docx", fixture("word/four_columns_2.docx"), "达到8字的上限"),
        cut("sheets_max", one_sheet, "a.xlsx", workbook(3, 0), "超过1个的上限"),
        cut("sheets_max", one_sheet, "a.xls", table.repeat(3).into_bytes(), "超过1个的上限"),
        cut("sheets_max", one_sheet, "a.xls", xml.into_bytes(), "超过1个的上限"),
        cut("sheets_max", one_sheet, "a.ods", fixture("sheets/several_sheets.lo.ods"), "超过1个的上限"),
        cut("sheets_max", one_sheet, "a.xls", fixture("sheets/several_sheets.lo.xls"), "超过1个的上限"),
        cut("merges_max", |limits| limits.merges_max = 2, "a.xlsx", workbook(1, 5), "合并单元格超过2处的上限"),
        cut("workbook_text_max_bytes", |limits| limits.workbook_text_max_bytes = 60, "a.xlsx", workbook(1, 0), "的部分未读取"),
        cut("forms_max", |limits| limits.forms_max = 1, "a.docx", fixture("word/resaved_several_tables.docx"), "超过1份的上限"),
    ]
}

#[test]
fn what_is_left_out_for_a_limit_is_said_and_the_rest_is_read() {
    let mut wrong = Vec::new();
    for cut in cuts() {
        let mut limits = Limits::default();
        (cut.change)(&mut limits);
        let reading = reading(&mail(cut.name, &cut.bytes), limits);
        let said = |finding: &Finding| finding.message.contains(&format!("“{}”", cut.name)) && finding.message.contains(cut.words);
        if !reading.findings.iter().any(said) {
            let told: Vec<_> = reading.findings.iter().map(|finding| &finding.message).collect();
            wrong.push(format!("{} of {}: {:?} wanted in {told:?}", cut.limit, cut.name, cut.words));
        }
        if reading.drafts.is_empty() {
            wrong.push(format!("{}: the form beside it was not read", cut.limit));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_mail_s_own_text_that_is_cut_is_said() {
    let long = format!(
        "From: gxj@example.cn\r\nTo: kjc@example.cn\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n",
        "字".repeat(50)
    );
    let over = reading(long.as_bytes(), Limits { text_max_chars: 20, ..Limits::default() });
    assert!(over.findings.iter().any(|finding| finding.message.contains("邮件正文达到20字的上限")), "{:?}", over.findings);
    assert!(!reading(long.as_bytes(), Limits::default()).findings.iter().any(|finding| finding.message.contains("上限")));
}

/// Pages that office programs write begin with long style sheets, and the block of large attachments stands at their end.
#[test]
fn a_link_at_the_end_of_a_long_page_is_found_or_what_was_not_looked_at_is_said() {
    let style = "p.MsoNormal {margin:0cm;font-family:宋体}\r\n".repeat(4_000);
    let link = "<a href=\"https://wx.mail.qq.com/ftn/download?func=3&key=1\">材料.zip</a>";
    let page = format!(
        "From: gxj@example.cn\r\nTo: kjc@example.cn\r\nSubject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<style>{style}</style>\r\n见附件{link}\r\n"
    );
    assert!(page.chars().count() > Limits::default().text_max_chars);
    assert_eq!(reading(page.as_bytes(), Limits::default()).links.len(), 1);
    let over = reading(page.as_bytes(), Limits { html_max_chars: 1_000, ..Limits::default() });
    assert!(over.findings.iter().any(|finding| finding.message.contains("达到1000字的上限")), "{:?}", over.findings);
}

#[test]
fn a_mail_over_its_limits_is_told_so() {
    let large = mail("a.bin", &noise(900_000));
    let over = reading(&large, Limits { message_max_bytes: 1 << 20, ..Limits::default() });
    assert!(over.findings.iter().any(|finding| finding.message.contains("1MB的上限")), "{:?}", over.findings);
    let many = reading(&large, Limits { files_max: 1, ..Limits::default() });
    assert!(many.findings.iter().any(|finding| finding.message.contains("超过1个")), "{:?}", many.findings);
    assert_eq!(many.drafts.len(), 1, "the first file is read");
}

/// A limit without a test has no sentence that anybody has read.
#[test]
fn no_limit_is_forgotten_here() {
    // The last two: reading_scans.rs.
    let elsewhere =
        ["html_max_chars", "rows_max", "columns_max", "cells_max", "message_max_bytes", "files_max", "scan_max_bytes", "scan_max_pixels"];
    let tested: Vec<&str> = cases().iter().map(|case| case.limit).chain(cuts().iter().map(|cut| cut.limit)).chain(elsewhere).collect();
    let all = serde_json::to_value(Limits::default()).unwrap();
    for limit in all.as_object().unwrap().keys() {
        assert!(tested.contains(&limit.as_str()), "{limit} has no test");
    }
}
