//! `annexd backup`: everything needed to go on elsewhere, consistent while the daemon runs. The way back is in the command's help.

use std::{io, path::Path};

use anyhow::{Context as _, bail};

use super::print_line;
use crate::{edge::store::Store, pipeline::House};

/// Name of the database in a backup.
const DATABASE: &str = "annexd.db";
/// Its name until everything is there: a backup that was broken off has no database, and nobody takes it for a whole one.
const UNFINISHED: &str = "unfinished.db";

/// Writes database and raw mails into a new or empty folder. The database is copied first: raw mail is never changed and only
/// added, so every mail that the copy speaks of is there afterwards.
///
/// # Errors
/// When the folder is not empty or cannot be written, or the copy does not check out.
pub async fn backup(house: &House, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    if std::fs::read_dir(folder)?.next().is_some() {
        bail!("{} is not empty; name a new folder", folder.display());
    }
    let database = folder.join(UNFINISHED);
    house.store.backup(&database).await.context("the database could not be copied")?;
    let copy = Store::open_read_only(&format!("sqlite:{UNFINISHED}"), None, folder).await?.context("the copied database is not there")?;
    let verdict = copy.integrity().await?;
    if verdict != "ok" {
        bail!("the copied database is damaged: {verdict}");
    }
    let (mut after, mut mails) = (0, 0_u64);
    loop {
        let page = copy.raw_mails(after, 500).await?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        for (_, sha256) in &page {
            house.blobs.copy_to(sha256, folder).await.with_context(|| format!("the raw mail {sha256} could not be copied"))?;
            mails += 1;
        }
    }
    copy.close().await;
    sync(&database)?;
    std::fs::rename(&database, folder.join(DATABASE))?;
    sync(folder)?;
    print_line(&format!(
        "{} holds the database and {mails} raw mails. To go back: stop annexd, make this folder data_dir (the database's name is {DATABASE}), start annexd.",
        folder.display()
    ));
    Ok(())
}

fn sync(place: &Path) -> io::Result<()> {
    std::fs::File::open(place)?.sync_all()
}
