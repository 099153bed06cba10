//! The pure room: what a mail is, what its annexes say, whether they are in order, where each topic belongs and what to answer.
//!
//! Nothing here awaits, reads a file, opens a socket, asks the clock or logs. Each module may use only those above it.

pub mod dedupe;
pub mod findings;
pub mod folding;
pub mod forms;
pub mod kind;
pub mod letters;
pub mod limits;
pub mod links;
pub mod message;
pub mod parts;
pub mod receipt_number;
pub mod reconcile;
pub mod routing;
pub mod rules;
pub mod submitters;
pub mod time;
pub mod uscc;
pub mod verdict;
