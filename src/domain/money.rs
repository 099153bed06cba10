//! Amounts of money in a text, normalised to 万元: `1.2亿元`, `约3000-5000万元`, `年新增产值8,000千元`, `¥300万`, a bare `1200` in a column of 万元.
//! What the sender wrote stays as it is; the normalised amount stands beside it, for export, queue letters and comparison.

use super::quantity::{Bound, Figure, Quantity, Text, number_at, quantities};

/// The unit a bare number is in, from a column's header or the form's catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderUnit {
    Yuan,
    Thousand,
    Wan,
    Yi,
}

/// One amount.
#[derive(Debug, Clone, PartialEq)]
pub struct Amount {
    /// Both ends in 万元, equal where there is no range; `None` for foreign money, whose rate is not ours to guess.
    pub wan: Option<(f64, f64)>,
    /// 约, 左右, 不低于, 以上 …
    pub bound: Bound,
    /// 年新增, 每年, 元/年.
    pub yearly: bool,
    /// What it is an amount of, where the words before it say so: 产值, 利润.
    pub of: Option<&'static str>,
    /// Neither the text nor the header names a unit; 万元 was taken, as the forms ask for.
    pub unit_assumed: bool,
    /// First and last character (not included) in the text.
    pub from: usize,
    pub to: usize,
}

/// What amounts are named after, the more telling first.
const KINDS: &[&str] = &[
    "产值",
    "销售收入",
    "营业收入",
    "销售额",
    "营收",
    "经济效益",
    "收入",
    "效益",
    "利润",
    "利税",
    "净利",
    "税收",
    "税金",
    "纳税",
    "节约",
    "节省",
    "成本",
    "投资",
];
/// Kinds that stand for the benefit as a whole.
const HEADLINES: &[&str] = &["产值", "销售收入", "营业收入", "销售额", "营收", "经济效益", "收入"];
const YEARLY: &[&str] =
    &["年新增", "年产值", "年销售", "年营", "年均", "每年", "年度", "年利", "年收入", "年节约", "年可", "年增", "年实现", "年效益"];
/// Characters of a text that are searched for amounts.
const TEXT_MAX_CHARS: usize = 5_000;
/// Characters before an amount that may say what it is.
const WORDS_CHARS: usize = 24;

impl HeaderUnit {
    /// The unit a label or a catalogue's unit names: 总投资（万元）.
    #[must_use]
    pub fn named_in(label: &str) -> Option<Self> {
        if label.contains("亿元") {
            Some(Self::Yi)
        } else if label.contains("万元") || label.contains("万人民币") {
            Some(Self::Wan)
        } else if label.contains("千元") {
            Some(Self::Thousand)
        } else {
            label.contains('元').then_some(Self::Yuan)
        }
    }

    fn wan(self) -> f64 {
        match self {
            Self::Yuan => 0.0001,
            Self::Thousand => 0.1,
            Self::Wan => 1.0,
            Self::Yi => 10_000.0,
        }
    }
}

/// Every amount of a text, in order. Bare numbers count only where no amount carries a unit and the text names nothing else.
#[must_use]
pub fn amounts(text: &str, header: Option<HeaderUnit>) -> Vec<Amount> {
    let text: String = text.chars().take(TEXT_MAX_CHARS).collect();
    let walked = Text::of(&text);
    let found = quantities(&text);
    let mut amounts: Vec<Amount> = found.iter().filter_map(|quantity| of_quantity(&walked, quantity)).collect();
    amounts.extend(without_yuan(&walked, &found));
    amounts.sort_by_key(|amount| amount.from);
    amounts.dedup_by_key(|amount| amount.from);
    if amounts.is_empty() {
        amounts = bare(&walked, &found, header);
    }
    amounts
}

/// The amount that stands for the whole text: output or turnover before profit before the rest; the first of its kind.
#[must_use]
pub fn headline(amounts: &[Amount]) -> Option<&Amount> {
    let known = || amounts.iter().filter(|amount| amount.wan.is_some());
    let is_headline = |amount: &&Amount| amount.of.is_some_and(|of| HEADLINES.contains(&of));
    known().find(is_headline).or_else(|| known().next()).or_else(|| amounts.first())
}

impl Amount {
    /// `5000`, `3000-5000`; empty for foreign money.
    #[must_use]
    pub fn wan_text(&self) -> String {
        match self.wan {
            Some((low, high)) if (high - low).abs() < f64::EPSILON => plain(low),
            Some((low, high)) => format!("{}-{}", plain(low), plain(high)),
            None => String::new(),
        }
    }
}

/// At most four decimals: a 万元 has 10 000 元.
fn plain(wan: f64) -> String {
    let text = format!("{wan:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A quantity in 元. A price (元/吨) is no benefit, a yearly sum (元/年) is.
fn of_quantity(text: &Text, quantity: &Quantity) -> Option<Amount> {
    let unit = quantity.unit.as_str();
    let per_year = unit.ends_with("/年") || unit.ends_with("每年");
    let unit = unit.trim_end_matches("/年").trim_end_matches("每年");
    let factor = match unit {
        "元" => Some(0.0001),
        "千元" => Some(0.1),
        "万元" => Some(1.0),
        "亿元" => Some(10_000.0),
        "美元" | "欧元" => None,
        _ => return None,
    };
    let (low, high) = match quantity.figure {
        Figure::One(value) => (value, value),
        Figure::Range(low, high) => (low, high),
        Figure::Ratio(..) | Figure::Deviation(_) => return None,
    };
    Some(amount(text, factor.map(|factor| (low * factor, high * factor)), quantity.bound, per_year, quantity.from, quantity.to))
}

/// 5000万, 1.2亿, ¥300万, RMB 50000: money by its multiple at the end of a phrase, or by its sign.
fn without_yuan(text: &Text, found: &[Quantity]) -> Vec<Amount> {
    let mut amounts = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let Some(number) = number_at(text, at).filter(|_| !text.before(at).is_ascii_alphanumeric() && text.before(at) != '.') else {
            at += 1;
            continue;
        };
        let blank = text.skip_blanks_back(at);
        let signed = matches!(text.before(blank), '¥' | '￥') || text.ends_with(blank, "RMB") || text.ends_with(blank, "人民币");
        let ends_phrase = ends_phrase(text, number.end);
        let taken = found.iter().any(|quantity| quantity.from <= at && at < quantity.to && !quantity.unit.is_empty());
        if !taken && (signed || (number.multiple && ends_phrase)) {
            let wan = number.value / 10_000.0;
            let bound =
                found.iter().find(|quantity| quantity.from <= at && at < quantity.to).map_or(Bound::Exact, |quantity| quantity.bound);
            amounts.push(amount(text, Some((wan, wan)), bound, false, at, number.end));
        }
        at = number.end.max(at + 1);
    }
    amounts
}

/// No unit follows: the end, a mark, or 以上, 左右.
fn ends_phrase(text: &Text, at: usize) -> bool {
    let at = text.skip_blanks(at);
    let behind = ["以上", "左右", "以内", "以下", "之间", "人民币", "的"];
    !text.at(at).is_alphanumeric() || behind.iter().any(|word| text.starts_with(at, word))
}

/// Numbers without a unit, in the header's unit; 万元 where there is none and the text is hardly more than the number.
fn bare(text: &Text, found: &[Quantity], header: Option<HeaderUnit>) -> Vec<Amount> {
    let words = (0..text.len()).filter(|at| text.at(*at).is_alphabetic()).count();
    if header.is_none() && words > 4 {
        return Vec::new();
    }
    let factor = header.map_or(1.0, HeaderUnit::wan);
    let mut amounts: Vec<Amount> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if let Some(quantity) = found.iter().find(|quantity| quantity.from <= at && at < quantity.to) {
            if let (true, Figure::One(low) | Figure::Range(low, _)) = (quantity.unit.is_empty(), quantity.figure) {
                let wan = (low * factor, quantity.largest() * factor);
                amounts.push(amount(text, Some(wan), quantity.bound, false, quantity.from, quantity.to));
            }
            at = quantity.to.max(at + 1);
            continue;
        }
        let free = !text.before(at).is_ascii_alphanumeric() && text.before(at) != '.';
        match number_at(text, at).filter(|number| free && !number.chinese && !number.padded) {
            Some(number) if !text.at(text.skip_blanks(number.end)).is_alphabetic() => {
                let wan = number.value * factor;
                amounts.push(amount(text, Some((wan, wan)), Bound::Exact, false, at, number.end));
                at = number.end;
            }
            Some(number) => at = number.end.max(at + 1),
            None => at += 1,
        }
    }
    amounts.iter_mut().for_each(|amount| amount.unit_assumed = header.is_none());
    amounts
}

fn amount(text: &Text, wan: Option<(f64, f64)>, bound: Bound, per_year: bool, from: usize, to: usize) -> Amount {
    let start = from.saturating_sub(WORDS_CHARS);
    let words = text.plain(start, to);
    let clause = words.rsplit(['，', ',', '；', ';', '。', '\n']).find(|clause| !clause.is_empty()).unwrap_or_default();
    // The word nearest to the amount names it: 产值5000万元、利润800万元.
    let of =
        KINDS.iter().filter_map(|kind| clause.rfind(kind).map(|at| (at + kind.len(), *kind))).max_by_key(|(end, kind)| (*end, kind.len()));
    let yearly = per_year || YEARLY.iter().any(|word| clause.contains(word));
    let tidy = |value: f64| (value * 1e6).round() / 1e6;
    let wan = wan.map(|(low, high)| (tidy(low), tidy(high)));
    Amount { wan, bound, yearly, of: of.map(|(_, kind)| kind), unit_assumed: false, from, to }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(text: &str, header: Option<HeaderUnit>) -> String {
        let amounts = amounts(text, header);
        if amounts.is_empty() { "-".to_owned() } else { amounts.iter().map(Amount::wan_text).collect::<Vec<_>>().join(" | ") }
    }

    #[test]
    fn every_way_to_write_an_amount_comes_to_ten_thousand_yuan() {
        for (text, expected) in [
            ("达产后年新增产值5000万元", "5000"),
            ("新增销售收入1.2亿元", "12000"),
            ("年新增利税约３，０００万元", "3000"),
            ("800千元", "80"),
            ("预计3000—5000万元", "3000-5000"),
            ("3000万元至5000万元", "3000-5000"),
            ("1～2亿元", "10000-20000"),
            ("50000元", "5"),
            ("1,200,000元", "120"),
            ("年产值5000万以上", "5000"),
            ("三千万元", "3000"),
            ("一亿两千万元", "12000"),
            ("￥300万", "300"),
            ("人民币500万元", "500"),
            ("年新增产值8000万元，利润1200万元，税收400万元", "8000 | 1200 | 400"),
            ("3百万元", "300"),
            ("5000余万元", "5000"),
            ("每年节约成本600万元/年", "600"),
            ("12,000万元", "12000"),
            ("0.5亿", "5000"),
        ] {
            assert_eq!(normalised(text, None), expected, "{text}");
        }
    }

    #[test]
    fn the_headers_unit_speaks_for_bare_numbers_only() {
        assert_eq!(normalised("1,200", Some(HeaderUnit::Wan)), "1200");
        assert_eq!(normalised("1200-1500", Some(HeaderUnit::Wan)), "1200-1500");
        assert_eq!(normalised("约1200", Some(HeaderUnit::Wan)), "1200");
        assert_eq!(normalised("1.2", Some(HeaderUnit::Yi)), "12000");
        assert_eq!(normalised("12000000", Some(HeaderUnit::Yuan)), "1200");
        assert_eq!(normalised("1.2亿元", Some(HeaderUnit::Wan)), "12000");
        assert_eq!(normalised("1200.00万元", Some(HeaderUnit::Yuan)), "1200");
        assert_eq!(HeaderUnit::named_in("总投资（万元）"), Some(HeaderUnit::Wan));
        assert!(amounts("1200", None)[0].unit_assumed);
    }

    #[test]
    fn counts_prices_years_and_vague_words_are_no_amount() {
        for text in [
            "经济效益显著",
            "年产2万套",
            "新增就业300人",
            "2026年达产",
            "约若干万元",
            "数千万元",
            "单价3200元/吨",
            "市场占有率30%",
            "万向节",
            "待定",
        ] {
            assert_eq!(normalised(text, None), "-", "{text}");
        }
    }

    #[test]
    fn foreign_money_is_an_amount_that_is_not_converted() {
        let found = amounts("出口创汇200万美元", None);
        assert_eq!((found.len(), found[0].wan), (1, None));
    }

    #[test]
    fn output_or_turnover_is_the_headline_wherever_it_stands() {
        let found = amounts("年新增利润800万元，年新增产值5000万元", None);
        let headline = headline(&found).unwrap();
        assert_eq!((headline.wan_text().as_str(), headline.of, headline.yearly), ("5000", Some("产值"), true));
    }
}
