//! Asks a running daemon for its state, over the same window that browsers and Prometheus use.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::domain::status::Status;

/// The daemon answers within this time or counts as not running.
const WAIT: Duration = Duration::from_secs(15);
/// Far more than any state.
const ANSWER_MAX_BYTES: u64 = 4 << 20;

/// The state as the daemon sees it.
///
/// # Errors
/// When nobody answers there, or not with a state.
pub async fn ask(listen: SocketAddr) -> io::Result<Status> {
    let answer = tokio::time::timeout(WAIT, get(reachable(listen), "/status.json")).await??;
    serde_json::from_slice(&answer).map_err(io::Error::other)
}

/// A daemon that listens everywhere is asked on loopback.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        listen.set_ip(if listen.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    listen
}

/// HTTP/1.0, so that the answer ends with the connection (RFC 9112 section 6.3).
async fn get(address: SocketAddr, path: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX_BYTES).read_to_end(&mut answer).await?;
    let blank = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(|| io::Error::other("the answer is no HTTP"))?;
    let body = answer.split_off(blank + 4);
    let line = String::from_utf8_lossy(answer.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned();
    if line.split(' ').nth(1) == Some("200") { Ok(body) } else { Err(io::Error::other(format!("the daemon answered {line}"))) }
}
