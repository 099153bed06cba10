//! Made-up topics for the benchmarks of twins.

#![allow(dead_code, clippy::indexing_slicing)]

use std::collections::BTreeSet;

/// Every so many topics one is a re-worded copy of an earlier one.
pub const COPY_EVERY: usize = 20;

/// One topic of the bench, and the number of the topic it copies.
pub struct Synthetic {
    pub applicant: String,
    pub title: String,
    pub text: String,
    pub copy_of: Option<usize>,
}

/// Writes topics: 2000 trades with 400 words of their own each, sentences from patterns.
pub struct Writer {
    random: fastrand::Rng,
    trades: Vec<Vec<String>>,
}

/// ◇ a word of the trade, # a figure.
const PATTERNS: [&str; 10] = [
    "目前◇与◇的◇主要由#家国外企业供应，国产◇在◇条件下◇为#，与◇相差#%。",
    "◇过程中◇不均，◇率达到#%，造成◇和◇失效，◇寿命仅#h。",
    "研究◇、◇与◇的协同机理，突破◇控制和◇技术，形成◇样机。",
    "采用◇结合◇的方法，解决◇在◇时的◇问题，使◇提高#%。",
    "◇≥#MPa；◇≤#%；◇精度±#μm；◇寿命≥#h；◇温度#℃。",
    "国外◇已实现◇，◇指标为#，我国◇停留在#，◇依靠◇完成。",
    "开发◇用◇，建立◇模型，完成◇与◇的匹配，在◇上验证。",
    "◇的◇决定◇，现有◇易使◇开裂，◇波动#%，◇成本#元。",
    "针对◇，以◇替代◇，优化◇和◇参数，◇达到#级。",
    "◇线产能#吨，◇合格率#%，◇能耗#kWh/t。",
];
const WORDS_OF_A_TRADE: usize = 400;
const TRADES: usize = 2_000;

impl Writer {
    pub fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let characters: Vec<char> = include_str!("../../tests/fixtures/dedupe/pairs.jsonl")
            .chars()
            .filter(|c| matches!(c, '\u{4E00}'..='\u{9FFF}'))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let mut word = || (0..random.usize(2..5)).filter_map(|_| random.choice(&characters)).collect::<String>();
        let trades = (0..TRADES).map(|_| (0..WORDS_OF_A_TRADE).map(|_| word()).collect()).collect();
        Self { random, trades }
    }

    pub fn topics(&mut self, size: usize) -> Vec<Synthetic> {
        let mut topics: Vec<Synthetic> = Vec::with_capacity(size);
        for number in 0..size {
            let topic = if number % COPY_EVERY == COPY_EVERY - 1 {
                let of = self.random.usize(0..number);
                self.copy(&topics[of], of)
            } else {
                self.topic()
            };
            topics.push(topic);
        }
        topics
    }

    fn topic(&mut self) -> Synthetic {
        let trade = self.random.usize(0..TRADES);
        let mut text = String::new();
        for _ in 0..8 {
            let pattern = self.random.choice(PATTERNS).unwrap_or_default();
            for c in pattern.chars() {
                match c {
                    '◇' => text.push_str(&self.word(trade)),
                    '#' => text.push_str(&self.figure()),
                    c => text.push(c),
                }
            }
        }
        let title = format!("{}{}技术", self.word(trade), self.word(trade));
        Synthetic { applicant: self.applicant(), title, text, copy_of: None }
    }

    /// A copy by another applicant: 2 to 45 % of the characters' places get another word or figure.
    fn copy(&mut self, of: &Synthetic, number: usize) -> Synthetic {
        let share = 0.02 + self.random.f64() * 0.43;
        let trade = self.random.usize(0..TRADES);
        let mut text = String::new();
        let mut chars = of.text.chars();
        while let Some(c) = chars.next() {
            // A word is three characters on average.
            if self.random.f64() < share / 6.0 {
                text.push_str(&self.word(trade));
                chars.nth(1);
            } else {
                text.push(c);
            }
        }
        Synthetic { applicant: self.applicant(), title: of.title.clone(), text, copy_of: Some(number) }
    }

    fn applicant(&mut self) -> String {
        let trade = self.random.usize(0..TRADES);
        format!("长春{}{}有限公司", self.word(trade), self.word(trade))
    }

    fn word(&mut self, trade: usize) -> String {
        self.random.choice(&self.trades[trade]).cloned().unwrap_or_default()
    }

    fn figure(&mut self) -> String {
        match self.random.u8(0..3) {
            0 => self.random.u32(1..100).to_string(),
            1 => format!("{}.{}", self.random.u32(0..10), self.random.u32(1..100)),
            _ => self.random.u32(100..5000).to_string(),
        }
    }
}

/// Where `benches/DEDUPE.md` passes from memory to the database.
const FROM_THE_DATABASE: &str = "## From the database";

/// Writes one half of `benches/DEDUPE.md` and keeps the other, which another bench writes.
pub fn write_half(from_the_database: bool, text: &str) -> std::io::Result<()> {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/DEDUPE.md");
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    let (memory, database) = before.split_at(before.find(FROM_THE_DATABASE).unwrap_or(before.len()));
    let (memory, database) = if from_the_database {
        (memory.trim_end(), format!("{FROM_THE_DATABASE}\n\n{text}"))
    } else {
        (text.trim_end(), database.to_owned())
    };
    std::fs::write(file, format!("{memory}\n\n{database}").trim_end().to_owned() + "\n")
}

/// The machine, and what else it was doing.
pub fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    format!("Machine{model}, {cores} cores, load {load} at the end of the run; annexd on one thread.")
}
