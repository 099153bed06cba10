//! The items of a list: by lines, semicolons, full stops, commas, numbers of the list; and two indicators in one item set apart.

use super::{Bound, Indicator, Quantity, Text};

/// Items of one list that are read.
const ITEMS_MAX: usize = 500;

/// The items as written, without their numbers, in order.
pub fn items(text: &str) -> Vec<String> {
    let text = Text::of(text);
    let mut items = Vec::new();
    let mut from = 0;
    let mut at = 0;
    let mut depth = 0_usize;
    while at < text.len() && items.len() < ITEMS_MAX {
        let c = text.at(at);
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '\n' => depth = 0,
            _ => {}
        }
        let number_ends = numbering(&text, at);
        if ends_item(&text, at, depth) {
            push(&mut items, &text, from, at);
            from = at + 1;
        } else if let Some(end) = number_ends
            && (at == from || matches!(text.before(at), ' ' | '\n' | '\t' | '。' | ';' | ','))
        {
            push(&mut items, &text, from, at);
            from = end;
            at = end;
            continue;
        }
        at += 1;
    }
    push(&mut items, &text, from, text.len());
    items
}

fn push(items: &mut Vec<String>, text: &Text, from: usize, to: usize) {
    let item = text.original(from, to);
    let item = item.trim().trim_matches(['、', '；', ';', '。', '，', ',']).trim();
    if !item.is_empty() {
        items.push(item.to_owned());
    }
}

/// A comma between digits is a thousands separator; within brackets nothing but a line's end ends an item.
fn ends_item(text: &Text, at: usize, depth: usize) -> bool {
    match text.at(at) {
        '\n' => true,
        ';' | '。' => depth == 0,
        ',' => depth == 0 && !(text.before(at).is_ascii_digit() && text.at(at + 1).is_ascii_digit()),
        _ => false,
    }
}

/// `1.`, `（2）`, `3、`, `①`, `一、`: the place behind the number.
fn numbering(text: &Text, at: usize) -> Option<usize> {
    let c = text.at(at);
    if matches!(c, '①'..='⑳') {
        return Some(at + 1);
    }
    let open = usize::from(c == '(');
    let is_number = |c: char| c.is_ascii_digit() || (open == 1 || c != '零') && "一二三四五六七八九十".contains(c);
    let length = (0..2).take_while(|offset| is_number(text.at(at + open + offset))).count();
    let end = at + open + length;
    if length == 0 || text.before(at).is_ascii_alphanumeric() {
        return None;
    }
    match text.at(end) {
        ')' => Some(end + 1),
        '、' | '．' if open == 0 => Some(end + 1),
        '.' if open == 0 && !text.at(end + 1).is_ascii_digit() => Some(end + 1),
        _ => None,
    }
}

/// 功率≥420kW、质量≤780kg: where two quantities with comparators stand on either side of a mark, these are two indicators.
pub fn apart(item: &str, quantities: Vec<Quantity>) -> Vec<Indicator> {
    let text = Text::of(item);
    let mut indicators = Vec::new();
    let mut from = 0;
    let mut gathered: Vec<Quantity> = Vec::new();
    for quantity in quantities {
        let both_bounded = gathered.last().is_some_and(|last| last.bound != Bound::Exact) && quantity.bound != Bound::Exact;
        let cut = gathered.last().and_then(|last| {
            (last.to..quantity.from).find(|at| matches!(text.at(*at), '、' | ' ' | '/' | '\t') && both_bounded && text.at(*at) != '/')
        });
        if let Some(cut) = cut {
            indicators.push(indicator(&text, from, cut, std::mem::take(&mut gathered)));
            from = cut + 1;
        }
        gathered.push(quantity);
    }
    indicators.push(indicator(&text, from, text.len(), gathered));
    indicators
}

fn indicator(text: &Text, from: usize, to: usize, quantities: Vec<Quantity>) -> Indicator {
    let shift =
        |quantity: Quantity| Quantity { from: quantity.from.saturating_sub(from), to: quantity.to.saturating_sub(from), ..quantity };
    Indicator { text: text.original(from, to).trim().to_owned(), quantities: quantities.into_iter().map(shift).collect() }
}
