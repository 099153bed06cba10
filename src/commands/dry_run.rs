//! `annexd poll --dry-run`: what annexd makes of the latest mails, without touching anything. Nothing is stored, marked or sent.

use jiff::{SignedDuration, tz::TimeZone};

use super::{open_read_only, print_line, report};
use crate::{
    config::Installation,
    daemon::read_in_children,
    domain::{remedies::WINDOW, time::chinese_minute, verdict::json::to_json},
    edge::clock::Clock,
    pipeline::{examine::judge, judging, preview::Latest},
};

/// Mails looked at.
const LATEST: usize = 10;
/// A mailbox that shows nothing older may hide it.
const WINDOW_DAYS: i64 = 31;

/// Prints the verdicts of the latest mails, the newest first; returns how many.
///
/// # Errors
/// When the mailbox cannot be opened or read.
pub async fn dry_run(installation: &Installation, json: bool) -> anyhow::Result<usize> {
    let store = open_read_only(installation).await?;
    let knowledge = match &store {
        Some(store) => judging::learnt(&installation.knowledge, store).await?,
        None => installation.knowledge.clone(),
    };
    let zone = TimeZone::get(&installation.config.timezone)?;
    let readers = read_in_children(&installation.config, &installation.knowledge, std::env::current_exe()?)?;
    let mut latest = Latest::open(&installation.config.mailbox, LATEST).await?;
    let mut seen = 0;
    let mut oldest = latest.oldest;
    while let Some(found) = latest.next().await? {
        seen += 1;
        oldest = oldest.or(found.arrived_at).min(found.arrived_at.or(oldest));
        let arrived = found.arrived_at.map(|at| format!("（{}到达）", chinese_minute(at, &zone))).unwrap_or_default();
        match judge(found.mail, found.arrived_at, &readers, knowledge.clone(), store.as_ref()).await {
            Ok((verdict, _)) if json => print_line(&to_json(&verdict, Some(&found.name)).to_string()),
            Ok((verdict, _)) => {
                print_line(&report::report(&verdict, &format!("{}{arrived}", found.name), &installation.knowledge, &[]));
                print_line("");
            }
            Err(error) => print_line(&format!("■ {}{arrived}\n  未能处理：{error:#}\n", found.name)),
        }
    }
    let total = latest.total;
    latest.close().await;
    if !json {
        print_line(&format!("邮箱中共有{total}封来信，以上是最近的{seen}封。未登记、未回复，邮箱中没有任何改动。"));
        let now = Clock::system().now();
        if oldest.is_some_and(|at| now.duration_since(at) < SignedDuration::from_hours(24 * WINDOW_DAYS)) {
            print_line(WINDOW);
        }
    }
    Ok(seen)
}
