//! The facts of a digest, counted by the database.

use jiff::Timestamp;
use sqlx::{AssertSqlSafe, FromRow};

use super::{Store, StoreError, millis, queue::state_name};
use crate::domain::{
    letters::{
        digest::{
            AddressLine, Balance, Count, DigestFacts, DivisionLine, LetterLine, OpenCorrection, OverruleLine, ParkedLine, TopicLine,
            WaitingLine,
        },
        faults::in_chinese,
        held_in_words, state_in_words,
    },
    submitters::Decision,
    verdict::{Duplicate, Knowledge},
};

/// Lines of one list that are looked at; the letter shows fewer and counts the others.
const LINES_MAX: i64 = 10_000;

impl Store {
    /// What happened in `from..to`, and what waits at present.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn digest_facts(
        &self,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
        knowledge: &Knowledge,
    ) -> Result<DigestFacts, StoreError> {
        let division = |count: Count| Count {
            name: knowledge.divisions.division(&count.name).map_or(count.name, |division| division.name.clone()),
            ..count
        };
        let overrules = self.overrules(from, to, knowledge).await?;
        Ok(DigestFacts {
            mails_by_kind: self.counts("SELECT coalesce(m.kind, m.state), count(*) FROM message m WHERE m.accepted_at >= $1 AND m.accepted_at < $2 GROUP BY 1 ORDER BY 2 DESC, 1", from, to).await?.into_iter().map(kind_name).collect(),
            mails_by_bureau: self.counts("SELECT m.bureau_name, count(*) FROM message m WHERE m.bureau_name IS NOT NULL AND m.accepted_at >= $1 AND m.accepted_at < $2 GROUP BY 1 ORDER BY 2 DESC, 1", from, to).await?,
            topics_by_bureau: self.counts("SELECT coalesce(t.bureau_name, '未识别报送单位'), count(*) FROM topic t JOIN revision r ON r.topic_serial = t.serial AND r.revision = 1 WHERE r.recorded_at >= $1 AND r.recorded_at < $2 GROUP BY 1 ORDER BY 2 DESC, 1", from, to).await?,
            topics_by_division: self.counts("SELECT t.division, count(*) FROM topic t JOIN revision r ON r.topic_serial = t.serial AND r.revision = 1 WHERE r.recorded_at >= $1 AND r.recorded_at < $2 GROUP BY 1 ORDER BY 2 DESC, 1", from, to).await?.into_iter().map(division).collect(),
            revisions: self.counts("SELECT '', count(*) FROM revision r WHERE r.revision > 1 AND r.recorded_at >= $1 AND r.recorded_at < $2", from, to).await?.first().map_or(0, |count| count.count),
            topics_by_state: self.counts("SELECT t.status, count(*) FROM topic t WHERE $1 <= $2 GROUP BY 1 ORDER BY 1", from, to).await?.into_iter().map(|count| Count { name: state_name(&count.name).to_owned(), ..count }).collect(),
            open_corrections: self.open_corrections(now).await?,
            held_topics: self.held_topics().await?,
            duplicates: self.suspected_duplicates().await?,
            parked: self.parked_lines().await?,
            letters_by_state: self.counts("SELECT l.state, count(*) FROM letter l WHERE $1 <= $2 GROUP BY 1 ORDER BY 1", from, to).await?.into_iter().map(letter_state_name).collect(),
            failed_letters: self.failed_letters().await?,
            unaddressed: self.unaddressed(knowledge).await?,
            balance: self.balance().await?,
            divisions: self.divisions(knowledge).await?,
            waiting_longest: self.waiting_longest(now).await?,
            letters_waiting: self.letters_waiting(now).await?,
            undeliverable: self.undeliverable(from).await?,
            forged: self.forged(from, to).await?,
            overruled: by_division(&overrules),
            overrules,
            silent: self.silent(now, knowledge).await?,
            unsettled: self.unsettled(now).await?,
        })
    }

    async fn counts(&self, sql: &'static str, from: Timestamp, to: Timestamp) -> Result<Vec<Count>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(AssertSqlSafe(sql)).bind(millis(from)).bind(millis(to)).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|(name, count)| Count { name, count: u64::try_from(count).unwrap_or(0) }).collect())
    }

    async fn open_corrections(&self, now: Timestamp) -> Result<Vec<OpenCorrection>, StoreError> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT coalesce(bureau_name, '未识别报送单位'), count(*), min(received_at) FROM topic WHERE status = 'needs_correction' GROUP BY 1 ORDER BY 3",
        )
        .fetch_all(&self.pool)
        .await?;
        let days = |since: i64| (millis(now) - since) / 86_400_000;
        Ok(rows
            .into_iter()
            .map(|(bureau, count, oldest)| OpenCorrection { bureau, count: u64::try_from(count).unwrap_or(0), oldest_days: days(oldest) })
            .collect())
    }

    async fn held_topics(&self) -> Result<Vec<TopicLine>, StoreError> {
        let rows = sqlx::query_as::<_, LineRow>(
            "SELECT t.id, r.fields, coalesce(t.bureau_name, '未识别报送单位') AS about FROM topic t
             JOIN revision r ON r.topic_serial = t.serial AND r.revision = t.revision WHERE t.held = 1 AND t.status <> 'withdrawn' ORDER BY t.serial LIMIT $1",
        )
        .bind(LINES_MAX)
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(LineRow::line).collect()
    }

    async fn suspected_duplicates(&self) -> Result<Vec<TopicLine>, StoreError> {
        let rows = sqlx::query_as::<_, LineRow>(
            "SELECT t.id, r.fields, r.duplicates AS about FROM topic t
             JOIN revision r ON r.topic_serial = t.serial AND r.revision = t.revision WHERE t.status = 'suspected_duplicate' ORDER BY t.serial LIMIT $1",
        )
        .bind(LINES_MAX)
        .fetch_all(&self.pool)
        .await?;
        let mut lines = Vec::new();
        for row in rows {
            let twins: Vec<Duplicate> = serde_json::from_str(&row.about)?;
            let mut line = row.line()?;
            line.about = twins.into_iter().map(|twin| twin.topic).collect::<Vec<_>>().join("、");
            lines.push(line);
        }
        Ok(lines)
    }

    async fn parked_lines(&self) -> Result<Vec<ParkedLine>, StoreError> {
        let parked = self.parked().await?;
        Ok(parked.into_iter().map(|parked| ParkedLine { id: parked.id, subject: parked.subject, problem: parked.problem }).collect())
    }

    async fn failed_letters(&self) -> Result<Vec<LetterLine>, StoreError> {
        let rows: Vec<(i64, String, String, Option<String>, String, Option<String>)> = sqlx::query_as(
            "SELECT id, recipient, subject, last_reply, state, held_because FROM letter WHERE state IN ('failed', 'unknown', 'held') ORDER BY id DESC LIMIT $1",
        )
        .bind(LINES_MAX)
        .fetch_all(&self.pool)
        .await?;
        let line = |(id, to, subject, reply, state, because): (i64, String, String, Option<String>, String, Option<String>)| LetterLine {
            id,
            to,
            subject,
            state: letter_state_name(Count { name: state, count: 0 }).name,
            reply: because.as_deref().map(held_in_words).map(str::to_owned).or(reply).unwrap_or_default(),
        };
        Ok(rows.into_iter().map(line).collect())
    }

    async fn divisions(&self, knowledge: &Knowledge) -> Result<Vec<DivisionLine>, StoreError> {
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT division, status, count(*) FROM topic GROUP BY 1, 2").fetch_all(&self.pool).await?;
        let mut lines: Vec<DivisionLine> = Vec::new();
        for (id, status, count) in rows {
            let name = knowledge.divisions.division(&id).map_or(id, |division| division.name.clone());
            let count = u64::try_from(count).unwrap_or(0);
            let index = lines.iter().position(|line| line.name == name).unwrap_or_else(|| {
                lines.push(DivisionLine { name, ..DivisionLine::default() });
                lines.len() - 1
            });
            let Some(line) = lines.get_mut(index) else { continue };
            match status.as_str() {
                "accepted" => line.accepted = count,
                "needs_correction" => line.needs_correction = count,
                "suspected_duplicate" => line.suspected_duplicate = count,
                _ => line.withdrawn = count,
            }
            line.total += count;
        }
        lines.sort_by(|one, other| other.total.cmp(&one.total).then_with(|| one.name.cmp(&other.name)));
        Ok(lines)
    }

    async fn waiting_longest(&self, now: Timestamp) -> Result<Vec<WaitingLine>, StoreError> {
        let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
            "SELECT t.id, coalesce(json_extract(r.fields, '$.topic_title'), ''), coalesce(t.bureau_name, '未识别报送单位'), t.received_at
             FROM topic t JOIN revision r ON r.topic_serial = t.serial AND r.revision = t.revision
             WHERE t.status = 'needs_correction' ORDER BY t.received_at LIMIT 10",
        )
        .fetch_all(&self.pool)
        .await?;
        let line = |(number, title, bureau, since): (String, String, String, i64)| WaitingLine {
            number,
            title,
            bureau,
            days: (millis(now) - since) / 86_400_000,
        };
        Ok(rows.into_iter().map(line).collect())
    }

    async fn letters_waiting(&self, now: Timestamp) -> Result<u64, StoreError> {
        let (count,): (i64,) = sqlx::query_as("SELECT count(*) FROM letter WHERE state = 'queued' AND due_at <= $1")
            .bind(millis(now))
            .fetch_one(&self.pool)
            .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    async fn undeliverable(&self, from: Timestamp) -> Result<Vec<AddressLine>, StoreError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT address, why FROM undeliverable WHERE marked_at >= $1 ORDER BY marked_at DESC, address LIMIT $2")
                .bind(millis(from))
                .bind(LINES_MAX)
                .fetch_all(&self.pool)
                .await?;
        Ok(rows.into_iter().map(|(address, why)| AddressLine { address, why }).collect())
    }

    async fn forged(&self, from: Timestamp, to: Timestamp) -> Result<Vec<ParkedLine>, StoreError> {
        let rows: Vec<(i64, Option<String>, Option<String>)> = sqlx::query_as(
            "SELECT m.id, m.subject, m.sender || CASE WHEN m.kind = 'division_reply' THEN '，要求办理处室指令，未核实，未作更改' ELSE '' END
             FROM message m WHERE m.state = 'recorded' AND m.accepted_at >= $1 AND m.accepted_at < $2 AND (m.authentication = 'failed'
                OR m.kind = 'division_reply' AND EXISTS (SELECT 1 FROM mail_finding f WHERE f.message_id = m.id AND json_extract(f.finding, '$.rule') = 'R25'))
             ORDER BY m.id LIMIT $3",
        )
        .bind(millis(from))
        .bind(millis(to))
        .bind(LINES_MAX)
        .fetch_all(&self.pool)
        .await?;
        let line = |(id, subject, sender): (i64, Option<String>, Option<String>)| ParkedLine {
            id,
            subject: subject.unwrap_or_default(),
            problem: sender.unwrap_or_default(),
        };
        Ok(rows.into_iter().map(line).collect())
    }

    /// What people decided in the period against the router's first word.
    async fn overrules(&self, from: Timestamp, to: Timestamp, knowledge: &Knowledge) -> Result<Vec<OverruleLine>, StoreError> {
        let rows: Vec<(String, String, String, String, String)> = sqlx::query_as(
            "SELECT t.id, coalesce(json_extract(r.fields, '$.topic_title'), ''), f.division, o.division, o.evidence
             FROM route o JOIN topic t ON t.serial = o.topic_serial JOIN revision r ON r.topic_serial = t.serial AND r.revision = t.revision
             JOIN route f ON f.id = (SELECT min(p.id) FROM route p WHERE p.topic_serial = o.topic_serial)
             WHERE o.routed_by = 'person' AND f.division <> o.division AND o.decided_at >= $1 AND o.decided_at < $2 ORDER BY o.id",
        )
        .bind(millis(from))
        .bind(millis(to))
        .fetch_all(&self.pool)
        .await?;
        let name = |id: String| knowledge.divisions.division(&id).map_or(id, |division| division.name.clone());
        let mut lines = Vec::new();
        for (number, title, before, after, evidence) in rows {
            let reasons: Vec<String> = serde_json::from_str(&evidence)?;
            lines.push(OverruleLine { number, title, from: name(before), to: name(after), reason: reasons.join("；") });
        }
        Ok(lines)
    }

    /// Bureaus named in the notice that sent nothing for 90 days; none before the system has run that long.
    async fn silent(&self, now: Timestamp, knowledge: &Knowledge) -> Result<Vec<String>, StoreError> {
        let since = millis(now) - 90 * 86_400_000;
        let (first,): (Option<i64>,) = sqlx::query_as("SELECT min(accepted_at) FROM message").fetch_one(&self.pool).await?;
        if first.is_none_or(|first| first > since) {
            return Ok(Vec::new());
        }
        let heard: Vec<(String,)> = sqlx::query_as(
            "SELECT DISTINCT m.bureau_id FROM message m WHERE m.bureau_id IS NOT NULL AND m.kind IN ('submission', 'correction') AND m.accepted_at >= $1",
        )
        .bind(since)
        .fetch_all(&self.pool)
        .await?;
        let named = knowledge.submitters.entries.iter().filter(|entry| entry.decision == Decision::Accept);
        Ok(named.filter(|entry| !heard.iter().any(|(id,)| *id == entry.id)).map(|entry| entry.name.clone()).collect())
    }

    /// Mails that wait for more than an hour, and UIDs the server listed without delivering them.
    async fn unsettled(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String, String, i64, Option<String>)> = sqlx::query_as(
            "SELECT s.folder, s.locator, m.id, m.problem FROM message m JOIN sighting s ON s.message_id = m.id AND s.first = 1
             WHERE m.state = 'accepted' AND m.accepted_at < $1 ORDER BY m.id LIMIT $2",
        )
        .bind(millis(now) - 3_600_000)
        .bind(LINES_MAX)
        .fetch_all(&self.pool)
        .await?;
        let mut lines: Vec<String> = rows
            .into_iter()
            .map(|(folder, locator, id, problem)| {
                format!(
                    "编号{id}（{folder} UID {locator}）待处理已超过1小时{}",
                    problem.map(|problem| format!("：{}", in_chinese(&problem))).unwrap_or_default()
                )
            })
            .collect();
        let missing: Vec<(String, i64, String)> =
            sqlx::query_as("SELECT name, at, said FROM health WHERE name LIKE 'missing:%' AND said <> '' ORDER BY name")
                .fetch_all(&self.pool)
                .await?;
        lines.extend(
            missing
                .into_iter()
                .map(|(name, _, uids)| format!("{}：服务器列出而未交付的邮件 UID {uids}", name.trim_start_matches("missing:"))),
        );
        Ok(lines)
    }

    /// Topics that no letter can announce because their division has no address.
    async fn unaddressed(&self, knowledge: &Knowledge) -> Result<Vec<Count>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT division, count(*) FROM topic WHERE announced_to IS NULL AND held = 0 AND status <> 'withdrawn' GROUP BY 1 ORDER BY 1",
        )
        .fetch_all(&self.pool)
        .await?;
        let without_address = |id: &str| knowledge.divisions.division(id).is_none_or(|division| division.mail.is_empty());
        let name = |id: String| knowledge.divisions.division(&id).map_or(id, |division| division.name.clone());
        Ok(rows
            .into_iter()
            .filter(|(id, _)| without_address(id))
            .map(|(id, count)| Count { name: name(id), count: u64::try_from(count).unwrap_or(0) })
            .collect())
    }

    /// The closing balance over all time.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn balance(&self) -> Result<Balance, StoreError> {
        let mut balance = Balance::default();
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT CASE WHEN s.first = 1 THEN m.state ELSE 'duplicate' END, count(*) FROM sighting s JOIN message m ON m.id = s.message_id GROUP BY 1",
        )
        .fetch_all(&self.pool)
        .await?;
        for (state, count) in rows {
            let count = u64::try_from(count).unwrap_or(0);
            match state.as_str() {
                "recorded" => balance.recorded = count,
                "ignored" => balance.ignored = count,
                "duplicate" => balance.duplicate = count,
                "parked" => balance.parked = count,
                _ => balance.waiting += count,
            }
        }
        let (seen,): (i64,) = sqlx::query_as("SELECT count(*) FROM sighting").fetch_one(&self.pool).await?;
        balance.seen = u64::try_from(seen).unwrap_or(0);
        Ok(balance)
    }
}

/// How often each division was named by the router and another one by a person.
fn by_division(overrules: &[OverruleLine]) -> Vec<Count> {
    let mut counts = std::collections::BTreeMap::<&str, u64>::new();
    for line in overrules {
        *counts.entry(&line.from).or_default() += 1;
    }
    let mut counts: Vec<Count> = counts.into_iter().map(|(name, count)| Count { name: name.to_owned(), count }).collect();
    counts.sort_by_key(|count| std::cmp::Reverse(count.count));
    counts
}

#[derive(FromRow)]
struct LineRow {
    id: String,
    fields: String,
    about: String,
}

impl LineRow {
    fn line(self) -> Result<TopicLine, StoreError> {
        let mut fields: std::collections::BTreeMap<String, String> = serde_json::from_str(&self.fields)?;
        Ok(TopicLine {
            number: self.id,
            title: fields.remove("topic_title").unwrap_or_default(),
            applicant: fields.remove("applicant").unwrap_or_default(),
            about: self.about,
        })
    }
}

fn kind_name(count: Count) -> Count {
    let name = match count.name.as_str() {
        "submission" => "课题报送",
        "correction" => "补充更正",
        "enterprise_direct" => "企业直接报送",
        "no_annex" => "无附件来信",
        "division_reply" => "处室回复",
        "auto_reply" => "自动回复",
        "bounce" => "退信",
        "receipt" => "已读回执",
        "recall" => "撤回通知",
        "own" => "本系统邮件",
        "bulk" => "群发邮件",
        "unreadable" => "无法识别",
        "accepted" => "待处理",
        "parked" => "搁置",
        other => other,
    };
    Count { name: name.to_owned(), ..count }
}

fn letter_state_name(count: Count) -> Count {
    Count { name: state_in_words(&count.name).to_owned(), ..count }
}
