"""What a competent user would write instead: imaplib, email, openpyxl (read-only), python-docx, sqlite3. It fetches, reads and inserts;
it judges, routes and answers nothing.

    script.py HOST PORT USER PASSWORD DATABASE      the mails of an INBOX into a database
    script.py FILE...                               only reads mails in files
"""

import email
import email.policy
import hashlib
import imaplib
import io
import sqlite3
import sys
import zipfile

import docx
import openpyxl

LABELS = {"课题名称": "title", "申报单位": "applicant", "统一社会信用代码": "uscc", "拟解决的关键问题": "problem", "研发目标": "goal", "主要技术参数": "params"}


def workbook(data):
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    for sheet in book:
        columns = None
        for row in sheet.iter_rows(values_only=True):
            if columns is None:
                if "课题名称" in row:
                    columns = {LABELS[label]: at for at, label in enumerate(row) if label in LABELS}
            elif isinstance(row[0], int):
                yield {key: row[at] for key, at in columns.items()}


def form(data):
    topic = {}
    for table in docx.Document(io.BytesIO(data)).tables:
        for row in table.rows:
            cells = row.cells
            if cells[0].text.strip() in LABELS:
                topic[LABELS[cells[0].text.strip()]] = cells[1].text.strip()
    if topic:
        yield topic


def topics(name, data):
    try:
        if name.endswith(".xlsx"):
            yield from workbook(data)
        elif name.endswith(".docx"):
            yield from form(data)
        elif name.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(data)) as file:
                for inner in file.namelist():
                    yield from topics(inner, file.read(inner))
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        print(f"{name}: {error}", file=sys.stderr)


def read(raw):
    """The mail, and the topics of its annexes."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    found = []
    for attachment in mail.iter_attachments():
        found += topics(attachment.get_filename() or "", attachment.get_payload(decode=True) or b"")
    return mail, found


def read_files(paths):
    seen = set()
    for path in paths:
        with open(path, "rb") as file:
            seen.update((topic.get("title"), topic.get("applicant")) for topic in read(file.read())[1])
    print(len(seen))


def take_in(host, port, user, password, path):
    database = sqlite3.connect(path)
    database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                           "CREATE TABLE mail (uid INTEGER PRIMARY KEY, sha256 TEXT, sender TEXT, subject TEXT);"
                           "CREATE TABLE topic (title TEXT, applicant TEXT, uscc TEXT, problem TEXT, goal TEXT, params TEXT, uid INTEGER, UNIQUE (title, applicant))")
    session = imaplib.IMAP4(host, int(port))
    session.login(user, password)
    session.select("INBOX", readonly=True)
    uids = session.uid("SEARCH", "ALL")[1][0].split()
    for at in range(0, len(uids), 25):
        for part in session.uid("FETCH", b",".join(uids[at:at + 25]), "(UID BODY.PEEK[])")[1]:
            if not isinstance(part, tuple):
                continue
            uid, raw = int(part[0].split(b"UID ")[1].split()[0]), part[1]
            mail, found = read(raw)
            database.execute("INSERT INTO mail VALUES (?, ?, ?, ?)", (uid, hashlib.sha256(raw).hexdigest(), mail["From"], mail["Subject"]))
            for topic in found:
                database.execute("INSERT OR IGNORE INTO topic VALUES (:title, :applicant, :uscc, :problem, :goal, :params, :uid)", {**topic, "uid": uid})
        database.commit()
    session.logout()
    print(database.execute("SELECT count(*) FROM topic").fetchone()[0])


if __name__ == "__main__":
    if "/" in sys.argv[1]:
        read_files(sys.argv[1:])
    else:
        take_in(*sys.argv[1:])
