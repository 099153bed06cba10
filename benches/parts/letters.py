"""Letters a second into a local Postfix: the receipts of one mailbox, all due at once."""

import os
import shutil
from datetime import datetime

from lab.machine import BENCHES, PYTHON, spread
from lab.servers import PASSWORD

TITLE = "Letters out"


def measure(bench):
    postfix, mailbox = bench.postfix(), bench.mailbox()
    # Judged once, with the letters left in the queue; each round sends from a copy.
    with bench.installation(mailbox, open_caps=True) as judged, bench.installation(None, open_caps=True) as written:
        judged.poll("--no-send")
        shutil.copytree(judged.data, written.data)
        written.poll()
        letters = sorted(os.path.join(written.letters, part, name) for part in ("new", "cur") if os.path.isdir(os.path.join(written.letters, part))
                         for name in os.listdir(os.path.join(written.letters, part)))
        script = lambda *options: [PYTHON, os.path.join(BENCHES, "send_letters.py"), *options, str(postfix.submissions), bench.ca, mailbox.user, PASSWORD, *letters]
        size = sum(os.path.getsize(path) for path in letters)
        ours, theirs, quick = [], [], []
        for number in range(bench.runs):
            ours.append(sent(bench, judged, postfix.submissions, len(letters)))
            theirs.append(bench.watch(script()))
            quick.append(bench.watch(script("--no-delay")))
            bench.say(f"round {number + 1}: {len(letters)} letters: annexd {ours[-1].wall:.2f} s, smtplib {theirs[-1].wall:.2f} s, without delay {quick[-1].wall:.2f} s")
    count = len(letters)
    row = lambda name, seen: (f"| {name} | {spread([one.wall for one in seen])} | {spread([count / one.wall for one in seen], 0)} "
                              f"| {spread([one.cpu_s * 1000 / count for one in seen], 1)} |")
    return "\n".join([
        f"{count} receipts of {size / count / 1000:.1f} kB from the mailbox of the first section, over TLS with a login, into Postfix, which puts each into its queue on disk before it "
        "answers. Lifted: the caps on answers (`[answers]`, all 0); those on sending are none for a server that is not NetEase's.", "",
        "| what | wall, s | letters a second | CPU, ms a letter |", "|---|---|---|---|",
        row("**annexd**: a whole `poll` with an empty mailbox; each letter claimed, sent and marked in the database", ours),
        row("smtplib, one connection, nothing written down", theirs), row("the same with TCP_NODELAY, which smtplib does not set", quick), "",
        f"- From its first letter to its last annexd sends {spread([one.rate for one in ours], 0)} letters a second; the whole command takes "
        f"{spread([one.wall / other.wall for one, other in zip(ours, theirs)])} times as long as smtplib, {spread([one.wall / other.wall for one, other in zip(ours, quick)])} times as "
        "long as smtplib without delay."])


def sent(bench, judged, port, count):
    with bench.installation(None, smtp=port, open_caps=True) as installation:
        shutil.copytree(judged.data, installation.data)
        watched = installation.poll()
        times = sorted(moment(letter["sent_at"]) for letter in installation.export("letters") if letter["state"] == "sent")
        if len(times) != count:
            raise SystemExit(f"{len(times)} of {count} letters were sent")
        watched.rate = (count - 1) / (times[-1] - times[0])
        return watched


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
