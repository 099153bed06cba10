#!/usr/bin/env python3
"""Peak memory and time of a reading process on the largest files the default limits let in.

    cargo build --release && python3 benches/reader_memory.py target/release/annexd

Makes each file, attaches it to a mail, lets `annexd examine` read the mail and watches the high-water mark (VmHWM) of its child
`annexd reader`. Needs python3 with openpyxl, python-docx, reportlab; soffice for the .xls and .ods. tests/README.md holds its figures.
"""
import base64, io, json, os, pathlib, random, subprocess, sys, tempfile, time, zipfile

WORK = pathlib.Path(tempfile.mkdtemp())
LABELS = ["序号", "课题名称", "申报单位", "统一社会信用代码", "拟解决的关键问题", "研发目标", "主要技术参数", "联系人", "联系电话"]
TEXT = "银烧结界面空洞率偏高，高温循环后热阻上升，尚无自主的检测与评价方法。"


def noise(count, seed=7):
    return random.Random(seed).randbytes(count)


def zip_to_the_limit():
    """Eight entries of 63 MiB, 504 MiB of the 512 MiB that may be unpacked; each compresses 40:1"""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        block = (noise(24 << 10) + bytes(1000 << 10))
        for number in range(8):
            archive.writestr(f"{number}.bin", (block * 64)[:63 << 20])
    return out.getvalue()


def xlsx(rows, columns):
    import openpyxl
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("汇总")
    labels = LABELS + [f"其他{number}" for number in range(columns - len(LABELS))]
    sheet.append(labels)
    for row in range(1, rows + 1):
        sheet.append([row] + [f"指标{row}-{column}" for column in range(1, columns)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def converted(data, ending):
    source = WORK / "book.xlsx"
    source.write_bytes(data)
    to = {"xls": "xls:MS Excel 97"}.get(ending, ending)
    subprocess.run(["soffice", "--headless", f"-env:UserInstallation=file://{WORK}/profile", "--convert-to", to, "--outdir", str(WORK / "out"), str(source)], check=True, capture_output=True)
    return (WORK / "out" / f"book.{ending}").read_bytes()


def docx(main_mib, tables):
    """word/document.xml of nearly 32 MiB, within 2 million characters"""
    cell = "<w:tc><w:tcPr/><w:p><w:r><w:t>%s</w:t></w:r></w:p></w:tc>"
    unit = ("<w:tbl>" + ("<w:tr>" + cell % "课题名称" + cell % TEXT[:6] + "</w:tr>") * 10 + "</w:tbl>") if tables else f"<w:p><w:r><w:t>{TEXT[:6]}</w:t></w:r></w:p>"
    count = (main_mib << 20) // len(unit.encode())
    xml = '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>' + unit * count + "</w:body></w:document>"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>')
        archive.writestr("word/document.xml", xml)
    return out.getvalue()


def pdf(pages, chars_a_page):
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen import canvas
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    out = io.BytesIO()
    paper = canvas.Canvas(out)
    for _ in range(pages):
        paper.setFont("STSong-Light", 8)
        for line in range(chars_a_page // 60):
            paper.drawString(40, 800 - 9 * (line % 85), (TEXT * 2)[:60])
        for line in range(40):
            paper.line(30, 20 * line, 560, 20 * line); paper.line(14 * line, 20, 14 * line, 800)
        paper.showPage()
    paper.save()
    return out.getvalue()


CASES = [
    ("docx, 31 MiB in tables", "a.docx", lambda: docx(31, True)),
    ("docx, 31 MiB in paragraphs", "b.docx", lambda: docx(31, False)),
    ("pdf, 200 pages of 1 980 characters and 80 lines", "a.pdf", lambda: pdf(200, 1_980)),
    ("pdf, 200 pages of 20 000 characters", "b.pdf", lambda: pdf(200, 20_000)),
    ("xlsx, 20 000 rows of 25 cells", "a.xlsx", lambda: xlsx(20_000, 25)),
    ("xls, 20 000 rows of 25 cells", "a.xls", lambda: converted(xlsx(20_000, 25), "xls")),
    ("ods, 20 000 rows of 25 cells", "a.ods", lambda: converted(xlsx(20_000, 25), "ods")),
    ("zip, 8 entries of 63 MiB", "a.zip", zip_to_the_limit),
    ("one attachment of 50 MB", "a.bin", lambda: noise(50_000_000)),
]


def mail(name, data):
    body = base64.encodebytes(data).decode()
    return (f"From: gxj@example.cn\nTo: kjc@example.cn\nSubject: x\nMIME-Version: 1.0\nContent-Type: application/octet-stream; name=\"{name}\"\n"
            f"Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"{name}\"\n\n{body}")


def peak_of_reader(parent):
    """VmHWM of the children of a process that are `annexd reader`, in MiB."""
    most = 0
    for task in pathlib.Path(f"/proc/{parent}/task").iterdir():
        try:
            for child in (task / "children").read_text().split():
                if b"reader" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes():
                    for line in pathlib.Path(f"/proc/{child}/status").read_text().splitlines():
                        if line.startswith("VmHWM"):
                            most = max(most, int(line.split()[1]) / 1024)
        except OSError:
            continue
    return most


def main():
    program = os.path.abspath(sys.argv[1])
    print("| file | packed | peak of the reader, MiB | seconds | outcome |\n|---|---|---|---|---|")
    for what, name, make in CASES:
        data = make()
        path = WORK / "mail.eml"
        path.write_text(mail(name, data))
        began, peak = time.monotonic(), 0
        answer = WORK / "answer"
        running = subprocess.Popen([program, "examine", "--json", str(path)], cwd=WORK, stdout=answer.open("wb"), stderr=subprocess.DEVNULL)
        while running.poll() is None:
            try:
                peak = max(peak, peak_of_reader(running.pid))
            except OSError:
                pass
            time.sleep(0.01)
        took = time.monotonic() - began
        said = json.loads(answer.read_bytes().splitlines()[0])
        states = {file["status"] for file in said["attachments"]}
        print(f"| {what} | {len(data) / (1 << 20):.1f} MiB | {peak:.0f} | {took:.1f} | {', '.join(sorted(states))}; {len(said['topics'])} topics |", flush=True)


main()
