//! Every rule by its cases (`tests/fixtures/rules/cases/R*.toml`), and the rule book that is made from the code (`config/RULES.md`).

use std::{collections::BTreeMap, fs, path::Path};

use annexd::domain::{
    findings::{Audience, Finding, Severity},
    forms::{
        Value,
        catalogue::{self, Catalogue, Need},
    },
    reconcile::{Difference, Draft, PlacedValue, Source},
    rules::{self, Package, RULES, RuleSettings, book},
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    is: Is,
    why: String,
    #[serde(default = "annex1")]
    form: String,
    /// Laid over the good form.
    #[serde(default)]
    set: BTreeMap<String, String>,
    /// Fields whose values stand in hidden rows.
    #[serde(default)]
    hidden: Vec<String>,
    /// Several topics, each laid over the good form.
    #[serde(default)]
    batch: Vec<BTreeMap<String, String>>,
    package: Option<PackageCase>,
    /// Findings of the file's rule, no more and no less: `error sender params`.
    #[serde(default)]
    expect: Vec<String>,
    /// Stands in one of the messages.
    says: Option<String>,
}

#[derive(Deserialize, PartialEq, Eq, Clone, Copy, Debug)]
#[serde(rename_all = "lowercase")]
enum Is {
    Pass,
    Fail,
    Border,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct PackageCase {
    annex1: Vec<String>,
    annex2: Vec<String>,
    letter: bool,
    direct: bool,
    rows_without_form: Vec<String>,
    forms_without_row: Vec<String>,
    differs: Vec<[String; 3]>,
}

fn annex1() -> String {
    "annex1".to_owned()
}

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rules").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn the_catalogue() -> Catalogue {
    Catalogue { forms: ["forms/annex1.toml", "forms/annex2.toml"].map(|name| catalogue::parse(&fixture(name)).unwrap()).to_vec() }
}

fn draft(form: &str, changes: &BTreeMap<String, String>, hidden: &[String], catalogue: &Catalogue) -> Draft {
    let mut fields: BTreeMap<String, String> = toml::from_str(&fixture("good.toml")).unwrap();
    fields.extend(changes.clone());
    let known = catalogue.form(form).unwrap();
    fields.retain(|key, text| !text.is_empty() && known.field(key).is_some());
    let source = Source { attachment: "甲.docx".to_owned(), place: "table 1".to_owned(), form: form.to_owned() };
    let placed = |(key, text): (String, String)| {
        let value = Value { text, place: format!("at {key}"), hidden: hidden.contains(&key), ..Value::default() };
        (key, PlacedValue { value, attachment: "甲.docx".to_owned(), form: form.to_owned() })
    };
    Draft { sources: vec![source], fields: fields.into_iter().map(placed).collect() }
}

impl Case {
    fn findings(&self, catalogue: &Catalogue, settings: &RuleSettings) -> Vec<Finding> {
        if let Some(package) = &self.package {
            return package.findings(settings);
        }
        if self.batch.is_empty() {
            return rules::check_topic(&rules::Desk::of(&draft(&self.form, &self.set, &self.hidden, catalogue), catalogue, settings));
        }
        let drafts: Vec<Draft> = self.batch.iter().map(|changes| draft(&self.form, changes, &[], catalogue)).collect();
        rules::check_batch(&drafts, &[], settings).into_iter().map(|(_, finding)| finding).collect()
    }
}

impl PackageCase {
    fn findings(&self, settings: &RuleSettings) -> Vec<Finding> {
        fn placed<'a>(titles: &'a [String], file: &'a str) -> Vec<(&'a str, &'a str, &'a str)> {
            titles.iter().map(|title| (title.as_str(), file, "table 1")).collect()
        }
        let differs: Vec<Difference> = self
            .differs
            .iter()
            .map(|[field, row, form]| Difference { title: "造雪机".into(), field: field.clone(), row: row.clone(), form: form.clone() })
            .collect();
        let package = Package {
            annex1_files: self.annex1.iter().map(String::as_str).collect(),
            annex2_files: self.annex2.iter().map(String::as_str).collect(),
            has_formal_letter: self.letter,
            rows_without_form: placed(&self.rows_without_form, "汇总表.xlsx"),
            forms_without_row: placed(&self.forms_without_row, "甲.docx"),
            differs: differs.iter().map(|difference| (difference, "甲.docx", "table 1")).collect(),
            enterprise_direct: self.direct,
        };
        rules::check_package(&package, settings)
    }
}

fn in_short(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let audience = if finding.audience == Audience::Sender { "sender" } else { "reviewer" };
    format!("{severity} {audience} {}", finding.field.as_deref().unwrap_or("-"))
}

fn cases_of(rule: &str) -> Vec<Case> {
    toml::from_str::<Cases>(&fixture(&format!("cases/{rule}.toml"))).unwrap_or_else(|error| panic!("{rule}: {error}")).case
}

#[test]
fn every_rule_gives_what_its_cases_say_and_nothing_else() {
    let (catalogue, settings) = (the_catalogue(), RuleSettings::shipped());
    let mut wrong = Vec::new();
    for rule in RULES.iter().filter(|rule| rule.gives_findings()) {
        for case in cases_of(rule.number) {
            let own: Vec<Finding> =
                case.findings(&catalogue, &settings).into_iter().filter(|finding| finding.rule == rule.number).collect();
            let mut found: Vec<String> = own.iter().map(in_short).collect();
            let mut expected = case.expect.clone();
            found.sort();
            expected.sort();
            let said = case.says.as_ref().is_none_or(|words| own.iter().any(|finding| finding.message.contains(words)));
            if found != expected || !said {
                let messages: Vec<&str> = own.iter().map(|finding| finding.message.as_str()).collect();
                wrong.push(format!("{} {:?} {}: expected {expected:?}, found {found:?} {messages:?}", rule.number, case.is, case.why));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_a_passing_a_failing_and_a_border_case() {
    for rule in RULES.iter().filter(|rule| rule.gives_findings()) {
        let cases = cases_of(rule.number);
        for is in [Is::Pass, Is::Fail, Is::Border] {
            assert!(cases.iter().any(|case| case.is == is), "{} has no case that is {is:?}", rule.number);
        }
        assert!(cases.iter().filter(|case| case.is == Is::Pass).all(|case| case.expect.is_empty()), "{}", rule.number);
        assert!(cases.iter().filter(|case| case.is == Is::Fail).all(|case| !case.expect.is_empty()), "{}", rule.number);
    }
}

#[test]
fn the_good_form_has_no_finding_at_all_on_the_shipped_form_either() {
    for catalogue in [the_catalogue(), Catalogue::shipped()] {
        let good = draft("annex1", &BTreeMap::new(), &[], &catalogue);
        assert_eq!(rules::check_topic(&rules::Desk::of(&good, &catalogue, &RuleSettings::shipped())), []);
    }
}

#[test]
fn an_empty_shipped_form_owes_exactly_what_the_catalogue_calls_required() {
    let catalogue = Catalogue::shipped();
    let source = Source { attachment: "甲.docx".to_owned(), place: "table 1".to_owned(), form: "annex1".to_owned() };
    let empty = Draft { sources: vec![source], fields: BTreeMap::new() };
    let findings = rules::check_topic(&rules::Desk::of(&empty, &catalogue, &RuleSettings::shipped()));
    let errors: Vec<&str> =
        findings.iter().filter(|finding| finding.severity == Severity::Error).filter_map(|finding| finding.field.as_deref()).collect();
    let required: Vec<&str> = catalogue
        .form("annex1")
        .unwrap()
        .fields
        .iter()
        .filter(|field| field.need == Need::Required)
        .map(|field| field.key.as_str())
        .collect();
    assert_eq!(errors, required);
    assert!(required.len() >= 8);
}

/// Every check is seen at work in some case, so none is dead and every sentence is filled.
#[test]
fn every_check_is_seen_at_work_and_its_sentence_has_no_open_place() {
    let (catalogue, settings) = (the_catalogue(), RuleSettings::shipped());
    let said: Vec<String> = RULES
        .iter()
        .filter(|rule| rule.gives_findings())
        .flat_map(|rule| cases_of(rule.number))
        .flat_map(|case| case.findings(&catalogue, &settings))
        .map(|finding| finding.message)
        .collect();
    for check in RULES.iter().flat_map(|rule| rule.checks) {
        let parts: Vec<&str> = check.sentence.split(['{', '}']).step_by(2).collect();
        let works = |message: &String| {
            let mut rest = message.as_str();
            parts.iter().all(|part| {
                rest.find(part).is_some_and(|at| {
                    rest = &rest[at + part.len()..];
                    true
                })
            })
        };
        assert!(said.iter().any(works), "{} is seen in no case", check.id);
    }
    for message in &said {
        assert!(!message.contains(['{', '}']), "{message}");
        assert!(message.ends_with('。') && message.matches('。').count() == 1, "more than one sentence: {message}");
        assert!(message.chars().count() <= 200, "too long to read: {message}");
        for word in ["虚假", "造假", "骗取", "重复申报", "作假", "不实"] {
            assert!(!message.contains(word), "{message}");
        }
    }
}

#[test]
fn a_rule_that_is_switched_off_says_nothing_and_the_others_go_on() {
    let catalogue = the_catalogue();
    for rule in RULES.iter().filter(|rule| rule.gives_findings()) {
        let off = RuleSettings::parse(&format!("[switch]\n{} = false\n", rule.number)).unwrap();
        let shipped = RuleSettings::shipped();
        for case in cases_of(rule.number) {
            let mut expected = case.findings(&catalogue, &shipped);
            expected.retain(|finding| finding.rule != rule.number);
            assert_eq!(case.findings(&catalogue, &off), expected, "{} {}", rule.number, case.why);
        }
    }
}

/// What the spreadsheet reader says of a cell outweighs what its text looks like.
#[test]
fn a_code_kept_as_a_number_and_a_unit_in_the_senders_header_are_believed() {
    let (catalogue, settings) = (the_catalogue(), RuleSettings::shipped());
    let mut topic = draft("annex1", &BTreeMap::new(), &[], &catalogue);
    topic.fields.get_mut("uscc").unwrap().value.rounded = true;
    let invest = topic.fields.get_mut("invest").unwrap();
    (invest.value.text, invest.value.unit) = ("0.5".to_owned(), Some("亿元".to_owned()));
    let findings = rules::check_topic(&rules::Desk::of(&topic, &catalogue, &settings));
    assert_eq!(findings.iter().map(in_short).collect::<Vec<_>>(), ["error sender uscc"]);
    assert!(findings[0].message.contains("设为文本格式"));
    let facts = rules::normal::normalised(&rules::Desk::of(&topic, &catalogue, &settings));
    assert_eq!(facts["invest_wan"], "5000");
}

#[test]
fn the_facts_of_a_topic_have_one_spelling_each() {
    let (catalogue, settings) = (the_catalogue(), RuleSettings::shipped());
    let changes = [
        ("phone", "（0431）8897 0710、１３８００００００００"),
        ("email", " A@Example.CN "),
        ("region", "吉林省吉林市船营区"),
        ("gb_code", "3599 其他专用设备制造"),
        ("period", "2024.9—2026.8"),
        ("invest", "0.12亿元"),
        ("benefit", "年新增利税800万元，年新增产值3000-5000万元"),
        ("uscc", "91220101 text00017e"),
    ];
    let changes = changes.map(|(key, text)| (key.to_owned(), text.to_owned())).into();
    let facts = rules::normal::normalised(&rules::Desk::of(&draft("annex1", &changes, &[], &catalogue), &catalogue, &settings));
    let expected = [
        ("benefit_wan", "3000-5000"),
        ("email", "a@example.cn"),
        ("gb_code", "C3599"),
        ("indicators", "3"),
        ("invest_wan", "1200"),
        ("period", "2024-09/2026-08"),
        ("phone", "0431-88970710、13800000000"),
        ("region", "220204 船营区"),
        ("uscc", "91220101TEXT00017E"),
    ];
    assert_eq!(facts.iter().map(|(name, fact)| (*name, fact.as_str())).collect::<Vec<_>>(), expected);
}

#[test]
fn the_rule_book_is_the_one_the_code_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/RULES.md");
    let page = book::page();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "config/RULES.md is out of date: run UPDATE_GOLDEN=1 cargo test --test all rules");
    for number in 1..=28 {
        assert!(page.contains(&format!("\n| R{number} |")), "R{number}");
    }
}

/// Real topic texts: good ones are not blamed, the four defective ones for their defects alone (`topics.jsonl`, D01–D04).
#[test]
fn defects_of_content_are_found_and_good_parameters_are_not_blamed() {
    let (catalogue, settings) = (the_catalogue(), RuleSettings::shipped());
    let rules_of = |changes: &[(&str, &str)]| {
        let changes = changes.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        let findings = rules::check_topic(&rules::Desk::of(&draft("annex1", &changes, &[], &catalogue), &catalogue, &settings));
        findings.iter().map(|finding| format!("{} {}", finding.rule, in_short(finding))).collect::<Vec<_>>()
    };
    for params in [
        "门尼粘度ML(1+4)125℃≥85；第三单体含量≥9%；灰分≤0.05%；脆性温度≤-58℃；压缩永久变形(70℃×22h)≤18%",
        "危险工房现场操作人员0人；包装效率≥40箱/min；抓取成功率≥99.95%；静电电位≤100V；故障自动停机时间≤1s",
        "含水率28%时籽粒破碎率≤4.5%；总损失率≤3%；作业效率≥1.2hm²/h；草捆密度≥180kg/m³；成捆率≥98%",
        "径厚比≥50；Fe₂O₃≤0.8%；白度≥82；填充20%时弯曲模量≥3.2GPa；粒度D97≤15μm",
    ] {
        assert_eq!(rules_of(&[("params", params)]), Vec::<String>::new(), "{params}");
    }
    assert_eq!(rules_of(&[("uscc", "12220000TEXT0005X8"), ("applicant", "长春示例科技大学")]), ["R8 error sender applicant"]);
    assert_eq!(
        rules_of(&[
            ("problem", "目前智能座舱体验有待提升，国内外差距较大，亟需开展关键技术攻关，突破“卡脖子”难题，填补空白，提高竞争力。"),
            ("params", "性能优良；体验流畅；达到国际先进水平；可靠性高；效益显著"),
        ]),
        ["R20 note reviewer problem", "R23 error sender params"]
    );
    assert_eq!(
        rules_of(&[
            ("problem", "我省农产品资源丰富，加工水平需要提高。"),
            ("topic_type", "关键共性技术"),
            ("background", "加工业发展"),
            ("goal", "提高加工水平，增加农民收入。"),
            ("params", "产品合格率≥98%；年新增产值约若干万元"),
            ("benefit", "年新增产值约若干万元"),
        ]),
        ["R19 warning sender problem", "R11 note reviewer problem", "R7 warning sender benefit", "R23 warning sender params"]
    );
    assert_eq!(
        rules_of(&[("params", "热电转换效率≥120%；90℃热源净发电效率≥95%；设备寿命≥500年；投资回收期≤0.1年")]),
        ["R26 warning reviewer params", "R26 warning reviewer params", "R26 warning reviewer params"]
    );
}
