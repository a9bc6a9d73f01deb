//! System calls about the system as a whole, limits and usage, futex, random numbers.

use core::sync::atomic::Ordering;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::Cx;
use super::process::Rusage;
use super::time::TimeSpec;
use crate::error::*;
use crate::ipc::{futex, futex_pi};
use crate::task::process::{self, RLIMIT_STACK};
use crate::time::Clock;
use crate::{log, random, task, user};
use crate::task::{Capability, uts};

/// Reported by uname(2): the release that our system-call interface follows.
pub const RELEASE: &str = "6.1.0-genai";
/// The same for programs that know no version above 2.6: 40 and the minor number, as Linux counts.
const RELEASE_26: &str = "2.6.61-genai";
/// What uname(2) gives as the kernel's version.
pub fn version() -> alloc::string::String {
    alloc::format!("#1 SMP PREEMPT GenAI OS {}", env!("CARGO_PKG_VERSION"))
}

/// uname(2)
pub fn sys_uname(cx: &Cx<'_>, at: usize) -> Result<usize> {
    let personality = cx.process.personality.load(Ordering::Relaxed);
    let mut out = [[0u8; 65]; 6];
    let mut put = |i: usize, s: &[u8]| out[i][..s.len().min(64)].copy_from_slice(&s[..s.len().min(64)]);
    put(0, b"Linux");
    // Programs of that age know no versions that begin with anything but 2 (`setarch(8)`).
    put(2, if personality & UNAME26 != 0 { RELEASE_26 } else { RELEASE }.as_bytes());
    put(3, version().as_bytes());
    put(4, if personality & PER_MASK == PER_LINUX32 { b"i686" } else { b"x86_64" });
    let names = cx.thread.namespaces().uts.names();
    put(1, names.host.as_bytes());
    put(5, names.domain.as_bytes());
    user::write(at, &out)?;
    Ok(0)
}

fn read_name(cx: &Cx<'_>, at: usize, len: usize) -> Result<uts::Name> {
    if !cx.thread.has_in(Capability::SYS_ADMIN, &cx.thread.namespaces().uts.user) {
        return Err(EPERM);
    }
    if len > uts::NAME_MAX {
        return Err(EINVAL);
    }
    uts::Name::new(&user::read_bytes(at, len)?).ok_or(EINVAL)
}

/// sethostname(2)
pub fn sys_sethostname(cx: &Cx<'_>, at: usize, len: usize) -> Result<usize> {
    let name = read_name(cx, at, len)?;
    cx.thread.namespaces().uts.change(|names| names.host = name);
    Ok(0)
}

/// setdomainname(2)
pub fn sys_setdomainname(cx: &Cx<'_>, at: usize, len: usize) -> Result<usize> {
    let name = read_name(cx, at, len)?;
    cx.thread.namespaces().uts.change(|names| names.domain = name);
    Ok(0)
}

#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct SysInfo {
    uptime: i64,
    loads: [u64; 3],
    totalram: u64,
    freeram: u64,
    sharedram: u64,
    bufferram: u64,
    totalswap: u64,
    freeswap: u64,
    procs: u16,
    pad: [u16; 3],
    totalhigh: u64,
    freehigh: u64,
    mem_unit: u32,
    pad2: u32,
}

/// sysinfo(2)
pub fn sys_sysinfo(_cx: &Cx<'_>, at: usize) -> Result<usize> {
    let stats = frame::mm::stats();
    let info = SysInfo {
        uptime: (frame::time::now_ns() / 1_000_000_000) as i64,
        loads: crate::task::sched::load_averages(),
        totalram: stats.total as u64 * 4096,
        freeram: stats.free as u64 * 4096,
        procs: process::thread_count().min(u16::MAX.into()) as u16,
        mem_unit: 1,
        ..SysInfo::default()
    };
    user::write(at, &info)?;
    Ok(0)
}

/// syslog(2): the kernel log.
pub fn sys_syslog(cx: &Cx<'_>, action: i32, buf: usize, len: i32) -> Result<usize> {
    const READ_ALL: i32 = 3;
    const READ_CLEAR: i32 = 4;
    const CLEAR: i32 = 5;
    const CONSOLE_OFF: i32 = 6;
    const CONSOLE_ON: i32 = 7;
    const CONSOLE_LEVEL: i32 = 8;
    const SIZE_UNREAD: i32 = 9;
    const SIZE_BUFFER: i32 = 10;
    if action != READ_ALL && action != SIZE_BUFFER && !cx.thread.has(Capability::SYSLOG) && !cx.thread.has(Capability::SYS_ADMIN) {
        return Err(EPERM);
    }
    call_flags::system::SYSLOG.check(action as u32)?;
    match action {
        READ_ALL | READ_CLEAR => {
            let wanted = usize::try_from(len).map_err(|_| EINVAL)?;
            let text = log::text();
            let tail = &text[text.len().saturating_sub(wanted)..];
            frame::user::copy_to_user(buf as u64, tail)?;
            if action == READ_CLEAR {
                log::clear();
            }
            Ok(tail.len())
        }
        CLEAR => {
            log::clear();
            Ok(0)
        }
        CONSOLE_OFF => {
            log::console_off();
            Ok(0)
        }
        CONSOLE_ON => {
            log::console_on();
            Ok(0)
        }
        CONSOLE_LEVEL => {
            log::set_console_level(u8::try_from(len).ok().filter(|level| (1..=8).contains(level)).ok_or(EINVAL)?);
            Ok(0)
        }
        0 | 1 => Ok(0),
        SIZE_UNREAD => Ok(0),
        SIZE_BUFFER => Ok(log::CAPACITY),
        _ => Err(EINVAL),
    }
}

/// The address space of a program is laid out the same each time.
pub const ADDR_NO_RANDOMIZE: u32 = 0x4_0000;
/// `personality(2)`: `select` and its relatives do not write what is left of their time.
pub const STICKY_TIMEOUTS: u32 = 0x400_0000;
/// `UNAME26`, and the part that says whose programs these are.
const UNAME26: u32 = 0x2_0000;
const PER_MASK: u32 = 0xff;
const PER_LINUX32: u32 = 8;

/// personality(2)
pub fn sys_personality(cx: &Cx<'_>, persona: u32) -> Result<usize> {
    let mine = &cx.process.personality;
    if persona == u32::MAX {
        return Ok(mine.load(Ordering::Relaxed) as usize);
    }
    call_flags::processes::PERSONALITY.check(persona)?;
    Ok(mine.swap(persona, Ordering::Relaxed) as usize)
}

/// reboot(2)
pub fn sys_reboot(cx: &Cx<'_>, magic: u32, magic2: u32, command: u32, _arg: usize) -> Result<usize> {
    if !cx.thread.has(Capability::SYS_BOOT) {
        return Err(EPERM);
    }
    if magic != 0xfee1_dead || ![672_274_793, 85_072_278, 369_367_448, 537_993_216].contains(&magic2) {
        return Err(EINVAL);
    }
    call_flags::system::REBOOT.check(command)?;
    match command {
        0x0123_4567 => frame::power::reboot(),
        0x4321_fedc | 0xcdef_0123 => frame::power::poweroff(),
        0 | 0x89ab_cdef => Ok(0),
        _ => Err(EINVAL),
    }
}

fn change_limit(cx: &Cx<'_>, target: &process::Process, resource: u32, new: (u64, u64)) -> Result {
    if new.0 > new.1 {
        return Err(EINVAL);
    }
    if resource as usize == process::RLIMIT_NOFILE && new.1 > crate::fs::NR_OPEN.load(Ordering::Relaxed) as u64 {
        return Err(EPERM);
    }
    {
        let mut limits = target.limits.lock();
        let slot = limits.get_mut(resource as usize).ok_or(EINVAL)?;
        if new.1 > slot.1 && !cx.thread.has(Capability::SYS_RESOURCE) {
            return Err(EPERM);
        }
        *slot = new;
    }
    if resource as usize == RLIMIT_STACK {
        if let Ok(mm) = target.mm() {
            mm.set_stack_limit(new.0);
        }
    }
    Ok(())
}

/// getrlimit(2)
pub fn sys_getrlimit(cx: &Cx<'_>, resource: u32, at: usize) -> Result<usize> {
    let limit = *cx.process.limits.lock().get(resource as usize).ok_or(EINVAL)?;
    user::write(at, &[limit.0, limit.1])?;
    Ok(0)
}

/// setrlimit(2)
pub fn sys_setrlimit(cx: &Cx<'_>, resource: u32, at: usize) -> Result<usize> {
    let [soft, hard]: [u64; 2] = user::read(at)?;
    change_limit(cx, cx.process, resource, (soft, hard))?;
    Ok(0)
}

/// prlimit(2)
pub fn sys_prlimit64(cx: &Cx<'_>, pid: i32, resource: u32, new: usize, old: usize) -> Result<usize> {
    let target = if pid == 0 { cx.process.clone() } else { crate::task::pid_ns::find(pid as u32).ok_or(ESRCH)? };
    let (mine, theirs) = (cx.thread.creds(), target.creds());
    let same = [theirs.uid, theirs.euid, theirs.suid].iter().all(|id| *id == mine.uid) && [theirs.gid, theirs.egid, theirs.sgid].iter().all(|id| *id == mine.gid);
    if target.pid != cx.process.pid && !same && !mine.has_in(Capability::SYS_RESOURCE, &theirs.user) {
        return Err(EPERM);
    }
    let before = *target.limits.lock().get(resource as usize).ok_or(EINVAL)?;
    if new != 0 {
        let [soft, hard]: [u64; 2] = user::read(new)?;
        change_limit(cx, &target, resource, (soft, hard))?;
    }
    user::write_opt(old, &[before.0, before.1])?;
    Ok(0)
}

/// getrusage(2)
pub fn sys_getrusage(cx: &Cx<'_>, who: i32, at: usize) -> Result<usize> {
    call_flags::scheduling::RUSAGE.check(who as u32)?;
    task::sched::charge_current();
    let usage = match who {
        0 => cx.process.usage(),
        -1 => *cx.process.children_usage.lock(),
        1 => process::thread_usage(cx.thread),
        _ => return Err(EINVAL),
    };
    user::write(at, &Rusage::from(&usage))?;
    Ok(0)
}

/// getrandom(2)
pub fn sys_getrandom(_cx: &Cx<'_>, at: usize, len: usize, flags: u32) -> Result<usize> {
    call_flags::system::GETRANDOM.check(flags)?;
    if flags & 6 == 6 {
        return Err(EINVAL);
    }
    let len = len.min(i32::MAX as usize);
    let mut done = 0;
    let mut block = [0u8; 256];
    while done < len {
        let piece = (len - done).min(block.len());
        random::fill(&mut block[..piece]);
        match frame::user::copy_to_user((at + done) as u64, &block[..piece]) {
            Ok(()) => done += piece,
            Err(fault) if done == 0 => return Err(fault.into()),
            Err(_) => break,
        }
    }
    Ok(done)
}

/// futex(2)
pub fn sys_futex(_cx: &Cx<'_>, addr: usize, op: u32, value: u32, timeout: usize, addr2: usize, value3: u32) -> Result<usize> {
    const PRIVATE: u32 = 128;
    const CLOCK_REALTIME: u32 = 256;
    let private = op & PRIVATE != 0;
    let command = op & !(PRIVATE | CLOCK_REALTIME);
    let clock = if op & CLOCK_REALTIME != 0 { Clock::Realtime } else { Clock::Monotonic };
    call_flags::signals::FUTEX.check(command)?;
    if op & CLOCK_REALTIME != 0 {
        call_flags::signals::FUTEX_REALTIME.check(command)?;
    }
    let deadline = |absolute: bool| -> Result<Option<u64>> {
        if timeout == 0 {
            return Ok(None);
        }
        let at = user::read::<TimeSpec>(timeout)?.to_ns()?;
        if absolute { clock.to_monotonic(at).map(Some) } else { Ok(Some(frame::time::now_ns().saturating_add(at))) }
    };
    match command {
        0 => wait_result(futex::wait(addr, private, value, u32::MAX, deadline(false)?), timeout != 0),
        1 => futex::wake(addr, private, value as i32 as usize, u32::MAX),
        3 | 4 => {
            // Both counts are ints.
            let [wakes, moves] = [value as i32, timeout as i32].map(|count| usize::try_from(count).map_err(|_| EINVAL));
            futex::requeue(addr, addr2, private, wakes?, moves?, (command == 4).then_some(value3))
        }
        5 => futex::wake_op(addr, private, value as usize, timeout, addr2, value3),
        9 => wait_result(futex::wait(addr, private, value, value3, deadline(true)?), false),
        10 => futex::wake(addr, private, value as i32 as usize, value3),
        6 => {
            let deadline = if timeout == 0 { None } else { Some(Clock::Realtime.to_monotonic(user::read::<TimeSpec>(timeout)?.to_ns()?)?) };
            futex_pi::lock(addr, private, true, deadline).map(|()| 0)
        }
        7 => futex_pi::unlock(addr, private).map(|()| 0),
        8 => futex_pi::lock(addr, private, false, None).map(|()| 0),
        11 => futex_pi::wait_for_move(addr, addr2, private, value, deadline(true)?).map(|()| 0),
        12 if value != 1 => Err(EINVAL),
        // The number of waiters to move is in the time's place.
        12 => futex_pi::move_waiters(addr, addr2, private, usize::try_from(timeout as i32).map_err(|_| EINVAL)?, value3),
        13 => futex_pi::lock(addr, private, true, deadline(true)?).map(|()| 0),
        _ => Err(ENOSYS),
    }
}

/// futex_waitv(2)
pub fn sys_futex_waitv(_cx: &Cx<'_>, words: usize, count: u32, flags: u32, timeout: usize, clock: i32) -> Result<usize> {
    const FUTEX_32: u32 = 2;
    const PRIVATE: u32 = 128;
    call_flags::signals::FUTEX_WAITV.check(flags)?;
    if count == 0 || count > 128 || words == 0 {
        return Err(EINVAL);
    }
    let deadline = match timeout {
        0 => None,
        at => {
            let clock = match clock {
                0 => Clock::Realtime,
                1 => Clock::Monotonic,
                _ => return Err(EINVAL),
            };
            Some(clock.to_monotonic(user::read::<TimeSpec>(at)?.to_ns()?)?)
        }
    };
    // struct futex_waitv: value, address, flags and a reserved half
    let raw: alloc::vec::Vec<[u64; 3]> = user::read_vec(words, count as usize)?;
    let mut waits = alloc::vec::Vec::with_capacity(raw.len());
    for [value, addr, flags] in raw {
        let (flags, reserved) = (flags as u32, flags >> 32);
        call_flags::signals::FUTEX_WAITER.check(flags)?;
        if reserved != 0 || flags & FUTEX_32 == 0 {
            return Err(EINVAL);
        }
        waits.push(futex::Wait { addr: addr as usize, private: flags & PRIVATE != 0, expected: value as u32 });
    }
    futex::wait_any(&waits, deadline)
}

/// A relative wait that is interrupted would start over with the whole time-out; it ends with EINTR instead, unless there is no handler.
fn wait_result(result: Result, relative: bool) -> Result<usize> {
    match result {
        Err(ERESTARTSYS) if relative => Err(ERESTARTNOHAND),
        other => other.map(|()| 0),
    }
}
