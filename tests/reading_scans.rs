//! A scanned formal letter gives a hint where recognition is switched on, by a real tesseract; the hint decides nothing.

use std::{fs, path::Path, process::Command, time::Duration};

use annexd::{
    domain::{
        findings::{Audience, Severity},
        forms::pages::scan,
        limits::Limits,
        parts::FileType,
        verdict::{Reading, recognised::Recognised},
    },
    edge::reader::{
        Mail, ReaderSettings, Readers,
        ocr::{self, OcrSettings},
    },
};

use crate::support::attached::{fixture, mail, shipped};

const ANNEXD: &str = env!("CARGO_BIN_EXE_annexd");
const MIB: u64 = 1 << 20;

fn settings() -> OcrSettings {
    OcrSettings {
        program: "tesseract".into(),
        language: "chi_sim".to_owned(),
        timeout: Duration::from_secs(60),
        memory_max_bytes: 1024 * MIB,
    }
}

fn readers(ocr: Option<OcrSettings>) -> Readers {
    let settings =
        ReaderSettings { program: ANNEXD.into(), processes: 1, timeout: Duration::from_secs(60), memory_max_bytes: 1024 * MIB, ocr };
    Readers::children(settings, &shipped()).unwrap()
}

async fn read(name: &str, ocr: Option<OcrSettings>) -> Reading {
    let extension = name.rsplit('.').next().unwrap();
    let files = [("附件1.docx", fixture("word/above_in_cell.docx")), (&*format!("扫描件.{extension}"), fixture(name))];
    readers(ocr).read(Mail::Bytes(mail(&files))).await.unwrap()
}

fn hint(reading: &Reading) -> Recognised {
    reading.formal_letter.clone().unwrap().recognised.unwrap_or_default()
}

#[tokio::test]
async fn every_packing_that_scanners_choose_is_recognised() {
    for name in ["jpeg.pdf", "fax.pdf", "jpeg2000.pdf", "sideways.pdf", "three-pages.pdf", "letter.jpg", "letter.png", "letter.tif"] {
        let reading = read(&format!("scans/{name}"), Some(settings())).await;
        let found = hint(&reading);
        assert_eq!(found.number.as_deref(), Some("长工信函〔2024〕37号"), "{name}: {found:?}");
        // The last word of the title is one that the recogniser mistakes.
        assert!(found.title.clone().unwrap().starts_with("关于报送聚力攻坚行动专项课题的"), "{name}: {found:?}");
        assert_eq!(found.bureau.as_deref(), Some("长春市工业和信息化局"), "{name}: {found:?}");
    }
}

#[tokio::test]
async fn a_red_seal_over_the_date_does_not_hide_it_in_a_scan_with_colours() {
    let found = hint(&read("scans/jpeg.pdf", Some(settings())).await);
    assert_eq!(found.date.as_deref(), Some("2024年8月15日"));
}

#[tokio::test]
async fn the_hint_is_marked_for_reviewers_and_decides_nothing() {
    let (with, without) = (read("scans/jpeg.pdf", Some(settings())).await, read("scans/jpeg.pdf", None).await);
    assert_eq!(without.formal_letter.clone().unwrap().recognised, None);
    let told = with.findings.iter().find(|finding| finding.message.contains("识别结果，仅供参考")).unwrap();
    assert!(told.message.contains("长工信函〔2024〕37号") && told.message.ends_with('。'), "{}", told.message);
    assert_eq!((told.audience, told.severity), (Audience::Reviewer, Severity::Note));
    // Number, bureau, kind of file and all else are what they were without it.
    let mut stripped = with.clone();
    stripped.findings.retain(|finding| !finding.message.contains("识别结果"));
    stripped.formal_letter.as_mut().unwrap().recognised = None;
    assert_eq!(with.formal_letter.unwrap().number, None);
    assert_eq!(serde_json::to_value(&stripped).unwrap(), serde_json::to_value(&without).unwrap());
}

#[tokio::test]
async fn a_typed_letter_is_never_put_through_recognition() {
    let files = [
        ("附件1.docx", fixture("word/above_in_cell.docx")),
        ("函.pdf", fixture("letters/letter.pdf")),
        ("扫描件.pdf", fixture("scans/jpeg.pdf")),
    ];
    // A recogniser that is not there would be missed if it were asked.
    let nowhere = OcrSettings { program: "/nonexistent/tesseract".into(), ..settings() };
    let reading = readers(Some(nowhere)).read(Mail::Bytes(mail(&files))).await.unwrap();
    let letter = reading.formal_letter.clone().unwrap();
    assert_eq!((letter.attachment.as_str(), letter.recognised), ("函.pdf", None));
    assert!(letter.number.is_some());
    assert_eq!(reading.scanned_letter(), None);
}

#[tokio::test]
async fn a_missing_slow_or_starving_recogniser_leaves_the_mail_as_it_was_read() {
    let without = read("scans/jpeg.pdf", None).await;
    let folder = tempfile::tempdir().unwrap();
    let slow = folder.path().join("slow");
    fs::write(&slow, "#!/bin/sh\nexec sleep 600\n").unwrap();
    Command::new("chmod").arg("755").arg(&slow).status().unwrap();
    for broken in [
        OcrSettings { program: "/nonexistent/tesseract".into(), ..settings() },
        OcrSettings { program: "tesseract-that-is-nowhere".into(), ..settings() },
        OcrSettings { program: slow, timeout: Duration::from_secs(1), ..settings() },
        OcrSettings { memory_max_bytes: 16 * MIB, ..settings() },
        OcrSettings { language: "klingon".to_owned(), ..settings() },
    ] {
        let reading = read("scans/jpeg.pdf", Some(broken.clone())).await;
        assert_eq!(serde_json::to_value(&reading).unwrap(), serde_json::to_value(&without).unwrap(), "{broken:?}");
    }
}

#[tokio::test]
async fn the_recogniser_can_neither_write_a_file_nor_open_what_is_not_installed() {
    let folder = tempfile::tempdir().unwrap();
    let curious = folder.path().join("bin/curious");
    fs::create_dir(folder.path().join("bin")).unwrap();
    // It lies outside of its own folder's neighbourhood.
    let (outside, written) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("secret"), "课题机密").unwrap();
    let script = format!(
        "#!/bin/sh\ncat >/dev/null\ncat {}/secret 2>/dev/null\necho x > {}/file 2>/dev/null\necho 长工信函〔2024〕37号\n",
        outside.path().display(),
        written.path().display()
    );
    fs::write(&curious, script).unwrap();
    Command::new("chmod").arg("755").arg(&curious).status().unwrap();
    let settings = OcrSettings { program: curious, ..settings() };
    let text = ocr::recognise(&settings, Path::new(ANNEXD), vec![b"P5 1 1 255\n0".to_vec()]).await.unwrap();
    assert!(text.contains("37号") && !text.contains("机密"), "{text}");
    assert_eq!(fs::read_dir(written.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn check_says_that_the_recogniser_is_missing() {
    let missing = OcrSettings { program: "tesseract-that-is-nowhere".into(), ..settings() }.probe().await.unwrap_err();
    assert!(missing.contains("is not installed"), "{missing}");
    let unknown = OcrSettings { language: "chi_sim+klingon".to_owned(), ..settings() }.probe().await.unwrap_err();
    assert!(unknown.contains("klingon"), "{unknown}");
    let found = settings().probe().await.unwrap();
    assert!(found.starts_with("tesseract ") && found.contains("chi_sim"), "{found}");
}

#[tokio::test]
async fn a_licence_gives_no_hint() {
    let reading = read("scans/licence.jpg", Some(settings())).await;
    assert_eq!(hint(&reading), Recognised::default());
}

#[test]
fn a_picture_beyond_the_limits_is_not_looked_at() {
    let small = Limits { scan_max_bytes: 1_000, scan_max_pixels: 1_000, ..Limits::default() };
    assert!(scan::pictures(FileType::Image, &fixture("scans/letter.jpg"), &small).is_empty());
    assert!(scan::pictures(FileType::Pdf, &fixture("scans/jpeg.pdf"), &small).is_empty());
    assert_eq!(scan::pictures(FileType::Pdf, &fixture("scans/three-pages.pdf"), &Limits::default()).len(), 2);
}
