//! The department's report of a period: how many topics came from whom, where they went, how they stand, and how good the
//! submissions were. Counts only; who reads it decides.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::domain::{
    findings::{Finding, Severity},
    status::board::topic_state_name,
    time::day_of,
};

mod workbook;

pub use workbook::workbook;

/// One topic at its latest revision.
#[derive(Debug, Clone)]
pub struct ReportTopic {
    /// Receipt number.
    pub number: String,
    pub title: String,
    pub applicant: String,
    /// Empty where the submitter was not recognised.
    pub bureau: String,
    /// Name of the division.
    pub division: String,
    pub status: String,
    /// `open`, `accepted`, `returned`: the division's word.
    pub review: String,
    pub revisions: u64,
    pub received_at: Timestamp,
    /// Completeness, 0 to 100.
    pub percent: Option<u32>,
    pub findings: Vec<Finding>,
}

/// One row of a table of counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    pub name: String,
    pub topics: u64,
    /// In order at their latest revision.
    pub complete: u64,
    pub needs_correction: u64,
    pub suspected_duplicate: u64,
    pub withdrawn: u64,
    /// Without a word of the division.
    pub open: u64,
    /// In order at their first revision.
    pub right_at_once: u64,
    percent_sum: u64,
    percent_count: u64,
}

impl Line {
    /// Mean completeness, rounded; `None` where no topic has one.
    #[must_use]
    pub fn mean_percent(&self) -> Option<u64> {
        (self.percent_count > 0).then(|| (self.percent_sum + self.percent_count / 2) / self.percent_count)
    }

    fn add(&mut self, topic: &ReportTopic) {
        self.topics += 1;
        match topic.status.as_str() {
            "accepted" => {
                self.complete += 1;
                self.right_at_once += u64::from(topic.revisions == 1);
            }
            "needs_correction" => self.needs_correction += 1,
            "suspected_duplicate" => self.suspected_duplicate += 1,
            _ => self.withdrawn += 1,
        }
        self.open += u64::from(topic.review == "open" && topic.status != "withdrawn");
        if let Some(percent) = topic.percent {
            self.percent_sum += u64::from(percent);
            self.percent_count += 1;
        }
    }
}

/// How often a requirement was missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleLine {
    pub rule: String,
    /// Topics that the sender must correct because of it.
    pub errors: u64,
    /// Topics at which a person should look because of it.
    pub warnings: u64,
    /// One sentence as a sender got it.
    pub example: String,
}

/// Everything the report says.
#[derive(Debug, Clone)]
pub struct PeriodReport {
    pub from: Date,
    /// The last day.
    pub to: Date,
    pub total: Line,
    pub bureaus: Vec<Line>,
    pub divisions: Vec<Line>,
    /// In order of time, `2024年8月`; months without topics between others are there too.
    pub months: Vec<Line>,
    pub rules: Vec<RuleLine>,
    pub topics: Vec<ReportTopic>,
}

/// Counts the topics of `from..=to`.
#[must_use]
pub fn report(from: Date, to: Date, topics: Vec<ReportTopic>, zone: &TimeZone) -> PeriodReport {
    let mut total = Line { name: "合计".to_owned(), ..Line::default() };
    let (mut bureaus, mut divisions) = (BTreeMap::new(), BTreeMap::new());
    let mut months: BTreeMap<(i16, i8), Line> = BTreeMap::new();
    for topic in &topics {
        total.add(topic);
        let bureau = if topic.bureau.is_empty() { "未识别报送单位" } else { &topic.bureau };
        for (table, name) in [(&mut bureaus, bureau), (&mut divisions, topic.division.as_str())] {
            line(table, name).add(topic);
        }
        let day = day_of(topic.received_at, zone);
        months.entry((day.year(), day.month())).or_default().add(topic);
    }
    fill_gaps(&mut months);
    let named = |((year, month), line): ((i16, i8), Line)| Line { name: format!("{year}年{month}月"), ..line };
    PeriodReport {
        from,
        to,
        total,
        bureaus: most_first(bureaus),
        divisions: most_first(divisions),
        months: months.into_iter().map(named).collect(),
        rules: rules(&topics),
        topics,
    }
}

fn line<'a>(table: &'a mut BTreeMap<String, Line>, name: &str) -> &'a mut Line {
    table.entry(name.to_owned()).or_insert_with(|| Line { name: name.to_owned(), ..Line::default() })
}

fn most_first(table: BTreeMap<String, Line>) -> Vec<Line> {
    let mut lines: Vec<Line> = table.into_values().collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.topics));
    lines
}

/// A month in which nothing came is a fact, too.
fn fill_gaps(months: &mut BTreeMap<(i16, i8), Line>) {
    let (Some(first), Some(last)) = (months.keys().next().copied(), months.keys().next_back().copied()) else { return };
    let mut month = first;
    while month < last {
        month = if month.1 == 12 { (month.0 + 1, 1) } else { (month.0, month.1 + 1) };
        months.entry(month).or_default();
    }
}

fn rules(topics: &[ReportTopic]) -> Vec<RuleLine> {
    let mut found: BTreeMap<&str, RuleLine> = BTreeMap::new();
    for topic in topics {
        let mut worst: BTreeMap<&str, &Finding> = BTreeMap::new();
        for finding in topic.findings.iter().filter(|finding| finding.severity != Severity::Note) {
            let kept = worst.entry(&finding.rule).or_insert(finding);
            if finding.severity > kept.severity {
                *kept = finding;
            }
        }
        for (rule, finding) in worst {
            let line = found.entry(rule).or_insert_with(|| RuleLine {
                rule: rule.to_owned(),
                errors: 0,
                warnings: 0,
                example: finding.message.clone(),
            });
            match finding.severity {
                Severity::Error => line.errors += 1,
                _ => line.warnings += 1,
            }
        }
    }
    let mut lines: Vec<RuleLine> = found.into_values().collect();
    lines.sort_by_key(|line| std::cmp::Reverse((line.errors + line.warnings, line.errors)));
    lines
}

/// A topic's state, with the division's word where it has spoken.
fn state(topic: &ReportTopic) -> String {
    let word = match topic.review.as_str() {
        "accepted" => "，处室已受理",
        "returned" => "，处室已退回",
        _ => "",
    };
    format!("{}{word}", topic_state_name(&topic.status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::findings::Audience;

    fn topic(number: u32, bureau: &str, status: &str, day: &str, rule: Option<Severity>) -> ReportTopic {
        let finding = |severity| Finding {
            rule: "R23".to_owned(),
            severity,
            field: Some("params".to_owned()),
            attachment: None,
            place: None,
            message: "“主要技术参数”中未见量化指标，请写明数值和单位。".to_owned(),
            audience: Audience::Sender,
        };
        ReportTopic {
            number: format!("2024-{number:05}-1"),
            title: "=cmd|转向架".to_owned(),
            applicant: "长春示例有限公司".to_owned(),
            bureau: bureau.to_owned(),
            division: "重大技术装备处".to_owned(),
            status: status.to_owned(),
            review: "open".to_owned(),
            revisions: 1,
            received_at: format!("{day}T01:00:00Z").parse().unwrap(),
            percent: Some(80),
            findings: rule.map(finding).into_iter().collect(),
        }
    }

    fn example() -> PeriodReport {
        let topics = vec![
            topic(1, "长春市工业和信息化局", "accepted", "2024-08-15", None),
            topic(2, "长春市工业和信息化局", "needs_correction", "2024-08-31", Some(Severity::Error)),
            topic(3, "", "withdrawn", "2024-10-02", Some(Severity::Warning)),
        ];
        let day = |text: &str| text.parse().unwrap();
        report(day("2024-08-01"), day("2024-10-31"), topics, &TimeZone::UTC)
    }

    #[test]
    fn every_table_adds_up_to_the_total() {
        let report = example();
        for table in [&report.bureaus, &report.divisions, &report.months] {
            assert_eq!(table.iter().map(|line| line.topics).sum::<u64>(), report.total.topics);
            assert_eq!(table.iter().map(|line| line.open).sum::<u64>(), report.total.open);
        }
        assert_eq!(
            report.months.iter().map(|line| (line.name.as_str(), line.topics)).collect::<Vec<_>>(),
            [("2024年8月", 2), ("2024年9月", 0), ("2024年10月", 1)]
        );
        assert_eq!((report.bureaus[0].topics, report.bureaus[1].name.as_str()), (2, "未识别报送单位"));
        assert_eq!((report.total.right_at_once, report.total.open, report.total.mean_percent()), (1, 2, Some(80)));
        assert_eq!((report.rules[0].errors, report.rules[0].warnings), (1, 1));
    }

    #[test]
    fn the_workbook_is_written_for_many_topics_and_for_none() {
        assert!(workbook(&example(), &TimeZone::UTC).unwrap().starts_with(b"PK"));
        let day: Date = "2024-08-01".parse().unwrap();
        assert!(workbook(&report(day, day, Vec::new(), &TimeZone::UTC), &TimeZone::UTC).unwrap().starts_with(b"PK"));
    }
}
