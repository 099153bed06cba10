//! Watch the mailbox: find what is not accepted yet, fetch it, accept it. The store, not the mailbox's flags, knows what is done.

use std::{collections::BTreeSet, time::Duration};

use secrecy::SecretString;

use super::{House, accept::accept, alert};
use crate::{
    config::{ImapConfig, MailboxConfig},
    edge::{
        fault::Fault,
        mailbox::{
            imap::{Fetched, Session, Woken},
            maildir,
        },
        store::Sighting,
    },
};

/// UIDs fetched with one command; each message is accepted as it arrives.
const FETCH_CHUNK: usize = 25;

/// How a pass went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pass {
    /// Mails accepted that were not seen before, duplicates included.
    pub accepted: usize,
    /// UIDs that the server listed and did not deliver; asked for again at the next pass.
    pub missing: usize,
}

/// Takes in every new file of the configured Maildir.
///
/// # Errors
/// When the folder cannot be read or the store fails.
pub async fn take_in_maildir(house: &House) -> anyhow::Result<Pass> {
    let MailboxConfig::Maildir(config) = &house.config.mailbox else { return Ok(Pass::default()) };
    let mailbox = format!("maildir:{}", config.path.display());
    let known = house.store.seen_locators(&mailbox).await?;
    let mut pass = Pass::default();
    for entry in maildir::list(&config.path).await? {
        if known.contains(&entry.name) {
            continue;
        }
        // A file that vanishes between listing and reading was moved by another program: the next pass finds it.
        let Some(raw) = maildir::read(&entry).await? else {
            pass.missing += 1;
            continue;
        };
        let sighting = Sighting {
            mailbox: mailbox.clone(),
            folder: String::new(),
            uidvalidity: 0,
            uid: None,
            locator: entry.name.clone(),
            arrived_at: entry.arrived_at,
            seen_at: house.now(),
        };
        accept(house, &sighting, raw).await?;
        pass.accepted += 1;
    }
    house.store.note_health(alert::POLLED, "", house.now()).await?;
    Ok(pass)
}

/// Takes in everything new in all configured folders over an open session. With `everything`, all UIDs are compared with the
/// store, so that late and moved mail is found; otherwise only those above the highest known UID.
///
/// # Errors
/// A [`Fault`] of the connection, wrapped; accepted mails stay accepted.
pub async fn take_in_imap(house: &House, config: &ImapConfig, session: &mut Session, everything: bool) -> anyhow::Result<Pass> {
    let mut pass = Pass::default();
    // The first folder comes last: it is the one that IDLE then watches.
    for folder in config.folders.iter().rev() {
        let one = take_in_folder(house, config, session, folder, everything).await?;
        pass.accepted += one.accepted;
        pass.missing += one.missing;
    }
    house.store.note_health(alert::POLLED, "", house.now()).await?;
    Ok(pass)
}

async fn take_in_folder(house: &House, config: &ImapConfig, session: &mut Session, folder: &str, everything: bool) -> anyhow::Result<Pass> {
    let state = session.examine(folder).await?;
    let mailbox = mailbox_name(config);
    let from_uid = if everything {
        1
    } else {
        house.store.last_uid(&mailbox, folder, state.uidvalidity).await?.map_or(1, |last| last.saturating_add(1))
    };
    let listed = if state.exists == 0 { Vec::new() } else { session.search(from_uid).await? };
    let known =
        if listed.is_empty() { BTreeSet::new() } else { house.store.seen_uids(&mailbox, folder, state.uidvalidity, from_uid).await? };
    let new: Vec<u32> = listed.into_iter().filter(|uid| !known.contains(uid)).collect();
    if !new.is_empty() {
        tracing::info!(folder, exists = state.exists, new = new.len(), "New mail was found.");
    }
    let mut pass = Pass::default();
    let mut missing: Vec<u32> = Vec::new();
    for chunk in new.chunks(FETCH_CHUNK) {
        let mut wanted: BTreeSet<u32> = chunk.iter().copied().collect();
        session.start_fetch(chunk).await?;
        while let Some(fetched) = session.next_fetched().await? {
            if wanted.remove(&fetched.uid) {
                accept_fetched(house, &mailbox, folder, state.uidvalidity, fetched).await?;
                pass.accepted += 1;
            }
        }
        if !wanted.is_empty() {
            tracing::warn!(folder, uids = ?wanted, "The server lists mails that it does not deliver; they are asked for again.");
            pass.missing += wanted.len();
            missing.extend(wanted);
        }
    }
    // The digest names them; a full comparison that finds nothing missing clears them.
    if everything || !missing.is_empty() {
        let uids = missing.iter().take(20).map(u32::to_string).collect::<Vec<_>>().join("、");
        house.store.note_health(&format!("missing:{folder}"), &uids, house.now()).await?;
    }
    Ok(pass)
}

async fn accept_fetched(house: &House, mailbox: &str, folder: &str, uidvalidity: u32, fetched: Fetched) -> anyhow::Result<()> {
    let sighting = Sighting {
        mailbox: mailbox.to_owned(),
        folder: folder.to_owned(),
        uidvalidity,
        uid: Some(fetched.uid),
        locator: fetched.uid.to_string(),
        arrived_at: fetched.internal_date,
        seen_at: house.now(),
    };
    accept(house, &sighting, fetched.raw).await?;
    Ok(())
}

fn mailbox_name(config: &ImapConfig) -> String {
    format!("imap:{}@{}", config.username, config.host)
}

/// Opens a session: reads the secret anew, logs in, says who we are.
///
/// # Errors
/// A [`Fault`] that says whether to try later, and how long to leave a refused login alone.
pub async fn open(config: &ImapConfig) -> Result<Session, Fault> {
    let password: SecretString = config.password.read().map_err(Fault::login)?;
    Session::open(&config.settings(), &password).await
}

/// Waits for new mail in the first folder (IDLE, where the server has it), or for the polling interval with up to a fifth of jitter.
///
/// # Errors
/// A [`Fault`] of the connection.
pub async fn wait(config: &ImapConfig, session: &mut Session) -> Result<Woken, Fault> {
    let poll = Duration::from_secs(config.poll_secs);
    let jittered = poll + poll.mul_f64(fastrand::f64() * 0.2);
    if config.idle && session.can_idle() {
        return session.idle(jittered).await;
    }
    tokio::time::sleep(jittered).await;
    Ok(Woken::TimedOut)
}
