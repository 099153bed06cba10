//! What a title is about: the product at its end, apart from the work (研制), the user (…用), the means (基于…) and the raw material (…制备).

use crate::domain::folding;

/// Work that is done on the product; it stands behind the product's name.
const WORK: &[&str] = &[
    "关键核心技术",
    "关键共性技术",
    "工业应用",
    "系统集成",
    "示范应用",
    "推广应用",
    "关键技术",
    "核心技术",
    "共性技术",
    "产业化",
    "工程化",
    "国产化",
    "规模化",
    "一体化",
    "研制",
    "研发",
    "开发",
    "研究",
    "技术",
    "工艺",
    "制备",
    "制造",
    "应用",
    "示范",
    "项目",
    "课题",
    "攻关",
    "设计",
    "成型",
    "提升",
    "优化",
    "集成",
    "方法",
    "加工",
    "生产",
    "推广",
    "替代",
    "改造",
    "验证",
    "关键",
    "核心",
    "突破",
    "创新",
    "总成",
    "成套",
    "及其",
    "以及",
    "及",
    "与",
    "和",
    "、",
    "的",
    "并",
    "高效",
    "新型",
];

/// Words that stand between two products of one title.
const JOINTS: &[&str] = &["及其", "以及", "及", "与", "和", "、", "并"];

/// What is made stands behind, what it is made of before.
const MAKING: &[&str] = &["制备", "合成", "生产", "氧化制", "转化制", "制取", "提取"];

/// 用 in these words is no "for".
const USE_WORDS: &[&str] = &[
    "应用",
    "使用",
    "利用",
    "通用",
    "专用",
    "复用",
    "回用",
    "民用",
    "军用",
    "药用",
    "医用",
    "食用",
    "家用",
    "商用",
    "实用",
    "兽用",
    "适用",
    "采用",
    "共用",
    "农用",
    "可用",
    "日用",
    "车用",
    "用药",
    "用户",
    "用电",
    "用水",
    "用能",
    "用于",
    "用途",
    "作用",
    "费用",
    "产业用",
];

/// Characters of a title that are taken apart; no honest title is longer.
const TITLE_CHARS: usize = 200;

/// A folded title, taken apart.
#[derive(Debug, Default, PartialEq)]
pub struct Parts {
    /// Folded text without remarks in brackets.
    pub text: String,
    /// Remarks in brackets.
    pub remarks: String,
    /// Byte offset where the product begins; user, means and raw material stand before it.
    pub product_from: usize,
    /// Byte offsets where a product's name ends, in order.
    pub heads: Vec<usize>,
}

impl Parts {
    pub fn of(title: &str) -> Self {
        let title: String = title.chars().take(TITLE_CHARS).collect();
        let (text, remarks) = without_brackets(&folding::fold(&title));
        let core = without_work(&text);
        let product_from = [after_user(core), after_means(core), after_making(core)].into_iter().max().unwrap_or(0);
        let heads = heads(core, product_from);
        Self { product_from, heads, text, remarks }
    }
}

fn without_brackets(text: &str) -> (String, String) {
    let (mut outside, mut inside, mut depth) = (String::new(), String::new(), 0_usize);
    for c in text.chars() {
        match c {
            '(' | '[' | '【' | '〔' => depth += 1,
            ')' | ']' | '】' | '〕' => depth = depth.saturating_sub(1),
            _ if depth == 0 => outside.push(c),
            _ => inside.push(c),
        }
    }
    if outside.is_empty() { (inside, String::new()) } else { (outside, inside) }
}

fn without_work(text: &str) -> &str {
    let mut core = text.trim_end_matches(|c: char| !c.is_alphanumeric());
    while let Some(shorter) = WORK.iter().find_map(|work| core.strip_suffix(work)).filter(|shorter| !shorter.is_empty()) {
        core = shorter;
    }
    core
}

/// `汽车座椅用聚醚`: behind the last 用 that means "for".
fn after_user(core: &str) -> usize {
    core.rmatch_indices('用')
        .filter(|(at, _)| *at > 0)
        .find(|(at, text)| {
            let end = at + text.len();
            let in_word = USE_WORDS.iter().any(|word| core.match_indices(word).any(|(start, _)| start <= *at && end <= start + word.len()));
            !in_word && end < core.len()
        })
        .map_or(0, |(at, text)| at + text.len())
}

/// `面向离散制造的平台`, `基于视觉的检测仪`: behind the 的.
fn after_means(core: &str) -> usize {
    let begins = ["面向", "基于", "用于", "针对", "适用于", "利用", "采用", "应用于"].iter().any(|word| core.contains(word));
    if begins { core.find('的').map_or(0, |at| at + '的'.len_utf8()) } else { 0 }
}

/// `粉煤灰制备陶粒`: behind the making, where a product follows.
fn after_making(core: &str) -> usize {
    MAKING
        .iter()
        .flat_map(|word| core.match_indices(word))
        .filter(|(at, _)| *at > 0)
        .map(|(at, word)| at + word.len())
        .filter(|end| core.get(*end..).is_some_and(|rest| rest.chars().count() >= 2 && !JOINTS.iter().any(|joint| rest.starts_with(joint))))
        .max()
        .unwrap_or(0)
}

fn heads(core: &str, from: usize) -> Vec<usize> {
    let mut ends: Vec<usize> =
        JOINTS.iter().flat_map(|joint| core.match_indices(joint)).map(|(at, _)| at).chain([core.len()]).filter(|end| *end > from).collect();
    ends.sort_unstable();
    let mut heads: Vec<usize> = ends.into_iter().filter_map(|end| core.get(..end)).map(|part| without_work(part).len()).collect();
    heads.retain(|end| *end > from);
    heads.dedup();
    heads
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads_of(title: &str) -> Vec<String> {
        let parts = Parts::of(title);
        parts.heads.iter().map(|end| parts.text[parts.product_from..*end].to_owned()).collect()
    }

    #[test]
    fn the_product_stands_at_the_end_before_the_work() {
        assert_eq!(heads_of("高速动车组转向架研制"), ["高速动车组转向架"]);
        assert_eq!(heads_of("大丝束碳纤维（48K）制备关键技术研究及产业化"), ["大丝束碳纤维"]);
        assert_eq!(heads_of("关键技术"), ["关键技术"]);
    }

    #[test]
    fn user_means_and_raw_material_stand_before_the_product() {
        assert_eq!(heads_of("汽车座椅用聚醚多元醇制备技术"), ["聚醚多元醇"]);
        assert_eq!(heads_of("面向离散制造的标识解析平台"), ["标识解析平台"]);
        assert_eq!(heads_of("粉煤灰协同制备超轻陶粒"), ["超轻陶粒"]);
        assert_eq!(heads_of("抗肿瘤辅助用药研制"), ["抗肿瘤辅助用药"]);
    }

    #[test]
    fn joined_products_are_all_heads() {
        assert_eq!(heads_of("余热回收装置及工业热泵研制").len(), 2);
    }

    #[test]
    fn an_empty_title_has_no_product() {
        assert_eq!(Parts::of(""), Parts::default());
        assert!(Parts::of("（）").heads.is_empty());
    }
}
