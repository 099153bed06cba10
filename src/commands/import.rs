//! `annexd import PATH...`: takes in .eml files and Maildir folders as if they had arrived in the mailbox. Idempotent.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::{progress, work};
use crate::{
    edge::{mailbox::body::Body, store::Sighting},
    pipeline::{House, accept::Intake},
};

/// Name under which imported mails are sighted.
const MAILBOX: &str = "import";

/// Accepts every message file below the paths, then examines and records them. Letters stay queued for `run` or `poll`.
///
/// # Errors
/// After all files: when one could not be read, or the store fails.
pub async fn import(house: &House, paths: &[PathBuf]) -> anyhow::Result<()> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files).with_context(|| format!("{} cannot be read", path.display()))?;
    }
    let bar = progress(files.len(), "import");
    let (mut accepted, mut unread, mut intake) = (Vec::new(), 0, Intake::new(house));
    for file in &files {
        match tokio::fs::File::open(file).await {
            Ok(raw) => accepted.extend(intake.take(sighting(file, house.now()), Body::File(raw.into_std().await)).await?),
            Err(error) => {
                unread += 1;
                tracing::error!(file = %file.display(), "The file cannot be read: {error}.");
            }
        }
        bar.inc(1);
    }
    accepted.extend(intake.finish().await?);
    bar.finish_and_clear();
    let new = accepted.iter().filter(|(_, accepted)| accepted.is_new()).count();
    let known = accepted.len() - new;
    work::examine_all(house).await?;
    tracing::info!(files = files.len(), new, known, unread, "The import is done.");
    if unread > 0 {
        bail!("{unread} of {} files could not be read", files.len());
    }
    Ok(())
}

fn sighting(file: &Path, seen_at: jiff::Timestamp) -> Sighting {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let locator = name.split(":2,").next().unwrap_or(&name).to_owned();
    Sighting { mailbox: MAILBOX.to_owned(), folder: String::new(), uidvalidity: 0, uid: None, locator, arrived_at: None, seen_at }
}

/// Files as they are; of a Maildir its `new` and `cur`; of any other folder its .eml files, in order of name.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        std::fs::metadata(path)?;
        files.push(path.to_owned());
        return Ok(());
    }
    let is_maildir = path.join("cur").is_dir() && path.join("new").is_dir();
    let folders = if is_maildir { vec![path.join("new"), path.join("cur")] } else { vec![path.to_owned()] };
    for folder in folders {
        let mut found: Vec<PathBuf> = std::fs::read_dir(folder)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        found.sort();
        for entry in found {
            let is_mail = is_maildir || entry.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("eml"));
            if entry.is_dir() && !is_maildir {
                collect(&entry, files)?;
            } else if entry.is_file() && is_mail {
                files.push(entry);
            }
        }
    }
    Ok(())
}
