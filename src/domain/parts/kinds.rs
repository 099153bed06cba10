//! What bytes are, by their content: compound files by their streams, zips by their parts, texts by their shape. A name decides
//! only between kinds whose bytes are the same (doc and wps, xls and et, a table and a plain text).

use super::{
    FileStatus, FileType,
    budget::Trouble,
    names,
    ole::{self, Ole},
    plain, zipped,
};

/// How a file that holds other files is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    Zip,
    SevenZ,
    Rar,
    Gzip,
    Tar,
    Tnef,
    /// An Outlook message (.msg).
    Outlook,
    Mail,
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    pub file_type: FileType,
    pub container: Option<Container>,
    /// Known already to be unreadable.
    pub trouble: Option<(FileStatus, String)>,
}

impl Kind {
    pub fn leaf(file_type: FileType) -> Self {
        Self { file_type, container: None, trouble: None }
    }

    fn of(file_type: FileType, container: Container) -> Self {
        Self { file_type, container: Some(container), trouble: None }
    }

    pub fn trouble(file_type: FileType, trouble: Trouble) -> Self {
        Self { file_type, container: None, trouble: Some(trouble.say("文件")) }
    }

    fn unsupported(what: &str, remedy: &str) -> Self {
        Self::trouble(FileType::Other, Trouble::Unsupported(format!("文件是{what}，本系统不能读取。{remedy}")))
    }
}

const AS_ARCHIVE: &str = "请改用zip格式打包，或将文件直接作为附件重新发送。";
const AS_DOCX: &str = "请另存为.docx后重新发送。";
const AS_XLSX: &str = "请另存为.xlsx后重新发送。";

/// What the bytes are; `name` breaks ties only.
pub fn sniff(bytes: &[u8], name: &str) -> Kind {
    let extension = names::extension(name);
    if names::is_volume(name) && !bytes.is_empty() {
        return volume(bytes);
    }
    let kind = binary(bytes, &extension).unwrap_or_else(|| plain::sniff(bytes, &extension));
    // Readers allow some bytes before `%PDF-`; a mail or a page that quotes a PDF is none.
    if kind.file_type == FileType::Other && kind.container.is_none() && pdf_start(bytes).is_some() {
        return Kind::leaf(FileType::Pdf);
    }
    kind
}

fn volume(bytes: &[u8]) -> Kind {
    let file_type = match binary(bytes, "") {
        Some(Kind { file_type, container: Some(_), .. }) => file_type,
        _ => FileType::Other,
    };
    Kind::trouble(file_type, split_archive())
}

/// One of several volumes came.
pub fn split_archive() -> Trouble {
    Trouble::Unsupported(
        "这是分卷压缩包的一部分，本系统不拼接分卷。请重新打包成一个不分卷的压缩包，或将文件直接作为附件重新发送。".to_owned(),
    )
}

/// Kinds with a signature.
fn binary(bytes: &[u8], extension: &str) -> Option<Kind> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let at = |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    if starts(&ole::MAGIC) {
        return Some(compound(bytes, extension));
    }
    if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") || starts(b"PK00PK\x03\x04") {
        return Some(zip(bytes, extension));
    }
    if starts(b"PK\x07\x08") {
        return Some(Kind::trouble(FileType::Zip, split_archive()));
    }
    if starts(b"Rar!\x1A\x07") {
        return Some(Kind::of(FileType::Rar, Container::Rar));
    }
    if starts(b"7z\xBC\xAF\x27\x1C") {
        return Some(Kind::of(FileType::SevenZ, Container::SevenZ));
    }
    if starts(b"\x1F\x8B\x08") {
        return Some(Kind::of(FileType::Other, Container::Gzip));
    }
    if starts(b"\x78\x9F\x3E\x22") {
        return Some(Kind::of(FileType::Tnef, Container::Tnef));
    }
    if at(257, b"ustar") {
        return Some(Kind::of(FileType::Other, Container::Tar));
    }
    if is_image(bytes) {
        return Some(Kind::leaf(FileType::Image));
    }
    if starts(b"%PDF-") {
        return Some(Kind::leaf(FileType::Pdf));
    }
    other_signature(bytes)
}

/// Where `%PDF-` stands: within the first 1024 bytes, as readers allow.
pub fn pdf_start(bytes: &[u8]) -> Option<usize> {
    let head = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
    head.windows(5).position(|window| window == b"%PDF-")
}

fn is_image(bytes: &[u8]) -> bool {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let at = |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    let heif = at(4, b"ftyp") && [b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"avif"].iter().any(|brand| at(8, brand.as_slice()));
    starts(b"\xFF\xD8\xFF")
        || starts(b"\x89PNG\r\n\x1A\n")
        || starts(b"GIF87a")
        || starts(b"GIF89a")
        || (starts(b"BM") && at(6, &[0, 0, 0, 0]) && bytes.len() > 26)
        || starts(b"II*\0")
        || starts(b"MM\0*")
        || (starts(b"RIFF") && at(8, b"WEBP"))
        || heif
}

/// Kinds that are known, and known not to be read here.
fn other_signature(bytes: &[u8]) -> Option<Kind> {
    let table: [(&[u8], &str, &str); 9] = [
        (b"{\\rtf", "RTF格式", AS_DOCX),
        (b"BZh", "bzip2压缩文件", AS_ARCHIVE),
        (b"\xFD7zXZ\0", "xz压缩文件", AS_ARCHIVE),
        (b"\x28\xB5\x2F\xFD", "zstd压缩文件", AS_ARCHIVE),
        (b"MSCF", "cab压缩文件", AS_ARCHIVE),
        (b"\x60\xEA", "arj压缩文件", AS_ARCHIVE),
        (b"MZ", "可执行程序（自解压包）", AS_ARCHIVE),
        (b"\x7FELF", "可执行程序", AS_ARCHIVE),
        (b"egg!", "alz/egg压缩文件", AS_ARCHIVE),
    ];
    let (_, what, remedy) = table.iter().find(|(magic, ..)| bytes.starts_with(magic))?;
    if *what == "arj压缩文件" && bytes.len() < 32 {
        return None;
    }
    Some(Kind::unsupported(what, remedy))
}

/// OLE2 by the names of its streams (MS-DOC, MS-XLS, MS-OFFCRYPTO, MS-OXMSG).
fn compound(bytes: &[u8], extension: &str) -> Kind {
    let Some(ole) = Ole::open(bytes) else {
        return Kind::trouble(by_extension(extension), Trouble::Damaged);
    };
    let has = |name: &str| ole.names().any(|known| known.eq_ignore_ascii_case(name));
    if has("EncryptedPackage") || has("EncryptionInfo") {
        return Kind::trouble(by_extension(extension), Trouble::Encrypted);
    }
    if has("__properties_version1.0") {
        return Kind::of(FileType::Eml, Container::Outlook);
    }
    if let Some(index) = ole.find_anywhere("WordDocument") {
        let file_type = if extension == "wps" || (extension != "doc" && made_by_wps(&ole)) { FileType::Wps } else { FileType::Doc };
        // FIB, offset 0x0A, bit 0x0100: fEncrypted.
        let encrypted = ole.stream(index, 12).get(11).is_some_and(|flags| flags & 1 != 0);
        return if encrypted { Kind::trouble(file_type, Trouble::Encrypted) } else { Kind::leaf(file_type) };
    }
    if let Some(index) = ole.find_anywhere("Workbook").or_else(|| ole.find_anywhere("Book")) {
        let file_type = if extension == "et" || (extension != "xls" && made_by_wps(&ole)) { FileType::Et } else { FileType::Xls };
        return if has_file_pass(&ole.stream(index, 16 << 10)) {
            Kind::trouble(file_type, Trouble::Encrypted)
        } else {
            Kind::leaf(file_type)
        };
    }
    if has("PowerPoint Document") {
        return Kind::leaf(FileType::Other);
    }
    if has("MatOST") || has("MN0") || has("CONTENTS") {
        return Kind::unsupported("微软Works文档", AS_DOCX);
    }
    Kind::leaf(FileType::Other)
}

/// The program that saved it says so in its properties.
fn made_by_wps(ole: &Ole<'_>) -> bool {
    ["\u{5}SummaryInformation", "\u{5}DocumentSummaryInformation"].iter().any(|name| {
        let stream = ole.find_anywhere(name).map(|index| ole.stream(index, 64 << 10)).unwrap_or_default();
        let narrow = |mark: &[u8]| stream.windows(mark.len()).any(|window| window == mark);
        let wide = |mark: &str| narrow(&mark.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
        ["WPS Office", "WPS 文字", "WPS 表格", "KSOProductBuildVer"].iter().any(|mark| narrow(mark.as_bytes()) || wide(mark))
    })
}

/// A FILEPASS record (0x002F) among the first records of the workbook's globals.
fn has_file_pass(stream: &[u8]) -> bool {
    let mut rest = stream;
    for _ in 0..64 {
        let Some((kind, length)) = rest.get(..2).zip(rest.get(2..4)) else { return false };
        if kind == [0x2F, 0x00] {
            return true;
        }
        // EOF ends the globals.
        if kind == [0x0A, 0x00] {
            return false;
        }
        let length = length.iter().rev().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
        rest = rest.get(4 + length..).unwrap_or_default();
    }
    false
}

/// A zip by its parts: OOXML, OpenDocument, OFD, else an archive.
fn zip(bytes: &[u8], extension: &str) -> Kind {
    let Some(parts) = zipped::part_names(bytes) else {
        // No directory: a cut-off document or archive. The name says what the sender takes it for.
        return Kind::trouble(
            if by_extension(extension) == FileType::Other { FileType::Zip } else { by_extension(extension) },
            Trouble::Damaged,
        );
    };
    let has = |name: &str| parts.iter().any(|part| part.trim_start_matches('/').eq_ignore_ascii_case(name));
    if has("[Content_Types].xml") {
        if has("word/document.xml") || parts.iter().any(|part| part.starts_with("word/document")) {
            return Kind::leaf(FileType::Docx);
        }
        if has("xl/workbook.xml") {
            return Kind::leaf(FileType::Xlsx);
        }
        if has("xl/workbook.bin") {
            return Kind::unsupported("Excel二进制工作簿（.xlsb）", AS_XLSX);
        }
        if parts.iter().any(|part| part.starts_with("ppt/")) {
            return Kind::leaf(FileType::Other);
        }
        if let Some(main) = parts.iter().find(|part| part.ends_with("document.xml") || part.ends_with("workbook.xml")) {
            return Kind::leaf(if main.ends_with("document.xml") { FileType::Docx } else { FileType::Xlsx });
        }
    }
    if has("OFD.xml") {
        return Kind::leaf(FileType::Ofd);
    }
    if has("mimetype") && has("content.xml") {
        return open_document(bytes);
    }
    if parts.iter().any(|part| part.ends_with(".iwa")) || has("index.apxl") {
        return Kind::unsupported("苹果Pages/Numbers文档", "请导出为.docx或.xlsx后重新发送。");
    }
    Kind::of(FileType::Zip, Container::Zip)
}

fn open_document(bytes: &[u8]) -> Kind {
    let (mimetype, encrypted) = zipped::open_document(bytes);
    if mimetype.starts_with("application/vnd.oasis.opendocument.spreadsheet") {
        return if encrypted { Kind::trouble(FileType::Ods, Trouble::Encrypted) } else { Kind::leaf(FileType::Ods) };
    }
    if encrypted {
        return Kind::trouble(FileType::Other, Trouble::Encrypted);
    }
    if mimetype.starts_with("application/vnd.oasis.opendocument.text") {
        return Kind::unsupported("OpenDocument文字文档（.odt）", AS_DOCX);
    }
    Kind::leaf(FileType::Other)
}

/// For files that cannot be looked into: what their name calls them.
pub fn by_extension(extension: &str) -> FileType {
    match extension {
        "docx" | "docm" | "dotx" => FileType::Docx,
        "doc" | "dot" => FileType::Doc,
        "wps" | "wpt" => FileType::Wps,
        "xlsx" | "xlsm" | "xltx" => FileType::Xlsx,
        "xls" | "xlt" => FileType::Xls,
        "et" | "ett" => FileType::Et,
        "ods" => FileType::Ods,
        "csv" | "tsv" => FileType::Csv,
        "htm" | "html" | "mht" | "mhtml" => FileType::Html,
        "xml" => FileType::Xml,
        "pdf" => FileType::Pdf,
        "ofd" => FileType::Ofd,
        "jpg" | "jpeg" | "png" | "gif" | "bmp" | "tif" | "tiff" | "webp" | "heic" => FileType::Image,
        "zip" => FileType::Zip,
        "rar" => FileType::Rar,
        "7z" => FileType::SevenZ,
        "eml" | "msg" => FileType::Eml,
        _ => FileType::Other,
    }
}

/// What the name or the declared type says, where it says something else than the bytes; a remark for people.
pub fn mismatch(kind: &Kind, name: &str, declared_type: &str) -> Option<String> {
    let extension = names::extension(name);
    let by_name = by_extension(&extension);
    if by_name != FileType::Other {
        let ours = by_name == kind.file_type || (by_name == FileType::Csv && kind.file_type == FileType::Other && kind.trouble.is_none());
        return (!ours).then(|| format!("文件名后缀为.{extension}，实际内容是{}", shown(kind)));
    }
    let by_declaration = match declared_type {
        "application/pdf" => FileType::Pdf,
        "application/msword" => FileType::Doc,
        "application/vnd.ms-excel" => FileType::Xls,
        "application/zip" | "application/x-zip-compressed" => FileType::Zip,
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => FileType::Docx,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => FileType::Xlsx,
        "image/jpeg" | "image/png" | "image/gif" | "image/tiff" | "image/bmp" => FileType::Image,
        _ => return None,
    };
    let same = by_declaration == kind.file_type
        || matches!((by_declaration, kind.file_type), (FileType::Doc, FileType::Wps) | (FileType::Xls, FileType::Et));
    (!same).then(|| format!("邮件声明的类型为{declared_type}，实际内容是{}", shown(kind)))
}

fn shown(kind: &Kind) -> &'static str {
    match (kind.file_type, kind.container) {
        (_, Some(Container::Gzip | Container::Tar)) => "tar/gz压缩包",
        (_, Some(Container::Outlook)) => "Outlook邮件（.msg）",
        (FileType::Docx, _) => "Word文档（.docx）",
        (FileType::Doc, _) => "旧版Word文档（.doc）",
        (FileType::Wps, _) => "WPS文字文档（.wps）",
        (FileType::Xlsx, _) => "Excel表格（.xlsx）",
        (FileType::Xls, _) => "旧版Excel表格（.xls）",
        (FileType::Et, _) => "WPS表格（.et）",
        (FileType::Ods, _) => "OpenDocument表格（.ods）",
        (FileType::Csv, _) => "文本表格（.csv）",
        (FileType::Html, _) => "网页（.html）",
        (FileType::Xml, _) => "XML",
        (FileType::Pdf, _) => "PDF",
        (FileType::Ofd, _) => "OFD",
        (FileType::Image, _) => "图片",
        (FileType::Zip, _) => "zip压缩包",
        (FileType::Rar, _) => "rar压缩包",
        (FileType::SevenZ, _) => "7z压缩包",
        (FileType::Tnef, _) => "winmail.dat（TNEF）",
        (FileType::Eml, _) => "邮件（.eml）",
        (FileType::Other, _) => "其他类型",
    }
}
