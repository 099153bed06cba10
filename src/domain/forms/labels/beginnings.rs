//! How labels begin: by its first two characters nearly every value is told from a label, before it is folded or looked up.

use std::collections::HashSet;

use super::GROUP_WORDS;
use crate::domain::folding::is_ideograph;

/// Ideographs that number a label instead of beginning it.
const NUMERALS: &str = "第一二三四五六七八九十";

/// The beginnings of a form's keys. A key is a label folded, letters and digits only.
#[derive(Debug, Default)]
pub struct Beginnings {
    pairs: HashSet<[char; 2]>,
    /// Keys of one character, behind which anything may stand.
    single: HashSet<char>,
    /// Some key begins with an ASCII digit.
    digit: bool,
}

impl Beginnings {
    pub fn of<'k>(keys: impl Iterator<Item = &'k str>) -> Self {
        let mut all = Self::default();
        for key in keys {
            let mut chars = key.chars();
            let Some(first) = chars.next() else { continue };
            all.digit |= first.is_ascii_digit();
            match chars.next() {
                Some(second) => _ = all.pairs.insert([first, second]),
                None => _ = all.single.insert(first),
            }
        }
        all
    }

    /// Whether a text, folded or not, cannot be a label. Two ideographs at its beginning fold to themselves and stand in no bracket, and
    /// nothing is taken off before one that does not number: what remains of the text begins as it does, or is its first character.
    pub fn rule_out(&self, text: &str) -> bool {
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(first), Some(second)) if is_ideograph(first) && is_ideograph(second) => {
                !NUMERALS.contains(first) && !self.pairs.contains(&[first, second]) && !self.single.contains(&first)
            }
            (Some(first), _) if first.is_ascii() => !self.digit && text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic()),
            _ => false,
        }
    }

    /// Whether nothing in a group of this name can be a label by the group's subject.
    pub fn rule_out_group(&self, group: &str) -> bool {
        let is_group_word = |second: char| GROUP_WORDS.iter().any(|word| word.starts_with(second));
        let second = group.chars().nth(1);
        // 甲情况: the subject is one character, and what it goes on with is the label's.
        second.is_some_and(|second| is_ideograph(second) && !is_group_word(second)) && self.rule_out(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::forms::{catalogue::Catalogue, labels::Labels};

    #[test]
    fn no_label_is_ruled_out_whatever_surrounds_it() {
        let catalogue = Catalogue::shipped();
        for form in &catalogue.forms {
            let labels = Labels::of(form);
            for name in form.fields.iter().flat_map(|field| field.names()) {
                for text in [
                    name.to_owned(),
                    format!("{name}（必填）："),
                    format!("一、{name}"),
                    format!("★1.{name}（万元）"),
                    format!("{name}及{name}"),
                    format!("{name}/{name}"),
                    format!("（1）{name}盖章"),
                    format!("（{name}）{name}"),
                    format!("{name} Name"),
                ] {
                    assert_eq!(labels.find(&text).is_some(), labels.look_for(&text).is_some(), "{text}");
                }
            }
        }
    }

    #[test]
    fn most_values_are_ruled_out_at_a_glance() {
        let beginnings = Beginnings::of(["课题名称", "申报单位", "技术指标"].into_iter());
        for value in ["高速动车组转向架研制", "13900001234", "1,200.50", "长春示例机械有限公司"] {
            assert!(beginnings.rule_out(value), "{value}");
        }
        for text in ["课题名称", "（1）课题名称", "一、课题", "1、课题", "课 题 名 称", "课", "", "a@example.cn"] {
            assert!(!beginnings.rule_out(text), "{text}");
        }
        assert!(!beginnings.rule_out_group("课情况") && beginnings.rule_out_group("产品基本情况"));
        assert!(!Beginnings::of(["5g应用"].into_iter()).rule_out("5"));
    }
}
