use annexd::domain::{
    forms::{blank_xlsx::blank_xlsx, catalogue::Catalogue, sheets, table},
    limits::Limits,
    parts::FileType,
};
use std::collections::BTreeMap;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let cat = Catalogue::shipped();
    let form = cat.form("annex2").unwrap();
    if args[1] == "blank" {
        let h = BTreeMap::from([("bureau".to_owned(), "长春市工业和信息化局".to_owned())]);
        std::fs::write(&args[2], blank_xlsx(form, &h, &[]).unwrap()).unwrap();
        let row = |n: u32| {
            BTreeMap::from(
                [
                    ("no", n.to_string()),
                    ("topic_title", "高寒滑雪场智能造雪机研制".into()),
                    ("applicant", "长春示例机械有限公司".into()),
                    ("uscc", "912201001234567890".into()),
                    ("phone", "043188970710".into()),
                    ("contact", "张三".into()),
                    ("params", "峰值效率≥95%；质量≤780kg；寿命≥1万小时".into()),
                    ("problem", "进口依赖，断供风险".into()),
                ]
                .map(|(a, b)| (a.to_owned(), b)),
            )
        };
        std::fs::write(&args[3], blank_xlsx(form, &h, &[row(1), row(2)]).unwrap()).unwrap();
        return;
    }
    for path in &args[2..] {
        let ty: FileType = serde_json::from_str(&format!("\"{}\"", args[1])).unwrap();
        let t = std::time::Instant::now();
        match sheets::read_workbook(ty, &std::fs::read(path).unwrap(), &Limits::default()) {
            Ok(doc) => {
                let r = table::read(&doc, form);
                println!(
                    "{path}: {:#?}\n{:#?} {:?}",
                    doc.tables
                        .iter()
                        .map(|g| (&g.name, g.hidden, g.cells.len(), &g.hidden_rows, &g.hidden_columns, &g.truncated))
                        .collect::<Vec<_>>(),
                    r,
                    t.elapsed()
                );
            }
            Err(e) => println!("{path}: {e:?} {:?}", t.elapsed()),
        }
    }
}
