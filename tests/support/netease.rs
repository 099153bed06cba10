//! A scripted NetEase mailbox: what `imap.163.com` (Coremail) is reported to do, one switch a habit.
//!
//! Always: `ID` demanded after LOGIN on every connection, its exact syntax, `UIDVALIDITY 1` for INBOX, no UIDNEXT, a STATUS answer that
//! no grammar knows, the last mail for `n:*`, empty answers to searches in text, broken BODYSTRUCTURE and ENVELOPE, no IDLE or any
//! other extension. By [`Quirks`]: closed idle connections, throttled and refused logins, a 30-day window, wrong sizes, literals cut
//! in the middle, stray lines. Every line a client says is kept, so that a test can see what annexd asked for.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use super::{
    certificates::Certificates,
    lines::{Lines, Serving},
};

mod commands;
mod sets;

use commands::{Session, serve};

/// Folders as such an account has them, in modified UTF-7 with their UIDVALIDITY and special use.
pub const FOLDERS: [(&str, u32, &str); 8] = [
    ("INBOX", 1, ""),
    ("&g0l6P3ux-", 2, "\\Drafts"),
    ("&XfJT0ZAB-", 3, "\\Sent"),
    ("&XfJSIJZk-", 4, "\\Trash"),
    (JUNK, 1_388_534_400, "\\Junk"),
    (VIRUS, 1_388_534_401, ""),
    (ADVERTS, 1_388_534_402, ""),
    (SUBSCRIPTIONS, 1_388_534_403, ""),
];
/// 垃圾邮件
pub const JUNK: &str = "&V4NXPpCuTvY-";
/// 病毒文件夹
pub const VIRUS: &str = "&dcVr0mWHTvZZOQ-";
/// 广告邮件
pub const ADVERTS: &str = "&Xn9USpCuTvY-";
/// 订阅邮件
pub const SUBSCRIPTIONS: &str = "&i6KWBZCuTvY-";
/// 已发送
pub const SENT: &str = "&XfJT0ZAB-";

/// Habits that differ from day to day.
#[derive(Debug, Clone)]
pub struct Quirks {
    /// A connection that says nothing for so long is closed without a word.
    pub idle_close: Duration,
    /// So many LOGINs from now on are refused although the password is right, as when throttled.
    pub refuse_logins: u32,
    /// "Unsafe Login" in spite of ID, as risk control does.
    pub unsafe_anyway: bool,
    /// Only mails of so many days are shown (收取最近30天邮件).
    pub window_days: Option<i64>,
    /// RFC822.SIZE is off by so many bytes.
    pub size_error: i64,
    /// So many FETCHes from now on break off in the middle of a literal.
    pub cut_literals: u32,
    /// The body of this UID always breaks off in the middle of its literal.
    pub poison: Option<u32>,
    /// Said before each tagged answer.
    pub stray_lines: Vec<String>,
    /// A command it does not know ends the connection (as at QQ); otherwise BAD.
    pub drop_on_unknown: bool,
    /// Time before each answer.
    pub delay: Duration,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            idle_close: Duration::from_secs(200),
            refuse_logins: 0,
            unsafe_anyway: false,
            window_days: None,
            size_error: 0,
            cut_literals: 0,
            poison: None,
            stray_lines: Vec::new(),
            drop_on_unknown: false,
            delay: Duration::ZERO,
        }
    }
}

/// A mail lying there.
#[derive(Debug, Clone)]
pub struct Lying {
    pub raw: Vec<u8>,
    /// Days since it arrived.
    pub age_days: i64,
    /// Listed by SEARCH, not delivered by FETCH.
    pub ghost: bool,
    pub seen: bool,
}

/// One line a client said, passwords masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub connection: u32,
    /// Without the tag.
    pub command: String,
}

/// Everything the connections share.
pub struct State {
    pub account: String,
    pub password: String,
    pub quirks: Quirks,
    /// Folder (wire name) -> UID -> mail.
    pub folders: BTreeMap<String, BTreeMap<u32, Lying>>,
    pub heard: Vec<Heard>,
    /// What such a server would not have understood, with the reason.
    pub offences: Vec<String>,
    pub logins: u32,
    pub refused: u32,
}

/// The server, running until dropped.
pub struct Netease {
    pub port: u16,
    state: Arc<Mutex<State>>,
    _serving: Serving,
}

impl Netease {
    /// Without TLS: fine for loopback.
    pub fn start(account: &str, password: &str) -> Self {
        Self::start_with(account, password, None)
    }

    /// With implicit TLS where certificates are given.
    pub fn start_with(account: &str, password: &str, certificates: Option<&Certificates>) -> Self {
        let state = State {
            account: account.to_owned(),
            password: password.to_owned(),
            quirks: Quirks::default(),
            folders: FOLDERS.iter().map(|(name, _, _)| ((*name).to_owned(), BTreeMap::new())).collect(),
            heard: Vec::new(),
            offences: Vec::new(),
            logins: 0,
            refused: 0,
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let serving = Serving::start(certificates.map(Certificates::server_config), move |lines: Lines| {
            let shared = Arc::clone(&shared);
            async move {
                // A client that goes away is no failure of the server.
                let _ = serve(Session::new(lines, shared)).await;
            }
        });
        Self { port: serving.port, state, _serving: serving }
    }

    /// Changes the habits from now on, on open connections too.
    pub fn quirks(&self, change: impl FnOnce(&mut Quirks)) {
        change(&mut self.state().quirks);
    }

    /// Puts a mail somewhere, arrived today. Any UID: lower than the others for mail that risk control released late.
    pub fn put(&self, folder: &str, uid: u32, raw: &[u8]) {
        self.put_aged(folder, uid, raw, 0);
    }

    /// As [`Netease::put`], arrived some days ago.
    pub fn put_aged(&self, folder: &str, uid: u32, raw: &[u8], age_days: i64) {
        let mail = Lying { raw: super::imap_client::crlf(raw), age_days, ghost: false, seen: false };
        self.state().folders.get_mut(folder).unwrap_or_else(|| panic!("no folder {folder}")).insert(uid, mail);
    }

    /// A UID that SEARCH lists and FETCH does not know.
    pub fn put_ghost(&self, folder: &str, uid: u32) {
        self.put(folder, uid, b"");
        self.change(folder, uid, |mail| mail.ghost = true);
    }

    /// Changes a mail, such as a ghost that becomes real.
    pub fn change(&self, folder: &str, uid: u32, change: impl FnOnce(&mut Lying)) {
        let mut state = self.state();
        change(state.folders.get_mut(folder).and_then(|mails| mails.get_mut(&uid)).unwrap_or_else(|| panic!("no mail {uid} in {folder}")));
    }

    /// A person moves a mail; it gets a new UID.
    pub fn shift(&self, from: &str, uid: u32, to: &str, new_uid: u32) {
        let mut state = self.state();
        let mail = state.folders.get_mut(from).and_then(|mails| mails.remove(&uid)).unwrap_or_else(|| panic!("no mail {uid} in {from}"));
        state.folders.get_mut(to).unwrap_or_else(|| panic!("no folder {to}")).insert(new_uid, mail);
    }

    /// Every command of every connection, in order.
    pub fn heard(&self) -> Vec<Heard> {
        self.state().heard.clone()
    }

    /// Commands and syntax that such a server does not know. Empty for a good client.
    pub fn offences(&self) -> Vec<String> {
        self.state().offences.clone()
    }

    /// LOGINs that succeeded, and that were refused.
    pub fn logins(&self) -> (u32, u32) {
        let state = self.state();
        (state.logins, state.refused)
    }

    /// UIDs whose `\Seen` flag a client has set.
    pub fn seen(&self, folder: &str) -> Vec<u32> {
        self.state().folders.get(folder).into_iter().flatten().filter(|(_, mail)| mail.seen).map(|(uid, _)| *uid).collect()
    }

    /// A hand to put mails into 已发送 from elsewhere: NetEase files there what its SMTP server has taken.
    pub fn sent_folder(&self) -> impl Fn(&[u8]) + Send + Sync + 'static {
        let state = Arc::clone(&self.state);
        move |raw| {
            let mut state = state.lock().unwrap();
            let sent = state.folders.entry(SENT.to_owned()).or_default();
            let uid = sent.keys().last().map_or(1_400_000_000, |last| last + 7);
            sent.insert(uid, Lying { raw: raw.to_vec(), age_days: 0, ghost: false, seen: true });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}
