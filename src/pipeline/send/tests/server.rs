//! A mail server that plays its script, one move a letter, then accepts everything.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// What the server does with one letter.
#[derive(Debug, Clone)]
pub enum Move {
    /// An answer other than the good one, at MAIL, RCPT, or after the last dot.
    AtMail(Vec<u8>),
    AtRcpt(Vec<u8>),
    AfterDot(Vec<u8>),
    /// The connection ends.
    CloseInText,
    CloseAfterDot,
    CloseAtAuth,
}

pub fn says(text: &str) -> Vec<u8> {
    format!("{text}\r\n").into_bytes()
}

/// A server that plays its moves, then accepts everything.
#[derive(Debug, Clone, Default)]
pub struct Server {
    pub moves: Arc<Mutex<VecDeque<Move>>>,
    /// Texts that reached their last dot.
    pub texts: Arc<Mutex<Vec<String>>>,
    pub connections: Arc<Mutex<usize>>,
}

impl Server {
    pub async fn start(moves: Vec<Move>) -> (Self, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { moves: Arc::new(Mutex::new(moves.into())), ..Self::default() };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *serving.connections.lock().unwrap() += 1;
                tokio::spawn(serving.clone().talk(stream));
            }
        });
        (server, port)
    }

    fn next(&self) -> Option<Move> {
        self.moves.lock().unwrap().pop_front()
    }

    pub fn count(&self) -> usize {
        self.texts.lock().unwrap().len()
    }

    async fn talk(self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let mut now = None;
        stream.get_mut().write_all(b"220 163.com Anti-spam GT for Coremail System\r\n").await.unwrap();
        loop {
            let mut line = Vec::new();
            if stream.read_until(b'\n', &mut line).await.unwrap_or(0) == 0 {
                return;
            }
            let line = String::from_utf8_lossy(&line).to_ascii_uppercase();
            let answer = match line.split([' ', '\r']).next().unwrap_or_default() {
                "EHLO" => says("250-mail\r\n250-AUTH LOGIN PLAIN\r\n250-AUTH=LOGIN PLAIN\r\n250-coremail 1Uxr2xKj7kG0x\r\n250 8BITMIME"),
                "AUTH" => {
                    let closes = matches!(self.moves.lock().unwrap().front(), Some(Move::CloseAtAuth));
                    if closes {
                        self.next();
                        return;
                    }
                    says("235 Authentication successful")
                }
                "MAIL" => {
                    now = self.next();
                    match &now {
                        Some(Move::AtMail(answer)) => answer.clone(),
                        _ => says("250 Mail OK"),
                    }
                }
                "RCPT" => match &now {
                    Some(Move::AtRcpt(answer)) => answer.clone(),
                    _ => says("250 Mail OK"),
                },
                "DATA" => {
                    stream.get_mut().write_all(b"354 End data with <CR><LF>.<CR><LF>\r\n").await.unwrap();
                    if matches!(now, Some(Move::CloseInText)) {
                        return;
                    }
                    let Some(text) = text(&mut stream).await else { return };
                    self.texts.lock().unwrap().push(text);
                    match &now {
                        Some(Move::CloseAfterDot) => return,
                        Some(Move::AfterDot(answer)) => answer.clone(),
                        _ => says("250 Mail OK queued as smtp11,1 1723683720"),
                    }
                }
                "QUIT" => return,
                _ => says("502 no"),
            };
            if stream.get_mut().write_all(&answer).await.is_err() {
                return;
            }
        }
    }
}

async fn text(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == ".\r\n" {
            return Some(text);
        }
        text.push_str(&line);
    }
}
