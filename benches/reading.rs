//! What reading in a child process costs, against the same reading in this process: alone, and as a share of taking mails in (accept,
//! examine, record). Both ways take turns in one run over the fixtures, so that whatever else the machine does hits both.
//!
//! ```sh
//! cargo bench --bench reading
//! ```

#![allow(clippy::indexing_slicing, clippy::print_stdout)]

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use annexd::{
    commands::work,
    config::Installation,
    daemon,
    edge::reader::{Mail, Readers},
    pipeline::{House, stop::Stopped},
};

const ROUNDS: usize = 15;
/// How often the mails of the fixtures are taken in, each time a little different: SQLite's and the process's beginnings weigh less.
const COPIES: usize = 4;

#[derive(Clone, Copy)]
enum Way {
    Here,
    Child,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mails = mails()?;
    let (mut reading, mut ingest) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for round in 0..ROUNDS {
        let ways = if round % 2 == 0 { [Way::Here, Way::Child] } else { [Way::Child, Way::Here] };
        for way in ways {
            reading[way as usize].push(read_all(&mails, way).await?);
            ingest[way as usize].push(take_in(&mails, way).await?);
        }
    }
    let report = report(&mails, &reading, &ingest);
    fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/READING.md"), &report)?;
    println!("{report}");
    Ok(())
}

/// Every mail of the fixtures that is no crasher.
fn mails() -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut mails = Vec::new();
    for folder in ["journey", "mails"] {
        let mut files: Vec<PathBuf> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
            .collect();
        files.sort();
        for file in files {
            mails.push(fs::read(file)?);
        }
    }
    Ok(mails)
}

/// An installation with a Maildir that holds these mails.
async fn house(folder: &Path, mails: &[Vec<u8>], way: Way) -> Result<House, Box<dyn Error>> {
    for part in ["new", "cur", "tmp"] {
        fs::create_dir_all(folder.join("in").join(part))?;
    }
    for copy in 0..COPIES {
        for (number, mail) in mails.iter().enumerate() {
            let raw = [format!("X-Copy: {copy}\r\n").as_bytes(), mail].concat();
            fs::write(folder.join(format!("in/new/{copy}-{number}")), raw)?;
        }
    }
    let place = folder.display();
    let text = format!(
        "data_dir = \"{place}/data\"\n[mailbox]\nkind = \"maildir\"\npath = \"{place}/in\"\n[smtp]\nkind = \"maildir\"\npath = \"{place}/out\"\nfrom = \"科技处 <jlsgxtkjc@163.com>\"\n"
    );
    fs::write(folder.join("annexd.toml"), text)?;
    let installation = Installation::load(Some(&folder.join("annexd.toml")), &[]).map_err(|mistakes| format!("{mistakes:?}"))?;
    let mut house = daemon::build(installation).await?;
    if let Way::Child = way {
        house.readers = daemon::read_in_children(&house.config, &house.knowledge, env!("CARGO_BIN_EXE_annexd").into())?;
    }
    house.readers.warm_up().await;
    Ok(house)
}

/// Reads every mail once, one after another.
async fn read_all(mails: &[Vec<u8>], way: Way) -> Result<Duration, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let house = house(folder.path(), &[], way).await?;
    let readers: Readers = house.readers;
    readers.read(Mail::Bytes(mails[0].clone())).await?;
    let begun = Instant::now();
    for mail in mails {
        readers.read(Mail::Bytes(mail.clone())).await?;
    }
    Ok(begun.elapsed())
}

/// Takes every mail in: durable, examined, recorded, its letters written.
async fn take_in(mails: &[Vec<u8>], way: Way) -> Result<Duration, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let house = house(folder.path(), mails, way).await?;
    let begun = Instant::now();
    work::one_pass(&house, false, &Stopped::never()).await?;
    let took = begun.elapsed();
    let balance = house.store.balance().await?;
    assert!(balance.holds() && balance.waiting == 0, "{balance:?}");
    Ok(took)
}

fn report(mails: &[Vec<u8>], reading: &[Vec<Duration>; 2], ingest: &[Vec<Duration>; 2]) -> String {
    let row = |what: &str, took: &[Vec<Duration>; 2], count: usize| {
        let [here, child] = [median(&took[0]), median(&took[1])].map(|took| took.as_secs_f64() * 1000.0 / count as f64);
        let [best_here, best_child] = [least(&took[0]), least(&took[1])].map(|took| took.as_secs_f64() * 1000.0 / count as f64);
        let more = |here: f64, child: f64| (child / here - 1.0) * 100.0;
        format!(
            "| {what} | {here:.2} / {best_here:.2} | {child:.2} / {best_child:.2} | {:+.1} % / {:+.1} % |\n",
            more(here, child),
            more(best_here, best_child)
        )
    };
    let bytes: usize = mails.iter().map(Vec::len).sum();
    let built = if cfg!(debug_assertions) { ", built without optimisation" } else { "" };
    format!(
        "# What reading in a child process costs\n\n\
         Written by `cargo bench --bench reading`: {} mails of the fixtures, {} KiB, {ROUNDS} rounds, both ways by turns; {}{built}.\n\
         Milliseconds a mail, median / least of the rounds.\n\n\
         | step | read in this process | read in a child | more |\n|---|---|---|---|\n{}{}",
        mails.len(),
        bytes / 1024,
        machine(),
        row("reading alone, one mail after another", reading, mails.len()),
        row("taking in: accept, examine, record", ingest, mails.len() * COPIES)
    )
}

fn median(took: &[Duration]) -> Duration {
    let mut sorted = took.to_vec();
    sorted.sort();
    sorted[sorted.len() / 2]
}

fn least(took: &[Duration]) -> Duration {
    took.iter().min().copied().unwrap_or_default()
}

/// What it ran on.
fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown").trim_start_matches([' ', '\t', ':']);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!("{model}, {cores} cores, load {} at the end", load.split(' ').next().unwrap_or("?"))
}
