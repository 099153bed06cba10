//! Raw mail, content-addressed: `raw/ab/cd/<sha256>` below the data folder. A file is complete and durable before its name exists.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest, Sha256};

use crate::domain::hex;

/// The folder of raw mails.
#[derive(Debug, Clone)]
pub struct Blobs {
    root: Arc<PathBuf>,
}

impl Blobs {
    /// Opens `raw/` below `data_dir`, making it where it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(data_dir: &Path) -> io::Result<Self> {
        let root = data_dir.join("raw");
        fs::create_dir_all(root.join("tmp"))?;
        sweep(&root.join("tmp"))?;
        Ok(Self { root: Arc::new(root) })
    }

    /// Folder for files on their way in, on the same disk. Their names end with a dot and the number of the process that writes
    /// them: what a killed process leaves behind is removed at the next start.
    #[must_use]
    pub fn incoming(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Takes over a complete file of [`Blobs::incoming`] whose hash is known: made durable, then renamed.
    ///
    /// # Errors
    /// When it could not be made durable.
    pub async fn adopt(&self, file: &Path, sha256: &str, bytes: u64) -> io::Result<()> {
        let (root, file, sha256) = (self.root.clone(), file.to_owned(), sha256.to_owned());
        tokio::task::spawn_blocking(move || {
            if is_there(&root, &sha256, bytes) {
                return Ok(());
            }
            File::open(&file)?.sync_all()?;
            settle(&root, &file, &sha256)
        })
        .await
        .map_err(io::Error::other)?
    }

    /// Stores what a file holds, piece by piece; returns hash and size. Storing it again changes nothing.
    ///
    /// # Errors
    /// When it cannot be read, or could not be made durable.
    pub async fn put_file(&self, file: File) -> io::Result<(String, u64)> {
        let root = self.root.clone();
        tokio::task::spawn_blocking(move || put_file(&root, file)).await.map_err(io::Error::other)?
    }

    /// The file of a raw mail, to be read by somebody who checks its hash.
    #[must_use]
    pub fn file(&self, sha256: &str) -> PathBuf {
        path(&self.root, sha256)
    }

    /// Stores bytes durably; returns their SHA-256 in lower-case hex. Storing them again changes nothing.
    ///
    /// # Errors
    /// When they could not be made durable (disk full, folder gone).
    pub async fn put(&self, bytes: Vec<u8>) -> io::Result<String> {
        let root = self.root.clone();
        tokio::task::spawn_blocking(move || put(&root, &bytes)).await.map_err(io::Error::other)?
    }

    /// Puts one raw mail into `raw/` below another folder: a hard link on the same disk (raw mail never changes), else a copy.
    ///
    /// # Errors
    /// When it is missing here or cannot be written there.
    pub async fn copy_to(&self, sha256: &str, data_dir: &Path) -> io::Result<()> {
        let (from, to) = (path(&self.root, sha256), path(&data_dir.join("raw"), sha256));
        tokio::task::spawn_blocking(move || {
            fs::create_dir_all(to.parent().unwrap_or(&to))?;
            if fs::hard_link(&from, &to).is_ok() {
                return Ok(());
            }
            fs::copy(&from, &to)?;
            File::open(&to)?.sync_all()
        })
        .await
        .map_err(io::Error::other)?
    }

    /// Removes one raw mail; one that is gone already is no fault.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub async fn remove(&self, sha256: &str) -> io::Result<()> {
        match tokio::fs::remove_file(path(&self.root, sha256)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Reads bytes back and checks them against their hash.
    ///
    /// # Errors
    /// When they are missing, or damaged on disk.
    pub async fn get(&self, sha256: &str) -> io::Result<Vec<u8>> {
        let (root, sha256) = (self.root.clone(), sha256.to_owned());
        tokio::task::spawn_blocking(move || {
            let bytes = fs::read(path(&root, &sha256))?;
            if hex::lower(&Sha256::digest(&bytes)) == sha256 {
                Ok(bytes)
            } else {
                Err(io::Error::other(format!("the raw mail {sha256} is damaged on disk")))
            }
        })
        .await
        .map_err(io::Error::other)?
    }
}

/// Bytes copied at one time.
const PIECE_BYTES: usize = 256 * 1024;

fn put(root: &Path, bytes: &[u8]) -> io::Result<String> {
    let sha256 = hex::lower(&Sha256::digest(bytes));
    if is_there(root, &sha256, bytes.len() as u64) {
        return Ok(sha256);
    }
    let temporary = Temporary::new(root, &sha256);
    let mut file = File::create(&temporary.0)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    settle(root, &temporary.0, &sha256)?;
    Ok(sha256)
}

fn put_file(root: &Path, mut from: File) -> io::Result<(String, u64)> {
    let temporary = Temporary::new(root, &format!("{:016x}", fastrand::u64(..)));
    let mut file = File::create_new(&temporary.0)?;
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; PIECE_BYTES]);
    loop {
        let count = from.read(&mut piece)?;
        let read = piece.get(..count).unwrap_or_default();
        if read.is_empty() {
            break;
        }
        hash.update(read);
        file.write_all(read)?;
        bytes += count as u64;
    }
    let sha256 = hex::lower(&hash.finalize());
    if !is_there(root, &sha256, bytes) {
        file.sync_all()?;
        settle(root, &temporary.0, &sha256)?;
    }
    Ok((sha256, bytes))
}

/// A file that goes again unless it was renamed.
struct Temporary(PathBuf);

impl Temporary {
    fn new(root: &Path, name: &str) -> Self {
        Self(root.join("tmp").join(format!("{name}.{}", std::process::id())))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn is_there(root: &Path, sha256: &str, bytes: u64) -> bool {
    fs::metadata(path(root, sha256)).is_ok_and(|found| found.len() == bytes)
}

/// Gives durable bytes their name.
fn settle(root: &Path, temporary: &Path, sha256: &str) -> io::Result<()> {
    let target = path(root, sha256);
    let folder = target.parent().unwrap_or(root);
    fs::create_dir_all(folder)?;
    fs::rename(temporary, &target)?;
    // The new name is durable only once its folder is; so are folders made just now.
    for folder in [Some(folder), folder.parent(), Some(root)].into_iter().flatten() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Removes what processes that are gone have left half-written. Of this process there is nothing yet.
fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let process = path.extension().and_then(|number| number.to_str()?.parse::<u32>().ok());
        let at_work = process.is_some_and(|process| process != std::process::id() && Path::new("/proc").join(process.to_string()).exists());
        if !at_work {
            let _ = fs::remove_file(&path);
        }
    }
    Ok(())
}

fn path(root: &Path, sha256: &str) -> PathBuf {
    let (first, second) = (sha256.get(..2).unwrap_or("00"), sha256.get(2..4).unwrap_or("00"));
    root.join(first).join(second).join(sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_come_back_and_a_second_copy_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let sha256 = blobs.put(b"mail".to_vec()).await.unwrap();
        assert_eq!(blobs.put(b"mail".to_vec()).await.unwrap(), sha256);
        assert_eq!(blobs.get(&sha256).await.unwrap(), b"mail");
    }

    #[tokio::test]
    async fn damage_on_disk_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let sha256 = blobs.put(b"mail".to_vec()).await.unwrap();
        fs::write(path(&dir.path().join("raw"), &sha256), b"MAIL").unwrap();
        assert!(blobs.get(&sha256).await.is_err());
    }

    #[tokio::test]
    async fn a_file_is_stored_under_the_hash_of_its_bytes_and_leaves_nothing_beside() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let bytes = vec![7; 3 * PIECE_BYTES + 1];
        let source = dir.path().join("mail");
        fs::write(&source, &bytes).unwrap();
        let (sha256, size) = blobs.put_file(File::open(&source).unwrap()).await.unwrap();
        assert_eq!(blobs.put_file(File::open(&source).unwrap()).await.unwrap(), (sha256.clone(), size));
        assert_eq!(blobs.put(bytes.clone()).await.unwrap(), sha256);
        let spooled = blobs.incoming().join(format!("x.{}", std::process::id()));
        fs::write(&spooled, b"spooled").unwrap();
        blobs.adopt(&spooled, &hex::lower(&Sha256::digest(b"spooled")), 7).await.unwrap();
        assert_eq!(blobs.get(&hex::lower(&Sha256::digest(b"spooled"))).await.unwrap(), b"spooled");
        assert_eq!(fs::read_dir(blobs.incoming()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_killed_process_left_half_written_goes_at_the_next_start() {
        let dir = tempfile::tempdir().unwrap();
        let tmp = Blobs::open(dir.path()).unwrap().incoming();
        // Process 1 is always there; no process has the largest number.
        for name in ["a.1", "b.4294967295", "c"] {
            fs::write(tmp.join(name), b"half").unwrap();
        }
        Blobs::open(dir.path()).unwrap();
        let left: Vec<_> = fs::read_dir(&tmp).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["a.1"]);
    }
}
