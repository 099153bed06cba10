//! Who does what, when several daemons share one database; and the order in which mails are judged. Mails are read side by side, in
//! as many children as there are; they are judged and recorded one after another in the order of their acceptance, whoever read them,
//! so that a correction never overtakes what it corrects.

use std::{pin::pin, time::Duration};

use futures_util::stream::{self, StreamExt as _};

use super::{
    House,
    examine::{self, Examined},
    stop::Stopped,
    together,
};
use crate::edge::store::{StoreError, Turn, Waiting};

/// Mails taken in hand at one time.
const IN_HAND: u32 = 50;
/// Mails that are read and prepared while as many as there are children are being read.
const READ_AHEAD: usize = 3;
/// How often the others are told that this daemon is alive; they wait for 20 seconds.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How often the others are asked whether they have recorded an earlier mail: short, as each mail that passes to another waits for it.
const LOOK: Duration = Duration::from_millis(5);

/// Examines everything that waits and shows each result to `seen`; returns how many mails that were. Asked to stop, it ends after
/// the mail in hand, and records what was judged.
///
/// # Errors
/// When the store cannot be reached.
pub async fn examine_waiting(house: &House, stopped: &Stopped, mut seen: impl FnMut(&Waiting, &Examined)) -> anyhow::Result<usize> {
    let mut count = 0;
    let mut after = 0;
    loop {
        let waiting = house.store.claim_waiting(after, house.now(), IN_HAND).await?;
        let Some(last) = waiting.last() else { return Ok(count) };
        after = last.id;
        let read = |waiting: Waiting| {
            let house = house.clone();
            // A task of its own goes on reading while another mail is judged.
            tokio::spawn(async move {
                let read = examine::read(&house, &waiting).await;
                (waiting, read)
            })
        };
        let reading = stream::iter(waiting).map(read).buffered(house.config.reader.processes.max(1) + READ_AHEAD);
        let mut reading = pin!(reading.peekable());
        while let Some(next) = reading.as_mut().peek().await {
            if let Ok((waiting, _)) = next {
                wait_for_earlier(house, waiting.id, stopped).await?;
            }
            if stopped.is_asked() {
                return Ok(count);
            }
            for (waiting, examined) in together::finish_next(house, reading.as_mut(), stopped).await? {
                seen(&waiting, &examined);
                count += 1;
            }
        }
    }
}

async fn wait_for_earlier(house: &House, id: i64, stopped: &Stopped) -> Result<(), StoreError> {
    while house.store.earlier_in_other_hands(id).await? > 0 {
        tokio::select! {
            () = stopped.asked() => return Ok(()),
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    Ok(())
}

/// Tells the others for as long as it lives that this process is at work.
pub struct Presence {
    house: House,
    beat: tokio::task::JoinHandle<()>,
}

impl Presence {
    /// Begins.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn begin(house: &House) -> Result<Self, StoreError> {
        house.store.be_present().await?;
        let store = house.store.clone();
        let beat = tokio::spawn(async move {
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                if let Err(error) = store.be_present().await {
                    tracing::warn!("The database could not be told that this process is alive: {error}.");
                }
            }
        });
        Ok(Self { house: house.clone(), beat })
    }

    /// Ends in good order: what this process had in hand is free at once.
    pub async fn end(self) {
        self.beat.abort();
        if let Err(error) = self.house.store.leave().await {
            tracing::warn!("The database could not be told that this process ends: {error}.");
        }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.beat.abort();
    }
}

/// Does something that only one process may do at a time, as long as the turn is ours; waits for the turn first.
///
/// # Errors
/// The work's own, or a store that cannot be reached.
pub async fn in_turn<F: Future<Output = anyhow::Result<()>>>(
    house: &House,
    name: &str,
    stopped: &Stopped,
    work: impl Fn() -> F,
) -> anyhow::Result<()> {
    let mut told = false;
    loop {
        match house.store.take_turn(name).await? {
            Turn::Others { holder } if !told => {
                tracing::info!(turn = name, holder, "Another annexd does this; it is taken over should that one stop.");
                told = true;
            }
            Turn::Others { .. } => house.store.bury_the_dead().await?,
            Turn::Taken | Turn::Kept => {
                told = false;
                tokio::select! {
                    ended = work() => return ended,
                    lost = turn_lost(house, name) => tracing::warn!(turn = name, "The turn went to another annexd: {lost:?}."),
                }
            }
        }
        tokio::select! {
            () = stopped.asked() => return Ok(()),
            () = tokio::time::sleep(HEARTBEAT) => {}
        }
    }
}

/// Resolves once another process has the turn. A database that does not answer is no loss: the work itself will notice.
async fn turn_lost(house: &House, name: &str) -> Turn {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        match house.store.take_turn(name).await {
            Ok(turn) if !turn.is_ours() => return turn,
            _ => {}
        }
    }
}
