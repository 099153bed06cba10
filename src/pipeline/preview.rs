//! The latest mails of the mailbox for a look that leaves no trace: nothing is stored, no flag is set, no letter is written.

use jiff::Timestamp;

use super::watch;
use crate::{
    config::{ImapConfig, MailboxConfig},
    edge::{
        fault::Fault,
        mailbox::{body::Body, imap::Session, maildir},
        reader::Mail,
    },
};

/// One mail, as it lies in the mailbox.
pub struct Found {
    /// Folder and UID, or the file's name.
    pub name: String,
    pub arrived_at: Option<Timestamp>,
    pub mail: Mail,
}

/// The latest mails of the first folder, the newest first.
pub struct Latest {
    source: Source,
    /// Mails in the folder.
    pub total: usize,
    /// Arrival of the oldest mail that is shown.
    pub oldest: Option<Timestamp>,
}

enum Source {
    Imap { session: Box<Session>, folder: String, uids: Vec<u32> },
    Maildir(Vec<maildir::Entry>),
}

impl Latest {
    /// Looks into the mailbox, for at most `count` mails.
    ///
    /// # Errors
    /// A fault of the mailbox.
    pub async fn open(config: &MailboxConfig, count: usize) -> anyhow::Result<Self> {
        match config {
            MailboxConfig::Imap(config) => Ok(imap(config, count).await?),
            MailboxConfig::Maildir(config) => {
                let mut entries = maildir::list(&config.path).await?;
                entries.sort_by_key(|entry| entry.arrived_at);
                let (total, oldest) = (entries.len(), entries.first().and_then(|entry| entry.arrived_at));
                entries.drain(..total.saturating_sub(count));
                Ok(Self { source: Source::Maildir(entries), total, oldest })
            }
        }
    }

    /// The next older mail; `None` after the last.
    ///
    /// # Errors
    /// A fault of the mailbox.
    pub async fn next(&mut self) -> anyhow::Result<Option<Found>> {
        match &mut self.source {
            Source::Maildir(entries) => {
                Ok(entries.pop().map(|entry| Found { name: entry.name, arrived_at: entry.arrived_at, mail: Mail::File(entry.path) }))
            }
            Source::Imap { session, folder, uids } => {
                while let Some(uid) = uids.pop() {
                    if let Some((raw, arrived_at)) = fetch(session, uid).await? {
                        return Ok(Some(Found { name: format!("{folder} {uid}"), arrived_at, mail: Mail::Bytes(raw) }));
                    }
                }
                Ok(None)
            }
        }
    }

    /// Leaves the mailbox.
    pub async fn close(self) {
        if let Source::Imap { session, .. } = self.source {
            session.logout().await;
        }
    }
}

async fn imap(config: &ImapConfig, count: usize) -> Result<Latest, Fault> {
    let mut session = watch::open(config, None).await?;
    let folder = config.folders.first().cloned().unwrap_or_else(|| "INBOX".to_owned());
    let state = session.examine(&folder).await?;
    let mut uids = if state.exists == 0 { Vec::new() } else { session.search(1).await? };
    let total = uids.len();
    let oldest = match uids.first() {
        Some(uid) if total > count => fetch(&mut session, *uid).await?.and_then(|(_, arrived_at)| arrived_at),
        _ => None,
    };
    uids.drain(..total.saturating_sub(count));
    Ok(Latest { source: Source::Imap { session: Box::new(session), folder, uids }, total, oldest })
}

/// One mail's bytes; `None` where the server lists it and does not deliver it.
async fn fetch(session: &mut Session, uid: u32) -> Result<Option<(Vec<u8>, Option<Timestamp>)>, Fault> {
    session.start_fetch(&[uid]).await?;
    let mut found = None;
    while let Some(fetched) = session.next_fetched(|| {}).await? {
        if let (true, Body::Bytes(raw)) = (fetched.uid == uid, fetched.raw) {
            found = Some((raw, fetched.internal_date));
        }
    }
    Ok(found)
}
