//! `annexd letters`: letters that did not leave as they should, what a person decides about them, and how each kind reads.

use anyhow::{Context as _, bail};
use clap::Subcommand;
use serde_json::{Value, json};

use super::print_line;
use crate::{
    domain::letters::preview,
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
        Action::List { all } => {
            let letters = house.store.letter_list(all, LIST_MAX).await?;
            for letter in &letters {
                print_line(&if json { object(letter).to_string() } else { line(letter) });
            }
            if letters.is_empty() && !json {
                print_line("No letter needs a person.");
            }
        }
        Action::Show { id } => {
            let letter = house.store.letter(id).await?.with_context(|| format!("there is no letter {id}"))?;
            print_line(&if json { whole_object(&letter).to_string() } else { whole(&letter) });
        }
        Action::Retry { ids } => {
            for id in ids {
                let letter = house.store.letter(id).await?.with_context(|| format!("there is no letter {id}"))?;
                if !house.store.retry_letter(id, house.now()).await? {
                    bail!("letter {id} is neither held nor failed nor unknown; nothing is to be done");
                }
                house.store.unmark_undeliverable(&letter.to).await?;
                print_line(&format!("Letter {id} is queued; it leaves at the next round of `annexd run` or `annexd poll`."));
            }
        }
        Action::Hold { ids } => {
            for id in ids {
                if !house.store.letter_held(id, "person", None).await? {
                    bail!("letter {id} cannot be held: there is none, it left already, or it is leaving");
                }
            }
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
    json!({
        "id": letter.id, "kind": letter.kind, "to": letter.recipient, "subject": letter.subject, "state": letter.state,
        "attempts": letter.attempts, "held_because": letter.held_because, "last_reply": letter.last_reply,
    })
}

fn line(letter: &ListedLetter) -> String {
    let because = if letter.held_because.is_empty() { String::new() } else { format!(" ({})", letter.held_because) };
    format!("{}  {}{because}  {}  {}  {}: {}", letter.id, letter.state, letter.kind, letter.recipient, letter.subject, letter.last_reply)
}

fn whole(letter: &StoredLetter) -> String {
    let files: Vec<&str> = letter.enclosures.iter().map(|file| file.name.as_str()).collect();
    let files = if files.is_empty() { String::new() } else { format!("\nFiles: {}", files.join(", ")) };
    format!("To: {}\nSubject: {}\nMessage-ID: {}{files}\n\n{}", letter.to, letter.subject, letter.message_id, letter.text)
}

fn whole_object(letter: &StoredLetter) -> Value {
    json!({
        "id": letter.id, "to": letter.to, "subject": letter.subject, "message_id": letter.message_id, "text": letter.text,
        "html": letter.html, "attempts": letter.attempts, "last_reply": letter.last_reply,
        "files": letter.enclosures.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(),
    })
}
