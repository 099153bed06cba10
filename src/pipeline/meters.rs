//! What one running process counts for its watchers: durations of examinations, and since when it runs.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use crate::domain::status::{Durations, ProcessStatus};

/// Figures since the start of the process. Cheap to clone; all clones are one set.
#[derive(Debug, Clone)]
pub struct Meters {
    started_at: Timestamp,
    examined: Arc<Mutex<Durations>>,
}

impl Meters {
    #[must_use]
    pub fn new(started_at: Timestamp) -> Self {
        Self { started_at, examined: Arc::default() }
    }

    /// One message was examined, however it ended.
    pub fn examined(&self, secs: f64) {
        if let Ok(mut examined) = self.examined.lock() {
            examined.add(secs);
        }
    }

    /// The figures now.
    #[must_use]
    pub fn figures(&self, reader_crashes: u64) -> ProcessStatus {
        let examined = self.examined.lock().map(|examined| examined.clone()).unwrap_or_default();
        ProcessStatus { started_at: self.started_at, reader_crashes, examined }
    }
}
