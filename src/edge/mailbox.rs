//! The mailbox: IMAP or a Maildir. Read only; no flag is ever changed, nothing is moved or deleted.

pub mod backoff;
pub mod body;
pub mod imap;
pub mod maildir;
