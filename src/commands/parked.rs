//! `annexd parked`: messages that could not be processed, and what a person decides about them.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use serde_json::{Value, json};

use super::{print_line, work};
use crate::{
    daemon,
    edge::store::{Parked, UNDELIVERED},
    pipeline::House,
};

#[derive(Debug, Subcommand)]
pub enum Action {
    /// All parked messages, oldest first
    List,
    /// One parked message
    Show { id: i64 },
    /// Examine them again
    Retry {
        #[arg(required = true)]
        ids: Vec<i64>,
    },
    /// Nothing is to be done about them; they stay on record
    Ignore {
        #[arg(required = true)]
        ids: Vec<i64>,
    },
    /// Write the raw mail to a file
    Export {
        id: i64,
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// Carries out one action.
///
/// # Errors
/// When an id names no parked message, or the store fails.
pub async fn parked(house: &House, action: Action, json: bool) -> anyhow::Result<()> {
    match action {
        Action::List => {
            let all = house.store.parked().await?;
            for message in &all {
                print_line(&if json { object(message).to_string() } else { line(message) });
            }
            if all.is_empty() && !json {
                print_line("No message is parked.");
            }
        }
        Action::Show { id } => {
            let message = find(house, id).await?;
            print_line(&if json { object(&message).to_string() } else { line(&message) });
        }
        Action::Retry { ids } => {
            for id in ids {
                if !house.store.retry_parked(id).await? {
                    bail!("message {id} is not parked");
                }
            }
            // A running daemon takes them up by itself.
            match daemon::only_one(house) {
                Ok(_lock) => {
                    work::examine_all(house).await?;
                    print_line("Examined again; see `annexd parked list`.");
                }
                Err(_) => print_line("The running annexd examines them again."),
            }
        }
        Action::Ignore { ids } => {
            for id in ids {
                if !house.store.ignore_parked(id).await? {
                    bail!("message {id} is not parked");
                }
            }
        }
        Action::Export { id, out } => {
            let message = find(house, id).await?;
            if message.sha256.starts_with(UNDELIVERED) {
                bail!(
                    "the mailbox never delivered message {id}; look at it in the web mail, or have it fetched again with `annexd parked retry {id}`"
                );
            }
            let raw = house.blobs.get(&message.sha256).await.context("the raw mail could not be read back")?;
            std::fs::write(&out, raw).with_context(|| format!("{} cannot be written", out.display()))?;
        }
    }
    Ok(())
}

async fn find(house: &House, id: i64) -> anyhow::Result<Parked> {
    house
        .store
        .parked()
        .await?
        .into_iter()
        .find(|message| message.id == id)
        .with_context(|| format!("message {id} is not parked; see `annexd parked list`"))
}

fn object(message: &Parked) -> Value {
    json!({
        "id": message.id,
        "sha256": message.sha256,
        "subject": message.subject,
        "problem": message.problem,
        "attempts": message.attempts,
        "accepted_at": message.accepted_at.to_string(),
        "place": message.place,
    })
}

fn line(message: &Parked) -> String {
    format!(
        "{}  {}  {}  {} attempts  {}: {}",
        message.id, message.accepted_at, message.place, message.attempts, message.subject, message.problem
    )
}
