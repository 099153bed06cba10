//! The lab's own laws: what the other tests lean on is true.

use std::time::{Duration, Instant};

use crate::support::{MailSystem, accounts::DEPARTMENT, certificates::Certificates, imap_client::ImapClient, smtp_client::SmtpClient};

const MAIL: &[u8] =
    "From: gxj-changchun@example.cn\r\nTo: jlsgxtkjc@163.com\r\nSubject: =?utf-8?B?5LiT6aG56K++6aKY?=\r\n\r\n.一行以点开头\r\n专项课题\r\n"
        .as_bytes();
const WAIT: Duration = Duration::from_secs(20);

/// A mail without what the servers put before it.
fn as_sent(raw: &[u8]) -> Vec<u8> {
    let start = raw.windows(5).position(|window| window == b"From:").unwrap();
    raw[start..].to_vec()
}

#[test]
fn a_mail_sent_by_smtp_arrives_byte_for_byte_by_imap() {
    let mail = MailSystem::start();
    mail.send("gxj-changchun", DEPARTMENT, MAIL);
    let arrived = mail.wait_for(DEPARTMENT, 1, WAIT);
    assert_eq!(as_sent(&arrived[0]), MAIL, "{}", String::from_utf8_lossy(&arrived[0]));
    let head = String::from_utf8_lossy(&arrived[0]).to_ascii_lowercase();
    assert!(!head.contains("message-id:"), "a server put in a Message-ID: {head}");
}

#[test]
fn every_protection_works_with_the_ca_and_fails_without_it() {
    let mail = MailSystem::start();
    let account = mail.account("gxj-jilin").clone();
    let (user, password, ca) = (account.address.as_str(), account.password.as_str(), mail.certificates.ca.as_path());
    for capabilities in [
        ImapClient::plain(mail.ports.imap, user, password).unwrap().capabilities().unwrap(),
        ImapClient::starttls(mail.ports.imap, ca, user, password).unwrap().capabilities().unwrap(),
        ImapClient::tls(mail.ports.imaps, ca, user, password).unwrap().capabilities().unwrap(),
    ] {
        assert!(capabilities.iter().any(|word| word == "IDLE"), "{capabilities:?}");
    }
    SmtpClient::tls(mail.ports.submissions, ca, user, password).unwrap();
    SmtpClient::starttls(mail.ports.submission, ca, user, password).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let stranger = Certificates::make(folder.path());
    let refused = ImapClient::tls(mail.ports.imaps, &stranger.ca, user, password).err().unwrap().to_string();
    assert!(refused.contains("certificate"), "{refused}");
    assert!(SmtpClient::tls(mail.ports.submissions, &stranger.ca, user, password).is_err());
}

#[test]
fn a_wrong_password_is_refused_at_both_doors() {
    let mail = MailSystem::start();
    let (user, ca) = (mail.account("gxj-siping").address.as_str(), mail.certificates.ca.as_path());
    let imap = ImapClient::tls(mail.ports.imaps, ca, user, "wrong").err().unwrap().to_string();
    assert!(imap.contains("AUTHENTICATIONFAILED"), "{imap}");
    let smtp = SmtpClient::tls(mail.ports.submissions, ca, user, "wrong").err().unwrap().to_string();
    assert!(smtp.starts_with("535"), "{smtp}");
}

#[test]
fn mail_waits_in_postfix_while_dovecot_is_away() {
    let mut mail = MailSystem::start();
    mail.append(DEPARTMENT, "INBOX", MAIL);
    mail.stop_imap();
    assert!(mail.imap(DEPARTMENT).is_err());
    mail.start_imap();
    // AUTH hangs on Dovecot too, so the mail must be handed over before it goes.
    let account = mail.account("gxj-changchun").clone();
    let mut client = SmtpClient::tls(mail.ports.submissions, &mail.certificates.ca, &account.address, &account.password).unwrap();
    mail.stop_imap();
    client.send(&account.address, &[DEPARTMENT], MAIL).unwrap();
    mail.start_imap();
    let arrived = mail.wait_for(DEPARTMENT, 2, WAIT);
    assert_eq!(arrived.len(), 2);
}

#[test]
fn two_systems_live_side_by_side_and_start_quickly() {
    let first = MailSystem::start();
    let before = Instant::now();
    let second = MailSystem::start();
    assert!(before.elapsed() < Duration::from_secs(10), "started in {:?}", before.elapsed());
    println!("a mail system starts in {:?}", before.elapsed());
    first.append(DEPARTMENT, "INBOX", MAIL);
    assert_eq!((first.inbox(DEPARTMENT).len(), second.inbox(DEPARTMENT).len()), (1, 0));
}

#[test]
fn the_lab_sends_nothing_to_the_outside() {
    let mail = MailSystem::start();
    let outside = mail.send_as("gxj-changchun", "gxj-changchun@example.cn", "someone@elsewhere.test", MAIL).err().unwrap();
    assert!(outside.to_string().contains("nothing to the outside"), "{outside}");
    let unknown = mail.send_as("gxj-changchun", "gxj-changchun@example.cn", "nobody-here@example.cn", MAIL).err().unwrap();
    assert!(unknown.to_string().starts_with("550"), "{unknown}");
}
