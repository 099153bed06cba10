"""Private servers with the tests' configuration, below one folder: Dovecot, Postfix, PostgreSQL. They end with the bench."""

import glob
import os
import resource
import signal
import socket
import subprocess
import sys
import time

from lab.machine import ROOT, sh

SUPPORT = os.path.join(ROOT, "tests/support/mail_system")
PASSWORD = "bench-password"


def free_ports():
    """The first of ten ports below those that the kernel gives to outgoing connections."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1] % 10_000 + 20_000


def answers(port, name):
    for _ in range(300):
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as probe:
                if probe.recv(10):
                    return
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit(f"{name} does not answer")


def make_certificates(folder):
    os.makedirs(folder)
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    sh(["openssl", "req", "-x509", *new_key, "-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem", "-days", "30", "-subj", "/CN=bench CA"])
    sh(["openssl", "req", *new_key, "-keyout", f"{folder}/leaf.key", "-out", f"{folder}/leaf.csr", "-subj", "/CN=bench"])
    with open(f"{folder}/leaf.ext", "w") as file:
        file.write("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    sh(["openssl", "x509", "-req", "-in", f"{folder}/leaf.csr", "-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key", "-CAcreateserial", "-days", "30",
        "-extfile", f"{folder}/leaf.ext", "-out", f"{folder}/leaf.pem"])


class Server:
    """A process group below a folder."""

    def __init__(self):
        self.process = None

    def launch(self, command, **more):
        self.process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)

    def stop(self, how=signal.SIGTERM):
        if self.process:
            os.killpg(self.process.pid, how)
            self.process.wait()
            self.process = None


class Dovecot(Server):
    def __init__(self, root):
        super().__init__()
        self.root, self.base = root, free_ports()
        self.imap, self.imaps, self.lmtp = self.base + 1, self.base + 2, self.base + 3
        self.words = {"ROOT": root, "BASE": self.base, "MAIL_USER": "nobody", "MAIL_GROUP": "nogroup", "IMAP": self.imap, "IMAPS": self.imaps, "LMTP": self.lmtp,
                      "DAEMONS": "/usr/lib/postfix/sbin", "SUBMISSION": self.base + 5, "SUBMISSIONS": self.base + 6}
        make_certificates(os.path.join(root, "tls"))
        self.write("dovecot.conf", "dovecot.conf")
        open(os.path.join(root, "passwd"), "w").close()
        for folder in ("postfix", "mail"):
            os.makedirs(os.path.join(root, folder))
        os.chmod(root, 0o755)

    def write(self, name, to, more=""):
        with open(os.path.join(SUPPORT, name)) as file:
            text = file.read()
        for word, value in self.words.items():
            text = text.replace("{{%s}}" % word, str(value))
        path = os.path.join(self.root, to)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text + more)

    def maildir(self, user):
        return os.path.join(self.root, "mail", user, "Maildir")

    def welcome(self, user):
        """Makes an account, with whatever lies in its Maildir."""
        with open(os.path.join(self.root, "passwd"), "a") as file:
            file.write(f"{user}:{PASSWORD}::::::\n")
        # Dovecot looks at the file again once a second at most.
        time.sleep(1.5)
        os.makedirs(self.maildir(user), exist_ok=True)
        sh(["chown", "-R", "nobody:nogroup", os.path.join(self.root, "mail")])

    def start(self):
        self.launch(["/usr/sbin/dovecot", "-F", "-c", os.path.join(self.root, "dovecot.conf")])
        answers(self.imap, "Dovecot")


class Postfix(Server):
    """Takes letters in as every Postfix does, durably; what it has taken it throws away, which is not what is measured."""

    def __init__(self, dovecot):
        super().__init__()
        self.root = dovecot.root
        # The bench's own port is for a witness that reads along, see lab/witness.py.
        self.submissions, self.plain = dovecot.base + 6, dovecot.base + 7
        dovecot.write("main.cf", "postfix/etc/main.cf", "virtual_transport = discard:\nvirtual_mailbox_domains = static:here\nvirtual_mailbox_maps = static:here\n"
                      "smtpd_tls_auth_only = no\n")
        dovecot.write("master.cf", "postfix/etc/master.cf", "discard unix - - n - - discard\n"
                      f"127.0.0.1:{self.plain} inet n - n - - smtpd -o syslog_name=postfix/plain -o smtpd_tls_security_level=none\n")
        dovecot.write("prepare-postfix.sh", "prepare-postfix.sh")
        for name in ("mailboxes", "domains"):
            open(os.path.join(self.root, name), "w").close()

    def start(self):
        sh(["sh", f"{self.root}/prepare-postfix.sh", f"{self.root}/postfix"])
        # Postfix closes every possible descriptor when it starts.
        limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
        self.launch(["/usr/lib/postfix/sbin/master", "-c", f"{self.root}/postfix/etc", "-s"], preexec_fn=limit)
        answers(self.plain, "Postfix")


class Postgres(Server):
    """A cluster of its own on a Unix socket; every commit reaches the disk, as it does in use."""

    def __init__(self, root):
        super().__init__()
        self.folder = os.path.join(root, "postgres")
        os.makedirs(self.folder)
        os.chmod(self.folder, 0o777)
        self.programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.own = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        self.data = os.path.join(self.folder, "cluster")
        sh([*self.own, f"{self.programs}/initdb", "-D", self.data, "-N", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"], cwd="/")

    def start(self):
        self.launch([*self.own, f"{self.programs}/postgres", "-D", self.data, "-c", "listen_addresses=", "-c", "max_connections=60", "-k", self.folder], cwd="/")
        for _ in range(300):
            if subprocess.run(self.psql("postgres", "SELECT 1"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(0.1)
        sys.exit("PostgreSQL does not answer")

    def psql(self, database, *statement):
        """The command that runs a statement, or what comes on its standard input."""
        words = [word for one in statement for word in ("-c", one)]
        return ["psql", "-h", self.folder, "-U", "postgres", "-d", database, "-v", "ON_ERROR_STOP=1", "-XAtq", *words]

    def sql(self, database, statement):
        return sh(self.psql(database, statement)).strip()

    def database(self, name):
        """Makes a database; its address."""
        self.sql("postgres", f"DROP DATABASE IF EXISTS {name}")
        self.sql("postgres", f"CREATE DATABASE {name}")
        return f"postgres://postgres@localhost/{name}?host={self.folder}"

    def stop(self, how=signal.SIGINT):
        # SIGTERM would wait for every client.
        super().stop(how)
