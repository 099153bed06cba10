//! `annexd letters`: letters that did not leave as they should, what a person decides about them, and how each kind reads.

use anyhow::{Context as _, bail};
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::print_line;
use crate::{
    domain::{
        letters::{faults::in_chinese, held_in_words, preview, state_in_words},
        time::chinese_minute,
    },
    edge::store::{ListedLetter, StoredLetter},
    pipeline::House,
};

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Letters that are held, failed or of unknown fate, the latest first
    List {
        /// Also those that wait and those that left
        #[arg(long)]
        all: bool,
    },
    /// One letter as its reader sees it
    Show { id: i64 },
    /// Let them leave after all
    Retry {
        #[arg(required = true)]
        ids: Vec<i64>,
    },
    /// Keep them from leaving
    Hold {
        #[arg(required = true)]
        ids: Vec<i64>,
    },
}

/// Letters shown in one list.
const LIST_MAX: u32 = 1000;

/// Carries out one action.
///
/// # Errors
/// When an id names no letter that the action fits, or the store fails.
pub async fn letters(house: &House, action: Action, json: bool) -> anyhow::Result<()> {
    match action {
        Action::List { all } => list(house, all, json).await?,
        Action::Show { id } => {
            let missing = || format!("there is no letter {id}");
            let letter = house.store.letter(id).await?.with_context(missing)?;
            let listed = house.store.listed_letter(id).await?.with_context(missing)?;
            print_line(&if json { whole_object(&listed, &letter).to_string() } else { whole(house, &listed, &letter) });
        }
        Action::Retry { ids } => {
            for id in ids {
                let letter = house.store.letter(id).await?.with_context(|| format!("there is no letter {id}"))?;
                if !house.store.retry_letter(id, house.now()).await? {
                    bail!("letter {id} is neither held nor failed nor unknown; nothing is to be done");
                }
                house.store.unmark_undeliverable(&letter.to).await?;
                let said = format!("编号{id}已重新排队，annexd run或下一次annexd poll时发出。");
                print_line(&if json { json!({"id": id, "state": "queued"}).to_string() } else { said });
            }
        }
        Action::Hold { ids } => {
            for id in ids {
                if !house.store.letter_held(id, "person", None).await? {
                    bail!("letter {id} cannot be held: there is none, it left already, or it is leaving");
                }
                let said = format!("编号{id}已暂缓，不会发出。如需发出：annexd letters retry {id}");
                print_line(&if json { json!({"id": id, "state": "held"}).to_string() } else { said });
            }
        }
    }
    Ok(())
}

/// Letters that need a person, how many wait, and the accounts that rest.
async fn list(house: &House, all: bool, json: bool) -> anyhow::Result<()> {
    let letters = house.store.letter_list(all, LIST_MAX).await?;
    if json {
        letters.iter().for_each(|letter| print_line(&object(letter).to_string()));
        return Ok(());
    }
    letters.iter().for_each(|letter| print_line(&entry(house, letter)));
    if letters.is_empty() {
        print_line("没有需要人工处理的信。");
    }
    let (waiting, first) = house.store.letters_queued().await?;
    if let Some(first) = first.filter(|_| waiting > 0) {
        let now = house.now();
        let when = if first > now {
            format!("最早于{}发出", chinese_minute(first, &house.zone))
        } else {
            "将按发送限额依次发出".to_owned()
        };
        print_line(&format!("待发{waiting}封，{when}。"));
    }
    for smtp in [Some(&house.config.smtp), house.config.smtp_internal.as_ref()].into_iter().flatten() {
        let (name, state) = (smtp.account(), house.store.sending_state(&smtp.account()).await?);
        if let Some(until) = state.halted_until.filter(|until| *until > house.now()) {
            print_line(&format!("发信账号{name}暂停至{}：{}", chinese_minute(until, &house.zone), in_chinese(&state.reason)));
        }
    }
    Ok(())
}

/// Prints a kind of letter on made-up values, or the names of all kinds.
///
/// # Errors
/// When there is no such kind, or its template does not render.
pub fn show_preview(templates: &crate::domain::letters::templates::Templates, kind: Option<&str>, json: bool) -> anyhow::Result<()> {
    let Some(kind) = kind else {
        for sample in preview::samples() {
            print_line(&if json {
                json!({"kind": sample.name, "about": sample.about}).to_string()
            } else {
                format!("{:<24}{}", sample.name, sample.about)
            });
        }
        return Ok(());
    };
    let wanted: Vec<preview::Sample> =
        preview::samples().into_iter().filter(|sample| sample.name == kind || sample.template.starts_with(kind)).collect();
    if wanted.is_empty() {
        bail!("there is no kind of letter called {kind:?}; `annexd letters preview` lists them");
    }
    for sample in wanted {
        let rendered = sample.render(templates).map_err(|problem| anyhow::anyhow!(problem))?;
        print_line(&if json {
            json!({"kind": sample.name, "subject": rendered.subject, "text": rendered.text}).to_string()
        } else {
            format!("── {} · {}\n{}\n\n{}", sample.name, sample.about, rendered.subject, rendered.text)
        });
    }
    Ok(())
}

fn object(letter: &ListedLetter) -> Value {
    let time = |millis: i64| Timestamp::from_millisecond(millis).ok().map(|at| at.to_string());
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    json!({
        "id": letter.id, "kind": letter.kind, "to": letter.recipient, "subject": letter.subject, "state": letter.state,
        "attempts": letter.attempts, "created_at": time(letter.created_at), "due_at": time(letter.due_at),
        "sent_at": letter.sent_at.and_then(time), "held_because": some(&letter.held_because), "last_reply": some(&letter.last_reply),
    })
}

/// One letter of the list: what it is, why it stays, what can be done.
fn entry(house: &House, letter: &ListedLetter) -> String {
    let state = state_in_words(&letter.state);
    let mut lines = vec![format!("编号{}  {state}  {}  {}  {}", letter.id, kind(&letter.kind), letter.recipient, letter.subject)];
    let why = why(letter);
    if matches!(letter.state.as_str(), "held" | "failed" | "unknown") {
        if !why.is_empty() {
            lines.push(format!("        原因：{why}"));
        }
        lines.push(format!("        补发：annexd letters retry {}", letter.id));
    } else if letter.state == "queued" {
        let due = Timestamp::from_millisecond(letter.due_at).unwrap_or_default();
        let last = if why.is_empty() { String::new() } else { format!("；上次未发出：{why}") };
        lines.push(format!("        不早于{}发出{last}", chinese_minute(due, &house.zone)));
    }
    lines.join("\n")
}

fn why(letter: &ListedLetter) -> String {
    match (letter.held_because.as_str(), letter.last_reply.as_str()) {
        ("", reply) => in_chinese(reply),
        (because, "") => held_in_words(because).to_owned(),
        (because, reply) => format!("{}；{}", held_in_words(because), in_chinese(reply)),
    }
}

fn kind(kind: &str) -> &str {
    match kind {
        "ack" => "回信",
        "queue" => "处室清单",
        "digest" => "日报",
        "alert" => "告警",
        other => other,
    }
}

fn whole(house: &House, listed: &ListedLetter, letter: &StoredLetter) -> String {
    let mut head = vec![
        format!("编号：{}（{}）", listed.id, kind(&listed.kind)),
        format!("状态：{}；已试{}次", state_in_words(&listed.state), listed.attempts),
    ];
    let why = why(listed);
    if !why.is_empty() {
        head.push(format!("{}：{why}", if listed.state == "sent" { "服务器答复" } else { "原因" }));
    }
    for (name, millis) in [("写信时间", Some(listed.created_at)), ("发出时间", listed.sent_at)] {
        if let Some(at) = millis.and_then(|millis| Timestamp::from_millisecond(millis).ok()) {
            head.push(format!("{name}：{}", chinese_minute(at, &house.zone)));
        }
    }
    head.push(format!("收件人：{}", letter.to));
    head.push(format!("主题：{}", letter.subject));
    head.push(format!("Message-ID：{}", letter.message_id));
    let files: Vec<&str> = letter.enclosures.iter().map(|file| file.name.as_str()).collect();
    if !files.is_empty() {
        head.push(format!("附件：{}", files.join("、")));
    }
    format!("{}\n\n{}", head.join("\n"), letter.text.trim_end())
}

fn whole_object(listed: &ListedLetter, letter: &StoredLetter) -> Value {
    let mut whole = object(listed);
    if let Some(entries) = whole.as_object_mut() {
        let files: Vec<&str> = letter.enclosures.iter().map(|file| file.name.as_str()).collect();
        let more = [
            ("message_id", json!(letter.message_id)),
            ("in_reply_to", json!(letter.in_reply_to)),
            ("text", json!(letter.text)),
            ("html", json!(letter.html)),
            ("files", json!(files)),
        ];
        entries.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    whole
}
