//! What a reading process may not do: open files, reach the network, start programs, take more memory than it was given.
//! Landlock and seccomp where the kernel has them; `annexd check` says where it has not.

use std::{collections::BTreeMap, path::Path};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetStatus,
    path_beneath_rules,
};
use rlimit::Resource;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

/// How well this kernel shuts a process in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confinement {
    pub memory: bool,
    pub landlock: bool,
    pub seccomp: bool,
}

/// Gives up everything that reading does not need. Best effort: what the kernel lacks is left out.
pub fn shut_in(memory_max_bytes: u64) -> Confinement {
    let memory = Resource::AS.set(memory_max_bytes, memory_max_bytes).is_ok();
    for (resource, most) in [(Resource::CORE, 0), (Resource::FSIZE, 0), (Resource::NOFILE, 16)] {
        let _ = resource.set(most, most);
    }
    Confinement { memory, landlock: no_files_no_network().unwrap_or(false), seccomp: no_dangerous_calls().is_ok() }
}

/// Gives up everything that a foreign program needs not that turns a picture into text: it may read and run what is installed,
/// write nothing but its answer, and reach nobody.
pub fn shut_in_program(program: &Path, memory_max_bytes: u64) {
    for (resource, most) in [(Resource::AS, memory_max_bytes), (Resource::CORE, 0), (Resource::FSIZE, 0), (Resource::NOFILE, 64)] {
        let _ = resource.set(most, most);
    }
    let _ = installed_files_only(program);
    let calls: Vec<libc::c_long> = CALLS.into_iter().filter(|call| !OPENING.contains(call)).collect();
    let _ = refuse(&calls);
}

fn installed_files_only(program: &Path) -> Result<(), landlock::RulesetError> {
    let beside = program.parent().and_then(Path::parent).unwrap_or(program);
    let readable =
        path_beneath_rules(["/usr", "/lib", "/lib64", "/etc"].map(Path::new).into_iter().chain([beside]), AccessFs::from_read(ABI::V5));
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V5))?
        .handle_access(AccessNet::from_all(ABI::V5))?
        .create()?
        .add_rules(readable)?
        .restrict_self()?;
    Ok(())
}

/// What `shut_in` would achieve here, tried in a thread of its own so that the asking process stays free.
#[must_use]
pub fn probe() -> Confinement {
    let tried = std::thread::spawn(|| (no_files_no_network().unwrap_or(false), no_dangerous_calls().is_ok())).join();
    let (landlock, seccomp) = tried.unwrap_or((false, false));
    Confinement { memory: true, landlock, seccomp }
}

fn no_files_no_network() -> Result<bool, landlock::RulesetError> {
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V5))?
        .handle_access(AccessNet::from_all(ABI::V5))?
        .create()?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

/// What a process that reads has no use for.
const CALLS: [libc::c_long; 12] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_ptrace,
    libc::SYS_kill,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_mount,
    libc::SYS_bpf,
    libc::SYS_process_vm_writev,
    libc::SYS_process_vm_readv,
];

/// Those of [`CALLS`] that a program needs to be started and to load its data.
const OPENING: [libc::c_long; 4] = [libc::SYS_execve, libc::SYS_execveat, libc::SYS_openat, libc::SYS_openat2];

fn no_dangerous_calls() -> Result<(), Box<dyn std::error::Error>> {
    refuse(&CALLS)
}

fn refuse(calls: &[libc::c_long]) -> Result<(), Box<dyn std::error::Error>> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = calls.iter().map(|call| (*call, Vec::new())).collect();
    // A failed check ends the process itself by a signal; no other process may be reached.
    let not_itself = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, u64::from(std::process::id()))?;
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![not_itself])?]);
    let refuse = SeccompAction::Errno(u32::try_from(libc::EPERM)?);
    let arch: TargetArch = std::env::consts::ARCH.try_into()?;
    let program: BpfProgram = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?.try_into()?;
    Ok(apply_filter(&program)?)
}
