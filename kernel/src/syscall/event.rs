//! System calls that make and wait for events: pipe, eventfd, timerfd, signalfd, poll, select, epoll.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use call_flags::{events, files, signals};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::Cx;
use super::signal::with_mask;
use super::time::TimeSpec;
use crate::error::*;
use crate::fs::{Events, FdFlags, FileOps, OpenFile, OpenFlags};
use crate::ipc::{epoll, eventfd, pipe, signalfd, timerfd};
use crate::sync::{PollTable, PollWaiter, WaitEntry};
use crate::time::Clock;
use crate::user;

const O_CLOEXEC: u32 = OpenFlags::CLOEXEC.bits();
const O_NONBLOCK: u32 = OpenFlags::NONBLOCK.bits();

fn fd_flags(bits: u32) -> FdFlags {
    if bits & O_CLOEXEC != 0 { FdFlags::CLOEXEC } else { FdFlags::empty() }
}

fn install(cx: &Cx<'_>, ops: Arc<dyn FileOps>, flags: u32) -> Result<usize> {
    let file = OpenFile::new(ops, eventfd::open_flags(flags & O_NONBLOCK != 0));
    Ok(cx.process.files().insert(file, fd_flags(flags))? as usize)
}

/// pipe(2)
pub fn sys_pipe(cx: &Cx<'_>, at: usize) -> Result<usize> {
    sys_pipe2(cx, at, 0)
}

/// pipe2(2)
pub fn sys_pipe2(cx: &Cx<'_>, at: usize, flags: u32) -> Result<usize> {
    files::PIPE2.check(flags)?;
    let (reader, writer) = pipe::open(OpenFlags::from_bits_retain(flags));
    let files = cx.process.files();
    let read_fd = files.insert(reader, fd_flags(flags))?;
    let write_fd = match files.insert(writer, fd_flags(flags)) {
        Ok(fd) => fd,
        Err(error) => {
            let _ = files.close(read_fd);
            return Err(error);
        }
    };
    if let Err(error) = user::write(at, &[read_fd, write_fd]) {
        let _ = files.close(read_fd);
        let _ = files.close(write_fd);
        return Err(error);
    }
    Ok(0)
}

/// eventfd(2)
pub fn sys_eventfd(cx: &Cx<'_>, initial: u32) -> Result<usize> {
    sys_eventfd2(cx, initial, 0)
}

/// eventfd2(2): EFD_SEMAPHORE is 1.
pub fn sys_eventfd2(cx: &Cx<'_>, initial: u32, flags: u32) -> Result<usize> {
    events::EVENTFD2.check(flags)?;
    install(cx, eventfd::EventFd::new(initial.into(), flags & 1 != 0), flags)
}

/// timerfd_create(2)
pub fn sys_timerfd_create(cx: &Cx<'_>, clock: i32, flags: u32) -> Result<usize> {
    events::TIMERFD_CREATE.check(flags)?;
    events::TIMERFD_CLOCK.check(clock as u32)?;
    install(cx, timerfd::TimerFd::new(Clock::parse(clock)?), flags)
}

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct ITimerSpec {
    interval: TimeSpec,
    value: TimeSpec,
}

fn with_timer<R>(cx: &Cx<'_>, fd: i32, f: impl FnOnce(&timerfd::TimerFd) -> Result<R>) -> Result<R> {
    let file = cx.process.files().get(fd)?;
    f(file.downcast::<timerfd::TimerFd>().ok_or(EINVAL)?)
}

fn spec((value, interval): (u64, u64)) -> ITimerSpec {
    ITimerSpec { interval: TimeSpec::from_ns(interval), value: TimeSpec::from_ns(value) }
}

/// timerfd_settime(2): TFD_TIMER_ABSTIME 1, TFD_TIMER_CANCEL_ON_SET 2.
pub fn sys_timerfd_settime(cx: &Cx<'_>, fd: i32, flags: u32, new: usize, old: usize) -> Result<usize> {
    events::TIMERFD_SETTIME.check(flags)?;
    let wanted: ITimerSpec = user::read(new)?;
    let (value, interval) = (wanted.value.to_ns()?, wanted.interval.to_ns()?);
    let before = with_timer(cx, fd, |t| t.set(flags & 1 != 0, flags & 2 != 0, value, interval))?;
    user::write_opt(old, &spec(before))?;
    Ok(0)
}

/// timerfd_gettime(2)
pub fn sys_timerfd_gettime(cx: &Cx<'_>, fd: i32, at: usize) -> Result<usize> {
    let now = with_timer(cx, fd, |t| Ok(t.get()))?;
    user::write(at, &spec(now))?;
    Ok(0)
}

/// signalfd(2)
pub fn sys_signalfd(cx: &Cx<'_>, fd: i32, mask: usize, size: usize) -> Result<usize> {
    sys_signalfd4(cx, fd, mask, size, 0)
}

/// signalfd4(2)
pub fn sys_signalfd4(cx: &Cx<'_>, fd: i32, mask: usize, size: usize, flags: u32) -> Result<usize> {
    if size != 8 {
        return Err(EINVAL);
    }
    signals::SIGNALFD4.check(flags)?;
    let mask = frame::user::read_u64(mask as u64)?;
    if fd == -1 {
        return install(cx, signalfd::SignalFd::new(mask), flags);
    }
    let file = cx.process.files().get(fd)?;
    file.downcast::<signalfd::SignalFd>().ok_or(EINVAL)?.set_mask(mask);
    Ok(fd as usize)
}

/// `struct pollfd`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct PollFd {
    fd: i32,
    events: u16,
    revents: u16,
}

/// What is waited for on one file, and what was found.
struct Watch {
    file: Option<Arc<OpenFile>>,
    interest: Events,
    found: Events,
}

/// Waits until something of `watches` is true or the deadline comes; returns how many are.
fn poll_files(watches: &mut [Watch], deadline_ns: Option<u64>) -> Result<usize> {
    let waiter = PollWaiter::new();
    let waker = waiter.waker();
    let mut entries: Option<Vec<WaitEntry>> = None;
    loop {
        waiter.reset();
        let mut table = if entries.is_some() || deadline_ns == Some(0) { PollTable::none() } else { PollTable::with(&waker) };
        let mut count = 0;
        for watch in watches.iter_mut() {
            if let Some(file) = &watch.file {
                watch.found = file.ops.poll(file, &mut table) & (watch.interest | Events::ERR | Events::HUP);
            }
            if !watch.found.is_empty() {
                count += 1;
                table.stop_registering();
            }
        }
        if count > 0 || deadline_ns == Some(0) {
            return Ok(count);
        }
        entries.get_or_insert_with(|| table.into_entries());
        match waiter.wait(deadline_ns) {
            Ok(()) => {}
            Err(ETIMEDOUT) => return Ok(0),
            Err(ERESTARTSYS) => return Err(ERESTARTNOHAND),
            Err(error) => return Err(error),
        }
    }
}

fn do_poll(cx: &Cx<'_>, at: usize, count: usize, deadline_ns: Option<u64>) -> Result<usize> {
    if count as u64 > cx.process.rlimit(crate::task::process::RLIMIT_NOFILE).0 {
        return Err(EINVAL);
    }
    let mut fds = user::read_vec::<PollFd>(at, count)?;
    let files = cx.process.files();
    let mut watches: Vec<Watch> = fds
        .iter()
        .map(|p| {
            let interest = Events::from_bits_retain(p.events.into());
            if p.fd < 0 {
                return Watch { file: None, interest, found: Events::empty() };
            }
            match files.get_real(p.fd) {
                Ok(file) => Watch { file: Some(file), interest, found: Events::empty() },
                Err(_) => Watch { file: None, interest, found: Events::NVAL },
            }
        })
        .collect();
    let ready = poll_files(&mut watches, deadline_ns)?;
    for (fd, watch) in fds.iter_mut().zip(&watches) {
        fd.revents = watch.found.bits() as u16;
    }
    for (i, fd) in fds.iter().enumerate() {
        user::write(at + i * size_of::<PollFd>(), fd)?;
    }
    Ok(ready)
}

fn millis_deadline(timeout_ms: i32) -> Option<u64> {
    match timeout_ms {
        0 => Some(0),
        1.. => Some(frame::time::now_ns() + timeout_ms as u64 * 1_000_000),
        _ => None,
    }
}

/// poll(2)
pub fn sys_poll(cx: &Cx<'_>, at: usize, count: usize, timeout_ms: i32) -> Result<usize> {
    do_poll(cx, at, count, millis_deadline(timeout_ms))
}

fn timespec_deadline(at: usize) -> Result<Option<u64>> {
    if at == 0 {
        return Ok(None);
    }
    let ns = user::read::<TimeSpec>(at)?.to_ns()?;
    Ok(Some(if ns == 0 { 0 } else { frame::time::now_ns().saturating_add(ns) }))
}

/// Linux writes the time that is left back (ppoll, pselect, select).
fn write_rest(at: usize, deadline_ns: Option<u64>) {
    if let (true, Some(deadline)) = (at != 0, deadline_ns) {
        let left = deadline.saturating_sub(frame::time::now_ns());
        // The call has succeeded; a read-only time-out is not an error.
        let _ = user::write(at, &TimeSpec::from_ns(left));
    }
}

/// ppoll(2)
pub fn sys_ppoll(cx: &Cx<'_>, at: usize, count: usize, timeout: usize, mask: usize, size: usize) -> Result<usize> {
    let deadline = timespec_deadline(timeout)?;
    apply_mask(cx, mask, size)?;
    let result = do_poll(cx, at, count, deadline);
    finish_mask(cx, &result);
    if !is_sticky(cx) {
        write_rest(timeout, deadline);
    }
    result
}

pub(super) fn apply_mask(cx: &Cx<'_>, mask: usize, size: usize) -> Result {
    if mask != 0 {
        if size != 8 {
            return Err(EINVAL);
        }
        with_mask(cx, frame::user::read_u64(mask as u64)?);
    }
    Ok(())
}

/// Where no signal interrupted the wait, the old mask comes back at once; otherwise the handler's frame restores it.
pub(super) fn finish_mask(cx: &Cx<'_>, result: &Result<usize>) {
    if matches!(result, Err(error) if error.is_restart()) {
        return;
    }
    let saved = cx.thread.signals.lock().saved_mask.take();
    if let Some(mask) = saved {
        crate::task::signal::set_blocked(cx.thread, mask);
    }
}

const SELECT_IN: Events = Events::RDNORM.union(Events::RDBAND).union(Events::IN).union(Events::HUP).union(Events::ERR);
const SELECT_OUT: Events = Events::WRBAND.union(Events::WRNORM).union(Events::OUT).union(Events::ERR);
const SELECT_EX: Events = Events::PRI;

fn do_select(cx: &Cx<'_>, n: i32, sets: [usize; 3], deadline_ns: Option<u64>) -> Result<usize> {
    let n = usize::try_from(n).map_err(|_| EINVAL)?.min(1 << 20);
    let bytes = n.div_ceil(64) * 8;
    let mut bits: [Option<Vec<u8>>; 3] = [None, None, None];
    for (slot, at) in bits.iter_mut().zip(sets) {
        if at != 0 {
            *slot = Some(user::read_bytes(at, bytes)?);
        }
    }
    let files = cx.process.files();
    let mut watches = Vec::new();
    let mut fds = Vec::new();
    for fd in 0..n {
        let set = |i: usize| bits[i].as_ref().is_some_and(|b| b[fd / 8] & 1 << (fd % 8) != 0);
        let mut interest = Events::empty();
        if set(0) {
            interest |= SELECT_IN;
        }
        if set(1) {
            interest |= SELECT_OUT;
        }
        if set(2) {
            interest |= SELECT_EX;
        }
        if !interest.is_empty() {
            watches.push(Watch { file: Some(files.get(fd as i32)?), interest, found: Events::empty() });
            fds.push(fd);
        }
    }
    poll_files(&mut watches, deadline_ns)?;
    let wanted = bits.clone();
    let mut count = 0;
    for b in bits.iter_mut().flatten() {
        b.fill(0);
    }
    for (fd, watch) in fds.iter().zip(&watches) {
        for (i, mask) in [SELECT_IN, SELECT_OUT, SELECT_EX].into_iter().enumerate() {
            let asked = wanted[i].as_ref().is_some_and(|b| b[fd / 8] & 1 << (fd % 8) != 0);
            if asked && watch.found.intersects(mask) {
                if let Some(b) = &mut bits[i] {
                    b[fd / 8] |= 1 << (fd % 8);
                    count += 1;
                }
            }
        }
    }
    for (b, at) in bits.iter().zip(sets) {
        if let Some(b) = b {
            frame::user::copy_to_user(at as u64, b)?;
        }
    }
    Ok(count)
}

/// Whether time limits are to stay as they are (`personality(2)`).
fn is_sticky(cx: &Cx<'_>) -> bool {
    cx.process.personality.load(Ordering::Relaxed) & super::misc::STICKY_TIMEOUTS != 0
}

/// select(2)
pub fn sys_select(cx: &Cx<'_>, n: i32, read: usize, write: usize, except: usize, timeout: usize) -> Result<usize> {
    let deadline = if timeout == 0 {
        None
    } else {
        let [sec, usec]: [i64; 2] = user::read(timeout)?;
        if sec < 0 || usec < 0 {
            return Err(EINVAL);
        }
        let ns = (sec as u64).saturating_mul(1_000_000_000).saturating_add((usec as u64).saturating_mul(1000));
        Some(if ns == 0 { 0 } else { frame::time::now_ns().saturating_add(ns) })
    };
    let result = do_select(cx, n, [read, write, except], deadline);
    if let (Some(deadline), true) = (deadline, timeout != 0 && !is_sticky(cx)) {
        let left = deadline.saturating_sub(frame::time::now_ns());
        let _ = user::write(timeout, &[left / 1_000_000_000, left % 1_000_000_000 / 1000]);
    }
    result
}

/// pselect6(2)
pub fn sys_pselect6(cx: &Cx<'_>, n: i32, read: usize, write: usize, except: usize, timeout: usize, mask: usize) -> Result<usize> {
    let deadline = timespec_deadline(timeout)?;
    if mask != 0 {
        let [at, size]: [usize; 2] = user::read(mask)?;
        apply_mask(cx, at, size)?;
    }
    let result = do_select(cx, n, [read, write, except], deadline);
    finish_mask(cx, &result);
    if !is_sticky(cx) {
        write_rest(timeout, deadline);
    }
    result
}

/// epoll_create(2)
pub fn sys_epoll_create(cx: &Cx<'_>, size: i32) -> Result<usize> {
    if size <= 0 {
        return Err(EINVAL);
    }
    sys_epoll_create1(cx, 0)
}

/// epoll_create1(2)
pub fn sys_epoll_create1(cx: &Cx<'_>, flags: u32) -> Result<usize> {
    events::EPOLL_CREATE1.check(flags)?;
    install(cx, epoll::Epoll::new(), flags)
}

/// `struct epoll_event`, packed on x86-64.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct EpollEvent {
    words: [u32; 3],
}

fn epoll_of(cx: &Cx<'_>, epfd: i32) -> Result<Arc<epoll::Epoll>> {
    cx.process.files().get(epfd)?.downcast::<epoll::Epoll>().and_then(epoll::Epoll::shared).ok_or(EINVAL)
}

/// epoll_ctl(2)
pub fn sys_epoll_ctl(cx: &Cx<'_>, epfd: i32, op: i32, fd: i32, event: usize) -> Result<usize> {
    const ADD: i32 = 1;
    const DEL: i32 = 2;
    const MOD: i32 = 3;
    let event = if op == DEL { EpollEvent { words: [0; 3] } } else { user::read::<EpollEvent>(event)? };
    let file = cx.process.files().get_real(fd)?;
    let instance = epoll_of(cx, epfd)?;
    let [mask, low, high] = event.words;
    let data = u64::from(low) | u64::from(high) << 32;
    events::EPOLL_CTL.check(op as u32)?;
    if op == ADD && mask & epoll::EXCLUSIVE != 0 {
        events::EPOLL_EXCLUSIVE.check(mask)?;
    }
    match op {
        ADD => instance.add(fd, &file, mask, data)?,
        MOD => instance.modify(fd, &file, mask, data)?,
        DEL => instance.remove(fd, &file)?,
        _ => return Err(EINVAL),
    }
    Ok(0)
}

fn do_epoll_wait(cx: &Cx<'_>, epfd: i32, at: usize, max: i32, deadline_ns: Option<u64>) -> Result<usize> {
    if max <= 0 {
        return Err(EINVAL);
    }
    let found = epoll_of(cx, epfd)?.wait(max as usize, deadline_ns).map_err(|e| if e == ERESTARTSYS { EINTR } else { e })?;
    for (i, (events, data)) in found.iter().enumerate() {
        user::write(at + i * 12, &EpollEvent { words: [*events, *data as u32, (*data >> 32) as u32] })?;
    }
    Ok(found.len())
}

/// epoll_wait(2)
pub fn sys_epoll_wait(cx: &Cx<'_>, epfd: i32, at: usize, max: i32, timeout_ms: i32) -> Result<usize> {
    do_epoll_wait(cx, epfd, at, max, millis_deadline(timeout_ms))
}

fn masked_epoll_wait(cx: &Cx<'_>, epfd: i32, at: usize, max: i32, deadline: Option<u64>, mask: usize, size: usize) -> Result<usize> {
    apply_mask(cx, mask, size)?;
    let result = do_epoll_wait(cx, epfd, at, max, deadline);
    if result != Err(EINTR) {
        finish_mask(cx, &result);
    }
    result
}

/// epoll_pwait(2)
pub fn sys_epoll_pwait(cx: &Cx<'_>, epfd: i32, at: usize, max: i32, timeout_ms: i32, mask: usize, size: usize) -> Result<usize> {
    masked_epoll_wait(cx, epfd, at, max, millis_deadline(timeout_ms), mask, size)
}

/// epoll_pwait2(2)
pub fn sys_epoll_pwait2(cx: &Cx<'_>, epfd: i32, at: usize, max: i32, timeout: usize, mask: usize, size: usize) -> Result<usize> {
    let deadline = timespec_deadline(timeout)?;
    masked_epoll_wait(cx, epfd, at, max, deadline, mask, size)
}
