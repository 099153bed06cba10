//! `[store]`: which database.

use secrecy::SecretString;

use super::{reader::Reader, receiving::password, secret::SecretSource};

/// Where the database is.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// `sqlite:FILE`, relative to the data folder, or `postgres://USER@HOST:PORT/DATABASE`; holds no password.
    pub url: String,
    /// PostgreSQL's password.
    pub password: Option<SecretSource>,
}

impl StoreConfig {
    /// The password, read now; `None` where none is configured.
    ///
    /// # Errors
    /// One sentence naming the file or variable.
    pub fn secret(&self) -> Result<Option<SecretString>, String> {
        self.password.as_ref().map(SecretSource::read).transpose()
    }
}

pub fn store(reader: &mut Reader) -> StoreConfig {
    let (file, line) = reader.place("store", "url");
    let url = reader.string("store", "url").unwrap_or_else(|| "sqlite:annexd.db".to_owned());
    let in_environment = file.starts_with("environment");
    if let Err(problem) = check_url(&url, in_environment) {
        // The address is not repeated: a secret may stand in it.
        reader.wrong::<()>("store", "url", &file, line, problem.to_owned());
    }
    let password = password(reader, "store");
    StoreConfig { url, password }
}

fn check_url(url: &str, in_environment: bool) -> Result<(), &'static str> {
    match url.split_once(':') {
        Some(("sqlite", _)) => Ok(()),
        Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
            let host = rest.trim_start_matches('/').split('/').next().unwrap_or_default();
            match host.rsplit_once('@') {
                Some((user, _)) if user.contains(':') && !in_environment => {
                    Err("a secret must not stand here; put the password into a file and name that with password_file, or use password_env")
                }
                _ => Ok(()),
            }
        }
        _ => Err("is no database address; use sqlite:annexd.db or postgres://USER@HOST/DATABASE"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_database_and_hides_no_secret() {
        for good in [
            "sqlite:annexd.db",
            "sqlite:///var/a.db",
            "postgres://annexd@db.example.cn/annexd",
            "postgresql:///annexd?host=/run/postgresql",
        ] {
            assert!(check_url(good, false).is_ok(), "{good}");
        }
        for bad in ["", "annexd.db", "mysql://a@b/c", "postgres:annexd", "postgres://annexd:secret@db/annexd"] {
            assert!(check_url(bad, false).is_err(), "{bad}");
        }
        assert!(check_url("postgres://annexd:secret@db/annexd", true).is_ok(), "a variable may hold a secret");
    }
}
