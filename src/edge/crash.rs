//! Named points at which a test may end the process at once, as a power cut would. In release builds they are nothing.

/// Variable that names the point: `accept.after_blob`.
#[cfg(debug_assertions)]
const VARIABLE: &str = "ANNEXD_CRASH_AT";

/// Every point there is, in the order of a mail's way.
pub const POINTS: [&str; 6] =
    ["accept.after_blob", "accept.after_row", "examine.after_attempt", "record.after_commit", "send.after_claim", "send.after_answer"];

/// Ends the process here where the environment asks for it: nothing is flushed, closed or rolled back by hand.
#[cfg(debug_assertions)]
pub fn crash_at(point: &str) {
    if std::env::var_os(VARIABLE).is_some_and(|wanted| wanted == point) {
        std::process::abort();
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub fn crash_at(_point: &str) {}
