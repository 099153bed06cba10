//! The package as a whole: R14 (an annex 1), R15 (one annex 2 that agrees with the forms), R16 (a formal letter).

use super::{Finding, Package, RuleSettings, book, checks, checks::Check, shortened};

/// R14: there is an annex 1.
pub fn holds_an_annex_1(package: &Package<'_>, settings: &RuleSettings, findings: &mut Vec<Finding>) {
    if package.annex1_files.is_empty() {
        findings.extend(about(&checks::NO_ANNEX_1, settings, None, &[]));
    }
}

/// R15: there is exactly one annex 2. An enterprise that writes by itself owes none (R2).
pub fn holds_one_annex_2(package: &Package<'_>, settings: &RuleSettings, findings: &mut Vec<Finding>) {
    match package.annex2_files.as_slice() {
        [] if package.enterprise_direct => {}
        [] => findings.extend(about(&checks::NO_TABLE, settings, None, &[])),
        [_] => {}
        [first, ..] => {
            let files: Vec<String> = package.annex2_files.iter().take(5).map(|file| format!("“{}”", shortened(file, 60))).collect();
            let count = package.annex2_files.len().to_string();
            let values = [("count", count.as_str()), ("found", &files.join("、"))];
            findings.extend(about(&checks::MANY_TABLES, settings, Some((first, None)), &values));
        }
    }
}

/// R15: every row has its form, every form its row, and both say the same. Without any table the missing table is the finding.
pub fn rows_and_forms_agree(package: &Package<'_>, settings: &RuleSettings, findings: &mut Vec<Finding>) {
    for (title, file, place) in &package.rows_without_form {
        let found = [("found", &*shortened(title, 60))];
        findings.extend(about(&checks::ROW_WITHOUT_FORM, settings, Some((file, Some(place))), &found));
    }
    if !package.annex2_files.is_empty() {
        for (title, file, place) in &package.forms_without_row {
            let found = [("found", &*shortened(title, 60))];
            findings.extend(about(&checks::FORM_WITHOUT_ROW, settings, Some((file, Some(place))), &found));
        }
    }
    rows_and_forms_say_the_same(package, settings, findings);
}

/// R15: one finding for each topic whose row and form differ in what identifies it or in a figure; free texts are shortened in a table
/// as a matter of course.
fn rows_and_forms_say_the_same(package: &Package<'_>, settings: &RuleSettings, findings: &mut Vec<Finding>) {
    let told: Vec<_> =
        package.differs.iter().filter(|(difference, ..)| checks::DIFFERS.fields.contains(&difference.field.as_str())).collect();
    for together in told.chunk_by(|(_, file, place), (_, next_file, next_place)| (file, place) == (next_file, next_place)) {
        let Some((_, file, place)) = together.first() else { continue };
        let parts: Vec<String> = together
            .iter()
            .map(|(difference, ..)| {
                let label = book::label(&difference.field);
                format!("“{label}”附件2为“{}”、附件1为“{}”", shortened(&difference.row, 40), shortened(&difference.form, 40))
            })
            .collect();
        findings.extend(about(&checks::DIFFERS, settings, Some((file, Some(place))), &[("found", &parts.join("，"))]));
    }
}

/// R16: a formal letter is there; without it the package is taken in and the letter awaited.
pub fn has_a_formal_letter(package: &Package<'_>, settings: &RuleSettings, findings: &mut Vec<Finding>) {
    if !package.has_formal_letter && !package.enterprise_direct {
        findings.extend(about(&checks::FORMAL_LETTER, settings, None, &[]));
    }
}

/// File and, where there is one, place.
type At<'a> = Option<(&'a &'a str, Option<&'a &'a str>)>;

fn about(check: &Check, settings: &RuleSettings, at: At<'_>, values: &[(&str, &str)]) -> Option<Finding> {
    Some(Finding {
        rule: check.rule().to_owned(),
        severity: settings.severity_of(check)?,
        field: None,
        attachment: at.map(|(file, _)| (*file).to_owned()),
        place: at.and_then(|(_, place)| place).map(|place| (*place).to_owned()),
        message: check.say(values),
        audience: check.audience,
    })
}
