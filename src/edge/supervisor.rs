//! The service manager (systemd): told when annexd is ready, alive and stopping. Where there is none, nothing happens. Also what a
//! process does for its own secrecy.

use std::time::Duration;

use sd_notify::NotifyState;

/// The loops run.
pub fn ready() {
    tell(&[NotifyState::Ready, NotifyState::Status("running")]);
}

/// What is in hand is being finished.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Tells that the process lives, twice as often as the manager asks for it; for ever. Whoever awaits it stands on the runtime that
/// does all the work: where that hangs, nothing is told, and the manager starts annexd anew.
pub async fn keep_alive() {
    let Some(limit) = sd_notify::watchdog_enabled() else { return std::future::pending().await };
    let pause = (limit / 2).max(Duration::from_millis(100));
    loop {
        tell(&[NotifyState::Watchdog]);
        tokio::time::sleep(pause).await;
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("The service manager could not be told: {error}.");
    }
}

/// No core dump of this process is ever written: secrets and mails would stand in it. The limit passes on to children.
pub fn without_core_dumps() {
    let _ = rlimit::setrlimit(rlimit::Resource::CORE, 0, 0);
}
