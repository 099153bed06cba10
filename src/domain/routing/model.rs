//! The text model of the router: multinomial logistic regression over [`super::features`], trained in one thread in a fixed order,
//! so that the same examples give the same model. Kept as one text file: a JSON header with the weights in one byte each.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Example,
    features::{self, Features},
    seed_examples,
    title::Parts,
};

/// Passes over the examples.
const EPOCHS: usize = 12;
/// Step of the first pass; later steps shrink by what a feature has already moved.
const STEP: f32 = 0.5;
/// Features that stand in fewer examples are not learnt.
const EXAMPLES_MIN: usize = 2;
/// Largest model that is read: features.
const FEATURES_MAX: usize = 500_000;
/// Weights of a feature are kept in steps of a 127th of its largest.
const STEPS: f32 = 127.0;

/// A trained model. Made by [`Model::train`] or read by [`Model::parse`].
#[derive(Debug, Clone, Default)]
pub struct Model {
    version: String,
    divisions: Vec<String>,
    index: Index,
    /// By feature, then by division: weight × rarity.
    weights: Vec<f32>,
}

/// Numbers of features. Every feature of every topic is looked up, and what is looked up can do no harm: the hash may be a fast one.
type Index = HashMap<String, usize, FixedState>;

/// A feature of a topic that the model knows.
pub(super) struct Known<'m> {
    run: &'m str,
    value: f32,
    /// Its weights by division.
    row: &'m [f32],
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    reading: String,
    version: String,
    divisions: Vec<String>,
    /// Separated by line breaks.
    features: String,
    /// Base64 of little-endian f32, one a feature.
    scales: String,
    /// Base64 of i8, features × divisions.
    weights: String,
}

impl Model {
    /// Learns from labelled topics. Without examples the model says nothing.
    #[must_use]
    pub fn train(examples: &[Example]) -> Self {
        let divisions: Vec<String> = examples.iter().map(|example| example.division.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        let of_example = |example: &Example| {
            let draft = example.draft();
            features::of(&draft, &Parts::of(draft.text("topic_title")))
        };
        let texts: Vec<Features> = examples.iter().map(of_example).collect();
        let (index, rarity) = vocabulary(&texts);
        let labels: Vec<usize> =
            examples.iter().map(|example| divisions.iter().position(|id| *id == example.division).unwrap_or(0)).collect();
        let rows: Vec<Vec<(usize, f32)>> = texts
            .iter()
            .map(|text| {
                let known = text.iter().filter_map(|(run, value)| index.get(run).map(|at| (*at, value)));
                known.map(|(at, value)| (at, value * rarity.get(at).copied().unwrap_or(0.0))).collect()
            })
            .collect();
        let mut weights = descend(&rows, &labels, divisions.len(), rarity.len());
        for (row, rarity) in weights.chunks_mut(divisions.len().max(1)).zip(&rarity) {
            row.iter_mut().for_each(|weight| *weight *= rarity);
            let scale = scale_of(row);
            row.iter_mut().for_each(|weight| *weight = f32::from(stepped(*weight, scale)) * scale);
        }
        Self { version: version_of(examples), divisions, index, weights }
    }

    /// The model built into the binary: trained from [`seed_examples`] by `tests/routing.rs`, which also checks that it is up to date.
    #[must_use]
    pub fn shipped() -> Arc<Self> {
        static SHIPPED: OnceLock<Arc<Model>> = OnceLock::new();
        let read = || Arc::new(Self::parse(include_str!("../../../config/routing/model.json")).unwrap_or_default());
        Arc::clone(SHIPPED.get_or_init(read))
    }

    /// Whether it was trained from the shipped seed examples as they are now.
    #[must_use]
    pub fn is_from_seeds(&self) -> bool {
        self.version == version_of(seed_examples())
    }

    /// `r1-1f3a9c2b7d10`: how topics are read, and the hash of the examples.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How many features it knows.
    #[must_use]
    pub fn size(&self) -> usize {
        self.index.len()
    }

    /// The features of a topic that it knows, in their order.
    pub(super) fn known<'m>(&'m self, topic: &'m Features) -> Vec<Known<'m>> {
        topic.iter().filter_map(|(run, value)| Some(Known { run, value, row: self.row(run)? })).collect()
    }

    /// The score of every division (a logit), and how many of the known features are more than one character.
    pub(super) fn scores(&self, known: &[Known<'_>]) -> (BTreeMap<&str, f64>, usize) {
        let mut scores = vec![0.0_f32; self.divisions.len()];
        for feature in known {
            scores.iter_mut().zip(feature.row).for_each(|(score, weight)| *score += feature.value * weight);
        }
        let longer = known.iter().filter(|feature| is_longer(feature.run)).count();
        (self.divisions.iter().map(String::as_str).zip(scores.into_iter().map(f64::from)).collect(), longer)
    }

    /// What speaks most for a division, best first: runs that stand in the topic, longer ones instead of their parts.
    pub(super) fn reasons(&self, known: &[Known<'_>], division: &str, max: usize) -> Vec<String> {
        let Some(at) = self.divisions.iter().position(|id| id == division) else { return Vec::new() };
        let mut found: Vec<(&str, f32)> = known
            .iter()
            .filter_map(|feature| {
                let mean = feature.row.iter().sum::<f32>() / feature.row.len().max(1) as f32;
                Some((feature.run.trim_start_matches('$'), feature.value * (feature.row.get(at)? - mean)))
            })
            .filter(|(run, points)| *points > 0.0 && is_longer(run))
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let mut reasons: Vec<&str> = Vec::new();
        for (run, _) in found.into_iter().take(max * 6) {
            let full = reasons.len() >= max;
            match reasons.iter_mut().find(|reason| reason.contains(run) || run.contains(**reason)) {
                Some(reason) if run.len() > reason.len() => *reason = run,
                Some(_) => {}
                None if full => {}
                None => reasons.push(run),
            }
        }
        reasons.dedup();
        reasons.into_iter().map(str::to_owned).collect()
    }

    fn row(&self, run: &str) -> Option<&[f32]> {
        let width = self.divisions.len();
        self.index.get(run).and_then(|at| self.weights.get(at * width..(at + 1) * width))
    }

    /// The model as one file.
    ///
    /// # Errors
    /// None in practice; the serialiser's own.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let mut runs: Vec<(&String, &usize)> = self.index.iter().collect();
        runs.sort_by_key(|(_, at)| **at);
        let (mut scales, mut weights) = (Vec::new(), Vec::new());
        for row in self.weights.chunks(self.divisions.len().max(1)) {
            let scale = scale_of(row);
            scales.extend(scale.to_le_bytes());
            weights.extend(row.iter().map(|weight| stepped(*weight, scale).to_le_bytes()[0]));
        }
        serde_json::to_string(&Stored {
            reading: features::READING.to_owned(),
            version: self.version.clone(),
            divisions: self.divisions.clone(),
            features: runs.into_iter().map(|(run, _)| run.as_str()).collect::<Vec<_>>().join("\n"),
            scales: BASE64.encode(scales),
            weights: BASE64.encode(weights),
        })
    }

    /// Reads what [`Model::to_text`] wrote.
    ///
    /// # Errors
    /// What is wrong with the file, and what to do.
    pub fn parse(text: &str) -> Result<Self, String> {
        let stored: Stored = serde_json::from_str(text).map_err(|error| format!("this is no routing model: {error}"))?;
        if stored.reading != features::READING {
            return Err(format!("this model reads topics as {}, this program as {}: train it again", stored.reading, features::READING));
        }
        let damaged = |what: &str| format!("the routing model is damaged ({what}): train it again");
        let index: Index =
            stored.features.split('\n').filter(|run| !run.is_empty()).enumerate().map(|(at, run)| (run.to_owned(), at)).collect();
        let scales = BASE64.decode(&stored.scales).map_err(|_| damaged("scales"))?;
        let bytes = BASE64.decode(&stored.weights).map_err(|_| damaged("weights"))?;
        let (scales, rest) = scales.as_chunks::<4>();
        let width = stored.divisions.len();
        if index.len() > FEATURES_MAX || !rest.is_empty() || scales.len() != index.len() || bytes.len() != index.len() * width {
            return Err(damaged("counts differ"));
        }
        let mut weights = Vec::with_capacity(bytes.len());
        for (row, scale) in bytes.chunks(width.max(1)).zip(scales) {
            let scale = f32::from_le_bytes(*scale);
            if !scale.is_finite() {
                return Err(damaged("a scale is no number"));
            }
            weights.extend(row.iter().map(|byte| f32::from(i8::from_le_bytes([*byte])) * scale));
        }
        Ok(Self { version: stored.version, divisions: stored.divisions, index, weights })
    }
}

fn is_longer(run: &str) -> bool {
    run.chars().nth(1).is_some()
}

fn scale_of(row: &[f32]) -> f32 {
    row.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs())) / STEPS
}

fn stepped(weight: f32, scale: f32) -> i8 {
    if scale > 0.0 { (weight / scale).round().clamp(-STEPS, STEPS) as i8 } else { 0 }
}

fn version_of(examples: &[Example]) -> String {
    let mut hash = Sha256::new();
    for example in examples {
        for text in [&example.title, &example.problem, &example.goal, &example.params, &example.division] {
            hash.update(text);
            hash.update([0]);
        }
    }
    let hex: String = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{hex}", features::READING)
}

/// The features worth learning, with how rare each is (mean 1).
fn vocabulary(texts: &[Features]) -> (Index, Vec<f32>) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (run, _) in texts.iter().flat_map(Features::iter) {
        *counts.entry(run).or_insert(0) += 1;
    }
    counts.retain(|_, count| *count >= EXAMPLES_MIN);
    let of = |count: usize| ((1 + texts.len()) as f32 / (1 + count) as f32).ln() + 1.0;
    let mean = counts.values().map(|count| of(*count)).sum::<f32>() / counts.len().max(1) as f32;
    let rarity = counts.values().map(|count| of(*count) / mean).collect();
    (counts.into_keys().enumerate().map(|(at, run)| (run.to_owned(), at)).collect(), rarity)
}

/// Gradient steps, one example at a time; rare divisions count as much as frequent ones.
fn descend(rows: &[Vec<(usize, f32)>], labels: &[usize], width: usize, features: usize) -> Vec<f32> {
    let mut weights = vec![0.0_f32; features * width];
    let mut moved = vec![1e-3_f32; features];
    let mut counts = vec![0_usize; width];
    labels.iter().for_each(|label| {
        if let Some(count) = counts.get_mut(*label) {
            *count += 1;
        }
    });
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut dice = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..EPOCHS {
        shuffle(&mut order, &mut dice);
        for at in &order {
            let (Some(row), Some(label)) = (rows.get(*at), labels.get(*at)) else { continue };
            let mut errors = vec![0.0_f32; width];
            for (feature, value) in row {
                let own = weights.get(feature * width..(feature + 1) * width).unwrap_or_default();
                errors.iter_mut().zip(own).for_each(|(score, weight)| *score += value * weight);
            }
            into_shares(&mut errors);
            if let Some(error) = errors.get_mut(*label) {
                *error -= 1.0;
            }
            let count = counts.get(*label).copied().unwrap_or(1).max(1);
            let fair = (rows.len() as f32 / (width * count) as f32).sqrt();
            let size = errors.iter().map(|error| error * error).sum::<f32>();
            for (feature, value) in row {
                let Some(moved) = moved.get_mut(*feature) else { continue };
                *moved += size * value * value;
                let step = STEP * fair * value / moved.sqrt();
                if let Some(own) = weights.get_mut(feature * width..(feature + 1) * width) {
                    own.iter_mut().zip(&errors).for_each(|(weight, error)| *weight -= step * error);
                }
            }
        }
    }
    weights
}

/// Scores to shares that add up to one.
fn into_shares(scores: &mut [f32]) {
    let largest = scores.iter().copied().fold(f32::MIN, f32::max);
    scores.iter_mut().for_each(|score| *score = (*score - largest).exp());
    let sum: f32 = scores.iter().sum();
    scores.iter_mut().for_each(|score| *score /= sum);
}

/// A fixed shuffle: the same number of examples gives the same order.
fn shuffle(order: &mut [usize], dice: &mut u64) {
    for at in (1..order.len()).rev() {
        *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(at, ((*dice >> 33) as usize) % (at + 1));
    }
}
