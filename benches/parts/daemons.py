"""Three daemons on one PostgreSQL against one: the same mailbox, until everything is recorded."""

import subprocess
import time

from lab.machine import spread
from lab.watched import family_cpu_s

TITLE = "Several daemons on one PostgreSQL"
# What each daemon does; letters are left in the queue.
SETTINGS = {
    "one daemon": ['["watch", "examine"]'],
    "three alike": ['["watch", "examine"]'] * 3,
    "one that watches, two that examine": ['["examine"]', '["examine"]', '["watch"]'],
}
LOOK = 0.05
PATIENCE = 900
STATE = "SELECT count(*), count(*) FILTER (WHERE state = 'accepted') FROM message"


def recorded(session, mails):
    """Waits until so many mails are in and none waits any more."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        session.stdin.write(STATE + ";\n")
        session.stdin.flush()
        if session.stdout.readline().strip() == f"{mails}|0":
            return
        time.sleep(LOOK)
    raise SystemExit(f"{mails} mails are not recorded within {PATIENCE} s")


class Once:
    """The mailbox taken in by daemons with these roles into a new database."""

    def __init__(self, bench, mailbox, roles):
        postgres = bench.postgres()
        with bench.installation(mailbox, sections=f'\n[store]\nurl = "{postgres.database("bench")}"\n') as installation:
            bench.watch(installation.command("migrate"))
            session = subprocess.Popen(postgres.psql("bench"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            daemons, before = [], family_cpu_s(postgres.process.pid)
            try:
                for number, role in enumerate(roles):
                    began = time.monotonic()
                    daemons.append(installation.run(f"run{number}", ANNEXD__ROLES=role))
                    # The time begins with the daemon that is started last.
                    if number < len(roles) - 1:
                        daemons[-1].says("annexd is running")
                recorded(session, mailbox.truth["mails"])
                self.wall = time.monotonic() - began
                self.cpu_s = sum(daemon.cpu_s() for daemon in daemons)
                self.database_cpu_s = family_cpu_s(postgres.process.pid) - before
            finally:
                for daemon in daemons:
                    daemon.stop()
                session.stdin.close()
                session.wait()
            self.topics, self.missed, self.extra = installation.compared(mailbox.truth)


def measure(bench):
    mailbox, rounds = bench.mailbox(), []
    for number in range(bench.runs):
        rounds.append({})
        for name, roles in SETTINGS.items():
            rounds[-1][name] = Once(bench, mailbox, roles)
            bench.say(f"round {number + 1}: {name}: {rounds[-1][name].wall:.2f} s, {rounds[-1][name].cpu_s:.2f} s CPU")
    lines = ["The mailbox of the first section, plaintext, by `annexd run`: from its start until the last mail is recorded. Daemons share a data folder; every commit of the private "
             "PostgreSQL reaches the disk. CPU of the daemons is with their readers.", "",
             "| what | wall, s | × one | CPU of the daemons, s | CPU of PostgreSQL, s | topics |", "|---|---|---|---|---|---|"]
    for name in SETTINGS:
        seen = [one[name] for one in rounds]
        lines.append(f"| {name} | {spread([one.wall for one in seen])} | {spread([one[name].wall / one['one daemon'].wall for one in rounds])} | {spread([one.cpu_s for one in seen])} "
                     f"| {spread([one.database_cpu_s for one in seen])} "
                     f"| {seen[-1].topics}, {max(one.missed for one in seen)} missed, {max(one.extra for one in seen)} extra |")
    return "\n".join(lines)
