//! `seccomp(2)`, and the part of `prctl(2)` that came before it.

use call_flags::processes;

use super::Cx;
use crate::error::*;
use crate::task::seccomp::{self, Attached};
use crate::task::Capability;
use crate::user;
use core::sync::atomic::Ordering;

const SET_MODE_STRICT: u32 = 0;
const SET_MODE_FILTER: u32 = 1;
const GET_ACTION_AVAIL: u32 = 2;

const FLAG_TSYNC: u32 = 1;
const FLAG_LOG: u32 = 2;
const FLAG_TSYNC_ESRCH: u32 = 16;

/// seccomp(2)
pub fn sys_seccomp(cx: &Cx<'_>, operation: u32, flags: u32, args: usize) -> Result<usize> {
    processes::SECCOMP.check(operation)?;
    if operation != SET_MODE_FILTER {
        processes::SECCOMP_OTHERS.check(flags)?;
    }
    match operation {
        SET_MODE_STRICT if args == 0 => cx.thread.seccomp.set_strict().map(|()| 0),
        SET_MODE_FILTER => set_filter(cx, flags, args),
        GET_ACTION_AVAIL => match user::read::<u32>(args)? {
            seccomp::RET_KILL_PROCESS | seccomp::RET_KILL_THREAD | seccomp::RET_TRAP | seccomp::RET_ERRNO | seccomp::RET_TRACE | seccomp::RET_LOG | seccomp::RET_ALLOW => Ok(0),
            _ => Err(EOPNOTSUPP),
        },
        _ => Err(EINVAL),
    }
}

/// `prctl(PR_SET_SECCOMP)`
pub fn set_by_prctl(cx: &Cx<'_>, mode: usize, filter: usize) -> Result<usize> {
    match mode {
        1 => cx.thread.seccomp.set_strict().map(|()| 0),
        2 => set_filter(cx, 0, filter),
        _ => Err(EINVAL),
    }
}

fn set_filter(cx: &Cx<'_>, flags: u32, at: usize) -> Result<usize> {
    processes::SECCOMP_FILTER.check(flags)?;
    // struct sock_fprog
    let [len, filter]: [u64; 2] = user::read(at)?;
    let len = usize::from(len as u16);
    if len == 0 || len > bpf::MAX_INSTRUCTIONS {
        return Err(EINVAL);
    }
    if !cx.process.no_new_privs.load(Ordering::Relaxed) && !cx.thread.has_own(Capability::SYS_ADMIN) {
        return Err(EACCES);
    }
    let words = user::read_vec::<u64>(filter as usize, len)?;
    let instruction = |word: u64| bpf::Instruction { code: word as u16, jump_true: (word >> 16) as u8, jump_false: (word >> 24) as u8, k: (word >> 32) as u32 };
    let program = seccomp::check(words.into_iter().map(instruction).collect())?;
    match seccomp::attach(cx.thread, program, flags & FLAG_LOG != 0, flags & FLAG_TSYNC != 0)? {
        Attached::Yes => Ok(0),
        Attached::Refused { .. } if flags & FLAG_TSYNC_ESRCH != 0 => Err(ESRCH),
        Attached::Refused { tid } => Ok(tid as usize),
    }
}
