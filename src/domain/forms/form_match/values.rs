//! What a value cell really says: placeholders and printed hints are nothing, check boxes are the options chosen.

use std::sync::LazyLock;

use regex::Regex;

use super::{super::catalogue::Field, choices, parts};
use crate::domain::folding;

/// Printed instructions to the person who fills the form in.
static HINT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\d+字|字以内|字数|不超过|不少于|请|另附|附页|填写|简要|说明|描述|概述|如有|多选|单选|必填|选填|盖章|公章|签字|签章|格式|例如|可从|勾选|打√|划√|万元").ok()
});

static PROMPT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^[\[【（(<《]?(?:单击|点击|请单击|请点击|请在此|在此|此处|请输入|输入|请选择|选择一项|请填写|点此)[^。，；]{0,24}[。.]?[\]】）)>》]?$").ok()
});

/// Words of an empty signature block.
static SIGNATURE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"法定代表人|法人代表|负责人|经办人|代表人|申报单位|推荐单位|单位|加盖|盖章|公章|签字|签章|签名|或|年|月|日|章").ok()
});

/// What is asked of the person who fills the form in, printed below a label.
static REQUEST: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:请|限\d|要求|须|简述|简要|重点说明|填写|不超过|不少于|可另附|可附|注[:：]|说明[:：]|包括|分别|逐项)|^[^。]{0,40}\d+字(?:以内|左右)?[。)]?$").ok()
});

/// 姓名：李明 beside the label 联系人.
static NAME_BEFORE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^(?:姓\s*名|名\s*称)\s*[:：]\s*").ok());

/// Longest request below a label, in characters.
const REQUEST_MAX_CHARS: usize = 120;

/// Whether a text below a label, in its own cell, asks for the value instead of being it.
pub fn is_request(text: &str) -> bool {
    let folded = folding::fold(text);
    folded.chars().count() <= REQUEST_MAX_CHARS && REQUEST.as_ref().is_some_and(|request| request.is_match(&folded))
}

/// A telephone number: mobile, or with area code, or local.
static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:[+＋]?86[-－ ]?)?[1１][3-9３-９][0-9０-９][-－ ]?[0-9０-９]{4}[-－ ]?[0-9０-９]{4}|(?:[(（][0０][0-9０-９]{2,3}[)）]|[0０][0-9０-９]{2,3})[-－—– ]{0,2}[0-9０-９]{7,8}(?:[-－转][0-9０-９]{1,6})?|[0-9０-９]{7,8}").ok()
});

/// The value of a field as the sender wrote it; `None` where the place was left as printed.
pub fn settle(field: &Field, text: &str, most_chars: usize) -> Option<String> {
    let text = folding::clean(&without_lines(text));
    // What is written on a printed line: __李明__.
    let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '_' | '＿'));
    let text = without_seal(field, without_hint(text));
    let named = NAME_BEFORE.as_ref().and_then(|name| name.find(text)).map_or(0, |name| name.end());
    let text = text.get(named..).unwrap_or(text);
    if is_unfilled(text) {
        return None;
    }
    let text = match choices::chosen(field, text) {
        choices::Chosen::NoBoxes => text.to_owned(),
        choices::Chosen::Nothing => return None,
        choices::Chosen::Options(options) => options,
    };
    Some(text.chars().take(most_chars).collect::<String>().trim().to_owned()).filter(|text| !text.is_empty())
}

/// A name without the request for a seal printed behind it; what an office decides keeps its seal.
fn without_seal<'t>(field: &Field, text: &'t str) -> &'t str {
    static SEAL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\s*[（(](?:加盖|盖|单位)?(?:公章|盖章|签章|章)[)）]\s*$").ok());
    let seal = SEAL.as_ref().filter(|_| !parts::is_long(field)).and_then(|seal| seal.find(text)).filter(|seal| seal.start() > 0);
    seal.and_then(|seal| text.get(..seal.start())).unwrap_or(text)
}

/// Lines drawn to be written on are no text.
fn without_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut line = String::new();
    for c in text.chars().chain(['\0']) {
        if matches!(c, '_' | '＿' | '﹍' | '﹎' | '￣') {
            line.push(c);
            continue;
        }
        // One underscore may belong to a name: a_b@example.cn.
        if line.chars().count() < 3 {
            out.push_str(&line);
        }
        line.clear();
        if c != '\0' {
            out.push(c);
        }
    }
    out
}

/// Without the printed hints that stand before the value: `（限500字）`.
fn without_hint(text: &str) -> &str {
    let mut rest = text.trim();
    while let Some(group) = leading_group(rest) {
        let hint = HINT.as_ref().is_some_and(|hint| hint.is_match(&folding::fold(group)));
        if !hint || rest.len() == group.len() && !is_instruction(group) {
            break;
        }
        rest = rest.get(group.len()..).unwrap_or_default().trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '：'));
    }
    rest
}

/// A whole value in brackets is a hint only when it asks for something.
fn is_instruction(group: &str) -> bool {
    let folded = folding::fold(group);
    ["请", "限", "填写", "不超过", "不少于", "以内", "盖章", "公章", "签字", "多选", "单选", "另附", "必填", "选填"]
        .iter()
        .any(|word| folded.contains(word))
}

fn leading_group(text: &str) -> Option<&str> {
    if !text.starts_with(['(', '（', '[', '【']) {
        return None;
    }
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '（' | '[' | '【' => depth += 1,
            ')' | '）' | ']' | '】' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return text.get(..at + c.len_utf8());
        }
    }
    None
}

/// Nothing but prompts, drawn lines and an empty signature block.
pub fn is_unfilled(text: &str) -> bool {
    let folded = folding::fold(text);
    if folded.is_empty() || PROMPT.as_ref().is_some_and(|prompt| prompt.is_match(&folded)) {
        return true;
    }
    if folded.chars().count() > 80 {
        return false;
    }
    let bare = SIGNATURE.as_ref().map_or(folded.as_str().into(), |words| words.replace_all(&folded, ""));
    // A stroke or dash alone is an answer: there is none.
    bare.chars().all(|c| matches!(c, '(' | ')' | ':' | '_' | '[' | ']' | '.' | '…'))
        && !matches!(folded.as_str(), "单位" | "日" | "月" | "年")
}

/// A person and how to reach them, written into one cell.
pub fn person_and_phone(text: &str) -> (Option<String>, Option<String>) {
    let Some(pattern) = PHONE.as_ref() else { return (None, None) };
    let found: Vec<regex::Match<'_>> = pattern.find_iter(text).collect();
    let (Some(first), Some(last)) = (found.first(), found.last()) else { return (name(text), None) };
    let before = text.get(..first.start()).and_then(name);
    let after = || text.get(last.end()..).and_then(name);
    let phone = text.get(first.start()..last.end()).map(|phone| phone.trim().to_owned());
    (before.or_else(after), phone)
}

/// What is left of a name once labels and punctuation are taken off.
fn name(text: &str) -> Option<String> {
    static LABELS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"联\s*系\s*人|姓\s*名|联\s*系\s*电\s*话|联系方式|手机号码|手机号|手\s*机|固定电话|电\s*话|(?i:tel|phone)").ok()
    });
    let bare = LABELS.as_ref().map_or(text.into(), |labels| labels.replace_all(text, " "));
    let name = bare.trim_matches(|c: char| c.is_whitespace() || (!c.is_alphanumeric() && c != '·'));
    Some(name.to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::forms::catalogue::Catalogue;

    fn settled(text: &str) -> Option<String> {
        let catalogue = Catalogue::shipped();
        settle(catalogue.form("annex1").unwrap().field("opinion").unwrap(), text, 1_000)
    }

    #[test]
    fn what_was_left_as_printed_is_no_value() {
        for text in [
            "",
            "　",
            "________",
            "（限500字）",
            "（请描述国内外技术水平，限800字）",
            "单击或点击此处输入文字。",
            "点击此处输入文字",
            "选择一项。",
            "请输入",
            "（盖章）\n年　　月　　日",
            "负责人（签字）：　　　单位（公章）：\n    年  月  日",
            "____年__月__日",
            "法定代表人（签字）：\n（盖章）",
        ] {
            assert_eq!(settled(text), None, "{text}");
        }
    }

    #[test]
    fn what_was_filled_in_stays_as_written() {
        for text in [
            "无",
            "/",
            "同意推荐。\n（盖章）\n2024年8月20日",
            "2024年8月15日",
            "（1）造雪机；（2）控制系统",
            "a_b@example.cn",
            "张 三",
            "（已另行报送）",
        ] {
            assert_eq!(settled(text).as_deref(), Some(text), "{text}");
        }
        assert_eq!(settled("（限500字）同意。").as_deref(), Some("同意。"));
    }

    #[test]
    fn a_person_and_a_telephone_in_one_cell_stand_apart() {
        for text in [
            "张三 13900000000",
            "张三/13900000000",
            "张三（13900000000）",
            "13900000000（张三）",
            "张三\n13900000000",
            "联系人：张三，电话：13900000000",
            "张三13900000000",
            "张三，手机 13900000000",
        ] {
            assert_eq!(person_and_phone(text), (Some("张三".to_owned()), Some("13900000000".to_owned())), "{text}");
        }
        assert_eq!(person_and_phone("李明 0431-88970000"), (Some("李明".to_owned()), Some("0431-88970000".to_owned())));
        assert_eq!(person_and_phone("李明"), (Some("李明".to_owned()), None));
    }
}
