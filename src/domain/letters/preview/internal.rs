//! Letters to divisions and administrators on made-up values.

use serde_json::json;

use super::{Sample, Values};
use crate::domain::letters::{
    alert::AlertValues,
    digest::{
        AddressLine, Balance, Chart, Count, DigestFacts, DigestValues, DivisionLine, Health, LetterLine, OpenCorrection, OverruleLine,
        ParkedLine, TopicLine, WaitingLine,
    },
    faults::in_chinese,
    queue::{CorrectionLine, QueueCorrection, QueueLine, QueueTopic, QueueValues},
};

pub fn internal() -> Vec<Sample> {
    let alert = |over| {
        Values::Alert(AlertValues {
            title: "发信已暂停",
            said: "账号gxt@163.com@smtp.163.com不能发信：邮箱服务商不允许该账号发信，可能是SMTP服务未开启或账号被限制发信（原文：“smtp.163.com:465: 550 User has no permission”）。将于2024年8月15日 13:02后自动再试。",
            remedy: "请用网页邮箱登录，确认账号未被限制、SMTP服务已开启。",
            since: "2024年8月15日 09:02".to_owned(),
            now: "2024年8月15日 17:30".to_owned(),
            over,
            department: "吉林省工业和信息化厅",
        })
    };
    let line = |line: &str, done, text: &str| json!({"line": line, "done": done, "text": text});
    let done = line("转 汽车处 2024-00037-5 属于汽车零部件", true, "2024-00037-5 高速列车转向架轻量化关键技术：已转汽车工业处");
    let not_done = line("受理 2024-00099-0", false, "没有这个回执编号，请核对。");
    let confirmation = |done: &[serde_json::Value], not_done: &[serde_json::Value]| {
        Values::Other(
            json!({"division": "装备工业处", "token": "K7Q2", "done": done, "not_done": not_done, "department": "吉林省工业和信息化厅"}),
        )
    };
    let guidance = Values::Other(json!({
        "division": "装备工业处", "department": "吉林省工业和信息化厅", "contact": "科技处 0431-88900000",
        "guidance": {
            "number": "2024-00037-5", "title": "高速列车转向架轻量化关键技术", "applicant": "长春示例轨道装备有限公司",
            "to": "gxj@example.cn", "in_reply_to": null, "opinion": "建议补充与国外同类产品的对标数据。",
        },
    }));
    let queue = Values::Queue(queue());
    let (busy, quiet) = (Values::Digest(Box::new(busy_day())), Values::Digest(Box::new(quiet_day())));
    vec![
        Sample {
            name: "confirmation",
            template: "confirmation.txt",
            about: "处室指令均已办理",
            values: confirmation(std::slice::from_ref(&done), &[]),
        },
        Sample {
            name: "confirmation-partly",
            template: "confirmation.txt",
            about: "处室指令部分未办",
            values: confirmation(&[done], &[not_done]),
        },
        Sample { name: "guidance", template: "guidance.txt", about: "转达处室意见", values: guidance },
        Sample { name: "queue", template: "queue.txt", about: "处室清单", values: queue.clone() },
        Sample { name: "queue-html", template: "queue.html", about: "处室清单（HTML）", values: queue },
        Sample { name: "digest-busy", template: "digest.txt", about: "日报，有事项待处理", values: busy.clone() },
        Sample { name: "digest-quiet", template: "digest.txt", about: "日报，无新邮件", values: quiet.clone() },
        Sample { name: "digest-busy-html", template: "digest.html", about: "日报（HTML），有事项待处理", values: busy },
        Sample { name: "digest-quiet-html", template: "digest.html", about: "日报（HTML），无新邮件", values: quiet },
        Sample { name: "alert", template: "alert.txt", about: "告警", values: alert(false) },
        Sample { name: "alert-over", template: "alert.txt", about: "告警解除", values: alert(true) },
    ]
}

pub fn queue() -> QueueValues {
    let topic = QueueTopic {
        number: "2024-00037-5".to_owned(),
        title: "高速列车转向架轻量化关键技术".to_owned(),
        applicant: "长春示例轨道装备有限公司".to_owned(),
        bureau: "长春市工业和信息化局".to_owned(),
        state: "材料齐全".to_owned(),
        confidence: 0.62,
        runners_up: "汽车工业处".to_owned(),
        duplicates: "2024-00012-7（相似度0.83）".to_owned(),
        ..QueueTopic::default()
    };
    let correction = QueueCorrection {
        number: "2024-00021-9".to_owned(),
        title: "寒区直流充电桩".to_owned(),
        applicant: "吉林示例电气有限公司".to_owned(),
        changes: vec!["主要技术参数：由“-20℃启动”改为“-40℃启动”".to_owned()],
        state: "材料齐全".to_owned(),
        ..QueueCorrection::default()
    };
    QueueValues {
        division: "装备工业处".to_owned(),
        token: "3f9a2c7b81d0".to_owned(),
        example: "2024-00037-5".to_owned(),
        elsewhere: "汽车工业处".to_owned(),
        department: "吉林省工业和信息化厅".to_owned(),
        day: "2024年8月15日".to_owned(),
        urgent: false,
        new: 1,
        topics: vec![QueueLine { no: 1, topic, received: "2024年8月15日 09:02".to_owned() }],
        corrected: 1,
        corrections: vec![CorrectionLine { no: 1, correction, received: "2024年8月15日 08:40".to_owned() }],
        open: 3,
        oldest_days: 12,
        annexes: 1,
        left_out: vec!["汇总材料.zip".to_owned()],
    }
}

fn quiet_day() -> DigestValues {
    DigestValues {
        day: "2024年8月15日".to_owned(),
        now: "2024年8月16日 08:30".to_owned(),
        quiet: true,
        idle: true,
        balance_holds: true,
        health: Health {
            polled: "2024年8月16日 08:29".to_owned(),
            disk_free_mib: 81_920,
            database_mib: 12,
            secret_days: Some(20),
            ..Health::default()
        },
        department: "吉林省工业和信息化厅".to_owned(),
        ..DigestValues::default()
    }
}

fn busy_facts() -> DigestFacts {
    let count = |name: &str, count| Count { name: name.to_owned(), count };
    let text = |text: &str| text.to_owned();
    let line = |about: &str| TopicLine {
        number: text("2024-00037-5"),
        title: text("高速列车转向架轻量化关键技术"),
        applicant: text("长春示例轨道装备有限公司"),
        about: text(about),
    };
    DigestFacts {
        mails_by_kind: vec![count("课题报送", 5), count("自动回复", 2)],
        mails_by_bureau: vec![count("长春市工业和信息化局", 3), count("吉林市工业和信息化局", 2)],
        topics_by_bureau: vec![count("长春市工业和信息化局", 7)],
        topics_by_division: vec![count("装备工业处", 4), count("汽车工业处", 3)],
        revisions: 2,
        topics_by_state: vec![count("材料齐全", 9), count("待补正", 3)],
        divisions: vec![DivisionLine {
            name: text("装备工业处"),
            accepted: 9,
            needs_correction: 3,
            suspected_duplicate: 1,
            withdrawn: 1,
            total: 14,
        }],
        waiting_longest: vec![WaitingLine {
            number: text("2024-00012-7"),
            title: text("汽车用高强钢激光拼焊工艺"),
            bureau: text("吉林市工业和信息化局"),
            days: 41,
        }],
        open_corrections: vec![OpenCorrection { bureau: text("吉林市工业和信息化局"), count: 3, oldest_days: 41 }],
        held_topics: vec![line("农安县工信局")],
        duplicates: vec![line("2024-00012-7")],
        parked: vec![ParkedLine {
            id: 17,
            subject: text("专项课题材料"),
            problem: in_chinese("a bug while reading this mail: index out of bounds"),
        }],
        letters_by_state: vec![count("已发", 40), count("待发", 6)],
        letters_waiting: 6,
        failed_letters: vec![LetterLine {
            id: 23,
            to: text("gxj@example.cn"),
            subject: text("【自动回执】邮件已收到"),
            state: text("失败"),
            reply: in_chinese("550 Invalid User"),
        }],
        undeliverable: vec![AddressLine { address: text("gxj@example.cn"), why: in_chinese("550 Invalid User") }],
        forged: vec![ParkedLine { id: 19, subject: text("报送课题"), problem: text("gxj@example.cn") }],
        overrules: vec![OverruleLine {
            number: text("2024-00031-0"),
            title: text("卫星遥感影像星上实时处理单元"),
            from: text("装备工业处"),
            to: text("电子信息处"),
            reason: text("属电子信息"),
        }],
        overruled: vec![count("装备工业处", 1)],
        unaddressed: vec![count("消费品工业处", 2)],
        silent: vec![text("白城市工业和信息化局")],
        balance: Balance { seen: 50, recorded: 30, ignored: 15, duplicate: 4, parked: 1, waiting: 0 },
        unsettled: vec![text("编号21（INBOX UID 1042）待处理已超过1小时")],
    }
}

fn busy_day() -> DigestValues {
    let count = |name: &str, count| Count { name: name.to_owned(), count };
    let text = |text: &str| text.to_owned();
    let mut since = DigestFacts::default();
    since.mails_by_kind.push(count("课题报送", 1));
    since.topics_by_bureau.push(count("松原市工业和信息化局", 1));
    since.topics_by_division.push(count("石化工业处", 1));
    since.revisions = 1;
    DigestValues {
        facts: busy_facts(),
        since: Some(since),
        quiet: false,
        idle: false,
        health: Health {
            fault: in_chinese("the server did not answer EXAMINE in time"),
            secret_days: Some(170),
            secret_due: true,
            troubles: vec![text("发信已暂停：服务器答复550")],
            ..quiet_day().health
        },
        charts: vec![Chart { content_id: text("divisions@annexd"), title: text("课题按处室") }],
        ..quiet_day()
    }
}
