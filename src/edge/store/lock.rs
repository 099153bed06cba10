//! One daemon a data folder: a lock that the operating system drops with the process.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::Path,
};

/// Held as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a data folder.
    ///
    /// # Errors
    /// When another process holds it (its number is named), or the file cannot be made.
    pub fn take(data_dir: &Path) -> anyhow::Result<Self> {
        let path = data_dir.join("annexd.lock");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0)?;
                file.rewind()?;
                write!(file, "{}", std::process::id())?;
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder)?;
                anyhow::bail!("another annexd (process {}) works on {}; stop it first", holder.trim(), data_dir.display())
            }
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Waits for the moment in which nobody else makes or upgrades the database of a data folder: two commands may start at once.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn opening(data_dir: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(data_dir.join("annexd.opening.lock"))?;
        file.lock()?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_daemon_is_told_which_process_holds_the_store() {
        let dir = tempfile::tempdir().unwrap();
        let held = Lock::take(dir.path()).unwrap();
        let refused = Lock::take(dir.path()).unwrap_err().to_string();
        assert!(refused.contains(&std::process::id().to_string()), "{refused}");
        drop(held);
        assert!(Lock::take(dir.path()).is_ok());
    }
}
