//! A zip package (OOXML, OpenDocument) under limits: what its parts really unpack to is counted before any library reads them,
//! since sizes in a zip are claims.

use std::io::{BufReader, Cursor, Read};

use quick_xml::Reader;
use zip::{ZipArchive, result::ZipError};

use super::damaged;
use crate::domain::{forms::ReadProblem, limits::Limits};

/// An opened and measured package.
pub(super) struct Package<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    names: Vec<String>,
    part_max_bytes: u64,
}

/// A part as a stream of XML.
pub(super) type PartReader<'p> = Reader<BufReader<Box<dyn Read + 'p>>>;

impl<'a> Package<'a> {
    /// Opens a package and unpacks every XML part once, to nowhere, to learn its true size.
    pub(super) fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, ReadProblem> {
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|_| damaged())?;
        let most = limits.package_entries_max;
        if zip.len() > most {
            return Err(ReadProblem::Refused(format!("表格文件内部的部件超过{most}个的上限")));
        }
        let mut names = Vec::with_capacity(zip.len());
        let mut left = limits.workbook_max_bytes as u64;
        for index in 0..zip.len() {
            let mut part = match zip.by_index(index) {
                Ok(part) => part,
                Err(ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) => return Err(ReadProblem::Encrypted),
                Err(_) => return Err(damaged()),
            };
            let name = part.name().map_err(|_| damaged())?.replace('\\', "/");
            let lower = name.to_ascii_lowercase();
            if lower.ends_with(".xml") || lower.ends_with(".rels") {
                let used = measure(&mut part, left, lower.ends_with("styles.xml"), limits)?;
                left = left.saturating_sub(used);
            }
            names.push(name);
        }
        Ok(Self { zip, names, part_max_bytes: limits.sheet_max_bytes as u64 })
    }

    /// A part by name, whatever the case of its letters; `None` where there is none.
    pub(super) fn part(&mut self, name: &str) -> Option<PartReader<'_>> {
        let name = name.trim_start_matches('/');
        let index = self.names.iter().position(|own| own.trim_start_matches('/').eq_ignore_ascii_case(name))?;
        let part = self.zip.by_index(index).ok()?;
        let stream: Box<dyn Read + '_> = Box::new(part.take(self.part_max_bytes));
        Some(Reader::from_reader(BufReader::new(stream)))
    }
}

/// Counts what a part unpacks to. A part that breaks off is left to its reader.
fn measure(part: &mut impl Read, left_bytes: u64, is_styles: bool, limits: &Limits) -> Result<u64, ReadProblem> {
    let mut buffer = [0_u8; 16 << 10];
    let (mut used, mut styles) = (0_u64, 0_usize);
    while let Ok(count) = part.read(&mut buffer) {
        if count == 0 {
            break;
        }
        used += count as u64;
        if used > limits.sheet_max_bytes as u64 {
            return Err(ReadProblem::Refused(format!("一张工作表解压后超过{}MB的上限", limits.sheet_max_bytes >> 20)));
        }
        if used > left_bytes {
            return Err(ReadProblem::Refused(format!("表格文件解压后超过{}MB的上限", limits.workbook_max_bytes >> 20)));
        }
        if is_styles {
            let chunk = buffer.get(..count).unwrap_or_default();
            styles += chunk.windows(3).filter(|window| *window == b"<xf" || *window == b":xf").count();
        }
        if styles > limits.cell_formats_max {
            return Err(ReadProblem::Refused(format!("单元格格式超过{}种的上限", limits.cell_formats_max)));
        }
    }
    Ok(used)
}
