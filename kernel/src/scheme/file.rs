//! Open files of ordinary schemes.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;

use scheme_abi::area::SLOT_BYTES;
use scheme_abi::ioctl::{Argument, argument};
use scheme_abi::sqe;
use scheme_abi::{EventFlags, MapFlags, STREAM_OFFSET, SchemeFlags};

use super::block;
use super::convert;
use super::disk_stats::{self, DiskStats, Kind, Request};
use super::handle::{Handle, HandleInode, buffer};
use super::user::{Answer, Wait, Watch, ids};
use crate::error::*;
use crate::fs::{Attr, DirSink, Events, FileOps, InodeRef, IoSink, IoSource, OpenFile, SetAttr, StatFs};
use crate::mm::{MemoryObject, ObjectPage, PAGE};
use crate::sync::{PollTable, WaitQueue};
use crate::task;

/// `RwFlags::NONBLOCK` and `RwFlags::APPEND`.
const RW_NONBLOCK: u64 = 1;
const RW_APPEND: u64 = 2;
/// Room for directory records in one request.
const DIRENTS: usize = 16 << 10;

/// A handle behind an open file description.
pub struct SchemeFile {
    handle: Arc<Handle>,
    watch: Arc<Watch>,
    /// Of a disk or partition.
    stats: Option<Arc<DiskStats>>,
}

impl SchemeFile {
    /// An open file on `handle`.
    pub fn new(handle: Arc<Handle>) -> Arc<Self> {
        let is_disk = handle.scheme.flags().contains(SchemeFlags::BLOCK_DEVICE);
        let stats = is_disk.then(|| disk_stats::of(&handle.scheme.name, handle.number));
        Arc::new(Self { handle, watch: Arc::new(Watch { queue: WaitQueue::new() }), stats })
    }

    fn transfer_flags(file: &OpenFile) -> u64 {
        let append = file.flags().contains(crate::fs::OpenFlags::APPEND);
        u64::from(file.nonblocking()) * RW_NONBLOCK | u64::from(append) * RW_APPEND
    }

    /// Offset and length of the next piece of a transfer.
    fn piece(&self, pos: u64, done: usize, left: usize) -> Result<(u64, usize)> {
        let offset = if self.handle.positioned() { pos.checked_add(done as u64).ok_or(EINVAL)? } else { STREAM_OFFSET };
        Ok((offset, left.min(SLOT_BYTES)))
    }

    fn is_block_device(&self) -> bool {
        self.stats.is_some()
    }

    /// Counts a request to a disk.
    fn count(&self, kind: Kind) -> Option<Request<'_>> {
        self.stats.as_ref().map(|stats| stats.begin(kind))
    }
}

/// A request on a file of a user scheme with a user buffer `(address, length)`: `give` copies it to the daemon, `take` back. Returns the answer's value.
///
/// # Errors
/// `EOPNOTSUPP` for other files; the daemon's.
pub fn raw_call(
    file: &OpenFile,
    make: impl FnOnce(u64, sqe::Buffer) -> scheme_abi::Sqe,
    (addr, len): (usize, usize),
    give: bool,
    take: bool,
) -> Result<usize> {
    let handle = &file.downcast::<SchemeFile>().ok_or(EOPNOTSUPP)?.handle;
    let slot = handle.scheme.buffer(len, Wait::Interruptible)?;
    if give {
        if slot.fill(&mut IoSource::user(addr, len))? < len {
            return Err(EFAULT);
        }
    } else {
        slot.put(0, &alloc::vec![0; len]);
    }
    let reply = handle.scheme.call(make(handle.number, buffer(len)), Some(slot))?;
    if take && reply.slot()?.drain(len, &mut IoSink::user(addr, len))? < len {
        return Err(EFAULT);
    }
    usize::try_from(reply.value).map_err(|_| EIO)
}

impl FileOps for SchemeFile {
    fn read(&self, file: &OpenFile, pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        let (handle, start) = (&self.handle, dst.done());
        loop {
            let done = dst.done() - start;
            let outcome = (|| {
                let (offset, want) = self.piece(pos, done, dst.remaining())?;
                let slot = handle.scheme.buffer(want, Wait::Interruptible)?;
                let request = self.count(Kind::Read);
                let reply = handle.scheme.call(sqe::read(handle.number, buffer(want), offset, Self::transfer_flags(file)), Some(slot))?;
                let len = reply.len()?;
                request.map(|it| it.finish(len));
                let copied = reply.slot()?.drain(len, dst)?;
                Ok((copied, copied == want && handle.positioned()))
            })();
            match outcome {
                Ok((_, true)) if dst.remaining() > 0 => {}
                Ok(_) => return Ok(dst.done() - start),
                Err(_) if done > 0 => return Ok(done),
                Err(error) => return Err(error),
            }
        }
    }

    fn write(&self, file: &OpenFile, pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        let handle = &self.handle;
        let mut done = 0;
        loop {
            let outcome = (|| {
                let (offset, want) = self.piece(pos, done, src.remaining())?;
                let slot = handle.scheme.buffer(want, Wait::Interruptible)?;
                let filled = slot.fill(src)?;
                let request = self.count(Kind::Write);
                let reply = handle.scheme.call(sqe::write(handle.number, buffer(filled), offset, Self::transfer_flags(file)), Some(slot))?;
                let len = usize::try_from(reply.value).ok().filter(|n| *n <= filled).ok_or(EIO)?;
                request.map(|it| it.finish(len));
                Ok((len, len == want))
            })();
            match outcome {
                Ok((len, more)) => {
                    done += len;
                    if !more || src.remaining() == 0 {
                        return Ok(done);
                    }
                }
                Err(_) if done > 0 => return Ok(done),
                Err(error) => return Err(error),
            }
        }
    }

    fn seekable(&self) -> bool {
        self.handle.positioned()
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        // Registered with the daemon's news before it is asked, so that none is missed.
        self.handle.scheme.watch(self.handle.number, &self.watch);
        table.register(&self.watch.queue);
        let both = (EventFlags::EVENT_READ | EventFlags::EVENT_WRITE).bits() as u64;
        match self.handle.scheme.call(sqe::fevent(self.handle.number, both), None) {
            Ok(reply) => convert::events_from(reply.value),
            // A daemon that knows no events serves files that never block, like a disk's.
            Err(ENOSYS | EOPNOTSUPP | EPERM | EINVAL) => convert::events_from(both),
            Err(error) if error.is_restart() || error == EINTR => Events::empty(),
            Err(_) => Events::ERR | Events::HUP,
        }
    }

    fn ioctl(&self, _file: &OpenFile, cmd: u32, arg: usize) -> Result<usize> {
        let handle = &self.handle;
        let who = ids(&task::current().creds()).pack();
        let outcome = match argument(cmd) {
            Argument::Value => handle.scheme.call(sqe::call(handle.number, buffer(0), [u64::from(cmd), arg as u64, who]), None),
            Argument::Buffer { len, direction } => (|| {
                let slot = handle.scheme.buffer(len, Wait::Interruptible)?;
                if direction.reads_caller() {
                    if slot.fill(&mut IoSource::user(arg, len))? < len {
                        return Err(EFAULT);
                    }
                } else {
                    slot.put(0, &alloc::vec![0; len]);
                }
                let reply = handle.scheme.call(sqe::call(handle.number, buffer(len), [u64::from(cmd), 0, who]), Some(slot))?;
                if direction.writes_caller() && reply.slot()?.drain(len, &mut IoSink::user(arg, len))? < len {
                    return Err(EFAULT);
                }
                Ok(reply)
            })(),
        };
        match outcome {
            Ok(reply) => usize::try_from(reply.value).map_err(|_| EIO),
            Err(error @ (ENOTTY | ENOSYS | EOPNOTSUPP | EINVAL)) if self.is_block_device() => block::ioctl(cmd, arg, &|| self.attr()).unwrap_or(Err(error)),
            Err(ENOSYS | EOPNOTSUPP) => Err(ENOTTY),
            Err(error) => Err(error),
        }
    }

    fn mmap(&self, _file: &OpenFile, offset: u64, len: u64, shared_write: bool) -> Result<Arc<dyn MemoryObject>> {
        let mut flags = MapFlags::PROT_READ | MapFlags::MAP_SHARED;
        if shared_write {
            flags |= MapFlags::PROT_WRITE;
        }
        let len = len.checked_next_multiple_of(PAGE as u64).ok_or(EINVAL)?;
        let sqe = sqe::mmap_prep(self.handle.number, offset, len, flags.bits() as u64);
        match self.handle.scheme.call_any(sqe, None)? {
            Answer::Pages(pages) => Ok(Arc::new(SharedPages { first: offset / PAGE as u64, pages })),
            _ => Err(ENODEV),
        }
    }

    fn attr(&self) -> Result<Attr> {
        self.handle.attr()
    }

    fn getdents(&self, _file: &OpenFile, pos: u64, sink: &mut DirSink<'_>) -> Result {
        let mut from = pos;
        loop {
            let records = self.handle.records(from, DIRENTS)?;
            if records.is_empty() {
                return Ok(());
            }
            let (room, next) = convert::entries(&records, from, sink)?;
            if !room || next == from {
                return Ok(());
            }
            from = next;
        }
    }

    fn sync(&self, _data_only: bool) -> Result {
        let _request = self.count(Kind::Flush);
        self.handle.scheme.call(sqe::fsync(self.handle.number), None)?;
        Ok(())
    }

    fn truncate(&self, len: u64) -> Result {
        self.handle.set_attr(&SetAttr { size: Some(len), ..SetAttr::default() })
    }

    fn statfs(&self) -> Result<StatFs> {
        self.handle.statfs()
    }

    fn inode(&self) -> Option<InodeRef> {
        Some(Arc::new(HandleInode(self.handle.clone())))
    }

    fn describe(&self) -> String {
        alloc::format!("scheme:[{}:{}]", self.handle.scheme.name, self.handle.number)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Pages that a daemon shares with a client. They stay as long as the mapping does, also when the daemon unmaps them or dies.
struct SharedPages {
    /// Index of the first in the file.
    first: u64,
    pages: Vec<ObjectPage>,
}

impl MemoryObject for SharedPages {
    fn page(&self, index: u64, _for_write: bool) -> Result<ObjectPage> {
        let at = index.checked_sub(self.first).and_then(|i| usize::try_from(i).ok()).ok_or(EFAULT)?;
        match self.pages.get(at).ok_or(EFAULT)? {
            ObjectPage::Ram(frame) => Ok(ObjectPage::Ram(frame.clone())),
            ObjectPage::Device(at, mode) => Ok(ObjectPage::Device(*at, *mode)),
        }
    }
}

