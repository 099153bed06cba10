//! One connection of the scripted NetEase mailbox: a command comes in, its answers go out.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard},
};

use regex::Regex;

use super::{
    FOLDERS, Heard, Lines, Lying, Quirks, State,
    sets::{search, uids_of},
};

const CAPABILITIES: &str =
    "IMAP4rev1 XLIST SPECIAL-USE ID LITERAL+ STARTTLS XAPPLEPUSHSERVICE UIDPLUS X-CM-EXT-1 APPENDLIMIT=71680000 SASL-IR AUTH=XOAUTH2";
const FLAGS: &str = "\\Answered \\Seen \\Deleted \\Draft \\Flagged";
const ID: &str = r#"^\((?:"[^"\\]*" "[^"\\]*")(?: "[^"\\]*" "[^"\\]*")*\)$"#;
/// What a message's data may be asked by.
const ITEMS: [&str; 10] =
    ["UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODY.PEEK[]", "BODY.PEEK[HEADER]", "BODY[]", "RFC822", "ENVELOPE", "BODYSTRUCTURE"];

/// A connection and what it has said so far.
pub struct Session {
    lines: Lines,
    state: Arc<Mutex<State>>,
    logged_in: bool,
    identified: bool,
    /// Wire name and whether it was opened read-only.
    open: Option<(String, bool)>,
}

/// Whether to go on.
enum Then {
    Next,
    Close,
}

impl Session {
    pub fn new(lines: Lines, state: Arc<Mutex<State>>) -> Self {
        Self { lines, state, logged_in: false, identified: false, open: None }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn quirks(&self) -> Quirks {
        self.state().quirks.clone()
    }

    fn offence(&self, what: &str) {
        let connection = self.lines.connection;
        self.state().offences.push(format!("connection {connection}: {what}"));
    }

    /// The mails of a folder that the window shows.
    fn shown(&self, folder: &str) -> BTreeMap<u32, Lying> {
        let state = self.state();
        let window = state.quirks.window_days.unwrap_or(i64::MAX);
        let mails = state.folders.get(folder).into_iter().flatten();
        mails.filter(|(_, mail)| mail.age_days < window).map(|(uid, mail)| (*uid, mail.clone())).collect()
    }
}

/// Greets, and answers until one side is done.
pub async fn serve(mut session: Session) -> io::Result<()> {
    session.lines.say("* OK Coremail System IMap Server Ready(163com[10774b260cc7a37d26d71b52404dcf5c])").await?;
    loop {
        let wait = session.quirks().idle_close;
        let Some(line) = read_command(&mut session, wait).await? else { return Ok(()) };
        let (tag, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let (verb, arguments) = rest.split_once(' ').unwrap_or((rest, ""));
        let verb = verb.to_ascii_uppercase();
        let told = if verb == "LOGIN" { format!("LOGIN {} ***", arguments.split(' ').next().unwrap_or_default()) } else { rest.to_owned() };
        let heard = Heard { connection: session.lines.connection, command: told };
        session.state().heard.push(heard);
        if !tag.starts_with(|c: char| c.is_ascii_alphabetic()) {
            session.offence(&format!("the tag {tag} does not start with a letter"));
        }
        tokio::time::sleep(session.quirks().delay).await;
        for stray in session.quirks().stray_lines {
            session.lines.say(&stray).await?;
        }
        if let Then::Close = answer(&mut session, tag, &verb, arguments).await? {
            return Ok(());
        }
    }
}

/// One command with its literals put in.
async fn read_command(session: &mut Session, wait: std::time::Duration) -> io::Result<Option<String>> {
    let literal = Regex::new(r"\{(\d+)(\+?)\}$").unwrap();
    let mut command = String::new();
    loop {
        let Some(line) = session.lines.read(wait).await else { return Ok(None) };
        command.push_str(&String::from_utf8_lossy(&line));
        let Some((count, eager)) = literal.captures(&command).map(|hit| (hit[1].parse::<usize>().unwrap_or(0), !hit[2].is_empty())) else {
            return Ok(Some(command));
        };
        if !eager {
            session.lines.say("+ Ready for additional command text").await?;
        }
        let Some(bytes) = session.lines.exactly(count.min(80_000_000)).await else { return Ok(None) };
        let start = literal.find(&command).map_or(0, |hit| hit.start());
        command.truncate(start);
        command.push_str(&String::from_utf8_lossy(&bytes));
    }
}

async fn answer(session: &mut Session, tag: &str, verb: &str, arguments: &str) -> io::Result<Then> {
    match verb {
        "CAPABILITY" => {
            session.lines.say(&format!("* CAPABILITY {CAPABILITIES}")).await?;
            session.lines.say(&format!("{tag} OK CAPABILITY completed")).await?;
        }
        "NOOP" | "CHECK" => session.lines.say(&format!("{tag} OK {verb} completed")).await?,
        "LOGOUT" => {
            session.lines.say("* BYE IMAP4rev1 Server logging out").await?;
            session.lines.say(&format!("{tag} OK LOGOUT completed")).await?;
            return Ok(Then::Close);
        }
        "LOGIN" => return login(session, tag, arguments).await,
        "ID" => identify(session, tag, arguments).await?,
        _ if !session.logged_in => session.lines.say(&format!("{tag} BAD {verb} Please login first")).await?,
        "LIST" | "XLIST" | "LSUB" => list(session, tag, verb).await?,
        "STATUS" => {
            let folder = folder_name(arguments);
            session.lines.say(&format!("* STATUS \"{folder}\" ()")).await?;
            session.lines.say(&format!("{tag} OK STATUS completed")).await?;
        }
        "SELECT" | "EXAMINE" => open(session, tag, verb, arguments).await?,
        "CLOSE" => {
            session.open = None;
            session.lines.say(&format!("{tag} OK CLOSE completed")).await?;
        }
        "UID" => return by_uid(session, tag, arguments).await,
        _ => return unknown(session, tag, verb).await,
    }
    Ok(Then::Next)
}

async fn unknown(session: &mut Session, tag: &str, what: &str) -> io::Result<Then> {
    session.offence(&format!("{what} is not known here"));
    if session.quirks().drop_on_unknown {
        return Ok(Then::Close);
    }
    session.lines.say(&format!("{tag} BAD {what} command error or not supported")).await?;
    Ok(Then::Next)
}

async fn login(session: &mut Session, tag: &str, arguments: &str) -> io::Result<Then> {
    let words: Vec<String> = Regex::new(r#""((?:[^"\\]|\\.)*)"|(\S+)"#)
        .unwrap()
        .captures_iter(arguments)
        .map(|hit| hit.get(1).or(hit.get(2)).map_or("", |text| text.as_str()).replace("\\\"", "\"").replace("\\\\", "\\"))
        .collect();
    let right = {
        let mut state = session.state();
        let throttled = state.quirks.refuse_logins > 0;
        state.quirks.refuse_logins = state.quirks.refuse_logins.saturating_sub(1);
        let right = !throttled && words == [state.account.clone(), state.password.clone()];
        if right {
            state.logins += 1;
        } else {
            state.refused += 1;
        }
        right
    };
    if right {
        session.logged_in = true;
        session.lines.say(&format!("{tag} OK LOGIN completed")).await?;
    } else {
        session.lines.say(&format!("{tag} NO LOGIN Login error or password error")).await?;
    }
    Ok(Then::Next)
}

/// One parenthesised list of quoted strings in pairs, or NIL.
async fn identify(session: &mut Session, tag: &str, arguments: &str) -> io::Result<()> {
    if arguments != "NIL" && !Regex::new(ID).unwrap().is_match(arguments) {
        session.offence(&format!("ID {arguments} has a syntax of its own"));
        return session.lines.say(&format!("{tag} BAD ID command error")).await;
    }
    // Before LOGIN it is answered, and forgotten.
    session.identified = session.logged_in && arguments != "NIL";
    session.lines.say("* ID (\"name\" \"Coremail Imap\" \"vendor\" \"Mailtech\" \"TransID\" \"-lab-1\")").await?;
    session.lines.say(&format!("{tag} OK ID completed")).await
}

async fn list(session: &mut Session, tag: &str, verb: &str) -> io::Result<()> {
    for (name, _, special) in FOLDERS {
        let attributes = if special.is_empty() { String::new() } else { special.to_owned() };
        session.lines.say(&format!("* {verb} ({attributes}) \"/\" \"{name}\"")).await?;
    }
    session.lines.say(&format!("{tag} OK {verb} completed")).await
}

async fn open(session: &mut Session, tag: &str, verb: &str, arguments: &str) -> io::Result<()> {
    if !session.identified || session.quirks().unsafe_anyway {
        return session.lines.say(&format!("{tag} NO {verb} Unsafe Login. Please contact kefu@188.com for help")).await;
    }
    let name = folder_name(arguments);
    let Some((_, validity, _)) = FOLDERS.iter().find(|(known, _, _)| *known == name) else {
        return session.lines.say(&format!("{tag} NO {verb} Folder not exist")).await;
    };
    let count = session.shown(&name).len();
    session.open = Some((name, verb == "EXAMINE"));
    for line in [
        format!("* {count} EXISTS"),
        "* 0 RECENT".to_owned(),
        format!("* OK [UIDVALIDITY {validity}] UIDs valid"),
        format!("* FLAGS ({FLAGS})"),
        format!("* OK [PERMANENTFLAGS ({FLAGS})] Limited"),
    ] {
        session.lines.say(&line).await?;
    }
    let access = if verb == "EXAMINE" { "READ-ONLY" } else { "READ-WRITE" };
    session.lines.say(&format!("{tag} OK [{access}] {verb} completed")).await
}

async fn by_uid(session: &mut Session, tag: &str, arguments: &str) -> io::Result<Then> {
    let (verb, rest) = arguments.split_once(' ').unwrap_or((arguments, ""));
    let Some((folder, read_only)) = session.open.clone() else {
        session.lines.say(&format!("{tag} BAD UID no folder is open")).await?;
        return Ok(Then::Next);
    };
    match verb.to_ascii_uppercase().as_str() {
        "SEARCH" => {
            let mails = session.shown(&folder);
            match search(rest, &mails) {
                Ok(uids) => {
                    let uids: Vec<String> = uids.iter().map(u32::to_string).collect();
                    session.lines.say(format!("* SEARCH {}", uids.join(" ")).trim_end()).await?;
                    session.lines.say(&format!("{tag} OK UID SEARCH completed")).await?;
                }
                Err(why) => {
                    session.offence(&format!("UID SEARCH {rest}: {why}"));
                    session.lines.say(&format!("{tag} BAD UID SEARCH {why}")).await?;
                }
            }
            Ok(Then::Next)
        }
        "FETCH" => fetch(session, tag, &folder, read_only, rest).await,
        other => unknown(session, tag, &format!("UID {other}")).await,
    }
}

async fn fetch(session: &mut Session, tag: &str, folder: &str, read_only: bool, rest: &str) -> io::Result<Then> {
    let (set, items) = rest.split_once(' ').unwrap_or((rest, ""));
    let items: Vec<String> = items.trim_matches(['(', ')']).split(' ').map(str::to_ascii_uppercase).collect();
    let mails = session.shown(folder);
    let uids = match uids_of(set, &mails) {
        Ok(uids) if items.iter().all(|item| ITEMS.contains(&item.as_str())) => uids,
        Ok(_) => {
            session.offence(&format!("FETCH asks for {items:?}"));
            session.lines.say(&format!("{tag} BAD UID FETCH invalid argument")).await?;
            return Ok(Then::Next);
        }
        Err(why) => {
            session.offence(&format!("UID FETCH {set}: {why}"));
            session.lines.say(&format!("{tag} BAD {why}")).await?;
            return Ok(Then::Next);
        }
    };
    for (number, (uid, mail)) in (1..).zip(mails.iter()).filter(|(_, (uid, mail))| uids.contains(uid) && !mail.ghost) {
        let mut out = format!("* {number} FETCH (").into_bytes();
        let whole = items.iter().any(|item| item.contains("[]") || item == "RFC822");
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(&datum(item, *uid, mail, session.quirks().size_error));
        }
        // The library under test may or may not have asked for it; the answer always has it.
        if !items.iter().any(|item| item == "UID") {
            out.extend_from_slice(format!(" UID {uid}").as_bytes());
        }
        out.extend_from_slice(b")\r\n");
        let cut = {
            let mut state = session.state();
            let by_chance = whole && state.quirks.cut_literals > 0;
            state.quirks.cut_literals -= u32::from(by_chance);
            let cut = by_chance || whole && state.quirks.poison == Some(*uid);
            if !read_only && items.iter().any(|item| item == "BODY[]" || item == "RFC822") {
                state.folders.get_mut(folder).and_then(|mails| mails.get_mut(uid)).unwrap().seen = true;
            }
            cut
        };
        if cut {
            session.lines.send(&out[..out.len() / 2]).await?;
            return Ok(Then::Close);
        }
        session.lines.send(&out).await?;
    }
    session.lines.say(&format!("{tag} OK UID FETCH completed")).await?;
    Ok(Then::Next)
}

fn datum(item: &str, uid: u32, mail: &Lying, size_error: i64) -> Vec<u8> {
    match item {
        "UID" => format!("UID {uid}").into_bytes(),
        "FLAGS" => format!("FLAGS ({})", if mail.seen { "\\Seen" } else { "" }).into_bytes(),
        "INTERNALDATE" => format!("INTERNALDATE \"{}\"", internal_date(mail.age_days)).into_bytes(),
        "RFC822.SIZE" => {
            let size = i64::try_from(mail.raw.len()).unwrap_or(i64::MAX).saturating_add(size_error).max(0);
            format!("RFC822.SIZE {size}").into_bytes()
        }
        // Unescaped quotes and a raw line break, as seen.
        "BODYSTRUCTURE" => b"BODYSTRUCTURE (\"TEXT\" \"PLAIN\" (\"NAME\" \"\xb8\xbd\xbc\xfe\"1\".docx\") NIL NIL".to_vec(),
        "ENVELOPE" => b"ENVELOPE (\"Mon, 5 Aug 2024\" \"a \r\n b\" NIL".to_vec(),
        "BODY.PEEK[HEADER]" => {
            let end = mail.raw.windows(4).position(|four| four == b"\r\n\r\n").map_or(mail.raw.len(), |at| at + 4);
            let mut out = format!("BODY[HEADER] {{{end}}}\r\n").into_bytes();
            out.extend_from_slice(&mail.raw[..end]);
            out
        }
        _ => {
            let name = if item == "RFC822" { "RFC822" } else { "BODY[]" };
            let mut out = format!("{name} {{{}}}\r\n", mail.raw.len()).into_bytes();
            out.extend_from_slice(&mail.raw);
            out
        }
    }
}

/// `05-Aug-2024 10:00:00 +0000`, so many days before today.
fn internal_date(age_days: i64) -> String {
    #[allow(clippy::disallowed_methods)]
    let now = jiff::Timestamp::now();
    let then = now.checked_sub(jiff::SignedDuration::from_hours(24 * age_days)).unwrap();
    then.strftime("%d-%b-%Y %H:%M:%S +0000").to_string()
}

/// A folder argument, quoted or not.
fn folder_name(arguments: &str) -> String {
    match arguments.strip_prefix('"') {
        Some(rest) => rest.split('"').next().unwrap_or_default().to_owned(),
        None => arguments.split(' ').next().unwrap_or_default().to_owned(),
    }
}
