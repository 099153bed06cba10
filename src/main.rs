//! Arguments to command, failure to exit code.

fn main() {}
