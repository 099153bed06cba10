//! Wars of machines over simulated days, with the whole program on one side or on both: whatever answers whatever, the letters stay
//! within the caps, restarts change nothing, and people hear of it once.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use annexd::{
    commands::work::one_pass,
    config::Installation,
    daemon,
    edge::clock::Clock,
    pipeline::{House, stop::Stopped},
};
use jiff::{SignedDuration, Timestamp};

const US: &str = "jlsgxtkjc@163.com";
const THEM: &str = "notice@dept.example.cn";

/// Midnight in Shanghai.
const START: &str = "2024-08-14T16:00:00Z";

/// One installation: a mailbox, letters that leave as files, an administrator's mailbox of its own.
struct Side {
    folder: tempfile::TempDir,
    address: &'static str,
    house: House,
    read: BTreeSet<PathBuf>,
    taken_in: usize,
}

impl Side {
    async fn new(address: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let text = format!(
            "data_dir='{}'\n[mailbox]\nkind='maildir'\npath='{}'\n[smtp]\nkind='maildir'\npath='{}'\nfrom='厅 <{address}>'\nprovider='netease'\n\
             [smtp_internal]\nkind='maildir'\npath='{}'\nfrom='系统 <system@dept.example.cn>'\n[digest]\nto=['admin@dept.example.cn']\n[alerts]\ndisk_free_min_mib=0\n",
            path("data"),
            path("in"),
            path("out"),
            path("internal")
        );
        fs::write(folder.path().join("annexd.toml"), text).unwrap();
        for part in ["new", "cur", "tmp"] {
            fs::create_dir_all(folder.path().join("in").join(part)).unwrap();
        }
        let house = build(folder.path(), START.parse().unwrap()).await;
        Self { folder, address, house, read: BTreeSet::new(), taken_in: 0 }
    }

    /// A new process on the same data.
    async fn restart(&mut self) {
        self.house = build(self.folder.path(), self.house.now()).await;
    }

    fn arrives(&mut self, raw: &[u8]) {
        self.taken_in += 1;
        fs::write(self.folder.path().join(format!("in/new/{:06}.lab", self.taken_in)), raw).unwrap();
    }

    /// One pass of all work; the letters that left by the account of the receipts.
    async fn works(&mut self) -> Vec<Vec<u8>> {
        one_pass(&self.house, true, &Stopped::never()).await.unwrap();
        let Ok(entries) = fs::read_dir(self.folder.path().join("out/new")) else { return Vec::new() };
        let mut left: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| !self.read.contains(path)).collect();
        left.sort();
        self.read.extend(left.iter().cloned());
        left.iter().map(|path| fs::read(path).unwrap()).collect()
    }

    fn at(&self, time: Timestamp) {
        self.house.clock.set(time);
    }

    /// Alerts written to the administrator whose subject holds these words.
    async fn alerts(&self, words: &str) -> usize {
        let letters = self.house.store.letter_list(true, 100_000).await.unwrap();
        letters.iter().filter(|letter| letter.kind == "alert" && letter.subject.contains(words)).count()
    }
}

async fn build(folder: &Path, now: Timestamp) -> House {
    let mut house = daemon::build(Installation::load(Some(&folder.join("annexd.toml")), &[]).unwrap()).await.unwrap();
    house.clock = Clock::fixed(now);
    house
}

fn hour(count: i64) -> Timestamp {
    START.parse::<Timestamp>().unwrap().checked_add(SignedDuration::from_hours(count)).unwrap()
}

fn mail(from: &str, to: &str, id: &str, more: &str) -> Vec<u8> {
    format!(
        "From: <{from}>\r\nTo: <{to}>\r\nSubject: {id}\r\nMessage-ID: <{id}@lab.example>\r\nDate: Thu, 15 Aug 2024 09:02:00 +0800\r\n{more}\r\n{id}\r\n"
    )
    .into_bytes()
}

/// What a careless gateway makes of a letter: every mark of a machine gone, a Message-ID of its own, a tag before the subject.
fn through_gateway(letter: &[u8], no: usize, tag: bool) -> Vec<u8> {
    let text = String::from_utf8_lossy(letter).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let marks = ["Auto-Submitted:", "X-", "Message-ID:", "In-Reply-To:", "References:"];
    let mut kept: Vec<String> = vec![format!("Message-ID: <gateway.{no}@gateway.example>")];
    let mut dropped = false;
    for line in head.split("\r\n") {
        dropped = marks.iter().any(|mark| line.starts_with(mark)) || (dropped && line.starts_with([' ', '\t']));
        match line.strip_prefix("Subject: ") {
            _ if dropped => {}
            Some(subject) if tag => kept.push(format!("Subject: [EXT] {subject}")),
            _ => kept.push(line.to_owned()),
        }
    }
    format!("{}\r\n\r\n{body}", kept.join("\r\n")).into_bytes()
}

/// Two installations whose letters reach each other; letters that left on each of the days.
async fn war(days: i64, gateway: Option<bool>) -> (Vec<usize>, Side) {
    let (mut one, mut other) = (Side::new(US).await, Side::new(THEM).await);
    one.arrives(&mail(THEM, US, "first", ""));
    let (mut per_day, mut no) = (Vec::new(), 0);
    for day in 0..days {
        let mut sent = 0;
        for turn in 0..24 {
            let now = hour(day * 24 + turn);
            if turn % 6 == 0 {
                one.restart().await;
                other.restart().await;
            }
            // Each to the other, as fast as it can within the hour.
            for _ in 0..4 {
                for flip in [false, true] {
                    let (from, to) = if flip { (&mut other, &mut one) } else { (&mut one, &mut other) };
                    from.at(now);
                    for letter in from.works().await {
                        (sent, no) = (sent + 1, no + 1);
                        to.arrives(&gateway.map_or_else(|| letter.clone(), |tag| through_gateway(&letter, no, tag)));
                    }
                }
            }
        }
        per_day.push(sent);
    }
    assert_ne!(one.address, other.address);
    (per_day, one)
}

#[tokio::test]
async fn two_installations_pointed_at_each_other_exchange_one_letter_in_a_week() {
    assert_eq!(war(7, None).await.0.iter().sum::<usize>(), 1);
}

#[tokio::test]
async fn a_gateway_that_strips_every_mark_changes_nothing_while_the_subject_tells() {
    assert_eq!(war(2, Some(false)).await.0.iter().sum::<usize>(), 1);
}

#[tokio::test]
async fn where_nothing_tells_each_side_answers_thrice_and_people_hear_of_it_once() {
    let (per_day, one) = war(3, Some(true)).await;
    assert!(per_day.iter().all(|sent| *sent <= 6), "{per_day:?}");
    assert!(per_day[0] > 2, "the war took place: {per_day:?}");
    assert_eq!(one.alerts("请处理：与某地址自动往返").await, 1);
}

/// A responder without a single mark that writes every two hours, day and night, for a month.
#[tokio::test]
async fn a_responder_that_never_tires_gets_three_answers_a_day_and_one_alert_a_day() {
    let mut us = Side::new(US).await;
    let days = 30;
    let mut left = Vec::new();
    for turn in 0..days * 12 {
        us.at(hour(0).checked_add(SignedDuration::from_hours(turn * 2)).unwrap());
        if turn % 10 == 0 {
            us.restart().await;
        }
        us.arrives(&mail("holiday@bureau.example.cn", US, &format!("away{turn}"), ""));
        left.extend(us.works().await.iter().map(|_| us.house.now()));
    }
    let most = left.iter().map(|from| left.iter().filter(|at| *at >= from && at.duration_since(*from).as_hours() < 24).count()).max();
    assert_eq!(most, Some(3), "never more than three within any 24 hours");
    assert!(left.len() <= 3 * 30, "{}", left.len());
    let alerts = us.alerts("请处理：与某地址自动往返").await;
    assert!((28..=30).contains(&alerts), "a reminder a day: {alerts}");
}

#[tokio::test]
async fn machines_that_name_themselves_get_nothing() {
    let mut us = Side::new(US).await;
    us.arrives(&mail("gxj@bureau.example.cn", US, "question", ""));
    let receipt = us.works().await.remove(0);
    let text = String::from_utf8(receipt).unwrap();
    // A list sends our own letter back, under our address; others answer it in their ways.
    us.arrives(format!("List-Id: <all.example.cn>\r\nPrecedence: list\r\n{text}").as_bytes());
    for (no, marks) in [
        "Auto-Submitted: auto-replied (vacation)\r\n",
        "X-QQ-AUTO-REPLY: true\r\n",
        "X-Autoreply: yes\r\n",
        "Precedence: bulk\r\n",
        "List-Id: <news.example.cn>\r\n",
        "Feedback-ID: a:b:c\r\n",
        "Return-Path: <>\r\n",
        "X-Auto-Response-Suppress: All\r\n",
    ]
    .iter()
    .enumerate()
    {
        us.arrives(&mail("machine@bureau.example.cn", US, &format!("marked{no}"), marks));
    }
    us.at(hour(1));
    assert_eq!(us.works().await.len(), 0);
}

/// Ten thousand of them in a long run, six hundred in a short one.
#[tokio::test]
async fn a_storm_of_bounces_in_a_day_causes_no_letter_but_one_alert() {
    let mut us = Side::new(US).await;
    us.arrives(&mail("gxj@bureau.example.cn", US, "question", ""));
    let receipt = String::from_utf8(us.works().await.remove(0)).unwrap();
    let id = receipt.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap().to_owned();
    let each_hour = if std::env::var("ANNEXD_TEST_LONG").is_ok_and(|value| value == "1") { 417 } else { 25 };
    for turn in 0..24 {
        us.at(hour(turn));
        for no in 0..each_hour {
            // Half of them about our letter, half about letters that somebody sent under our name.
            let about = if no % 2 == 0 { format!("X-CM-Original-Message-ID: {id}\r\n") } else { String::new() };
            let report = format!(
                "From: Postmaster@163.com\r\nTo: <{US}>\r\nSubject: =?GBK?B?z7XNs83L0MU=?=\r\nMessage-ID: <b{turn}.{no}@163.com>\r\nX-Mailer: Coremail MTA server\r\n{about}\r\n550 User not found {turn} {no}\r\n"
            );
            us.arrives(report.as_bytes());
        }
        assert_eq!(us.works().await.len(), 0, "no bounce is answered");
    }
    assert_eq!(us.alerts("请处理：收到大量退信或自动回复").await, 1);
    let failed: Vec<_> = us.house.store.letter_list(false, 100).await.unwrap();
    assert_eq!(failed.iter().map(|letter| letter.state.as_str()).collect::<Vec<_>>(), ["failed"], "the letter came back once");
    // When it is over, people are told that too.
    us.at(hour(24 + 25));
    us.works().await;
    assert_eq!(us.alerts("已恢复正常（此前：收到大量退信或自动回复）").await, 1);
}

/// Backscatter: a spammer forges more senders than get an answer in a day.
#[tokio::test]
async fn four_hundred_forged_strangers_use_up_no_more_than_the_days_quota_and_a_bureaus_receipt_overtakes_them() {
    let mut us = Side::new(US).await;
    for no in 0..400 {
        us.arrives(&mail(&format!("a{no}@stranger{no}.example"), US, &format!("spam{no}"), ""));
    }
    let mut per_day = [0; 2];
    for quarter in 0..2 * 96 {
        us.at(hour(0).checked_add(SignedDuration::from_mins(quarter * 15)).unwrap());
        if quarter % 20 == 0 {
            us.restart().await;
        }
        if quarter == 100 {
            let batch = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journey/01-changchun-batch.eml");
            us.arrives(&fs::read(batch).unwrap());
        }
        let left = us.works().await;
        assert!(left.len() <= 5, "five in fifteen minutes");
        if (100..=101).contains(&quarter) && !left.is_empty() {
            assert!(String::from_utf8_lossy(&left.concat()).contains("gxj-changchun@example.cn"), "the bureau did not wait for the spam");
        }
        per_day[usize::try_from(quarter / 96).unwrap()] += left.len();
    }
    assert!(per_day.iter().all(|sent| *sent <= 40), "{per_day:?}");
    assert!(us.alerts("").await <= 4, "{}", us.alerts("").await);
}
