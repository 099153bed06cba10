//! R23: technical parameters are quantified and assessable. R21: the benchmark names both sides and a figure.

use super::{Desk, Finding, Words, checks, shortened};
use crate::domain::{
    folding,
    quantity::{self, Indicator},
};

/// Indicators shown in a message.
const SHOWN: usize = 3;
/// Characters shown of one.
const SHOWN_CHARS: usize = 30;

/// R23: at least one parameter with a number and a unit or comparator (error), better three (warning); says which were found.
pub fn parameters_are_quantified(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(text) = desk.text("params") else { return };
    let found = desk.indicators();
    let limits = &desk.settings.thresholds;
    if found.is_empty() && limits.indicators_min > 0 {
        desk.raise(findings, &checks::PARAMS_NONE, "params", &[("found", &shortened(text, SHOWN_CHARS))]);
    } else if found.len() < limits.indicators_recommended.max(limits.indicators_min) {
        let least = limits.indicators_recommended.max(limits.indicators_min).to_string();
        let values = [("count", found.len().to_string()), ("found", shown(found)), ("least", least)];
        let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        desk.raise(findings, &checks::PARAMS_FEW, "params", &values);
    }
}

fn shown(found: &[Indicator]) -> String {
    let items: Vec<String> = found.iter().take(SHOWN).map(|indicator| format!("“{}”", shortened(&indicator.text, SHOWN_CHARS))).collect();
    items.join("、") + if found.len() > SHOWN { "等" } else { "" }
}

/// What a person is shown about a topic's parameters: 识别到3项量化指标：“…”、“…”、“…”。 Empty where there are no parameters.
#[must_use]
pub fn quantified(params: &str) -> String {
    let text = params.trim();
    let found = quantity::indicators(text);
    match (text.is_empty(), found.as_slice()) {
        (true, _) => String::new(),
        (false, []) => "未识别到量化指标。".to_owned(),
        (false, found) => format!("识别到{}项量化指标：{}。", found.len(), shown(found)),
    }
}

/// R21: the benchmark speaks of the national and the international level and gives a figure.
pub fn benchmark_has_both_sides(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    if desk.text("benchmark").is_none() {
        return;
    }
    let (home, abroad, figure) = desk.sides();
    let missing = match (home, abroad) {
        (true, true) => None,
        (true, false) => Some("国际水平"),
        (false, true) => Some("国内水平"),
        (false, false) => Some("国内和国际水平"),
    };
    if let Some(side) = missing {
        desk.raise(findings, &checks::BENCHMARK_SIDES, "benchmark", &[("side", side)]);
    }
    if !figure {
        desk.raise(findings, &checks::BENCHMARK_FIGURE, "benchmark", &[]);
    }
}

/// Whether a benchmark names the national side, the international side, and a figure.
pub(super) fn benchmark_sides(text: &str, words: &Words) -> (bool, bool, bool) {
    let folded = folding::fold(text);
    let has = |words: &[String]| words.iter().any(|word| folded.contains(&folding::fold(word)));
    // 国内外 names both at once; 国内 in it is found by itself.
    let home = words.home.iter().any(|word| names_home(&folded, &folding::fold(word)));
    let abroad = has(&words.abroad) || folded.contains("国内外");
    (home, abroad, quantity::has_figure(text))
}

/// 国产 stands in 德国产品 and 国内 in 外国内燃机 as well: a country's first character before them makes another word of it.
fn names_home(folded: &str, word: &str) -> bool {
    folded.match_indices(word).any(|(at, _)| {
        let before = folded.get(..at).and_then(|text| text.chars().next_back());
        !(word.starts_with('国') && before.is_some_and(|c| "德美英法韩泰外".contains(c)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The items of a list that hold a quantity, as written.
    fn quantified(text: &str) -> Vec<String> {
        quantity::indicators(text).into_iter().map(|indicator| indicator.text).collect()
    }

    #[test]
    fn a_number_with_unit_or_comparator_is_a_quantity() {
        for text in [
            "系统电压≥800V",
            "效率不低于95%",
            "质量 780 kg",
            "纯度99.99%",
            "-35℃升温至10℃时间≤15min",
            "线宽 0.35 μm",
            "年产2万套",
            "寿命１０００小时",
            "压力控制精度±0.1MPa",
            "转速12,000r/min",
            "分辨率1920×1080像素",
            "提高百分之二十",
            "拉伸强度5.5GPa",
            "信噪比 > 60",
        ] {
            assert_eq!(quantified(text), [text], "{text}");
        }
    }

    #[test]
    fn praise_dates_standards_and_item_numbers_are_no_quantity() {
        for text in [
            "性能良好",
            "1. 效率高；2. 噪声低；3、质量轻",
            "2026年12月完成",
            "符合GB/T 4754-2017",
            "显著提升用户体验",
            "达到国际先进水平",
            "采用T800级技术",
            "支持5G通信",
        ] {
            assert_eq!(quantified(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn each_item_of_a_list_counts_by_itself() {
        assert_eq!(quantified("功率≥420kW；质量≤780kg，外观美观\n寿命≥100万km").len(), 3);
        assert_eq!(quantified("1.功率420kW 2.质量轻").len(), 1);
    }
}
