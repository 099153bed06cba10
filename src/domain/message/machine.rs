//! Marks of machine mail (RFC 3834 section 2 and 5, RFC 3464, RFC 8098, and what NetEase and QQ write instead).

use super::{Headers, MachineKind, MachineMark, Message, OWN_MARK_HEADER};

/// All marks found, strongest kind first.
pub fn marks(headers: &Headers<'_>, message: &Message) -> Vec<MachineMark> {
    let mut marks = Vec::new();
    let mut mark = |kind: MachineKind, evidence: String| marks.push(MachineMark { kind, evidence });
    if headers.has(OWN_MARK_HEADER) {
        mark(MachineKind::Own, format!("{OWN_MARK_HEADER} header"));
    }
    report(headers, &mut mark);
    by_sender(message, &mut mark);
    by_subject(&message.subject, &mut mark);
    automatic(headers, &mut mark);
    list(headers, &mut mark);
    if let Some(value) = suppressed(headers) {
        mark(MachineKind::NoReply, format!("X-Auto-Response-Suppress: {value}"));
    }
    marks
}

/// multipart/report and what providers write in its place.
fn report(headers: &Headers<'_>, mark: &mut impl FnMut(MachineKind, String)) {
    let content_type = headers.text("Content-Type").to_ascii_lowercase();
    if content_type.contains("disposition-notification") {
        mark(MachineKind::Receipt, "Content-Type: disposition-notification".to_owned());
    } else if content_type.starts_with("multipart/report") {
        mark(MachineKind::Bounce, "Content-Type: multipart/report".to_owned());
    }
    if headers.text("X-Mailer").contains("Coremail MTA server") || headers.has("X-CM-Original-Message-ID") {
        mark(MachineKind::Bounce, "Coremail's own delivery report".to_owned());
    }
    if headers.all("Return-Path").iter().any(|value| value.trim_ascii() == b"<>") {
        mark(MachineKind::Bounce, "Return-Path: <>".to_owned());
    }
    if headers.has("X-Failed-Recipients") {
        mark(MachineKind::Bounce, "X-Failed-Recipients".to_owned());
    }
}

fn by_sender(message: &Message, mark: &mut impl FnMut(MachineKind, String)) {
    for from in &message.from {
        let local = from.address.split('@').next().unwrap_or_default().to_ascii_lowercase();
        if matches!(local.as_str(), "postmaster" | "mailer-daemon") {
            // Postmasters also announce recalls; the subject tells.
            let kind = if is_recall(&message.subject) { MachineKind::Recall } else { MachineKind::Bounce };
            mark(kind, format!("From: {local}"));
        } else if matches!(local.as_str(), "noreply" | "no-reply" | "no_reply" | "donotreply" | "do-not-reply") {
            mark(MachineKind::NoReply, format!("From: {local}"));
        } else if local.starts_with("owner-") || local.ends_with("-request") {
            mark(MachineKind::Bulk, format!("From: {local}"));
        } else if local.contains("+auto_=") {
            mark(MachineKind::AutoReply, "From: +auto_=".to_owned());
        }
    }
}

fn is_recall(subject: &str) -> bool {
    subject.contains("撤回邮件") || subject.starts_with("撤回") || subject.contains("将撤回") || subject.starts_with("Recall:")
}

fn by_subject(subject: &str, mark: &mut impl FnMut(MachineKind, String)) {
    let starts = |words: &[&str]| words.iter().any(|word| subject.to_lowercase().starts_with(&word.to_lowercase()));
    if is_recall(subject) {
        mark(MachineKind::Recall, format!("Subject: {subject}"));
    } else if starts(&["自动回复", "自动答复", "[自动回复]", "Auto:", "Auto-Reply", "Automatic reply", "Out of Office"]) {
        mark(MachineKind::AutoReply, "Subject of an automatic reply".to_owned());
    } else if starts(&[
        "系统退信",
        "退信",
        "来自qq.com的退信",
        "Undelivered Mail",
        "Undeliverable",
        "Delivery Status Notification",
        "Mail delivery failed",
    ]) {
        mark(MachineKind::Bounce, "Subject of a delivery report".to_owned());
    } else if starts(&["已读:", "已读：", "已读回执", "回执:", "回执：", "阅读回执", "Read:", "Return Receipt"]) {
        mark(MachineKind::Receipt, "Subject of a read receipt".to_owned());
    }
}

/// Auto-Submitted may carry parameters and comments and must still be recognised (RFC 3834 section 5.2).
fn automatic(headers: &Headers<'_>, mark: &mut impl FnMut(MachineKind, String)) {
    let value = headers.text("Auto-Submitted");
    let word = value.split([';', '(', ' ']).next().unwrap_or_default().trim().to_ascii_lowercase();
    if !word.is_empty() && word != "no" {
        mark(MachineKind::AutoReply, format!("Auto-Submitted: {word}"));
    }
    for name in ["X-Autoreply", "X-Autorespond", "X-QQ-AUTO-REPLY", "X-QQ-HolidayReply"] {
        if headers.has(name) {
            mark(MachineKind::AutoReply, name.to_owned());
        }
    }
    if headers.text("Precedence").trim().eq_ignore_ascii_case("auto_reply") {
        mark(MachineKind::AutoReply, "Precedence: auto_reply".to_owned());
    }
}

fn list(headers: &Headers<'_>, mark: &mut impl FnMut(MachineKind, String)) {
    if let Some(name) = headers.has_prefix("List-") {
        mark(MachineKind::Bulk, name.to_owned());
    }
    if headers.has("Feedback-ID") {
        mark(MachineKind::Bulk, "Feedback-ID".to_owned());
    }
    let precedence = headers.text("Precedence").trim().to_ascii_lowercase();
    if matches!(precedence.as_str(), "bulk" | "junk" | "list") {
        mark(MachineKind::Bulk, format!("Precedence: {precedence}"));
    }
}

/// A request not to be answered automatically; it stands on ordinary mail too.
fn suppressed(headers: &Headers<'_>) -> Option<String> {
    let value = headers.text("X-Auto-Response-Suppress");
    let words =
        value.split(',').map(|word| word.trim().to_ascii_lowercase()).any(|word| matches!(word.as_str(), "all" | "autoreply" | "oof"));
    words.then_some(value)
}
