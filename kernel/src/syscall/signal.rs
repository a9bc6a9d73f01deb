//! Signal system calls (`signal(7)`).

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use call_flags::signals;
use frame::user::UserContext;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::time::TimeSpec;
use super::{Cx, Outcome};
use crate::error::*;
use crate::task::pid_ns;
use crate::task::signal::{self, AltStack, NSIG, SI_TKILL, SIGKILL, SIGSEGV, SIGSTOP, SigAction, SigInfo, SigSet};
use crate::task::{Process, sigframe};
use crate::{ipc, user};

/// The kernel's `struct sigaction`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct KernelSigAction {
    handler: u64,
    flags: u64,
    restorer: u64,
    mask: u64,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct StackT {
    sp: u64,
    flags: u32,
    pad: u32,
    size: u64,
}

fn check_signal(number: i32) -> Result<u32> {
    u32::try_from(number).ok().filter(|n| (1..=NSIG).contains(n)).ok_or(EINVAL)
}

fn check_set_size(size: usize) -> Result {
    if size == 8 { Ok(()) } else { Err(EINVAL) }
}

/// rt_sigaction(2)
pub fn sys_rt_sigaction(cx: &Cx<'_>, number: i32, new: usize, old: usize, size: usize) -> Result<usize> {
    check_set_size(size)?;
    let number = check_signal(number)?;
    let action = if new != 0 { Some(user::read::<KernelSigAction>(new)?) } else { None };
    if action.is_some() && (number == SIGKILL || number == SIGSTOP) {
        return Err(EINVAL);
    }
    let before = {
        let mut shared = cx.process.signals.lock();
        let slot = &mut shared.actions[number as usize - 1];
        let before = *slot;
        if let Some(a) = action {
            *slot = SigAction {
                handler: a.handler,
                flags: a.flags & signals::SIGACTION.accepted(),
                restorer: a.restorer,
                mask: a.mask & !(signal::bit(SIGKILL) | signal::bit(SIGSTOP)),
            };
            if shared.ignores(number) {
                // POSIX: setting a pending signal to be ignored discards it.
                shared.pending.discard(signal::bit(number));
                drop(shared);
                for thread in cx.process.threads() {
                    thread.signals.lock().pending.discard(signal::bit(number));
                }
            }
        }
        before
    };
    user::write_opt(old, &KernelSigAction { handler: before.handler, flags: before.flags, restorer: before.restorer, mask: before.mask })?;
    Ok(0)
}

/// rt_sigprocmask(2)
pub fn sys_rt_sigprocmask(cx: &Cx<'_>, how: i32, set: usize, old: usize, size: usize) -> Result<usize> {
    check_set_size(size)?;
    let before = cx.thread.signals.lock().blocked;
    if set != 0 {
        signals::SIGPROCMASK.check(how as u32)?;
        let set: SigSet = frame::user::read_u64(set as u64)?;
        let after = match how {
            0 => before | set,
            1 => before & !set,
            2 => set,
            _ => return Err(EINVAL),
        };
        signal::set_blocked(cx.thread, after);
    }
    user::write_opt(old, &before)?;
    Ok(0)
}

/// rt_sigpending(2)
pub fn sys_rt_sigpending(cx: &Cx<'_>, set: usize, size: usize) -> Result<usize> {
    if size > 8 {
        return Err(EINVAL);
    }
    let shared = cx.process.signals.lock().pending.set;
    let own = { let s = cx.thread.signals.lock(); (s.pending.set | shared) & s.blocked };
    frame::user::copy_to_user(set as u64, &own.to_le_bytes()[..size])?;
    Ok(0)
}

/// rt_sigreturn(2)
pub fn sys_rt_sigreturn(cx: &Cx<'_>, context: &mut UserContext) -> Outcome {
    match sigframe::sigreturn(cx.thread, context) {
        Ok(rax) => context.regs.rax = rax,
        Err(_) => signal::force(cx.thread, SigInfo::kernel(SIGSEGV)),
    }
    Outcome::Registers
}

/// sigaltstack(2)
pub fn sys_sigaltstack(cx: &Cx<'_>, context: &mut UserContext) -> Outcome {
    altstack(cx, context.regs.rdi as usize, context.regs.rsi as usize, context.regs.rsp).into()
}

fn altstack(cx: &Cx<'_>, new: usize, old: usize, sp: u64) -> Result<usize> {
    const SS_ONSTACK: u32 = 1;
    const SS_DISABLE: u32 = 2;
    const SS_AUTODISARM: u32 = 1 << 31;
    let before = cx.thread.signals.lock().altstack;
    let before_flags = sigframe::altstack_flags(&before, sp);
    if new != 0 {
        let stack: StackT = user::read(new)?;
        if before_flags & SS_ONSTACK != 0 {
            return Err(EPERM);
        }
        signals::SIGALTSTACK.check(stack.flags)?;
        let mode = stack.flags & !SS_AUTODISARM;
        if mode == SS_DISABLE | SS_ONSTACK {
            return Err(EINVAL);
        }
        let altstack = if mode == SS_DISABLE {
            AltStack { sp: 0, size: 0, flags: SS_DISABLE }
        } else {
            // MINSIGSTKSZ
            if stack.size < 2048 {
                return Err(ENOMEM);
            }
            AltStack { sp: stack.sp, size: stack.size, flags: stack.flags & SS_AUTODISARM }
        };
        cx.thread.signals.lock().altstack = altstack;
    }
    user::write_opt(old, &StackT { sp: before.sp, flags: before_flags, pad: 0, size: before.size })?;
    Ok(0)
}

fn signal_or_probe(process: &Arc<Process>, cx: &Cx<'_>, number: i32, info: Option<SigInfo>) -> Result {
    let number = if number == 0 { 0 } else { check_signal(number)? };
    if !cx.process.may_signal(process, number) {
        return Err(EPERM);
    }
    if number != 0 {
        signal::send_process(process, info.unwrap_or_else(|| SigInfo::user(number, cx.process)))?;
    }
    Ok(())
}

/// The process with this id, or that of the thread with it: Linux takes any thread's.
fn process_of(id: u32) -> Result<Arc<Process>> {
    pid_ns::find(id).or_else(|| pid_ns::find_thread(id).map(|thread| thread.process.clone())).ok_or(ESRCH)
}

/// kill(2)
pub fn sys_kill(cx: &Cx<'_>, pid: i32, number: i32) -> Result<usize> {
    if number != 0 {
        check_signal(number)?;
    }
    if pid > 0 {
        signal_or_probe(&process_of(pid as u32)?, cx, number, None)?;
        return Ok(0);
    }
    let group = match pid {
        0 => Some(cx.process.pgid()),
        -1 => None,
        i32::MIN => return Err(ESRCH),
        _ => Some(pid_ns::meant(pid.unsigned_abs())?),
    };
    let mut found = false;
    let mut allowed = false;
    let own = cx.process.pid_ns.clone();
    for target in pid_ns::all() {
        let wanted = match group {
            Some(group) => target.pgid() == group && target.pid != 0,
            None => own.number(target.pid) > 1 && target.pid != cx.process.pid,
        };
        if wanted {
            found = true;
            allowed |= signal_or_probe(&target, cx, number, None).is_ok();
        }
    }
    match (found, allowed) {
        (_, true) => Ok(0),
        (true, false) => Err(EPERM),
        (false, _) => Err(ESRCH),
    }
}

fn send_to_thread(cx: &Cx<'_>, tgid: Option<i32>, tid: i32, number: i32, info: Option<SigInfo>) -> Result<usize> {
    if tid <= 0 || tgid.is_some_and(|t| t <= 0) {
        return Err(EINVAL);
    }
    let number = if number == 0 { 0 } else { check_signal(number)? };
    let target = pid_ns::find_thread(tid as u32).ok_or(ESRCH)?;
    if tgid.is_some_and(|t| pid_ns::seen(target.process.pid) != t as u32) {
        return Err(ESRCH);
    }
    if !cx.process.may_signal(&target.process, number) {
        return Err(EPERM);
    }
    if number != 0 {
        let info = info.unwrap_or_else(|| SigInfo { code: SI_TKILL, ..SigInfo::user(number, cx.process) });
        signal::send_thread(&target, info)?;
    }
    Ok(0)
}

/// tkill(2)
pub fn sys_tkill(cx: &Cx<'_>, tid: i32, number: i32) -> Result<usize> {
    send_to_thread(cx, None, tid, number, None)
}

/// tgkill(2)
pub fn sys_tgkill(cx: &Cx<'_>, tgid: i32, tid: i32, number: i32) -> Result<usize> {
    send_to_thread(cx, Some(tgid), tid, number, None)
}

/// Reads the caller's siginfo for the queueing calls; only codes that do not pretend to come from the kernel are allowed.
fn read_info(cx: &Cx<'_>, number: i32, at: usize, target: u32) -> Result<SigInfo> {
    let bytes: [u8; 128] = user::read(at)?;
    let word = |i: usize| u32::from_le_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]]);
    let code = word(8) as i32;
    if (code >= 0 || code == SI_TKILL) && target != cx.process.own_pid() {
        return Err(EPERM);
    }
    let value = u64::from(word(24)) | u64::from(word(28)) << 32;
    // 0 only asks whether one could be sent.
    let signal = if number == 0 { 0 } else { check_signal(number)? };
    // As the kernel knows the sender; what stands for nobody is told as it is.
    let pid = pid_ns::meant(word(16)).unwrap_or(word(16));
    let uid = cx.thread.creds().user.uid_in(word(20)).unwrap_or(word(20));
    Ok(SigInfo { signal, code, pid, uid, value, ..SigInfo::default() })
}

/// rt_sigqueueinfo(2)
pub fn sys_rt_sigqueueinfo(cx: &Cx<'_>, pid: i32, number: i32, info: usize) -> Result<usize> {
    let info = read_info(cx, number, info, pid as u32)?;
    signal_or_probe(&process_of(pid as u32)?, cx, number, Some(info))?;
    Ok(0)
}

/// rt_tgsigqueueinfo(2)
pub fn sys_rt_tgsigqueueinfo(cx: &Cx<'_>, tgid: i32, tid: i32, number: i32, info: usize) -> Result<usize> {
    let info = read_info(cx, number, info, tgid as u32)?;
    send_to_thread(cx, Some(tgid), tid, number, Some(info))
}

/// pidfd_send_signal(2)
pub fn sys_pidfd_send_signal(cx: &Cx<'_>, fd: i32, number: i32, info: usize, flags: u32) -> Result<usize> {
    signals::PIDFD_SEND_SIGNAL.check(flags)?;
    let file = cx.process.files().get(fd)?;
    let target = match file.downcast::<ipc::pidfd::PidFd>() {
        Some(pidfd) => pidfd.0.clone(),
        // A directory of /proc will do, for this call only.
        None => crate::proc::process_of(&file).ok_or(EBADF)?,
    };
    if target.is_zombie() {
        return Err(ESRCH);
    }
    let info = if info == 0 {
        None
    } else {
        // Other calls put their number in; this one wants it to be right.
        if user::read::<i32>(info)? != number {
            return Err(EINVAL);
        }
        Some(read_info(cx, number, info, pid_ns::seen(target.pid))?)
    };
    signal_or_probe(&target, cx, number, info)?;
    Ok(0)
}

/// rt_sigsuspend(2)
pub fn sys_rt_sigsuspend(cx: &Cx<'_>, set: usize, size: usize) -> Result<usize> {
    check_set_size(size)?;
    let mask = frame::user::read_u64(set as u64)?;
    with_mask(cx, mask);
    sys_pause(cx)
}

/// Blocks `mask` until the next return to user mode, where a handler sees it and the old mask comes back.
pub fn with_mask(cx: &Cx<'_>, mask: SigSet) {
    let mut signals = cx.thread.signals.lock();
    let before = signals.blocked;
    signals.saved_mask.get_or_insert(before);
    drop(signals);
    signal::set_blocked(cx.thread, mask);
}

/// pause(2)
pub fn sys_pause(cx: &Cx<'_>) -> Result<usize> {
    let never = crate::sync::WaitQueue::new();
    let _ = cx;
    match never.wait_until(|| None::<()>) {
        Err(ERESTARTSYS) => Err(ERESTARTNOHAND),
        Err(error) => Err(error),
        Ok(()) => Ok(0),
    }
}

/// rt_sigtimedwait(2)
pub fn sys_rt_sigtimedwait(cx: &Cx<'_>, set: usize, info: usize, timeout: usize, size: usize) -> Result<usize> {
    check_set_size(size)?;
    let wanted = frame::user::read_u64(set as u64)? & !(signal::bit(SIGKILL) | signal::bit(SIGSTOP));
    let deadline = if timeout == 0 { None } else { Some(frame::time::now_ns().saturating_add(user::read::<TimeSpec>(timeout)?.to_ns()?)) };
    let mut take = || {
        let mut shared = cx.process.signals.lock();
        let mut own = cx.thread.signals.lock();
        own.pending.take(wanted).or_else(|| shared.pending.take(wanted))
    };
    // While waiting the signals count as unblocked for those who choose a thread; taking them here keeps them from delivery.
    let found = cx.process.signal_event.wait_deadline(deadline, &mut take);
    let found = match found {
        Ok(found) => found,
        Err(ETIMEDOUT) => return Err(EAGAIN),
        Err(ERESTARTSYS) => return Err(EINTR),
        Err(error) => return Err(error),
    };
    if info != 0 {
        user::write(info, &found.to_bytes())?;
    }
    cx.thread.signal_check.store(true, Ordering::Release);
    Ok(found.signal as usize)
}

/// restart_syscall(2): only called by the kernel's own doing; a sleep that was stopped goes on.
pub fn sys_restart_syscall(cx: &Cx<'_>) -> Result<usize> {
    super::time::resume_sleep(cx)
}

