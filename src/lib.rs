//! annexd takes in the annexes that industry bureaus mail to one collecting mailbox, and answers every mail.
//!
//! One message takes one way:
//!
//! ```text
//! mailbox ──accept──▶ raw mail, durable ──examine──▶ verdict ──record──▶ topics + letters ──send──▶ people
//!                                        (pure)      (one transaction)   (outbox)      summarise: queues, digest
//! ```
//!
//! Three rooms, with walls that `tests/tidy.rs` and clippy hold:
//!
//! | room | what it is | may use |
//! |---|---|---|
//! | [`domain`] | pure: bytes and known facts in, verdict and letters out; no file, socket, clock or log | parsing libraries |
//! | [`edge`] | one door for each outside system: mailbox, store, blobs, SMTP, clock | `domain` types, its own library |
//! | [`pipeline`] | the order of travel and the retry rule | `domain`, `edge`, `config` |
//!
//! [`config`] reads the TOML, [`daemon`] builds the edges and runs the loops, [`commands`] are the subcommands.
//! Start reading at [`domain::verdict`], then [`pipeline`].

pub mod commands;
pub mod config;
pub mod daemon;
pub mod domain;
pub mod edge;
pub mod pipeline;
