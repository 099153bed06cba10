//! Sequence sets and search keys, as a NetEase server takes them.

use std::collections::BTreeMap;

use super::Lying;

/// UIDs of a set such as `5,9:12,20:*` that are there. `n:*` names the last mail even when n lies beyond it. Reversed or
/// unordered sets are refused in the words of such a server.
pub fn uids_of(set: &str, mails: &BTreeMap<u32, Lying>) -> Result<Vec<u32>, &'static str> {
    const WRONG: &str = "Sequence set is inavlid!";
    let last = mails.keys().last().copied();
    let mut found = Vec::new();
    let mut before = 0;
    for part in set.split(',') {
        let (from, to) = part.split_once(':').unwrap_or((part, part));
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
        let (from, to) = match (from, to) {
            ("*", "*") => (last.unwrap_or(1), last.unwrap_or(1)),
            (from, "*") => {
                let from = number(from).ok_or(WRONG)?;
                let last = last.unwrap_or(from);
                (from.min(last), last.max(from))
            }
            (from, to) => (number(from).ok_or(WRONG)?, number(to).ok_or(WRONG)?),
        };
        if from > to || from < before {
            return Err(WRONG);
        }
        before = to;
        found.extend(mails.range(from..=to).map(|(uid, _)| *uid));
    }
    found.dedup();
    Ok(found)
}

/// UIDs of a search. Keys that look into the text find nothing, and say OK.
pub fn search(keys: &str, mails: &BTreeMap<u32, Lying>) -> Result<Vec<u32>, String> {
    let mut found: Vec<u32> = mails.keys().copied().collect();
    let mut words = keys.split_whitespace();
    while let Some(word) = words.next() {
        match word.to_ascii_uppercase().as_str() {
            "ALL" => {}
            "CHARSET" => drop(words.next()),
            "UNSEEN" => found.retain(|uid| !mails[uid].seen),
            "UID" => {
                let within = uids_of(words.next().unwrap_or_default(), mails)?;
                found.retain(|uid| within.contains(uid));
            }
            // Day by day is close enough for a server whose zone nobody knows.
            "SINCE" | "BEFORE" => drop(words.next()),
            "SUBJECT" | "TEXT" | "BODY" | "FROM" | "TO" | "HEADER" => return Ok(Vec::new()),
            other => return Err(format!("SEARCH key {other}")),
        }
    }
    Ok(found)
}
