//! The subcommands, one file each, thin: they load what they need, call the pipeline and print.

use std::io::{IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    config::Installation,
    edge::store::{Store, StoreError},
};

pub mod backup;
pub mod check;
pub mod cli;
pub mod demo;
pub mod digest;
pub mod directory;
pub mod dry_run;
pub mod examine;
pub mod export;
pub mod forms;
pub mod import;
pub mod init;
pub mod letters;
pub mod log;
pub mod manual;
pub mod message;
pub mod migrate;
pub mod owner;
pub mod parked;
pub mod period_report;
pub mod process;
pub mod purge;
pub mod queue;
pub mod replay;
pub mod report;
pub mod route;
pub mod status;
pub mod topic;
pub mod work;

/// One line of data on standard output. A reader that has gone away (`| head`) is no fault.
pub fn print_line(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A progress bar for long work, on a terminal only.
#[must_use]
pub fn progress(length: usize, what: &'static str) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(u64::try_from(length).ok(), target);
    if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:40} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar.with_prefix(what)
}

/// The installation's store for looking only; `None` where there is none yet.
///
/// # Errors
/// When the database is there and cannot be opened.
pub async fn open_read_only(installation: &Installation) -> Result<Option<Store>, StoreError> {
    let config = &installation.config;
    Store::open_read_only(&config.store.url, config.store.secret().map_err(std::io::Error::other)?, &config.data_dir).await
}
