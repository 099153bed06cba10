//! Delivery reports (RFC 3464, and NetEase's 系统退信): which of our letters came back, and why. Our letters are recognised by their
//! Message-ID, never by the addresses a report claims.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{authentication::fields, folding::one_line, message::Message};

/// One letter of ours that a report is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// Brackets included.
    pub message_id: String,
    /// It will not arrive; otherwise it is only late.
    pub permanent: bool,
    /// The report's own words, one line.
    pub why: String,
}

/// Bytes looked at of each part.
const PART_MAX_BYTES: usize = 256 * 1024;
/// Characters kept of the reason.
const WHY_MAX_CHARS: usize = 200;

static OURS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"<annexd\.[0-9a-f]{24}@[A-Za-z0-9.-]+>").ok());
static STATUS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?im)^Status:\s*([245])\.(\d+\.\d+)").ok());
static ACTION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?im)^Action:\s*(\w+)").ok());
static DIAGNOSTIC: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?im)^Diagnostic-Code:\s*([^\r\n]+(?:\r?\n[ \t]+[^\r\n]+)*)").ok());
static INNER_ID: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?im)^Message-ID:\s*(<annexd\.[0-9a-f]{24}@[A-Za-z0-9.-]+>)").ok());

/// Reads a delivery report; empty where it is about no letter of ours.
#[must_use]
pub fn read(report: &Message) -> Vec<Returned> {
    let parts: Vec<String> = report
        .files
        .iter()
        .map(|part| String::from_utf8_lossy(part.bytes.get(..part.bytes.len().min(PART_MAX_BYTES)).unwrap_or_default()).into_owned())
        .collect();
    let all = std::iter::once(report.text.as_str()).chain(parts.iter().map(String::as_str));
    let (permanent, why) = reason(&all.clone().collect::<Vec<_>>().join("\n"), &report.subject);
    let mut ids: BTreeSet<String> = BTreeSet::new();
    for (name, value) in fields(&report.header) {
        if name.eq_ignore_ascii_case("X-CM-Original-Message-ID") {
            ids.extend(ours(&value));
        }
    }
    for part in &parts {
        ids.extend(
            INNER_ID.iter().flat_map(|pattern| pattern.captures_iter(part)).filter_map(|found| Some(found.get(1)?.as_str().to_owned())),
        );
    }
    if ids.is_empty() {
        // A report in prose: an id counts only where it is the only one, because References name our earlier letters too.
        let named: BTreeSet<String> = all.flat_map(ours).collect();
        if named.len() == 1 {
            ids = named;
        }
    }
    ids.into_iter().map(|message_id| Returned { message_id, permanent, why: why.clone() }).collect()
}

fn ours(text: &str) -> Vec<String> {
    OURS.iter().flat_map(|pattern| pattern.find_iter(text)).map(|found| found.as_str().to_owned()).collect()
}

/// Whether it is for good, and the most telling words.
fn reason(text: &str, subject: &str) -> (bool, String) {
    let captured = |pattern: &LazyLock<Option<Regex>>| Some(pattern.as_ref()?.captures(text)?.get(1)?.as_str().to_owned());
    let class = captured(&STATUS);
    let action = captured(&ACTION).map(|action| action.to_ascii_lowercase());
    let delayed = action.as_deref() == Some("delayed") || (class.as_deref() == Some("4") && action.as_deref() != Some("failed"));
    let why = captured(&DIAGNOSTIC).unwrap_or_else(|| if subject.is_empty() { "退信".to_owned() } else { subject.to_owned() });
    (!delayed, one_line(&why).chars().take(WHY_MAX_CHARS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{limits::Limits, message};

    const ID: &str = "<annexd.0123456789abcdef01234567@163.com>";
    const OLDER: &str = "<annexd.ffffffffffffffffffffffff@163.com>";

    fn report(status: &str, action: &str, inner: &str) -> Vec<Returned> {
        let raw = format!(
            "From: Postmaster@163.com\r\nTo: gxt@163.com\r\nSubject: =?GBK?B?z7XNs83L0MU=?=\r\nMIME-Version: 1.0\r\n\
             Content-Type: Multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=gb2312\r\n\r\nfailed\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@b.cn\r\nAction: {action}\r\n\
             Status: {status}\r\nDiagnostic-Code: smtp; 550 User not found\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--b--\r\n"
        );
        read(&message::parse(raw.as_bytes(), &Limits::default()).unwrap())
    }

    #[test]
    fn a_report_names_the_letter_it_brings_back_not_those_it_refers_to() {
        let found = report(
            "5.1.1",
            "failed",
            &format!("From: gxt@163.com\r\nMessage-ID: {ID}\r\nReferences: {OLDER} <a@b>\r\nSubject: x\r\n\r\ny"),
        );
        assert_eq!(found, [Returned { message_id: ID.to_owned(), permanent: true, why: "smtp; 550 User not found".to_owned() }]);
    }

    #[test]
    fn a_delay_is_no_failure_and_a_report_about_others_is_nobodys() {
        assert!(!report("4.4.1", "delayed", &format!("Message-ID: {ID}\r\nSubject: x\r\n\r\ny"))[0].permanent);
        assert!(report("5.1.1", "failed", "Message-ID: <x@y.cn>\r\nSubject: x\r\n\r\ny").is_empty());
    }
}
