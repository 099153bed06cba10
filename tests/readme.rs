//! What the README shows is what the demo prints.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use regex::Regex;

/// Lines without what changes with the day: receipt numbers begin with the year, and their last digit depends on it.
fn lasting(text: &str) -> Vec<String> {
    let number = Regex::new(r"20\d\d-(\d{5})-\d").unwrap();
    let token = Regex::new(r"〔[0-9a-f]{8,}〕").unwrap();
    let day = Regex::new(r"20\d\d年\d{1,2}月\d{1,2}日( \d\d:\d\d)?").unwrap();
    text.lines()
        .map(|line| {
            day.replace_all(&token.replace_all(&number.replace_all(line, "〔$1〕"), "〔验证码〕"), "〔日期〕").trim_end().to_owned()
        })
        .filter(|line| !line.is_empty())
        .collect()
}

fn excerpt(readme: &str) -> &str {
    let after = readme.split_once("```text\n■").unwrap().1;
    after.split_once("```").unwrap().0
}

#[test]
fn the_readme_shows_what_the_demo_prints_and_the_demo_leaves_what_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let output = Command::new(env!("CARGO_BIN_EXE_annexd")).args(["demo", "--dir", dir.to_str().unwrap()]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    assert_eq!(told, "", "the demo says everything on standard output");
    let printed: BTreeSet<String> = lasting(&String::from_utf8(output.stdout).unwrap()).into_iter().collect();
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let shown = lasting(&format!("■{}", excerpt(&readme)));
    assert!(shown.len() > 15);
    for line in shown {
        assert!(printed.contains(&line), "the demo does not print this line of the README any more:\n{line}");
    }
    for kind in ["receipt", "queue", "digest"] {
        let of_kind = |name: &str| name.contains(kind) && name.ends_with(".txt");
        assert!(fs::read_dir(dir.join("read")).unwrap().any(|entry| of_kind(entry.unwrap().file_name().to_str().unwrap())), "no {kind}");
    }
    let again = Command::new(env!("CARGO_BIN_EXE_annexd"))
        .args(["--config", dir.join("annexd.toml").to_str().unwrap(), "export", "topics"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(again.stdout).unwrap().lines().count(), 14);
    // The correction came by reply, the late form found its row, and the same topic by another bureau is marked.
    let text = fs::read_to_string(dir.join("read/13-receipt-gxq-th.txt")).unwrap();
    assert!(text.contains("补充更正"), "{text}");
}

#[test]
fn the_demo_spares_folders_of_others() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.txt"), "mine").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_annexd")).args(["demo", "--dir", folder.path().to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read_to_string(folder.path().join("mine.txt")).unwrap(), "mine");
}
