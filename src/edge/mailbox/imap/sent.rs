//! The Sent folder: which of our letters the provider has filed there. NetEase files what leaves by SMTP by itself. Searching by
//! header is not trusted (servers answer it with an empty OK); recent mails are fetched and compared here.

use std::collections::BTreeSet;

use async_imap::imap_proto::{AttributeValue, MailboxDatum, MessageSection, NameAttribute, Response, SectionPath};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use super::Session;
use crate::edge::fault::Fault;

/// Names of the folder where no special use (RFC 6154) is announced, in the order of preference.
const NAMES: [&str; 5] = ["已发送", "Sent", "Sent Messages", "Sent Items", "已发邮件"];
/// Latest mails looked at.
const LOOK_MAX: usize = 300;

impl Session {
    /// Message-IDs of the mails filed as sent since a moment; `None` where there is no such folder.
    ///
    /// # Errors
    /// A fault; a refusal is never an empty answer.
    pub async fn sent_message_ids(&mut self, since: Timestamp) -> Result<Option<BTreeSet<String>>, Fault> {
        let Some(folder) = self.sent_folder().await? else { return Ok(None) };
        if self.examine(&folder).await?.exists == 0 {
            return Ok(Some(BTreeSet::new()));
        }
        // INTERNALDATE is compared by day in a zone that only the server knows (RFC 3501 section 6.4.4).
        let day = since.to_zoned_datetime(TimeZone::UTC).date().saturating_sub(1.day());
        let mut uids = BTreeSet::new();
        self.command("UID SEARCH", &format!("UID SEARCH SINCE {}", day.strftime("%-d-%b-%Y")), |response| {
            if let Response::MailboxData(MailboxDatum::Search(found)) = response {
                uids.extend(found.iter().copied());
            }
        })
        .await?;
        let latest: Vec<String> = uids.iter().rev().take(LOOK_MAX).map(u32::to_string).collect();
        let mut found = BTreeSet::new();
        if latest.is_empty() {
            return Ok(Some(found));
        }
        self.command("UID FETCH", &format!("UID FETCH {} (UID BODY.PEEK[HEADER])", latest.join(",")), |response| {
            if let Response::Fetch(_, attributes) = response {
                found.extend(attributes.iter().filter_map(message_id));
            }
        })
        .await?;
        Ok(Some(found))
    }

    /// By special use, else by name.
    async fn sent_folder(&mut self) -> Result<Option<String>, Fault> {
        let mut by_use = None;
        let mut by_name: Vec<String> = Vec::new();
        self.command("LIST", "LIST \"\" \"*\"", |response| {
            if let Response::MailboxData(MailboxDatum::List(listed)) = response {
                let readable = utf7_imap::decode_utf7_imap(listed.name.to_string());
                let is_sent = |attribute: &NameAttribute<'_>| format!("{attribute:?}").to_ascii_lowercase().contains("sent");
                if listed.name_attributes.iter().any(is_sent) {
                    by_use = Some(readable);
                } else {
                    by_name.push(readable);
                }
            }
        })
        .await?;
        let named = || NAMES.iter().find_map(|wanted| by_name.iter().find(|name| name.rsplit(['/', '.']).next() == Some(wanted)).cloned());
        Ok(by_use.or_else(named))
    }
}

fn message_id(attribute: &AttributeValue<'_>) -> Option<String> {
    let AttributeValue::BodySection { section: Some(SectionPath::Full(MessageSection::Header)), data: Some(data), .. } = attribute else {
        return None;
    };
    let unfolded = String::from_utf8_lossy(data).replace("\r\n ", " ").replace("\r\n\t", " ");
    let line = unfolded.lines().find(|line| line.get(..11).is_some_and(|name| name.eq_ignore_ascii_case("message-id:")))?;
    let id = line.get(line.find('<')?..=line.rfind('>')?)?;
    Some(id.to_owned())
}
