//! What people attach, made by real programs (`tests/fixtures/make/parts_files.py`), is recognised and unpacked as its maker knows it.

use std::{collections::BTreeMap, fs, path::Path};

use annexd::domain::{
    limits::Limits,
    message::{Message, Part},
    parts::{self, Unpacked},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Truth {
    /// The name under which it is attached.
    shown: String,
    /// Path, type, status.
    files: Vec<(String, String, String)>,
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parts")
}

fn truths() -> BTreeMap<String, Truth> {
    serde_json::from_str(&fs::read_to_string(folder().join("truth.json")).unwrap()).unwrap()
}

fn attach(shown: &str, bytes: Vec<u8>, limits: &Limits) -> Unpacked {
    let part = Part { name: shown.to_owned(), declared_type: "application/octet-stream".to_owned(), bytes, is_message: false };
    parts::unpack(Message { files: vec![part], ..Message::default() }, limits)
}

fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn every_file_is_what_its_maker_knows_it_to_be() {
    let mut wrong = Vec::new();
    let truths = truths();
    assert!(truths.len() >= 80, "fixtures are missing");
    for (file, truth) in &truths {
        let unpacked = attach(&truth.shown, fs::read(folder().join(file)).unwrap(), &Limits::default());
        let mut read: Vec<_> = unpacked.files.iter().map(|file| (file.path.clone(), word(file.file_type), word(file.status))).collect();
        let mut known = truth.files.clone();
        read.sort();
        known.sort();
        if read != known {
            let problems: Vec<_> = unpacked.files.iter().filter_map(|file| file.problem.clone()).collect();
            wrong.push(format!("{file}\n  made {known:?}\n  read {read:?}\n  {problems:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_refusal_tells_the_sender_what_to_do() {
    for (file, truth) in &truths() {
        let unpacked = attach(&truth.shown, fs::read(folder().join(file)).unwrap(), &Limits::default());
        for refused in unpacked.files.iter().filter(|file| !matches!(word(file.status).as_str(), "kept" | "container")) {
            let problem = refused.problem.clone().unwrap_or_default();
            assert!(problem.contains('请') && problem.ends_with('。'), "{file}: {problem}");
        }
    }
}
