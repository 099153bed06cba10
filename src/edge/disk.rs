//! Free space where the data lies.

use std::path::Path;

/// Bytes that may still be written to the disk of `path`.
///
/// # Errors
/// When the path cannot be looked at.
pub fn free_bytes(path: &Path) -> std::io::Result<u64> {
    let found = rustix::fs::statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}
