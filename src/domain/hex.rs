//! Bytes as people compare them.

/// Lower-case hex.
#[must_use]
pub fn lower(bytes: &[u8]) -> String {
    hex_simd::encode_to_string(bytes, hex_simd::AsciiCase::Lower)
}
