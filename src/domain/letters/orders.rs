//! Letters that a division's orders cause: one confirmation to the division, and guidance to the submitters (R25).

use jiff::Timestamp;
use serde::Serialize;

use super::{Letter, LetterKind, Urgency, templates::Templates};
use crate::domain::verdict::Verdict;

/// What happened to the lines of one mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    pub lines: Vec<LineResult>,
    pub guidance: Vec<Guidance>,
}

/// One line of the confirmation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineResult {
    /// As the division wrote it.
    pub line: String,
    pub done: bool,
    pub text: String,
}

/// A division's opinion for a submitter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Guidance {
    pub number: String,
    pub title: String,
    pub applicant: String,
    /// Address that sent the topic's latest revision.
    pub to: String,
    /// Message-ID of that mail.
    pub in_reply_to: Option<String>,
    pub opinion: String,
}

/// Who writes.
#[derive(Debug, Clone, Copy)]
pub struct Desk<'a> {
    /// Name of the division.
    pub division: &'a str,
    pub token: &'a str,
    pub department: &'a str,
    pub contact: &'a str,
    pub templates: &'a Templates,
    pub now: Timestamp,
}

#[derive(Debug, Serialize)]
struct ConfirmationValues<'a> {
    division: &'a str,
    token: &'a str,
    done: Vec<&'a LineResult>,
    not_done: Vec<&'a LineResult>,
    department: &'a str,
}

#[derive(Debug, Serialize)]
struct GuidanceValues<'a> {
    division: &'a str,
    guidance: &'a Guidance,
    department: &'a str,
    contact: &'a str,
}

/// The confirmation of a division's mail and the guidance it gives, in this order.
///
/// # Errors
/// The sentence of a template that does not render.
pub fn order_letters(verdict: &Verdict, carried: &Carried, desk: &Desk<'_>) -> Result<Vec<Letter>, String> {
    let mut letters = Vec::new();
    if let (Some(orders), Some(from)) = (&verdict.orders, &verdict.from) {
        letters.push(confirmation(verdict, &orders.division, &from.address, carried, desk)?);
    }
    for guidance in &carried.guidance {
        let values = GuidanceValues { division: desk.division, guidance, department: desk.department, contact: desk.contact };
        let rendered = desk.templates.render("guidance.txt", &values)?;
        letters.push(Letter {
            key: format!("guidance:{}:{}", verdict.sha256, guidance.number),
            kind: LetterKind::Ack,
            urgency: Urgency::Receipt,
            html: None,
            caps: None,
            alternates: false,
            to: guidance.to.clone(),
            subject: rendered.subject,
            text: rendered.text,
            in_reply_to: guidance.in_reply_to.clone(),
            references: guidance.in_reply_to.iter().cloned().collect(),
            enclosures: Vec::new(),
            due_at: desk.now,
        });
    }
    Ok(letters)
}

fn confirmation(verdict: &Verdict, division: &str, to: &str, carried: &Carried, desk: &Desk<'_>) -> Result<Letter, String> {
    let values = ConfirmationValues {
        division: desk.division,
        token: desk.token,
        done: carried.lines.iter().filter(|line| line.done).collect(),
        not_done: carried.lines.iter().filter(|line| !line.done).collect(),
        department: desk.department,
    };
    let rendered = desk.templates.render("confirmation.txt", &values)?;
    Ok(Letter {
        key: format!("orders:{division}:{}:{}", verdict.sha256, desk.token),
        kind: LetterKind::Ack,
        urgency: Urgency::Queue,
        html: None,
        caps: None,
        alternates: false,
        to: to.to_owned(),
        subject: rendered.subject,
        text: rendered.text,
        in_reply_to: verdict.message_id.clone(),
        references: verdict.references.clone(),
        enclosures: Vec::new(),
        due_at: desk.now,
    })
}
