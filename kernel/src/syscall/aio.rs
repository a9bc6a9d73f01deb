//! Asynchronous input and output: `io_setup(2)`, `io_submit(2)`, `io_getevents(2)`, `io_cancel(2)`, `io_destroy(2)`.

use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use call_flags::transfer;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::time::TimeSpec;
use super::{Cx, event, rw};
use crate::error::*;
use crate::fs::{Events, FileType, IoSink, IoSource, OpenFile};
use crate::ipc::aio::{self, Context, Job, Request};
use crate::ipc::eventfd::EventFd;
use crate::mm::{MapRequest, PAGE, Placement, Prot};
use crate::task::Capability;
use crate::user;

/// `struct iocb`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Block {
    data: u64,
    key: u32,
    rw_flags: u32,
    operation: u16,
    priority: i16,
    fd: u32,
    buf: u64,
    bytes: u64,
    offset: i64,
    reserved: u64,
    flags: u32,
    counter: u32,
}

/// Where `key` is.
const KEY_AT: usize = 8;

const PREAD: u16 = 0;
const PWRITE: u16 = 1;
const FSYNC: u16 = 2;
const FDSYNC: u16 = 3;
const POLL: u16 = 5;
const PREADV: u16 = 7;
const PWRITEV: u16 = 8;

const RESFD: u32 = 1;
const IOPRIO: u32 = 2;
const RWF_DSYNC: u32 = 2;
const RWF_SYNC: u32 = 4;
const RWF_APPEND: u32 = 16;

/// io_setup(2)
pub fn sys_io_setup(cx: &Cx<'_>, count: u32, at: usize) -> Result<usize> {
    if user::read::<u64>(at)? != 0 || count == 0 {
        return Err(EINVAL);
    }
    let context = Context::new(count as usize)?;
    let mm = cx.process.mm()?;
    let mut request = MapRequest::anonymous(Placement::Hint(0), PAGE, Prot::READ);
    request.label = Some("/[aio] (deleted)");
    let number = mm.map(request)?;
    // It is read from here on, and stays empty.
    mm.contexts.add(number, context);
    if let Err(error) = user::write(at, &(number as u64)) {
        let _ = sys_io_destroy(cx, number);
        return Err(error);
    }
    Ok(0)
}

/// io_destroy(2)
pub fn sys_io_destroy(cx: &Cx<'_>, number: usize) -> Result<usize> {
    let mm = cx.process.mm()?;
    let context = mm.contexts.take(number)?;
    context.end();
    context.settle();
    // The caller may have unmapped it.
    let _ = mm.unmap(number, PAGE);
    Ok(0)
}

/// io_submit(2)
pub fn sys_io_submit(cx: &Cx<'_>, number: usize, count: i64, list: usize) -> Result<usize> {
    let count = usize::try_from(count).map_err(|_| EINVAL)?;
    let context = cx.process.mm()?.contexts.find(number)?;
    let count = count.min(context.capacity);
    for i in 0..count {
        let submitted = list.checked_add(i * 8).ok_or(EFAULT).and_then(|at| user::read::<u64>(at)).and_then(|block| submit(cx, &context, block as usize));
        if let Err(error) = submitted {
            return if i > 0 { Ok(i) } else { Err(error) };
        }
    }
    Ok(count)
}

fn submit(cx: &Cx<'_>, context: &alloc::sync::Arc<Context>, at: usize) -> Result {
    let block: Block = user::read(at)?;
    if block.reserved != 0 || block.bytes > isize::MAX as u64 {
        return Err(EINVAL);
    }
    let file = cx.process.files().get_real(block.fd as i32)?;
    let notify = if block.flags & RESFD != 0 {
        let counter = cx.process.files().get_real(block.counter as i32)?;
        counter.downcast::<EventFd>().ok_or(EINVAL)?;
        Some(counter)
    } else {
        None
    };
    user::write(at.checked_add(KEY_AT).ok_or(EFAULT)?, &0u32)?;
    let request = Request { block: at as u64, data: block.data, file: file.clone(), notify };
    transfer::AIO_OPERATION.check(block.operation)?;
    match block.operation {
        PREAD | PREADV => {
            check(cx, &file, &block)?;
            transfer::PREADV2.check(block.rw_flags)?;
            if !file.flags().readable() {
                return Err(EBADF);
            }
            let mut sink = Some(IoSink::user_vec(pieces(&block, PREADV)?));
            let pos = block.offset as u64;
            let mut read = |file: &OpenFile| {
                let Some(mut sink) = sink.take() else { return Err(EINVAL) };
                let n = if file.ops.seekable() { file.read_at(pos, &mut sink) } else { file.read(&mut sink) }?;
                cx.process.io_read.fetch_add(n as u64, Ordering::Relaxed);
                Ok(n)
            };
            aio::submit(context, request, Job::Now(&mut read))
        }
        PWRITE | PWRITEV => {
            check(cx, &file, &block)?;
            transfer::PWRITEV2.check(block.rw_flags)?;
            if !file.flags().writable() {
                return Err(EBADF);
            }
            let mut source = Some(IoSource::user_vec(pieces(&block, PWRITEV)?));
            let (pos, flags) = (block.offset as u64, block.rw_flags);
            let mut write = |file: &OpenFile| {
                let Some(mut source) = source.take() else { return Err(EINVAL) };
                let n = match file.ops.seekable() {
                    true if flags & RWF_APPEND != 0 => file.ops.append(file, &mut source)?.0,
                    true => file.write_at(pos, &mut source)?,
                    false => file.write(&mut source)?,
                };
                let sync = if flags & RWF_SYNC != 0 { Some(false) } else { (flags & RWF_DSYNC != 0).then_some(true) };
                rw::written(cx, file, n, sync)
            };
            aio::submit(context, request, Job::Now(&mut write))
        }
        FSYNC | FDSYNC => {
            if block.buf != 0 || block.offset != 0 || block.bytes != 0 || block.rw_flags != 0 || !file.ops.seekable() {
                return Err(EINVAL);
            }
            aio::submit(context, request, Job::Sync { data_only: block.operation == FDSYNC })
        }
        POLL => {
            if block.buf > u64::from(u16::MAX) || block.offset != 0 || block.bytes != 0 || block.rw_flags != 0 {
                return Err(EINVAL);
            }
            aio::submit(context, request, Job::Poll(Events::from_bits_truncate(block.buf as u32)))
        }
        _ => Err(EINVAL),
    }
}

/// Where a transfer's bytes are.
fn pieces(block: &Block, vectored: u16) -> Result<Vec<(usize, usize)>> {
    if block.operation == vectored {
        return rw::iovecs(block.buf as usize, block.bytes as usize);
    }
    let len = rw::one(block.buf as usize, block.bytes as usize)?;
    Ok(alloc::vec![(block.buf as usize, len)])
}

/// Position and priority of a transfer.
fn check(cx: &Cx<'_>, file: &OpenFile, block: &Block) -> Result {
    if block.flags & IOPRIO != 0 {
        // As ioprio_set(2) takes it.
        match (i32::from(block.priority) >> 13, block.priority & 0x1fff) {
            (0, 0) => {}
            (1, _) if !cx.thread.has(Capability::SYS_ADMIN) && !cx.thread.has(Capability::SYS_NICE) => return Err(EPERM),
            (1 | 2, level) if level < 8 => {}
            (3, _) => {}
            _ => return Err(EINVAL),
        }
    }
    if block.offset < 0 || file.ops.attr()?.file_type() == FileType::Directory { Err(EINVAL) } else { Ok(()) }
}

/// io_cancel(2)
pub fn sys_io_cancel(cx: &Cx<'_>, number: usize, block: usize, _result: usize) -> Result<usize> {
    if user::read::<u32>(block.checked_add(KEY_AT).ok_or(EFAULT)?)? != 0 {
        return Err(EINVAL);
    }
    cx.process.mm()?.contexts.find(number)?.cancel(block as u64).map(|()| 0)
}

/// When a wait ends; `Some(0)` where it must not begin.
fn deadline(at: usize) -> Result<Option<u64>> {
    if at == 0 {
        return Ok(None);
    }
    let TimeSpec { sec, nsec } = user::read(at)?;
    let ns = i128::from(sec) * 1_000_000_000 + i128::from(nsec);
    Ok(Some(if ns == 0 { 0 } else { frame::time::now_ns().saturating_add(ns.clamp(0, i128::from(u64::MAX)) as u64) }))
}

fn get_events(cx: &Cx<'_>, number: usize, least: i64, most: i64, events: usize, deadline: Option<u64>) -> Result<usize> {
    let context = cx.process.mm()?.contexts.find(number)?;
    if least < 0 || least > most {
        return Err(EINVAL);
    }
    let taken = context.take(least as usize, most as usize, deadline)?;
    frame::user::copy_to_user(events as u64, taken.as_slice().as_bytes())?;
    Ok(taken.len())
}

/// io_getevents(2)
pub fn sys_io_getevents(cx: &Cx<'_>, number: usize, least: i64, most: i64, events: usize, timeout: usize) -> Result<usize> {
    let deadline = deadline(timeout)?;
    get_events(cx, number, least, most, events, deadline)
}

/// io_pgetevents(2): with a signal mask.
pub fn sys_io_pgetevents(cx: &Cx<'_>, number: usize, least: i64, most: i64, events: usize, timeout: usize, mask: usize) -> Result<usize> {
    let deadline = deadline(timeout)?;
    let [mask, size]: [u64; 2] = if mask == 0 { [0; 2] } else { user::read(mask)? };
    event::apply_mask(cx, mask as usize, size as usize)?;
    // A signal that only the mask lets in is handled before the old mask comes back.
    let result = get_events(cx, number, least, most, events, deadline).map_err(|error| if error == EINTR { ERESTARTNOHAND } else { error });
    event::finish_mask(cx, &result);
    result
}
