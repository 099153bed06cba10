//! Which topics are twins: measured on labelled pairs, on the 92 sample topics, and as laws of the signature.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use annexd::domain::dedupe::{self, Evidence, Index, Kind, Prepared, Relation, Settings, Signature, compare, evidence, priority};
use serde_json::Value;

/// The least precision and recall of the default bars.
const LEAST: f64 = 0.95;

fn lines(file: &str) -> Vec<Value> {
    let path = format!("{}/tests/fixtures/dedupe/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The fixtures call the title `title` and the applicant `enterprise`.
fn prepare(topic: &Value) -> Prepared {
    let text = |key: &str| match key {
        "topic_title" => topic["title"].as_str().unwrap_or_default(),
        "applicant" => topic["enterprise"].as_str().unwrap_or_default(),
        key => topic[key].as_str().unwrap_or_default(),
    };
    Prepared::of(text, &Settings::default())
}

fn topic(title: &str, applicant: &str, problem: &str) -> Prepared {
    prepare(&serde_json::json!({"title": title, "enterprise": applicant, "problem": problem}))
}

fn alike(one: &Prepared, other: &Prepared) -> Option<Kind> {
    compare(&one.signature, &other.signature, &Settings::default()).map(|likeness| likeness.kind)
}

/// Found as a candidate and judged a twin, as the store does it.
fn is_found(stored: &Prepared, new: &Prepared) -> bool {
    let mut index = Index::new(Settings::default());
    index.insert("stored", &stored.signature);
    !index.twins(&new.signature).is_empty()
}

fn measure(file: &str) -> (f64, f64) {
    let (mut right, mut wrong, mut missed) = (0.0, Vec::new(), Vec::new());
    for pair in lines(file) {
        let (one, other) = (prepare(&pair["a"]), prepare(&pair["b"]));
        let found = is_found(&one, &other);
        assert_eq!(found, is_found(&other, &one), "the order decides: {}", pair["id"]);
        match (found, pair["same"].as_bool().unwrap()) {
            (true, true) => right += 1.0,
            (true, false) => wrong.push(pair["id"].to_string()),
            (false, true) => missed.push(pair["id"].to_string()),
            (false, false) => {}
        }
    }
    println!("{file}: {right} right, wrong {wrong:?}, missed {missed:?}");
    (right / (right + wrong.len() as f64), right / (right + missed.len() as f64))
}

#[test]
fn twins_are_found_and_neighbours_are_left_alone() {
    for file in ["pairs.jsonl", "holdout.jsonl", "unseen.jsonl"] {
        let (precision, recall) = measure(file);
        assert!(precision >= LEAST && recall >= LEAST, "{file}: precision {precision:.3}, recall {recall:.3}");
    }
    // Written after the bars were set, and measured once: one retelling of eight shares too few words.
    let (precision, recall) = measure("unseen-again.jsonl");
    assert!(precision >= LEAST && recall >= 0.85, "precision {precision:.3}, recall {recall:.3}");
}

#[test]
fn of_the_same_enterprise_one_long_name_told_often_makes_no_twin_and_many_common_words_do() {
    let settings = Settings::default();
    let texts = [
        "燃料电池双极板采用石墨涂层，燃料电池双极板腐蚀电流超标，燃料电池双极板寿命不足五千小时",
        "燃料电池双极板冲压成形回弹大，燃料电池双极板流道减薄开裂，燃料电池双极板平面度难以保证",
        "流道冲压时减薄开裂，成形后回弹，平面度难保证，双极板要退火校平，冲模三万件即报废",
        "薄板流道减薄超限就开裂，回弹使平面度变坏，工人退火以后再校平，冲模不到三万件也坏了",
    ];
    let [one, neighbour, told, anew] = texts.map(|text| topic("", "长春恒远公司", text));
    let measures = |one: &Prepared, other: &Prepared| dedupe::measure(&one.signature, &other.signature);
    assert!(measures(&one, &neighbour).cosine > measures(&told, &anew).cosine);
    assert!(measures(&one, &neighbour).broad < measures(&told, &anew).broad);
    assert!(measures(&told, &anew).broad >= settings.same_enterprise_broad_from);
}

#[test]
fn every_kind_of_twin_is_found() {
    let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for pair in lines("pairs.jsonl").iter().filter(|pair| pair["same"] == true) {
        let (found, of) = kinds.entry(pair["kind"].as_str().unwrap().to_owned()).or_default();
        *found += usize::from(is_found(&prepare(&pair["a"]), &prepare(&pair["b"])));
        *of += 1;
    }
    for (kind, (found, of)) in kinds {
        assert!(found * 10 >= of * 9, "{kind}: {found} of {of}");
    }
}

#[test]
fn of_all_pairs_of_the_sample_topics_the_six_twins_are_flagged_and_no_other() {
    let topics = lines("topics.jsonl");
    let prepared: Vec<Prepared> = topics.iter().map(prepare).collect();
    let mut flagged = Vec::new();
    for (at, one) in prepared.iter().enumerate() {
        for (before, other) in prepared.iter().enumerate().take(at) {
            if alike(one, other).is_some() {
                flagged.push((topics[at]["id"].as_str().unwrap(), topics[before]["id"].as_str().unwrap()));
            }
        }
    }
    let twins: Vec<(&str, &str)> = topics.iter().filter_map(|topic| Some((topic["id"].as_str()?, topic["dup_of"].as_str()?))).collect();
    assert_eq!(twins.len(), 6);
    assert_eq!(flagged, twins);
}

#[test]
fn topics_of_unlike_technologies_are_never_twins() {
    let pairs = lines("pairs.jsonl");
    let mut sides: Vec<(u64, Prepared)> = Vec::new();
    for pair in pairs.iter().filter(|pair| pair["kind"] != "boilerplate_only") {
        sides.extend([&pair["a"], &pair["b"]].map(|topic| (pair["family"].as_u64().unwrap(), prepare(topic))));
    }
    let flagged = sides.iter().enumerate().flat_map(|(at, one)| {
        sides.iter().take(at).filter(move |other| other.0 != one.0 && alike(&one.1, &other.1).is_some()).map(move |other| (one.0, other.0))
    });
    assert_eq!(flagged.collect::<Vec<_>>(), []);
}

#[test]
fn the_same_text_is_the_same_whatever_its_widths_spaces_and_applicant() {
    let one = topic("甲", "长春恒远公司", "鹿茸多肽酶解液苦味重，分子量2500Da，脱苦收率只有60%，膜通量衰减快。");
    let other = topic("乙", "白山参康公司", "鹿茸多肽酶解液苦味重, 分子量２５００Ｄａ, 脱苦收率只有60％,\n膜通量衰减快");
    assert_eq!(alike(&one, &other), Some(Kind::Same));
    assert!(is_found(&one, &other));
}

#[test]
fn what_says_next_to_nothing_is_no_twin_of_another() {
    let one = topic("甲技术", "长春恒远公司", "详见附件");
    let other = topic("乙技术", "长春恒远公司", "详见附件");
    assert_eq!(alike(&one, &other), None);
    assert_eq!(alike(&topic("", "", ""), &topic("", "", "")), None);
}

#[test]
fn the_same_enterprise_lowers_the_bar_and_a_sister_stands_between() {
    let settings = Settings::default();
    assert!(settings.same_enterprise_from < settings.sister_from && settings.sister_from < settings.other_enterprise_from);
    let pair = lines("pairs.jsonl").into_iter().find(|pair| pair["kind"] == "paraphrase_same_enterprise").unwrap();
    let (one, other) = (prepare(&pair["a"]), prepare(&pair["b"]));
    let bar = |same, sister, rest| Settings {
        same_enterprise_from: same,
        sister_from: sister,
        other_enterprise_from: rest,
        same_enterprise_broad_from: same,
        sister_broad_from: sister,
        other_enterprise_broad_from: rest,
        ..Settings::default()
    };
    let twins = |settings: &Settings| compare(&one.signature, &other.signature, settings).map(|likeness| likeness.relation);
    assert_eq!(twins(&bar(0.1, 0.9, 0.9)), Some(Relation::Same));
    assert_eq!(twins(&bar(0.9, 0.1, 0.1)), None);
}

#[test]
fn the_evidence_names_what_stands_in_both_and_no_boiler_plate() {
    let shared = "国内转向架构架层间剪切强度离散系数超过12%，严重制约我省产业高质量发展，亟需开展关键核心技术攻关，填补国内空白。";
    let one = format!("{shared}金属接头与复材连接处疲劳开裂。");
    let other = format!("{shared}厚壁构件固化放热难以控制。");
    assert_eq!(shared_by(&one, &other).passages, ["国内转向架构架层间剪切强度离散系数超过12%"]);
}

#[test]
fn the_evidence_quotes_a_topic_as_its_own_text_reads() {
    let one = "采用ＰＡＮ基 T800 级碳纤维，层间剪切强度 ≥ 1,200 MPa；固化炉控温±2 ℃。";
    let other = "采用pan基t800级碳纤维,层间剪切强度≥1200mpa,炉内压力不稳。";
    assert_eq!(shared_by(one, other).passages, ["层间剪切强度 ≥ 1,200 MPa", "采用ＰＡＮ基 T800 级碳纤维"]);
    assert_eq!(shared_by(other, one).passages, ["层间剪切强度≥1200mpa", "采用pan基t800级碳纤维"]);
    let terms = shared_by("SiC 复材在1 350 ℃下氧化", "sic复材强度低").terms;
    assert_eq!(terms, ["SiC 复材"]);
}

fn shared_by(one: &str, other: &str) -> Evidence {
    let written = |key: &str| if key == "problem" { one } else { "" };
    evidence(&topic("甲", "", one).prose, &topic("乙", "", other).prose, written)
}

#[test]
fn unrelated_topics_and_their_order_change_no_answer() {
    let pairs = lines("pairs.jsonl");
    let twins = |others: &mut dyn Iterator<Item = &Value>| {
        let mut index = Index::new(Settings::default());
        let mut names = BTreeMap::new();
        for (at, pair) in others.enumerate() {
            let name = format!("{}{}", pair["family"], pair["kind"]);
            names.insert(at as u32, name.clone());
            index.insert(&name, &prepare(&pair["b"]).signature);
        }
        let mut found: Vec<(String, Kind)> =
            index.twins(&prepare(&pairs[0]["a"]).signature).into_iter().map(|(number, twin)| (names[&number].clone(), twin.kind)).collect();
        found.sort();
        found
    };
    let own = twins(&mut pairs.iter().filter(|pair| pair["family"] == 1));
    assert!(own.len() >= 6);
    assert_eq!(twins(&mut pairs.iter().filter(|pair| pair["kind"] != "boilerplate_only" || pair["family"] == 1)), own);
    assert_eq!(twins(&mut pairs.iter().rev().filter(|pair| pair["kind"] != "boilerplate_only" || pair["family"] == 1)), own);
}

#[test]
fn a_key_that_a_thousand_topics_share_is_read_no_further_than_the_bound_and_in_any_order_alike() {
    let settings = Settings::default();
    let text = "鹿茸多肽酶解液苦味重，分子量2500Da，脱苦收率只有60%，膜通量衰减快，年产50吨肽粉生产线停产。";
    let signature = topic("甲", "长春恒远公司", text).signature;
    let found = |order: &mut dyn Iterator<Item = u32>| {
        let mut index = Index::new(settings.clone());
        let mut names = Vec::new();
        for number in order {
            names.push(number);
            index.insert(&format!("JL-{number}"), &signature);
        }
        let mut found: Vec<u32> = index.candidates(&signature).into_iter().map(|at| names[at as usize]).collect();
        found.sort_unstable();
        found
    };
    let forwards = found(&mut (0..1000));
    assert_eq!(forwards.len(), settings.compared);
    assert_eq!(found(&mut (0..1000).rev()), forwards);
}

#[test]
fn stored_signatures_never_change() {
    let signature = topic("鹿茸多肽", "长春恒远公司", "鹿茸多肽酶解液苦味重，分子量2500Da，脱苦收率只有60%，膜通量衰减快。").signature;
    let sum = |hashes: &[i64]| hashes.iter().fold(0_i64, |sum, hash| sum.rotate_left(7) ^ hash);
    assert_eq!((signature.bands.len(), signature.keys.len(), signature.pairs.len()), (10, 3, 28));
    assert_eq!((sum(&signature.bands), sum(&signature.keys), sum(&signature.pairs)), (STORED_BANDS, STORED_KEYS, STORED_PAIRS));
}

/// Changing these makes all stored signatures wrong: raise the version of the table and make them again.
const STORED_BANDS: i64 = -7_419_005_927_834_188_551;
const STORED_KEYS: i64 = -35_302_364_366_839_240;
const STORED_PAIRS: i64 = -3_704_371_492_080_341_292;

#[test]
fn marks_and_votes_find_what_plain_counting_finds() {
    let settings = Settings::default();
    let sides: Vec<Signature> =
        lines("pairs.jsonl").iter().step_by(4).flat_map(|pair| [&pair["a"], &pair["b"]].map(|topic| prepare(topic).signature)).collect();
    let mut index = Index::new(settings.clone());
    for (number, side) in sides.iter().enumerate() {
        index.insert(&number.to_string(), side);
    }
    let common = |one: &[i64], other: &[i64]| one.iter().filter(|hash| other.contains(hash)).count();
    for one in &sides {
        let mut counted = Vec::new();
        for (number, other) in sides.iter().enumerate() {
            let votes = 3 * common(&one.keys, &other.keys) + 2 * common(&one.bands, &other.bands) + common(&one.pairs, &other.pairs);
            if votes >= 3 {
                counted.push((Reverse(votes), priority(&number.to_string()), number as u32));
            }
            let measured = dedupe::measure(one, other);
            let triples: BTreeSet<u32> = one.triples.iter().copied().collect();
            let shared = other.triples.iter().filter(|triple| triples.contains(triple)).count();
            let all = one.triples.len() + other.triples.len() - shared;
            assert_eq!(measured.jaccard, if all == 0 { 0.0 } else { shared as f32 / all as f32 });
            let weights: BTreeMap<u32, u16> = one.terms.iter().copied().zip(one.weights.iter().copied()).collect();
            let product = |(term, weight): (&u32, &u16)| u64::from(weights.get(term).copied().unwrap_or(0)) * u64::from(*weight);
            let product: u64 = other.terms.iter().zip(&other.weights).map(product).sum();
            assert_eq!(measured.cosine, if product == 0 { 0.0 } else { product as f32 / (one.norm * other.norm) });
            assert_eq!(compare(one, other, &settings), compare(other, one, &settings));
        }
        counted.sort_unstable();
        let plain: Vec<u32> = counted.into_iter().take(settings.compared).map(|(.., number)| number).collect();
        assert_eq!(index.candidates(one), plain);
    }
}
