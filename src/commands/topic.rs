//! `annexd topic`: one topic with its whole history, and a person's decision on it.

use anyhow::{Context as _, bail};
use clap::Subcommand;

use super::print_line;
use crate::pipeline::House;

mod story;

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Revisions, sources, findings, duplicates, routes, decisions and letters
    Show { id: String },
    /// Send it to another division
    Route {
        id: String,
        #[arg(long, value_name = "DIVISION")]
        to: String,
        #[arg(long)]
        reason: String,
    },
    /// Take it out, with the reason
    Withdraw {
        id: String,
        #[arg(long)]
        reason: String,
    },
}

/// Carries out one action.
///
/// # Errors
/// When the number or the division is not known, or the store fails.
pub async fn topic(house: &House, action: Action, json: bool) -> anyhow::Result<()> {
    match action {
        Action::Show { id } => {
            let story = house.store.topic_story(&id).await?.with_context(|| format!("no topic has the number {id}"))?;
            print_line(&if json { story.to_string() } else { story::in_words(&story, &house.knowledge, &house.zone) });
        }
        Action::Route { id, to, reason } => {
            let divisions = &house.knowledge.divisions;
            if divisions.division(&to).is_none() {
                let known: Vec<&str> = divisions.entries.iter().map(|division| division.id.as_str()).collect();
                bail!("no division has the id {to}; known are {}", known.join(", "));
            }
            if !house.store.route_topic(&id, &to, &reason, house.now()).await? {
                bail!("no topic has the number {id}");
            }
        }
        Action::Withdraw { id, reason } => {
            if !house.store.withdraw_topic(&id, &reason, house.now()).await? {
                bail!("no topic has the number {id}");
            }
        }
    }
    Ok(())
}
