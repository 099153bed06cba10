//! `annexd migrate`: the schema of this version; and the way of a whole installation from one database to another.

use anyhow::{Context as _, anyhow};
use clap::Args;
use serde_json::json;

use super::print_line;
use crate::{
    config::Config,
    edge::store::{Copied, Store, lock::Lock},
};

/// Both or none.
#[derive(Debug, Args)]
pub struct Move {
    /// Database to copy from: sqlite:FILE (relative to data_dir) or postgres://USER@HOST/DATABASE. PostgreSQL's password is [store]'s,
    /// PGPASSWORD or ~/.pgpass
    #[arg(long, value_name = "URL", requires = "to")]
    pub from: Option<String>,
    /// Empty database to copy into
    #[arg(long, value_name = "URL", requires = "from")]
    pub to: Option<String>,
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
