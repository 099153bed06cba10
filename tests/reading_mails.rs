//! The same mail sent by different mail programs (`tests/fixtures/make/parts_mails.py`) reads the same.

use std::{fs, path::Path, time::Instant};

use annexd::domain::{limits::Limits, message, parts, verdict};

use crate::support::attached;

fn mails() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mails");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap())).collect()
}

#[test]
fn every_mail_program_s_names_subject_and_bytes_are_read() {
    let mails = mails();
    assert!(mails.len() >= 8, "fixtures are missing");
    for (file, raw) in mails {
        let message = message::parse(&raw, &Limits::default()).unwrap();
        assert_eq!(message.subject, "长春市工信局报送聚力攻坚专项课题材料（共3项）请查收并回执", "{file}");
        assert_eq!(message.text.trim(), "请查收附件，联系电话0431-12345678。", "{file}");
        let names: Vec<_> = message.files.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["附件1-高速转向架轴承（长春市）.pdf", "附件2 专项课题汇总表 长春市工业和信息化局报送稿第二版.csv"], "{file}");
        assert_eq!(message.files[0].bytes, b"%PDF-1.4\n%fixture\n", "{file}");
    }
}

#[test]
fn three_thousand_damaged_mails_cost_neither_panic_nor_time() {
    let mails = mails();
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 1).unwrap()
    };
    let start = Instant::now();
    for round in 0..3_000 {
        let mut raw = mails[round % mails.len()].1.clone();
        for _ in 0..1 + next() % 10 {
            let at = next() % raw.len();
            match next() % 4 {
                0 => raw[at] = u8::try_from(next() % 256).unwrap(),
                1 => {
                    raw.remove(at);
                }
                2 => raw.insert(at, b"=?\"\\;%\r\n-:"[next() % 10]),
                _ => {
                    let piece = raw[at..(at + next() % 80).min(raw.len())].to_vec();
                    let to = next() % raw.len();
                    raw.splice(to..to, piece);
                }
            }
        }
        if let Ok(message) = message::parse(&raw, &Limits::default()) {
            drop(parts::unpack(message, &Limits::default()));
        }
    }
    assert!(start.elapsed().as_secs() < 120);
}

const LARGE: &str = "从QQ邮箱发来的超大附件\r\n材料.rar (120.5M, 2024年08月30日 10:00 到期)\r\n进入下载页面：http://mail.qq.com/cgi-bin/ftnExs_download?k=1&code=2\r\n";

fn mail(subject: &str, kind: &str, body: &str) -> String {
    format!(
        "From: gxj@example.cn\r\nTo: kjc@example.cn\r\nMessage-ID: <1@example.cn>\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n{body}"
    )
}

/// A bureau passes on what an enterprise sent: in the text, or the whole mail as an attachment.
#[test]
fn a_large_attachment_in_a_forwarded_mail_is_asked_for_like_the_sender_s_own() {
    let plain = "text/plain; charset=utf-8";
    let below = format!("请收。\r\n\r\n------------------ 原始邮件 ------------------\r\n发件人: x\r\n{LARGE}");
    let attached = format!(
        "--b\r\nContent-Type: {plain}\r\n\r\n请收。\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{}\r\n--b--\r\n",
        mail("材料", plain, LARGE)
    );
    for raw in [
        mail("转发：企业材料", plain, &below),
        mail("Fw: 企业材料", plain, &below),
        mail("企业材料", "multipart/mixed; boundary=b", &attached),
    ] {
        let reading = verdict::read(raw.as_bytes(), &attached::shipped());
        let links: Vec<_> =
            reading.links.iter().map(|link| (link.name.as_deref(), link.size.as_deref(), link.expires.as_deref())).collect();
        assert_eq!(links, [(Some("材料.rar"), Some("120.5M"), Some("2024-08-30"))], "{raw}");
        assert!(reading.findings.iter().any(|finding| finding.message.contains("（120.5M，2024-08-30到期）")), "{:?}", reading.findings);
    }
    let answer = verdict::read(mail("Re: 企业材料", plain, &below).as_bytes(), &attached::shipped());
    assert!(answer.links.is_empty(), "history below an answer is old news");
}

#[test]
fn mail_of_senders_that_are_never_answered_is_marked_whoever_they_are() {
    let mut knowledge = attached::shipped();
    knowledge.submitters.never_answered.push("@example.cn".to_owned());
    let marked = |knowledge| !verdict::read(mail("材料", "text/plain", "x").as_bytes(), knowledge).message.machine_marks.is_empty();
    assert!(marked(&knowledge));
    assert!(!marked(&attached::shipped()));
}
