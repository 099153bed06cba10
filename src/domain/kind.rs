//! What kind of mail this is and whether its sender is answered (RFC 3834, RFC 5230; `contract.md` section 3).

use serde::{Deserialize, Serialize};

use super::message::{MachineKind, Message};

/// The kind of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Submission,
    /// A later mail about topics already known.
    Correction,
    /// An enterprise wrote by itself (R2).
    EnterpriseDirect,
    /// A person wrote, nothing to read.
    NoAnnex,
    DivisionReply,
    AutoReply,
    Bounce,
    Receipt,
    Recall,
    Own,
    Bulk,
    Unreadable,
}

/// What the kind depends on.
#[derive(Debug, Clone, Copy)]
pub struct KindFacts<'a> {
    pub message: &'a Message,
    /// `false`: the bytes are no mail.
    pub readable: bool,
    /// Our own addresses, lower case.
    pub own_addresses: &'a [String],
    /// Annex 1 forms and annex 2 rows read.
    pub annex_forms: usize,
    pub annex_rows: usize,
    /// Files that could hold annexes but were not read.
    pub annex_like_files: usize,
    /// Links outside quoted history.
    pub links: usize,
    /// The mail refers to topics already known.
    pub known_topics: bool,
    pub bureau_known: bool,
    pub division_reply: bool,
    pub has_formal_letter: bool,
}

/// The kind, and whether and why the sender is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindVerdict {
    pub kind: Kind,
    pub answer: bool,
    /// Chinese, one sentence.
    pub answer_reason: String,
}

/// Decides kind and answer.
#[must_use]
pub fn classify(facts: &KindFacts<'_>) -> KindVerdict {
    let no = |kind: Kind, reason: &str| KindVerdict { kind, answer: false, answer_reason: reason.to_owned() };
    if !facts.readable {
        return no(Kind::Unreadable, "内容不是一封可以识别的邮件，不回复。");
    }
    if let Some((kind, reason)) = machine_kind(facts) {
        return no(kind, reason);
    }
    let (kind, reason) = human_kind(facts);
    match refusal(facts, kind) {
        Some(why) => no(kind, why),
        None => KindVerdict { kind, answer: true, answer_reason: reason.to_owned() },
    }
}

/// Mail that no person wrote for us. Own mail first: it may carry any other mark.
fn machine_kind(facts: &KindFacts<'_>) -> Option<(Kind, &'static str)> {
    let has = |kind: MachineKind| facts.message.machine_marks.iter().any(|mark| mark.kind == kind);
    let from_us = facts.message.from.iter().any(|from| facts.own_addresses.contains(&from.address.to_lowercase()));
    if from_us || has(MachineKind::Own) {
        return Some((Kind::Own, "这是本系统自己发出的邮件，不回复。"));
    }
    for (mark, kind, reason) in [
        (MachineKind::Recall, Kind::Recall, "这是撤回通知，已登记并转工作人员，不回复。"),
        (MachineKind::Receipt, Kind::Receipt, "这是已读回执，不回复。"),
        (MachineKind::Bounce, Kind::Bounce, "这是退信通知，不回复。"),
        (MachineKind::AutoReply, Kind::AutoReply, "这是自动回复邮件，不回复，以免循环。"),
        (MachineKind::Bulk, Kind::Bulk, "这是群发或订阅邮件，不回复。"),
    ] {
        if has(mark) {
            return Some((kind, reason));
        }
    }
    None
}

fn human_kind(facts: &KindFacts<'_>) -> (Kind, &'static str) {
    if facts.division_reply {
        return (Kind::DivisionReply, "这是处室对课题清单的回复，予以确认。");
    }
    let annexes = facts.annex_forms + facts.annex_rows > 0;
    if facts.known_topics {
        return (Kind::Correction, "这是对已报送课题的补充或更正，予以回执。");
    }
    if annexes {
        let through_bureau = facts.annex_rows > 0 || facts.bureau_known || facts.has_formal_letter;
        return if through_bureau {
            (Kind::Submission, "收到专项课题材料，予以回执。")
        } else {
            (Kind::EnterpriseDirect, "企业直接报送，予以回执并请其通过所在地工信部门报送。")
        };
    }
    if facts.links > 0 {
        return (Kind::Submission, "邮件以链接代替附件，回执请其作为普通附件重发。");
    }
    if facts.annex_like_files > 0 {
        return (Kind::Submission, "附件未能读取，回执说明原因和处理办法。");
    }
    (Kind::NoAnnex, "来信没有附件1、附件2，予以回执并说明报送办法。")
}

/// Why a person's mail is not answered after all (RFC 3834 section 2).
fn refusal(facts: &KindFacts<'_>, kind: Kind) -> Option<&'static str> {
    match facts.message.from.len() {
        0 => return Some("邮件没有可回复的发件人地址，不回复。"),
        1 => {}
        _ => return Some("邮件有多个发件人地址，不回复。"),
    }
    let no_reply_address =
        facts.message.machine_marks.iter().any(|mark| mark.kind == MachineKind::NoReply && mark.evidence.starts_with("From:"));
    if no_reply_address {
        return Some("发件人地址声明不接收回复，不回复。");
    }
    let suppressed = facts.message.machine_marks.iter().any(|mark| mark.kind == MachineKind::NoReply);
    if suppressed && kind == Kind::NoAnnex {
        return Some("发件人要求不作自动回复，且邮件没有附件，不回复。");
    }
    None
}
