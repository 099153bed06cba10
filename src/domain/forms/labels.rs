//! Whether a text is a label of a form, and of which field. Only whole labels count: a value that merely speaks of 技术指标 is no label.
//!
//! What surrounds a label in real documents is taken off first: spaces and full width (`名　　称`), numbering (`一、` `（1）` `①`),
//! marks (`*` `★`), hints (`（限500字）`), units (`（万元）`), a trailing colon.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{LazyLock, Mutex, OnceLock, PoisonError},
};

use regex::Regex;

use super::catalogue::{Field, FieldKind, Form};
use crate::domain::folding;
use beginnings::Beginnings;

mod beginnings;

/// What a group of labels is called beside its subject.
const GROUP_WORDS: [&str; 6] = ["基本情况", "基本信息", "情况", "信息", "概况", "简况"];

/// A label with its hints is never longer, in characters.
const LABEL_MAX_CHARS: usize = 400;

/// Texts whose answer is kept: every label of a mailbox, and the values of the mail in hand.
const KEPT_MAX: usize = 2_000;

/// All labels of one form, ready for lookup.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'a> {
    form: &'a Form,
    keys: &'a Keys,
}

/// A form's labels by their keys, made at their first use, and what texts were found to label: the same texts are asked about again
/// and again. No part of what a form is: a copy begins anew.
#[derive(Debug, Default)]
pub struct LabelIndex {
    keys: OnceLock<Keys>,
    kept: Mutex<HashMap<String, Option<Found>>>,
}

/// Positions of fields by the keys of their names.
#[derive(Debug)]
struct Keys {
    by_key: BTreeMap<String, usize>,
    longest_chars: usize,
    beginnings: Beginnings,
}

/// [`LabelMatch`] by positions of fields.
#[derive(Debug, Clone)]
struct Found {
    field: usize,
    also: Option<usize>,
    unit: Option<String>,
    hinted: bool,
}

impl Clone for LabelIndex {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// What a text labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelMatch<'a> {
    pub field: &'a Field,
    /// The second field of a joint label: 联系人及电话.
    pub also: Option<&'a Field>,
    /// The unit printed with the label: 万元.
    pub unit: Option<String>,
    /// The label carries a hint that only a printed form has: （限500字）.
    pub hinted: bool,
}

/// Field identity is its key: the rest of a field says nothing about which one it is.
impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
impl Eq for Field {}

/// How much a row of texts looks like a header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeaderScore {
    /// Different fields that the texts label.
    pub fields: usize,
    /// Texts that are labels.
    pub labels: usize,
    /// Texts that are not empty.
    pub texts: usize,
}

static NUMBERING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let marks = r"[*＊★☆●◆■□▲※·•\-—#>]+";
    let han = r"\(?第?[一二三四五六七八九十]{1,3}(?:部分)?[\)、.．,:：]|\([一二三四五六七八九十]{1,3}\)";
    let digits = r"\(?\d{1,2}(?:\.\d{1,2})*[\)、.．,:：]?|\((?:\d{1,2}|[a-z])\)|[a-zivx]{1,4}[\)、.．]";
    Regex::new(&format!("^(?:{marks}|{han}|{digits})")).ok()
});

/// Hints without brackets at the end of a label.
static TAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let count = r"(?:限|不超过|不少于|不多于|约|控制在|字数)*\d+(?:[-~—至]\d+)?字(?:以内|之内|以上|左右|内)?";
    let note = r"盖章|公章|加盖公章|签章|签字|必填|选填|可多选|单选|多选|可选";
    Regex::new(&format!(r"[,，:：;；/]?(?:{count}|{note})[:：*]?$")).ok()
});

static UNIT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?:^|[,，:：;；/]|单位[:：]?)(?:计量)?(?:单位)?[:：]?(?:人民币)?((?:百|千|百万|万|亿)?(?:元|美元)|年|月|个月)(?:人民币)?[:：*]?$",
    )
    .ok()
});

/// The form under which labels are compared: folded, letters and digits only.
#[must_use]
pub fn key_of(text: &str) -> String {
    folding::fold_words(text)
}

impl Keys {
    fn of(fields: &[Field]) -> Self {
        let mut by_key = BTreeMap::new();
        for (at, field) in fields.iter().enumerate() {
            for name in field.names() {
                by_key.entry(key_of(name)).or_insert(at);
                // 总投资（万元） is found without its unit too.
                by_key.entry(key_of(&without_groups(&folding::fold(name), unit_of))).or_insert(at);
            }
        }
        by_key.remove("");
        let longest_chars = by_key.keys().map(|key| key.chars().count()).max().unwrap_or(0);
        let beginnings = Beginnings::of(by_key.keys().map(String::as_str));
        Self { by_key, longest_chars, beginnings }
    }

    /// The field of this very name, folded already.
    fn get(&self, folded: &str) -> Option<usize> {
        let key: String = folded.chars().filter(|c| c.is_alphanumeric()).take(self.longest_chars + 1).collect();
        self.by_key.get(&key).copied()
    }
}

impl<'a> Labels<'a> {
    #[must_use]
    pub fn of(form: &'a Form) -> Self {
        Self { form, keys: form.labels.keys.get_or_init(|| Keys::of(&form.fields)) }
    }

    #[must_use]
    pub fn form(&self) -> &'a Form {
        self.form
    }

    /// The field that `text` labels, when the whole of it is a label.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<LabelMatch<'a>> {
        if self.keys.beginnings.rule_out(text) {
            return None;
        }
        if text.chars().nth(LABEL_MAX_CHARS).is_some() {
            return None;
        }
        let mut kept = self.form.labels.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept.get(text) {
            return self.matched(found.clone()?);
        }
        let found = self.look_for(text);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(text.to_owned(), found.clone());
        self.matched(found?)
    }

    /// The field that `text` labels inside a group: 名称 in 申报单位基本情况 is 申报单位名称, 单位名称 in 联合单位情况 is 联合单位名称.
    #[must_use]
    pub fn find_in_group(&self, group: &str, text: &str) -> Option<LabelMatch<'a>> {
        if self.keys.beginnings.rule_out_group(group) {
            return None;
        }
        let (group, text) = (folding::fold(group), folding::fold(text));
        let subject = GROUP_WORDS.iter().find_map(|word| group.strip_suffix(word)).unwrap_or(&group);
        if subject.is_empty() {
            return None;
        }
        let shared = (1..=4).rev().filter_map(|length| {
            let (at, _) = text.char_indices().nth(length)?;
            text.split_at_checked(at).filter(|(head, _)| subject.ends_with(head))
        });
        self.find(&format!("{subject}{text}")).or_else(|| shared.into_iter().find_map(|(_, rest)| self.find(&format!("{subject}{rest}"))))
    }

    fn look_for(&self, text: &str) -> Option<Found> {
        let folded = folding::fold(text);
        let bare = strip_numbering(&folded);
        let hinted = bare.contains(['(', '[', '【', '〔']) && groups(bare).any(|group| unit_of(group).is_none());
        candidates(bare).iter().find_map(|candidate| {
            let (field, also) = self.named(candidate)?;
            Some(Found { field, also, unit: unit_in(bare), hinted })
        })
    }

    fn matched(&self, found: Found) -> Option<LabelMatch<'a>> {
        let field = |at: usize| self.form.fields.get(at);
        Some(LabelMatch { field: field(found.field)?, also: found.also.and_then(field), unit: found.unit, hinted: found.hinted })
    }

    /// How much a row of texts looks like a header row.
    pub fn header_score<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> HeaderScore {
        let mut score = HeaderScore::default();
        let mut seen = std::collections::BTreeSet::new();
        for text in texts {
            if text.trim().is_empty() {
                continue;
            }
            score.texts += 1;
            if let Some(found) = self.find(text) {
                score.labels += 1;
                seen.insert(found.field.key.as_str());
                seen.extend(found.also.map(|field| field.key.as_str()));
            }
        }
        score.fields = seen.len();
        score
    }

    /// An exact name, or two names joined: 联系人及电话, 联系人/手机, 研发目标和技术指标.
    fn named(&self, folded: &str) -> Option<(usize, Option<usize>)> {
        // 联系人/联系电话 asks for both, though 联系人联系电话 asks for the telephone only.
        self.joined(folded, is_stroke)
            .or_else(|| Some((self.keys.get(folded)?, None)))
            .or_else(|| self.joined(folded, |c| matches!(c, '及' | '和' | '与')))
    }

    fn joined(&self, folded: &str, is_joiner: fn(char) -> bool) -> Option<(usize, Option<usize>)> {
        folded.char_indices().filter(|(_, c)| is_joiner(*c)).find_map(|(at, joiner)| {
            let (left, right) = (folded.get(..at)?, folded.get(at + joiner.len_utf8()..)?);
            let left = self.keys.get(left)?;
            // 联系人及其电话
            let right = self.keys.get(right.strip_prefix('其').unwrap_or(right))?;
            let is_another = self.form.fields.get(right) != self.form.fields.get(left);
            Some((left, Some(right).filter(|_| is_another)))
        })
    }
}

impl LabelMatch<'_> {
    /// The label asks for a person and how to reach them: their cell is split.
    #[must_use]
    pub fn is_person_with_phone(&self) -> bool {
        self.also.is_some_and(|also| (self.field.kind == FieldKind::Phone) != (also.kind == FieldKind::Phone))
    }
}

fn is_stroke(c: char) -> bool {
    matches!(c, '、' | '/' | '|' | '\\' | '+' | ',' | '，' | '&' | ';' | '；')
}

/// What a folded label may be once something is taken off, the most complete first.
fn candidates(bare: &str) -> Vec<String> {
    let mut all = vec![bare.to_owned()];
    let mut rest = bare;
    // 市(州)工信局意见(盖章): only the last group is a hint.
    while let Some(shorter) = without_last_group(strip_tail(rest)) {
        rest = shorter;
        all.push(rest.to_owned());
    }
    all.push(strip_tail(bare).to_owned());
    let open = without_groups(bare, |_| Some(String::new()));
    all.push(strip_tail(strip_numbering(&open)).to_owned());
    all.push(open);
    all.extend(without_translation(bare).map(str::to_owned));
    all.dedup();
    all
}

/// 课题名称 Project Title: a label whose English stands behind it.
fn without_translation(folded: &str) -> Option<&str> {
    let bare = folded.trim_end_matches([':', '：', '*', '.']);
    let rest =
        bare.trim_end_matches(|c: char| c.is_ascii_alphabetic() || matches!(c, ' ' | '-' | '.' | '&' | '/' | '\'' | ',' | '(' | ')'));
    (rest.len() < bare.len() && rest.chars().next_back().is_some_and(|c| !c.is_ascii())).then_some(rest)
}

fn strip_numbering(folded: &str) -> &str {
    let Some(numbering) = NUMBERING.as_ref() else { return folded };
    let mut rest = folded;
    // ★1、(2)…: marks and numbers may follow each other.
    for _ in 0..3 {
        match numbering.find(rest) {
            Some(found) if found.end() < rest.len() => rest = rest.get(found.end()..).unwrap_or_default(),
            _ => break,
        }
    }
    rest
}

fn strip_tail(folded: &str) -> &str {
    let mut rest = folded.trim_end_matches([':', '：', '*', '。', '.', ';', '；', '、']);
    for pattern in [&TAIL, &UNIT] {
        if let Some(found) = pattern.as_ref().and_then(|pattern| pattern.find(rest))
            && found.start() > 0
        {
            rest = rest.get(..found.start()).unwrap_or_default();
        }
    }
    rest.trim_end_matches([':', '：', '*'])
}

fn without_last_group(folded: &str) -> Option<&str> {
    let trimmed = folded.trim_end_matches([':', '：', '*']);
    let close = trimmed.chars().next_back()?;
    if !matches!(close, ')' | ']' | '】' | '〕') {
        // 主要问题(限500字 — somebody forgot to close it.
        let open = trimmed.rfind(['(', '[', '【', '〔'])?;
        let unclosed = !trimmed.get(open..)?.contains([')', ']', '】', '〕']);
        return if unclosed && open > 0 { trimmed.get(..open) } else { None };
    }
    let mut depth = 0_usize;
    for (at, c) in trimmed.char_indices().rev() {
        match c {
            ')' | ']' | '】' | '〕' => depth += 1,
            '(' | '[' | '【' | '〔' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return trimmed.get(..at).filter(|rest| !rest.is_empty());
        }
    }
    None
}

/// The text without the groups for which `drop` answers something.
fn without_groups(folded: &str, drop: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut group = String::new();
    let mut depth = 0_usize;
    for c in folded.chars() {
        match c {
            '(' | '[' | '【' | '〔' => {
                depth += 1;
                group.push(c);
            }
            ')' | ']' | '】' | '〕' if depth > 0 => {
                depth -= 1;
                group.push(c);
                if depth == 0 {
                    if drop(inside(&group)).is_none() {
                        out.push_str(&group);
                    }
                    group.clear();
                }
            }
            _ if depth > 0 => group.push(c),
            _ => out.push(c),
        }
    }
    out
}

fn inside(group: &str) -> &str {
    group.trim_matches(['(', ')', '[', ']', '【', '】', '〔', '〕'])
}

/// The innermost bracket groups of a text.
fn groups(folded: &str) -> impl Iterator<Item = &str> {
    folded
        .split(['(', '[', '【', '〔'])
        .skip(1)
        .filter_map(|rest| rest.split([')', ']', '】', '〕']).next())
        .filter(|group| !group.is_empty())
}

fn unit_of(group: &str) -> Option<String> {
    let found = UNIT.as_ref()?.captures(group)?;
    // （至2026年） is no unit: the whole group must be one.
    let whole = found.get(0)?;
    if whole.start() == 0 { Some(found.get(1)?.as_str().to_owned()) } else { None }
}

/// The unit a label prints: in brackets, or at its end behind a stroke or colon.
fn unit_in(folded: &str) -> Option<String> {
    groups(folded).find_map(unit_of).or_else(|| {
        let trimmed = folded.trim_end_matches([':', '：', '*', ')', ']']);
        let found = UNIT.as_ref()?.captures(trimmed)?;
        Some(found.get(1)?.as_str().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::forms::catalogue::Catalogue;

    fn key(text: &str) -> Option<String> {
        let catalogue = Catalogue::shipped();
        let form = catalogue.form("annex1").unwrap();
        let labels = Labels::of(form);
        let found = labels.find(text)?;
        let also = found.also.map(|field| format!("+{}", field.key)).unwrap_or_default();
        let unit = found.unit.map(|unit| format!(" {unit}")).unwrap_or_default();
        Some(format!("{}{also}{unit}", found.field.key))
    }

    #[test]
    fn a_label_is_found_whatever_surrounds_it() {
        for (text, expected) in [
            ("课题名称", "topic_title"),
            ("课 题　名 称：", "topic_title"),
            ("*课题名称", "topic_title"),
            ("★ 课题名称（必填）", "topic_title"),
            ("一、课题名称", "topic_title"),
            ("（一）课题名称：", "topic_title"),
            ("1．课题名称", "topic_title"),
            ("1.1 课题名称", "topic_title"),
            ("（1）课题名称", "topic_title"),
            ("①课题名称", "topic_title"),
            ("⑴课题名称", "topic_title"),
            ("课题\n名称", "topic_title"),
            ("项目（课题）名称", "topic_title"),
            ("申报单位（盖章）", "applicant"),
            ("申报单位：（公章）", "applicant"),
            ("申报单位盖章", "applicant"),
            ("所在市(州)", "region"),
            ("所在市（州）：", "region"),
            ("所在市州", "region"),
            ("所在县（市、区）", "region"),
            ("市（州）工信局意见（盖章）", "opinion"),
            ("1、主要问题（限500字）", "problem"),
            ("3、预期目标—（技术创新性、经济社会效益，限500字）", "goal"),
            ("主要问题（限500字", "problem"),
            ("主要问题 限500字", "problem"),
            ("研发目标（500字以内）：", "goal"),
            ("“卡脖子”问题", "problem"),
            ("E-mail", "email"),
            ("Ｅ－ｍａｉｌ：", "email"),
            ("ＧＢ／Ｔ ４７５４", "gb_code"),
            ("总投资（万元）", "invest 万元"),
            ("总投资", "invest"),
            ("总投资（单位：亿元）", "invest 亿元"),
            ("总投资额/万元", "invest 万元"),
            ("总投资（万元，含自筹）", "invest"),
            ("预期经济效益（亿元）", "benefit 亿元"),
            ("联系人及电话", "contact+phone"),
            ("联系人/联系电话", "contact+phone"),
            ("联系电话/手机", "phone"),
            ("法定代表人及其联系方式", "legal_rep+phone"),
            ("研发目标和技术指标", "goal+params"),
            ("课题名称。", "topic_title"),
            ("联系方式（手机）", "phone"),
            ("课题名称 Project Title", "topic_title"),
            ("联系电话 Tel.", "phone"),
            ("电子邮箱（E-mail）", "email"),
        ] {
            assert_eq!(key(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_value_is_never_taken_for_a_label() {
        for text in [
            "",
            "：",
            "高寒滑雪场智能造雪机研制",
            "长春示例机械有限公司",
            "企业名称变更",
            "达到技术指标的要求",
            "主要技术参数达到国际先进",
            "3",
            "1、",
            "张三",
            "0431-88970710",
            "张三（联系人）13900000000",
            "□自主研发 ☑联合高校院所",
            "市场前景广阔",
            "（限500字）",
            "2024年8月15日",
            "技术指标、设备与资金",
        ] {
            assert_eq!(key(text), None, "{text}");
        }
    }

    #[test]
    fn a_header_row_scores_by_its_different_fields() {
        let catalogue = Catalogue::shipped();
        let labels = Labels::of(catalogue.form("annex2").unwrap());
        let score = labels.header_score(["序号", "课题名称", "项目名称", "联系人及电话", "", "其他"]);
        assert_eq!(score, HeaderScore { fields: 4, labels: 4, texts: 5 });
        assert_eq!(labels.header_score(["1", "造雪机研制", "长春示例机械有限公司"]).fields, 0);
    }
}
