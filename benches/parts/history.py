"""What a mail costs when many topics are stored already: the same mails into an empty installation and into a copy of a filled one."""

import os
import shutil
import sqlite3
import time

from lab.machine import BENCHES, PYTHON, sh, spread

TITLE = "With a history"
MAILS = 60
ROWS = 100
# Of the seeded generator: its own topics, which the mails do not repeat.
SEED, FIRST = 1007, 1_000_000
# Mails are made and taken in by so many at a time, so that they need little room.
BATCH = 500


def filled(bench, topics):
    """A data folder in which annexd itself has taken in and judged so many topics; and how long that took, or `None` if it was there."""
    place = os.path.join(bench.history_folder or os.path.join(bench.root, "history"), str(topics))
    if os.path.exists(place):
        return place, None
    making = place + ".part"
    shutil.rmtree(making, ignore_errors=True)
    began, done, mails = time.monotonic(), 0, -(-topics // ROWS)
    with bench.installation(None, open_caps=True) as installation:
        while done < mails:
            batch, arrived = min(BATCH, mails - done), os.path.join(installation.folder, "arrived")
            sh([PYTHON, os.path.join(BENCHES, "mailbox.py"), arrived, "--mails", str(batch), "--submissions", "--bare", "--rows", str(ROWS), "--seed", str(SEED + done),
                "--first", str(FIRST + done * ROWS)])
            watched = bench.watch(installation.command("import", arrived))
            # Their receipts leave.
            installation.poll()
            shutil.rmtree(installation.letters)
            done += batch
            bench.say(f"{done * ROWS} topics stored: {watched.wall / batch * 1000:.0f} ms, {watched.cpu_s / batch * 1000:.0f} ms CPU a mail of {ROWS}")
            shutil.rmtree(arrived)
        os.makedirs(os.path.dirname(making), exist_ok=True)
        shutil.move(installation.data, making)
    os.rename(making, place)
    return place, time.monotonic() - began


def one_round(bench, mailbox, history):
    """The mails into an installation with this history, or none; and a pass that finds nothing, which both pay for beside the mails."""
    with bench.installation(mailbox, open_caps=True) as installation:
        if history:
            shutil.copytree(history, installation.data)
            # One that was kept may be of an earlier schema.
            bench.watch(installation.command("migrate"))
        watched = installation.poll("--no-send")
        watched.nothing = installation.poll("--no-send")
        watched.per_mail = (watched.wall - watched.nothing.wall) / MAILS
        watched.cpu_per_mail = (watched.cpu_s - watched.nothing.cpu_s) / MAILS
        watched.stored = stored_topics(installation.data)
        return watched


def stored_topics(data):
    database = sqlite3.connect(os.path.join(data, "annexd.db"))
    try:
        return database.execute("SELECT count(*) FROM topic").fetchone()[0]
    finally:
        database.close()


def measure(bench):
    mailbox = bench.mailbox("history", MAILS)
    lines = [f"{mailbox.described()}, into an empty installation and into one with so many topics, by turns. The history is of the same generator, {ROWS} topics a mail without forms "
             "or scans, taken in and judged by annexd itself, receipts sent. A mail's cost is without that of a pass that finds nothing. The database is a fresh copy, in the page cache.", "",
             "| topics stored | wall a mail, ms | × none | CPU a mail, ms | × none | a pass that finds nothing, ms: wall, CPU | peak resident, MiB | database, bytes a topic | topics found |",
             "|---|---|---|---|---|---|---|---|---|"]
    for size in map(int, bench.history.split(",")):
        history, took = filled(bench, size)
        if took:
            bench.say(f"{size} topics stored in {took:.0f} s")
        before, size_bytes = stored_topics(history), os.path.getsize(os.path.join(history, "annexd.db"))
        empty, full = [], []
        for number in range(bench.runs):
            empty.append(one_round(bench, mailbox, None))
            full.append(one_round(bench, mailbox, history))
            bench.say(f"round {number + 1}: none {empty[-1].per_mail * 1000:.1f} ms a mail, {size} stored {full[-1].per_mail * 1000:.1f} ms")
        for name, seen, each in (("none", empty, ""), (f"{before:,}", full, f"{size_bytes / before:.0f}")):
            ratio = lambda what: spread([getattr(one, what) / getattr(none, what) for one, none in zip(seen, empty)])
            lines.append(f"| {name} | {spread([one.per_mail * 1000 for one in seen], 1)} | {ratio('per_mail')} | {spread([one.cpu_per_mail * 1000 for one in seen], 1)} | {ratio('cpu_per_mail')} "
                         f"| {spread([one.nothing.wall * 1000 for one in seen], 0)}, {spread([one.nothing.cpu_s * 1000 for one in seen], 0)} | {max(one.peak for one in seen) / 2**20:.0f} | {each} "
                         f"| {', '.join(sorted({str(one.stored - (0 if name == 'none' else before)) for one in seen}))} of {len(mailbox.truth['topics'])} |")
    return "\n".join(lines)
