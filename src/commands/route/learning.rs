//! `annexd route train|models|use|rollback|off`: the text model learns from people's corrections only, is tried against the one in
//! force, and every step can be taken back.

use std::collections::BTreeSet;

use anyhow::bail;
use clap::Subcommand;
use serde_json::{Value, json};

use super::super::print_line;
use crate::{
    domain::{
        routing::{self, Evaluation, Model, Trial},
        time::chinese_minute,
    },
    edge::store::{InForce, StoredModel},
    pipeline::{House, judging},
};

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Learn from people's corrections; the new model is used only if cross-validation finds it not worse
    Train,
    /// The models trained here, and which one is in force
    Models,
    /// Put a trained model in force again, or the shipped one (`shipped`)
    Use { version: String },
    /// One step back: to the model that was in force before
    Rollback,
    /// Switch the text model off; the routing table speaks alone
    Off,
}

/// Carries out one action.
///
/// # Errors
/// When the store fails or the version is not known.
pub async fn learning(house: &House, action: Action, json: bool) -> anyhow::Result<()> {
    match action {
        Action::Train => train(house, json).await,
        Action::Models => models(house, json).await,
        Action::Use { version } => {
            let choice = if version == "shipped" { InForce::Shipped } else { InForce::Learnt(version.as_str()) };
            if !house.store.use_model(choice).await? {
                bail!("no model has the version {version}; see `annexd route models`");
            }
            say_in_force(house, json).await
        }
        Action::Rollback => {
            house.store.roll_back_model().await?;
            say_in_force(house, json).await
        }
        Action::Off => {
            house.store.use_model(InForce::Off).await?;
            say_in_force(house, json).await
        }
    }
}

async fn train(house: &House, json: bool) -> anyhow::Result<()> {
    let words: Vec<(String, routing::Example)> =
        house.store.labelled_topics().await?.into_iter().map(|labelled| (labelled.number, labelled.example)).collect();
    if words.is_empty() {
        let text = "没有可学习的人工意见：请先受理课题，或用“转”更正处室。模型未变。";
        print_line(&if json { json!({"trained_on": 0, "switched": false, "problem": text}).to_string() } else { text.to_owned() });
        return Ok(());
    }
    let in_force = house.store.model_in_force().await?;
    let stored = house.store.models().await?;
    let of_current = stored.iter().find(|model| model.active && in_force != InForce::Off);
    let before: BTreeSet<String> = of_current.map(|model| model.trained_on.iter().cloned().collect()).unwrap_or_default();
    let divisions = judging::learnt(&house.knowledge, &house.store).await?.divisions.clone();
    // The table's own weight stays as configured; a model that is off is tried as if it were on.
    let router = house.knowledge.divisions.clone();
    let numbers: Vec<String> = words.iter().map(|(number, _)| number.clone()).collect();
    let trial = tokio::task::spawn_blocking(move || routing::learn(&words, &before, &router)).await?;
    let switched = trial.is_not_worse();
    let model = StoredModel {
        version: trial.model.version().to_owned(),
        created_at: house.now(),
        trained_on: numbers,
        figures: figures(&trial, switched, divisions.model().as_deref()),
        active: false,
    };
    house.store.keep_model(&model, &trial.model.to_text()?).await?;
    if switched {
        house.store.use_model(InForce::Learnt(&model.version)).await?;
    }
    tracing::info!(version = model.version, corrections = model.trained_on.len(), switched, "A routing model was trained.");
    print_line(&if json { object(&model, switched).to_string() } else { told(&model, &trial, switched) });
    Ok(())
}

fn figures(trial: &Trial, switched: bool, before: Option<&Model>) -> Value {
    let pair = |before: &Evaluation, after: &Evaluation| {
        json!({"topics": after.topics, "right_before": before.right, "right_after": after.right,
               "accuracy_before": before.accuracy(), "accuracy_after": after.accuracy()})
    };
    json!({
        "before": before.map(Model::version),
        "corrections": pair(&trial.words_before, &trial.words_after),
        "seeds": pair(&trial.seeds_before, &trial.seeds_after),
        "switched": switched,
    })
}

fn told(model: &StoredModel, trial: &Trial, switched: bool) -> String {
    let line = |what: &str, before: &Evaluation, after: &Evaluation| {
        format!("{what}（{}项，交叉验证）：原模型正确{}项，新模型正确{}项", after.topics, before.right, after.right)
    };
    let end = if switched {
        "新模型不差于原模型，已启用。"
    } else {
        "新模型差于原模型，未启用；可用 `annexd route use 版本` 强行启用。"
    };
    format!(
        "已由出厂样例和{}项人工意见训练模型 {}。\n{}\n{}\n{end}",
        model.trained_on.len(),
        model.version,
        line("人工意见", &trial.words_before, &trial.words_after),
        line("出厂样例抽样", &trial.seeds_before, &trial.seeds_after)
    )
}

async fn models(house: &House, json: bool) -> anyhow::Result<()> {
    let in_force = house.store.model_in_force().await?;
    for model in house.store.models().await? {
        let active = model.active && in_force != InForce::Off;
        if json {
            print_line(&object(&model, active).to_string());
            continue;
        }
        let corrections = model.figures.get("corrections").unwrap_or(&serde_json::Value::Null);
        print_line(&format!(
            "{} {}  {}  人工意见{}项  交叉验证正确{}项（原模型{}项）",
            if active { "＊" } else { "  " },
            model.version,
            chinese_minute(model.created_at, &house.zone),
            model.trained_on.len(),
            corrections["right_after"],
            corrections["right_before"]
        ));
    }
    if !json {
        say_in_force(house, false).await?;
    }
    Ok(())
}

fn object(model: &StoredModel, active: bool) -> Value {
    json!({
        "version": model.version,
        "created_at": model.created_at.to_string(),
        "trained_on": model.trained_on,
        "figures": model.figures,
        "active": active,
    })
}

async fn say_in_force(house: &House, json: bool) -> anyhow::Result<()> {
    let (word, text) = match house.store.model_in_force().await? {
        InForce::Off => ("off".to_owned(), "模型已关闭，只按规则表分派。".to_owned()),
        InForce::Shipped => ("shipped".to_owned(), "现用出厂模型。".to_owned()),
        InForce::Learnt(version) => (version.clone(), format!("现用模型 {version}。")),
    };
    print_line(&if json { json!({"in_force": word}).to_string() } else { text });
    Ok(())
}
