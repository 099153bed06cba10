//! Bad certificates: neither mailbox nor SMTP server hears a word of us, and the administrator is told what to do.

use std::{fs, path::Path};

use crate::support::{Annexd, FakeSmtp, Netease, accounts::DEPARTMENT, certificates::Certificates};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};

const SECRET: &str = "ABCDEFGHIJKLMNOP";

/// A CA and a leaf for these names, which ended long ago where `expired`.
fn certificates(folder: &Path, names: &[&str], expired: bool) -> Certificates {
    fs::create_dir_all(folder).unwrap();
    let mut ca = CertificateParams::new(Vec::<String>::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(DnType::CommonName, "another CA");
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let ca_key = KeyPair::generate().unwrap();
    let ca_certificate = ca.self_signed(&ca_key).unwrap();
    let mut leaf = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    leaf.use_authority_key_identifier_extension = true;
    if expired {
        (leaf.not_before, leaf.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
    }
    let leaf_key = KeyPair::generate().unwrap();
    let leaf_certificate = leaf.signed_by(&leaf_key, &Issuer::new(ca, ca_key)).unwrap();
    let made = Certificates { ca: folder.join("ca.pem"), leaf: folder.join("leaf.pem"), key: folder.join("leaf.key") };
    fs::write(&made.ca, ca_certificate.pem()).unwrap();
    fs::write(&made.leaf, leaf_certificate.pem()).unwrap();
    fs::write(&made.key, leaf_key.serialize_pem()).unwrap();
    made
}

/// An installation that trusts `trusted` talks to servers that show `shown`; what `check --connect` says, and whether it was well.
fn check(folder: &Path, shown: &Certificates, trusted: Option<&Certificates>) -> (bool, String) {
    let imap = Netease::start_with(DEPARTMENT, SECRET, Some(shown));
    let smtp = FakeSmtp::start(DEPARTMENT, SECRET, Some(shown));
    let secret = folder.join("secret");
    fs::write(&secret, SECRET).unwrap();
    let ca = trusted.map(|trusted| format!("ca_file = \"{}\"\n", trusted.ca.display())).unwrap_or_default();
    let server = |port: u16| {
        format!(
            "host = \"127.0.0.1\"\nport = {port}\nsecurity = \"tls\"\nusername = \"{DEPARTMENT}\"\npassword_file = \"{}\"\n{ca}",
            secret.display()
        )
    };
    let annexd = Annexd::with(&format!(
        "[mailbox]\nkind = \"imap\"\n{}\n[smtp]\nkind = \"smtp\"\n{}from = \"{DEPARTMENT}\"\n",
        server(imap.port),
        server(smtp.port)
    ));
    let output = annexd.run(&["check", "--connect"]);
    let told = String::from_utf8(output.stdout).unwrap();
    if !output.status.success() {
        assert!(imap.heard().is_empty() && smtp.heard().is_empty(), "something was said over a bad connection");
    }
    (output.status.success(), told)
}

#[test]
fn a_certificate_that_is_expired_foreign_or_anothers_stops_both_connections() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["127.0.0.1", "localhost"];
    let good = certificates(&folder.path().join("good"), &names, false);
    assert!(check(folder.path(), &good, Some(&good)).0, "the good one works");
    let expired = certificates(&folder.path().join("expired"), &names, true);
    let anothers = certificates(&folder.path().join("anothers"), &["imap.example.cn"], false);
    for (shown, trusted, sign) in [
        (&expired, Some(&expired), "有效期"),
        (&anothers, Some(&anothers), "名称不符"),
        (&good, None, "拦截加密连接"),
        (&good, Some(&expired), "拦截加密连接"),
    ] {
        let (well, told) = check(folder.path(), shown, trusted);
        assert!(!well, "{told}");
        for part in ["mailbox", "smtp"] {
            let line = told.lines().position(|line| line.starts_with("failed") && line.contains(part));
            let after = line.and_then(|at| told.lines().nth(at + 1)).unwrap_or_default();
            assert!(after.contains(sign), "{part} does not say {sign}:\n{told}");
        }
    }
}
