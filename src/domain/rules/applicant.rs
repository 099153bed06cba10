//! The applicant: credit code (GB 32100-2015), R8 (an enterprise), R5 (of the province), R26 (code and name fit).

use super::{Desk, Finding, Severity, shortened};
use crate::domain::{
    folding,
    uscc::{self, OrganisationKind, UsccOutcome},
};

/// USCC: wrong length or alphabet is an error, a check that does not fit a warning; letters are suggested, never replaced.
pub fn credit_code_is_sound(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(text) = desk.text("uscc") else { return };
    let shown = shortened(text, 40);
    let (severity, message) = match uscc::check(text) {
        UsccOutcome::Valid { .. } => return,
        UsccOutcome::SoftOrganisationMismatch { .. } => {
            let message = format!("统一社会信用代码“{shown}”整体校验通过，但其中第9—17位（主体标识码）的校验位不符，请人工核对。");
            findings.push(desk.for_reviewer("USCC", Severity::Warning, "uscc", message));
            return;
        }
        UsccOutcome::WrongCheck { .. } => {
            (Severity::Warning, format!("统一社会信用代码“{shown}”校验不通过，可能有个别字符录入有误，请对照营业执照核对。"))
        }
        UsccOutcome::UnknownPrefix => (
            Severity::Warning,
            format!("统一社会信用代码“{shown}”的前两位不在已知的登记类别之内（企业一般以91开头），请对照营业执照核对。"),
        ),
        UsccOutcome::WrongLetters { letters, suggestion } => {
            let letters: Vec<String> = letters.iter().map(char::to_string).collect();
            let ask = suggestion.map_or_else(String::new, |code| format!("是否应为“{code}”，"));
            let message = format!("统一社会信用代码“{shown}”含有不应出现的字符“{}”，{ask}请对照营业执照核对后更正。", letters.join("、"));
            (Severity::Error, message)
        }
        UsccOutcome::LegacyLicence => {
            (Severity::Error, format!("“{shown}”是15位的旧版营业执照注册号，请填写现行营业执照上18位的统一社会信用代码。"))
        }
        UsccOutcome::OrganisationCode => {
            (Severity::Error, format!("“{shown}”是9位的组织机构代码，请填写现行营业执照上18位的统一社会信用代码。"))
        }
        UsccOutcome::WrongLength { .. } if folding::fold(text).contains("e+") => (
            Severity::Error,
            format!("统一社会信用代码“{shown}”已被表格软件改成科学计数，末几位丢失，请将单元格设为文本格式后重新填写18位代码。"),
        ),
        UsccOutcome::WrongLength { chars } => {
            (Severity::Error, format!("统一社会信用代码“{shown}”为{chars}位，应为18位，请对照营业执照核对，例如以91开头的18位代码。"))
        }
    };
    findings.push(desk.for_sender("USCC", severity, "uscc", message));
}

/// R8: the lead is an enterprise. The code decides; without a usable code the name is a second signal. Partners are free (R9).
pub fn applicant_is_an_enterprise(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(name) = desk.text("applicant") else { return };
    let shown = shortened(name, 60);
    let kind = desk.text("uscc").map(uscc::check).and_then(|outcome| outcome.kind());
    match kind {
        Some(OrganisationKind::Enterprise) => {
            if looks_public(name) == Some(true) {
                let message = format!("申报单位“{shown}”的名称与统一社会信用代码所示的企业类别不一致，请人工核对代码与名称是否对应。");
                findings.push(desk.for_reviewer("R26", Severity::Warning, "uscc", message));
            }
        }
        Some(kind @ (OrganisationKind::IndividualBusiness | OrganisationKind::Cooperative | OrganisationKind::Other)) => {
            let message = format!("申报单位“{shown}”的统一社会信用代码属于{}，通知要求申报主体为企业，请确认申报单位。", kind.chinese());
            findings.push(desk.for_sender("R8", Severity::Warning, "applicant", message));
        }
        Some(kind) => {
            let message = format!(
                "申报单位“{shown}”的统一社会信用代码属于{}，通知要求申报主体必须是企业；请由企业牵头申报，该单位可列为联合单位。",
                kind.chinese()
            );
            findings.push(desk.for_sender("R8", Severity::Error, "applicant", message));
        }
        None => match looks_public(name) {
            Some(true) => {
                let message =
                    format!("从名称看，申报单位“{shown}”不是企业，通知要求申报主体必须是企业；请由企业牵头申报，该单位可列为联合单位。");
                findings.push(desk.for_sender("R8", Severity::Error, "applicant", message));
            }
            Some(false) => {
                let message = format!("从名称看，尚不能确定申报单位“{shown}”是企业，请核对单位全称并提供18位统一社会信用代码。");
                findings.push(desk.for_sender("R8", Severity::Warning, "applicant", message));
            }
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
        let message = format!("统一社会信用代码中的登记机关区划码为{area}，不属于吉林省（22），请留意企业注册地。");
        findings.push(desk.for_reviewer("R5", Severity::Note, "uscc", message));
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
