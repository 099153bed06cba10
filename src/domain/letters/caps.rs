//! How many automatic answers one address, one domain and the world may get: the last wall against mail loops, for the day when
//! no header gives a machine away (RFC 3834 section 2, `chinese-mail.md` 6.1). Pure; the store counts.

use jiff::{SignedDuration, Timestamp};

/// Caps on automatic answers; 0 = none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerCaps {
    pub per_address_hour: u32,
    pub per_address_day: u32,
    /// Not for the public providers, whose domain says nothing.
    pub per_domain_hour: u32,
    pub per_domain_day: u32,
    pub total_day: u32,
    /// Answers a day to one address that answers our letters or brings nothing new, before a person decides.
    pub alternations_day: u32,
}

impl Default for AnswerCaps {
    fn default() -> Self {
        Self { per_address_hour: 3, per_address_day: 10, per_domain_hour: 20, per_domain_day: 60, total_day: 300, alternations_day: 3 }
    }
}

/// An answer that would wait longer than this is held for a person instead.
const WAIT_MAX: SignedDuration = SignedDuration::from_hours(48);
/// Mail domains shared by everybody.
const PUBLIC: [&str; 16] = [
    "163.com",
    "126.com",
    "yeah.net",
    "188.com",
    "vip.163.com",
    "qq.com",
    "foxmail.com",
    "vip.qq.com",
    "sina.com",
    "sina.cn",
    "sohu.com",
    "139.com",
    "189.cn",
    "aliyun.com",
    "outlook.com",
    "gmail.com",
];

/// Whether a domain is a public provider's.
#[must_use]
pub fn is_public(domain: &str) -> bool {
    PUBLIC.contains(&domain.to_ascii_lowercase().as_str())
}

/// One cap: `nth_last` is when the letter left (or leaves) that is `cap` letters back; the next may leave a `window` later.
#[derive(Debug, Clone, Copy)]
pub struct Earlier {
    pub nth_last: Option<Timestamp>,
    pub window: SignedDuration,
}

/// When an answer may leave; `None`: so late that a person should decide.
#[must_use]
pub fn leave_at(now: Timestamp, earlier: &[Earlier]) -> Option<Timestamp> {
    let free = |cap: &Earlier| cap.nth_last.and_then(|at| at.checked_add(cap.window).ok());
    let at = earlier.iter().filter_map(free).fold(now, Ord::max);
    (at.duration_since(now) <= WAIT_MAX).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fourth_answer_of_an_hour_waits_for_the_hour_and_an_endless_queue_for_a_person() {
        let now: Timestamp = "2024-08-15T01:00:00Z".parse().unwrap();
        let hour = SignedDuration::from_hours(1);
        let first = now.checked_sub(SignedDuration::from_mins(10)).unwrap();
        assert_eq!(leave_at(now, &[Earlier { nth_last: None, window: hour }]), Some(now));
        let fourth = leave_at(now, &[Earlier { nth_last: Some(first), window: hour }]).unwrap();
        assert_eq!(fourth.duration_since(now), SignedDuration::from_mins(50));
        let far = now.checked_add(SignedDuration::from_hours(40)).unwrap();
        assert_eq!(leave_at(now, &[Earlier { nth_last: Some(far), window: SignedDuration::from_hours(24) }]), None);
    }
}
