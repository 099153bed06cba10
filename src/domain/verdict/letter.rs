//! How a formal letter (正式文件, R16) shows: by its title, number, addressee, signature and date, or by the name of its file.

use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization as _;

use crate::domain::folding::fold;

/// Titles (`domain.md` 2.4), over folded text: 关于报送……专项课题的函.
static TITLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"关于(?:做好|开展)?(?:报送|征集|推荐|上报|申报|转报|呈报|组织申报|组织推荐|提交|推送)[^。;]{0,80}?的(?:函|报告|请示|通知|推荐函|复函)").ok()
});
/// 长工信函〔2024〕37号, in any brackets, over folded text.
static NUMBER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(\p{Han}{2,14})[〔\[【(〖「『<{](20\d\d)年?[〕\]】)〗」』>}]第?(\d{1,5})号").ok());
/// Whom it is written to; the province's industry department.
static ADDRESSEE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?:省工信厅|省工业和信息化厅)(?:科技处)?:").ok());
/// The date below the signature.
static DATE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:20\d\d|二[〇○零o]二[〇○零一二三四五六七八九])年\p{Han}{0,3}\d{0,2}月\p{Han}{0,3}\d{0,2}日").ok());
/// Who signs.
static SIGNATURE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:工业和信息化局|工信局|高新技术产业开发区(?:管理委员会|管委会)?|高新区(?:管委会)?|经济发展局|经济局|管委会)").ok()
});
/// The province's own notice, which people attach for reference.
static NOTICE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"各市\(州\)|各市州|各有关高新区|梅河口市工业和信息化局[,、]|各有关单位:").ok());

/// Names of files that hold letters.
static LETTER_NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"函|请示|正式文件|红头|公文|推荐文件|报送文件|上报文件|(?:关于|报送|推荐|上报|申报).*(?:报告|通知|文件)|^(?:报告|通知|文件|盖章|扫描)|[〔\[【(]20\d\d[〕\]】)]\d+号|盖章|扫描").ok()
});
/// Names of files that hold something else, whatever else they are called.
static OTHER_NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"附件|附表|申报表|申请表|汇总表|登记表|信息表|明细|清单|承诺|执照|专利|证书|合同|协议|检测|检验|检查|审计|查新|可行性|研究报告|测试|评估|评价|验收|财务|年度|年报|简介|照片|logo|名片|二维码").ok()
});

/// Enough speaks for a letter: a title, or a number with an addressee.
const LETTER_SCORE_MIN: i32 = 3;
/// The head of a document in which its title, number and addressee stand.
const HEAD_CHARS: usize = 600;

pub fn is_letter(text: &str) -> bool {
    score(text) >= LETTER_SCORE_MIN
}

/// How much speaks for a letter.
pub fn score(text: &str) -> i32 {
    if text.trim().is_empty() {
        return 0;
    }
    let folded = fold(text);
    let head: String = folded.chars().take(HEAD_CHARS).collect();
    let tail_from = folded.chars().count().saturating_sub(HEAD_CHARS);
    let tail: String = folded.chars().skip(tail_from).collect();
    let mut score = 0;
    let mut add = |points: i32, holds: bool| score += if holds { points } else { 0 };
    add(3, matches(&TITLE, &head));
    add(2, own_number(text).is_some());
    add(2, matches(&ADDRESSEE, &head));
    add(1, matches(&SIGNATURE, &tail) && matches(&DATE, &tail));
    add(-5, matches(&NOTICE, &head) && !matches(&ADDRESSEE, &head));
    score
}

pub fn is_called_letter(name: &str) -> bool {
    let folded = fold(name);
    matches(&LETTER_NAME, &folded) && !matches(&OTHER_NAME, &folded)
}

pub fn is_called_otherwise(name: &str) -> bool {
    matches(&OTHER_NAME, &fold(name))
}

/// The letter's number, brackets made uniform: a line of its own before one in passing; the province's own number is never it.
pub fn document_number(text: &str) -> Option<String> {
    own_number(text).or_else(|| {
        let text: String = text.nfkc().filter(|c| !c.is_whitespace()).collect();
        let mut found = NUMBER.as_ref()?.captures_iter(&text);
        found.find_map(|found| written(&found))
    })
}

/// A number that stands on a line of its own, or before 签发人.
fn own_number(text: &str) -> Option<String> {
    let pattern = NUMBER.as_ref()?;
    text.lines().take(80).find_map(|line| {
        let line = fold(line);
        let found = pattern.captures(&line)?;
        let whole = found.get(0)?;
        let rest = line.get(whole.end()..).unwrap_or_default();
        let alone = whole.start() == 0 && (rest.is_empty() || rest.starts_with("签发") || rest.starts_with('.'));
        if alone { written(&found) } else { None }
    })
}

fn written(found: &regex::Captures<'_>) -> Option<String> {
    let (office, year, number) = (found.get(1)?.as_str(), found.get(2)?.as_str(), found.get(3)?.as_str());
    let mut office = office;
    for lead in [
        "根据",
        "依据",
        "按照",
        "参照",
        "详见",
        "见",
        "文号",
        "编号",
        "发文字号",
        "正式文件",
        "正式函",
        "文件",
        "以",
        "现将",
        "转发",
        "报送",
        "关于",
    ] {
        office = office.rsplit_once(lead).map_or(office, |(_, after)| after);
    }
    let is_notice = office.starts_with("吉工信") || office.starts_with("吉林省工");
    (office.chars().count() >= 2 && !is_notice).then(|| format!("{office}〔{year}〕{number}号"))
}

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTER: &str = "长春市工业和信息化局\n长 工 信 函 ［２０２４］ 37 号\n关于报送聚力攻坚专项课题的函\n吉林省工业和信息化厅：\n按照《关于征集专项课题的通知》（吉工信科技〔2024〕12号）要求，现予报送。\n长春市工业和信息化局\n2024年8月15日";

    #[test]
    fn a_letter_is_known_by_its_text() {
        assert!(is_letter(LETTER));
        assert_eq!(document_number(LETTER).as_deref(), Some("长工信函〔2024〕37号"));
    }

    #[test]
    fn every_bracket_style_gives_the_same_number() {
        for text in [
            "长工信函〔2024〕37号",
            "长工信函[2024]37号",
            "长工信函【2024】37号",
            "长工信函（2024）37号",
            "长工信函﹝2024﹞第37号",
            "详见长工信函〔2024〕37号文件",
            "正式文件长工信函〔２０２４〕３７号",
        ] {
            assert_eq!(document_number(text).as_deref(), Some("长工信函〔2024〕37号"), "{text}");
        }
    }

    #[test]
    fn the_province_s_own_notice_is_no_letter() {
        let notice = "吉工信科技〔2024〕12号\n关于征集聚力攻坚专项课题的通知\n各市（州）工业和信息化局、梅河口市工业和信息化局，各有关高新区：\n为……\n2024年7月31日";
        assert!(!is_letter(notice));
        assert_eq!(document_number(notice), None);
    }

    #[test]
    fn a_form_or_a_report_of_measurements_is_no_letter() {
        assert!(!is_letter("附件1 专项课题申报表\n课题名称：转向架\n申报单位：甲公司\n长春市工信局 2024年8月1日"));
        for name in ["检测报告.pdf", "2023年度审计报告.pdf", "附件1盖章扫描件.pdf", "可行性研究报告.pdf", "营业执照.jpg"]
        {
            assert!(!is_called_letter(name), "{name}");
        }
        for name in ["长春市工信局函.pdf", "关于报送专项课题的报告.pdf", "扫描件.pdf", "正式文件（盖章）.jpg", "长工信函〔2024〕37号.pdf"]
        {
            assert!(is_called_letter(name), "{name}");
        }
    }
}
