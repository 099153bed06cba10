//! Record one verdict and every letter it causes; the transaction may be shared with other mails.

use anyhow::Context as _;

use super::House;
use crate::{
    domain::{
        letters::{
            orders::{Carried, Desk, order_letters},
            receipt::{ReceiptContext, receipt},
        },
        verdict::Verdict,
    },
    edge::store::{Recording, Waiting},
};

/// Records; returns the receipt numbers in the order of the topics, and how many letters were queued.
///
/// # Errors
/// When the store refuses, or a letter template does not render; then the transaction must not be committed.
pub async fn record(
    house: &House,
    recording: &mut Recording,
    waiting: &Waiting,
    verdict: &Verdict,
) -> anyhow::Result<(Vec<Option<String>>, usize)> {
    let now = house.now();
    let context = ReceiptContext {
        templates: &house.templates,
        knowledge: &house.knowledge,
        zone: &house.zone,
        received_at: waiting.arrived_at.unwrap_or(waiting.seen_at),
        now,
        department: &house.config.receipts.department,
        contact: &house.config.receipts.contact,
        tell_division: house.config.receipts.tell_division,
        caps: house.config.answers,
        list_as_workbook: house.config.receipts.list_as_workbook,
    };
    let render = |numbers: &[Option<String>], carried: &Carried| match &verdict.orders {
        Some(orders) if orders.verified => order_letters(verdict, carried, &desk(house, &orders.division, now)),
        _ => Ok(receipt(verdict, numbers, &context)?.into_iter().collect()),
    };
    let year = now.to_zoned_datetime(house.zone.clone()).year();
    let recorded = recording
        .record(waiting.id, verdict, now, year, house.mail_domain(), &house.knowledge.divisions, render)
        .await
        .context("the verdict could not be recorded")?;
    Ok((recorded.receipt_numbers, recorded.letters))
}

/// The desk at which a division's orders are answered.
fn desk<'a>(house: &'a House, division: &'a str, now: jiff::Timestamp) -> Desk<'a> {
    Desk {
        division: house.knowledge.divisions.division(division).map_or(division, |division| &division.name),
        token: house.knowledge.division_tokens.get(division).map_or("", String::as_str),
        department: &house.config.receipts.department,
        contact: &house.config.receipts.contact,
        templates: &house.templates,
        now,
    }
}
