"""The whole way beside its peers: the same mailbox fetched, copied, or fetched and read, by turns."""

import os
import subprocess
import sys
import tempfile
import time

from lab.machine import BENCHES, mib, spread
from lab.servers import PASSWORD

TITLE = "The whole way"
ROUND_TRIP_MS = 40


def mbsync(bench, mailbox):
    with tempfile.TemporaryDirectory(dir=bench.root) as folder:
        config = os.path.join(folder, "rc")
        with open(config, "w") as file:
            file.write(f"IMAPAccount a\nHost 127.0.0.1\nPort {bench.dovecot.imap}\nUser {mailbox.user}\nPass {PASSWORD}\nSSLType None\nAuthMechs LOGIN\n\n"
                       f"IMAPStore far\nAccount a\n\nMaildirStore near\nPath {folder}/m/\nInbox {folder}/m/INBOX\n\n"
                       "Channel c\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSync Pull\nSyncState *\n")
        os.makedirs(os.path.join(folder, "m"))
        return bench.watch(["mbsync", "-q", "-c", config, "-a"])


def annexd(bench, mailbox, **how):
    with bench.installation(mailbox, **how) as installation:
        watched = installation.poll("--no-send")
        watched.topics, watched.missed, watched.extra = installation.compared(mailbox.truth)
        return watched


def far(bench):
    return bench.dovecot.base + 4


CONTENDERS = {
    "wire": ("W: the wire, plaintext: one FETCH, nothing kept (C)", lambda bench, box: bench.wire(box)),
    "wire-tls": ("T: the same over TLS (C, OpenSSL)", lambda bench, box: bench.wire(box, tls=True)),
    "mbsync": ("mbsync into a fresh Maildir: copying only", mbsync),
    "annexd": ("**annexd**, the whole way, plaintext", annexd),
    "annexd-tls": ("**annexd**, the whole way, TLS", lambda bench, box: annexd(bench, box, tls=True)),
    "wire-far": (f"F: one FETCH through {ROUND_TRIP_MS} ms of round trip", lambda bench, box: bench.wire(box, port=far(bench))),
    "annexd-far": (f"**annexd**, the whole way, through {ROUND_TRIP_MS} ms", lambda bench, box: annexd(bench, box, port=far(bench))),
    "script": ("Python script: fetch, parse, insert", lambda bench, box: bench.script("script.py", box)),
    "script-tuned": ("the script as an expert tunes it", lambda bench, box: bench.script("script_tuned.py", box)),
}
YARDSTICK = {"annexd-tls": "wire-tls", "annexd-far": "wire-far"}


def measure(bench, only=()):
    mailbox = bench.mailbox()
    keys = list(only) or list(CONTENDERS)
    proxy = subprocess.Popen([sys.executable, os.path.join(BENCHES, "delay.py"), str(far(bench)), str(bench.dovecot.imap), str(ROUND_TRIP_MS // 2)])
    try:
        time.sleep(0.5)
        rounds = []
        for number in range(bench.runs):
            one = {}
            for key in keys:
                one[key] = CONTENDERS[key][1](bench, mailbox)
                bench.say(f"round {number + 1}: {key}: {one[key].wall:.2f} s, {one[key].cpu_s:.2f} s CPU")
            rounds.append(one)
    finally:
        proxy.terminate()
        proxy.wait()
    return report(mailbox, rounds)


def report(mailbox, rounds):
    lines = [f"Mailbox: {mailbox.described()}. Rounds: {len(rounds)}, interleaved.", "",
             "| what | wall, s | × yardstick | client CPU, s | peak resident, MiB | shared once, MiB | topics |", "|---|---|---|---|---|---|---|"]
    for key, (label, _) in CONTENDERS.items():
        seen = [one[key] for one in rounds if key in one]
        if not seen:
            continue
        yardstick = YARDSTICK.get(key, "wire")
        pairs = [one[key].wall / one[yardstick].wall for one in rounds if key in one and yardstick in one]
        name = {"wire": "W", "wire-tls": "T", "wire-far": "F"}[yardstick]
        # Over before it was looked at often enough.
        once = min(one.wall for one in seen) > 0.5
        topics = seen[-1].topics if hasattr(seen[-1], "topics") else ""
        if hasattr(seen[-1], "missed"):
            topics = f"{topics}, {max(one.missed for one in seen)} missed, {max(one.extra for one in seen)} extra"
        lines.append(f"| {label} | {spread([one.wall for one in seen])} | {spread(pairs) + ' ' + name if pairs else ''} | {spread([one.cpu_s for one in seen])} "
                     f"| {mib(max(one.peak for one in seen))} | {mib(max(one.peak_once for one in seen)) if once else '–'} | {topics} |")
    lines.append("")
    for key, words in (("script", "The script takes {} times as long as annexd"), ("script-tuned", "Tuned, it takes {} times as long")):
        both = [one for one in rounds if key in one and "annexd" in one]
        if both:
            lines.append(f"- {words.format(spread([one[key].wall / one['annexd'].wall for one in both], 1))}, and {spread([one[key].cpu_s / one['annexd'].cpu_s for one in both], 1)} "
                         "times the CPU.")
    if any("script" in one or "script-tuned" in one for one in rounds):
        lines.append("- Neither script keeps the raw mail, judges, looks for twins, routes or answers.")
    return "\n".join(lines)
