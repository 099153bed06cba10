//! A private PostgreSQL for one test: its own folder and a Unix socket, no port. It hangs on a keeper process, as the mail servers do.
//!
//! `ANNEXD_TEST_STORE=postgres` puts every installation of a test run on it instead of SQLite.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use super::mail_system::{Keeper, privileged};

/// Debian's programs, newest version first.
const PROGRAMS: &str = "/usr/lib/postgresql";
/// The server refuses to run as root.
const USER: &str = "postgres";
const START_SECS: u64 = 30;

/// One cluster, running until dropped.
pub struct Postgres {
    server: Option<Keeper>,
    folder: PathBuf,
    // Last: the folder goes after the server.
    _folder: tempfile::TempDir,
}

impl Postgres {
    /// Makes a cluster and starts its server.
    pub fn start() -> Self {
        let holder = tempfile::tempdir().unwrap();
        let folder = holder.path().to_owned();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        fs::write(folder.join("keeper.sh"), include_str!("mail_system/keeper.sh")).unwrap();
        let (programs, data) = (programs(), folder.join("cluster"));
        let data = data.to_str().unwrap();
        let made =
            as_owner(programs.join("initdb").to_str().unwrap(), &["-D", data, "-N", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let postgres = programs.join("postgres");
        // A power cut is not among the faults of the tests, so it need not wait for the disk.
        let server = [
            "setpriv",
            "--reuid",
            USER,
            "--regid",
            USER,
            "--clear-groups",
            postgres.to_str().unwrap(),
            "-D",
            data,
            "-c",
            "listen_addresses=",
            "-c",
            "fsync=off",
            "-c",
            "max_connections=60",
            "-k",
            folder.to_str().unwrap(),
        ];
        let this = Self { server: Some(Keeper::start(&folder, "postgres", "true", "true", &server)), folder, _folder: holder };
        this.wait();
        this
    }

    /// Address of a database of this cluster, made now.
    pub fn database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.address(name)
    }

    pub fn address(&self, name: &str) -> String {
        format!("postgres://{USER}@localhost/{name}?host={}", self.folder.display())
    }

    /// Runs SQL by `psql`; what it printed, bare.
    pub fn sql(&self, database: &str, statement: &str) -> String {
        let output = self.psql(database, statement);
        assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a file of SQL by `psql`.
    pub fn run(&self, database: &str, script: &Path) {
        let output = self.psql_with(database, &["-XAtqf", script.to_str().unwrap()]);
        assert!(output.status.success(), "{}: {}", script.display(), String::from_utf8_lossy(&output.stderr));
    }

    fn psql(&self, database: &str, statement: &str) -> Output {
        self.psql_with(database, &["-XAtqc", statement])
    }

    fn psql_with(&self, database: &str, what: &[&str]) -> Output {
        Command::new("psql")
            .args(["-h", self.folder.to_str().unwrap(), "-U", USER, "-d", database, "-v", "ON_ERROR_STOP=1"])
            .args(what)
            .output()
            .expect("psql cannot be run; ./test installs postgresql")
    }

    fn wait(&self) {
        let end = Instant::now() + Duration::from_secs(START_SECS);
        while !self.psql("postgres", "SELECT 1").status.success() {
            let log = || fs::read_to_string(self.folder.join("postgres.out")).unwrap_or_default();
            assert!(Instant::now() < end, "PostgreSQL does not answer after {START_SECS} s: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.server = None;
        // The cluster's files belong to another user.
        let _ = privileged("rm").arg("-rf").arg(self.folder.join("cluster")).status();
    }
}

fn programs() -> PathBuf {
    let mut versions: Vec<PathBuf> = fs::read_dir(PROGRAMS)
        .expect("PostgreSQL is not installed; run ./test, which installs it")
        .map(|entry| entry.unwrap().path().join("bin"))
        .filter(|folder: &PathBuf| folder.join("initdb").exists())
        .collect();
    versions.sort();
    versions.pop().expect("PostgreSQL is not installed; run ./test, which installs it")
}

fn as_owner(program: &str, arguments: &[&str]) -> Output {
    privileged("setpriv")
        .args(["--reuid", USER, "--regid", USER, "--clear-groups", program])
        .args(arguments)
        .current_dir(Path::new("/"))
        .output()
        .unwrap()
}
