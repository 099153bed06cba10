//! The window for watchers, as the administrator's browser, Prometheus and a health check see it: the daemon beside real servers.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use crate::support::{Annexd, MailSystem, accounts::DEPARTMENT};

/// Longest wait for something that must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether a program is there to be used.
fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// A free port on loopback.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn with_window(annexd: &Annexd) -> u16 {
    let port = free_port();
    let text = fs::read_to_string(&annexd.configuration).unwrap();
    fs::write(&annexd.configuration, format!("{text}\n[web]\nlisten = \"127.0.0.1:{port}\"\n")).unwrap();
    port
}

/// Status code and whole answer; `None` where nobody listens.
fn get(port: u16, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some((answer.split(' ').nth(1)?.parse().ok()?, answer))
}

/// Asks until the answer is as it should be.
fn wait_for(port: u16, path: &str, good: impl Fn(u16, &str) -> bool) -> String {
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = get(port, path);
        if let Some((code, text)) = &answer
            && good(*code, text)
        {
            return text.clone();
        }
        assert!(Instant::now() < end, "{path} never came right: {answer:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn submission() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journey/01-changchun-batch.eml")).unwrap()
}

#[test]
fn the_window_shows_what_happens_to_a_mail() {
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    let port = with_window(&annexd);
    assert!(!annexd.run(&["status", "--ready"]).status.success(), "nobody is there yet");
    let _daemon = annexd.daemon();
    wait_for(port, "/healthz", |code, _| code == 200);
    wait_for(port, "/readyz", |code, text| code == 200 && text.ends_with("ready\n"));
    mail.send("gxj-changchun", DEPARTMENT, &submission());
    let metrics = wait_for(port, "/metrics", |_, text| text.contains("annexd_letters{kind=\"ack\",state=\"sent\"} 1"));
    for line in [
        "annexd_ready 1",
        "annexd_mails{kind=\"submission\",state=\"recorded\"} 1",
        "annexd_waiting_mails 0",
        "annexd_examine_seconds_count 1",
        "annexd_reader_crashes_total 0",
        "annexd_sending_halted{account=\"receipts\"} 0",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is missing:\n{metrics}");
    }
    assert!(!metrics.contains('@'), "no address in a metric:\n{metrics}");
    promtool_accepts(metrics.split("\r\n\r\n").nth(1).unwrap());
    rules_and_dashboard_name_only_what_is_there(&metrics);

    let page = get(port, "/").unwrap().1;
    for sign in ["运行正常", "课题报送", "最近成功收取", "default-src 'none'", "lang=\"zh-CN\""] {
        assert!(page.contains(sign), "{sign} is missing:\n{page}");
    }
    let told = annexd.say(&["status"]);
    assert!(told.starts_with("✓ 运行正常") && told.contains("启动后已处理来信"), "{told}");
    assert_eq!(annexd.say(&["status", "--ready"]), "");
    let json: serde_json::Value = serde_json::from_str(&annexd.say(&["status", "--json"])).unwrap();
    assert_eq!((&json["ready"], &json["process"]["examined"]["count"]), (&true.into(), &1.into()));
    assert_eq!(get(port, "/nothing").unwrap().0, 404);
}

/// `annexd_…` names in a text.
fn metric_names(text: &str) -> BTreeSet<String> {
    let name = regex::Regex::new(r"annexd_[a-z_]+[a-z]").unwrap();
    name.find_iter(text).map(|found| found.as_str().to_owned()).collect()
}

fn rules_and_dashboard_name_only_what_is_there(metrics: &str) {
    let known = metric_names(metrics);
    for file in ["prometheus/annexd-rules.yml", "grafana/annexd.json"] {
        let used = metric_names(&deployed(file));
        assert!(used.len() > 5, "{file} names only {used:?}");
        // Without a cap on sending there is no quota to be left.
        let stray: Vec<&String> = used.difference(&known).filter(|name| *name != "annexd_quota_left_letters").collect();
        assert!(stray.is_empty(), "{file} names metrics that are not there: {stray:?}");
    }
}

fn deployed(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file)).unwrap()
}

#[test]
fn every_alert_has_its_heading_in_the_runbook() {
    let runbook = deployed("RUNBOOK.md");
    let rules = deployed("prometheus/annexd-rules.yml");
    let headings: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("runbook: ")).collect();
    assert!(headings.len() > 8);
    for heading in headings {
        assert!(runbook.lines().any(|line| line == format!("### {heading}")), "the runbook has no heading {heading}");
    }
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pipeline/alert.rs")).unwrap();
    let titles = regex::Regex::new("title: \"([^\"]+)\"").unwrap();
    for title in titles.captures_iter(&source) {
        assert!(runbook.lines().any(|line| line == format!("### {}", &title[1])), "the runbook has no heading {}", &title[1]);
    }
}

/// One daemon or several on one database, one programme or several: every panel asks its source for what it may show.
#[test]
fn the_dashboard_asks_soundly() {
    let dashboard: serde_json::Value = serde_json::from_str(&deployed("grafana/annexd.json")).unwrap();
    assert!(dashboard["schemaVersion"].as_u64().is_some_and(|version| version >= 36));
    assert!(dashboard.get("__inputs").is_none() && dashboard.get("id").is_none(), "leftovers of an export");
    let variables: Vec<&str> =
        dashboard["templating"]["list"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(variables, ["source", "programme"]);
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "two panels of one id");
    let mut rules = String::from("groups:\n  - name: dashboard\n    rules:\n");
    for panel in panels {
        assert_eq!(panel["datasource"]["uid"], "${source}", "{}", panel["title"]);
        for (number, target) in panel["targets"].as_array().unwrap().iter().enumerate() {
            let asked = target["expr"].as_str().unwrap();
            assert!(asked.contains("programme=~\"$programme\""), "{asked}");
            let asked = asked.replace("$programme", ".*").replace('\'', "''");
            rules += &format!("      - {{ record: 'panel:{}_{number}', expr: '{asked}' }}\n", panel["id"]);
        }
    }
    if has("promtool") {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), rules).unwrap();
        let output = Command::new("promtool").args(["check", "rules"]).arg(file.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_alert_rules_speak_when_they_should() {
    if !has("promtool") {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus");
    for arguments in [["check", "rules", "annexd-rules.yml"], ["test", "rules", "annexd-rules-test.yml"], ["check", "config", "scrape.yml"]]
    {
        let output = Command::new("promtool").args(arguments).current_dir(&folder).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "promtool {arguments:?}: {said}");
    }
}

fn promtool_accepts(metrics: &str) {
    if !has("promtool") {
        return;
    }
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.trim().is_empty(), "promtool: {said}");
}

#[test]
fn a_mailbox_that_refuses_the_login_is_not_ready_and_says_so() {
    let mail = MailSystem::start();
    let annexd = Annexd::beside(&mail);
    let port = with_window(&annexd);
    let wrong = annexd.folder().join("wrong");
    fs::write(&wrong, "wrong").unwrap();
    let right = mail.password_file(DEPARTMENT).display().to_string();
    let text = fs::read_to_string(&annexd.configuration).unwrap();
    fs::write(&annexd.configuration, text.replacen(&right, &wrong.display().to_string(), 1)).unwrap();
    let _daemon = annexd.daemon();
    let answer = wait_for(port, "/readyz", |code, text| code == 503 && text.contains("故障"));
    assert!(answer.contains("mailbox: 启动以来尚未成功收取过邮件"), "{answer}");
    assert_eq!(get(port, "/healthz").unwrap().0, 200, "it is alive all the same");
    wait_for(port, "/", |code, text| code == 200 && text.contains("需要处理"));
    let refused = annexd.run(&["status", "--ready"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not ready: 启动以来"));
}

#[test]
fn an_address_that_others_can_reach_is_refused_unless_asked_for() {
    let maildir = tempfile::tempdir().unwrap();
    let sections = |web: &str| {
        let path = maildir.path().display();
        format!(
            "[mailbox]\nkind = \"maildir\"\npath = \"{path}\"\n[smtp]\nkind = \"maildir\"\npath = \"{path}/out\"\nfrom = \"a@example.cn\"\n[web]\n{web}\n"
        )
    };
    let refused = Annexd::with(&sections("listen = \"0.0.0.0:8425\"")).run(&["check"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(78));
    assert!(said.contains("web.listen") && said.contains("neither login nor encryption") && said.contains("allow_remote"), "{said}");
    for good in ["listen = \"0.0.0.0:8425\"\nallow_remote = true", "listen = \"[::1]:8425\"", ""] {
        assert!(Annexd::with(&sections(good)).run(&["check"]).status.success(), "{good}");
    }
}

#[test]
fn a_page_that_is_asked_for_a_thousand_times_answers_each_time() {
    let maildir = tempfile::tempdir().unwrap();
    let path = maildir.path().display();
    let annexd = Annexd::with(&format!(
        "[mailbox]\nkind = \"maildir\"\npath = \"{path}\"\npoll_secs = 1\n[smtp]\nkind = \"maildir\"\npath = \"{path}/out\"\nfrom = \"a@example.cn\"\n"
    ));
    let port = with_window(&annexd);
    let _daemon = annexd.daemon();
    wait_for(port, "/readyz", |code, text| code == 503 && text.contains("最近一次故障"));
    for folder in ["new", "cur", "tmp"] {
        fs::create_dir(maildir.path().join(folder)).unwrap();
    }
    wait_for(port, "/readyz", |code, _| code == 200);
    let asker = || std::thread::spawn(move || (0..125).filter(|_| get(port, "/metrics").is_some_and(|(code, _)| code == 200)).count());
    let askers: Vec<_> = (0..8).map(|_| asker()).collect();
    let answered: usize = askers.into_iter().map(|asker| asker.join().unwrap()).sum();
    assert_eq!(answered, 1000);
}
