//! The configuration from outside: every mistake at once, each with file, line and key; secrets from files or the environment only
//! and never shown; overrides; the shipped file.

use std::{fs, path::Path, process::Output};

use crate::support::{Annexd, MailSystem, accounts::DEPARTMENT};

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const GOOD: &str = "[mailbox]\nkind = \"maildir\"\npath = \"/proc/nowhere\"\n[smtp]\nkind = \"maildir\"\npath = \"/proc/nowhere\"\nfrom = \"jlsgxtkjc@163.com\"\n";

#[test]
fn the_shipped_configuration_is_valid_once_its_password_is_there() {
    let annexd = Annexd::with("");
    let password = annexd.folder().join("imap.password");
    fs::write(&password, "authorisation-code\n").unwrap();
    let shipped = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/annexd.toml")).unwrap();
    fs::write(&annexd.configuration, shipped.replace("/etc/annexd/imap.password", &password.display().to_string())).unwrap();
    let said = annexd.say(&["check"]);
    assert!(said.contains("2 forms") && said.contains("12 divisions"), "{said}");
}

#[test]
fn every_mistake_is_reported_at_once_with_file_line_and_key() {
    let annexd = Annexd::with("");
    let text = "data_dir = 5\n\n[mailbox]\nkind = \"imap\"\nhost = \"imap.163.com\"\nport = 99999\nsecurity = \"plain\"\nusername = \"a@example.cn\"\npassword = \"in the file\"\npoll_sec = 5\n\n[smtp]\nkind = \"pigeon\"\nfrom = \"nobody\"\n\n[digest]\nat = \"25:00\"\n\n[nonsense]\nx = 1\n";
    fs::write(&annexd.configuration, text).unwrap();
    let output = annexd.run(&["check"]);
    assert_eq!(output.status.code(), Some(78), "{}", told(&output));
    let said = told(&output);
    let file = annexd.configuration.display();
    for (line, key) in [
        (1, "data_dir"),
        (6, "mailbox.port"),
        (7, "mailbox.security"),
        (9, "mailbox.password"),
        (10, "mailbox.poll_sec"),
        (13, "smtp.kind"),
        (14, "smtp.from"),
        (17, "digest.at"),
    ] {
        assert!(said.contains(&format!("{file}:{line}: {key}: ")), "{key} in line {line} is missing:\n{said}");
    }
    assert!(said.contains("nonsense"), "{said}");
    assert!(!said.contains("in the file"), "a secret is shown:\n{said}");
}

#[test]
fn a_typo_in_the_toml_names_its_line() {
    let annexd = Annexd::with("");
    fs::write(&annexd.configuration, "data_dir = \"x\"\n[mailbox\nkind = \"imap\"\n").unwrap();
    let output = annexd.run(&["poll"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(told(&output).contains(&format!("{}:2: is no valid TOML", annexd.configuration.display())), "{}", told(&output));
}

#[test]
fn missing_files_are_named() {
    let annexd = Annexd::with(GOOD);
    let text = fs::read_to_string(&annexd.configuration).unwrap();
    fs::write(&annexd.configuration, format!("divisions_file = \"gone.toml\"\nforms_dir = \"no-forms\"\n{text}")).unwrap();
    let output = annexd.run(&["poll"]);
    assert_eq!(output.status.code(), Some(78));
    let said = told(&output);
    assert!(said.contains(":1: divisions_file: ") && said.contains(":2: forms_dir: "), "{said}");
    assert!(!annexd.folder().join("data").exists(), "nothing was done");
    let absent =
        std::process::Command::new(env!("CARGO_BIN_EXE_annexd")).args(["--config", "/nowhere/annexd.toml", "check"]).output().unwrap();
    assert_eq!(absent.status.code(), Some(78));
    assert!(told(&absent).contains("/nowhere/annexd.toml"));
}

#[test]
fn mistakes_of_the_files_beside_it_are_reported_together() {
    let annexd = Annexd::with(GOOD);
    fs::create_dir_all(annexd.folder().join("forms")).unwrap();
    fs::create_dir_all(annexd.folder().join("letters")).unwrap();
    for (name, text) in [
        ("divisions.toml", "fallback = \"nobody\"\n"),
        ("submitters.toml", "[[submitter]]\nid = 1\n"),
        ("rules.toml", "[switch]\nR99 = true\n"),
        ("forms/annex1.toml", "id = \n"),
        ("letters/receipt.txt", "{% if %}\n"),
    ] {
        fs::write(annexd.folder().join(name), text).unwrap();
    }
    let output = annexd.run(&["check"]);
    assert_eq!(output.status.code(), Some(78));
    let said = told(&output);
    for place in ["divisions.toml:1: ", "submitters.toml:2: ", "rules.toml:2: ", "forms/annex1.toml:1: ", "letters/receipt.txt:1: "] {
        assert!(said.contains(place), "{place} is not in:\n{said}");
    }
}

#[test]
fn any_value_may_come_from_the_environment() {
    let annexd = Annexd::with(GOOD);
    let there = annexd.folder().join("there");
    for sub in ["new", "cur", "tmp"] {
        fs::create_dir_all(there.join(sub)).unwrap();
    }
    let check = |name: &str, value: &str| annexd.command(&["check", "--connect"]).env(name, value).output().unwrap();
    let good = check("ANNEXD__MAILBOX__PATH", there.to_str().unwrap());
    assert!(String::from_utf8_lossy(&good.stdout).contains("holds 0 messages"), "{}", told(&good));
    let wrong = check("ANNEXD__MAILBOX__POLL_SECS", "soon");
    assert_eq!(wrong.status.code(), Some(78));
    assert!(told(&wrong).contains("environment variable ANNEXD__MAILBOX__POLL_SECS"), "{}", told(&wrong));
    let unknown = check("ANNEXD__MAILBOX__HOTS", "x");
    assert_eq!(unknown.status.code(), Some(78));
}

#[test]
fn no_output_shows_a_password_whatever_the_log_is_asked_for() {
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    let secret = mail.account(DEPARTMENT).password.clone();
    let encoded = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!("\0{DEPARTMENT}\0{secret}"))
    };
    let raw = b"From: gxj-jilin@example.cn\r\nTo: jlsgxtkjc@163.com\r\nSubject: hello\r\nMessage-ID: <x@example.cn>\r\n\r\nhello\r\n";
    mail.send("gxj-jilin", DEPARTMENT, raw);
    mail.wait_for(DEPARTMENT, 1, std::time::Duration::from_secs(60));
    for command in [&["check", "--connect"][..], &["poll"], &["export", "letters"], &["digest"]] {
        let output = annexd.command(command).env("ANNEXD_LOG", "trace").output().unwrap();
        let said = told(&output) + &String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        assert!(!said.contains(&secret) && !said.contains(&encoded), "{command:?} shows the password");
    }
    let kept = fs::read(annexd.folder().join("data/annexd.db")).unwrap();
    assert!(!kept.windows(secret.len()).any(|window| window == secret.as_bytes()), "the database holds the password");
}

#[test]
fn no_name_of_a_shipped_field_is_also_an_answer() {
    let catalogue = annexd::domain::forms::catalogue::Catalogue::shipped();
    let answers: Vec<&String> = catalogue.forms.iter().flat_map(|form| &form.fields).flat_map(|field| &field.choices).collect();
    let names = catalogue.forms.iter().flat_map(|form| &form.fields).flat_map(|field| field.names());
    let both: Vec<&str> = names.filter(|name| answers.iter().any(|answer| answer == name)).collect();
    assert_eq!(both, Vec::<&str>::new(), "a cell with this answer would be taken for a label");
}

/// An administrator has the package, not the source: a refusal's limit must be found by its name.
#[test]
fn every_limit_stands_in_the_document_with_its_default() {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/README.md")).unwrap();
    let limits = serde_json::to_value(annexd::domain::limits::Limits::default()).unwrap();
    for (name, default) in limits.as_object().unwrap() {
        assert!(document.contains(&format!("| `{name}` | {default} |")), "config/README.md does not say that {name} is {default}");
    }
}
