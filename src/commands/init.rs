//! `annexd init`: the first hour. Asks (or takes flags) for mailbox, sender name and administrators, writes a commented
//! configuration with the provider's profile, tests it live, shows what annexd makes of the latest mails, and says what comes next.

use std::{
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};

use super::{check, cli::Failure, dry_run, log::say, print_line};
use crate::{config::Installation, domain::remedies};

mod profiles;
mod questions;

use profiles::Profile;

const TEMPLATE: &str = include_str!("init/annexd.toml");

#[derive(Debug, Args)]
pub struct Arguments {
    /// The collecting mailbox, jlsgxtkjc@163.com
    #[arg(long, value_name = "ADDRESS")]
    mailbox: Option<String>,
    /// Name that receipts are sent under, 吉林省工信厅科技处
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Who gets the digest and alerts; may be given several times
    #[arg(long = "admin", value_name = "ADDRESS")]
    admins: Vec<String>,
    /// File that holds the authorisation code (授权码) already; else it is asked for and written beside the configuration
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Folder for annexd.toml and the secret
    #[arg(long, value_name = "DIR", default_value = "/etc/annexd")]
    dir: PathBuf,
    /// Folder for raw mail and database
    #[arg(long, value_name = "DIR", default_value = "/var/lib/annexd")]
    data_dir: PathBuf,
    /// IMAP server, where the mailbox's provider is not known: HOST or HOST:PORT (TLS)
    #[arg(long, value_name = "HOST[:PORT]")]
    imap: Option<String>,
    /// SMTP server, likewise
    #[arg(long, value_name = "HOST[:PORT]")]
    smtp: Option<String>,
    /// An extra CA to trust, for private servers
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Address of the status page
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8425")]
    listen: String,
    /// Only write the files; test nothing
    #[arg(long)]
    offline: bool,
}

/// Everything the template needs.
struct Answers {
    mailbox: String,
    name: String,
    admins: Vec<String>,
    secret: Secret,
    profile: Profile,
}

enum Secret {
    /// It lies there already.
    File(PathBuf),
    /// To be written beside the configuration.
    Typed(SecretString),
}

/// Sets an installation up.
///
/// # Errors
/// A configuration that stands there already, an answer that is missing, or a live test that failed.
pub async fn init(arguments: Arguments, environment: &[(String, String)]) -> Result<(), Failure> {
    let file = arguments.dir.join("annexd.toml");
    if file.exists() {
        return Err(anyhow::anyhow!(
            "{} 已存在，未作改动。要重新生成，请先把它移走；只想检查，请运行 annexd check --connect",
            file.display()
        )
        .into());
    }
    let answers = questions::answers(&arguments)?;
    let secret = write_secret(&arguments.dir, &answers.secret)?;
    let text = configuration(&arguments, &answers, &secret)?;
    write_private(&file, 0o640, text.as_bytes())?;
    say(&format!("已写入 {}（授权码在 {}）。", file.display(), secret.display()));
    let installation = Installation::load(Some(&file), environment).map_err(Failure::Configuration)?;
    let named = format!("--config {} ", file.display());
    let option = if arguments.dir == Path::new("/etc/annexd") { "" } else { named.as_str() };
    if arguments.offline {
        next_steps(option, false);
        return Ok(());
    }
    say("\n试连邮箱和发信服务器（只查看，不改动）：");
    if let Err(error) = check::check(&installation, true, false).await {
        say(&format!(
            "\n配置已保存。按上面的办法改正后，运行 annexd {option}check --connect 再试；通过后接着运行 annexd {option}poll --dry-run。"
        ));
        return Err(error.into());
    }
    say("\n最近来信的识别结果（只看，不登记、不回复）：\n");
    if let Err(error) = dry_run::dry_run(&installation, false).await {
        let remedy = remedies::remedy(&format!("{error:#}")).unwrap_or_default();
        return Err(error.context(format!("最近来信未能读取。{remedy}")).into());
    }
    next_steps(option, true);
    Ok(())
}

fn next_steps(option: &str, tested: bool) {
    let mut steps = Vec::new();
    if !tested {
        steps.push(format!("annexd {option}check --connect     试连邮箱、发信服务器和数据库"));
        steps.push(format!("annexd {option}poll --dry-run      看最近10封来信的识别结果，不改动任何内容"));
    }
    steps.push("在annexd.toml旁放divisions.toml，填各处室的收信地址（mail），否则不给处室发信；样例见安装包的doc目录".to_owned());
    steps.push(format!("annexd {option}poll --no-send      收取并登记全部来信，信件只排队；用 annexd {option}letters list --all 查看"));
    steps.push("systemctl enable --now annexd   开始运行；状态页 http://127.0.0.1:8425/，或 annexd status".to_owned());
    print_line("\n接下来：");
    for (number, step) in (1..).zip(steps) {
        print_line(&format!("  {number}. {step}"));
    }
}

fn write_secret(dir: &Path, secret: &Secret) -> anyhow::Result<PathBuf> {
    match secret {
        Secret::File(path) => std::path::absolute(path).with_context(|| format!("{} cannot be named", path.display())),
        Secret::Typed(typed) => {
            let path = dir.join("imap.password");
            write_private(&path, 0o600, format!("{}\n", typed.expose_secret()).as_bytes())?;
            Ok(path)
        }
    }
}

/// A new file with these permissions; one that is there already is left alone.
fn write_private(path: &Path, mode: u32, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("目录 {} 不能建立，请以root运行，或用 --dir 指定其他目录", folder.display()))?;
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .with_context(|| format!("{} 不能写入（已存在或没有权限）", path.display()))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}

fn configuration(arguments: &Arguments, answers: &Answers, secret: &Path) -> anyhow::Result<String> {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let path = |path: &Path| quoted(&path.display().to_string());
    let ca_file = match &arguments.ca_file {
        Some(file) => format!("ca_file = {}\n", path(&std::path::absolute(file)?)),
        None => String::new(),
    };
    let admins: Vec<String> = answers.admins.iter().map(|address| quoted(address)).collect();
    let profile = &answers.profile;
    let text = [
        ("@data_dir@", path(&arguments.data_dir)),
        ("@imap_host@", quoted(&profile.imap.0)),
        ("@imap_port@", profile.imap.1.to_string()),
        ("@smtp_host@", quoted(&profile.smtp.0)),
        ("@smtp_port@", profile.smtp.1.to_string()),
        ("@secret@", path(secret)),
        ("@ca_file@", ca_file),
        ("@provider@", quoted(profile.provider)),
        ("@admins@", format!("[{}]", admins.join(", "))),
        ("@listen@", quoted(&arguments.listen)),
        ("@mailbox@", quoted(&answers.mailbox)),
        ("@from@", quoted(&format!("{} <{}>", answers.name, answers.mailbox))),
    ]
    .iter()
    .fold(TEMPLATE.to_owned(), |text, (mark, value)| text.replace(mark, value));
    if text.parse::<toml::Table>().is_err() {
        bail!("the answers do not make a valid configuration");
    }
    Ok(text)
}
