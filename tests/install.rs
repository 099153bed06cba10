//! Installing, as a new operator would: the unit, the manual, the word to the service manager; and, in the long run, the package in
//! a Debian that has never seen annexd.

use std::{
    fs,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::support::{Annexd, MailSystem, accounts::DEPARTMENT};

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// Largest exposure that `systemd-analyze security` may find, in tenths.
const EXPOSURE_MAX_TENTHS: u32 = 20;

#[test]
fn the_unit_is_sound_and_well_confined() {
    if !has("systemd-analyze") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("annexd.service");
    let text = fs::read_to_string(home().join("deploy/annexd.service")).unwrap();
    fs::write(&unit, text.replace("/usr/bin/annexd", env!("CARGO_BIN_EXE_annexd"))).unwrap();
    let verified = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    let about_us: Vec<&str> = said.lines().filter(|line| line.contains("annexd")).collect();
    assert!(verified.status.success() && about_us.is_empty(), "{said}");
    let judged = Command::new("systemd-analyze")
        .args(["security", "--offline=true", &format!("--threshold={EXPOSURE_MAX_TENTHS}")])
        .arg(&unit)
        .output()
        .unwrap();
    assert!(judged.status.success(), "{}{}", String::from_utf8_lossy(&judged.stdout), String::from_utf8_lossy(&judged.stderr));
}

#[test]
fn every_command_has_its_man_page_and_its_completion() {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new(env!("CARGO_BIN_EXE_annexd")).args(["manual", "--out"]).arg(folder.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let bash = fs::read_to_string(folder.path().join("annexd.bash")).unwrap();
    for command in ["init", "run", "status", "report", "purge", "message-show", "letters-list"] {
        let page = fs::read_to_string(folder.path().join(format!("man1/annexd-{command}.1"))).unwrap();
        assert!(page.contains(".TH"), "{command}");
        assert!(bash.contains(command.split('-').next().unwrap()), "{command}");
    }
    assert!(!folder.path().join("man1/annexd-reader.1").exists(), "what is not for people has no page");
    assert!(folder.path().join("_annexd").exists() && folder.path().join("annexd.fish").exists());
}

#[test]
fn the_service_manager_hears_when_annexd_is_ready_alive_and_stopping() {
    let maildir = tempfile::tempdir().unwrap();
    for folder in ["new", "cur", "tmp"] {
        fs::create_dir(maildir.path().join(folder)).unwrap();
    }
    let path = maildir.path().display();
    let annexd = Annexd::with(&format!(
        "[mailbox]\nkind = \"maildir\"\npath = \"{path}\"\n[smtp]\nkind = \"maildir\"\npath = \"{path}/out\"\nfrom = \"a@example.cn\"\n"
    ));
    let address = annexd.folder().join("notify");
    let manager = UnixDatagram::bind(&address).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut child = annexd.command(&["run"]).env("NOTIFY_SOCKET", &address).env("WATCHDOG_USEC", "400000").spawn().unwrap();
    let hear = |wanted: &str| {
        let mut buffer = [0; 256];
        loop {
            let length = manager.recv(&mut buffer).unwrap_or_else(|error| panic!("{wanted} never came: {error}"));
            let said = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if said.lines().any(|line| line == wanted) {
                return;
            }
        }
    };
    hear("READY=1");
    hear("WATCHDOG=1");
    hear("WATCHDOG=1");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    hear("STOPPING=1");
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_older_program_refuses_a_newer_database_and_leaves_it_alone() {
    let maildir = tempfile::tempdir().unwrap();
    let path = maildir.path().display();
    let annexd = Annexd::with(&format!(
        "[mailbox]\nkind = \"maildir\"\npath = \"{path}\"\n[smtp]\nkind = \"maildir\"\npath = \"{path}/out\"\nfrom = \"a@example.cn\"\n"
    ));
    annexd.say(&["migrate"]);
    let database = annexd.folder().join("data/annexd.db");
    let newer = "import sqlite3,sys;c=sqlite3.connect(sys.argv[1]);\
                 c.execute('insert into _sqlx_migrations select 99, description, installed_on, success, checksum, execution_time from _sqlx_migrations limit 1');\
                 c.commit();c.execute('pragma wal_checkpoint(truncate)')";
    assert!(Command::new("python3").args(["-c", newer]).arg(&database).status().unwrap().success());
    let before = fs::read(&database).unwrap();
    for arguments in [["run"].as_slice(), &["poll"], &["status"]] {
        let refused = annexd.run(arguments);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains("made by a newer annexd (schema 99") && said.contains("restore a backup"), "{said}");
    }
    assert!(fs::read(&database).unwrap() == before, "it was changed");
}

/// The package: named by ANNEXD_DEB, else built here from this test's profile.
fn package() -> PathBuf {
    if let Some(named) = std::env::var_os("ANNEXD_DEB") {
        return named.into();
    }
    let built = Command::new(home().join("deploy/package.sh")).arg("quick").output().unwrap();
    let said = String::from_utf8_lossy(&built.stdout).into_owned();
    assert!(built.status.success(), "{said}{}", String::from_utf8_lossy(&built.stderr));
    said.lines().last().unwrap().trim().into()
}

#[test]
fn the_package_installs_works_upgrades_and_leaves_nothing_behind() {
    if std::env::var("ANNEXD_TEST_LONG").as_deref() != Ok("1") {
        return;
    }
    let package = package();
    if has("lintian") {
        let lint = Command::new("lintian").args(["--fail-on", "error,warning"]).arg(&package).output().unwrap();
        assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stdout));
    }
    let mail = MailSystem::start();
    let month = home().join("tests/fixtures/journey");
    for (bureau, file) in
        [("gxj-changchun", "01-changchun-batch.eml"), ("gxj-jilin", "03-jilin-gbk-zip.eml"), ("gxj-yanbian", "10-yanbian-wrong-code.eml")]
    {
        mail.send(bureau, DEPARTMENT, &fs::read(month.join(file)).unwrap());
    }
    let output = Command::new(home().join("tests/install.sh"))
        .arg(&package)
        .args([mail.ports.imaps.to_string(), mail.ports.submissions.to_string(), DEPARTMENT.to_owned()])
        .arg(mail.password_file(DEPARTMENT))
        .arg(&mail.certificates.ca)
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{said}");
    assert!(output.status.success(), "{said}");
    for bureau in ["gxj-changchun@example.cn", "gxj-jilin@example.cn", "gxj-yanbian@example.cn"] {
        assert!(!mail.inbox(bureau).is_empty(), "{bureau} got no receipt:\n{said}");
    }
}
