//! The applicant: credit code (GB 32100-2015), R8 (an enterprise), R5 (of the province), R26 (code and name fit).

use super::{Desk, Finding, checks, shortened};
use crate::domain::{
    folding,
    uscc::{self, OrganisationKind, UsccOutcome},
};

/// USCC: wrong length or alphabet is an error; letters are suggested, never replaced.
///
/// A check character that does not fit is a warning: codes of the pilot era that stand on real licences fail it (91350100M0001TGQXM), and
/// a sender whose licence says so has nothing to correct. The sender is told all the same. So with first characters nobody knows: new
/// kinds of registration are issued.
pub fn credit_code_is_sound(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(text) = desk.text("uscc") else { return };
    let shown = shortened(text, 40);
    let found = ("found", shown.as_str());
    let mut raise = |check, values: &[(&str, &str)]| desk.raise(findings, check, "uscc", values);
    // A spreadsheet says of itself that it has rounded the number: no check can make it the code again.
    if desk.topic.fields.get("uscc").is_some_and(|placed| placed.value.rounded) {
        return raise(&checks::CODE_ROUNDED, &[found]);
    }
    match uscc::check(text) {
        UsccOutcome::Valid { .. } => {}
        UsccOutcome::SoftOrganisationMismatch { .. } => raise(&checks::CODE_INNER, &[found]),
        UsccOutcome::WrongCheck { .. } => raise(&checks::CODE_CHECK, &[found]),
        UsccOutcome::UnknownPrefix => raise(&checks::CODE_PREFIX, &[found]),
        UsccOutcome::WrongLetters { letters, suggestion } => {
            let letters: Vec<String> = letters.iter().map(char::to_string).collect();
            let ask = suggestion.map_or_else(String::new, |code| format!("是否应为“{code}”，"));
            raise(&checks::CODE_LETTERS, &[found, ("letters", &letters.join("、")), ("ask", &ask)]);
        }
        UsccOutcome::LegacyLicence => raise(&checks::CODE_LICENCE, &[found]),
        UsccOutcome::OrganisationCode => raise(&checks::CODE_ORGANISATION, &[found]),
        UsccOutcome::Rounded => raise(&checks::CODE_ROUNDED, &[found]),
        UsccOutcome::WrongLength { chars } => raise(&checks::CODE_LENGTH, &[found, ("count", &chars.to_string())]),
    }
}

/// R8: the lead is an enterprise. The code decides; without a usable code the name is a second signal. Partners are free (R9).
pub fn applicant_is_an_enterprise(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(name) = desk.text("applicant") else { return };
    let shown = shortened(name, 60);
    let found = ("found", shown.as_str());
    let kind = desk.text("uscc").map(uscc::check).and_then(|outcome| outcome.kind());
    match kind {
        Some(OrganisationKind::Enterprise) => {
            if looks_public(name) == Some(true) {
                desk.raise(findings, &checks::CODE_AND_NAME, "uscc", &[found]);
            }
        }
        Some(kind @ (OrganisationKind::IndividualBusiness | OrganisationKind::Cooperative | OrganisationKind::Other)) => {
            desk.raise(findings, &checks::PERHAPS_NO_ENTERPRISE, "applicant", &[found, ("kind", kind.chinese())]);
        }
        Some(kind) => desk.raise(findings, &checks::NOT_AN_ENTERPRISE, "applicant", &[found, ("kind", kind.chinese())]),
        None => match looks_public(name) {
            Some(true) => desk.raise(findings, &checks::NAME_IS_PUBLIC, "applicant", &[found]),
            Some(false) => desk.raise(findings, &checks::NAME_UNSURE, "applicant", &[found]),
            None => {}
        },
    }
}

/// R5: places 3–8 of the code say where it was registered. A hint for reviewers only: national registrations are lawful.
pub fn registered_in_the_province(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(text) = desk.text("uscc") else { return };
    if !matches!(uscc::check(text), UsccOutcome::Valid { .. } | UsccOutcome::SoftOrganisationMismatch { .. }) {
        return;
    }
    if let Some(area) = uscc::area(text).filter(|area| !area.starts_with("22") && area != "100000") {
        desk.raise(findings, &checks::REGISTERED_ELSEWHERE, "uscc", &[("found", &area)]);
    }
}

/// `Some(true)`: the name of a university, hospital, organ or association; `Some(false)`: an institute or centre, which may be either.
fn looks_public(name: &str) -> Option<bool> {
    let folded = folding::fold_words(name);
    let firm = ["公司", "集团", "厂", "企业", "合伙", "工场", "矿", "社", "店", "酒庄"];
    if firm.iter().any(|word| folded.contains(word)) && !folded.ends_with("大学") {
        return None;
    }
    let public = [
        "大学",
        "学院",
        "学校",
        "中学",
        "医院",
        "人民政府",
        "委员会",
        "协会",
        "学会",
        "联合会",
        "商会",
        "基金会",
        "管委会",
        "工业和信息化局",
        "工信局",
    ];
    let open = ["研究所", "研究院", "研究中心", "创新中心", "实验室", "设计院", "检测中心", "研究室", "工作站"];
    if public.iter().any(|word| folded.ends_with(word)) {
        Some(true)
    } else if open.iter().any(|word| folded.ends_with(word)) {
        Some(false)
    } else {
        None
    }
}
