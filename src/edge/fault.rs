//! A fault of an outside system: what happened, and whether trying later can help. Sender's mistakes are no faults.

/// One fault, as one English sentence without secrets.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{what}")]
pub struct Fault {
    pub kind: FaultKind,
    pub what: String,
}

/// What to do about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Network, time-out, temporary refusal: try again after a back-off.
    Later,
    /// It will never work like this.
    Never,
    /// Credentials refused: rest long, alert, never hammer.
    Login,
    /// NetEase's "Unsafe Login": the server wants to know who we are, or distrusts us.
    UnsafeLogin,
    /// The answer to a letter was lost: it may have arrived.
    Unknown,
    /// This machine's own disk: nobody else is to blame.
    Disk,
}

impl Fault {
    #[must_use]
    pub fn later(what: impl Into<String>) -> Self {
        Self { kind: FaultKind::Later, what: what.into() }
    }

    #[must_use]
    pub fn never(what: impl Into<String>) -> Self {
        Self { kind: FaultKind::Never, what: what.into() }
    }

    #[must_use]
    pub fn login(what: impl Into<String>) -> Self {
        Self { kind: FaultKind::Login, what: what.into() }
    }
}
