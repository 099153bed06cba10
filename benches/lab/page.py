"""The page of results. Each part owns one section of it and writes only that, so that parts can be measured at different times."""

import os
import re

from lab.machine import BENCHES, describe, versions

PATH = os.path.join(BENCHES, "RESULTS.md")
OPENING = """# annexd beside its peers

Written by `benches/run`; each section says of which version and when. Server and client share the machine; ratios are taken round by round
and are what to quote. Figures are medians (least–most) where there was more than one round. CPU and memory are of a command with all its
processes: *resident* adds up the resident pages of all processes, looked at 50 times a second, so that pages they share (the program
itself) count once a process; *shared once* is the sum of their proportional sizes (PSS), looked at 10 times a second.

"""


def write(sections, order):
    """Puts sections, by title, in the place of those of the same title; the others stay as they are."""
    kept = {}
    if os.path.exists(PATH):
        with open(PATH, encoding="utf-8") as file:
            for piece in re.split(r"^(?=## )", file.read(), flags=re.M)[1:]:
                kept[piece.splitlines()[0][3:]] = piece.strip() + "\n"
    kept.update({title: f"## {title}\n\n{text.strip()}\n" for title, text in sections.items()})
    with open(PATH, "w", encoding="utf-8") as file:
        file.write(OPENING + f"- Machine: {describe()}\n- Versions: {versions()}\n\n" + "\n".join(kept[title] for title in order if title in kept))
