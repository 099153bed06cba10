//! The words between a reading process and its parent: frames of a length (four bytes, little endian) and that many bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::verdict::{
    Reading,
    attached::{Attached, Wanted},
};

/// Largest frame that a child takes: a mail of the largest allowed size, with room.
pub const FRAME_MAX_BYTES: usize = 512 << 20;
/// Largest answer that a parent takes: far above what the limits let a reading hold, far below what would hurt the daemon.
pub const ANSWER_MAX_BYTES: usize = 48 << 20;

/// What the parent wants, before the frame with the raw mail.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Request {
    /// Files that broke a child before, each with the sentence for its sender.
    pub set_aside: BTreeMap<String, String>,
    /// These files as they are, instead of a reading.
    pub wanted: Option<Wanted>,
    /// Pictures of this scanned letter, instead of a reading.
    pub pictures_of: Option<String>,
}

/// A file on its way through the pipe: base64 stands for bytes in JSON.
#[derive(Debug, Serialize, Deserialize)]
pub struct Packed {
    name: String,
    media_type: String,
    base64: Option<String>,
}

impl Packed {
    pub fn of(file: Attached) -> Self {
        let base64 = file.bytes.map(|bytes| base64_simd::STANDARD.encode_to_string(bytes));
        Self { name: file.name, media_type: file.media_type, base64 }
    }

    /// `None` where a child has lost its mind.
    pub fn unpacked(self) -> Option<Attached> {
        let bytes = self.base64.map(|text| base64_simd::STANDARD.decode_to_vec(text)).transpose().ok()?;
        Some(Attached { name: self.name, media_type: self.media_type, bytes })
    }
}

/// Bytes for JSON.
#[must_use]
pub fn packed(bytes: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(bytes)
}

/// The bytes again; `None` where a child has lost its mind.
#[must_use]
pub fn unpacked(text: &str) -> Option<Vec<u8>> {
    base64_simd::STANDARD.decode_to_vec(text).ok()
}

/// What a child says.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// It is about to look into this file.
    Looking(String),
    Done(Box<Reading>),
    /// The files that were wanted.
    Files(Vec<Packed>),
    /// The pictures that were wanted, in base64.
    Pictures(Vec<String>),
    /// A bug was caught; the file it stands for is the one looked into last.
    Panicked(String),
}

/// The length in front of a frame.
#[must_use]
pub fn length(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes()
}
