//! A line that breaks: a proxy that stands before a real server, speaks TLS to both sides, and cuts, slows or swallows what passes,
//! at places given in bytes or by words that are seen.

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split},
    net::{TcpListener, TcpStream},
    sync::{oneshot, watch},
};
use tokio_rustls::{TlsAcceptor, TlsConnector, rustls::pki_types::ServerName};

use super::certificates::Certificates;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// What happens to one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    Whole,
    /// Cut once so many bytes went this way.
    AfterBytes(Way, u64),
    /// Cut so many bytes after these words went this way.
    AfterWords(Way, &'static str, u64),
    /// So many bytes a second come down.
    Slow(u64),
}

struct Shared {
    port: u16,
    certificates: Certificates,
    fates: Mutex<VecDeque<Fate>>,
    connections: AtomicU32,
    cuts: AtomicU32,
    /// A firewall that drops every packet: connections stand, nothing passes.
    swallowing: AtomicBool,
    /// Its change ends every open connection.
    severed: watch::Sender<u32>,
}

/// The proxy, running until dropped.
pub struct Cutter {
    pub port: u16,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Cutter {
    /// Before a TLS port of this machine.
    pub fn before(port: u16, certificates: &Certificates) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let own_port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            port,
            certificates: certificates.clone(),
            fates: Mutex::default(),
            connections: AtomicU32::new(0),
            cuts: AtomicU32::new(0),
            swallowing: AtomicBool::new(false),
            severed: watch::channel(0).0,
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let inside = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    _ = stopped => {}
                    () = accept_all(listener, inside) => {}
                }
            });
            runtime.shutdown_background();
        });
        Self { port: own_port, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// What becomes of the next connection that has no fate yet. Without one it passes whole.
    pub fn next(&self, fate: Fate) {
        self.shared.fates.lock().unwrap().push_back(fate);
    }

    /// Drops every packet from now on, or lets them pass again.
    pub fn swallow(&self, on: bool) {
        self.shared.swallowing.store(on, Ordering::SeqCst);
    }

    /// Cuts every open connection.
    pub fn sever(&self) {
        self.shared.severed.send_modify(|count| *count += 1);
    }

    /// Connections so far.
    pub fn connections(&self) -> u32 {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Connections that met their fate.
    pub fn cuts(&self) -> u32 {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept_all(listener: TcpListener, shared: Arc<Shared>) {
    let acceptor = TlsAcceptor::from(shared.certificates.server_config());
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            let mut severed = shared.severed.subscribe();
            tokio::select! {
                _ = severed.changed() => {}
                // Either side going away is no failure of the line.
                _ = carry(client, &acceptor, &shared) => {}
            }
        });
    }
}

async fn carry(client: TcpStream, acceptor: &TlsAcceptor, shared: &Shared) -> io::Result<()> {
    let _ = client.set_nodelay(true);
    passage(shared).await;
    let (mut client_reads, mut client_writes) = split(acceptor.accept(client).await?);
    shared.connections.fetch_add(1, Ordering::SeqCst);
    let fate = shared.fates.lock().unwrap().pop_front().unwrap_or(Fate::Whole);
    let server = TcpStream::connect(("127.0.0.1", shared.port)).await?;
    let _ = server.set_nodelay(true);
    let name = ServerName::try_from("127.0.0.1").map_err(io::Error::other)?;
    let server = TlsConnector::from(shared.certificates.client_config()).connect(name, server).await?;
    let (mut server_reads, mut server_writes) = split(server);
    // The first way that ends ends both: what was written and not read yet goes with it, as on a real line.
    tokio::select! {
        ended = pass(Way::Up, &fate, &mut client_reads, &mut server_writes, shared) => ended,
        ended = pass(Way::Down, &fate, &mut server_reads, &mut client_writes, shared) => ended,
    }
}

async fn pass(
    way: Way,
    fate: &Fate,
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    shared: &Shared,
) -> io::Result<()> {
    let mut mark = Mark::of(way, fate);
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        passage(shared).await;
        let bytes = &buffer[..count];
        let allowed = mark.allows(bytes);
        to.write_all(&bytes[..allowed]).await?;
        to.flush().await?;
        if mark.is_reached() {
            shared.cuts.fetch_add(1, Ordering::SeqCst);
            // What was let through arrives before the cut.
            tokio::time::sleep(Duration::from_millis(30)).await;
            return Ok(());
        }
        if let (Fate::Slow(bytes_per_sec), Way::Down) = (fate, way) {
            tokio::time::sleep(Duration::from_secs(1).mul_f64(count as f64 / *bytes_per_sec as f64)).await;
        }
    }
}

/// Waits while the firewall swallows.
async fn passage(shared: &Shared) {
    while shared.swallowing.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The place of a cut, coming nearer.
struct Mark {
    /// Looked for until they are seen; empty where the place is given in bytes, or where nothing is cut.
    words: &'static [u8],
    bytes_after: u64,
    /// The latest bytes, fewer than the words have.
    tail: Vec<u8>,
    /// Bytes still to go, once it is known.
    left: Option<u64>,
}

impl Mark {
    fn of(way: Way, fate: &Fate) -> Self {
        let (words, bytes_after, left) = match fate {
            Fate::AfterBytes(cut, bytes) if *cut == way => ("", 0, Some(*bytes)),
            Fate::AfterWords(cut, words, bytes) if *cut == way => (*words, *bytes, None),
            _ => ("", 0, None),
        };
        Self { words: words.as_bytes(), bytes_after, tail: Vec::new(), left }
    }

    /// How many of these bytes may pass.
    fn allows(&mut self, bytes: &[u8]) -> usize {
        let mut skipped = 0;
        if self.left.is_none() && !self.words.is_empty() {
            let seen = [self.tail.as_slice(), bytes].concat();
            match seen.windows(self.words.len()).position(|window| window == self.words) {
                Some(at) => {
                    skipped = at + self.words.len() - self.tail.len();
                    self.left = Some(self.bytes_after);
                }
                None => self.tail = seen[seen.len().saturating_sub(self.words.len() - 1)..].to_vec(),
            }
        }
        let Some(left) = &mut self.left else { return bytes.len() };
        let allowed = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len() - skipped);
        *left -= allowed as u64;
        skipped + allowed
    }

    fn is_reached(&self) -> bool {
        self.left == Some(0)
    }
}
