//! Text files as text: UTF-8 with and without byte order mark, UTF-16, and GB18030 for everything that China's offices save.

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

/// How far into a file a declaration of its charset is looked for, in bytes.
const DECLARED_WITHIN: usize = 4096;

/// Decodes a file. Its byte order mark decides, then whether it is UTF-8, then what it declares, then GB18030.
pub(in crate::domain::forms) fn decode(bytes: &[u8]) -> String {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding.decode(bytes).0.into_owned();
    }
    if let Some(encoding) = utf_16_without_mark(bytes) {
        return encoding.decode_without_bom_handling(bytes).0.into_owned();
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let encoding = declared(bytes).filter(|encoding| *encoding != UTF_8).unwrap_or(GB18030);
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// `charset=gb2312` in a web page, `encoding="GBK"` in XML. gb2312 and GBK mean GB18030.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head: Vec<u8> = bytes.iter().take(DECLARED_WITHIN).map(u8::to_ascii_lowercase).collect();
    let head = String::from_utf8_lossy(&head);
    let rest = ["charset=", "encoding="].iter().find_map(|mark| head.split_once(mark))?.1;
    let label: String =
        rest.trim_start_matches(['"', '\'', ' ']).chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    let encoding = Encoding::for_label(label.as_bytes())?;
    Some(if encoding == encoding_rs::GBK { GB18030 } else { encoding })
}

/// ASCII characters of a table (digits, commas, line ends) leave every second byte zero.
fn utf_16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..bytes.len().min(2000) & !1)?;
    let zeros = |at: usize| head.iter().skip(at).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), head.len() / 2);
    if odd * 10 > pairs && even * 20 < odd {
        Some(UTF_16LE)
    } else if even * 10 > pairs && odd * 20 < even {
        Some(UTF_16BE)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offices_text_is_read_whatever_saved_it() {
        let text = "序号,课题名称\r\n1,造雪机研制\r\n";
        let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let with_mark = [&[0xFF, 0xFE], utf_16.as_slice()].concat();
        let gb = GB18030.encode(text).0.into_owned();
        for bytes in [text.as_bytes(), &[b"\xEF\xBB\xBF", text.as_bytes()].concat(), &utf_16, &with_mark, &gb] {
            assert_eq!(decode(bytes), text);
        }
        let page = GB18030.encode("<meta charset=gb2312>㎡𠮷").0.into_owned();
        assert_eq!(decode(&page), "<meta charset=gb2312>㎡𠮷");
    }
}
