//! The command line: what can be asked, and which exit code an answer has (0 done, 1 failed, 2 wrong usage, 78 wrong configuration).

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use super::{
    backup, check, demo, digest, directory, dry_run, examine, export, forms, import, init, letters, log, manual, message, migrate, parked,
    period_report,
    process::{self, build},
    purge, queue, replay, route, status, topic,
};
use crate::{
    config::{Installation, MAIN, Mistake},
    edge::{reader::child, supervisor},
};

/// `EX_CONFIG` of sysexits.h: systemd does not restart on it.
const EXIT_CONFIGURATION: u8 = 78;
const EXIT_USAGE: u8 = 2;

/// Takes in the annexes that industry bureaus mail to a collecting mailbox, and answers every mail.
#[derive(Debug, Parser)]
#[command(name = "annexd", version, about, disable_help_subcommand = true, arg_required_else_help = true)]
struct Cli {
    /// Configuration file [default: config/annexd.toml, then /etc/annexd/annexd.toml]
    #[arg(long, global = true, value_name = "FILE", env = "ANNEXD_CONFIG")]
    config: Option<PathBuf>,
    /// Machine output instead of a person's
    #[arg(long, global = true)]
    json: bool,
    /// One programme of several, by its name in the configuration; main: that of the main file [default: run, poll, check and status:
    /// all; the others: main]
    #[arg(long, global = true, value_name = "NAME")]
    programme: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the main job on sample mails; needs no server, no network, no configuration
    Demo {
        /// Folder for mails, letters and database [default: annexd-demo]
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Set an installation up: ask, write the configuration, test it live, show the latest mails
    Init(init::Arguments),
    /// The daemon: watch, take in, examine, record, send, summarise, until SIGTERM
    Run,
    /// One full pass of the same work, then exit
    Poll {
        /// Leave all letters queued
        #[arg(long)]
        no_send: bool,
        /// Only show what the ten latest mails would give: nothing is stored, marked or sent
        #[arg(long, conflicts_with = "no_send")]
        dry_run: bool,
    },
    /// Dry run: examine message files and print the verdicts
    Examine {
        /// Message files (.eml)
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Take in .eml files or Maildir folders as if they had arrived in the mailbox
    Import {
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// The database as data
    Export(ExportArguments),
    /// Validate the configuration and everything beside it
    Check {
        /// Also probe mailbox, SMTP and database, read-only
        #[arg(long)]
        connect: bool,
    },
    /// How the installation stands: mail, queues, letters, quotas, alerts
    Status {
        /// Print nothing; exit 0 where it is ready, 1 where it is not (for health checks)
        #[arg(long)]
        ready: bool,
    },
    /// One mail: headers, files, verdict, topics, letters
    #[command(subcommand)]
    Message(message::Action),
    /// Messages that could not be processed
    #[command(subcommand)]
    Parked(parked::Action),
    /// Letters that did not leave as they should, and how each kind reads
    #[command(subcommand)]
    Letters(LettersAction),
    /// One topic: its whole history, and a person's decision on it
    #[command(subcommand)]
    Topic(topic::Action),
    /// Open topics by division, oldest first
    Queue {
        /// Division id, as in divisions.toml; all divisions without one
        division: Option<String>,
    },
    /// The department's workbook about a period: bureaus, divisions, months, quality, topics
    Report {
        /// First day, 2024-08-01
        #[arg(long)]
        from: jiff::civil::Date,
        /// Last day, 2024-08-31
        #[arg(long)]
        to: jiff::civil::Date,
        /// Workbook to write (.xlsx)
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Who may submit
    #[command(subcommand)]
    Submitters(directory::SubmittersAction),
    /// Who receives topics
    #[command(subcommand)]
    Divisions(directory::DivisionsAction),
    /// Why a topic goes where it goes, and what the router learnt from people
    #[command(subcommand)]
    Route(route::Action),
    /// Examine stored mail again under today's rules and show what would change
    Replay {
        /// Only mail accepted since that day, 2024-08-15
        #[arg(long)]
        since: Option<jiff::civil::Date>,
        /// Change it; no letter is sent
        #[arg(long)]
        apply: bool,
    },
    /// Print or send the administrators' digest of a day
    Digest {
        /// The day, 2024-08-15 [default: yesterday]
        #[arg(long)]
        date: Option<jiff::civil::Date>,
        /// Queue it to the administrators and send what is due, instead of printing
        #[arg(long)]
        send: bool,
    },
    /// The forms of the catalogue
    #[command(subcommand)]
    Forms(FormsAction),
    /// Copy database and raw mail into a new folder, while annexd runs. The way back: stop annexd, make that folder data_dir, start
    Backup {
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
    /// Remove raw mails and letter texts that are older than the retention period; topics stay
    Purge {
        /// Days to keep
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(30..=36_500))]
        older_than: u32,
        /// Only say what would be removed
        #[arg(long)]
        dry_run: bool,
    },
    /// Bring the database to this version's schema; with --from and --to, move a whole installation to another database
    Migrate(migrate::Move),
    /// Write man pages and shell completions; for packagers
    #[command(hide = true)]
    Manual {
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Read foreign bytes for another annexd; not for people
    #[command(hide = true)]
    Reader,
    /// Become the recogniser of characters, confined; not for people
    #[command(hide = true)]
    Recogniser { program: PathBuf, language: String },
}

#[derive(Debug, Subcommand)]
enum LettersAction {
    #[command(flatten)]
    Outbox(letters::Action),
    /// A kind of letter on made-up values; without a kind, the list of kinds
    Preview { kind: Option<String> },
}

#[derive(Debug, Subcommand)]
enum FormsAction {
    /// Write blank annex 1 (.docx) and annex 2 (.xlsx)
    Blank {
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

#[derive(Debug, Args)]
struct ExportArguments {
    what: ExportWhat,
    #[arg(long, default_value = "jsonl")]
    format: ExportFormat,
    /// File to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportWhat {
    Topics,
    Messages,
    Letters,
    Findings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    Jsonl,
    Csv,
    Xlsx,
}

/// Why a command ended without its result.
#[derive(Debug)]
pub enum Failure {
    Configuration(Vec<Mistake>),
    /// Exit code 2.
    Usage(String),
    Other(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    if matches!(cli.command, Command::Reader) {
        // No runtime, no log: a reading process talks to its parent only.
        return if child::serve().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    if let Command::Recogniser { program, language } = &cli.command {
        log::say(&child::become_recogniser(program, language).to_string());
        return ExitCode::FAILURE;
    }
    supervisor::without_core_dumps();
    // The demo's own words say all of it.
    log::start(if matches!(cli.command, Command::Demo { .. }) { "warn" } else { "info" });
    // Mails are judged on blocking threads, and each thread keeps memory of its own.
    let runtime = match tokio::runtime::Builder::new_multi_thread().max_blocking_threads(6).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::new(error).context("the runtime cannot be started")),
    };
    match runtime.block_on(run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Configuration(mistakes)) => {
            for mistake in &mistakes {
                log::say(&mistake.to_string());
            }
            log::say(&format!("The configuration has {} mistake(s); nothing was done.", mistakes.len()));
            ExitCode::from(EXIT_CONFIGURATION)
        }
        Err(Failure::Usage(problem)) => {
            log::say(&format!("annexd: {problem}"));
            ExitCode::from(EXIT_USAGE)
        }
        Err(Failure::Other(error)) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    log::say(&format!("annexd: {error:#}"));
    ExitCode::FAILURE
}

async fn run(cli: Cli) -> Result<(), Failure> {
    let load_all = || {
        let whole = Installation::load(cli.config.as_deref(), &environment()).map_err(Failure::Configuration)?;
        programmes(whole, cli.programme.as_deref())
    };
    let load = || load_all().and_then(first);
    // A dry run judges by the built-in data where no configuration was named or found.
    let load_or_shipped = || {
        if cli.config.is_none() && cli.programme.is_none() {
            Installation::load_or_shipped(&environment()).map_err(Failure::Configuration)
        } else {
            load()
        }
    };
    match cli.command {
        Command::Demo { dir } => demo::demo(dir).await?,
        Command::Run => process::run_daemon(load_all).await?,
        Command::Init(arguments) => init::init(arguments, &environment()).await?,
        Command::Poll { dry_run: true, .. } => {
            dry_run::dry_run(&load()?, cli.json).await?;
        }
        Command::Poll { no_send, .. } => process::poll(load_all()?, no_send).await?,
        Command::Message(action) => message::message(&build(load()?).await?, action, cli.json).await?,
        Command::Report { from, to, out } => period_report::period_report(&build(load()?).await?, from, to, &out).await?,
        Command::Submitters(action) => directory::submitters(&load()?, action, cli.json)?,
        Command::Divisions(action) => directory::divisions(&load()?, &action, cli.json),
        Command::Purge { older_than, dry_run } => purge::purge(&build(load()?).await?, older_than, dry_run).await?,
        Command::Examine { files } => examine::examine(&load_or_shipped()?, std::env::current_exe()?, &files, cli.json).await?,
        Command::Import { paths } => import::import(&build(load()?).await?, &paths).await?,
        Command::Export(arguments) => {
            let house = build(load()?).await?;
            export::export(&house.store, arguments.what, arguments.format, arguments.out.as_deref()).await?;
        }
        Command::Check { connect } => check::check_all(&load_all()?, connect, cli.json).await?,
        Command::Status { ready } => status::status(load_all()?, ready, cli.json).await?,
        Command::Parked(action) => parked::parked(&build(load()?).await?, action, cli.json).await?,
        Command::Letters(LettersAction::Preview { kind }) => {
            letters::show_preview(&load_or_shipped()?.templates, kind.as_deref(), cli.json)?
        }
        Command::Letters(LettersAction::Outbox(action)) => letters::letters(&build(load()?).await?, action, cli.json).await?,
        Command::Topic(action) => topic::topic(&build(load()?).await?, action, cli.json).await?,
        Command::Queue { division } => queue::queue(&build(load()?).await?, division.as_deref(), cli.json).await?,
        Command::Route(route::Action::Explain { file_or_id }) => route::explain(&load_or_shipped()?, &file_or_id, cli.json).await?,
        Command::Route(route::Action::Evaluate { file }) => route::measure(&load_or_shipped()?, &file, cli.json).await?,
        Command::Route(route::Action::Learning(action)) => route::learning::learning(&build(load()?).await?, action, cli.json).await?,
        Command::Replay { since, apply } => replay::replay_all(&build(load()?).await?, since, apply, cli.json).await?,
        Command::Digest { date, send } => digest::digest(&build(load()?).await?, date, send, cli.json).await?,
        Command::Forms(FormsAction::Blank { out }) => forms::blank(&load_or_shipped()?, &out)?,
        Command::Backup { dir } => backup::backup(&build(load()?).await?, &dir).await?,
        Command::Migrate(migrate::Move { from: Some(from), to: Some(to), .. }) => {
            migrate::carry_over(&load()?.config, &from, &to, cli.json).await?
        }
        Command::Migrate(migrate::Move { raw_mail: true, .. }) => migrate::move_raw_mail(&load()?.config, cli.json).await?,
        Command::Migrate(_) => migrate::bring_up_to_date(&build(load()?).await?.store, cli.json).await?,
        Command::Manual { out } => manual::manual(Cli::command(), &out)?,
        Command::Reader | Command::Recogniser { .. } => {}
    }
    Ok(())
}

/// The programme that was asked for, or all of them, the main one first.
fn programmes(whole: Installation, wanted: Option<&str>) -> Result<Vec<Installation>, Failure> {
    let Some(name) = wanted else { return Ok(whole.apart()) };
    let names: Vec<String> = std::iter::once(MAIN.to_owned()).chain(whole.config.programmes.iter().map(|one| one.name.clone())).collect();
    let unknown = || Failure::Usage(format!("there is no programme {name:?}; there are {}", names.join(", ")));
    Ok(vec![whole.programme(name).ok_or_else(unknown)?])
}

fn first(mut programmes: Vec<Installation>) -> Result<Installation, Failure> {
    programmes.truncate(1);
    programmes.pop().ok_or_else(|| Failure::Usage("there is no programme".to_owned()))
}

fn environment() -> Vec<(String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_in_order() {
        Cli::command().debug_assert();
    }
}
