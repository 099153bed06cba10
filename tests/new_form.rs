//! A new form is a new TOML file: fields, synonyms, units, choices and layout of a progress report are data, no code knows of it.

use std::{collections::BTreeMap, fs, path::PathBuf};

use annexd::domain::{
    folding,
    forms::{
        FormReading,
        blank::blank_docx,
        catalogue::{self, Catalogue},
        read_file,
    },
    limits::Limits,
    parts::FileType,
};
use serde_json::Value;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn with_progress_report() -> Catalogue {
    let mut catalogue = Catalogue::shipped();
    catalogue.forms.push(catalogue::parse(&fs::read_to_string(path("progress/progress.toml")).unwrap()).unwrap());
    catalogue
}

fn read(bytes: &[u8]) -> FormReading {
    read_file(FileType::Docx, bytes, &with_progress_report(), &Limits::default()).unwrap().unwrap()
}

#[test]
fn a_progress_report_is_read_by_its_toml_alone() {
    for name in ["table", "text"] {
        let truth: Value = serde_json::from_str(&fs::read_to_string(path(&format!("progress/{name}.json"))).unwrap()).unwrap();
        let expected: BTreeMap<String, String> = serde_json::from_value(truth["records"][0]["values"].clone()).unwrap();
        let reading = read(&fs::read(path(&format!("progress/{name}.docx"))).unwrap());
        assert_eq!(reading.records.len(), 1, "{name}");
        assert_eq!(reading.records[0].form, "progress", "{name}");
        let fold = |values: BTreeMap<String, String>| -> BTreeMap<String, String> {
            values.into_iter().map(|(key, text)| (key, folding::fold(&text))).collect()
        };
        let found = reading.records[0].values.iter().map(|(key, value)| (key.clone(), value.text.clone())).collect();
        assert_eq!(fold(found), fold(expected), "{name}");
    }
}

#[test]
fn an_application_stays_an_application_beside_the_new_form() {
    let reading = read(&fs::read(path("word/four_columns_1.docx")).unwrap());
    assert_eq!(reading.records.iter().map(|record| record.form.as_str()).collect::<Vec<_>>(), ["annex1"]);
}

#[test]
fn the_blank_progress_report_comes_from_the_same_toml() {
    let catalogue = with_progress_report();
    let form = catalogue.form("progress").unwrap();
    let blank = read(&blank_docx(form, &BTreeMap::new()).unwrap());
    assert_eq!((blank.blank_form.as_deref(), blank.records.len()), (Some("progress"), 0));
    let values: BTreeMap<String, String> =
        [("topic_title", "造雪机研制"), ("stage", "结题"), ("progress", "完成样机。\n通过检测。"), ("phone", "0431-88970000")]
            .map(|(key, text)| (key.to_owned(), text.to_owned()))
            .into();
    let filled = read(&blank_docx(form, &values).unwrap());
    let found: BTreeMap<String, String> = filled.records[0].values.iter().map(|(key, value)| (key.clone(), value.text.clone())).collect();
    assert_eq!(found, values);
}
