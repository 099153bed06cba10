//! Several mails in one transaction: what they change lies on the same pages of the database, and they wait for the disk together.
//! Judged one after another, each by what those before it left behind.

use std::{pin::Pin, time::Duration};

use futures_util::stream::{Peekable, Stream, StreamExt as _};
use tokio::{task::JoinError, time::sleep};

use super::{
    House,
    examine::{self, Examined, ReadMail},
    stop::Stopped,
};
use crate::edge::store::Waiting;

/// Mails of one transaction.
const MAILS_MAX: usize = 25;
/// How long a transaction is kept open for mails that are still being read; others wait for it meanwhile.
const OPEN_MAX: Duration = Duration::from_millis(400);

/// A mail that was read by a task of its own.
pub type ReadByTask = Result<(Waiting, anyhow::Result<ReadMail>), JoinError>;

/// Judges and records the next mails of a stream; none where another process has to record an earlier one first. An error at one
/// takes back those before it, and all of them are examined once more, one by one.
///
/// # Errors
/// When the store itself cannot be reached.
pub async fn finish_next<R: Stream<Item = ReadByTask>>(
    house: &House,
    mut reading: Pin<&mut Peekable<R>>,
    stopped: &Stopped,
) -> anyhow::Result<Vec<(Waiting, Examined)>> {
    if reading.as_mut().peek().await.and_then(ready_id).is_none() {
        return finish_one(house, reading).await;
    }
    let mut taken = Vec::new();
    match record_next(house, reading, stopped, &mut taken).await {
        Ok(examined) => {
            examined.iter().for_each(examine::told);
            Ok(taken.into_iter().zip(examined).collect())
        }
        Err(error) if examine::is_of_the_machine(&error) => Err(error),
        Err(error) => {
            tracing::debug!(mails = taken.len(), "Mails are examined again one by one, as one of them failed: {error:#}.");
            let mut alone = Vec::with_capacity(taken.len());
            for waiting in taken {
                let examined = examine::examine(house, &waiting).await?;
                alone.push((waiting, examined));
            }
            Ok(alone)
        }
    }
}

/// The message's number, where there is something to be judged.
fn ready_id(read: &ReadByTask) -> Option<i64> {
    match read {
        Ok((waiting, Ok(ReadMail::Read(Ok(_))))) => Some(waiting.id),
        _ => None,
    }
}

/// One that could not be read, or none.
async fn finish_one<R: Stream<Item = ReadByTask>>(
    house: &House,
    mut reading: Pin<&mut Peekable<R>>,
) -> anyhow::Result<Vec<(Waiting, Examined)>> {
    let Some(next) = reading.next().await else { return Ok(Vec::new()) };
    let (waiting, read) = next?;
    let examined = examine::finish(house, &waiting, read?).await?;
    Ok(vec![(waiting, examined)])
}

/// Records in one transaction what is ready, and what will be soon; says in `taken` which mails those are.
async fn record_next<R: Stream<Item = ReadByTask>>(
    house: &House,
    mut reading: Pin<&mut Peekable<R>>,
    stopped: &Stopped,
    taken: &mut Vec<Waiting>,
) -> anyhow::Result<Vec<Examined>> {
    let knowledge = house.judging.now(&house.store).await?;
    let mut recording = house.store.begin_recording().await?;
    let over = sleep(OPEN_MAX);
    tokio::pin!(over);
    let mut examined = Vec::new();
    while examined.len() < MAILS_MAX && !stopped.is_asked() {
        let next = tokio::select! {
            biased;
            () = &mut over, if !examined.is_empty() => break,
            next = reading.as_mut().peek() => next,
        };
        // What is not ready is dealt with alone; and to wait here for another process would be to wait for ever.
        let Some(id) = next.and_then(ready_id) else { break };
        if recording.earlier_in_other_hands(id).await? > 0 {
            break;
        }
        let Some(Ok((waiting, Ok(ReadMail::Read(Ok(ready)))))) = reading.next().await else { break };
        taken.push(waiting.clone());
        examined.push(examine::judge_and_record(house, &mut recording, &knowledge, &waiting, *ready).await?);
    }
    recording.commit().await?;
    Ok(examined)
}
