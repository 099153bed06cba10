//! What the README shows is what the demo prints, and what the documents tell operators to type is what there is.

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

const DOCUMENTS: [&str; 5] = ["README.md", "README.zh-CN.md", "deploy/RUNBOOK.md", "deploy/SECURITY.md", "config/README.md"];

fn help(words: &[&str]) -> Option<String> {
    let shown = Command::new(env!("CARGO_BIN_EXE_annexd")).args(words).arg("--help").output().unwrap();
    shown.status.success().then(|| String::from_utf8_lossy(&shown.stdout).into_owned())
}

/// Names in the list of commands that a help text shows.
fn commands(help: &str) -> Vec<String> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| line.starts_with("  "));
    list.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

/// What the documents' code says behind `annexd`, each as its words.
fn described() -> Vec<(String, Vec<String>)> {
    let code = Regex::new(r"(?s)```.*?```|`[^`\n]+`").unwrap();
    let call = Regex::new(r"\bannexd ((?:--[a-z]+ \S+ )?[a-z][^`\n;；#。，]*)").unwrap();
    let mut found = Vec::new();
    for document in DOCUMENTS {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(document)).unwrap();
        for piece in code.find_iter(&text) {
            for call in call.captures_iter(piece.as_str()) {
                found.push((document.to_owned(), call[1].split_whitespace().map(str::to_owned).collect()));
            }
        }
    }
    found
}

/// A command nobody is told of is found by nobody; an option that no longer exists sends its reader astray.
#[test]
fn operators_read_of_every_command_and_of_none_that_does_not_exist() {
    let described = described();
    let mut wrong = Vec::new();
    let top = commands(&help(&[]).unwrap());
    for name in &top {
        let inner = commands(&help(&[name]).unwrap());
        let says = |words: &[&str]| described.iter().any(|(_, call)| words.iter().all(|word| call.iter().any(|said| said == word)));
        if !says(&[name]) && name != "demo" {
            wrong.push(format!("annexd {name} is described nowhere"));
        }
        wrong.extend(inner.iter().filter(|sub| !says(&[name, sub])).map(|sub| format!("annexd {name} {sub} is described nowhere")));
    }
    for (document, call) in &described {
        let Some(at) = call.iter().position(|word| top.contains(word)) else { continue };
        let mut path = vec![call[at].as_str()];
        path.extend(call.get(at + 1).filter(|word| commands(&help(&path).unwrap()).contains(word)).map(String::as_str));
        let shown = help(&path).unwrap();
        for option in call.iter().filter(|word| word.starts_with("--")) {
            let name = option.split('=').next().unwrap();
            if !shown.contains(&format!("{name} ")) && !shown.contains(&format!("{name}\n")) && name != "--help" {
                wrong.push(format!("{document}: annexd {} has no {name}", path.join(" ")));
            }
        }
    }
    assert!(described.len() > 60 && wrong.is_empty(), "{} calls\n{}", described.len(), wrong.join("\n"));
}
