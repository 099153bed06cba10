//! Queue letters: on a division's schedule, and at once for what a submitter marked urgent; only when there is something to say.

use std::{cmp::Reverse, collections::BTreeMap, fmt, io};

use anyhow::anyhow;

use super::{House, latest_slot};
use crate::{
    domain::{
        letters::queue::{Annex, Batch, QueueTopic, queue_letter},
        routing::Division,
        verdict::attached::{Attached, Wanted, stands_in},
    },
    edge::{reader::Mail, store::TopicFile},
    pipeline::accept::short,
};

/// One division's letter, to each of its addresses.
pub(super) async fn queue(house: &House, division: &Division) -> anyhow::Result<usize> {
    let now = house.now();
    let scheduled = match latest_slot(&division.queue_at, now, &house.zone) {
        Some(slot) if !house.store.slot_done("queue", &division.id, &slot).await? => Some(slot),
        _ => None,
    };
    let slot = match scheduled {
        Some(slot) => slot,
        None if house.store.urgent_waits(&division.id).await? => format!("urgent:{}", now.as_millisecond()),
        None => return Ok(0),
    };
    let mut topics = house.store.unannounced_topics(&division.id, &house.knowledge, now).await?;
    let corrections = house.store.corrections_since_letter(&division.id, &house.knowledge).await?;
    if topics.is_empty() && corrections.is_empty() {
        house.store.mark_slot("queue", &division.id, &slot, now).await?;
        return Ok(0);
    }
    let mut open = house.store.open_topics(&division.id, &house.knowledge, now).await?;
    most_complete_first(&mut topics);
    most_complete_first(&mut open);
    let numbers: Vec<String> = topics.iter().map(|topic| topic.number.clone()).collect();
    let (annexes, left_out) = annexes(house, &numbers).await?;
    let others: Vec<String> =
        house.knowledge.divisions.entries.iter().filter(|other| other.id != division.id).map(|other| other.name.clone()).collect();
    let batch = Batch {
        division: &division.id,
        division_name: &division.name,
        others: &others,
        slot: &slot,
        topics: &topics,
        open: &open,
        corrections: &corrections,
        annexes: &annexes,
        left_out: &left_out,
        token: house.knowledge.division_tokens.get(&division.id).map_or("", String::as_str),
        department: &house.config.receipts.department,
        zone: &house.zone,
        now,
    };
    let letters = division
        .mail
        .iter()
        .map(|to| queue_letter(&batch, to, &house.templates))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|problem| anyhow!(problem))?;
    let queued = house.store.announce("queue", &division.id, &slot, &letters, &numbers, house.mail_domain(), now).await?;
    tracing::info!(
        division = division.id,
        slot,
        topics = topics.len(),
        corrections = corrections.len(),
        letters = queued,
        "A division's queue letter was written."
    );
    Ok(queued)
}

/// Urgent ones, then by completeness, then by age.
fn most_complete_first(topics: &mut [QueueTopic]) {
    topics.sort_by_key(|topic| (Reverse(topic.urgent), Reverse(topic.percent), topic.received_at));
}

/// A mail that cannot be read again costs the copies, not the letter.
fn nothing(sha256: &str, error: &dyn fmt::Display) -> Vec<Attached> {
    tracing::warn!(mail = short(sha256), "The annexes of a mail could not be taken out again: {error}.");
    Vec::new()
}

/// The files as they were attached (an archive whole), up to the configured size; the names of the rest.
async fn annexes(house: &House, numbers: &[String]) -> anyhow::Result<(Vec<Annex>, Vec<String>)> {
    let mut by_message: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for TopicFile { message_sha256, path } in house.store.files_of(numbers).await? {
        let names = by_message.entry(message_sha256).or_default();
        if !names.contains(&path) {
            names.push(path);
        }
    }
    let max = house.config.queue.attach_max_bytes;
    let (mut annexes, mut left_out, mut total) = (Vec::new(), Vec::new(), 0_u64);
    for (sha256, paths) in by_message {
        let wanted = Wanted { paths: paths.clone(), max_bytes: max.saturating_sub(total) };
        let files = match max {
            0 => Vec::new(),
            _ => match house.blobs.file(&sha256).await {
                // Later it may answer; the letter waits for its copies.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                Err(error) => nothing(&sha256, &error),
                Ok(raw) => {
                    let files = house.readers.files(Mail::File(raw.path().to_owned()), wanted).await;
                    files.unwrap_or_else(|error| nothing(&sha256, &error))
                }
            },
        };
        let missing = |path: &&String| !files.iter().any(|file| stands_in(path, &file.name));
        left_out.extend(paths.iter().filter(missing).cloned());
        for mut file in files {
            // Every bureau calls its table 附件2.xlsx.
            let twins =
                annexes.iter().filter(|annex: &&Annex| annex.name == file.name || annex.name.ends_with(&format!("-{}", file.name))).count();
            if twins > 0 {
                file.name = format!("{}-{}", twins + 1, file.name);
            }
            match file.bytes {
                Some(bytes) if total.saturating_add(bytes.len() as u64) <= max => {
                    total = total.saturating_add(bytes.len() as u64);
                    annexes.push(Annex { name: file.name, media_type: file.media_type, bytes });
                }
                _ => left_out.push(file.name),
            }
        }
    }
    Ok((annexes, left_out))
}
