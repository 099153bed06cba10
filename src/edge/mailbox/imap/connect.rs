//! From host name to an unauthenticated IMAP stream: TCP, TLS with system roots and an extra CA, STARTTLS, greeting.

use std::{sync::Arc, time::Duration};

use async_imap::Client;
use tokio::{
    io::{AsyncRead, AsyncWrite, BufStream},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use super::{ImapSettings, Security, spool::Spool, tame::Tame};
use crate::edge::{fault::Fault, tls};

/// A byte stream of any protection. Buffered: the library writes commands in small pieces.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug> Stream for T {}

/// The client over any stream.
pub type ImapClient = Client<Box<dyn Stream>>;

/// Connects and reads the greeting. Large literals go to `spool`.
pub async fn connect(settings: &ImapSettings, spool: &Spool) -> Result<ImapClient, Fault> {
    if settings.security == Security::Plain && !is_loopback(&settings.host) {
        return Err(Fault::never(format!("an unprotected connection to {} is refused; set security to tls or starttls", settings.host)));
    }
    let place = format!("{}:{}", settings.host, settings.port);
    let tcp = deadline(settings.read_timeout, &place, TcpStream::connect((settings.host.as_str(), settings.port))).await?;
    tcp.set_nodelay(true).map_err(|error| Fault::later(format!("{place}: {error}")))?;
    match settings.security {
        Security::Plain => greeted(settings, Box::new(Tame::new(BufStream::new(tcp), spool.clone())), &place).await,
        Security::Tls => {
            let tls = protect(settings, tcp, &place).await?;
            greeted(settings, Box::new(Tame::new(BufStream::new(tls), spool.clone())), &place).await
        }
        Security::StartTls => {
            let mut plain = Client::new(tcp);
            greeting(&mut plain, settings.read_timeout, &place).await?;
            let command = plain.run_command_and_check_ok("STARTTLS", None);
            timeout(settings.read_timeout, command)
                .await
                .map_err(|_| Fault::later(format!("{place} did not answer STARTTLS in time")))?
                .map_err(|error| Fault::later(format!("{place} refused STARTTLS: {error}")))?;
            let tls = protect(settings, plain.into_inner(), &place).await?;
            Ok(Client::new(Box::new(Tame::new(BufStream::new(tls), spool.clone())) as Box<dyn Stream>))
        }
    }
}

async fn greeted(settings: &ImapSettings, stream: Box<dyn Stream>, place: &str) -> Result<ImapClient, Fault> {
    let mut client = Client::new(stream);
    greeting(&mut client, settings.read_timeout, place).await?;
    Ok(client)
}

async fn greeting<S: Stream>(client: &mut Client<S>, wait: Duration, place: &str) -> Result<(), Fault> {
    let greeting = deadline(wait, place, client.read_response()).await?;
    match greeting {
        Some(_) => Ok(()),
        None => Err(Fault::later(format!("{place} closed the connection without a greeting"))),
    }
}

async fn protect(settings: &ImapSettings, tcp: TcpStream, place: &str) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Fault> {
    let config = tls::client_config(settings.ca_file.as_deref()).map_err(Fault::never)?;
    let name = ServerName::try_from(settings.host.clone()).map_err(|_| Fault::never(format!("{} is no host name", settings.host)))?;
    let connector = TlsConnector::from(Arc::new(config));
    deadline(settings.read_timeout, place, connector.connect(name, tcp)).await
}

/// A network step under a deadline.
async fn deadline<T>(wait: Duration, place: &str, step: impl Future<Output = std::io::Result<T>>) -> Result<T, Fault> {
    match timeout(wait, step).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Fault::later(format!("{place}: {error}"))),
        Err(_) => Err(Fault::later(format!("{place} did not answer within {} s", wait.as_secs()))),
    }
}

/// Whether a host is this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
