//! Bytes to [`Reading`]: the mail, its files and their roles, the letter, the bureau, the topics as drafts, and the keys to look up.

use std::{collections::BTreeSet, sync::OnceLock};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Attachment, CloudLink, FormalLetter, Knowledge, LookupKeys, Role, Topic, TopicKey, deciding::judge_alone, files};
use crate::domain::{
    dedupe::{self, Prepared},
    findings::{Audience, Finding, Severity},
    folding::fold_words,
    forms::decisions::Decision,
    hex,
    limits::Limits,
    links::{self, above_quote},
    message::{self, MachineKind, MachineMark, Message},
    receipt_number,
    reconcile::{Draft, Reconciliation, reconcile},
    submitters::{Bureau, Clue, How},
    uscc,
};

/// Bytes handed to a hash in one go.
const HASHED_BYTES: usize = 16 << 10;

/// A mail as read, before anything is looked up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reading {
    pub sha256: String,
    pub content_sha256: String,
    /// Empty where the bytes are no mail.
    pub message: Message,
    /// Why the bytes are no mail.
    pub unreadable: Option<String>,
    pub attachments: Vec<Attachment>,
    pub links: Vec<CloudLink>,
    pub formal_letter: Option<FormalLetter>,
    pub bureau: Option<Bureau>,
    pub drafts: Vec<Draft>,
    pub reconciliation: Reconciliation,
    /// About files and the mail as a whole.
    pub findings: Vec<Finding>,
    /// Rows of a division's workbook.
    pub decisions: Vec<Decision>,
    /// Annex 1 forms and annex 2 rows read, doubles included.
    pub forms: usize,
    pub rows: usize,
    /// The drafts made ready for comparison, once for the lookup and the judgement.
    #[serde(skip)]
    prepared: OnceLock<Vec<Prepared>>,
    /// The drafts judged by themselves: all that needs no knowledge of earlier mails.
    #[serde(skip)]
    alone: OnceLock<Vec<Topic>>,
}

/// Reads one mail. Never fails: what cannot be read is said in the result.
#[must_use]
pub fn read(raw: &[u8], knowledge: &Knowledge) -> Reading {
    read_watched(raw, knowledge, &mut |_| Go::Read)
}

/// Whether a file is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Go {
    Read,
    /// It broke the reading process before: it is set aside, and the sender is told why, in this sentence.
    SetAside(String),
}

/// [`read`], asking `watch` about each file before its bytes are looked into.
#[must_use]
pub fn read_watched(raw: &[u8], knowledge: &Knowledge, watch: &mut dyn FnMut(&str) -> Go) -> Reading {
    let sha256 = hex::lower(&Sha256::digest(raw));
    let oversized = raw.len() > knowledge.limits.message_max_bytes;
    let readable = if oversized { header_of(raw) } else { raw };
    let (mut message, unreadable) = match message::parse(readable, &knowledge.limits) {
        Ok(message) => (message, None),
        Err(problem) => (Message::default(), Some(problem.to_string())),
    };
    if message.from.iter().any(|from| knowledge.submitters.is_never_answered(&from.address)) {
        let evidence = "never_answered in submitters.toml".to_owned();
        message.machine_marks.push(MachineMark { kind: MachineKind::Bulk, evidence });
    }
    let (unpacked, mut read_files) = files::read_files(&mut message, knowledge, watch);
    let forwarded = unpacked.inner_mails.iter().map(|inner| inner.text.as_str()).collect::<Vec<_>>().join("\n");
    let text_above_quote = above_quote(&message.text).to_owned();
    let formal_letter = files::find_letter(&read_files, &[&message.subject, &text_above_quote, &forwarded]);
    files::ask_for_scanned_annexes(&mut read_files, formal_letter.as_ref(), &knowledge.catalogue);
    let mut findings = files::findings(&read_files, formal_letter.as_ref());
    if oversized {
        findings.push(too_large(raw.len(), knowledge.limits.message_max_bytes));
    }
    findings.extend(cut_text(&message, &knowledge.limits));
    findings.extend(unpacked.notes.iter().map(|note| mail_error("R18", None, note.clone())));
    let links = found_links(&message, &unpacked.inner_mails);
    findings.extend(links.iter().map(link_finding));
    let bureau = recognise(&message, &text_above_quote, &read_files, knowledge);
    let (forms, rows) = files::records(&read_files, &knowledge.catalogue);
    let (form_count, row_count) = (forms.len(), rows.len());
    let (drafts, reconciliation) = reconcile(forms, rows);
    let decisions = read_files.iter().flat_map(|file| file.reading.decisions.clone().unwrap_or_default()).collect();
    let attachments = files::attachments(read_files, formal_letter.as_ref());
    Reading {
        content_sha256: content_sha256(&message, raw),
        sha256,
        message,
        unreadable,
        attachments,
        links,
        formal_letter,
        bureau,
        drafts,
        reconciliation,
        findings,
        decisions,
        forms: form_count,
        rows: row_count,
        prepared: OnceLock::new(),
        alone: OnceLock::new(),
    }
}

impl Reading {
    /// The drafts as they are compared, in their order.
    pub(super) fn prepared(&self, settings: &dedupe::Settings) -> &[Prepared] {
        self.prepared.get_or_init(|| self.drafts.iter().map(|draft| Prepared::of(|key| draft.text(key), settings)).collect())
    }

    /// Does ahead what [`super::decide`] would do for each draft by itself: several mails may be prepared at one time, while they must be
    /// decided in order.
    pub fn prepare(&self, knowledge: &Knowledge) {
        self.prepared(&knowledge.dedupe);
        self.alone.get_or_init(|| self.judged_alone(knowledge));
    }

    /// Forgets what was prepared by a knowledge that is no longer in force.
    pub fn forget_prepared(&mut self) {
        (self.prepared, self.alone) = (OnceLock::new(), OnceLock::new());
    }

    /// The drafts judged by themselves, in their order; they can be taken once.
    pub(super) fn take_alone(&mut self, knowledge: &Knowledge) -> Vec<Topic> {
        self.alone.take().unwrap_or_else(|| self.judged_alone(knowledge))
    }

    fn judged_alone(&self, knowledge: &Knowledge) -> Vec<Topic> {
        self.drafts.iter().map(|draft| judge_alone(draft.clone(), knowledge)).collect()
    }

    /// What must be looked up before [`super::decide`].
    #[must_use]
    pub fn keys(&self, settings: &dedupe::Settings) -> LookupKeys {
        let said = format!("{}\n{}", self.message.subject, above_quote(&self.message.text));
        LookupKeys {
            content_sha256: self.content_sha256.clone(),
            references: self.message.references.clone(),
            receipt_numbers: receipt_number::find_in(&said),
            topics: self.drafts.iter().map(topic_key).collect::<BTreeSet<_>>().into_iter().collect(),
            signatures: self.prepared(settings).iter().map(|prepared| prepared.signature.clone()).collect(),
            codes: self.drafts.iter().map(credit_code).filter(|code| code.len() == 18).collect::<BTreeSet<_>>().into_iter().collect(),
        }
    }
}

/// The key under which people recognise a draft again.
#[must_use]
pub fn topic_key(draft: &Draft) -> TopicKey {
    TopicKey { applicant: fold_words(draft.text("applicant")), title: fold_words(draft.text("topic_title")) }
}

/// The credit code as it is compared.
fn credit_code(draft: &Draft) -> String {
    uscc::normalise(draft.text("uscc"))
}

/// Strongest clue first: the letter's signature, 填报单位, subject, sender's name and signature, address (`domain.md` 4).
fn recognise(message: &Message, body: &str, files: &[files::ReadFile], knowledge: &Knowledge) -> Option<Bureau> {
    let sender = message.from.first().cloned().unwrap_or_default();
    let mut clues = Vec::new();
    clues.extend(files.iter().filter(|file| file.looks_like_letter()).map(|file| Clue { how: How::Letter, text: &file.reading.text }));
    clues.extend(
        files.iter().filter_map(|file| file.reading.heading.get("bureau")).map(|value| Clue { how: How::Table, text: &value.text }),
    );
    clues.extend(
        files
            .iter()
            .flat_map(|file| &file.reading.records)
            .filter_map(|record| record.values.get("bureau"))
            .map(|value| Clue { how: How::Table, text: &value.text }),
    );
    clues.push(Clue { how: How::Subject, text: &message.subject });
    clues.push(Clue { how: How::Name, text: &sender.name });
    clues.push(Clue { how: How::Name, text: body });
    clues.push(Clue { how: How::Address, text: &sender.address });
    knowledge.submitters.recognise(&clues)
}

/// Links in what the sender wrote or forwarded; those in the history quoted below an answer are old news.
fn found_links(message: &Message, forwarded: &[Message]) -> Vec<CloudLink> {
    let mut found: Vec<CloudLink> = Vec::new();
    for mail in std::iter::once(message).chain(forwarded) {
        let is_forward = links::is_forward(&mail.subject);
        let links = links::find_links(&mail.text, mail.html.as_deref()).into_iter().filter(|link| is_forward || !link.quoted);
        let links = links.map(|link| CloudLink {
            provider: link.provider,
            name: link.name,
            size: link.size,
            expires: link.expires,
            url_host: link.url_host,
        });
        for link in links {
            if !found.contains(&link) {
                found.push(link);
            }
        }
    }
    found
}

fn link_finding(link: &CloudLink) -> Finding {
    let name = link.name.as_deref().map_or_else(|| "文件".to_owned(), |name| format!("“{name}”"));
    let until = link.expires.as_deref().map(|day| format!("{day}到期"));
    let facts: Vec<String> = link.size.clone().into_iter().chain(until).collect();
    let facts = if facts.is_empty() { String::new() } else { format!("（{}）", facts.join("，")) };
    mail_error(
        "R18",
        None,
        format!(
            "邮件中的{name}是网盘或超大附件链接{facts}，系统不下载链接。请将文件作为普通附件重新发送；超过邮箱限制的，请分几封邮件发送。"
        ),
    )
}

fn too_large(bytes: usize, max_bytes: usize) -> Finding {
    let text = format!("邮件大小{}MB，超过{}MB的上限，附件未读取。请分几封邮件发送。", bytes >> 20, max_bytes >> 20);
    mail_error("R18", None, text)
}

/// The mail's own text was longer than what is kept of it.
fn cut_text(message: &Message, limits: &Limits) -> impl Iterator<Item = Finding> {
    let reaches = |text: &str, max_chars: usize| text.len() >= max_chars && text.chars().count() >= max_chars;
    let (text_max, html_max) = (limits.text_max_chars, limits.html_max_chars);
    let text = reaches(&message.text, text_max).then(|| format!("邮件正文达到{text_max}字的上限，其后的没有读取。"));
    let html = message.html.as_ref().filter(|html| reaches(html, html_max));
    let html = html.map(|_| format!("邮件正文的网页代码达到{html_max}字的上限，其后的没有查看，如有超大附件链接请人工核对。"));
    let note = |text| Finding { severity: Severity::Note, audience: Audience::Reviewer, ..mail_error("R18", None, text) };
    text.into_iter().chain(html).map(note)
}

pub(super) fn mail_error(rule: &str, attachment: Option<String>, message: String) -> Finding {
    Finding { rule: rule.to_owned(), severity: Severity::Error, field: None, attachment, place: None, message, audience: Audience::Sender }
}

/// Header block of an oversized mail: enough to know whom to answer.
fn header_of(raw: &[u8]) -> &[u8] {
    raw.get(..body_start(raw)).unwrap_or(raw)
}

fn body_start(raw: &[u8]) -> usize {
    let after = |at: usize| match raw.get(at + 1..)? {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] if at.checked_sub(1).and_then(|before| raw.get(before)) == Some(&b'\r') => Some(at + 3),
        _ => None,
    };
    memchr::memchr_iter(b'\n', raw).find_map(after).unwrap_or(raw.len())
}

/// Hash of what the sender wrote, without transport headers and without the difference between CRLF and LF.
fn content_sha256(message: &Message, raw: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(message.message_id.as_deref().unwrap_or_default());
    hash.update([0]);
    for from in &message.from {
        hash.update(&from.address);
    }
    hash.update([0]);
    hash.update(&message.subject);
    hash.update([0]);
    hash.update(message.date.map(|date| date.to_string()).unwrap_or_default());
    hash.update([0]);
    // Bytes without a header are no mail: two of them are the same only where all bytes are.
    let start = if message.from.is_empty() && message.message_id.is_none() { 0 } else { body_start(raw) };
    update_with_lines(&mut hash, raw.get(start..).unwrap_or_default());
    hex::lower(&hash.finalize())
}

/// Every line ended by LF alone, also the last one; many lines at one time, for a hash takes blocks.
fn update_with_lines(hash: &mut Sha256, text: &[u8]) {
    let mut block = Vec::with_capacity(2 * HASHED_BYTES);
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', text).chain([text.len()]) {
        let line = text.get(start..end).unwrap_or_default();
        block.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        block.push(b'\n');
        if block.len() >= HASHED_BYTES {
            hash.update(&block);
            block.clear();
        }
        start = end + 1;
    }
    hash.update(&block);
}

/// A file that might hold an annex but was not read.
pub(super) fn could_be_annex(attachment: &Attachment) -> bool {
    use crate::domain::parts::FileStatus as Status;
    matches!(attachment.status, Status::Encrypted | Status::Unsupported | Status::Damaged | Status::TooLarge | Status::Refused)
        || attachment.role == Role::Letter
}
