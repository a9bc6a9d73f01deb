//! What requests do: a try that ends, or says what has to be waited for.

use alloc::sync::Arc;

use super::super::rw::{iovecs, one, written};
use super::super::time::TimeSpec;
use super::super::{Cx, GIVEN, attr, event, mm, open, path, socket, stat, xattr};
use super::{MORE, found, monotonic, post, ring_of};
use crate::error::*;
use crate::fs::{Events, IoSink, IoSource, OpenFile, OpenFlags};
use crate::ipc::uring::request::{BUFFER_SELECT, Entry, FIXED_FILE, Request};
use crate::ipc::uring::tables::Chosen;
use crate::ipc::uring::waiting::For;
use crate::ipc::uring::{Completion, Ring, RingFile};
use crate::sync::PollTable;
use crate::user;
use call_flags::uring as names;

/// `IORING_OP_*`
const NOP: u8 = 0;
const READV: u8 = 1;
const WRITEV: u8 = 2;
const FSYNC: u8 = 3;
const READ_FIXED: u8 = 4;
const WRITE_FIXED: u8 = 5;
const POLL_ADD: u8 = 6;
const POLL_REMOVE: u8 = 7;
const SYNC_FILE_RANGE: u8 = 8;
const SENDMSG: u8 = 9;
const RECVMSG: u8 = 10;
const TIMEOUT: u8 = 11;
const TIMEOUT_REMOVE: u8 = 12;
const ACCEPT: u8 = 13;
const ASYNC_CANCEL: u8 = 14;
pub(super) const LINK_TIMEOUT: u8 = 15;
const CONNECT: u8 = 16;
const FALLOCATE: u8 = 17;
const OPENAT: u8 = 18;
const CLOSE: u8 = 19;
const FILES_UPDATE: u8 = 20;
const STATX: u8 = 21;
const READ: u8 = 22;
const WRITE: u8 = 23;
const FADVISE: u8 = 24;
const MADVISE: u8 = 25;
const SEND: u8 = 26;
const RECV: u8 = 27;
const OPENAT2: u8 = 28;
const EPOLL_CTL: u8 = 29;
const PROVIDE_BUFFERS: u8 = 31;
const REMOVE_BUFFERS: u8 = 32;
const SHUTDOWN: u8 = 34;
const RENAMEAT: u8 = 35;
const UNLINKAT: u8 = 36;
const MKDIRAT: u8 = 37;
const SYMLINKAT: u8 = 38;
const LINKAT: u8 = 39;
const MSG_RING: u8 = 40;
const FSETXATTR: u8 = 41;
const SETXATTR: u8 = 42;
const FGETXATTR: u8 = 43;
const GETXATTR: u8 = 44;
const SOCKET: u8 = 45;

/// `IORING_CQE_F_BUFFER`, and where the buffer's number is.
const WITH_BUFFER: u32 = 1;
const BUFFER_SHIFT: u32 = 16;
/// `IORING_POLL_*`
const POLL_AGAIN: u32 = 1;
const UPDATE_EVENTS: u32 = 1 << 1;
const UPDATE_DATA: u32 = 1 << 2;
/// `IORING_TIMEOUT_*`
const ABSOLUTE: u32 = 1;
const UPDATE: u32 = 1 << 1;
const REAL_TIME: u32 = 1 << 3;
const UPDATE_LINK: u32 = 1 << 4;
const ETIME_SUCCESS: u32 = 1 << 5;
/// `IORING_ASYNC_CANCEL_*`
const CANCEL_ALL: u32 = 1;
const CANCEL_FD: u32 = 1 << 1;
const CANCEL_ANY: u32 = 1 << 2;
const CANCEL_FIXED: u32 = 1 << 3;
/// `IORING_RECVSEND_POLL_FIRST`, `IORING_RECV_MULTISHOT`, `IORING_ACCEPT_MULTISHOT`
const POLL_FIRST: u16 = 1;
const RECEIVE_AGAIN: u16 = 1 << 1;
const ACCEPT_AGAIN: u16 = 1;
/// `IORING_FILE_INDEX_ALLOC`: any free place.
const ANY_PLACE: u32 = u32::MAX;

const MSG_DONTWAIT: u32 = 0x40;
const MSG_WAITALL: u32 = 0x100;
const MSG_NOSIGNAL: u32 = 0x4000;

/// Whether a request of this number is known.
pub(super) fn is_known(opcode: u8) -> bool {
    names::OPERATION.check(u32::from(opcode)).is_ok()
}

/// How a try ends.
pub enum Attempt {
    /// With a result and the flags for it.
    Done(i32, u32),
    /// Not: it has to be tried again when its file has one of these events.
    Wait(Events),
    /// The result is which of these events its file has.
    Poll {
        #[allow(missing_docs)]
        events: Events,
        /// It goes on after the first.
        again: bool,
    },
    /// The result is that a time, or so many results, have come.
    Timeout {
        #[allow(missing_docs)]
        deadline_ns: u64,
        #[allow(missing_docs)]
        results: u32,
    },
}

/// What is wrong with a request before anything is done.
pub(super) fn check(entry: &Entry) -> Result {
    names::OPERATION.check(u32::from(entry.opcode))?;
    names::REQUEST.check(u32::from(entry.flags))?;
    if entry.personality != 0 {
        return Err(EINVAL);
    }
    if entry.flags & BUFFER_SELECT != 0 && !matches!(entry.opcode, READ | RECV) {
        return Err(EOPNOTSUPP);
    }
    if entry.opcode == LINK_TIMEOUT && entry.len != 1 {
        return Err(EINVAL);
    }
    Ok(())
}

/// Whether a result ends its chain: an error, or of a transfer less than all.
pub(super) fn fails_chain(entry: &Entry, result: i32) -> bool {
    match entry.opcode {
        READ | WRITE | READ_FIXED | WRITE_FIXED if entry.flags & BUFFER_SELECT == 0 => result < 0 || result as u32 != entry.len,
        TIMEOUT if entry.call_flags & ETIME_SUCCESS != 0 => result < 0 && result != -ETIME.0,
        _ => result < 0,
    }
}

fn needs_file(opcode: u8) -> bool {
    matches!(
        opcode,
        READV | WRITEV | FSYNC | READ_FIXED | WRITE_FIXED | POLL_ADD | SYNC_FILE_RANGE | SENDMSG | RECVMSG | ACCEPT | CONNECT | FALLOCATE | READ | WRITE | FADVISE | SEND | RECV | SHUTDOWN | MSG_RING | FSETXATTR | FGETXATTR
    )
}

/// The first try.
pub(super) fn first(cx: &Cx<'_>, ring: &Arc<Ring>, request: &mut Request) -> Attempt {
    if needs_file(request.entry.opcode) {
        let fd = request.entry.fd;
        let found = match request.entry.flags & FIXED_FILE {
            0 => cx.process.files().get_real(fd),
            _ => usize::try_from(fd).map_err(|_| EBADF).and_then(|number| ring.tables.file(number)),
        };
        match found {
            // One ring that waits for another would keep it, and itself, for ever.
            Ok(file) if file.downcast::<RingFile>().is_some() && request.entry.opcode != MSG_RING => return Attempt::Done(-EOPNOTSUPP.0, 0),
            Ok(file) => {
                if file.ops.has_readiness() {
                    request.quick = Some(OpenFile::new(file.ops.clone(), file.flags() | OpenFlags::NONBLOCK));
                }
                request.file = Some(file);
            }
            Err(error) => return Attempt::Done(-error.0, 0),
        }
    }
    again(cx, ring, request)
}

/// A further try.
pub(super) fn again(cx: &Cx<'_>, ring: &Arc<Ring>, request: &mut Request) -> Attempt {
    match attempt(cx, ring, request) {
        Ok(attempt) => attempt,
        // A result cannot make a call start again.
        Err(error) if error.is_restart() => Attempt::Done(-EINTR.0, 0),
        Err(error) => Attempt::Done(-error.0, 0),
    }
}

fn done(result: usize) -> Attempt {
    Attempt::Done(i32::try_from(result).unwrap_or(i32::MAX), 0)
}

/// Events as `poll(2)` has them.
pub(super) fn poll_result(events: Events) -> i32 {
    events.bits() as i32
}

fn attempt(cx: &Cx<'_>, ring: &Arc<Ring>, request: &mut Request) -> Result<Attempt> {
    let entry = request.entry;
    let on_file = request.quick.as_ref().or(request.file.as_ref()).cloned();
    let with = Cx { thread: cx.thread, process: cx.process, given: on_file.as_ref() };
    let (address, len, offset) = (entry.address as usize, entry.len as usize, entry.offset);
    let call = |result: Result<usize>| result.map(done);
    match entry.opcode {
        NOP => Ok(done(0)),
        READ | READV | READ_FIXED => read(cx, ring, request),
        WRITE | WRITEV | WRITE_FIXED => write(cx, ring, request),
        FSYNC => {
            names::FSYNC.check(entry.call_flags)?;
            call(if entry.call_flags & 1 != 0 { attr::sys_fdatasync(&with, GIVEN) } else { attr::sys_fsync(&with, GIVEN) })
        }
        SYNC_FILE_RANGE => call(attr::sys_sync_file_range(&with, GIVEN, offset as i64, len as i64, entry.call_flags)),
        FALLOCATE => call(attr::sys_fallocate(&with, GIVEN, entry.len, offset as i64, entry.address as i64)),
        FADVISE => call(attr::sys_fadvise64(&with, GIVEN, offset as i64, len as i64, entry.call_flags)),
        MADVISE => call(mm::sys_madvise(cx, address, len, entry.call_flags as i32)),
        POLL_ADD => poll_add(request),
        POLL_REMOVE => poll_change(cx, ring, &entry),
        TIMEOUT => {
            names::TIMEOUT.check(entry.call_flags)?;
            if entry.len != 1 || entry.call_flags & (UPDATE | UPDATE_LINK) != 0 {
                return Err(EINVAL);
            }
            let deadline_ns = deadline(&entry)?;
            Ok(Attempt::Timeout { deadline_ns, results: offset as u32 })
        }
        TIMEOUT_REMOVE => call(timeout_change(ring, &entry)),
        // It has come without the request that it is about.
        LINK_TIMEOUT => Err(EINVAL),
        ASYNC_CANCEL => call(cancel(cx, ring, &entry)),
        SENDMSG => wait_on(request, Events::OUT, entry.call_flags, |flags| socket::sys_sendmsg(&with, GIVEN, address, flags | MSG_NOSIGNAL)),
        RECVMSG => wait_on(request, Events::IN, entry.call_flags, |flags| socket::sys_recvmsg(&with, GIVEN, address, flags)),
        SEND => send(&with, request),
        RECV => receive(&with, ring, request),
        ACCEPT => accept(&with, ring, request),
        CONNECT => connect(&with, request),
        SHUTDOWN => call(socket::sys_shutdown(&with, GIVEN, len as i32)),
        SOCKET => {
            if entry.call_flags != 0 {
                return Err(EINVAL);
            }
            let fd = socket::sys_socket(cx, entry.fd, offset as u32, len as i32)?;
            call(place(cx, ring, fd, entry.file_index))
        }
        OPENAT => {
            let fd = open::sys_openat(cx, entry.fd, address, entry.call_flags, entry.len)?;
            call(place(cx, ring, fd, entry.file_index))
        }
        OPENAT2 => {
            let fd = open::sys_openat2(cx, entry.fd, address, offset as usize, len)?;
            call(place(cx, ring, fd, entry.file_index))
        }
        CLOSE => call(close(cx, ring, &entry)),
        FILES_UPDATE => call(super::register::update_files(cx, ring, offset as usize, address, len)),
        STATX => call(stat::sys_statx(cx, entry.fd, address, entry.call_flags, entry.len, offset as usize)),
        EPOLL_CTL => call(event::sys_epoll_ctl(cx, entry.fd, len as i32, offset as i32, address)),
        PROVIDE_BUFFERS => call(provide(ring, &entry)),
        REMOVE_BUFFERS => call(ring.tables.remove_provided(entry.buffer, usize::try_from(entry.fd).map_err(|_| EINVAL)?)),
        RENAMEAT => call(path::sys_renameat2(cx, entry.fd, address, len as i32, offset as usize, entry.call_flags)),
        UNLINKAT => call(path::sys_unlinkat(cx, entry.fd, address, entry.call_flags)),
        MKDIRAT => call(path::sys_mkdirat(cx, entry.fd, address, entry.len)),
        SYMLINKAT => call(path::sys_symlinkat(cx, address, entry.fd, offset as usize)),
        LINKAT => call(path::sys_linkat(cx, entry.fd, address, len as i32, offset as usize, entry.call_flags)),
        FSETXATTR => call(xattr::sys_fsetxattr(&with, GIVEN, address, offset as usize, len, entry.call_flags)),
        FGETXATTR => call(xattr::sys_fgetxattr(&with, GIVEN, address, offset as usize, len)),
        SETXATTR => call(xattr::sys_setxattr(cx, entry.address3 as usize, address, offset as usize, len, entry.call_flags)),
        GETXATTR => call(xattr::sys_getxattr(cx, entry.address3 as usize, address, offset as usize, len)),
        MSG_RING => {
            // IORING_MSG_DATA only: a result in another ring.
            if entry.address != 0 || entry.call_flags != 0 {
                return Err(EINVAL);
            }
            let other = ring_of(request.file.as_deref().ok_or(EBADF)?).map_err(|_| EBADFD)?;
            post(&other, Completion { user_data: offset, result: entry.len as i32, flags: 0 });
            Ok(done(0))
        }
        _ => Err(EINVAL),
    }
}

/// A call on a file that would have to wait is tried again when the file is ready, unless it said that it does not want to wait.
fn wait_on(request: &mut Request, events: Events, flags: u32, call: impl FnOnce(u32) -> Result<usize>) -> Result<Attempt> {
    if request.entry.priority & POLL_FIRST != 0 && !core::mem::replace(&mut request.has_begun, true) {
        return Ok(Attempt::Wait(events));
    }
    match call(flags) {
        Err(EAGAIN) if flags & MSG_DONTWAIT == 0 && request.quick.is_some() => Ok(Attempt::Wait(events)),
        Err(error) => Err(error),
        Ok(n) => Ok(done(n)),
    }
}

/// The buffer that a request has, or chooses.
fn buffer(ring: &Ring, entry: &Entry) -> Result<(usize, usize, Option<Chosen>)> {
    if entry.flags & BUFFER_SELECT == 0 {
        return Ok((entry.address as usize, entry.len as usize, None));
    }
    let chosen = ring.tables.choose(entry.buffer)?;
    let len = if entry.len == 0 { chosen.len } else { chosen.len.min(entry.len as usize) };
    Ok((chosen.address, len, Some(chosen)))
}

fn flags_of(chosen: Option<Chosen>) -> u32 {
    chosen.map_or(0, |it| WITH_BUFFER | u32::from(it.id) << BUFFER_SHIFT)
}

fn read(cx: &Cx<'_>, ring: &Arc<Ring>, request: &Request) -> Result<Attempt> {
    let entry = &request.entry;
    let file = request.file.as_ref().ok_or(EBADF)?;
    if !file.flags().readable() {
        return Err(EBADF);
    }
    call_flags::transfer::PREADV2.check(entry.call_flags)?;
    let (at, len, chosen) = buffer(ring, entry)?;
    let mut sink = match entry.opcode {
        READV => IoSink::user_vec(iovecs(at, len)?),
        READ_FIXED => {
            ring.tables.check_buffer(entry.buffer.into(), at, len)?;
            IoSink::user(at, len)
        }
        _ => IoSink::user(at, one(at, len)?),
    };
    let moved = match &request.quick {
        Some(quick) => quick.read(&mut sink),
        None if entry.offset == u64::MAX || !file.ops.seekable() => file.read(&mut sink),
        None if entry.offset > i64::MAX as u64 => Err(EINVAL),
        None => file.read_at(entry.offset, &mut sink),
    };
    match moved {
        Ok(n) => {
            cx.process.io_read.fetch_add(n as u64, core::sync::atomic::Ordering::Relaxed);
            Ok(Attempt::Done(n as i32, flags_of(chosen)))
        }
        Err(error) => {
            if let Some(chosen) = chosen {
                ring.tables.give_back(entry.buffer, chosen);
            }
            // As Linux: O_NONBLOCK is for those who read by themselves.
            if error == EAGAIN && request.quick.is_some() { Ok(Attempt::Wait(Events::IN)) } else { Err(error) }
        }
    }
}

fn write(cx: &Cx<'_>, ring: &Arc<Ring>, request: &Request) -> Result<Attempt> {
    const APPEND: u32 = 16;
    const SYNC: u32 = 4;
    const DSYNC: u32 = 2;
    let entry = &request.entry;
    let file = request.file.as_ref().ok_or(EBADF)?;
    if !file.flags().writable() {
        return Err(EBADF);
    }
    call_flags::transfer::PWRITEV2.check(entry.call_flags)?;
    let (at, len) = (entry.address as usize, entry.len as usize);
    let mut source = match entry.opcode {
        WRITEV => IoSource::user_vec(iovecs(at, len)?),
        WRITE_FIXED => {
            ring.tables.check_buffer(entry.buffer.into(), at, len)?;
            IoSource::user(at, len)
        }
        _ => IoSource::user(at, one(at, len)?),
    };
    let moved = match &request.quick {
        Some(quick) => quick.write(&mut source),
        None if entry.call_flags & APPEND != 0 => file.ops.append(file, &mut source).map(|it| it.0),
        None if entry.offset == u64::MAX || !file.ops.seekable() => file.write(&mut source),
        None if entry.offset > i64::MAX as u64 => Err(EINVAL),
        None => file.write_at(entry.offset, &mut source),
    };
    match moved {
        Ok(n) => {
            let sync = if entry.call_flags & SYNC != 0 { Some(false) } else { (entry.call_flags & DSYNC != 0).then_some(true) };
            written(cx, file, n, sync).map(done)
        }
        Err(EAGAIN) if request.quick.is_some() => Ok(Attempt::Wait(Events::OUT)),
        Err(error) => Err(error),
    }
}

fn send(with: &Cx<'_>, request: &mut Request) -> Result<Attempt> {
    let entry = request.entry;
    let whole = entry.call_flags & MSG_WAITALL != 0;
    let (at, left) = (entry.address as usize + request.done as usize, (entry.len - request.done) as usize);
    let step = wait_on(request, Events::OUT, entry.call_flags, |flags| socket::sys_sendto(with, GIVEN, at, left, flags & !MSG_WAITALL | MSG_NOSIGNAL, 0, 0));
    go_on(request, step, whole, Events::OUT)
}

/// Where all of it is wanted (MSG_WAITALL), a part is remembered and the rest waited for.
fn go_on(request: &mut Request, step: Result<Attempt>, whole: bool, events: Events) -> Result<Attempt> {
    match step? {
        Attempt::Done(n, flags) if n >= 0 => {
            request.done += n as u32;
            let is_all = request.done >= request.entry.len || n == 0;
            if whole && !is_all { Ok(Attempt::Wait(events)) } else { Ok(Attempt::Done(request.done as i32, flags)) }
        }
        other => Ok(other),
    }
}

fn receive(with: &Cx<'_>, ring: &Arc<Ring>, request: &mut Request) -> Result<Attempt> {
    let entry = request.entry;
    if entry.priority & RECEIVE_AGAIN == 0 {
        let (at, len, chosen) = buffer(ring, &entry)?;
        let whole = entry.call_flags & MSG_WAITALL != 0 && chosen.is_none();
        let done = request.done as usize;
        let flags = entry.call_flags;
        let step = wait_on(request, Events::IN, flags, |flags| socket::sys_recvfrom(with, GIVEN, at + done, len - done.min(len), if whole { flags & !MSG_WAITALL } else { flags }, 0, 0));
        let step = match step {
            Ok(Attempt::Done(n, _)) if chosen.is_some() => Ok(Attempt::Done(n, flags_of(chosen))),
            other => {
                if let Some(chosen) = chosen {
                    ring.tables.give_back(entry.buffer, chosen);
                }
                other
            }
        };
        return go_on(request, step, whole, Events::IN);
    }
    // Again and again, each time into another buffer.
    if entry.flags & BUFFER_SELECT == 0 || entry.call_flags & MSG_WAITALL != 0 || entry.len != 0 {
        return Err(EINVAL);
    }
    loop {
        let (at, len, chosen) = buffer(ring, &entry)?;
        match wait_on(request, Events::IN, entry.call_flags, |flags| socket::sys_recvfrom(with, GIVEN, at, len, flags, 0, 0)) {
            Ok(Attempt::Done(n, _)) if n > 0 => post(ring, Completion { user_data: entry.user_data, result: n, flags: MORE | flags_of(chosen) }),
            other => {
                if let Some(chosen) = chosen {
                    ring.tables.give_back(entry.buffer, chosen);
                }
                return other;
            }
        }
    }
}

/// Gives a new descriptor's file its place among the registered ones instead, if one was asked for.
fn place(cx: &Cx<'_>, ring: &Ring, fd: usize, wanted: u32) -> Result<usize> {
    if wanted == 0 {
        return Ok(fd);
    }
    let file = cx.process.files().get(fd as i32)?;
    let placed = match wanted {
        ANY_PLACE => ring.tables.add_file(file),
        number => ring.tables.replace_file(number as usize - 1, Some(file)).map(|old| {
            drop(old);
            0
        }),
    };
    let _ = cx.process.files().close(fd as i32);
    placed
}

fn accept(with: &Cx<'_>, ring: &Arc<Ring>, request: &mut Request) -> Result<Attempt> {
    let entry = request.entry;
    let again = entry.priority & ACCEPT_AGAIN != 0;
    if again && entry.file_index != 0 && entry.file_index != ANY_PLACE {
        return Err(EINVAL);
    }
    loop {
        let accepted = socket::sys_accept4(with, GIVEN, entry.address as usize, entry.offset as usize, entry.call_flags);
        match accepted.and_then(|fd| place(with, ring, fd, entry.file_index)) {
            Ok(fd) if again => post(ring, Completion { user_data: entry.user_data, result: fd as i32, flags: MORE }),
            Ok(fd) => return Ok(done(fd)),
            Err(EAGAIN) => return Ok(Attempt::Wait(Events::IN)),
            Err(error) => return Err(error),
        }
    }
}

fn connect(with: &Cx<'_>, request: &mut Request) -> Result<Attempt> {
    let entry = request.entry;
    let has_begun = core::mem::replace(&mut request.has_begun, true);
    match socket::sys_connect(with, GIVEN, entry.address as usize, entry.offset as u32) {
        Ok(_) => Ok(done(0)),
        Err(EISCONN) if has_begun => Ok(done(0)),
        Err(EINPROGRESS | EALREADY) => Ok(Attempt::Wait(Events::OUT)),
        Err(error) => Err(error),
    }
}

fn poll_add(request: &Request) -> Result<Attempt> {
    let entry = &request.entry;
    names::POLL.check(entry.len)?;
    if entry.len & (UPDATE_EVENTS | UPDATE_DATA) != 0 {
        return Err(EINVAL);
    }
    let events = Events::from_bits_truncate(entry.call_flags);
    let again = entry.len & POLL_AGAIN != 0;
    let file = request.file.as_ref().ok_or(EBADF)?;
    let now = file.ops.poll(file, &mut PollTable::none()) & (events | Events::ERR | Events::HUP);
    if now.is_empty() || again { Ok(Attempt::Poll { events, again }) } else { Ok(Attempt::Done(poll_result(now), 0)) }
}

/// Takes a poll away, or changes it.
fn poll_change(cx: &Cx<'_>, ring: &Arc<Ring>, entry: &Entry) -> Result<Attempt> {
    names::POLL.check(entry.len)?;
    let changes = entry.len & (UPDATE_EVENTS | UPDATE_DATA);
    let target = found(ring, |it| it.user_data == entry.address && matches!(it.what, For::Events { .. })).into_iter().next().ok_or(ENOENT)?;
    if changes == 0 {
        return if target.cancel(ring) { Ok(done(0)) } else { Err(EALREADY) };
    }
    let For::Events { events, .. } = target.what else { return Err(ENOENT) };
    let mut held = target.take().ok_or(EALREADY)?;
    target.stop();
    ring.end();
    if changes & UPDATE_DATA != 0 {
        held.request.entry.user_data = entry.offset;
    }
    let events = if changes & UPDATE_EVENTS != 0 { Events::from_bits_truncate(entry.call_flags) } else { events };
    held.request.entry.call_flags = events.bits();
    held.request.entry.len = entry.len & POLL_AGAIN;
    held.rest.0.push_front(held.request);
    super::run(cx, ring, held.rest);
    Ok(done(0))
}

/// When a time-out comes, ns on the monotonic clock.
pub(super) fn deadline(entry: &Entry) -> Result<u64> {
    let time: TimeSpec = user::read(entry.address as usize)?;
    monotonic(time, entry.call_flags & ABSOLUTE != 0, entry.call_flags & REAL_TIME != 0)
}

/// Takes a time-out away, or changes its time.
fn timeout_change(ring: &Arc<Ring>, entry: &Entry) -> Result<usize> {
    names::TIMEOUT.check(entry.call_flags)?;
    let of_links = entry.call_flags & UPDATE_LINK != 0;
    let target = found(ring, |it| it.user_data == entry.address && if of_links { it.what == For::Other } else { matches!(it.what, For::Timeout { .. }) });
    let target = target.into_iter().next().ok_or(ENOENT)?;
    if entry.call_flags & (UPDATE | UPDATE_LINK) != 0 {
        let time: TimeSpec = user::read(entry.offset as usize)?;
        target.set_timer(monotonic(time, entry.call_flags & ABSOLUTE != 0, entry.call_flags & REAL_TIME != 0)?);
        return Ok(0);
    }
    if target.cancel(ring) { Ok(0) } else { Err(EALREADY) }
}

/// Takes requests away that wait.
pub(super) fn cancel(cx: &Cx<'_>, ring: &Arc<Ring>, entry: &Entry) -> Result<usize> {
    let flags = entry.call_flags;
    names::CANCEL.check(flags)?;
    let file = if flags & CANCEL_FD == 0 {
        0
    } else if flags & CANCEL_FIXED != 0 || entry.flags & FIXED_FILE != 0 {
        Arc::as_ptr(&ring.tables.file(usize::try_from(entry.fd).map_err(|_| EBADF)?)?) as usize
    } else {
        Arc::as_ptr(&cx.process.files().get(entry.fd)?) as usize
    };
    let targets = found(ring, |it| {
        it.what != For::Other
            && if flags & CANCEL_ANY != 0 {
                true
            } else if flags & CANCEL_FD != 0 {
                it.file == file
            } else {
                it.user_data == entry.address
            }
    });
    let several = flags & (CANCEL_ALL | CANCEL_ANY) != 0;
    let mut count = 0;
    for target in targets {
        let limit = target.other();
        if target.cancel(ring) {
            count += 1;
            if let Some(limit) = limit {
                limit.cancel(ring);
            }
            if !several {
                return Ok(0);
            }
        }
    }
    if count > 0 { Ok(count) } else { Err(ENOENT) }
}

fn close(cx: &Cx<'_>, ring: &Ring, entry: &Entry) -> Result<usize> {
    if entry.file_index == 0 {
        return open::sys_close(cx, entry.fd);
    }
    if entry.fd != 0 {
        return Err(EINVAL);
    }
    let gone = ring.tables.take_file(entry.file_index as usize - 1)?;
    drop(gone);
    Ok(0)
}

fn provide(ring: &Ring, entry: &Entry) -> Result<usize> {
    const MOST: i32 = 1 << 16;
    let (count, size, first) = (entry.fd, entry.len as usize, entry.offset);
    if !(1..=MOST).contains(&count) || size == 0 || first.saturating_add(count as u64) > MOST as u64 {
        return Err(if first > u64::from(u16::MAX) || !(1..=MOST).contains(&count) { E2BIG } else { EINVAL });
    }
    let bytes = size.checked_mul(count as usize).ok_or(EOVERFLOW)?;
    one(entry.address as usize, bytes)?;
    let buffers = (0..count as usize).map(|n| Chosen { address: entry.address as usize + n * size, len: size, id: (first as usize + n) as u16 });
    ring.tables.provide(entry.buffer, buffers)?;
    Ok(0)
}
