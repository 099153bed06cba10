//! Names of archive entries: raw bytes in whatever encoding the packer's system had, turned into a way that is safe to show.

use encoding_rs::GB18030;

use crate::domain::folding::one_line;

/// The upper half of code page 437, which old packers mean where they say nothing.
const CP437: &str =
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}";

/// Strict UTF-8, else strict GB18030, else code page 437. (A Unicode Path field with the right CRC goes before all of these; the zip
/// library has then put it in the name's place.)
pub fn decode(raw: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(raw) {
        return text.to_owned();
    }
    let (text, _, broken) = GB18030.decode(raw);
    if !broken && !text.chars().any(|c| matches!(c, '\u{E000}'..='\u{F8FF}')) {
        return text.into_owned();
    }
    let upper: Vec<char> = CP437.chars().collect();
    raw.iter()
        .map(|byte| if byte.is_ascii() { char::from(*byte) } else { upper.get(usize::from(byte - 128)).copied().unwrap_or('?') })
        .collect()
}

/// A decoded name as a way to show: separators unified (only now: a GBK character may end in 0x5C), no drive, no root, no `..`.
pub fn tidy(name: &str) -> String {
    let name = name.replace('\\', "/");
    let pieces: Vec<String> =
        name.split('/').map(one_line).filter(|piece| !matches!(piece.as_str(), "" | "." | "..") && !is_drive(piece)).collect();
    if pieces.is_empty() { "未命名文件".to_owned() } else { pieces.join("/") }
}

fn is_drive(piece: &str) -> bool {
    piece.len() == 2 && piece.ends_with(':') && piece.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// What systems and office programs leave behind; nobody means to send it.
pub fn is_junk(path: &str) -> bool {
    let mut pieces = path.split('/');
    let base = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    pieces.any(|piece| piece.eq_ignore_ascii_case("__MACOSX"))
        || base.starts_with("._")
        || base.starts_with("~$")
        || base.starts_with(".~")
        || matches!(base.as_str(), "thumbs.db" | ".ds_store" | "desktop.ini" | "ehthumbs.db")
}

/// The last piece of a way.
pub fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The extension in lower case, full-width letters and trailing dots and spaces forgiven.
pub fn extension(path: &str) -> String {
    let base = crate::domain::folding::fold(base(path));
    let base = base.trim_end_matches('.');
    base.rsplit_once('.').map_or_else(String::new, |(_, extension)| extension.to_owned())
}

/// The name says that this is one piece of an archive cut into several: `.part2.rar`, `.r00`, `.z01`, `.7z.001`.
pub fn is_volume(path: &str) -> bool {
    let base = crate::domain::folding::fold(base(path));
    let Some((stem, last)) = base.rsplit_once('.') else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let before = stem.rsplit_once('.').map_or("", |(_, before)| before);
    (last == "rar" && before.strip_prefix("part").is_some_and(digits))
        || (last.len() == 3 && digits(last) && matches!(before, "zip" | "7z" | "rar" | "tar" | "gz" | "exe"))
        || (last.len() == 3 && (last.starts_with('r') || last.starts_with('z')) && last.get(1..).is_some_and(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gbk_names_keep_a_character_that_ends_in_a_backslash() {
        // 誠 is D55C in GBK: its second byte is 0x5C.
        let (raw, ..) = encoding_rs::GBK.encode("誠信\\附件1.docx");
        assert_eq!(tidy(&decode(&raw)), "誠信/附件1.docx");
    }

    #[test]
    fn neither_utf_8_nor_gb18030_is_read_as_code_page_437() {
        assert_eq!(decode(b"caf\x82"), "café");
    }

    #[test]
    fn a_way_out_of_the_folder_leads_nowhere() {
        assert_eq!(tidy("../../etc/passwd"), "etc/passwd");
        assert_eq!(tidy("C:\\Windows\\a.doc"), "Windows/a.doc");
        assert_eq!(tidy("/\u{202E}x\r\n.docx"), "x .docx");
        assert_eq!(tidy("/"), "未命名文件");
    }

    #[test]
    fn junk_is_told_from_files() {
        for junk in ["__MACOSX/._a.docx", "x/~$附件1.docx", "Thumbs.db", "a/.DS_Store", "desktop.ini"] {
            assert!(is_junk(junk), "{junk}");
        }
        assert!(!is_junk("附件1/附件~1.docx"));
    }

    #[test]
    fn pieces_of_a_cut_archive_are_known_by_name() {
        for volume in ["a.part1.rar", "a.part02.rar", "a.r00", "a.z01", "a.zip.001", "a.7z.003"] {
            assert!(is_volume(volume), "{volume}");
        }
        for whole in ["a.rar", "a.zip", "报告2024.001", "part1.docx", "a.r1"] {
            assert!(!is_volume(whole), "{whole}");
        }
    }
}
