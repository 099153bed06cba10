"""How many mails one core reads: from files, without server or database."""

import json
import os

from lab.machine import BENCHES, PYTHON, spread

TITLE = "Reading, a core"


def topics(log):
    """Topics that a contender has found: it prints their number, or annexd its verdicts."""
    with open(log, encoding="utf-8") as file:
        lines = file.read().strip().splitlines()
    if not lines[-1].startswith("{"):
        return int(lines[-1])
    fields = (topic["fields"] for line in lines if line.startswith("{") for topic in json.loads(line)["topics"])
    return len({(one.get("topic_title"), one.get("applicant")) for one in fields})


def measure(bench):
    mailbox = bench.mailbox()
    files = mailbox.files()
    size = sum(os.path.getsize(path) for path in files)
    with bench.installation(None) as installation:
        contenders = {
            "**annexd** `examine --json`: read, judge, route": installation.command("examine", "--json", *files),
            "email, openpyxl, python-docx: read": [PYTHON, os.path.join(BENCHES, "script.py"), *files],
            "email, python-calamine, lxml: read": [PYTHON, os.path.join(BENCHES, "script_tuned.py"), *files],
        }
        rounds = []
        for number in range(bench.runs):
            rounds.append({})
            for name, command in contenders.items():
                rounds[-1][name] = bench.watch(command)
                rounds[-1][name].topics = topics(bench.log)
                bench.say(f"round {number + 1}: {name}: {rounds[-1][name].cpu_s:.2f} s CPU")
    ours = next(iter(contenders))
    lines = [f"The {len(files)} mails of the first section as files, {size:,} bytes.", "", "| what | CPU, s | mails a CPU second | MB a CPU second | × annexd's CPU | topics |", "|---|---|---|---|---|---|"]
    for name in contenders:
        cpu = [one[name].cpu_s for one in rounds]
        lines.append(f"| {name} | {spread(cpu)} | {spread([len(files) / one for one in cpu], 0)} | {spread([size / 1e6 / one for one in cpu], 0)} "
                     f"| {spread([one[name].cpu_s / one[ours].cpu_s for one in rounds])} "
                     f"| {rounds[-1][name].topics} of {len(mailbox.truth['topics'])} |")
    return "\n".join(lines)
