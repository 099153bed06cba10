//! A blocking line-and-bytes connection, plain or TLS, with a deadline on every read. The lab's own clients speak through it, so
//! that no test judges a library by itself.

use std::{
    io::{self, BufRead as _, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    time::Duration,
};

use tokio_rustls::rustls::{ClientConnection, StreamOwned, pki_types::ServerName};

use super::certificates::client_config;

/// Longest wait for one read.
const READ_TIMEOUT_SECS: u64 = 30;

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// One connection.
pub struct Wire {
    stream: BufReader<Stream>,
}

impl Wire {
    /// TCP to a loopback port.
    pub fn plain(port: u16) -> io::Result<Self> {
        let tcp = TcpStream::connect(("127.0.0.1", port))?;
        tcp.set_read_timeout(Some(Duration::from_secs(READ_TIMEOUT_SECS)))?;
        tcp.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(Stream::Plain(tcp)) })
    }

    /// TLS from the first byte; the certificate must be signed by `ca`.
    pub fn tls(port: u16, ca: &Path) -> io::Result<Self> {
        Self::plain(port)?.protect(ca)
    }

    /// STARTTLS: goes on under TLS.
    pub fn protect(self, ca: &Path) -> io::Result<Self> {
        let Stream::Plain(mut tcp) = self.stream.into_inner() else { return Err(io::Error::other("already under TLS")) };
        let name = ServerName::try_from("127.0.0.1").map_err(io::Error::other)?;
        let mut connection = ClientConnection::new(client_config(ca), name).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut tcp)?;
        }
        Ok(Self { stream: BufReader::new(Stream::Tls(Box::new(StreamOwned::new(connection, tcp)))) })
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(bytes)?;
        stream.flush()
    }

    /// One line without its CR LF; an end of the connection is an error.
    pub fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(line)
    }

    /// Exactly `count` bytes.
    pub fn exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}
