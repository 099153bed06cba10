//! The walls of the house, held by a test: a rule that no machine checks does not hold. `walls.rs` has the rules; the second half
//! of this file proves of each that it can fail.

#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/walls.rs"]
mod walls;

use std::{fs, path::Path};

use source::{Source, rust_files};

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources_below(folder: &str) -> Vec<Source> {
    let root = home().join(folder);
    let read = |path: &std::path::PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        Source::new(&name, &fs::read_to_string(path).unwrap())
    };
    rust_files(&root).iter().map(read).collect()
}

fn hold(breaches: &[String]) {
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn every_file_keeps_to_its_room_its_doors_and_its_length() {
    let sources = sources_below("src");
    assert!(sources.len() > 40, "only {} files were looked at", sources.len());
    hold(&sources.iter().flat_map(walls::breaches).collect::<Vec<_>>());
}

#[test]
fn tests_say_what_they_are_for_and_stay_short_too() {
    let sources = sources_below("tests");
    let judge = |source: &Source| {
        walls::opening(source)
            .into_iter()
            .chain(walls::length(source))
            .map(|breach| format!("tests/{}: {breach}", source.path))
            .collect::<Vec<_>>()
    };
    hold(&sources.iter().flat_map(judge).collect::<Vec<_>>());
}

#[test]
fn domain_modules_use_only_those_above_them() {
    let listing = fs::read_to_string(home().join("src/domain.rs")).unwrap();
    let sources = sources_below("src");
    let found = walls::order_breaches(&listing, &sources);
    let advice = match walls::possible_order(&sources) {
        Ok(order) => format!("this order holds: {}", order.join(", ")),
        Err(knot) => format!("no order holds; these use each other: {}", knot.join(", ")),
    };
    assert!(found.is_empty(), "\n{}\n{advice}\n", found.join("\n"));
}

#[test]
fn every_column_of_the_schema_says_what_it_holds() {
    let mut looked_at = 0;
    let mut found = Vec::new();
    let mut waiting = vec![home().join("migrations")];
    while let Some(folder) = waiting.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "sql") {
                looked_at += 1;
                let sql = fs::read_to_string(&path).unwrap();
                found.extend(walls::uncommented_columns(&sql).into_iter().map(|breach| format!("{}: {breach}", path.display())));
            }
        }
    }
    hold(&found);
    assert!(looked_at > 0 || !home().join("src/edge/store.rs").exists(), "no migration was looked at");
}

/// Commands that a reader of the README would type.
fn readme_commands(text: &str) -> Vec<String> {
    let command = regex::Regex::new(r"(?m)\bannexd (?:--config \S+ )?([a-z]+)\b").unwrap();
    let fenced = text.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').map_or("", |(_, body)| body).to_owned());
    let inline: Vec<String> = regex::Regex::new(r"`([^`\n]+)`").unwrap().captures_iter(text).map(|hit| hit[1].to_owned()).collect();
    let lines: Vec<String> = fenced.chain(inline).collect();
    let mut found: Vec<String> =
        lines.iter().flat_map(|text| command.captures_iter(text).map(|hit| hit[1].to_owned()).collect::<Vec<_>>()).collect();
    found.extend(lines.iter().flat_map(|text| {
        let demo = regex::Regex::new(r"cargo run (?:--release )?-- ([a-z]+)").unwrap();
        demo.captures_iter(text).map(|hit| hit[1].to_owned()).collect::<Vec<_>>()
    }));
    found.sort();
    found.dedup();
    found
}

#[test]
fn every_command_that_the_readmes_name_exists() {
    for name in ["README.md", "README.zh-CN.md", "README.zh.md"] {
        let Ok(text) = fs::read_to_string(home().join(name)) else { continue };
        for command in readme_commands(&text) {
            let shown = std::process::Command::new(env!("CARGO_BIN_EXE_annexd")).args([command.as_str(), "--help"]).output().unwrap();
            assert!(shown.status.success(), "{name} names `annexd {command}`, which does not exist");
        }
    }
}

// Each wall can fail.

fn breaks(path: &str, text: &str) -> Vec<String> {
    walls::breaches(&Source::new(path, &format!("//! Made up.\n{text}")))
}

#[test]
fn an_impure_domain_is_caught() {
    for text in [
        "use tokio::time::sleep;",
        "use std::{collections::BTreeMap, fs::{self, File}};",
        "fn f() { let now = std::time::SystemTime::now(); }",
        "use std::{time::{Duration, Instant}};",
        "use crate::{domain::forms, edge::store::Store};",
        "async fn f() {}",
        "fn f() { g().await }",
        "use super::super::super::pipeline::House;",
        "use jiff::Timestamp; fn f() { Timestamp::now(); }",
        "pub use crate::config::Config;",
    ] {
        assert!(!breaks("domain/rules/made_up.rs", text).is_empty(), "{text} was let through");
    }
    for text in [
        "use std::{collections::BTreeMap, time::Duration};",
        "// tokio::spawn, std::fs and .await in a comment\nfn f() -> &'static str { \"use std::fs; x.await\" }",
        "fn f(c: char) -> bool { c == '\"' || c == '\\'' } // crate::edge",
        "#[cfg(test)]\nmod tests { use std::fs; }\nuse crate::domain::folding;",
        "fn f(known: &Known) -> bool { known.awaits_letter }",
        "fn f() -> &'static str { r#\"std::env::var \" \"# }",
    ] {
        assert_eq!(breaks("domain/rules/made_up.rs", text), Vec::<String>::new(), "{text}");
    }
    assert!(breaks("pipeline/made_up.rs", "use tokio::time::sleep; use crate::edge::store::Store;").is_empty());
}

#[test]
fn edges_that_know_each_other_are_caught() {
    assert!(!breaks("edge/smtp.rs", "use super::store::Store;").is_empty());
    assert!(!breaks("edge/mailbox/imap.rs", "use crate::{domain::limits, edge::{clock, fault::Fault}};").is_empty());
    assert!(!breaks("edge/clock.rs", "fn f() { crate::pipeline::accept::accept(); }").is_empty());
    assert!(
        breaks(
            "edge/mailbox/imap/session.rs",
            "use super::super::super::fault::Fault; use super::answer; use crate::edge::mailbox::maildir;"
        )
        .is_empty()
    );
}

#[test]
fn a_pipeline_that_goes_around_the_doors_is_caught() {
    for text in ["use sqlx::query;", "use tokio::{net::TcpStream, time};", "fn f() { std::fs::read(\"x\"); }", "use crate::commands::demo;"]
    {
        assert!(!breaks("pipeline/made_up.rs", text).is_empty(), "{text} was let through");
    }
}

#[test]
fn a_second_door_is_caught() {
    for (library, doors) in walls::DOORS {
        let text = format!("use {library}::Something;");
        let names_it = |breach: &String| breach.contains(&format!("names {library}::Something: its door"));
        assert!(breaks("daemon.rs", &text).iter().any(names_it), "{library} may be named anywhere");
        let door = if doors[0].ends_with('/') { format!("{}x.rs", doors[0]) } else { doors[0].to_owned() };
        assert!(!breaks(&door, &text).iter().any(names_it), "{library} is refused at its own door {door}");
    }
    assert!(breaks("domain/parts.rs", "fn f() { iter.zip(other) } use std::iter::zip;").is_empty());
}

#[test]
fn a_file_that_is_long_or_says_nothing_or_promises_is_caught() {
    assert!(walls::opening(&Source::new("x.rs", "use std::fs;")).is_some());
    assert!(walls::opening(&Source::new("x.rs", "//! What it is for.\n")).is_none());
    let long = "//! Long.\n".to_owned() + &"fn f() {}\n".repeat(400);
    assert!(walls::length(&Source::new("x.rs", &long)).is_some());
    let tested = "//! Short.\n#[cfg(test)]\nmod tests {\n".to_owned() + &"    fn f() {}\n".repeat(500) + "}\n";
    assert!(walls::length(&Source::new("x.rs", &tested)).is_none());
    assert!(!breaks("main.rs", "// TODO later").is_empty());
    assert!(!breaks("main.rs", "fn f() { unimplemented!() }").is_empty());
}

#[test]
fn a_domain_module_that_uses_one_below_it_is_caught() {
    let listing = "//! Room.\n\npub mod folding;\npub mod forms;\npub mod rules;\n";
    let source = |path: &str, text: &str| Source::new(path, text);
    let good =
        [source("domain/rules.rs", "use super::{folding, forms::Value};"), source("domain/forms/grid.rs", "use super::super::folding;")];
    assert_eq!(walls::order_breaches(listing, &good), Vec::<String>::new());
    for (path, text) in [
        ("domain/forms.rs", "use super::rules;"),
        ("domain/forms/grid.rs", "use crate::domain::{folding, rules::Rule};"),
        ("domain/stranger.rs", ""),
    ] {
        assert_eq!(walls::order_breaches(listing, &[source(path, text)]).len(), 1, "{path}: {text}");
    }
    let knot = [source("domain/a.rs", "use super::b;"), source("domain/b.rs", "use super::a;"), source("domain/c.rs", "")];
    assert_eq!(walls::possible_order(&knot), Err(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(walls::possible_order(&knot[1..]), Ok(vec!["b".to_owned(), "c".to_owned()]));
}

#[test]
fn a_column_without_a_comment_is_caught() {
    let sql = "CREATE TABLE letter (\n    id INTEGER PRIMARY KEY, -- running number\n    state TEXT NOT NULL,\n    -- when it left\n    sent_at INTEGER,\n    UNIQUE (id, state)\n) STRICT;\nCREATE INDEX x ON letter (state);\nALTER TABLE letter ADD COLUMN due_at INTEGER;\n";
    let found = walls::uncommented_columns(sql);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("letter.state"), "{found:?}");
}

#[test]
fn commands_are_found_in_a_readme_wherever_they_stand() {
    let text = "Run `annexd check --connect`, then:\n```sh\ncargo run --release -- demo\nannexd --config x.toml parked list\n```\nannexd answers every mail.\n";
    assert_eq!(readme_commands(text), ["check", "demo", "parked"]);
}
