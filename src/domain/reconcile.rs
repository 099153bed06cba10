//! Annex 2 rows against annex 1 forms: a topic that stands in both is ONE topic with two sources (R14, R15).
//!
//! Copies within the rows and within the forms are put together first; then rows and forms are assigned to each other so that the sum of
//! all likenesses is the greatest there is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    folding,
    forms::{Record, Value},
    uscc,
};

pub(super) mod assignment;
pub(super) mod likeness;

/// Pairs of a row and a form that are compared in one package; no honest package comes near. Beyond it only equal titles are joined.
const COMPARISONS_MAX: usize = 300_000;

/// Forms that a row without any likely one is compared with, each.
const LOOKED_THROUGH_MAX: usize = 500;

/// A record and the file it stands in.
#[derive(Debug, Clone)]
pub struct Sourced {
    /// Path of the file.
    pub attachment: String,
    pub record: Record,
}

/// Where a topic was read (`contract.md` section 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub attachment: String,
    #[serde(rename = "where")]
    pub place: String,
    /// Catalogue id of the form: `annex1`, `annex2`.
    pub form: String,
}

/// A value with its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedValue {
    pub value: Value,
    pub attachment: String,
    pub form: String,
}

/// One topic, put together from its sources; annex 1 wins where they differ.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Draft {
    pub sources: Vec<Source>,
    pub fields: BTreeMap<String, PlacedValue>,
}

impl Draft {
    /// A topic as the store keeps it: fields without their places.
    #[must_use]
    pub fn of_fields<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let placed = |text: &str| PlacedValue {
            value: Value { text: text.to_owned(), ..Value::default() },
            attachment: String::new(),
            form: String::new(),
        };
        Self { sources: Vec::new(), fields: fields.map(|(key, text)| (key.to_owned(), placed(text))).collect() }
    }

    /// The text of a field, `""` where it is missing.
    #[must_use]
    pub fn text(&self, key: &str) -> &str {
        self.fields.get(key).map_or("", |placed| placed.value.text.as_str())
    }
}

/// The balance of a package (`contract.md` section 3, `reconciliation`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciliation {
    pub rows: usize,
    pub forms: usize,
    pub matched: usize,
    /// Titles.
    pub row_without_form: Vec<String>,
    pub form_without_row: Vec<String>,
    pub differs: Vec<Difference>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub title: String,
    pub field: String,
    /// What annex 2 says.
    pub row: String,
    /// What annex 1 says.
    pub form: String,
}

/// Joins rows and forms into topics, as an assignment over the whole package.
/// `forms` and `rows` are given in order of appearance; the topics come in the order of the rows, then the forms without row.
#[must_use]
pub fn reconcile(forms: Vec<Sourced>, rows: Vec<Sourced>) -> (Vec<Draft>, Reconciliation) {
    let mut forms: Vec<Option<Draft>> = without_copies(forms).into_iter().map(Some).collect();
    let rows = without_copies(rows);
    let partners = assignment::assign(pairs(rows.iter(), forms.iter().flatten()));
    let mut balance = Reconciliation { rows: rows.len(), forms: forms.len(), ..Reconciliation::default() };
    let mut topics = Vec::with_capacity(rows.len() + forms.len());
    for (at, row) in rows.into_iter().enumerate() {
        let form = partners.get(&at).and_then(|form| forms.get_mut(*form)).and_then(Option::take);
        match form {
            Some(form) => {
                balance.matched += 1;
                balance.differs.extend(differences(&row, &form));
                topics.push(joined(row, form));
            }
            None => {
                balance.row_without_form.push(row.text("topic_title").to_owned());
                topics.push(row);
            }
        }
    }
    for form in forms.into_iter().flatten() {
        balance.form_without_row.push(form.text("topic_title").to_owned());
        topics.push(form);
    }
    (topics, balance)
}

/// One draft for each topic of one kind of record: the first copy speaks, later copies fill its gaps.
fn without_copies(records: Vec<Sourced>) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    for Sourced { attachment, record } in records {
        let source = Source { attachment: attachment.clone(), place: record.place, form: record.form.clone() };
        let fields: BTreeMap<String, PlacedValue> = record
            .values
            .into_iter()
            .map(|(key, value)| (key, PlacedValue { value, attachment: attachment.clone(), form: record.form.clone() }))
            .collect();
        let draft = Draft { sources: vec![source], fields };
        let known = copy_keys(&draft).into_iter().find_map(|key| seen.get(&key).copied());
        let at = known.unwrap_or(drafts.len());
        for key in copy_keys(&draft) {
            seen.entry(key).or_insert(at);
        }
        match drafts.get_mut(at) {
            Some(first) => fill(first, draft),
            None => drafts.push(draft),
        }
    }
    drafts
}

/// Two records with one of these in common are copies: title with applicant, title with credit code. Empty without a title.
fn copy_keys(draft: &Draft) -> Vec<(String, String)> {
    let title = folding::fold_words(draft.text("topic_title"));
    let holders = [folding::fold_words(draft.text("applicant")), uscc::normalise(draft.text("uscc"))];
    holders.into_iter().filter(|holder| !title.is_empty() && !holder.is_empty()).map(|holder| (holder, title.clone())).collect()
}

fn fill(first: &mut Draft, later: Draft) {
    first.sources.extend(later.sources);
    for (key, value) in later.fields {
        first.fields.entry(key).or_insert(value);
    }
}

/// Every row with every form that may be the same topic, within the bound on comparisons.
fn pairs<'a>(rows: impl Iterator<Item = &'a Draft>, forms: impl Iterator<Item = &'a Draft>) -> Vec<assignment::Pair> {
    let forms: Vec<likeness::Face> = forms.map(likeness::Face::of).collect();
    let index = likeness::Index::of(&forms);
    let mut pairs = Vec::new();
    let mut left = COMPARISONS_MAX;
    for (at, row) in rows.enumerate() {
        let row = likeness::Face::of(row);
        let alike = |form: usize| Some((form, forms.get(form).and_then(|form| row.likeness(form))?));
        let candidates = index.candidates(&row, left);
        left = left.saturating_sub(candidates.len());
        let mut found: Vec<(usize, u32)> = candidates.into_iter().filter_map(alike).collect();
        // Neither title nor applicant nor code is written as in any form: slips in both may still leave them alike.
        if found.is_empty() && forms.len() <= left.min(LOOKED_THROUGH_MAX) {
            left = left.saturating_sub(forms.len());
            found = (0..forms.len()).filter_map(alike).collect();
        }
        let pair = |(form, likeness)| assignment::Pair { likeness, row: at, form, sure: likeness >= likeness::SURE };
        pairs.extend(found.into_iter().map(pair));
    }
    pairs
}

/// Annex 1 wins; the row fills what the form leaves open.
fn joined(row: Draft, form: Draft) -> Draft {
    let mut fields = form.fields;
    for (key, value) in row.fields {
        fields.entry(key).or_insert(value);
    }
    Draft { sources: row.sources.into_iter().chain(form.sources).collect(), fields }
}

/// Where row and form say different things about a field that stands in both. Table matters (`no`, `note`, `bureau`) are not compared.
#[must_use]
pub fn differences(row: &Draft, form: &Draft) -> Vec<Difference> {
    let title = form.fields.get("topic_title").or_else(|| row.fields.get("topic_title"));
    let title = title.map_or("", |placed| placed.value.text.as_str());
    row.fields
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "no" | "note" | "bureau"))
        .filter_map(|(key, in_row)| form.fields.get(key).map(|in_form| (key, &in_row.value, &in_form.value)))
        .filter(|(key, in_row, in_form)| !likeness::says_the_same(key, in_row, in_form))
        .map(|(key, in_row, in_form)| Difference {
            title: title.to_owned(),
            field: key.clone(),
            row: in_row.text.clone(),
            form: in_form.text.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sourced(file: &str, form: &str, place: &str, values: &[(&str, &str)]) -> Sourced {
        let values = values
            .iter()
            .map(|(key, text)| ((*key).to_owned(), Value { text: (*text).to_owned(), place: format!("{place}/{key}"), ..Value::default() }))
            .collect();
        Sourced { attachment: file.to_owned(), record: Record { form: form.to_owned(), place: place.to_owned(), values } }
    }

    fn row(place: &str, values: &[(&str, &str)]) -> Sourced {
        sourced("汇总表.xlsx", "annex2", place, values)
    }

    fn form(file: &str, values: &[(&str, &str)]) -> Sourced {
        sourced(file, "annex1", "table 1", values)
    }

    #[test]
    fn a_topic_in_table_and_form_is_one_topic_with_two_sources() {
        let (topics, balance) = reconcile(
            vec![form("甲.docx", &[("topic_title", "轴承 监测装置研制"), ("applicant", "长春甲（集团）有限公司"), ("goal", "长目标")])],
            vec![row("A5:R5", &[("topic_title", "轴承监测装置研制"), ("applicant", "长春甲(集团)有限公司"), ("no", "1")])],
        );
        assert_eq!(topics.len(), 1);
        assert_eq!(topics[0].sources.iter().map(|s| s.form.as_str()).collect::<Vec<_>>(), ["annex2", "annex1"]);
        assert_eq!(topics[0].text("applicant"), "长春甲（集团）有限公司");
        assert_eq!(topics[0].text("no"), "1");
        assert_eq!((balance.rows, balance.forms, balance.matched), (1, 1, 1));
        assert!(balance.differs.is_empty());
    }

    #[test]
    fn a_reworded_title_still_finds_its_form_by_applicant_or_code() {
        let (topics, balance) = reconcile(
            vec![
                form(
                    "乙.docx",
                    &[("topic_title", "高寒滑雪场用智能造雪机研制"), ("applicant", "吉林乙公司"), ("uscc", "91220101TEXT00017E")],
                ),
                form("丙.docx", &[("topic_title", "低温锁鲜加工关键技术研究"), ("applicant", "吉林丙公司")]),
            ],
            vec![
                row("A5", &[("topic_title", "低温锁鲜加工技术"), ("applicant", "吉林丙公司")]),
                row("A6", &[("topic_title", "滑雪场智能造雪机研制"), ("applicant", "乙公司"), ("uscc", "91220101 text00017e")]),
            ],
        );
        assert_eq!(balance.matched, 2);
        assert_eq!(topics[0].text("topic_title"), "低温锁鲜加工关键技术研究");
        assert_eq!(topics[1].text("topic_title"), "高寒滑雪场用智能造雪机研制");
        assert!(balance.differs.iter().any(|d| d.field == "applicant" && d.row == "乙公司"));
    }

    #[test]
    fn the_best_pairs_are_joined_wherever_they_stand() {
        let (topics, balance) = reconcile(
            vec![
                form("一.docx", &[("topic_title", "碳纤维原丝高速纺丝技术二期"), ("applicant", "甲")]),
                form("二.docx", &[("topic_title", "碳纤维原丝高速纺丝技术"), ("applicant", "甲")]),
            ],
            vec![
                row("A5", &[("topic_title", "碳纤维原丝高速纺丝技术二期工程"), ("applicant", "甲")]),
                row("A6", &[("topic_title", "碳纤维原丝高速纺丝技术"), ("applicant", "甲")]),
            ],
        );
        assert_eq!(balance.matched, 2);
        assert_eq!(topics[0].sources[1].attachment, "一.docx");
        assert_eq!(topics[1].sources[1].attachment, "二.docx");
    }

    #[test]
    fn different_topics_of_one_firm_stay_apart() {
        let (topics, balance) = reconcile(
            vec![form("一.docx", &[("topic_title", "电池包自加热系统开发"), ("applicant", "甲"), ("uscc", "91220101TEXT00017E")])],
            vec![row("A5", &[("topic_title", "复合材料上盖抗冲击设计"), ("applicant", "甲"), ("uscc", "91220101TEXT00017E")])],
        );
        assert_eq!(topics.len(), 2);
        assert_eq!(balance.row_without_form, ["复合材料上盖抗冲击设计"]);
        assert_eq!(balance.form_without_row, ["电池包自加热系统开发"]);
    }

    #[test]
    fn the_same_title_of_another_firm_is_another_topic() {
        let (topics, balance) = reconcile(
            vec![form("一.docx", &[("topic_title", "造雪机研制"), ("applicant", "吉林北方机械有限公司")])],
            vec![row("A5", &[("topic_title", "造雪机研制"), ("applicant", "长春华美科技股份公司")])],
        );
        assert_eq!((topics.len(), balance.matched), (2, 0));
    }

    #[test]
    fn copies_of_a_form_or_a_row_are_one_topic_with_all_sources() {
        let title = ("topic_title", "造雪机研制");
        let (topics, balance) = reconcile(
            vec![form("一.docx", &[title, ("applicant", "甲")]), form("一副本.docx", &[title, ("applicant", "甲"), ("goal", "目标")])],
            vec![row("A5", &[title, ("applicant", "甲")]), row("A6", &[title, ("applicant", "甲 ")])],
        );
        assert_eq!(topics.len(), 1);
        assert_eq!(topics[0].sources.len(), 4);
        assert_eq!(topics[0].text("goal"), "目标");
        assert_eq!((balance.rows, balance.forms, balance.matched), (1, 1, 1));
    }

    #[test]
    fn a_form_without_an_applicant_is_found_by_its_title() {
        let (topics, _) = reconcile(
            vec![form("一.docx", &[("topic_title", "造雪机研制")])],
            vec![row("A5", &[("topic_title", "造雪机研制"), ("applicant", "甲")])],
        );
        assert_eq!(topics.len(), 1);
        assert_eq!(topics[0].text("applicant"), "甲");
    }

    #[test]
    fn spelling_is_no_difference_and_another_number_is() {
        let (_, balance) = reconcile(
            vec![form(
                "一.docx",
                &[
                    ("topic_title", "造雪机研制"),
                    ("applicant", "甲"),
                    ("phone", "0431-8897 0710"),
                    ("invest", "1,200.00万元"),
                    ("problem", "核心喷嘴长期依赖进口，低温条件下产雪量低、能耗高、易结冰堵塞。"),
                    ("period", "2024年9月至2026年8月"),
                ],
            )],
            vec![row(
                "A5",
                &[
                    ("topic_title", "造雪机研制"),
                    ("applicant", "甲"),
                    ("phone", "043188970710"),
                    ("invest", "1200"),
                    ("problem", "核心喷嘴长期依赖进口，低温条件下产雪量低"),
                    ("period", "2024年9月—2027年8月"),
                    ("note", "一批"),
                ],
            )],
        );
        assert_eq!(balance.differs.iter().map(|d| d.field.as_str()).collect::<Vec<_>>(), ["period"]);
        assert_eq!(balance.differs[0].form, "2024年9月至2026年8月");
    }

    #[test]
    fn slips_in_title_and_applicant_both_are_bridged_unless_the_codes_differ() {
        let join = |code: &str| {
            let table = row("A5", &[("topic_title", "高寒滑雪场智能造雪机研发"), ("applicant", "长春市北方机械有限公司"), ("uscc", code)]);
            let file = form(
                "一.docx",
                &[("topic_title", "高寒滑雪场智能造雪机研制"), ("applicant", "长春北方机械有限公司"), ("uscc", "91220101TEXT00017E")],
            );
            reconcile(vec![file], vec![table]).1.matched
        };
        assert_eq!((join(""), join("91220201TEXT00025E")), (1, 0));
    }

    #[test]
    fn a_row_yields_its_second_best_form_to_the_row_that_has_no_other() {
        let applicant = ("applicant", "甲");
        let (topics, balance) = reconcile(
            vec![
                form("一.docx", &[("topic_title", "碳纤维原丝高速纺丝技术研究"), applicant]),
                form("二.docx", &[("topic_title", "碳纤维原丝高速纺丝装备研究与应用"), applicant]),
            ],
            vec![
                row("A5", &[("topic_title", "碳纤维原丝高速纺丝研究"), applicant]),
                row("A6", &[("topic_title", "碳纤维高速纺丝技术的研究"), applicant]),
            ],
        );
        assert_eq!(balance.matched, 2, "best pairs first would leave the second row alone");
        assert_eq!(topics[0].sources[1].attachment, "二.docx");
    }

    #[test]
    fn nothing_gives_nothing() {
        assert_eq!(reconcile(Vec::new(), Vec::new()).1, Reconciliation::default());
    }
}
