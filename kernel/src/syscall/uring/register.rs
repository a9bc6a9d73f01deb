//! `io_uring_register(2)`: files, buffers, counters, and questions.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use super::super::Cx;
use super::{attempt, ring_of};
use crate::error::*;
use crate::fs::OpenFile;
use crate::ipc::eventfd::EventFd;
use crate::ipc::uring::request::Entry;
use crate::ipc::uring::tables::{MOST_BUFFERS, MOST_FILES};
use crate::ipc::uring::{MOST_REGISTERED, Ring, RingFile};
use crate::user;
use call_flags::uring as names;

/// `IORING_REGISTER_*`
const BUFFERS: u32 = 0;
const UNREGISTER_BUFFERS: u32 = 1;
const FILES: u32 = 2;
const UNREGISTER_FILES: u32 = 3;
const EVENTFD: u32 = 4;
const UNREGISTER_EVENTFD: u32 = 5;
const FILES_UPDATE: u32 = 6;
const EVENTFD_ASYNC: u32 = 7;
const PROBE: u32 = 8;
const ENABLE: u32 = 12;
const FILES2: u32 = 13;
const FILES_UPDATE2: u32 = 14;
const BUFFERS2: u32 = 15;
const WORKERS: u32 = 19;
const RINGS: u32 = 20;
const UNREGISTER_RINGS: u32 = 21;
const BUFFER_RING: u32 = 22;
const UNREGISTER_BUFFER_RING: u32 = 23;
const SYNC_CANCEL: u32 = 24;
/// A place that stays as it is.
const SKIP: i32 = -2;
/// `IORING_RSRC_REGISTER_SPARSE`
const SPARSE: u32 = 1;
/// `struct io_uring_probe`: its head and an entry.
const PROBE_HEAD: usize = 16;
const PROBE_ENTRY: usize = 8;
/// `IO_URING_OP_SUPPORTED`
const SUPPORTED: u16 = 1;
/// How many requests Linux 6.1 has names for.
const OPERATIONS: u8 = 49;

/// io_uring_register(2)
pub fn sys_io_uring_register(cx: &Cx<'_>, fd: i32, opcode: u32, arg: usize, count: u32) -> Result<usize> {
    let file = cx.process.files().get(fd)?;
    let ring = ring_of(&file)?;
    names::REGISTER.check(opcode)?;
    let count = count as usize;
    let nothing = |result: Result| result.map(|()| 0);
    match opcode {
        BUFFERS => nothing(set_buffers(&ring, arg, count)),
        UNREGISTER_BUFFERS if arg == 0 && count == 0 => nothing(ring.tables.remove_buffers()),
        FILES => nothing(set_files(cx, &ring, arg, count)),
        UNREGISTER_FILES if arg == 0 && count == 0 => nothing(ring.tables.remove_files()),
        EVENTFD | EVENTFD_ASYNC if count == 1 => {
            let counter = cx.process.files().get_real(user::read(arg)?)?;
            counter.downcast::<EventFd>().ok_or(EINVAL)?;
            nothing(ring.set_counter(Some(counter)))
        }
        UNREGISTER_EVENTFD if arg == 0 && count == 0 => nothing(ring.set_counter(None)),
        FILES_UPDATE => {
            // struct io_uring_files_update: offset, 0, descriptors.
            let [offset, fds]: [u64; 2] = user::read(arg)?;
            if offset >> 32 != 0 || count == 0 {
                return Err(EINVAL);
            }
            update_files(cx, &ring, offset as usize, fds as usize, count)
        }
        FILES_UPDATE2 => {
            // struct io_uring_rsrc_update2: offset, 0, data, tags, count, 0. There are no tags.
            let [offset, fds, tags, many]: [u64; 4] = user::read(arg)?;
            if count != 32 || offset >> 32 != 0 || tags != 0 || many >> 32 != 0 {
                return Err(EINVAL);
            }
            update_files(cx, &ring, offset as usize, fds as usize, many as usize)
        }
        FILES2 | BUFFERS2 => {
            // struct io_uring_rsrc_register: count and flags, 0, data, tags.
            let [head, reserved, data, tags]: [u64; 4] = user::read(arg)?;
            let (many, flags) = (head as u32 as usize, (head >> 32) as u32);
            if count != 32 || reserved != 0 || tags != 0 || flags & !SPARSE != 0 || (flags & SPARSE != 0 && data != 0) {
                return Err(EINVAL);
            }
            let sparse = flags & SPARSE != 0;
            nothing(match (opcode, sparse) {
                (FILES2, true) if (1..=MOST_FILES).contains(&many) => ring.tables.set_files((0..many).map(|_| None).collect()),
                (FILES2, false) => set_files(cx, &ring, data as usize, many),
                (BUFFERS2, true) if (1..=MOST_BUFFERS).contains(&many) => ring.tables.set_buffers(alloc::vec![(0, 0); many]),
                (BUFFERS2, false) => set_buffers(&ring, data as usize, many),
                _ => Err(EINVAL),
            })
        }
        PROBE => nothing(probe(arg, count)),
        ENABLE if arg == 0 && count == 0 => {
            if !ring.is_disabled.swap(false, Ordering::SeqCst) {
                return Err(EBADFD);
            }
            if ring.shape.single_issuer {
                ring.issuer.store(cx.thread.tid(), Ordering::SeqCst);
            }
            Ok(0)
        }
        WORKERS if count == 2 => {
            // There are no threads: those that there might be are as many as before.
            let _wanted: [u32; 2] = user::read(arg)?;
            user::write(arg, &[0u32; 2])?;
            Ok(0)
        }
        RINGS | UNREGISTER_RINGS if (1..=MOST_REGISTERED).contains(&count) => change_rings(cx, opcode == RINGS, arg, count),
        BUFFER_RING if count == 1 => {
            // struct io_uring_buf_reg: address, entries, group, flags, 0.
            let [at, head, a, b, c]: [u64; 5] = user::read(arg)?;
            let (entries, group, flags) = (head as u32, (head >> 32) as u16, (head >> 48) as u16);
            if flags != 0 || (a, b, c) != (0, 0, 0) || !entries.is_power_of_two() || entries > 1 << 15 {
                return Err(EINVAL);
            }
            if at == 0 || at % 4096 != 0 {
                return Err(if at == 0 { EFAULT } else { EINVAL });
            }
            nothing(ring.tables.add_ring(group, at as usize, entries as u16))
        }
        UNREGISTER_BUFFER_RING if count == 1 => {
            let [_, head]: [u64; 2] = user::read(arg)?;
            nothing(ring.tables.remove_ring((head >> 32) as u16))
        }
        SYNC_CANCEL if count == 1 => {
            // struct io_uring_sync_cancel_reg: data, descriptor and flags, time-out. What waits here ends at once, so that there is nothing to wait for.
            let [address, head]: [u64; 2] = user::read(arg)?;
            let entry = Entry { address, fd: head as u32 as i32, call_flags: (head >> 32) as u32, ..Entry::default() };
            attempt::cancel(cx, &ring, &entry).map(|_| 0)
        }
        _ => Err(EINVAL),
    }
}

/// Gives descriptors of rings numbers of the thread's own, or takes these back; how many.
fn change_rings(cx: &Cx<'_>, is_added: bool, at: usize, count: usize) -> Result<usize> {
    /// `struct io_uring_rsrc_update`: number, 0, descriptor.
    const UPDATE: usize = 16;
    /// Whichever number is free.
    const ANY: u32 = u32::MAX;
    let change = |at: usize| -> Result {
        let [head, fd]: [u64; 2] = user::read(at)?;
        let (number, reserved) = (head as u32, (head >> 32) as u32);
        if reserved != 0 || (!is_added && fd != 0) {
            return Err(EINVAL);
        }
        let work = &cx.thread.ring_work;
        if !is_added {
            return work.unregister(number as usize);
        }
        if number != ANY && number as usize >= MOST_REGISTERED {
            return Err(EINVAL);
        }
        let file = cx.process.files().get(fd as i32)?;
        ring_of(&file)?;
        let number = work.register((number != ANY).then_some(number as usize), file)?;
        let told = user::write(at, &(number as u32));
        if told.is_err() {
            work.unregister(number)?;
        }
        told
    };
    for n in 0..count {
        match change(at + n * UPDATE) {
            Ok(()) => {}
            Err(error) if n == 0 => return Err(error),
            Err(_) => return Ok(n),
        }
    }
    Ok(count)
}

fn set_buffers(ring: &Ring, at: usize, count: usize) -> Result {
    if !(1..=MOST_BUFFERS).contains(&count) {
        return Err(EINVAL);
    }
    let pieces: Vec<[usize; 2]> = user::read_vec(at, count)?;
    ring.tables.set_buffers(pieces.into_iter().map(|[at, len]| (at, len)).collect())
}

/// The file of a descriptor; none for -1. A ring may not hold itself, or another one.
fn registered(cx: &Cx<'_>, fd: i32) -> Result<Option<Arc<OpenFile>>> {
    if fd == -1 {
        return Ok(None);
    }
    let file = cx.process.files().get_real(fd)?;
    if file.downcast::<RingFile>().is_some() { Err(EBADF) } else { Ok(Some(file)) }
}

fn set_files(cx: &Cx<'_>, ring: &Ring, at: usize, count: usize) -> Result {
    if count == 0 {
        return Err(EINVAL);
    }
    if count > MOST_FILES {
        return Err(EMFILE);
    }
    let fds: Vec<i32> = user::read_vec(at, count)?;
    let files = fds.into_iter().map(|fd| registered(cx, fd)).collect::<Result<Vec<_>>>()?;
    ring.tables.set_files(files)
}

/// Replaces registered files; how many.
pub(super) fn update_files(cx: &Cx<'_>, ring: &Ring, offset: usize, fds: usize, count: usize) -> Result<usize> {
    if count == 0 || count > MOST_FILES {
        return Err(EINVAL);
    }
    let fds: Vec<i32> = user::read_vec(fds, count)?;
    for (n, fd) in fds.iter().enumerate() {
        if *fd == SKIP {
            continue;
        }
        let replaced = registered(cx, *fd).and_then(|file| ring.tables.replace_file(offset.checked_add(n).ok_or(EOVERFLOW)?, file));
        match replaced {
            Ok(old) => drop(old),
            Err(error) if n == 0 => return Err(error),
            Err(_) => return Ok(n),
        }
    }
    Ok(count)
}

/// Which requests there are.
fn probe(at: usize, count: usize) -> Result {
    if count > 256 {
        return Err(EINVAL);
    }
    let given = user::read_bytes(at, PROBE_HEAD + count * PROBE_ENTRY)?;
    if given.iter().any(|byte| *byte != 0) {
        return Err(EINVAL);
    }
    let shown = count.min(OPERATIONS.into()) as u8;
    let mut bytes = alloc::vec![0; PROBE_HEAD];
    bytes[0] = OPERATIONS - 1;
    bytes[1] = shown;
    for opcode in 0..shown {
        let flags = if attempt::is_known(opcode) { SUPPORTED } else { 0 };
        bytes.extend_from_slice(&[opcode, 0]);
        bytes.extend_from_slice(&flags.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
    }
    frame::user::copy_to_user(at as u64, &bytes)?;
    Ok(())
}
