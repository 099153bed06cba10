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

import docx
import openpyxl

from script_frame import INSERT_MAIL, INSERT_TOPIC, LABELS, database, fetched, main, topics


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


def read(raw):
    """The mail, and the topics of its annexes."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    found = []
    for attachment in mail.iter_attachments():
        found += topics(attachment.get_filename() or "", attachment.get_payload(decode=True) or b"", workbook, form, ())
    return mail, found


def take_in(host, port, user, password, path):
    store = database(path)
    session = imaplib.IMAP4(host, int(port))
    session.login(user, password)
    session.select("INBOX", readonly=True)
    for chunk in fetched(session):
        for uid, raw in chunk:
            mail, found = read(raw)
            store.execute(INSERT_MAIL, (uid, hashlib.sha256(raw).hexdigest(), mail["From"], mail["Subject"]))
            for topic in found:
                store.execute(INSERT_TOPIC, {**topic, "uid": uid})
        store.commit()
    session.logout()
    print(store.execute("SELECT count(*) FROM topic").fetchone()[0])


if __name__ == "__main__":
    main(read, take_in)
