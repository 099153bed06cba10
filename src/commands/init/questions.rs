//! What `annexd init` must know: from flags, else asked on a terminal. Without a terminal, everything missing is named at once.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anyhow::bail;
use secrecy::SecretString;

use super::{
    Answers, Arguments, Secret,
    profiles::{Profile, profile, server},
};

/// Takes flags and asks for the rest.
///
/// # Errors
/// Everything that is missing or wrong, where nobody can be asked.
pub fn answers(arguments: &Arguments) -> anyhow::Result<Answers> {
    let terminal = std::io::stdin().is_terminal();
    if !terminal {
        refuse_gaps(arguments)?;
    }
    let mailbox = match &arguments.mailbox {
        Some(mailbox) => mailbox.clone(),
        None => ask("收件邮箱地址（例如 jlsgxtkjc@163.com）", address)?,
    };
    address(&mailbox)?;
    let profile = servers(arguments, &mailbox)?;
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => ask("回执的发件人名称（例如 吉林省工信厅科技处）", filled)?,
    };
    let admins = if arguments.admins.is_empty() {
        let line =
            ask("管理员邮箱，收日报和告警；多个用逗号分开", |text| list(text).iter().try_for_each(|one| address(one)))?;
        list(&line)
    } else {
        arguments.admins.clone()
    };
    admins.iter().try_for_each(|one| address(one))?;
    let secret = match &arguments.password_file {
        Some(file) => Secret::File(file.clone()),
        None => Secret::Typed(hidden("授权码（在网页邮箱“设置—POP3/SMTP/IMAP”中生成，不是登录密码；输入时不显示）")?),
    };
    Ok(Answers { mailbox, name, admins, secret, profile })
}

fn refuse_gaps(arguments: &Arguments) -> anyhow::Result<()> {
    let gaps: Vec<&str> = [
        ("--mailbox 地址", arguments.mailbox.is_none()),
        ("--name 发件人名称", arguments.name.is_none()),
        ("--admin 管理员地址", arguments.admins.is_empty()),
        ("--password-file 授权码文件", arguments.password_file.is_none()),
    ]
    .into_iter()
    .filter_map(|(flag, missing)| missing.then_some(flag))
    .collect();
    if !gaps.is_empty() {
        bail!("不在终端上运行，无法询问；请补充：{}", gaps.join("、"));
    }
    Ok(())
}

fn servers(arguments: &Arguments, mailbox: &str) -> anyhow::Result<Profile> {
    let known = profile(mailbox);
    let asked = |flag: &Option<String>, port: u16, known: Option<(String, u16)>, question: &str, name: &str| match (flag, known) {
        (Some(text), _) => server(text, port).map_err(anyhow::Error::msg),
        (None, Some(known)) => Ok(known),
        (None, None) if std::io::stdin().is_terminal() => server(&ask(question, filled)?, port).map_err(anyhow::Error::msg),
        (None, None) => bail!("不认识{mailbox}的服务商，请用 {name} 服务器名 指明"),
    };
    Ok(Profile {
        imap: asked(&arguments.imap, 993, known.as_ref().map(|known| known.imap.clone()), "收件（IMAP）服务器名", "--imap")?,
        smtp: asked(&arguments.smtp, 465, known.as_ref().map(|known| known.smtp.clone()), "发件（SMTP）服务器名", "--smtp")?,
        provider: known.map_or("generic", |known| known.provider),
    })
}

/// Asks until the answer is good.
fn ask(question: &str, good: impl Fn(&str) -> anyhow::Result<()>) -> anyhow::Result<String> {
    loop {
        let _ = write!(std::io::stderr(), "{question}：");
        let answer = line()?;
        match good(&answer) {
            Ok(()) => return Ok(answer),
            Err(problem) => {
                let _ = writeln!(std::io::stderr(), "  {problem}，请重新输入。");
            }
        }
    }
}

fn line() -> anyhow::Result<String> {
    let mut text = String::new();
    if std::io::stdin().lock().read_line(&mut text)? == 0 {
        bail!("输入已结束，未写入任何文件");
    }
    Ok(text.trim().to_owned())
}

/// Asks for a secret; the terminal shows nothing meanwhile.
fn hidden(question: &str) -> anyhow::Result<SecretString> {
    let _silence = Silence::begin();
    let answer = ask(question, filled)?;
    let _ = writeln!(std::io::stderr());
    // The web page shows codes in groups.
    Ok(SecretString::from(answer.replace(' ', "")))
}

/// The terminal echoes nothing as long as it lives.
struct Silence;

impl Silence {
    fn begin() -> Self {
        stty("-echo");
        Self
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        stty("echo");
    }
}

fn stty(mode: &str) {
    let _ = std::process::Command::new("stty").arg(mode).status();
}

fn filled(text: &str) -> anyhow::Result<()> {
    if text.is_empty() {
        bail!("不能为空");
    }
    Ok(())
}

fn address(text: &str) -> anyhow::Result<()> {
    match text.split_once('@') {
        Some((local, domain)) if !local.is_empty() && !domain.is_empty() && !text.contains(char::is_whitespace) => Ok(()),
        _ => bail!("“{text}”不是邮箱地址"),
    }
}

fn list(text: &str) -> Vec<String> {
    text.split([',', '，', ';', '；', '、']).map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
}
