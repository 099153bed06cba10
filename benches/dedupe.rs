//! How fast twins are found: signature, insert and query at 10 000, 100 000 and 1 000 000 synthetic topics, recall against brute force,
//! and datasketch's `MinHashLSH` on the same texts in the same run. Writes `benches/DEDUPE.md`.
//!
//! ```sh
//! pip install datasketch
//! cargo bench --bench dedupe                 # all sizes; 1 000 000 topics take about 5 GB
//! DEDUPE_SIZES=10000 PYTHON=/path/to/python3 cargo bench --bench dedupe
//! ```

#![allow(clippy::indexing_slicing, clippy::print_stdout)]

use std::{collections::BTreeSet, fmt::Write as _, fs, hint::black_box, path::Path, process::Command, time::Instant};

use annexd::domain::dedupe::{Index, Prepared, Settings, Signature, measure};
use synthetic::{COPY_EVERY, Synthetic, Writer, machine, write_half};

mod synthetic;

const QUERIES: usize = 20_000;
/// Queries answered by brute force too, at most; and comparisons for them.
const BRUTE: usize = 100;
const BRUTE_COMPARISONS: usize = 20_000_000;
/// Largest size that datasketch is given: it needs 8.5 GB for a million.
const PEER_MOST: usize = 100_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sizes = std::env::var("DEDUPE_SIZES").unwrap_or_else(|_| "10000,100000,1000000".to_owned());
    let sizes: Vec<usize> = sizes.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let mut rows = String::new();
    let mut peers = String::new();
    for size in sizes {
        let topics = Writer::new(7).topics(size);
        let ours = run(&topics)?;
        rows.push_str(&ours.row(size));
        if size <= PEER_MOST {
            match peer(&topics) {
                Ok(theirs) => peers.push_str(&theirs.row(size, &ours)),
                Err(problem) => _ = writeln!(peers, "| {size} | not run: {problem} | | | | |"),
            }
        }
        let report = format!("{HEAD}\n{}\n\n{TABLE}{rows}\n{PEER_TABLE}{peers}\n{NOTES}", machine());
        write_half(false, &report)?;
        println!("{report}");
    }
    Ok(())
}

const HEAD: &str = "# Twins among topics: speed and recall\n\nWritten by `cargo bench --bench dedupe`; do not edit.\n";
const TABLE: &str = "\
| topics | signatures a core-second | with insert | queries a second, with check | query median / p99, µs | bytes a topic | copies found | recall at Jaccard ≥ 0.5, against brute force |
|---|---|---|---|---|---|---|---|
";
const PEER_TABLE: &str = "\
datasketch `MinHashLSH` on the same texts, 128 permutations, 18 bands of 7, one process:

| topics | signature + insert a second | queries a second, with check | bytes a topic | copies found | annexd against it: signature + insert, query |
|---|---|---|---|---|---|
";
const NOTES: &str = "\
Texts: about 300 characters from sentence patterns and a vocabulary of invented trades; every twentieth is a copy with 2 to 45 % of its
words replaced. A query is a topic already stored, asked again by its ready signature: candidates from bands and keys, each compared
in full. Brute force compares with every topic. Rates are per second of CPU;
the times of one query are by the clock. Bytes a topic: growth of the process by the index, divided by the topics.
";

struct Ours {
    signatures: f64,
    inserts: f64,
    queries: f64,
    median_us: f64,
    p99_us: f64,
    bytes: f64,
    found: f64,
    recall: f64,
    alike: usize,
}

impl Ours {
    fn row(&self, size: usize) -> String {
        // A small index fits into what the process has already.
        let bytes = if size < 100_000 { "–".to_owned() } else { format!("{:.0}", self.bytes) };
        format!(
            "| {size} | {:.0} | {:.0} | {:.0} | {:.1} / {:.1} | {bytes} | {:.4} | {:.4} of {} |\n",
            self.signatures, self.inserts, self.queries, self.median_us, self.p99_us, self.found, self.recall, self.alike
        )
    }
}

fn sign(topic: &Synthetic, settings: &Settings) -> Signature {
    let text = |key: &str| match key {
        "topic_title" => topic.title.as_str(),
        "applicant" => topic.applicant.as_str(),
        "problem" => topic.text.as_str(),
        _ => "",
    };
    Prepared::of(text, settings).signature
}

fn run(topics: &[Synthetic]) -> Result<Ours, Box<dyn std::error::Error>> {
    let settings = Settings::default();
    let few = topics.len().min(20_000);
    let started = cpu_secs();
    for topic in topics.iter().take(few) {
        black_box(sign(topic, &settings));
    }
    let signatures = few as f64 / (cpu_secs() - started);

    let before = resident();
    let started = cpu_secs();
    let mut index = Index::new(settings.clone());
    for (number, topic) in topics.iter().enumerate() {
        index.insert(&format!("JL{number:07}"), &sign(topic, &settings)).ok_or("full")?;
    }
    let inserts = topics.len() as f64 / (cpu_secs() - started);
    let bytes = (resident() - before) / topics.len() as f64;

    let step = (topics.len() / QUERIES).max(1);
    let asked: Vec<Signature> = topics.iter().step_by(step).map(|topic| sign(topic, &settings)).collect();
    let started = cpu_secs();
    for signature in &asked {
        black_box(index.twins(signature));
    }
    let queries = asked.len() as f64 / (cpu_secs() - started);
    let mut times = Vec::with_capacity(asked.len());
    for signature in &asked {
        let started = Instant::now();
        black_box(index.twins(signature));
        times.push(started.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let (found, _) = copies(topics, |topic| index.twins(&sign(topic, &settings)).into_iter().map(|(number, _)| number as usize).collect());
    let (recall, alike) = against_brute_force(topics, &index, &settings);
    Ok(Ours {
        signatures,
        inserts,
        queries,
        median_us: times[times.len() / 2] * 1e6,
        p99_us: times[times.len() * 99 / 100] * 1e6,
        bytes,
        found,
        recall,
        alike,
    })
}

/// Share of (some) copies whose original is found.
fn copies(topics: &[Synthetic], find: impl Fn(&Synthetic) -> BTreeSet<usize>) -> (f64, usize) {
    let step = (topics.len() / QUERIES / COPY_EVERY).max(1);
    let copies: Vec<(&Synthetic, usize)> = topics.iter().filter_map(|topic| Some((topic, topic.copy_of?))).step_by(step).collect();
    let found = copies.iter().filter(|(copy, of)| find(copy).contains(of)).count();
    (found as f64 / copies.len() as f64, copies.len())
}

/// Of all pairs with a Jaccard of triples of at least one half, those whose other side is among the candidates.
fn against_brute_force(topics: &[Synthetic], index: &Index, settings: &Settings) -> (f64, usize) {
    let asked = topics.iter().enumerate().filter(|(_, topic)| topic.copy_of.is_some());
    let (mut alike, mut found) = (0, 0);
    let brute = BRUTE.min(BRUTE_COMPARISONS / topics.len()).max(1);
    for (at, topic) in asked.step_by((topics.len() / COPY_EVERY / brute).max(1)) {
        let signature = sign(topic, settings);
        let candidates = index.candidates(&signature);
        for other in (0..topics.len()).filter(|other| *other != at) {
            let number = other as u32;
            if index.signature(number).is_some_and(|stored| measure(&signature, stored).jaccard >= 0.5) {
                alike += 1;
                found += usize::from(candidates.contains(&number));
            }
        }
    }
    (found as f64 / alike as f64, alike)
}

struct Theirs {
    inserts: f64,
    queries: f64,
    bytes: f64,
    found: f64,
}

impl Theirs {
    fn row(&self, size: usize, ours: &Ours) -> String {
        let (inserts, queries) = (ours.inserts / self.inserts, ours.queries / self.queries);
        format!(
            "| {size} | {:.0} | {:.0} | {:.0} | {:.4} | {inserts:.1}×, {queries:.1}× |\n",
            self.inserts, self.queries, self.bytes, self.found
        )
    }
}

/// The same texts through datasketch, in a Python process.
fn peer(topics: &[Synthetic]) -> Result<Theirs, Box<dyn std::error::Error>> {
    let file = std::env::temp_dir().join(format!("dedupe-bench-{}.tsv", std::process::id()));
    let lines: String =
        topics.iter().map(|topic| format!("{}\t{}\n", topic.copy_of.map_or_else(String::new, |of| of.to_string()), topic.text)).collect();
    fs::write(&file, lines)?;
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/dedupe_peer.py");
    let output = Command::new(python).arg(script).arg(&file).output();
    fs::remove_file(&file)?;
    let output = output?;
    let text = String::from_utf8(output.stdout)?;
    let figures: Vec<f64> = text.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
    match figures.as_slice() {
        [inserts, queries, bytes, found] => Ok(Theirs { inserts: *inserts, queries: *queries, bytes: *bytes, found: *found }),
        _ => Err(String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("no answer").to_owned().into()),
    }
}

/// CPU time of this thread's process so far: the machine may be shared.
fn cpu_secs() -> f64 {
    let stat = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

/// Resident memory of this process, bytes; 0 where the system does not say.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) * 1024.0
}
