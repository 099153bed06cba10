//! A scripted NetEase SMTP server: its rules about senders, its `XX:YYY` tokens, its quotas, its sudden closes.
//!
//! Without a script it takes what `smtp.163.com` takes: AUTH LOGIN or PLAIN with the right code, MAIL FROM and the header From equal
//! to the login, no null sender. [`FakeSmtp::next`] and [`FakeSmtp::always`] put other answers in.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    certificates::Certificates,
    lines::{Lines, Serving},
};

mod tokens;

pub use tokens::TOKENS;

/// Where a scripted answer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    Connect,
    Ehlo,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// After the dot that ends a mail.
    Content,
}

/// What to do there instead.
#[derive(Debug, Clone)]
pub enum Act {
    /// One or more lines, without the last CR LF.
    Say(Vec<u8>),
    SayAndClose(Vec<u8>),
    /// The connection goes without a word; a mail is not taken.
    Close,
    /// The mail is taken, the answer never comes: the client cannot know.
    TakeAndClose,
    /// Nothing happens until the client gives up.
    Hang,
}

impl Act {
    pub fn say(line: &str) -> Self {
        Self::Say(line.as_bytes().to_vec())
    }

    /// The text in GBK, as such servers send Chinese.
    pub fn say_gbk(line: &str) -> Self {
        Self::Say(encoding_rs::GBK.encode(line).0.into_owned())
    }
}

/// A mail that the server has taken.
#[derive(Debug, Clone)]
pub struct Taken {
    pub raw: Vec<u8>,
}

type File = Box<dyn Fn(&[u8]) + Send + Sync>;

/// Everything the connections share.
struct State {
    account: String,
    password: String,
    once: BTreeMap<Verb, VecDeque<Act>>,
    always: BTreeMap<Verb, Act>,
    /// Mails a day; more are refused with MI:STC.
    per_day: Option<usize>,
    today: usize,
    taken: Vec<Taken>,
    heard: Vec<(u32, String)>,
    on_taken: Option<File>,
}

/// The server, running until dropped.
pub struct FakeSmtp {
    pub port: u16,
    state: Arc<Mutex<State>>,
    _serving: Serving,
}

impl FakeSmtp {
    /// With implicit TLS where certificates are given.
    pub fn start(account: &str, password: &str, certificates: Option<&Certificates>) -> Self {
        let state = Arc::new(Mutex::new(State {
            account: account.to_owned(),
            password: password.to_owned(),
            once: BTreeMap::new(),
            always: BTreeMap::new(),
            per_day: None,
            today: 0,
            taken: Vec::new(),
            heard: Vec::new(),
            on_taken: None,
        }));
        let shared = Arc::clone(&state);
        let serving = Serving::start(certificates.map(Certificates::server_config), move |lines: Lines| {
            let session = Session { lines, state: Arc::clone(&shared), authenticated: false, from: None, to: Vec::new() };
            async move {
                // A client that goes away is no failure of the server.
                let _ = serve(session).await;
            }
        });
        Self { port: serving.port, state, _serving: serving }
    }

    /// The next time this verb comes, do this. Several wait in a row.
    pub fn next(&self, verb: Verb, act: Act) {
        self.state().once.entry(verb).or_default().push_back(act);
    }

    /// Whenever this verb comes, do this; `None` ends it.
    pub fn always(&self, verb: Verb, act: Option<Act>) {
        match act {
            Some(act) => self.state().always.insert(verb, act),
            None => self.state().always.remove(&verb),
        };
    }

    /// Mails a day, counted from now.
    pub fn per_day(&self, count: usize) {
        let mut state = self.state();
        (state.per_day, state.today) = (Some(count), 0);
    }

    /// Midnight in Shanghai.
    pub fn next_day(&self) {
        self.state().today = 0;
    }

    /// Called with each mail taken: 已发送 of the scripted mailbox.
    pub fn on_taken(&self, file: impl Fn(&[u8]) + Send + Sync + 'static) {
        self.state().on_taken = Some(Box::new(file));
    }

    /// Mails taken so far, in order.
    pub fn taken(&self) -> Vec<Taken> {
        self.state().taken.clone()
    }

    /// Every line, with its connection; secrets masked.
    pub fn heard(&self) -> Vec<(u32, String)> {
        self.state().heard.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

struct Session {
    lines: Lines,
    state: Arc<Mutex<State>>,
    authenticated: bool,
    from: Option<String>,
    to: Vec<String>,
}

/// Longest wait for a client's next line.
const WAIT: Duration = Duration::from_secs(60);

impl Session {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The script's act at a verb, or the usual answer.
    fn decide(&self, verb: Verb, usual: &str) -> Act {
        let mut state = self.state();
        let once = state.once.get_mut(&verb).and_then(VecDeque::pop_front);
        once.or_else(|| state.always.get(&verb).cloned()).unwrap_or_else(|| Act::say(usual))
    }

    async fn reply(&mut self, verb: Verb, usual: &str) -> io::Result<(bool, bool)> {
        let act = self.decide(verb, usual);
        self.perform(act).await
    }

    /// Whether the connection goes on, and whether the answer was positive.
    async fn perform(&mut self, act: Act) -> io::Result<(bool, bool)> {
        let positive = |line: &[u8]| line.starts_with(b"2") || line.starts_with(b"3");
        match act {
            Act::Say(line) => {
                self.lines.send(&[&line, b"\r\n".as_slice()].concat()).await?;
                Ok((true, positive(&line)))
            }
            Act::SayAndClose(line) => {
                self.lines.send(&[&line, b"\r\n".as_slice()].concat()).await?;
                Ok((false, positive(&line)))
            }
            Act::Close => Ok((false, false)),
            Act::TakeAndClose => Ok((false, true)),
            Act::Hang => {
                while self.lines.read(Duration::from_secs(3600)).await.is_some() {}
                Ok((false, false))
            }
        }
    }
}

async fn serve(mut session: Session) -> io::Result<()> {
    let (open, welcome) = session.reply(Verb::Connect, "220 163.com Anti-spam GT for Coremail System (163com[20141201])").await?;
    if !open || !welcome {
        return Ok(());
    }
    while let Some(line) = session.lines.read(WAIT).await {
        let line = String::from_utf8_lossy(&line).into_owned();
        let told = if line.to_ascii_uppercase().starts_with("AUTH PLAIN") { "AUTH PLAIN ***".to_owned() } else { line.clone() };
        let connection = session.lines.connection;
        session.state().heard.push((connection, told));
        if !answer(&mut session, &line).await? {
            break;
        }
    }
    Ok(())
}

async fn answer(session: &mut Session, line: &str) -> io::Result<bool> {
    let upper = line.to_ascii_uppercase();
    let verb = upper.split([' ', ':']).next().unwrap_or_default();
    let open = match verb {
        "EHLO" => {
            let usual = "250-mail\r\n250-PIPELINING\r\n250-AUTH LOGIN PLAIN\r\n250-AUTH=LOGIN PLAIN\r\n250-coremail 1Uxr2xKj7kG0xkI17xGrU7I0s8FY2U3Uj8Cz28x1UUUUU7Ic2I0Y2UFRuFzUUCa0xDrUUUUj\r\n250-STARTTLS\r\n250 8BITMIME";
            session.reply(Verb::Ehlo, usual).await?.0
        }
        "HELO" => session.reply(Verb::Ehlo, "250 OK").await?.0,
        "AUTH" => authenticate(session, line).await?,
        "MAIL" => mail_from(session, line).await?,
        "RCPT" => {
            let (open, fine) =
                session.reply(Verb::Rcpt, if session.from.is_some() { "250 Mail OK" } else { "503 bad sequence of commands" }).await?;
            if fine {
                session.to.push(address_of(line));
            }
            open
        }
        "DATA" => data(session).await?,
        "RSET" | "NOOP" => {
            session.from = None;
            session.to.clear();
            session.lines.say("250 OK").await?;
            true
        }
        "QUIT" => {
            session.lines.say("221 Bye").await?;
            false
        }
        _ => {
            session.lines.say("502 Error: command not implemented").await?;
            true
        }
    };
    Ok(open)
}

async fn authenticate(session: &mut Session, line: &str) -> io::Result<bool> {
    let mut words = line.split(' ').skip(1);
    let mechanism = words.next().unwrap_or_default().to_ascii_uppercase();
    let decode = |text: &[u8]| String::from_utf8_lossy(&STANDARD.decode(text).unwrap_or_default()).into_owned();
    let (user, password) = if mechanism == "PLAIN" {
        let given = match words.next() {
            Some(given) => given.as_bytes().to_vec(),
            None => {
                session.lines.say("334 ").await?;
                session.lines.read(WAIT).await.unwrap_or_default()
            }
        };
        let plain = decode(&given);
        let mut parts = plain.split('\0').skip(1);
        (parts.next().unwrap_or_default().to_owned(), parts.next().unwrap_or_default().to_owned())
    } else {
        let user = match words.next() {
            Some(given) => given.as_bytes().to_vec(),
            None => {
                session.lines.say("334 dXNlcm5hbWU6").await?;
                session.lines.read(WAIT).await.unwrap_or_default()
            }
        };
        session.lines.say("334 UGFzc3dvcmQ6").await?;
        (decode(&user), decode(&session.lines.read(WAIT).await.unwrap_or_default()))
    };
    let right = {
        let state = session.state();
        user == state.account && password == state.password
    };
    let usual = if right { "235 Authentication successful" } else { "535 Error: authentication failed" };
    let (open, fine) = session.reply(Verb::Auth, usual).await?;
    session.authenticated = fine;
    Ok(open)
}

async fn mail_from(session: &mut Session, line: &str) -> io::Result<bool> {
    let address = address_of(line);
    let usual = {
        let state = session.state();
        if !session.authenticated {
            "553 authentication is required,163 smtp8"
        } else if address.is_empty() {
            "553 NULL sender is not allowed"
        } else if !address.eq_ignore_ascii_case(&state.account) {
            "553 Mail from must equal authorized user"
        } else if state.per_day.is_some_and(|cap| state.today >= cap) {
            "554 MI:STC 163 smtp8,NQCowABHT2 1722480000"
        } else {
            "250 Mail OK"
        }
    };
    let (open, fine) = session.reply(Verb::Mail, usual).await?;
    if fine {
        session.from = Some(address);
        session.to.clear();
    }
    Ok(open)
}

async fn data(session: &mut Session) -> io::Result<bool> {
    let ready = !session.to.is_empty();
    let (open, go_on) =
        session.reply(Verb::Data, if ready { "354 End data with <CR><LF>.<CR><LF>" } else { "503 bad sequence of commands" }).await?;
    if !open || !go_on {
        return Ok(open);
    }
    let mut raw = Vec::new();
    loop {
        let Some(line) = session.lines.read(WAIT).await else { return Ok(false) };
        if line == b"." {
            break;
        }
        raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        raw.extend_from_slice(b"\r\n");
    }
    let own = header_from_is(&raw, &session.state().account);
    let usual =
        if own { "250 Mail OK queued as smtp11,D8CowACnGKFA0zZfAAAA 1722480000" } else { "554 DT:SUM 163 smtp8,NQCowABHT2 1722480000" };
    let act = session.decide(Verb::Content, usual);
    // Filed before the answer: a client that has its 250 finds the mail taken.
    let taken = match &act {
        Act::Say(line) | Act::SayAndClose(line) => line.starts_with(b"2"),
        Act::TakeAndClose => true,
        Act::Close | Act::Hang => false,
    };
    if taken {
        session.from = None;
        session.to.clear();
        let mail = Taken { raw };
        let mut state = session.state();
        state.today += 1;
        if let Some(file) = &state.on_taken {
            file(&mail.raw);
        }
        state.taken.push(mail);
    }
    Ok(session.perform(act).await?.0)
}

/// Whether the header From names this address.
fn header_from_is(raw: &[u8], account: &str) -> bool {
    let head = String::from_utf8_lossy(raw).to_ascii_lowercase();
    let head = head.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
    head.split("\r\n").any(|line| line.starts_with("from:") && line.contains(&account.to_ascii_lowercase()))
}

fn address_of(line: &str) -> String {
    let inner = line.split_once('<').map_or("", |(_, rest)| rest);
    inner.split('>').next().unwrap_or_default().to_owned()
}
