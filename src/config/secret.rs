//! Secrets: read from a file or an environment variable at the moment they are used, never kept in the TOML, never shown.

use std::path::PathBuf;

use secrecy::{SecretString, zeroize::Zeroizing};

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    File(PathBuf),
    Environment(String),
}

impl SecretSource {
    /// Reads the secret, without the line break that editors leave at its end.
    ///
    /// # Errors
    /// One sentence naming the file or variable.
    pub fn read(&self) -> Result<SecretString, String> {
        // Wiped from memory when it goes, as the secret itself is.
        let text = Zeroizing::new(match self {
            Self::File(path) => {
                std::fs::read_to_string(path).map_err(|error| format!("the secret file {} cannot be read: {error}", path.display()))?
            }
            Self::Environment(name) => {
                std::env::var(name).map_err(|_| format!("the environment variable {name} that should hold the secret is not set"))?
            }
        });
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() {
            return Err(format!("the secret of {self} is empty"));
        }
        Ok(SecretString::from(secret.to_owned()))
    }
}

impl SecretSource {
    /// Whole days since the secret was written; `None` where it is not in a file.
    #[must_use]
    pub fn age_days(&self, now: jiff::Timestamp) -> Option<u64> {
        u64::try_from(now.duration_since(self.written_at()?).as_hours() / 24).ok()
    }

    /// When the secret was written; `None` where it is not in a file.
    #[must_use]
    pub fn written_at(&self) -> Option<jiff::Timestamp> {
        let Self::File(path) = self else { return None };
        jiff::Timestamp::try_from(std::fs::metadata(path).ok()?.modified().ok()?).ok()
    }
}

impl std::fmt::Display for SecretSource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "file {}", path.display()),
            Self::Environment(name) => write!(formatter, "environment variable {name}"),
        }
    }
}
