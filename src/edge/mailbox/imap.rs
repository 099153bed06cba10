//! IMAP (RFC 3501) with the few commands that every server knows: LOGIN, CAPABILITY, ID (RFC 2971), EXAMINE, UID SEARCH,
//! UID FETCH, IDLE (RFC 2177), LOGOUT. Every command goes through one wrapper that looks at the tagged answer: the library's
//! own `uid_search` and `uid_fetch` turn a refusal into an empty result, which would lose mail.
//!
//! The library logs LOGIN with its password at TRACE on target `async_imap`; the log filter caps that target.

use std::{path::PathBuf, time::Duration};

use jiff::Timestamp;

use super::body::Body;

mod answer;
mod connect;
mod folders;
mod sent;
mod session;
mod spool;
mod tame;

pub use connect::is_loopback;
pub use session::Session;

/// How to reach a mailbox. The password is passed at each login, so that it can change without a restart.
#[derive(Debug, Clone)]
pub struct ImapSettings {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub username: String,
    /// An extra CA to trust, PEM.
    pub ca_file: Option<PathBuf>,
    /// Names and values of the ID command (NetEase wants name, version, vendor, support-email).
    pub id: Vec<(String, String)>,
    /// Longest wait for one network read.
    pub read_timeout: Duration,
    /// Folder on the blob store's disk for large mails on their way; without it they pass through memory.
    pub spool: Option<PathBuf>,
}

/// Protection of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    Tls,
    StartTls,
    /// Only to loopback.
    Plain,
}

/// A folder opened with EXAMINE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderState {
    /// 0 where the server gives none.
    pub uidvalidity: u32,
    pub exists: u32,
}

/// One fetched mail.
#[derive(Debug)]
pub struct Fetched {
    pub uid: u32,
    pub internal_date: Option<Timestamp>,
    pub raw: Body,
}

/// Why waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    NewMail,
    TimedOut,
}

/// What a read-only probe found.
#[derive(Debug, Clone)]
pub struct Probe {
    pub capabilities: Vec<String>,
    /// The server's answer to ID.
    pub server: Option<String>,
    /// Each configured folder.
    pub folders: Vec<(String, FolderState)>,
}
