//! What the texts must say: R19 problem, R11 bottleneck, R21 benchmark, R22 goal, R7 benefit, R20 length.

use std::sync::LazyLock;

use regex::Regex;

use super::{Desk, Finding, Severity};
use crate::domain::folding;

/// Fewest characters of a problem's description where the catalogue names no other figure (R19).
const PROBLEM_MIN_CHARS: usize = 50;
/// More goals than these are no focus (R22).
const GOALS_MAX: usize = 5;

/// An amount of money: 1.2亿元, 年新增产值 3000 万.
static AMOUNT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"[\d一二三四五六七八九十百千两数]\s*(?:多|余)?\s*(?:百万|千万|亿|万)*\s*(?:亿元|万元|千元|元|亿|万美元|美元|万)|[¥￥]\s*\d")
        .ok()
});

/// The number at the beginning of a list's item: `1.`, `（2）`, `三、`, `①`.
static ITEM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:^|[\n；;。])\s*(?:[(（]?\d{1,2}[)）.、．](?:[^\d]|$)|[(（]?[一二三四五六七八九十]{1,2}[)）、]|[①-⑳])").ok()
});

/// R19: the problem is described at some length. Rows hold short versions and are not measured.
pub fn problem_is_described(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(text) = desk.text("problem").filter(|_| desk.in_full_form("problem")) else { return };
    let min = desk.form.and_then(|form| form.field("problem")).and_then(|field| field.min_chars).unwrap_or(PROBLEM_MIN_CHARS);
    let chars = folding::fold(text).chars().count();
    if chars < min {
        let message = format!(
            "“{}”只有{chars}字，建议不少于{min}字，请说明现状、具体难点和造成的影响，例如：现有产品在什么条件下达不到什么要求。",
            desk.label("problem")
        );
        findings.push(desk.for_sender("R19", Severity::Warning, "problem", message));
    }
}

/// R11: topic type or text name the bottleneck. For reviewers: the sender may have good reasons to say it otherwise.
pub fn bottleneck_is_named(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(problem) = desk.text("problem").filter(|_| desk.in_full_form("problem")) else { return };
    let hints = [
        "卡脖子",
        "进口",
        "国外",
        "断供",
        "垄断",
        "空白",
        "封锁",
        "禁运",
        "瓶颈",
        "短板",
        "受制",
        "依赖",
        "国产化",
        "替代",
        "落后",
        "差距",
        "难题",
        "尚未",
        "不足",
        "缺乏",
        "制约",
        "无法",
        "难以",
    ];
    let text: String = ["topic_type", "background", "benchmark"].iter().map(|key| desk.topic.text(key)).chain([problem]).collect();
    if !hints.iter().any(|hint| text.contains(hint)) {
        let message = "问题描述中未见瓶颈或短板方面的表述（如进口依赖、空白、制约），请人工判断是否符合“卡脖子”方向。".to_owned();
        findings.push(desk.for_reviewer("R11", Severity::Note, "problem", message));
    }
}

/// R21: the benchmark speaks of the national and the international level and gives a figure.
pub fn benchmark_has_both_sides(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(text) = desk.text("benchmark") else { return };
    let folded = folding::fold(text);
    let has = |words: &[&str]| words.iter().any(|word| folded.contains(word));
    let home = has(&["国内", "我国", "中国", "国产", "省内", "我省", "我司", "本企业", "自主"]);
    let abroad = has(&[
        "国际",
        "国外",
        "进口",
        "海外",
        "世界",
        "全球",
        "境外",
        "外资",
        "美国",
        "德国",
        "日本",
        "韩国",
        "英国",
        "法国",
        "瑞士",
        "瑞典",
        "意大利",
        "荷兰",
        "欧洲",
        "欧美",
        "欧盟",
        "俄罗斯",
        "丹麦",
        "奥地利",
        "以色列",
        "芬兰",
        "比利时",
        "加拿大",
        "西班牙",
        "挪威",
        "日系",
        "德系",
        "美系",
    ]) || folded.contains("国内外");
    let home = home || folded.contains("国内外");
    let label = desk.label("benchmark");
    let missing = match (home, abroad) {
        (true, true) => None,
        (true, false) => Some("国际水平"),
        (false, true) => Some("国内水平"),
        (false, false) => Some("国内和国际水平"),
    };
    if let Some(side) = missing {
        let message = format!(
            "“{label}”中未见{side}对标，请补充国内、国际先进水平与本课题目标的比较，例如：国内同类产品93%，国际先进96%，本课题目标95.5%。"
        );
        findings.push(desk.for_sender("R21", Severity::Warning, "benchmark", message));
    }
    if !folded.chars().any(|c| c.is_ascii_digit()) && !folded.contains("百分之") {
        let message = format!("“{label}”中未见数据，请用具体数值说明国内、国际水平和本课题目标，例如：国内180ms，国际120ms，目标≤120ms。");
        findings.push(desk.for_sender("R21", Severity::Warning, "benchmark", message));
    }
}

/// R22: few goals, and more than a phrase.
pub fn goal_is_focused(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(text) = desk.text("goal") else { return };
    let label = desk.label("goal");
    let goals = ITEM.as_ref().map_or(0, |item| item.find_iter(text).count());
    if goals > GOALS_MAX {
        let message = format!("“{label}”列出了{goals}项目标，建议聚焦到{GOALS_MAX}项以内，突出最关键的技术突破。");
        findings.push(desk.for_sender("R22", Severity::Warning, "goal", message));
    }
    if is_only_phrases(text) {
        let message =
            format!("“{label}”只有“达到先进水平”一类的概括表述，请写明要研制的产品和要达到的具体指标，例如：研制……样机，效率≥95%。");
        findings.push(desk.for_sender("R22", Severity::Warning, "goal", message));
    }
}

/// What is left without the phrases says nothing, and there is no figure.
fn is_only_phrases(text: &str) -> bool {
    let mut rest = folding::fold_words(text);
    let has_figure = rest.chars().any(|c| c.is_ascii_digit());
    let phrases = [
        "国际先进水平",
        "国内先进水平",
        "国际领先水平",
        "国内领先水平",
        "世界先进水平",
        "世界一流水平",
        "行业领先水平",
        "国际先进",
        "国内领先",
        "国际领先",
        "国内先进",
        "世界一流",
        "行业领先",
        "填补国内空白",
        "填补我省空白",
        "填补空白",
        "打破国外垄断",
        "打破垄断",
        "解决卡脖子问题",
        "卡脖子",
        "国产化替代",
        "进口替代",
        "技术水平",
        "整体技术",
        "关键技术",
        "本课题",
        "项目",
        "课题",
        "技术",
        "产品",
        "总体",
        "整体",
        "性能",
        "指标",
        "力争",
        "努力",
        "达到",
        "实现",
        "突破",
        "水平",
        "处于",
        "主要",
        "提升",
        "提高",
        "通过",
        "攻关",
        "完成",
        "形成",
        "使",
        "并",
        "和",
        "的",
        "及",
        "我省",
        "产业",
    ];
    for phrase in phrases {
        rest = rest.replace(phrase, "");
    }
    !has_figure && rest.chars().count() < 6
}

/// R7: the benefit is an amount.
pub fn benefit_has_an_amount(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(text) = desk.text("benefit") else { return };
    let folded = folding::fold(text);
    let label = desk.label("benefit");
    // A column that says 万元 holds bare numbers.
    let bare = folded.chars().any(|c| c.is_ascii_digit())
        && (label.contains('元') || folded.chars().all(|c| c.is_ascii_digit() || ".,-~至".contains(c)));
    if !bare && !AMOUNT.as_ref().is_some_and(|amount| amount.is_match(&folded)) {
        let message = format!("“{label}”中未见具体金额，请补充预计新增产值、利润或税收等，例如：达产后年新增产值5000万元。");
        findings.push(desk.for_sender("R7", Severity::Warning, "benefit", message));
    }
}

/// R20: lengths that the catalogue advises for the fields no other rule measures.
pub fn lengths_are_kept(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(form) = desk.form else { return };
    for field in form.fields.iter().filter(|field| desk.topic.fields.get(&field.key).is_some_and(|placed| placed.form == form.id)) {
        let Some(text) = desk.text(&field.key) else { continue };
        let chars = folding::fold(text).chars().count();
        if let Some(min) = field.min_chars.filter(|min| chars < *min && field.key != "problem") {
            let message = format!("“{}”只有{chars}字，建议不少于{min}字，请写得更具体一些。", field.label);
            findings.push(desk.for_sender("R20", Severity::Note, &field.key, message));
        }
        if let Some(max) = field.max_chars.filter(|max| chars > *max) {
            let message = format!("“{}”有{chars}字，建议不超过{max}字，请适当精简。", field.label);
            findings.push(desk.for_sender("R20", Severity::Note, &field.key, message));
        }
    }
}
