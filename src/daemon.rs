//! The daemon: builds the edges, starts the loops, drains them on SIGTERM, and says which one ended.

use std::{convert::Infallible, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow};
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Notify;
use tracing::Instrument as _;

use crate::{
    config::{Config, ImapConfig, Installation, MailboxConfig, Role, SecretSource, SmtpConfig, SmtpTransport},
    domain::{tokens::division_token, verdict::Knowledge},
    edge::{
        blobs::Blobs,
        clock::Clock,
        fault::{Fault, FaultKind},
        mailbox::backoff::{Backoff, LoginBreaker},
        reader::{ReaderSettings, Readers},
        smtp::{Outlet, ReadSecret},
        store::{Store, lock::Lock},
        supervisor,
    },
    pipeline::{
        House, alert,
        judging::Judging,
        meters::Meters,
        send::{self, Account, Outlets},
        stop::{Asked, Signals, Stopped},
        summarise,
        turns::{self, Presence, in_turn},
        watch::{self, Memory},
    },
};

pub mod window;

/// A loop that ran for so long before it failed is begun again without a long rest.
const STEADY: Duration = Duration::from_secs(3600);
/// How often a refused secret's file is looked at.
const SECRET_LOOK: Duration = Duration::from_secs(3);
/// How often queue letters and digest are looked at, and letters that wait for a retry.
const TICK: Duration = Duration::from_secs(20);
/// How often a daemon that shares its database looks for what another one took in or wrote: nobody rings its bell.
const SHARED_LOOK: Duration = Duration::from_secs(1);
/// The turn of the one that sends letters: the caps of an account hold for all daemons together.
pub const LETTERS_TURN: &str = "letters";
/// Time to finish what is in hand after SIGTERM.
const DRAIN: Duration = Duration::from_secs(8);

/// Opens store and blobs and brings the schema up to date.
///
/// # Errors
/// When the data folder or the database cannot be used.
pub async fn build(installation: Installation) -> anyhow::Result<House> {
    let config = installation.config.clone();
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("the data folder {} cannot be created", config.data_dir.display()))?;
    let opening = Lock::opening(&config.data_dir).context("the data folder cannot be locked")?;
    let store = Store::open(&config.store.url, config.store.secret().map_err(|problem| anyhow!(problem))?, &config.data_dir)
        .await
        .context("the database cannot be opened")?;
    store.migrate().await.context("the database cannot be brought to this version's schema")?;
    if !config.programme.is_main() {
        store.number_receipts_after(config.programme.numbers_after()).await.context("the receipt numbers cannot be kept apart")?;
    }
    drop(opening);
    let zone = TimeZone::get(&config.timezone)?;
    let clock = Clock::system();
    let secret = store.secret().await.context("the installation's secret cannot be read")?;
    let tokens =
        installation.knowledge.divisions.entries.iter().map(|division| (division.id.clone(), division_token(&secret, &division.id)));
    let knowledge = Arc::new(Knowledge { division_tokens: tokens.collect(), ..Knowledge::clone(&installation.knowledge) });
    Ok(House {
        readers: Readers::Here(knowledge.clone()),
        blobs: blobs(&config)?,
        config,
        judging: Judging::by(knowledge.clone()),
        knowledge,
        templates: installation.templates,
        zone,
        store,
        meters: Meters::new(clock.now()),
        clock,
    })
}

/// Where raw mail is kept, as configured.
///
/// # Errors
/// When the folder cannot be made, or a key of the object store cannot be read.
pub fn blobs(config: &Config) -> anyhow::Result<Blobs> {
    let objects = config.raw_mail.objects().map_err(|problem| anyhow!(problem)).context("the object store cannot be used")?;
    Ok(Blobs::open(&config.data_dir, objects.as_ref())?)
}

/// Foreign bytes are read in children of `program` from now on.
///
/// # Errors
/// When the children cannot be told what they need to know.
pub fn read_in_children(config: &Config, knowledge: &Knowledge, program: PathBuf) -> anyhow::Result<Readers> {
    let settings = ReaderSettings {
        program,
        processes: config.reader.processes,
        timeout: Duration::from_secs(config.reader.timeout_secs),
        memory_max_bytes: config.reader.memory_max_bytes,
        ocr: config.ocr.clone(),
    };
    Ok(Readers::children(settings, knowledge)?)
}

/// The ways out for letters, as configured.
#[must_use]
pub fn outlets(house: &House) -> Outlets {
    let account = |config: &SmtpConfig| Account { name: config.account(), outlet: outlet_of(config), config: config.clone() };
    Outlets { receipts: account(&house.config.smtp), internal: house.config.smtp_internal.as_ref().map(account) }
}

/// One way out.
#[must_use]
pub fn outlet_of(config: &SmtpConfig) -> Outlet {
    match &config.transport {
        SmtpTransport::Smtp(server) => {
            let read = |source: SecretSource| -> ReadSecret { Arc::new(move || source.read()) };
            Outlet::smtp(server.settings(), server.password.clone().map(read))
        }
        SmtpTransport::Maildir(maildir) => Outlet::maildir(&maildir.path),
    }
}

/// Runs until a signal asks for something else; finishes what is in hand. Returns what was asked for.
///
/// # Errors
/// When another daemon holds the store, or a loop panics.
pub async fn run(houses: Vec<House>, signals: &mut Signals) -> anyhow::Result<Asked> {
    let (stop, stopped) = Stopped::new();
    let _locks = houses.iter().map(only_one).collect::<anyhow::Result<Vec<_>>>()?;
    let (mut presences, mut bells, mut loops) = (Vec::new(), Vec::new(), tokio::task::JoinSet::new());
    for house in &houses {
        house.store.bury_the_dead().await?;
        presences.push(Presence::begin(house).await?);
        bells.push(begin(house, &stopped, &mut loops));
    }
    if let Some(web) = houses.first().and_then(|house| house.config.web) {
        let houses_ = houses.clone();
        loops.spawn(kept_up("web", stopped.clone(), move || window::web_loop(houses_.clone(), web, stopped.clone())));
    }
    supervisor::ready();
    for house in &houses {
        tracing::info!(programme = house.config.programme.name, data_dir = %house.config.data_dir.display(), "annexd is running.");
    }
    let mut end = Asked::Stop;
    let ended = tokio::select! {
        asked = signals.next() => { end = asked; None }
        ended = loops.join_next() => ended,
        () = supervisor::keep_alive() => None,
    };
    if end == Asked::Stop {
        supervisor::stopping();
    }
    let _ = stop.send(true);
    bells.iter().flatten().for_each(|bell| bell.notify_waiters());
    let drained = tokio::time::timeout(DRAIN, async { while loops.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        loops.abort_all();
        tracing::warn!("Some work did not finish in time; it is done again at the next start.");
    }
    for presence in presences {
        presence.end().await;
    }
    match ended {
        None | Some(Ok(())) => Ok(end),
        Some(Err(error)) => Err(anyhow!("a loop broke: {error}")),
    }
}

/// Begins the loops of one programme; whoever rings a bell has work for its loop. A loop that fails or waits holds up no other
/// programme's.
fn begin(house: &House, stopped: &Stopped, loops: &mut tokio::task::JoinSet<()>) -> [Arc<Notify>; 2] {
    let (work, letters) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let alone = house.config.programme.is_main() && house.config.programmes.is_empty();
    let span = if alone { tracing::Span::none() } else { tracing::info_span!("programme", name = house.config.programme.name) };
    let again = || (house.clone(), work.clone(), letters.clone(), stopped.clone());
    if house.config.roles.contains(&Role::Watch) {
        let (house_, work_, _, stopped_) = again();
        let kept = kept_up("mailbox", stopped.clone(), move || mailbox_loop(house_.clone(), work_.clone(), stopped_.clone()));
        loops.spawn(kept.instrument(span.clone()));
    }
    if house.config.roles.contains(&Role::Examine) {
        let (house_, work_, letters_, stopped_) = again();
        let kept =
            kept_up("examine", stopped.clone(), move || examine_loop(house_.clone(), work_.clone(), letters_.clone(), stopped_.clone()));
        loops.spawn(kept.instrument(span.clone()));
    }
    if house.config.roles.contains(&Role::Send) {
        let (house_, _, letters_, stopped_) = again();
        let kept = kept_up("letters", stopped.clone(), move || letters_in_turn(house_.clone(), letters_.clone(), stopped_.clone()));
        loops.spawn(kept.instrument(span));
    }
    [work, letters]
}

/// One daemon a data folder, where the database is a file in it. PostgreSQL has turns of its own, and daemons may share a folder.
///
/// # Errors
/// When another process holds the lock.
pub fn only_one(house: &House) -> anyhow::Result<Option<Lock>> {
    if house.store.has_one_writer() { Lock::take(&house.config.data_dir).map(Some) } else { Ok(None) }
}

/// Runs a loop until stopping is asked for. A loop that fails (a full disk, a locked database) is logged and begun again after a rest.
async fn kept_up<F: Future<Output = anyhow::Result<()>>>(name: &'static str, stopped: Stopped, mut begin: impl FnMut() -> F) {
    let mut backoff = Backoff::new();
    while !stopped.is_asked() {
        let began = tokio::time::Instant::now();
        let Err(error) = begin().await else { continue };
        if began.elapsed() > STEADY {
            backoff.reset();
        }
        let rest = backoff.next(fastrand::f64());
        tracing::error!(rest_secs = rest.as_secs(), "The {name} loop failed and is begun again: {error:#}.");
        tokio::select! {
            () = stopped.asked() => {}
            () = tokio::time::sleep(rest) => {}
        }
    }
}

async fn mailbox_loop(house: House, work: Arc<Notify>, stopped: Stopped) -> anyhow::Result<()> {
    in_turn(&house, &mailbox_turn(&house), &stopped, || watch_mailbox(house.clone(), work.clone(), stopped.clone())).await
}

/// The turn of the one that watches the mailbox.
#[must_use]
pub fn mailbox_turn(house: &House) -> String {
    format!("mailbox:{}", house.config.mailbox.name())
}

async fn watch_mailbox(house: House, work: Arc<Notify>, stopped: Stopped) -> anyhow::Result<()> {
    match house.config.mailbox.clone() {
        MailboxConfig::Maildir(config) => loop {
            house.blobs.ready().await?;
            match watch::take_in_maildir(&house).await {
                Ok(pass) if pass.accepted > 0 => work.notify_one(),
                Ok(_) => {}
                Err(error) => {
                    house.store.note_health(alert::POLL_FAULT, &format!("{error:#}"), house.now()).await?;
                    return Err(error);
                }
            }
            tokio::select! {
                () = stopped.asked() => return Ok(()),
                () = tokio::time::sleep(Duration::from_secs(config.poll_secs)) => {}
            }
        },
        MailboxConfig::Imap(config) => {
            tokio::select! {
                () = stopped.asked() => Ok(()),
                result = imap_loop(&house, &config, &work) => result,
            }
        }
    }
}

/// Keeps one session; a broken or stalled one is dropped and opened anew after a back-off, a refused login after a longer rest.
async fn imap_loop(house: &House, config: &ImapConfig, work: &Notify) -> anyhow::Result<()> {
    let mut backoff = Backoff::new();
    let mut breaker = LoginBreaker::new();
    let memory = Memory::default();
    loop {
        let secret = config.password.read().ok();
        memory.pulse.beat();
        let ended = tokio::select! {
            ended = one_session(house, config, work, &memory, &mut backoff, &mut breaker) => ended,
            stalled = watchdog(config, &memory) => Err(stalled.into()),
        };
        let Err(error) = ended;
        let fault = error.downcast_ref::<Fault>();
        let refused = fault.is_some_and(|fault| matches!(fault.kind, FaultKind::Login | FaultKind::UnsafeLogin));
        if let Some(fault) = fault {
            let name = if refused { alert::LOGIN_REFUSED } else { alert::POLL_FAULT };
            house.store.note_health(name, &fault.what, house.now()).await?;
        }
        let rest = match fault {
            Some(_) if refused => breaker.refused(fastrand::f64()),
            Some(_) => backoff.next(fastrand::f64()),
            // Not the mailbox's fault: the store or the disk.
            None => return Err(error),
        };
        tracing::warn!(rest_secs = rest.as_secs(), "The mailbox connection ended: {error:#}.");
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = another_secret(config, secret), if refused => {
                tracing::info!("The mailbox's secret was changed; the login is tried at once.");
            }
        }
    }
}

async fn one_session(
    house: &House,
    config: &ImapConfig,
    work: &Notify,
    memory: &Memory,
    backoff: &mut Backoff,
    breaker: &mut LoginBreaker,
) -> anyhow::Result<Infallible> {
    let mut session = watch::open(config, Some(house.blobs.incoming())).await?;
    let mut everything = true;
    let mut reconciled = tokio::time::Instant::now();
    loop {
        house.blobs.ready().await?;
        let pass = watch::take_in_imap(house, config, &mut session, memory, everything).await?;
        // A login counts once a folder has opened: NetEase refuses "unsafe" ones only there.
        breaker.accepted();
        backoff.reset();
        if pass.accepted > 0 {
            work.notify_one();
        }
        watch::wait(config, &mut session).await?;
        everything = reconciled.elapsed() >= Duration::from_secs(config.reconcile_secs);
        if everything {
            reconciled = tokio::time::Instant::now();
        }
    }
}

/// Resolves when nothing has gone forward for too long, whatever the connection believes.
async fn watchdog(config: &ImapConfig, memory: &Memory) -> Fault {
    let waiting = Duration::from_secs(config.poll_secs).mul_f64(1.2);
    memory.pulse.stalled(Duration::from_secs(config.watchdog_mins * 60) + waiting).await;
    tracing::error!(mins = config.watchdog_mins, "Nothing has gone forward with the mailbox; its session is dropped.");
    Fault::later(format!("nothing went forward for {} minutes", config.watchdog_mins))
}

/// Resolves when the secret's file holds another secret than the one that was refused.
async fn another_secret(config: &ImapConfig, refused: Option<SecretString>) {
    loop {
        tokio::time::sleep(SECRET_LOOK).await;
        let now = config.password.read().ok();
        let same = match (&now, &refused) {
            (Some(now), Some(refused)) => now.expose_secret() == refused.expose_secret(),
            (now, refused) => now.is_none() == refused.is_none(),
        };
        if !same {
            return;
        }
    }
}

async fn examine_loop(house: House, work: Arc<Notify>, letters: Arc<Notify>, stopped: Stopped) -> anyhow::Result<()> {
    loop {
        turns::examine_waiting(&house, &stopped, |_, _| letters.notify_one()).await?;
        tokio::select! {
            () = stopped.asked() => return Ok(()),
            () = work.notified() => {}
            () = tokio::time::sleep(look(&house)) => {}
        }
    }
}

/// How long a loop rests unless it is woken.
fn look(house: &House) -> Duration {
    if house.store.has_one_writer() { TICK } else { SHARED_LOOK }
}

async fn letters_in_turn(house: House, letters: Arc<Notify>, stopped: Stopped) -> anyhow::Result<()> {
    in_turn(&house, LETTERS_TURN, &stopped, || letter_loop(house.clone(), letters.clone(), stopped.clone())).await
}

async fn letter_loop(house: House, letters: Arc<Notify>, stopped: Stopped) -> anyhow::Result<()> {
    let mut outlets = outlets(&house);
    // Of another process that died, or of this loop before the database failed it: nobody else sends now.
    house.store.recover_sending(house.now()).await?;
    let mut looked: Option<tokio::time::Instant> = None;
    loop {
        // Looking at everything after each of thousands of mails would hold up the letters.
        let is_time = looked.is_none_or(|at| at.elapsed() >= TICK);
        if is_time {
            alert::heed_clock(&house).await?;
        }
        summarise::summarise(&house).await?;
        if is_time {
            alert::watch(&house).await?;
            looked = Some(tokio::time::Instant::now());
        }
        send::send_due(&house, &mut outlets, &stopped).await?;
        tokio::select! {
            () = stopped.asked() => return Ok(()),
            () = letters.notified() => {}
            () = tokio::time::sleep(look(&house)) => {}
        }
    }
}
