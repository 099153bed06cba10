//! The demo's mails: what a department's mailbox holds in an ordinary week, made from the same catalogue the readers use.

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::{Context as _, anyhow};
use serde::Deserialize;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::eml::{Attached, Eml};
use crate::domain::forms::{
    blank::{blank_docx, blank_xlsx},
    catalogue::Catalogue,
};

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const MAILBOX: &str = "jlsgxtkjc@163.com";

type Fields = BTreeMap<String, String>;

#[derive(Deserialize)]
struct TopicsFile {
    topic: Vec<Fields>,
}

/// Makes sample files and mails from the shipped catalogue.
struct Maker {
    catalogue: Catalogue,
    topics: Vec<Fields>,
}

/// All sample mails, in order of arrival, as (file name, bytes).
///
/// # Errors
/// Only where the shipped catalogue or samples are broken; tests keep them whole.
pub fn mails() -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let topics: TopicsFile = toml::from_str(include_str!("topics.toml")).context("the demo's topics are broken")?;
    let maker = Maker { catalogue: Catalogue::shipped(), topics: topics.topic };
    let batch = maker.changchun_batch()?;
    let mails = vec![
        ("01-bureau-batch", batch.bytes()),
        ("02-zip-with-gbk-names", maker.jilin_zip()?.bytes()),
        ("03-forwarded-mail", maker.siping_forward()?.bytes()),
        ("04-automatic-reply", auto_reply().bytes()),
        ("05-enterprise-by-itself", maker.enterprise()?.bytes()),
        ("06-same-mail-again", batch.bytes()),
        ("07-defective-form", maker.yanbian_defective(false)?.bytes()),
        ("08-rows-and-forms-disagree", maker.tonghua_mismatch()?.bytes()),
        ("09-bounce", bounce().bytes()),
        ("10-question", question().bytes()),
        ("11-link-instead-of-attachment", link().bytes()),
        ("12-newsletter", newsletter().bytes()),
        ("13-correction-by-reply", maker.yanbian_defective(true)?.bytes()),
        ("14-damaged-file", maker.damaged()?.bytes()),
        ("15-county-bureau", maker.county()?.bytes()),
        ("16-university-applies", maker.university()?.bytes()),
        ("17-form-comes-later", maker.tonghua_late_form()?.bytes()),
        ("18-same-topic-by-another-bureau", maker.tonghua_city_same_topic()?.bytes()),
    ];
    Ok(mails.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect())
}

impl Maker {
    fn topic(&self, index: usize) -> anyhow::Result<Fields> {
        self.topics.get(index).cloned().ok_or_else(|| anyhow!("the demo has no topic {index}"))
    }

    fn form(&self, fields: &Fields) -> anyhow::Result<Attached> {
        let form = self.catalogue.form("annex1").ok_or_else(|| anyhow!("the catalogue has no annex1"))?;
        let title = fields.get("topic_title").map_or("", String::as_str);
        let name = format!("附件1-{title}.docx");
        Ok(Attached { name, media_type: DOCX, bytes: blank_docx(form, fields).map_err(|problem| anyhow!(problem))? })
    }

    fn summary(&self, bureau: &str, rows: &[Fields]) -> anyhow::Result<Attached> {
        let form = self.catalogue.form("annex2").ok_or_else(|| anyhow!("the catalogue has no annex2"))?;
        let heading = Fields::from([("bureau".to_owned(), bureau.to_owned())]);
        let rows: Vec<Fields> = (1..).zip(rows).map(|(no, row)| numbered(row, no)).collect();
        let bytes = blank_xlsx(form, &heading, &rows).map_err(|problem| anyhow!(problem))?;
        Ok(Attached { name: "附件2-专项课题汇总表.xlsx".to_owned(), media_type: XLSX, bytes })
    }

    /// A bureau's complete batch: summary, three forms, scanned letter.
    fn changchun_batch(&self) -> anyhow::Result<Eml> {
        let topics = [self.topic(0)?, self.topic(1)?, self.topic(2)?];
        let mut files = vec![letter("长春市工信局关于报送专项课题的函.pdf"), self.summary("长春市工业和信息化局", &topics)?];
        for topic in &topics {
            files.push(self.form(topic)?);
        }
        let subject = "长春市工信局报送聚力攻坚专项课题（3项）";
        Ok(mail(
            "01",
            "长春市工信局",
            "gxj-cc@example.cn",
            subject,
            "省工信厅：\n\n现报送我市专项课题3项（长工信函〔2024〕37号），请查收。\n\n长春市工业和信息化局",
            files,
        ))
    }

    fn jilin_zip(&self) -> anyhow::Result<Eml> {
        let topics = [self.topic(3)?, self.topic(4)?];
        let files = [
            letter("吉林市工信局推荐函（盖章扫描件）.pdf"),
            self.summary("吉林市工业和信息化局", &topics)?,
            self.form(&topics[0])?,
            self.form(&topics[1])?,
        ];
        let zip = Attached { name: "吉林市专项课题材料.zip".to_owned(), media_type: "application/zip", bytes: gbk_zip(&files)? };
        Ok(mail("02", "吉林市工信局", "gxj-jl@example.cn", "吉林市工信局专项课题（2项）", "材料见压缩包。", vec![zip]))
    }

    /// The bureau forwards the enterprise's mail as an attachment and adds its own table.
    fn siping_forward(&self) -> anyhow::Result<Eml> {
        let topic = self.topic(5)?;
        let inner = mail("03-inner", "吴迪", "wudi@example.cn", "申报材料", "附件1已填好，请市局汇总。", vec![self.form(&topic)?]);
        let forwarded = Attached { name: "申报材料.eml".to_owned(), media_type: "message/rfc822", bytes: inner.bytes() };
        let files = vec![letter("四平市工信局报送专项课题的报告.pdf"), self.summary("四平市工业和信息化局", &[topic])?, forwarded];
        Ok(mail("03", "四平市工信局", "gxj-sp@example.cn", "转发：申报材料", "现转报我市企业专项课题1项。\n四平市工业和信息化局", files))
    }

    fn enterprise(&self) -> anyhow::Result<Eml> {
        let form = self.form(&self.topic(10)?)?;
        Ok(mail("05", "何平", "heping@example.cn", "专项课题申报", "您好，我公司申报专项课题一项，请查收附件。", vec![form]))
    }

    /// First without a measurable parameter, with a mistyped credit code and no telephone; later corrected by reply.
    fn yanbian_defective(&self, corrected: bool) -> anyhow::Result<Eml> {
        let mut topic = self.topic(6)?;
        if corrected {
            topic.insert("params".to_owned(), "胶原肽得率≥20%；分子量≤1000Da占比≥85%；苦腥味评分≤1.5分".to_owned());
            let mut reply = mail(
                "13",
                "延边州工信局",
                "gxj-yb@example.cn",
                "回复：【自动回执】已收到专项课题材料",
                "更正后的附件1见附件。",
                vec![self.form(&topic)?],
            );
            reply.headers.push(("In-Reply-To".to_owned(), "<07@example.cn>".to_owned()));
            return Ok(reply);
        }
        topic.insert("uscc".to_owned(), topic.get("uscc").map(|code| code.replacen('0', "O", 1)).unwrap_or_default());
        topic.remove("phone");
        let files = vec![
            letter("延边州工信局关于报送专项课题的函.pdf"),
            self.summary("延边朝鲜族自治州工业和信息化局", std::slice::from_ref(&topic))?,
            self.form(&topic)?,
        ];
        Ok(mail("07", "延边州工信局", "gxj-yb@example.cn", "延边州工信局报送专项课题", "请查收。", files))
    }

    /// One row has no form, one form has no row, one telephone number differs.
    fn tonghua_mismatch(&self) -> anyhow::Result<Eml> {
        let (first, second, extra) = (self.topic(7)?, self.topic(8)?, self.topic(12)?);
        let mut row = first.clone();
        row.insert("phone".to_owned(), "13900009999".to_owned());
        let files = vec![
            letter("通化医药高新区管委会关于报送专项课题的函.pdf"),
            self.summary("通化医药高新技术产业开发区管委会", &[row, extra])?,
            self.form(&first)?,
            self.form(&second)?,
        ];
        Ok(mail("08", "通化医药高新区", "gxq-th@example.cn", "通化医药高新区专项课题（2项）", "请查收。", files))
    }

    /// The form that mail 08 lacked.
    fn tonghua_late_form(&self) -> anyhow::Result<Eml> {
        let files = vec![self.form(&self.topic(12)?)?];
        Ok(mail("17", "通化医药高新区", "gxq-th@example.cn", "补报附件1", "补报上次缺少的附件1，请查收。", files))
    }

    /// A topic of mail 08 once more, by the city's bureau.
    fn tonghua_city_same_topic(&self) -> anyhow::Result<Eml> {
        let topic = self.topic(7)?;
        let files = vec![
            letter("通化市工信局关于报送专项课题的函.pdf"),
            self.summary("通化市工业和信息化局", std::slice::from_ref(&topic))?,
            self.form(&topic)?,
        ];
        Ok(mail("18", "通化市工信局", "gxj-th@example.cn", "通化市工信局专项课题（1项）", "请查收。", files))
    }

    fn damaged(&self) -> anyhow::Result<Eml> {
        let topic = self.topic(11)?;
        let mut form = self.form(&topic)?;
        form.bytes.truncate(form.bytes.len() / 2);
        Ok(mail("14", "白城市工信局", "gxj-bc@example.cn", "白城市工信局报送专项课题", "请查收附件。", vec![form]))
    }

    fn county(&self) -> anyhow::Result<Eml> {
        let topic = self.topic(9)?;
        let files = vec![self.summary("农安县工业和信息化局", std::slice::from_ref(&topic))?, self.form(&topic)?];
        Ok(mail("15", "农安县工信局", "gxj-na@example.cn", "农安县工信局报送专项课题", "请查收。", files))
    }

    fn university(&self) -> anyhow::Result<Eml> {
        let topic = self.topic(11)?;
        let files = vec![
            letter("净月高新区关于报送专项课题的函.pdf"),
            self.summary("长春净月高新技术产业开发区", std::slice::from_ref(&topic))?,
            self.form(&topic)?,
        ];
        Ok(mail("16", "净月高新区", "jingyue@example.cn", "净月高新区专项课题（1项）", "请查收。", files))
    }
}

/// A division's orders, as an answer to the letter that told it of these topics: it takes the first and asks to amend the second.
#[must_use]
pub fn division_reply(from: &str, subject: &str, numbers: &[String]) -> Vec<u8> {
    let orders = ["受理 {}", "补正 {} 请补充国际同类产品的对标数据"];
    let lines: Vec<String> = orders.iter().zip(numbers).map(|(order, number)| order.replace("{}", number)).collect();
    mail("division", "值班员", from, &format!("回复：{subject}"), &lines.join("\n"), Vec::new()).bytes()
}

fn numbered(row: &Fields, no: usize) -> Fields {
    let mut row = row.clone();
    row.insert("no".to_owned(), no.to_string());
    row
}

fn mail(id: &str, name: &str, from: &str, subject: &str, text: &str, files: Vec<Attached>) -> Eml {
    Eml {
        from_name: name.to_owned(),
        from: from.to_owned(),
        to: MAILBOX.to_owned(),
        subject: subject.to_owned(),
        date: "Thu, 15 Aug 2024 09:02:03 +0800".to_owned(),
        id: id.to_owned(),
        headers: Vec::new(),
        text: text.to_owned(),
        files,
    }
}

/// A one-page PDF without text, as a scanner makes it.
fn letter(name: &str) -> Attached {
    let pdf = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
               3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
    Attached { name: name.to_owned(), media_type: "application/pdf", bytes: pdf.as_bytes().to_vec() }
}

/// A zip as Windows makes it: names in GBK, no flag that says so.
fn gbk_zip(files: &[Attached]) -> anyhow::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut placeholders = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let (name, _, _) = encoding_rs::GB18030.encode(&file.name);
        // The writer takes UTF-8 names only: write an ASCII name of the same length, then put the GBK bytes in its place.
        let placeholder: Vec<u8> = format!("{index:02}").bytes().chain(std::iter::repeat(b'_')).take(name.len()).collect();
        zip.start_file(String::from_utf8_lossy(&placeholder), SimpleFileOptions::default())?;
        zip.write_all(&file.bytes)?;
        placeholders.push((placeholder, name.into_owned()));
    }
    let mut bytes = zip.finish()?.into_inner();
    for (placeholder, name) in placeholders {
        let positions: Vec<usize> =
            bytes.windows(placeholder.len()).enumerate().filter(|(_, window)| *window == placeholder).map(|(at, _)| at).collect();
        for at in positions {
            if let Some(slot) = bytes.get_mut(at..at + name.len()) {
                slot.copy_from_slice(&name);
            }
        }
    }
    Ok(bytes)
}

fn auto_reply() -> Eml {
    let mut eml = mail("04", "值班", "duty@example.cn", "自动回复：专项课题", "您好，我正在出差，回来后尽快回复您。", Vec::new());
    eml.headers.push(("Auto-Submitted".to_owned(), "auto-replied".to_owned()));
    eml
}

fn bounce() -> Eml {
    mail("09", "Postmaster", "Postmaster@163.com", "系统退信/The email is returned", "抱歉，您的邮件被退回：收件人不存在。", Vec::new())
}

fn question() -> Eml {
    mail("10", "赵敏", "zhaomin@example.cn", "咨询专项课题申报", "您好，请问附件1的技术参数是否必须填写三项以上？谢谢。", Vec::new())
}

fn link() -> Eml {
    let text = "材料较大，请从链接下载。\n\n从QQ邮箱发来的超大附件\n\n白山市专项课题材料.rar (120.5M, 2024年08月30日 10:00 到期)\n进入下载页面：http://mail.qq.com/cgi-bin/ftnExs_download?t=exs_ftn_download&k=0&code=demo\n\n白山市工业和信息化局";
    mail("11", "白山市工信局", "gxj-bs@example.cn", "白山市工信局报送专项课题", text, Vec::new())
}

fn newsletter() -> Eml {
    let mut eml = mail("12", "行业资讯", "news@example.cn", "每周行业资讯", "本周要闻……", Vec::new());
    eml.headers.push(("List-Unsubscribe".to_owned(), "<mailto:leave@example.cn>".to_owned()));
    eml.headers.push(("Precedence".to_owned(), "bulk".to_owned()));
    eml
}

#[cfg(test)]
mod tests {
    #[test]
    fn there_are_enough_varied_sample_mails() {
        let mails = super::mails().unwrap();
        assert!(mails.len() >= 12);
        assert_eq!(mails[0].1, mails[5].1, "the sixth is the first once more");
    }
}
