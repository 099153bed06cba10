//! `annexd export`: the database as JSON Lines, CSV or a workbook.

use std::{fs::File, io::Write, path::Path};

use anyhow::Context as _;
use rust_xlsxwriter::{Format, Workbook};
use serde_json::Value;

use super::{
    cli::{ExportFormat, ExportWhat},
    progress,
};
use crate::edge::store::Store;

/// Rows fetched at a time, so that memory stays flat.
const PAGE: u32 = 500;
/// Characters of one cell; Excel's own limit is 32 767.
const CELL_MAX_CHARS: usize = 32_000;

/// Writes all rows to `out`, or to standard output.
///
/// # Errors
/// When the store cannot be read or the output cannot be written.
pub async fn export(store: &Store, what: ExportWhat, format: ExportFormat, out: Option<&Path>) -> anyhow::Result<()> {
    let mut sink = Sink::new(format, out)?;
    let bar = progress(usize::try_from(total(store, what).await?).unwrap_or(usize::MAX), "导出");
    let mut after = 0;
    loop {
        let page = page(store, what, after).await?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        for (_, row) in &page {
            sink.row(row)?;
        }
        // Findings of one topic share its key.
        bar.inc(page.chunk_by(|(one, _), (next, _)| one == next).count() as u64);
    }
    bar.finish_and_clear();
    sink.finish(out)
}

/// How many keys there are to go through.
async fn total(store: &Store, what: ExportWhat) -> anyhow::Result<u64> {
    Ok(match what {
        ExportWhat::Topics | ExportWhat::Findings => store.topic_counts().await?.iter().map(|topics| topics.count).sum(),
        ExportWhat::Messages => store.mail_counts().await?.iter().map(|mails| mails.count).sum(),
        ExportWhat::Letters => store.letter_counts().await?.iter().map(|letters| letters.count).sum(),
    })
}

async fn page(store: &Store, what: ExportWhat, after: i64) -> anyhow::Result<Vec<(i64, Value)>> {
    Ok(match what {
        ExportWhat::Topics => store.export_topics(after, PAGE).await?,
        ExportWhat::Messages => store.export_messages(after, PAGE).await?,
        ExportWhat::Letters => store.export_letters(after, PAGE).await?,
        ExportWhat::Findings => store.export_findings(after, PAGE).await?,
    })
}

enum Sink {
    Jsonl(Box<dyn Write>),
    Csv { out: Box<dyn Write>, header: bool },
    Xlsx { workbook: Box<Workbook>, row: u32 },
}

impl Sink {
    fn new(format: ExportFormat, out: Option<&Path>) -> anyhow::Result<Self> {
        if format == ExportFormat::Xlsx {
            let mut workbook = Workbook::new();
            workbook.add_worksheet();
            return Ok(Self::Xlsx { workbook: Box::new(workbook), row: 0 });
        }
        let writer: Box<dyn Write> = match out {
            Some(path) => {
                Box::new(std::io::BufWriter::new(File::create(path).with_context(|| format!("{} cannot be written", path.display()))?))
            }
            None => Box::new(std::io::BufWriter::new(std::io::stdout())),
        };
        Ok(if format == ExportFormat::Csv { Self::Csv { out: writer, header: false } } else { Self::Jsonl(writer) })
    }

    fn row(&mut self, row: &Value) -> anyhow::Result<()> {
        let Value::Object(columns) = row else { return Ok(()) };
        match self {
            Self::Jsonl(out) => writeln!(out, "{row}")?,
            Self::Csv { out, header } => {
                if !std::mem::replace(header, true) {
                    // The mark tells Excel that the file is UTF-8.
                    out.write_all("\u{FEFF}".as_bytes())?;
                    writeln!(out, "{}", columns.keys().map(|name| csv_cell(name)).collect::<Vec<_>>().join(","))?;
                }
                writeln!(out, "{}", columns.values().map(|value| csv_cell(&cell_text(value))).collect::<Vec<_>>().join(","))?;
            }
            Self::Xlsx { workbook, row } => {
                let sheet = workbook.worksheet_from_index(0)?;
                if *row == 0 {
                    for (column, name) in (0_u16..).zip(columns.keys()) {
                        sheet.write_string_with_format(0, column, name, &Format::new().set_bold())?;
                    }
                    sheet.set_freeze_panes(1, 0)?;
                }
                *row += 1;
                for (column, value) in (0_u16..).zip(columns.values()) {
                    sheet.write_string(*row, column, cell_text(value).chars().take(CELL_MAX_CHARS).collect::<String>())?;
                }
            }
        }
        Ok(())
    }

    fn finish(self, path: Option<&Path>) -> anyhow::Result<()> {
        match self {
            Self::Jsonl(mut out) | Self::Csv { mut out, .. } => out.flush()?,
            Self::Xlsx { mut workbook, .. } => {
                let bytes = workbook.save_to_buffer()?;
                match path {
                    Some(path) => std::fs::write(path, bytes).with_context(|| format!("{} cannot be written", path.display()))?,
                    None => std::io::stdout().write_all(&bytes)?,
                }
            }
        }
        Ok(())
    }
}

fn cell_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// RFC 4180 quoting; a foreign text that a spreadsheet would take for a formula gets an apostrophe in front.
fn csv_cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_in_foreign_text_is_neutralised() {
        assert_eq!(csv_cell("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(csv_cell("-3.5"), "-3.5");
        assert_eq!(csv_cell("a,b"), "\"a,b\"");
    }
}
