//! Gathers how the installation stands: the store's counts, what the watch noted, what the accounts may still send.

use std::time::Duration;

use super::{House, alert, send::masked};
use crate::{
    config::SmtpConfig,
    domain::{
        letters::faults::in_chinese,
        status::{AccountStatus, AlertStatus, MailboxStatus, ProcessStatus, QueueStatus, Status, StoreStatus},
    },
    edge::disk,
};

/// A trial write that takes longer counts as failed.
const WRITE_SECS: u64 = 5;

/// The figures of this moment. `process` are those of the running daemon; a database opened for reading only is not tried by writing.
///
/// # Errors
/// When the store cannot be read.
pub async fn status(house: &House, process: Option<ProcessStatus>) -> anyhow::Result<Status> {
    let now = house.now();
    let store = &house.store;
    let raw_mail_fault = match house.blobs.objects() {
        Some(objects) if process.is_some() => objects.fault().await.map(|fault| in_chinese(&fault)),
        _ => None,
    };
    let fault = if process.is_some() { write_fault(house).await } else { None };
    let name = |id: &str| house.knowledge.divisions.division(id).map_or_else(|| id.to_owned(), |division| division.name.clone());
    let mut accounts = vec![account(house, "receipts", &house.config.smtp).await?];
    if let Some(internal) = &house.config.smtp_internal {
        accounts.push(account(house, "internal", internal).await?);
    }
    let queues = store.queue_backlogs().await?.into_iter();
    let alerts = store.alerts().await?.into_iter().filter(|alert| alert.open);
    Ok(Status {
        programme: house.config.programme.name.clone(),
        title: house.config.programme.title.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        at: now,
        mailbox: mailbox(house).await?,
        mails: store.mail_counts().await?,
        waiting: store.waiting_backlog().await?,
        parked: store.parked_count().await?,
        topics: store.topic_counts().await?,
        queues: queues.map(|(division, open)| QueueStatus { name: name(&division), division, open }).collect(),
        letters: store.letter_counts().await?,
        letters_due: store.due_backlog(now).await?,
        accounts,
        store: StoreStatus {
            fault,
            raw_mail_fault,
            size_bytes: store.size_bytes().await?,
            disk_free_bytes: disk::free_bytes(&house.config.data_dir).unwrap_or(0),
            schema: store.schema_version().await?,
        },
        process,
        alerts: alerts.map(|alert| AlertStatus { said: without_addresses(&alert.said), since: alert.raised_at }).collect(),
        ..Status::default()
    }
    .judged())
}

async fn write_fault(house: &House) -> Option<String> {
    match tokio::time::timeout(Duration::from_secs(WRITE_SECS), house.store.try_to_write(house.now())).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(in_chinese(&error.to_string())),
        Err(_) => Some(format!("{WRITE_SECS}秒内未能写入")),
    }
}

async fn mailbox(house: &House) -> anyhow::Result<MailboxStatus> {
    let last_good_poll = house.store.health(alert::POLLED).await?.map(|(at, _)| at);
    let mut latest = None;
    for name in [alert::POLL_FAULT, alert::LOGIN_REFUSED] {
        latest = latest.max(house.store.health(name).await?);
    }
    let fault =
        latest.filter(|(at, _)| last_good_poll.is_none_or(|good| good < *at)).map(|(_, said)| in_chinese(&without_addresses(&said)));
    Ok(MailboxStatus { last_good_poll, fault, poll_limit_secs: house.config.alerts.no_poll_mins.saturating_mul(60) })
}

async fn account(house: &House, role: &str, smtp: &SmtpConfig) -> anyhow::Result<AccountStatus> {
    let now = house.now();
    let name = smtp.account();
    let state = house.store.sending_state(&name).await?;
    let midnight = now.to_zoned_datetime(house.zone.clone()).start_of_day()?.timestamp();
    let sent_today = house.store.handed_over_between(&name, midnight, now).await?;
    let cap = u64::from(smtp.pace.per_day);
    let halted_until = state.halted_at.and(state.halted_until);
    Ok(AccountStatus {
        role: role.to_owned(),
        sent_today,
        left_today: (cap > 0).then(|| cap.saturating_sub(sent_today)),
        halted_because: if halted_until.is_some() { in_chinese(&without_addresses(&state.reason)) } else { String::new() },
        halted_until,
        loud: state.loud,
    })
}

/// Every mail address in a text, masked as in the log.
fn without_addresses(text: &str) -> String {
    let of_address = |c: char| c.is_ascii_alphanumeric() || "@._+-=%".contains(c);
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.find(|c| !of_address(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        let is_address = word.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        out.push_str(&if is_address { masked(word) } else { word.to_owned() });
        let mut others = after.chars();
        out.extend(others.next());
        rest = others.as_str();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_masked_wherever_they_stand() {
        let text = "账号jlsgxtkjc@163.com不能发信，近24小时：li.lei+x@example.cn（3封）、@、a@";
        assert_eq!(without_addresses(text), "账号j***@163.com不能发信，近24小时：l***@example.cn（3封）、@、a@");
    }
}
