//! Spreadsheets made to hurt cost little: each gives a reading or a refusal, soon, within the memory a reader may take.

use std::{
    fmt::Write as _,
    fs,
    io::{Cursor, Write},
    time::{Duration, Instant},
};

use annexd::domain::{
    forms::{FormReading, ReadProblem, catalogue::Catalogue, read_file},
    limits::Limits,
    parts::FileType,
};

/// Peak of a reader's resident memory under the default limits.
const PEAK_MAX_MIB: u64 = 256;
/// Unoptimised; a release build is some ten times faster.
const TIME_MAX: Duration = Duration::from_secs(40);

const ROW: &str = "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>序号</t></is></c></row>";

/// An .xlsx with this content in its sheet and its table of shared strings.
fn workbook(sheet: &str, strings: &str, styles: &str) -> Vec<u8> {
    let relation = |id: u8, kind: &str, target: &str| {
        format!(
            "<Relationship Id=\"r{id}\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}\" Target=\"{target}\"/>"
        )
    };
    let relations = |inner: String| {
        format!("<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{inner}</Relationships>")
    };
    let main = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"";
    let inner = [
        relation(1, "worksheet", "worksheets/sheet1.xml"),
        relation(2, "sharedStrings", "sharedStrings.xml"),
        relation(3, "styles", "styles.xml"),
    ];
    package(&[
        ("[Content_Types].xml", "<Types/>".to_owned()),
        ("_rels/.rels", relations(relation(1, "officeDocument", "xl/workbook.xml"))),
        ("xl/workbook.xml", format!("<workbook {main}><sheets><sheet name=\"A\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>")),
        ("xl/_rels/workbook.xml.rels", relations(inner.concat())),
        ("xl/styles.xml", format!("<styleSheet {main}>{styles}</styleSheet>")),
        ("xl/sharedStrings.xml", format!("<sst {main}>{strings}</sst>")),
        ("xl/worksheets/sheet1.xml", format!("<worksheet {main}>{sheet}</worksheet>")),
    ])
}

fn package(parts: &[(&str, String)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn many_cells(count: usize, cell: impl Fn(usize) -> String) -> String {
    let mut out = String::from("<sheetData>");
    for row in 0..count.div_ceil(100) {
        write!(out, "<row r=\"{}\">", row + 1).unwrap();
        (0..100).for_each(|column| out.push_str(&cell(column)));
        out.push_str("</row>");
    }
    out + "</sheetData>"
}

fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) >> 10
}

fn read(file_type: FileType, bytes: &[u8]) -> Result<Option<FormReading>, ReadProblem> {
    read_file(file_type, bytes, &Catalogue::shipped(), &Limits::default())
}

/// The hostile files by name; made one at a time, since some are large themselves.
#[allow(clippy::too_many_lines, reason = "one arm a file")]
fn hostile(name: &str) -> (FileType, Vec<u8>) {
    let ods = |rows: &str| {
        let content = format!(
            "<office:document-content><office:body><office:spreadsheet><table:table table:name=\"A\">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
        );
        package(&[("mimetype", "application/vnd.oasis.opendocument.spreadsheet".to_owned()), ("content.xml", content)])
    };
    match name {
        "a sheet that unpacks to 300 MB" => {
            (FileType::Xlsx, workbook(&format!("<sheetData>{ROW}</sheetData>{}", " ".repeat(300 << 20)), "", ""))
        }
        "one long text in every cell" => {
            let text = format!("<si><t>{}</t></si>", "长".repeat(1 << 18));
            (FileType::Xlsx, workbook(&many_cells(200_000, |_| "<c t=\"s\"><v>0</v></c>".to_owned()), &text, ""))
        }
        "a cell in the last corner" => {
            let sheet = format!(
                "<dimension ref=\"A1:XFD1048576\"/><sheetData>{ROW}<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row></sheetData>"
            );
            (FileType::Xlsx, workbook(&sheet, "", ""))
        }
        "a million cell formats" => (
            FileType::Xlsx,
            workbook(&format!("<sheetData>{ROW}</sheetData>"), "", &format!("<cellXfs>{}</cellXfs>", "<xf/>".repeat(1_000_000))),
        ),
        "a million empty shared strings" => {
            (FileType::Xlsx, workbook(&format!("<sheetData>{ROW}</sheetData>"), &"<si><t/></si>".repeat(1_000_000), ""))
        }
        "a shared formula with an absurd number" => (
            FileType::Xlsx,
            workbook("<sheetData><row><c><f t=\"shared\" si=\"99999999999\" ref=\"A1:A9\">A1</f><v>1</v></c></row></sheetData>", "", ""),
        ),
        "merged ranges over each other" => {
            let merges = "<mergeCell ref=\"A1:XFD1048576\"/>".repeat(60_000);
            let sheet = many_cells(100_000, |_| "<c><v>1</v></c>".to_owned());
            (FileType::Xlsx, workbook(&format!("{sheet}<mergeCells>{merges}</mergeCells>"), "", ""))
        }
        "columns hidden a million times" => {
            let columns = "<col min=\"1\" max=\"16384\" hidden=\"1\"/>".repeat(300_000);
            (FileType::Xlsx, workbook(&format!("<cols>{columns}</cols><sheetData>{ROW}</sheetData>"), "", ""))
        }
        "elements in elements" => (FileType::Xlsx, workbook(&"<a>".repeat(500_000), "", "")),
        "a cell that repeats to the end of the sheet" => {
            let cell = "<table:table-cell table:number-columns-repeated=\"16384\" office:value-type=\"string\"><text:p>甲</text:p></table:table-cell>";
            (FileType::Ods, ods(&format!("<table:table-row table:number-rows-repeated=\"1048576\">{cell}</table:table-row>")))
        }
        "a long text that repeats" => {
            let cell = format!(
                "<table:table-cell table:number-columns-repeated=\"16384\" office:value-type=\"string\"><text:p>{}</text:p></table:table-cell>",
                "甲".repeat(90_000)
            );
            (FileType::Ods, ods(&format!("<table:table-row table:number-rows-repeated=\"1048576\">{cell}</table:table-row>")))
        }
        "a page of open tags" => (FileType::Html, "<b a=1><table><tr><td><p>".repeat(200_000).into_bytes()),
        "a tag of a million attributes" => (FileType::Html, format!("<table {}><tr><td>甲", "a=1 ".repeat(1_000_000)).into_bytes()),
        "cells that span everything" => {
            (FileType::Html, format!("<table>{}", "<tr><td rowspan=65534 colspan=1000>甲".repeat(100_000)).into_bytes())
        }
        "a page without an end" => (FileType::Html, "<!--".repeat(2_000_000).into_bytes()),
        "end tags that end nothing" => (FileType::Html, format!("<script>{}", "</".repeat(5_000_000)).into_bytes()),
        "ampersands" => (FileType::Html, format!("<table><tr><td>{}", "&".repeat(5_000_000)).into_bytes()),
        "a row of ten million fields" => (FileType::Csv, ",".repeat(10_000_000).into_bytes()),
        "a quote that never ends" => (FileType::Csv, format!("序号,课题名称\n\"{}", "甲,乙\n".repeat(2_000_000)).into_bytes()),
        "ten million lines" => (FileType::Csv, "1,2\n".repeat(10_000_000).into_bytes()),
        "rows hidden over each other" => {
            let row = "<Row ss:Index=\"1\" ss:Span=\"60000\" ss:Hidden=\"1\"/>".repeat(300_000);
            (FileType::Xml, format!("<Workbook xmlns:ss=\"urn:schemas-microsoft-com:office:spreadsheet\"><Worksheet ss:Name=\"A\"><Table>{row}</Table></Worksheet></Workbook>").into_bytes())
        }
        "a header in every row" => {
            let line = "序号,课题名称,申报单位,联系人,联系电话\n".repeat(20_000);
            (FileType::Csv, line.into_bytes())
        }
        other => panic!("no file called {other}"),
    }
}

const NAMES: [&str; 22] = [
    "a cell in the last corner",
    "a shared formula with an absurd number",
    "a million cell formats",
    "a million empty shared strings",
    "one long text in every cell",
    "merged ranges over each other",
    "columns hidden a million times",
    "elements in elements",
    "a cell that repeats to the end of the sheet",
    "a long text that repeats",
    "a page of open tags",
    "a tag of a million attributes",
    "cells that span everything",
    "a page without an end",
    "end tags that end nothing",
    "ampersands",
    "a row of ten million fields",
    "a quote that never ends",
    "ten million lines",
    "rows hidden over each other",
    "a header in every row",
    "a sheet that unpacks to 300 MB",
];

#[test]
fn hostile_tables_cost_little() {
    let only = std::env::var("ANNEXD_HOSTILE").ok();
    for name in NAMES.iter().filter(|name| only.as_deref().is_none_or(|only| only == **name)) {
        let (file_type, bytes) = hostile(name);
        let made_mib = peak_mib();
        let start = Instant::now();
        let result = read(file_type, &bytes);
        let took = start.elapsed();
        let outcome = match &result {
            Ok(Some(reading)) => format!("{} records, {} notes", reading.records.len(), reading.notes.len()),
            Ok(None) => "no reader".to_owned(),
            Err(problem) => format!("{problem:?}"),
        };
        println!("{name}: {} kB, {took:?}, peak {} MiB (before {made_mib}): {outcome}", bytes.len() >> 10, peak_mib());
        assert!(took < TIME_MAX, "{name} took {took:?}");
        assert!(peak_mib().saturating_sub(made_mib) < PEAK_MAX_MIB, "{name}: {} MiB", peak_mib());
    }
}
