//! The topics of a period, for the department's report.

use jiff::Timestamp;

use super::{Store, StoreError, millis, timestamp};
use crate::domain::{completeness::Completeness, findings::Finding, period_report::ReportTopic};

impl Store {
    /// Topics received in `from..to`, in order of arrival, after a serial number, a page at a time; with that number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn report_topics(
        &self,
        from: Timestamp,
        to: Timestamp,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, ReportTopic)>, StoreError> {
        let rows: Vec<(i64, String, Option<String>, String, String, String, i64, i64, String, String, String)> = sqlx::query_as(
            "SELECT t.serial, t.id, t.bureau_name, t.division, t.status, t.review, t.revision, t.received_at, r.fields, r.findings, r.completeness
             FROM topic t JOIN revision r ON r.topic_serial = t.serial AND r.revision = t.revision
             WHERE t.received_at >= $1 AND t.received_at < $2 AND t.serial > $3 ORDER BY t.serial LIMIT $4",
        )
        .bind(millis(from))
        .bind(millis(to))
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        let topic = |(serial, number, bureau, division, status, review, revision, received_at, fields, findings, completeness): (
            i64,
            String,
            Option<String>,
            String,
            String,
            String,
            i64,
            i64,
            String,
            String,
            String,
        )| {
            let mut fields: std::collections::BTreeMap<String, String> = serde_json::from_str(&fields)?;
            let findings: Vec<Finding> = serde_json::from_str(&findings)?;
            let completeness: Option<Completeness> = serde_json::from_str(&completeness).ok();
            Ok((
                serial,
                ReportTopic {
                    number,
                    title: fields.remove("topic_title").unwrap_or_default(),
                    applicant: fields.remove("applicant").unwrap_or_default(),
                    bureau: bureau.unwrap_or_default(),
                    division,
                    status,
                    review,
                    revisions: u64::try_from(revision).unwrap_or(1),
                    received_at: timestamp(received_at),
                    percent: completeness.map(|completeness| completeness.percent),
                    findings,
                },
            ))
        };
        rows.into_iter().map(topic).collect()
    }
}
