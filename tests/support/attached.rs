//! The plainest mail with files attached, for tests that care for the files alone.

use std::{fmt::Write as _, fs, path::Path};

use annexd::domain::{forms::catalogue::Catalogue, routing::Divisions, submitters::Submitters, verdict::Knowledge};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A file below `tests/fixtures`.
pub fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

/// A mail with these files attached, by name and content.
pub fn mail<B: AsRef<[u8]>>(files: &[(&str, B)]) -> Vec<u8> {
    let mut mail = String::from(
        "From: gxj@example.cn\r\nTo: kjc@example.cn\r\nSubject: =?UTF-8?B?5oql6YCB?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nok\r\n",
    );
    for (name, bytes) in files {
        let (name, body) = (STANDARD.encode(name), STANDARD.encode(bytes));
        write!(mail, "--b\r\nContent-Type: application/octet-stream; name=\"=?UTF-8?B?{name}?=\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}\r\n").unwrap();
    }
    mail.push_str("--b--\r\n");
    mail.into_bytes()
}

/// What annexd knows without any configuration.
pub fn shipped() -> Knowledge {
    Knowledge {
        catalogue: Catalogue::shipped(),
        divisions: Divisions::shipped(),
        submitters: Submitters::shipped(),
        ..Knowledge::default()
    }
}
