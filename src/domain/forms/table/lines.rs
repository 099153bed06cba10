//! Rows below a header that are no topics: examples, totals, notes, signatures, column numbers.

use std::sync::LazyLock;

use regex::Regex;

use super::view::Row;

type Pattern = LazyLock<Option<Regex>>;

static TOTAL: Pattern = LazyLock::new(|| {
    Regex::new(r"^(?:本页|全市|全县|全区|以上|各项)?(?:合计|总计|小计|共计|累计)[:：]?[\d项个条家户亿万元共计（）().，,、:：]*$|^共[:：]?\d+[项个条].*$")
        .ok()
});

static EXAMPLE: Pattern = LazyLock::new(|| {
    let word = r"(?:填写|填报|填表)?(?:示例|样例|范例|举例|例如|例)";
    Regex::new(&format!(r"^[（(【\[〔]?{word}\d*(?:[)）】\]〕:：]|$)|[（(【\[〔]{word}[)）】\]〕]$")).ok()
});

static NOTE: Pattern = LazyLock::new(|| {
    Regex::new(r"^[*※★（(]?(?:备?注|附注|说明|填[表报写](?:说明|要求|须知)|注意(?:事项)?|要求|温馨提示)(?:\d*[:：、.．）)]|$)").ok()
});

static SIGNATURE: Pattern = LazyLock::new(|| {
    let who = r"(?:单位|部门|主要|分管|市|县|区)*(?:负责人|领导|填报人|填表人|制表人?|审核人?|审批人?|复核人?|经办人|联系人|签发人)";
    let what = r"(?:填报|填表|报送|推荐|上报|汇总|制表)(?:单位|部门|日期|时间)|联系电话|联系方式|电话|手机|日期|时间|签字|签章|盖章|公章";
    Regex::new(&format!(r"^[（(]?(?:{who}|{what})[）)]?(?:[（(][^）)]{{0,8}}[）)])?[:：]")).ok()
});

/// The header of the column in which rows are counted.
static ROW_NUMBER: Pattern = LazyLock::new(|| Regex::new(r"(?i)^(?:课题|项目)?(?:序号|编号|序|no\.?)$").ok());

/// Numbered lines that continue a note: 2.每项课题…
static NUMBERED: Pattern = LazyLock::new(|| Regex::new(r"^[（(]?[\d一二三四五六七八九十]{1,2}[)）、.．]\s*\D").ok());

fn matches(pattern: &Pattern, text: &str) -> bool {
    let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).take(400).collect();
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(&squeezed))
}

pub(super) fn is_total(text: &str) -> bool {
    matches(&TOTAL, text)
}

pub(super) fn is_example(text: &str) -> bool {
    matches(&EXAMPLE, text)
}

pub(super) fn is_note(text: &str) -> bool {
    matches(&NOTE, text)
}

/// A line below a table's last row: a total, a note, a signature.
pub(in crate::domain::forms) fn is_beside_topics(text: &str) -> bool {
    is_total(text) || is_note(text) || is_signature(text)
}

pub(in crate::domain::forms) fn is_row_number(header: &str) -> bool {
    matches(&ROW_NUMBER, header)
}

pub(super) fn continues_note(text: &str) -> bool {
    matches(&NUMBERED, text)
}

pub(super) fn is_signature(text: &str) -> bool {
    matches(&SIGNATURE, text)
}

/// A row right below the header that numbers its columns (1 2 3 …) or holds nothing but hints in brackets.
pub(super) fn is_below_header(row: &Row<'_>) -> bool {
    let numbers: Vec<Option<u32>> =
        row.cells.iter().map(|cell| cell.text.trim_matches(|c: char| "（）()".contains(c)).trim().parse().ok()).collect();
    let counts = numbers.len() >= 3
        && numbers.windows(2).all(|pair| matches!(pair, [Some(left), Some(right)] if left.checked_add(1) == Some(*right)));
    let hint = |text: &str| text.starts_with(['（', '(']) && text.ends_with(['）', ')']);
    counts || row.cells.iter().all(|cell| hint(cell.text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_no_topics_are_known_by_their_first_words() {
        for text in ["合计", "合　计：", "总计", "小计（3项）", "共计12项", "合计：12项，3000万元", "共 3 项"] {
            assert!(is_total(text), "{text}");
        }
        for text in ["示例", "（示例）", "例", "例：高速动车组", "样例1", "填写示例", "示例：造雪机研制", "造雪机研制（示例）"]
        {
            assert!(is_example(text), "{text}");
        }
        for text in ["注：1.每项课题一行", "注:", "备注：", "填表说明", "填报说明：", "说明：本表", "注1：", "※注：盖章"]
        {
            assert!(is_note(text), "{text}");
        }
        for text in ["填报人：张三", "单位负责人（签字）：", "审核人: ", "联系电话：0431", "填报日期：2024年8月15日", "制表：李四"]
        {
            assert!(is_signature(text), "{text}");
        }
    }

    #[test]
    fn topics_are_not_taken_for_anything_else() {
        for text in [
            "合计量装置关键技术",
            "总计算平台研制",
            "示范应用线建设",
            "例行检测机器人",
            "注塑机伺服控制系统",
            "说明书智能生成软件",
            "1",
            "共晶焊接装备",
        ] {
            assert!(!is_total(text) && !is_example(text) && !is_note(text) && !is_signature(text), "{text}");
        }
    }
}
