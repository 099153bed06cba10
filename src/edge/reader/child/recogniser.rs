//! `annexd recogniser PROGRAM LANGUAGE`: shuts itself in, then becomes the recogniser, which reads a picture from standard input
//! and writes its text to standard output.

use std::{io, os::unix::process::CommandExt as _, path::Path, process::Command};

use super::{memory_max_bytes, sandbox};

/// Becomes the recogniser; returns only where that fails.
#[must_use]
pub fn become_recogniser(program: &Path, language: &str) -> io::Error {
    if !program.is_absolute() {
        return io::Error::other("the recogniser's path is not whole");
    }
    sandbox::shut_in_program(program, memory_max_bytes());
    Command::new(program).args(["stdin", "stdout", "-l", language, "--psm", "3", "-c", "preserve_interword_spaces=1"]).exec()
}
