//! Whose the data is. A command run as root on another user's data would leave files behind that the daemon cannot open.

use std::{io, os::unix::fs::MetadataExt as _, path::Path};

use anyhow::bail;

/// Refuses to work as root in a data folder that belongs to somebody else.
///
/// # Errors
/// The refusal, with the way around it; or a folder that is there and cannot be looked at.
pub fn refuse_root(data_dir: &Path) -> anyhow::Result<()> {
    let owner = match std::fs::metadata(data_dir) {
        Ok(found) => found.uid(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    // A process owns its own entry in /proc.
    let we = std::fs::metadata("/proc/self").map_or(owner, |found| found.uid());
    if we == 0 && owner != 0 {
        bail!(
            "{} belongs to user {owner}; as root annexd would leave files there that the service cannot open. Run it as that user: \
             runuser -u annexd -- annexd …",
            data_dir.display()
        );
    }
    Ok(())
}
