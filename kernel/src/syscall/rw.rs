//! Reading and writing: `read(2)`, `readv(2)`, `lseek(2)`, `sendfile(2)`, `copy_file_range(2)`.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use frame::mm::USER_END;

use super::Cx;
use crate::error::*;
use crate::fs::{FileType, IoSink, IoSource, OpenFile, OpenFlags};
use crate::user;

/// What one call transfers at most (`read(2)`, NOTES).
const MAX_COUNT: usize = 0x7fff_f000;
const IOV_MAX: usize = 1024;
const RWF_DSYNC: u32 = 2;
const RWF_SYNC: u32 = 4;
const RWF_APPEND: u32 = 16;
/// Bytes moved at once between two files.
const COPY_BLOCK: usize = 64 << 10;

/// Checks that a buffer lies in the user half.
fn check_range(addr: usize, len: usize) -> Result {
    match (addr as u64).checked_add(len as u64) {
        Some(end) if end <= USER_END => Ok(()),
        _ => Err(EFAULT),
    }
}

/// The pieces of a vectored call.
pub(super) fn iovecs(addr: usize, count: usize) -> Result<Vec<(usize, usize)>> {
    if count > IOV_MAX {
        return Err(EINVAL);
    }
    let raw: Vec<[usize; 2]> = user::read_vec(addr, count)?;
    let mut left = MAX_COUNT;
    let mut pieces = Vec::with_capacity(count);
    for [addr, len] in raw {
        if len > isize::MAX as usize {
            return Err(EINVAL);
        }
        check_range(addr, len)?;
        let len = len.min(left);
        left -= len;
        pieces.push((addr, len));
    }
    Ok(pieces)
}

pub(super) fn one(addr: usize, len: usize) -> Result<usize> {
    check_range(addr, len)?;
    Ok(len.min(MAX_COUNT))
}

fn readable(cx: &Cx<'_>, fd: i32) -> Result<Arc<OpenFile>> {
    let file = cx.process.files().get(fd)?;
    if file.flags().readable() { Ok(file) } else { Err(EBADF) }
}

fn writable(cx: &Cx<'_>, fd: i32) -> Result<Arc<OpenFile>> {
    let file = cx.process.files().get(fd)?;
    if file.flags().writable() { Ok(file) } else { Err(EBADF) }
}

fn count_read(cx: &Cx<'_>, n: usize) -> usize {
    cx.process.io_read.fetch_add(n as u64, Ordering::Relaxed);
    cx.process.io_calls[0].fetch_add(1, Ordering::Relaxed);
    n
}

/// After a write: `O_SYNC` and `O_DSYNC` wait for the disk.
pub(super) fn written(cx: &Cx<'_>, file: &OpenFile, n: usize, data_only: Option<bool>) -> Result<usize> {
    cx.process.io_written.fetch_add(n as u64, Ordering::Relaxed);
    cx.process.io_calls[1].fetch_add(1, Ordering::Relaxed);
    let flags = file.flags();
    let wait = data_only.or_else(|| flags.contains(OpenFlags::DSYNC).then(|| !flags.contains(OpenFlags::SYNC)));
    if let (Some(data_only), true) = (wait, n > 0) {
        match file.ops.sync(data_only) {
            // What cannot be synchronised has nothing to wait for.
            Ok(()) | Err(EINVAL) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n)
}

/// read(2)
pub fn sys_read(cx: &Cx<'_>, fd: i32, buf: usize, count: usize) -> Result<usize> {
    let file = readable(cx, fd)?;
    let count = one(buf, count)?;
    file.read(&mut IoSink::user(buf, count)).map(|n| count_read(cx, n))
}

/// write(2)
pub fn sys_write(cx: &Cx<'_>, fd: i32, buf: usize, count: usize) -> Result<usize> {
    let file = writable(cx, fd)?;
    let count = one(buf, count)?;
    let n = file.write(&mut IoSource::user(buf, count))?;
    written(cx, &file, n, None)
}

/// pread64(2)
pub fn sys_pread64(cx: &Cx<'_>, fd: i32, buf: usize, count: usize, pos: i64) -> Result<usize> {
    let pos = u64::try_from(pos).map_err(|_| EINVAL)?;
    let file = cx.process.files().get_real(fd)?;
    if !file.ops.seekable() {
        return Err(ESPIPE);
    }
    let count = if file.flags().readable() { one(buf, count)? } else { return Err(EBADF) };
    file.read_at(pos, &mut IoSink::user(buf, count)).map(|n| count_read(cx, n))
}

/// pwrite64(2)
pub fn sys_pwrite64(cx: &Cx<'_>, fd: i32, buf: usize, count: usize, pos: i64) -> Result<usize> {
    let pos = u64::try_from(pos).map_err(|_| EINVAL)?;
    let file = cx.process.files().get_real(fd)?;
    if !file.ops.seekable() {
        return Err(ESPIPE);
    }
    let count = if file.flags().writable() { one(buf, count)? } else { return Err(EBADF) };
    let n = file.write_at(pos, &mut IoSource::user(buf, count))?;
    written(cx, &file, n, None)
}

/// readv(2)
pub fn sys_readv(cx: &Cx<'_>, fd: i32, iov: usize, count: usize) -> Result<usize> {
    let file = readable(cx, fd)?;
    file.read(&mut IoSink::user_vec(iovecs(iov, count)?)).map(|n| count_read(cx, n))
}

/// writev(2)
pub fn sys_writev(cx: &Cx<'_>, fd: i32, iov: usize, count: usize) -> Result<usize> {
    let file = writable(cx, fd)?;
    let n = file.write(&mut IoSource::user_vec(iovecs(iov, count)?))?;
    written(cx, &file, n, None)
}

/// preadv(2)
pub fn sys_preadv(cx: &Cx<'_>, fd: i32, iov: usize, count: usize, pos_low: u64, pos_high: u64) -> Result<usize> {
    let pos = u64::try_from(position(pos_low, pos_high)).map_err(|_| EINVAL)?;
    let file = readable(cx, fd)?;
    file.read_at(pos, &mut IoSink::user_vec(iovecs(iov, count)?)).map(|n| count_read(cx, n))
}

/// pwritev(2)
pub fn sys_pwritev(cx: &Cx<'_>, fd: i32, iov: usize, count: usize, pos_low: u64, pos_high: u64) -> Result<usize> {
    let pos = u64::try_from(position(pos_low, pos_high)).map_err(|_| EINVAL)?;
    let file = writable(cx, fd)?;
    let n = file.write_at(pos, &mut IoSource::user_vec(iovecs(iov, count)?))?;
    written(cx, &file, n, None)
}

/// On x86-64 the low half is the whole position.
fn position(low: u64, _high: u64) -> i64 {
    low as i64
}

/// preadv2(2)
pub fn sys_preadv2(cx: &Cx<'_>, fd: i32, iov: usize, count: usize, pos_low: u64, pos_high: u64, flags: u32) -> Result<usize> {
    readable(cx, fd)?;
    call_flags::transfer::PREADV2.check(flags)?;
    if position(pos_low, pos_high) == -1 { sys_readv(cx, fd, iov, count) } else { sys_preadv(cx, fd, iov, count, pos_low, pos_high) }
}

/// pwritev2(2)
pub fn sys_pwritev2(cx: &Cx<'_>, fd: i32, iov: usize, count: usize, pos_low: u64, pos_high: u64, flags: u32) -> Result<usize> {
    let pos = position(pos_low, pos_high);
    if pos < -1 {
        return Err(EINVAL);
    }
    let file = cx.process.files().get_real(fd)?;
    if pos != -1 && !file.ops.seekable() {
        return Err(ESPIPE);
    }
    let file = writable(cx, fd)?;
    call_flags::transfer::PWRITEV2.check(flags)?;
    let mut src = IoSource::user_vec(iovecs(iov, count)?);
    let n = if flags & RWF_APPEND != 0 {
        if pos == -1 {
            let mut at = file.pos();
            let (n, end) = file.ops.append(&file, &mut src)?;
            *at = end;
            n
        } else {
            file.ops.append(&file, &mut src)?.0
        }
    } else if pos == -1 {
        file.write(&mut src)?
    } else {
        file.write_at(pos as u64, &mut src)?
    };
    let sync = if flags & RWF_SYNC != 0 { Some(false) } else { (flags & RWF_DSYNC != 0).then_some(true) };
    written(cx, &file, n, sync)
}

/// lseek(2)
pub fn sys_lseek(cx: &Cx<'_>, fd: i32, offset: i64, whence: u32) -> Result<usize> {
    const SEEK_SET: u32 = 0;
    const SEEK_CUR: u32 = 1;
    const SEEK_END: u32 = 2;
    const SEEK_DATA: u32 = 3;
    let file = cx.process.files().get_real(fd)?;
    call_flags::files::LSEEK.check(whence)?;
    if file.ops.has_no_positions() {
        *file.pos() = 0;
        return Ok(0);
    }
    if !file.ops.seekable() {
        return Err(ESPIPE);
    }
    let mut pos = file.pos();
    let new = match whence {
        SEEK_SET => offset,
        SEEK_CUR => (*pos as i64).checked_add(offset).ok_or(EOVERFLOW)?,
        SEEK_END => {
            let attr = file.ops.attr()?;
            if attr.file_type() == FileType::Directory {
                return Err(EINVAL);
            }
            (attr.size as i64).checked_add(offset).ok_or(EOVERFLOW)?
        }
        _ => {
            let from = u64::try_from(offset).map_err(|_| ENXIO)?;
            file.ops.seek_data(from, whence != SEEK_DATA)? as i64
        }
    };
    *pos = u64::try_from(new).map_err(|_| EINVAL)?;
    Ok(new as usize)
}

/// Moves up to `count` bytes. `read` and `write` get a block, and return what they took of it.
fn transfer(cx: &Cx<'_>, count: usize, mut read: impl FnMut(&mut [u8]) -> Result<usize>, mut write: impl FnMut(&[u8]) -> Result<usize>) -> Result<usize> {
    let mut block = alloc::vec![0; count.min(COPY_BLOCK)];
    let mut done = 0;
    while done < count {
        let wanted = (count - done).min(block.len());
        let got = match read(&mut block[..wanted]) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) => return if done > 0 { Ok(done) } else { Err(error) },
        };
        let mut out = 0;
        while out < got {
            match write(&block[out..got]) {
                Ok(0) => return Ok(done),
                Ok(n) => {
                    out += n;
                    done += n;
                }
                Err(error) => return if done > 0 { Ok(done) } else { Err(error) },
            }
        }
        if cx.thread.has_pending_signal() {
            break;
        }
    }
    Ok(done)
}

/// sendfile(2)
pub fn sys_sendfile(cx: &Cx<'_>, out_fd: i32, in_fd: i32, offset: usize, count: usize) -> Result<usize> {
    let input = readable(cx, in_fd)?;
    let output = writable(cx, out_fd)?;
    let kind = input.ops.attr()?.file_type();
    if !matches!(kind, FileType::Regular | FileType::BlockDevice | FileType::CharDevice) {
        // splice(2) reads only from files that can be mapped, or from pipes.
        return Err(if input.ops.seekable() { EINVAL } else if offset != 0 { ESPIPE } else { EINVAL });
    }
    if output.flags().contains(OpenFlags::APPEND) {
        return Err(EINVAL);
    }
    let count = count.min(MAX_COUNT);
    // The position is not held meanwhile, as on Linux: writing takes the output's, which may be the same file, or the input of another `sendfile`.
    let start = take_position(&input, offset)?;
    let mut pos = start;
    let outcome = transfer(
        cx,
        count,
        |block| {
            let n = input.ops.read(&input, pos, &mut IoSink::kernel(block))?;
            pos += n as u64;
            Ok(n)
        },
        |block| output.write(&mut IoSource::kernel(block)),
    );
    if let Ok(n) = outcome {
        give_position(&input, offset, start + n as u64)?;
        count_read(cx, n);
        cx.process.io_written.fetch_add(n as u64, Ordering::Relaxed);
    cx.process.io_calls[1].fetch_add(1, Ordering::Relaxed);
    }
    outcome
}

/// A position that comes from user memory, or is the file's own.
fn take_position(file: &OpenFile, addr: usize) -> Result<u64> {
    if addr == 0 {
        return Ok(*file.pos());
    }
    let pos: i64 = user::read(addr)?;
    u64::try_from(pos).map_err(|_| EINVAL)
}

fn give_position(file: &OpenFile, addr: usize, pos: u64) -> Result {
    if addr == 0 {
        *file.pos() = pos;
        return Ok(());
    }
    user::write(addr, &pos)
}

/// copy_file_range(2)
pub fn sys_copy_file_range(cx: &Cx<'_>, in_fd: i32, in_pos: usize, out_fd: i32, out_pos: usize, count: usize, flags: u32) -> Result<usize> {
    let input = cx.process.files().get_real(in_fd)?;
    let output = cx.process.files().get_real(out_fd)?;
    call_flags::transfer::COPY_FILE_RANGE.check(flags)?;
    let (in_attr, out_attr) = (input.ops.attr()?, output.ops.attr()?);
    for attr in [&in_attr, &out_attr] {
        match attr.file_type() {
            FileType::Regular => {}
            FileType::Directory => return Err(EISDIR),
            _ => return Err(EINVAL),
        }
    }
    if !input.flags().readable() || !output.flags().writable() || output.flags().contains(OpenFlags::APPEND) {
        return Err(EBADF);
    }
    let (from, to) = (take_position(&input, in_pos)?, take_position(&output, out_pos)?);
    let count = count.min(MAX_COUNT).min(in_attr.size.saturating_sub(from).min(usize::MAX as u64) as usize);
    let same = (in_attr.dev, in_attr.ino) == (out_attr.dev, out_attr.ino);
    if same && from < to + count as u64 && to < from + count as u64 {
        return Err(EINVAL);
    }
    let (mut read_at, mut write_at) = (from, to);
    let done = transfer(
        cx,
        count,
        |block| {
            let n = input.read_at(read_at, &mut IoSink::kernel(block))?;
            read_at += n as u64;
            Ok(n)
        },
        |block| {
            let n = output.write_at(write_at, &mut IoSource::kernel(block))?;
            write_at += n as u64;
            Ok(n)
        },
    )?;
    give_position(&input, in_pos, from + done as u64)?;
    give_position(&output, out_pos, to + done as u64)?;
    Ok(done)
}
