//! R26: figures that cannot be, and amounts out of scale, are shown to reviewers. The machine points, people judge.

use super::{Desk, Finding, checks, shortened};
use crate::domain::{
    money,
    quantity::{self, Change, Figure, Quantity},
};

/// Efficiencies and yields that cannot exceed the whole.
const SHARES: &[&str] = &[
    "效率",
    "收率",
    "得率",
    "转化率",
    "回收率",
    "利用率",
    "合格率",
    "成品率",
    "良率",
    "良品率",
    "准确率",
    "识别率",
    "纯度",
    "选择性",
    "保持率",
    "保留率",
    "去除率",
    "覆盖率",
    "成功率",
    "净化率",
    "降解率",
    "检出率",
    "召回率",
    "含量",
    "占比",
];
/// Words that make a share a comparison: 效率为对标产品的150%.
const RELATIVE: &[&str] = &["对标", "标示量", "相比", "比现有", "倍", "相当于", "同类", "提高", "提升", "增长", "增加", "改善", "原有"];
const LIVES: &[&str] = &["寿命", "使用年限", "耐久", "服役"];
const PAYBACKS: &[&str] = &["回收期", "回本"];
/// Characters before a figure that say what it is a figure of.
const WORDS_CHARS: usize = 14;
/// Kelvin of zero degrees Celsius.
const ABSOLUTE_ZERO_CELSIUS: f64 = -273.15;
/// Findings of one kind about one field.
const FINDINGS_MAX: usize = 3;

/// A share above the whole, a temperature below absolute zero, a life of centuries, a payback within weeks.
pub fn figures_are_possible(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    for key in ["params", "goal"] {
        let Some(text) = desk.text(key) else { continue };
        let limits = &desk.settings.thresholds;
        let chars: Vec<char> = text.chars().collect();
        let mut told = 0;
        for quantity in quantity::quantities(text) {
            if told == FINDINGS_MAX {
                break;
            }
            let (words, all) = around(&chars, &quantity);
            let says = |list: &[&str]| list.iter().any(|word| words.contains(word));
            let (check, limit) = if is_share(&quantity) && says(SHARES) && !says(RELATIVE) && quantity.smallest() > limits.share_max_percent
            {
                (&checks::SHARE_OVER_WHOLE, limits.share_max_percent)
            } else if is_celsius(&quantity) && quantity.smallest() < ABSOLUTE_ZERO_CELSIUS {
                (&checks::BELOW_ABSOLUTE_ZERO, ABSOLUTE_ZERO_CELSIUS)
            } else if says(LIVES) && years(&quantity).is_some_and(|years| years > limits.life_max_years) {
                (&checks::LIFE_LONG, limits.life_max_years)
            } else if says(PAYBACKS) && years(&quantity).is_some_and(|years| years < limits.payback_min_years) {
                (&checks::PAYBACK_SHORT, limits.payback_min_years)
            } else {
                continue;
            };
            let limit = limit.to_string();
            desk.raise(findings, check, key, &[("found", &shortened(&all, 40)), ("most", &limit), ("least", &limit)]);
            told += 1;
        }
    }
}

/// The words before a quantity in its clause, and the clause up to its end.
fn around(chars: &[char], quantity: &Quantity) -> (String, String) {
    let start = quantity.from.saturating_sub(WORDS_CHARS);
    let before: &[char] = chars.get(start..quantity.from).unwrap_or_default();
    let mark = before.iter().rposition(|c| matches!(c, '，' | ',' | '；' | ';' | '。' | '、' | '\n'));
    let from = mark.map_or(start, |mark| start + mark + 1);
    let words = chars.get(from..quantity.from).unwrap_or_default().iter().collect();
    let all = chars.get(from..quantity.to).unwrap_or_default().iter().collect();
    (words, all)
}

fn is_share(quantity: &Quantity) -> bool {
    quantity.unit == "%" && quantity.change == Change::None && !matches!(quantity.figure, Figure::Deviation(_))
}

fn is_celsius(quantity: &Quantity) -> bool {
    matches!(quantity.unit.as_str(), "℃" | "°C" | "摄氏度") && !matches!(quantity.figure, Figure::Deviation(_))
}

fn years(quantity: &Quantity) -> Option<f64> {
    match quantity.unit.as_str() {
        "年" => Some(quantity.largest()),
        "个月" => Some(quantity.largest() / 12.0),
        _ => None,
    }
}

/// The benefit is neither beyond any firm's scale nor a hundred times what is invested.
pub fn benefit_is_in_scale(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let limits = &desk.settings.thresholds;
    let Some((amount, wan)) = money::headline(desk.benefit()).and_then(|amount| Some((amount, amount.wan?.1))) else { return };
    if wan > limits.benefit_max_wan {
        let values = [("count", amount.wan_text()), ("most", limits.benefit_max_wan.to_string())];
        desk.raise(findings, &checks::BENEFIT_SCALE, "benefit", &values.each_ref().map(|(name, value)| (*name, value.as_str())));
        return;
    }
    let Some(invest) = money::headline(desk.invest()).and_then(|amount| amount.wan).map(|(_, high)| high) else { return };
    if invest > 0.0 && wan / invest > limits.benefit_per_invest_max {
        let times = format!("{:.0}", wan / invest);
        let values = [("count", amount.wan_text()), ("other", invest.to_string()), ("times", times)];
        desk.raise(findings, &checks::BENEFIT_RATIO, "benefit", &values.each_ref().map(|(name, value)| (*name, value.as_str())));
    }
}
