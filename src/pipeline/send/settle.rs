//! Letters whose answer was lost after the last dot: looked for in the Sent folder, else repeated once with the same Message-ID,
//! else left to a person.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::{
    config::MailboxConfig,
    edge::store::UnsettledLetter,
    pipeline::{House, stop::Stopped, watch},
};

/// How long an unreachable Sent folder is asked again before the letter is repeated without having looked.
const PATIENCE: SignedDuration = SignedDuration::from_hours(6);
/// Rest before the folder is asked again.
const AGAIN: SignedDuration = SignedDuration::from_mins(15);

/// What looking showed.
enum Look {
    Filed(BTreeSet<String>),
    /// There is nothing to look into: another account's folder, a Maildir, no such folder.
    Nowhere,
    Unreachable(String),
}

/// Settles every letter of unknown fate that is due for it.
///
/// # Errors
/// When the store cannot be reached.
pub async fn settle(house: &House, stopped: &Stopped) -> anyhow::Result<()> {
    let letters = house.store.unsettled_letters(house.now()).await?;
    let Some(first) = letters.iter().map(|letter| letter.started_at).min() else { return Ok(()) };
    let look = look(house, &letters, first).await;
    for letter in letters {
        if stopped.is_asked() {
            return Ok(());
        }
        match &look {
            Look::Filed(ids) if ids.contains(&letter.message_id) => {
                house.store.letter_sent(letter.id, "found in the Sent folder", letter.started_at).await?;
                tracing::info!(letter = letter.id, "A letter of unknown fate was found in the Sent folder.");
            }
            Look::Unreachable(what) if house.now().duration_since(letter.started_at) < PATIENCE => {
                house.store.letter_unknown(letter.id, what, house.now().checked_add(AGAIN)?).await?;
            }
            Look::Filed(_) | Look::Nowhere | Look::Unreachable(_) => repeat(house, &letter).await?,
        }
    }
    Ok(())
}

async fn repeat(house: &House, letter: &UnsettledLetter) -> anyhow::Result<()> {
    if house.store.letter_not_found(letter.id).await? {
        tracing::warn!(letter = letter.id, "A letter of unknown fate was not found; it is sent once more with the same Message-ID.");
    } else {
        tracing::error!(letter = letter.id, "A letter's fate stays unknown after its repeat; see `annexd letters list`.");
    }
    Ok(())
}

async fn look(house: &House, letters: &[UnsettledLetter], since: Timestamp) -> Look {
    let MailboxConfig::Imap(config) = &house.config.mailbox else { return Look::Nowhere };
    let own = |letter: &UnsettledLetter| {
        letter.account.as_deref().and_then(|name| name.rsplit_once('@')).map(|(user, _)| user) == Some(config.username.as_str())
    };
    if !letters.iter().any(own) {
        return Look::Nowhere;
    }
    let mut session = match watch::open(config, None).await {
        Ok(session) => session,
        Err(fault) => return Look::Unreachable(fault.what),
    };
    let filed = session.sent_message_ids(since).await;
    session.logout().await;
    match filed {
        Ok(Some(ids)) => Look::Filed(ids),
        Ok(None) => Look::Nowhere,
        Err(fault) => Look::Unreachable(fault.what),
    }
}
