//! A scanned letter's pictures through `tesseract`, one confined child a page, started when there is something to recognise.
//! Nothing depends on it: what fails here leaves the mail as it was read.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
    time::{Instant, timeout_at},
};

use super::process::MEMORY_VARIABLE;

/// Bytes of recognised text that are taken of one page.
const TEXT_MAX_BYTES: u64 = 256 << 10;

/// How scans are recognised.
#[derive(Debug, Clone)]
pub struct OcrSettings {
    /// `tesseract`, or a path to it.
    pub program: PathBuf,
    /// `chi_sim`, `chi_sim+eng`.
    pub language: String,
    /// Longest time for one letter, all its pages together.
    pub timeout: Duration,
    /// Address space of the recogniser.
    pub memory_max_bytes: u64,
}

impl OcrSettings {
    /// The program's whole path.
    ///
    /// # Errors
    /// In words: it is not there.
    pub fn located(&self) -> Result<PathBuf, String> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let named = std::iter::once(self.program.clone()).filter(|program| program.components().count() > 1);
        let searched = std::env::split_paths(&path).map(|folder| folder.join(&self.program));
        let mut places: Box<dyn Iterator<Item = PathBuf>> =
            if self.program.components().count() > 1 { Box::new(named) } else { Box::new(searched) };
        places
            .find_map(|place| place.canonicalize().ok().filter(|place| place.is_file()))
            .ok_or_else(|| format!("the program {} (tesseract) is not installed here", self.program.display()))
    }

    /// What the recogniser is and whether it knows its language, for `annexd check`.
    ///
    /// # Errors
    /// What is missing.
    pub async fn probe(&self) -> Result<String, String> {
        let program = self.located()?;
        let ask = |argument: &'static str| {
            let mut command = Command::new(&program);
            command.arg(argument).stdin(Stdio::null()).kill_on_drop(true);
            async move {
                let said = tokio::time::timeout(self.timeout, command.output()).await.map_err(|_| "it did not answer".to_owned())?;
                let said = said.map_err(|error| error.to_string())?;
                Ok::<_, String>(String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned())
            }
        };
        let version = ask("--version").await?;
        let languages = ask("--list-langs").await?;
        for wanted in self.language.split('+') {
            if !languages.lines().any(|line| line.trim() == wanted) {
                return Err(format!("tesseract does not know the language {wanted}"));
            }
        }
        Ok(format!("{} recognises scanned letters ({})", version.lines().next().unwrap_or("tesseract").trim(), self.language))
    }
}

/// Text of all pictures, in their order. `annexd` is this program: it confines the recogniser before it starts it.
///
/// # Errors
/// Where the recogniser is missing, fails, or takes too long.
pub async fn recognise(settings: &OcrSettings, annexd: &Path, pictures: Vec<Vec<u8>>) -> io::Result<String> {
    let program = settings.located().map_err(|missing| io::Error::new(io::ErrorKind::NotFound, missing))?;
    let end = Instant::now() + settings.timeout;
    let mut text = String::new();
    for picture in pictures {
        let page = timeout_at(end, page(settings, annexd, &program, picture)).await;
        let late = || io::Error::new(io::ErrorKind::TimedOut, format!("it took longer than {} s", settings.timeout.as_secs()));
        text.push_str(&page.map_err(|_| late())??);
        text.push('\n');
    }
    Ok(text)
}

async fn page(settings: &OcrSettings, annexd: &Path, program: &Path, picture: Vec<u8>) -> io::Result<String> {
    let mut child = Command::new(annexd)
        .arg("recogniser")
        .arg(program)
        .arg(&settings.language)
        .env_clear()
        .env(MEMORY_VARIABLE, settings.memory_max_bytes.to_string())
        .env("OMP_THREAD_LIMIT", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("the recogniser has no pipes"));
    };
    let mut text = Vec::new();
    let mut output = output.take(TEXT_MAX_BYTES);
    let feed = async move {
        let fed = input.write_all(&picture).await;
        drop(input);
        fed
    };
    let (fed, read) = tokio::join!(feed, output.read_to_end(&mut text));
    read?;
    drop(output);
    let status = child.wait().await?;
    if !status.success() {
        return Err(io::Error::other(format!("it ended with {status}")));
    }
    fed?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
