//! Word files made by real programs say exactly what was put into them (`tests/fixtures/make/word_*.py` made both file and truth).

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use annexd::domain::{
    folding,
    forms::{self, FormReading, ReadProblem, catalogue::Catalogue},
    limits::Limits,
    parts::FileType,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Truth {
    row: String,
    records: Vec<TrueRecord>,
    blank_form: Option<String>,
    /// encrypted, damaged, refused
    problem: Option<String>,
    letter: bool,
}

#[derive(Deserialize)]
struct TrueRecord {
    form: String,
    values: BTreeMap<String, String>,
}

/// `WORD_FIXTURES` names another folder of files and truths to measure.
fn folder() -> PathBuf {
    std::env::var_os("WORD_FIXTURES").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/word"), PathBuf::from)
}

fn files(extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    files
}

fn read(path: &Path) -> Result<Option<FormReading>, ReadProblem> {
    let file_type = match path.extension().unwrap().to_str().unwrap() {
        "docx" => FileType::Docx,
        "doc" => FileType::Doc,
        "xml" => FileType::Xml,
        _ => FileType::Wps,
    };
    forms::read_file(file_type, &fs::read(path).unwrap(), &Catalogue::shipped(), &Limits::default())
}

/// Fields right and fields judged; what is wrong goes to `wrong`.
fn judge(path: &Path, truth: &Truth, wrong: &mut Vec<String>) -> (usize, usize) {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let mut right = 0;
    let mut judged = 0;
    let mut expect = |what: &str, expected: &str, found: &str| {
        judged += 1;
        if folding::fold(expected) == folding::fold(found) {
            right += 1;
        } else {
            wrong.push(format!("{name}: {what}\n     put in: {expected:?}\n       read: {found:?}"));
        }
    };
    let reading = match read(path) {
        Ok(reading) => reading.expect("a reader for every Word format"),
        Err(problem) => {
            let found = match problem {
                ReadProblem::Encrypted => "encrypted",
                ReadProblem::Damaged(_) => "damaged",
                ReadProblem::Refused(_) => "refused",
            };
            expect("problem", truth.problem.as_deref().unwrap_or("none"), found);
            return (right, judged);
        }
    };
    expect("problem", truth.problem.as_deref().unwrap_or("none"), "none");
    expect("number of records", &truth.records.len().to_string(), &reading.records.len().to_string());
    expect("blank form", truth.blank_form.as_deref().unwrap_or("none"), reading.blank_form.as_deref().unwrap_or("none"));
    if truth.letter {
        expect("letter's text", "true", &reading.text.contains("专项课题").to_string());
    }
    for (number, expected) in truth.records.iter().enumerate() {
        let empty = BTreeMap::new();
        let found = reading.records.get(number);
        expect("form", &expected.form, found.map_or("none", |record| &record.form));
        let values = found.map_or(&empty, |record| &record.values);
        let keys: BTreeSet<&String> = expected.values.keys().chain(values.keys()).collect();
        for key in keys {
            let text = values.get(key).map_or("", |value| value.text.as_str());
            expect(&format!("record {} {key}", number + 1), expected.values.get(key).map_or("", String::as_str), text);
        }
    }
    (right, judged)
}

fn measure(extensions: &[&str], at_least: f64) {
    let mut rows: BTreeMap<(String, String), (usize, usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for extension in extensions {
        for path in files(extension) {
            let truth: Truth = serde_json::from_str(&fs::read_to_string(path.with_extension("json")).unwrap()).unwrap();
            let (right, judged) = judge(&path, &truth, &mut wrong);
            let row = rows.entry((truth.row, (*extension).to_owned())).or_default();
            *row = (row.0 + 1, row.1 + right, row.2 + judged);
        }
    }
    let mut report = String::new();
    for ((row, extension), (files, right, judged)) in &rows {
        writeln!(report, "{row:45} {extension:5} {files:3} files {right:5}/{judged:<5}").unwrap();
    }
    let (right, judged) = rows.values().fold((0, 0), |(right, judged), row| (right + row.1, judged + row.2));
    let files: usize = rows.values().map(|row| row.0).sum();
    let share = f64::from(u32::try_from(right).unwrap()) / f64::from(u32::try_from(judged).unwrap());
    println!("{report}{files} files, {right} of {judged} fields, {:.2} %\n{}", share * 100.0, wrong.join("\n"));
    assert!(files > 0 && share >= at_least, "{:.2} % of the fields are read as written\n{}", share * 100.0, wrong.join("\n"));
}

#[test]
fn every_field_of_a_docx_is_read_as_it_was_put_in() {
    measure(&["docx"], 0.995);
}

/// Word 2003's XML and packages in one file: what office systems make of templates, mostly called .doc.
#[test]
fn a_document_that_is_one_xml_file_is_read_like_a_docx() {
    measure(&["xml"], 0.995);
}

#[test]
fn an_old_doc_is_read_with_the_same_quality() {
    measure(&["doc", "wps"], 0.995);
}

/// Places, notes and whatever the truths do not speak of: compared with `readings.golden`; `UPDATE_GOLDEN=1` writes it anew.
#[test]
fn places_and_notes_stay_as_they_were_looked_over() {
    if std::env::var_os("WORD_FIXTURES").is_some() {
        return;
    }
    let mut lines = String::new();
    for extension in ["docx", "doc", "wps", "xml"] {
        for path in files(extension) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            match read(&path) {
                Ok(Some(reading)) => {
                    for (number, record) in reading.records.iter().enumerate() {
                        writeln!(lines, "{name} {} {}: {}", number + 1, record.form, record.place).unwrap();
                        for (key, value) in &record.values {
                            let unit = value.unit.as_deref().map(|unit| format!(" [{unit}]")).unwrap_or_default();
                            writeln!(lines, "  {key}: {}{unit}", value.place).unwrap();
                        }
                    }
                    for (key, value) in &reading.heading {
                        writeln!(lines, "{name} heading {key}: {} ({})", value.text, value.place).unwrap();
                    }
                    for note in &reading.notes {
                        writeln!(lines, "{name} note: {note}").unwrap();
                    }
                }
                Ok(None) => writeln!(lines, "{name}: no reader").unwrap(),
                Err(problem) => writeln!(lines, "{name}: {problem:?}").unwrap(),
            }
        }
    }
    let golden = folder().join("readings.golden");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &lines).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    let changed: Vec<String> =
        expected.lines().zip(lines.lines()).filter(|(a, b)| a != b).take(5).map(|(a, b)| format!("- {a}\n+ {b}")).collect();
    assert!(expected == lines, "readings differ from readings.golden (UPDATE_GOLDEN=1 writes it anew):\n{}", changed.join("\n"));
}
