//! Zip archives and what zips disguise.

use std::io::{Cursor, Read as _};

use zip::{ZipArchive, result::ZipError};

use super::{
    archives::{Entry, Sink, nothing_inside},
    budget::{Meter, Trouble},
    kinds::split_archive,
    names,
};

/// Records looked at to learn what a package is; whoever opens it then holds it to the configured limit.
const SNIFFED_RECORDS_MAX: usize = 20_000;

/// Opens a zip whose directory is within the limit: the library keeps all records in memory.
fn archive(bytes: &[u8], records_max: usize) -> Result<ZipArchive<Cursor<&[u8]>>, Trouble> {
    let records = memchr::memmem::find_iter(bytes, b"PK\x01\x02").take(records_max + 1).count();
    if records > records_max {
        return Err(Trouble::Refused(format!("压缩包内的文件记录超过{records_max}条的上限")));
    }
    if is_split(bytes) {
        return Err(split_archive());
    }
    ZipArchive::new(Cursor::new(bytes)).map_err(|error| match error {
        ZipError::UnsupportedArchive(_) => {
            Trouble::Unsupported("压缩包采用了不支持的格式。请用系统自带的压缩功能重新打包为zip后发送。".to_owned())
        }
        _ => Trouble::Damaged,
    })
}

/// The end record names a disk other than the first.
pub fn is_split(bytes: &[u8]) -> bool {
    let tail = bytes.get(bytes.len().saturating_sub(66_000)..).unwrap_or_default();
    let Some(at) = memchr::memmem::rfind(tail, b"PK\x05\x06") else { return false };
    let disks = tail.get(at + 4..at + 8).unwrap_or_default();
    !matches!(disks, [0, 0, 0, 0] | [0xFF, 0xFF, ..] | [])
}

/// Names of a zip's parts; `None` where its directory cannot be read.
pub fn part_names(bytes: &[u8]) -> Option<Vec<String>> {
    match archive(bytes, SNIFFED_RECORDS_MAX) {
        Ok(archive) => Some(archive.file_names_raw().map(|name| names::decode(name).replace('\\', "/")).collect()),
        // It is an archive all right; opening it will say what is wrong.
        Err(Trouble::Damaged) => None,
        Err(_) => Some(Vec::new()),
    }
}

/// The `mimetype` entry of an OpenDocument file, and whether its manifest speaks of encryption.
pub fn open_document(bytes: &[u8]) -> (String, bool) {
    let Ok(mut archive) = archive(bytes, SNIFFED_RECORDS_MAX) else { return (String::new(), false) };
    let mut text = |name: &str, max_bytes: u64| {
        let mut text = String::new();
        if let Ok(entry) = archive.by_name(name) {
            // What is no UTF-8 is no manifest either.
            let _ = entry.take(max_bytes).read_to_string(&mut text);
        }
        text
    };
    let mimetype = text("mimetype", 200);
    let encrypted = text("META-INF/manifest.xml", 1 << 20).contains("encryption-data");
    (mimetype.trim().to_owned(), encrypted)
}

/// Hands over every file of the archive.
///
/// # Errors
/// What keeps the rest of the archive from being read.
pub fn open(bytes: &[u8], meter: &Meter<'_>, sink: Sink<'_>) -> Result<(), Trouble> {
    let mut archive = archive(bytes, meter.limits().archive_records_max)?;
    let mut files = 0_usize;
    let mut locked = Vec::new();
    for index in 0..archive.len() {
        let Ok(entry) = archive.by_index_raw(index) else {
            sink(Entry { name: format!("第{}个文件", index + 1), content: Err(Trouble::Damaged) });
            continue;
        };
        let name = names::tidy(&names::decode(entry.name_raw()));
        if entry.name_raw().ends_with(b"/")
            || entry.name_raw().ends_with(b"\\")
            || entry.is_dir()
            || entry.is_symlink()
            || names::is_junk(&name)
        {
            continue;
        }
        meter.count_entry()?;
        files += 1;
        if entry.encrypted() {
            locked.push(name);
            continue;
        }
        drop(entry);
        match read(&mut archive, index, meter) {
            Err(Trouble::Refused(limit)) => return Err(Trouble::Refused(limit)),
            content => sink(Entry { name, content }),
        }
    }
    if files == 0 {
        return Err(nothing_inside());
    }
    // One sentence for the archive says it all where every entry is locked.
    if files == locked.len() {
        return Err(Trouble::Encrypted);
    }
    locked.into_iter().for_each(|name| sink(Entry { name, content: Err(Trouble::Encrypted) }));
    Ok(())
}

fn read(archive: &mut ZipArchive<Cursor<&[u8]>>, index: usize, meter: &Meter<'_>) -> Result<Vec<u8>, Trouble> {
    match archive.by_index(index) {
        Ok(mut entry) => meter.read(&mut entry, false),
        Err(ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_)) => {
            Err(Trouble::Unsupported("文件采用了不支持的压缩方法。请用系统自带的压缩功能重新打包为zip后发送。".to_owned()))
        }
        Err(ZipError::InvalidPassword) => Err(Trouble::Encrypted),
        Err(_) => Err(Trouble::Damaged),
    }
}
