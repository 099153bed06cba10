//! What the watch remembers between sessions and forgets with the process: mails that break connections, mails that were listed
//! and not delivered, and when something last went forward.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;

/// Sessions that one mail may break until it is set aside. Each begins after a longer rest, so that a bad line is not blamed on it.
pub const BREAKS_MAX: u32 = 4;
/// As [`BREAKS_MAX`], where each session broke at another place: then the line is bad rather than the mail.
const BREAKS_ANYWHERE_MAX: u32 = 30;
/// Sessions that end within so many bytes of each other end at the same place.
const SAME_PLACE_BYTES: u64 = 64 * 1024;
/// Passes that ask again for a mail that is listed and not delivered; after that only a full comparison does.
const ASKED_MAX: u32 = 30;

/// Folder, UIDVALIDITY and UID.
type Place = (String, u32, u32);

/// The sessions that a mail broke alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Breaks {
    /// At the place of the latest, one after another.
    here: u32,
    all: u32,
    /// Bytes of the mail that had come when the latest broke.
    at_bytes: u64,
}

impl Breaks {
    fn once_more(&mut self, at_bytes: u64) {
        let same = self.at_bytes.abs_diff(at_bytes) < SAME_PLACE_BYTES;
        *self = Self { here: if same { self.here + 1 } else { 1 }, all: self.all + 1, at_bytes };
    }

    fn are_enough(&self) -> bool {
        self.here >= BREAKS_MAX || self.all >= BREAKS_ANYWHERE_MAX
    }
}

/// Kept by whoever opens the sessions. Cheap to clone; all clones are one memory.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    inner: Arc<Mutex<Inner>>,
    pub pulse: Pulse,
}

#[derive(Debug, Default)]
struct Inner {
    /// Mails whose fetch did not end well.
    suspects: BTreeMap<Place, Breaks>,
    /// Mails listed and not delivered, with the passes that asked.
    ghosts: BTreeMap<Place, u32>,
    /// Configured folders that the account does not have.
    left_out: BTreeSet<String>,
}

impl Memory {
    /// A chunk's fetch broke with these mails still to come, after `at_bytes` of it. Returns the mail that has now broken too many
    /// sessions.
    pub fn blame(&self, folder: &str, uidvalidity: u32, chunk: usize, outstanding: &BTreeSet<u32>, at_bytes: u64) -> Option<u32> {
        let Ok(mut inner) = self.inner.lock() else { return None };
        for uid in outstanding {
            inner.suspects.entry((folder.to_owned(), uidvalidity, *uid)).or_default();
        }
        let alone = outstanding.first().filter(|_| chunk == 1)?;
        let breaks = inner.suspects.entry((folder.to_owned(), uidvalidity, *alone)).or_default();
        breaks.once_more(at_bytes);
        breaks.are_enough().then_some(*alone)
    }

    /// These mails are done.
    pub fn acquit(&self, folder: &str, uidvalidity: u32, uid: u32) {
        if let Ok(mut inner) = self.inner.lock() {
            let place = (folder.to_owned(), uidvalidity, uid);
            inner.suspects.remove(&place);
            inner.ghosts.remove(&place);
        }
    }

    /// Parts mails in those to be fetched together and those to be fetched one by one, the least suspect first.
    #[must_use]
    pub fn part(&self, folder: &str, uidvalidity: u32, uids: &[u32]) -> (Vec<u32>, Vec<u32>) {
        let Ok(inner) = self.inner.lock() else { return (uids.to_vec(), Vec::new()) };
        let breaks = |uid: &u32| inner.suspects.get(&(folder.to_owned(), uidvalidity, *uid)).copied();
        let (sound, mut suspects): (Vec<u32>, Vec<u32>) = uids.iter().partition(|uid| breaks(uid).is_none());
        suspects.sort_by_key(|uid| (breaks(uid).map(|breaks| breaks.all), *uid));
        (sound, suspects)
    }

    /// The server listed these and did not deliver them.
    pub fn missed(&self, folder: &str, uidvalidity: u32, uids: &BTreeSet<u32>) {
        let Ok(mut inner) = self.inner.lock() else { return };
        for uid in uids {
            let place = (folder.to_owned(), uidvalidity, *uid);
            let asked = inner.ghosts.entry(place).or_insert(0);
            *asked = asked.saturating_add(1);
        }
    }

    /// The account has no such folders, until the next survey.
    pub fn leave_out<'f>(&self, folders: impl Iterator<Item = &'f String>) {
        if let Ok(mut inner) = self.inner.lock() {
            inner.left_out = folders.cloned().collect();
        }
    }

    #[must_use]
    pub fn is_left_out(&self, folder: &str) -> bool {
        self.inner.lock().is_ok_and(|inner| inner.left_out.contains(folder))
    }

    /// Mails to ask for again.
    #[must_use]
    pub fn ghosts(&self, folder: &str, uidvalidity: u32) -> Vec<u32> {
        let Ok(inner) = self.inner.lock() else { return Vec::new() };
        let here =
            inner.ghosts.iter().filter(|((name, validity, _), asked)| name == folder && *validity == uidvalidity && **asked < ASKED_MAX);
        here.map(|((_, _, uid), _)| *uid).collect()
    }
}

/// When something last went forward, and a watchdog that notices when nothing does. It stands outside the connection, so that
/// whatever hangs inside cannot hang it.
#[derive(Debug, Clone)]
pub struct Pulse {
    last: Arc<Mutex<Instant>>,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { last: Arc::new(Mutex::new(Instant::now())) }
    }
}

impl Pulse {
    /// Something went forward.
    pub fn beat(&self) {
        if let Ok(mut last) = self.last.lock() {
            *last = Instant::now();
        }
    }

    /// Resolves once nothing has gone forward for so long.
    pub async fn stalled(&self, limit: Duration) {
        loop {
            let due = self.last.lock().map_or_else(|_| Instant::now(), |last| *last) + limit;
            if due <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(due).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_mail_that_breaks_every_session_alone_is_set_aside() {
        let memory = Memory::default();
        assert_eq!(memory.blame("INBOX", 1, 25, &BTreeSet::from([5, 6, 7]), 90_000), None);
        assert_eq!(memory.part("INBOX", 1, &[4, 5, 6, 7]), (vec![4], vec![5, 6, 7]));
        for _ in 1..BREAKS_MAX {
            assert_eq!(memory.blame("INBOX", 1, 1, &BTreeSet::from([5]), 10_000), None);
            assert_eq!(memory.part("INBOX", 1, &[4, 5, 6, 7]).1.last(), Some(&5), "the worst comes last");
        }
        memory.acquit("INBOX", 1, 6);
        assert_eq!(memory.blame("INBOX", 1, 1, &BTreeSet::from([5]), 10_001), Some(5));
        assert_eq!(memory.part("INBOX", 2, &[5]), (vec![5], vec![]), "another UIDVALIDITY, another mail");
    }

    #[test]
    fn a_line_that_breaks_elsewhere_each_time_is_not_blamed_on_a_large_mail_soon() {
        let memory = Memory::default();
        let mut broken = 0;
        while memory.blame("INBOX", 1, 1, &BTreeSet::from([5]), u64::from(broken % 2 + 1) * 1_000_000).is_none() {
            broken += 1;
        }
        assert_eq!(broken + 1, BREAKS_ANYWHERE_MAX);
    }

    #[tokio::test]
    async fn the_watchdog_wakes_when_nothing_goes_forward_and_not_before() {
        let pulse = Pulse::default();
        let limit = Duration::from_millis(200);
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            pulse.beat();
            assert!(tokio::time::timeout(Duration::from_millis(1), pulse.stalled(limit)).await.is_err());
        }
        tokio::time::timeout(Duration::from_secs(5), pulse.stalled(limit)).await.unwrap();
    }
}
