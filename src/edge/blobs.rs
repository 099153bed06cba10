//! Raw mail, content-addressed: `raw/ab/cd/<sha256>` below the data folder. A file is complete and durable before its name exists.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest, Sha256};

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
        Ok(Self { root: Arc::new(root) })
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

    /// Reads bytes back and checks them against their hash.
    ///
    /// # Errors
    /// When they are missing, or damaged on disk.
    pub async fn get(&self, sha256: &str) -> io::Result<Vec<u8>> {
        let (root, sha256) = (self.root.clone(), sha256.to_owned());
        tokio::task::spawn_blocking(move || {
            let bytes = fs::read(path(&root, &sha256))?;
            if hex(&Sha256::digest(&bytes)) == sha256 {
                Ok(bytes)
            } else {
                Err(io::Error::other(format!("the raw mail {sha256} is damaged on disk")))
            }
        })
        .await
        .map_err(io::Error::other)?
    }
}

fn put(root: &Path, bytes: &[u8]) -> io::Result<String> {
    let sha256 = hex(&Sha256::digest(bytes));
    let target = path(root, &sha256);
    if fs::metadata(&target).is_ok_and(|found| found.len() == bytes.len() as u64) {
        return Ok(sha256);
    }
    let folder = target.parent().unwrap_or(root);
    fs::create_dir_all(folder)?;
    let temporary = root.join("tmp").join(format!("{sha256}.{}", std::process::id()));
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, &target)?;
    // The new name is durable only once its folder is; so are folders made just now.
    for folder in [Some(folder), folder.parent(), Some(root)].into_iter().flatten() {
        File::open(folder)?.sync_all()?;
    }
    Ok(sha256)
}

fn path(root: &Path, sha256: &str) -> PathBuf {
    let (first, second) = (sha256.get(..2).unwrap_or("00"), sha256.get(2..4).unwrap_or("00"));
    root.join(first).join(second).join(sha256)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
}
