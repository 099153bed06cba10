//! What a mail server's answer means for a letter and for the account it leaves through. NetEase answers one number with many
//! meanings and one meaning with many numbers, so its tokens (`MI:SFQ`) decide and the number only where there is none
//! (`chinese-mail.md` section 2; NetEase's 退信 help pages, old and new).

use std::sync::LazyLock;

use regex::Regex;

/// How far the conversation had come (RFC 5321 section 3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Connect,
    Login,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA and the text up to the last dot: nothing was accepted yet.
    Text,
    /// The last dot left: the server may have accepted the letter.
    AfterDot,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// This letter later, by the general back-off.
    Later,
    /// This connection has carried enough: a new one, at once.
    Reconnect,
    /// The account rests; `loud`: people must hear of it.
    Rest { secs: i64, loud: bool },
    /// The quarter-hour quota is used up: rest, and send half as fast from now on.
    Slower,
    /// A day's quota is used up: rest until the next day.
    NextDay,
    /// Something about account or configuration is wrong: nothing leaves, a real letter tries every few hours.
    Halt,
    /// The login was refused or throttled.
    Login,
    /// This letter once more after two minutes, then a person.
    OnceMore,
    /// The content was taken for spam: a person, no blind repeat.
    Hold,
    /// This letter will never be taken; `address`: because of its recipient.
    Refused { address: bool },
    /// It may or may not have arrived.
    Unknown,
}

/// Rest of an account whose IP or pace is refused for a while.
const HOURS: i64 = 4 * 3600;
/// Rest between two tries of a halted account.
pub const PROBE_SECS: i64 = 4 * 3600;
/// The window of NetEase's short quota.
pub const QUARTER_SECS: i64 = 15 * 60;

static TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b[A-Z]{2}:[A-Z]{3}\b").ok());
static CODE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?m)^(\d{3})(?:[ -]|$)").ok());
static ENHANCED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b").ok());

/// A server's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The number; `None` where nothing came, or nothing that reads like an answer.
    pub code: Option<u16>,
    /// One line, decoded from UTF-8 or else GBK.
    pub text: String,
}

impl Reply {
    /// Reads raw bytes; never fails.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => encoding_rs::GBK.decode_without_bom_handling(bytes).0.into_owned(),
        };
        let code =
            CODE.as_ref().and_then(|pattern| pattern.captures_iter(&text).last()).and_then(|found| found.get(1)?.as_str().parse().ok());
        Self { code, text: crate::domain::folding::one_line(&text) }
    }

    /// NetEase's token, wherever it stands.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        TOKEN.as_ref()?.find_iter(&self.text).map(|found| found.as_str()).find(|token| known(token)).or_else(|| {
            // An unknown token is still worth showing.
            TOKEN.as_ref()?.find(&self.text).map(|found| found.as_str())
        })
    }

    fn is_temporary(&self) -> bool {
        self.code.is_some_and(|code| (400..500).contains(&code))
    }

    /// RFC 3463: `5.1.1` is class 5, subject 1.
    fn enhanced(&self) -> Option<(&str, &str)> {
        let found = ENHANCED.as_ref()?.captures(&self.text)?;
        Some((found.get(1)?.as_str(), found.get(2)?.as_str()))
    }
}

fn known(token: &str) -> bool {
    by_token(token, false).is_some()
}

/// What to do about an answer (or the lack of one) at a stage.
#[must_use]
pub fn react(reply: &Reply, stage: Stage) -> Reaction {
    if let Some(reaction) = reply.token().and_then(|token| by_token(token, reply.is_temporary())) {
        return reaction;
    }
    if let Some(reaction) = by_words(&reply.text.to_lowercase()) {
        return reaction;
    }
    match reply.code {
        Some(530 | 534 | 535 | 538) => Reaction::Login,
        Some(421) => Reaction::Later,
        Some(code) if (400..500).contains(&code) => {
            if stage == Stage::Login {
                Reaction::Login
            } else {
                Reaction::Later
            }
        }
        Some(code) if code >= 500 => permanent(reply, stage),
        // A positive answer that is not the one that was due: the two sides are out of step.
        Some(_) if stage == Stage::AfterDot => Reaction::Unknown,
        Some(_) => Reaction::Later,
        None => silence(stage),
    }
}

/// Nothing came: only after the last dot may the letter have arrived; during the login, a close hides a refusal.
fn silence(stage: Stage) -> Reaction {
    match stage {
        Stage::Login => Reaction::Login,
        Stage::AfterDot => Reaction::Unknown,
        _ => Reaction::Later,
    }
}

/// A refusal without a known token: who is meant follows from the stage.
fn permanent(reply: &Reply, stage: Stage) -> Reaction {
    match stage {
        Stage::Connect => Reaction::Rest { secs: HOURS, loud: true },
        Stage::Login => Reaction::Login,
        Stage::Sender => Reaction::Halt,
        Stage::Recipient => Reaction::Refused { address: reply.enhanced().is_none_or(|(_, subject)| matches!(subject, "1" | "2")) },
        Stage::Text | Stage::AfterDot => Reaction::Refused { address: reply.enhanced().is_some_and(|(_, subject)| subject == "1") },
    }
}

fn by_token(token: &str, temporary: bool) -> Option<Reaction> {
    Some(match token {
        "HL:REP" | "HL:MEP" | "DT:RBL" | "WM:BLI" | "WM:BLU" => Reaction::Rest { secs: HOURS, loud: true },
        "HL:ICC" | "HL:IFC" => Reaction::Rest { secs: 25 * 60, loud: false },
        "MI:DMC" | "RP:DRC" => Reaction::Reconnect,
        "MI:CEL" | "RP:CEL" | "MI:CCL" | "RP:CCL" => Reaction::Rest { secs: 3600, loud: true },
        "MI:SFQ" => Reaction::Slower,
        "RP:QRC" => Reaction::Rest { secs: 3600, loud: false },
        "DT:SPM" => {
            if temporary {
                Reaction::OnceMore
            } else {
                Reaction::Hold
            }
        }
        "MI:STC" | "RP:TRC" | "HL:ITC" => Reaction::NextDay,
        "DT:SUM" | "MI:SPB" | "HL:IPB" | "HL:IHU" | "MI:NHD" | "MI:IMF" | "RP:FRL" | "RP:RCL" => Reaction::Halt,
        "MI:SPF" | "MI:DMA" => Reaction::Refused { address: false },
        _ => return None,
    })
}

/// Answers that NetEase gives in words. Lower case.
fn by_words(text: &str) -> Option<Reaction> {
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&[
        "user has no permission",
        "mail from must equal authorized user",
        "null sender is not allowed",
        "auth error limit exceed",
        "ip in blacklist",
    ]) {
        Some(Reaction::Halt)
    } else if says(&["too much fail authentication", "err.login.passerr", "authentication is required", "authentication failed"]) {
        Some(Reaction::Login)
    } else if says(&["invalid user", "user suspended", "user in blacklist", "user not found", "user unknown", "mailbox not found"]) {
        Some(Reaction::Refused { address: true })
    } else if says(&["illegal attachment", "exceeded mailsize"]) {
        Some(Reaction::Refused { address: false })
    } else if says(&["local error in processing"]) {
        Some(Reaction::Later)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, stage: Stage) -> Reaction {
        react(&Reply::read(text.as_bytes()), stage)
    }

    #[test]
    fn every_token_of_the_table_has_its_reaction_whatever_the_number() {
        let hours = Reaction::Rest { secs: HOURS, loud: true };
        let table: [(&str, &[u16], Reaction); 27] = [
            ("HL:REP", &[421], hours),
            ("HL:MEP", &[421], hours),
            ("HL:ICC", &[421, 554], Reaction::Rest { secs: 1500, loud: false }),
            ("HL:IFC", &[421, 554], Reaction::Rest { secs: 1500, loud: false }),
            ("MI:DMC", &[450, 451], Reaction::Reconnect),
            ("RP:DRC", &[450, 451], Reaction::Reconnect),
            ("MI:CEL", &[450, 550], Reaction::Rest { secs: 3600, loud: true }),
            ("RP:CCL", &[450, 550], Reaction::Rest { secs: 3600, loud: true }),
            ("MI:SFQ", &[451], Reaction::Slower),
            ("RP:QRC", &[451], Reaction::Rest { secs: 3600, loud: false }),
            ("DT:RBL", &[450], hours),
            ("WM:BLI", &[450], hours),
            ("WM:BLU", &[450], hours),
            ("DT:SUM", &[554, 550], Reaction::Halt),
            ("MI:STC", &[550, 554, 451], Reaction::NextDay),
            ("RP:TRC", &[550, 554], Reaction::NextDay),
            ("HL:ITC", &[554], Reaction::NextDay),
            ("MI:SPB", &[554], Reaction::Halt),
            ("HL:IPB", &[554], Reaction::Halt),
            ("HL:IHU", &[554], Reaction::Halt),
            ("MI:NHD", &[550], Reaction::Halt),
            ("MI:IMF", &[550], Reaction::Halt),
            ("RP:FRL", &[550], Reaction::Halt),
            ("RP:RCL", &[550], Reaction::Halt),
            ("MI:SPF", &[550], Reaction::Refused { address: false }),
            ("MI:DMA", &[550], Reaction::Refused { address: false }),
            ("DT:SPM", &[550, 554], Reaction::Hold),
        ];
        for (token, codes, reaction) in table {
            for code in codes {
                for stage in [Stage::Connect, Stage::Sender, Stage::Recipient, Stage::AfterDot] {
                    assert_eq!(said(&format!("{code} {token} 163 smtp11,x http://mail.163.com/help"), stage), reaction, "{code} {token}");
                    assert_eq!(said(&format!("{code} 5.5.0 {token} x"), stage), reaction, "{code} 5.5.0 {token}");
                }
            }
        }
        assert_eq!(said("451 DT:SPM,please try again", Stage::AfterDot), Reaction::OnceMore);
    }

    #[test]
    fn an_answer_in_gbk_is_understood_and_shown_in_chinese() {
        let (bytes, _, _) = encoding_rs::GBK.encode("554 DT:SPM 发送的邮件内容包含了未被许可的信息\r\n");
        let reply = Reply::read(&bytes);
        assert_eq!((reply.code, reply.token()), (Some(554), Some("DT:SPM")));
        assert!(reply.text.contains("未被许可"));
        assert_eq!(react(&reply, Stage::AfterDot), Reaction::Hold);
    }

    #[test]
    fn a_ban_in_words_halts_and_a_wrong_password_is_a_matter_of_login() {
        for words in [
            "550 User has no permission",
            "553 Mail from must equal authorized user",
            "554 IP is rejected, smtp auth error limit exceed",
            "553 NULL sender is not allowed",
        ] {
            assert_eq!(said(words, Stage::Sender), Reaction::Halt, "{words}");
        }
        for words in [
            "535 Error: authentication failed",
            "451 too much fail authentication",
            "460 x ERR.LOGIN.PASSERR",
            "553 authentication is required",
        ] {
            assert_eq!(said(words, Stage::Login), Reaction::Login, "{words}");
        }
    }

    #[test]
    fn an_unknown_recipient_is_the_letters_fault_and_an_unknown_refusal_of_the_sender_is_ours() {
        assert_eq!(said("550 Invalid User", Stage::Recipient), Reaction::Refused { address: true });
        assert_eq!(said("550 5.1.1 no such mailbox here", Stage::Recipient), Reaction::Refused { address: true });
        assert_eq!(said("550 5.7.1 policy", Stage::Recipient), Reaction::Refused { address: false });
        assert_eq!(said("550 something new", Stage::Sender), Reaction::Halt);
        assert_eq!(said("552 Illegal Attachment", Stage::AfterDot), Reaction::Refused { address: false });
    }

    #[test]
    fn silence_means_what_the_stage_makes_it_mean() {
        assert_eq!(said("", Stage::Connect), Reaction::Later);
        assert_eq!(said("", Stage::Login), Reaction::Login);
        assert_eq!(said("", Stage::Text), Reaction::Later);
        assert_eq!(said("", Stage::AfterDot), Reaction::Unknown);
    }

    #[test]
    fn any_bytes_have_a_reaction() {
        for seed in 0..2000_u64 {
            let mut random = fastrand::Rng::with_seed(seed);
            let bytes: Vec<u8> = (0..random.usize(0..60)).map(|_| random.u8(..)).collect();
            let _ = react(&Reply::read(&bytes), Stage::AfterDot);
        }
    }
}
