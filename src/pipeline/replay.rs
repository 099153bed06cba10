//! Stored mail under today's rules: read again, compared, and changed only where that is asked for. No letter is written.

use anyhow::{Context as _, anyhow, ensure};

use super::{House, accept::short};
use crate::{
    domain::verdict::replaying::{self, Replayed},
    edge::{
        reader::{Mail, panic_text},
        store::RecordedMessage,
    },
};

/// Reads one message again and says what would change; changes it with `apply`.
///
/// # Errors
/// When the raw mail or the store cannot be read, or the mail breaks its reader.
pub async fn replay(house: &House, message: &RecordedMessage, apply: bool) -> anyhow::Result<Replayed> {
    let raw = house.blobs.file(&message.sha256).await.context("the raw mail could not be read back")?;
    let reading = house.readers.read(Mail::File(raw.path().to_owned())).await?;
    ensure!(reading.sha256 == message.sha256, "the raw mail {} is damaged on disk", message.sha256);
    let (stored, decided) = house.store.brought_by(message.id).await?;
    let knowledge = house.judging.now(&house.store).await?;
    let replayed = tokio::task::spawn_blocking(move || replaying::replay(reading, &stored, &decided, &knowledge))
        .await
        .map_err(|error| anyhow!("a bug while judging this mail: {}", panic_text(error)))?;
    let changes = replayed.topics.iter().filter(|topic| !topic.differences.is_empty()).count();
    if apply && changes > 0 {
        let year = house.now().to_zoned_datetime(house.zone.clone()).year();
        house.store.apply_replay(message.id, &replayed, house.now(), year).await?;
        tracing::info!(mail = short(&message.sha256), changes, "A message was judged again.");
    }
    Ok(replayed)
}
