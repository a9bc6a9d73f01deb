//! Process system calls.

use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use call_flags::processes;
use frame::user::UserContext;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Cx, Outcome};
use crate::error::*;
use crate::fs::{self, Caller, FdFlags, LookupFlags};
use crate::task::lifecycle::{self, CloneArgs, CloneFlags, WaitOptions, WaitTarget};
use crate::task::process::{self, Usage};
use crate::task::{comm_from, exec, signal};
use crate::task::Capability;
use crate::task::pid_ns;
use crate::task::user_ns::UserNamespace;
use crate::{ipc, user};

/// CSIGNAL: the exit signal in the low byte of clone's flags.
const CSIGNAL: u64 = 0xff;

fn do_clone(cx: &Cx<'_>, context: &UserContext, args: &CloneArgs) -> Outcome {
    lifecycle::clone(cx.thread, context, args).map(|id| pid_ns::seen(id) as usize).into()
}

/// `CLONE_NEW...`: all kinds of namespaces but those of users are the administrator's.
const NAMESPACES: u64 = 0x80 | 0x2_0000 | 0x200_0000 | 0x400_0000 | 0x800_0000 | 0x2000_0000 | 0x4000_0000;

/// Whether namespaces are asked for that the caller may not make.
fn needs_privilege(cx: &Cx<'_>, flags: u64) -> bool {
    flags & NAMESPACES != 0 && flags & CloneFlags::NEWUSER.bits() == 0 && !cx.thread.has_own(Capability::SYS_ADMIN)
}

/// clone(2)
pub fn sys_clone(cx: &Cx<'_>, context: &mut UserContext) -> Outcome {
    let r = context.regs;
    // The upper half of the register is not looked at; only clone3(2) has flags there.
    let bits = r.rdi & 0xffff_ffff & !CSIGNAL;
    if needs_privilege(cx, bits) {
        return Outcome::Error(EPERM);
    }
    if let Err(error) = processes::CLONE.check(bits) {
        return Outcome::Error(error.into());
    }
    let flags = CloneFlags::from_bits_truncate(bits);
    let args = CloneArgs {
        flags,
        exit_signal: (r.rdi & CSIGNAL) as u32,
        stack: r.rsi,
        parent_tid: r.rdx,
        child_tid: r.r10,
        tls: r.r8,
        pidfd: r.rdx,
    };
    if flags.contains(CloneFlags::PIDFD | CloneFlags::PARENT_SETTID) {
        return Outcome::Error(EINVAL);
    }
    do_clone(cx, context, &args)
}

fn simple(flags: CloneFlags) -> CloneArgs {
    CloneArgs { flags, exit_signal: signal::SIGCHLD, stack: 0, parent_tid: 0, child_tid: 0, tls: 0, pidfd: 0 }
}

/// fork(2)
pub fn sys_fork(cx: &Cx<'_>, context: &mut UserContext) -> Outcome {
    do_clone(cx, context, &simple(CloneFlags::empty()))
}

/// vfork(2)
pub fn sys_vfork(cx: &Cx<'_>, context: &mut UserContext) -> Outcome {
    do_clone(cx, context, &simple(CloneFlags::VM | CloneFlags::VFORK))
}

/// clone3(2)
pub fn sys_clone3(cx: &Cx<'_>, context: &mut UserContext) -> Outcome {
    let parsed = parse_clone3(context.regs.rdi as usize, context.regs.rsi as usize);
    match parsed {
        Ok(args) if needs_privilege(cx, args.flags.bits()) => Outcome::Error(EPERM),
        Ok(args) => do_clone(cx, context, &args),
        Err(error) => Outcome::Error(error),
    }
}

fn parse_clone3(at: usize, size: usize) -> Result<CloneArgs> {
    if size < 64 {
        return Err(EINVAL);
    }
    if size > 4096 {
        return Err(E2BIG);
    }
    let bytes = user::read_bytes(at, size)?;
    let word = |i: usize| bytes.get(i * 8..i * 8 + 8).map_or(0, |b| b.iter().rev().fold(0u64, |v, b| v << 8 | u64::from(*b)));
    if bytes.iter().skip(88).any(|b| *b != 0) {
        return Err(E2BIG);
    }
    let [flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup] =
        core::array::from_fn(word);
    if set_tid != 0 || set_tid_size != 0 || cgroup != 0 || exit_signal > 64 || (stack == 0) != (stack_size == 0) {
        return Err(EINVAL);
    }
    processes::CLONE3.check(flags)?;
    let flags = CloneFlags::from_bits_truncate(flags);
    if flags.intersects(CloneFlags::THREAD | CloneFlags::PARENT) && exit_signal != 0 {
        return Err(EINVAL);
    }
    Ok(CloneArgs { flags, exit_signal: exit_signal as u32, stack: stack.wrapping_add(stack_size), tls, parent_tid, child_tid, pidfd })
}

/// Longest argument or environment string, and most of them.
const MAX_STRING: usize = 128 << 10;
const MAX_STRINGS: usize = 1 << 16;

fn read_strings(at: usize) -> Result<Vec<Vec<u8>>> {
    let mut strings = Vec::new();
    if at == 0 {
        return Ok(strings);
    }
    let mut total = 0;
    loop {
        let pointer = frame::user::read_u64(at.checked_add(strings.len() * 8).ok_or(EFAULT)? as u64)?;
        if pointer == 0 {
            return Ok(strings);
        }
        let string = user::read_cstr(pointer as usize, MAX_STRING).map_err(|e| if e == ENAMETOOLONG { E2BIG } else { e })?;
        total += string.len() + 9;
        if strings.len() >= MAX_STRINGS || total > 8 << 20 {
            return Err(E2BIG);
        }
        strings.push(string);
    }
}

/// execve(2)
pub fn sys_execve(cx: &Cx<'_>, context: &mut UserContext) -> Outcome {
    let r = context.regs;
    do_exec(cx, context, AT_FDCWD, r.rdi as usize, r.rsi as usize, r.rdx as usize, 0)
}

/// execveat(2)
pub fn sys_execveat(cx: &Cx<'_>, context: &mut UserContext) -> Outcome {
    let r = context.regs;
    do_exec(cx, context, r.rdi as i32, r.rsi as usize, r.rdx as usize, r.r10 as usize, r.r8 as u32)
}

const AT_FDCWD: i32 = -100;
const AT_SYMLINK_NOFOLLOW: u32 = 0x100;
const AT_EMPTY_PATH: u32 = 0x1000;

/// The file that a path means from a directory descriptor.
fn resolve_at(cx: &Cx<'_>, dirfd: i32, name: &[u8], flags: u32) -> Result<fs::Path> {
    let mut lookup = LookupFlags::empty();
    lookup.set(LookupFlags::FOLLOW, flags & AT_SYMLINK_NOFOLLOW == 0);
    lookup.set(LookupFlags::EMPTY, flags & AT_EMPTY_PATH != 0);
    let start = if dirfd == AT_FDCWD || name.starts_with(b"/") {
        None
    } else {
        Some(cx.process.files().get(dirfd)?.path.clone().ok_or(ENOTDIR)?)
    };
    Caller::of(cx.process).resolve(start.as_ref(), name, lookup)
}

fn do_exec(cx: &Cx<'_>, context: &mut UserContext, dirfd: i32, path: usize, argv: usize, envp: usize, flags: u32) -> Outcome {
    let mut run = || -> Result {
        let name = user::read_path(path)?;
        let argv = read_strings(argv)?;
        let envp = read_strings(envp)?;
        processes::EXECVEAT.check(flags)?;
        let found = resolve_at(cx, dirfd, &name, flags)?;
        if flags & AT_SYMLINK_NOFOLLOW != 0 && found.inode().file_type() == fs::FileType::Symlink {
            return Err(ELOOP);
        }
        let shown = if name.starts_with(b"/") || dirfd == AT_FDCWD {
            name
        } else {
            let mut shown = alloc::format!("/dev/fd/{dirfd}").into_bytes();
            if !name.is_empty() {
                shown.push(b'/');
                shown.extend_from_slice(&name);
            }
            shown
        };
        exec::exec(cx.thread, context, found, shown, argv, envp)
    };
    match run() {
        Ok(()) => Outcome::Registers,
        Err(error) => Outcome::Error(error),
    }
}

/// arch_prctl(2)
pub fn sys_arch_prctl(_cx: &Cx<'_>, context: &mut UserContext) -> Outcome {
    const SET_GS: u64 = 0x1001;
    const SET_FS: u64 = 0x1002;
    const GET_FS: u64 = 0x1003;
    const GET_GS: u64 = 0x1004;
    const GET_CPUID: u64 = 0x1011;
    let addr = context.regs.rsi;
    if let Err(error) = processes::ARCH_PRCTL.check(context.regs.rdi & 0xffff_ffff) {
        return Outcome::Error(error.into());
    }
    let result: Result<usize> = match context.regs.rdi & 0xffff_ffff {
        SET_FS | SET_GS if addr >= crate::mm::MAX_ADDRESS as u64 => Err(EPERM),
        SET_FS => {
            context.regs.fs_base = addr;
            Ok(0)
        }
        SET_GS => {
            context.regs.gs_base = addr;
            Ok(0)
        }
        GET_FS => user::write(addr as usize, &context.regs.fs_base).map(|()| 0),
        GET_GS => user::write(addr as usize, &context.regs.gs_base).map(|()| 0),
        // It never faults.
        GET_CPUID => Ok(1),
        _ => Err(EINVAL),
    };
    result.into()
}

/// exit(2): ends the thread.
pub fn sys_exit(cx: &Cx<'_>, code: i32) -> Result<usize> {
    cx.thread.leave((code & 0xff) << 8);
    Ok(0)
}

/// exit_group(2)
pub fn sys_exit_group(cx: &Cx<'_>, code: i32) -> Result<usize> {
    lifecycle::exit_group(cx.thread, code);
    Ok(0)
}

/// getpid(2)
pub fn sys_getpid(cx: &Cx<'_>) -> Result<usize> {
    Ok(cx.process.own_pid() as usize)
}

/// gettid(2)
pub fn sys_gettid(cx: &Cx<'_>) -> Result<usize> {
    Ok(cx.thread.own_tid() as usize)
}

/// getppid(2)
pub fn sys_getppid(cx: &Cx<'_>) -> Result<usize> {
    Ok(pid_ns::seen(cx.process.parent_pid()) as usize)
}

/// set_tid_address(2)
pub fn sys_set_tid_address(cx: &Cx<'_>, addr: usize) -> Result<usize> {
    cx.thread.clear_child_tid.store(addr, Ordering::Relaxed);
    Ok(cx.thread.own_tid() as usize)
}

fn target(cx: &Cx<'_>, pid: i32) -> Result<alloc::sync::Arc<process::Process>> {
    match pid {
        0 => Ok(cx.process.clone()),
        1.. => pid_ns::find(pid as u32).ok_or(ESRCH),
        _ => Err(ESRCH),
    }
}

/// getpgrp(2)
pub fn sys_getpgrp(cx: &Cx<'_>) -> Result<usize> {
    Ok(pid_ns::seen(cx.process.pgid()) as usize)
}

/// getpgid(2)
pub fn sys_getpgid(cx: &Cx<'_>, pid: i32) -> Result<usize> {
    Ok(pid_ns::seen(target(cx, pid)?.pgid()) as usize)
}

/// getsid(2)
pub fn sys_getsid(cx: &Cx<'_>, pid: i32) -> Result<usize> {
    Ok(pid_ns::seen(target(cx, pid)?.sid()) as usize)
}

/// setpgid(2)
pub fn sys_setpgid(cx: &Cx<'_>, pid: i32, pgid: i32) -> Result<usize> {
    if pgid < 0 || (pgid == 0 && pid < 0) {
        return Err(EINVAL);
    }
    let who = target(cx, pid)?;
    let is_child = who.parent().is_some_and(|p| p.pid == cx.process.pid);
    if who.pid != cx.process.pid && !is_child {
        return Err(ESRCH);
    }
    if is_child && who.execed.load(Ordering::Relaxed) {
        return Err(EACCES);
    }
    if who.sid() == who.pid || who.sid() != cx.process.sid() {
        return Err(EPERM);
    }
    let pgid = if pgid == 0 { who.pid } else { pid_ns::meant(pgid as u32).map_err(|_| EPERM)? };
    let joins_existing = process::all().iter().any(|p| p.pgid() == pgid && p.sid() == who.sid());
    if pgid != who.pid && !joins_existing {
        return Err(EPERM);
    }
    who.set_pgid(pgid);
    Ok(0)
}

/// setsid(2)
pub fn sys_setsid(cx: &Cx<'_>) -> Result<usize> {
    if process::all().iter().any(|p| p.pgid() == cx.process.pid) {
        return Err(EPERM);
    }
    cx.process.start_session();
    Ok(cx.process.own_pid() as usize)
}

/// `struct rusage` (getrusage(2)).
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Rusage {
    utime: [i64; 2],
    stime: [i64; 2],
    maxrss: i64,
    unused1: [i64; 3],
    minflt: i64,
    majflt: i64,
    unused2: [i64; 6],
    nvcsw: i64,
    nivcsw: i64,
}

impl From<&Usage> for Rusage {
    fn from(usage: &Usage) -> Self {
        let split = |ns: u64| [(ns / 1_000_000_000) as i64, (ns % 1_000_000_000 / 1000) as i64];
        Self {
            utime: split(usage.utime_ns),
            stime: split(usage.stime_ns),
            maxrss: usage.max_rss_kib as i64,
            minflt: usage.min_flt as i64,
            majflt: usage.maj_flt as i64,
            nvcsw: usage.nvcsw as i64,
            nivcsw: usage.nivcsw as i64,
            ..Self::default()
        }
    }
}

/// Whom a number means; nobody's own stands for numbers that mean nobody.
fn waited_for(number: u32) -> u32 {
    pid_ns::meant(number).unwrap_or(u32::MAX)
}

/// wait4(2)
pub fn sys_wait4(cx: &Cx<'_>, pid: i32, status: usize, options: u32, usage: usize) -> Result<usize> {
    processes::WAIT4.check(options)?;
    let options = WaitOptions::from_bits_truncate(options);
    let target = match pid {
        -1 => WaitTarget::Any,
        0 => WaitTarget::Group(cx.process.pgid()),
        i32::MIN => return Err(ESRCH),
        1.. => WaitTarget::Pid(waited_for(pid as u32)),
        _ => WaitTarget::Group(waited_for(pid.unsigned_abs())),
    };
    let Some(found) = lifecycle::wait(cx.process, target, options | WaitOptions::EXITED)? else { return Ok(0) };
    user::write_opt(status, &found.status)?;
    user::write_opt(usage, &Rusage::from(&found.usage))?;
    Ok(found.pid as usize)
}

/// waitid(2)
pub fn sys_waitid(cx: &Cx<'_>, kind: i32, id: i32, info: usize, options: u32, usage: usize) -> Result<usize> {
    processes::WAITID.check(options)?;
    let options = WaitOptions::from_bits_truncate(options);
    if !options.intersects(WaitOptions::EXITED | WaitOptions::STOPPED | WaitOptions::CONTINUED) {
        return Err(EINVAL);
    }
    processes::WAITID_KIND.check(kind as u32)?;
    let mut options = options;
    let mut is_nonblocking = false;
    let target = match kind {
        0 => WaitTarget::Any,
        1 if id > 0 => WaitTarget::Pid(waited_for(id as u32)),
        2 if id >= 0 => WaitTarget::Group(if id == 0 { cx.process.pgid() } else { waited_for(id as u32) }),
        3 => {
            let file = cx.process.files().get(id)?;
            let pidfd = file.downcast::<ipc::pidfd::PidFd>().ok_or(EBADF)?;
            if file.nonblocking() && !options.contains(WaitOptions::NOHANG) {
                options |= WaitOptions::NOHANG;
                is_nonblocking = true;
            }
            WaitTarget::Pid(pidfd.0.pid)
        }
        _ => return Err(EINVAL),
    };
    match lifecycle::wait(cx.process, target, options)? {
        Some(found) => {
            if info != 0 {
                let (code, status) = found.code();
                let record = signal::SigInfo { signal: signal::SIGCHLD, code, pid: found.pid, uid: cx.thread.creds().user.uid_out(found.uid), status, ..Default::default() };
                user::write(info, &record.to_bytes())?;
            }
            user::write_opt(usage, &Rusage::from(&found.usage))?;
        }
        None if is_nonblocking => return Err(EAGAIN),
        None if info != 0 => user::write(info, &[0u8; 128])?,
        None => {}
    }
    Ok(0)
}

/// unshare(2)
pub fn sys_unshare(cx: &Cx<'_>, flags: u64) -> Result<usize> {
    if needs_privilege(cx, flags) {
        return Err(EPERM);
    }
    processes::UNSHARE.check(flags)?;
    let mut flags = CloneFlags::from_bits_truncate(flags);
    if flags.contains(CloneFlags::NEWUSER) {
        flags |= CloneFlags::THREAD | CloneFlags::FS;
    }
    // A process that shares neither signals nor memory with anyone has them for itself already; one that does cannot part with them.
    let own = CloneFlags::THREAD | CloneFlags::SIGHAND | CloneFlags::VM;
    if flags.intersects(own) && cx.process.threads().len() > 1 {
        return Err(EINVAL);
    }
    if flags.contains(CloneFlags::VM) {
        let mm = cx.process.mm()?;
        let is_shared = |other: &process::Process| other.pid != cx.process.pid && other.mm().is_ok_and(|its| alloc::sync::Arc::ptr_eq(&its, &mm));
        if process::all().iter().any(|other| is_shared(other)) {
            return Err(EINVAL);
        }
    }
    // All that can be refused comes before anything changes.
    let before = cx.thread.creds();
    let creds = if flags.contains(CloneFlags::NEWUSER) {
        if cx.process.fs().is_chrooted() {
            return Err(EPERM);
        }
        alloc::sync::Arc::new(UserNamespace::entered_new(&before)?)
    } else {
        before.clone()
    };
    let namespaces = cx.thread.namespaces().with_new(flags, &creds, &cx.process.pid_ns)?;
    if flags.intersects(CloneFlags::FS | CloneFlags::NEWNS) {
        let fs = cx.process.fs().fork();
        if flags.contains(CloneFlags::NEWNS) {
            fs.unshare_mounts(&creds)?;
        }
        cx.process.set_fs(fs);
    }
    if flags.contains(CloneFlags::NEWUSER) {
        cx.thread.set_creds((*creds).clone());
    }
    cx.thread.set_namespaces(namespaces);
    if flags.contains(CloneFlags::FILES) {
        cx.process.set_files(cx.process.files().fork());
    }
    Ok(0)
}

/// set_robust_list(2)
pub fn sys_set_robust_list(cx: &Cx<'_>, head: usize, len: usize) -> Result<usize> {
    if len != 24 {
        return Err(EINVAL);
    }
    cx.thread.robust_list.store(head, Ordering::Relaxed);
    Ok(0)
}

/// get_robust_list(2)
pub fn sys_get_robust_list(cx: &Cx<'_>, tid: i32, head: usize, len: usize) -> Result<usize> {
    let thread = if tid == 0 { cx.thread.clone() } else { pid_ns::find_thread(tid as u32).ok_or(ESRCH)? };
    if !super::remote::may_access(cx, &thread.process) {
        return Err(EPERM);
    }
    user::write(len, &24usize)?;
    user::write(head, &thread.robust_list.load(Ordering::Relaxed))?;
    Ok(0)
}

/// pidfd_open(2)
pub fn sys_pidfd_open(_cx: &Cx<'_>, pid: i32, flags: u32) -> Result<usize> {
    processes::PIDFD_OPEN.check(flags)?;
    if pid <= 0 {
        return Err(EINVAL);
    }
    let target = pid_ns::find(pid as u32).ok_or(ESRCH)?;
    Ok(ipc::pidfd::open(&target, flags != 0)? as usize)
}

/// pidfd_getfd(2)
pub fn sys_pidfd_getfd(cx: &Cx<'_>, pidfd: i32, fd: i32, flags: u32) -> Result<usize> {
    processes::PIDFD_GETFD.check(flags)?;
    let file = cx.process.files().get(pidfd)?;
    let target = file.downcast::<ipc::pidfd::PidFd>().ok_or(EBADF)?.0.clone();
    if target.is_zombie() {
        return Err(ESRCH);
    }
    if !super::remote::may_access(cx, &target) {
        return Err(EPERM);
    }
    let wanted = target.files().get(fd)?;
    Ok(cx.process.files().insert(wanted, FdFlags::CLOEXEC)? as usize)
}

/// prctl(2)
pub fn sys_prctl(cx: &Cx<'_>, option: i32, arg: usize, arg3: usize, arg4: usize, arg5: usize) -> Result<usize> {
    let process = cx.process;
    processes::PRCTL.check(option as u32)?;
    match option {
        // PR_SET_PDEATHSIG, PR_GET_PDEATHSIG
        1 if arg <= 64 => process.parent_death_signal.store(arg as u32, Ordering::Relaxed),
        2 => user::write(arg, &process.parent_death_signal.load(Ordering::Relaxed))?,
        // PR_GET_DUMPABLE, PR_SET_DUMPABLE
        3 => return Ok(process.dumpable.load(Ordering::Relaxed).into()),
        4 if arg <= 1 => process.dumpable.store(arg == 1, Ordering::Relaxed),
        7 | 8 | 23 | 24 | 27 | 28 | 47 => return super::capability::prctl(cx, option, [arg, arg3, arg4, arg5]),
        // PR_SET_NAME, PR_GET_NAME
        15 => {
            let name = user::read_cstr(arg, 16).or_else(|e| if e == ENAMETOOLONG { user::read_bytes(arg, 15) } else { Err(e) })?;
            *cx.thread.name.lock() = comm_from(&name);
        }
        16 => {
            let name = *cx.thread.name.lock();
            user::write(arg, &name)?;
        }
        // PR_GET_SECCOMP
        21 => return Ok(cx.thread.seccomp.mode() as usize),
        // PR_SET_SECCOMP
        22 => return super::seccomp::set_by_prctl(cx, arg, arg3),
        // PR_SET_TIMERSLACK, PR_GET_TIMERSLACK
        29 => {
            let slack = if arg == 0 || arg as isize <= 0 { cx.thread.default_timer_slack_ns.load(Ordering::Relaxed) } else { arg as u64 };
            cx.thread.timer_slack_ns.store(slack, Ordering::Relaxed);
        }
        30 => return Ok(cx.thread.timer_slack_ns.load(Ordering::Relaxed) as usize),
        // PR_GET_TSC, PR_SET_TSC: PR_TSC_ENABLE is 1.
        25 => user::write(arg, &1u32)?,
        26 if arg == 1 => {}
        // PR_TASK_PERF_EVENTS_DISABLE, PR_TASK_PERF_EVENTS_ENABLE: none there are.
        31 | 32 => {}
        // PR_MCE_KILL: PR_MCE_KILL_CLEAR, PR_MCE_KILL_SET with PR_MCE_KILL_LATE, _EARLY, _DEFAULT.
        33 if (arg, arg3, arg4, arg5) == (0, 0, 0, 0) => process.memory_errors.store(2, Ordering::Relaxed),
        33 if arg == 1 && arg3 <= 2 && (arg4, arg5) == (0, 0) => process.memory_errors.store(arg3 as u8, Ordering::Relaxed),
        34 if (arg, arg3, arg4, arg5) == (0, 0, 0, 0) => return Ok(process.memory_errors.load(Ordering::Relaxed).into()),
        // PR_GET_TID_ADDRESS
        40 => user::write(arg, &cx.thread.clear_child_tid.load(Ordering::Relaxed))?,
        // PR_SET_PTRACER: nobody, anybody (-1), or a process.
        0x5961_6d61 if arg == 0 || arg as isize == -1 || u32::try_from(arg).is_ok_and(|pid| pid_ns::find(pid).is_some()) => {}
        // PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER
        36 => process.subreaper.store(arg != 0, Ordering::Relaxed),
        37 => user::write(arg, &u32::from(process.subreaper.load(Ordering::Relaxed)))?,
        // PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS
        38 if arg == 1 && (arg3, arg4, arg5) == (0, 0, 0) => process.no_new_privs.store(true, Ordering::Relaxed),
        39 if (arg, arg3, arg4, arg5) == (0, 0, 0, 0) => return Ok(process.no_new_privs.load(Ordering::Relaxed).into()),
        // PR_SET_THP_DISABLE, PR_GET_THP_DISABLE
        41 if (arg3, arg4, arg5) == (0, 0, 0) => process.no_huge_pages.store(arg != 0, Ordering::Relaxed),
        42 if (arg, arg3, arg4, arg5) == (0, 0, 0, 0) => return Ok(process.no_huge_pages.load(Ordering::Relaxed).into()),
        _ => return Err(EINVAL),
    }
    Ok(0)
}
