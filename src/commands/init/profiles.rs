//! Servers of the mailbox providers that departments use, by mail domain.

/// Where a mailbox is read and sent from, by TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub imap: (String, u16),
    pub smtp: (String, u16),
    /// `netease` or `generic`.
    pub provider: &'static str,
}

/// Mail domain, IMAP server, SMTP server, provider.
const KNOWN: &[(&str, &str, &str, &str)] = &[
    ("163.com", "imap.163.com", "smtp.163.com", "netease"),
    ("126.com", "imap.126.com", "smtp.126.com", "netease"),
    ("yeah.net", "imap.yeah.net", "smtp.yeah.net", "netease"),
    ("188.com", "imap.188.com", "smtp.188.com", "netease"),
    ("qq.com", "imap.qq.com", "smtp.qq.com", "generic"),
    ("foxmail.com", "imap.qq.com", "smtp.qq.com", "generic"),
    ("139.com", "imap.139.com", "smtp.139.com", "generic"),
    ("189.cn", "imap.189.cn", "smtp.189.cn", "generic"),
    ("sina.com", "imap.sina.com", "smtp.sina.com", "generic"),
    ("aliyun.com", "imap.aliyun.com", "smtp.aliyun.com", "generic"),
];

/// The profile of a mailbox's domain; `None` where the provider is not known.
#[must_use]
pub fn profile(mailbox: &str) -> Option<Profile> {
    let domain = mailbox.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    let (_, imap, smtp, provider) = KNOWN.iter().find(|(known, ..)| *known == domain)?;
    Some(Profile { imap: ((*imap).to_owned(), 993), smtp: ((*smtp).to_owned(), 465), provider })
}

/// `HOST` or `HOST:PORT`.
///
/// # Errors
/// A port that is no number.
pub fn server(text: &str, port: u16) -> Result<(String, u16), String> {
    match text.rsplit_once(':') {
        None => Ok((text.to_owned(), port)),
        Some((host, number)) => Ok((host.to_owned(), number.parse().map_err(|_| format!("{number} 不是端口号"))?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mailbox_of_the_notice_has_a_profile_and_a_private_one_has_not() {
        let found = profile("jlsgxtkjc@163.com").unwrap();
        assert_eq!((found.imap.0.as_str(), found.imap.1, found.smtp.1, found.provider), ("imap.163.com", 993, 465, "netease"));
        assert_eq!(profile("a@gxt.jl.gov.cn"), None);
        assert_eq!(server("mail.example.cn:1993", 993), Ok(("mail.example.cn".to_owned(), 1993)));
        assert_eq!(server("mail.example.cn", 993), Ok(("mail.example.cn".to_owned(), 993)));
        assert!(server("mail:x", 993).is_err());
    }
}
