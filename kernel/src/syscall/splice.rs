//! Moving data between pipes and other files: `splice(2)`, `tee(2)`, `vmsplice(2)`. The data are copied; what programs see is the same.

use alloc::sync::Arc;

use call_flags::transfer::SPLICE;

use super::Cx;
use super::rw;
use crate::error::*;
use crate::fs::{FileType, IoSink, IoSource, OpenFile, OpenFlags, notify};
use crate::ipc::pipe::PipeEnd;
use crate::user;

/// SPLICE_F_NONBLOCK
const NONBLOCK: u32 = 2;
/// Moved at once between a pipe and another file.
const BLOCK: usize = 64 << 10;

fn open(cx: &Cx<'_>, fd: i32, write: bool) -> Result<Arc<OpenFile>> {
    let file = cx.process.files().get_real(fd)?;
    let allowed = if write { file.flags().writable() } else { file.flags().readable() };
    if allowed { Ok(file) } else { Err(EBADF) }
}

/// Reads from a pipe, waiting for data unless told not to.
fn from_pipe(pipe: &PipeEnd, file: &OpenFile, block: &mut [u8], nonblock: bool) -> Result<usize> {
    pipe.pipe().wait_readable(nonblock || file.nonblocking())?;
    Ok(pipe.pipe().peek(block))
}

/// splice(2)
pub fn sys_splice(cx: &Cx<'_>, in_fd: i32, in_pos: usize, out_fd: i32, out_pos: usize, len: usize, flags: u32) -> Result<usize> {
    if len == 0 {
        return Ok(0);
    }
    SPLICE.check(flags)?;
    let input = open(cx, in_fd, false)?;
    let output = open(cx, out_fd, true)?;
    let nonblock = flags & NONBLOCK != 0;
    let len = len.min(BLOCK);
    match (input.downcast::<PipeEnd>(), output.downcast::<PipeEnd>()) {
        (Some(from), Some(to)) => {
            if in_pos != 0 || out_pos != 0 {
                return Err(ESPIPE);
            }
            pipe_to_pipe(from, &input, to, &output, len, nonblock, true)
        }
        (Some(from), None) => {
            if in_pos != 0 {
                return Err(ESPIPE);
            }
            if out_pos != 0 && !output.ops.seekable() {
                return Err(EINVAL);
            }
            pipe_to_file(from, &input, &output, out_pos, len, nonblock)
        }
        (None, Some(to)) => {
            if out_pos != 0 {
                return Err(ESPIPE);
            }
            if in_pos != 0 && !input.ops.seekable() {
                return Err(EINVAL);
            }
            file_to_pipe(&input, in_pos, to, &output, len, nonblock)
        }
        (None, None) => Err(EINVAL),
    }
}

fn pipe_to_pipe(from: &PipeEnd, input: &OpenFile, to: &PipeEnd, output: &OpenFile, len: usize, nonblock: bool, consume: bool) -> Result<usize> {
    if Arc::ptr_eq(from.pipe(), to.pipe()) {
        return Err(EINVAL);
    }
    let mut block = alloc::vec![0; len];
    let got = from_pipe(from, input, &mut block, nonblock)?;
    if got == 0 {
        return Ok(0);
    }
    to.pipe().wait_writable(nonblock || output.nonblocking())?;
    let n = output.ops.write(output, 0, &mut IoSource::kernel(&block[..got.min(to.pipe().room())]))?;
    if consume {
        from.pipe().discard(n);
    }
    Ok(n)
}

fn pipe_to_file(from: &PipeEnd, input: &OpenFile, output: &OpenFile, out_pos: usize, len: usize, nonblock: bool) -> Result<usize> {
    // What is no file of a filesystem and no socket has no type, and takes nothing.
    match FileType::from_mode(output.ops.attr()?.mode) {
        None | Some(FileType::Directory) => return Err(EINVAL),
        _ if output.flags().contains(OpenFlags::APPEND) => return Err(EINVAL),
        _ => {}
    }
    let pos: Option<i64> = if out_pos != 0 { Some(user::read(out_pos)?) } else { None };
    let mut block = alloc::vec![0; len];
    let got = from_pipe(from, input, &mut block, nonblock)?;
    if got == 0 {
        return Ok(0);
    }
    let mut source = IoSource::kernel(&block[..got]);
    let n = match pos {
        Some(pos) => {
            let pos = u64::try_from(pos).map_err(|_| EINVAL)?;
            let n = output.write_at(pos, &mut source)?;
            user::write(out_pos, &(pos + n as u64))?;
            n
        }
        None => output.write(&mut source)?,
    };
    from.pipe().discard(n);
    Ok(n)
}

fn file_to_pipe(input: &OpenFile, in_pos: usize, to: &PipeEnd, output: &OpenFile, len: usize, nonblock: bool) -> Result<usize> {
    if matches!(FileType::from_mode(input.ops.attr()?.mode), None | Some(FileType::Directory)) {
        return Err(EINVAL);
    }
    let pos: Option<i64> = if in_pos != 0 { Some(user::read(in_pos)?) } else { None };
    to.pipe().wait_writable(nonblock || output.nonblocking())?;
    let mut block = alloc::vec![0; len.min(to.pipe().room())];
    let mut sink = IoSink::kernel(&mut block);
    let got = match pos {
        Some(pos) => {
            let pos = u64::try_from(pos).map_err(|_| EINVAL)?;
            let n = input.read_at(pos, &mut sink)?;
            user::write(in_pos, &(pos + n as u64))?;
            n
        }
        None => input.read(&mut sink)?,
    };
    if got == 0 {
        return Ok(0);
    }
    output.ops.write(output, 0, &mut IoSource::kernel(&block[..got]))
}

/// tee(2)
pub fn sys_tee(cx: &Cx<'_>, in_fd: i32, out_fd: i32, len: usize, flags: u32) -> Result<usize> {
    SPLICE.check(flags)?;
    if len == 0 {
        return Ok(0);
    }
    let input = open(cx, in_fd, false)?;
    let output = open(cx, out_fd, true)?;
    match (input.downcast::<PipeEnd>(), output.downcast::<PipeEnd>()) {
        (Some(from), Some(to)) => pipe_to_pipe(from, &input, to, &output, len.min(BLOCK), flags & NONBLOCK != 0, false),
        _ => Err(EINVAL),
    }
}

/// vmsplice(2)
pub fn sys_vmsplice(cx: &Cx<'_>, fd: i32, iov: usize, count: usize, flags: u32) -> Result<usize> {
    SPLICE.check(flags)?;
    let file = cx.process.files().get_real(fd)?;
    let write = file.flags().writable();
    let pieces = match file.downcast::<PipeEnd>() {
        Some(_) => rw::iovecs(iov, count)?,
        None => return Err(EBADF),
    };
    let Some(pipe) = file.downcast::<PipeEnd>() else { return Err(EBADF) };
    let nonblock = flags & NONBLOCK != 0 || file.nonblocking();
    if pieces.iter().all(|p| p.1 == 0) {
        return Ok(0);
    }
    if write {
        pipe.pipe().wait_writable(nonblock)?;
        notify::file(&file, notify::MODIFY);
        // As much as there is room for: waiting for more would be for ever where the caller itself is the reader.
        let mut room = pipe.pipe().room();
        let mut pieces = pieces;
        for piece in &mut pieces {
            piece.1 = piece.1.min(room);
            room -= piece.1;
        }
        return file.ops.write(&file, 0, &mut IoSource::user_vec(pieces));
    }
    pipe.pipe().wait_readable(nonblock)?;
    file.ops.read(&file, 0, &mut IoSink::user_vec(pieces))
}
