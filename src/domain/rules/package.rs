//! The package as a whole: R14 (an annex 1), R15 (one annex 2 that agrees with the forms), R16 (a formal letter).

use super::{Audience, Finding, Package, Severity, shortened};

/// R14: there is an annex 1.
pub fn holds_an_annex_1(package: &Package<'_>, findings: &mut Vec<Finding>) {
    if package.annex1_files.is_empty() {
        let message = "未见附件1（申报表），请为每项课题附上填写完整的附件1，例如：附件1-课题名称-企业名称.docx。".to_owned();
        findings.push(about(None, None, "R14", Severity::Error, message));
    }
}

/// R15: there is exactly one annex 2. An enterprise that writes by itself owes none (R2).
pub fn holds_one_annex_2(package: &Package<'_>, findings: &mut Vec<Finding>) {
    match package.annex2_files.as_slice() {
        [] if package.enterprise_direct => {}
        [] => {
            let message = "未见附件2（汇总表），请由报送单位汇总后附上，例如：附件2汇总表.xlsx。".to_owned();
            findings.push(about(None, None, "R15", Severity::Error, message));
        }
        [_] => {}
        [first, rest @ ..] => {
            let message = format!(
                "收到{}份附件2（汇总表）：{}，每批应只有一份，请确认以哪一份为准。",
                rest.len() + 1,
                package.annex2_files.iter().map(|file| format!("“{}”", shortened(file, 60))).collect::<Vec<_>>().join("、")
            );
            findings.push(about(Some(first), None, "R15", Severity::Warning, message));
        }
    }
}

/// R15: every row has its form, every form its row. Without any table the missing table is the finding.
pub fn rows_and_forms_agree(package: &Package<'_>, findings: &mut Vec<Finding>) {
    for (title, file, place) in &package.rows_without_form {
        let message = format!(
            "附件2中的课题“{}”未找到对应的附件1，请补报该课题的申报表，或核对两处的课题名称和申报单位是否一致。",
            shortened(title, 60)
        );
        findings.push(about(Some(file), Some(place), "R15", Severity::Error, message));
    }
    if package.annex2_files.is_empty() {
        return;
    }
    for (title, file, place) in &package.forms_without_row {
        let message =
            format!("附件1中的课题“{}”未列入附件2，请在汇总表中补充，或核对两处的课题名称和申报单位是否一致。", shortened(title, 60));
        findings.push(about(Some(file), Some(place), "R15", Severity::Warning, message));
    }
}

/// R16: a formal letter is there; without it the package is taken in and the letter awaited.
pub fn has_a_formal_letter(package: &Package<'_>, findings: &mut Vec<Finding>) {
    if !package.has_formal_letter && !package.enterprise_direct {
        let message = "未见正式文件，材料先行收下，请补报加盖公章的正式文件扫描件，例如：《关于报送聚力攻坚专项课题的函》。".to_owned();
        findings.push(about(None, None, "R16", Severity::Warning, message));
    }
}

fn about(file: Option<&str>, place: Option<&str>, rule: &str, severity: Severity, message: String) -> Finding {
    Finding {
        rule: rule.to_owned(),
        severity,
        field: None,
        attachment: file.map(str::to_owned),
        place: place.map(str::to_owned),
        message,
        audience: Audience::Sender,
    }
}
