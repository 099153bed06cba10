//! `annexd run` and `annexd poll`: the work itself, for all programmes of an installation.

use super::{cli::Failure, owner, work};
use crate::{
    config::Installation,
    daemon,
    pipeline::{
        House,
        stop::{Asked, Signals, Stopped, on_signal},
    },
};

/// Runs until it is asked to stop. Asked to reload, it goes on with what the files say now, or with what they said where they have
/// mistakes now.
///
/// # Errors
/// When a database cannot be opened, another daemon is at work, or a loop panics.
pub async fn run_daemon(load: impl Fn() -> Result<Vec<Installation>, Failure>) -> Result<(), Failure> {
    let mut signals = Signals::listen().map_err(anyhow::Error::from)?;
    let mut installations = load()?;
    loop {
        let mut houses = Vec::new();
        for installation in &installations {
            houses.push(build(installation.clone()).await?);
        }
        if daemon::run(houses, &mut signals).await? == Asked::Stop {
            return Ok(());
        }
        match load() {
            Ok(fresh) => installations = fresh,
            Err(Failure::Configuration(mistakes)) => {
                for mistake in &mistakes {
                    tracing::error!("{mistake}");
                }
                tracing::error!(mistakes = mistakes.len(), "The configuration has mistakes; annexd goes on with the one before.");
            }
            Err(other) => return Err(other),
        }
    }
}

/// One programme after another. One that fails is named at the end and keeps no other from its pass.
///
/// # Errors
/// When a mailbox, store or account cannot be reached.
pub async fn poll(installations: Vec<Installation>, no_send: bool) -> anyhow::Result<()> {
    let several = installations.len() > 1;
    let mut failed = Vec::new();
    for installation in installations {
        let name = installation.config.programme.name.clone();
        match poll_one(installation, no_send).await {
            Ok(()) => {}
            Err(error) if several => {
                tracing::error!(programme = name, "The pass failed: {error:#}.");
                failed.push(name);
            }
            Err(error) => return Err(error),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(anyhow::anyhow!("the pass of {} failed", failed.join(", "))) }
}

async fn poll_one(installation: Installation, no_send: bool) -> anyhow::Result<()> {
    let house = build(installation).await?;
    let _lock = daemon::only_one(&house)?;
    house.store.bury_the_dead().await?;
    let (stop, stopped) = Stopped::new();
    tokio::spawn(on_signal(stop));
    work::one_pass(&house, !no_send, &stopped).await
}

/// The house with its edges; foreign bytes are read in children of this program.
///
/// # Errors
/// When the data folder or the database cannot be used.
pub async fn build(installation: Installation) -> anyhow::Result<House> {
    owner::refuse_root(&installation.config.data_dir)?;
    let house = daemon::build(installation).await?;
    let readers = daemon::read_in_children(&house.config, &house.knowledge, std::env::current_exe()?)?;
    Ok(House { readers, ..house })
}
