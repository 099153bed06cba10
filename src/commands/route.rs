//! `annexd route`: why a topic goes where it goes, how well topics are routed, and what the router learnt from people.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use serde_json::{Value, json};

use super::{open_read_only, print_line};
use crate::{
    config::Installation,
    domain::{
        reconcile::Draft,
        routing::{Route, evaluate, evidence_in_words, parse_examples},
        verdict::{Knowledge, Known, decide, read},
    },
    pipeline::judging,
};

pub mod learning;

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Candidates and evidence for the topics of a message file, or for a stored topic by its receipt number
    Explain { file_or_id: String },
    /// Measure on labelled topics: JSON Lines with title, problem, goal, params, division
    Evaluate { file: std::path::PathBuf },
    #[command(flatten)]
    Learning(learning::Action),
}

/// Carries out one action that changes nothing.
///
/// # Errors
/// When the file cannot be read or the number is not known.
pub async fn explain(installation: &Installation, file_or_id: &str, json: bool) -> anyhow::Result<()> {
    let knowledge = &knowledge(installation).await?;
    let routed = if Path::new(file_or_id).is_file() {
        let raw = tokio::fs::read(file_or_id).await.with_context(|| format!("{file_or_id} cannot be read"))?;
        let verdict = decide(read(&raw, knowledge), &Known::default(), knowledge);
        verdict.topics.into_iter().map(|topic| (topic.text("topic_title").to_owned(), topic.route)).collect()
    } else {
        vec![stored(installation, file_or_id, knowledge).await?]
    };
    for (title, route) in routed {
        print_line(&if json { object(&title, &route).to_string() } else { in_words(&title, &route, knowledge) });
    }
    Ok(())
}

/// Accuracy, top two, each division's share, confusion, calibration, abstentions, under the table and model in force.
///
/// # Errors
/// When the file cannot be read or holds a line that is no labelled topic; every such line is named.
pub async fn measure(installation: &Installation, file: &Path, json: bool) -> anyhow::Result<()> {
    let text = tokio::fs::read_to_string(file).await.with_context(|| format!("{} cannot be read", file.display()))?;
    let topics = match parse_examples(text.trim_start_matches('\u{feff}')) {
        Ok(topics) => topics,
        Err(mistakes) => bail!("{} holds lines that are no labelled topics:\n{}", file.display(), mistakes.join("\n")),
    };
    let divisions = &knowledge(installation).await?.divisions;
    let unknown: std::collections::BTreeSet<&str> =
        topics.iter().map(|topic| topic.division.as_str()).filter(|id| divisions.division(id).is_none()).collect();
    if !unknown.is_empty() {
        let known: Vec<&str> = divisions.entries.iter().map(|division| division.id.as_str()).collect();
        bail!("no division has the id {}; known are {}", unknown.into_iter().collect::<Vec<_>>().join(", "), known.join(", "));
    }
    let found = evaluate(&topics, divisions);
    print_line(&if json { found.to_json().to_string() } else { found.to_string() });
    Ok(())
}

/// With the model in force, where there is a store.
async fn knowledge(installation: &Installation) -> anyhow::Result<Arc<Knowledge>> {
    match open_read_only(installation).await? {
        Some(store) => Ok(judging::learnt(&installation.knowledge, &store).await?),
        None => Ok(installation.knowledge.clone()),
    }
}

/// A stored topic under today's table.
async fn stored(installation: &Installation, id: &str, knowledge: &Knowledge) -> anyhow::Result<(String, Route)> {
    let unknown = || format!("{id} is neither a file nor the number of a topic");
    let store = open_read_only(installation).await?.with_context(unknown)?;
    let story = store.topic_story(id).await?.with_context(unknown)?;
    let latest = story.get("revisions").and_then(Value::as_array).and_then(|revisions| revisions.last());
    let fields = latest.and_then(|revision| revision.get("fields")).and_then(Value::as_object).with_context(unknown)?;
    let draft = Draft::of_fields(fields.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))));
    Ok((draft.text("topic_title").to_owned(), knowledge.divisions.route(&draft)))
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
    let joint = route.joint.as_deref().map(|id| format!("（会办：{}）", name(id))).unwrap_or_default();
    let model = if route.model_version.is_empty() { "未用" } else { &route.model_version };
    format!(
        "{title}\n  → {}{joint}\n  候选：{}\n  依据：{}\n  规则表 {}，模型 {model}",
        name(&route.division),
        candidates.join("，"),
        route.evidence.iter().map(|evidence| evidence_in_words(evidence)).collect::<Vec<_>>().join("、"),
        route.rules_version
    )
}
