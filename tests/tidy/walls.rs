//! The walls of the house: which room may name what. Each takes one source and returns its breaches in words.

use super::source::Source;

/// Longest file without its tests, in lines.
const LINES_MAX: usize = 400;

/// What the pure room must not name: outside systems, the clock, the environment, the log, the other rooms.
const IMPURE: [&str; 22] = [
    "tokio",
    "tokio_rustls",
    "futures",
    "sqlx",
    "async_imap",
    "lettre",
    "tracing",
    "log",
    "rustls_native_certs",
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::thread",
    "std::time::SystemTime",
    "std::time::Instant",
    "std::io::stdin",
    "crate::edge",
    "crate::pipeline",
    "crate::config",
    "crate::daemon",
    "crate::commands",
];

/// Libraries of outside systems, which the pipeline reaches only through an edge.
const OUTSIDE: [&str; 14] = [
    "sqlx",
    "async_imap",
    "lettre",
    "mail_parser",
    "calamine",
    "zip",
    "rustls_native_certs",
    "tokio_rustls",
    "tokio::fs",
    "tokio::net",
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
];

/// One door for each library: the files, or folders ending in `/`, that may name it.
pub const DOORS: [(&str, &[&str]); 19] = [
    ("mail_parser", &["domain/message.rs", "domain/message/"]),
    ("calamine", &["domain/forms/sheets/excel.rs"]),
    ("office_oxide", &["domain/forms/"]),
    ("docx_rs", &["domain/forms/"]),
    ("zip", &["domain/parts/", "domain/forms/", "commands/demo/"]),
    ("sevenz_rust2", &["domain/parts/"]),
    ("rars", &["domain/parts/"]),
    ("tar", &["domain/parts/"]),
    ("async_imap", &["edge/mailbox/"]),
    ("object_store", &["edge/blobs/"]),
    ("sqlx", &["edge/store.rs", "edge/store/"]),
    ("lettre", &["edge/smtp.rs", "edge/smtp/"]),
    ("tokio_rustls", &["edge/tls.rs", "edge/mailbox/", "edge/smtp.rs", "edge/smtp/"]),
    ("rustls_native_certs", &["edge/tls.rs"]),
    ("minijinja", &["domain/letters/", "edge/web/"]),
    ("axum", &["edge/web.rs", "edge/web/"]),
    ("prometheus_client", &["edge/web/"]),
    ("sd_notify", &["edge/supervisor.rs"]),
    ("clap", &["commands.rs", "commands/", "main.rs"]),
];

/// Words that promise work instead of doing it.
const PROMISES: [&str; 5] = ["TODO", "FIXME", "XXX:", "unimplemented!", "todo!"];

/// Everything that one file can break.
pub fn breaches(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(opening(source));
    found.extend(length(source));
    found.extend(promises(source));
    if !source.is_tests() {
        found.extend(purity(source));
        found.extend(separate_edges(source));
        found.extend(pipeline_by_doors(source));
        found.extend(one_door(source));
    }
    found.into_iter().map(|breach| format!("{}: {breach}", source.path)).collect()
}

/// Every file says first what it is for.
pub fn opening(source: &Source) -> Option<String> {
    (!source.text.starts_with("//! ")).then(|| "does not open with `//!` and what it is for".to_owned())
}

pub fn length(source: &Source) -> Option<String> {
    let lines = source.lines_without_tests();
    (lines > LINES_MAX).then(|| format!("has {lines} lines without tests; split it at {LINES_MAX}"))
}

pub fn promises(source: &Source) -> Vec<String> {
    PROMISES.iter().filter(|word| source.text.contains(**word)).map(|word| format!("says {word}: do it or leave it")).collect()
}

/// The domain is pure.
pub fn purity(source: &Source) -> Vec<String> {
    if !in_room(&source.path, "domain") {
        return Vec::new();
    }
    let mut found = forbidden(source, &IMPURE, "the domain is pure");
    for word in ["async fn", "async move", "println!", "eprintln!", "Timestamp::now", "Zoned::now"] {
        if source.code.contains(word) {
            found.push(format!("uses {word}: the domain is pure"));
        }
    }
    if regex::Regex::new(r"\.await\b").unwrap().is_match(&source.code) {
        found.push("uses .await: the domain is pure".to_owned());
    }
    found
}

/// Edges do not know each other, nor who uses them. They share the kinds of fault and whom TLS trusts.
pub fn separate_edges(source: &Source) -> Vec<String> {
    if !in_room(&source.path, "edge") || source.path == "edge.rs" {
        return Vec::new();
    }
    let own = door_name(&source.path);
    let mut found = forbidden(source, &["crate::pipeline", "crate::daemon", "crate::commands"], "an edge does not know who uses it");
    for path in &source.paths {
        let Some(other) = path.strip_prefix("crate::edge::").and_then(|rest| rest.split("::").next()) else { continue };
        if other != own && !["fault", "tls"].contains(&other) {
            found.push(format!("names {path}: edges do not know each other"));
        }
    }
    found
}

/// The pipeline names no library of an outside system.
pub fn pipeline_by_doors(source: &Source) -> Vec<String> {
    if !in_room(&source.path, "pipeline") {
        return Vec::new();
    }
    let mut found = forbidden(source, &OUTSIDE, "the pipeline reaches outside systems through an edge");
    found.extend(forbidden(source, &["crate::daemon", "crate::commands"], "the pipeline does not know who starts it"));
    found
}

/// Each library behind its own door.
pub fn one_door(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (library, doors) in DOORS {
        let allowed = doors.iter().any(|door| if door.ends_with('/') { source.path.starts_with(door) } else { source.path == *door });
        if !allowed {
            found.extend(forbidden(source, &[library], &format!("its door is {}", doors.join(", "))));
        }
    }
    found
}

/// Domain modules use only those above them in the listing of `domain.rs`.
pub fn order_breaches(listing: &str, sources: &[Source]) -> Vec<String> {
    let order: Vec<&str> = listing.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let place = |name: &str| order.iter().position(|module| *module == name);
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| source.path.starts_with("domain/") && !source.is_tests()) {
        let own = door_name(&source.path);
        let Some(own_place) = place(&own) else {
            found.push(format!("{}: {own} is not listed in domain.rs", source.path));
            continue;
        };
        for path in &source.paths {
            let used = path.strip_prefix("crate::domain::").and_then(|rest| rest.split("::").next()).unwrap_or_default();
            if place(used).is_some_and(|place| place > own_place) {
                found.push(format!("{}: names {path}, which stands below {own} in domain.rs", source.path));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// An order that holds for the domain's modules, alphabetical where free; the modules of a knot otherwise.
pub fn possible_order(sources: &[Source]) -> Result<Vec<String>, Vec<String>> {
    let mut uses: std::collections::BTreeMap<String, std::collections::BTreeSet<String>> = std::collections::BTreeMap::new();
    for source in sources.iter().filter(|source| source.path.starts_with("domain/") && !source.is_tests()) {
        let own = door_name(&source.path);
        let of = uses.entry(own.clone()).or_default();
        let used = source.paths.iter().filter_map(|path| path.strip_prefix("crate::domain::")?.split("::").next());
        of.extend(used.filter(|name| *name != own).map(str::to_owned));
    }
    let modules: Vec<String> = uses.keys().cloned().collect();
    for used in uses.values_mut() {
        used.retain(|name| modules.contains(name));
    }
    let mut order = Vec::new();
    while !uses.is_empty() {
        let Some(free) = uses.iter().find(|(_, used)| used.is_empty()).map(|(name, _)| name.clone()) else {
            return Err(uses.into_keys().collect());
        };
        uses.remove(&free);
        for used in uses.values_mut() {
            used.remove(&free);
        }
        order.push(free);
    }
    Ok(order)
}

/// Every column of a migration says what it holds, on its own line or the line before.
pub fn uncommented_columns(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut inside, mut commented_above) = (None, false);
    for line in sql.lines() {
        let trimmed = line.trim();
        let upper = trimmed.to_ascii_uppercase();
        if let Some(rest) = upper.strip_prefix("CREATE TABLE ") {
            let name = rest.trim_start_matches("IF NOT EXISTS ").split([' ', '(']).next().unwrap_or_default().to_ascii_lowercase();
            inside = Some(name);
        } else if let Some(rest) = upper.strip_prefix("ALTER TABLE ").filter(|rest| rest.contains(" ADD ")) {
            if !trimmed.contains("--") && !commented_above {
                found.push(format!("ALTER TABLE {}: a new column without a comment", rest.to_ascii_lowercase()));
            }
        } else if trimmed.starts_with(')') {
            inside = None;
        } else if let Some(table) = &inside {
            let constraint =
                ["PRIMARY KEY", "UNIQUE", "FOREIGN KEY", "CHECK", "CONSTRAINT", "--", ")"].iter().any(|word| upper.starts_with(word));
            if !trimmed.is_empty() && !constraint && !trimmed.contains("--") && !commented_above {
                found.push(format!("{table}.{}: a column without a comment", trimmed.split_whitespace().next().unwrap_or_default()));
            }
        }
        commented_above = trimmed.starts_with("--");
    }
    found
}

fn forbidden(source: &Source, roots: &[&str], why: &str) -> Vec<String> {
    let names = |path: &&String, root: &str| path.as_str() == root || path.strip_prefix(root).is_some_and(|rest| rest.starts_with("::"));
    let mut found: Vec<String> = roots
        .iter()
        .flat_map(|root| source.paths.iter().filter(move |path| names(path, root)))
        .map(|path| format!("names {path}: {why}"))
        .collect();
    found.sort();
    found.dedup();
    found
}

fn in_room(path: &str, room: &str) -> bool {
    path.strip_prefix(room).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// `edge/mailbox/imap.rs` -> `mailbox`.
fn door_name(path: &str) -> String {
    path.split('/').nth(1).unwrap_or_default().trim_end_matches(".rs").to_owned()
}
