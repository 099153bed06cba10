//! Forms and summary tables as different bureaus' secretaries lay them out (`tests/fixtures/make/bureaus.py` and `offices.py`, both
//! written without looking at the readers), and as other programs write them (`writers_word.mjs`, `writers_sheets.py`), say exactly
//! what was put into them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use annexd::domain::{
    folding,
    forms::{self, FormReading, catalogue::Catalogue},
    limits::Limits,
    message::{Message, Part},
    parts,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Truth {
    row: String,
    records: Vec<TrueRecord>,
}

#[derive(Deserialize)]
struct TrueRecord {
    form: String,
    values: BTreeMap<String, String>,
}

/// `BUREAU_FIXTURES` names another folder of files and truths to measure.
fn fixtures(set: &str) -> Vec<PathBuf> {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(set);
    let folder = std::env::var_os("BUREAU_FIXTURES").map_or_else(own, PathBuf::from);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found != "json"));
    files.sort();
    files
}

/// As it would be read from a mail: its kind by its bytes.
fn read(path: &Path) -> FormReading {
    let (name, bytes) = (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap());
    let part = Part { name, declared_type: "application/octet-stream".to_owned(), bytes, is_message: false };
    let limits = Limits::default();
    let file = parts::unpack(Message { files: vec![part], ..Message::default() }, &limits).files.remove(0);
    forms::read_file(file.file_type, &file.bytes, &Catalogue::shipped(), &limits).unwrap().unwrap()
}

/// Fields right and fields judged; what is wrong goes to `wrong`.
fn judge(name: &str, truth: &Truth, reading: &FormReading, wrong: &mut Vec<String>) -> (usize, usize) {
    let (mut right, mut judged) = (0, 0);
    let mut expect = |what: &str, expected: &str, found: &str| {
        judged += 1;
        if folding::fold(expected) == folding::fold(found) {
            right += 1;
        } else {
            wrong.push(format!("{name}: {what}\n     put in: {expected:?}\n       read: {found:?}"));
        }
    };
    expect("number of records", &truth.records.len().to_string(), &reading.records.len().to_string());
    for (number, expected) in truth.records.iter().enumerate() {
        let found = reading.records.get(number);
        expect("form", &expected.form, found.map_or("none", |record| &record.form));
        let empty = BTreeMap::new();
        let values = found.map_or(&empty, |record| &record.values);
        let keys: BTreeSet<&String> = expected.values.keys().chain(values.keys()).collect();
        for key in keys {
            let text = values.get(key).map_or("", |value| value.text.as_str());
            expect(&format!("record {} {key}", number + 1), expected.values.get(key).map_or("", String::as_str), text);
        }
    }
    (right, judged)
}

#[test]
fn whatever_a_secretary_laid_out_is_read_as_it_was_filled() {
    measure("bureaus");
}

#[test]
fn the_printed_forms_of_other_provinces_are_read_as_they_were_filled() {
    measure("offices");
}

#[test]
fn what_programs_write_for_offices_is_read_as_it_was_put_in() {
    measure("writers");
}

fn measure(set: &str) {
    let mut report = String::new();
    let (mut files, mut right, mut judged, mut wrong) = (0, 0, 0, Vec::new());
    for path in fixtures(set) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let truth: Truth = serde_json::from_str(&fs::read_to_string(path.with_file_name(format!("{name}.json"))).unwrap()).unwrap();
        let found = judge(&name, &truth, &read(&path), &mut wrong);
        writeln!(report, "{:3}/{:<3} {name}  {}", found.0, found.1, truth.row).unwrap();
        (files, right, judged) = (files + 1, right + found.0, judged + found.1);
    }
    let share = f64::from(u32::try_from(right).unwrap()) / f64::from(u32::try_from(judged).unwrap());
    println!("{report}{files} files, {right} of {judged} facts, {:.2} %\n{}", share * 100.0, wrong.join("\n"));
    assert!(files > 0 && share >= 0.995, "{:.2} % of the facts are read as written\n{}", share * 100.0, wrong.join("\n"));
}
