//! The log: sentences with named fields on standard error; human on a terminal, JSON for machines. Secrets never: the IMAP library
//! writes LOGIN with its password at TRACE, so its targets are capped whatever filter is asked for.

use std::io::{IsTerminal as _, Write as _};

use tracing::{Level, Metadata};
use tracing_subscriber::{EnvFilter, Layer as _, filter::filter_fn, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Variable that holds the filter: `ANNEXD_LOG=debug`.
const FILTER: &str = "ANNEXD_LOG";
/// Variable that chooses the form: `json` or `text`.
const FORM: &str = "ANNEXD_LOG_FORMAT";

/// Starts logging, at `level` where the environment names none; a second start changes nothing.
pub fn start(level: &str) {
    let wanted = || EnvFilter::try_from_env(FILTER).unwrap_or_else(|_| EnvFilter::new(level));
    let json = match std::env::var(FORM).as_deref() {
        Ok("json") => true,
        Ok(_) => false,
        // Under systemd, standard error is a socket of the journal.
        Err(_) => std::env::var_os("JOURNAL_STREAM").is_some(),
    };
    let filter = wanted().to_string();
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let layer = if json { layer.json().flatten_event(true).boxed() } else { layer.with_ansi(std::io::stderr().is_terminal()).boxed() };
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter_fn(holds_no_secret)).with_filter(filter)).try_init();
}

fn holds_no_secret(metadata: &Metadata<'_>) -> bool {
    let chatty = ["async_imap", "hyper", "lettre", "object_store", "reqwest", "rustls", "sqlx"]
        .iter()
        .any(|library| metadata.target().starts_with(library));
    !chatty || *metadata.level() <= Level::WARN
}

/// One line on standard error, outside the log: for a person at the terminal.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
