//! Pipes and FIFOs (`pipe(7)`, `fifo(7)`): a queue of page-sized buffers.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use core::any::Any;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use frame::mm::Frame;

use crate::error::*;
use crate::fs::{Attr, Events, FileOps, IoSink, IoSource, OpenFile, OpenFlags};
use crate::mm::PAGE;
use crate::sync::{SpinLock, Mutex, PollTable, WaitQueue};
use crate::task;
use crate::task::signal::{self, SIGPIPE, SigInfo};

/// Writes up to this size are never mixed with others' (`PIPE_BUF`).
const PIPE_BUF: usize = 4096;
/// Buffers of a new pipe: 64 KiB.
const DEFAULT_SLOTS: usize = 16;
/// The most an unprivileged process may ask for (`/proc/sys/fs/pipe-max-size`).
pub static MAX_SIZE: AtomicUsize = AtomicUsize::new(1 << 20);

struct Buffer {
    frame: Frame,
    start: usize,
    len: usize,
    /// Written with `O_DIRECT`: read by itself, and what is not read of it is lost.
    packet: bool,
}

struct Queue {
    buffers: VecDeque<Buffer>,
    slots: usize,
    /// An empty frame kept for the next write.
    spare: Option<Frame>,
}

impl Queue {
    /// Bytes that fit without waiting.
    fn room(&self) -> usize {
        let tail = self.buffers.back().map_or(0, |b| if b.packet { 0 } else { PAGE - b.start - b.len });
        (self.slots - self.buffers.len().min(self.slots)) * PAGE + tail
    }

    fn has_free_slot(&self) -> bool {
        self.buffers.len() < self.slots
    }

    fn bytes(&self) -> usize {
        self.buffers.iter().map(|b| b.len).sum()
    }
}

/// A pipe.
pub struct Pipe {
    queue: Mutex<Queue>,
    readers: AtomicUsize,
    writers: AtomicUsize,
    /// Counts opens, so that a FIFO's open notices a peer that came and went.
    reader_opens: AtomicU64,
    writer_opens: AtomicU64,
    /// Held while somebody comes to an end of a FIFO.
    opening: SpinLock<()>,
    not_empty: AtomicBool,
    has_slot: AtomicBool,
    read_event: WaitQueue,
    write_event: WaitQueue,
    open_event: WaitQueue,
    id: u64,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// Buffers of a new pipe: what the limit leaves to those without privileges.
fn first_slots() -> usize {
    let most = (MAX_SIZE.load(Ordering::Relaxed) / PAGE).max(1);
    if most < DEFAULT_SLOTS && !task::capable(task::Capability::SYS_RESOURCE) { most } else { DEFAULT_SLOTS }
}

impl Pipe {
    /// A pipe without open ends (a FIFO's, kept by its inode).
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            queue: Mutex::new(Queue { buffers: VecDeque::new(), slots: first_slots(), spare: None }),
            readers: AtomicUsize::new(0),
            writers: AtomicUsize::new(0),
            reader_opens: AtomicU64::new(0),
            writer_opens: AtomicU64::new(0),
            opening: SpinLock::new(()),
            not_empty: AtomicBool::new(false),
            has_slot: AtomicBool::new(true),
            read_event: WaitQueue::new(),
            write_event: WaitQueue::new(),
            open_event: WaitQueue::new(),
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
        })
    }

    /// Adds an open end.
    pub fn end(self: &Arc<Self>, read: bool, write: bool) -> Arc<PipeEnd> {
        if read {
            self.readers.fetch_add(1, Ordering::SeqCst);
            self.reader_opens.fetch_add(1, Ordering::SeqCst);
        }
        if write {
            self.writers.fetch_add(1, Ordering::SeqCst);
            self.writer_opens.fetch_add(1, Ordering::SeqCst);
        }
        Arc::new(PipeEnd { pipe: self.clone(), read, write })
    }

    /// Opens a FIFO: waits for the other side unless `O_NONBLOCK` (or both sides are opened at once, as Linux allows).
    ///
    /// # Errors
    /// `ENXIO` for a non-blocking writer without a reader, `ERESTARTSYS` on a signal.
    pub fn open_fifo(self: &Arc<Self>, flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        let (read, write) = (flags.readable(), flags.writable());
        if flags.contains(OpenFlags::NONBLOCK) && write && !read && self.readers.load(Ordering::SeqCst) == 0 {
            return Err(ENXIO);
        }
        let (others, other_opens) = if read { (&self.writers, &self.writer_opens) } else { (&self.readers, &self.reader_opens) };
        // Whether somebody is at the other end is asked in the moment in which one comes to this end: who waits there goes on at once, and may have closed
        // again before one looks the next time.
        let (is_met, opens_before, end) = {
            let _opening = self.opening.lock();
            let is_met = others.load(Ordering::SeqCst) > 0;
            (is_met, other_opens.load(Ordering::SeqCst), self.end(read, write))
        };
        self.open_event.wake_all();
        if read != write && !is_met && !flags.contains(OpenFlags::NONBLOCK) {
            self.open_event.wait_until(|| (other_opens.load(Ordering::SeqCst) != opens_before).then_some(()))?;
        }
        Ok(end)
    }

    /// Waits until there is something to read, or no writer is left.
    ///
    /// # Errors
    /// `EAGAIN` where that is not so and must not be waited for, `ERESTARTSYS` on a signal.
    pub fn wait_readable(&self, nonblock: bool) -> Result {
        let ready = || (self.not_empty.load(Ordering::SeqCst) || self.writers.load(Ordering::SeqCst) == 0).then_some(());
        match ready() {
            Some(()) => Ok(()),
            None if nonblock => Err(EAGAIN),
            None => self.read_event.wait_until(ready),
        }
    }

    /// Waits until a page can be written.
    ///
    /// # Errors
    /// As [`Pipe::wait_readable`]; `EPIPE` with SIGPIPE where no reader is left.
    pub fn wait_writable(&self, nonblock: bool) -> Result {
        let ready = || (self.has_slot.load(Ordering::SeqCst) || self.readers.load(Ordering::SeqCst) == 0).then_some(());
        match ready() {
            Some(()) => {}
            None if nonblock => return Err(EAGAIN),
            None => self.write_event.wait_until(ready)?,
        }
        if self.readers.load(Ordering::SeqCst) > 0 {
            return Ok(());
        }
        let thread = task::current();
        // A full queue means that the signal is pending already.
        let _ = signal::send_thread(&thread, SigInfo::user(SIGPIPE, &thread.process));
        Err(EPIPE)
    }

    /// Bytes that fit into free pages.
    pub fn room(&self) -> usize {
        let queue = self.queue.lock();
        (queue.slots - queue.buffers.len().min(queue.slots)) * PAGE
    }

    /// Copies the first bytes without taking them.
    pub fn peek(&self, into: &mut [u8]) -> usize {
        let queue = self.queue.lock();
        let mut done = 0;
        for buffer in &queue.buffers {
            let n = buffer.len.min(into.len() - done);
            buffer.frame.read(buffer.start, &mut into[done..done + n]);
            done += n;
        }
        done
    }

    /// Takes the first bytes away.
    pub fn discard(&self, mut len: usize) {
        let mut queue = self.queue.lock();
        while len > 0 {
            let Some(buffer) = queue.buffers.front_mut() else { break };
            let n = buffer.len.min(len);
            buffer.start += n;
            buffer.len -= n;
            len -= n;
            if buffer.len == 0 {
                queue.spare = queue.buffers.pop_front().map(|b| b.frame);
            }
        }
        self.not_empty.store(!queue.buffers.is_empty(), Ordering::SeqCst);
        self.has_slot.store(queue.has_free_slot(), Ordering::SeqCst);
        drop(queue);
        self.write_event.wake_all();
    }

    /// Bytes in the pipe.
    pub fn bytes(&self) -> usize {
        self.queue.lock().bytes()
    }
}

/// One end of a pipe (or both, for a FIFO opened for reading and writing).
pub struct PipeEnd {
    pipe: Arc<Pipe>,
    read: bool,
    write: bool,
}

impl Drop for PipeEnd {
    fn drop(&mut self) {
        if self.read && self.pipe.readers.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.pipe.write_event.wake_all();
        }
        if self.write && self.pipe.writers.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.pipe.read_event.wake_all();
        }
    }
}

impl PipeEnd {
    /// The pipe's capacity in bytes (`F_GETPIPE_SZ`).
    pub fn capacity(&self) -> usize {
        self.pipe.queue.lock().slots * PAGE
    }

    /// Sets the capacity, rounded up to a power of two of pages; returns it (`F_SETPIPE_SZ`).
    ///
    /// # Errors
    /// `EBUSY` where more is in the pipe, `EPERM` beyond the limit, `EINVAL` for 0.
    pub fn set_capacity(&self, bytes: usize) -> Result<usize> {
        if bytes > 1 << 31 {
            return Err(EINVAL);
        }
        let slots = bytes.max(1).div_ceil(PAGE).next_power_of_two();
        if slots * PAGE > MAX_SIZE.load(Ordering::Relaxed) && !task::capable(task::Capability::SYS_RESOURCE) {
            return Err(EPERM);
        }
        let mut queue = self.pipe.queue.lock();
        if queue.buffers.len() > slots {
            return Err(EBUSY);
        }
        queue.slots = slots;
        self.pipe.has_slot.store(queue.has_free_slot(), Ordering::SeqCst);
        drop(queue);
        self.pipe.write_event.wake_all();
        Ok(slots * PAGE)
    }

    /// The pipe itself.
    pub fn pipe(&self) -> &Arc<Pipe> {
        &self.pipe
    }
}

impl FileOps for PipeEnd {
    fn pipe_size(&self, set: Option<usize>) -> Result<usize> {
        match set {
            Some(bytes) => self.set_capacity(bytes),
            None => Ok(self.capacity()),
        }
    }

    fn read(&self, file: &OpenFile, _pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        if dst.remaining() == 0 {
            return Ok(0);
        }
        let pipe = &self.pipe;
        loop {
            let mut queue = pipe.queue.lock();
            if !queue.buffers.is_empty() {
                let was_full = !queue.has_free_slot();
                let mut done = 0;
                while dst.remaining() > 0 {
                    let Some(buffer) = queue.buffers.front_mut() else { break };
                    let copied = match dst.write_frame(&buffer.frame, buffer.start, buffer.len) {
                        Ok(copied) => copied,
                        Err(error) if done == 0 => return Err(error),
                        Err(_) => break,
                    };
                    done += copied;
                    buffer.start += copied;
                    buffer.len -= copied;
                    if buffer.packet {
                        queue.spare = queue.buffers.pop_front().map(|b| b.frame);
                        break;
                    }
                    if buffer.len == 0 {
                        queue.spare = queue.buffers.pop_front().map(|b| b.frame);
                    } else if copied == 0 {
                        break;
                    }
                }
                pipe.not_empty.store(!queue.buffers.is_empty(), Ordering::SeqCst);
                pipe.has_slot.store(queue.has_free_slot(), Ordering::SeqCst);
                let wake = was_full && queue.has_free_slot();
                drop(queue);
                if wake {
                    pipe.write_event.wake_events_sync(Events::OUT | Events::WRNORM);
                }
                return Ok(done);
            }
            drop(queue);
            if pipe.writers.load(Ordering::SeqCst) == 0 {
                // Data written just before the last writer went must not be missed.
                if pipe.not_empty.load(Ordering::SeqCst) {
                    continue;
                }
                return Ok(0);
            }
            if file.nonblocking() {
                return Err(EAGAIN);
            }
            pipe.read_event.wait_until(|| {
                (pipe.not_empty.load(Ordering::SeqCst) || pipe.writers.load(Ordering::SeqCst) == 0).then_some(())
            })?;
        }
    }

    fn write(&self, file: &OpenFile, _pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        let pipe = &self.pipe;
        let packet = file.flags().contains(OpenFlags::DIRECT);
        let total = src.remaining();
        if total == 0 {
            return Ok(0);
        }
        let mut done = 0;
        loop {
            if pipe.readers.load(Ordering::SeqCst) == 0 {
                if done > 0 {
                    return Ok(done);
                }
                let thread = task::current();
                let _ = signal::send_thread(&thread, SigInfo::user(SIGPIPE, &thread.process));
                return Err(EPIPE);
            }
            let mut queue = pipe.queue.lock();
            // Small writes go in whole or not at all.
            let enough = if packet { queue.has_free_slot() } else if total <= PIPE_BUF { queue.room() >= total || (queue.has_free_slot() && total <= PAGE) } else { queue.room() > 0 };
            if enough {
                let outcome = fill(&mut queue, src, total <= PIPE_BUF, packet);
                pipe.not_empty.store(!queue.buffers.is_empty(), Ordering::SeqCst);
                pipe.has_slot.store(queue.has_free_slot(), Ordering::SeqCst);
                drop(queue);
                pipe.read_event.wake_events_sync(Events::IN | Events::RDNORM);
                match outcome {
                    Ok(written) => done += written,
                    Err(error) if done == 0 => return Err(error),
                    Err(_) => return Ok(done),
                }
                if src.remaining() == 0 {
                    return Ok(done);
                }
                continue;
            }
            drop(queue);
            if file.nonblocking() {
                return if done > 0 { Ok(done) } else { Err(EAGAIN) };
            }
            let waited = pipe.write_event.wait_until(|| {
                (pipe.has_slot.load(Ordering::SeqCst) || pipe.readers.load(Ordering::SeqCst) == 0).then_some(())
            });
            if let Err(error) = waited {
                return if done > 0 { Ok(done) } else { Err(error) };
            }
        }
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        let pipe = &self.pipe;
        let mut events = Events::empty();
        if self.read {
            table.register(&pipe.read_event);
            if pipe.not_empty.load(Ordering::SeqCst) {
                events |= Events::IN | Events::RDNORM;
            }
            if pipe.writers.load(Ordering::SeqCst) == 0 && pipe.writer_opens.load(Ordering::SeqCst) > 0 {
                events |= Events::HUP;
            }
        }
        if self.write {
            table.register(&pipe.write_event);
            if pipe.has_slot.load(Ordering::SeqCst) {
                events |= Events::OUT | Events::WRNORM;
            }
            if pipe.readers.load(Ordering::SeqCst) == 0 {
                events |= Events::ERR;
            }
        }
        events
    }

    fn ioctl(&self, _file: &OpenFile, cmd: u32, arg: usize) -> Result<usize> {
        const FIONREAD: u32 = 0x541b;
        match cmd {
            FIONREAD => {
                crate::user::write(arg, &(self.pipe.bytes() as u32))?;
                Ok(0)
            }
            _ => Err(ENOTTY),
        }
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr { mode: 0o010600, nlink: 1, ino: self.pipe.id, blksize: 4096, ..Attr::default() })
    }

    fn describe(&self) -> String {
        alloc::format!("pipe:[{}]", self.pipe.id)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Moves bytes from `src` into the queue while there is room, as packets of up to a page or without boundaries.
fn fill(queue: &mut Queue, src: &mut IoSource<'_>, small: bool, packet: bool) -> Result<usize> {
    let mut done = 0;
    let want = src.remaining();
    if let Some(tail) = queue.buffers.back_mut().filter(|tail| !packet && !tail.packet) {
        let at = tail.start + tail.len;
        let room = PAGE - at;
        // A small write is not split over a merge and a new page unless both fit anyway.
        if room > 0 && (!small || room >= want) {
            let copied = src.read_into_frame(&tail.frame, at, room)?;
            tail.len += copied;
            done += copied;
        }
    }
    while src.remaining() > 0 && queue.has_free_slot() {
        let frame = match queue.spare.take() {
            // Only this queue holds it.
            Some(frame) => frame,
            None => Frame::alloc().ok_or(ENOMEM)?,
        };
        match src.read_into_frame(&frame, 0, PAGE) {
            Ok(0) => break,
            Ok(len) => {
                queue.buffers.push_back(Buffer { frame, start: 0, len, packet });
                done += len;
            }
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(done)
}

/// Makes a pipe: the reading and the writing file.
pub fn open(flags: OpenFlags) -> (Arc<OpenFile>, Arc<OpenFile>) {
    let pipe = Pipe::new();
    let status = flags & (OpenFlags::NONBLOCK | OpenFlags::DIRECT);
    (OpenFile::new(pipe.end(true, false), status), OpenFile::new(pipe.end(false, true), status | OpenFlags::WRONLY))
}

impl crate::fs::device::Fifo for Pipe {
    fn open(self: Arc<Self>, _inode: &crate::fs::InodeRef, flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        self.open_fifo(flags)
    }
}

/// A pipe for a FIFO's inode.
pub fn make_fifo() -> Arc<dyn crate::fs::device::Fifo> {
    Pipe::new()
}
