//! Bytes as people compare them.

/// Lower-case hex.
#[must_use]
pub fn lower(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
