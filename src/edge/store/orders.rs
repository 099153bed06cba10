//! Carrying out what a division orders by mail, inside the transaction that records the mail; and a person's word by command.

use jiff::Timestamp;

use super::{Store, StoreError, Writing, millis};
use crate::domain::{
    letters::orders::{Carried, Guidance, LineResult},
    orders::{Order, OrderLine},
    routing::Divisions,
    verdict::DivisionOrders,
};

/// Who decides.
#[derive(Debug, Clone, Copy)]
pub struct Decider<'a> {
    /// Division id; the fallback division may decide on every topic.
    pub division: &'a str,
    /// Address, or `command`.
    pub by: &'a str,
    /// The mail that said so.
    pub message_id: Option<i64>,
}

/// What an order needs to know of a topic.
#[derive(sqlx::FromRow)]
struct Row {
    serial: i64,
    division: String,
    held: i64,
    review: String,
    status: String,
    sender: String,
    title: Option<String>,
    applicant: Option<String>,
    mail: Option<String>,
}

/// Carries out every line; what happened to each, and the guidance that submitters must be sent.
pub(super) async fn carry_out(
    transaction: &mut Writing,
    orders: &DivisionOrders,
    decider: Decider<'_>,
    divisions: &Divisions,
    now: Timestamp,
) -> Result<Carried, StoreError> {
    let mut carried = Carried::default();
    for line in &orders.lines {
        carry_out_line(transaction, line, decider, divisions, now, &mut carried).await?;
    }
    Ok(carried)
}

async fn carry_out_line(
    transaction: &mut Writing,
    line: &OrderLine,
    decider: Decider<'_>,
    divisions: &Divisions,
    now: Timestamp,
    carried: &mut Carried,
) -> Result<(), StoreError> {
    let said = match &line.said {
        Ok(said) => said,
        Err(misunderstood) => {
            carried.lines.push(LineResult { line: line.text.clone(), done: false, text: misunderstood.in_words() });
            return Ok(());
        }
    };
    for number in &said.topics {
        let (done, text) = match find(transaction, number).await? {
            None => (false, format!("{number}：未找到该回执编号，请对照清单核对")),
            Some(row) if said_before(transaction, &row, &said.order, decider).await? => {
                (true, format!("{number} {}：此前已按同样意见登记，无变化", row.title.as_deref().unwrap_or_default()))
            }
            Some(row) if row.division != decider.division && decider.division != divisions.fallback && said.order != Order::Query => {
                let name = divisions.division(&row.division).map_or(row.division.as_str(), |division| &division.name);
                (false, format!("{number}：该课题现由{name}办理，未作更改"))
            }
            Some(row) => (true, one_order(transaction, number, &row, &said.order, decider, divisions, now, carried).await?),
        };
        carried.lines.push(LineResult { line: line.text.clone(), done, text });
    }
    Ok(())
}

#[allow(clippy::too_many_arguments, reason = "one order touches all of it")]
async fn one_order(
    transaction: &mut Writing,
    number: &str,
    row: &Row,
    order: &Order,
    decider: Decider<'_>,
    divisions: &Divisions,
    now: Timestamp,
    carried: &mut Carried,
) -> Result<String, StoreError> {
    let title = row.title.as_deref().unwrap_or_default();
    let Some((verb, words)) = as_decision(order) else {
        let name = divisions.division(&row.division).map_or(row.division.as_str(), |division| &division.name);
        let applicant = row.applicant.as_deref().unwrap_or_default();
        return Ok(format!("{number} {title}（{applicant}），现由{name}办理，状态：{}", state_in_words(&row.status, &row.review)));
    };
    let text = match order {
        Order::Accept => {
            set_review(transaction, row.serial, "accepted").await?;
            format!("{number} {title}：已登记受理")
        }
        Order::Transfer { to, reason } => {
            let name = divisions.division(to).map_or(to.as_str(), |division| &division.name);
            // A held topic that stays where it is, is let go by that word.
            if *to == row.division && row.held == 0 {
                return Ok(format!("{number} {title}：本来就由{name}办理，无变化"));
            }
            move_to(transaction, row.serial, to, reason, now).await?;
            set_review(transaction, row.serial, "open").await?;
            if *to == row.division {
                format!("{number} {title}：已确认由{name}办理")
            } else {
                format!("{number} {title}：已转{name}")
            }
        }
        Order::Amend { opinion } => {
            sqlx::query("UPDATE topic SET status = 'needs_correction' WHERE serial = $1 AND status <> 'withdrawn'")
                .bind(row.serial)
                .execute(&mut **transaction)
                .await?;
            carried.guidance.push(Guidance {
                number: number.to_owned(),
                title: title.to_owned(),
                applicant: row.applicant.clone().unwrap_or_default(),
                to: row.sender.clone(),
                in_reply_to: row.mail.clone(),
                opinion: opinion.clone(),
            });
            format!("{number} {title}：补正意见将转告报送单位")
        }
        Order::Return { reason } => {
            if decider.division != divisions.fallback {
                move_to(transaction, row.serial, &divisions.fallback, reason, now).await?;
            }
            set_review(transaction, row.serial, "returned").await?;
            let name = divisions.division(&divisions.fallback).map_or(divisions.fallback.as_str(), |division| &division.name);
            format!("{number} {title}：已退回{name}")
        }
        Order::Duplicate { of } => {
            if find(transaction, of).await?.is_none() {
                return Ok(format!("{of}：未找到该回执编号，请对照清单核对"));
            }
            sqlx::query("UPDATE topic SET status = 'suspected_duplicate' WHERE serial = $1 AND status <> 'withdrawn'")
                .bind(row.serial)
                .execute(&mut **transaction)
                .await?;
            format!("{number} {title}：已登记与{of}重复")
        }
        Order::Query => String::new(),
    };
    note(transaction, row.serial, verb, words, decider, now).await?;
    Ok(text)
}

/// Verb and words of an order as they stand in the history; none for a question.
fn as_decision(order: &Order) -> Option<(&'static str, &str)> {
    match order {
        Order::Accept => Some(("accept", "")),
        Order::Transfer { reason, .. } => Some(("transfer", reason.as_str())),
        Order::Amend { opinion } => Some(("amend", opinion.as_str())),
        Order::Return { reason } => Some(("return", reason.as_str())),
        Order::Duplicate { of } => Some(("duplicate", of.as_str())),
        Order::Query => None,
    }
}

/// The topic's latest decision is this one, of the same division: saying it again changes nothing and tells the submitter nothing.
async fn said_before(transaction: &mut Writing, row: &Row, order: &Order, decider: Decider<'_>) -> Result<bool, StoreError> {
    let Some((verb, words)) = as_decision(order) else { return Ok(false) };
    if matches!(order, Order::Transfer { to, .. } if *to != row.division) {
        return Ok(false);
    }
    let latest: Option<(String, String, String)> =
        sqlx::query_as("SELECT verb, words, division FROM decision WHERE topic_serial = $1 ORDER BY id DESC LIMIT 1")
            .bind(row.serial)
            .fetch_optional(&mut **transaction)
            .await?;
    Ok(latest.is_some_and(|latest| latest == (verb.to_owned(), words.to_owned(), decider.division.to_owned())))
}

async fn find(transaction: &mut Writing, number: &str) -> Result<Option<Row>, StoreError> {
    Ok(sqlx::query_as::<_, Row>(
        "SELECT t.serial, t.division, t.held, t.review, t.status, t.sender, json_extract(r.fields, '$.topic_title') AS title, json_extract(r.fields, '$.applicant') AS applicant,
                m.message_id AS mail
         FROM topic t JOIN revision r ON r.topic_serial = t.serial AND r.revision = t.revision JOIN message m ON m.id = r.message_id WHERE t.id = $1",
    )
    .bind(number)
    .fetch_optional(&mut **transaction)
    .await?)
}

async fn set_review(transaction: &mut Writing, serial: i64, review: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE topic SET review = $2, held = 0 WHERE serial = $1").bind(serial).bind(review).execute(&mut **transaction).await?;
    Ok(())
}

/// A person's word on the division: the topic is announced there, and the router learns from it.
async fn move_to(transaction: &mut Writing, serial: i64, to: &str, reason: &str, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE topic SET division = $2, held = 0, announced_to = NULL, announced_joint = NULL WHERE serial = $1")
        .bind(serial)
        .bind(to)
        .execute(&mut **transaction)
        .await?;
    sqlx::query(
        "INSERT INTO route (topic_serial, division, confidence, candidates, evidence, routed_by, decided_at) VALUES ($1, $2, 1.0, '[]', $3, 'person', $4)",
    )
    .bind(serial)
    .bind(to)
    .bind(serde_json::to_string(&[reason])?)
    .bind(millis(now))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn note(
    transaction: &mut Writing,
    serial: i64,
    verb: &str,
    words: &str,
    decider: Decider<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO decision (topic_serial, verb, words, division, decided_by, message_id, decided_at) VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(serial)
        .bind(verb)
        .bind(words)
        .bind(decider.division)
        .bind(decider.by)
        .bind(decider.message_id)
        .bind(millis(now))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Status and review as one phrase.
fn state_in_words(status: &str, review: &str) -> String {
    let review = match review {
        "accepted" => "，处室已受理",
        "returned" => "，处室已退回",
        _ => "",
    };
    format!("{}{review}", super::queue::state_name(status))
}

impl Store {
    /// A person's order on one topic by command, with the rights of the fallback division.
    ///
    /// # Errors
    /// When the transaction could not be committed.
    pub async fn decide(&self, number: &str, order: Order, divisions: &Divisions, now: Timestamp) -> Result<LineResult, StoreError> {
        let mut transaction = self.begin().await?;
        let said = crate::domain::orders::Said { order, topics: vec![number.to_owned()] };
        let orders = DivisionOrders {
            division: divisions.fallback.clone(),
            verified: true,
            lines: vec![OrderLine { text: number.to_owned(), said: Ok(said) }],
        };
        let decider = Decider { division: &divisions.fallback, by: "command", message_id: None };
        let carried = carry_out(&mut transaction, &orders, decider, divisions, now).await?;
        transaction.commit().await?;
        let nothing = || LineResult { line: number.to_owned(), done: false, text: String::new() };
        Ok(carried.lines.into_iter().next().unwrap_or_else(nothing))
    }
}
