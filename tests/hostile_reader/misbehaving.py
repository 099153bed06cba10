"""A reading process that is the real one, until it looks into 坏.docx: then it does what the first argument says.

Usage: misbehaving.py HABIT ANNEXD MARK; MARK is a file that is made by the first process. Speaks the frames of src/edge/reader/wire.rs.
"""
import json, os, pathlib, signal, struct, subprocess, sys, time

HABIT, ANNEXD, MARK = sys.argv[1:4]
real = subprocess.Popen([ANNEXD, "reader"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
parent_in, parent_out = sys.stdin.buffer, sys.stdout.buffer


def frame(source):
    prefix = source.read(4)
    if len(prefix) < 4:
        real.kill()
        sys.exit(0)
    return source.read(struct.unpack("<I", prefix)[0])


def say(target, payload):
    target.write(struct.pack("<I", len(payload)) + payload)
    target.flush()


def misbehave():
    if HABIT == "aborts":
        os.abort()
    if HABIT == "overflows its stack":
        os.kill(os.getpid(), signal.SIGSEGV)
    if HABIT == "is killed for its memory":
        os.kill(os.getpid(), signal.SIGKILL)
    if HABIT == "is killed once" and not pathlib.Path(MARK).exists():
        pathlib.Path(MARK).touch()
        real.kill()
        os.kill(os.getpid(), signal.SIGKILL)
    if HABIT == "is killed once":
        return
    if HABIT == "loops for ever":
        while True:
            pass
    if HABIT == "stops in the middle of its answer":
        parent_out.write(struct.pack("<I", 1000) + b"{")
        parent_out.flush()
        time.sleep(3600)
    if HABIT == "answers without end":
        parent_out.write(struct.pack("<I", 0xFFFFFFFF))
        while True:
            parent_out.write(b" " * 65536)
    if HABIT == "answers nonsense":
        say(parent_out, b"\xff\xfe nonsense")
    if HABIT == "panics":
        say(parent_out, json.dumps({"Panicked": "index out of bounds"}).encode())
    if HABIT == "hangs up":
        os.close(1)
    real.kill()
    os._exit(0)


say(real.stdin, frame(parent_in))
while True:
    say(real.stdin, frame(parent_in))
    say(real.stdin, frame(parent_in))
    while True:
        reply = frame(real.stdout)
        known = json.loads(reply)
        say(parent_out, reply)
        if "坏.docx" in str(known.get("Looking", "")):
            misbehave()
        if "Looking" not in known:
            break
