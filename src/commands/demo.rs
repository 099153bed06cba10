//! `annexd demo`: the main job on embedded defaults. Makes sample mails in a Maildir, takes them in, prints what happened to
//! each, and leaves database, letters and workbooks to look at. Needs no server, no network, no configuration.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};

use super::{print_line, report, work};
use crate::{
    config::Installation,
    daemon,
    domain::letters::LetterKind,
    pipeline::{House, examine::Examined, send, stop::Stopped, summarise, watch},
};

mod eml;
mod samples;

/// Marks a folder as made by the demo, so that the next run may replace it.
const MARKER: &str = ".annexd-demo";

/// Runs the demo in `dir` (default `annexd-demo` here).
///
/// # Errors
/// When the folder holds anything else, or cannot be written.
pub async fn demo(dir: Option<PathBuf>) -> anyhow::Result<()> {
    let dir = dir.unwrap_or_else(|| PathBuf::from("annexd-demo"));
    prepare(&dir)?;
    let mails = samples::mails()?;
    write_maildir(&dir.join("mailbox"), &mails)?;
    let config_file = dir.join("annexd.toml");
    std::fs::write(&config_file, configuration(&dir)?)?;
    std::fs::write(dir.join("divisions.toml"), demo_divisions())?;
    let installation = Installation::load(Some(&config_file), &[]).map_err(|mistakes| {
        let all: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        anyhow!("the demo's configuration is broken: {}", all.join("; "))
    })?;
    let house = daemon::build(installation).await?;
    print_line(&format!("邮箱中有{}封样例邮件，逐封收取、识别、登记、分送、答复。({} sample mails)\n", mails.len(), mails.len()));
    take_in(&house).await?;
    let mut sent = send_letters(&house).await?;
    if let Some(reply) = division_reply(&house).await? {
        print_line("处室收到课题清单后，直接回信办理。(A division answers its letter.)\n");
        write_maildir(&dir.join("mailbox"), &[("19-division-gives-orders".to_owned(), reply)])?;
        take_in(&house).await?;
        sent += send_letters(&house).await?;
    }
    let written = write_letters(&house, &dir).await?;
    closing(&house, &dir, sent, &written).await
}

/// Writes what is due and sends it; returns how many letters left.
async fn send_letters(house: &House) -> anyhow::Result<usize> {
    summarise::summarise(house).await?;
    let mut outlets = daemon::outlets(house);
    Ok(send::send_due(house, &mut outlets, &Stopped::never()).await?.sent)
}

/// What the division with the most topics writes back.
async fn division_reply(house: &House) -> anyhow::Result<Option<Vec<u8>>> {
    let letters = house.store.all_letters().await?;
    let topics: Vec<serde_json::Value> = house.store.export_topics(0, 1_000).await?.into_iter().map(|(_, topic)| topic).collect();
    let numbers_of = |division: &str| -> Vec<String> {
        let of_division = topics.iter().filter(|topic| topic.get("division").and_then(serde_json::Value::as_str) == Some(division));
        of_division.filter_map(|topic| topic.get("id")?.as_str().map(str::to_owned)).collect()
    };
    let queue = letters.iter().filter(|letter| letter.kind == LetterKind::Queue);
    let busiest = queue.max_by_key(|letter| numbers_of(letter.to.split('@').next().unwrap_or_default()).len());
    Ok(busiest.map(|letter| {
        let division = letter.to.split('@').next().unwrap_or_default();
        samples::division_reply(&letter.to, &letter.subject, &numbers_of(division))
    }))
}

/// A new folder, or one that an earlier demo made.
fn prepare(dir: &Path) -> anyhow::Result<()> {
    if dir.exists() {
        let empty = std::fs::read_dir(dir).with_context(|| format!("{} cannot be read", dir.display()))?.next().is_none();
        if dir.join(MARKER).exists() {
            std::fs::remove_dir_all(dir)?;
        } else if !empty {
            bail!("{} holds other files; name an empty folder with --dir", dir.display());
        }
    }
    std::fs::create_dir_all(dir).with_context(|| format!("{} cannot be created", dir.display()))?;
    std::fs::write(dir.join(MARKER), "Made by `annexd demo`; the next demo replaces this folder.\n")?;
    Ok(())
}

fn write_maildir(path: &Path, mails: &[(String, Vec<u8>)]) -> anyhow::Result<()> {
    for sub in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(path.join(sub))?;
    }
    for (name, bytes) in mails {
        std::fs::write(path.join("new").join(format!("{name}.eml")), bytes)?;
    }
    Ok(())
}

/// A configuration that also works afterwards: `annexd --config DIR/annexd.toml export topics`.
fn configuration(dir: &Path) -> anyhow::Result<String> {
    let dir = std::fs::canonicalize(dir)?;
    let quoted = |path: PathBuf| toml::Value::String(path.display().to_string()).to_string();
    Ok(format!(
        "# Written by `annexd demo`.\ndata_dir = {data}\n\n[mailbox]\nkind = \"maildir\"\npath = {mailbox}\n\n\
         [smtp]\nkind = \"maildir\"\npath = {letters}\nfrom = \"吉林省工信厅科技处 <jlsgxtkjc@163.com>\"\n\n\
         [digest]\nto = [\"admin@example.cn\"]\nat = \"00:00\"\n",
        data = quoted(dir.join("data")),
        mailbox = quoted(dir.join("mailbox")),
        letters = quoted(dir.join("letters")),
    ))
}

/// The shipped routing table, each division with an address and a time that has passed.
fn demo_divisions() -> String {
    let mut out = String::new();
    let mut id = String::new();
    for line in include_str!("../../config/divisions.toml").lines() {
        if let Some(value) = line.strip_prefix("id = ") {
            value.trim_matches('"').clone_into(&mut id);
        }
        if line.starts_with("mail = ") {
            out.push_str(&format!("mail = [\"{id}@gxt.example.cn\"]\n"));
        } else if line.starts_with("queue_at = ") {
            out.push_str("queue_at = [\"00:00\"]\n");
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

async fn take_in(house: &House) -> anyhow::Result<()> {
    watch::take_in_maildir(house).await?;
    let mut lines = Vec::new();
    work::examine_each(house, |waiting, examined| {
        lines.push(match examined {
            Examined::Recorded { verdict, numbers, .. } => report::report(verdict, &waiting.locator, &house.knowledge, numbers),
            Examined::Parked { problem } => format!("■ {}\n  搁置：{problem}", waiting.locator),
            Examined::Postponed => format!("■ {}\n  稍后再试", waiting.locator),
        });
    })
    .await?;
    for line in lines {
        print_line(&line);
        print_line("");
    }
    Ok(())
}

/// The letters as plain text files and their workbooks, for reading without a mail program.
async fn write_letters(house: &House, dir: &Path) -> anyhow::Result<Vec<String>> {
    let folder = dir.join("read");
    std::fs::create_dir_all(&folder)?;
    let mut written = Vec::new();
    for (index, letter) in house.store.all_letters().await?.into_iter().enumerate() {
        let kind = match letter.kind {
            LetterKind::Ack => "receipt",
            LetterKind::Queue => "queue",
            LetterKind::Digest => "digest",
            LetterKind::Alert => "alert",
        };
        let name = format!("{:02}-{kind}-{}.txt", index + 1, letter.to.split('@').next().unwrap_or("letter"));
        std::fs::write(folder.join(&name), format!("收件人：{}\n主题：{}\n\n{}", letter.to, letter.subject, letter.text))?;
        for enclosure in &letter.enclosures {
            std::fs::write(folder.join(&enclosure.name), &enclosure.bytes)?;
        }
        written.push(name);
    }
    Ok(written)
}

async fn closing(house: &House, dir: &Path, sent: usize, written: &[String]) -> anyhow::Result<()> {
    let balance = house.store.balance().await?;
    print_line(&format!(
        "邮件核对：共见{}封 = 登记{} + 忽略{} + 重复{} + 搁置{} + 待处理{}",
        balance.seen, balance.recorded, balance.ignored, balance.duplicate, balance.parked, balance.waiting
    ));
    print_line(&format!("共发出{sent}封信 ({sent} letters)。其中一封回执，收件人看到的是：\n"));
    if let Some(first) = written.iter().find(|name| name.contains("receipt-gxj-yb")).or(written.first()) {
        print_line(&std::fs::read_to_string(dir.join("read").join(first))?);
    }
    print_line(&format!("结果在 {} (look around):", dir.display()));
    for (what, why) in [
        ("mailbox/", "样例邮件 (the sample mails)"),
        ("read/", "每封信的文字和处室工作簿 (every letter as text, and the workbooks)"),
        ("letters/", "同样的信，邮件格式 (the same letters as mails, a Maildir)"),
        ("data/", "原始邮件和数据库 (raw mail and the SQLite database)"),
        ("annexd.toml", "配置 (try: annexd --config annexd.toml export topics)"),
    ] {
        print_line(&format!("  {what:<14}{why}"));
    }
    Ok(())
}
