//! A reading travels from a child process to the daemon as JSON: nothing may be lost on the way.

use std::{fs, path::Path};

use annexd::domain::verdict::{Knowledge, Known, Reading, decide, read};

use crate::support::attached::shipped;

#[test]
fn a_reading_that_travelled_between_processes_gives_the_same_verdict() {
    let knowledge = shipped();
    let told: Knowledge = serde_json::from_str(&serde_json::to_string(&knowledge).unwrap()).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journey");
    let mut mails = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "eml") {
            continue;
        }
        let raw = fs::read(&path).unwrap();
        let here = read(&raw, &knowledge);
        let there: Reading = serde_json::from_str(&serde_json::to_string(&read(&raw, &told)).unwrap()).unwrap();
        let verdict = |reading: Reading| format!("{:#?}", decide(reading, &Known::default(), &knowledge));
        assert_eq!(verdict(here), verdict(there), "{}", path.display());
        mails += 1;
    }
    assert!(mails >= 30, "only {mails} mails");
}
