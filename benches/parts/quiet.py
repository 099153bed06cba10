"""A poll that finds nothing new: as a command, and as a pass of the running daemon; and the daemon that waits in IDLE."""

import os
import subprocess
import sys
import time

from lab.machine import BENCHES, spread

TITLE = "Nothing new"
SECONDS = 60
FEW = 40


class Counting:
    """A proxy before the mailbox that counts round trips."""

    def __init__(self, bench):
        self.port, self.path = bench.dovecot.base + 8, os.path.join(bench.root, "turns")
        open(self.path, "w").close()
        self.proxy = subprocess.Popen([sys.executable, os.path.join(BENCHES, "delay.py"), str(self.port), str(bench.dovecot.imap), "0", self.path])
        time.sleep(0.5)

    def turns(self):
        with open(self.path) as file:
            return file.read().split("\n")[:-1]

    def stop(self):
        self.proxy.terminate()
        self.proxy.wait()


def observe(installation, ready, counting):
    """CPU seconds, turns, and seconds of a daemon at rest, once its log has said that it is ready."""
    daemon = installation.run()
    try:
        daemon.says(ready)
        time.sleep(3)
        before, turns, began = daemon.cpu_s(), len(counting.turns()), time.monotonic()
        time.sleep(SECONDS)
        return daemon.cpu_s() - before, counting.turns()[turns:], time.monotonic() - began
    finally:
        daemon.stop()


def measure(bench):
    mailbox = bench.mailbox("quiet", FEW)
    counting = Counting(bench)
    try:
        with bench.installation(mailbox, port=counting.port) as installation:
            installation.poll("--no-send")
            commands = []
            for _ in range(max(bench.runs, 3)):
                before = len(counting.turns())
                commands.append(installation.poll("--no-send"))
                turns = counting.turns()[before:]
                bench.say(f"a command: {commands[-1].wall:.3f} s, {len(turns)} round trips: {' '.join(turns)}")
        daemons = {}
        for name, keys in (("poll", "idle = false\npoll_secs = 1\n"), ("idle", "poll_secs = 600\n")):
            with bench.installation(mailbox, port=counting.port, mailbox_keys=keys) as installation:
                installation.poll()
                daemons[name] = observe(installation, "annexd is running", counting)
            bench.say(f"{name}: {daemons[name][0]:.2f} s CPU in {daemons[name][2]:.0f} s, {len(daemons[name][1])} round trips")
    finally:
        counting.stop()
    cpu, heard, _ = daemons["poll"]
    passes = heard.count("UID SEARCH")
    rest, _, seconds = daemons["idle"]
    rest *= daemons["poll"][2] / seconds
    lines = ["| what | wall, ms | CPU, ms | round trips |", "|---|---|---|---|",
             f"| a command of its own (`annexd poll`), connecting included | {spread([one.wall * 1000 for one in commands], 0)} | {spread([one.cpu_s * 1000 for one in commands], 0)} | {len(turns)} |",
             f"| a pass of the running daemon (no IDLE, {passes} passes) | | {cpu / passes * 1000:.2f}; without what it does while it waits {(cpu - rest) / passes * 1000:.2f} | {len(heard) / passes:.1f} |",
             "", f"- The daemon that waits in IDLE takes {daemons['idle'][0] / seconds * 60_000:.0f} ms of CPU a minute, {len(daemons['idle'][1]) / seconds * 60:.1f} round trips a minute.",
             f"- The mailbox holds {FEW} mails, all known. A command's round trips: {', '.join(turns)}; a pass's: {', '.join(sorted(set(heard)))}."]
    return "\n".join(lines)
