//! `annexd purge`: removes old raw mails and the texts of old letters. Topics stay: duplicates are searched in all history (R26).
//! Rows of mails stay too, so that what still lies in the mailbox is not taken in and answered again.

use anyhow::Context as _;
use jiff::SignedDuration;

use super::{print_line, progress};
use crate::{
    domain::{status::size, time::chinese_minute},
    edge::store::Removed,
    pipeline::House,
};

/// Mails removed between two commits.
const BATCH: u32 = 200;

/// Removes what is older than so many days, or with `dry_run` only counts it.
///
/// # Errors
/// When store or raw mail cannot be changed; what is removed by then stays removed, and the next purge finishes the rest.
pub async fn purge(house: &House, days: u32, dry_run: bool) -> anyhow::Result<()> {
    let now = house.now();
    let before = now.checked_sub(SignedDuration::from_hours(24 * i64::from(days)))?;
    let due = count(house, before).await?;
    let what =
        format!("{}之前的来信原件{}封（{}），信件正文{}封", chinese_minute(before, &house.zone), due.mails, size(due.bytes), due.letters);
    if dry_run {
        print_line(&format!("将清除{what}。课题及其登记内容保留；尚未办结的课题，来信原件也保留。未作改动。"));
        return Ok(());
    }
    let bar = progress(usize::try_from(due.mails).unwrap_or(usize::MAX), "清除");
    let mut removed = Removed::default();
    loop {
        let batch = house.store.expired(before, 0, BATCH).await?;
        if batch.is_empty() {
            break;
        }
        // First the files: what stops between here and the commit is done again.
        for mail in &batch {
            house.blobs.remove(&mail.sha256).await.with_context(|| format!("the raw mail {} could not be removed", mail.sha256))?;
            removed.bytes += mail.bytes;
            removed.mails += 1;
            bar.inc(1);
        }
        house.store.forget_raw(&batch).await?;
    }
    removed.letters = house.store.empty_letters(before).await?;
    bar.finish_and_clear();
    house.store.note_purge(&who(), before, removed, now).await?;
    tracing::info!(
        mails = removed.mails,
        bytes = removed.bytes,
        letters = removed.letters,
        by = who(),
        "Old mails and letters were purged."
    );
    print_line(&format!("已清除{what}，并记录在案。"));
    Ok(())
}

async fn count(house: &House, before: jiff::Timestamp) -> anyhow::Result<Removed> {
    let mut due = Removed { letters: house.store.spent_letters(before).await?, ..Removed::default() };
    let mut after = 0;
    loop {
        let page = house.store.expired(before, after, BATCH).await?;
        let Some(last) = page.last() else { return Ok(due) };
        after = last.id;
        due.mails += page.len() as u64;
        due.bytes += page.iter().map(|mail| mail.bytes).sum::<u64>();
    }
}

/// Who runs this: the person behind sudo, else the user.
fn who() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    named.unwrap_or_else(|| "unknown".to_owned())
}
