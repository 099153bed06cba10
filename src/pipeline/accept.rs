//! Accept before thinking: raw bytes durable, then the row committed. Nothing is parsed here.

use anyhow::Context as _;

use super::House;
use crate::edge::{
    crash::crash_at,
    mailbox::body::Body,
    store::{Accepted, Sighting},
};

/// Takes in one mail. The same bytes from another folder, under another UID or after UIDVALIDITY changed are one message.
///
/// # Errors
/// When bytes or row could not be made durable; the mail stays in the mailbox and is fetched again.
pub async fn accept(house: &House, sighting: &Sighting, raw: Body) -> anyhow::Result<Accepted> {
    let (sha256, bytes) = keep(house, raw).await.context("the raw mail could not be stored")?;
    crash_at("accept.after_blob");
    let accepted = house.store.accept(sighting, &sha256, bytes).await.context("the mail could not be registered")?;
    crash_at("accept.after_row");
    tracing::info!(
        mail = short(&sha256),
        bytes,
        folder = sighting.folder,
        uid = sighting.uid,
        new = accepted.is_new(),
        "A mail was accepted."
    );
    Ok(accepted)
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
