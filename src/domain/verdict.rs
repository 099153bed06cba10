//! The one way of thinking: [`read`] turns bytes into a [`Reading`], which says what must be looked up; [`decide`] turns the
//! reading and what is known into a [`Verdict`]. Both are pure: the same bytes and the same knowledge give the same verdict.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    authentication::Authentication,
    bounces::Returned,
    completeness::Completeness,
    dedupe,
    findings::{Finding, Severity},
    forms::catalogue::Catalogue,
    kind::Kind,
    limits::Limits,
    message::Mailbox,
    orders::OrderLine,
    parts::{FileStatus, FileType},
    reconcile::{Draft, Reconciliation, Source},
    routing::{Divisions, Route},
    rules::RuleSettings,
    submitters::{Bureau, Submitters},
};

pub mod attached;
mod deciding;
mod files;
pub mod json;
mod letter;
mod matching;
mod ordering;
mod reading;
pub mod recognised;
pub mod replaying;
mod twins;

pub use deciding::decide;
pub use reading::{Go, Reading, read, read_watched};

/// The data an installation judges by: catalogue, divisions, submitters, limits, settings of the rules.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Knowledge {
    pub catalogue: Catalogue,
    /// Left out where a reading process is told what to read by: it routes nothing.
    #[serde(skip)]
    pub divisions: Divisions,
    pub submitters: Submitters,
    pub limits: Limits,
    /// Token of each division, by id; empty where the installation has no secret (dry runs).
    #[serde(skip)]
    pub division_tokens: BTreeMap<String, String>,
    /// Switches, severities and thresholds of the rules.
    #[serde(skip)]
    pub rules: RuleSettings,
    /// From where on two topics are twins.
    #[serde(skip)]
    pub dedupe: dedupe::Settings,
    /// The mailbox's own addresses, lower case: mail from them is our own come back.
    pub own_addresses: Vec<String>,
}

/// What one mail means and what must happen because of it.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// SHA-256 of the raw bytes, lower-case hex: the identity of a message.
    pub sha256: String,
    /// SHA-256 of what the sender wrote (body and Message-ID, From, Subject, Date), without the headers that transport adds:
    /// the same mail delivered over two ways has one of these.
    pub content_sha256: String,
    pub message_id: Option<String>,
    /// Ids for In-Reply-To and References of the answer.
    pub references: Vec<String>,
    /// The single From mailbox, where there is exactly one.
    pub from: Option<Mailbox>,
    pub subject: String,
    pub date: Option<Timestamp>,
    pub kind: Kind,
    pub outcome: Outcome,
    pub answer: bool,
    /// Chinese, one sentence.
    pub answer_reason: String,
    /// Whether the sender is who they say, as far as our own provider knows.
    pub authentication: Authentication,
    /// Letters of ours that this delivery report brings back.
    pub returned: Vec<Returned>,
    pub bureau: Option<Bureau>,
    pub formal_letter: Option<FormalLetter>,
    /// An earlier mail about these topics came without a formal letter, and this one brings it.
    pub letter_arrived: bool,
    pub attachments: Vec<Attachment>,
    pub links: Vec<CloudLink>,
    pub topics: Vec<Topic>,
    /// About the mail as a whole.
    pub findings: Vec<Finding>,
    pub reconciliation: Reconciliation,
    /// What a division orders.
    pub orders: Option<DivisionOrders>,
}

/// Orders of a division by mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DivisionOrders {
    /// Division id.
    pub division: String,
    /// Sent from one of the division's addresses and carrying the token of our letter. Otherwise a person decides.
    pub verified: bool,
    pub lines: Vec<OrderLine>,
}

/// The message's state once the verdict is recorded (`contract.md` section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Recorded,
    /// Machine mail and the like: kept, nothing to do.
    Ignored,
    /// The same mail came before over another way.
    Duplicate,
}

/// 正式文件 (R16).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormalLetter {
    /// Path of the file.
    pub attachment: String,
    /// 长工信函〔2024〕37号, where it could be read.
    pub number: Option<String>,
    /// What a recogniser of characters made of a scan: a hint for people, no fact.
    #[serde(default)]
    pub recognised: Option<recognised::Recognised>,
}

/// One file of the mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    pub path: String,
    pub sha256: String,
    pub bytes: usize,
    #[serde(rename = "type")]
    pub file_type: FileType,
    pub role: Role,
    pub status: FileStatus,
    /// Why it was not read, in Chinese, with the remedy.
    pub problem: Option<String>,
    /// Name or declared type speak of another kind than the bytes; a remark, no mistake.
    #[serde(default)]
    pub mismatch: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Annex1,
    Annex2,
    Letter,
    Container,
    Other,
}

/// A file that lies on a net disk instead of in the mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudLink {
    pub provider: String,
    pub name: Option<String>,
    /// As the mail says it: `120.5M`.
    pub size: Option<String>,
    pub expires: Option<String>,
    pub url_host: String,
}

/// One topic of the mail.
#[derive(Debug, Clone)]
pub struct Topic {
    /// By field key, as the sender wrote them.
    pub fields: BTreeMap<String, String>,
    /// The same with their places; joined with what was known where this is a later version.
    pub draft: Draft,
    pub sources: Vec<Source>,
    pub route: Route,
    pub findings: Vec<Finding>,
    pub duplicates: Vec<Duplicate>,
    /// Folded applicant and title: the key under which revisions of a topic find each other.
    pub key: TopicKey,
    /// SHA-256 of the folded fields: equal content, equal fingerprint.
    pub fingerprint: String,
    pub change: Change,
    /// How complete it is: an aid for ordering, no judgement (R27).
    pub completeness: Completeness,
    /// Facts in one spelling each: see [`crate::domain::rules::normal::normalised`].
    pub normalised: BTreeMap<&'static str, String>,
    /// What later twins will find it by.
    pub signature: dedupe::Signature,
    /// Findings of the earlier version that this one has put right.
    pub closed: Vec<Finding>,
    pub status: TopicStatus,
    /// Its submitter is not named in the notice: the topic waits for a person.
    pub held: bool,
}

/// How people recognise the same topic again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicKey {
    pub applicant: String,
    pub title: String,
}

/// What this mail does to the store's topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Not seen before: gets a receipt number.
    New,
    /// A later version of a topic of the same sender or bureau: keeps its receipt number.
    Revision {
        id: String,
        /// Keys of the fields that differ from the last revision.
        changed: Vec<String>,
    },
    /// The same content again: nothing changes.
    Same { id: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TopicStatus {
    Accepted,
    NeedsCorrection,
    SuspectedDuplicate,
    Withdrawn,
}

/// Another topic that looks like this one; for reviewers, never for senders.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Duplicate {
    /// Receipt number, or the title of a topic of the same mail.
    pub topic: String,
    pub score: f64,
    /// `same` · `near` · `paraphrase`.
    pub kind: String,
    /// Passages that stand in both.
    #[serde(default)]
    pub passages: Vec<String>,
    /// Rare terms that stand in both.
    #[serde(default)]
    pub terms: Vec<String>,
}

/// What must be looked up before a mail can be judged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LookupKeys {
    pub content_sha256: String,
    /// Message-IDs this mail refers to.
    pub references: Vec<String>,
    /// Receipt numbers named in its subject or text.
    pub receipt_numbers: Vec<String>,
    pub topics: Vec<TopicKey>,
    /// Credit codes of the topics, normalised, 18 characters each.
    pub codes: Vec<String>,
    /// What twins of each topic are found by.
    pub signatures: Vec<dedupe::Signature>,
}

/// The hashes under which a topic's twins are found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Postings {
    /// All its text, its applicant: [`dedupe::KEY_VOTES`].
    pub keys: Vec<i64>,
    /// Edits and copies: [`dedupe::BAND_VOTES`].
    pub bands: Vec<i64>,
    /// Pairs of rare words: [`dedupe::PAIR_VOTES`].
    pub pairs: Vec<i64>,
}

impl Postings {
    #[must_use]
    pub fn of(signature: &dedupe::Signature) -> Self {
        let [keys, bands, pairs] = [&signature.keys, &signature.bands, &signature.pairs].map(|hashes| {
            let mut hashes = hashes.clone();
            hashes.sort_unstable();
            hashes.dedup();
            hashes
        });
        Self { keys, bands, pairs }
    }
}

/// What the store knows about those keys.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// When the mail arrived. One that was set aside, or lay in another folder, may be judged after later ones.
    pub arrived_at: Option<Timestamp>,
    /// Another message with the same content is recorded already.
    pub same_content: bool,
    /// One of the references is a letter of ours.
    pub answers_our_letter: bool,
    /// The division that the answered letter went to.
    pub letter_division: Option<String>,
    /// Numbers of the topics that the answered letter was about.
    pub answered_topics: Vec<String>,
    /// Known numbers that subject or text name.
    pub named_topics: Vec<String>,
    /// An earlier mail about these topics came without a formal letter (R16), and none has come since.
    pub lacks_letter: bool,
    /// Those, and the topics of the same applicants.
    pub topics: Vec<KnownTopic>,
}

/// A topic of the store at its latest revision.
#[derive(Debug, Clone)]
pub struct KnownTopic {
    pub id: String,
    pub key: TopicKey,
    pub fingerprint: String,
    /// Fields with their places, and sources.
    pub draft: Draft,
    pub findings: Vec<Finding>,
    /// Address that sent the latest revision.
    pub sender: String,
    pub bureau: Option<String>,
    pub status: TopicStatus,
    /// It waits for a person.
    pub held: bool,
    pub division: String,
    /// When the mail that brought the latest revision arrived.
    pub brought_at: Option<Timestamp>,
}

impl Topic {
    /// Findings the sender is told about.
    pub fn for_sender(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.audience == super::findings::Audience::Sender)
    }

    /// The sender must correct something.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    #[must_use]
    pub fn text(&self, key: &str) -> &str {
        self.fields.get(key).map_or("", String::as_str)
    }
}
