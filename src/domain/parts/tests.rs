//! Laws of unpacking.

use std::io::{Cursor, Write as _};

use super::*;
use crate::domain::message::Part;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

fn mail_with(files: &[(&str, &[u8])]) -> Message {
    let files = files.iter().map(|(name, bytes)| Part { name: (*name).to_owned(), bytes: bytes.to_vec(), ..Part::default() }).collect();
    Message { files, ..Message::default() }
}

fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn small() -> Limits {
    Limits { container_output_max_bytes: 8 << 20, container_entries_max: 20, files_max: 50, ..Limits::default() }
}

fn unpack_one(name: &str, bytes: &[u8], limits: &Limits) -> Unpacked {
    unpack(mail_with(&[(name, bytes), ("后面的.pdf", b"%PDF-1.4 the rest of the mail")]), limits)
}

/// The first file's status, and proof that the rest of the mail was read.
fn refusal(unpacked: &Unpacked) -> (FileStatus, String) {
    let last = unpacked.files.last().unwrap();
    assert_eq!((last.path.as_str(), last.file_type), ("后面的.pdf", FileType::Pdf));
    let first = unpacked.files.first().unwrap();
    (first.status, first.problem.clone().unwrap_or_default())
}

#[test]
fn entries_follow_their_archive_with_their_whole_way() {
    let zip =
        zip_of(&[("附件1/甲.csv", "序号,名称,电话\n1,甲,2\n".as_bytes()), ("__MACOSX/附件1/._甲.csv", b"junk"), ("~$乙.docx", b"junk")]);
    let unpacked = unpack(mail_with(&[("材料.zip", &zip)]), &Limits::default());
    let list: Vec<_> = unpacked.files.iter().map(|file| (file.path.as_str(), file.file_type, file.status)).collect();
    assert_eq!(list, [("材料.zip", FileType::Zip, FileStatus::Container), ("材料.zip/附件1/甲.csv", FileType::Csv, FileStatus::Kept)]);
    assert_eq!(unpacked.files[0].size_bytes, zip.len());
}

#[test]
fn an_archive_that_swells_is_refused_and_the_rest_is_read() {
    let zeros = vec![0; 4 << 20];
    let (status, problem) = refusal(&unpack_one("炸弹.zip", &zip_of(&[("a", &zeros)]), &small()));
    assert_eq!(status, FileStatus::Refused);
    assert!(problem.contains("100倍"), "{problem}");
}

#[test]
fn all_archives_of_a_mail_share_one_budget() {
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    })
    .take(3 << 20)
    .collect();
    let zip = zip_of(&[("a", &noise)]);
    let unpacked = unpack(mail_with(&[("1.zip", &zip), ("2.zip", &zip), ("3.zip", &zip)]), &small());
    let statuses: Vec<_> = unpacked.files.iter().filter(|file| file.file_type == FileType::Zip).map(|file| file.status).collect();
    assert_eq!(statuses, [FileStatus::Container, FileStatus::Container, FileStatus::Refused]);
    assert!(unpacked.files.last().unwrap().problem.as_deref().unwrap().contains("8MB"));
}

#[test]
fn archives_within_archives_end_at_the_depth_limit() {
    let mut zip = zip_of(&[("里面.csv", b"a,b,c\n1,2,3\n")]);
    for _ in 0..6 {
        zip = zip_of(&[("x.zip", &zip)]);
    }
    let unpacked = unpack(mail_with(&[("x.zip", &zip)]), &Limits::default());
    assert_eq!(unpacked.files.len(), 5);
    let last = unpacked.files.last().unwrap();
    assert_eq!(last.status, FileStatus::Refused);
    assert!(last.problem.as_deref().unwrap().contains("4层"));
}

#[test]
fn beyond_the_limit_of_entries_the_first_ones_are_read() {
    let names: Vec<String> = (0..30).map(|number| format!("{number}.pdf")).collect();
    let entries: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"%PDF-1.4".as_slice())).collect();
    let unpacked = unpack_one("多.zip", &zip_of(&entries), &small());
    let (status, problem) = refusal(&unpacked);
    assert_eq!((status, unpacked.files.len()), (FileStatus::Refused, 22));
    assert!(problem.contains("20个"), "{problem}");
}

#[test]
fn too_many_files_are_said_once_for_the_mail() {
    let files: Vec<(&str, &[u8])> = (0..60).map(|_| ("a.pdf", b"%PDF-1.4".as_slice())).collect();
    let unpacked = unpack(mail_with(&files), &small());
    assert_eq!((unpacked.files.len(), unpacked.notes.len()), (50, 1));
    assert!(unpacked.notes[0].contains("50个"));
}

#[test]
fn a_tar_gz_shows_its_entries_directly() {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(8);
    tar.append_data(&mut header, "目录/函.pdf", &b"%PDF-1.4"[..]).unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(&tar.into_inner().unwrap()).unwrap();
    let unpacked = unpack(mail_with(&[("材料.tar.gz", &gz.finish().unwrap())]), &Limits::default());
    assert_eq!(unpacked.files[1].path, "材料.tar.gz/目录/函.pdf");
    assert_eq!(unpacked.files[1].file_type, FileType::Pdf);
}

#[test]
fn a_forwarded_mail_gives_its_files_and_its_text() {
    let inner = "From: a@example.cn\r\nSubject: =?utf-8?B?6L2s5Y+R?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n长工信函〔2024〕37号\r\n--b\r\nContent-Type: application/octet-stream; name=a.pdf\r\n\r\n%PDF-1.4\r\n--b--\r\n";
    let unpacked = unpack(mail_with(&[("转发.eml", inner.as_bytes())]), &Limits::default());
    assert_eq!(unpacked.files[1].path, "转发.eml/a.pdf");
    assert!(unpacked.inner_mails[0].text.contains("37号"));
    assert_eq!(unpacked.inner_mails[0].subject, "转发");
}

#[test]
fn a_name_that_lies_is_remarked_and_not_believed() {
    let unpacked = unpack(mail_with(&[("附件1.docx", b"%PDF-1.4")]), &Limits::default());
    assert_eq!(unpacked.files[0].file_type, FileType::Pdf);
    assert!(unpacked.files[0].mismatch.as_deref().unwrap().contains("docx"));
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A .msg file with these streams, and the storages on the way to them.
fn outlook(streams: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut compound = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    for (path, bytes) in streams {
        compound.create_storage_all(std::path::Path::new(path).parent().unwrap()).unwrap();
        compound.create_stream(path).unwrap().write_all(bytes).unwrap();
    }
    compound.into_inner().into_inner()
}

#[test]
fn an_outlook_message_gives_its_text_and_its_files() {
    let bytes = outlook(&[
        ("/__properties_version1.0".to_owned(), vec![0; 32]),
        ("/__substg1.0_0037001F".to_owned(), wide("报送材料")),
        ("/__substg1.0_1000001F".to_owned(), wide("长工信函〔2024〕37号")),
        ("/__attach_version1.0_#00000000/__substg1.0_3707001F".to_owned(), wide("附件1-转向架.pdf")),
        ("/__attach_version1.0_#00000000/__substg1.0_37010102".to_owned(), [b"%PDF-1.4 ".as_slice(), &[b'x'; 9_000]].concat()),
    ]);
    let unpacked = unpack(mail_with(&[("邮件.msg", &bytes)]), &Limits::default());
    assert_eq!(unpacked.files[1].path, "邮件.msg/附件1-转向架.pdf");
    assert_eq!((unpacked.files[1].file_type, unpacked.files[1].size_bytes), (FileType::Pdf, 9_009));
    assert!(unpacked.inner_mails[0].subject == "报送材料" && unpacked.inner_mails[0].text.contains("37号"));
}

#[test]
fn what_outlook_did_not_pack_or_packed_too_large_or_too_deep_is_named() {
    let mut streams = vec![
        ("/__properties_version1.0".to_owned(), vec![0; 32]),
        ("/__substg1.0_1000001F".to_owned(), wide("见附件")),
        ("/__attach_version1.0_#00000000/__substg1.0_3707001F".to_owned(), wide("在网盘上.docx")),
        ("/__attach_version1.0_#00000001/__substg1.0_3707001F".to_owned(), wide("很大.pdf")),
        ("/__attach_version1.0_#00000001/__substg1.0_37010102".to_owned(), vec![b'x'; 9_000]),
    ];
    let mut way = String::new();
    for level in 1..=6 {
        way += "/__attach_version1.0_#00000002";
        streams.push((format!("{way}/__substg1.0_3001001F"), wide(&format!("第{level}层"))));
        way += "/__substg1.0_3701000D";
        streams.push((format!("{way}/__substg1.0_1000001F"), wide("里面")));
    }
    let bytes = outlook(&streams);
    let limits = Limits { container_file_max_bytes: 8_000, depth_max: 4, ..Limits::default() };
    let unpacked = unpack_one("邮件.msg", &bytes, &limits);
    let told: Vec<_> = unpacked.files.iter().map(|file| (file.path.as_str(), file.status)).collect();
    assert_eq!(
        told,
        [
            ("邮件.msg", FileStatus::Container),
            ("邮件.msg/在网盘上.docx", FileStatus::Unsupported),
            ("邮件.msg/很大.pdf", FileStatus::TooLarge),
            ("邮件.msg/第1层/第2层/第3层/第4层/第5层", FileStatus::Refused),
            ("后面的.pdf", FileStatus::Kept),
        ]
    );
    assert!(unpacked.files[1].problem.as_deref().unwrap().contains("作为普通附件"));
    assert!(unpacked.files[3].problem.as_deref().unwrap().contains("4层"));
    assert_eq!(unpacked.inner_mails.len(), 5, "the message and four in it");
}

#[test]
fn a_document_closed_by_encryption_software_is_told_from_a_broken_one() {
    let mut state = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(3_000)
    .collect();
    let unpacked = unpack_one("附件1.docx", &noise, &Limits::default());
    let (status, problem) = refusal(&unpacked);
    assert_eq!(status, FileStatus::Damaged);
    assert!(problem.contains("加密软件") && problem.contains("解密后重新发送"), "{problem}");
}

#[test]
fn xml_that_no_office_program_wrote_is_kept_or_asked_for_again() {
    let xml = "<?xml version=\"1.0\"?><invoice xmlns=\"http://example.cn\"><no>1</no></invoice>".as_bytes();
    let statuses: Vec<_> = unpack(mail_with(&[("发票.xml", xml), ("附件2.xls", xml)]), &Limits::default())
        .files
        .into_iter()
        .map(|file| (file.file_type, file.status))
        .collect();
    assert_eq!(statuses, [(FileType::Xml, FileStatus::Kept), (FileType::Xml, FileStatus::Unsupported)]);
}
