//! What people attach, made by real programs (`tests/fixtures/make/parts_files.py`), is recognised and unpacked as its maker knows it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::{collections::BTreeMap, fs, path::Path, time::Instant};

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

/// A xorshift generator: the same mutations in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 1).unwrap()
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..1 + self.next() % 8 {
            if bytes.is_empty() {
                return;
            }
            let at = self.next() % bytes.len();
            match self.next() % 5 {
                0 => bytes[at] ^= 1 << (self.next() % 8),
                1 => bytes[at] = u8::try_from(self.next() % 256).unwrap(),
                2 => bytes.truncate(at),
                3 => {
                    let end = (at + self.next() % 64).min(bytes.len());
                    bytes[at..end].fill(0xFF);
                }
                _ => {
                    let end = (at + self.next() % 64).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    let to = self.next() % bytes.len();
                    bytes.splice(to..to, piece);
                }
            }
        }
    }
}

#[test]
fn three_thousand_damaged_files_cost_neither_panic_nor_time_nor_space() {
    let limits = Limits { container_output_max_bytes: 32 << 20, ..Limits::default() };
    let seeds: Vec<(String, Vec<u8>)> = truths()
        .into_iter()
        .map(|(file, truth)| (truth.shown, fs::read(folder().join(file)).unwrap()))
        .filter(|(_, bytes)| bytes.len() < 70_000)
        .collect();
    let mut noise = Noise(0x9E37_79B9_7F4A_7C15);
    let mut slowest = 0;
    for round in 0..3_000 {
        let (shown, seed) = &seeds[round % seeds.len()];
        let mut bytes = seed.clone();
        noise.mutate(&mut bytes);
        let start = Instant::now();
        let unpacked = attach(shown, bytes, &limits);
        slowest = slowest.max(start.elapsed().as_millis());
        let kept: usize = unpacked.files.iter().map(|file| file.bytes.len()).sum();
        assert!(kept <= limits.container_output_max_bytes + 70_000 && unpacked.files.len() <= limits.files_max);
    }
    // Generous: the machine may be busy; a hang is what must not be.
    assert!(slowest < 20_000, "{slowest} ms");
}
