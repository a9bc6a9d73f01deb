//! Scheduling system calls (`sched(7)`).

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use super::Cx;
use super::time::TimeSpec;
use crate::error::*;
use crate::task::pid_ns;
use crate::task::process::{self, RLIMIT_NICE, RLIMIT_RTPRIO};
use crate::task::{Capability, Thread, sched};
use crate::user;

/// rseq(2): registers the calling thread's area, or ends its registration.
pub fn sys_rseq(cx: &Cx<'_>, area: usize, len: u32, flags: u32, signature: u32) -> Result<usize> {
    const UNREGISTER: u32 = 1;
    call_flags::scheduling::RSEQ.check(flags)?;
    match flags {
        0 => cx.thread.rseq.register(area, len, signature)?,
        UNREGISTER => cx.thread.rseq.unregister(area, len, signature)?,
        _ => return Err(EINVAL),
    }
    Ok(0)
}

pub(super) fn thread(cx: &Cx<'_>, tid: i32) -> Result<Arc<Thread>> {
    match tid {
        0 => Ok(cx.thread.clone()),
        1.. => pid_ns::find_thread(tid as u32).ok_or(ESRCH),
        _ => Err(EINVAL),
    }
}

pub(super) fn may_change(cx: &Cx<'_>, target: &Thread) -> bool {
    let (mine, theirs) = (cx.thread.creds(), target.creds());
    mine.has_in(Capability::SYS_NICE, &theirs.user) || mine.euid == theirs.uid || mine.euid == theirs.euid
}

/// sched_yield(2)
pub fn sys_sched_yield(_cx: &Cx<'_>) -> Result<usize> {
    sched::yield_now();
    Ok(0)
}

pub(super) fn targets(cx: &Cx<'_>, which: i32, who: i32) -> Result<alloc::vec::Vec<Arc<Thread>>> {
    call_flags::scheduling::PRIORITY.check(which as u32)?;
    let found: alloc::vec::Vec<Arc<Thread>> = match which {
        0 => alloc::vec![u32::try_from(who).map_err(|_| ESRCH).and_then(|_| thread(cx, who))?],
        1 => {
            let pgid = if who == 0 { cx.process.pgid() } else { pid_ns::meant(who as u32)? };
            process::all().iter().filter(|p| p.pgid() == pgid).flat_map(|p| p.threads()).collect()
        }
        2 => {
            let creds = cx.thread.creds();
            let uid = if who == 0 { creds.uid } else { creds.user.uid_in(who as u32).ok_or(EINVAL)? };
            process::all().iter().filter(|p| p.creds().uid == uid).flat_map(|p| p.threads()).collect()
        }
        _ => return Err(EINVAL),
    };
    if found.is_empty() { Err(ESRCH) } else { Ok(found) }
}

/// getpriority(2): the kernel returns 20 - nice.
pub fn sys_getpriority(cx: &Cx<'_>, which: i32, who: i32) -> Result<usize> {
    let best = targets(cx, which, who)?.iter().map(|t| t.sched.nice.load(Ordering::Relaxed)).min().unwrap_or(0);
    Ok((20 - best) as usize)
}

/// setpriority(2)
pub fn sys_setpriority(cx: &Cx<'_>, which: i32, who: i32, nice: i32) -> Result<usize> {
    let nice = nice.clamp(-20, 19);
    for target in targets(cx, which, who)? {
        set_nice(cx, &target, nice)?;
    }
    Ok(0)
}

/// Changes a thread's nice value.
///
/// # Errors
/// `EPERM` for others' threads, `EACCES` beyond `RLIMIT_NICE`.
pub(super) fn set_nice(cx: &Cx<'_>, target: &Thread, nice: i32) -> Result {
    if !may_change(cx, target) {
        return Err(EPERM);
    }
    let floor = 20 - target.process.rlimit(RLIMIT_NICE).0.min(40) as i32;
    if nice < target.sched.nice.load(Ordering::Relaxed) && nice < floor && !cx.thread.has(Capability::SYS_NICE) {
        return Err(EACCES);
    }
    target.sched.nice.store(nice, Ordering::Relaxed);
    Ok(())
}

const RESET_ON_FORK: i32 = 0x4000_0000;

fn read_policy(cx: &Cx<'_>, tid: i32, policy: Option<i32>, param: usize) -> Result<usize> {
    if param == 0 || tid < 0 {
        return Err(EINVAL);
    }
    let priority: i32 = user::read(param)?;
    let target = thread(cx, tid)?;
    // sched_setparam(2) leaves the policy as it is, with its flag.
    let (policy, reset) = match policy {
        Some(policy) => (policy & !RESET_ON_FORK, policy & RESET_ON_FORK != 0),
        None => (target.sched.policy.load(Ordering::Relaxed) as i32, target.sched.reset_on_fork.load(Ordering::Relaxed)),
    };
    set_policy(cx, &target, policy, priority, reset)
}

/// Changes a thread's policy. Who may not do more than its owner may not take `SCHED_RESET_ON_FORK` back.
///
/// # Errors
/// `EINVAL`, `EPERM`.
pub(super) fn set_policy(cx: &Cx<'_>, target: &Arc<Thread>, policy: i32, priority: i32, reset_on_fork: bool) -> Result<usize> {
    call_flags::scheduling::SCHED_POLICY.check(policy as u32)?;
    let range = match policy {
        1 | 2 => 1..=99,
        0 | 3 | 5 => 0..=0,
        _ => return Err(EINVAL),
    };
    if !range.contains(&priority) {
        return Err(EINVAL);
    }
    let was_reset = target.sched.reset_on_fork.load(Ordering::Relaxed);
    if was_reset && !reset_on_fork && !cx.thread.has(Capability::SYS_NICE) {
        return Err(EPERM);
    }
    let limit = cx.process.rlimit(RLIMIT_RTPRIO).0;
    if !may_change(cx, target) || (matches!(policy, 1 | 2) && !cx.thread.has(Capability::SYS_NICE) && priority as u64 > limit) {
        return Err(EPERM);
    }
    target.sched.reset_on_fork.store(reset_on_fork, Ordering::Relaxed);
    target.sched.rt_priority.store(priority as u32, Ordering::Relaxed);
    target.sched.policy.store(policy as u32, Ordering::Relaxed);
    crate::task::sched::policy_changed(target);
    Ok(0)
}

/// sched_setparam(2)
pub fn sys_sched_setparam(cx: &Cx<'_>, tid: i32, param: usize) -> Result<usize> {
    read_policy(cx, tid, None, param)
}

/// sched_setscheduler(2)
pub fn sys_sched_setscheduler(cx: &Cx<'_>, tid: i32, policy: i32, param: usize) -> Result<usize> {
    read_policy(cx, tid, Some(policy), param)
}

/// sched_getparam(2)
pub fn sys_sched_getparam(cx: &Cx<'_>, tid: i32, param: usize) -> Result<usize> {
    if param == 0 {
        return Err(EINVAL);
    }
    user::write(param, &thread(cx, tid)?.sched.rt_priority.load(Ordering::Relaxed))?;
    Ok(0)
}

/// sched_getscheduler(2)
pub fn sys_sched_getscheduler(cx: &Cx<'_>, tid: i32) -> Result<usize> {
    let sched = &thread(cx, tid)?.sched;
    let reset = if sched.reset_on_fork.load(Ordering::Relaxed) { RESET_ON_FORK as usize } else { 0 };
    Ok(sched.policy.load(Ordering::Relaxed) as usize | reset)
}

/// sched_get_priority_max(2)
pub fn sys_sched_get_priority_max(_cx: &Cx<'_>, policy: i32) -> Result<usize> {
    call_flags::scheduling::SCHED_PRIORITIES.check(policy as u32)?;
    Ok(if matches!(policy, 1 | 2) { 99 } else { 0 })
}

/// sched_get_priority_min(2)
pub fn sys_sched_get_priority_min(_cx: &Cx<'_>, policy: i32) -> Result<usize> {
    call_flags::scheduling::SCHED_PRIORITIES.check(policy as u32)?;
    Ok(usize::from(matches!(policy, 1 | 2)))
}

/// sched_rr_get_interval(2)
pub fn sys_sched_rr_get_interval(cx: &Cx<'_>, tid: i32, interval: usize) -> Result<usize> {
    /// `SCHED_FIFO`, which has no slices, and `SCHED_RR` with its own.
    const FIFO: u32 = 1;
    const RR: u32 = 2;
    let slice_ns = match thread(cx, tid)?.sched.policy.load(Ordering::Relaxed) {
        FIFO => 0,
        RR => 100_000_000,
        _ => 4_000_000,
    };
    user::write(interval, &TimeSpec::from_ns(slice_ns))?;
    Ok(0)
}

fn online_mask() -> u64 {
    let count = frame::cpu::count();
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

/// These two say of a negative number, too, that there is no such thread.
fn affine_thread(cx: &Cx<'_>, tid: i32) -> Result<Arc<Thread>> {
    if tid < 0 { Err(ESRCH) } else { thread(cx, tid) }
}

/// sched_setaffinity(2)
pub fn sys_sched_setaffinity(cx: &Cx<'_>, tid: i32, len: usize, mask: usize) -> Result<usize> {
    let bytes = user::read_bytes(mask, len.min(8))?;
    let wanted = bytes.iter().rev().fold(0u64, |m, b| m << 8 | u64::from(*b)) & online_mask();
    if wanted == 0 {
        return Err(EINVAL);
    }
    let target = affine_thread(cx, tid)?;
    if !may_change(cx, &target) {
        return Err(EPERM);
    }
    target.sched.affinity.store(wanted, Ordering::Relaxed);
    sched::affinity_changed(&target);
    Ok(0)
}

/// sched_getaffinity(2): returns the size of the kernel's mask, 8 bytes.
pub fn sys_sched_getaffinity(cx: &Cx<'_>, tid: i32, len: usize, mask: usize) -> Result<usize> {
    if len < 8 || len % 8 != 0 {
        return Err(EINVAL);
    }
    let target = affine_thread(cx, tid)?;
    user::write(mask, &(target.sched.affinity.load(Ordering::Relaxed) & online_mask()))?;
    Ok(8)
}

/// getcpu(2)
pub fn sys_getcpu(_cx: &Cx<'_>, cpu: usize, node: usize) -> Result<usize> {
    user::write_opt(cpu, &(frame::cpu::id() as u32))?;
    user::write_opt(node, &0u32)?;
    Ok(0)
}
