//! Laws of the parser, over phrases that were written before it was tuned (`tests/fixtures/rules/quantities.txt`).

use super::*;

const PHRASES: &str = include_str!("../../../tests/fixtures/rules/quantities.txt");

const HELD_OUT: &str = include_str!("../../../tests/fixtures/rules/quantities_heldout.txt");

fn found(phrase: &str) -> String {
    let found: Vec<String> = quantities(phrase).iter().map(ToString::to_string).collect();
    if found.is_empty() { "-".to_owned() } else { found.join(" | ") }
}

#[test]
fn every_phrase_of_the_collection_is_read_as_a_person_reads_it() {
    let phrases: Vec<(&str, &str)> =
        PHRASES.lines().chain(HELD_OUT.lines()).filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" => ")).collect();
    assert!(phrases.len() >= 120);
    let wrong: Vec<String> = phrases
        .iter()
        .filter(|(phrase, expected)| found(phrase) != *expected)
        .map(|(phrase, expected)| format!("{phrase}: expected {expected}, found {}", found(phrase)))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), phrases.len(), wrong.join("\n"));
}

#[test]
fn an_indicator_keeps_the_senders_words_and_loses_the_lists_numbers() {
    let list = "1.峰值效率≥95.5%；2.外观美观\n（3）工作温度-40℃～85℃，④ 寿命不低于３万次";
    let found: Vec<String> = indicators(list).into_iter().map(|indicator| indicator.text).collect();
    assert_eq!(found, ["峰值效率≥95.5%", "工作温度-40℃～85℃", "寿命不低于３万次"]);
}

#[test]
fn two_bounded_quantities_between_marks_are_two_indicators_and_a_condition_is_none() {
    let texts = |list: &str| indicators(list).into_iter().map(|indicator| indicator.text).collect::<Vec<_>>();
    assert_eq!(texts("功率≥420kW、质量≤780kg 寿命≥100万km"), ["功率≥420kW", "质量≤780kg", "寿命≥100万km"]);
    assert_eq!(texts("-35℃升温至10℃时间≤15min"), ["-35℃升温至10℃时间≤15min"]);
    assert_eq!(texts("压缩永久变形(70℃，22h)≤18%"), ["压缩永久变形(70℃，22h)≤18%"]);
}

#[test]
fn a_quantity_knows_its_place_in_the_text() {
    let phrase = "整机功率不低于420kW为宜";
    let found = quantities(phrase);
    let taken: String = phrase.chars().skip(found[0].from).take(found[0].to - found[0].from).collect();
    assert_eq!(taken, "不低于420kW");
}

#[test]
fn long_texts_of_any_pattern_are_read_in_one_walk() {
    for piece in ["1×10^", "≥", "1.", "１，", "不低于三", "千百万", "-℃~", "2024-", "(1(", "9,999,", "零"] {
        let text = piece.repeat(20_000 / piece.chars().count());
        assert!(indicators(&text).len() <= 500);
    }
}

proptest::proptest! {
    #[test]
    fn no_text_stops_the_parser_and_every_place_lies_within(text in "[0-9０-９.,×x^⁵-⁹万亿千百一二十≥≤~～±%℃a-zA-Zμ/()年月个次不低于以上第约 \\-]{0,60}") {
        let length = text.chars().count();
        for quantity in quantities(&text) {
            proptest::prop_assert!(quantity.from < quantity.to && quantity.to <= length, "{text}: {quantity}");
        }
    }
}
