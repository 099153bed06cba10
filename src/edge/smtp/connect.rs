//! From host name to a logged-in connection: TCP, TLS with system roots and an extra CA, STARTTLS, EHLO, AUTH.

use std::{sync::Arc, time::Duration};

use lettre::transport::smtp::{
    authentication::{Credentials, Mechanism},
    client::AsyncSmtpConnection,
    extension::ClientId,
};
use secrecy::ExposeSecret as _;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use super::{
    ReadSecret, Refusal, SmtpSecurity, SmtpSettings,
    wire::{Heard, Stream, Wire},
};
use crate::{
    domain::letters::reply::{Reaction, Reply, Stage, react},
    edge::tls,
};

/// Longest line of an answer before TLS.
const LINE_MAX_BYTES: u64 = 4096;
/// Lines of one answer before TLS.
const LINES_MAX: usize = 100;

/// An open connection and what was heard on it.
pub struct Connection {
    pub smtp: AsyncSmtpConnection,
    pub heard: Heard,
}

/// Connects and logs in.
pub async fn connect(settings: &SmtpSettings, secret: Option<&ReadSecret>) -> Result<Connection, Refusal> {
    let place = format!("{}:{}", settings.host, settings.port);
    let (wire, heard) = timeout(settings.timeout, open(settings, &place)).await.map_err(|_| silent(&place, "the connection"))??;
    let hello = ClientId::default();
    let greeted = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &hello);
    let smtp = match timeout(settings.timeout, greeted).await {
        Ok(Ok(smtp)) => smtp,
        Ok(Err(error)) => return Err(Refusal::heard(&heard, Stage::Connect, &place, &error)),
        Err(_) => return Err(silent(&place, "EHLO")),
    };
    let mut connection = Connection { smtp, heard };
    if let (Some(username), Some(secret)) = (&settings.username, secret) {
        login(&mut connection, settings.timeout, &place, username, secret).await?;
    }
    Ok(connection)
}

async fn login(connection: &mut Connection, wait: Duration, place: &str, username: &str, secret: &ReadSecret) -> Result<(), Refusal> {
    let password = secret().map_err(|what| Refusal { reaction: Reaction::Login, what })?;
    let credentials = Credentials::new(username.to_owned(), password.expose_secret().to_owned());
    let auth = connection.smtp.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
    match timeout(wait, auth).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Refusal::heard(&connection.heard, Stage::Login, place, &error)),
        Err(_) => Err(silent(place, "the login")),
    }
}

async fn open(settings: &SmtpSettings, place: &str) -> Result<(Wire, Heard), Refusal> {
    let broken = |error: std::io::Error| Refusal { reaction: Reaction::Later, what: format!("{place}: {error}") };
    let tcp = TcpStream::connect((settings.host.as_str(), settings.port)).await.map_err(broken)?;
    tcp.set_nodelay(true).map_err(broken)?;
    let peer = tcp.peer_addr().map_err(broken)?;
    let (stream, first): (Box<dyn Stream>, &[u8]) = match settings.security {
        SmtpSecurity::Plain => (Box::new(tcp), b""),
        SmtpSecurity::Tls => (protect(settings, tcp).await?, b""),
        SmtpSecurity::StartTls => {
            let tcp = ask_for_tls(tcp, place).await?;
            (protect(settings, tcp).await?, b"220 after STARTTLS\r\n")
        }
    };
    Ok(Wire::new(stream, peer, first))
}

/// Greeting, EHLO, STARTTLS in the clear (RFC 3207). What was said before TLS is forgotten.
async fn ask_for_tls(tcp: TcpStream, place: &str) -> Result<TcpStream, Refusal> {
    let mut stream = BufReader::new(tcp);
    let hello = format!("EHLO {}\r\n", ClientId::default());
    for command in ["", hello.as_str(), "STARTTLS\r\n"] {
        let broken = |error: std::io::Error| Refusal { reaction: Reaction::Later, what: format!("{place}: {error}") };
        stream.get_mut().write_all(command.as_bytes()).await.map_err(broken)?;
        let answer = answer(&mut stream).await.map_err(broken)?;
        let reply = Reply::read(&answer);
        if !reply.code.is_some_and(|code| (200..300).contains(&code)) {
            let what = format!("{place} answered {:?} to {:?}", reply.text, command.trim());
            return Err(Refusal { reaction: react(&reply, Stage::Connect), what });
        }
    }
    // Bytes sent ahead of TLS could be anybody's (CVE-2011-0411).
    if !stream.buffer().is_empty() {
        return Err(Refusal { reaction: Reaction::Later, what: format!("{place} spoke out of turn before TLS") });
    }
    Ok(stream.into_inner())
}

async fn answer(stream: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    for _ in 0..LINES_MAX {
        let mut line = Vec::new();
        let mut limited = (&mut *stream).take(LINE_MAX_BYTES);
        limited.read_until(b'\n', &mut line).await?;
        let last = line.get(3) != Some(&b'-');
        answer.extend(line);
        if last {
            break;
        }
    }
    Ok(answer)
}

async fn protect(settings: &SmtpSettings, tcp: TcpStream) -> Result<Box<dyn Stream>, Refusal> {
    let wrong = |what: String| Refusal { reaction: Reaction::Halt, what };
    let name = ServerName::try_from(settings.host.clone()).map_err(|_| wrong(format!("{} is no host name", settings.host)))?;
    let connector = TlsConnector::from(Arc::new(tls::client_config(settings.ca_file.as_deref()).map_err(wrong)?));
    let stream = connector.connect(name, tcp).await;
    let stream = stream.map_err(|error| Refusal { reaction: Reaction::Later, what: format!("{}: TLS: {error}", settings.host) })?;
    Ok(Box::new(stream))
}

fn silent(place: &str, what: &str) -> Refusal {
    Refusal { reaction: Reaction::Later, what: format!("{place} did not answer {what} in time") }
}
