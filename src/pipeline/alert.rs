//! What cannot wait for the digest: looks at the present state, compares it with what people were told, and writes the letters
//! that are due. Where letters cannot leave, the log and the store still say it.

use std::collections::BTreeMap;

use anyhow::anyhow;
use jiff::SignedDuration;

use super::{
    House,
    watch::survey::{FOLDERS_NOTE, VIRUS_NOTE, WINDOW_NOTE},
};
use crate::{
    config::MailboxConfig,
    domain::{
        letters::{
            alert::{About, Step, Told, Trouble, alert_letter, step},
            faults::in_chinese,
        },
        time::chinese_minute,
    },
    edge::{disk, store::StoredAlert},
};

/// Name under which the store remembers the last good poll.
pub const POLLED: &str = "mailbox_poll";
/// Name under which the store remembers the last fault of the mailbox.
pub const POLL_FAULT: &str = "mailbox_fault";
/// Delivery reports and automatic answers a day that are nothing to speak of.
const STORM_MIN: u64 = 50;

/// Name under which the store remembers when the mailbox login was last refused.
pub const LOGIN_REFUSED: &str = "mailbox_login_refused";

/// Looks at the clock first: after it was set back, nothing waits for as long as that.
///
/// # Errors
/// When the store cannot be reached.
pub async fn heed_clock(house: &House) -> anyhow::Result<()> {
    if let Some(back) = house.store.heed_clock(house.now()).await? {
        tracing::warn!(back_secs = back.as_secs(), "The clock was set back; what waits was moved by as much.");
    }
    Ok(())
}

/// Looks, and queues what has to be told; returns how many letters.
///
/// # Errors
/// When the store cannot be reached or the template does not render.
pub async fn watch(house: &House) -> anyhow::Result<usize> {
    let now = house.now();
    let mut present: BTreeMap<String, Trouble> = BTreeMap::new();
    let of = &house.config.programme.title;
    for mut trouble in troubles(house).await? {
        if !of.is_empty() {
            trouble.title = format!("【{of}】{}", trouble.title);
        }
        present.insert(trouble.topic.clone(), trouble);
    }
    let known: BTreeMap<String, StoredAlert> = house.store.alerts().await?.into_iter().map(|alert| (alert.topic.clone(), alert)).collect();
    let mut queued = 0;
    let topics: std::collections::BTreeSet<&String> = present.keys().chain(known.keys()).collect();
    for topic in topics {
        let (trouble, alert) = (present.get(topic), known.get(topic));
        let told = alert.map(|alert| Told { open: alert.open, told_at: alert.told_at });
        match (step(trouble.is_some(), told, now), trouble, alert) {
            (Step::Tell, Some(trouble), _) => {
                tracing::error!(topic, said = trouble.said, "A trouble needs a person.");
                queued += tell(house, trouble, alert, false).await?;
            }
            (Step::TellOver, _, Some(alert)) => {
                tracing::info!(topic, "A trouble is over.");
                let title = alert.said.split('：').next().unwrap_or_default().to_owned();
                let over = Trouble { topic: topic.clone(), title, said: alert.said.clone(), remedy: String::new() };
                queued += tell(house, &over, Some(alert), true).await?;
            }
            _ => {}
        }
    }
    Ok(queued)
}

async fn tell(house: &House, trouble: &Trouble, alert: Option<&StoredAlert>, over: bool) -> anyhow::Result<usize> {
    let now = house.now();
    let count = alert.map_or(0, |alert| alert.letters);
    let since = alert.filter(|alert| alert.open).map_or(now, |alert| alert.raised_at);
    let about = About { since, now, over, count, zone: &house.zone, department: &house.config.receipts.department };
    let letters = house
        .config
        .alerts_to()
        .iter()
        .map(|to| alert_letter(trouble, &about, to, &house.templates))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|problem| anyhow!(problem))?;
    let said = if over { trouble.said.clone() } else { format!("{}：{}", trouble.title, trouble.said) };
    let stored = StoredAlert { topic: trouble.topic.clone(), said, raised_at: since, told_at: now, open: !over, letters: count + 1 };
    Ok(house.store.put_alert(&stored, &letters, house.mail_domain(), now).await?)
}

async fn troubles(house: &House) -> anyhow::Result<Vec<Trouble>> {
    let mut found = Vec::new();
    for smtp in [Some(&house.config.smtp), house.config.smtp_internal.as_ref()].into_iter().flatten() {
        found.extend(sending(house, &smtp.account()).await?);
    }
    found.extend(mailbox(house).await?);
    found.extend(mailbox_notes(house).await?);
    found.extend(disk_space(house));
    found.extend(raw_mail(house).await);
    found.extend(parked(house).await?);
    found.extend(held(house).await?);
    found.extend(storm(house).await?);
    Ok(found)
}

async fn sending(house: &House, account: &str) -> anyhow::Result<Option<Trouble>> {
    let state = house.store.sending_state(account).await?;
    if state.halted_at.is_none() || !state.loud {
        return Ok(None);
    }
    let until = state.halted_until.map(|until| chinese_minute(until, &house.zone)).unwrap_or_default();
    let (title, remedy) = if state.token == "login" {
        (
            "发信账号登录被拒绝",
            "请在网页邮箱“设置—POP3/SMTP/IMAP”中检查SMTP服务是否开启，重新生成授权码并写入password_file所指的文件；用安装包安装的，再运行 systemctl restart annexd。",
        )
    } else {
        (
            "发信已暂停",
            "请用网页邮箱登录，确认账号未被限制、SMTP服务已开启。回执保留在待发队列中，恢复后自动补发；请勿反复重启或更换发信频率。",
        )
    };
    Ok(Some(Trouble {
        topic: format!("sending:{account}"),
        title: title.to_owned(),
        said: format!("账号{account}不能发信：{}。将于{until}后自动再试。", in_chinese(&state.reason)),
        remedy: remedy.to_owned(),
    }))
}

async fn mailbox(house: &House) -> anyhow::Result<Option<Trouble>> {
    let now = house.now();
    let refused = house.store.health(LOGIN_REFUSED).await?;
    let polled = house.store.health(POLLED).await?;
    let good_at = polled.as_ref().map(|(at, _)| *at);
    if let Some((at, said)) = refused.filter(|(at, _)| good_at.is_none_or(|good| good < *at)) {
        return Ok(Some(Trouble {
            topic: "mailbox".to_owned(),
            title: "收件邮箱登录被拒绝".to_owned(),
            said: format!("收件邮箱最近一次登录于{}被拒绝，{}。", chinese_minute(at, &house.zone), in_chinese(&said)),
            remedy: "请在网页邮箱中检查IMAP服务是否开启，重新生成授权码并写入password_file所指的文件；用安装包安装的，再运行 systemctl restart annexd。".to_owned(),
        }));
    }
    let limit = SignedDuration::from_mins(i64::try_from(house.config.alerts.no_poll_mins).unwrap_or(i64::MAX / 60));
    let Some(good) = good_at.filter(|good| now.duration_since(*good) > limit) else { return Ok(None) };
    let fault = house.store.health(POLL_FAULT).await?.map(|(_, said)| format!("，最近一次故障：{}", in_chinese(&said))).unwrap_or_default();
    Ok(Some(Trouble {
        topic: "mailbox".to_owned(),
        title: "长时间未能收取邮件".to_owned(),
        said: format!("最近一次成功收取在{}{fault}。", chinese_minute(good, &house.zone)),
        remedy: match house.config.mailbox {
            MailboxConfig::Imap(_) => {
                "请检查网络，并运行 annexd check --connect 查看原因。来信仍在邮箱中，恢复后自动收取，不会丢失。".to_owned()
            }
            MailboxConfig::Maildir(_) => "请检查收件目录是否可读。".to_owned(),
        },
    }))
}

fn disk_space(house: &House) -> Option<Trouble> {
    let free_mib = disk::free_bytes(&house.config.data_dir).ok()? >> 20;
    (free_mib < house.config.alerts.disk_free_min_mib).then(|| Trouble {
        topic: "disk".to_owned(),
        title: "磁盘空间不足".to_owned(),
        said: format!("数据目录{}所在磁盘只剩{free_mib}MiB。", house.config.data_dir.display()),
        remedy: "请清理磁盘或扩容。空间用尽后系统停止收取新邮件，来信留在邮箱中，不会丢失。".to_owned(),
    })
}

async fn raw_mail(house: &House) -> Option<Trouble> {
    let objects = house.blobs.objects()?;
    let fault = objects.fault().await?;
    Some(Trouble {
        topic: "raw_mail".to_owned(),
        title: "来信原件无法存入对象存储".to_owned(),
        said: format!("对象存储{}不能使用：{}。", objects.place(), in_chinese(&fault)),
        remedy: "请检查对象存储服务、网络和密钥，并运行 annexd check --connect 核对。其间系统停止收取新邮件，来信留在邮箱中，恢复后自动收取，不会丢失。"
            .to_owned(),
    })
}

/// What the watch saw beside the mail itself.
async fn mailbox_notes(house: &House) -> anyhow::Result<Vec<Trouble>> {
    let mut found = Vec::new();
    for (name, title, remedy) in [
        (VIRUS_NOTE, "有邮件被邮箱判为病毒", "系统不读取这些邮件。请用网页邮箱查看，如属正常报送，请联系发件人重新发送。"),
        (WINDOW_NOTE, "邮箱可能只显示最近30天的邮件", "请在网页邮箱“设置—收取选项”中改为“收取全部邮件”。已收取的邮件不受影响。"),
        (FOLDERS_NOTE, "配置的邮件夹不存在", "请核对配置中mailbox.folders的名称；其余邮件夹照常收取。"),
    ] {
        let Some((_, said)) = house.store.health(name).await?.filter(|(_, said)| !said.is_empty()) else { continue };
        found.push(Trouble { topic: name.to_owned(), title: title.to_owned(), said: format!("{said}。"), remedy: remedy.to_owned() });
    }
    Ok(found)
}

async fn parked(house: &House) -> anyhow::Result<Option<Trouble>> {
    let count = house.store.parked_count().await?;
    Ok((count > 0).then(|| Trouble {
        topic: "parked".to_owned(),
        title: "有邮件未能处理".to_owned(),
        said: format!("{count}封邮件多次处理失败，已搁置，发件人尚未收到回执。"),
        remedy: "运行 annexd parked list 查看原因，annexd parked retry 编号 重新处理。".to_owned(),
    }))
}

/// More delivery reports and automatic answers than our own letters can have caused: somebody writes under our name, or machines
/// talk to each other.
async fn storm(house: &House) -> anyhow::Result<Option<Trouble>> {
    let day_ago = house.now().checked_sub(SignedDuration::from_hours(24))?;
    let counts = house.store.machine_mail_since(day_ago).await?;
    let mut sent = 0;
    for smtp in [Some(&house.config.smtp), house.config.smtp_internal.as_ref()].into_iter().flatten() {
        sent += house.store.handed_over_between(&smtp.account(), day_ago, house.now()).await?;
    }
    // Each letter can come back once and be answered by a responder once.
    if counts.bounces + counts.automatic <= STORM_MIN.max(2 * sent) {
        return Ok(None);
    }
    let (bounces, automatic) = (counts.bounces, counts.automatic);
    Ok(Some(Trouble {
        topic: "storm".to_owned(),
        title: "收到大量退信或自动回复".to_owned(),
        said: format!("近24小时收到退信{bounces}封、自动回复{automatic}封，本系统同期只发出{sent}封。系统对这类邮件一概不回复。"),
        remedy: "可能有人冒用本邮箱地址群发邮件，或对方系统设置有误。请用网页邮箱查看来信；如属冒用，请修改邮箱密码、重新生成授权码，并告知邮箱服务商。".to_owned(),
    }))
}

/// Answers that were stopped because they went round in circles, or were taken for spam.
async fn held(house: &House) -> anyhow::Result<Vec<Trouble>> {
    let day_ago = house.now().checked_sub(SignedDuration::from_hours(24))?;
    let mut found = Vec::new();
    for (because, title, remedy) in [
        ("loop", "与某地址自动往返，已停止回复", "对方可能设置了自动回复。如确为人工来信，运行 annexd letters retry 编号 补发回执。"),
        ("address_cap", "对某地址的回复超过上限，已停止", "请查看来信是否正常。如属正常报送，运行 annexd letters retry 编号 补发回执。"),
        (
            "content",
            "回执被邮件服务器判为垃圾邮件",
            "运行 annexd letters list 查看；可修改letters目录中的措辞后 annexd letters retry 编号 补发。",
        ),
    ] {
        let held = house.store.held_since(because, day_ago).await?;
        if held.is_empty() {
            continue;
        }
        let list: Vec<String> = held.iter().take(5).map(|(address, count)| format!("{address}（{count}封）")).collect();
        found.push(Trouble {
            topic: format!("held:{because}"),
            title: title.to_owned(),
            said: format!("近24小时暂缓的回复：{}。", list.join("、")),
            remedy: remedy.to_owned(),
        });
    }
    Ok(found)
}
