//! A form of the catalogue as a Word document: blank for people to fill in, or filled, in a layout that the reader takes back without loss.

use std::{collections::BTreeMap, io::Cursor};

use docx_rs::{
    AlignmentType, Docx, HeightRule, PageMargin, Paragraph, Run, RunFonts, Shading, Table, TableAlignmentType, TableCell, TableLayoutType,
    TableRow, VAlignType, WidthType,
};

use super::catalogue::{Field, FieldKind, Form, Layout};
use crate::domain::folding;

/// A4 (210 mm × 297 mm) and its margins, in twips (1/1440 inch).
const PAGE_TWIPS: (u32, u32) = (11_906, 16_838);
const MARGIN_TWIPS: i32 = 1_247;
/// Columns: label, value, label, value.
const COLUMNS_TWIPS: [usize; 4] = [1_700, 3_006, 1_700, 3_006];
/// Height of a row, and of one for several sentences.
const ROW_TWIPS: f32 = 480.0;
const LONG_ROW_TWIPS: f32 = 1_700.0;
/// Sizes in half points: 二号 for the title, 五号 for the table, 小五 for hints.
const TITLE_HALF_POINTS: usize = 36;
const TEXT_HALF_POINTS: usize = 21;
const HINT_HALF_POINTS: usize = 18;
const SECTION_SHADE: &str = "E7E6E6";

/// A form of [`super::catalogue::Shape::Form`] as .docx, filled with `values` by field key.
///
/// # Errors
/// The writer's own sentence.
pub fn blank_docx(form: &Form, values: &BTreeMap<String, String>) -> Result<Vec<u8>, String> {
    let mut rows = Vec::new();
    let mut section = None;
    let mut half: Option<&Field> = None;
    for field in &form.fields {
        if field.section != section {
            rows.extend(half.take().map(|field| single(field, values)));
            section.clone_from(&field.section);
            rows.extend(section.as_deref().map(heading));
        }
        match (field.layout, half.take()) {
            (Layout::Half, Some(left)) => rows.push(pair(left, field, values)),
            (Layout::Half, None) => half = Some(field),
            (_, left) => {
                rows.extend(left.map(|left| single(left, values)));
                rows.push(single(field, values));
            }
        }
    }
    rows.extend(half.map(|field| single(field, values)));
    let table = Table::new(rows).set_grid(COLUMNS_TWIPS.to_vec()).layout(TableLayoutType::Fixed).align(TableAlignmentType::Center);
    let fonts = RunFonts::new().ascii("Times New Roman").hi_ansi("Times New Roman").east_asia("宋体");
    let margin = PageMargin {
        top: MARGIN_TWIPS,
        bottom: MARGIN_TWIPS,
        left: MARGIN_TWIPS,
        right: MARGIN_TWIPS,
        header: 720,
        footer: 720,
        gutter: 0,
    };
    let title = Run::new().add_text(form.title.as_str()).size(TITLE_HALF_POINTS).bold();
    let mut file = Cursor::new(Vec::new());
    Docx::new()
        .page_size(PAGE_TWIPS.0, PAGE_TWIPS.1)
        .page_margin(margin)
        .default_fonts(fonts)
        .default_size(TEXT_HALF_POINTS)
        .add_paragraph(Paragraph::new().add_run(Run::new().add_text(form.called.as_str())))
        .add_paragraph(Paragraph::new().add_run(title).align(AlignmentType::Center))
        .add_table(table)
        .build()
        .pack(&mut file)
        .map_err(|error| error.to_string())?;
    Ok(file.into_inner())
}

fn pair(left: &Field, right: &Field, values: &BTreeMap<String, String>) -> TableRow {
    let cells = vec![label_cell(left), value_cell(left, values, 1), label_cell(right), value_cell(right, values, 1)];
    TableRow::new(cells).row_height(ROW_TWIPS).height_rule(HeightRule::AtLeast)
}

fn single(field: &Field, values: &BTreeMap<String, String>) -> TableRow {
    let height = if field.layout == Layout::Below { LONG_ROW_TWIPS } else { ROW_TWIPS };
    TableRow::new(vec![label_cell(field), value_cell(field, values, 3)]).row_height(height).height_rule(HeightRule::AtLeast)
}

/// A shaded row across the table: 一、基本信息.
fn heading(section: &str) -> TableRow {
    let text = Paragraph::new().add_run(Run::new().add_text(section).bold());
    let shade = Shading::new().fill(SECTION_SHADE);
    let width = COLUMNS_TWIPS.iter().sum();
    let cell = TableCell::new().add_paragraph(text).grid_span(4).width(width, WidthType::Dxa).shading(shade);
    TableRow::new(vec![cell]).row_height(ROW_TWIPS).height_rule(HeightRule::AtLeast)
}

fn label_cell(field: &Field) -> TableCell {
    let star = if field.need == super::catalogue::Need::Required { "*" } else { "" };
    let label = Run::new().add_text(format!("{star}{}", field.label)).bold();
    let mut cell = TableCell::new()
        .width(COLUMNS_TWIPS.iter().copied().next().unwrap_or_default(), WidthType::Dxa)
        .vertical_align(VAlignType::Center)
        .add_paragraph(Paragraph::new().add_run(label).align(AlignmentType::Center));
    if let Some(hint) = &field.hint {
        let hint = Run::new().add_text(format!("（{hint}）")).size(HINT_HALF_POINTS);
        cell = cell.add_paragraph(Paragraph::new().add_run(hint).align(AlignmentType::Center));
    }
    cell
}

fn value_cell(field: &Field, values: &BTreeMap<String, String>, columns: usize) -> TableCell {
    let value = values.get(&field.key).map(|value| folding::clean(value)).unwrap_or_default();
    let text = if field.choices.is_empty() { shown(field, value) } else { boxes(field, &value) };
    let width = COLUMNS_TWIPS.iter().skip(1).take(columns).sum();
    let cell = TableCell::new().width(width, WidthType::Dxa).vertical_align(VAlignType::Center);
    let cell = if columns > 1 { cell.grid_span(columns) } else { cell };
    text.split('\n').fold(cell, |cell, line| cell.add_paragraph(paragraph(line)))
}

/// A blank pledge or opinion asks for seal and date; the reader knows them for an empty signature block.
fn shown(field: &Field, value: String) -> String {
    let is_signed = field.hint.as_deref().is_some_and(|hint| hint.contains("盖章"));
    if value.is_empty() && is_signed { "\n\n（盖章）\n　　　　年　　月　　日".to_owned() } else { value }
}

/// A row of boxes, those chosen checked; what is no choice of the catalogue gets a box of its own.
fn boxes(field: &Field, value: &str) -> String {
    let chosen: Vec<&str> = value.split(['、', '\n']).map(str::trim).filter(|text| !text.is_empty()).collect();
    let is = |a: &str, b: &str| folding::fold_words(a) == folding::fold_words(b);
    let known = field.choices.iter().map(|choice| (choice.as_str(), chosen.iter().any(|text| is(text, choice))));
    let other = chosen.iter().filter(|text| !field.choices.iter().any(|choice| is(text, choice))).map(|text| (*text, true));
    // One of an enumeration may be written in a sentence of its own.
    let options: Vec<(&str, bool)> = match field.kind {
        FieldKind::Enum if chosen.len() > 1 => known.map(|(choice, _)| (choice, false)).chain([(value, true)]).collect(),
        _ => known.chain(other).collect(),
    };
    options.iter().map(|(text, checked)| format!("{}{text}", if *checked { '☑' } else { '☐' })).collect::<Vec<_>>().join("　")
}

fn paragraph(line: &str) -> Paragraph {
    let mut run = Run::new();
    for (number, piece) in line.split('\t').enumerate() {
        run = if number > 0 { run.add_tab() } else { run };
        run = run.add_text(piece);
    }
    Paragraph::new().add_run(run)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        forms::{FormReading, catalogue::Catalogue, read_file},
        limits::Limits,
        parts::FileType,
    };

    fn written_and_read(values: &BTreeMap<String, String>) -> FormReading {
        let catalogue = Catalogue::shipped();
        let bytes = blank_docx(catalogue.form("annex1").unwrap(), values).unwrap();
        read_file(FileType::Docx, &bytes, &catalogue, &Limits::default()).unwrap().unwrap()
    }

    #[test]
    fn a_blank_form_is_recognised_as_blank() {
        let reading = written_and_read(&BTreeMap::new());
        assert_eq!(reading.blank_form.as_deref(), Some("annex1"));
        assert_eq!(reading.records, []);
    }

    #[test]
    fn choices_come_back_as_they_were_chosen() {
        let values = [
            ("topic_title", "高寒造雪机研制"),
            ("topic_type", "关键共性技术、填补空白、军民两用技术"),
            ("mode", "联合高校院所"),
            ("org_kind", "民营企业"),
        ];
        let values = values.map(|(key, text)| (key.to_owned(), text.to_owned())).into();
        let reading = written_and_read(&values);
        let read: BTreeMap<String, String> =
            reading.records[0].values.iter().map(|(key, value)| (key.clone(), value.text.clone())).collect();
        assert_eq!(read, values);
    }

    /// Text as people type it: several lines, figures, entities, brackets, full width; no label and no check box.
    fn typed() -> impl Strategy<Value = String> {
        "[造雪机能耗低温试验样品钢膜层][造雪机能耗低温试验样品钢膜层0-9a-zA-Z≥%&<>\"'＜（）()，。；、：“”Ⅲ①℃±～🚄𠮷\t\n -]{0,60}[造雪钢膜层0-9%。]"
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn what_is_written_into_a_form_is_read_from_it(
            title in typed(),
            some in proptest::collection::btree_map(0_usize..34, typed(), 0..34),
        ) {
            let catalogue = Catalogue::shipped();
            let fields = &catalogue.form("annex1").unwrap().fields;
            let mut values: BTreeMap<String, String> = some
                .into_iter()
                .filter_map(|(at, text)| fields.get(at).filter(|field| field.choices.is_empty()).map(|field| (field.key.clone(), folding::clean(&text))))
                .collect();
            values.insert("topic_title".to_owned(), folding::clean(&title));
            let reading = written_and_read(&values);
            let read: BTreeMap<String, String> = reading.records.iter().flat_map(|record| &record.values).map(|(key, value)| (key.clone(), value.text.clone())).collect();
            prop_assert_eq!(read, values);
            prop_assert_eq!(reading.records.len(), 1);
        }
    }
}
