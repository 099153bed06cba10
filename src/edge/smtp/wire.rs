//! The bytes between us and a mail server. lettre reads answers as UTF-8 and fails on NetEase's GBK, so what it sees is made ASCII
//! here while the true bytes are kept; and only here it is known whether the last dot of a letter has left.

use std::{
    fmt,
    io::{self, Cursor, Read as _},
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Any protected or plain stream.
pub trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin + fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin + fmt::Debug> Stream for T {}

/// Bytes kept of one answer.
const ANSWER_MAX_BYTES: usize = 4096;
/// What ends a letter's text (RFC 5321 section 4.1.1.4).
const LAST_DOT: &[u8; 5] = b"\r\n.\r\n";

/// What passed over the wire since the last command.
#[derive(Debug, Default)]
struct Passed {
    answer: Vec<u8>,
    /// The latest bytes written, at most as many as [`LAST_DOT`] has.
    tail: Vec<u8>,
    /// The next byte read begins a new answer.
    spoke: bool,
}

/// What was heard, for whoever holds the connection.
#[derive(Debug, Clone, Default)]
pub struct Heard(Arc<Mutex<Passed>>);

impl Heard {
    /// Raw bytes of the answer to the latest command.
    pub fn answer(&self) -> Vec<u8> {
        let passed = self.lock();
        if passed.spoke { Vec::new() } else { passed.answer.clone() }
    }

    /// Whether the latest bytes that left were the end of a letter's text.
    pub fn dot_left(&self) -> bool {
        self.lock().tail == LAST_DOT
    }

    fn lock(&self) -> MutexGuard<'_, Passed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stream that lettre is given.
#[derive(Debug)]
pub struct Wire {
    inner: Box<dyn Stream>,
    heard: Heard,
    /// Read before anything of the stream: the greeting that a server does not repeat after STARTTLS.
    first: Cursor<Vec<u8>>,
    peer: SocketAddr,
}

impl Wire {
    pub fn new(inner: Box<dyn Stream>, peer: SocketAddr, first: &[u8]) -> (Self, Heard) {
        let heard = Heard::default();
        (Self { inner, heard: heard.clone(), first: Cursor::new(first.to_vec()), peer }, heard)
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut bytes = [0_u8; 1024];
        let room = buffer.remaining().min(bytes.len());
        let Some(space) = bytes.get_mut(..room) else { return Poll::Ready(Ok(())) };
        let mut count = self.first.read(space)?;
        if count == 0 {
            let mut own = ReadBuf::new(space);
            ready!(Pin::new(&mut self.inner).poll_read(context, &mut own))?;
            count = own.filled().len();
        }
        let Some(read) = bytes.get_mut(..count) else { return Poll::Ready(Ok(())) };
        let mut passed = self.heard.lock();
        if passed.spoke && count > 0 {
            passed.answer.clear();
            passed.spoke = false;
        }
        let keep = ANSWER_MAX_BYTES.saturating_sub(passed.answer.len()).min(count);
        passed.answer.extend(read.iter().take(keep));
        drop(passed);
        for byte in read.iter_mut().filter(|byte| !byte.is_ascii()) {
            *byte = b'?';
        }
        buffer.put_slice(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.inner).poll_write(context, bytes))?;
        let mut passed = self.heard.lock();
        passed.spoke = true;
        let written = bytes.get(..count).unwrap_or_default();
        let latest = written.get(written.len().saturating_sub(LAST_DOT.len())..).unwrap_or_default();
        passed.tail.extend(latest);
        let surplus = passed.tail.len().saturating_sub(LAST_DOT.len());
        passed.tail.drain(..surplus);
        drop(passed);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
