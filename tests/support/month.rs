//! The mails of an ordinary month and what their author meant by them (`fixtures/journey/manifest.json`).

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::Value;

/// Where the mails lie.
pub fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journey")
}

/// One entry a mail, in order of sending.
pub fn manifest() -> Vec<Value> {
    serde_json::from_str(&fs::read_to_string(fixtures().join("manifest.json")).unwrap()).unwrap()
}

/// The mail's bytes; grown by a scanned letter where the manifest wants it large.
pub fn raw(mail: &Value) -> Vec<u8> {
    let small = fs::read(fixtures().join(name(mail))).unwrap();
    match mail["grow_to_bytes"].as_u64() {
        Some(bytes) => grown(small, usize::try_from(bytes).unwrap()),
        None => small,
    }
}

/// A multipart mail with one part more, so that it has about this size.
pub fn grown(mut raw: Vec<u8>, bytes: usize) -> Vec<u8> {
    let end = raw.windows(4).rposition(|window| window == b"\r\n--").unwrap();
    let closing = raw.split_off(end);
    let boundary = String::from_utf8(closing.clone()).unwrap().trim().strip_suffix("--").unwrap().to_owned();
    let head =
        "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=scan.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    raw.extend_from_slice(format!("\r\n{boundary}\r\n{head}").as_bytes());
    let line = format!("{}\r\n", "JVBERi0xLjQK".repeat(6));
    raw.extend_from_slice(line.repeat(bytes.saturating_sub(raw.len()) / line.len()).as_bytes());
    raw.extend_from_slice(&closing);
    raw
}

/// The mail's file, which is its name in these tests.
pub fn name(mail: &Value) -> &str {
    mail["file"].as_str().unwrap()
}

/// Whether these bytes had been sent before.
pub fn is_twin(mail: &Value) -> bool {
    mail.get("same_as").is_some()
}

/// Receipts that each sender is owed: one a mail that wants an answer, none for the same bytes once more.
pub fn receipts_due(manifest: &[Value]) -> BTreeMap<String, usize> {
    let mut due = BTreeMap::new();
    for mail in manifest {
        *due.entry(mail["sender"].as_str().unwrap().to_owned()).or_default() += usize::from(mail["answered"] == true && !is_twin(mail));
    }
    due
}

/// Every topic that was put in came out, with every field as it was written and at the division a clerk would choose.
pub fn missing_topics(manifest: &[Value], exported: &[Value]) -> Vec<String> {
    let corrected: Vec<&str> = manifest.iter().filter_map(|mail| mail["after"].as_str()).collect();
    let mut missing = Vec::new();
    for mail in manifest.iter().filter(|mail| !corrected.contains(&name(mail))) {
        for topic in mail["topics"].as_array().unwrap() {
            let fields = topic["fields"].as_object().unwrap();
            let alike = |found: &&Value| ["topic_title", "applicant"].iter().all(|key| found["fields"][key] == fields[*key]);
            let differences = |found: &Value| {
                let wrong = fields.iter().filter(|(key, value)| found["fields"][key] != **value).map(|(key, _)| key.clone());
                let astray = topic["division"].is_string() && found["division"] != topic["division"] && mail["held"] != true;
                wrong.chain(astray.then(|| format!("division {}", found["division"]))).collect::<Vec<_>>()
            };
            let best = exported.iter().filter(alike).map(differences).min_by_key(Vec::len);
            if best.as_ref().is_none_or(|wrong| !wrong.is_empty()) {
                missing.push(format!("{}: {}: {best:?}", mail["file"], topic["fields"]["topic_title"]));
            }
        }
    }
    missing
}

/// Where a dry run (`annexd examine --json`) says something else of a mail than its author: kind, answer, bureau, letter number,
/// files, what must be corrected, which rows and forms have no partner.
pub fn disagreements(mail: &Value, said: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expect = |what: &str, good: bool, found: &Value, meant: &Value| {
        if !good {
            wrong.push(format!("{}: {what} is {found}, meant {meant}", name(mail)));
        }
    };
    // A correction is one only beside the store that knows its topics.
    let kind_fits = mail.get("after").is_some() || mail["kind"].as_array().unwrap().contains(&said["kind"]);
    expect("kind", kind_fits, &said["kind"], &mail["kind"]);
    expect("answer", said["answer"] == mail["answered"], &said["answer"], &mail["answered"]);
    if mail["bureau"].is_string() {
        expect("bureau", said["bureau"]["id"] == mail["bureau"], &said["bureau"]["id"], &mail["bureau"]);
    }
    if mail["letter_number"].is_string() {
        let found = &said["formal_letter"]["number"];
        expect("letter number", *found == mail["letter_number"], found, &mail["letter_number"]);
    }
    for file in mail["files"].as_array().unwrap() {
        let found = said["attachments"].as_array().unwrap().iter().find(|attachment| attachment["path"] == file[0]).unwrap_or(&Value::Null);
        // A letter with text is read for its number; a scanned one is kept.
        let kept = file[1] == "letter" && found["status"] == "read";
        let good = (file[1].is_null() || found["role"] == file[1]) && (found["status"] == file[2] || kept);
        expect("file", good, found, file);
    }
    for link in mail["links"].as_array().into_iter().flatten() {
        let good =
            said["links"].as_array().unwrap().iter().any(|found| found["provider"] == link["provider"] && found["name"] == link["name"]);
        expect("link", good, &said["links"], link);
    }
    for list in ["row_without_form", "form_without_row"] {
        let meant = mail.get(list).cloned().unwrap_or_else(|| Value::Array(Vec::new()));
        let found = &said["reconciliation"][list];
        // Batches whose forms or tables cannot be told from the manifest's topics alone say nothing here.
        expect(list, mail.get(list).is_none() || *found == meant, found, &meant);
    }
    let topics = said["topics"].as_array().unwrap();
    for topic in mail["topics"].as_array().unwrap() {
        let Some(found) = topics.iter().find(|found| found["fields"]["topic_title"] == topic["fields"]["topic_title"]) else {
            expect("topic", false, &Value::Null, &topic["fields"]["topic_title"]);
            continue;
        };
        let errors = found["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "error");
        let mut found_fields: Vec<&Value> = errors.filter(|finding| finding["rule"] != "R15").map(|finding| &finding["field"]).collect();
        let mut meant: Vec<&Value> = topic["findings"].as_array().unwrap().iter().map(|finding| &finding[1]).collect();
        found_fields.sort_by_key(|field| field.to_string());
        found_fields.dedup();
        meant.sort_by_key(|field| field.to_string());
        if topic["source"] == "both" {
            expect("errors", found_fields == meant, &found["findings"], &topic["findings"]);
        }
    }
    wrong
}
