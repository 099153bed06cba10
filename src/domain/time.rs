//! Times for people: UTC in the store, Asia/Shanghai (or the configured zone) in letters.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// `2024年8月15日 09:02` in `zone`.
#[must_use]
pub fn chinese_minute(at: Timestamp, zone: &TimeZone) -> String {
    let local = at.to_zoned_datetime(zone.clone());
    format!("{}年{}月{}日 {:02}:{:02}", local.year(), local.month(), local.day(), local.hour(), local.minute())
}

/// `2024年8月15日`.
#[must_use]
pub fn chinese_day(day: Date) -> String {
    format!("{}年{}月{}日", day.year(), day.month(), day.day())
}

/// The civil day on which `at` falls in `zone`.
#[must_use]
pub fn day_of(at: Timestamp, zone: &TimeZone) -> Date {
    at.to_zoned_datetime(zone.clone()).date()
}
