//! One pass of the whole work: take in, examine, summarise, send. `poll`, `import` and `demo` share it.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crate::{
    config::MailboxConfig,
    daemon,
    edge::store::{Turn, Waiting},
    pipeline::{
        House, alert,
        examine::Examined,
        send,
        stop::Stopped,
        summarise,
        turns::{self, Presence},
        watch,
    },
};

/// How often it is looked for mail that came in meanwhile.
const LOOK: Duration = Duration::from_millis(50);

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
pub async fn examine_each(house: &House, seen: impl FnMut(&Waiting, &Examined)) -> anyhow::Result<usize> {
    let presence = Presence::begin(house).await?;
    let count = turns::examine_waiting(house, &Stopped::never(), seen).await;
    presence.end().await;
    count
}

/// One full pass: take in, examine, write the letters that are due, alerts too, and send what pacing allows.
///
/// # Errors
/// When mailbox, store or account cannot be reached.
pub async fn one_pass(house: &House, send_letters: bool, stopped: &Stopped) -> anyhow::Result<()> {
    let presence = Presence::begin(house).await?;
    let done = pass_in_turn(house, send_letters, stopped).await;
    presence.end().await;
    done
}

async fn pass_in_turn(house: &House, send_letters: bool, stopped: &Stopped) -> anyhow::Result<()> {
    for turn in [daemon::mailbox_turn(house), daemon::LETTERS_TURN.to_owned()] {
        if let Turn::Others { holder } = house.store.take_turn(&turn).await? {
            anyhow::bail!("another annexd ({holder}) is at this work; stop it first, or let it go on");
        }
    }
    alert::heed_clock(house).await?;
    house.store.recover_sending(house.now()).await?;
    let (pass, examined) = taken_in_and_examined(house, stopped).await?;
    // Before the digest, which tells what is open.
    alert::watch(house).await?;
    let written = summarise::summarise(house).await?;
    let sent = if send_letters { send::send_due(house, &mut daemon::outlets(house), stopped).await? } else { send::Sent::default() };
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

/// Mail is examined while more of it comes in. What was accepted is examined even where the mailbox then fails.
async fn taken_in_and_examined(house: &House, stopped: &Stopped) -> anyhow::Result<(watch::Pass, usize)> {
    let all_in = AtomicBool::new(false);
    let taking_in = async {
        let pass = take_in(house).await;
        all_in.store(true, Ordering::Release);
        pass
    };
    let examining = async {
        let mut examined = 0;
        loop {
            // Asked before looking: what came in before is seen by the last look.
            let is_last = all_in.load(Ordering::Acquire) || stopped.is_asked();
            examined += turns::examine_waiting(house, stopped, |_, _| {}).await?;
            if is_last {
                return anyhow::Ok(examined);
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let (pass, examined) = tokio::join!(taking_in, examining);
    Ok((pass?, examined?))
}

async fn take_in(house: &House) -> anyhow::Result<watch::Pass> {
    house.blobs.ready().await?;
    match &house.config.mailbox {
        MailboxConfig::Maildir(_) => watch::take_in_maildir(house).await,
        MailboxConfig::Imap(config) => watch::take_in_everything(house, config).await,
    }
}
