//! Every door at which foreign bytes enter takes real files cut short, with flipped bits, spliced with each other and with changed
//! parts inside their packages: no panic, and the laws of `fuzz/targets.rs` hold. The same mutations in every run;
//! ten times as many with `ANNEXD_TEST_LONG=1`. `MUTATIONS.md` has the numbers, written by this run (`UPDATE_GOLDEN=1`).

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{Cursor, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::support::record;
use fastrand::Rng;
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

#[path = "../fuzz/targets.rs"]
mod targets;

/// How many a target gets in an ordinary run: what is cheap to read gets more.
const MUTATIONS: [(&str, usize); 17] = [
    ("message", 2_000),
    ("names", 3_000),
    ("containers", 3_000),
    ("docx", 600),
    ("doc", 400),
    ("xlsx", 350),
    ("xls", 250),
    ("ods", 100),
    ("csv", 250),
    ("html", 150),
    ("spreadsheetml", 150),
    ("pdf", 100),
    ("ofd", 250),
    ("imap_responses", 600),
    ("smtp_replies", 600),
    ("division_commands", 1_000),
    ("configuration", 400),
];
const LONG: usize = 10;
/// Larger files cost time and show nothing more.
const SEED_MAX_BYTES: u64 = 100_000;
/// Unoptimised, on a busy machine; a hang is what must not be.
const SLOWEST: Duration = Duration::from_secs(30);

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folders and endings of a target's seeds.
fn sources(target: &str) -> Vec<(&'static str, &'static [&'static str])> {
    match target {
        "message" => vec![("tests/fixtures/journey", &["eml"]), ("tests/fixtures/mails", &["eml"])],
        "containers" => vec![("tests/fixtures/parts", &[])],
        "docx" => vec![("tests/fixtures/word", &["docx"])],
        "doc" => vec![("tests/fixtures/word", &["doc", "wps"])],
        "xlsx" => vec![("tests/fixtures/sheets", &["xlsx"])],
        "xls" => vec![("tests/fixtures/sheets", &["xls", "et"])],
        "ods" => vec![("tests/fixtures/sheets", &["ods"])],
        "csv" => vec![("tests/fixtures/sheets", &["csv"])],
        "html" => vec![("tests/fixtures/sheets", &["html"])],
        "spreadsheetml" => vec![("tests/fixtures/sheets", &["xml"])],
        "pdf" => vec![("tests/fixtures/letters", &["pdf"])],
        "ofd" => vec![("tests/fixtures/letters", &["ofd"])],
        "configuration" => vec![("config", &["toml"]), ("config/forms", &["toml"])],
        _ => Vec::new(),
    }
}

fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    let fits = |path: &PathBuf| endings.is_empty() || path.extension().is_some_and(|found| endings.iter().any(|ending| found == *ending));
    files.retain(|path| fits(path) && path.metadata().unwrap().len() <= SEED_MAX_BYTES);
    files.sort();
    files
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let own = (home().join("fuzz/seeds").join(target), [].as_slice());
    let folders = sources(target).into_iter().map(|(folder, endings)| (home().join(folder), endings)).chain([own]);
    folders.flat_map(|(folder, endings)| files(&folder, endings)).map(|path| fs::read(path).unwrap()).collect()
}

/// One seed changed.
fn mutated(seeds: &[Vec<u8>], random: &mut Rng) -> Vec<u8> {
    let seed = &seeds[random.usize(..seeds.len())];
    // A flip in packed bytes mostly breaks a checksum only: change what is inside.
    if random.u8(..4) > 0
        && let Some(package) = with_changed_part(seed, random)
    {
        return package;
    }
    let mut bytes = seed.clone();
    if random.u8(..5) == 0 {
        let other = &seeds[random.usize(..seeds.len())];
        bytes.truncate(random.usize(..=bytes.len()));
        bytes.extend_from_slice(&other[random.usize(..=other.len())..]);
    } else {
        change(&mut bytes, random);
    }
    bytes
}

/// Cuts, flips, fills, repeats, exchanges tags and digits.
fn change(bytes: &mut Vec<u8>, random: &mut Rng) {
    for _ in 0..random.usize(1..=6) {
        if bytes.len() < 4 {
            return;
        }
        let at = random.usize(..bytes.len());
        let end = (at + random.usize(1..=64)).min(bytes.len());
        match random.u8(..9) {
            0 => bytes[at] ^= 1 << random.u8(..8),
            1 => bytes[at] = random.u8(..),
            2 => bytes[at..end].fill(if random.bool() { 0xFF } else { 0 }),
            3 => drop(bytes.drain(at..end)),
            4 if random.u8(..6) == 0 => bytes.truncate(at),
            5 => {
                let piece = bytes[at..end].to_vec();
                let to = random.usize(..bytes.len());
                bytes.splice(to..to, piece);
            }
            6 => bytes[at..end].iter_mut().filter(|byte| byte.is_ascii_digit()).for_each(|byte| *byte = b'9'),
            7 => drop(exchange_tags(bytes, random)),
            _ => bytes[at..end].iter_mut().for_each(|byte| *byte = random.u8(..)),
        }
    }
}

/// A tag of an XML file stands a second time where another one begins.
fn exchange_tags(bytes: &mut Vec<u8>, random: &mut Rng) -> Option<()> {
    let from = random.usize(..bytes.len());
    let begin = from + bytes[from..].iter().position(|byte| *byte == b'<')?;
    let end = begin + bytes[begin..].iter().position(|byte| *byte == b'>')? + 1;
    let tag = bytes[begin..end].to_vec();
    let from = random.usize(..bytes.len());
    let to = from + bytes[from..].iter().position(|byte| *byte == b'<')?;
    bytes.splice(to..to, tag);
    Some(())
}

/// The package with one of its parts changed; `None` where the bytes are no package.
fn with_changed_part(seed: &[u8], random: &mut Rng) -> Option<Vec<u8>> {
    let mut package = ZipArchive::new(Cursor::new(seed)).ok().filter(|package| (1..200).contains(&package.len()))?;
    let chosen = random.usize(..package.len());
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..package.len() {
        let mut part = package.by_index(index).ok()?;
        let name = part.name().ok()?.into_owned();
        let mut content = Vec::new();
        part.by_ref().take(4 << 20).read_to_end(&mut content).ok()?;
        if index == chosen {
            change(&mut content, random);
        }
        out.start_file(name, SimpleFileOptions::default().compression_method(CompressionMethod::Stored)).ok()?;
        out.write_all(&content).unwrap();
    }
    Some(out.finish().unwrap().into_inner())
}

/// Runs one target; what broke it is kept in `target/crashers` for the fixtures.
fn run(target: &str, drive: fn(&[u8]), count: usize) -> Vec<String> {
    let seeds = seeds(target);
    assert!(!seeds.is_empty(), "no seeds for {target}");
    let mut random = Rng::with_seed(target.bytes().fold(20_240_815, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte))));
    let mut broken = Vec::new();
    for number in 0..count {
        let bytes = mutated(&seeds, &mut random);
        let start = Instant::now();
        let panicked = catch_unwind(AssertUnwindSafe(|| drive(&bytes))).is_err();
        if panicked || start.elapsed() > SLOWEST {
            let folder = home().join("target/crashers").join(target);
            fs::create_dir_all(&folder).unwrap();
            let file = folder.join(format!("mutation-{number}"));
            fs::write(&file, &bytes).unwrap();
            broken.push(format!("{target}: {} {}", file.display(), if panicked { "panics" } else { "takes too long" }));
        }
    }
    broken
}

#[test]
fn ten_thousand_changed_files_break_no_door() {
    let long = std::env::var("ANNEXD_TEST_LONG").is_ok_and(|text| text == "1");
    let drives: BTreeMap<&str, fn(&[u8])> = targets::TARGETS.into_iter().collect();
    let todo = Mutex::new(MUTATIONS.to_vec());
    let broken = Mutex::new(Vec::new());
    let took = Mutex::new(String::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((target, count)) = todo.lock().unwrap().pop() else { return };
                    let start = Instant::now();
                    let found = run(target, drives[target], if long { count * LONG } else { count });
                    writeln!(took.lock().unwrap(), "{target:20} {:6.1} s", start.elapsed().as_secs_f64()).unwrap();
                    broken.lock().unwrap().extend(found);
                }
            });
        }
    });
    let total: usize = MUTATIONS.iter().map(|(_, count)| if long { count * LONG } else { *count }).sum();
    let broken = broken.into_inner().unwrap();
    println!("{}{total} mutations over {} doors, {} of them broke one", took.into_inner().unwrap(), MUTATIONS.len(), broken.len());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    record::note("changed real files", total, &format!("`hostile_mutations.rs`: at {} doors, none broken", MUTATIONS.len()));
    keep_the_numbers();
}

/// `tests/MUTATIONS.md`, linked from `tests/README.md`.
fn keep_the_numbers() {
    let mut table = String::from(
        "# Mutations\n\nWritten by `tests/hostile_mutations.rs` after a run in which none of them broke a door; do not edit.\n\n\
         | door | mutations | with `--long` | files that once broke it |\n|---|---|---|---|\n",
    );
    for (target, count) in MUTATIONS {
        writeln!(table, "| {target} | {count} | {} | {} |", count * LONG, crashers(target).len()).unwrap();
    }
    let total: usize = MUTATIONS.iter().map(|(_, count)| count).sum();
    writeln!(table, "| together | {total} | {} | |", total * LONG).unwrap();
    let golden = home().join("tests/MUTATIONS.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &table).unwrap();
    }
    assert_eq!(fs::read_to_string(&golden).unwrap_or_default(), table, "run with UPDATE_GOLDEN=1");
}

fn crashers(target: &str) -> Vec<PathBuf> {
    files(&home().join("tests/fixtures/crashers").join(target), &[])
}

#[test]
fn what_once_broke_a_door_is_read_or_refused() {
    for (target, drive) in targets::TARGETS {
        for path in crashers(target) {
            let start = Instant::now();
            drive(&fs::read(&path).unwrap());
            assert!(start.elapsed() < SLOWEST, "{} takes too long", path.display());
        }
    }
}
