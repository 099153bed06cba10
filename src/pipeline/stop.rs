//! The wish to stop, as every loop hears it: what is in hand is finished, nothing new is begun.

use std::sync::Arc;

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch::{Receiver, Sender, channel},
};

/// Whether stopping was asked for. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Stopped {
    asked: Receiver<bool>,
    /// Keeps the channel open, so that a vanished asker is no wish to stop.
    _sender: Arc<Sender<bool>>,
}

impl Stopped {
    /// The wish and the one who may express it.
    #[must_use]
    pub fn new() -> (Arc<Sender<bool>>, Self) {
        let (sender, asked) = channel(false);
        let sender = Arc::new(sender);
        (sender.clone(), Self { asked, _sender: sender })
    }

    /// Nobody asks.
    #[must_use]
    pub fn never() -> Self {
        Self::new().1
    }

    #[must_use]
    pub fn is_asked(&self) -> bool {
        *self.asked.borrow()
    }

    /// Resolves once stopping is asked for.
    pub async fn asked(&self) {
        let mut asked = self.asked.clone();
        // The sender lives as long as we do, so this cannot fail.
        let _ = asked.wait_for(|asked| *asked).await;
    }
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP: configuration and data files are to be read again.
    Reload,
}

/// The signals of a process. Listened to from its beginning by one who lives as long: a signal that comes while nobody waits for one,
/// such as during a reload, is not lost.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the signals cannot be listened to.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The next one; a wish to stop goes first.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.hangup.recv() => {
                tracing::info!("annexd was asked to read its configuration again.");
                return Asked::Reload;
            }
        }
        tracing::info!("annexd was asked to stop; finishing what is in hand.");
        Asked::Stop
    }
}

/// Expresses the wish on SIGTERM or SIGINT, for a command that has nothing to reload.
///
/// # Errors
/// When the signals cannot be listened to.
pub async fn on_signal(sender: Arc<Sender<bool>>) -> std::io::Result<()> {
    let mut signals = Signals::listen()?;
    while signals.next().await != Asked::Stop {}
    let _ = sender.send(true);
    Ok(())
}
