//! A department with twelve divisions that have mailboxes, one submission marked urgent, and what a division's officer does.

use std::{fs, path::Path, process::Command, time::Duration};

use mail_parser::{MessageParser, MimeHeaders as _};
use serde_json::Value;

use crate::support::{
    Annexd, MailSystem,
    accounts::{DEPARTMENT, DIVISIONS},
};

const WAIT: Duration = Duration::from_secs(60);

/// A letter as its reader sees it.
pub struct Received {
    pub subject: String,
    /// Encoded as it came, for replies.
    raw_subject: String,
    pub message_id: String,
    pub in_reply_to: Option<String>,
    pub text: String,
    pub files: Vec<(String, Vec<u8>)>,
}

impl Received {
    fn of(raw: &[u8]) -> Self {
        let message = MessageParser::default().parse(raw).unwrap();
        let head = String::from_utf8_lossy(raw).split("\r\n\r\n").next().unwrap().to_owned();
        let start = head.find("\nSubject:").unwrap() + 1;
        let rest = &head[start..];
        let end = rest.match_indices("\r\n").map(|(at, _)| at).find(|at| !rest[at + 2..].starts_with([' ', '\t'])).unwrap_or(rest.len());
        Self {
            subject: message.subject().unwrap().to_owned(),
            raw_subject: rest["Subject:".len()..end].to_owned(),
            message_id: message.message_id().unwrap().to_owned(),
            in_reply_to: message.in_reply_to().as_text().map(str::to_owned),
            text: message.body_text(0).unwrap().into_owned(),
            files: message
                .attachments()
                .map(|part| (part.attachment_name().unwrap_or_default().to_owned(), part.contents().to_vec()))
                .collect(),
        }
    }

    pub fn names(&self) -> Vec<&str> {
        self.files.iter().map(|(name, _)| name.as_str()).collect()
    }
}

pub struct Desk {
    mail: MailSystem,
    annexd: Annexd,
}

impl Desk {
    pub fn open() -> Self {
        let mail = MailSystem::start();
        let annexd = Annexd::beside(&mail);
        let mut table = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/divisions.toml")).unwrap();
        for id in DIVISIONS {
            let head = table.find(&format!("id = \"{id}\"")).unwrap();
            let at = head + table[head..].find("mail = []").unwrap();
            table.replace_range(at..at + "mail = []".len(), &format!("mail = [\"{id}@division.example.cn\"]"));
        }
        fs::write(annexd.folder().join("divisions.toml"), table).unwrap();
        Self { mail, annexd }
    }

    pub fn say(&self, arguments: &[&str]) -> String {
        self.annexd.say(arguments)
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.say(arguments)).unwrap()
    }

    pub fn export(&self, what: &str) -> Vec<Value> {
        self.annexd.export(what)
    }

    pub fn poll(&self) {
        self.say(&["poll"]);
    }

    /// The bureau of Changchun sends three topics marked 加急; its Message-ID.
    pub fn submit_urgent(&self) -> String {
        let raw = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journey/01-changchun-batch.eml")).unwrap();
        let whole = String::from_utf8(raw).unwrap();
        let (head, body) = whole.split_once("\r\n\r\n").unwrap();
        let mut kept = Vec::new();
        let mut in_subject = false;
        for line in head.split("\r\n") {
            in_subject = line.starts_with("Subject:") || (in_subject && line.starts_with([' ', '\t']));
            if !in_subject {
                kept.push(line);
            }
        }
        // 【加急】长春市工信局报送专项课题
        kept.push("Subject: =?utf-8?B?44CQ5Yqg5oCl44CR6ZW/5pil5biC5bel5L+h5bGA5oql6YCB5LiT6aG56K++6aKY?=");
        self.mail.send("gxj-changchun@example.cn", DEPARTMENT, format!("{}\r\n\r\n{body}", kept.join("\r\n")).as_bytes());
        self.mail.wait_for(DEPARTMENT, 1, WAIT);
        self.poll();
        MessageParser::default().parse(whole.as_bytes()).unwrap().message_id().unwrap().to_owned()
    }

    pub fn topic(&self, words: &str) -> Value {
        self.export("topics").into_iter().find(|topic| topic["fields"]["topic_title"].as_str().unwrap().contains(words)).unwrap()
    }

    pub fn number_of(&self, words: &str) -> String {
        self.topic(words)["id"].as_str().unwrap().to_owned()
    }

    pub fn letters_to(&self, address: &str, count: usize) -> Vec<Received> {
        let arrived = self.mail.wait_for(address, count, WAIT);
        assert!(arrived.len() >= count, "{address} got {} letters", arrived.len());
        arrived.iter().map(|raw| Received::of(raw)).collect()
    }

    /// The `nth` letter to a division, from 1.
    pub fn letter_to(&self, division: &str, nth: usize) -> Received {
        self.letters_to(&format!("{division}@division.example.cn"), nth).swap_remove(nth - 1)
    }

    /// Answers a letter as a mail program does.
    pub fn reply(&self, from: &str, letter: &Received, text: &str, files: &[(&str, &[u8])]) {
        let head = format!("Subject: Re:{}\r\nIn-Reply-To: <{id}>\r\nReferences: <{id}>\r\n", letter.raw_subject, id = letter.message_id);
        self.post(from, &head, text, files);
    }

    pub fn write(&self, from: &str, head: &str, text: &str) {
        self.post(from, head, text, &[]);
    }

    fn post(&self, from: &str, head: &str, text: &str, files: &[(&str, &[u8])]) {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let lines = |bytes: &[u8]| {
            let encoded = STANDARD.encode(bytes);
            encoded.as_bytes().chunks(76).map(|line| String::from_utf8(line.to_vec()).unwrap()).collect::<Vec<_>>().join("\r\n")
        };
        let before = self.mail.inbox(DEPARTMENT).len();
        let mut body = format!(
            "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            lines(text.as_bytes())
        );
        for (name, bytes) in files {
            let name = format!("=?utf-8?B?{}?=", STANDARD.encode(name));
            body.push_str(&format!(
                "--b\r\nContent-Type: application/octet-stream; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
                lines(bytes)
            ));
        }
        let raw = format!(
            "From: <{from}>\r\nTo: <{DEPARTMENT}>\r\nMessage-ID: <{before}.{}@client.example.cn>\r\nDate: Mon, 19 Aug 2024 09:00:0{} +0800\r\n{head}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{body}--b--\r\n",
            from.len(),
            before % 10
        );
        self.mail.send(from, DEPARTMENT, raw.as_bytes());
        self.mail.wait_for(DEPARTMENT, before + 1, WAIT);
    }

    /// Today in the department's zone.
    pub fn today(&self) -> String {
        jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap()).date().to_string()
    }
}

/// Fills in the decision column beside each number and lets LibreOffice open the workbook and save it anew.
pub fn workbook_of(bytes: &[u8], decisions: &[(&str, &str)]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (sent, edited) = (folder.path().join("清单.xlsx"), folder.path().join("edited.xlsx"));
    fs::write(&sent, bytes).unwrap();
    let script = "import json, openpyxl, sys
book = openpyxl.load_workbook(sys.argv[1])
sheet = book['新到课题']
column = [cell.value for cell in sheet[2]].index('处理意见') + 1
for number, words in json.loads(sys.argv[3]):
    row = [cell.row for cell in sheet['B'] if cell.value == number]
    assert len(row) == 1, (number, row)
    sheet.cell(row[0], column).value = words
book.save(sys.argv[2])";
    let filled =
        Command::new("python3").args(["-c", script]).args([&sent, &edited]).arg(serde_json::to_string(decisions).unwrap()).output();
    let filled = filled.expect("python3 with openpyxl fills in the workbook");
    assert!(filled.status.success(), "{}", String::from_utf8_lossy(&filled.stderr));
    let out = folder.path().join("saved");
    let profile = format!("-env:UserInstallation=file://{}", folder.path().join("profile").display());
    let saved = Command::new("soffice").args([&profile, "--headless", "--convert-to", "xlsx", "--outdir"]).args([&out, &edited]).output();
    let saved = saved.expect("LibreOffice saves the workbook");
    assert!(saved.status.success(), "{}", String::from_utf8_lossy(&saved.stderr));
    fs::read(out.join("edited.xlsx")).unwrap()
}
