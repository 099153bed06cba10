//! One reading process as its parent sees it: started, fed, timed, and killed where it does not answer.

use std::{
    collections::BTreeMap,
    io,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::{Instant, timeout_at},
};

use super::{
    Mail, ReaderSettings,
    wire::{ANSWER_MAX_BYTES, Packed, Reply, Request, length, unpacked},
};
use crate::domain::verdict::{
    Reading,
    attached::{Attached, Wanted},
};

/// Variable through which a child learns its memory limit.
pub const MEMORY_VARIABLE: &str = "ANNEXD_READER_MEMORY_MAX_BYTES";

/// Bytes of a file handed on at one time.
const PIECE_BYTES: usize = 512 * 1024;

/// What the pipe to a child holds: Linux gives 64 KiB, and up to this without asking for rights.
const PIPE_BYTES: usize = 1 << 20;

/// A mail's bytes, ready to be handed on.
pub enum Raw<'m> {
    Bytes(&'m [u8]),
    File { file: tokio::fs::File, bytes: u64 },
}

impl<'m> Raw<'m> {
    pub async fn of(mail: &'m Mail) -> io::Result<Self> {
        Ok(match mail {
            Mail::Bytes(raw) => Self::Bytes(raw),
            Mail::File(path) => {
                let file = tokio::fs::File::open(path).await?;
                let bytes = file.metadata().await?.len();
                Self::File { file, bytes }
            }
        })
    }

    pub fn bytes(&self) -> u64 {
        match self {
            Self::Bytes(raw) => raw.len() as u64,
            Self::File { bytes, .. } => *bytes,
        }
    }
}

/// A child that waits for mails.
#[derive(Debug)]
pub struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    mails: usize,
    largest_bytes: u64,
}

/// A child that did not deliver.
#[derive(Debug)]
pub struct Trouble {
    /// The file it was looking into.
    pub file: Option<String>,
    /// For the operator.
    pub what: String,
    pub why: Why,
}

/// How a child failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    Time,
    /// Its answer was larger than any honest one.
    Answer,
    /// It ended, or spoke no sense.
    Ended,
    /// It caught a bug of its own.
    Bug,
}

impl Process {
    pub async fn start(settings: &ReaderSettings, knowledge: &[u8]) -> io::Result<Self> {
        let mut child = Command::new(&settings.program)
            .arg("reader")
            .env_clear()
            .env(MEMORY_VARIABLE, settings.memory_max_bytes.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // An interrupt from the terminal is for the parent, which finishes what is in hand.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the child has no pipes"));
        };
        // A mail goes over in few pieces; where the system allows no more, in more.
        let _ = rustix::pipe::fcntl_setpipe_size(&input, PIPE_BYTES);
        let mut process = Self { child, input, output: BufReader::new(output), mails: 0, largest_bytes: 0 };
        process.send(knowledge).await?;
        Ok(process)
    }

    /// Mails it has read.
    #[must_use]
    pub fn mails(&self) -> usize {
        self.mails
    }

    /// The size of the largest of them.
    #[must_use]
    pub fn largest_bytes(&self) -> u64 {
        self.largest_bytes
    }

    /// Whether it is gone.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Reads one mail. After trouble the child is of no use any more.
    pub async fn read(&mut self, raw: Raw<'_>, set_aside: &BTreeMap<String, String>, wait: Duration) -> Result<Box<Reading>, Trouble> {
        self.mails += 1;
        let end = Instant::now() + wait;
        let mut file = None;
        let trouble = |file: Option<String>, why: Why, what: String| Trouble { file, what, why };
        self.ask(&Request { set_aside: set_aside.clone(), ..Request::default() }, raw, end, wait).await?;
        loop {
            match timeout_at(end, self.reply()).await {
                Ok(Ok(Reply::Looking(path))) => file = Some(path),
                Ok(Ok(Reply::Done(reading))) => return Ok(reading),
                Ok(Ok(Reply::Panicked(said))) => return Err(trouble(file, Why::Bug, format!("it panicked: {said}"))),
                Ok(Ok(Reply::Files(_) | Reply::Pictures(_))) => {
                    return Err(trouble(file, Why::Ended, "it answered another question".to_owned()));
                }
                Ok(Err(error)) if error.kind() == io::ErrorKind::FileTooLarge => return Err(trouble(file, Why::Answer, error.to_string())),
                Ok(Err(error)) => return Err(trouble(file, Why::Ended, self.last_words(&error).await)),
                Err(_) => return Err(trouble(file, Why::Time, format!("it took longer than {} s", wait.as_secs()))),
            }
        }
    }

    /// Takes files out of one mail. After trouble the child is of no use any more.
    pub async fn files(&mut self, raw: Raw<'_>, wanted: &Wanted, wait: Duration) -> Result<Vec<Attached>, Trouble> {
        self.mails += 1;
        let end = Instant::now() + wait;
        self.ask(&Request { wanted: Some(wanted.clone()), ..Request::default() }, raw, end, wait).await?;
        match self.one_reply(end, wait).await? {
            Reply::Files(files) => Ok(files.into_iter().filter_map(Packed::unpacked).collect()),
            _ => Err(Trouble { file: None, what: "it answered another question".to_owned(), why: Why::Ended }),
        }
    }

    /// Pictures of a scanned letter. After trouble the child is of no use any more.
    pub async fn pictures(&mut self, raw: Raw<'_>, path: &str, wait: Duration) -> Result<Vec<Vec<u8>>, Trouble> {
        let end = Instant::now() + wait;
        self.ask(&Request { pictures_of: Some(path.to_owned()), ..Request::default() }, raw, end, wait).await?;
        match self.one_reply(end, wait).await? {
            Reply::Pictures(pictures) => Ok(pictures.iter().filter_map(|picture| unpacked(picture)).collect()),
            _ => Err(Trouble { file: None, what: "it answered another question".to_owned(), why: Why::Ended }),
        }
    }

    async fn one_reply(&mut self, end: Instant, wait: Duration) -> Result<Reply, Trouble> {
        let (why, what) = match timeout_at(end, self.reply()).await {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(error)) if error.kind() == io::ErrorKind::FileTooLarge => (Why::Answer, error.to_string()),
            Ok(Err(error)) => (Why::Ended, self.last_words(&error).await),
            Err(_) => (Why::Time, format!("it took longer than {} s", wait.as_secs())),
        };
        Err(Trouble { file: None, what, why })
    }

    /// Hands on a request and its mail.
    async fn ask(&mut self, request: &Request, raw: Raw<'_>, end: Instant, wait: Duration) -> Result<(), Trouble> {
        let trouble = |why: Why, what: String| Trouble { file: None, what, why };
        self.largest_bytes = self.largest_bytes.max(raw.bytes());
        let request = serde_json::to_vec(request).map_err(|error| trouble(Why::Bug, error.to_string()))?;
        let sent = timeout_at(end, async {
            self.send(&request).await?;
            match raw {
                Raw::Bytes(raw) => self.send(raw).await,
                Raw::File { file, bytes } => self.send_file(file, bytes).await,
            }
        });
        match sent.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(trouble(Why::Ended, self.last_words(&error).await)),
            Err(_) => Err(trouble(Why::Time, format!("it did not take the mail within {} s", wait.as_secs()))),
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.input.write_all(&length(bytes)).await?;
        self.input.write_all(bytes).await?;
        self.input.flush().await
    }

    async fn send_file(&mut self, file: tokio::fs::File, bytes: u64) -> io::Result<()> {
        let length = u32::try_from(bytes).map_err(|_| io::Error::other("the mail is too large"))?;
        self.input.write_all(&length.to_le_bytes()).await?;
        let mut pieces = BufReader::with_capacity(PIECE_BYTES, file.take(bytes));
        if tokio::io::copy_buf(&mut pieces, &mut self.input).await? != bytes {
            return Err(io::Error::other("the mail's file became shorter"));
        }
        self.input.flush().await
    }

    async fn reply(&mut self) -> io::Result<Reply> {
        let length = usize::try_from(self.output.read_u32_le().await?).unwrap_or(usize::MAX);
        if length > ANSWER_MAX_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("its answer of {length} bytes is too large")));
        }
        let mut bytes = vec![0; length];
        self.output.read_exact(&mut bytes).await?;
        serde_json::from_slice(&bytes).map_err(io::Error::other)
    }

    /// How it ended, where it did; else the error of its pipe.
    async fn last_words(&mut self, error: &io::Error) -> String {
        let ended = tokio::time::timeout(Duration::from_secs(1), self.child.wait()).await;
        ended.ok().and_then(Result::ok).map_or_else(|| error.to_string(), how_it_ended)
    }
}

fn how_it_ended(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match status.signal() {
        Some(6) => "it was stopped for asking for too much memory, or by a failed check (signal 6)".to_owned(),
        Some(9) => "it was killed (signal 9)".to_owned(),
        Some(11) => "it overflowed its stack or read foreign memory (signal 11)".to_owned(),
        Some(signal) => format!("it ended with signal {signal}"),
        None => format!("it ended with {status}"),
    }
}
