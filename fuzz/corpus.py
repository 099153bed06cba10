#!/usr/bin/env python3
"""Seeds fuzz/corpus/ from the fixtures, one folder a target: python3 fuzz/corpus.py. Then, with nightly Rust and cargo-fuzz:

    cargo +nightly fuzz run docx -- -max_total_time=300 -rss_limit_mb=1024
"""
import pathlib, shutil

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent / "tests/fixtures"
SOURCES = {
    "message": ["journey/*.eml", "mails/*.eml"],
    "containers": ["parts/*"],
    "docx": ["word/*.docx", "letters/*.docx", "bureaus/*.docx"],
    "doc": ["word/*.doc", "word/*.wps", "bureaus/*.doc", "bureaus/*.wps"],
    "xlsx": ["sheets/*.xlsx", "bureaus/*.xlsx"],
    "xls": ["sheets/*.xls", "sheets/*.et", "bureaus/*.xls"],
    "ods": ["sheets/*.ods", "bureaus/*.ods"],
    "csv": ["sheets/*.csv", "bureaus/*.csv"],
    "html": ["sheets/*.html", "bureaus/*.html"],
    "spreadsheetml": ["sheets/*.xml"],
    "pdf": ["letters/*.pdf", "aligned/*.pdf", "bureaus/*.pdf"],
    "ofd": ["letters/*.ofd"],
    "configuration": ["../../config/*.toml", "../../config/forms/*.toml"],
}

for target in sorted(path.stem for path in (HERE / "fuzz_targets").glob("*.rs")):
    corpus = HERE / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    found = [path for pattern in SOURCES.get(target, []) for path in FIXTURES.glob(pattern)]
    found += (HERE / "seeds" / target).glob("*")
    found += (FIXTURES / "crashers" / target).glob("*")
    for path in found:
        if path.is_file() and path.stat().st_size < 1 << 20:
            shutil.copy(path, corpus / path.name)
    print(f"{target:20} {len(list(corpus.iterdir()))} seeds")
