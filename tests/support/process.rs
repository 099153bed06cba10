//! What the kernel says of a process: its memory, open files and children.

use std::fs;

/// Peak resident memory, in KiB; `None` where the process is gone.
pub fn peak_kib(process: u32) -> Option<u64> {
    status_kib(process, "VmHWM:")
}

/// Resident memory now, in KiB.
pub fn resident_kib(process: u32) -> Option<u64> {
    status_kib(process, "VmRSS:")
}

/// Open files, sockets and pipes.
pub fn open_files(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/fd")).map_or(0, Iterator::count)
}

/// Its children, at whichever thread they hang.
pub fn children(process: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|number| number.parse().ok()).collect::<Vec<_>>()).collect()
}

/// Whether this test runs as root.
pub fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}

fn status_kib(process: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix(field))?;
    value.trim().trim_end_matches(" kB").trim().parse().ok()
}
