//! `annexd report`: the department's workbook about a period.

use std::path::Path;

use anyhow::{Context as _, ensure};
use jiff::civil::Date;

use super::{print_line, progress};
use crate::{
    domain::period_report::{ReportTopic, report, workbook},
    pipeline::House,
};

/// Topics fetched at a time.
const PAGE: u32 = 500;

/// Writes the workbook about the topics received from `from` to `to`, both included.
///
/// # Errors
/// A period that ends before it begins, a store that cannot be read, or a file that cannot be written.
pub async fn period_report(house: &House, from: Date, to: Date, out: &Path) -> anyhow::Result<()> {
    ensure!(from <= to, "--from {from} lies after --to {to}");
    let start = from.to_zoned_datetime(house.zone.clone())?.timestamp();
    let end = to.tomorrow()?.to_zoned_datetime(house.zone.clone())?.timestamp();
    let name = |id: &str| house.knowledge.divisions.division(id).map_or_else(|| id.to_owned(), |division| division.name.clone());
    let bar = progress(0, "统计");
    let mut topics: Vec<ReportTopic> = Vec::new();
    let mut after = 0;
    loop {
        let page = house.store.report_topics(start, end, after, PAGE).await?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        bar.inc(page.len() as u64);
        topics.extend(page.into_iter().map(|(_, topic)| ReportTopic { division: name(&topic.division), ..topic }));
    }
    bar.finish_and_clear();
    let found = report(from, to, topics, &house.zone);
    let bytes = workbook(&found, &house.zone).map_err(anyhow::Error::msg)?;
    std::fs::write(out, bytes).with_context(|| format!("{} cannot be written", out.display()))?;
    print_line(&format!("{}：{}项课题，{}个报送单位。", out.display(), found.total.topics, found.bureaus.len()));
    Ok(())
}
