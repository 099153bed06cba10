//! `annexd check`: the configuration is sound (it was loaded to get here); with `--connect`, what the outside systems can do.

use anyhow::{anyhow, bail};
use serde_json::{Value, json};

use super::{open_read_only, print_line};
use crate::{
    config::{Installation, MailboxConfig, RawMailConfig, SmtpConfig},
    daemon,
    domain::remedies::remedy,
    edge::{blobs::objects::Objects, mailbox::maildir, reader::child::probe, store::Store},
    pipeline::watch::{self, survey},
};

/// One probe's answer.
struct Answer {
    what: &'static str,
    result: Result<String, String>,
}

/// [`check`] of each programme under its name.
///
/// # Errors
/// When a probe of any failed; all probes are made first.
pub async fn check_all(installations: &[Installation], connect: bool, json: bool) -> anyhow::Result<()> {
    let mut failed = Vec::new();
    for installation in installations {
        let programme = &installation.config.programme;
        if installations.len() > 1 && !json {
            print_line(&format!("{} {}", programme.name, programme.title));
        }
        if let Err(error) = check(installation, connect, json).await {
            failed.push(if installations.len() > 1 { format!("{}: {error}", programme.name) } else { error.to_string() });
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(anyhow!(failed.join("; "))) }
}

/// Says that the configuration is valid; probes read-only with `connect`.
///
/// # Errors
/// When a probe failed; all probes are made first.
pub async fn check(installation: &Installation, connect: bool, json: bool) -> anyhow::Result<()> {
    let knowledge = &installation.knowledge;
    let found = format!(
        "{} forms, {} divisions, {} submitters, all letter templates",
        knowledge.catalogue.forms.len(),
        knowledge.divisions.entries.len(),
        knowledge.submitters.entries.len()
    );
    let mut answers = vec![Answer { what: "configuration", result: Ok(found) }, Answer { what: "reader", result: Ok(confinement()) }];
    if let Some(ocr) = &installation.config.ocr {
        answers.push(Answer { what: "ocr", result: ocr.probe().await });
    }
    if connect {
        answers.push(Answer { what: "mailbox", result: mailbox(installation).await });
        answers.push(Answer { what: "smtp", result: smtp(&installation.config.smtp).await });
        if let Some(internal) = &installation.config.smtp_internal {
            answers.push(Answer { what: "smtp_internal", result: smtp(internal).await });
        }
        if let RawMailConfig::S3(config) = &installation.config.raw_mail {
            answers.push(Answer { what: "raw_mail", result: raw_mail(installation, &config.place.prefix).await });
        }
        answers.push(Answer { what: "database", result: database(installation).await });
    }
    for answer in &answers {
        print_line(&if json { object(answer, &installation.config.programme.name).to_string() } else { line(answer) });
    }
    let failed = answers.iter().filter(|answer| answer.result.is_err()).count();
    if failed > 0 {
        bail!("{failed} of {} checks failed", answers.len());
    }
    Ok(())
}

/// How well this kernel shuts the reading processes in.
fn confinement() -> String {
    let confinement = probe();
    let has = |there: bool, what: &str| if there { what.to_owned() } else { format!("no {what} on this kernel") };
    format!(
        "foreign files are read in child processes with {}, {}",
        has(confinement.landlock, "Landlock"),
        has(confinement.seccomp, "seccomp")
    )
}

fn line(answer: &Answer) -> String {
    match &answer.result {
        Ok(found) => format!("ok      {:<14}{found}", answer.what),
        Err(problem) => {
            let remedy = remedy(problem).map(|remedy| format!("\n        → {remedy}")).unwrap_or_default();
            format!("failed  {:<14}{problem}{remedy}", answer.what)
        }
    }
}

fn object(answer: &Answer, programme: &str) -> Value {
    let (ok, text) = match &answer.result {
        Ok(found) => (true, found),
        Err(problem) => (false, problem),
    };
    json!({"programme": programme, "what": answer.what, "ok": ok, "text": text, "remedy": if ok { None } else { remedy(text) }})
}

async fn mailbox(installation: &Installation) -> Result<String, String> {
    match &installation.config.mailbox {
        MailboxConfig::Maildir(config) => {
            let files = maildir::list(&config.path).await.map_err(|error| error.to_string())?;
            Ok(format!("{} holds {} messages", config.path.display(), files.len()))
        }
        MailboxConfig::Imap(config) => {
            let mut session = watch::open(config, None).await.map_err(|fault| fault.what)?;
            let survey = survey::survey(config, &mut session).await.map_err(|fault| fault.what)?;
            // A folder that is named and not there is an error here.
            let folders: Vec<String> = survey.absent.iter().chain(&survey.present).cloned().collect();
            let probe = session.probe(&folders).await.map_err(|fault| fault.what)?;
            session.logout().await;
            let folders: Vec<String> = probe.folders.iter().map(|(name, state)| format!("{name} ({} messages)", state.exists)).collect();
            let waits = if probe.capabilities.iter().any(|capability| capability == "IDLE") { "IDLE" } else { "polling" };
            let server = probe.server.map_or_else(String::new, |server| format!("; the server says {server}"));
            Ok(format!(
                "{}:{} accepts the login; {}; new mail is noticed by {waits}{server}{}",
                config.host,
                config.port,
                folders.join(", "),
                around(&survey)
            ))
        }
    }
}

/// What lies beside the configured folders.
fn around(survey: &survey::Survey) -> String {
    let mut said = String::new();
    if !survey.unwatched.is_empty() {
        said.push_str(&format!("; mailbox.folders may add {}", survey.unwatched.join(", ")));
    }
    for (folder, count) in survey.infected.iter().filter(|(_, count)| *count > 0) {
        said.push_str(&format!("; {folder} holds {count} mails that are not read"));
    }
    said
}

async fn smtp(config: &SmtpConfig) -> Result<String, String> {
    daemon::outlet_of(config).probe().await.map_err(|refusal| refusal.what)
}

/// The one probe that writes: whether objects can be put is seen in no other way.
async fn raw_mail(installation: &Installation, prefix: &str) -> Result<String, String> {
    let settings = installation.config.raw_mail.objects()?.ok_or("no object store is configured")?;
    let objects = Objects::open(&settings).map_err(|error| error.to_string())?;
    objects.probe().await.map_err(|error| error.to_string())?;
    Ok(format!("{} takes objects below {prefix:?}, gives them back and deletes them", objects.place()))
}

async fn database(installation: &Installation) -> Result<String, String> {
    let Some(store) = open_read_only(installation).await.map_err(|error| error.to_string())? else {
        return Ok("none yet; it is made at the first start".to_owned());
    };
    let (version, newest) = (store.schema_version().await.map_err(|error| error.to_string())?, Store::newest_schema());
    match version.cmp(&newest) {
        std::cmp::Ordering::Equal => {
            Ok(format!("schema {version}, integrity {}", store.integrity().await.map_err(|error| error.to_string())?))
        }
        std::cmp::Ordering::Less => Ok(format!("schema {version}; the next start brings it to {newest}")),
        std::cmp::Ordering::Greater => Err(format!("schema {version} was made by a newer annexd; this program knows {newest}")),
    }
}
