//! Who applies, as far as it weighs in: the same enterprise telling a technology anew is likelier than two enterprises having one idea.

use serde::{Deserialize, Serialize};

use super::hashing;
use crate::domain::{folding, uscc};

/// Prefectures and cities that stand bare before a firm's name.
const PLACES: &[&str] = &[
    "吉林省",
    "长春",
    "吉林",
    "四平",
    "辽源",
    "通化",
    "白山",
    "松原",
    "白城",
    "延边",
    "延吉",
    "梅河口",
    "公主岭",
    "榆树",
    "农安",
    "德惠",
    "敦化",
    "珲春",
    "图们",
    "龙井",
    "和龙",
    "汪清",
    "安图",
    "集安",
    "柳河",
    "辉南",
    "东丰",
    "东辽",
    "双辽",
    "梨树",
    "伊通",
    "桦甸",
    "蛟河",
    "磐石",
    "舒兰",
    "永吉",
    "临江",
    "靖宇",
    "抚松",
    "长白",
    "扶余",
    "乾安",
    "长岭",
    "前郭",
    "洮南",
    "大安",
    "镇赉",
    "通榆",
    "北京",
    "上海",
    "天津",
    "重庆",
    "中国",
    "东北",
];
/// What a firm's name ends with.
const FORMS: &[&str] = &["集团", "股份", "有限", "责任", "总公司", "分公司", "公司", "厂"];
/// What firms call their trade; never a name of their own. `示例` marks invented firms in samples.
const TRADES: &[&str] = &["示例", "科技", "实业", "新材料", "生物", "智能", "汽车", "化工", "电子", "光电", "机械", "医药", "食品"];
/// Characters of a name that are looked at.
const NAME_CHARS: usize = 100;

/// An applicant, as it is stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applicant {
    /// Hash of the folded name; 0 without one.
    pub name: u64,
    /// Hash of the credit code; 0 without a whole one.
    pub code: u64,
    /// Hash of the name's own two characters after the place, which sister companies share; 0 without.
    pub house: u64,
}

/// How two applicants stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// One name or one credit code.
    Same,
    /// Two companies of one house: 恒远轨道装备, 恒远复合材料.
    Sister,
    Other,
}

impl Applicant {
    #[must_use]
    pub fn of(name: &str, code: &str) -> Self {
        let name: String = folding::fold_words(name).chars().take(NAME_CHARS).collect();
        let code = uscc::normalise(code);
        let known = |text: &str, is: bool| if is { hashing::text(text) } else { 0 };
        let house = house(&name);
        Self {
            name: known(&name, !name.is_empty()),
            code: known(&code, code.chars().count() == 18),
            house: known(&house, house.chars().count() == 2),
        }
    }

    #[must_use]
    pub fn relation(&self, other: &Self) -> Relation {
        let equal = |one: u64, two: u64| one != 0 && one == two;
        if equal(self.name, other.name) || equal(self.code, other.code) {
            Relation::Same
        } else if equal(self.house, other.house) {
            Relation::Sister
        } else {
            Relation::Other
        }
    }
}

/// The two characters by which a firm is called: 吉林市瑞雪智能科技有限公司 → 瑞雪. Empty where trade and place are all there is.
fn house(name: &str) -> String {
    let mut rest = name;
    loop {
        let before = rest;
        for place in PLACES {
            if let Some(after) = rest.strip_prefix(place) {
                rest = after.trim_start_matches(['省', '市', '县', '州']);
            }
        }
        rest = strip_unit(rest);
        for trade in TRADES {
            rest = rest.strip_prefix(trade).unwrap_or(rest);
        }
        if rest == before {
            break;
        }
    }
    let house: String = rest.chars().take(2).collect();
    if FORMS.iter().any(|form| rest.starts_with(form)) { String::new() } else { house }
}

/// A place of at most four characters with its 省, 市, 自治州, 县 or 区.
fn strip_unit(name: &str) -> &str {
    let unit = name.char_indices().take(5).skip(2).find(|(_, c)| matches!(c, '省' | '市' | '县' | '州'));
    unit.and_then(|(at, c)| name.get(at + c.len_utf8()..)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(one: &str, other: &str) -> Relation {
        Applicant::of(one, "").relation(&Applicant::of(other, ""))
    }

    #[test]
    fn sister_companies_share_the_name_of_their_house() {
        assert_eq!(relation("吉林市瑞雪冰雪装备有限公司", "吉林市瑞雪智能科技有限公司"), Relation::Sister);
        assert_eq!(relation("吉林省路固交通科技有限公司", "长春路固桥梁养护有限公司"), Relation::Sister);
    }

    #[test]
    fn place_trade_and_form_make_no_sisters() {
        assert_eq!(relation("长春光电科技有限公司", "长春光电仪器有限公司"), Relation::Other);
        assert_eq!(relation("长春一汽富维", "长春禹光精密"), Relation::Other);
        assert_eq!(relation("长春有限公司", "吉林有限公司"), Relation::Other);
        assert_eq!(relation("", ""), Relation::Other);
    }

    #[test]
    fn one_credit_code_is_one_enterprise_whatever_it_calls_itself() {
        let code = "91220101MA0Y1ABC2X";
        assert_eq!(Applicant::of("甲厂", code).relation(&Applicant::of("甲有限公司", code)), Relation::Same);
        assert_eq!(Applicant::of("甲厂", "缺").relation(&Applicant::of("乙厂", "缺")), Relation::Other);
    }
}
