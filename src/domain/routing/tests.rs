//! Laws of routing, over titles of every division.

use super::*;
use crate::domain::{forms::Value, reconcile::PlacedValue};

fn topic(fields: &[(&str, &str)]) -> Draft {
    let fields = fields
        .iter()
        .map(|(key, text)| {
            let value = Value { text: (*text).to_owned(), place: "table 1 R1C2".to_owned(), ..Value::default() };
            ((*key).to_owned(), PlacedValue { value, attachment: "附件1.docx".to_owned(), form: "annex1".to_owned() })
        })
        .collect();
    Draft { sources: Vec::new(), fields }
}

fn division_of(title: &str) -> Route {
    Divisions::shipped().route(&topic(&[("topic_title", title)]))
}

#[test]
fn the_shipped_table_is_in_order() {
    let table = Divisions::parse(include_str!("../../../config/divisions.toml")).unwrap();
    assert_eq!(table.entries.len(), 12);
    assert!(table.division("tech").unwrap().keywords.is_empty());
}

#[test]
fn every_mistake_of_a_table_is_reported_at_once() {
    let text = "fallback='x'\n[[pair]]\nword='a'\nwith=[]\ndivision='y'\n[[division]]\nid='a'\nname=''\ncodes=['3','36']\nqueue_at=['25:00']\nmail=['m']\n\
                [[division]]\nid='a'\nname='b'\ncodes=['36']\n";
    assert_eq!(Divisions::parse(text).unwrap_err().len(), 8);
}

#[test]
fn titles_of_every_trade_find_their_division() {
    let own = [
        ("重型卡车缓速制动系统研制", "auto"),
        ("轿车后排座椅骨架轻量化设计", "auto"),
        ("氢燃料电池电堆低温启动技术", "auto"),
        ("新能源乘用车高压线束开发", "auto"),
        ("地铁车辆永磁牵引变流器研制", "equip"),
        ("水稻钵苗高速插秧机关键技术研究", "equip"),
        ("大型立式车床静压导轨研制", "equip"),
        ("高海拔物流无人机开发", "equip"),
        ("小型压雪车静液压驱动装置研制", "equip"),
        ("己内酰胺连续重排工艺开发", "petro"),
        ("轮胎用溶聚丁苯橡胶制备技术", "petro"),
        ("电子级环氧树脂工程化", "petro"),
        ("高纯钼铁冶炼工艺", "material"),
        ("超薄光伏玻璃制造技术", "material"),
        ("轴承钢纯净化冶炼与连铸技术", "material"),
        ("注射用重组人凝血因子研制", "pharma"),
        ("骨科手术机器人导航系统", "pharma"),
        ("五味子配方颗粒质量控制技术", "pharma"),
        ("人参咀嚼片（压片糖果）代餐食品开发", "food"),
        ("稻米胚芽油低温压榨技术", "food"),
        ("猪肉火腿低盐腌制技术", "food"),
        ("汉麻混纺针织面料开发", "textile"),
        ("瓦楞纸箱防潮涂布技术", "textile"),
        ("落叶松实木家具干燥技术", "textile"),
        ("车规级碳化硅MOSFET芯片研制", "electronics"),
        ("紫外光刻胶制备技术", "electronics"),
        ("高分辨率红外探测器封装技术", "electronics"),
        ("面向铸造行业的制造执行系统研发", "software"),
        ("工业视觉缺陷识别大模型开发", "software"),
        ("焦化废水深度处理与回用技术", "green"),
        ("废旧轮胎热解资源化利用", "green"),
        ("粉状乳化炸药低温敏化技术", "civilexp"),
        ("隧道掘进用数码电子雷管研制", "civilexp"),
    ];
    let wrong: Vec<String> = own
        .iter()
        .map(|(title, division)| (title, division, division_of(title)))
        .filter(|(_, division, route)| route.division != **division)
        .map(|(title, division, route)| format!("{title}: {} instead of {division}, {:?}", route.division, route.evidence))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_product_decides_not_its_user_nor_its_raw_material() {
    assert_eq!(division_of("动车组车体用碳纤维预浸料制备技术").division, "material");
    assert_eq!(division_of("碳纤维复合材料动车组车体研制").division, "equip");
    assert_eq!(division_of("汽车保险杠用改性聚丙烯开发").division, "petro");
    assert_eq!(division_of("玉米秸秆捡拾打捆机研制").division, "equip");
    assert_eq!(division_of("玉米秸秆生物炭制备技术").division, "green");
    assert_eq!(division_of("人参皂苷注射液研制").division, "pharma");
    assert_eq!(division_of("人参植物饮料研制").division, "food");
}

#[test]
fn nothing_is_rejected_for_its_field() {
    let route = division_of("某某关键问题研究");
    assert_eq!((route.division.as_str(), route.confidence, route.routed_by), ("tech", 0.0, RoutedBy::Fallback));
    assert_eq!(division_of("").division, "tech");
}

#[test]
fn a_code_that_fits_decides_and_one_that_contradicts_is_noted() {
    let table = Divisions::shipped();
    let title = ("topic_title", "车规级激光雷达研制");
    assert_eq!(table.route(&topic(&[title])).division, "electronics");
    let fits = table.route(&topic(&[title, ("gb_code", "C3670")]));
    assert_eq!(fits.division, "auto");
    assert!(fits.evidence.contains(&"3670 (gb_code)".to_owned()));
    let contradicts = table.route(&topic(&[("topic_title", "乳化炸药研制"), ("gb_code", "1310")]));
    assert_eq!(contradicts.division, "civilexp");
    assert!(contradicts.evidence.iter().any(|evidence| evidence.starts_with("1310 (gb_code，")));
    let alone = table.route(&topic(&[("topic_title", "某项研究"), ("industry", "358 医疗仪器设备及器械")]));
    assert_eq!(alone.division, "pharma");
}

#[test]
fn the_body_speaks_where_the_title_says_nothing() {
    let route = Divisions::shipped().route(&topic(&[
        ("topic_title", "关键核心难题攻关"),
        ("problem", "现有转向架轴箱轴承寿命短，动车组检修频繁。"),
        ("product", "动车组轴箱轴承"),
    ]));
    assert_eq!(route.division, "equip");
    assert!(route.evidence.iter().any(|evidence| evidence == "轴承 (product)"), "{:?}", route.evidence);
}

#[test]
fn shares_are_bounded_and_fall_from_the_first() {
    for title in ["车规级芯片", "人参", "动车组转向架碳纤维构架", "智能系统平台"] {
        let route = division_of(title);
        let shares: Vec<f64> = route.candidates.iter().map(|candidate| candidate.score).collect();
        assert!(shares.len() <= 3 && shares.iter().sum::<f64>() <= 1.0 && shares.is_sorted_by(|a, b| a >= b), "{title} {shares:?}");
    }
}

#[test]
fn a_latin_word_counts_only_as_a_whole_word() {
    assert_eq!(division_of("sealed petal").division, "tech");
    assert_eq!(division_of("mini-LED背光").division, "electronics");
}
