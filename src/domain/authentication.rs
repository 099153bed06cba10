//! Whether the sender is who they say: Authentication-Results (RFC 8601), and only those that our own provider wrote. Anyone may put
//! such a header into a mail; at 163 (Coremail) the true one names the host of the topmost Received header, whose transaction
//! number X-CM-TRANSID repeats (`chinese-mail.md` 6.2).

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// What is known about the sender.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    pub state: AuthState,
    /// The trusted header, one line; empty where there is none.
    pub evidence: String,
    /// The provider saw an empty envelope sender: nobody can be answered (RFC 3834 section 2).
    pub null_sender: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthState {
    /// The domain of From is proved.
    Verified,
    /// The provider found the sender's claim false.
    Failed,
    /// Nothing trustworthy is said: usual between accounts of one provider.
    #[default]
    Unknown,
}

static RECEIVED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\bby\s+(\S+)\s+\(Coremail\)\s+with\s+\S+\s+id\s+([^\s;]+)").ok());
static METHOD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)(?:^|[;\s])(spf|dkim|dmarc)\s*=\s*([a-z]+)").ok());

/// Judges by the raw header block; `from` is the address of the single From mailbox.
#[must_use]
pub fn judge(header: &[u8], from: Option<&str>) -> Authentication {
    let fields = fields(header);
    let Some(trusted) = trusted(&fields) else { return Authentication::default() };
    let spaced = trusted.replace("\r\n", " ").replace(['\n', '\t'], " ");
    // Long addresses are folded inside the token: there the folding drops out wholly.
    let joined = unfold_wholly(trusted);
    let domain = from.and_then(|from| from.rsplit('@').next()).unwrap_or_default().to_ascii_lowercase();
    let envelope = value(&joined, "smtp.mail=").or_else(|| value(&joined, "smtp.mailfrom="));
    let signer = value(&joined, "header.i=").or_else(|| value(&joined, "header.d="));
    let results: Vec<(String, String)> = METHOD
        .iter()
        .flat_map(|pattern| pattern.captures_iter(&spaced))
        .filter_map(|found| Some((found.get(1)?.as_str().to_ascii_lowercase(), found.get(2)?.as_str().to_ascii_lowercase())))
        .collect();
    let says = |method: &str, result: &str| results.iter().any(|(name, found)| name == method && found == result);
    let spf_aligned = envelope.as_deref().is_some_and(|address| aligned(address, &domain));
    let dkim_aligned = signer.as_deref().is_some_and(|signer| aligned(signer, &domain));
    let state = if (says("spf", "pass") && spf_aligned) || (says("dkim", "pass") && dkim_aligned) || says("dmarc", "pass") {
        AuthState::Verified
    } else if says("spf", "fail") || says("dmarc", "fail") || (says("dkim", "fail") && dkim_aligned) {
        AuthState::Failed
    } else {
        AuthState::Unknown
    };
    let null_sender = envelope.as_deref().is_some_and(|address| matches!(address, "" | "<>"));
    Authentication { state, evidence: crate::domain::folding::one_line(&spaced), null_sender }
}

/// The Authentication-Results that our own provider wrote: the last that names its host, so that a forged one before it loses.
fn trusted(fields: &[(String, String)]) -> Option<&str> {
    let all =
        |name: &'static str| fields.iter().filter(move |(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
    let received = all("Received").next()?.replace(['\r', '\n', '\t'], " ");
    let found = RECEIVED.as_ref()?.captures(&received)?;
    let (host, transaction) = (found.get(1)?.as_str(), found.get(2)?.as_str().trim_matches(['<', '>']));
    if !all("X-CM-TRANSID").any(|id| id.split_whitespace().next() == Some(transaction)) {
        return None;
    }
    let names_host =
        |value: &&str| value.split(';').next().and_then(|id| id.split_whitespace().next()).is_some_and(|id| id.eq_ignore_ascii_case(host));
    all("Authentication-Results").rfind(names_host)
}

/// Names and values of a header block, folding kept.
pub fn fields(header: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(header);
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        if line.trim_end_matches(['\r', '\n']).is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_owned(), value.to_owned()));
        }
    }
    for (_, value) in &mut fields {
        value.truncate(value.trim_end().len());
    }
    fields
}

/// Line breaks and the white space after them removed.
fn unfold_wholly(text: &str) -> String {
    let mut lines = text.lines();
    let mut joined = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        joined.push_str(line.trim_start());
    }
    joined
}

/// What follows a property up to the next separator, lower case.
fn value(text: &str, property: &str) -> Option<String> {
    let at = text.to_ascii_lowercase().find(property)?;
    let rest = text.get(at + property.len()..)?;
    Some(rest.split([';', ' ', '\t']).next().unwrap_or_default().trim_matches('"').to_ascii_lowercase())
}

/// Whether an address or domain belongs to the domain of From: the same, or one below the other (RFC 7489 section 3.1, relaxed).
fn aligned(address: &str, domain: &str) -> bool {
    let proved = address.rsplit('@').next().unwrap_or_default().trim_end_matches('>');
    !proved.is_empty()
        && !domain.is_empty()
        && proved.contains('.')
        && (proved == domain || domain.ends_with(&format!(".{proved}")) || proved.ends_with(&format!(".{domain}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUE: &str = "Received: from mail.cc.gov.cn (unknown [1.2.3.4])\r\n\tby mx27 (Coremail) with SMTP id F8CowAB3; Thu, 15 Aug 2024 09:02:00 +0800 (CST)\r\n\
                        From: gxj@cc.gov.cn\r\nSubject: x\r\n";
    const END: &str = "X-CM-TRANSID: F8CowAB3\r\n";

    fn judged(before: &str, results: &str) -> AuthState {
        judge(format!("{TRUE}{before}{END}Authentication-Results: {results}\r\n\r\nbody").as_bytes(), Some("gxj@cc.gov.cn")).state
    }

    #[test]
    fn only_the_providers_own_header_counts_and_a_forged_first_one_does_not() {
        let forged = "Authentication-Results: mx.evil.cn; spf=pass smtp.mail=gxj@cc.gov.cn\r\n";
        assert_eq!(judged("", "mx27; spf=pass smtp.mail=gxj@cc.gov.cn; dkim=none"), AuthState::Verified);
        assert_eq!(judged(forged, "mx27; spf=fail smtp.mail=gxj@cc.gov.cn; dkim=none"), AuthState::Failed);
        let forged_host = "Authentication-Results: mx27; spf=pass smtp.mail=gxj@cc.gov.cn\r\n";
        assert_eq!(judged(forged_host, "mx27; spf=fail smtp.mail=gxj@cc.gov.cn"), AuthState::Failed);
        assert_eq!(judge(format!("{TRUE}{forged}\r\n").as_bytes(), Some("gxj@cc.gov.cn")).state, AuthState::Unknown);
    }

    #[test]
    fn a_transaction_number_that_does_not_fit_makes_everything_unknown() {
        let header = format!("{TRUE}X-CM-TRANSID: other\r\nAuthentication-Results: mx27; spf=pass smtp.mail=gxj@cc.gov.cn\r\n\r\n");
        assert_eq!(judge(header.as_bytes(), Some("gxj@cc.gov.cn")).state, AuthState::Unknown);
    }

    #[test]
    fn what_is_proved_must_be_the_domain_of_from() {
        assert_eq!(judged("", "mx27; spf=pass smtp.mail=bulk@sender.example; dkim=none"), AuthState::Unknown);
        assert_eq!(judged("", "mx27; spf=none; dkim=pass header.i=@cc.gov.cn"), AuthState::Verified);
        assert_eq!(judged("", "mx27; spf=softfail smtp.mail=gxj@cc.gov.cn; dkim=none"), AuthState::Unknown);
    }

    #[test]
    fn an_address_folded_inside_is_read_whole() {
        assert_eq!(judged("", "mx27; spf=pass smtp.mail=gxj@cc.g\r\n\tov.cn; dkim=none"), AuthState::Verified);
    }

    #[test]
    fn an_empty_envelope_sender_is_seen_where_it_is_trusted() {
        let header = format!("{TRUE}{END}Authentication-Results: mx27; spf=none smtp.mail=; dkim=none\r\n\r\n");
        assert!(judge(header.as_bytes(), Some("gxj@cc.gov.cn")).null_sender);
    }

    #[test]
    fn any_bytes_can_be_judged() {
        for seed in 0..500_u64 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut bytes = format!("{TRUE}{END}Authentication-Results: ").into_bytes();
            bytes.extend((0..80).map(|_| random.u8(..)));
            let _ = judge(&bytes, Some("a@b.cn"));
        }
    }
}
