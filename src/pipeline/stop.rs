//! The wish to stop, as every loop hears it: what is in hand is finished, nothing new is begun.

use std::sync::Arc;

use tokio::sync::watch::{Receiver, Sender, channel};

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

/// Expresses the wish on SIGTERM or SIGINT.
///
/// # Errors
/// When the signals cannot be listened to.
pub async fn on_signal(sender: Arc<Sender<bool>>) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("annexd was asked to stop; finishing what is in hand.");
    let _ = sender.send(true);
    Ok(())
}
