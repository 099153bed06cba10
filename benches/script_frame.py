"""What the two scripts have in common, and pay for alike: labels, archives, the two tables, and how they are called."""

import io
import sqlite3
import sys
import zipfile

LABELS = {"课题名称": "title", "申报单位": "applicant", "统一社会信用代码": "uscc", "拟解决的关键问题": "problem", "研发目标": "goal", "主要技术参数": "params"}
INSERT_MAIL = "INSERT INTO mail VALUES (?, ?, ?, ?)"
INSERT_TOPIC = "INSERT OR IGNORE INTO topic VALUES (:title, :applicant, :uscc, :problem, :goal, :params, :uid)"


def topics(name, data, workbook, form, damaged):
    """The topics of an annex, also in an archive; `damaged` are the readers' own errors."""
    try:
        if name.endswith(".xlsx"):
            yield from workbook(data)
        elif name.endswith(".docx"):
            yield from form(data)
        elif name.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(data)) as file:
                for inner in file.namelist():
                    yield from topics(inner, file.read(inner), workbook, form, damaged)
    except (*damaged, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        print(f"{name}: {error}", file=sys.stderr)


def database(path, **how):
    made = sqlite3.connect(path, **how)
    made.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                       "CREATE TABLE mail (uid INTEGER PRIMARY KEY, sha256 TEXT, sender TEXT, subject TEXT);"
                       "CREATE TABLE topic (title TEXT, applicant TEXT, uscc TEXT, problem TEXT, goal TEXT, params TEXT, uid INTEGER, UNIQUE (title, applicant))")
    return made


def fetched(session):
    """UID and bytes of every mail, by chunks of one FETCH for 25."""
    uids = session.uid("SEARCH", "ALL")[1][0].split()
    for at in range(0, len(uids), 25):
        parts = session.uid("FETCH", b",".join(uids[at:at + 25]), "(UID BODY.PEEK[])")[1]
        yield ((int(part[0].split(b"UID ")[1].split()[0]), part[1]) for part in parts if isinstance(part, tuple))


def read_files(read, paths):
    seen = set()
    for path in paths:
        with open(path, "rb") as file:
            seen.update((topic.get("title"), topic.get("applicant")) for topic in read(file.read())[1])
    print(len(seen))


def main(read, take_in):
    if "/" in sys.argv[1]:
        read_files(read, sys.argv[1:])
    else:
        take_in(*sys.argv[1:])
