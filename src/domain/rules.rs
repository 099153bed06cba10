//! The notice's requirements as rules: fields in, findings out, each with rule number, severity, place and a Chinese sentence.

use super::{findings::Finding, forms::catalogue::Catalogue, reconcile::Draft};

/// What a package as a whole holds; checked by R14, R15, R16.
#[derive(Debug, Clone, Default)]
pub struct Package<'a> {
    /// Paths of the files that hold annex 1 / annex 2.
    pub annex1_files: Vec<&'a str>,
    pub annex2_files: Vec<&'a str>,
    pub has_formal_letter: bool,
    /// Titles of annex 2 rows without a form, with the row's file and place.
    pub rows_without_form: Vec<(&'a str, &'a str, &'a str)>,
    /// Titles of forms without a row, with the form's file and place.
    pub forms_without_row: Vec<(&'a str, &'a str, &'a str)>,
    /// An enterprise wrote by itself (R2): it owes no annex 2 and no letter.
    pub enterprise_direct: bool,
}

/// Findings about one topic: presence (R14 and the rule of each field), R7, R8, R19, R21, R22, R23, formats, credit code.
#[must_use]
pub fn check_topic(topic: &Draft, catalogue: &Catalogue) -> Vec<Finding> {
    let _ = (topic, catalogue);
    Vec::new()
}

/// Findings about the package: R14 (an annex 1), R15 (exactly one annex 2, rows and forms agree), R16 (a formal letter).
#[must_use]
pub fn check_package(package: &Package<'_>) -> Vec<Finding> {
    let _ = package;
    Vec::new()
}
