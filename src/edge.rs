//! One door for each outside system. Edges do not know each other; each owns one library. Two files are no doors but serve them all: the
//! kinds of [`fault`] and whom [`tls`] trusts.

pub mod blobs;
pub mod clock;
pub mod crash;
pub mod disk;
pub mod fault;
pub mod mailbox;
pub mod reader;
pub mod smtp;
pub mod store;
pub mod supervisor;
pub mod tls;
pub mod web;
