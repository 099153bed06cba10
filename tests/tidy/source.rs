//! Reads Rust source just far enough for the walls: comments and literals blanked, tests cut off, `use` trees spread into paths.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// One file of `src`.
pub struct Source {
    /// Relative to `src`, with `/`: `domain/message/body.rs`.
    pub path: String,
    pub text: String,
    /// Without comments, literals and `#[cfg(test)]` items.
    pub code: String,
    /// Every path that the code names, absolute where it is of this crate: `crate::domain::folding::one_line`.
    pub paths: Vec<String>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let code = without_tests(&scrub(text));
        let module = module_of(path);
        let paths = named_paths(&code).iter().map(|named| absolute(&module, named)).collect();
        Self { path: path.to_owned(), text: text.to_owned(), code, paths }
    }

    /// Files that hold nothing but tests.
    pub fn is_tests(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// Lines without tests.
    pub fn lines_without_tests(&self) -> usize {
        let end = self.text.find("\n#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        self.text[..end].lines().count()
    }
}

/// All Rust files below a folder, sorted.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// `domain/message/body.rs` -> `crate::domain::message::body`.
fn module_of(path: &str) -> Vec<String> {
    let stem = path.trim_end_matches(".rs").trim_end_matches("/mod");
    let inner = stem.split('/').filter(|part| !matches!(*part, "lib" | "main"));
    ["crate"].into_iter().chain(inner).map(str::to_owned).collect()
}

/// `super::x` and `self::x` become paths from `crate`.
fn absolute(module: &[String], named: &str) -> String {
    let mut parts: Vec<&str> = named.split("::").collect();
    let mut base: Vec<&str> = module.iter().map(String::as_str).collect();
    match parts[0] {
        "self" => drop(parts.remove(0)),
        "super" => {
            while parts.first() == Some(&"super") {
                parts.remove(0);
                base.pop();
            }
        }
        _ => return named.to_owned(),
    }
    base.into_iter().chain(parts).collect::<Vec<_>>().join("::")
}

/// Comments and the insides of literals become spaces; line breaks stay.
pub fn scrub(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < chars.len() {
        let start = i;
        let word_before = i > 0 && (at(i - 1).is_alphanumeric() || at(i - 1) == '_');
        if at(i) == '/' && at(i + 1) == '/' {
            while i < chars.len() && at(i) != '\n' {
                i += 1;
            }
        } else if at(i) == '/' && at(i + 1) == '*' {
            while i < chars.len() && !(at(i) == '*' && at(i + 1) == '/') {
                i += 1;
            }
            i += 2;
        } else if at(i) == 'r' && !word_before && raw_hashes(&chars[i + 1..]).is_some() {
            let hashes = raw_hashes(&chars[i + 1..]).unwrap_or_default();
            i += hashes + 2;
            while i < chars.len() && !(at(i) == '"' && (1..=hashes).all(|n| at(i + n) == '#')) {
                i += 1;
            }
            i += hashes + 1;
        } else if at(i) == '"' {
            i += 1;
            while i < chars.len() && at(i) != '"' {
                i += if at(i) == '\\' { 2 } else { 1 };
            }
            i += 1;
        } else if at(i) == '\'' && (at(i + 1) == '\\' || at(i + 2) == '\'') {
            i += if at(i + 1) == '\\' { 3 } else { 2 };
            while i < chars.len() && at(i) != '\'' {
                i += 1;
            }
            i += 1;
        } else {
            out.push(at(i));
            i += 1;
            continue;
        }
        out.extend(chars[start..i.min(chars.len())].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
    }
    out
}

/// Number of `#` where a raw string opens after the `r`.
fn raw_hashes(rest: &[char]) -> Option<usize> {
    let hashes = rest.iter().take_while(|c| **c == '#').count();
    (rest.get(hashes) == Some(&'"')).then_some(hashes)
}

/// Cuts every `#[cfg(test)]` item: to its closing brace, or to its semicolon.
fn without_tests(code: &str) -> String {
    let mut out = String::new();
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        out.push_str(&rest[..at]);
        let item = &rest[at..];
        let (brace, semicolon) = (item.find('{').unwrap_or(item.len()), item.find(';').unwrap_or(item.len()));
        let end = if semicolon < brace { semicolon + 1 } else { brace + closing_brace(&item[brace..]) };
        rest = &item[end.min(item.len())..];
    }
    out.push_str(rest);
    out
}

/// Bytes up to and with the brace that closes the first one.
fn closing_brace(text: &str) -> usize {
    let mut depth = 0_i32;
    for (index, c) in text.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth == 0 {
            return index + 1;
        }
    }
    text.len()
}

/// Every path with `::`, `use` trees spread out.
pub fn named_paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inline = String::new();
    let mut rest = code;
    while let Some(at) = find_use(rest) {
        inline.push_str(&rest[..at]);
        let statement = &rest[at + 4..];
        let end = statement.find(';').unwrap_or(statement.len());
        spread("", &statement[..end], &mut found);
        rest = &statement[end..];
    }
    inline.push_str(rest);
    let path = regex::Regex::new(r"\b[a-z_][A-Za-z0-9_]*(?:\s*::\s*[A-Za-z_][A-Za-z0-9_]*)+").unwrap();
    found.extend(path.find_iter(&inline).map(|hit| hit.as_str().split_whitespace().collect::<String>()));
    found
}

/// Where `use ` opens a statement.
fn find_use(code: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = code[from..].find("use ") {
        let at = from + at;
        let before = code[..at].trim_end_matches([' ', '\t']);
        if before.is_empty() || before.ends_with(['\n', ';', '{', '}', ')']) || before.ends_with("pub") {
            return Some(at);
        }
        from = at + 4;
    }
    None
}

/// `a::{b, c::{d as e}}` -> `a::b`, `a::c::d`.
fn spread(prefix: &str, tree: &str, found: &mut Vec<String>) {
    let tree = tree.trim();
    let join = |part: &str| if prefix.is_empty() { part.to_owned() } else { format!("{prefix}::{part}") };
    let Some(open) = tree.find('{') else {
        let name = tree.split(" as ").next().unwrap_or(tree).trim().trim_end_matches("::*");
        if !name.is_empty() {
            found.push(if name == "self" { prefix.to_owned() } else { join(name) });
        }
        return;
    };
    let head = tree[..open].trim().trim_end_matches("::");
    let inner = tree[open + 1..].trim_end().trim_end_matches('}');
    let inner = if closing_brace(&tree[open..]) == tree.len() - open { &tree[open + 1..tree.len() - 1] } else { inner };
    let prefix = if head.is_empty() { prefix.to_owned() } else { join(head) };
    let (mut depth, mut start) = (0_i32, 0);
    for (index, c) in inner.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c == ',' && depth == 0 {
            spread(&prefix, &inner[start..index], found);
            start = index + 1;
        }
    }
    spread(&prefix, &inner[start..], found);
}
