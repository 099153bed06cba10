//! `annexd examine FILE...`: a dry run. Touches no mailbox and changes nothing; uses the store read-only where there is one.

use std::path::PathBuf;

use anyhow::{Context as _, bail};

use super::{open_read_only, print_line, report};
use crate::{
    config::Installation,
    daemon::read_in_children,
    domain::verdict::json::to_json,
    edge::reader::Mail,
    pipeline::{examine::judge, judging},
};

/// Examines message files, read in children of `program`, and prints a verdict each, in order; JSON Lines with `json`.
///
/// # Errors
/// After all files: when one could not be read at all.
pub async fn examine(installation: &Installation, program: PathBuf, files: &[PathBuf], json: bool) -> anyhow::Result<()> {
    let store = open_read_only(installation).await?;
    let knowledge = match &store {
        Some(store) => judging::learnt(&installation.knowledge, store).await?,
        None => installation.knowledge.clone(),
    };
    let readers = read_in_children(&installation.config, &installation.knowledge, program)?;
    let mut unread = 0;
    for file in files {
        match tokio::fs::read(file).await.with_context(|| format!("{} cannot be read", file.display())) {
            Ok(raw) => {
                let (verdict, _) = judge(Mail::Bytes(raw), None, &readers, knowledge.clone(), store.as_ref()).await?;
                let name = file.display().to_string();
                if json {
                    print_line(&to_json(&verdict, Some(&name)).to_string());
                } else {
                    print_line(&report::report(&verdict, &name, &installation.knowledge, &[]));
                }
            }
            Err(error) => {
                unread += 1;
                tracing::error!("{error:#}");
            }
        }
    }
    if unread > 0 {
        bail!("{unread} of {} files could not be read", files.len());
    }
    Ok(())
}
