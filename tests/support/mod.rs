//! The lab: real mail servers, scripted NetEase servers, certificates and clients of its own, for tests that run the `annexd`
//! binary from outside.
//!
//! | file | what it gives |
//! |---|---|
//! | `mail_system.rs` | [`MailSystem`]: private Dovecot and Postfix |
//! | `annexd.rs` | [`Annexd`]: the program under test, beside those servers |
//! | `attached.rs` | the plainest mail with files attached, fixtures, what annexd knows by itself |
//! | `office.rs` | a bureau that writes mails with annexes, and the department that answers |
//! | `postgres.rs` | [`Postgres`]: a private cluster, for every installation under `ANNEXD_TEST_STORE=postgres` |
//! | `s3_server.rs` | [`S3Server`](s3_server::S3Server): a private object store |
//! | `laws.rs` | what must hold after kills, and mails to hold it with |
//! | `month.rs` | the month of mail that the journey sends |
//! | `accounts.rs` | who has a mailbox there |
//! | `certificates.rs` | a CA and a leaf for loopback |
//! | `netease.rs` | [`Netease`]: a scripted 163.com mailbox, quirk by quirk |
//! | `cutter.rs` | [`Cutter`](cutter::Cutter): a line before a real server that is cut, slow or swallows everything |
//! | `record.rs` | what the last full run counted, for `tests/README.md` |
//! | `smtp_fake.rs` | [`FakeSmtp`]: a scripted 163.com SMTP server, token by token |
//! | `process.rs` | what the kernel says of a process |
//! | `imap_client.rs`, `smtp_client.rs`, `wire.rs` | small clients, independent of the libraries under test |

pub mod accounts;
pub mod annexd;
pub mod attached;
pub mod certificates;
pub mod cutter;
pub mod imap_client;
pub mod laws;
pub mod lines;
pub mod mail_system;
pub mod month;
pub mod netease;
pub mod office;
pub mod process;
pub mod postgres;
pub mod record;
pub mod s3_server;
pub mod smtp_client;
pub mod smtp_fake;
pub mod wire;

pub use annexd::Annexd;
pub use mail_system::MailSystem;
pub use netease::Netease;
pub use postgres::Postgres;
pub use smtp_fake::FakeSmtp;

/// Whether the run may take its time: `./test --long`.
pub fn long() -> bool {
    std::env::var("ANNEXD_TEST_LONG").is_ok_and(|text| text == "1")
}
