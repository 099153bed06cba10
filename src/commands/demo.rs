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
    take_in(&house, mails.len()).await?;
    summarise::summarise(&house).await?;
    let mut outlets = daemon::outlets(&house)?;
    let sent = send::send_due(&house, &mut outlets, &Stopped::never()).await?;
    let written = write_letters(&house, &dir).await?;
    closing(&house, &dir, sent.sent, &written).await
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

async fn take_in(house: &House, mails: usize) -> anyhow::Result<()> {
    print_line(&format!("{mails} sample mails lie in the mailbox. Taking them in …\n"));
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
    print_line(&format!("{sent} letters were sent. One receipt, as its reader sees it:\n"));
    if let Some(first) = written.iter().find(|name| name.contains("receipt-gxj-yb")).or(written.first()) {
        print_line(&std::fs::read_to_string(dir.join("read").join(first))?);
    }
    print_line(&format!("Look around in {}:", dir.display()));
    for (what, why) in [
        ("mailbox/", "the sample mails"),
        ("read/", "every letter as text, with the divisions' workbooks"),
        ("letters/", "the same letters as mails (Maildir)"),
        ("data/", "raw mail and the SQLite database"),
        ("annexd.toml", "try: annexd --config annexd.toml export topics"),
    ] {
        print_line(&format!("  {what:<14}{why}"));
    }
    Ok(())
}
