//! A [`Status`] as a few small tables with plain Chinese headings: what the status page and `annexd status` show.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::{AccountStatus, Status, role_name, size, span};
use crate::domain::time::chinese_minute;

/// Everything in reading order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Board {
    pub ready: bool,
    pub headline: String,
    /// Why it is not ready.
    pub reasons: Vec<String>,
    pub alerts: Vec<String>,
    pub tables: Vec<Table>,
    /// When and by what it was taken.
    pub foot: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Table {
    pub title: String,
    /// Names of the columns; empty where the rows name themselves.
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// Puts a status into words, with times in `zone`.
#[must_use]
pub fn board(status: &Status, zone: &TimeZone) -> Board {
    let headline = if status.ready { "运行正常" } else { "需要处理" };
    let parts = || std::iter::once(status).chain(&status.programmes);
    let alerts = parts().flat_map(|part| {
        let of = named(part);
        part.alerts.iter().map(move |alert| format!("{of}{}（{}起）", alert.said.trim_end_matches('。'), chinese_minute(alert.since, zone)))
    });
    Board {
        ready: status.ready,
        headline: headline.to_owned(),
        reasons: status.reasons.iter().map(|reason| reason.said.clone()).collect(),
        alerts: alerts.collect(),
        tables: parts().flat_map(|part| tables(part, zone)).collect(),
        foot: format!("{}，annexd {}", chinese_minute(status.at, zone), status.version),
    }
}

fn tables(status: &Status, zone: &TimeZone) -> Vec<Table> {
    let all = [
        receiving(status, zone),
        system(status, zone),
        mails(status),
        topics(status),
        queues(status),
        letters(status),
        accounts(status, zone),
    ];
    let of = named(status);
    all.into_iter().filter(|table| !table.rows.is_empty()).map(|table| Table { title: format!("{of}{}", table.title), ..table }).collect()
}

/// Which programme a heading speaks of, where it is not the main one.
fn named(status: &Status) -> String {
    if status.title.is_empty() { String::new() } else { format!("【{}】", status.title) }
}

fn table(title: &str, columns: &[&str], rows: Vec<Vec<String>>) -> Table {
    Table { title: title.to_owned(), columns: columns.iter().map(|&name| name.to_owned()).collect(), rows }
}

fn row(name: &str, value: impl Into<String>) -> Vec<String> {
    vec![name.to_owned(), value.into()]
}

fn ago(status: &Status, at: jiff::Timestamp) -> String {
    span(u64::try_from(status.at.duration_since(at).as_secs()).unwrap_or(0))
}

fn receiving(status: &Status, zone: &TimeZone) -> Table {
    let polled = status
        .mailbox
        .last_good_poll
        .map_or_else(|| "尚未成功收取".to_owned(), |good| format!("{}（{}前）", chinese_minute(good, zone), ago(status, good)));
    let oldest = |backlog: super::Backlog| {
        if backlog.count == 0 { String::new() } else { format!("，最久已等{}", span(backlog.age_secs(status.at))) }
    };
    let mut rows = vec![row("最近成功收取", polled)];
    if let Some(fault) = &status.mailbox.fault {
        rows.push(row("最近故障", fault));
    }
    rows.push(row("待处理来信", format!("{}封{}", status.waiting.count, oldest(status.waiting))));
    rows.push(row("搁置来信", format!("{}封", status.parked)));
    rows.push(row("到期未发信件", format!("{}封{}", status.letters_due.count, oldest(status.letters_due))));
    table("收取和处理", &[], rows)
}

fn mails(status: &Status) -> Table {
    let states = ["recorded", "ignored", "duplicate", "parked", "accepted"];
    let rows = cross(status.mails.iter().map(|mails| (mails.kind.as_str(), mails.state.as_str(), mails.count)), &states, kind_name);
    table("来信", &["类型", "登记", "忽略", "重复", "搁置", "待处理"], rows)
}

fn letters(status: &Status) -> Table {
    let states = ["queued", "sending", "sent", "unknown", "failed", "held"];
    let rows = cross(
        status.letters.iter().map(|letters| (letters.kind.as_str(), letters.state.as_str(), letters.count)),
        &states,
        letter_kind_name,
    );
    table("发出的信", &["类型", "待发", "发送中", "已发", "结果不明", "失败", "暂缓"], rows)
}

/// One row a kind, one column a state.
fn cross<'a>(counts: impl Iterator<Item = (&'a str, &'a str, u64)>, states: &[&str], name: fn(&str) -> &str) -> Vec<Vec<String>> {
    let mut kinds: Vec<(&str, Vec<u64>)> = Vec::new();
    for (kind, state, count) in counts {
        let Some(column) = states.iter().position(|known| *known == state) else { continue };
        if kinds.last().is_none_or(|(last, _)| *last != kind) {
            kinds.push((kind, vec![0; states.len()]));
        }
        if let Some(cell) = kinds.last_mut().and_then(|(_, cells)| cells.get_mut(column)) {
            *cell = count;
        }
    }
    let line = |(kind, cells): (&str, Vec<u64>)| {
        std::iter::once(name(kind).to_owned())
            .chain(cells.into_iter().map(|count| if count == 0 { "–".to_owned() } else { count.to_string() }))
    };
    kinds.into_iter().map(|kind| line(kind).collect()).collect()
}

fn topics(status: &Status) -> Table {
    table("课题", &[], status.topics.iter().map(|topics| row(topic_state_name(&topics.state), format!("{}项", topics.count))).collect())
}

fn queues(status: &Status) -> Table {
    let line =
        |queue: &super::QueueStatus| vec![queue.name.clone(), format!("{}项", queue.open.count), span(queue.open.age_secs(status.at))];
    table("处室待办", &["处室", "待办课题", "最久已等"], status.queues.iter().map(line).collect())
}

fn accounts(status: &Status, zone: &TimeZone) -> Table {
    let line = |account: &AccountStatus| {
        let state = match account.halted_until.filter(|_| account.is_halted(status.at)) {
            Some(until) => format!("暂停至{}：{}", chinese_minute(until, zone), account.halted_because),
            None => "可发".to_owned(),
        };
        let left = account.left_today.map_or_else(|| "不限".to_owned(), |left| format!("{left}封"));
        vec![role_name(&account.role).to_owned(), format!("{}封", account.sent_today), left, state]
    };
    table("发信账号", &["账号", "今日已发", "今日余量", "状态"], status.accounts.iter().map(line).collect())
}

fn system(status: &Status, zone: &TimeZone) -> Table {
    let mut rows = Vec::new();
    if let Some(process) = &status.process {
        rows.push(row("本次启动", format!("{}（已运行{}）", chinese_minute(process.started_at, zone), ago(status, process.started_at))));
        #[allow(clippy::cast_precision_loss, reason = "shown with two decimals")]
        let mean = process.examined.sum_secs / process.examined.count.max(1) as f64;
        let each = if process.examined.count > 0 { format!("，平均每封{mean:.2}秒") } else { String::new() };
        rows.push(row("启动后已处理来信", format!("{}封{each}", process.examined.count)));
        rows.push(row("读取子进程中断", format!("{}次", process.reader_crashes)));
    }
    rows.push(row("数据库", format!("{}，结构版本{}", size(status.store.size_bytes), status.store.schema)));
    rows.push(row("磁盘余量", size(status.store.disk_free_bytes)));
    table("系统", &[], rows)
}

/// A kind of mail, as people call it.
#[must_use]
pub fn kind_name(kind: &str) -> &str {
    match kind {
        "" => "尚未识别",
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
        other => other,
    }
}

fn letter_kind_name(kind: &str) -> &str {
    match kind {
        "ack" => "回执",
        "queue" => "处室清单",
        "digest" => "日报",
        "alert" => "告警",
        other => other,
    }
}

/// A topic's status, as people call it.
#[must_use]
pub fn topic_state_name(state: &str) -> &str {
    match state {
        "accepted" => "材料齐全",
        "needs_correction" => "待补正",
        "suspected_duplicate" => "疑似重复",
        "withdrawn" => "已撤回",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::status::{LetterCount, MailCount};

    #[test]
    fn kinds_stand_in_rows_and_states_in_columns() {
        let mail = |kind: &str, state: &str, count| MailCount { kind: kind.to_owned(), state: state.to_owned(), count };
        let status = Status {
            mails: vec![mail("", "accepted", 2), mail("submission", "duplicate", 1), mail("submission", "recorded", 7)],
            letters: vec![LetterCount { kind: "ack".to_owned(), state: "sent".to_owned(), count: 8 }],
            ..Status::default()
        };
        let board = board(&status.judged(), &TimeZone::UTC);
        let table = |title: &str| board.tables.iter().find(|table| table.title == title).unwrap();
        assert_eq!(table("来信").rows, [["尚未识别", "–", "–", "–", "–", "2"], ["课题报送", "7", "–", "1", "–", "–"]]);
        assert_eq!(table("发出的信").rows, [["回执", "–", "–", "8", "–", "–", "–"]]);
        assert_eq!((board.ready, board.headline.as_str(), board.reasons.len()), (false, "需要处理", 1));
        assert!(board.tables.iter().all(|table| table.title != "处室待办"), "an empty table is left out");
    }
}
