//! Policies of scheduling, disk access and memory placement: `sched_setattr(2)`, `ioprio_set(2)`, `set_mempolicy(2)`, `pkey_alloc(2)`.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Cx, mm, sched};
use crate::error::*;
use crate::task::{Capability, Thread};
use crate::user;

/// `struct sched_attr`, its first version and the fields of the second.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct SchedAttr {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
    util_min: u32,
    util_max: u32,
}

/// Size of its first version.
const ATTR_SIZE_V0: usize = 48;
const ATTR_SIZE: usize = size_of::<SchedAttr>();
const RESET_ON_FORK: u64 = 1;
const KEEP_POLICY: u64 = 8;
const KEEP_PARAMS: u64 = 16;
const UTIL_CLAMP: u64 = 96;

/// sched_setattr(2): the policies of sched_setscheduler(2); no deadlines, no utilisation clamps.
pub fn sys_sched_setattr(cx: &Cx<'_>, tid: i32, at: usize, flags: u32) -> Result<usize> {
    call_flags::scheduling::SCHED_ATTR_CALL.check(flags)?;
    if at == 0 || tid < 0 {
        return Err(EINVAL);
    }
    let size = match user::read::<u32>(at)? as usize {
        0 => ATTR_SIZE_V0,
        size => size,
    };
    if !(ATTR_SIZE_V0..=4096).contains(&size) {
        user::write(at, &(ATTR_SIZE as u32))?;
        return Err(E2BIG);
    }
    let mut bytes = user::read_bytes(at, size)?;
    if bytes.iter().skip(ATTR_SIZE).any(|b| *b != 0) {
        user::write(at, &(ATTR_SIZE as u32))?;
        return Err(E2BIG);
    }
    bytes.resize(ATTR_SIZE, 0);
    let attr = SchedAttr::read_from_bytes(&bytes).map_err(|_| EINVAL)?;
    if (attr.policy as i32) < 0 {
        return Err(EINVAL);
    }
    let target = sched::thread(cx, tid)?;
    // The first version of the structure has no room for them.
    if attr.flags & UTIL_CLAMP != 0 && size < ATTR_SIZE {
        return Err(EINVAL);
    }
    call_flags::scheduling::SCHED_ATTR.check(attr.flags)?;
    let reset = attr.flags & RESET_ON_FORK != 0;
    let policy = if attr.flags & KEEP_POLICY != 0 { target.sched.policy.load(Ordering::Relaxed) } else { attr.policy };
    if attr.flags & KEEP_PARAMS != 0 {
        let priority = target.sched.rt_priority.load(Ordering::Relaxed);
        return sched::set_policy(cx, &target, policy as i32, priority as i32, reset);
    }
    sched::set_policy(cx, &target, policy as i32, attr.priority as i32, reset)?;
    if matches!(policy, 0 | 3) {
        sched::set_nice(cx, &target, attr.nice.clamp(-20, 19)).map_err(|e| if e == EACCES { EPERM } else { e })?;
    }
    Ok(0)
}

/// sched_getattr(2)
pub fn sys_sched_getattr(cx: &Cx<'_>, tid: i32, at: usize, size: u32, flags: u32) -> Result<usize> {
    if at == 0 || tid < 0 || size as usize > 4096 || (size as usize) < ATTR_SIZE_V0 {
        return Err(EINVAL);
    }
    call_flags::scheduling::SCHED_ATTR_CALL.check(flags)?;
    let target = sched::thread(cx, tid)?;
    let policy = target.sched.policy.load(Ordering::Relaxed);
    let mut attr = SchedAttr { size: (size as usize).min(ATTR_SIZE) as u32, policy, util_max: 1024, ..SchedAttr::default() };
    if target.sched.reset_on_fork.load(Ordering::Relaxed) {
        attr.flags = RESET_ON_FORK;
    }
    if matches!(policy, 1 | 2) {
        attr.priority = target.sched.rt_priority.load(Ordering::Relaxed);
    } else {
        attr.nice = target.sched.nice.load(Ordering::Relaxed);
    }
    frame::user::copy_to_user(at as u64, &attr.as_bytes()[..attr.size as usize])?;
    Ok(0)
}

/// What `ioprio_get` and `ioprio_set` name.
fn ioprio_targets(cx: &Cx<'_>, which: i32, who: i32) -> Result<alloc::vec::Vec<Arc<Thread>>> {
    call_flags::scheduling::IOPRIO.check(which as u32)?;
    if who < 0 {
        return Err(ESRCH);
    }
    sched::targets(cx, which - 1, who)
}

/// ioprio_set(2): kept for ioprio_get(2) and children; the disks' daemons have no classes.
pub fn sys_ioprio_set(cx: &Cx<'_>, which: i32, who: i32, priority: i32) -> Result<usize> {
    // The bits between them are for hints, which nothing here takes.
    let (class, level) = (priority >> 13 & 7, priority & 7);
    match class {
        // NONE has no level.
        0 if level == 0 => {}
        1 if !cx.thread.has(Capability::SYS_ADMIN) && !cx.thread.has(Capability::SYS_NICE) => return Err(EPERM),
        1..=3 => {}
        _ => return Err(EINVAL),
    }
    for target in ioprio_targets(cx, which, who)? {
        if !sched::may_change(cx, &target) {
            return Err(EPERM);
        }
        target.ioprio.store(priority as u32, Ordering::Relaxed);
    }
    Ok(0)
}

/// ioprio_get(2): the highest of those named.
pub fn sys_ioprio_get(cx: &Cx<'_>, which: i32, who: i32) -> Result<usize> {
    let priorities = ioprio_targets(cx, which, who)?;
    let rank = |priority: u32| match priority {
        0 => 2 << 13 | 4,
        set => set,
    };
    let best = priorities.iter().map(|t| t.ioprio.load(Ordering::Relaxed)).min_by_key(|p| rank(*p)).ok_or(ESRCH)?;
    Ok(best as usize)
}

const MPOL_DEFAULT: u32 = 0;
const MPOL_PREFERRED: u32 = 1;
const MPOL_LOCAL: u32 = 4;
/// STATIC_NODES, RELATIVE_NODES.
const MPOL_MODE_FLAGS: u32 = 0xc000;
/// These and NUMA_BALANCING.
const MPOL_ALL_FLAGS: u32 = 0xe000;
/// Most bits of a node mask.
const MAX_NODE_BITS: usize = 4096 * 8;

/// Whether a node mask has node 0, and whether it has others, which this machine has not.
fn read_nodes(mask: usize, bits: usize) -> Result<(bool, bool)> {
    // The kernel's interface counts one bit more than there are.
    let bits = bits.saturating_sub(1);
    if mask == 0 || bits == 0 {
        return Ok((false, false));
    }
    if bits > MAX_NODE_BITS {
        return Err(EINVAL);
    }
    let mut words: alloc::vec::Vec<u64> = user::read_vec(mask, bits.div_ceil(64))?;
    if let (Some(last), true) = (words.last_mut(), bits % 64 != 0) {
        *last &= (1 << (bits % 64)) - 1;
    }
    let first = words.first().copied().unwrap_or(0);
    Ok((first & 1 != 0, first & !1 != 0 || words.iter().skip(1).any(|w| *w != 0)))
}

/// Checks a policy; gives the mode with flags, and whether it names node 0.
fn read_policy(mode: u32, mask: usize, bits: usize) -> Result<(u32, bool)> {
    let (plain, flags) = (mode & !MPOL_ALL_FLAGS, mode & MPOL_ALL_FLAGS);
    call_flags::memory::MEMPOLICY_MODE.check(plain)?;
    call_flags::memory::MEMPOLICY_FLAGS.check(flags)?;
    if flags & MPOL_MODE_FLAGS == MPOL_MODE_FLAGS {
        return Err(EINVAL);
    }
    let (node, others) = read_nodes(mask, bits)?;
    let empty = !node && !others;
    match plain {
        // Linux does not look at its flags.
        MPOL_DEFAULT => return if empty { Ok((MPOL_DEFAULT, false)) } else { Err(EINVAL) },
        MPOL_LOCAL if !empty || flags != 0 => return Err(EINVAL),
        MPOL_LOCAL => {}
        MPOL_PREFERRED if empty && flags == 0 => return Ok((MPOL_LOCAL, false)),
        _ if !node => return Err(EINVAL),
        _ => {}
    }
    Ok((mode, node))
}

/// set_mempolicy(2): with one node every policy places memory alike; it is kept for get_mempolicy(2).
pub fn sys_set_mempolicy(cx: &Cx<'_>, mode: u32, mask: usize, bits: usize) -> Result<usize> {
    let (mode, node) = read_policy(mode, mask, bits)?;
    cx.thread.mempolicy.store(mode | u32::from(node) << 31, Ordering::Relaxed);
    Ok(0)
}

/// get_mempolicy(2)
pub fn sys_get_mempolicy(cx: &Cx<'_>, mode: usize, mask: usize, bits: usize, addr: usize, flags: u32) -> Result<usize> {
    const F_NODE: u32 = 1;
    const F_ADDR: u32 = 2;
    const F_MEMS_ALLOWED: u32 = 4;
    call_flags::memory::GET_MEMPOLICY.check(flags)?;
    if mask != 0 && bits < 1 {
        return Err(EINVAL);
    }
    let kept = cx.thread.mempolicy.load(Ordering::Relaxed);
    let (mut value, mut node) = (kept & 0xffff, kept >> 31 != 0);
    if flags & F_MEMS_ALLOWED != 0 {
        if flags & (F_NODE | F_ADDR) != 0 {
            return Err(EINVAL);
        }
        (value, node) = (0, true);
    } else if flags & F_ADDR != 0 {
        if cx.process.mm()?.find(addr).is_none() {
            return Err(EFAULT);
        }
        if flags & F_NODE != 0 {
            value = 0;
        }
    } else if addr != 0 || (flags & F_NODE != 0 && value & !MPOL_MODE_FLAGS != 3) {
        return Err(EINVAL);
    } else if flags & F_NODE != 0 {
        value = 0;
    }
    user::write_opt(mode, &value)?;
    if mask != 0 {
        let mut words = alloc::vec![0u64; bits.min(MAX_NODE_BITS).div_ceil(64).max(1)];
        words[0] = u64::from(node);
        frame::user::copy_to_user(mask as u64, words.as_bytes())?;
    }
    Ok(0)
}

/// mbind(2): checks the policy and the range; with one node there is nothing to place or to move.
pub fn sys_mbind(cx: &Cx<'_>, addr: usize, len: usize, mode: u32, mask: usize, bits: usize, flags: u32) -> Result<usize> {
    const MOVE_ALL: u32 = 4;
    call_flags::memory::MBIND.check(flags)?;
    if addr % crate::mm::PAGE != 0 {
        return Err(EINVAL);
    }
    if flags & MOVE_ALL != 0 && !cx.thread.has(Capability::SYS_NICE) {
        return Err(EPERM);
    }
    read_policy(mode, mask, bits)?;
    let end = crate::mm::page_up(len).and_then(|l| addr.checked_add(l)).ok_or(EINVAL)?;
    if addr != end {
        cx.process.mm()?.check_mapped(addr, end).map_err(|_| EFAULT)?;
    }
    Ok(0)
}

/// pkey_alloc(2): the processors we run on are not asked for protection keys, so there are none.
pub fn sys_pkey_alloc(_cx: &Cx<'_>, flags: u64, rights: u64) -> Result<usize> {
    call_flags::memory::PKEY_ALLOC.check(flags)?;
    call_flags::memory::PKEY_ALLOC_RIGHTS.check(rights)?;
    Err(ENOSPC)
}

/// pkey_free(2)
pub fn sys_pkey_free(_cx: &Cx<'_>, _key: i32) -> Result<usize> {
    Err(EINVAL)
}

/// pkey_mprotect(2): only without a key (-1).
pub fn sys_pkey_mprotect(cx: &Cx<'_>, addr: usize, len: usize, prot: u32, key: i32) -> Result<usize> {
    match key {
        -1 => mm::sys_mprotect(cx, addr, len, prot),
        _ => Err(EINVAL),
    }
}
