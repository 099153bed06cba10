//! The program under test, run as its users run it: a configuration, a command, what it says and how it ends.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output},
};

use super::{
    MailSystem, Postgres,
    accounts::{ADMINISTRATORS, DEPARTMENT},
};

/// The program under test: the one built with the tests, or another build of it, named by `ANNEXD_TEST_PROGRAM`.
pub fn program() -> PathBuf {
    std::env::var_os("ANNEXD_TEST_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_annexd").into(), PathBuf::from)
}

/// An installation in a folder of its own.
pub struct Annexd {
    pub configuration: PathBuf,
    /// Its database server, where it is not SQLite.
    pub postgres: Option<Postgres>,
    /// What its environment holds besides the test's own.
    variables: Vec<(String, String)>,
    folder: tempfile::TempDir,
}

impl Annexd {
    /// Against the private mail system, by TLS, without caps on sending; each division writes to its mailbox there.
    pub fn beside(mail: &MailSystem) -> Self {
        let password = mail.password_file(DEPARTMENT);
        let (imap, smtp, ca) = (mail.ports.imaps, mail.ports.submissions, mail.certificates.ca.display());
        let common = format!(
            "host = \"127.0.0.1\"\nsecurity = \"tls\"\nusername = \"{DEPARTMENT}\"\npassword_file = \"{}\"\nca_file = \"{ca}\"\nprovider = \"generic\"\n",
            password.display()
        );
        let mailbox = format!("[mailbox]\nkind = \"imap\"\nport = {imap}\npoll_secs = 1\n{common}");
        let smtp = format!(
            "[smtp]\nkind = \"smtp\"\nport = {smtp}\nfrom = \"吉林省工信厅科技处 <{DEPARTMENT}>\"\nper_day = 0\nper_15_min = 0\nper_connection = 0\ngap_secs = 0\n{common}"
        );
        let digest = format!("[digest]\nto = [\"{}\"]\nat = \"08:30\"\n", ADMINISTRATORS.join("\", \""));
        Self::with(&[mailbox, smtp, digest].join("\n"))
    }

    /// With these sections; `data_dir` is put before them.
    pub fn with(sections: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let configuration = folder.path().join("annexd.toml");
        let postgres = std::env::var("ANNEXD_TEST_STORE").is_ok_and(|store| store == "postgres").then(Postgres::start);
        let store = postgres.as_ref().map_or_else(String::new, |server| format!("\n[store]\nurl = \"{}\"\n", server.database("annexd")));
        fs::write(&configuration, format!("data_dir = \"{}\"\n\n{sections}{store}", folder.path().join("data").display())).unwrap();
        Self { configuration, postgres, variables: Vec::new(), folder }
    }

    /// With these sections and the database they name; folders named in them are relative to the configuration's.
    pub fn local(sections: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| format!("path = \"{}\"", folder.path().join(name).display());
        let sections = sections.replace("path = \"in\"", &place("in")).replace("path = \"out\"", &place("out"));
        for part in ["new", "cur", "tmp"] {
            fs::create_dir_all(folder.path().join("in").join(part)).unwrap();
        }
        let configuration = folder.path().join("annexd.toml");
        fs::write(&configuration, format!("data_dir = \"{}\"\n\n{sections}", folder.path().join("data").display())).unwrap();
        Self { configuration, postgres: None, variables: Vec::new(), folder }
    }

    /// Every command finds these variables.
    pub fn with_variables(mut self, variables: &[(&str, &str)]) -> Self {
        self.variables.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }

    /// Lifts the caps on answers: a day of mail comes in a minute here.
    pub fn open_caps(&self) {
        let caps = ["per_address_hour", "per_address_day", "per_domain_hour", "per_domain_day", "total_day", "alternations_day"];
        let open: String = caps.iter().map(|cap| format!("{cap} = 0\n")).collect();
        let text = fs::read_to_string(&self.configuration).unwrap();
        fs::write(&self.configuration, format!("{text}\n[answers]\n{open}")).unwrap();
    }

    /// The shipped routing table, every division with its mailbox in the lab and an hour that has passed.
    pub fn give_divisions_addresses(&self) {
        let shipped = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/divisions.toml")).unwrap();
        let mut id = String::new();
        let mut out = String::new();
        for line in shipped.lines() {
            if let Some(value) = line.strip_prefix("id = ") {
                value.trim_matches('"').clone_into(&mut id);
            }
            match line.split(" = ").next() {
                Some("mail") => out.push_str(&format!("mail = [\"{id}@division.example.cn\"]\n")),
                Some("queue_at") => out.push_str("queue_at = [\"00:00\"]\n"),
                _ => out.push_str(&format!("{line}\n")),
            }
        }
        fs::write(self.folder().join("divisions.toml"), out).unwrap();
    }

    /// The installation's folder; the configuration's neighbours (`divisions.toml`) go here.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A command, ready to be run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.arg("--config").arg(&self.configuration).args(arguments).envs(self.variables.iter().cloned());
        command
    }

    /// Runs to the end, whatever the end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs to a good end; standard output.
    pub fn say(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "annexd {arguments:?} ended with {}:\n{told}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// `annexd export WHAT` as values.
    pub fn export(&self, what: &str) -> Vec<serde_json::Value> {
        self.say(&["export", what]).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Starts the daemon; it is killed when dropped.
    pub fn daemon(&self) -> Daemon {
        let log = fs::File::create(self.folder().join("run.log")).unwrap();
        Daemon { child: self.command(&["run"]).stderr(log.try_clone().unwrap()).stdout(log).spawn().unwrap() }
    }
}

/// `annexd run`.
pub struct Daemon {
    pub child: Child,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
