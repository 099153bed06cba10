"""From a mail's delivery until an SMTP server has accepted its receipt: `annexd run` in IDLE beside Dovecot and Postfix."""

import email
import imaplib
import random
import smtplib
import statistics
import threading
import time

from lab.servers import PASSWORD
from lab.witness import Witness

TITLE = "From delivery to an accepted receipt"
DELIVERIES = 120
PATIENCE = 60


class Idler:
    """A bare session in IDLE: when the server says that there is one mail more. What it takes until then is the server's."""

    def __init__(self, dovecot, user):
        self.told, self.came = {}, threading.Condition()
        self.session = imaplib.IMAP4("127.0.0.1", dovecot.imap)
        self.session.login(user, PASSWORD)
        self.session.select("INBOX", readonly=True)
        self.session.send(b"x1 IDLE\r\n")
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        try:
            while line := self.session.readline():
                words = line.split()
                if len(words) == 3 and words[2] == b"EXISTS":
                    with self.came:
                        self.told.setdefault(int(words[1]), time.monotonic())
                        self.came.notify_all()
        except (OSError, ValueError, imaplib.IMAP4.abort):
            pass

    def wait(self, number):
        with self.came:
            self.came.wait_for(lambda: number in self.told, PATIENCE)
            return self.told[number]

    def close(self):
        self.session.shutdown()


def deliver(bench, user, raw):
    """Hands a mail to Dovecot by LMTP; the time at which it began to."""
    with smtplib.LMTP("127.0.0.1", bench.dovecot.lmtp) as server:
        server.ehlo()
        began = time.monotonic()
        server.sendmail("gxj@example.cn", [user], raw)
    return began


def measure(bench):
    postfix, sources = bench.postfix(), bench.mailbox("sources", DELIVERIES, submissions=True, seed=bench.seed + 1)
    mails = []
    for path in sources.files():
        with open(path, "rb") as file:
            mails.append(file.read())
    box = bench.empty_mailbox("arriving")
    witness = Witness(bench.root, bench.dovecot.base + 9, postfix.plain)
    idler, pause = Idler(bench.dovecot, box.user), random.Random(bench.seed)
    whole, servers, own = [], [], []
    try:
        with bench.installation(box, tls=True, smtp=bench.dovecot.base + 9, open_caps=True) as installation:
            daemon = installation.run()
            try:
                daemon.says("annexd is running")
                time.sleep(2)
                for number, raw in enumerate(mails, 1):
                    time.sleep(pause.uniform(0.1, 0.4))
                    began = deliver(bench, box.user, raw)
                    accepted = witness.wait(email.message_from_bytes(raw)["Message-ID"].strip("<>"), PATIENCE)
                    if accepted is None:
                        raise SystemExit(f"mail {number} was not answered within {PATIENCE} s:\n{daemon.said()[-3000:]}")
                    told = idler.wait(number)
                    whole.append(accepted - began)
                    servers.append(told - began)
                    own.append(accepted - told)
                    if number % 20 == 0:
                        bench.say(f"{number} delivered: the last took {whole[-1]:.3f} s, of which the server's {servers[-1]:.3f}")
                cpu = daemon.cpu_s()
            finally:
                daemon.stop()
    finally:
        witness.close()
        idler.close()
    row = lambda name, times: f"| {name} | {statistics.median(times) * 1000:.0f} | {percentile(times, 99) * 1000:.0f} | {max(times) * 1000:.0f} |"
    size = sum(map(len, mails)) / len(mails)
    return "\n".join([
        f"{len(mails)} submissions ({size / 1000:.0f} kB, {len(sources.truth['topics']) / len(mails):.0f} topics each), one at a time, handed to Dovecot by LMTP; annexd waits in IDLE and "
        "writes to Postfix over TLS, a connection a receipt. Lifted: the caps on answers (`[answers]`, all 0); there are none on sending for a server that is not NetEase's "
        "(`[smtp]` per_day, per_15_min, per_connection, gap_secs).", "",
        "| ms | median | p99 | most |", "|---|---|---|---|", row("delivery begun → receipt accepted by Postfix", whole),
        row("of which until Dovecot tells another session in IDLE (it waits 500 ms for more to come)", servers), row("from that moment: annexd", own), "",
        f"- {cpu / len(mails) * 1000:.0f} ms of CPU a mail, the daemon with its readers."])


def percentile(times, which):
    """The smallest of the times that as many in a hundred do not exceed."""
    return sorted(times)[max(0, -(-len(times) * which // 100) - 1)]
