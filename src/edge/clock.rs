//! The only `now()`. Everything else takes the time as an argument.

use jiff::Timestamp;

/// A clock: the system's, or a fixed one for tests.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    fixed: Option<Timestamp>,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self { fixed: None }
    }

    /// A clock that stands still.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        Self { fixed: Some(at) }
    }

    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the one place that asks the system's clock")]
    pub fn now(&self) -> Timestamp {
        self.fixed.unwrap_or_else(Timestamp::now)
    }
}
