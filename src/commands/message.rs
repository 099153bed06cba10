//! `annexd message`: one mail with everything annexd holds about it: headers, files, verdict, topics and letters.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use super::print_line;
use crate::{
    domain::{status::board, time::chinese_minute},
    edge::store::UNDELIVERED,
    pipeline::House,
};

/// Header bytes shown at most.
const HEADERS_MAX_BYTES: usize = 16 << 10;

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Headers, files, verdict, topics and letters of one mail
    Show {
        /// Its number, or the beginning of its SHA-256 as the log shows it
        id: String,
    },
    /// Write the raw mail to a file
    Export {
        id: String,
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// Carries out one action.
///
/// # Errors
/// When no mail has that number, or its raw bytes cannot be read back.
pub async fn message(house: &House, action: Action, json: bool) -> anyhow::Result<()> {
    match action {
        Action::Show { id } => {
            let mut story = find(house, &id).await?;
            let headers = headers(house, &story).await;
            if json {
                if let Value::Object(story) = &mut story {
                    story.insert("headers".to_owned(), headers.map_or(Value::Null, Value::from));
                }
                print_line(&story.to_string());
            } else {
                print_line(&in_words(&story, headers.as_deref(), house));
            }
        }
        Action::Export { id, out } => {
            let story = find(house, &id).await?;
            let raw = raw(house, &story).await?;
            std::fs::write(&out, raw).with_context(|| format!("{} cannot be written", out.display()))?;
        }
    }
    Ok(())
}

async fn find(house: &House, id: &str) -> anyhow::Result<Value> {
    let story = house.store.message_story(id).await?;
    story.with_context(|| format!("no mail has the number {id}, or several begin so; `annexd export messages` lists them"))
}

async fn raw(house: &House, story: &Value) -> anyhow::Result<Vec<u8>> {
    let sha256 = text(story, "sha256");
    if sha256.starts_with(UNDELIVERED) {
        bail!("the mailbox never delivered this mail; look at it in the web mail");
    }
    if story["bytes"] == 0 {
        bail!("its raw bytes were removed by `annexd purge`");
    }
    house.blobs.get(sha256).await.context("the raw mail could not be read back")
}

/// The raw header lines, as they came; `None` where they are gone.
async fn headers(house: &House, story: &Value) -> Option<String> {
    let raw = raw(house, story).await.ok()?;
    let crlf = raw.windows(4).position(|four| four == b"\r\n\r\n");
    let end = crlf.or_else(|| raw.windows(2).position(|two| two == b"\n\n")).unwrap_or(raw.len()).min(HEADERS_MAX_BYTES);
    let text = String::from_utf8_lossy(raw.get(..end)?).replace("\r\n", "\n");
    // What is foreign must not steer the terminal.
    Some(text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{FFFD}' } else { c }).collect())
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn when(value: &Value, key: &str, zone: &TimeZone) -> String {
    text(value, key).parse::<Timestamp>().map_or_else(|_| "–".to_owned(), |at| chinese_minute(at, zone))
}

fn in_words(story: &Value, headers: Option<&str>, house: &House) -> String {
    let zone = &house.zone;
    let division = |id: &str| house.knowledge.divisions.division(id).map_or_else(|| id.to_owned(), |division| division.name.clone());
    let mut lines = vec![
        format!("来信 {}  {:.12}  {}字节", story["id"], text(story, "sha256"), story["bytes"]),
        format!("  主题  {}", text(story, "subject")),
        format!("  发件  {}（身份验证：{}）", text(story, "from"), authentication(text(story, "authentication"))),
        format!("  状态  {}，{}；处理{}次", state_name(text(story, "state")), board::kind_name(text(story, "kind")), story["attempts"]),
        format!("  收到  {}；登记  {}", when(story, "accepted_at", zone), when(story, "recorded_at", zone)),
    ];
    for (label, key) in [("问题", "problem"), ("单位", "bureau"), ("回复", "answer_reason")] {
        if !text(story, key).is_empty() {
            lines.push(format!("  {label}  {}", text(story, key)));
        }
    }
    if let Some(letter) = story["formal_letter"].as_object() {
        let number = letter.get("number").and_then(Value::as_str).unwrap_or("文号未读出");
        lines.push(format!("  公文  {}（{number}）", letter.get("attachment").and_then(Value::as_str).unwrap_or_default()));
    }
    lines.extend(list(story, "seen").iter().map(|seen| {
        format!("  见于  {} {} {}  {}", text(seen, "mailbox"), text(seen, "folder"), text(seen, "locator"), when(seen, "seen_at", zone))
    }));
    section(&mut lines, "附件", list(story, "attachments"), |file| {
        let problem = file["problem"].as_str().map(|problem| format!("：{problem}")).unwrap_or_default();
        format!(
            "{}  {}字节  {}  {}  {}{problem}",
            text(file, "path"),
            file["bytes"],
            text(file, "type"),
            text(file, "role"),
            text(file, "status")
        )
    });
    section(&mut lines, "整封来信的问题", list(story, "findings"), |finding| {
        format!("{} {}", text(finding, "rule"), text(finding, "message"))
    });
    section(&mut lines, "课题", list(story, "topics"), |topic| {
        let change = match text(topic, "change") {
            "new" => "新",
            "revision" => "更正",
            _ => "内容未变",
        };
        format!(
            "{}  {change}  {}  {}",
            text(topic, "id"),
            board::topic_state_name(text(topic, "status")),
            division(text(topic, "division"))
        )
    });
    section(&mut lines, "由此发出的信", list(story, "letters"), |letter| {
        let reply = letter["last_reply"].as_str().map(|reply| format!("  服务器：{reply}")).unwrap_or_default();
        format!(
            "{}  {}  {}  {}  {}{reply}",
            letter["id"],
            text(letter, "to"),
            text(letter, "state"),
            when(letter, "sent_at", zone),
            text(letter, "subject")
        )
    });
    lines.push(String::new());
    lines.push(headers.map_or_else(|| "原始信头：原始邮件已不在。".to_owned(), |headers| format!("原始信头\n{headers}")));
    lines.join("\n")
}

fn section(lines: &mut Vec<String>, title: &str, values: &[Value], line: impl Fn(&Value) -> String) {
    if !values.is_empty() {
        lines.push(format!("\n{title}"));
        lines.extend(values.iter().map(|value| format!("  {}", line(value))));
    }
}

fn state_name(state: &str) -> &str {
    match state {
        "accepted" => "待处理",
        "recorded" => "已登记",
        "ignored" => "忽略",
        "duplicate" => "重复",
        "parked" => "搁置",
        other => other,
    }
}

fn authentication(found: &str) -> &str {
    match found {
        "verified" => "通过",
        "failed" => "未通过",
        _ => "不明",
    }
}
