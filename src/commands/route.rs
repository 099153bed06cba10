//! `annexd route`: why a topic goes where it goes.

use std::path::Path;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

use super::{open_read_only, print_line};
use crate::{
    config::Installation,
    domain::{
        reconcile::Draft,
        routing::Route,
        verdict::{Knowledge, Known, decide, read},
    },
};

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Candidates and evidence for the topics of a message file, or for a stored topic by its receipt number
    Explain { file_or_id: String },
}

/// Carries out one action.
///
/// # Errors
/// When the file cannot be read or the number is not known.
pub async fn route(installation: &Installation, action: Action, json: bool) -> anyhow::Result<()> {
    let Action::Explain { file_or_id } = action;
    let knowledge = &installation.knowledge;
    let routed = if Path::new(&file_or_id).is_file() {
        let raw = tokio::fs::read(&file_or_id).await.with_context(|| format!("{file_or_id} cannot be read"))?;
        let verdict = decide(read(&raw, knowledge), &Known::default(), knowledge);
        verdict.topics.into_iter().map(|topic| (topic.text("topic_title").to_owned(), topic.route)).collect()
    } else {
        vec![stored(installation, &file_or_id).await?]
    };
    for (title, route) in routed {
        print_line(&if json { object(&title, &route).to_string() } else { in_words(&title, &route, knowledge) });
    }
    Ok(())
}

/// A stored topic under today's table.
async fn stored(installation: &Installation, id: &str) -> anyhow::Result<(String, Route)> {
    let unknown = || format!("{id} is neither a file nor the number of a topic");
    let store = open_read_only(installation).await?.with_context(unknown)?;
    let story = store.topic_story(id).await?.with_context(unknown)?;
    let latest = story.get("revisions").and_then(Value::as_array).and_then(|revisions| revisions.last());
    let fields = latest.and_then(|revision| revision.get("fields")).and_then(Value::as_object).with_context(unknown)?;
    let draft = Draft::of_fields(fields.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))));
    Ok((draft.text("topic_title").to_owned(), installation.knowledge.divisions.route(&draft)))
}

fn object(title: &str, route: &Route) -> Value {
    json!({
        "title": title,
        "division": route.division,
        "confidence": route.confidence,
        "routed_by": route.routed_by,
        "candidates": route.candidates,
        "evidence": route.evidence,
        "joint": route.joint,
        "rules_version": route.rules_version,
        "model_version": route.model_version,
    })
}

fn in_words(title: &str, route: &Route, knowledge: &Knowledge) -> String {
    let name = |id: &str| knowledge.divisions.division(id).map_or_else(|| id.to_owned(), |division| division.name.clone());
    let candidates: Vec<String> =
        route.candidates.iter().map(|candidate| format!("{} {:.2}", name(&candidate.division), candidate.score)).collect();
    format!("{title}\n  → {}\n  候选：{}\n  依据：{}", name(&route.division), candidates.join("，"), route.evidence.join("、"))
}
