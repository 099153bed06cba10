//! One daemon a data folder: a lock that the operating system drops with the process.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::Path,
    time::Duration,
};

/// How often, and how many times, the holder's number is looked for: it writes it just after it has the lock.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS: u32 = 50;

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
                anyhow::bail!("another annexd (process {}) works on {}; stop it first", holder(&mut file)?, data_dir.display())
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

/// The number of the process that holds the lock, and not of one that died with it; empty where it does not say.
fn holder(file: &mut File) -> std::io::Result<String> {
    let mut number = String::new();
    for _ in 0..LOOKS {
        number.clear();
        file.rewind()?;
        file.read_to_string(&mut number)?;
        if !number.is_empty() && Path::new("/proc").join(&number).exists() {
            break;
        }
        std::thread::sleep(LOOK);
    }
    Ok(number)
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

    #[test]
    fn a_holder_that_has_not_yet_written_its_number_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let mut held = OpenOptions::new().write(true).create(true).truncate(true).open(dir.path().join("annexd.lock")).unwrap();
        held.lock().unwrap();
        let writing = std::thread::spawn(move || {
            std::thread::sleep(LOOK * 3);
            write!(held, "{}", std::process::id()).unwrap();
            std::thread::sleep(LOOK * 10);
        });
        let refused = Lock::take(dir.path()).unwrap_err().to_string();
        writing.join().unwrap();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
    }
}
