//! How an installation stands at one moment: counts, ages, quotas, and whether it is ready. Plain values, filled by the pipeline
//! and shown by the status page, the metrics and `annexd status`. No address of a person stands in them.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub mod board;

/// A due letter that has waited for longer than this while its account may send is stuck.
const LETTER_STUCK: SignedDuration = SignedDuration::from_hours(2);
/// A message that waits longer than this to be examined is stuck.
const MESSAGE_STUCK: SignedDuration = SignedDuration::from_hours(1);

/// Everything that is shown about an installation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Its name in commands and metrics.
    pub programme: String,
    /// Its name for people; empty for the main one.
    pub title: String,
    pub version: String,
    pub at: Timestamp,
    pub ready: bool,
    /// Why it is not ready; empty where it is.
    pub reasons: Vec<Reason>,
    pub mailbox: MailboxStatus,
    pub mails: Vec<MailCount>,
    /// Messages that wait to be examined.
    pub waiting: Backlog,
    pub parked: u64,
    pub topics: Vec<StateCount>,
    pub queues: Vec<QueueStatus>,
    pub letters: Vec<LetterCount>,
    /// Letters that are due and have not left.
    pub letters_due: Backlog,
    pub accounts: Vec<AccountStatus>,
    pub store: StoreStatus,
    /// Figures of the running daemon; `None` where they were taken from the database alone.
    pub process: Option<ProcessStatus>,
    /// Open alerts, masked.
    pub alerts: Vec<AlertStatus>,
    /// The others, where this is the main programme of several; their reasons stand among its own.
    pub programmes: Vec<Self>,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Whose; empty where there is only one programme.
    pub programme: String,
    /// `mailbox`, `store`, `examine` or `letters`.
    pub check: String,
    /// One Chinese sentence.
    pub said: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxStatus {
    pub last_good_poll: Option<Timestamp>,
    /// The last fault, where it is later than the last good poll.
    pub fault: Option<String>,
    /// Seconds without a good poll that are borne.
    pub poll_limit_secs: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailCount {
    /// Kind of mail of the outside contract; empty where it was not examined yet.
    pub kind: String,
    /// `accepted`, `recorded`, `ignored`, `duplicate` or `parked`.
    pub state: String,
    pub count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateCount {
    pub state: String,
    pub count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterCount {
    pub kind: String,
    pub state: String,
    pub count: u64,
}

/// How much waits, and since when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backlog {
    pub count: u64,
    pub oldest: Option<Timestamp>,
}

impl Backlog {
    /// Age of the oldest, in whole seconds; 0 where nothing waits.
    #[must_use]
    pub fn age_secs(&self, now: Timestamp) -> u64 {
        self.oldest.map_or(0, |oldest| u64::try_from(now.duration_since(oldest).as_secs()).unwrap_or(0))
    }
}

/// Topics that wait for a division's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueStatus {
    pub division: String,
    pub name: String,
    pub open: Backlog,
}

/// One way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountStatus {
    /// `receipts` or `internal`.
    pub role: String,
    pub sent_today: u64,
    /// `None`: no cap.
    pub left_today: Option<u64>,
    pub halted_until: Option<Timestamp>,
    /// Why it is halted, in Chinese; empty where it works.
    pub halted_because: String,
    /// A person must hear of the halt.
    pub loud: bool,
}

impl AccountStatus {
    /// Whether nothing leaves by it now.
    #[must_use]
    pub fn is_halted(&self, now: Timestamp) -> bool {
        self.halted_until.is_some_and(|until| until > now)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// Why a trial write failed; `None`: it can be written.
    pub fault: Option<String>,
    /// Why raw mail cannot be kept; `None`: it can, as far as is known.
    pub raw_mail_fault: Option<String>,
    pub size_bytes: u64,
    pub disk_free_bytes: u64,
    pub schema: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessStatus {
    pub started_at: Timestamp,
    /// Reading processes that foreign bytes broke since the start.
    pub reader_crashes: u64,
    pub examined: Durations,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertStatus {
    pub said: String,
    pub since: Timestamp,
}

/// Upper bounds of the buckets of [`Durations`], in seconds.
pub const BOUNDS_SECS: [f64; 11] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// A histogram of durations.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Durations {
    /// One count a bound, not cumulative; the last one beyond all bounds. Empty before the first.
    pub buckets: Vec<u64>,
    pub sum_secs: f64,
    pub count: u64,
}

impl Durations {
    pub fn add(&mut self, secs: f64) {
        self.buckets.resize(BOUNDS_SECS.len() + 1, 0);
        let place = BOUNDS_SECS.iter().position(|bound| secs <= *bound).unwrap_or(BOUNDS_SECS.len());
        if let Some(bucket) = self.buckets.get_mut(place) {
            *bucket += 1;
        }
        self.sum_secs += secs;
        self.count += 1;
    }
}

impl Status {
    /// Fills in whether the installation is ready, and why not.
    #[must_use]
    pub fn judged(mut self) -> Self {
        let reasons = [self.mailbox_reason(), self.store_reason(), self.raw_mail_reason(), self.examine_reason()];
        self.reasons = reasons.into_iter().flatten().collect();
        self.reasons.extend(self.letter_reasons());
        self.ready = self.reasons.is_empty();
        self
    }

    /// The states of all programmes as one, the main one first: ready where all are.
    #[must_use]
    pub fn of_all(states: Vec<Self>) -> Self {
        let several = states.len() > 1;
        let mut states = states.into_iter();
        let mut whole = states.next().unwrap_or_default();
        whole.programmes = states.collect();
        if several {
            let (name, title) = (whole.programme.clone(), whole.title.clone());
            whole.reasons.iter_mut().for_each(|reason| reason.belong_to(&name, &title));
            for other in &mut whole.programmes {
                let (name, title) = (other.programme.clone(), other.title.clone());
                other.reasons.iter_mut().for_each(|reason| reason.belong_to(&name, &title));
                whole.reasons.extend(other.reasons.iter().cloned());
            }
            whole.ready = whole.reasons.is_empty();
        }
        whole
    }

    fn mailbox_reason(&self) -> Option<Reason> {
        let fault = self.mailbox.fault.as_ref().map(|fault| format!("；最近一次故障：{fault}")).unwrap_or_default();
        let said = match self.mailbox.last_good_poll {
            None => format!("启动以来尚未成功收取过邮件{fault}。"),
            Some(good) => {
                let secs = u64::try_from(self.at.duration_since(good).as_secs()).unwrap_or(0);
                if secs <= self.mailbox.poll_limit_secs {
                    return None;
                }
                format!("已{}未能成功收取邮件{fault}。", span(secs))
            }
        };
        Some(Reason { programme: String::new(), check: "mailbox".to_owned(), said })
    }

    fn store_reason(&self) -> Option<Reason> {
        let fault = self.store.fault.as_ref()?;
        Some(Reason { programme: String::new(), check: "store".to_owned(), said: format!("数据库不能写入：{fault}。") })
    }

    fn raw_mail_reason(&self) -> Option<Reason> {
        let fault = self.store.raw_mail_fault.as_ref()?;
        Some(Reason {
            programme: String::new(),
            check: "store".to_owned(),
            said: format!("来信原件无法存入对象存储：{fault}。新来信留在邮箱中，恢复后自动收取。"),
        })
    }

    fn examine_reason(&self) -> Option<Reason> {
        let age = self.waiting.age_secs(self.at);
        (age > secs(MESSAGE_STUCK)).then(|| Reason {
            programme: String::new(),
            check: "examine".to_owned(),
            said: format!("有来信已等待处理{}，共{}封待处理。", span(age), self.waiting.count),
        })
    }

    fn letter_reasons(&self) -> Vec<Reason> {
        let reason = |said: String| Reason { programme: String::new(), check: "letters".to_owned(), said };
        let halted: Vec<&AccountStatus> = self.accounts.iter().filter(|account| account.loud && account.is_halted(self.at)).collect();
        if !halted.is_empty() {
            return halted
                .iter()
                .map(|account| reason(format!("{}已暂停发信：{}。", role_name(&account.role), account.halted_because)))
                .collect();
        }
        let age = self.letters_due.age_secs(self.at);
        let held_back = self.accounts.iter().any(|account| account.left_today == Some(0) || account.is_halted(self.at));
        if age > secs(LETTER_STUCK) && !held_back {
            return vec![reason(format!("有到期信件已{}未能发出，共{}封。", span(age), self.letters_due.count))];
        }
        Vec::new()
    }
}

impl Reason {
    fn belong_to(&mut self, programme: &str, title: &str) {
        programme.clone_into(&mut self.programme);
        if !title.is_empty() {
            self.said = format!("【{title}】{}", self.said);
        }
    }
}

fn secs(span: SignedDuration) -> u64 {
    u64::try_from(span.as_secs()).unwrap_or(0)
}

/// `3天4小时`, `5分钟`: the two largest units that say something.
#[must_use]
pub fn span(secs: u64) -> String {
    let (days, hours, minutes) = (secs / 86_400, secs % 86_400 / 3_600, secs % 3_600 / 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{secs}秒"),
        (0, 0, _) => format!("{minutes}分钟"),
        (0, _, 0) => format!("{hours}小时"),
        (0, _, _) => format!("{hours}小时{minutes}分钟"),
        (_, 0, _) => format!("{days}天"),
        _ => format!("{days}天{hours}小时"),
    }
}

/// A way out, as people call it.
#[must_use]
pub fn role_name(role: &str) -> &'static str {
    if role == "internal" { "内部信件账号" } else { "回执账号" }
}

/// `1.5 GiB`.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "shown with one decimal")]
pub fn size(bytes: u64) -> String {
    let units = [(1_u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn good() -> Status {
        Status {
            at: at("2024-08-15T01:00:00Z"),
            mailbox: MailboxStatus { last_good_poll: Some(at("2024-08-15T00:59:00Z")), fault: None, poll_limit_secs: 3_600 },
            ..Status::default()
        }
    }

    fn account() -> AccountStatus {
        AccountStatus {
            role: "receipts".to_owned(),
            sent_today: 0,
            left_today: Some(40),
            halted_until: None,
            halted_because: String::new(),
            loud: false,
        }
    }

    fn checks(status: Status) -> Vec<String> {
        let judged = status.judged();
        assert_eq!(judged.ready, judged.reasons.is_empty());
        judged.reasons.into_iter().map(|reason| reason.check).collect()
    }

    #[test]
    fn what_polls_writes_and_sends_is_ready() {
        assert_eq!(checks(good()), Vec::<String>::new());
    }

    #[test]
    fn each_trouble_is_named_and_all_of_them_at_once() {
        let mut status = good();
        status.mailbox.last_good_poll = Some(at("2024-08-14T20:00:00Z"));
        status.store.fault = Some("磁盘空间已用尽".to_owned());
        status.waiting = Backlog { count: 2, oldest: Some(at("2024-08-14T20:00:00Z")) };
        status.accounts = vec![AccountStatus {
            halted_until: Some(at("2024-08-15T02:00:00Z")),
            loud: true,
            halted_because: "登录被拒绝".to_owned(),
            ..account()
        }];
        assert_eq!(checks(status.clone()), ["mailbox", "store", "examine", "letters"]);
        assert_eq!(status.judged().reasons[0].said, "已5小时未能成功收取邮件。");
        assert_eq!(checks(Status::default()), ["mailbox"], "one that never polled is not ready");
    }

    #[test]
    fn letters_that_wait_for_tomorrows_quota_are_no_trouble() {
        let mut status = good();
        status.letters_due = Backlog { count: 9, oldest: Some(at("2024-08-14T20:00:00Z")) };
        status.accounts = vec![AccountStatus { left_today: Some(0), ..account() }];
        assert_eq!(checks(status.clone()), Vec::<String>::new());
        status.accounts = vec![account()];
        assert_eq!(checks(status), ["letters"]);
    }

    #[test]
    fn every_duration_falls_into_one_bucket() {
        let mut durations = Durations::default();
        for secs in [0.001, 0.01, 3.0, 900.0] {
            durations.add(secs);
        }
        assert_eq!(durations.buckets.iter().sum::<u64>(), durations.count);
        assert_eq!((durations.buckets[0], durations.buckets[8], durations.buckets[11]), (2, 1, 1));
    }

    #[test]
    fn spans_and_sizes_read_as_people_say_them() {
        let spans: Vec<String> = [5, 65, 3_600, 3_661, 90_061, 172_800].into_iter().map(span).collect();
        assert_eq!(spans, ["5秒", "1分钟", "1小时", "1小时1分钟", "1天1小时", "2天"]);
        assert_eq!([size(5), size(1536), size(3 << 30)], ["5 B", "1.5 KiB", "3.0 GiB"]);
    }
}
