//! Accept before thinking: raw bytes durable, then the row committed. Nothing is parsed here. Mails that come while others are being
//! made durable are accepted together, because the disk takes as long for many as for one.

use anyhow::Context as _;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::task::JoinHandle;

use super::House;
use crate::edge::{
    crash::crash_at,
    mailbox::body::Body,
    store::{Accepted, Arrived, Sighting},
};

/// Mails accepted together. Small ones wait in memory.
const TOGETHER_MAX: usize = 25;
/// Mails whose bytes are made durable at one time.
const KEPT_AT_ONCE: usize = 4;

/// Takes mails in, in their order: the next are fetched while those before become durable.
pub struct Intake {
    house: House,
    waiting: Vec<(Sighting, Body)>,
    in_hand: Option<JoinHandle<anyhow::Result<Vec<(Sighting, Accepted)>>>>,
}

impl Intake {
    #[must_use]
    pub fn new(house: &House) -> Self {
        Self { house: house.clone(), waiting: Vec::new(), in_hand: None }
    }

    /// Takes one more mail; returns those that are accepted since the last call. The same bytes from another folder, under another UID
    /// or after UIDVALIDITY changed are one message.
    ///
    /// # Errors
    /// When bytes or rows of mails taken before could not be made durable; those stay in the mailbox and are fetched again.
    pub async fn take(&mut self, sighting: Sighting, raw: Body) -> anyhow::Result<Vec<(Sighting, Accepted)>> {
        self.waiting.push((sighting, raw));
        let is_busy = self.in_hand.as_ref().is_some_and(|task| !task.is_finished());
        if is_busy && self.waiting.len() < TOGETHER_MAX {
            return Ok(Vec::new());
        }
        let accepted = self.settled().await?;
        self.in_hand = Some(tokio::spawn(accept(self.house.clone(), std::mem::take(&mut self.waiting))));
        Ok(accepted)
    }

    /// Those that are left, once they are accepted.
    ///
    /// # Errors
    /// As [`Intake::take`].
    pub async fn finish(mut self) -> anyhow::Result<Vec<(Sighting, Accepted)>> {
        let mut accepted = self.settled().await?;
        accepted.extend(accept(self.house, self.waiting).await?);
        Ok(accepted)
    }

    async fn settled(&mut self) -> anyhow::Result<Vec<(Sighting, Accepted)>> {
        match self.in_hand.take() {
            Some(task) => task.await?,
            None => Ok(Vec::new()),
        }
    }
}

/// Accepts some mails: all of them or none.
async fn accept(house: House, mails: Vec<(Sighting, Body)>) -> anyhow::Result<Vec<(Sighting, Accepted)>> {
    if mails.is_empty() {
        return Ok(Vec::new());
    }
    let (sightings, bodies): (Vec<Sighting>, Vec<Body>) = mails.into_iter().unzip();
    let kept: Vec<(String, u64)> = stream::iter(bodies)
        .map(|raw| keep(&house, raw))
        .buffered(KEPT_AT_ONCE)
        .try_collect()
        .await
        .context("a raw mail could not be stored")?;
    crash_at("accept.after_blob");
    let arrived: Vec<Arrived<'_>> =
        sightings.iter().zip(&kept).map(|(sighting, (sha256, bytes))| Arrived { sighting, sha256, bytes: *bytes }).collect();
    let accepted = house.store.accept(&arrived).await.context("mails could not be registered")?;
    crash_at("accept.after_row");
    for (Arrived { sighting, sha256, bytes }, accepted) in arrived.iter().zip(&accepted) {
        tracing::info!(
            mail = short(sha256),
            bytes,
            folder = sighting.folder,
            uid = sighting.uid,
            new = accepted.is_new(),
            "A mail was accepted."
        );
    }
    Ok(sightings.into_iter().zip(accepted).collect())
}

/// Makes the bytes durable; returns their hash and number.
async fn keep(house: &House, raw: Body) -> std::io::Result<(String, u64)> {
    match raw {
        Body::Bytes(raw) => {
            let bytes = raw.len() as u64;
            Ok((house.blobs.put(raw).await?, bytes))
        }
        Body::Spooled(spooled) => {
            house.blobs.adopt(spooled.path(), &spooled.sha256, spooled.bytes).await?;
            Ok((spooled.sha256.clone(), spooled.bytes))
        }
        Body::File(file) => house.blobs.put_file(file).await,
    }
}

/// First characters of a hash: enough to follow one message through the log.
#[must_use]
pub fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}
