//! `annexd status`: how the installation stands. The running daemon is asked where `[web] listen` is set; else the database is.

use anyhow::bail;

use super::{owner, print_line};
use crate::{
    config::Installation,
    daemon,
    domain::status::{Status, board, board::Board},
    edge::web::ask,
    pipeline::status,
};

/// Prints the status; with `ready` only whether it is ready.
///
/// # Errors
/// With `ready`, when it is not, or when the daemon does not answer where `[web] listen` is set; else when the store cannot be read.
pub async fn status(installations: Vec<Installation>, ready: bool, json: bool) -> anyhow::Result<()> {
    let (web, zone) = match installations.first() {
        Some(first) => (first.config.web, jiff::tz::TimeZone::get(&first.config.timezone)?),
        None => bail!("there is no programme"),
    };
    let asked = match web {
        Some(web) => Some(ask::ask(web.listen).await),
        None => None,
    };
    if let (true, Some(Err(error))) = (ready, &asked) {
        bail!("the daemon does not answer: {error}");
    }
    let found = match asked {
        Some(Ok(found)) => found,
        _ => stored(installations).await?,
    };
    if ready {
        let reasons: Vec<&str> = found.reasons.iter().map(|reason| reason.said.as_str()).collect();
        if !found.ready {
            bail!("not ready: {}", reasons.join(" "));
        }
        return Ok(());
    }
    if json {
        print_line(&serde_json::to_string(&found)?);
    } else {
        print_line(&words(&board::board(&found, &zone), found.process.is_some()));
    }
    Ok(())
}

/// What the database alone tells.
async fn stored(installations: Vec<Installation>) -> anyhow::Result<Status> {
    let mut states = Vec::new();
    for installation in installations {
        owner::refuse_root(&installation.config.data_dir)?;
        let house = daemon::build(installation).await?;
        states.push(status::status(&house, None).await?);
    }
    Ok(Status::of_all(states))
}

fn words(board: &Board, running: bool) -> String {
    let mut lines = vec![format!("{} {}", if board.ready { "✓" } else { "！" }, board.headline)];
    lines.extend(board.reasons.iter().map(|reason| format!("  {reason}")));
    if !board.alerts.is_empty() {
        lines.push("\n未解除的告警".to_owned());
        lines.extend(board.alerts.iter().map(|alert| format!("  {alert}")));
    }
    for table in &board.tables {
        lines.push(format!("\n{}", table.title));
        let all: Vec<&Vec<String>> = std::iter::once(&table.columns).filter(|columns| !columns.is_empty()).chain(&table.rows).collect();
        let widths: Vec<usize> = (0..all.iter().map(|row| row.len()).max().unwrap_or(0))
            .map(|column| all.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0))
            .collect();
        lines.extend(all.iter().map(|row| format!("  {}", padded(row, &widths))));
    }
    let source = if running { "" } else { "；取自数据库，未询问运行中的服务" };
    lines.push(format!("\n{}{source}", board.foot));
    lines.join("\n")
}

fn padded(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).map(|(cell, wide)| format!("{cell}{}", " ".repeat(wide.saturating_sub(width(cell)))));
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// Columns on a terminal: a Chinese character takes two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c >= '\u{1100}' && c != '–' { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_in_chinese_too() {
        let lines: Vec<String> = [["课题报送", "7"], ["bulk", "12"]].iter().map(|row| padded(&row.map(str::to_owned), &[8, 2])).collect();
        assert_eq!(lines, ["课题报送  7", "bulk      12"]);
    }
}
