//! Laws of the rules, over a small catalogue.

use super::*;
use crate::domain::{
    findings::{Audience, Severity},
    forms::Value,
    reconcile::{PlacedValue, Source},
};

fn catalogue() -> Catalogue {
    let annex1 = r#"
        id = "annex1"
        title = "申报表"
        called = "附件1"
        shape = "form"
        fields = [
            { key = "topic_title", label = "课题名称", need = "required", min_chars = 6, max_chars = 60 },
            { key = "applicant", label = "申报单位", need = "required" },
            { key = "uscc", label = "统一社会信用代码", kind = "uscc", need = "required" },
            { key = "phone", label = "联系电话", kind = "phone", need = "required" },
            { key = "email", label = "电子邮箱", kind = "email" },
            { key = "problem", label = "拟解决的关键问题", need = "required", min_chars = 50, max_chars = 800 },
            { key = "benchmark", label = "国内外技术水平对标", need = "required" },
            { key = "goal", label = "研发目标", need = "required" },
            { key = "params", label = "主要技术参数", kind = "list", need = "required", example = "效率≥95%" },
            { key = "market", label = "市场前景", need = "recommended" },
            { key = "benefit", label = "预期经济效益", need = "required" },
            { key = "period", label = "攻关周期", kind = "range" },
            { key = "invest", label = "总投资（万元）", kind = "money" },
        ]"#;
    let annex2 = r#"
        id = "annex2"
        title = "汇总表"
        called = "附件2"
        shape = "table"
        fields = [
            { key = "no", label = "序号", need = "required" },
            { key = "topic_title", label = "课题名称", need = "required" },
            { key = "applicant", label = "申报单位", need = "required" },
            { key = "phone", label = "联系电话", kind = "phone", need = "required" },
            { key = "params", label = "主要技术参数", need = "recommended" },
        ]"#;
    Catalogue { forms: [annex1, annex2].map(|text| toml::from_str(text).unwrap()).to_vec() }
}

const GOOD: &[(&str, &str)] = &[
    ("topic_title", "高寒滑雪场智能造雪机研制"),
    ("applicant", "长春示例机械有限公司"),
    ("uscc", "91220101TEXT00017E"),
    ("phone", "0431-88970710"),
    ("email", "a@example.cn"),
    (
        "problem",
        "高端造雪机长期依赖进口，国内产品在零下五摄氏度以上产雪量低、能耗高，喷嘴易结冰堵塞，核心核化喷嘴和群控系统受制于国外供应商，维修周期长。",
    ),
    ("benchmark", "国内同类产品产雪量60m³/h，国际先进产品100m³/h，本课题目标95m³/h。"),
    ("goal", "研制智能造雪机样机两台，在省内滑雪场完成一个雪季的示范。"),
    ("params", "产雪量≥95m³/h；功率≤25kW；适用湿球温度≤-2℃"),
    ("market", "国内滑雪场需求旺盛"),
    ("benefit", "达产后年新增产值5000万元"),
    ("period", "2024年9月至2026年8月"),
    ("invest", "1,200"),
];

fn draft(form: &str, fields: &[(&str, &str)]) -> Draft {
    let values = fields.iter().filter(|(_, text)| !text.is_empty()).map(|(key, text)| {
        let value = Value { text: (*text).to_owned(), place: format!("at {key}"), ..Value::default() };
        ((*key).to_owned(), PlacedValue { value, attachment: "甲.docx".to_owned(), form: form.to_owned() })
    });
    let source = Source { attachment: "甲.docx".to_owned(), place: "table 1".to_owned(), form: form.to_owned() };
    Draft { sources: vec![source], fields: values.collect() }
}

fn with(changes: &[(&str, &str)]) -> Vec<Finding> {
    let mut fields: Vec<(&str, &str)> = GOOD.to_vec();
    for (key, text) in changes {
        fields.retain(|(known, _)| known != key);
        fields.push((key, text));
    }
    check_topic(&Desk::of(&draft("annex1", &fields), &catalogue(), &RuleSettings::shipped()))
}

/// Rule and severity of what one change brings.
fn verdict(key: &str, text: &str) -> Vec<(String, Severity, Audience)> {
    with(&[(key, text)]).into_iter().map(|finding| (finding.rule, finding.severity, finding.audience)).collect()
}

#[track_caller]
fn assert_one(key: &str, text: &str, rule: &str, severity: Severity, audience: Audience) {
    assert_eq!(verdict(key, text), [(rule.to_owned(), severity, audience)], "{key} = {text}");
}

#[test]
fn a_good_form_has_no_finding() {
    assert_eq!(with(&[]), []);
}

#[test]
fn every_missing_field_is_one_finding_at_the_forms_place() {
    let findings = check_topic(&Desk::of(&draft("annex1", &[("topic_title", "高寒造雪机研制")]), &catalogue(), &RuleSettings::shipped()));
    let missing: Vec<(&str, &str)> = findings.iter().map(|f| (f.rule.as_str(), f.field.as_deref().unwrap_or(""))).collect();
    assert_eq!(
        missing,
        [
            ("R14", "applicant"),
            ("R14", "uscc"),
            ("R14", "phone"),
            ("R19", "problem"),
            ("R21", "benchmark"),
            ("R22", "goal"),
            ("R23", "params"),
            ("R10", "market"),
            ("R7", "benefit")
        ]
    );
    assert!(findings.iter().all(|f| f.place.as_deref() == Some("table 1") && f.attachment.as_deref() == Some("甲.docx")));
    assert_eq!(findings.iter().filter(|f| f.severity == Severity::Note).count(), 1);
    assert_eq!(findings[6].message, "附件1缺少“主要技术参数”，请补充填写，例如：效率≥95%。");
}

#[test]
fn a_row_is_not_blamed_for_what_only_the_form_asks() {
    let row = [("topic_title", "高寒造雪机研制"), ("applicant", "长春示例机械有限公司"), ("phone", "13800000000")];
    let findings = check_topic(&Desk::of(&draft("annex2", &row), &catalogue(), &RuleSettings::shipped()));
    assert_eq!(findings.iter().map(|f| (f.field.as_deref(), f.severity)).collect::<Vec<_>>(), [(Some("params"), Severity::Note)]);
}

#[test]
fn the_credit_code_is_judged_by_its_kind_of_mistake() {
    use Audience::{Reviewer, Sender};
    assert_one("uscc", "91220101TEXT00017F", "USCC", Severity::Warning, Sender);
    assert_one("uscc", "98220101TEXT00017Q", "USCC", Severity::Warning, Sender);
    assert_one("uscc", "91220101TEXT0001E", "USCC", Severity::Error, Sender);
    assert_one("uscc", "220101000012345", "USCC", Severity::Error, Sender);
    assert_one("uscc", "91220101TEXT00016B", "USCC", Severity::Warning, Reviewer);
    assert_one("uscc", "91350200MA2YJ1XR9G", "R5", Severity::Note, Reviewer);
    let letters = with(&[("uscc", "91220101TEXTO0017E")]);
    assert_eq!(
        letters[0].message,
        "统一社会信用代码“91220101TEXTO0017E”含有不应出现的字符“O”，是否应为“91220101TEXT00017E”，请对照营业执照核对后更正。"
    );
    assert_eq!(letters[0].place.as_deref(), Some("at uscc"));
}

#[test]
fn the_lead_must_be_an_enterprise_and_the_code_outweighs_the_name() {
    use Audience::{Reviewer, Sender};
    assert_one("uscc", "12220000TEXT0005X8", "R8", Severity::Error, Sender);
    assert_one("uscc", "52220100TEXT000764", "R8", Severity::Error, Sender);
    assert_one("uscc", "93220882TEXT00084L", "R8", Severity::Warning, Sender);
    assert_eq!(verdict("applicant", "长春示例光学研究所"), [], "converted institutes hold 91");
    assert_one("applicant", "长春示例大学", "R26", Severity::Warning, Reviewer);
    let university = with(&[("applicant", "长春示例大学"), ("uscc", "")]);
    assert!(university.iter().any(|f| f.rule == "R8" && f.severity == Severity::Error));
    let partner = with(&[("partners", "长春示例大学")]);
    assert_eq!(partner, [], "partners are free");
}

#[test]
fn texts_must_say_what_the_notice_asks() {
    use Audience::{Reviewer, Sender};
    assert_one("problem", "造雪机依赖进口。", "R19", Severity::Warning, Sender);
    assert_one("benchmark", "国内同类产品为60m³/h。", "R21", Severity::Warning, Sender);
    assert_one("benchmark", "国内落后于国际先进水平。", "R21", Severity::Warning, Sender);
    assert_one("goal", "达到国际先进水平。", "R22", Severity::Warning, Sender);
    assert_one("goal", "1.研制喷嘴\n2.研制风机\n3.研制泵\n4.建平台\n5.建基地\n6.培养人才", "R22", Severity::Warning, Sender);
    assert_one("benefit", "经济效益显著，市场广阔", "R7", Severity::Warning, Sender);
    assert_one("params", "产雪量大，能耗低", "R23", Severity::Error, Sender);
    assert_one("params", "产雪量≥95m³/h；能耗低", "R23", Severity::Warning, Sender);
    assert_one("params", "产雪量≥95m³/h；热效率≥120%；功率≤25kW", "R26", Severity::Warning, Reviewer);
    assert_one("topic_title", "造雪", "R20", Severity::Note, Sender);
}

#[test]
fn few_parameters_are_named_as_found() {
    let findings = with(&[("params", "产雪量≥95m³/h；能耗低")]);
    assert!(findings[0].message.contains("只识别到1项量化指标：“产雪量≥95m³/h”"), "{}", findings[0].message);
}

#[test]
fn ways_to_reach_a_person_must_be_usable() {
    use Audience::Sender;
    assert_one("phone", "见附件", "R14", Severity::Warning, Sender);
    assert_one("phone", "1380000000", "R14", Severity::Warning, Sender);
    assert_one("email", "example.cn", "R14", Severity::Warning, Sender);
    assert_one("invest", "待定", "R14", Severity::Warning, Sender);
    assert_one("invest", "12000000", "R14", Severity::Warning, Sender);
    assert_one("period", "尽快", "R14", Severity::Warning, Sender);
    assert_one("period", "2026年9月至2024年8月", "R14", Severity::Warning, Sender);
    assert_one("period", "2024-2029", "R14", Severity::Note, Sender);
    for phone in [
        "13800000000",
        "１３８００００００００",
        "0431-88970710、13800000000",
        "张三 138 0000 0000",
        "(0431)88970710转801",
        "+86-13800000000",
    ] {
        assert_eq!(verdict("phone", phone), [], "{phone}");
    }
    for period in ["24个月", "2年", "2024.9-2027.8", "2024年9月—2026年8月", "2024-2026", "2024年1月1日至2026年12月31日"] {
        assert_eq!(verdict("period", period), [], "{period}");
    }
}

#[test]
fn a_package_owes_forms_one_table_and_a_letter() {
    let rules = |package: &Package<'_>| {
        check_package(package, &RuleSettings::shipped()).into_iter().map(|f| (f.rule, f.severity)).collect::<Vec<_>>()
    };
    let error = |rule: &str| (rule.to_owned(), Severity::Error);
    let warning = |rule: &str| (rule.to_owned(), Severity::Warning);
    assert_eq!(rules(&Package::default()), [error("R14"), error("R15"), warning("R16")]);
    let whole =
        Package { annex1_files: vec!["甲.docx"], annex2_files: vec!["汇总表.xlsx"], has_formal_letter: true, ..Package::default() };
    assert_eq!(rules(&whole), []);
    let two = Package { annex2_files: vec!["一.xlsx", "二.xlsx"], ..whole.clone() };
    assert_eq!(rules(&two), [warning("R15")]);
    let apart = Package {
        rows_without_form: vec![("造雪机", "汇总表.xlsx", "Sheet1!A5:R5")],
        forms_without_row: vec![("压雪车", "甲.docx", "table 1")],
        ..whole
    };
    assert_eq!(rules(&apart), [error("R15"), warning("R15")]);
    assert_eq!(check_package(&apart, &RuleSettings::shipped())[0].place.as_deref(), Some("Sheet1!A5:R5"));
    let direct = Package { annex1_files: vec!["甲.docx"], enterprise_direct: true, ..Package::default() };
    assert_eq!(rules(&direct), []);
}

#[test]
fn every_finding_belongs_to_a_rule_of_the_table() {
    let known: Vec<&str> = RULES.iter().map(|rule| rule.number).collect();
    let findings = check_topic(&Desk::of(
        &draft("annex1", &[("uscc", "1"), ("goal", "国际先进"), ("problem", "甲")]),
        &catalogue(),
        &RuleSettings::shipped(),
    ));
    for finding in findings.iter().chain(&check_package(&Package::default(), &RuleSettings::shipped())) {
        assert!(known.contains(&finding.rule.as_str()), "{}", finding.rule);
        assert!(finding.message.ends_with('。'), "{}", finding.message);
    }
}

#[test]
fn foreign_texts_of_any_kind_are_judged_without_fail() {
    for text in ["", "　", "\u{0}\u{202E}", "🙂🙂🙂", "%%%%", "-℃", "1-℃", "（", "9e999", &"长".repeat(5000), &"1.".repeat(3000)]
    {
        for key in ["uscc", "problem", "benchmark", "goal", "params", "benefit", "phone", "period", "invest", "email", "applicant"] {
            let findings = with(&[(key, text)]);
            assert!(findings.iter().all(|finding| finding.message.chars().count() < 400), "{key}");
        }
    }
}
