//! A person and a telephone number written in one cell: 张三 13900000000.

use std::sync::LazyLock;

use regex::Regex;

static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let mobile = r"(?:\+?86[-\s]?)?1[3-9]\d[-\s]?\d{4}[-\s]?\d{4}";
    let fixed = r"(?:[（(]0\d{2,3}[)）]|0\d{2,3})[-—－\s]*\d{7,8}(?:[-—－转]\d{1,5})?";
    let short = r"\d{7,8}(?:[-—－转]\d{1,5})?";
    Regex::new(&format!("{mobile}|{fixed}|{short}")).ok()
});

/// Words that say what follows.
const WORDS: [&str; 12] =
    ["联系人", "姓名", "联系电话", "办公电话", "固定电话", "联系方式", "手机号码", "手机号", "手机", "电话", "座机", "Tel"];

/// The person (or persons) and the number (or numbers) of a joint cell; a part that is not there is empty.
pub(super) fn split(text: &str) -> (String, String) {
    let Some(phone) = PHONE.as_ref() else { return (text.to_owned(), String::new()) };
    let ascii = ascii_digits(text);
    let numbers: Vec<&str> = phone.find_iter(&ascii).map(|found| found.as_str().trim()).collect();
    if numbers.is_empty() {
        return (tidy(text), String::new());
    }
    let names: Vec<String> = phone.split(&ascii).map(tidy).filter(|part| !part.is_empty()).collect();
    (names.join("、"), numbers.join("、"))
}

/// Whether a text holds both a name and a number.
pub(super) fn is_joint(text: &str) -> bool {
    let (person, number) = split(text);
    !number.is_empty() && person.chars().filter(|c| ('\u{4E00}'..='\u{9FFF}').contains(c)).count() >= 2
}

fn ascii_digits(text: &str) -> String {
    let to_ascii = |c: char| match c {
        '０'..='９' => char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')).unwrap_or(c),
        c => c,
    };
    text.chars().map(to_ascii).collect()
}

/// A name without the words and marks around it.
fn tidy(part: &str) -> String {
    let mut name = part.to_owned();
    for word in WORDS {
        name = name.replace(&format!("{word}："), " ").replace(&format!("{word}:"), " ");
        name = name.trim_matches(is_mark).to_owned();
        if let Some(rest) = name.strip_suffix(word) {
            name = rest.to_owned();
        }
    }
    name.trim_matches(is_mark).to_owned()
}

fn is_mark(c: char) -> bool {
    c.is_whitespace() || "，,、/；;：:（）()-—|".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_joint_cell_gives_person_and_number() {
        for (text, person, number) in [
            ("张三 13900001234", "张三", "13900001234"),
            ("张三/0431-88970710", "张三", "0431-88970710"),
            ("张三（13900001234）", "张三", "13900001234"),
            ("张三（0431-88970710）", "张三", "0431-88970710"),
            ("张三(0431)88970710", "张三", "(0431)88970710"),
            ("张三\n139 0000 1234", "张三", "139 0000 1234"),
            ("联系人：张三，电话：13900001234", "张三", "13900001234"),
            ("13900001234 张三", "张三", "13900001234"),
            ("张三13900001234、李四13800001234", "张三、李四", "13900001234、13800001234"),
            ("张三 0431-88970710、13900001234", "张三", "0431-88970710、13900001234"),
            ("欧阳明月 88970710", "欧阳明月", "88970710"),
            ("张三", "张三", ""),
            ("0431-88970710转802", "", "0431-88970710转802"),
            ("张三１３９００００１２３４", "张三", "13900001234"),
        ] {
            assert_eq!(split(text), (person.to_owned(), number.to_owned()), "{text}");
        }
        assert!(is_joint("张三 13900001234"));
        assert!(!is_joint("13900001234"));
    }
}
