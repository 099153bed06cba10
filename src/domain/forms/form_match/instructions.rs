//! Instructions to whoever fills a form in (填表说明): they carry the form's labels, and what they say behind them are no values.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;

use super::{
    super::{grid::Grid, labels::Labels},
    parts,
};
use crate::domain::folding;

/// 填表说明, 《申报书》填写要求, 注意事项.
static HEADING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^.{0,30}(?:(?:填[表报写]|编[写制]|申报|报送)(?:说明|须知|要求|指南|注意事项)|注意事项)$|^(?:说明|备注|注)$").ok()
});

/// What is asked of the person who fills in, where a value would stand.
static ASKS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^(?:应|请|须|需|必须|指|是指|按|从|可|如|由|填|写|简要|简述|限|不得|不超|一般|原则上|根据|参照|与|以|对照|包括|主要指)|填写|填报|不超过|不少于|不得|以内|如实|准确|一致|选择|勾选|可量化|可考核|例如|注明|全称|\d+字",
    )
    .ok()
});

/// How an item is numbered: the mark's style and its number, where one can tell.
static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:(\d{1,2})[、.,:)]|\((\d{1,2})\)|([一二三四五六七八九十]{1,3})[、.,:]|\(([一二三四五六七八九十]{1,3})\))").ok()
});

/// Whether a text is the heading of instructions; `text` of several lines is none.
pub fn is_heading(text: &str) -> bool {
    text.chars().nth(60).is_none() && HEADING.as_ref().is_some_and(|heading| heading.is_match(&folding::fold_words(text)))
}

fn asks(value: &str) -> bool {
    ASKS.as_ref().is_some_and(|asks| asks.is_match(&folding::fold(value)))
}

/// Which of the lines are instructions, by their place in `lines`; an empty line ends them. Items below a heading count as
/// instructions where most of those with a label ask for something: a form may begin right below 填表说明.
pub fn among(lines: &[&str], labels: &Labels<'_>) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        if !is_heading(line) {
            continue;
        }
        let end = end_of_items(lines, at, labels);
        let values = lines.get(at..end).unwrap_or_default().iter().flat_map(|line| parts::split(labels, line).1).map(|part| part.value);
        if most_ask(values) {
            found.extend(at - 1..end);
        }
        at = end;
    }
    found
}

/// The items go on while they are numbered alike and upwards; lines without a label between them belong to them.
fn end_of_items(lines: &[&str], from: usize, labels: &Labels<'_>) -> usize {
    let mut last: Option<(usize, u32)> = None;
    let title = folding::fold_words(&labels.form().title);
    for (at, line) in lines.iter().enumerate().skip(from) {
        if line.is_empty() || folding::fold_words(line) == title || is_heading(line) {
            return at;
        }
        match (number(line), last) {
            (Some((style, number)), Some((own, before))) if style == own => {
                if number <= before {
                    return at;
                }
                last = Some((style, number));
            }
            (Some(first), None) => last = Some(first),
            _ if parts::split(labels, line).1.is_empty() => {}
            // A label of another numbering, or of none.
            _ => return at,
        }
    }
    lines.len()
}

/// Style of an item's number, and the number.
fn number(line: &str) -> Option<(usize, u32)> {
    let folded = folding::fold(line);
    let found = NUMBER.as_ref()?.captures(&folded)?;
    let style = (1..=4).find(|style| found.get(*style).is_some())?;
    let text = found.get(style)?.as_str();
    Some((style, text.parse().ok().unwrap_or_else(|| numeral(text))))
}

/// 十二 as 12.
fn numeral(text: &str) -> u32 {
    text.chars().fold(0, |sum, c| match "一二三四五六七八九".chars().position(|known| known == c) {
        Some(digit) => sum + digit as u32 + 1,
        None => sum.max(1) * 10,
    })
}

fn most_ask<'t>(values: impl Iterator<Item = &'t str>) -> bool {
    let (mut all, mut asking) = (0, 0);
    for value in values.filter(|value| !value.is_empty()) {
        all += 1;
        asking += usize::from(asks(value));
    }
    all > 0 && asking * 2 > all
}

/// The cells of a table that are instructions: rows of one cell below a heading, and cells that hold heading and items together.
pub fn cells_of(grid: &Grid, labels: &Labels<'_>) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let (mut lines, mut places): (Vec<&str>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut row = None;
    for (at, cell) in grid.cells.iter().enumerate().filter(|(_, cell)| !cell.text.trim().is_empty()) {
        if holds_instructions(&cell.text, labels) {
            found.insert(at);
        }
        // A second cell in the row: no line of text.
        let text = if row == Some(cell.row) { "" } else { cell.text.as_str() };
        if text.is_empty()
            && let Some(first) = lines.last_mut()
        {
            *first = "";
        } else {
            lines.push(text);
            places.push(at);
        }
        row = Some(cell.row);
    }
    found.extend(among(&lines, labels).into_iter().filter_map(|line| places.get(line).copied()));
    found
}

/// 填表说明：1.课题名称：应… 2.联系电话：请… in one text.
pub fn holds_instructions(text: &str, labels: &Labels<'_>) -> bool {
    let Some((first, rest)) = text.split_once(['\n', ':', '：']) else { return false };
    if !is_heading(first) {
        return false;
    }
    let lines: Vec<&str> = std::iter::once(first).chain(rest.split('\n').map(str::trim).filter(|line| !line.is_empty())).collect();
    among(&lines, labels).len() == lines.len()
}

/// A table of labels and what to write at each: named or headed as instructions, and most of its values ask.
pub fn is_table_of<'t>(grid: &Grid, values: impl Iterator<Item = &'t str>) -> bool {
    let first = grid.cells.iter().map(|cell| cell.text.as_str()).find(|text| !text.trim().is_empty());
    (is_heading(&grid.name) || first.is_some_and(is_heading)) && most_ask(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::forms::catalogue::Catalogue;

    fn instructions(lines: &[&str]) -> Vec<usize> {
        let catalogue = Catalogue::shipped();
        among(lines, &Labels::of(catalogue.form("annex1").unwrap())).into_iter().collect()
    }

    #[test]
    fn what_is_asked_below_a_heading_is_no_value() {
        let lines = [
            "填表说明",
            "1.课题名称：应准确反映攻关内容；",
            "2．申报单位：指牵头承担课题的企业。",
            "涉密内容不得填报。",
            "3、主要技术参数：可量化、可考核。",
            "课题名称：造雪机研制",
        ];
        assert_eq!(instructions(&lines), [0, 1, 2, 3, 4]);
        let han = ["《申报书》填报要求", "十、起止时间：一般不超过3年。", "十一、联系电话：请填手机。", "一、课题名称：造雪机研制"];
        assert_eq!(instructions(&han), [0, 1, 2]);
    }

    #[test]
    fn a_form_right_below_the_heading_is_a_form() {
        let lines =
            ["填报说明", "1.课题名称：造雪机研制", "2.申报单位：长春示例机械有限公司", "3.联系人：李明", "4.联系电话：请拨0431-88970000"];
        assert_eq!(instructions(&lines), Vec::<usize>::new());
        let again = ["注", "1.课题名称：请写全称", "2.联系人：填写经办人", "1.课题名称：造雪机研制", "2.联系人：李明"];
        assert_eq!(instructions(&again), [0, 1, 2]);
    }

    #[test]
    fn heading_and_items_may_stand_in_one_cell() {
        let catalogue = Catalogue::shipped();
        let labels = Labels::of(catalogue.form("annex1").unwrap());
        assert!(holds_instructions("填表说明：1.课题名称：应与附件2一致；\n2.联系电话：请填写手机。", &labels));
        assert!(!holds_instructions("备注：联系人：李明\n联系电话：13900001234", &labels));
    }
}
