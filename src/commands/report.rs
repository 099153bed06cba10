//! A verdict as a person reads it on a terminal: what was understood, what is wrong, where each topic goes.

use std::fmt::Write as _;

use crate::domain::{
    findings::{Audience, Finding, Severity},
    letters::receipt::place_in_words,
    parts::FileStatus,
    routing::evidence_in_words,
    verdict::{Change, Duplicate, Knowledge, Topic, Verdict},
};

/// Several lines about one mail. `numbers` are the receipt numbers of its topics, where they are recorded.
#[must_use]
pub fn report(verdict: &Verdict, name: &str, knowledge: &Knowledge, numbers: &[Option<String>]) -> String {
    let mut out = String::new();
    let from = verdict.from.as_ref().map_or("（无发件人）", |from| from.address.as_str());
    let _ = writeln!(out, "■ {name}");
    let _ = writeln!(out, "  来信  {from} “{}”", verdict.subject);
    let bureau = verdict.bureau.as_ref().map_or_else(|| "未识别".to_owned(), |bureau| bureau.name.clone());
    let _ = writeln!(out, "  类型  {}；报送单位：{bureau}", kind_name(verdict));
    if let Some(letter) = &verdict.formal_letter {
        let number = letter.number.as_deref().unwrap_or("文号未读出");
        let _ = writeln!(out, "  公文  {}（{number}）", letter.attachment);
    }
    for attachment in &verdict.attachments {
        if let Some(problem) = attachment.problem.as_deref().filter(|_| attachment.status != FileStatus::Read) {
            let _ = writeln!(out, "  附件  {}：{problem}", attachment.path);
        }
    }
    for (index, topic) in verdict.topics.iter().enumerate() {
        topic_lines(&mut out, index, topic, knowledge, numbers.get(index).and_then(Option::as_deref));
    }
    for finding in &verdict.findings {
        let _ = writeln!(out, "  {}", finding_line(finding));
    }
    if let Some(orders) = &verdict.orders {
        let verified = if orders.verified { "发件地址和验证码相符" } else { "未能核实，不执行" };
        let lines: Vec<&str> = orders.lines.iter().map(|line| line.text.as_str()).collect();
        let _ = writeln!(out, "  指令  {}（{verified}）", lines.join("；"));
    }
    let _ = write!(out, "  回复  {}：{}", if verdict.answer { "是" } else { "否" }, verdict.answer_reason);
    out
}

fn topic_lines(out: &mut String, index: usize, topic: &Topic, knowledge: &Knowledge, number: Option<&str>) {
    let division =
        knowledge.divisions.division(&topic.route.division).map_or(topic.route.division.as_str(), |division| division.name.as_str());
    let number = number.map(|number| format!("[{number}] ")).unwrap_or_default();
    let _ = writeln!(
        out,
        "  课题{} {number}{}（{}）{}",
        index + 1,
        topic.text("topic_title"),
        topic.text("applicant"),
        change_name(&topic.change)
    );
    let evidence = topic.route.evidence.iter().take(4).map(|evidence| evidence_in_words(evidence)).collect::<Vec<_>>().join("、");
    let _ = writeln!(out, "        → {division}（{:.2}）{evidence}", topic.route.confidence);
    for line in finding_lines(&topic.findings, knowledge) {
        let _ = writeln!(out, "        {line}");
    }
    for duplicate in &topic.duplicates {
        let (kind, score) = (twin_in_words(&duplicate.kind), duplicate.score);
        let _ = writeln!(out, "        疑似重复（仅供审核）：{}（{kind}，相似度{score:.2}）", duplicate.topic);
        if let Some(shared) = shared_in_words(duplicate) {
            let _ = writeln!(out, "          {shared}");
        }
    }
}

/// How two topics are alike.
#[must_use]
pub fn twin_in_words(kind: &str) -> &str {
    match kind {
        "same" => "内容相同",
        "near" => "内容相近",
        "paraphrase" => "换一种说法",
        other => other,
    }
}

/// Passages that stand in both, or where there are none, terms.
#[must_use]
pub fn shared_in_words(duplicate: &Duplicate) -> Option<String> {
    let quoted = |texts: &[String]| texts.iter().take(3).map(|text| format!("“{text}”")).collect::<Vec<_>>().join("、");
    match (duplicate.passages.as_slice(), duplicate.terms.as_slice()) {
        ([], []) => None,
        ([], terms) => Some(format!("共同用语：{}", terms.join("、"))),
        (passages, _) => Some(format!("相同语句：{}", quoted(passages))),
    }
}

fn change_name(change: &Change) -> &'static str {
    match change {
        Change::New => "",
        Change::Revision { .. } => "·更正",
        Change::Same { .. } => "·内容未变",
    }
}

/// What must be done line by line; several notes share one line, so that they do not hide it.
fn finding_lines(findings: &[Finding], knowledge: &Knowledge) -> Vec<String> {
    let (notes, pressing): (Vec<&Finding>, Vec<&Finding>) = findings.iter().partition(|finding| finding.severity == Severity::Note);
    let mut lines: Vec<String> = pressing.into_iter().map(finding_line).collect();
    if let [note] = notes.as_slice() {
        lines.push(finding_line(note));
    } else if !notes.is_empty() {
        let label = |note: &&Finding| {
            let field = note.field.as_deref().map_or("", |key| knowledge.catalogue.form("annex1").map_or(key, |form| form.label(key)));
            format!("{} {field}", note.rule).trim_end().to_owned()
        };
        lines.push(format!("· 另有{}项建议：{}", notes.len(), notes.iter().map(label).collect::<Vec<_>>().join("、")));
    }
    lines
}

fn finding_line(finding: &Finding) -> String {
    let mark = match finding.severity {
        Severity::Error => "✗",
        Severity::Warning => "!",
        Severity::Note => "·",
    };
    let reviewer = if finding.audience == Audience::Reviewer { "（仅供审核）" } else { "" };
    let place = finding.place.as_deref().map(|place| format!("（{}）", place_in_words(place))).unwrap_or_default();
    format!("{mark} {} {}{place}{reviewer}", finding.rule, finding.message)
}

/// The kind in Chinese.
#[must_use]
pub fn kind_name(verdict: &Verdict) -> &'static str {
    use crate::domain::kind::Kind;
    match verdict.kind {
        Kind::Submission => "课题报送",
        Kind::Correction => "补充更正",
        Kind::EnterpriseDirect => "企业直接报送",
        Kind::NoAnnex => "来信（无附件）",
        Kind::DivisionReply => "处室回复",
        Kind::AutoReply => "自动回复",
        Kind::Bounce => "退信",
        Kind::Receipt => "已读回执",
        Kind::Recall => "撤回通知",
        Kind::Own => "本系统邮件",
        Kind::Bulk => "群发邮件",
        Kind::Unreadable => "无法识别",
    }
}
