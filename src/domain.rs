//! The pure room: what a mail is, what its annexes say, whether they are in order, where each topic belongs and what to answer.
//!
//! Nothing here awaits, reads a file, opens a socket, asks the clock or logs. Each module may use only those above it.

pub mod folding;
pub mod hex;
pub mod time;
pub mod limits;
pub mod findings;
pub mod receipt_number;
pub mod uscc;
pub mod quantity;
pub mod money;
pub mod tokens;
pub mod dedupe;
pub mod message;
pub mod authentication;
pub mod bounces;
pub mod kind;
pub mod links;
pub mod parts;
pub mod forms;
pub mod reconcile;
pub mod rules;
pub mod completeness;
pub mod routing;
pub mod orders;
pub mod submitters;
pub mod verdict;
pub mod letters;
pub mod status;
pub mod period_report;
pub mod remedies;
