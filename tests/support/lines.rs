//! What both scripted servers stand on: a thread with its own runtime, a listener on a free port, TLS where wanted, and lines.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    sync::oneshot,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

/// Longest command line, in bytes.
const LINE_BYTES_MAX: u64 = 64 * 1024;

trait Bytes: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Bytes for T {}

/// One client, seen from the server.
pub struct Lines {
    stream: BufReader<Box<dyn Bytes>>,
    /// 1, 2, 3 … in order of connecting.
    pub connection: u32,
}

impl Lines {
    /// The next line without its CR LF; `None` when the client went away or said nothing for `wait`.
    pub async fn read(&mut self, wait: Duration) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        let mut limited = (&mut self.stream).take(LINE_BYTES_MAX);
        timeout(wait, limited.read_until(b'\n', &mut line)).await.ok()?.ok()?;
        if line.pop() != Some(b'\n') {
            return None;
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Some(line)
    }

    /// Exactly so many bytes, of a literal.
    pub async fn exactly(&mut self, count: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).await.ok()?;
        Some(bytes)
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(bytes).await?;
        stream.flush().await
    }

    /// Sends a line.
    pub async fn say(&mut self, line: &str) -> io::Result<()> {
        self.send(format!("{line}\r\n").as_bytes()).await
    }
}

/// A server that runs until dropped.
pub struct Serving {
    pub port: u16,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Serving {
    /// Listens on a free loopback port and gives every connection to `serve`.
    pub fn start<F, Served>(tls: Option<Arc<ServerConfig>>, serve: F) -> Self
    where
        F: Fn(Lines) -> Served + Send + Sync + 'static,
        Served: Future<Output = ()> + Send + 'static,
    {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    _ = stopped => {}
                    () = accept_all(listener, tls, serve) => {}
                }
            });
            // Connections that hang are cut, not waited for.
            runtime.shutdown_background();
        });
        Self { port, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept_all<F, Served>(listener: TcpListener, tls: Option<Arc<ServerConfig>>, serve: F)
where
    F: Fn(Lines) -> Served,
    Served: Future<Output = ()> + Send + 'static,
{
    let mut connection = 0;
    loop {
        let Ok((tcp, _)) = listener.accept().await else { continue };
        let _ = tcp.set_nodelay(true);
        connection += 1;
        let stream: Box<dyn Bytes> = match &tls {
            None => Box::new(tcp),
            Some(config) => match TlsAcceptor::from(Arc::clone(config)).accept(tcp).await {
                Ok(stream) => Box::new(stream),
                Err(_) => continue,
            },
        };
        tokio::spawn(serve(Lines { stream: BufReader::new(stream), connection }));
    }
}
