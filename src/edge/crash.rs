//! Named points at which a test may end the process at once, as a power cut would, or make the step in hand a slow one. In release
//! builds they are nothing.

/// Variable that names the point: `accept.after_blob`.
#[cfg(debug_assertions)]
const VARIABLE: &str = "ANNEXD_CRASH_AT";

/// Variable that names the point at which a step takes long.
#[cfg(debug_assertions)]
const PAUSE_VARIABLE: &str = "ANNEXD_PAUSE_AT";
/// How long it takes then.
#[cfg(debug_assertions)]
const PAUSE: std::time::Duration = std::time::Duration::from_secs(2);

/// Every point there is, in the order of a mail's way.
pub const POINTS: [&str; 6] =
    ["accept.after_blob", "accept.after_row", "examine.begun", "record.after_commit", "send.after_claim", "send.after_answer"];

/// Ends the process here where the environment asks for it (nothing is flushed, closed or rolled back by hand), or lingers.
#[cfg(debug_assertions)]
pub fn crash_at(point: &str) {
    if std::env::var_os(VARIABLE).is_some_and(|wanted| wanted == point) {
        std::process::abort();
    }
    if std::env::var_os(PAUSE_VARIABLE).is_some_and(|wanted| wanted == point) {
        tracing::info!("Paused at {point}.");
        std::thread::sleep(PAUSE);
    }
}

/// As [`crash_at`]; the environment may name one mail, by its hash, at whose turn alone it ends: `examine.begun 3fe2…`.
#[cfg(debug_assertions)]
pub fn crash_at_mail(point: &str, sha256: &str) {
    crash_at(point);
    if std::env::var_os(VARIABLE).is_some_and(|wanted| wanted.to_str() == Some(&format!("{point} {sha256}"))) {
        std::process::abort();
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub fn crash_at(_point: &str) {}

/// Nothing.
#[cfg(not(debug_assertions))]
pub fn crash_at_mail(_point: &str, _sha256: &str) {}
