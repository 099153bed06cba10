//! A zip package (OOXML, OpenDocument) under limits: what its parts really unpack to is counted before any library reads them,
//! since sizes in a zip are claims.

use std::io::{BufReader, Cursor, Read};

use quick_xml::Reader;
use zip::{ZipArchive, result::ZipError};

use super::damaged;
use crate::domain::forms::ReadProblem;

/// Parts of one package; a workbook with many pictures has a few hundred.
const PARTS_MAX: usize = 5_000;
/// Unpacked bytes of one XML part: 500 000 cells take about 30 MiB.
const PART_MAX_BYTES: u64 = 64 << 20;
/// Unpacked bytes of all XML parts.
const PACKAGE_MAX_BYTES: u64 = 160 << 20;
/// Cell formats; Excel itself allows 65 490.
const STYLES_MAX: usize = 70_000;

/// An opened and measured package.
pub(super) struct Package<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    names: Vec<String>,
}

/// A part as a stream of XML.
pub(super) type PartReader<'p> = Reader<BufReader<Box<dyn Read + 'p>>>;

impl<'a> Package<'a> {
    /// Opens a package and unpacks every XML part once, to nowhere, to learn its true size.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, ReadProblem> {
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|_| damaged())?;
        if zip.len() > PARTS_MAX {
            return Err(ReadProblem::Refused(format!("文件内部的部件超过{PARTS_MAX}个")));
        }
        let mut names = Vec::with_capacity(zip.len());
        let mut left = PACKAGE_MAX_BYTES;
        for index in 0..zip.len() {
            let mut part = match zip.by_index(index) {
                Ok(part) => part,
                Err(ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) => return Err(ReadProblem::Encrypted),
                Err(_) => return Err(damaged()),
            };
            let name = part.name().map_err(|_| damaged())?.replace('\\', "/");
            let lower = name.to_ascii_lowercase();
            if lower.ends_with(".xml") || lower.ends_with(".rels") {
                let used = measure(&mut part, left.min(PART_MAX_BYTES), lower.ends_with("styles.xml"))?;
                left = left.saturating_sub(used);
            }
            names.push(name);
        }
        Ok(Self { zip, names })
    }

    /// A part by name, whatever the case of its letters; `None` where there is none.
    pub(super) fn part(&mut self, name: &str) -> Option<PartReader<'_>> {
        let name = name.trim_start_matches('/');
        let index = self.names.iter().position(|own| own.trim_start_matches('/').eq_ignore_ascii_case(name))?;
        let part = self.zip.by_index(index).ok()?;
        let stream: Box<dyn Read + '_> = Box::new(part.take(PART_MAX_BYTES));
        Some(Reader::from_reader(BufReader::new(stream)))
    }
}

/// Counts what a part unpacks to. A part that breaks off is left to its reader.
fn measure(part: &mut impl Read, max_bytes: u64, is_styles: bool) -> Result<u64, ReadProblem> {
    let mut buffer = [0_u8; 16 << 10];
    let (mut used, mut styles) = (0_u64, 0_usize);
    while let Ok(count) = part.read(&mut buffer) {
        if count == 0 {
            break;
        }
        used += count as u64;
        if used > max_bytes {
            return Err(ReadProblem::Refused(format!("表格解压后超过{}MB", max_bytes >> 20)));
        }
        if is_styles {
            let chunk = buffer.get(..count).unwrap_or_default();
            styles += chunk.windows(3).filter(|window| *window == b"<xf" || *window == b":xf").count();
        }
        if styles > STYLES_MAX {
            return Err(ReadProblem::Refused(format!("单元格格式超过{STYLES_MAX}种")));
        }
    }
    Ok(used)
}
