//! What lies around the folders that are taken in: folders that are not there, mail held back as a virus, mail hidden by the web
//! setting 收取最近30天邮件. Nothing of it is an error; people are told.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::House;
use crate::{
    config::{ImapConfig, NETEASE_STRAY},
    edge::{fault::Fault, mailbox::imap::Session},
};

/// Folders in which NetEase holds mails back as infected. They are counted, never read.
const VIRUS: [&str; 2] = ["病毒文件夹", "病毒邮件"];
/// The web setting hides what is older than 30 days.
const WINDOW_DAYS: i64 = 31;
/// With so many mails and none older than the window, the setting is likely even where nothing older was ever seen.
const LIKELY_FROM_MAILS: usize = 30;

/// Names under which the store remembers what was found; an empty text says that all is well.
pub const VIRUS_NOTE: &str = "mailbox_note:virus";
pub const WINDOW_NOTE: &str = "mailbox_note:window";
pub const FOLDERS_NOTE: &str = "mailbox_note:folders";

/// What a look at the account's folders showed.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Watched and there.
    pub present: Vec<String>,
    /// Configured by name and not there.
    pub absent: Vec<String>,
    /// Watched where they are there, and not there.
    pub lacking: Vec<String>,
    /// Spam folders that are there and not configured.
    pub unwatched: Vec<String>,
    /// Folders of infected mail, with the number of mails.
    pub infected: Vec<(String, u32)>,
}

/// Looks at the account's folders; opens only those of infected mail, to count.
///
/// # Errors
/// A fault of the connection.
pub async fn survey(config: &ImapConfig, session: &mut Session) -> Result<Survey, Fault> {
    let there = session.folders().await?;
    let is_there = |name: &str| there.is_empty() || name.eq_ignore_ascii_case("INBOX") || there.contains(name);
    let (mut present, absent): (Vec<String>, Vec<String>) = config.folders.iter().cloned().partition(|name| is_there(name));
    let (more, lacking): (Vec<String>, Vec<String>) = config.folders_if_there.iter().cloned().partition(|name| there.contains(name));
    present.extend(more);
    let watched = |name: &str| config.folders.iter().chain(&config.folders_if_there).any(|folder| folder == name);
    let unwatched = NETEASE_STRAY.iter().filter(|name| there.contains(**name) && !watched(name)).map(|name| (*name).to_owned()).collect();
    let mut infected = Vec::new();
    for name in VIRUS.iter().filter(|name| there.contains(**name) && !watched(name)) {
        infected.push(((*name).to_owned(), session.examine(name).await?.exists));
    }
    Ok(Survey { present, absent, lacking, unwatched, infected })
}

impl Survey {
    /// Remembers what people should know.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn note(&self, house: &House) -> anyhow::Result<()> {
        let list: Vec<String> =
            self.infected.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name}{count}封")).collect();
        if !list.is_empty() {
            tracing::warn!(folders = ?self.infected, "The provider holds mails back as infected; they are not read.");
        }
        house.store.note_health(VIRUS_NOTE, &list.join("、"), house.now()).await?;
        if !self.absent.is_empty() {
            tracing::warn!(folders = ?self.absent, "The account has no such folders; they are left out.");
        }
        house.store.note_health(FOLDERS_NOTE, &self.absent.join("、"), house.now()).await.map_err(Into::into)
    }
}

/// Compares the ages of what is shown with the ages of what was ever seen there.
///
/// # Errors
/// When the store cannot be used.
pub async fn look_for_window(house: &House, mailbox: &str, folder: &str, uidvalidity: u32, listed: &BTreeSet<u32>) -> anyhow::Result<()> {
    let arrivals = house.store.arrivals(mailbox, folder, uidvalidity).await?;
    let said = hidden(&arrivals, listed, house.now());
    if !said.is_empty() {
        tracing::warn!(folder, shown = listed.len(), "The server shows no mail older than {WINDOW_DAYS} days: {said}");
    }
    house.store.note_health(WINDOW_NOTE, said, house.now()).await?;
    Ok(())
}

/// Why the window seems to be on; empty where it does not.
fn hidden(arrivals: &[(u32, Timestamp)], listed: &BTreeSet<u32>, now: Timestamp) -> &'static str {
    let old = |at: &Timestamp| now.duration_since(*at) > SignedDuration::from_hours(24 * WINDOW_DAYS);
    let shown: Vec<&Timestamp> = arrivals.iter().filter(|(uid, _)| listed.contains(uid)).map(|(_, at)| at).collect();
    if shown.iter().any(|at| old(at)) {
        return "";
    }
    let old_unseen = arrivals.iter().filter(|(uid, at)| old(at) && !listed.contains(uid)).count();
    if old_unseen > 0 {
        return "以前收取过的邮件现在不再显示";
    }
    let near = |at: &&&Timestamp| now.duration_since(***at) > SignedDuration::from_hours(24 * (WINDOW_DAYS - 4));
    if shown.len() >= LIKELY_FROM_MAILS && shown.iter().filter(near).count() > 0 {
        return "邮件很多，却没有一封早于30天";
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_suspected_only_where_older_mail_must_be_there() {
        let now: Timestamp = "2024-08-15T00:00:00Z".parse().unwrap();
        let aged = |uid: u32, days: i64| (uid, now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap());
        let all = |arrivals: &[(u32, Timestamp)]| arrivals.iter().map(|(uid, _)| *uid).collect::<BTreeSet<u32>>();
        let young = [aged(5, 3), aged(6, 20)];
        assert_eq!(hidden(&young, &all(&young), now), "");
        let with_old = [aged(1, 45), aged(5, 3)];
        assert_eq!(hidden(&with_old, &all(&with_old), now), "");
        assert_ne!(hidden(&with_old, &BTreeSet::from([5]), now), "");
        let many: Vec<(u32, Timestamp)> = (0..40).map(|uid| aged(uid + 1, i64::from(uid) * 29 / 39)).collect();
        assert_ne!(hidden(&many, &all(&many), now), "");
        assert_eq!(hidden(&[], &BTreeSet::new(), now), "");
    }
}
