//! `annexd queue [DIVISION]`: what every division has open, or one division's open topics.

use anyhow::ensure;
use serde_json::json;

use super::print_line;
use crate::{domain::time::chinese_minute, pipeline::House};

/// Prints open topics, oldest first.
///
/// # Errors
/// When the division is not known or the store cannot be read.
pub async fn queue(house: &House, division: Option<&str>, json: bool) -> anyhow::Result<()> {
    let divisions = &house.knowledge.divisions;
    if let Some(id) = division {
        ensure!(divisions.division(id).is_some(), "no division has the id {id}; see `annexd check`");
    }
    let mut shown = 0;
    for entry in divisions.entries.iter().filter(|entry| division.is_none_or(|id| id == entry.id)) {
        let topics = house.store.open_topics(&entry.id, &house.knowledge, house.now()).await?;
        if json {
            for topic in &topics {
                print_line(&json!({"division": entry.id, "id": topic.number, "title": topic.title, "applicant": topic.applicant, "bureau": topic.bureau, "received_at": topic.received_at.to_string(), "state": topic.state, "days": topic.days, "percent": topic.percent, "urgent": topic.urgent, "joint": topic.joint}).to_string());
            }
            continue;
        }
        if topics.is_empty() && division.is_none() {
            continue;
        }
        shown += 1;
        print_line(&format!("{}（{}）：待办{}项", entry.name, entry.id, topics.len()));
        for topic in &topics {
            let when = chinese_minute(topic.received_at, &house.zone);
            let urgent = if topic.urgent { "【加急】" } else { "" };
            let joint = if topic.joint.is_empty() { String::new() } else { format!("；{}", topic.joint) };
            print_line(&format!("  {}  {urgent}{}（{}）", topic.number, topic.title, topic.applicant));
            print_line(&format!("      {when}收到，已{}天；{}；{}{joint}", topic.days, topic.bureau, topic.state));
        }
    }
    if shown == 0 && !json {
        print_line("各处室均没有待办课题。");
    }
    Ok(())
}
