"""What is measured: one module a part. Each has a `TITLE` (its section in RESULTS.md) and `measure(bench)`, which returns the section's text."""

from parts import daemons, growth, history, latency, letters, quiet, reading, whole

PARTS = {"whole": whole, "growth": growth, "quiet": quiet, "reading": reading, "letters": letters, "latency": latency, "history": history,
         "daemons": daemons}
