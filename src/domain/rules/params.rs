//! R23: technical parameters are quantified and assessable; R26: figures that cannot be are shown to reviewers.

use std::sync::LazyLock;

use regex::Regex;

use super::{Desk, Finding, Severity, shortened};

/// Fewer quantified parameters than these give a warning.
const RECOMMENDED: usize = 3;
/// Parameters shown in a message.
const SHOWN: usize = 3;

/// A number with a comparator before it or a unit, range or tolerance behind it. Texts are folded: half width, lower case, no spaces.
static QUANTITY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let number = r"[+-]?\d+(?:,\d{3})*(?:\.\d+)?(?:[x×*]10\^?-?\d+|e-?\d+)?";
    let comparator = "(?:>=|<=|[≥≤≧≦⩾⩽><=≈±~]|不低于|不小于|不少于|不高于|不大于|不超过|不多于|大于|小于|高于|低于|优于|超过|达到|提高到|降低到|降至|提升至|控制在|等于|少于|多于|为|达)";
    let unit = concat!(
        r"(?:%|‰|ppm|ppb|ppt|°|℃|°c|摄氏度|[kmgtμµun]?pa|兆帕|帕|[kmg]?w(?:h|p)?(?:[^a-z]|$)|[kmμµ]?v(?:[^a-z]|$)|[kmμµn]?a(?:h)?(?:[^a-z]|$)|[kmg]?hz|赫兹|[kmg]?bps|[kmgt]b(?:[^a-z]|$)|[kmμµ]?ω|欧|",
        r"[kmcμµnup]?m(?:[23²³]|[^a-z]|$)|(?:k|m|μ|µ|u|n)?g(?:[^a-z]|$)|[km]?n(?:[·.*]?m)?(?:[^a-z]|$)|[mμµn]?s(?:[^a-z]|$)|min|h(?:[^a-z]|$)|k(?:[^a-z]|$)|d(?:b|tex|pi)|dbm|rpm|r/min|转|lm|lx|cd|nits?|ev|kev|mol|m?l(?:[^a-z]|$)|iu|cfu|u/|bit|fps|nm|",
        r"万|亿|千|百|元|吨|公斤|千克|克|斤|米|公里|千米|厘米|毫米|微米|纳米|升|毫升|秒|分钟|小时|天|日|个月|月|年|次|个|台|套|件|只|片|辆|路|种|类|项|批|级|倍|位|帧|像素|人|户|亩|公顷|株|马力|伏|安|瓦|千瓦|兆瓦|度|分贝|目|道|层|轴|通道|点|条|篇|g(?:/|$)|[a-zμµ]+/[a-z]|tex|折|赫)"
    );
    let before = format!(r"{comparator}(?:约)?{number}");
    let behind = format!(r"(?:^|[^a-z0-9./第-]){number}(?:[~～至—–-]{number})?{unit}");
    Regex::new(&format!(r"(?:{before})|(?:{behind})|百分之[一二三四五六七八九十百零]+|\d:\d")).ok()
});

/// Numbers that are no parameter: dates and names of standards.
static NO_PARAMETER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"20\d\d年(?:\d{1,2}月)?(?:\d{1,2}日)?|20\d\d[./-]\d{1,2}(?:[./-]\d{1,2})?|[2-6]g(?:[+]|网络|通信|专网|模组|基站|技术|信号|频段)|(?:gb|gjb|jb|iso|iec|en|astm|hg|yy|qc|tb|db)(?:/[tz])?\d+(?:[.-]\d+)*").ok()
});

/// The number at the beginning of an item: `1.`, `（2）`, `3、`.
static NUMBERING: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\s*(?:[(（]?\d{1,2}(?:[)）、．]|\.(?:\D|$))|[①-⑳])").ok());

/// Efficiencies and yields that cannot exceed the whole, with their figure.
static SHARE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:效率|收率|得率|转化率|回收率|利用率|合格率|成品率|良率|良品率|准确率|识别率|纯度|选择性|保持率|去除率|覆盖率|成功率)([^0-9；;，,。、\n]{0,12})(\d+(?:\.\d+)?)%").ok()
});

/// R23: at least one parameter with a number and a unit or comparator (error), better three (warning); says which were found.
pub fn parameters_are_quantified(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    let Some(text) = desk.text("params") else { return };
    let found = quantified(text);
    let label = desk.label("params");
    if found.is_empty() {
        let message = format!(
            "“{label}”中未见量化指标（所填为“{}”），请写明数值和单位，做到可量化、可考核，例如：峰值效率≥95%；质量≤780kg；寿命≥1万小时。",
            shortened(text, 30)
        );
        findings.push(desk.for_sender("R23", Severity::Error, "params", message));
    } else if found.len() < RECOMMENDED {
        let shown: Vec<String> = found.iter().take(SHOWN).map(|item| format!("“{}”", shortened(item, 30))).collect();
        let message = format!(
            "“{label}”中只识别到{}项量化指标：{}，建议不少于{RECOMMENDED}项，请补充其他可量化、可考核的参数。",
            found.len(),
            shown.join("、")
        );
        findings.push(desk.for_sender("R23", Severity::Warning, "params", message));
    }
}

/// R26: a share above the whole, a temperature below absolute zero. The machine points, people judge.
pub fn figures_are_possible(desk: &Desk<'_>, findings: &mut Vec<Finding>) {
    for key in ["params", "goal"] {
        let Some(text) = desk.text(key) else { continue };
        let folded = crate::domain::folding::fold(text);
        for share in SHARE.as_ref().into_iter().flat_map(|share| share.captures_iter(&folded)) {
            let (Some(all), Some(between), Some(figure)) = (share.get(0), share.get(1), share.get(2)) else { continue };
            let grows = ["提高", "提升", "增长", "增加", "改善"].iter().any(|word| between.as_str().contains(word));
            if !grows && figure.as_str().parse::<f64>().is_ok_and(|value| value > 100.0) {
                let message = format!("“{}”中的“{}”超过100%，请人工核对数值和口径。", desk.label(key), shortened(all.as_str(), 40));
                findings.push(desk.for_reviewer("R26", Severity::Warning, key, message));
            }
        }
        for degrees in below_zero(&folded).filter(|degrees| *degrees > 273.15) {
            let message = format!("“{}”中的“-{degrees}℃”低于绝对零度，请人工核对数值。", desk.label(key));
            findings.push(desk.for_reviewer("R26", Severity::Warning, key, message));
        }
    }
}

/// Degrees below zero that a folded text names.
fn below_zero(folded: &str) -> impl Iterator<Item = f64> + '_ {
    folded.match_indices(['℃']).map(|(at, _)| at).chain(folded.match_indices("°c").map(|(at, _)| at)).filter_map(|at| {
        let before = folded.get(..at)?;
        let from = before
            .rfind(|c: char| !(c.is_ascii_digit() || c == '.'))
            .filter(|from| before.get(*from..).is_some_and(|s| s.starts_with('-')))?;
        // In 20-300℃ the sign is a range.
        let is_range = before.get(..from)?.ends_with(|c: char| c.is_ascii_digit());
        before.get(from + 1..)?.parse().ok().filter(|_| !is_range)
    })
}

/// The items of a parameter list that hold a quantity, as written.
fn quantified(text: &str) -> Vec<String> {
    let Some(quantity) = QUANTITY.as_ref() else { return Vec::new() };
    items(text)
        .into_iter()
        .filter(|item| {
            let bare = NUMBERING.as_ref().map_or(item.as_str().into(), |numbering| numbering.replace(item, ""));
            let folded = crate::domain::folding::fold(&bare);
            let folded = NO_PARAMETER.as_ref().map_or(folded.as_str().into(), |dates| dates.replace_all(&folded, " "));
            quantity.is_match(&folded)
        })
        .collect()
}

/// Items stand apart by lines, semicolons, full stops or commas; a comma between digits is a thousands separator.
fn items(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut items = vec![String::new()];
    for (at, c) in chars.iter().enumerate() {
        let digit = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_digit);
        let in_number = digit(at.checked_sub(1)) && digit(Some(at + 1));
        if matches!(c, '\n' | '；' | ';' | '。') || (matches!(c, '，' | ',') && !in_number) {
            items.push(String::new());
        } else if let Some(item) = items.last_mut() {
            item.push(*c);
        }
    }
    items.into_iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
