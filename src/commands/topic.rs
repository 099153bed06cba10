//! `annexd topic`: one topic with its whole history, and a person's decision on it.

use anyhow::{Context as _, bail};
use clap::Subcommand;

use super::print_line;
use crate::{domain::orders::Order, pipeline::House};

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
    /// Its division takes it on
    Accept { id: String },
    /// Its division gives it back, with the reason
    Return {
        id: String,
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
            decide(house, &id, Order::Transfer { to, reason }).await?;
        }
        Action::Accept { id } => decide(house, &id, Order::Accept).await?,
        Action::Return { id, reason } => decide(house, &id, Order::Return { reason }).await?,
        Action::Withdraw { id, reason } => {
            if !house.store.withdraw_topic(&id, &reason, house.now()).await? {
                bail!("no topic has the number {id}");
            }
        }
    }
    Ok(())
}

/// A person's word, with the rights of the fallback division.
async fn decide(house: &House, id: &str, order: Order) -> anyhow::Result<()> {
    let result = house.store.decide(id, order, &house.knowledge.divisions, house.now()).await?;
    if !result.done {
        bail!("no topic has the number {id}");
    }
    print_line(&result.text);
    Ok(())
}
