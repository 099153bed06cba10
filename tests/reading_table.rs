//! `READING.md`: what becomes of each kind of file in each layout, filled by reading every fixture as if it came in a mail
//! (`UPDATE_GOLDEN=1` writes it anew). Whether the values are right is judged by `reading_word.rs`, `reading_sheets.rs`,
//! `reading_bureaus.rs` and `reading_letters.rs`.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use annexd::domain::{
    forms::{self, ReadProblem, catalogue::Catalogue},
    limits::Limits,
    message::{Message, Part},
    parts::{self, File, FileStatus},
};

const OUTCOMES: [&str; 8] = ["read", "blank", "kept", "encrypted", "damaged", "unsupported", "too_large", "refused"];

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(home().join("tests/fixtures").join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file() && path.extension().is_some_and(|found| found != "json"));
    files.sort();
    files
}

/// What the maker of the file calls its layout; where it has none, the folder.
fn layout(folder: &str, path: &Path) -> String {
    let beside = [path.with_extension("json"), PathBuf::from(format!("{}.json", path.display()))];
    let truth = beside.iter().find_map(|path| fs::read_to_string(path).ok());
    let row = truth
        .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        .and_then(|truth| Some(truth.get("row")?.as_str()?.to_owned()));
    let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
    row.unwrap_or_else(|| match folder {
        "letters" => {
            stem.split('-').next().unwrap_or_default().replace("split", "rows over a page break").replace("whole", "rows to the page's end")
        }
        _ => "as an attachment, or inside one".to_owned(),
    })
}

fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

/// What becomes of one leaf or container.
fn outcome(file: &File, catalogue: &Catalogue, limits: &Limits) -> String {
    if file.status == FileStatus::Container {
        return "read".to_owned();
    }
    if file.status != FileStatus::Kept {
        return word(file.status);
    }
    let found = match forms::read_file(file.file_type, &file.bytes, catalogue, limits) {
        Ok(Some(reading)) if !reading.records.is_empty() => "read",
        Ok(Some(reading)) if reading.blank_form.is_some() => "blank",
        Ok(_) => "kept",
        Err(ReadProblem::Encrypted) => "encrypted",
        Err(ReadProblem::Damaged(_)) => "damaged",
        Err(ReadProblem::Refused(_)) => "refused",
    };
    found.to_owned()
}

#[test]
fn the_table_of_formats_and_layouts_is_what_reading_gives() {
    let (catalogue, limits) = (Catalogue::shipped(), Limits::default());
    let mut rows: BTreeMap<(String, String), BTreeMap<String, usize>> = BTreeMap::new();
    let mut count = 0;
    for folder in ["word", "sheets", "bureaus", "offices", "writers", "letters", "parts"] {
        for path in files(folder) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let part = Part { name, declared_type: String::new(), bytes: fs::read(&path).unwrap(), is_message: false };
            let unpacked = parts::unpack(Message { files: vec![part], ..Message::default() }, &limits);
            for file in &unpacked.files {
                let row = rows.entry((word(file.file_type), layout(folder, &path))).or_default();
                *row.entry(outcome(file, &catalogue, &limits)).or_default() += 1;
            }
            count += 1;
        }
    }
    let mut table = format!(
        "# What is read\n\nWritten by `tests/reading_table.rs`, which reads every fixture as if it came in a mail; do not edit. {count} files.\n\
         `kept`: no form or table in it (letters, pictures, other papers). The type is what the bytes are.\n\n| type | layout | {} |\n|---|---{}|\n",
        OUTCOMES.join(" | "),
        "|---".repeat(OUTCOMES.len())
    );
    for ((file_type, layout), outcomes) in &rows {
        let cells: Vec<String> = OUTCOMES.iter().map(|outcome| outcomes.get(*outcome).map_or_else(String::new, usize::to_string)).collect();
        writeln!(table, "| {file_type} | {layout} | {} |", cells.join(" | ")).unwrap();
    }
    let golden = home().join("tests/READING.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &table).unwrap();
    }
    assert_eq!(fs::read_to_string(&golden).unwrap_or_default(), table, "run with UPDATE_GOLDEN=1");
}
