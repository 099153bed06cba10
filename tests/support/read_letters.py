"""How a mail program of another make sees mails: reads files by Python's own email package, prints one JSON line for each."""

import email
import email.policy
import io
import json
import struct
import sys

import openpyxl



def workbook(part):
    """Rows of every sheet, as openpyxl reads them."""
    book = openpyxl.load_workbook(io.BytesIO(part.get_content()))
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book}


def picture(part):
    """Width and height of a PNG."""
    data = part.get_content()
    assert data.startswith(b"\x89PNG\r\n\x1a\n"), data[:8]
    return struct.unpack(">II", data[16:24])


WANTED = ["Auto-Submitted", "X-Auto-Response-Suppress", "Date", "Message-ID", "To", "From", "In-Reply-To", "References", "Subject"]

for path in sys.argv[1:]:
    with open(path, "rb") as file:
        mail = email.message_from_binary_file(file, policy=email.policy.default)
    parts = list(mail.walk())
    defects = [repr(defect) for part in parts for defect in part.defects]
    for part in parts:
        defects += [f"{name}: {defect!r}" for name, value in part.items() for defect in getattr(value, "defects", [])]
    bodies = {part.get_content_type(): part.get_content() for part in parts if part.get_content_maintype() == "text"}
    print(
        json.dumps(
            {
                "path": path,
                "defects": defects,
                "count": {name: len(mail.get_all(name, [])) for name in WANTED + ["Reply-To", "Sender", "Bcc", "Cc"]},
                "headers": {name: str(mail[name]) for name in WANTED if mail[name] is not None},
                "names": [address.display_name for address in mail["From"].addresses],
                "recipients": [address.addr_spec for address in mail["To"].addresses],
                "date_has_zone": mail["Date"].datetime.tzinfo is not None,
                "types": [part.get_content_type() for part in parts],
                "files": [part.get_filename() for part in parts if part.get_filename()],
                "cids": [part["Content-ID"].strip("<>") for part in parts if part["Content-ID"]],
                "magic": {part.get_filename(): part.get_content()[:4].hex() for part in parts if part.get_filename()},
                "books": {
                    part.get_filename(): workbook(part) for part in parts if (part.get_filename() or "").endswith(".xlsx")
                },
                "pictures": {
                    part["Content-ID"].strip("<>"): picture(part) for part in parts if part.get_content_type() == "image/png"
                },
                "text": bodies.get("text/plain", ""),
                "html": bodies.get("text/html", ""),
                "longest_line": max(len(line) for line in open(path, "rb").read().splitlines()),
            },
            ensure_ascii=False,
        )
    )
