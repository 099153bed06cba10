//! The unified social credit code (GB 32100-2015) and the organisation code inside it (GB 11714).

use super::folding;

/// The 31 symbols of GB 32100-2015: no I, O, S, V, Z.
const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
/// Powers of 3 modulo 31.
const WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
/// GB 11714, first eight places.
const ORGANISATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
/// Registration authority and organisation type, as issued.
const PREFIXES: &str = "11 12 13 19 21 29 31 32 33 34 35 39 41 49 51 52 53 59 61 62 69 71 72 79 81 89 91 92 93 A1 A9 N1 N2 N3 N9 Y1";

/// What the first two characters say about the holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrganisationKind {
    /// 91
    Enterprise,
    /// 92 个体工商户
    IndividualBusiness,
    /// 93 农民专业合作社
    Cooperative,
    /// 12 事业单位: most universities, institutes and hospitals
    PublicInstitution,
    /// 11, 13: organs and mass organisations
    Government,
    /// 51 社会团体
    Association,
    /// 52 民办非企业单位
    PrivateNonEnterprise,
    /// 53 基金会
    Foundation,
    /// Every other known combination.
    Other,
}

impl OrganisationKind {
    /// What people call such a holder.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Enterprise => "企业",
            Self::IndividualBusiness => "个体工商户",
            Self::Cooperative => "农民专业合作社",
            Self::PublicInstitution => "事业单位",
            Self::Government => "机关或群众团体",
            Self::Association => "社会团体",
            Self::PrivateNonEnterprise => "民办非企业单位",
            Self::Foundation => "基金会",
            Self::Other => "其他组织",
        }
    }
}

/// What a text given as a code turns out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsccOutcome {
    Valid {
        kind: OrganisationKind,
    },
    /// The code's own check fits, the digit of the organisation code inside does not; pilot-era codes are like that too.
    SoftOrganisationMismatch {
        kind: OrganisationKind,
    },
    /// The last character does not fit; `kind` as far as the first two characters are a known combination.
    WrongCheck {
        kind: Option<OrganisationKind>,
    },
    /// Well formed, but nobody issues codes that begin so.
    UnknownPrefix,
    /// Characters outside the alphabet; the suggestion (O → 0, I → 1, S → 5, Z → 2) is for the sender to confirm, never used.
    WrongLetters {
        letters: Vec<char>,
        suggestion: Option<String>,
    },
    WrongLength {
        chars: usize,
    },
    /// A spreadsheet has kept it as a number: scientific notation, or 18 digits of which the last are lost.
    Rounded,
    /// A 15-digit business-licence number of before 2015.
    LegacyLicence,
    /// A 9-character organisation code (GB 11714).
    OrganisationCode,
}

impl UsccOutcome {
    /// The holder's kind, where the code is sound enough to tell.
    #[must_use]
    pub fn kind(&self) -> Option<OrganisationKind> {
        match self {
            Self::Valid { kind } | Self::SoftOrganisationMismatch { kind } => Some(*kind),
            Self::WrongCheck { kind } => *kind,
            _ => None,
        }
    }
}

/// The code as it is compared: half width, upper case, without spaces, hyphens and the apostrophe of spreadsheets. Where other words stand
/// around it (代码：…, …（三证合一）), the one run of 18 letters and digits is taken.
#[must_use]
pub fn normalise(text: &str) -> String {
    let all: String = folding::fold(text)
        .chars()
        .filter(|c| !matches!(c, '-' | '‐' | '‑' | '‒' | '–' | '—' | '−' | '_' | '\'' | '‘' | '’' | '`'))
        .flat_map(char::to_uppercase)
        .collect();
    let mut runs = all.split(|c: char| !c.is_ascii_alphanumeric()).filter(|run| run.len() == 18);
    match (runs.next(), runs.next()) {
        (Some(only), None) => only.to_owned(),
        _ => all,
    }
}

/// Judges a code. Letters that look like digits are suggested, never replaced.
#[must_use]
pub fn check(text: &str) -> UsccOutcome {
    let code = normalise(text);
    let chars = code.chars().count();
    match chars {
        18 => {}
        15 if code.chars().all(|c| c.is_ascii_digit()) => return UsccOutcome::LegacyLicence,
        9 if code.chars().all(|c| c.is_ascii_alphanumeric()) => return UsccOutcome::OrganisationCode,
        _ if is_scientific(&code) => return UsccOutcome::Rounded,
        _ => return UsccOutcome::WrongLength { chars },
    }
    let mut letters: Vec<char> = code.chars().filter(|c| symbol(*c).is_none()).collect();
    if !letters.is_empty() {
        letters.sort_unstable();
        letters.dedup();
        return UsccOutcome::WrongLetters { letters, suggestion: suggestion(&code) };
    }
    let kind = kind_of(&code);
    if check_symbol(&code) != code.chars().last() {
        return if is_rounded(&code) { UsccOutcome::Rounded } else { UsccOutcome::WrongCheck { kind } };
    }
    match kind {
        None => UsccOutcome::UnknownPrefix,
        Some(kind) if organisation_fits(&code) => UsccOutcome::Valid { kind },
        Some(kind) => UsccOutcome::SoftOrganisationMismatch { kind },
    }
}

/// Places 3–8: GB/T 2260 code of the registering authority's area. `None` where the code has not 18 characters.
#[must_use]
pub fn area(text: &str) -> Option<String> {
    let code = normalise(text);
    (code.chars().count() == 18).then(|| code.chars().skip(2).take(6).collect())
}

/// `9.13502E+17`, as a spreadsheet shows a long number.
fn is_scientific(code: &str) -> bool {
    code.split_once('E').is_some_and(|(number, exponent)| {
        let digits = exponent.trim_start_matches('+');
        let numeric = number.chars().all(|c| c.is_ascii_digit() || c == '.') && number.contains('.');
        numeric && !digits.is_empty() && digits.len() <= 2 && digits.chars().all(|c| c.is_ascii_digit())
    })
}

/// Eighteen digits that are what a spreadsheet makes of eighteen digits: fifteen are kept, and the number is the nearest that a double
/// holds. Only asked where the check character fails, so that a code that ends with zeros by right stays one.
fn is_rounded(code: &str) -> bool {
    let Ok(number) = code.parse::<u64>() else { return false };
    let kept = (number + 500) / 1000 * 1000;
    // 913502000728319000 may be written out as 913502000728318976.
    #[expect(clippy::cast_precision_loss, reason = "the loss is what is looked for")]
    let as_double = |number: u64| number as f64;
    #[expect(clippy::float_cmp, reason = "equal doubles are the sign")]
    let same = as_double(number) == as_double(kept);
    same && number.abs_diff(kept) <= 64
}

fn kind_of(code: &str) -> Option<OrganisationKind> {
    let prefix: String = code.chars().take(2).collect();
    if !PREFIXES.split(' ').any(|known| known == prefix) {
        return None;
    }
    Some(match prefix.as_str() {
        "91" => OrganisationKind::Enterprise,
        "92" => OrganisationKind::IndividualBusiness,
        "93" => OrganisationKind::Cooperative,
        "12" => OrganisationKind::PublicInstitution,
        "11" | "13" => OrganisationKind::Government,
        "51" => OrganisationKind::Association,
        "52" => OrganisationKind::PrivateNonEnterprise,
        "53" => OrganisationKind::Foundation,
        _ => OrganisationKind::Other,
    })
}

fn symbol(c: char) -> Option<usize> {
    ALPHABET.chars().position(|known| known == c)
}

fn check_symbol(code: &str) -> Option<char> {
    let sum: usize = code.chars().zip(WEIGHTS).map(|(c, weight)| symbol(c).unwrap_or(0) * weight).sum();
    ALPHABET.chars().nth((31 - sum % 31) % 31)
}

fn organisation_fits(code: &str) -> bool {
    let sum: u32 = code.chars().skip(8).zip(ORGANISATION_WEIGHTS).map(|(c, weight)| c.to_digit(36).unwrap_or(0) * weight).sum();
    let expected = match 11 - sum % 11 {
        10 => Some('X'),
        11 => Some('0'),
        digit => char::from_digit(digit, 10),
    };
    code.chars().nth(16) == expected
}

fn suggestion(code: &str) -> Option<String> {
    let replaced: String = code
        .chars()
        .map(|c| match c {
            'O' => '0',
            'I' => '1',
            'S' => '5',
            'Z' => '2',
            other => other,
        })
        .collect();
    replaced.chars().all(|c| symbol(c).is_some()).then_some(replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_codes_name_the_kind_of_their_holder() {
        for code in ["91220101TEXT00017E", "91220201TEXT00025E", "91220501TEXT00033Q", "91222403TEXT000414", "91220581TEXT000687"] {
            assert_eq!(check(code), UsccOutcome::Valid { kind: OrganisationKind::Enterprise }, "{code}");
        }
        assert_eq!(check("12220000TEXT0005X8"), UsccOutcome::Valid { kind: OrganisationKind::PublicInstitution });
        assert_eq!(check("52220100TEXT000764"), UsccOutcome::Valid { kind: OrganisationKind::PrivateNonEnterprise });
        assert_eq!(check("93220882TEXT00084L"), UsccOutcome::Valid { kind: OrganisationKind::Cooperative });
        for code in ["12220000412760962A", "123502001549897397"] {
            assert_eq!(check(code), UsccOutcome::Valid { kind: OrganisationKind::PublicInstitution }, "{code}");
        }
        for code in ["11220000013544357T", "11220100013828800N"] {
            assert_eq!(check(code), UsccOutcome::Valid { kind: OrganisationKind::Government }, "{code}");
        }
        for code in ["913502000728319549", "91350200MA2YJ1XR9G"] {
            assert_eq!(check(code), UsccOutcome::Valid { kind: OrganisationKind::Enterprise }, "{code}");
        }
    }

    #[test]
    fn every_swap_of_neighbours_is_noticed() {
        let code: Vec<char> = "91220101TEXT00017E".chars().collect();
        for at in 0..17 {
            let mut swapped = code.clone();
            swapped.swap(at, at + 1);
            if swapped != code {
                let text: String = swapped.iter().collect();
                assert!(matches!(check(&text), UsccOutcome::WrongCheck { .. }), "{text}");
            }
        }
        assert_eq!(check("91220101TEXT00017F"), UsccOutcome::WrongCheck { kind: Some(OrganisationKind::Enterprise) });
        assert_eq!(check("91220110TEXT00017E"), UsccOutcome::WrongCheck { kind: Some(OrganisationKind::Enterprise) });
    }

    #[test]
    fn a_letter_that_looks_like_a_digit_is_suggested_never_replaced() {
        assert_eq!(
            check("91220101TEXTO0017E"),
            UsccOutcome::WrongLetters { letters: vec!['O'], suggestion: Some("91220101TEXT00017E".to_owned()) }
        );
        assert_eq!(check("91220101TEXTV0017E"), UsccOutcome::WrongLetters { letters: vec!['V'], suggestion: None });
    }

    #[test]
    fn words_around_a_code_do_not_matter_and_two_codes_are_none() {
        for text in ["代码：91220101TEXT00017E", "91220101TEXT00017E（三证合一）"] {
            assert_eq!(check(text), UsccOutcome::Valid { kind: OrganisationKind::Enterprise }, "{text}");
        }
        assert!(matches!(check("91220101TEXT00017E、91220201TEXT00025E"), UsccOutcome::WrongLength { .. }));
    }

    #[test]
    fn old_numbers_are_called_by_their_name() {
        assert_eq!(check("91220101TEXT0001E"), UsccOutcome::WrongLength { chars: 17 });
        assert_eq!(check("220101000012345"), UsccOutcome::LegacyLicence);
        assert_eq!(check("41276096-2"), UsccOutcome::OrganisationCode);
        assert_eq!(check("办理中"), UsccOutcome::WrongLength { chars: 3 });
    }

    #[test]
    fn a_code_that_a_spreadsheet_kept_as_a_number_is_called_so() {
        for code in ["9.13502E+17", "9.1350200072832E+17", "913502000728319000", "913502000728318976", "９．１Ｅ＋１７"] {
            assert_eq!(check(code), UsccOutcome::Rounded, "{code}");
        }
        assert!(matches!(check("913502000728319540"), UsccOutcome::WrongCheck { .. }), "a slip in the last digit is a slip");
    }

    #[test]
    fn a_fitting_check_does_not_make_an_unknown_authority_known() {
        assert_eq!(check("98220101TEXT00017Q"), UsccOutcome::UnknownPrefix);
    }

    #[test]
    fn a_wrong_organisation_code_inside_is_only_a_soft_doubt() {
        assert_eq!(check("91220101TEXT00016B"), UsccOutcome::SoftOrganisationMismatch { kind: OrganisationKind::Enterprise });
    }

    #[test]
    fn width_case_spaces_and_hyphens_do_not_matter() {
        let expected = UsccOutcome::Valid { kind: OrganisationKind::Enterprise };
        for code in ["　91220101text00017e ", "９１２２０１０１ＴＥＸＴ０００１７Ｅ", "912201 01TEXT 00017E", "91220101-TEXT00017-E"]
        {
            assert_eq!(check(code), expected, "{code}");
        }
        assert_eq!(area(" 91220101text00017e").as_deref(), Some("220101"));
    }
}
