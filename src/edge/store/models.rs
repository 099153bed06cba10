//! What people said about routes, and the text models that learnt from it: which one is in force, and the way back.

use jiff::Timestamp;
use serde_json::Value;

use super::{Store, StoreError, millis, timestamp};
use crate::domain::routing::Example;

/// A topic whose division a person has named or confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// Receipt number.
    pub number: String,
    pub example: Example,
}

/// The text model that routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InForce<V> {
    /// None: the routing table speaks alone.
    Off,
    /// The one built into the binary.
    Shipped,
    /// One that learnt from people.
    Learnt(V),
}

/// A stored model, without its body.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredModel {
    pub version: String,
    pub created_at: Timestamp,
    /// Receipt numbers of the topics it learnt from.
    pub trained_on: Vec<String>,
    /// JSON object, see `route train`.
    pub figures: Value,
    pub active: bool,
}

type ModelRow = (String, i64, String, String, i64);

impl Store {
    /// Labelled topics, oldest first: those whose latest word by a person is that their division takes them on, or that they belong
    /// to it. A topic given back without naming another division says nothing; unconfirmed routes are never learnt from.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn labelled_topics(&self) -> Result<Vec<Labelled>, StoreError> {
        let rows: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT t.id, t.division, r.fields FROM topic t JOIN revision r ON r.topic_serial = t.serial AND r.revision = t.revision
             WHERE t.status <> 'withdrawn' AND (SELECT d.verb FROM decision d WHERE d.topic_serial = t.serial AND d.verb IN ('accept', 'transfer', 'return')
                    ORDER BY d.id DESC LIMIT 1) IN ('accept', 'transfer') ORDER BY t.serial",
        )
        .fetch_all(&self.pool)
        .await?;
        let mut labelled = Vec::with_capacity(rows.len());
        for (number, division, fields) in rows {
            let mut fields: std::collections::BTreeMap<String, String> = serde_json::from_str(&fields)?;
            let mut take = |key: &str| fields.remove(key).unwrap_or_default();
            let example = Example {
                title: take("topic_title"),
                problem: take("problem"),
                goal: take("goal"),
                params: take("params"),
                enterprise: take("applicant"),
                gb_code: take("gb_code"),
                division,
            };
            if !example.title.trim().is_empty() {
                labelled.push(Labelled { number, example });
            }
        }
        Ok(labelled)
    }

    /// Version of the model in force.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn model_in_force(&self) -> Result<InForce<String>, StoreError> {
        let (off, version): (i64, Option<String>) =
            sqlx::query_as("SELECT (SELECT count(*) FROM setting WHERE name = 'model_off'), (SELECT version FROM model WHERE active = 1)")
                .fetch_one(&self.pool)
                .await?;
        Ok(if off != 0 { InForce::Off } else { version.map_or(InForce::Shipped, InForce::Learnt) })
    }

    /// The text of a stored model; `None` for an unknown version.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn model_body(&self, version: &str) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT body FROM model WHERE version = $1").bind(version).fetch_optional(&self.pool).await?;
        Ok(row.map(|(body,)| body))
    }

    /// All stored models, latest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn models(&self) -> Result<Vec<StoredModel>, StoreError> {
        let rows: Vec<ModelRow> = sqlx::query_as("SELECT version, created_at, trained_on, figures, active FROM model ORDER BY id DESC")
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter()
            .map(|(version, created_at, trained_on, figures, active)| {
                Ok(StoredModel {
                    version,
                    created_at: timestamp(created_at),
                    trained_on: serde_json::from_str(&trained_on)?,
                    figures: serde_json::from_str(&figures)?,
                    active: active != 0,
                })
            })
            .collect()
    }

    /// Keeps a model. One of the same version is replaced.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn keep_model(&self, model: &StoredModel, body: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO model (version, created_at, trained_on, figures, body, active) VALUES ($1, $2, $3, $4, $5, 0)
             ON CONFLICT (version) DO UPDATE SET figures = $4, body = $5, trained_on = $3",
        )
        .bind(&model.version)
        .bind(millis(model.created_at))
        .bind(serde_json::to_string(&model.trained_on)?)
        .bind(model.figures.to_string())
        .bind(body)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Puts a model in force; `false` for an unknown version, then nothing changes.
    ///
    /// # Errors
    /// When the transaction could not be committed.
    pub async fn use_model(&self, choice: InForce<&str>) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        if choice == InForce::Off {
            sqlx::query("INSERT INTO setting (name, value) VALUES ('model_off', $1) ON CONFLICT DO NOTHING")
                .bind([1_u8].as_slice())
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            return Ok(true);
        }
        sqlx::query("DELETE FROM setting WHERE name = 'model_off'").execute(&mut *transaction).await?;
        sqlx::query("UPDATE model SET active = 0 WHERE active = 1").execute(&mut *transaction).await?;
        if let InForce::Learnt(version) = choice {
            let known = sqlx::query("UPDATE model SET active = 1 WHERE version = $1").bind(version).execute(&mut *transaction).await?;
            if known.rows_affected() == 0 {
                return Ok(false);
            }
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// One step back: from off to what was in force before; from a learnt model to the one trained before it; from the oldest of
    /// them to the shipped one, where it ends.
    ///
    /// # Errors
    /// When the transaction could not be committed.
    pub async fn roll_back_model(&self) -> Result<InForce<String>, StoreError> {
        let mut transaction = self.begin().await?;
        let was_off = sqlx::query("DELETE FROM setting WHERE name = 'model_off'").execute(&mut *transaction).await?.rows_affected() > 0;
        if !was_off {
            let before: Option<(i64,)> = sqlx::query_as(
                "SELECT max(id) FROM model WHERE id < (SELECT id FROM model WHERE active = 1) AND CAST(json_extract(figures, '$.switched') AS TEXT) IN ('1', 'true') HAVING max(id) IS NOT NULL",
            )
            .fetch_optional(&mut *transaction)
            .await?;
            sqlx::query("UPDATE model SET active = 0 WHERE active = 1").execute(&mut *transaction).await?;
            if let Some((id,)) = before {
                sqlx::query("UPDATE model SET active = 1 WHERE id = $1").bind(id).execute(&mut *transaction).await?;
            }
        }
        transaction.commit().await?;
        self.model_in_force().await
    }
}
