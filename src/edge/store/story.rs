//! The whole story of one topic: revisions, sources, findings, routes, mails and letters; and a person's decisions on it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Store, StoreError, millis, timestamp};
use crate::domain::{findings::Finding, rules::quantified};

#[derive(sqlx::FromRow)]
struct RevisionRow {
    revision: i64,
    sha256: String,
    fields: String,
    changed: String,
    sources: String,
    findings: String,
    duplicates: String,
    completeness: String,
    normalised: String,
    recorded_at: i64,
}

#[derive(sqlx::FromRow)]
struct RouteRow {
    division: String,
    confidence: f64,
    candidates: String,
    evidence: String,
    routed_by: String,
    joint: Option<String>,
    rules_version: String,
    model_version: String,
    decided_at: i64,
}

impl Store {
    /// Everything about one topic as one JSON object; `None` for an unknown number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn topic_story(&self, id: &str) -> Result<Option<Value>, StoreError> {
        let topic: Option<(i64, String, String, i64, Option<String>)> =
            sqlx::query_as("SELECT serial, status, division, held, bureau_name FROM topic WHERE id = $1")
                .bind(id)
                .fetch_optional(&self.pool)
                .await?;
        let Some((serial, status, division, held, bureau)) = topic else { return Ok(None) };
        Ok(Some(json!({
            "id": id,
            "status": status,
            "division": division,
            "held": held != 0,
            "bureau": bureau,
            "revisions": self.revisions(serial).await?,
            "routes": self.routes(serial).await?,
            "decisions": self.decisions(serial).await?,
            "letters": self.letters_about(serial).await?,
        })))
    }

    /// Each revision with what it changed: fields then and now, findings that it opened and closed.
    async fn revisions(&self, serial: i64) -> Result<Vec<Value>, StoreError> {
        let rows = sqlx::query_as::<_, RevisionRow>(
            "SELECT r.revision, m.sha256, r.fields, r.changed, r.sources, r.findings, r.duplicates, r.completeness, r.normalised, r.recorded_at
             FROM revision r JOIN message m ON m.id = r.message_id WHERE r.topic_serial = $1 ORDER BY r.revision",
        )
        .bind(serial)
        .fetch_all(&self.pool)
        .await?;
        let mut revisions = Vec::new();
        let mut before: Option<(BTreeMap<String, String>, Vec<Finding>)> = None;
        for row in rows {
            let fields: BTreeMap<String, String> = serde_json::from_str(&row.fields)?;
            let findings: Vec<Finding> = serde_json::from_str(&row.findings)?;
            let changed: Vec<String> = serde_json::from_str(&row.changed)?;
            let (then, told) = before.take().unwrap_or_default();
            let changes: Vec<Value> =
                changed.iter().map(|key| json!({"field": key, "then": then.get(key), "now": fields.get(key)})).collect();
            revisions.push(json!({
                "revision": row.revision,
                "message_sha256": row.sha256,
                "recorded_at": timestamp(row.recorded_at).to_string(),
                "changed": changed,
                "changes": changes,
                "fields": fields,
                "normalised": serde_json::from_str::<Value>(&row.normalised)?,
                "quantified": quantified(fields.get("params").map_or("", String::as_str)),
                "completeness": serde_json::from_str::<Value>(&row.completeness)?,
                "sources": serde_json::from_str::<Value>(&row.sources)?,
                "findings": findings,
                "opened": only_in(&findings, &told),
                "closed": only_in(&told, &findings),
                "duplicates": serde_json::from_str::<Value>(&row.duplicates)?,
            }));
            before = Some((fields, findings));
        }
        Ok(revisions)
    }

    async fn routes(&self, serial: i64) -> Result<Vec<Value>, StoreError> {
        let rows = sqlx::query_as::<_, RouteRow>(
            "SELECT division, confidence, candidates, evidence, routed_by, joint, rules_version, model_version, decided_at
             FROM route WHERE topic_serial = $1 ORDER BY id",
        )
        .bind(serial)
        .fetch_all(&self.pool)
        .await?;
        let mut routes = Vec::new();
        for row in rows {
            routes.push(json!({
                "division": row.division,
                "confidence": row.confidence,
                "candidates": serde_json::from_str::<Value>(&row.candidates)?,
                "evidence": serde_json::from_str::<Value>(&row.evidence)?,
                "routed_by": row.routed_by,
                "joint": row.joint,
                "rules_version": row.rules_version,
                "model_version": row.model_version,
                "decided_at": timestamp(row.decided_at).to_string(),
            }));
        }
        Ok(routes)
    }

    async fn decisions(&self, serial: i64) -> Result<Vec<Value>, StoreError> {
        let rows: Vec<(String, String, String, String, i64)> =
            sqlx::query_as("SELECT verb, words, division, decided_by, decided_at FROM decision WHERE topic_serial = $1 ORDER BY id")
                .bind(serial)
                .fetch_all(&self.pool)
                .await?;
        let object = |(verb, words, division, by, at): (String, String, String, String, i64)| json!({"verb": verb, "words": words, "division": division, "decided_by": by, "decided_at": timestamp(at).to_string()});
        Ok(rows.into_iter().map(object).collect())
    }

    async fn letters_about(&self, serial: i64) -> Result<Vec<Value>, StoreError> {
        let rows: Vec<(i64, String, String, String, String)> = sqlx::query_as(
            "SELECT l.id, l.kind, l.recipient, l.subject, l.state FROM letter l JOIN topic_message t ON t.message_id = l.cause_id
             WHERE t.topic_serial = $1 ORDER BY l.id",
        )
        .bind(serial)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, kind, to, subject, state)| json!({"id": id, "kind": kind, "to": to, "subject": subject, "state": state}))
            .collect())
    }

    /// A person takes a topic out, with the reason. `false` for an unknown number.
    ///
    /// # Errors
    /// When the transaction could not be committed.
    pub async fn withdraw_topic(&self, id: &str, reason: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let topic: Option<(i64, String)> = sqlx::query_as("UPDATE topic SET status = 'withdrawn' WHERE id = $1 RETURNING serial, division")
            .bind(id)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some((serial, division)) = topic else { return Ok(false) };
        sqlx::query("INSERT INTO decision (topic_serial, verb, words, division, decided_by, decided_at) VALUES ($1, 'withdraw', $2, $3, 'command', $4)")
            .bind(serial)
            .bind(reason)
            .bind(division)
            .bind(millis(now))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// The findings of one revision that the other has not: the same rule about the same field is the same point.
fn only_in<'a>(one: &'a [Finding], other: &[Finding]) -> Vec<&'a Finding> {
    let same = |left: &Finding, right: &Finding| left.rule == right.rule && left.field == right.field;
    one.iter().filter(|left| !other.iter().any(|right| same(left, right))).collect()
}
