//! Arguments to command, failure to exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    annexd::commands::cli::main()
}
