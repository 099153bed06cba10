//! `annexd replay`: what stored mail would say under today's rules, before `--apply` changes anything.

use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};

use super::{print_line, progress};
use crate::{
    domain::verdict::{
        Knowledge,
        json::finding_json,
        replaying::{Comparison, Difference, Replayed},
    },
    edge::store::RecordedMessage,
    pipeline::{House, accept::short, replay},
};

/// Messages fetched at a time.
const PAGE: u32 = 100;

/// Reads every recorded message since a day (default: all) again and prints what would change, or with `apply` changes it.
///
/// # Errors
/// After all messages: when one could not be read again, or the store fails.
pub async fn replay_all(house: &House, since: Option<Date>, apply: bool, json: bool) -> anyhow::Result<()> {
    let since = match since {
        Some(day) => day.to_zoned_datetime(house.zone.clone())?.timestamp(),
        None => Timestamp::UNIX_EPOCH,
    };
    let (mut after, mut mails, mut changed, mut unread) = (0, 0_usize, 0_usize, 0_usize);
    let bar = progress(0, "replay");
    loop {
        let page = house.store.recorded_messages(since, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        bar.inc_length(u64::try_from(page.len()).unwrap_or(0));
        for message in &page {
            mails += 1;
            match replay::replay(house, message, apply).await {
                Ok(replayed) => changed += print(message, &replayed, &house.knowledge, json),
                Err(error) => {
                    unread += 1;
                    tracing::error!(mail = short(&message.sha256), "A message could not be judged again: {error:#}.");
                }
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    if !json {
        let done = if apply { "已更改" } else { "将有变化（未更改；加 --apply 执行）" };
        print_line(&format!("重新审核邮件{mails}封，课题{done}{changed}项。"));
    }
    anyhow::ensure!(unread == 0, "{unread} of {mails} messages could not be judged again");
    Ok(())
}

/// Prints one message's changes; returns how many topics change.
fn print(message: &RecordedMessage, replayed: &Replayed, knowledge: &Knowledge, json: bool) -> usize {
    let changes: Vec<&Comparison> = replayed.topics.iter().filter(|topic| !topic.differences.is_empty()).collect();
    if changes.is_empty() && replayed.not_found.is_empty() {
        return 0;
    }
    if json {
        let topics: Vec<Value> = changes.iter().map(|topic| object(topic)).collect();
        print_line(&json!({"message_sha256": message.sha256, "topics": topics, "not_found": replayed.not_found}).to_string());
        return changes.len();
    }
    print_line(&format!("■ “{}”（{:.12}）", message.subject, message.sha256));
    for topic in &changes {
        let number = topic.stored.as_ref().map_or("新识别", |stored| stored.id.as_str());
        print_line(&format!("  {number} {}（{}）", topic.now.text("topic_title"), topic.now.text("applicant")));
        for difference in &topic.differences {
            print_line(&format!("    {}", in_words(difference, knowledge)));
        }
    }
    if !replayed.not_found.is_empty() {
        print_line(&format!("  按现行规则未再识别到：{}（保留不动）", replayed.not_found.join("、")));
    }
    changes.len()
}

fn in_words(difference: &Difference, knowledge: &Knowledge) -> String {
    let label = |key: &str| {
        knowledge.catalogue.forms.iter().find_map(|form| form.field(key)).map_or_else(|| key.to_owned(), |field| field.label.clone())
    };
    let division = |id: &str| knowledge.divisions.division(id).map_or_else(|| id.to_owned(), |division| division.name.clone());
    let or_none = |text: &str| if text.is_empty() { "（空）".to_owned() } else { text.replace('\n', " ") };
    match difference {
        Difference::New => "＋ 新课题".to_owned(),
        Difference::Field { key, then, now } => format!("{}：{} → {}", label(key), or_none(then), or_none(now)),
        Difference::Opened(finding) => format!("＋ {} {}", finding.rule, finding.message),
        Difference::Closed(finding) => format!("－ {} {}", finding.rule, finding.message),
        Difference::Division { then, now } => format!("处室：{} → {}", division(then), division(now)),
    }
}

fn object(topic: &Comparison) -> Value {
    let differences: Vec<Value> = topic
        .differences
        .iter()
        .map(|difference| match difference {
            Difference::New => json!({"what": "new"}),
            Difference::Field { key, then, now } => json!({"what": "field", "field": key, "then": then, "now": now}),
            Difference::Opened(finding) => json!({"what": "finding_opened", "finding": finding_json(finding)}),
            Difference::Closed(finding) => json!({"what": "finding_closed", "finding": finding_json(finding)}),
            Difference::Division { then, now } => json!({"what": "division", "then": then, "now": now}),
        })
        .collect();
    json!({"id": topic.stored.as_ref().map(|stored| stored.id.as_str()), "title": topic.now.text("topic_title"), "differences": differences})
}
