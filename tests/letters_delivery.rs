//! Letters as they lie in the mailboxes of their readers: through real SMTP and IMAP servers, read back by Python's `email` package
//! and by mutt, neither of which shares anything with the program under test.

use std::{fs, path::Path, process::Command, thread::sleep, time::Duration};

use crate::support::{
    Annexd, MailSystem,
    accounts::{ADMINISTRATORS, DEPARTMENT},
};
use serde_json::Value;

const WAIT: Duration = Duration::from_secs(60);
const BATCH: &str = "01-changchun-batch.eml";
const BUREAU: &str = "gxj-changchun@example.cn";
/// The account that internal letters leave by.
const INTERNAL: &str = "deputy@dept.example.cn";

fn fixture(file: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journey").join(file)).unwrap()
}

/// An installation with an account of its own for internal letters.
fn installation(mail: &MailSystem) -> Annexd {
    let annexd = Annexd::beside(mail);
    let internal = format!(
        "\n[smtp_internal]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"tls\"\nusername = \"{INTERNAL}\"\npassword_file = \"{}\"\nca_file = \"{}\"\nprovider = \"generic\"\nfrom = \"吉林省工信厅专项课题系统 <{INTERNAL}>\"\nhtml = true\n",
        mail.ports.submissions,
        mail.password_file(INTERNAL).display(),
        mail.certificates.ca.display()
    );
    let configuration = fs::read_to_string(&annexd.configuration).unwrap();
    fs::write(&annexd.configuration, configuration + &internal).unwrap();
    annexd
}

/// What Python's `email` package makes of mails.
fn read_by_python(mails: &[Vec<u8>]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<_> = mails
        .iter()
        .enumerate()
        .map(|(index, raw)| {
            let path = folder.path().join(format!("{index}.eml"));
            fs::write(&path, raw).unwrap();
            path
        })
        .collect();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/read_letters.py");
    let output = Command::new("python3").env("PYTHONUTF8", "1").arg(script).args(paths).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn header(raw: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(raw);
    text.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap_or_else(|| panic!("no {name}")).trim().to_owned()
}

/// What holds for every letter: one of each header, none that invites answers, nothing a strict reader stumbles over.
fn check_letter(letter: &Value, to: &str, from: &str, automatic: &str) {
    let about = letter["headers"]["Subject"].as_str().unwrap();
    assert_eq!(letter["defects"], serde_json::json!([]), "{about}");
    for name in ["Auto-Submitted", "X-Auto-Response-Suppress", "Date", "Message-ID", "To", "From", "Subject"] {
        assert_eq!(letter["count"][name], 1, "{about}: {name}");
    }
    for name in ["Reply-To", "Sender", "Bcc", "Cc"] {
        assert_eq!(letter["count"][name], 0, "{about}: {name}");
    }
    assert_eq!(letter["headers"]["Auto-Submitted"], automatic, "{about}");
    assert_eq!(letter["headers"]["X-Auto-Response-Suppress"], "All", "{about}");
    assert_eq!(letter["recipients"], serde_json::json!([to]), "{about}");
    assert!(letter["headers"]["From"].as_str().unwrap().contains(from), "{about}: {}", letter["headers"]["From"]);
    assert!(letter["names"][0].as_str().unwrap().starts_with("吉林省工信厅"), "{about}: {}", letter["names"]);
    assert!(letter["date_has_zone"] == true && letter["longest_line"].as_u64().unwrap() <= 998, "{about}");
    assert!(about.contains('】') && !about.contains("=?"), "{about}");
    assert!(!letter["text"].as_str().unwrap().trim().is_empty(), "{about}");
}

#[test]
fn a_receipt_arrives_whole_and_threads_under_its_mail() {
    let mail = MailSystem::start();
    let annexd = installation(&mail);
    let batch = fixture(BATCH);
    mail.send(BUREAU, DEPARTMENT, &batch);
    mail.wait_for(DEPARTMENT, 1, WAIT);
    annexd.say(&["poll"]);
    let today = annexd.say(&["digest", "--send"]);
    assert!(today.is_empty() || today.lines().count() < 5, "{today}");

    let receipt = mail.wait_for(BUREAU, 1, WAIT).remove(0);
    let read = read_by_python(std::slice::from_ref(&receipt)).remove(0);
    check_letter(&read, BUREAU, DEPARTMENT, "auto-replied");
    let id = header(&batch, "Message-ID");
    assert_eq!(read["headers"]["In-Reply-To"], id.as_str());
    assert!(read["headers"]["References"].as_str().unwrap().ends_with(&id));
    assert_eq!(read["types"], serde_json::json!(["text/plain"]), "a receipt is plain text for 163's sake");
    assert!(read["text"].as_str().unwrap().contains("长春市工业和信息化局"));
    for size in [80, 120] {
        assert_threads_in_mutt(&[batch.clone(), receipt.clone()], "已收到专项课题材料", size);
    }
}

/// All mail in a mailbox, by its subject.
fn letter_with<'a>(letters: &'a [Value], words: &str) -> &'a Value {
    letters.iter().find(|letter| letter["headers"]["Subject"].as_str().unwrap().contains(words)).unwrap_or_else(|| {
        let subjects: Vec<&Value> = letters.iter().map(|letter| &letter["headers"]["Subject"]).collect();
        panic!("no {words} in {subjects:?}")
    })
}

/// The text twin says what the HTML says, and every picture of the HTML came with it.
fn check_twin(letter: &Value, words: &[&str]) {
    let (text, html) = (letter["text"].as_str().unwrap(), letter["html"].as_str().unwrap());
    for word in words {
        assert!(text.contains(word) && html.contains(word), "{word} is missing:\n{text}\n{html}");
    }
    let shown: std::collections::BTreeSet<&str> = html.split("cid:").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let sent: std::collections::BTreeSet<&str> = letter["cids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(shown, sent);
    assert!(!html.contains("http"), "nothing is fetched from anywhere");
}

#[test]
fn internal_letters_arrive_with_html_pictures_and_a_workbook_and_an_answer_is_confirmed_in_its_thread() {
    let mail = MailSystem::start();
    let annexd = installation(&mail);
    annexd.give_divisions_addresses();
    let text = fs::read_to_string(&annexd.configuration).unwrap();
    // The disk is never that large: an alert of the first round.
    fs::write(&annexd.configuration, format!("{text}\n[alerts]\ndisk_free_min_mib = 1000000000\n")).unwrap();
    mail.send(BUREAU, DEPARTMENT, &fixture(BATCH));
    mail.wait_for(DEPARTMENT, 1, WAIT);
    annexd.say(&["poll"]);
    let today = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap()).date();
    annexd.say(&["digest", "--date", &today.to_string(), "--send"]);
    let topic = annexd.export("topics").remove(0);
    let (number, title) = (topic["id"].as_str().unwrap(), topic["fields"]["topic_title"].as_str().unwrap());
    let division = format!("{}@division.example.cn", topic["division"].as_str().unwrap());

    let raw_queue = mail.wait_for(&division, 1, WAIT).remove(0);
    let queue = read_by_python(std::slice::from_ref(&raw_queue)).remove(0);
    check_letter(&queue, &division, INTERNAL, "auto-generated");
    check_twin(&queue, &[number, title, "受理"]);
    let (name, book) = queue["books"].as_object().unwrap().iter().next().unwrap();
    assert!(name.starts_with("专项课题清单-") && name.ends_with(".xlsx"), "{name}");
    for sheet in ["新到课题", "待办课题"] {
        let rows = book[sheet].as_array().unwrap();
        assert!(rows.iter().any(|row| row[1] == number && row[2] == title), "{sheet}: {rows:?}");
    }

    let reader = ADMINISTRATORS[0];
    // The alert, yesterday's digest, which was due, and today's, which was asked for.
    let letters = read_by_python(&mail.wait_for(reader, 3, WAIT));
    let digest = letter_with(&letters, &format!("专项课题日报】{}", today.strftime("%Y年%-m月%-d日")));
    check_letter(digest, reader, INTERNAL, "auto-generated");
    check_twin(digest, &["长春市工业和信息化局", "邮件核对", "磁盘空间不足"]);
    let pictures = digest["pictures"].as_object().unwrap();
    assert!((2..=3).contains(&pictures.len()), "{pictures:?}");
    assert!(pictures.values().all(|size| size[0] == 720 && (60..500).contains(&size[1].as_u64().unwrap())), "{pictures:?}");
    let alert = letter_with(&letters, "请处理：磁盘空间不足");
    check_letter(alert, reader, INTERNAL, "auto-generated");
    assert_eq!(alert["types"], serde_json::json!(["text/plain"]));

    let id = header(&raw_queue, "Message-ID");
    let subject = queue["headers"]["Subject"].as_str().unwrap();
    let token = subject.rsplit_once('〔').unwrap().1.trim_end_matches('〕');
    let order = format!(
        "From: <{division}>\r\nTo: <{DEPARTMENT}>\r\nSubject: Re: [{token}]\r\nMessage-ID: <order@division.example.cn>\r\nIn-Reply-To: {id}\r\nReferences: {id}\r\nDate: Thu, 15 Aug 2024 10:02:00 +0800\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n受理 {number}\r\n"
    );
    mail.send(&division, DEPARTMENT, order.as_bytes());
    mail.wait_for(DEPARTMENT, 2, WAIT);
    annexd.say(&["poll"]);
    let both = mail.wait_for(&division, 2, WAIT);
    let confirmation = read_by_python(std::slice::from_ref(&both[1])).remove(0);
    check_letter(&confirmation, &division, DEPARTMENT, "auto-replied");
    assert!(confirmation["headers"]["Subject"].as_str().unwrap().starts_with("【办理确认】"), "{}", confirmation["headers"]["Subject"]);
    assert_eq!(confirmation["headers"]["In-Reply-To"], "<order@division.example.cn>");
    assert!(confirmation["headers"]["References"].as_str().unwrap().starts_with(&id), "{}", confirmation["headers"]["References"]);
    assert_threads_in_mutt(&[raw_queue, order.into_bytes(), both[1].clone()], "办理确认", 80);
}

/// mutt on a screen of its own shows the second mail as an answer to the first, with its subject in Chinese.
fn assert_threads_in_mutt(mails: &[Vec<u8>], subject: &str, columns: usize) {
    let folder = tempfile::tempdir().unwrap();
    for kind in ["cur", "new", "tmp"] {
        fs::create_dir_all(folder.path().join("box").join(kind)).unwrap();
    }
    for (index, raw) in mails.iter().enumerate() {
        fs::write(folder.path().join(format!("box/cur/{index}.lab:2,S")), raw).unwrap();
    }
    let settings = format!(
        "set sort=threads\nset index_format=\"%4C %s\"\nset charset=utf-8\nset ascii_chars\nset read_only\nset quit=yes\nset mail_check_stats=no\nset folder={}\nset header_cache=\"\"\n",
        folder.path().display()
    );
    fs::write(folder.path().join("muttrc"), settings).unwrap();
    let socket = folder.path().join("tmux");
    let tmux = |arguments: &[&str]| {
        let mut command = Command::new("tmux");
        command.env("LC_ALL", "C.UTF-8").env("HOME", folder.path()).arg("-u").arg("-f").arg("/dev/null").arg("-S").arg(&socket);
        command.args(arguments).output().unwrap()
    };
    let program = format!("mutt -n -F {0}/muttrc -f {0}/box", folder.path().display());
    let started = tmux(&["new-session", "-d", "-x", &columns.to_string(), "-y", "20", &program]);
    assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    let mut screen = String::new();
    for _ in 0..100 {
        sleep(Duration::from_millis(100));
        screen = String::from_utf8(tmux(&["capture-pane", "-p"]).stdout).unwrap();
        if screen.contains(subject) {
            break;
        }
    }
    tmux(&["kill-server"]);
    let line = screen.lines().find(|line| line.contains(subject)).unwrap_or_else(|| panic!("mutt does not show it:\n{screen}"));
    assert!(line.contains("->"), "not threaded:\n{screen}");
}

/// Two departments whose mailboxes answer each other, and people's machines between them.
#[test]
fn two_installations_a_vacation_responder_and_a_list_exchange_no_more_letters_than_one_each() {
    let mail = MailSystem::start();
    let annexd = installation(&mail);
    // The other department watches a bureau's mailbox and leaves by it.
    let other = Annexd::beside(&mail);
    let configuration = fs::read_to_string(&other.configuration).unwrap();
    let (own, its) = (mail.password_file(DEPARTMENT), mail.password_file(BUREAU));
    let configuration = configuration.replace(DEPARTMENT, BUREAU).replace(&own.display().to_string(), &its.display().to_string());
    fs::write(&other.configuration, configuration).unwrap();

    let plain = |from: &str, id: &str, more: &str| {
        format!("From: {from}\r\nTo: {DEPARTMENT}\r\nSubject: {id}\r\nMessage-ID: <{id}@lab.example>\r\nDate: Thu, 15 Aug 2024 09:02:00 +0800\r\n{more}MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nquestion {id}\r\n").into_bytes()
    };
    mail.send(BUREAU, DEPARTMENT, &plain(BUREAU, "first", ""));
    let responder = "gxj-siping@example.cn";
    mail.send(responder, DEPARTMENT, &plain(responder, "vacation", "Auto-Submitted: auto-replied (vacation)\r\nPrecedence: bulk\r\n"));
    let list = "machine@example.cn";
    mail.send(list, DEPARTMENT, &plain(list, "list", "List-Id: <news.example.cn>\r\nList-Unsubscribe: <mailto:x@example.cn>\r\n"));
    mail.wait_for(DEPARTMENT, 3, WAIT);
    for _ in 0..4 {
        annexd.say(&["poll"]);
        mail.wait_for(BUREAU, 1, WAIT);
        other.say(&["poll"]);
    }
    assert_eq!(mail.inbox(BUREAU).len(), 1, "one receipt");
    assert_eq!(mail.inbox(DEPARTMENT).len(), 3, "and no answer to it");
    assert_eq!(mail.inbox(responder).len() + mail.inbox(list).len(), 0);
    let alerts = annexd.export("letters").iter().filter(|letter| letter["kind"] == "alert").count();
    assert_eq!(alerts, 0, "nothing went round, so nothing is told");
}
