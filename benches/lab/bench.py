"""One run of the bench: its folder, servers, mailboxes and installations."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

from lab.machine import BENCHES, PYTHON, annexd, sh
from lab.servers import PASSWORD, Dovecot, Postfix, Postgres
from lab.watched import Running, Watched

OPEN_CAPS = "".join(f"{cap} = 0\n" for cap in ("per_address_hour", "per_address_day", "per_domain_hour", "per_domain_day", "total_day", "alternations_day"))
FROM = "吉林省工信厅科技处 <jlsgxtkjc@163.com>"


class Mailbox:
    """An account of the private Dovecot and what was put into it."""

    def __init__(self, user, folder, truth):
        self.user, self.folder, self.truth = user, folder, truth

    def files(self):
        """The mails, in the order of their arrival."""
        found = [os.path.join(self.folder, part, name) for part in ("new", "cur") for name in os.listdir(os.path.join(self.folder, part))]
        return sorted(found, key=os.path.basename)

    def described(self):
        truth = self.truth
        return f"{truth['mails']} mails, {truth['bytes']:,} bytes, {truth['rows']} rows, {truth['forms']} Word forms, {len(truth['topics'])} topics (seed {truth['seed']})"


class Bench:
    def __init__(self, arguments):
        self.mails, self.runs, self.seed, self.binary = arguments.mails, arguments.runs, arguments.seed, arguments.binary
        self.history, self.history_folder = arguments.history, arguments.history_folder
        self.annexd = annexd(arguments.binary, arguments.is_ours)
        self.root = tempfile.mkdtemp(prefix="annexd-bench-", dir=arguments.folder)
        self.log = os.path.join(self.root, "log")
        self.ca = os.path.join(self.root, "tls", "ca.pem")
        self.dovecot = Dovecot(self.root)
        self.servers, self.mailboxes = [self.dovecot], {}
        self.dovecot.start()

    def close(self):
        for server in reversed(self.servers):
            server.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def say(self, text):
        print(text, flush=True)

    # Servers that only some parts need.

    def postfix(self):
        return self.server(Postfix, self.dovecot)

    def postgres(self):
        return self.server(Postgres, self.root)

    def server(self, kind, about):
        found = next((server for server in self.servers if isinstance(server, kind)), None)
        if not found:
            found = kind(about)
            self.servers.append(found)
            found.start()
        return found

    # Mailboxes.

    def mailbox(self, name="whole", mails=None, **more):
        """A seeded mailbox, made once. Its files, and Dovecot's index of them, are in memory afterwards."""
        if name not in self.mailboxes:
            user = f"{name}@163.com"
            folder = self.dovecot.maildir(user)
            options = [word for key, value in more.items() for word in ([f"--{key.replace('_', '-')}"] + ([] if value is True else [str(value)]))]
            made = sh([PYTHON, os.path.join(BENCHES, "mailbox.py"), folder, "--mails", str(mails or self.mails), *(["--seed", str(self.seed)] if "seed" not in more else []),
                       *options])
            self.say(f"mailbox {name}: {made.strip()}")
            with open(folder + ".json", encoding="utf-8") as file:
                truth = json.load(file)
            self.dovecot.welcome(user)
            self.mailboxes[name] = Mailbox(user, folder, truth)
            self.wire(self.mailboxes[name])
        return self.mailboxes[name]

    def empty_mailbox(self, name):
        user = f"{name}@163.com"
        self.dovecot.welcome(user)
        return Mailbox(user, self.dovecot.maildir(user), None)

    # What runs.

    def watch(self, command, **more):
        return Watched(command, self.log, **more)

    def wire(self, mailbox, port=None, tls=False):
        program = os.path.join(self.root, "wire")
        if not os.path.exists(program):
            sh(["gcc", "-O2", "-o", program, os.path.join(BENCHES, "wire.c"), "-lssl", "-lcrypto"])
        port = port or (self.dovecot.imaps if tls else self.dovecot.imap)
        return self.watch([program, "127.0.0.1", str(port), mailbox.user, PASSWORD, *([self.ca] if tls else [])])

    def script(self, name, mailbox):
        """A peer's script over a mailbox; `topics` is what it printed last."""
        with tempfile.TemporaryDirectory(dir=self.root) as folder:
            watched = self.watch([PYTHON, os.path.join(BENCHES, name), "127.0.0.1", str(self.dovecot.imap), mailbox.user, PASSWORD, os.path.join(folder, "t.db")])
        with open(self.log) as file:
            watched.topics = int(file.read().split()[-1])
        return watched

    def installation(self, mailbox, **more):
        return Installation(self, mailbox, **more)


class Installation:
    """A folder with a configuration; used as `with bench.installation(mailbox) as installation`. Without a mailbox it reads an empty Maildir.

    `port`, `tls`: how the mailbox is reached; `smtp`: a port where letters leave, else they are written to a folder; `mailbox_keys`,
    `sections`: further lines of the configuration; `open_caps`: answers are not rationed.
    """

    def __init__(self, bench, mailbox, port=None, tls=False, smtp=None, mailbox_keys="", sections="", top="", open_caps=False):
        self.bench = bench
        self.folder = tempfile.mkdtemp(prefix="installation-", dir=bench.root)
        self.data, self.letters = os.path.join(self.folder, "data"), os.path.join(self.folder, "out")
        password = os.path.join(self.folder, "password")
        with open(password, "w") as file:
            file.write(PASSWORD)
        account = f'host = "127.0.0.1"\npassword_file = "{password}"\nprovider = "generic"\n'
        secure = f'security = "tls"\nca_file = "{bench.ca}"\n'
        if mailbox:
            port = port or (bench.dovecot.imaps if tls else bench.dovecot.imap)
            text = f'[mailbox]\nkind = "imap"\nport = {port}\nusername = "{mailbox.user}"\n{account}' + (secure if tls else 'security = "plain"\n')
        else:
            for part in ("new", "cur", "tmp"):
                os.makedirs(os.path.join(self.folder, "in", part))
            text = f'[mailbox]\nkind = "maildir"\npath = "{self.folder}/in"\n'
        if smtp:
            out = f'[smtp]\nkind = "smtp"\nport = {smtp}\nusername = "{(mailbox or next(iter(bench.mailboxes.values()))).user}"\n{account}{secure}'
        else:
            out = f'[smtp]\nkind = "maildir"\npath = "{self.letters}"\n'
        self.config = os.path.join(self.folder, "annexd.toml")
        with open(self.config, "w") as file:
            file.write(f'data_dir = "{self.data}"\n{top}\n{text}{mailbox_keys}\n{out}from = "{FROM}"\n{sections}' + (f"\n[answers]\n{OPEN_CAPS}" if open_caps else ""))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def command(self, *words):
        return [self.bench.binary, "--config", self.config, *words]

    def poll(self, *words):
        return self.bench.watch(self.command("poll", *words))

    def run(self, name="run", **variables):
        return Running(self.command("run"), os.path.join(self.folder, f"{name}.log"), env={**os.environ, **variables})

    def export(self, what):
        shown = subprocess.run(self.command("export", what), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if shown.returncode:
            sys.exit(f"annexd export {what} ended with {shown.returncode}")
        return [json.loads(line) for line in shown.stdout.splitlines()]

    def compared(self, truth):
        """Topics found, missed and made up."""
        topics = self.export("topics")
        found = {(topic["fields"].get("topic_title"), topic["fields"].get("applicant")) for topic in topics}
        true = {tuple(topic) for topic in truth["topics"]}
        return len(topics), len(true - found), len(found - true) + len(topics) - len(found)
