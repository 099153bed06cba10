//! One pass of the whole work: take in, examine, summarise, send. `poll`, `import` and `demo` share it.

use crate::{
    config::MailboxConfig,
    daemon,
    edge::store::Waiting,
    pipeline::{
        House,
        examine::{Examined, examine},
        send,
        stop::Stopped,
        summarise, watch,
    },
};

/// Examines everything that waits, in order of arrival; returns how many were examined.
///
/// # Errors
/// When the store cannot be reached.
pub async fn examine_all(house: &House) -> anyhow::Result<usize> {
    examine_each(house, |_, _| {}).await
}

/// [`examine_all`], showing each result to `seen`.
///
/// # Errors
/// As [`examine_all`].
pub async fn examine_each(house: &House, mut seen: impl FnMut(&Waiting, &Examined)) -> anyhow::Result<usize> {
    let mut count = 0;
    let mut after = 0;
    loop {
        let waiting = house.store.next_waiting(after, house.now(), 100).await?;
        let Some(last) = waiting.last() else { return Ok(count) };
        after = last.id;
        for message in &waiting {
            let examined = examine(house, message).await?;
            seen(message, &examined);
            count += 1;
        }
    }
}

/// One full pass: take in, examine, write the letters that are due, and send what pacing allows.
///
/// # Errors
/// When mailbox, store or account cannot be reached.
pub async fn one_pass(house: &House, send_letters: bool, stopped: &Stopped) -> anyhow::Result<()> {
    house.store.recover_sending(house.now()).await?;
    let pass = take_in(house).await?;
    let examined = examine_all(house).await?;
    let written = summarise::summarise(house).await?;
    let sent = if send_letters { send::send_due(house, &mut daemon::outlets(house)?, stopped).await? } else { send::Sent::default() };
    tracing::info!(
        accepted = pass.accepted,
        examined,
        written,
        sent = sent.sent,
        later = sent.later,
        failed = sent.failed,
        "The pass is done."
    );
    let balance = house.store.balance().await?;
    if !balance.holds() {
        tracing::error!(?balance, "The closing balance does not hold.");
    }
    if pass.missing > 0 {
        tracing::warn!(missing = pass.missing, "Some listed mails were not delivered; the next pass asks for them again.");
    }
    if sent.refused_login {
        anyhow::bail!("the mail server refused the login for sending; the letters wait. Check the authorisation code (授权码)");
    }
    Ok(())
}

async fn take_in(house: &House) -> anyhow::Result<watch::Pass> {
    match &house.config.mailbox {
        MailboxConfig::Maildir(_) => watch::take_in_maildir(house).await,
        MailboxConfig::Imap(config) => watch::take_in_everything(house, config).await,
    }
}
