//! Calls that look at other processes: `process_vm_readv(2)`, `kcmp(2)`, `process_madvise(2)`; and `membarrier(2)`.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use super::{Cx, mm, rw};
use crate::error::*;
use crate::task::pid_ns;
use crate::mm::AddressSpace;
use crate::task::{Capability, Process, Thread, process};
use crate::user;

/// Copied at once.
const BLOCK: usize = 16 << 10;

/// Whether the caller may look into a process (`ptrace(2)`, ptrace access mode checking, with the real ids).
pub fn may_access(cx: &Cx<'_>, target: &Process) -> bool {
    may_look(cx.thread, target)
}

/// The same for any thread that asks.
pub fn may_look(asking: &Thread, target: &Process) -> bool {
    if asking.process.pid == target.pid {
        return true;
    }
    let (mine, theirs) = (asking.creds(), target.creds());
    // Who is confined looks at those who are as much (landlock(7), ptrace restrictions).
    let confined = match (&mine.domain, &theirs.domain) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(mine), Some(theirs)) => !mine.is_above(theirs),
    };
    if confined {
        return false;
    }
    let same = [theirs.uid, theirs.euid, theirs.suid].iter().all(|id| *id == mine.uid) && [theirs.gid, theirs.egid, theirs.sgid].iter().all(|id| *id == mine.gid);
    mine.has_in(Capability::SYS_PTRACE, &theirs.user) || (same && target.dumpable.load(Ordering::Relaxed) && mine.covers(&theirs))
}

fn target(cx: &Cx<'_>, id: i32) -> Result<Arc<Process>> {
    let found = u32::try_from(id).ok().and_then(pid_ns::find_thread).ok_or(ESRCH)?.process.clone();
    if may_access(cx, &found) { Ok(found) } else { Err(EPERM) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Read,
    Write,
}

fn transfer(cx: &Cx<'_>, id: i32, local: (usize, usize), remote: (usize, usize), flags: u64, direction: Direction) -> Result<usize> {
    call_flags::memory::PROCESS_VM.check(flags)?;
    let mut here = rw::iovecs(local.0, local.1)?.into_iter();
    if remote.1 > 1024 {
        return Err(EINVAL);
    }
    let there: alloc::vec::Vec<[usize; 2]> = user::read_vec(remote.0, remote.1)?;
    if there.iter().any(|piece| piece[1] > isize::MAX as usize) {
        return Err(EINVAL);
    }
    if there.iter().all(|piece| piece[1] == 0) {
        return Ok(0);
    }
    let space = target(cx, id)?.mm()?;
    let mut mine = (0, 0);
    let mut done = 0;
    let mut block = alloc::vec![0; BLOCK];
    for [mut addr, mut len] in there {
        while len > 0 {
            while mine.1 == 0 {
                mine = match here.next() {
                    Some(next) => next,
                    None => return Ok(done),
                };
            }
            let piece = len.min(mine.1).min(BLOCK);
            let moved = match direction {
                Direction::Read => space.read_remote(addr, &mut block[..piece]).and_then(|n| {
                    frame::user::copy_to_user(mine.0 as u64, &block[..n])?;
                    Ok(n)
                }),
                Direction::Write => frame::user::copy_from_user(&mut block[..piece], mine.0 as u64)
                    .map_err(Errno::from)
                    .and_then(|()| space.write_remote(addr, &block[..piece])),
            };
            let n = match moved {
                Ok(n) => n,
                Err(_) if done > 0 => return Ok(done),
                Err(error) => return Err(error),
            };
            done += n;
            if n < piece {
                return Ok(done);
            }
            (addr, len) = (addr + n, len - n);
            mine = (mine.0 + n, mine.1 - n);
        }
    }
    Ok(done)
}

/// process_vm_readv(2)
pub fn sys_process_vm_readv(cx: &Cx<'_>, pid: i32, local: usize, locals: usize, remote: usize, remotes: usize, flags: u64) -> Result<usize> {
    transfer(cx, pid, (local, locals), (remote, remotes), flags, Direction::Read)
}

/// process_vm_writev(2)
pub fn sys_process_vm_writev(cx: &Cx<'_>, pid: i32, local: usize, locals: usize, remote: usize, remotes: usize, flags: u64) -> Result<usize> {
    transfer(cx, pid, (local, locals), (remote, remotes), flags, Direction::Write)
}

/// kcmp(2): 0 same, 1 and 2 an order that means nothing else.
pub fn sys_kcmp(cx: &Cx<'_>, first: i32, second: i32, kind: i32, index1: usize, index2: usize) -> Result<usize> {
    let (a, b) = (target(cx, first)?, target(cx, second)?);
    call_flags::processes::KCMP.check(kind as u32)?;
    let address = |space: Result<Arc<crate::mm::AddressSpace>>| space.map_or(0, |s| Arc::as_ptr(&s) as usize);
    let (left, right) = match kind {
        // FILE
        0 => {
            let file = |p: &Process, fd: usize| p.files().get(fd as i32).map(|f| Arc::as_ptr(&f) as usize);
            (file(&a, index1)?, file(&b, index2)?)
        }
        // VM, FILES, FS
        1 => (address(a.mm()), address(b.mm())),
        2 => (Arc::as_ptr(&a.files()) as usize, Arc::as_ptr(&b.files()) as usize),
        3 => (Arc::as_ptr(&a.fs()) as usize, Arc::as_ptr(&b.fs()) as usize),
        // SIGHAND, IO, SYSVSEM: these belong to processes here; who has not set a priority or done what is to be undone has none of the latter two.
        4..=6 => {
            let has = |p: &Process| match kind {
                5 => p.threads().iter().any(|thread| thread.ioprio.load(Ordering::Relaxed) != 0),
                6 => crate::ipc::sysv::sem::has_undo(p.pid),
                _ => true,
            };
            let own = |p: &Arc<Process>| if has(p) { Arc::as_ptr(p) as usize } else { 0 };
            (own(&a), own(&b))
        }
        // EPOLL_TFD: the file, and what an epoll file watches under a number
        7 => {
            let [epoll, fd, offset]: [u32; 3] = user::read(index2)?;
            let file = a.files().get(index1 as i32)?;
            let watcher = b.files().get(epoll as i32)?;
            let watched = watcher.downcast::<crate::ipc::epoll::Epoll>().ok_or(EINVAL)?.watched(fd as i32, offset as usize).ok_or(ENOENT)?;
            (Arc::as_ptr(&file) as usize, watched)
        }
        _ => return Err(EINVAL),
    };
    Ok(match left.cmp(&right) {
        core::cmp::Ordering::Equal => 0,
        core::cmp::Ordering::Less => 1,
        core::cmp::Ordering::Greater => 2,
    })
}

/// process_madvise(2): of the own process only.
pub fn sys_process_madvise(cx: &Cx<'_>, pidfd: i32, iov: usize, count: usize, advice: i32, flags: u32) -> Result<usize> {
    call_flags::memory::PROCESS_MADVISE_FLAGS.check(flags)?;
    let pieces = rw::iovecs(iov, count)?;
    let file = cx.process.files().get_real(pidfd)?;
    let of = file.downcast::<crate::ipc::pidfd::PidFd>().ok_or(EBADF)?.0.clone();
    call_flags::memory::PROCESS_MADVISE.check(advice as u32)?;
    if of.pid != cx.process.pid && !(may_access(cx, &of) && cx.thread.has(Capability::SYS_NICE)) {
        return Err(EPERM);
    }
    let mut done = 0;
    for (addr, len) in pieces {
        // Only hints: what they need is that the range is mapped.
        if of.pid == cx.process.pid {
            mm::sys_madvise(cx, addr, len, advice)?;
        } else {
            of.mm()?.check_mapped(addr, addr.checked_add(len).ok_or(EINVAL)?)?;
        }
        done += len;
    }
    Ok(done)
}

/// process_mrelease(2): the memory of a process that is being killed, without waiting for its threads.
pub fn sys_process_mrelease(cx: &Cx<'_>, pidfd: i32, flags: u32) -> Result<usize> {
    call_flags::memory::PROCESS_MRELEASE.check(flags)?;
    let file = cx.process.files().get_real(pidfd)?;
    let of = file.downcast::<crate::ipc::pidfd::PidFd>().ok_or(EBADF)?.0.clone();
    let space = of.mm()?;
    if !of.exiting.load(Ordering::SeqCst) {
        return Err(EINVAL);
    }
    // Memory that a living process shares (vfork) is not the dying one's alone.
    if process::all().iter().any(|other| !other.exiting.load(Ordering::SeqCst) && other.mm().is_ok_and(|theirs| Arc::ptr_eq(&theirs, &space))) {
        return Err(EINVAL);
    }
    space.release();
    Ok(0)
}

/// membarrier(2): an interrupt to the CPUs that run the threads in question, which they answer before it returns.
pub fn sys_membarrier(cx: &Cx<'_>, command: u32, flags: u32, cpu: i32) -> Result<usize> {
    const GLOBAL: u32 = 1;
    const GLOBAL_EXPEDITED: u32 = 2;
    const REGISTER_GLOBAL: u32 = 4;
    const PRIVATE: u32 = 8;
    const REGISTER_PRIVATE: u32 = 16;
    const PRIVATE_CORE: u32 = 32;
    const REGISTER_CORE: u32 = 64;
    const PRIVATE_RSEQ: u32 = 128;
    const REGISTER_RSEQ: u32 = 256;
    const FLAG_CPU: u32 = 1;
    let set = if command == PRIVATE_RSEQ { &call_flags::memory::MEMBARRIER_RSEQ } else { &call_flags::memory::MEMBARRIER_OTHERS };
    set.check(flags)?;
    call_flags::memory::MEMBARRIER.check(command)?;
    let mm = cx.process.mm()?;
    match command {
        0 => return Ok(0x1ff),
        GLOBAL => process::all().iter().filter_map(|p| p.mm().ok()).for_each(|space| space.barrier()),
        GLOBAL_EXPEDITED => {
            let registered = |space: &Arc<AddressSpace>| space.barriers.load(Ordering::Relaxed) & REGISTER_GLOBAL != 0;
            process::all().iter().filter_map(|p| p.mm().ok()).filter(registered).for_each(|space| space.barrier());
        }
        REGISTER_GLOBAL | REGISTER_PRIVATE | REGISTER_CORE | REGISTER_RSEQ => {
            mm.barriers.fetch_or(command, Ordering::Relaxed);
        }
        PRIVATE | PRIVATE_CORE | PRIVATE_RSEQ => {
            // Each is registered by the next bit.
            if mm.barriers.load(Ordering::Relaxed) & (command << 1) == 0 {
                return Err(EPERM);
            }
            if command == PRIVATE_RSEQ {
                restart_sequences(&mm, (flags == FLAG_CPU).then_some(cpu));
            }
            // Returning from an interrupt also makes a CPU fetch its instructions anew.
            mm.barrier();
        }
        _ => return Err(EINVAL),
    }
    Ok(0)
}

/// Has the threads that share this memory begin their critical sections anew: those that ran on `cpu` last, where one is named.
fn restart_sequences(mm: &Arc<AddressSpace>, cpu: Option<i32>) {
    let asked = |thread: &&Arc<Thread>| cpu.is_none_or(|cpu| i64::from(cpu) == thread.sched.last_cpu() as i64);
    // Who shares the memory without being of this process is asked too, as on Linux.
    for process in process::all().iter().filter(|process| process.mm().is_ok_and(|space| Arc::ptr_eq(&space, mm))) {
        process.threads().iter().filter(asked).for_each(|thread| thread.rseq.touch());
    }
}
