//! The server's answers: a tagged OK, or a fault that keeps the server's own words.

use async_imap::imap_proto::{Outcome, ResponseCode, Status};
use jiff::{Timestamp, fmt::strtime};

use crate::edge::fault::{Fault, FaultKind};

/// What to think of a tagged answer.
pub fn tagged(command: &str, status: &Status, outcome: &Outcome<'_>) -> Result<(), Fault> {
    if *status == Status::Ok {
        return Ok(());
    }
    let text = outcome.information.as_deref().unwrap_or("no reason given");
    Err(refusal(command, status, text))
}

/// A refusal in the server's words, classified.
pub fn refusal(command: &str, status: &Status, text: &str) -> Fault {
    let word = match status {
        Status::Bad => "BAD",
        Status::Bye => "BYE",
        _ => "NO",
    };
    let what = format!("the server answered {command} with {word}: {}", crate::domain::folding::one_line(text));
    if text.contains("Unsafe Login") {
        return Fault { kind: FaultKind::UnsafeLogin, what };
    }
    if command == "LOGIN" && *status != Status::Bye {
        let what = format!(
            "{what}. For 163.com use the authorisation code (授权码), not the password, and see that the IMAP service is switched on"
        );
        return Fault { kind: FaultKind::Login, what };
    }
    Fault::later(what)
}

/// UIDVALIDITY of a response code.
pub fn uidvalidity(outcome: &Outcome<'_>) -> Option<u32> {
    match outcome.code {
        Some(ResponseCode::UidValidity(value)) => Some(value),
        _ => None,
    }
}

/// INTERNALDATE (RFC 3501 section 9, date-time): `17-Jul-1996 02:44:25 -0700`, the day padded with a space.
pub fn internal_date(text: &str) -> Option<Timestamp> {
    strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim()).ok()?.to_timestamp().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_date_is_read_with_its_zone() {
        let expected: Timestamp = "1996-07-17T09:44:25Z".parse().unwrap();
        assert_eq!(internal_date("17-Jul-1996 02:44:25 -0700"), Some(expected));
        assert!(internal_date(" 5-Jul-1996 02:44:25 +0800").is_some());
        assert_eq!(internal_date("yesterday"), None);
    }

    #[test]
    fn unsafe_login_is_not_taken_for_a_wrong_password() {
        let fault = refusal("EXAMINE", &Status::No, "EXAMINE Unsafe Login. Please contact kefu@188.com for help");
        assert_eq!(fault.kind, FaultKind::UnsafeLogin);
        assert_eq!(refusal("LOGIN", &Status::No, "LOGIN Login error or password error").kind, FaultKind::Login);
        assert_eq!(refusal("UID SEARCH", &Status::No, "[UNAVAILABLE] later").kind, FaultKind::Later);
    }
}
