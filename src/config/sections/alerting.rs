//! `[answers]` and `[alerts]`: how many automatic answers may leave, and when people are told at once.

use super::{super::reader::Reader, Config, addresses, small};
use crate::domain::letters::caps::AnswerCaps;

#[derive(Debug, Clone)]
pub struct AlertsConfig {
    /// Who is told; the digest's readers where it is empty.
    pub to: Vec<String>,
    /// Minutes without a successful poll.
    pub no_poll_mins: u64,
    /// Free space of the data folder's disk, in MiB.
    pub disk_free_min_mib: u64,
    /// Days after which the mailbox's authorisation code should be renewed (163.com: 180).
    pub secret_max_days: u64,
}

impl Config {
    /// Who is told of what cannot wait.
    #[must_use]
    pub fn alerts_to(&self) -> &[String] {
        if self.alerts.to.is_empty() { &self.digest.to } else { &self.alerts.to }
    }
}

pub(super) fn answer_caps(reader: &mut Reader) -> AnswerCaps {
    let default = AnswerCaps::default();
    let mut cap = |key: &str, default: u32| small(reader, "answers", key, 0..=1_000_000).unwrap_or(default);
    AnswerCaps {
        per_address_hour: cap("per_address_hour", default.per_address_hour),
        per_address_day: cap("per_address_day", default.per_address_day),
        per_domain_hour: cap("per_domain_hour", default.per_domain_hour),
        per_domain_day: cap("per_domain_day", default.per_domain_day),
        total_day: cap("total_day", default.total_day),
        alternations_day: cap("alternations_day", default.alternations_day),
    }
}

pub(super) fn alerts(reader: &mut Reader) -> AlertsConfig {
    AlertsConfig {
        to: addresses(reader, "alerts", "to"),
        no_poll_mins: reader.number("alerts", "no_poll_mins", 1..=100_000).unwrap_or(60),
        disk_free_min_mib: reader.number("alerts", "disk_free_min_mib", 0..=1 << 30).unwrap_or(1024),
        secret_max_days: reader.number("alerts", "secret_max_days", 1..=10_000).unwrap_or(165),
    }
}
