"""What memory depends on: mails of 54 MB, and a mailbox ten times as large."""

from lab.machine import mib, spread

TITLE = "Memory: large mails, a larger mailbox"
SCAN_BYTES = 39_500_000


def passes(bench, mailbox):
    """One pass of annexd over the mailbox a round, and its wire before it."""
    seen = []
    for number in range(bench.runs):
        wire = bench.wire(mailbox)
        with bench.installation(mailbox) as installation:
            one = installation.poll("--no-send")
            one.topics, one.missed, one.extra = installation.compared(mailbox.truth)
        one.ratio = one.wall / wire.wall
        bench.say(f"round {number + 1}: {mailbox.user}: {one.wall:.2f} s, {mib(one.peak)} MiB, shared once {mib(one.peak_once)}")
        seen.append(one)
    return seen


def measure(bench):
    base = max(bench.mails // 4, 10)
    rows = [("base", bench.mailbox("base", base)), ("ten times the base", bench.mailbox("tenfold", base * 10)),
            ("mails of 54 MB", bench.mailbox("large", 4, submissions=True, scan_bytes=SCAN_BYTES))]
    lines = ["| mailbox | mails | bytes | wall, s | × W of the same bytes | peak resident, MiB | of the daemon alone, MiB | shared once, MiB | missed, extra |",
             "|---|---|---|---|---|---|---|---|---|"]
    peaks = []
    for name, mailbox in rows:
        seen = passes(bench, mailbox)
        peaks.append((max(one.peak for one in seen), max(one.peak_once for one in seen)))
        lines.append(f"| {name} | {mailbox.truth['mails']} | {mailbox.truth['bytes']:,} | {spread([one.wall for one in seen])} | {spread([one.ratio for one in seen], 1)} W "
                     f"| {mib(peaks[-1][0])} | {mib(max(one.own for one in seen))} | {mib(peaks[-1][1])} | {max(one.missed for one in seen)}, {max(one.extra for one in seen)} |")
    change = lambda at, which: f"{(peaks[at][which] / peaks[0][which] - 1) * 100:+.0f} %"
    more = lambda at, which: f"{(peaks[at][which] - peaks[0][which]) / 2**20:+.0f} MiB"
    lines += ["", f"- Ten times the mails: resident {change(1, 0)}, shared once {change(1, 1)}.",
              f"- Mails of 54 MB against the base: resident {more(2, 0)}, shared once {more(2, 1)}."]
    return "\n".join(lines)
