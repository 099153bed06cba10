//! A bureau at its desk: writes mails with annexes made from the shipped forms, sends them by SMTP and reads the answers by IMAP.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use annexd::domain::{
    forms::{
        blank::{blank_docx, blank_xlsx},
        catalogue::Catalogue,
    },
    limits::Limits,
    message::{self, Message},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{Annexd, MailSystem, accounts::DEPARTMENT};

const WAIT: Duration = Duration::from_secs(60);
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A topic by field key.
pub type Fields = BTreeMap<String, String>;

/// The same topic with some fields written anew; an empty text takes a field out.
pub fn with(topic: &Fields, changes: &[(&str, &str)]) -> Fields {
    let mut topic = topic.clone();
    for (key, text) in changes {
        topic.insert((*key).to_owned(), (*text).to_owned());
    }
    topic.retain(|_, text| !text.is_empty());
    topic
}

/// A file to attach.
pub struct File {
    name: String,
    media_type: &'static str,
    bytes: Vec<u8>,
}

/// Annex 1 of one topic.
pub fn form(topic: &Fields) -> File {
    let catalogue = Catalogue::shipped();
    let bytes = blank_docx(catalogue.form("annex1").unwrap(), topic).unwrap();
    File { name: format!("附件1-{}.docx", topic["topic_title"]), media_type: DOCX, bytes }
}

/// Any Word file.
pub fn document(name: &str, bytes: Vec<u8>) -> File {
    File { name: name.to_owned(), media_type: DOCX, bytes }
}

/// Annex 2 with these rows.
pub fn table(bureau: &str, rows: &[Fields]) -> File {
    let catalogue = Catalogue::shipped();
    let heading = Fields::from([("bureau".to_owned(), bureau.to_owned())]);
    let rows: Vec<Fields> = (1..).zip(rows).map(|(no, row)| with(row, &[("no", &format!("{no}"))])).collect();
    let bytes = blank_xlsx(catalogue.form("annex2").unwrap(), &heading, &rows).unwrap();
    File { name: "附件2-专项课题汇总表.xlsx".to_owned(), media_type: XLSX, bytes }
}

/// The bureau's formal letter: a page without text, as a scanner makes it.
pub fn letter(bureau: &str) -> File {
    let page = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
                3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
    File { name: format!("{bureau}关于报送专项课题的函.pdf"), media_type: "application/pdf", bytes: page.as_bytes().to_vec() }
}

/// A mail in the writing.
pub struct Mail<'a> {
    pub from: &'a str,
    pub name: &'a str,
    pub subject: &'a str,
    pub text: &'a str,
    /// Left part of the Message-ID.
    pub id: &'a str,
    pub files: Vec<File>,
    /// The answer that this mail replies to.
    pub to: Option<&'a Message>,
}

impl Mail<'_> {
    pub fn bytes(&self) -> Vec<u8> {
        let word = |text: &str| format!("=?UTF-8?B?{}?=", STANDARD.encode(text));
        let mut out = format!(
            "From: {} <{}>\r\nTo: {DEPARTMENT}\r\nSubject: {}\r\nDate: Thu, 15 Aug 2024 09:02:03 +0800\r\nMessage-ID: <{}@example.cn>\r\n",
            word(self.name),
            self.from,
            word(self.subject),
            self.id
        );
        let mut text = self.text.to_owned();
        if let Some(answered) = self.to {
            let id = answered.message_id.as_deref().unwrap();
            let _ = write!(out, "In-Reply-To: <{id}>\r\nReferences: <{id}>\r\n");
            let _ = write!(text, "\r\n\r\n------------------ 原始邮件 ------------------\r\n发件人: {DEPARTMENT}\r\n");
            answered.text.lines().for_each(|line| text.push_str(&format!("> {line}\r\n")));
        }
        out.push_str("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n");
        let text = folded(text.as_bytes());
        let _ = write!(out, "--=_b\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{text}");
        for file in &self.files {
            let (name, body) = (word(&file.name), folded(&file.bytes));
            let _ = write!(
                out,
                "--=_b\r\nContent-Type: {}; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}",
                file.media_type
            );
        }
        out.push_str("--=_b--\r\n");
        out.into_bytes()
    }
}

fn folded(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    text.as_bytes().chunks(76).map(|line| format!("{}\r\n", String::from_utf8_lossy(line))).collect()
}

/// The department's daemon beside real mail servers.
pub struct Department {
    pub mail: MailSystem,
    pub annexd: Annexd,
}

impl Department {
    pub fn open() -> Self {
        let mail = MailSystem::start();
        let annexd = Annexd::beside(&mail);
        Self { mail, annexd }
    }

    /// Sends a mail, lets annexd work, and returns the sender's receipt; `None` where no receipt was written.
    pub fn receives(&self, mail: &Mail<'_>) -> Option<Message> {
        self.receives_raw(mail.from, &mail.bytes())
    }

    /// As [`Department::receives`], with the bytes as given.
    pub fn receives_raw(&self, from: &str, raw: &[u8]) -> Option<Message> {
        let (receipts, mails) = (self.receipts(), self.mail.inbox(DEPARTMENT).len());
        self.mail.send(from, DEPARTMENT, raw);
        self.mail.wait_for(DEPARTMENT, mails + 1, WAIT);
        let arrived = self.mail.inbox(from).len();
        self.annexd.say(&["poll"]);
        let written = self.receipts() - receipts;
        assert!(written <= 1, "one mail caused {written} receipts");
        let letters = (written == 1).then(|| self.mail.wait_for(from, arrived + 1, WAIT))?;
        message::parse(letters.last().unwrap(), &Limits::default()).ok()
    }

    fn receipts(&self) -> usize {
        self.annexd.export("letters").iter().filter(|letter| letter["kind"] == "ack").count()
    }

    /// The recorded topics, oldest first.
    pub fn topics(&self) -> Vec<Value> {
        self.annexd.export("topics")
    }

    /// `annexd topic show`, as values.
    pub fn story(&self, number: &str) -> Value {
        serde_json::from_str(&self.annexd.say(&["--json", "topic", "show", number])).unwrap()
    }
}
