//! A private mail system for one test: real Dovecot and real Postfix on loopback, with their own folders, ports and certificates.
//!
//! Both need root (mail arrives as another user); as a normal user they are started through `sudo -n`. Each server hangs on a
//! keeper process that ends it when this test drops it or dies, so nothing is left behind even after a SIGKILL.

use std::{
    fs,
    io::{self, Read as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{
    accounts::{Account, accounts},
    certificates::Certificates,
    imap_client::{ImapClient, Stored},
    smtp_client::SmtpClient,
};

/// Longest wait for a server's greeting. A quiet machine needs less than a second.
const START_SECS: u64 = 30;
/// Ports below the range from which the kernel picks ports for outgoing connections.
const FIRST_PORT: u16 = 20_000;
const LAST_PORT: u16 = 32_000;
const BLOCK: u16 = 10;

const DOVECOT: &str = "/usr/sbin/dovecot";
const POSTFIX_DAEMONS: &str = "/usr/lib/postfix/sbin";

/// Loopback ports of one mail system.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// IMAP, plain and STARTTLS.
    pub imap: u16,
    pub imaps: u16,
    pub lmtp: u16,
    /// SMTP, STARTTLS (as 587).
    pub submission: u16,
    /// SMTP, implicit TLS (as 465).
    pub submissions: u16,
}

/// Dovecot and Postfix, running until dropped.
pub struct MailSystem {
    pub ports: Ports,
    pub accounts: Vec<Account>,
    pub certificates: Certificates,
    dovecot: Option<Keeper>,
    postfix: Option<Keeper>,
    root: PathBuf,
    /// Holds the block of ports; never accepts.
    _reserved: TcpListener,
    // Last: the folder goes after the servers.
    _folder: tempfile::TempDir,
}

impl MailSystem {
    /// Starts both servers with the lab's accounts.
    pub fn start() -> Self {
        Self::start_with(accounts())
    }

    /// Starts both servers with accounts of the test's own.
    pub fn start_with(accounts: Vec<Account>) -> Self {
        for program in [DOVECOT, "/usr/lib/dovecot/lmtp", "/usr/lib/postfix/sbin/master"] {
            assert!(
                Path::new(program).exists(),
                "{program} is missing. These tests talk to real mail servers: run ./test, which installs dovecot-imapd, dovecot-lmtpd and postfix."
            );
        }
        // Short: a unix socket's path has at most 107 bytes.
        let folder = tempfile::Builder::new().prefix("annexd-lab-").tempdir_in("/tmp").unwrap();
        let root = folder.path().to_owned();
        let (reserved, base) = reserve_ports();
        let ports = Ports { imap: base + 1, imaps: base + 2, lmtp: base + 3, submission: base + 4, submissions: base + 5 };
        let certificates = Certificates::make(&root.join("tls"));
        let mut system = Self { ports, accounts, certificates, dovecot: None, postfix: None, root, _reserved: reserved, _folder: folder };
        system.write_configuration(base);
        system.start_imap();
        system.start_smtp();
        system
    }

    /// An account by address, or by the part before `@` where that is unique.
    pub fn account(&self, name: &str) -> &Account {
        let found = self.accounts.iter().find(|account| account.address == name || account.address.split('@').next() == Some(name));
        found.unwrap_or_else(|| panic!("the lab has no account {name}"))
    }

    /// Sends a mail as `account` by SMTP with TLS and AUTH, to `to`.
    pub fn send(&self, account: &str, to: &str, raw: &[u8]) {
        let address = self.account(account).address.clone();
        self.send_as(account, &address, to, raw).unwrap_or_else(|error| panic!("{account} cannot send: {error}\n{}", self.logs()));
    }

    /// As [`MailSystem::send`] with another envelope sender; empty for bounces.
    pub fn send_as(&self, account: &str, envelope_from: &str, to: &str, raw: &[u8]) -> io::Result<String> {
        let account = self.account(account);
        let mut client = SmtpClient::tls(self.ports.submissions, &self.certificates.ca, &account.address, &account.password)?;
        client.send(envelope_from, &[to], raw)
    }

    /// Raw mails in an account's INBOX, oldest first, read by IMAP over TLS.
    pub fn inbox(&self, account: &str) -> Vec<Vec<u8>> {
        self.folder(account, "INBOX").into_iter().map(|mail| mail.raw).collect()
    }

    /// Mails of any folder with UID and flags.
    pub fn folder(&self, account: &str, folder: &str) -> Vec<Stored> {
        self.imap(account)
            .and_then(|mut client| client.read(folder))
            .unwrap_or_else(|error| panic!("{account} cannot read {folder}: {error}\n{}", self.logs()))
    }

    /// Waits until an INBOX holds at least `count` mails and returns them.
    pub fn wait_for(&self, account: &str, count: usize, wait: Duration) -> Vec<Vec<u8>> {
        let end = Instant::now() + wait;
        loop {
            let mails = self.inbox(account);
            if mails.len() >= count {
                return mails;
            }
            assert!(Instant::now() < end, "{account} has {} of {count} mails after {} s\n{}", mails.len(), wait.as_secs(), self.logs());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Puts a mail into a folder without SMTP.
    pub fn append(&self, account: &str, folder: &str, raw: &[u8]) {
        self.imap(account)
            .and_then(|mut client| client.append(folder, "", raw))
            .unwrap_or_else(|error| panic!("{account} cannot append: {error}"));
    }

    /// A session of one's own.
    pub fn imap(&self, account: &str) -> io::Result<ImapClient> {
        let account = self.account(account);
        ImapClient::tls(self.ports.imaps, &self.certificates.ca, &account.address, &account.password)
    }

    /// Dovecot goes away; every IMAP connection is cut and Postfix keeps what arrives.
    pub fn stop_imap(&mut self) {
        self.dovecot = None;
    }

    /// Dovecot comes (back) with the same mail, ports and certificates.
    pub fn start_imap(&mut self) {
        let root = self.root.display().to_string();
        let prepare = format!(
            "mkdir -p {root}/mail {root}/postfix && chown {user}:{group} {root}/mail && chmod 755 {root}",
            user = MAIL_USER,
            group = MAIL_GROUP
        );
        let clean = format!("rm -rf {root}/dovecot");
        let configuration = format!("{root}/dovecot.conf");
        self.dovecot = Some(Keeper::start(&self.root, "dovecot", &prepare, &clean, &[DOVECOT, "-F", "-c", &configuration]));
        for port in [self.ports.imap, self.ports.lmtp] {
            wait_for_greeting(port, || self.explain("dovecot"));
        }
    }

    /// [`MailSystem::stop_imap`], then [`MailSystem::start_imap`].
    pub fn restart_imap(&mut self) {
        self.stop_imap();
        self.start_imap();
    }

    /// Puts many mails at once into an INBOX that nobody has opened yet.
    pub fn fill(&self, account: &str, mails: impl Iterator<Item = Vec<u8>>) {
        let (pile, mail) = (self.root.join("pile"), self.root.join("mail").join(&self.account(account).address));
        fs::create_dir_all(&pile).unwrap();
        for (number, raw) in mails.enumerate() {
            fs::write(pile.join(format!("1700000000.M{number}.lab")), raw).unwrap();
        }
        let (pile, mail) = (pile.display(), mail.display());
        let script = format!(
            "mkdir -p {mail}/Maildir/new {mail}/Maildir/cur {mail}/Maildir/tmp && \
             find {pile} -type f -exec mv -t {mail}/Maildir/new {{}} + && chown -R {MAIL_USER}:{MAIL_GROUP} {mail}"
        );
        let is_root = super::process::is_root();
        let mut command = if is_root { Command::new("sh") } else { Command::new("sudo") };
        let arguments: &[&str] = if is_root { &["-c", &script] } else { &["-n", "sh", "-c", &script] };
        assert!(command.args(arguments).status().is_ok_and(|status| status.success()), "the mailbox cannot be filled");
    }

    /// The provider makes an account's mailbox anew: empty, with another UIDVALIDITY.
    pub fn recreate_mailbox(&mut self, account: &str) {
        let folder = self.root.join("mail").join(&self.account(account).address);
        self.stop_imap();
        let emptied = Command::new("sh").args(["-c", &format!("rm -rf {0} || sudo -n rm -rf {0}", folder.display())]).status();
        assert!(emptied.is_ok_and(|status| status.success()), "{} cannot be emptied", folder.display());
        // Dovecot takes the time in seconds for a new mailbox.
        std::thread::sleep(Duration::from_secs(1));
        self.start_imap();
    }

    /// Postfix comes (back) with the same queue.
    pub fn start_smtp(&mut self) {
        let root = self.root.display().to_string();
        let prepare = format!("sh {root}/prepare-postfix.sh {root}/postfix");
        let configuration = format!("{root}/postfix/etc");
        let master = format!("{POSTFIX_DAEMONS}/master");
        self.postfix = Some(Keeper::start(&self.root, "postfix", &prepare, "true", &[&master, "-c", &configuration, "-s"]));
        wait_for_greeting(self.ports.submission, || self.explain("postfix"));
    }

    /// What both servers logged, for a failing test's message.
    pub fn logs(&self) -> String {
        ["dovecot", "postfix"].map(|server| self.explain(server)).join("\n")
    }

    /// The folder of an account's password, for `password_file`.
    pub fn password_file(&self, account: &str) -> PathBuf {
        let account = self.account(account);
        let path = self.root.join(format!("password-{}", account.address));
        fs::write(&path, &account.password).unwrap();
        path
    }

    fn explain(&self, server: &str) -> String {
        let read = |name: String| read_any(&self.root.join(name));
        format!("--- {server}\n{}{}", read(format!("{server}.log")), read(format!("{server}.out")))
    }

    fn write_configuration(&self, base: u16) {
        let ports = self.ports;
        let words = [
            ("ROOT", self.root.display().to_string()),
            ("BASE", base.to_string()),
            ("MAIL_USER", MAIL_USER.to_owned()),
            ("MAIL_GROUP", MAIL_GROUP.to_owned()),
            ("DAEMONS", POSTFIX_DAEMONS.to_owned()),
            ("IMAPS", ports.imaps.to_string()),
            ("IMAP", ports.imap.to_string()),
            ("LMTP", ports.lmtp.to_string()),
            ("SUBMISSIONS", ports.submissions.to_string()),
            ("SUBMISSION", ports.submission.to_string()),
        ];
        let fill =
            |template: &str| words.iter().fold(template.to_owned(), |text, (word, value)| text.replace(&format!("{{{{{word}}}}}"), value));
        let write = |name: &str, text: &str| {
            let path = self.root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("dovecot.conf", &fill(include_str!("mail_system/dovecot.conf")));
        write("postfix/etc/main.cf", &fill(include_str!("mail_system/main.cf")));
        write("postfix/etc/master.cf", &fill(include_str!("mail_system/master.cf")));
        write("keeper.sh", include_str!("mail_system/keeper.sh"));
        write("prepare-postfix.sh", include_str!("mail_system/prepare-postfix.sh"));
        let lines = |line: &dyn Fn(&Account) -> String| self.accounts.iter().map(line).collect::<Vec<_>>().join("\n") + "\n";
        write("passwd", &lines(&|account| format!("{}:{}::::::", account.address, account.password)));
        write("mailboxes", &lines(&|account| format!("{} here", account.address)));
        let mut domains: Vec<String> = self.accounts.iter().map(|account| format!("{} here", account.domain())).collect();
        domains.sort();
        domains.dedup();
        write("domains", &(domains.join("\n") + "\n"));
    }
}

/// Mail is stored as a user that is neither root (Dovecot refuses that) nor anyone in particular.
const MAIL_USER: &str = "nobody";
const MAIL_GROUP: &str = "nogroup";

impl Drop for MailSystem {
    fn drop(&mut self) {
        self.postfix = None;
        self.dovecot = None;
        // Files of other users are in it.
        let _ = privileged("rm").arg("-rf").arg(&self.root).status();
    }
}

/// One server and the process that ends it.
pub(super) struct Keeper {
    child: Child,
}

impl Keeper {
    pub(super) fn start(root: &Path, name: &str, prepare: &str, clean: &str, server: &[&str]) -> Self {
        let output = fs::OpenOptions::new().create(true).append(true).open(root.join(format!("{name}.out"))).unwrap();
        let mut command = privileged("sh");
        command.arg(root.join("keeper.sh")).arg(root.join(format!("{name}.pid"))).args([prepare, clean]).args(server);
        command.stdin(Stdio::piped()).stdout(output.try_clone().unwrap()).stderr(output);
        Self { child: command.spawn().unwrap_or_else(|error| panic!("{name} cannot be started: {error}")) }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // The end of its standard input is the keeper's sign.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// A command run as root.
pub(super) fn privileged(program: &str) -> Command {
    let root = fs::read_to_string("/proc/self/status").is_ok_and(|status| status.lines().any(|line| line.starts_with("Uid:\t0\t")));
    if root {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["-n", program]);
    command
}

/// A block of ports that no other test uses: whoever listens on its first port owns it.
fn reserve_ports() -> (TcpListener, u16) {
    let blocks = u32::from((LAST_PORT - FIRST_PORT) / BLOCK);
    let start = std::process::id().wrapping_mul(7919) % blocks;
    for step in 0..blocks {
        let base = FIRST_PORT + u16::try_from((start + step) % blocks).unwrap() * BLOCK;
        let Ok(owner) = TcpListener::bind(("127.0.0.1", base)) else { continue };
        let free = (1..BLOCK).all(|offset| TcpListener::bind(("127.0.0.1", base + offset)).is_ok());
        if free {
            return (owner, base);
        }
    }
    panic!("no block of {BLOCK} free ports between {FIRST_PORT} and {LAST_PORT}");
}

fn wait_for_greeting(port: u16, explain: impl Fn() -> String) {
    let end = Instant::now() + Duration::from_secs(START_SECS);
    while Instant::now() < end {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
            let mut first = [0; 1];
            if stream.read_exact(&mut first).is_ok() {
                return;
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("nothing answers on port {port} after {START_SECS} s\n{}", explain());
}

/// A file that may belong to root.
fn read_any(path: &Path) -> String {
    let bytes = fs::read(path).or_else(|_| privileged("cat").arg(path).output().map(|output| output.stdout));
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}
