//! Every letter on made-up values, for the situations in which it is written: what `annexd letters preview` shows, and what each
//! template must get through when it is loaded.

use super::{
    alert::AlertValues,
    digest::DigestValues,
    queue::QueueValues,
    receipt::{COMPLETE, FORM_COMPLETE, ReceiptValues, TopicValues},
    templates::{Rendered, Templates},
};

mod internal;

/// One letter in one situation.
#[derive(Debug, Clone)]
pub struct Sample {
    /// `receipt-complete`.
    pub name: &'static str,
    /// The template it is written by: `receipt.txt`.
    pub template: &'static str,
    /// The situation, in Chinese.
    pub about: &'static str,
    values: Values,
}

#[derive(Debug, Clone)]
enum Values {
    Receipt(Box<ReceiptValues>),
    Queue(QueueValues),
    Digest(Box<DigestValues>),
    Alert(AlertValues<'static>),
    Other(serde_json::Value),
}

impl Sample {
    /// # Errors
    /// The sentence of a template that does not render.
    pub fn render(&self, templates: &Templates) -> Result<Rendered, String> {
        match &self.values {
            Values::Receipt(values) => templates.render(self.template, values),
            Values::Queue(values) => templates.render(self.template, values),
            Values::Digest(values) => templates.render(self.template, values),
            Values::Alert(values) => templates.render(self.template, values),
            Values::Other(values) => templates.render(self.template, values),
        }
    }
}

/// All samples, in a fixed order.
#[must_use]
pub fn samples() -> Vec<Sample> {
    let mut samples = receipts();
    samples.extend(unread());
    samples.extend(corrections());
    samples.extend(others());
    samples.extend(internal::internal());
    samples
}

fn receipt_sample(name: &'static str, template: &'static str, about: &'static str, values: ReceiptValues) -> Sample {
    Sample { name, template, about, values: Values::Receipt(Box::new(values)) }
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

fn topic(no: usize, state: &'static str, corrections: &[&str]) -> TopicValues {
    let titles = ["高速列车转向架轻量化关键技术", "汽车用高强钢激光拼焊工艺", "人参皂苷连续逆流提取装备", "卫星遥感影像星上实时处理单元"];
    let firms = ["长春示例轨道装备有限公司", "吉林示例钢铁有限公司", "通化示例药业股份有限公司", "长春示例卫星技术有限公司"];
    let pick = |list: &[&str]| list.get((no + 3) % list.len()).copied().unwrap_or_default().to_owned();
    TopicValues {
        no,
        title: pick(&titles),
        applicant: pick(&firms),
        number: crate::domain::receipt_number::format(2024, i64::try_from(no).unwrap_or(1) + 36),
        state,
        division: String::new(),
        corrections: texts(corrections),
        more_corrections: 0,
        changed: String::new(),
        put_right: String::new(),
    }
}

/// A batch of one bureau.
fn batch(topics: Vec<TopicValues>, problems: &[&str]) -> ReceiptValues {
    let open_count = topics.iter().filter(|topic| !topic.corrections.is_empty() || topic.more_corrections > 0).count();
    ReceiptValues {
        greeting: "长春市工业和信息化局".to_owned(),
        subject: "长春市工信局报送聚力攻坚专项课题".to_owned(),
        received_at: "2024年8月15日 09:02".to_owned(),
        department: "吉林省工业和信息化厅".to_owned(),
        contact: "科技处 0431-88900000".to_owned(),
        annex1_count: topics.len(),
        annex2_count: 1,
        topic_count: topics.len(),
        open_count,
        complete: open_count == 0 && problems.is_empty() && !topics.is_empty(),
        first_number: topics.first().map_or_else(String::new, |topic| topic.number.clone()),
        topics,
        problems: texts(problems),
        more_problems: 0,
        held: false,
        letter_arrived: false,
        unchanged: false,
        list_file: String::new(),
    }
}

const MUST: &str = "已收到，需补正";
const SHOULD: &str = "已收到，建议完善";
const PARAMS: &str = "“附件2汇总表.xlsx”工作表Sheet1的I5单元格：“主要技术参数”中未见量化指标（所填为“达到国际先进水平”），请写明数值和单位，做到可量化、可考核，例如：峰值效率≥95%；质量≤780kg。";
const MISSING: &str = "“附件1-甲.docx”第1个表格：附件1缺少“预期经济效益”，请补充填写，例如：达产后年新增产值5000万元。";

fn receipts() -> Vec<Sample> {
    let sample = |name, about, values| receipt_sample(name, "receipt.txt", about, values);
    let mut divided = batch(vec![topic(1, COMPLETE, &[])], &[]);
    for topic in &mut divided.topics {
        topic.division = "装备工业处".to_owned();
    }
    let mut held = batch(vec![topic(1, COMPLETE, &[])], &[]);
    (held.held, held.greeting, held.subject) = (true, "农安县工信局".to_owned(), "农安县工信局报送专项课题".to_owned());
    vec![
        sample("receipt-complete", "一项课题，材料齐全", batch(vec![topic(1, COMPLETE, &[])], &[])),
        sample("receipt-batch", "三项课题，材料齐全", batch((1..4).map(|no| topic(no, COMPLETE, &[])).collect(), &[])),
        sample("receipt-correct", "两项课题，一项需补正", batch(vec![topic(1, COMPLETE, &[]), topic(2, MUST, &[PARAMS, MISSING])], &[])),
        sample("receipt-advice", "一项课题，建议完善", batch(vec![topic(1, SHOULD, &[PARAMS])], &[])),
        sample(
            "receipt-no-letter",
            "缺正式文件",
            batch(
                vec![topic(1, FORM_COMPLETE, &[])],
                &["未见正式文件，材料先行收下，请补报加盖公章的正式文件扫描件，例如：《关于报送聚力攻坚专项课题的函》。"],
            ),
        ),
        sample(
            "receipt-no-form",
            "汇总表有而申报表没有",
            batch(
                vec![topic(
                    1,
                    MUST,
                    &[
                        "“附件2汇总表.xlsx”工作表Sheet1第6行：附件2中的课题“高速列车转向架轻量化关键技术”未找到对应的附件1，请补报该课题的申报表，或核对两处的课题名称和申报单位是否一致，例如：附件1-课题名称-企业名称.docx。",
                    ],
                )],
                &[],
            ),
        ),
        sample(
            "receipt-no-table",
            "缺汇总表",
            batch(vec![topic(1, FORM_COMPLETE, &[])], &["未见附件2（汇总表），请由报送单位汇总后附上，例如：附件2汇总表.xlsx。"]),
        ),
        sample(
            "receipt-one-damaged",
            "多份附件中一份打不开",
            batch(vec![topic(1, FORM_COMPLETE, &[])], &["文件“附件1-乙.docx”：文件已损坏，无法打开。请在本机确认能正常打开后重新发送。"]),
        ),
        sample("receipt-division", "告知转送处室", divided),
        sample("receipt-held", "报送单位不在通知之列", held),
        sample("receipt-long", "课题很多，摘要加附件明细", long()),
        receipt_sample(
            "list",
            "list.txt",
            "附件明细",
            batch((1..4).map(|no| topic(no, MUST, &[PARAMS])).collect(), &["未见正式文件，请补报。"]),
        ),
    ]
}

/// Mails from which no topic could be read.
fn unread() -> Vec<Sample> {
    let sample = |name, about, values| receipt_sample(name, "receipt.txt", about, values);
    let nothing_read = |problem: &str| {
        let mut values = batch(Vec::new(), &[problem]);
        (values.annex1_count, values.annex2_count) = (0, 0);
        values
    };
    let unreadable = nothing_read("文件“附件1-甲.doc”：文件已损坏，无法打开。请在本机确认能正常打开后重新发送。");
    let encrypted = nothing_read("文件“材料.zip/附件2.xlsx”：文件设有密码，无法打开。请取消密码后重新发送。");
    let linked = nothing_read(
        "附件“材料.rar”是QQ邮箱的网盘链接，不是普通附件，本系统不能下载。请将文件作为普通附件重新发送（超过50MB时请分几封发送）。",
    );
    let blank = nothing_read("文件“附件1.docx”是空白表格，没有填写内容。请填写后重新发送。");
    let too_large = nothing_read("邮件共92.3MB，超过75MB的处理上限，附件未读取。请分几封发送，或精简附件后重新发送。");
    vec![
        sample("receipt-unreadable", "附件打不开，读不出课题", unreadable),
        sample("receipt-encrypted", "附件有密码", encrypted),
        sample("receipt-linked", "附件是网盘链接", linked),
        sample("receipt-blank", "附件是空白表", blank),
        sample("receipt-too-large", "邮件过大", too_large),
    ]
}

fn long() -> ReceiptValues {
    let mut values = batch((1..13).map(|no| topic(no, MUST, &[])).collect(), &[]);
    for topic in &mut values.topics {
        topic.more_corrections = 3;
    }
    (values.topic_count, values.open_count, values.complete) = (86, 80, false);
    values.list_file = "回执明细-2024-00037-2.txt".to_owned();
    values
}

fn corrections() -> Vec<Sample> {
    let sample = |name, about, values| receipt_sample(name, "correction.txt", about, values);
    let changed = |mut topic: TopicValues| {
        topic.changed = "主要技术参数、研发目标".to_owned();
        topic
    };
    let mut put_right = topic(1, MUST, &[MISSING]);
    put_right.put_right = "主要技术参数".to_owned();
    let mut nothing = batch(Vec::new(), &[]);
    nothing.subject = "回复：【自动回执】已收到专项课题材料".to_owned();
    let mut unread = nothing.clone();
    unread.problems = texts(&["文件“附件1-甲.docx”：文件设有密码，无法打开。请取消密码后重新发送。"]);
    vec![
        sample("correction-complete", "补正后齐全", batch(vec![changed(topic(1, COMPLETE, &[]))], &[])),
        sample("correction-open", "补正后仍缺", batch(vec![changed(topic(1, MUST, &[MISSING]))], &[])),
        sample(
            "correction-same",
            "与此前相同",
            ReceiptValues { unchanged: true, ..batch(vec![topic(1, "与此前报送的内容相同，未作变更", &[])], &[]) },
        ),
        sample(
            "correction-letter",
            "补来正式文件",
            ReceiptValues {
                letter_arrived: true, unchanged: true, ..batch(vec![topic(1, "与此前报送的内容相同，未作变更", &[])], &[])
            },
        ),
        sample("correction-put-right", "一处补正，一处仍缺", batch(vec![put_right], &[])),
        sample("correction-talk", "回复中没有附件", nothing),
        sample("correction-unreadable", "补正文件打不开", unread),
    ]
}

fn others() -> Vec<Sample> {
    let enterprise = |topics, problems: &[&str]| ReceiptValues {
        greeting: "长春示例轨道装备有限公司".to_owned(),
        subject: "申报聚力攻坚专项课题".to_owned(),
        annex2_count: 0,
        ..batch(topics, problems)
    };
    let nothing = |problems: &[&str]| ReceiptValues {
        greeting: "您好".to_owned(),
        subject: "咨询专项课题申报".to_owned(),
        annex1_count: 0,
        annex2_count: 0,
        ..batch(Vec::new(), problems)
    };
    vec![
        receipt_sample("enterprise", "enterprise.txt", "企业直接报送，齐全", enterprise(vec![topic(1, COMPLETE, &[])], &[])),
        receipt_sample("enterprise-correct", "enterprise.txt", "企业直接报送，需补正", enterprise(vec![topic(1, MUST, &[MISSING])], &[])),
        receipt_sample("no-annex", "no_annex.txt", "来信没有附件", nothing(&[])),
        receipt_sample(
            "no-annex-no-contact",
            "no_annex.txt",
            "来信没有附件，未配置联系人",
            ReceiptValues { contact: String::new(), ..nothing(&[]) },
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use super::*;
    use crate::domain::letters::receipt::TEXT_MAX_BYTES;

    #[test]
    fn every_letter_reads_as_its_golden_copy() {
        let templates = Templates::load(&BTreeMap::new()).unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/letters");
        let mut different = Vec::new();
        for sample in samples() {
            let rendered = sample.render(&templates).unwrap();
            let text = format!("{}\n\n{}", rendered.subject, rendered.text);
            let file = folder.join(format!("{}.{}", sample.name, sample.template.rsplit('.').next().unwrap()));
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&file, &text).unwrap();
            }
            if std::fs::read_to_string(&file).unwrap_or_default() != text {
                different.push(sample.name);
            }
        }
        assert!(different.is_empty(), "{different:?} differ; look at them, then UPDATE_GOLDEN=1");
    }

    #[test]
    fn no_receipt_is_long_links_anywhere_or_leaves_a_gap() {
        let templates = Templates::load(&BTreeMap::new()).unwrap();
        for sample in samples().iter().filter(|sample| matches!(sample.values, Values::Receipt(_))) {
            let rendered = sample.render(&templates).unwrap();
            assert!(rendered.text.len() <= TEXT_MAX_BYTES || sample.name == "list", "{}", sample.name);
            assert!(!rendered.text.contains("http") && !rendered.text.contains("\n\n\n"), "{}", sample.name);
            assert!(rendered.subject.starts_with("【自动回执】") || sample.name == "list", "{}", sample.name);
        }
    }

    #[test]
    fn a_template_that_breaks_in_one_situation_is_found_when_it_is_loaded() {
        let load = |name: &str, text: &str| Templates::load(&BTreeMap::from([(name.to_owned(), text.to_owned())]));
        let mistakes = load("receipt.txt", "主题\n{% if problems %}{{ no_such_value }}{% endif %}").unwrap_err();
        assert!(mistakes[0].starts_with("letters/receipt.txt: line 2: no_such_value: "), "{mistakes:?}");
        let mistakes = load("queue.txt", "主题\n\n{% for topic in topics %}{{ topic.no }} {{ topic.titel }}{% endfor %}").unwrap_err();
        assert!(mistakes[0].starts_with("letters/queue.txt: line 3: topic.titel: "), "{mistakes:?}");
        let mistakes = load("digest.txt", "主题\n{% if quiet %}").unwrap_err();
        assert!(mistakes[0].starts_with("letters/digest.txt: line 2: "), "{mistakes:?}");
        assert!(load("digest.html", "x\n{{ facts.parked[0].nothing }}").is_err());
        assert!(load("alert.txt", "{{ '' }}\n文").is_err(), "an empty subject");
        assert!(load("nothing.txt", "x").is_err());
    }

    /// What an enemy would like to write into a form.
    const HOSTILE: &str =
        "甲\r\nBcc: x@evil.example\n\n请将材料改寄evil@evil.example\u{202E}\u{200B}\0<script>alert(1)</script><img src=x onerror=y>&\"'";

    /// Every text of a value is the hostile one.
    fn poisoned(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::String(_) => HOSTILE.into(),
            serde_json::Value::Array(items) => items.into_iter().map(poisoned).collect(),
            serde_json::Value::Object(entries) => entries.into_iter().map(|(key, value)| (key, poisoned(value))).collect(),
            other => other,
        }
    }

    #[test]
    fn a_hostile_value_stays_a_value_in_subject_text_and_html() {
        let templates = Templates::load(&BTreeMap::new()).unwrap();
        for sample in samples() {
            let values = match &sample.values {
                Values::Receipt(values) => serde_json::to_value(values),
                Values::Queue(values) => serde_json::to_value(values),
                Values::Digest(values) => serde_json::to_value(values),
                Values::Alert(values) => serde_json::to_value(values),
                Values::Other(values) => Ok(values.clone()),
            };
            let rendered = templates.render(sample.template, poisoned(values.unwrap())).unwrap();
            assert!(!rendered.subject.contains(|c: char| c.is_control() || c == '\u{202E}'), "{}: {:?}", sample.name, rendered.subject);
            assert!(!rendered.text.contains(['\u{202E}', '\u{200B}', '\0', '\r']), "{}", sample.name);
            if sample.template.ends_with(".html") {
                assert!(!rendered.text.contains("<script>alert(1)") && !rendered.text.contains("<img src=x"), "{}", sample.name);
                continue;
            }
            // The value's further lines are no lines of the letter.
            for forged in ["Bcc:", "请将材料"] {
                assert!(!rendered.text.lines().any(|line| line.starts_with(forged)), "{}:\n{}", sample.name, rendered.text);
            }
        }
    }

    #[test]
    fn a_value_with_markup_stays_text_in_html() {
        let templates = Templates::load(&BTreeMap::new()).unwrap();
        let mut values = internal::queue();
        values.topics[0].topic.title = "<script>alert(1)</script>&".to_owned();
        let html = templates.render("queue.html", &values).unwrap().text;
        assert!(html.contains("&lt;script&gt;") && !html.contains("<script>"));
    }
}
