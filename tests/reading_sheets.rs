//! Summary tables made by real programs say exactly what was put into them (`tests/fixtures/make/sheets_make.py` made both file
//! and truth; the truth never comes from a reader).

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
    heading: BTreeMap<String, String>,
    blank_form: Option<String>,
    problem: Option<String>,
    /// Record number and field, or `*` for the whole record.
    hidden: Vec<(usize, String)>,
    rounded: Vec<(usize, String)>,
    /// By record number and field; a `null` where the sender's text names its unit itself.
    units: BTreeMap<String, BTreeMap<String, Option<String>>>,
}

#[derive(Deserialize)]
struct TrueRecord {
    form: String,
    values: BTreeMap<String, String>,
}

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sheets");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found != "json"));
    files.sort();
    files
}

fn file_type(path: &Path) -> FileType {
    match path.extension().unwrap().to_str().unwrap() {
        "xlsx" => FileType::Xlsx,
        "xls" => FileType::Xls,
        "et" => FileType::Et,
        "ods" => FileType::Ods,
        "csv" => FileType::Csv,
        "html" => FileType::Html,
        "xml" => FileType::Xml,
        other => panic!("a file type for .{other}"),
    }
}

fn read(path: &Path, bytes: &[u8]) -> Result<FormReading, ReadProblem> {
    let reading = forms::read_file(file_type(path), bytes, &Catalogue::shipped(), &Limits::default())?;
    Ok(reading.expect("a reader for every table format"))
}

/// Counts what is read as it was put in; says what is not.
#[derive(Default)]
struct Judge {
    right: usize,
    judged: usize,
    wrong: Vec<String>,
}

impl Judge {
    fn expect(&mut self, what: &str, expected: &str, found: &str) {
        self.judged += 1;
        if folding::fold(expected) == folding::fold(found) {
            self.right += 1;
        } else {
            self.wrong.push(format!("{what}\n     put in: {expected:?}\n       read: {found:?}"));
        }
    }

    fn judge(&mut self, name: &str, truth: &Truth, result: Result<FormReading, ReadProblem>) {
        let found = match &result {
            Ok(_) => "none",
            Err(ReadProblem::Encrypted) => "encrypted",
            Err(ReadProblem::Damaged(_)) => "damaged",
            Err(ReadProblem::Refused(_)) => "refused",
        };
        self.expect(&format!("{name}: problem"), truth.problem.as_deref().unwrap_or("none"), found);
        let Ok(reading) = result else { return };
        self.expect(&format!("{name}: records"), &truth.records.len().to_string(), &reading.records.len().to_string());
        self.expect(
            &format!("{name}: blank form"),
            truth.blank_form.as_deref().unwrap_or("none"),
            reading.blank_form.as_deref().unwrap_or("none"),
        );
        let heading: BTreeMap<String, String> = reading.heading.iter().map(|(key, value)| (key.clone(), value.text.clone())).collect();
        self.compare(&format!("{name}: heading"), &truth.heading, &heading);
        for (number, expected) in truth.records.iter().enumerate() {
            let Some(record) = reading.records.get(number) else {
                self.judged += expected.values.len();
                continue;
            };
            let what = format!("{name}: record {}", number + 1);
            self.expect(&format!("{what} form"), &expected.form, &record.form);
            let texts = record.values.iter().map(|(key, value)| (key.clone(), value.text.clone())).collect();
            self.compare(&what, &expected.values, &texts);
            for (key, value) in &record.values {
                let flagged = |list: &[(usize, String)]| list.iter().any(|(at, field)| *at == number && (field == key || field == "*"));
                self.expect(&format!("{what} {key} hidden"), &flagged(&truth.hidden).to_string(), &value.hidden.to_string());
                self.expect(&format!("{what} {key} rounded"), &flagged(&truth.rounded).to_string(), &value.rounded.to_string());
                if let Some(unit) = truth.units.get(&number.to_string()).and_then(|units| units.get(key)) {
                    self.expect(&format!("{what} {key} unit"), unit.as_deref().unwrap_or("none"), value.unit.as_deref().unwrap_or("none"));
                }
            }
        }
    }

    fn compare(&mut self, what: &str, expected: &BTreeMap<String, String>, found: &BTreeMap<String, String>) {
        let keys: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
        for key in keys {
            let text = |values: &BTreeMap<String, String>| values.get(key).cloned().unwrap_or_default();
            self.expect(&format!("{what} {key}"), &text(expected), &text(found));
        }
    }
}

#[test]
fn every_table_is_read_as_it_was_filled() {
    let mut rows: BTreeMap<(String, String), (usize, usize, usize)> = BTreeMap::new();
    let mut all = Judge::default();
    for path in fixtures() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let truth: Truth = serde_json::from_str(&fs::read_to_string(path.with_file_name(format!("{name}.json"))).unwrap()).unwrap();
        let mut judge = Judge::default();
        judge.judge(&name, &truth, read(&path, &fs::read(&path).unwrap()));
        let row = rows.entry((truth.row, path.extension().unwrap().to_string_lossy().into_owned())).or_default();
        *row = (row.0 + 1, row.1 + judge.right, row.2 + judge.judged);
        all.right += judge.right;
        all.judged += judge.judged;
        all.wrong.append(&mut judge.wrong);
    }
    let mut report = String::new();
    for ((row, extension), (files, right, judged)) in &rows {
        writeln!(report, "{row:48} {extension:5} {files:3} files {right:5}/{judged:<5}").unwrap();
    }
    let files: usize = rows.values().map(|row| row.0).sum();
    let share = f64::from(u32::try_from(all.right).unwrap()) / f64::from(u32::try_from(all.judged).unwrap());
    let wrong = all.wrong.join("\n");
    println!("{report}{files} files, {} of {} facts, {:.2} %\n{wrong}", all.right, all.judged, share * 100.0);
    assert!(files >= 60, "only {files} files");
    assert!(share >= 0.995, "{:.2} % of the facts are read as written\n{wrong}", share * 100.0);
}
