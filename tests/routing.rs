//! The router's promises, measured on topics it has not seen (`tests/fixtures/routing`): `own.jsonl` was written before anything was
//! tuned, `topics.jsonl` came with the routing table.
//!
//! `cargo test --release --test all routing:: -- --nocapture` prints the figures of `benches/ROUTING.md`;
//! with `ANNEXD_WRITE_MODEL=1` it also trains the shipped model anew after the seeds have changed.

use std::sync::{Arc, OnceLock};

use annexd::domain::routing::{Divisions, Evaluation, Example, Model, cross_validate, evaluate, parse_examples, seed_examples};

fn own() -> Vec<Example> {
    parse_examples(include_str!("fixtures/routing/own.jsonl")).unwrap()
}

fn topics_of_the_table() -> Vec<Example> {
    parse_examples(include_str!("fixtures/routing/topics.jsonl")).unwrap()
}

/// Titles in which a word of another trade stands: an assembly of a special machine, a material, a user, a side aim. The product
/// names of `products.txt` were widened in their view: this set holds what was reached, it is no blind measure.
fn misleading() -> Vec<Example> {
    parse_examples(include_str!("fixtures/routing/misleading.jsonl")).unwrap()
}

/// As shipped; with `ANNEXD_WRITE_MODEL` with the model that is about to be shipped.
fn router() -> Divisions {
    static NEW: OnceLock<Arc<Model>> = OnceLock::new();
    let shipped = Divisions::shipped();
    if std::env::var_os("ANNEXD_WRITE_MODEL").is_none() {
        return shipped;
    }
    shipped.with_model(NEW.get_or_init(|| Arc::new(Model::train(seed_examples()))).clone())
}

fn line(name: &str, set: &str, found: &Evaluation) {
    println!(
        "| {name} | {set} | {:.1} | {:.1} | {:.1} | {:.1} |",
        100.0 * found.accuracy(),
        100.0 * found.top_two(),
        100.0 * found.sure_share(),
        100.0 * found.sure_accuracy()
    );
}

fn keeps_the_promise(found: &Evaluation) {
    assert!(found.accuracy() >= 0.92, "{found}");
    assert!(found.top_two() >= 0.98, "{found}");
    assert!(found.sure_share() >= 0.80, "{found}");
    assert!(found.sure_accuracy() >= 0.97, "{found}");
}

#[test]
fn the_shipped_model_is_made_from_the_shipped_seeds() {
    if std::env::var_os("ANNEXD_WRITE_MODEL").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/routing/model.json");
        std::fs::write(path, router().model().unwrap().to_text().unwrap()).unwrap();
        return;
    }
    assert!(Model::shipped().size() > 1_000);
    assert!(Model::shipped().is_from_seeds(), "the seeds have changed: run this test with ANNEXD_WRITE_MODEL=1");
}

#[test]
fn topics_of_our_own_find_their_division() {
    let found = evaluate(&own(), &router());
    line("both", "own", &found);
    keeps_the_promise(&found);
}

#[test]
fn topics_that_came_with_the_table_find_their_division() {
    let found = evaluate(&topics_of_the_table(), &router());
    line("both", "topics", &found);
    keeps_the_promise(&found);
}

#[test]
fn the_machine_decides_and_not_what_it_is_built_of_or_used_for() {
    let found = evaluate(&misleading(), &router());
    line("both", "misleading", &found);
    keeps_the_promise(&found);
}

#[test]
fn table_and_model_are_better_together_than_either_alone() {
    let mut table = Divisions::shipped();
    table.router.model = false;
    let mut model = router();
    model.router.table_weight = 0.0;
    let topics = own();
    let (table, model, both) = (evaluate(&topics, &table), evaluate(&topics, &model), evaluate(&topics, &router()));
    line("table", "own", &table);
    line("model", "own", &model);
    line(
        "table",
        "topics",
        &evaluate(&topics_of_the_table(), &{
            let mut table = Divisions::shipped();
            table.router.model = false;
            table
        }),
    );
    assert!(both.right > table.right && both.right >= model.right, "{table}\n{model}\n{both}");
    assert_eq!(table.divisions.values().map(|score| score.topics).sum::<usize>(), topics.len());
    assert_eq!(table.buckets.iter().map(|bucket| bucket.topics).sum::<usize>(), topics.len());
}

#[test]
fn a_topic_in_training_does_not_judge_itself() {
    // Titles without any sense: only a model that has seen a topic could know its division.
    let nonsense: Vec<Example> = (0..40)
        .map(|at| {
            let sign = char::from_u32(0x4E00 + at * 97).unwrap();
            let division = if at % 2 == 0 { "auto" } else { "food" };
            Example { title: format!("{sign}{sign}{sign}{sign}"), division: division.into(), ..Example::default() }
        })
        .collect();
    let mut router = Divisions::shipped();
    router.router.table_weight = 0.0;
    assert!(cross_validate(&nonsense, &[], 4, &router).accuracy() < 0.3);
    let seen = evaluate(&nonsense, &router.with_model(Arc::new(Model::train(&[nonsense.clone(), nonsense.clone()].concat()))));
    assert!(seen.accuracy() > 0.9, "{seen}");
}
