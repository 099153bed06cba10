//! Man pages and shell completions, made from the command line's own definition; for packagers.

use std::path::Path;

use anyhow::Context as _;
use clap::Command;
use clap_complete::{Shell, generate_to};

/// Writes `man1/`, and one completion file a shell, below `out`.
///
/// # Errors
/// When a file cannot be written.
pub fn manual(command: Command, out: &Path) -> anyhow::Result<()> {
    let pages = out.join("man1");
    std::fs::create_dir_all(&pages).with_context(|| format!("{} cannot be made", pages.display()))?;
    clap_mangen::generate_to(command.clone(), &pages).context("the man pages cannot be written")?;
    let mut command = command;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut command, "annexd", out).with_context(|| format!("the completions for {shell} cannot be written"))?;
    }
    Ok(())
}
