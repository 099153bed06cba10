//! A Maildir as mailbox: files of `new` and `cur`, known by their unique names. Nothing is moved or marked.

use std::{
    io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use jiff::Timestamp;

use super::body::Body;

/// A message file.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Unique name, without the flags after `:2,`.
    pub name: String,
    pub path: PathBuf,
    /// The file's time.
    pub arrived_at: Option<Timestamp>,
}

/// Message files, in order of name.
///
/// # Errors
/// When the folder is no Maildir or cannot be read.
pub async fn list(path: &Path) -> io::Result<Vec<Entry>> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || list_now(&path)).await.map_err(io::Error::other)?
}

fn list_now(path: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for folder in ["new", "cur"] {
        let folder = path.join(folder);
        let files = std::fs::read_dir(&folder)
            .map_err(|error| io::Error::new(error.kind(), format!("{} is no Maildir folder: {error}", folder.display())))?;
        for file in files {
            let file = file?;
            let name = file.file_name().to_string_lossy().into_owned();
            let Ok(metadata) = file.metadata() else { continue };
            if !metadata.is_file() || name.starts_with('.') {
                continue;
            }
            let arrived_at = metadata
                .modified()
                .ok()
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
                .and_then(|since| Timestamp::from_second(i64::try_from(since.as_secs()).ok()?).ok());
            entries.push(Entry { name: name.split(":2,").next().unwrap_or(&name).to_owned(), path: file.path(), arrived_at });
        }
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}

/// Opens a message; `None` where another program has moved the file since.
///
/// # Errors
/// When the file is there and cannot be opened.
pub async fn open(entry: &Entry) -> io::Result<Option<Body>> {
    match tokio::fs::File::open(&entry.path).await {
        Ok(file) => Ok(Some(Body::File(file.into_std().await))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
