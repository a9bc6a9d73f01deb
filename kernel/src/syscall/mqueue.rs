//! POSIX message queues (`mq_overview(7)`).

use alloc::sync::Arc;

use call_flags::ipc;

use super::Cx;
use super::time::TimeSpec;
use crate::error::*;
use crate::fs::{OpenFile, OpenFlags};
use crate::ipc::mqueue::notify::{COOKIE, How};
use crate::ipc::mqueue::{PRIORITIES, Queue, QueueFile, names};
use crate::ipc::netlink;
use crate::task::signal::NSIG;
use crate::time::Clock;
use crate::user;

/// `struct mq_attr`: flags, most messages, longest message, messages now, and four that are not used.
type Attr = [i64; 8];

/// mq_open(2)
pub fn sys_mq_open(cx: &Cx<'_>, name: usize, flags: u32, mode: u32, attr: usize) -> Result<usize> {
    let size = if attr == 0 { None } else { Some(user::read::<Attr>(attr)?) };
    ipc::MQ_OPEN.check(flags)?;
    let name = user::read_path(name)?;
    if name.is_empty() {
        return Err(ENOENT);
    }
    let flags = OpenFlags::from_bits_retain(flags);
    names::open(cx.process, &name, flags, mode, size.map(|attr| (attr[1], attr[2]))).map(|fd| fd as usize)
}

/// mq_unlink(2)
pub fn sys_mq_unlink(_cx: &Cx<'_>, name: usize) -> Result<usize> {
    let name = user::read_path(name)?;
    if name.is_empty() {
        return Err(ENOENT);
    }
    names::unlink(&name).map(|()| 0)
}

fn open_queue(cx: &Cx<'_>, fd: i32) -> Result<(Arc<OpenFile>, Arc<Queue>)> {
    let file = cx.process.files().get_real(fd)?;
    let queue = file.downcast::<QueueFile>().ok_or(EBADF)?.0.clone();
    Ok((file, queue))
}

/// A time-out by the real-time clock.
fn deadline(at: usize) -> Result<Option<u64>> {
    if at == 0 {
        return Ok(None);
    }
    Clock::Realtime.to_monotonic(user::read::<TimeSpec>(at)?.to_ns()?).map(Some)
}

/// mq_timedsend(2)
pub fn sys_mq_timedsend(cx: &Cx<'_>, fd: i32, text: usize, len: usize, priority: u32, timeout: usize) -> Result<usize> {
    let deadline = deadline(timeout)?;
    if priority >= PRIORITIES {
        return Err(EINVAL);
    }
    let (file, queue) = open_queue(cx, fd)?;
    if !file.flags().writable() {
        return Err(EBADF);
    }
    if len > queue.max_size {
        return Err(EMSGSIZE);
    }
    let text = user::read_bytes(text, len)?;
    queue.send((priority, text), file.nonblocking(), deadline).map(|()| 0)
}

/// mq_timedreceive(2)
pub fn sys_mq_timedreceive(cx: &Cx<'_>, fd: i32, text: usize, len: usize, priority: usize, timeout: usize) -> Result<usize> {
    let deadline = deadline(timeout)?;
    let (file, queue) = open_queue(cx, fd)?;
    if !file.flags().readable() {
        return Err(EBADF);
    }
    if len < queue.max_size {
        return Err(EMSGSIZE);
    }
    let (of, message) = queue.receive(file.nonblocking(), deadline)?;
    user::write_opt(priority, &of)?;
    frame::user::copy_to_user(text as u64, &message)?;
    Ok(message.len())
}

const SIGEV_SIGNAL: u32 = 0;
const SIGEV_THREAD: u32 = 2;

/// mq_notify(2)
pub fn sys_mq_notify(cx: &Cx<'_>, fd: i32, event: usize) -> Result<usize> {
    if event == 0 {
        open_queue(cx, fd)?.1.unregister(cx.process.pid);
        return Ok(0);
    }
    // struct sigevent: value, signal (or socket), how
    let [value, words, _]: [u64; 3] = user::read(event)?;
    let (signal, kind) = (words as u32, (words >> 32) as u32);
    ipc::MQ_NOTIFY.check(kind)?;
    let how = match kind {
        SIGEV_SIGNAL if signal > NSIG => return Err(EINVAL),
        SIGEV_SIGNAL => How::Signal(signal, value),
        SIGEV_THREAD => {
            let cookie: [u8; COOKIE] = user::read(value as usize)?;
            let socket = cx.process.files().get_real(signal as i32)?;
            if socket.ops.attr()?.file_type() != crate::fs::FileType::Socket {
                return Err(ENOTSOCK);
            }
            How::Datagram(socket.downcast::<netlink::Socket>().and_then(netlink::Socket::shared).ok_or(EINVAL)?, cookie)
        }
        _ => How::Silently,
    };
    open_queue(cx, fd)?.1.register(cx.process, how).map(|()| 0)
}

/// mq_getsetattr(2): of what can be set there is only O_NONBLOCK.
pub fn sys_mq_getsetattr(cx: &Cx<'_>, fd: i32, new: usize, old: usize) -> Result<usize> {
    let flags = if new == 0 { None } else { Some(user::read::<Attr>(new)?[0]) };
    if let Some(flags) = flags {
        ipc::MQ_ATTR.check(flags as u64)?;
    }
    let (file, queue) = open_queue(cx, fd)?;
    let nonblock = i64::from((file.flags() & OpenFlags::NONBLOCK).bits());
    let was: Attr = [nonblock, queue.max_messages as i64, queue.max_size as i64, queue.len() as i64, 0, 0, 0, 0];
    if let Some(flags) = flags {
        let rest = file.flags() - OpenFlags::NONBLOCK;
        file.set_flags(if flags != 0 { rest | OpenFlags::NONBLOCK } else { rest });
    }
    user::write_opt(old, &was)?;
    Ok(0)
}
