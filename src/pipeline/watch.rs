//! Watch the mailbox: find what is not accepted yet, fetch it, accept it. The store, not the mailbox's flags, knows what is done.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use secrecy::SecretString;

use super::{House, accept::Intake, alert};
use crate::{
    config::{ImapConfig, MailboxConfig},
    edge::{
        fault::{Fault, FaultKind},
        mailbox::{
            imap::{ImapSettings, Session, Woken},
            maildir,
        },
        store::{Accepted, Sighting},
    },
};

pub mod memory;
pub mod survey;

pub use memory::Memory;

/// UIDs fetched with one command; messages are accepted as they arrive.
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
    let (mut pass, mut intake) = (Pass::default(), Intake::new(house));
    for entry in maildir::list(&config.path).await? {
        if known.contains(&entry.name) {
            continue;
        }
        // A file that vanishes between listing and reading was moved by another program: the next pass finds it.
        let Some(raw) = maildir::open(&entry).await? else {
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
        pass.accepted += intake.take(sighting, raw).await?.len();
    }
    pass.accepted += intake.finish().await?.len();
    house.store.note_health(alert::POLLED, "", house.now()).await?;
    Ok(pass)
}

/// Takes in everything new in all configured folders over an open session. With `everything`, all UIDs are compared with the
/// store, so that late and moved mail is found, and the account is surveyed; otherwise only UIDs above the highest known one.
///
/// # Errors
/// A [`Fault`] of the connection, wrapped; accepted mails stay accepted.
pub async fn take_in_imap(
    house: &House,
    config: &ImapConfig,
    session: &mut Session,
    memory: &Memory,
    everything: bool,
) -> anyhow::Result<Pass> {
    let folders = if everything {
        let found = survey::survey(config, session).await?;
        found.note(house).await?;
        memory.leave_out(found.absent.iter().chain(&found.lacking));
        found.present
    } else {
        config.folders.iter().chain(&config.folders_if_there).filter(|folder| !memory.is_left_out(folder)).cloned().collect()
    };
    let mut pass = Pass::default();
    // The first folder comes last: it is the one that IDLE then watches.
    for folder in folders.iter().rev() {
        let one = take_in_folder(house, config, session, memory, folder, everything).await?;
        pass.accepted += one.accepted;
        pass.missing += one.missing;
    }
    house.store.note_health(alert::POLLED, "", house.now()).await?;
    memory.pulse.beat();
    Ok(pass)
}

/// One full pass with sessions of its own. A session that breaks in the middle of its work is followed by another one, until
/// the mail that breaks them is set aside or everything is in.
///
/// # Errors
/// A [`Fault`] that another session would not cure, or a store that fails.
pub async fn take_in_everything(house: &House, config: &ImapConfig) -> anyhow::Result<Pass> {
    let memory = Memory::default();
    let mut whole = Pass::default();
    let mut fruitless = 0;
    loop {
        let before = house.store.sightings().await?;
        let mut session = open(config, Some(house.blobs.incoming())).await?;
        let result = take_in_imap(house, config, &mut session, &memory, true).await;
        let accepted = usize::try_from(house.store.sightings().await?.saturating_sub(before)).unwrap_or(0);
        whole.accepted += accepted;
        match result {
            Ok(pass) => {
                session.logout().await;
                return Ok(Pass { accepted: whole.accepted, ..pass });
            }
            Err(error) => {
                fruitless = if accepted > 0 { 0 } else { fruitless + 1 };
                let curable = error.downcast_ref::<Fault>().is_some_and(|fault| fault.kind == FaultKind::Later);
                if !curable || fruitless > memory::BREAKS_MAX {
                    return Err(error);
                }
                tracing::warn!("The mailbox connection broke and is opened again: {error:#}.");
            }
        }
    }
}

/// A folder as it was opened.
struct Place {
    mailbox: String,
    folder: String,
    uidvalidity: u32,
}

async fn take_in_folder(
    house: &House,
    config: &ImapConfig,
    session: &mut Session,
    memory: &Memory,
    folder: &str,
    everything: bool,
) -> anyhow::Result<Pass> {
    let state = session.examine(folder).await?;
    let place = Place { mailbox: mailbox_name(config), folder: folder.to_owned(), uidvalidity: state.uidvalidity };
    let ghosts = memory.ghosts(folder, place.uidvalidity);
    let after = if everything {
        1
    } else {
        house.store.last_uid(&place.mailbox, folder, place.uidvalidity).await?.map_or(1, |last| last.saturating_add(1))
    };
    let mut listed: BTreeSet<u32> = if state.exists == 0 { BTreeSet::new() } else { session.search(after).await?.into_iter().collect() };
    let shown = listed.clone();
    listed.extend(ghosts);
    let known = match listed.first() {
        Some(first) => house.store.seen_uids(&place.mailbox, folder, place.uidvalidity, *first).await?,
        None => BTreeSet::new(),
    };
    let new: Vec<u32> = listed.difference(&known).copied().collect();
    if !new.is_empty() {
        tracing::info!(folder, exists = state.exists, new = new.len(), "New mail was found.");
    }
    let mut pass = Pass::default();
    let mut missing: BTreeSet<u32> = BTreeSet::new();
    // Mails that broke a connection come last, one by one: they hold up nobody.
    let (sound, suspects) = memory.part(folder, place.uidvalidity, &new);
    for chunk in sound.chunks(FETCH_CHUNK).chain(suspects.chunks(1)) {
        missing.extend(fetch(house, session, memory, &place, chunk, &mut pass).await?);
    }
    pass.missing = missing.len();
    memory.missed(folder, place.uidvalidity, &missing);
    // The digest names them; a full comparison that finds nothing missing clears them.
    if everything || !missing.is_empty() {
        let uids = missing.iter().take(20).map(u32::to_string).collect::<Vec<_>>().join("、");
        house.store.note_health(&format!("missing:{folder}"), &uids, house.now()).await?;
    }
    if everything && folder.eq_ignore_ascii_case("INBOX") {
        survey::look_for_window(house, &place.mailbox, folder, place.uidvalidity, &shown).await?;
    }
    Ok(pass)
}

/// Fetches some mails with one command and accepts them as they arrive; returns those that the server did not deliver.
async fn fetch(
    house: &House,
    session: &mut Session,
    memory: &Memory,
    place: &Place,
    chunk: &[u32],
    pass: &mut Pass,
) -> anyhow::Result<BTreeSet<u32>> {
    let mut wanted: BTreeSet<u32> = chunk.iter().copied().collect();
    match deliver(house, session, memory, place, &mut wanted, pass).await {
        Ok(()) => {
            if !wanted.is_empty() {
                tracing::warn!(folder = place.folder, uids = ?wanted, "The server lists mails that it does not deliver; they are asked for again.");
            }
            Ok(wanted)
        }
        Err(error) => {
            let fault = error.downcast_ref::<Fault>().filter(|fault| fault.kind == FaultKind::Later);
            if let Some(fault) = fault
                && let Some(uid) = memory.blame(&place.folder, place.uidvalidity, chunk.len(), &wanted, session.received_bytes())
            {
                give_up(house, memory, place, uid, &fault.what).await?;
            }
            Err(error)
        }
    }
}

async fn deliver(
    house: &House,
    session: &mut Session,
    memory: &Memory,
    place: &Place,
    wanted: &mut BTreeSet<u32>,
    pass: &mut Pass,
) -> anyhow::Result<()> {
    let uids: Vec<u32> = wanted.iter().copied().collect();
    session.start_fetch(&uids).await?;
    let (mut taken, mut intake) = (wanted.clone(), Intake::new(house));
    let mut accepted = |mails: Vec<(Sighting, Accepted)>| {
        for uid in mails.into_iter().filter_map(|(sighting, _)| sighting.uid) {
            wanted.remove(&uid);
            memory.acquit(&place.folder, place.uidvalidity, uid);
            memory.pulse.beat();
            pass.accepted += 1;
        }
    };
    let ended = loop {
        match session.next_fetched(|| memory.pulse.beat()).await {
            Ok(Some(fetched)) if taken.remove(&fetched.uid) => {
                accepted(intake.take(sighting(house, place, fetched.uid, fetched.internal_date), fetched.raw).await?);
            }
            Ok(Some(_)) => {}
            Ok(None) => break Ok(()),
            Err(fault) => break Err(fault),
        }
    };
    // What came before the connection broke is accepted all the same.
    accepted(intake.finish().await?);
    Ok(ended?)
}

/// A mail that breaks every session is put on record as what cannot be fetched; later mail goes on.
async fn give_up(house: &House, memory: &Memory, place: &Place, uid: u32, what: &str) -> anyhow::Result<()> {
    let problem = format!("the mailbox did not deliver this mail in {} sessions ({what}); its text is not here", memory::BREAKS_MAX);
    house.store.accept_undelivered(&sighting(house, place, uid, None), &problem, memory::BREAKS_MAX).await?;
    memory.acquit(&place.folder, place.uidvalidity, uid);
    tracing::error!(folder = place.folder, uid, what, "A mail that breaks every session was parked; look at it in the web mail.");
    Ok(())
}

fn sighting(house: &House, place: &Place, uid: u32, arrived_at: Option<jiff::Timestamp>) -> Sighting {
    Sighting {
        mailbox: place.mailbox.clone(),
        folder: place.folder.clone(),
        uidvalidity: place.uidvalidity,
        uid: Some(uid),
        locator: uid.to_string(),
        arrived_at,
        seen_at: house.now(),
    }
}

fn mailbox_name(config: &ImapConfig) -> String {
    format!("imap:{}@{}", config.username, config.host)
}

/// Opens a session: reads the secret anew, logs in, says who we are. Large mails go to `spool` while they are fetched.
///
/// # Errors
/// A [`Fault`] that says whether to try later, and how long to leave a refused login alone.
pub async fn open(config: &ImapConfig, spool: Option<PathBuf>) -> Result<Session, Fault> {
    let password: SecretString = config.password.read().map_err(Fault::login)?;
    Session::open(&ImapSettings { spool, ..config.settings() }, &password).await
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
