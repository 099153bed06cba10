//! A logged-in session. One owner, one command at a time, a deadline on every read; the first stream error ends it.

use std::{collections::BTreeSet, time::Duration};

use async_imap::imap_proto::{AttributeValue, Capability, MailboxDatum, RequestId, Response, Status};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{Instant, timeout};

use super::{
    Fetched, FolderState, ImapSettings, Probe, Woken,
    answer::{internal_date, refusal, tagged, uidvalidity},
    connect::{Stream, connect},
    spool::Spool,
};
use crate::edge::{
    fault::{Fault, FaultKind},
    mailbox::body::Body,
};

/// A mail of which less than this comes within one read's time-out, in bytes, does not come at all.
const TRICKLE_BYTES: u64 = 64 * 1024;

/// A session over any stream.
#[derive(Debug)]
pub struct Session {
    inner: async_imap::Session<Box<dyn Stream>>,
    capabilities: BTreeSet<String>,
    server: Option<String>,
    read_timeout: Duration,
    /// The fetch command under way.
    fetching: Option<RequestId>,
    spool: Spool,
    /// What the spool had counted when the fetch began.
    received_before: u64,
}

impl Session {
    /// Connects, logs in, reads the capabilities anew, and says who we are where the server asks (NetEase refuses every folder
    /// to clients that do not, on each connection).
    ///
    /// # Errors
    /// A fault; a refused login is told apart from a broken network.
    pub async fn open(settings: &ImapSettings, password: &SecretString) -> Result<Self, Fault> {
        let spool = Spool::new(settings.spool.clone());
        let client = connect(settings, &spool).await?;
        let login = client.login(&settings.username, password.expose_secret());
        let inner = timeout(settings.read_timeout, login)
            .await
            .map_err(|_| Fault::later(format!("{} did not answer LOGIN in time", settings.host)))?
            .map_err(|(error, _)| login_fault(&error))?;
        let (capabilities, read_timeout) = (BTreeSet::new(), settings.read_timeout);
        let mut session = Self { inner, capabilities, server: None, read_timeout, fetching: None, spool, received_before: 0 };
        session.read_capabilities().await?;
        if session.capabilities.contains("ID") && !settings.id.is_empty() {
            session.say_who_we_are(&settings.id).await?;
        }
        Ok(session)
    }

    async fn read_capabilities(&mut self) -> Result<(), Fault> {
        let mut found = BTreeSet::new();
        self.command("CAPABILITY", "CAPABILITY", |response| {
            if let Response::Capabilities(list) = response {
                found.extend(list.iter().map(|capability| match capability {
                    Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
                    Capability::Auth(name) => format!("AUTH={}", name.to_ascii_uppercase()),
                    Capability::Atom(name) => name.to_ascii_uppercase(),
                }));
            }
        })
        .await?;
        self.capabilities = found;
        Ok(())
    }

    /// `ID ("name" "annexd" …)`: one parenthesised list of quoted strings, the only form NetEase takes.
    async fn say_who_we_are(&mut self, id: &[(String, String)]) -> Result<(), Fault> {
        let list: Vec<String> = id.iter().map(|(name, value)| format!("{} {}", quoted(name), quoted(value))).collect();
        let mut server = None;
        self.command("ID", &format!("ID ({})", list.join(" ")), |response| {
            if let Response::Id(Some(fields)) = response {
                let mut pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
                pairs.sort();
                server = Some(pairs.join(" "));
            }
        })
        .await?;
        self.server = server;
        Ok(())
    }

    /// Opens a folder read-only. The name is given in plain Unicode.
    ///
    /// # Errors
    /// A fault; "Unsafe Login" is its own kind.
    pub async fn examine(&mut self, folder: &str) -> Result<FolderState, Fault> {
        let name = quoted(&utf7_imap::encode_utf7_imap(folder.to_owned()));
        let mut state = FolderState { uidvalidity: 0, exists: 0 };
        self.command("EXAMINE", &format!("EXAMINE {name}"), |response| match response {
            Response::MailboxData(MailboxDatum::Exists(exists)) => state.exists = *exists,
            Response::Data { outcome, .. } => state.uidvalidity = uidvalidity(outcome).unwrap_or(state.uidvalidity),
            _ => {}
        })
        .await?;
        Ok(state)
    }

    /// UIDs from `from_uid` up, ascending. `n:*` names the last mail even when n lies beyond it, so smaller ones are dropped.
    ///
    /// # Errors
    /// A fault; a refusal is never an empty answer.
    pub async fn search(&mut self, from_uid: u32) -> Result<Vec<u32>, Fault> {
        let mut uids = BTreeSet::new();
        self.command("UID SEARCH", &format!("UID SEARCH UID {from_uid}:*"), |response| {
            if let Response::MailboxData(MailboxDatum::Search(found)) = response {
                uids.extend(found.iter().copied().filter(|uid| *uid >= from_uid));
            }
        })
        .await?;
        Ok(uids.into_iter().collect())
    }

    /// Asks for mails; take them one by one with [`Session::next_fetched`]. `uids` must be ascending.
    ///
    /// # Errors
    /// A fault of the connection.
    pub async fn start_fetch(&mut self, uids: &[u32]) -> Result<(), Fault> {
        let set: Vec<String> = uids.iter().map(u32::to_string).collect();
        let id = self.send(&format!("UID FETCH {} (UID INTERNALDATE RFC822.SIZE BODY.PEEK[])", set.join(","))).await?;
        self.fetching = Some(id);
        self.received_before = self.spool.received();
        Ok(())
    }

    /// The next mail of the fetch under way; `None` when the server says it is complete. A large mail may take longer than one
    /// read's time-out, as long as it keeps coming; `coming` is told so.
    ///
    /// # Errors
    /// A fault; also where the server refuses the fetch, or this machine's disk cannot take the mail.
    pub async fn next_fetched(&mut self, coming: impl Fn()) -> Result<Option<Fetched>, Fault> {
        let Some(id) = self.fetching.clone() else { return Ok(None) };
        let spool = self.spool.clone();
        let take = |response: &Response<'_>| match response {
            Response::Fetch(_, attributes) => Ok(fetched(attributes, &spool).map_or(Step::Other, |mail| Step::Mail(Box::new(mail)))),
            Response::Done { tag, status, outcome } if *tag == id => tagged("UID FETCH", status, outcome).map(|()| Step::Done),
            other => goodbye("UID FETCH", other).map(|()| Step::Other),
        };
        let mut received = spool.received();
        let ended = loop {
            match timeout(self.read_timeout, self.read_unbounded(take)).await {
                Ok(Ok(Step::Mail(mail))) => return Ok(Some(*mail)),
                Ok(Ok(Step::Other)) => {}
                Ok(Ok(Step::Done)) => break Ok(None),
                Ok(Err(fault)) => break Err(fault),
                Err(_) if spool.received().saturating_sub(received) >= TRICKLE_BYTES => coming(),
                Err(_) => break Err(slow("UID FETCH")),
            }
            received = spool.received();
        };
        self.fetching = None;
        ended.map_err(|fault| match spool.failure() {
            Some(what) => Fault { kind: FaultKind::Disk, what: format!("a mail could not be written to disk: {what}") },
            None => fault,
        })
    }

    /// Bytes of mails that have come since the latest fetch began, the one in hand included.
    #[must_use]
    pub fn received_bytes(&self) -> u64 {
        self.spool.received().saturating_sub(self.received_before)
    }

    /// Whether the server announces IDLE.
    #[must_use]
    pub fn can_idle(&self) -> bool {
        self.capabilities.contains("IDLE")
    }

    /// Waits in IDLE until mail comes or the time is over.
    ///
    /// # Errors
    /// A fault; also where the server closes the connection.
    pub async fn idle(&mut self, wait: Duration) -> Result<Woken, Fault> {
        let id = self.send("IDLE").await?;
        let end = Instant::now() + wait;
        let mut woken = Woken::TimedOut;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let heard = self.read_unbounded(|response| match response {
                Response::MailboxData(MailboxDatum::Exists(_) | MailboxDatum::Recent(_)) => Ok(Heard::NewMail),
                Response::Done { tag, status, outcome } if *tag == id => tagged("IDLE", status, outcome).map(|()| Heard::Done),
                other => goodbye("IDLE", other).map(|()| Heard::Other),
            });
            let Ok(heard) = timeout(left, heard).await else { break };
            match heard? {
                Heard::NewMail => {
                    woken = Woken::NewMail;
                    break;
                }
                Heard::Done => return Ok(woken),
                Heard::Other => {}
            }
        }
        let done = self.inner.run_command_untagged("DONE");
        timeout(self.read_timeout, done).await.map_err(|_| slow("DONE"))?.map_err(|error| broken("DONE", &error))?;
        self.finish("IDLE", &id, |response| {
            if matches!(response, Response::MailboxData(MailboxDatum::Exists(_))) {
                woken = Woken::NewMail;
            }
        })
        .await?;
        Ok(woken)
    }

    /// Read-only look at what the server can do and what the folders hold.
    ///
    /// # Errors
    /// A fault, for the first folder that cannot be opened.
    pub async fn probe(&mut self, folders: &[String]) -> Result<Probe, Fault> {
        let mut found = Vec::new();
        for folder in folders {
            found.push((folder.clone(), self.examine(folder).await?));
        }
        Ok(Probe { capabilities: self.capabilities.iter().cloned().collect(), server: self.server.clone(), folders: found })
    }

    /// Says goodbye; errors do not matter any more.
    pub async fn logout(mut self) {
        let _ = timeout(self.read_timeout, self.inner.logout()).await;
    }

    /// One command: send, hand every untagged response to `take`, look at the tagged answer.
    pub(super) async fn command(&mut self, name: &str, command: &str, take: impl FnMut(&Response<'_>)) -> Result<(), Fault> {
        let id = self.send(command).await?;
        self.finish(name, &id, take).await
    }

    async fn finish(&mut self, name: &str, id: &RequestId, mut take: impl FnMut(&Response<'_>)) -> Result<(), Fault> {
        loop {
            let done = self
                .read(self.read_timeout, |response| match response {
                    Response::Done { tag, status, outcome } if tag == id => tagged(name, status, outcome).map(|()| true),
                    other => {
                        goodbye(name, other)?;
                        take(other);
                        Ok(false)
                    }
                })
                .await?;
            if done {
                return Ok(());
            }
        }
    }

    async fn send(&mut self, command: &str) -> Result<RequestId, Fault> {
        let name = command.split(' ').next().unwrap_or_default();
        timeout(self.read_timeout, self.inner.run_command(command)).await.map_err(|_| slow(name))?.map_err(|error| broken(name, &error))
    }

    async fn read<T>(&mut self, wait: Duration, take: impl FnOnce(&Response<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        timeout(wait, self.read_unbounded(take)).await.map_err(|_| slow("a command"))?
    }

    async fn read_unbounded<T>(&mut self, take: impl FnOnce(&Response<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        match self.inner.read_response().await {
            Ok(Some(response)) => take(response.parsed()),
            Ok(None) => Err(Fault::later("the server closed the connection")),
            Err(error) => Err(broken("a response", &error)),
        }
    }
}

/// What a response means to a fetch under way.
enum Step {
    Mail(Box<Fetched>),
    Other,
    Done,
}

/// What a response means to a wait in IDLE.
enum Heard {
    NewMail,
    Other,
    Done,
}

fn fetched(attributes: &[AttributeValue<'_>], spool: &Spool) -> Option<Fetched> {
    let (mut uid, mut raw, mut date) = (None, None, None);
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(value) => uid = Some(*value),
            // No mail is empty: one that comes so is one that the server does not deliver yet.
            AttributeValue::BodySection { data: Some(data), section: None, .. } | AttributeValue::Rfc822(Some(data))
                if !data.is_empty() =>
            {
                raw = Some(spool.take(data).map_or_else(|| Body::Bytes(data.to_vec()), Body::Spooled));
            }
            AttributeValue::InternalDate(text) => date = internal_date(text),
            _ => {}
        }
    }
    Some(Fetched { uid: uid?, internal_date: date, raw: raw? })
}

/// An untagged BYE ends the session with the server's reason.
fn goodbye(command: &str, response: &Response<'_>) -> Result<(), Fault> {
    match response {
        Response::Data { status: Status::Bye, outcome } => {
            Err(refusal(command, &Status::Bye, outcome.information.as_deref().unwrap_or("no reason given")))
        }
        _ => Ok(()),
    }
}

/// The library's login error; only a refusal in words is about the credentials.
fn login_fault(error: &async_imap::error::Error) -> Fault {
    match error {
        async_imap::error::Error::No(text) | async_imap::error::Error::Bad(text) => refusal("LOGIN", &Status::No, text),
        other => Fault { kind: FaultKind::Later, what: format!("LOGIN was not answered: {other}") },
    }
}

fn slow(command: &str) -> Fault {
    Fault::later(format!("the server did not answer {command} in time"))
}

fn broken(command: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::later(format!("the connection broke at {command}: {error}"))
}

/// A quoted string (RFC 3501 section 9); line breaks cannot stand in one and are dropped.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .filter(|c| !matches!(c, '\r' | '\n' | '\0'))
        .flat_map(|c| if matches!(c, '"' | '\\') { vec!['\\', c] } else { vec![c] })
        .collect();
    format!("\"{escaped}\"")
}
