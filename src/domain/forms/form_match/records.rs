//! From labels in reading order to records: several forms in one file stand apart, a form's cover page and its table are one.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        Record, Value,
        catalogue::{Field, FieldKind, Form, Need},
    },
    Mention, values,
};
use crate::domain::folding;

/// Fewer filled fields are no form of their own.
const FIELDS_MIN: usize = 3;

/// Fields on a cover page at most.
const COVER_FIELDS_MAX: usize = 6;

/// The filled forms of a document.
pub fn gather(form: &Form, mentions: &[Mention<'_>]) -> Vec<Record> {
    let mut segments: Vec<Vec<&Mention<'_>>> = Vec::new();
    for segment in cut(form, mentions) {
        let same = segments.iter().position(|known| is_same(form, known, &segment));
        // Too little for a form: it belongs to the one before.
        let stray = segments.len().checked_sub(1).filter(|_| filled(&segment) < FIELDS_MIN);
        // A cover page's title may be shorter than the form's.
        if let Some(cover) = segments.last_mut().filter(|known| same.is_none() && is_cover(form, known, &segment)) {
            let earlier = std::mem::replace(cover, segment);
            cover.extend(earlier);
            continue;
        }
        match same.or(stray).and_then(|at| segments.get_mut(at)) {
            Some(known) => known.extend(segment),
            None => segments.push(segment),
        }
    }
    segments.iter().filter_map(|segment| record(form, segment)).collect()
}

/// The fields by which two copies of one form are known: the first two required ones (title and applicant).
fn identity(form: &Form) -> impl Iterator<Item = &str> {
    form.fields.iter().filter(|field| field.need == Need::Required).take(2).map(|field| field.key.as_str())
}

fn first<'m>(segment: &'m [&Mention<'_>], key: &str) -> Option<&'m Value> {
    segment.iter().filter(|mention| mention.field.key == key).find_map(|mention| mention.value.as_ref())
}

fn filled(segment: &[&Mention<'_>]) -> usize {
    segment.iter().filter(|mention| mention.value.is_some()).map(|mention| mention.field.key.as_str()).collect::<BTreeSet<_>>().len()
}

/// The same title, and no other applicant.
fn is_same(form: &Form, known: &[&Mention<'_>], other: &[&Mention<'_>]) -> bool {
    let mut title = true;
    for key in identity(form) {
        let pair = first(known, key).zip(first(other, key)).map(|(a, b)| folding::fold_words(&a.text) == folding::fold_words(&b.text));
        if pair == Some(false) || (title && pair.is_none()) {
            return false;
        }
        title = false;
    }
    !title
}

/// A few lines without a table before a table, of no other applicant.
fn is_cover(form: &Form, known: &[&Mention<'_>], next: &[&Mention<'_>]) -> bool {
    let lines_only = known.iter().all(|mention| mention.table.is_none()) && filled(known) <= COVER_FIELDS_MAX;
    let applicant = identity(form).nth(1).and_then(|key| first(known, key).zip(first(next, key)));
    lines_only
        && next.iter().any(|mention| mention.table.is_some())
        && filled(next) > COVER_FIELDS_MAX
        && applicant.is_some_and(|(a, b)| folding::fold_words(&a.text) == folding::fold_words(&b.text))
}

/// Cuts at each label of the form's title; labels that came before it in the first form come before it in the next.
fn cut<'m, 'a>(form: &Form, mentions: &'m [Mention<'a>]) -> Vec<Vec<&'m Mention<'a>>> {
    let Some(key) = identity(form).next() else { return vec![mentions.iter().collect()] };
    let titles: Vec<usize> =
        mentions.iter().enumerate().filter(|(_, mention)| mention.field.key == key && mention.value.is_some()).map(|(at, _)| at).collect();
    let Some(first_title) = titles.first() else { return vec![mentions.iter().collect()] };
    let before: BTreeSet<&str> = mentions.iter().take(*first_title).map(|mention| mention.field.key.as_str()).collect();
    let mut cuts = vec![0];
    for pair in titles.windows(2) {
        let [last, title] = pair else { continue };
        let mut at = *title;
        while let Some(previous) = at.checked_sub(1).filter(|previous| previous > last).and_then(|previous| mentions.get(previous)) {
            let same_table = previous.table.is_some()
                && mentions.get(*title).is_some_and(|title| title.block == previous.block)
                && mentions.get(*last).is_some_and(|last| last.block != previous.block);
            if !same_table && !before.contains(previous.field.key.as_str()) {
                break;
            }
            at -= 1;
        }
        cuts.push(at);
    }
    let ends = cuts.iter().skip(1).copied().chain([mentions.len()]);
    cuts.iter().zip(ends).map(|(from, to)| mentions.get(*from..to).unwrap_or_default().iter().collect()).collect()
}

/// One filled form; `None` where it was left blank.
fn record(form: &Form, segment: &[&Mention<'_>]) -> Option<Record> {
    let mut chosen: BTreeMap<&str, (usize, &Value)> = BTreeMap::new();
    let mut previous: Option<usize> = None;
    for mention in segment {
        let index = form.fields.iter().position(|field| field.key == mention.field.key);
        let between = previous.zip(index).and_then(|(previous, index)| form.fields.get(previous + 1..index));
        let follows = between.is_some_and(|between| between.iter().all(is_contact));
        if !is_contact(mention.field) {
            previous = index;
        }
        let Some(value) = &mention.value else { continue };
        // 电话 behind 联系人 is the contact's, behind 法定代表人 it is not.
        let astray = is_contact(mention.field) && !follows;
        let rank = usize::from(mention.is_signature) * 4 + usize::from(astray) * 2 + usize::from(!mention.by_main_label);
        match chosen.get(mention.field.key.as_str()) {
            Some((known, _)) if *known <= rank => {}
            _ => _ = chosen.insert(&mention.field.key, (rank, value)),
        }
    }
    let mut values: BTreeMap<String, Value> = chosen.into_iter().map(|(key, (_, value))| (key.to_owned(), value.clone())).collect();
    part_contact(form, &mut values);
    let answered = form.fields.iter().any(|field| field.need == Need::Required && values.contains_key(&field.key));
    let place = segment
        .iter()
        .find_map(|mention| mention.table.clone())
        .or_else(|| segment.iter().find_map(|mention| Some(mention.value.as_ref()?.place.clone())));
    answered.then(|| Record { form: form.id.clone(), place: place.unwrap_or_default(), values })
}

fn is_contact(field: &Field) -> bool {
    matches!(field.kind, FieldKind::Phone | FieldKind::Email)
}

/// A name written into the telephone's cell, or a telephone into the name's, fills both.
fn part_contact(form: &Form, values: &mut BTreeMap<String, Value>) {
    let Some(phone) = form.fields.iter().position(|field| field.kind == FieldKind::Phone) else { return };
    let (Some(phone), Some(person)) = (form.fields.get(phone), phone.checked_sub(1).and_then(|person| form.fields.get(person))) else {
        return;
    };
    let (held, missing) = match (values.get(&person.key), values.get(&phone.key)) {
        (Some(held), None) => (held.clone(), &phone.key),
        (None, Some(held)) => (held.clone(), &person.key),
        _ => return,
    };
    let (Some(name), Some(number)) = values::person_and_phone(&held.text) else { return };
    if *missing == phone.key || name.chars().count() <= 12 {
        values.insert(person.key.clone(), Value { text: name, ..held.clone() });
        values.insert(phone.key.clone(), Value { text: number, ..held });
    }
}
