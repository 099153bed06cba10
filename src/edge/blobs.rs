//! Raw mail, content-addressed: `raw/ab/cd/<sha256>` below the data folder, or one object each in a store that several machines
//! share. A file or object is complete and durable before its name exists.
//!
//! With an object store the folder is each machine's own: mails on their way in or out lie in `raw/tmp` for a moment, and what was
//! kept in the folder before is still found there.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest, Sha256};

use crate::domain::hex;

pub mod objects;

use objects::{ObjectSettings, Objects};

/// Where the raw mails are. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Blobs {
    root: Arc<PathBuf>,
    /// `None`: they are in the folder.
    objects: Option<Objects>,
}

/// A raw mail as a file of this machine, for as long as this lives.
#[derive(Debug)]
pub struct RawFile {
    path: PathBuf,
    /// Of a mail that was fetched to be read.
    fetched: Option<Temporary>,
}

impl RawFile {
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Blobs {
    /// Opens `raw/` below `data_dir`, making it where it is missing; raw mail is kept in `objects`, where that is configured.
    ///
    /// # Errors
    /// When the folder cannot be made, or the object store's settings cannot be used. Nothing is asked of the store yet.
    pub fn open(data_dir: &Path, objects: Option<&ObjectSettings>) -> io::Result<Self> {
        let root = data_dir.join("raw");
        fs::create_dir_all(root.join("tmp"))?;
        sweep(&root.join("tmp"))?;
        Ok(Self { root: Arc::new(root), objects: objects.map(Objects::open).transpose()? })
    }

    /// The object store, where raw mail is kept in one.
    #[must_use]
    pub fn objects(&self) -> Option<&Objects> {
        self.objects.as_ref()
    }

    /// Whether raw mail can be kept now: no mail need be fetched that nobody can take.
    ///
    /// # Errors
    /// Why not. A folder shows its faults only when it is written.
    pub async fn ready(&self) -> io::Result<()> {
        match &self.objects {
            Some(objects) => objects.answers().await,
            None => Ok(()),
        }
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
        if let Some(objects) = &self.objects {
            return objects.put_file(sha256, file).await;
        }
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
        let (spooled, sha256, bytes) = tokio::task::spawn_blocking(move || spool(&root, file)).await.map_err(io::Error::other)??;
        self.adopt(&spooled.0, &sha256, bytes).await?;
        Ok((sha256, bytes))
    }

    /// The file of a raw mail, to be read by somebody who checks its hash. A mail that lies in the folder is taken from there.
    ///
    /// # Errors
    /// `NotFound` where the object store has no such mail; otherwise the store does not answer, and later it may.
    pub async fn file(&self, sha256: &str) -> io::Result<RawFile> {
        let path = path(&self.root, sha256);
        let Some(objects) = self.objects.as_ref().filter(|_| !path.exists()) else { return Ok(RawFile { path, fetched: None }) };
        let fetched = Temporary::of(&self.root, sha256);
        objects.fetch_into(sha256, &fetched.0).await?;
        Ok(RawFile { path: fetched.0.clone(), fetched: Some(fetched) })
    }

    /// Stores bytes durably; returns their SHA-256 in lower-case hex. Storing them again changes nothing.
    ///
    /// # Errors
    /// When they could not be made durable (disk full, folder gone).
    pub async fn put(&self, bytes: Vec<u8>) -> io::Result<String> {
        if let Some(objects) = &self.objects {
            let sha256 = hex::lower(&Sha256::digest(&bytes));
            objects.put(&sha256, bytes).await?;
            return Ok(sha256);
        }
        let root = self.root.clone();
        tokio::task::spawn_blocking(move || put(&root, &bytes)).await.map_err(io::Error::other)?
    }

    /// Puts one raw mail into `raw/` below another folder: a hard link on the same disk (raw mail never changes), else a copy.
    ///
    /// # Errors
    /// When it is missing here or cannot be written there.
    pub async fn copy_to(&self, sha256: &str, data_dir: &Path) -> io::Result<()> {
        let (from, to) = (self.file(sha256).await?, path(&data_dir.join("raw"), sha256));
        tokio::task::spawn_blocking(move || {
            fs::create_dir_all(to.parent().unwrap_or(&to))?;
            let linked = fs::hard_link(from.path(), &to).is_ok();
            if linked && from.fetched.is_none() {
                return Ok(());
            }
            if !linked {
                fs::copy(from.path(), &to)?;
            }
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
        if let Some(objects) = &self.objects {
            objects.remove(sha256).await?;
        }
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
        let (file, sha256) = (self.file(sha256).await?, sha256.to_owned());
        tokio::task::spawn_blocking(move || {
            let bytes = fs::read(file.path())?;
            if hex::lower(&Sha256::digest(&bytes)) == sha256 {
                Ok(bytes)
            } else {
                Err(io::Error::other(format!("the raw mail {sha256} is damaged on disk")))
            }
        })
        .await
        .map_err(io::Error::other)?
    }

    /// Mails that lie in the folder.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn in_folder(&self) -> io::Result<u64> {
        Ok(kept(&self.root)?.len() as u64)
    }

    /// Moves every mail that lies in the folder into the object store; returns how many, and tells `seen` of each. A file goes only
    /// after its object was read back and has its hash: what stops in between is done again.
    ///
    /// # Errors
    /// When no object store is configured, a file is damaged, or the store does not take it.
    pub async fn move_to_objects(&self, mut seen: impl FnMut(&str)) -> io::Result<u64> {
        let objects = self.objects.as_ref().ok_or_else(|| io::Error::other("no object store is configured; see [raw_mail]"))?;
        let mut moved = 0;
        for (sha256, file) in kept(&self.root)? {
            self.get(&sha256).await?;
            objects.put_file(&sha256, &file).await?;
            let back = Temporary::of(&self.root, &sha256);
            objects.fetch_into(&sha256, &back.0).await?;
            if hash_of(back.0.clone()).await? != sha256 {
                return Err(io::Error::other(format!("the raw mail {sha256} came back from the object store with other bytes")));
            }
            fs::remove_file(&file)?;
            seen(&sha256);
            moved += 1;
        }
        Ok(moved)
    }
}

/// Bytes copied at one time.
const PIECE_BYTES: usize = 256 * 1024;

fn put(root: &Path, bytes: &[u8]) -> io::Result<String> {
    let sha256 = hex::lower(&Sha256::digest(bytes));
    if is_there(root, &sha256, bytes.len() as u64) {
        return Ok(sha256);
    }
    let temporary = Temporary::of(root, &sha256);
    let mut file = File::create_new(&temporary.0)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    settle(root, &temporary.0, &sha256)?;
    Ok(sha256)
}

/// Copies a file beside the raw mails and takes its hash.
fn spool(root: &Path, mut from: File) -> io::Result<(Temporary, String, u64)> {
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
    Ok((temporary, hex::lower(&hash.finalize()), bytes))
}

async fn hash_of(file: PathBuf) -> io::Result<String> {
    tokio::task::spawn_blocking(move || {
        let (mut file, mut hash, mut piece) = (File::open(file)?, Sha256::new(), vec![0; PIECE_BYTES]);
        loop {
            let count = file.read(&mut piece)?;
            if count == 0 {
                return Ok(hex::lower(&hash.finalize()));
            }
            hash.update(piece.get(..count).unwrap_or_default());
        }
    })
    .await
    .map_err(io::Error::other)?
}

/// Hash and file of each mail in the folder.
fn kept(root: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let below = |folder: &Path| -> io::Result<Vec<PathBuf>> { fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect() };
    let is_pair = |folder: &PathBuf| folder.file_name().is_some_and(|name| name.len() == 2) && folder.is_dir();
    let mut found = Vec::new();
    for first in below(root)?.iter().filter(|folder| is_pair(folder)) {
        for second in below(first)?.iter().filter(|folder| is_pair(folder)) {
            let named = |file: PathBuf| Some((file.file_name()?.to_str()?.to_owned(), file));
            found.extend(below(second)?.into_iter().filter_map(named));
        }
    }
    found.sort();
    Ok(found)
}

/// A file that goes again unless it was renamed.
#[derive(Debug)]
struct Temporary(PathBuf);

impl Temporary {
    /// For a mail. Two copies of it may be on their way at one time, each in a file of its own.
    fn of(root: &Path, sha256: &str) -> Self {
        Self::new(root, &format!("{sha256}-{:016x}", fastrand::u64(..)))
    }

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
        let blobs = Blobs::open(dir.path(), None).unwrap();
        let sha256 = blobs.put(b"mail".to_vec()).await.unwrap();
        assert_eq!(blobs.put(b"mail".to_vec()).await.unwrap(), sha256);
        assert_eq!(blobs.get(&sha256).await.unwrap(), b"mail");
    }

    #[tokio::test]
    async fn copies_that_come_at_one_time_are_one_mail() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path(), None).unwrap();
        let mail = vec![7; 1 << 20];
        let all = futures_util::future::join_all((0..8).map(|_| blobs.put(mail.clone()))).await;
        let sha256 =
            all.into_iter().map(Result::unwrap).reduce(|one, other| if one == other { one } else { panic!("two hashes") }).unwrap();
        assert_eq!(blobs.get(&sha256).await.unwrap(), mail);
        assert_eq!(fs::read_dir(blobs.incoming()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn damage_on_disk_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path(), None).unwrap();
        let sha256 = blobs.put(b"mail".to_vec()).await.unwrap();
        fs::write(path(&dir.path().join("raw"), &sha256), b"MAIL").unwrap();
        assert!(blobs.get(&sha256).await.is_err());
    }

    #[tokio::test]
    async fn a_file_is_stored_under_the_hash_of_its_bytes_and_leaves_nothing_beside() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path(), None).unwrap();
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
        let tmp = Blobs::open(dir.path(), None).unwrap().incoming();
        // Process 1 is always there; no process has the largest number.
        for name in ["a.1", "b.4294967295", "c"] {
            fs::write(tmp.join(name), b"half").unwrap();
        }
        Blobs::open(dir.path(), None).unwrap();
        let left: Vec<_> = fs::read_dir(&tmp).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["a.1"]);
    }
}
