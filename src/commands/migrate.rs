//! `annexd migrate`: the schema of this version; and the way of a whole installation from one database to another.

use anyhow::{Context as _, anyhow};
use clap::Args;
use serde_json::json;

use super::{print_line, progress};
use crate::{
    config::Config,
    daemon,
    edge::store::{Copied, Store, lock::Lock},
};

/// Both or none.
#[derive(Debug, Args)]
pub struct Move {
    /// Database to copy from: sqlite:FILE (relative to data_dir) or postgres://USER@HOST/DATABASE. PostgreSQL's password is that of the
    /// section store, PGPASSWORD or ~/.pgpass
    #[arg(long, value_name = "URL", requires = "to")]
    pub from: Option<String>,
    /// Empty database to copy into
    #[arg(long, value_name = "URL", requires = "from")]
    pub to: Option<String>,
    /// Move the raw mails that lie in data_dir into the object store of the section raw_mail; each file goes once its object was
    /// read back. Stop annexd on this machine first
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub raw_mail: bool,
}

/// The schema of this version, whatever it was before.
///
/// # Errors
/// When the database cannot be used.
pub async fn bring_up_to_date(store: &Store, as_json: bool) -> anyhow::Result<()> {
    let schema = store.schema_version().await?;
    let line = format!("The database is at schema {schema}.");
    print_line(&if as_json { json!({"schema": schema}).to_string() } else { line });
    Ok(())
}

/// Copies one database into another, whole. The raw mails stay where they are: both databases speak of the same `data_dir`.
///
/// # Errors
/// When a daemon still works on it, either database cannot be used, or the other one is not empty; then it stays as it was.
pub async fn carry_over(config: &Config, from: &str, to: &str, as_json: bool) -> anyhow::Result<()> {
    let _lock = Lock::take(&config.data_dir)?;
    let password = || config.store.secret().map_err(|problem| anyhow!(problem));
    let source = Store::open_read_only(from, password()?, &config.data_dir)
        .await
        .context("the database to copy from cannot be opened")?
        .context("there is no annexd database to copy from")?;
    let target = Store::open(to, password()?, &config.data_dir).await.context("the database to copy into cannot be opened")?;
    target.migrate().await.context("the database to copy into cannot be given this version's schema")?;
    let copied = source.copy_into(&target).await.context("nothing was copied")?;
    for Copied { table, rows } in &copied {
        print_line(&if as_json { json!({"table": table, "rows": rows}).to_string() } else { format!("{rows:>9} rows  {table}") });
    }
    if !as_json {
        print_line("Everything was copied. Now set [store] url to the new database and start annexd; the raw mails stay in data_dir.");
    }
    Ok(())
}

/// Moves the raw mails of this machine's folder into the object store. Stopped at any moment, it is simply run again.
///
/// # Errors
/// When a daemon still works on the folder, no object store is configured, or it does not take a mail; what is not moved stays.
pub async fn move_raw_mail(config: &Config, as_json: bool) -> anyhow::Result<()> {
    let _lock = Lock::take(&config.data_dir)?;
    let blobs = daemon::blobs(config)?;
    let bar = progress(usize::try_from(blobs.in_folder()?).unwrap_or(usize::MAX), "move");
    let moved = blobs.move_to_objects(|_| bar.inc(1)).await.context("a raw mail was not moved")?;
    bar.finish_and_clear();
    let line = format!("{moved} raw mails were moved into the object store; none is left in {}.", config.data_dir.join("raw").display());
    print_line(&if as_json { json!({"raw_mails": moved}).to_string() } else { line });
    Ok(())
}
