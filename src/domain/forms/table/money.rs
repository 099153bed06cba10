//! Units of money, in labels, above tables and in values.

use std::sync::LazyLock;

use regex::Regex;

/// `单位：万元` above a table; `填报单位：…` is something else.
static ABOVE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:^|[^\p{Han}])(?:金额|货币|计量)?单\s*位\s*[:：]\s*(?:人民币)?\s*((?:百|千|百万|千万|万|亿)?元)").ok());

/// A unit in brackets or behind a stroke at the end of a label.
static IN_LABEL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[（(/／,，、:：\[【]\s*(?:单位\s*[:：]?)?\s*(?:人民币)?\s*((?:百|千|百万|千万|万|亿)?元)").ok());

static OWN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[\d０-９]\s*(?:余|多)?\s*(?:百|千|百万|千万|万|亿)?(?:元|美元|万|亿)").ok());

static BARE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[约≥>＞不少于超过达近]*\s*[\d０-９][\d０-９,，.．\s]*(?:[-~～—至到][\d０-９,，.．\s]+)?$").ok());

pub(super) fn is_unit(text: &str) -> bool {
    matches!(text, "元" | "百元" | "千元" | "万元" | "百万元" | "千万元" | "亿元")
}

/// The unit that a line above the table gives for all its sums.
pub(super) fn unit_above(line: &str) -> Option<String> {
    Some(ABOVE.as_ref()?.captures(line)?.get(1)?.as_str().to_owned())
}

pub(super) fn unit_in_label(label: &str) -> Option<String> {
    Some(IN_LABEL.as_ref()?.captures(label)?.get(1)?.as_str().to_owned())
}

/// Whether a value names its unit itself.
pub(super) fn names_its_unit(text: &str) -> bool {
    OWN.as_ref().is_some_and(|own| own.is_match(text))
}

/// A number, or a range of numbers, and nothing else.
pub(super) fn is_bare(text: &str) -> bool {
    BARE.as_ref().is_some_and(|bare| bare.is_match(text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_above_a_table_is_no_reporting_unit() {
        assert_eq!(unit_above("单位：万元").as_deref(), Some("万元"));
        assert_eq!(unit_above("专项课题汇总表（单位：亿元）").as_deref(), Some("亿元"));
        assert_eq!(unit_above("填报单位（盖章）：长春市工信局  金额单位:人民币元").as_deref(), Some("元"));
        assert_eq!(unit_above("填报单位：元和区工信局"), None);
    }

    #[test]
    fn units_in_labels_and_values() {
        assert_eq!(unit_in_label("总投资（万元）").as_deref(), Some("万元"));
        assert_eq!(unit_in_label("总投资\n（单位：亿元）").as_deref(), Some("亿元"));
        assert_eq!(unit_in_label("总投资/元").as_deref(), Some("元"));
        assert_eq!(unit_in_label("多元合作单位"), None);
        assert!(names_its_unit("1200万元"));
        assert!(names_its_unit("1.2 亿"));
        assert!(!names_its_unit("1200"));
        assert!(is_bare("1,200.50"));
        assert!(is_bare("约3000"));
        assert!(!is_bare("新增产值3000"));
    }
}
