//! The order of travel: accept, examine, record, send, summarise. Each step leaves something durable, so that a crash between
//! two of them is repaired by doing the second again.
//!
//! A fault says *later* or *never*; a bug panics, is caught at the message boundary and parks that message.

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    config::Config,
    domain::{letters::templates::Templates, verdict::Knowledge},
    edge::{blobs::Blobs, clock::Clock, reader::Readers, store::Store},
};

pub mod accept;
pub mod alert;
pub mod examine;
pub mod judging;
pub mod meters;
pub mod preview;
pub mod record;
pub mod replay;
pub mod send;
pub mod status;
pub mod stop;
pub mod summarise;
pub mod together;
pub mod turns;
pub mod watch;

/// Everything a step needs: the edges and the data an installation judges by. Cheap to clone.
#[derive(Clone)]
pub struct House {
    pub config: Arc<Config>,
    pub knowledge: Arc<Knowledge>,
    /// The same, with the routing model in force.
    pub judging: judging::Judging,
    pub templates: Arc<Templates>,
    pub zone: TimeZone,
    pub store: Store,
    pub blobs: Blobs,
    pub clock: Clock,
    pub readers: Readers,
    pub meters: meters::Meters,
}

impl House {
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Domain part of the sending address, for Message-IDs.
    #[must_use]
    pub fn mail_domain(&self) -> &str {
        self.config.smtp.from.address.rsplit('@').next().unwrap_or("localhost")
    }
}
