//! The only `now()`. Everything else takes the time as an argument.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;

/// A clock: the system's, or one that is set by hand for tests.
#[derive(Debug, Clone)]
pub struct Clock {
    /// Milliseconds since 1970.
    set: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self { set: None }
    }

    /// A clock that stands until it is set; whoever waits by it moves it on. All its copies show the same time.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        Self { set: Some(Arc::new(AtomicI64::new(at.as_millisecond()))) }
    }

    /// Sets a fixed clock; the system's clock takes no notice.
    pub fn set(&self, at: Timestamp) {
        if let Some(set) = &self.set {
            set.store(at.as_millisecond(), Ordering::SeqCst);
        }
    }

    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the one place that asks the system's clock")]
    pub fn now(&self) -> Timestamp {
        match &self.set {
            Some(set) => Timestamp::from_millisecond(set.load(Ordering::SeqCst)).unwrap_or_default(),
            None => Timestamp::now(),
        }
    }

    /// Waits; by a fixed clock that is done at once, and it shows the later time.
    pub async fn sleep(&self, wait: Duration) {
        match &self.set {
            Some(set) => {
                set.fetch_add(i64::try_from(wait.as_millis()).unwrap_or(0), Ordering::SeqCst);
            }
            None => tokio::time::sleep(wait).await,
        }
    }
}
