//! What the last full run did, counted by the run itself and kept in `tests/README.md` between two marks. Only a long run writes
//! there, so that an ordinary one leaves the tree as it was.

use std::{collections::BTreeMap, fs, path::Path};

const BEGIN: &str = "<!-- counted: begin -->\n";
const END: &str = "<!-- counted: end -->";
const HEAD: &str = "| what was done to it | number | how |\n|---|---|---|\n";

/// Notes a figure of this run; prints it in any case.
#[allow(clippy::print_stdout)]
pub fn note(what: &str, number: impl std::fmt::Display, how: &str) {
    println!("{what}: {number} ({how})");
    if !super::long() {
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/README.md");
    // Several tests write at the same time.
    let lock = fs::File::create(std::env::temp_dir().join("annexd-tests-readme.lock")).unwrap();
    lock.lock().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("tests/README.md has lost its marks");
    let (table, after) = rest.split_once(END).expect("tests/README.md has lost its marks");
    let mut rows: BTreeMap<String, String> = table
        .lines()
        .skip(2)
        .filter_map(|line| Some((line.trim_start_matches("| ").split_once(" |")?.0.to_owned(), line.to_owned())))
        .collect();
    rows.insert(what.to_owned(), format!("| {what} | {number} | {how} |"));
    let rows: String = rows.into_values().map(|row| row + "\n").collect();
    fs::write(&path, format!("{before}{BEGIN}{HEAD}{rows}{END}{after}")).unwrap();
}
