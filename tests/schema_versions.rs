//! A database of every schema version that was released opens, migrates and exports what was in it. The samples lie in
//! `fixtures/schema/`; `fixtures/make/schema.py` makes the next one.

use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{Annexd, Postgres};
use annexd::{
    domain::{
        dedupe::{Prepared, Settings, Signature},
        verdict::LookupKeys,
    },
    edge::store::Store,
};
use flate2::read::GzDecoder;

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schema");
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.to_string_lossy().ends_with(".sql.gz"));
    found.sort();
    found
}

/// Rows of each table, counted in the dump.
fn rows(dump: &str) -> BTreeMap<&str, usize> {
    let mut rows = BTreeMap::new();
    for line in dump.lines() {
        if let Some((table, _)) = line.strip_prefix("INSERT INTO \"").and_then(|rest| rest.split_once('"')) {
            *rows.entry(table).or_default() += 1;
        }
    }
    rows
}

const LOCAL: &str =
    "[mailbox]\nkind = \"maildir\"\npath = \"in\"\n\n[smtp]\nkind = \"maildir\"\npath = \"out\"\nfrom = \"科技处 <jlsgxtkjc@163.com>\"\n";

fn unpacked(sample: &Path) -> String {
    let mut dump = String::new();
    GzDecoder::new(fs::File::open(sample).unwrap()).read_to_string(&mut dump).unwrap();
    dump
}

/// Brings the database to today's schema; what was in it is there, and work goes on.
fn migrates_and_goes_on(annexd: &Annexd, sample: &Path, dump: &str) {
    annexd.say(&["migrate"]);
    let checked = String::from_utf8_lossy(&annexd.run(&["check", "--connect"]).stdout).into_owned();
    assert!(checked.contains("integrity ok"), "{}: {checked}", sample.display());
    let rows = rows(dump);
    for (what, table) in [("topics", "topic"), ("messages", "sighting"), ("letters", "letter")] {
        assert_eq!(annexd.export(what).len(), rows[table], "{what} of {}", sample.display());
    }
    assert!(!annexd.export("findings").is_empty());
    // Another pass, a mail that comes only now, and the day's digest.
    let mail = "From: gxj@example.cn\r\nTo: kjc@example.cn\r\nSubject: new\r\nMessage-ID: <new@example.cn>\r\n\r\nhow?\r\n";
    fs::write(annexd.folder().join("in/new/1"), mail).unwrap();
    annexd.say(&["poll"]);
    let messages = annexd.export("messages");
    assert!(messages.len() == rows["sighting"] + 1 && messages.iter().all(|message| message["state"] != "accepted"), "{messages:?}");
    assert!(annexd.say(&["parked", "list"]).contains("signal 9"));
}

/// Every topic that says enough is found by its text alone, whoever would send it again.
fn finds_its_topics_again(annexd: &Annexd, url: &str, sample: &Path) {
    let mut topics = annexd.export("topics");
    topics.retain(|topic| topic["status"] != "withdrawn");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime.block_on(Store::open_read_only(url, None, &annexd.folder().join("data"))).unwrap().unwrap();
    let mut telling = 0;
    for topic in topics {
        let text = |key: &str| if key == "applicant" { "" } else { topic["fields"][key].as_str().unwrap_or_default() };
        let signature = Signature { keys: Vec::new(), ..Prepared::of(text, &Settings::default()).signature };
        if signature.pairs.len() < 3 {
            continue;
        }
        telling += 1;
        let keys = LookupKeys { signatures: vec![signature], ..LookupKeys::default() };
        let known = runtime.block_on(store.known(&keys, &Settings::default())).unwrap();
        assert!(known.topics.iter().any(|known| topic["id"] == known.id.as_str()), "{}: {}", sample.display(), topic["id"]);
    }
    assert!(telling > 0, "{}", sample.display());
    runtime.block_on(store.close());
}

#[test]
fn a_database_of_every_released_schema_opens_migrates_and_exports_what_was_in_it() {
    let samples = samples();
    // Every schema has its sample, but for the very first, which nobody ever ran.
    let migrations = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite")).unwrap().count();
    assert_eq!(samples.len(), migrations - 1, "make the missing sample with fixtures/make/schema.py");
    for sample in samples {
        let dump = unpacked(&sample);
        let annexd = Annexd::local(LOCAL);
        let data = annexd.folder().join("data");
        fs::create_dir_all(&data).unwrap();
        fs::write(annexd.folder().join("dump.sql"), &dump).unwrap();
        let load = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(open(sys.argv[2], encoding='utf-8').read())";
        let (database, script) = (data.join("annexd.db"), annexd.folder().join("dump.sql"));
        let loaded = Command::new("python3").args(["-c", load]).args([&database, &script]).status().unwrap();
        assert!(loaded.success(), "{}", sample.display());
        migrates_and_goes_on(&annexd, &sample, &dump);
        finds_its_topics_again(&annexd, "sqlite:annexd.db", &sample);
    }
}

#[test]
fn a_postgresql_database_of_every_released_schema_does_too() {
    let server = Postgres::start();
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The oldest goes through every migration; the others come with `./test --long`.
    let samples = samples().into_iter().take(if crate::support::long() { usize::MAX } else { 1 });
    for (number, sample) in samples.enumerate() {
        let (dump, name) = (unpacked(&sample), format!("sample{number}"));
        let url = server.database(&name);
        let annexd = Annexd::local(&format!("{LOCAL}\n[store]\nurl = \"{url}\"\n"));
        let script = annexd.folder().join("dump.sql");
        fs::write(&script, &dump).unwrap();
        let made = Command::new("python3")
            .arg(home.join("tests/schema_versions/to_postgres.py"))
            .args([&script, &home.join("migrations/postgres")])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        fs::write(&script, made.stdout).unwrap();
        server.run(&name, &script);
        migrates_and_goes_on(&annexd, &sample, &dump);
        finds_its_topics_again(&annexd, &url, &sample);
    }
}

#[test]
fn no_two_migrations_share_a_number_and_both_databases_have_the_same() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let names = |database: &str| -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(home.join(database)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let sqlite = names("sqlite");
    assert_eq!(sqlite, names("postgres"));
    let numbers: BTreeMap<&str, &String> = sqlite.iter().map(|name| (name.split('_').next().unwrap(), name)).collect();
    assert_eq!(numbers.len(), sqlite.len(), "{sqlite:?}");
}
