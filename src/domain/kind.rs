//! What kind of mail this is and whether its sender is answered (RFC 3834, RFC 5230; `contract.md` section 3).

use serde::{Deserialize, Serialize};

use super::{
    authentication::{AuthState, Authentication},
    message::{MachineKind, Message},
};

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
    pub authentication: &'a Authentication,
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
    let our_id = facts.message.message_id.as_deref().is_some_and(|id| is_own_id(id, facts.own_addresses));
    if from_us || our_id || has(MachineKind::Own) {
        return Some((Kind::Own, "这是本系统自己发出的邮件，不回复。"));
    }
    // An empty envelope sender wants no answer, whatever else the mail looks like (RFC 3834 section 2).
    if facts.authentication.null_sender && !has(MachineKind::Receipt) && !has(MachineKind::Recall) {
        return Some((Kind::Bounce, "信封发件人为空，属系统邮件，不回复。"));
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
    let no_reply = |from: bool| {
        facts.message.machine_marks.iter().any(|mark| mark.kind == MachineKind::NoReply && mark.evidence.starts_with("From:") == from)
    };
    if no_reply(true) {
        return Some("发件人地址声明不接收回复，不回复。");
    }
    if no_reply(false) {
        return Some("来信要求不作自动回复（X-Auto-Response-Suppress），已登记，不回复。");
    }
    if facts.authentication.state == AuthState::Failed {
        return Some("发件人未通过邮箱验证，可能系冒用，已登记待复核，不回复。");
    }
    if MACHINE_SUBJECTS.iter().any(|start| facts.message.subject.trim_start().to_lowercase().starts_with(start)) {
        return Some("主题是自动回复、退信、回执或撤回的形式，不回复，以免循环。");
    }
    let to_us = |own: &String| facts.message.recipients.iter().any(|to| to.address.eq_ignore_ascii_case(own));
    if kind == Kind::NoAnnex && !facts.own_addresses.is_empty() && !facts.own_addresses.iter().any(to_us) {
        return Some("来信没有附件，收件人和抄送中也没有本邮箱，不回复。");
    }
    if is_group(&facts.message.header) {
        return Some("发件人是群组写法，不回复。");
    }
    None
}

/// Starts of subjects that machines write, lower case (`chinese-mail.md` 6.1); 【自动回执】 is how another annexd's letters start where
/// every other mark was lost on the way.
const MACHINE_SUBJECTS: [&str; 10] =
    ["自动回复", "[自动回复", "【自动回复", "【自动回执", "auto:", "系统退信", "退信", "已读", "回执", "撤回"];

/// A Message-ID that one of our letters carries.
fn is_own_id(id: &str, own_addresses: &[String]) -> bool {
    let Some((local, domain)) = id.trim_matches(['<', '>']).rsplit_once('@') else { return false };
    local.starts_with("annexd.")
        && own_addresses.iter().any(|own| own.rsplit('@').next().is_some_and(|own| own.eq_ignore_ascii_case(domain)))
}

/// From in group syntax, `name: a@b, c@d;` (RFC 6854): nobody in particular wrote it.
fn is_group(header: &[u8]) -> bool {
    let fields = super::authentication::fields(header);
    let Some((_, from)) = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("From")) else { return false };
    let outside: String = from.split('"').step_by(2).collect();
    outside.trim_end().ends_with(';') && outside.split('<').next().is_some_and(|start| start.contains(':'))
}

/// What follows from the folder a mail lay in: the provider took it for junk, and nothing proves the sender.
#[must_use]
pub fn is_doubtful(folder: &str, authentication: AuthState) -> bool {
    let name = folder.rsplit(['/', '.']).next().unwrap_or(folder).to_lowercase();
    authentication != AuthState::Verified && ["垃圾邮件", "垃圾箱", "junk", "spam", "junk e-mail", "bulk mail"].contains(&name.as_str())
}
