//! `[store]`: which database; `roles`: what this daemon does, where several share one.

use secrecy::SecretString;

use super::{Config, reader::Reader, receiving::password, secret::SecretSource};

/// Where the database is.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// `sqlite:FILE`, relative to the data folder, or `postgres://USER@HOST:PORT/DATABASE`; holds no password.
    pub url: String,
    /// PostgreSQL's password.
    pub password: Option<SecretSource>,
}

/// One part of the work. A daemon does all of it unless told otherwise; workers without mailbox and letters have `examine` only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Watch the mailbox and accept mails; one daemon at a time, the others stand by.
    Watch,
    /// Read, judge and record mails.
    Examine,
    /// Write and send letters; one daemon at a time, the others stand by.
    Send,
}

pub fn roles(reader: &mut Reader, store: &StoreConfig) -> Vec<Role> {
    let (file, line) = reader.place("", "roles");
    let Some(words) = reader.strings("", "roles") else { return vec![Role::Watch, Role::Examine, Role::Send] };
    let mut roles = Vec::new();
    for word in words.iter().collect::<std::collections::BTreeSet<_>>() {
        match word.as_str() {
            "watch" => roles.push(Role::Watch),
            "examine" => roles.push(Role::Examine),
            "send" => roles.push(Role::Send),
            _ => drop(reader.wrong::<()>("", "roles", &file, line, format!("{word:?} is not one of watch, examine, send"))),
        }
    }
    if roles.is_empty() {
        reader.wrong::<()>("", "roles", &file, line, "names nothing to do; leave it out for everything".to_owned());
    } else if roles.len() < 3 && store.url.starts_with("sqlite:") {
        let remedy = "leaves work to other daemons, but only one can use a SQLite database; use [store] url = \"postgres://…\"".to_owned();
        reader.wrong::<()>("", "roles", &file, line, remedy);
    }
    roles
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

/// `shared_with`: the main programme, where this one names no database of its own. A file lies in its own folder; on a server it
/// must be named.
pub fn store(reader: &mut Reader, shared_with: Option<&Config>) -> StoreConfig {
    if shared_with.is_some_and(|main| !main.store.url.starts_with("sqlite:")) {
        let (file, _) = reader.place("store", "url");
        let remedy = "is missing: the main programme's database is on a server, and each programme needs its own there".to_owned();
        reader.wrong::<()>("store", "url", &file, None, remedy);
    }
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
