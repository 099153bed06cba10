//! `annexd submitters` and `annexd divisions`: who may submit and who receives, as annexd knows them now.

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use clap::Subcommand;
use serde_json::json;

use super::print_line;
use crate::{
    config::Installation,
    domain::submitters::{Decision, Submitters},
};

#[derive(Debug, Subcommand)]
pub enum SubmittersAction {
    /// All submitters, with their known addresses
    List,
    /// Add one to submitters.toml; a running annexd takes it up on SIGHUP (systemctl reload annexd)
    Add {
        /// Short id of Latin letters: nongan
        id: String,
        /// Official name: 农安县工业和信息化局
        name: String,
        /// Other names; may be given several times
        #[arg(long = "alias", value_name = "NAME")]
        aliases: Vec<String>,
        /// Known mail address, or @domain; may be given several times
        #[arg(long = "address", value_name = "ADDRESS")]
        addresses: Vec<String>,
        /// GB/T 2260 code of the area, 4 or 6 digits
        #[arg(long, default_value = "22")]
        area: String,
        /// Its topics are accepted as those of the notice's submitters; else they wait for a person
        #[arg(long)]
        accept: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum DivisionsAction {
    /// All divisions, with their addresses and times
    List,
}

/// Lists or adds submitters.
///
/// # Errors
/// An id or name that is there already, or a file that cannot be written.
pub fn submitters(installation: &Installation, action: SubmittersAction, json: bool) -> anyhow::Result<()> {
    let known = &installation.knowledge.submitters;
    match action {
        SubmittersAction::List => {
            for one in &known.entries {
                let decision = if one.decision == Decision::Accept { "受理" } else { "待人工确认" };
                print_line(&if json {
                    json!({"id": one.id, "name": one.name, "abbreviations": one.abbreviations, "area": one.area, "decision": one.decision, "addresses": one.addresses})
                        .to_string()
                } else {
                    format!("{}  {}  {decision}  {}", one.id, one.name, one.addresses.join(" ")).trim_end().to_owned()
                });
            }
        }
        SubmittersAction::Add { id, name, aliases, addresses, area, accept } => {
            ensure!(
                !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'),
                "{id:?} is no id; use Latin letters, digits, - and _"
            );
            let clash = known.entries.iter().find(|one| one.id == id || one.name == name || one.abbreviations.contains(&name));
            if let Some(clash) = clash {
                bail!("{} ({}) is there already", clash.name, clash.id);
            }
            let file = &installation.config.data.submitters_file;
            let text = match std::fs::read_to_string(file) {
                Ok(text) => text,
                // Until now the built-in directory applied; it goes on to do so, with one more.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Submitters::shipped_text().to_owned(),
                Err(error) => return Err(error).with_context(|| format!("{} cannot be read", file.display())),
            };
            let text = format!("{}\n{}", text.trim_end(), entry(&id, &name, &aliases, &addresses, &area, accept));
            if let Err(problems) = Submitters::parse(&text) {
                bail!("the new entry is not valid: {}", problems.join("; "));
            }
            replace(file, &text)?;
            print_line(&format!("{name}已写入 {}。运行中的annexd：systemctl reload annexd 后生效。", file.display()));
        }
    }
    Ok(())
}

fn entry(id: &str, name: &str, aliases: &[String], addresses: &[String], area: &str, accept: bool) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let list = |texts: &[String]| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
    format!(
        "\n[[submitter]]\nid = {}\nname = {}\nabbreviations = [{}]\narea = {}\nclass = \"other\"\ndecision = \"{}\"\naddresses = [{}]\n",
        quoted(id),
        quoted(name),
        list(aliases),
        quoted(area),
        if accept { "accept" } else { "hold" },
        list(addresses)
    )
}

/// The file is never half-written.
fn replace(file: &PathBuf, text: &str) -> anyhow::Result<()> {
    let fresh = file.with_extension("toml.new");
    std::fs::write(&fresh, text).with_context(|| format!("{} cannot be written", fresh.display()))?;
    std::fs::rename(&fresh, file).with_context(|| format!("{} cannot be replaced", file.display()))
}

/// Lists divisions.
pub fn divisions(installation: &Installation, action: &DivisionsAction, json: bool) {
    match action {
        DivisionsAction::List => {
            let divisions = &installation.knowledge.divisions;
            for one in &divisions.entries {
                let fallback = one.id == divisions.fallback;
                print_line(&if json {
                    json!({"id": one.id, "name": one.name, "mail": one.mail, "queue_at": one.queue_at, "fallback": fallback, "codes": one.codes}).to_string()
                } else {
                    let mail = if one.mail.is_empty() { "未填收信地址，不发信".to_owned() } else { one.mail.join(" ") };
                    let last = if fallback { "  （拿不准的转此处）" } else { "" };
                    format!("{}  {}  {mail}  {}{last}", one.id, one.name, one.queue_at.join(" ")).trim_end().to_owned()
                });
            }
        }
    }
}
