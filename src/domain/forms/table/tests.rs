//! Laws of reading summary tables, on grids written as text: `|` between cells, `>` a cell merged with the one at its left,
//! `^` one merged with the one above.

use super::*;
use crate::domain::forms::{catalogue::Catalogue, grid::Cell};

fn grid(lines: &[&str]) -> Grid {
    let mut cells: Vec<Cell> = Vec::new();
    for (row, line) in (0_u32..).zip(lines) {
        for (column, text) in (0_u32..).zip(line.split('|').map(str::trim)) {
            let at = |cell: &&mut Cell, row: u32, column: u32| {
                (cell.row..cell.row + cell.row_span).contains(&row) && (cell.column..cell.column + cell.column_span).contains(&column)
            };
            match text {
                "" => {}
                ">" => {
                    let left = cells.iter_mut().find(|cell| at(cell, row, column - 1)).unwrap();
                    left.column_span = left.column_span.max(column - left.column + 1);
                }
                "^" => {
                    let above = cells.iter_mut().find(|cell| at(cell, row - 1, column)).unwrap();
                    above.row_span = row - above.row + 1;
                }
                text => cells.push(Cell { row, column, row_span: 1, column_span: 1, text: text.replace("\\n", "\n"), ..Cell::default() }),
            }
        }
    }
    Grid { name: "Sheet1".to_owned(), cells, ..Grid::default() }
}

fn reading_of(tables: Vec<Grid>) -> TableReading {
    let catalogue = Catalogue::shipped();
    read(&tables.iter().collect::<Vec<_>>(), &[], catalogue.form("annex2").unwrap())
}

fn read_lines(lines: &[&str]) -> TableReading {
    reading_of(vec![grid(lines)])
}

fn texts<'r>(reading: &'r TableReading, key: &str) -> Vec<&'r str> {
    reading.records.iter().map(|record| record.values.get(key).map_or("-", |value| value.text.as_str())).collect()
}

#[test]
fn a_plain_table_gives_its_rows_with_their_places() {
    let reading = read_lines(&[
        "专项课题汇总表 | > | > | > | >",
        "填报单位（盖章）：长春市工信局 | > | > | 填报日期：2024年8月15日 | >",
        "序号 | 课题名称 | 申报单位 | 联系人 | 联系电话",
        "1 | 造雪机研制 | 甲公司 | 张三 | 13900001234",
        "2 | 转向架研制 | 乙公司 | 李四 | 13800001234",
    ]);
    assert_eq!(texts(&reading, "topic_title"), ["造雪机研制", "转向架研制"]);
    assert_eq!(reading.records[1].place, "Sheet1!A5:E5");
    assert_eq!(reading.records[1].values["phone"].place, "Sheet1!E5");
    assert_eq!(reading.heading["bureau"].text, "长春市工信局");
    assert_eq!(reading.heading["bureau"].place, "Sheet1!A2");
    assert_eq!(reading.heading["filled_on"].place, "Sheet1!D2");
    assert!(reading.lines.iter().any(|line| line.contains("汇总表")));
}

#[test]
fn a_header_of_two_rows_names_its_columns_by_both() {
    for header in [
        [
            "序号 | 课题名称 | 申报单位 | > | 联系方式 | > | 总投资（万元） | >",
            "^ | ^ | 名称 | 统一社会信用代码 | 联系人 | 电话 | 自筹 | 合计",
        ],
        ["序号 | 课题名称 | 申报单位 |  | 联系方式 |  | 总投资（万元） | ", " |  | 名称 | 统一社会信用代码 | 联系人 | 电话 | 自筹 | 合计"],
    ] {
        let reading = read_lines(&[
            "汇总表 | > | > | > | > | > | > | >",
            header[0],
            header[1],
            "1 | 造雪机研制 | 甲公司 | 9122 | 张三 | 139 | 20 | 300",
        ]);
        assert_eq!(texts(&reading, "applicant"), ["甲公司"]);
        assert_eq!(texts(&reading, "uscc"), ["9122"]);
        assert_eq!(texts(&reading, "contact"), ["张三"]);
        assert_eq!(texts(&reading, "phone"), ["139"]);
        assert_eq!(texts(&reading, "invest"), ["300"]);
        assert_eq!(reading.records[0].values["invest"].unit.as_deref(), Some("万元"));
    }
}

#[test]
fn values_merged_down_belong_to_every_topic_they_reach() {
    let reading = read_lines(&[
        "序号 | 推荐单位 | 课题名称 | 申报单位 | 联系电话",
        "1 | 长春市工信局 | 造雪机研制 | 甲公司 | 139",
        "2 | ^ | 转向架研制 | ^ | 138",
        "3 | 通化市工信局 | 人参饮料研制 | 乙公司 | 137",
    ]);
    assert_eq!(texts(&reading, "bureau"), ["长春市工信局", "长春市工信局", "通化市工信局"]);
    assert_eq!(texts(&reading, "applicant"), ["甲公司", "甲公司", "乙公司"]);
    assert_eq!(reading.records[1].values["applicant"].place, "Sheet1!D2");
}

#[test]
fn a_title_merged_down_over_its_parameters_is_one_topic() {
    let reading = read_lines(&[
        "序号 | 课题名称 | 申报单位 | 主要技术参数",
        "1 | 造雪机研制 | 甲公司 | 出雪量≥80m³/h",
        "^ | ^ | ^ | 能耗≤3kWh/m³",
        "2 | 转向架研制 | 乙公司 | 寿命≥30年",
    ]);
    assert_eq!(texts(&reading, "params"), ["出雪量≥80m³/h\n能耗≤3kWh/m³", "寿命≥30年"]);
}

#[test]
fn examples_totals_notes_signatures_and_blank_numbers_are_no_topics() {
    let reading = read_lines(&[
        "序号 | 课题名称 | 申报单位 | 联系人 | 联系电话 | 备注",
        "（1） | （2） | （3） | （4） | （5） | （6）",
        "示例 | 高速动车组研制 | 某公司 | 王某 | 131 | ",
        "1 | 造雪机研制 | 甲公司 | 张三 | 139 | ",
        "一、通化市 | > | > | > | > | >",
        "2 | 转向架研制 | 乙公司 | 李四 | 138 | ",
        "9 | 某产品研制 | 某单位 | 某某 | 130 | 样例",
        "3 |  |  |  |  | ",
        "合计 | 2项 |  |  |  | ",
        "注：1.每项课题填写一行 | > | > | > | > | >",
        "2.联系电话填写手机 | > | > | > | > | >",
        "填报人：赵六 | > | 联系电话：0431-88970710 | > | 填报日期：2024年8月15日 | >",
    ]);
    assert_eq!(texts(&reading, "topic_title"), ["造雪机研制", "转向架研制"]);
    assert_eq!(reading.heading["contact"].text, "赵六");
    assert_eq!(reading.heading["phone"].text, "0431-88970710");
    assert_eq!(reading.notes, Vec::<String>::new());
}

#[test]
fn a_header_printed_again_is_no_topic_and_may_change_the_order() {
    let reading = read_lines(&[
        "序号 | 课题名称 | 申报单位 | 联系人",
        "1 | 造雪机研制 | 甲公司 | 张三",
        "序号 | 课题名称 | 申报单位 | 联系人",
        "2 | 转向架研制 | 乙公司 | 李四",
        "序号 | 申报单位 | 课题名称 | 联系人",
        "3 | 丙公司 | 激光器研制 | 王五",
    ]);
    assert_eq!(texts(&reading, "topic_title"), ["造雪机研制", "转向架研制", "激光器研制"]);
    assert_eq!(texts(&reading, "applicant"), ["甲公司", "乙公司", "丙公司"]);
}

#[test]
fn the_unit_of_money_is_told_beside_the_senders_text() {
    let reading = read_lines(&[
        "单位：亿元 | > | > | > | >",
        "序号 | 课题名称 | 申报单位 | 总投资 | 预期经济效益",
        "1 | 造雪机研制 | 甲公司 | 1.2 | 3",
        "2 | 转向架研制 | 乙公司 | 1200万元 | 新增产值5亿元",
    ]);
    let unit = |row: usize, key: &str| reading.records[row].values[key].unit.clone();
    assert_eq!(unit(0, "invest").as_deref(), Some("亿元"));
    assert_eq!(unit(0, "benefit").as_deref(), Some("亿元"));
    assert_eq!(unit(1, "invest"), None);
    assert_eq!(unit(1, "benefit"), None);
    assert_eq!(unit(0, "topic_title"), None);
}

#[test]
fn a_joint_column_is_split_and_so_is_a_joint_cell() {
    let reading = read_lines(&[
        "序号 | 课题名称 | 申报单位 | 联系人及电话",
        "1 | 造雪机研制 | 甲公司 | 张三 13900001234",
        "2 | 转向架 | 乙公司 | 李四",
    ]);
    assert_eq!(texts(&reading, "contact"), ["张三", "李四"]);
    assert_eq!(texts(&reading, "phone"), ["13900001234", "-"]);
    let reading = read_lines(&["序号 | 课题名称 | 申报单位 | 联系方式", "1 | 造雪机研制 | 甲公司 | 张三\\n0431-88970710"]);
    assert_eq!((texts(&reading, "contact"), texts(&reading, "phone")), (vec!["张三"], vec!["0431-88970710"]));
}

#[test]
fn hidden_rows_and_columns_are_read_and_flagged_and_hidden_sheets_give_nothing() {
    let mut sheet = grid(&["序号 | 课题名称 | 申报单位 | 联系人", "1 | 造雪机研制 | 甲公司 | 张三", "2 | 转向架研制 | 乙公司 | 李四"]);
    sheet.hidden_rows = vec![2];
    sheet.hidden_columns = vec![3];
    let mut hidden = sheet.clone();
    hidden.hidden = true;
    hidden.name = "草稿".to_owned();
    let reading = reading_of(vec![hidden, sheet]);
    assert_eq!(reading.records.len(), 2);
    assert!(!reading.records[0].values["topic_title"].hidden);
    assert!(reading.records[0].values["contact"].hidden);
    assert!(reading.records[1].values["topic_title"].hidden);
    assert!(reading.notes.iter().any(|note| note.contains("草稿")));
    assert!(reading.notes.iter().any(|note| note.contains("1项课题在隐藏的行中")));
}

#[test]
fn a_form_of_labels_and_values_is_no_table() {
    let form = read_lines(&[
        "专项课题申报表 | > | > | > | > | >",
        "课题名称 | 造雪机研制 | > | > | > | >",
        "申报单位 | 甲公司 | 联系人 | 张三 | 联系电话 | 139",
        "所属产业 | 装备 | 总投资（万元） | 300 | 攻关周期 | 2年",
    ]);
    assert!(!form.is_table);
    let blank = read_lines(&["课题名称 | | 申报单位 | | 联系人 |", "联系电话 | | 所属产业 | | 备注 |"]);
    assert!(!blank.is_table);
}

#[test]
fn a_table_without_rows_is_a_table_without_topics() {
    let reading = read_lines(&["序号 | 课题名称 | 申报单位 | 联系人", "1 | | | ", "2 | | | "]);
    assert!(reading.is_table && reading.records.is_empty());
}

#[test]
fn a_word_table_goes_on_over_pages() {
    let mut first = grid(&["序号 | 课题名称 | 申报单位 | 联系人", "1 | 造雪机研制 | 甲公司 | 张三"]);
    let mut second = grid(&["2 | 转向架研制 | 乙公司 | 李四"]);
    for (number, table) in [(1, &mut first), (2, &mut second)] {
        table.kind = GridKind::WordTable;
        table.name = format!("table {number}");
    }
    let reading = reading_of(vec![first, second]);
    assert_eq!(texts(&reading, "topic_title"), ["造雪机研制", "转向架研制"]);
    assert_eq!(reading.records[1].place, "table 2 R1");
    assert_eq!(reading.records[1].values["topic_title"].place, "table 2 R1C2");
}
