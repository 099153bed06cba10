//! Learning from people: a new model from the shipped seeds and everything people have said, tried against the one in force on
//! topics that neither has seen.

use std::{collections::BTreeSet, sync::Arc};

use super::{Divisions, Evaluation, Example, Model, examples};

/// How often a person's word stands beside each seed: it outweighs what was written at a desk.
const WORD_WEIGHT: usize = 4;
/// Parts into which the labelled topics are dealt.
const FOLDS: usize = 3;
/// Seeds that are tried; all are learnt from.
const TRIED_SEEDS: usize = 400;

/// A new model beside the one in force.
#[derive(Debug)]
pub struct Trial {
    pub model: Model,
    /// On people's words, cross-validated: the one in force, then the new one.
    pub words_before: Evaluation,
    pub words_after: Evaluation,
    /// The same on a spread of the shipped seeds.
    pub seeds_before: Evaluation,
    pub seeds_after: Evaluation,
}

impl Trial {
    /// Whether the new model is not worse: on people's words never, on the seeds by no more than chance moves (two standard
    /// deviations of the difference between two models that are equally good).
    #[must_use]
    pub fn is_not_worse(&self) -> bool {
        let lost = self.seeds_before.right.saturating_sub(self.seeds_after.right);
        let wrong = self.seeds_before.topics.saturating_sub(self.seeds_before.right).max(1);
        let chance = 2.0 * (2.0 * wrong as f64).sqrt();
        self.words_after.right >= self.words_before.right && lost as f64 <= chance
    }
}

/// Trains on the shipped seeds and on `words`, and tries the model against the one in force, which learnt from those of `words` that
/// `before` names (nothing: the shipped one).
#[must_use]
pub fn learn(words: &[(String, Example)], before: &BTreeSet<String>, router: &Divisions) -> Trial {
    let written = examples::written_seeds();
    let always = examples::seeds_by_name();
    let spread = (written.len() / TRIED_SEEDS).max(1);
    let mut trial = Trial {
        model: Model::train(&everything(written.iter().chain(always), words.iter().map(|word| &word.1))),
        words_before: Evaluation::empty(),
        words_after: Evaluation::empty(),
        seeds_before: Evaluation::empty(),
        seeds_after: Evaluation::empty(),
    };
    let mut order: Vec<&(String, Example)> = words.iter().collect();
    order.sort_by(|a, b| a.1.division.cmp(&b.1.division));
    for fold in 0..FOLDS {
        let seeds = || written.iter().enumerate().filter(move |(at, _)| at % FOLDS != fold).map(|(_, example)| example).chain(always);
        let learnt = |all: bool| {
            let others = order.iter().enumerate().filter(|(at, _)| at % FOLDS != fold).map(|(_, word)| *word);
            let known = others.filter(|(number, _)| all || before.contains(number)).map(|(_, example)| example);
            router.clone().with_model(Arc::new(Model::train(&everything(seeds(), known))))
        };
        let (old, new) = (learnt(false), learnt(true));
        for (_, (_, example)) in order.iter().enumerate().filter(|(at, _)| at % FOLDS == fold) {
            trial.words_before.count(example, &old.route(&example.draft()));
            trial.words_after.count(example, &new.route(&example.draft()));
        }
        for (_, example) in written.iter().enumerate().filter(|(at, _)| at % FOLDS == fold && (at / FOLDS).is_multiple_of(spread)) {
            trial.seeds_before.count(example, &old.route(&example.draft()));
            trial.seeds_after.count(example, &new.route(&example.draft()));
        }
    }
    trial
}

fn everything<'a>(seeds: impl Iterator<Item = &'a Example>, words: impl Iterator<Item = &'a Example>) -> Vec<Example> {
    let mut all: Vec<Example> = seeds.cloned().collect();
    for word in words {
        all.extend(std::iter::repeat_n(word, WORD_WEIGHT).cloned());
    }
    all
}
