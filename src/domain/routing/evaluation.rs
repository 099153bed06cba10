//! How well topics are routed: accuracy, runner-up, per division, confusion, calibration, abstentions. For `annexd route evaluate`,
//! for `annexd route train`, which compares two models by cross-validation, and for the router's own tests.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use serde::Serialize;
use serde_json::{Value, json};

use super::{Divisions, Example, Model, Route, RoutedBy};

/// From this confidence on a route is called sure.
pub const SURE_FROM: f64 = 0.8;
/// Lower ends of the confidence buckets.
const BUCKETS: &[f64] = &[0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];
/// Wrong routes that are listed.
const WRONG_MAX: usize = 50;

/// The outcome over a set of labelled topics. Shares lie between 0 and 1.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Evaluation {
    pub topics: usize,
    pub right: usize,
    /// The right division is the first or the second candidate.
    pub in_top_two: usize,
    pub sure: usize,
    pub sure_right: usize,
    /// Routed to the fallback for want of any signal.
    pub abstained: usize,
    /// Marked 会办.
    pub joint: usize,
    pub divisions: BTreeMap<String, DivisionScore>,
    /// Right division, then chosen division.
    pub confusion: BTreeMap<String, BTreeMap<String, usize>>,
    pub buckets: Vec<Bucket>,
    pub wrong: Vec<Wrong>,
}

/// One division's share.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DivisionScore {
    pub topics: usize,
    pub chosen: usize,
    pub right: usize,
}

/// Topics whose confidence lies in one range.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Bucket {
    pub from: f64,
    pub topics: usize,
    pub right: usize,
    confidence_sum: f64,
}

/// A topic that went elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Wrong {
    pub title: String,
    pub right: String,
    pub chosen: String,
    pub confidence: f64,
    pub evidence: Vec<String>,
}

impl DivisionScore {
    #[must_use]
    pub fn precision(&self) -> f64 {
        share(self.right, self.chosen)
    }

    #[must_use]
    pub fn recall(&self) -> f64 {
        share(self.right, self.topics)
    }
}

impl Bucket {
    /// Mean confidence of its topics.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.topics == 0 { 0.0 } else { self.confidence_sum / self.topics as f64 }
    }
}

impl Evaluation {
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        share(self.right, self.topics)
    }

    #[must_use]
    pub fn top_two(&self) -> f64 {
        share(self.in_top_two, self.topics)
    }

    /// Accuracy where the confidence is at least [`SURE_FROM`].
    #[must_use]
    pub fn sure_accuracy(&self) -> f64 {
        share(self.sure_right, self.sure)
    }

    /// Share of topics that reach [`SURE_FROM`].
    #[must_use]
    pub fn sure_share(&self) -> f64 {
        share(self.sure, self.topics)
    }

    pub(super) fn count(&mut self, example: &Example, route: &Route) {
        let right = route.division == example.division;
        self.topics += 1;
        self.right += usize::from(right);
        self.in_top_two += usize::from(right || route.candidates.iter().take(2).any(|candidate| candidate.division == example.division));
        self.abstained += usize::from(route.routed_by == RoutedBy::Fallback);
        self.joint += usize::from(route.joint.is_some());
        if route.confidence >= SURE_FROM {
            self.sure += 1;
            self.sure_right += usize::from(right);
        }
        self.divisions.entry(route.division.clone()).or_default().chosen += 1;
        let own = self.divisions.entry(example.division.clone()).or_default();
        own.topics += 1;
        own.right += usize::from(right);
        *self.confusion.entry(example.division.clone()).or_default().entry(route.division.clone()).or_insert(0) += 1;
        if let Some(bucket) = self.buckets.iter_mut().rev().find(|bucket| route.confidence >= bucket.from) {
            bucket.topics += 1;
            bucket.right += usize::from(right);
            bucket.confidence_sum += route.confidence;
        }
        if !right && self.wrong.len() < WRONG_MAX {
            self.wrong.push(Wrong {
                title: example.title.clone(),
                right: example.division.clone(),
                chosen: route.division.clone(),
                confidence: route.confidence,
                evidence: route.evidence.clone(),
            });
        }
    }

    /// All figures by name, for machines; shares lie between 0 and 1.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let divisions: serde_json::Map<String, Value> = self
            .divisions
            .iter()
            .map(|(id, score)| {
                let object = json!({"topics": score.topics, "chosen": score.chosen, "right": score.right, "precision": score.precision(), "recall": score.recall()});
                (id.clone(), object)
            })
            .collect();
        let calibration: Vec<Value> = self
            .buckets
            .iter()
            .map(|bucket| json!({"from": bucket.from, "topics": bucket.topics, "right": bucket.right, "confidence": bucket.mean(), "accuracy": share(bucket.right, bucket.topics)}))
            .collect();
        json!({
            "topics": self.topics,
            "right": self.right,
            "accuracy": self.accuracy(),
            "top2": self.top_two(),
            "sure_from": SURE_FROM,
            "sure_share": self.sure_share(),
            "sure_accuracy": self.sure_accuracy(),
            "abstained": self.abstained,
            "joint": self.joint,
            "divisions": divisions,
            "confusion": self.confusion,
            "calibration": calibration,
            "wrong": self.wrong,
        })
    }

    pub(super) fn empty() -> Self {
        let buckets = BUCKETS.iter().map(|from| Bucket { from: *from, ..Bucket::default() }).collect();
        Self { buckets, ..Self::default() }
    }
}

/// Routes labelled topics and counts how often that was right.
#[must_use]
pub fn evaluate<'a>(topics: impl IntoIterator<Item = &'a Example>, router: &Divisions) -> Evaluation {
    let mut evaluation = Evaluation::empty();
    for example in topics {
        evaluation.count(example, &router.route(&example.draft()));
    }
    evaluation
}

/// Every topic is routed by a model that has not seen it: topics are dealt into `folds` parts, each tried with a model trained on
/// the others and on `always` (bare product names, examples of another set).
#[must_use]
pub fn cross_validate(topics: &[Example], always: &[Example], folds: usize, router: &Divisions) -> Evaluation {
    let mut evaluation = Evaluation::empty();
    let folds = folds.clamp(2, topics.len().max(2));
    // Dealt division by division, so that every part holds some of each.
    let mut order: Vec<&Example> = topics.iter().collect();
    order.sort_by(|a, b| a.division.cmp(&b.division));
    for fold in 0..folds {
        let train: Vec<Example> = order
            .iter()
            .enumerate()
            .filter(|(at, _)| at % folds != fold)
            .map(|(_, example)| (*example).clone())
            .chain(always.iter().cloned())
            .collect();
        let router = router.clone().with_model(Arc::new(Model::train(&train)));
        for (_, example) in order.iter().enumerate().filter(|(at, _)| at % folds == fold) {
            evaluation.count(example, &router.route(&example.draft()));
        }
    }
    evaluation
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl fmt::Display for Evaluation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        writeln!(out, "课题 topics                {}", self.topics)?;
        writeln!(out, "首选正确 top-1             {}", percent(self.accuracy()))?;
        writeln!(out, "前二含正确 top-2           {}", percent(self.top_two()))?;
        writeln!(out, "置信度≥{SURE_FROM} 占比 sure        {}", percent(self.sure_share()))?;
        writeln!(out, "置信度≥{SURE_FROM} 正确率 sure top-1 {}", percent(self.sure_accuracy()))?;
        writeln!(out, "会办 joint {}，无信号 abstained {}", self.joint, self.abstained)?;
        writeln!(out, "\n处室 division   课题 topics  精确率 precision  召回率 recall")?;
        for (id, score) in &self.divisions {
            writeln!(out, "{id:<14} {:>8} {:>16} {:>14}", score.topics, percent(score.precision()), percent(score.recall()))?;
        }
        writeln!(out, "\n置信度 confidence   课题 topics   平均置信度 mean   正确率 accuracy")?;
        for bucket in self.buckets.iter().filter(|bucket| bucket.topics > 0) {
            writeln!(
                out,
                "≥{:<16.2} {:>8} {:>16} {:>14}",
                bucket.from,
                bucket.topics,
                percent(bucket.mean()),
                percent(share(bucket.right, bucket.topics))
            )?;
        }
        let ids: BTreeSet<&String> = self.confusion.keys().collect();
        writeln!(out, "\n误分 confusion（应为 right → 分到 chosen）")?;
        for id in ids {
            let elsewhere: Vec<String> = self
                .confusion
                .get(id)
                .into_iter()
                .flatten()
                .filter(|(chosen, _)| *chosen != id)
                .map(|(chosen, count)| format!("{chosen} {count}"))
                .collect();
            if !elsewhere.is_empty() {
                writeln!(out, "{id} → {}", elsewhere.join("，"))?;
            }
        }
        for wrong in &self.wrong {
            writeln!(out, "{} → {} {:.2} {} [{}]", wrong.right, wrong.chosen, wrong.confidence, wrong.title, wrong.evidence.join("；"))?;
        }
        Ok(())
    }
}
