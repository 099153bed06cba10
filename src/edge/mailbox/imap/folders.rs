//! Which folders an account has. Not every account has all of NetEase's, and a person may add some.

use std::collections::BTreeSet;

use async_imap::imap_proto::{MailboxDatum, Response};

use super::Session;
use crate::edge::fault::Fault;

impl Session {
    /// Names of all folders, in plain Unicode.
    ///
    /// # Errors
    /// A fault; a refusal is never an empty answer.
    pub async fn folders(&mut self) -> Result<BTreeSet<String>, Fault> {
        let mut names = BTreeSet::new();
        self.command("LIST", "LIST \"\" \"*\"", |response| {
            if let Response::MailboxData(MailboxDatum::List(listed)) = response {
                names.insert(utf7_imap::decode_utf7_imap(listed.name.to_string()));
            }
        })
        .await?;
        Ok(names)
    }
}
