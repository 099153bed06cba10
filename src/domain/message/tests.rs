//! Laws of reading Chinese mail as it comes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;

use super::*;

fn read(mail: &[u8]) -> Message {
    parse(mail, &Limits::default()).unwrap()
}

fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GB18030.encode(text).0.into_owned()
}

fn b64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn percent(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

/// A mail with one attachment whose headers are given, raw.
fn with_part(headers: &[u8], body: &[u8]) -> Vec<u8> {
    let mut mail = b"From: a@example.cn\r\nTo: b@example.cn\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\n".to_vec();
    mail.extend_from_slice(headers);
    mail.extend_from_slice(b"\r\n\r\n");
    mail.extend_from_slice(body);
    mail.extend_from_slice(b"\r\n--b--\r\n");
    mail
}

fn name_of(headers: &[u8]) -> String {
    read(&with_part(headers, b"x")).files[0].name.clone()
}

fn subject_of(value: &[u8]) -> String {
    let mut mail = b"From: a@example.cn\r\nSubject: ".to_vec();
    mail.extend_from_slice(value);
    mail.extend_from_slice(b"\r\n\r\nx");
    read(&mail).subject
}

#[test]
fn a_gbk_character_split_between_two_encoded_words_is_whole_again() {
    let bytes = gbk("报送专项课题材料");
    let (first, second) = bytes.split_at(5);
    let value = format!("=?gb2312?B?{}?=\r\n\t=?gb2312?B?{}?=", b64(first), b64(second));
    assert_eq!(subject_of(value.as_bytes()), "报送专项课题材料");
}

#[test]
fn gb2312_means_gb18030() {
    let value = format!("=?gb2312?B?{}?=", b64(&gbk("镕𠮷公司")));
    assert_eq!(subject_of(value.as_bytes()), "镕𠮷公司");
}

#[test]
fn unpadded_base64_is_read() {
    let value = format!("=?UTF-8?B?{}?=", b64("附件".as_bytes()).trim_end_matches('='));
    assert_eq!(subject_of(value.as_bytes()), "附件");
    let four = format!("=?UTF-8?B?{}?=", b64("附件1".as_bytes()).trim_end_matches('='));
    assert_eq!(subject_of(four.as_bytes()), "附件1");
}

#[test]
fn hz_is_its_own_encoding() {
    assert_eq!(subject_of(b"=?HZ-GB-2312?Q?~{VP9z~}?="), "中国");
    let mail =
        b"From: a@example.cn\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=hz-gb-2312\r\n\r\n~{VP9z~} ok\r\n";
    assert_eq!(read(mail).text.trim(), "中国 ok");
}

#[test]
fn raw_gbk_headers_are_read() {
    assert_eq!(subject_of(&gbk("长春市工信局报送材料")), "长春市工信局报送材料");
}

#[test]
fn a_line_break_inside_an_encoded_subject_adds_no_header() {
    let value = format!("=?UTF-8?B?{}?=", b64("报送\r\nBcc: evil@example.cn".as_bytes()));
    assert_eq!(subject_of(value.as_bytes()), "报送 Bcc: evil@example.cn");
}

#[test]
fn encoded_words_inside_quotes_are_names() {
    let word = b64(&gbk("附件1 甲公司.docx"));
    assert_eq!(name_of(format!("Content-Type: application/octet-stream; name=\"=?gb18030?B?{word}?=\"").as_bytes()), "附件1 甲公司.docx");
}

#[test]
fn adjacent_words_in_a_name_are_joined_without_a_gap() {
    let name = "附件2 吉林省聚力攻坚专项课题汇总表（长春市工业和信息化局）.xlsx";
    let bytes = gbk(name);
    let (first, second) = bytes.split_at(21);
    let header = format!("Content-Disposition: attachment;\r\n\tfilename=\"=?gbk?B?{}?=\r\n\t=?gbk?B?{}?=\"", b64(first), b64(second));
    assert_eq!(name_of(header.as_bytes()), name);
}

#[test]
fn rfc_2231_segments_may_split_a_character() {
    let bytes = gbk("附件1-转向架.docx");
    let (first, second) = bytes.split_at(3);
    let header = format!(
        "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename*0*=gb18030''{}; filename*1*={}",
        percent(first),
        percent(second)
    );
    assert_eq!(name_of(header.as_bytes()), "附件1-转向架.docx");
}

#[test]
fn the_extended_name_wins_over_the_plain_one() {
    let header = format!("Content-Disposition: attachment; filename=\"fujian.docx\"; filename*=UTF-8''{}", percent("附件.docx".as_bytes()));
    assert_eq!(name_of(header.as_bytes()), "附件.docx");
}

#[test]
fn a_name_that_lost_its_characters_gives_way_to_a_whole_one() {
    let header = format!(
        "Content-Type: application/octet-stream; name=\"=?gb18030?B?{}?=\"\r\nContent-Disposition: attachment; filename=\"??1-???.docx\"",
        b64(&gbk("附件1-转向架.docx"))
    );
    assert_eq!(name_of(header.as_bytes()), "附件1-转向架.docx");
    assert_eq!(name_of(b"Content-Disposition: attachment; filename=\"??1.docx\""), "??1.docx");
}

#[test]
fn a_raw_gbk_name_with_a_backslash_byte_is_whole() {
    let mut header = b"Content-Disposition: attachment; filename=\"".to_vec();
    header.extend(gbk("誠信承諾.docx"));
    header.push(b'"');
    assert_eq!(name_of(&header), "誠信承諾.docx");
}

#[test]
fn raw_utf_8_and_percent_encoded_names_are_read() {
    assert_eq!(name_of("Content-Disposition: attachment; filename=\"汇总表.xlsx\"".as_bytes()), "汇总表.xlsx");
    let header = format!("Content-Disposition: attachment; filename={}", percent("汇总表.xlsx".as_bytes()));
    assert_eq!(name_of(header.as_bytes()), "汇总表.xlsx");
}

#[test]
fn a_part_without_a_name_is_still_a_file() {
    let message = read(&with_part(b"Content-Type: application/pdf\r\nContent-Disposition: inline", b"%PDF-1.4"));
    assert_eq!((message.files.len(), message.files[0].name.as_str()), (1, "part-2.pdf"));
}

#[test]
fn octet_stream_with_a_charset_stays_binary() {
    let bytes = b"PK\x03\x04\xB0\xA1\x00\x80\xFF";
    let header = b"Content-Type: application/octet-stream; charset=\"gb18030\"; name=\"a.zip\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"a.zip\"";
    let message = read(&with_part(header, b64(bytes).as_bytes()));
    assert_eq!(message.files[0].bytes, bytes);
}

#[test]
fn parts_marked_inline_are_files_too() {
    let header = b"Content-Type: application/msword; name=\"a.doc\"\r\nContent-ID: <a1>\r\nContent-Disposition: inline; filename=\"a.doc\"";
    assert_eq!(read(&with_part(header, b"x")).files[0].name, "a.doc");
}

#[test]
fn truncated_base64_keeps_what_came() {
    let header = b"Content-Type: application/octet-stream; name=\"a.bin\"\r\nContent-Transfer-Encoding: base64";
    let whole = b64(&[7; 300]);
    let mut mail = with_part(header, b"");
    let cut = mail.len() - b"\r\n--b--\r\n".len();
    mail.truncate(cut);
    mail.extend_from_slice(&whole.as_bytes()[..201]);
    let message = read(&mail);
    assert_eq!(message.files.len(), 1);
    assert!(message.files[0].bytes.starts_with(&[7; 140]), "{} bytes", message.files[0].bytes.len());
}

#[test]
fn base64_with_stray_characters_is_still_decoded() {
    let header = b"Content-Type: application/octet-stream; name=\"a.bin\"\r\nContent-Transfer-Encoding: base64";
    let text = b64(&[9; 90]);
    let (first, second) = text.split_at(60);
    let message = read(&with_part(header, format!("{first}\r\n \r\n{second}\r\n\r\n-- \r\n").as_bytes()));
    assert!(message.files[0].bytes.starts_with(&[9; 90]), "{:?}", message.files[0].bytes.len());
}

#[test]
fn html_with_its_charset_only_in_a_meta_tag_is_read() {
    let mut mail =
        b"From: a@example.cn\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            .to_vec();
    mail.extend(gbk("<html><head><meta charset=gb2312></head><body><p>长工信函〔2024〕37号</p></body></html>"));
    assert!(read(&mail).text.contains("长工信函〔2024〕37号"));
}

#[test]
fn a_uuencoded_file_in_the_text_is_a_file() {
    let mail = b"From: a@example.cn\r\nSubject: x\r\n\r\nhello\r\nbegin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\nbye\r\n";
    let message = read(mail);
    assert_eq!(
        message.files.iter().map(|file| (file.name.as_str(), file.bytes.as_slice())).collect::<Vec<_>>(),
        [("a.txt", b"Cat".as_slice())]
    );
    assert!(message.text.contains("hello") && message.text.contains("bye") && !message.text.contains("#0V%T"), "{}", message.text);
}

#[test]
fn an_uuencoded_file_beyond_the_limit_is_said() {
    let mail = b"From: a@example.cn\r\nSubject: x\r\n\r\nbegin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\n";
    let message = parse(mail, &Limits { files_max: 0, ..Limits::default() }).unwrap();
    assert!(message.truncated && message.files.is_empty());
}

#[test]
fn three_thousand_nested_multiparts_are_harmless() {
    let mut mail = String::from("From: a@example.cn\r\nSubject: x\r\nMIME-Version: 1.0\r\n");
    for level in 0..3000 {
        mail.push_str(&format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"));
    }
    mail.push_str("Content-Type: text/plain\r\n\r\ndeep\r\n");
    let message = read(mail.as_bytes());
    assert!(message.text.contains("deep") || message.truncated);
}

#[test]
fn messages_in_messages_without_end_are_cut_off_and_said() {
    let mail = format!("From: a@example.cn\r\nSubject: x\r\n{}", "Content-Type: message/rfc822\r\n\r\nSubject: y\r\n".repeat(50_000));
    assert!(read(mail.as_bytes()).truncated);
}

#[test]
fn a_million_parts_cost_no_memory() {
    let mail = format!("From: a@example.cn\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{}", "--b\r\n\r\n".repeat(1_000_000));
    let message = read(mail.as_bytes());
    assert!(message.truncated && message.files.len() <= Limits::default().files_max);
}

#[test]
fn multiparts_whose_boundary_never_comes_cost_no_squared_time() {
    let part = "--b\r\nContent-Type: multipart/mixed; boundary=never\r\n\r\nx\r\n";
    let mail =
        format!("From: a@example.cn\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{}{}", part.repeat(18_000), "x".repeat(20 << 20));
    assert!(read(mail.as_bytes()).truncated);
}

#[test]
fn a_header_bomb_is_read_in_bounded_time() {
    let mail = format!("From: a@example.cn\r\nSubject: {}\r\n\r\nx", "=?utf-8?B?".repeat(200_000));
    assert!(!read(mail.as_bytes()).subject.is_empty());
    let many = format!("From: a@example.cn\r\n{}\r\nx", "X-A: b\r\n".repeat(500_000));
    assert!(read(many.as_bytes()).truncated);
}

#[derive(Debug, Clone, Copy)]
enum Style {
    WordBase64,
    WordQuoted,
    Rfc2231,
    Raw,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever way a mail program writes a name, in whichever header, it is read the same.
    #[test]
    fn every_way_of_writing_a_name_gives_the_name(
        stem in "[一-龥（）〔〕A-Za-z0-9１２\\-]{1,30}",
        utf8 in any::<bool>(),
        in_disposition in any::<bool>(),
        cut in 1_usize..40,
        style in prop::sample::select(vec![Style::WordBase64, Style::WordQuoted, Style::Rfc2231, Style::Raw]),
    ) {
        let name = format!("附件{stem}.docx");
        let (charset, bytes) = if utf8 { ("utf-8", name.as_bytes().to_vec()) } else { ("gb18030", gbk(&name)) };
        let (first, second) = bytes.split_at(cut.min(bytes.len() - 1));
        let quoted = |bytes: &[u8]| bytes.iter().map(|byte| format!("={byte:02X}")).collect::<String>();
        let (key, mut header) = if in_disposition {
            ("filename", b"Content-Type: application/octet-stream\r\nContent-Disposition: attachment; ".to_vec())
        } else {
            ("name", b"Content-Type: application/octet-stream; ".to_vec())
        };
        match style {
            Style::WordBase64 => header.extend(format!("{key}=\"=?{charset}?B?{}?=\r\n =?{charset}?B?{}?=\"", b64(first), b64(second)).bytes()),
            Style::WordQuoted => header.extend(format!("{key}=\"=?{charset}?Q?{}?=\r\n =?{charset}?Q?{}?=\"", quoted(first), quoted(second)).bytes()),
            Style::Rfc2231 => header.extend(format!("{key}*0*={charset}''{};\r\n {key}*1*={}", percent(first), percent(second)).bytes()),
            Style::Raw => {
                header.extend(format!("{key}=\"").bytes());
                header.extend(&bytes);
                header.push(b'"');
            }
        }
        prop_assert_eq!(name_of(&header), name);
    }
}
