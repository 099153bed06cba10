//! Forms that come in a later mail than their rows, or rows than their forms: the same assignment, against what the store holds open.

use super::{Difference, Draft, differences, joined, pairs};

/// A topic of the same bureau that still lacks its form or its row.
#[derive(Debug, Clone)]
pub struct OpenTopic<'a> {
    /// Receipt number.
    pub id: &'a str,
    /// Its latest version; all its sources are of one side, or the topic is not open.
    pub draft: &'a Draft,
}

/// A draft of the new mail that completes an open topic.
#[derive(Debug, Clone)]
pub struct LateJoin {
    /// Place of the draft in the list given.
    pub draft: usize,
    /// Receipt number of the topic it completes.
    pub id: String,
    /// Both together, annex 1 before annex 2, with the sources of both.
    pub joined: Draft,
    /// Where they say different things.
    pub differs: Vec<Difference>,
}

/// Which of the drafts complete which of the open topics. Drafts that have both sides already, and topics that lack nothing, take no part.
/// `is_form` says of a catalogue id whether it is a form (annex 1) or a table (annex 2). In order of the drafts.
#[must_use]
pub fn join_later(drafts: &[Draft], open: &[OpenTopic<'_>], is_form: impl Fn(&str) -> bool) -> Vec<LateJoin> {
    let known: Vec<&Draft> = open.iter().map(|topic| topic.draft).collect();
    let drafts: Vec<&Draft> = drafts.iter().collect();
    let mut joins = late_forms(&drafts, open, &known, &is_form);
    joins.extend(late_rows(&drafts, open, &known, &is_form));
    joins.sort_by_key(|join| join.draft);
    joins
}

/// Forms among the drafts for open rows.
fn late_forms(drafts: &[&Draft], open: &[OpenTopic<'_>], known: &[&Draft], is_form: &impl Fn(&str) -> bool) -> Vec<LateJoin> {
    let rows = only(known, false, is_form);
    let forms = only(drafts, true, is_form);
    matched(&rows, &forms).map(|((known_at, row), (draft_at, form))| join(open, known_at, draft_at, row, form)).collect()
}

/// Rows among the drafts for open forms.
fn late_rows(drafts: &[&Draft], open: &[OpenTopic<'_>], known: &[&Draft], is_form: &impl Fn(&str) -> bool) -> Vec<LateJoin> {
    let rows = only(drafts, false, is_form);
    let forms = only(known, true, is_form);
    matched(&rows, &forms).map(|((draft_at, row), (known_at, form))| join(open, known_at, draft_at, row, form)).collect()
}

/// Drafts all of whose sources are of one side, with their places.
fn only<'a>(drafts: &[&'a Draft], forms: bool, is_form: &impl Fn(&str) -> bool) -> Vec<(usize, &'a Draft)> {
    let of_side = |draft: &Draft| !draft.sources.is_empty() && draft.sources.iter().all(|source| is_form(&source.form) == forms);
    drafts.iter().copied().enumerate().filter(|(_, draft)| of_side(draft)).collect()
}

type Placed<'a> = (usize, &'a Draft);

fn matched<'a>(rows: &'a [Placed<'a>], forms: &'a [Placed<'a>]) -> impl Iterator<Item = (Placed<'a>, Placed<'a>)> {
    let partners = super::assignment::assign(pairs(rows.iter().map(|(_, row)| *row), forms.iter().map(|(_, form)| *form)));
    partners.into_iter().filter_map(|(row, form)| Some((*rows.get(row)?, *forms.get(form)?)))
}

fn join(open: &[OpenTopic<'_>], known_at: usize, draft: usize, row: &Draft, form: &Draft) -> LateJoin {
    LateJoin {
        draft,
        id: open.get(known_at).map_or_else(String::new, |topic| topic.id.to_owned()),
        differs: differences(row, form),
        joined: joined(row.clone(), form.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        forms::Value,
        reconcile::{PlacedValue, Source},
    };

    fn draft(form: &str, values: &[(&str, &str)]) -> Draft {
        let source = Source { attachment: format!("{form}的文件"), place: "A5:R5".to_owned(), form: form.to_owned() };
        let placed = |text: &str| PlacedValue {
            value: Value { text: text.to_owned(), ..Value::default() },
            attachment: source.attachment.clone(),
            form: form.to_owned(),
        };
        Draft { fields: values.iter().map(|(key, text)| ((*key).to_owned(), placed(text))).collect(), sources: vec![source] }
    }

    fn is_form(id: &str) -> bool {
        id == "annex1"
    }

    #[test]
    fn a_form_that_comes_days_later_completes_its_row() {
        let row = draft("annex2", &[("topic_title", "智能造雪机研制"), ("applicant", "长春甲公司"), ("no", "3"), ("phone", "13800000000")]);
        let other = draft("annex2", &[("topic_title", "压雪车研制"), ("applicant", "长春甲公司")]);
        let open = [OpenTopic { id: "JL-2", draft: &other }, OpenTopic { id: "JL-1", draft: &row }];
        let late = draft(
            "annex1",
            &[("topic_title", "高寒智能造雪机研制"), ("applicant", "长春甲公司"), ("goal", "样机"), ("phone", "13900000000")],
        );
        let joins = join_later(&[late], &open, is_form);
        assert_eq!(joins.iter().map(|join| (join.draft, join.id.as_str())).collect::<Vec<_>>(), [(0, "JL-1")]);
        let joined = &joins[0].joined;
        assert_eq!((joined.text("topic_title"), joined.text("no"), joined.text("goal")), ("高寒智能造雪机研制", "3", "样机"));
        assert_eq!(joined.sources.iter().map(|source| source.form.as_str()).collect::<Vec<_>>(), ["annex2", "annex1"]);
        assert_eq!(joins[0].differs.iter().map(|d| d.field.as_str()).collect::<Vec<_>>(), ["phone", "topic_title"]);
    }

    #[test]
    fn a_table_that_comes_later_completes_its_forms_each_its_own() {
        let (one, two) = (
            draft("annex1", &[("topic_title", "碳纤维原丝高速纺丝技术"), ("applicant", "甲")]),
            draft("annex1", &[("topic_title", "碳纤维原丝高速纺丝技术二期"), ("applicant", "甲")]),
        );
        let open = [OpenTopic { id: "JL-1", draft: &one }, OpenTopic { id: "JL-2", draft: &two }];
        let rows = [
            draft("annex2", &[("topic_title", "碳纤维原丝高速纺丝技术二期工程"), ("applicant", "甲")]),
            draft("annex2", &[("topic_title", "碳纤维原丝高速纺丝技术"), ("applicant", "甲")]),
        ];
        let joins = join_later(&rows, &open, is_form);
        assert_eq!(joins.iter().map(|join| (join.draft, join.id.as_str())).collect::<Vec<_>>(), [(0, "JL-2"), (1, "JL-1")]);
    }

    #[test]
    fn what_lacks_nothing_or_is_of_the_same_side_is_left_alone() {
        let row = draft("annex2", &[("topic_title", "智能造雪机研制"), ("applicant", "甲")]);
        let mut whole = row.clone();
        whole.sources.extend(draft("annex1", &[]).sources);
        let open = [OpenTopic { id: "JL-1", draft: &whole }, OpenTopic { id: "JL-2", draft: &row }];
        let again = draft("annex2", &[("topic_title", "智能造雪机研制"), ("applicant", "甲")]);
        assert!(join_later(&[again], &open, is_form).is_empty());
        assert!(join_later(&[], &open, is_form).is_empty());
    }
}
