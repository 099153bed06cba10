//! Whether a mail is a division's word, and what it orders.

use super::{DivisionOrders, Knowledge, Known, Reading};
use crate::domain::{
    authentication::{AuthState, Authentication},
    findings::{Audience, Finding, Severity},
    message::Mailbox,
    orders::{self, Order, OrderLine},
};

/// The orders of a mail from a division; `None` where it is none. Two things must fit: the sender's address and the token that our
/// letter carried, in the referenced Message-ID or in the subject. With one of them alone a person decides.
pub fn orders(
    reading: &Reading,
    known: &Known,
    sender: Option<&Mailbox>,
    authentication: &Authentication,
    knowledge: &Knowledge,
) -> Option<DivisionOrders> {
    let by_token =
        knowledge.division_tokens.iter().find(|(_, token)| !token.is_empty() && reading.message.subject.contains(token.as_str()));
    let token_of = known.letter_division.as_deref().or(by_token.map(|(division, _)| division.as_str()));
    let address_of = |division: &str| {
        let addresses = knowledge.divisions.division(division).map(|division| division.mail.as_slice()).unwrap_or_default();
        sender.is_some_and(|sender| addresses.iter().any(|address| address.eq_ignore_ascii_case(&sender.address)))
    };
    let by_address = || knowledge.divisions.entries.iter().map(|division| division.id.as_str()).find(|division| address_of(division));
    let lines = lines(reading, knowledge);
    let Some(division) = token_of.or_else(by_address) else {
        let stranger = reading.forms == 0 && reading.rows == 0 && lines.iter().any(is_for_divisions_only);
        return stranger.then(|| DivisionOrders { division: knowledge.divisions.fallback.clone(), verified: false, lines });
    };
    // A division may also write as anybody else does.
    if token_of.is_none() && lines.is_empty() {
        return None;
    }
    let verified = token_of.is_some() && address_of(division) && authentication.state != AuthState::Failed;
    Some(DivisionOrders { division: division.to_owned(), verified, lines })
}

/// What no submitter would write about its own topic, though it may well ask about one or announce a correction.
fn is_for_divisions_only(line: &OrderLine) -> bool {
    line.said
        .as_ref()
        .is_ok_and(|said| matches!(said.order, Order::Accept | Order::Transfer { .. } | Order::Return { .. } | Order::Duplicate { .. }))
}

fn lines(reading: &Reading, knowledge: &Knowledge) -> Vec<OrderLine> {
    let mut lines = orders::find_in(&reading.message.text, &knowledge.divisions);
    let rows = reading.decisions.iter().filter_map(|row| orders::read_line(&format!("{} {}", row.number, row.text), &knowledge.divisions));
    lines.extend(rows);
    lines
}

/// What a person is told of orders that could not be verified.
pub fn unverified(orders: &DivisionOrders) -> Finding {
    let message = format!("来信要求办理{}项处室指令，但发件地址或验证码未能核实，未作任何更改，请人工核实。", orders.lines.len());
    Finding {
        rule: "R25".to_owned(),
        severity: Severity::Warning,
        field: None,
        attachment: None,
        place: None,
        message,
        audience: Audience::Reviewer,
    }
}
