//! The scheme `/scheme/disk.<name>`: the whole disk is handle 0, partition n is handle n.
//!
//! Handles are numbers that mean the same in a successor of this process, and requests may be sent again: this is what
//! makes the driver restartable.

use crate::engine::{Completion, Engine, MAX_REQUEST, Piece, Work};
use partitions::Partition;
use scheme::{
    Context, Errno, EventFlags, Fail, Opened, Outbox, Result, Scheme, SchemeSocket, Stat,
};
use std::collections::HashMap;

/// ioctls of block devices (Linux's `linux/fs.h`).
mod ioctl {
    pub const BLKROGET: u64 = 0x125e;
    pub const BLKGETSIZE: u64 = 0x1260;
    pub const BLKSSZGET: u64 = 0x1268;
    pub const BLKPBSZGET: u64 = 0x127b;
    pub const BLKGETSIZE64: u64 = 0x8008_1272;
}

const S_IFBLK: u16 = 0o060_000;

/// How often the device is looked at before its interrupt is waited for; each look lets others run.
const LOOKS: u32 = 100;

/// A range of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Extent {
    start: u64,
    len: u64,
}

/// A request that came in, not yet given to the device.
enum Pending {
    /// Between the disk and the request's own memory at `address`.
    Direct {
        tag: u32,
        address: u64,
        offset: u64,
        len: usize,
        is_write: bool,
    },
    /// What needs no address.
    Other { tag: u32, work: Work },
    /// Its memory has no physical address.
    Failed { tag: u32, errno: Errno },
}

/// A disk served as a scheme.
pub struct Disk {
    engine: Engine,
    extents: Vec<Option<Extent>>,
    pending: Vec<Pending>,
    pages: Pages,
    done: Vec<Completion>,
}

/// Finds out physical addresses.
pub trait Physical {
    /// Physical address of `len` bytes at `address` in this process, and how many of them are contiguous.
    fn physical(&self, address: u64, len: u64) -> std::result::Result<(u64, u64), Errno>;
}

impl Physical for SchemeSocket {
    fn physical(&self, address: u64, len: u64) -> std::result::Result<(u64, u64), Errno> {
        SchemeSocket::physical(self, address, len)
    }
}

impl Disk {
    /// Serves the device behind `engine`, with these partitions.
    pub fn new(engine: Engine, partitions: &[Partition]) -> Self {
        let mut extents = vec![Some(Extent {
            start: 0,
            len: engine.bytes,
        })];
        for part in partitions {
            let index = part.number as usize;
            extents.resize(extents.len().max(index + 1), None);
            extents[index] = Some(Extent {
                start: part.start,
                len: part.len,
            });
        }
        Disk {
            engine,
            extents,
            pending: Vec::new(),
            pages: Pages::default(),
            done: Vec::new(),
        }
    }

    fn extent(&self, handle: u64) -> Result<Extent, Errno> {
        usize::try_from(handle)
            .ok()
            .and_then(|index| *self.extents.get(index)?)
            .ok_or(Errno::BADF)
    }

    /// The part of a request that lies on the disk: where it starts, and its length; 0 at and past the end.
    fn clip(&self, handle: u64, offset: u64, len: usize) -> Result<(u64, usize), Errno> {
        let extent = self.extent(handle)?;
        if offset == scheme::abi::STREAM_OFFSET {
            return Err(Errno::SPIPE);
        }
        let left = extent.len.saturating_sub(offset);
        let len = left.min(len.min(MAX_REQUEST) as u64) as usize;
        // `start + offset` lies on the disk wherever `len` is not 0.
        Ok((extent.start.saturating_add(offset), len))
    }

    fn is_whole(&self, offset: u64, len: usize) -> bool {
        let block = u64::from(self.engine.block_bytes);
        offset.is_multiple_of(block) && (len as u64).is_multiple_of(block)
    }

    /// Finds the physical addresses of what came in.
    pub fn translate(&mut self, map: &impl Physical) {
        for pending in &mut self.pending {
            if let Pending::Direct {
                tag,
                address,
                offset,
                len,
                is_write,
            } = *pending
            {
                *pending = match self.pages.pieces(map, address, len) {
                    Ok(pieces) if is_write => Pending::Other {
                        tag,
                        work: Work::Write { offset, pieces },
                    },
                    Ok(pieces) => Pending::Other {
                        tag,
                        work: Work::Read { offset, pieces },
                    },
                    Err(errno) => Pending::Failed { tag, errno },
                };
            }
        }
    }

    /// Hands everything that came in, translated, to the device, with one notification.
    pub fn submit(&mut self, out: &mut Outbox) {
        for pending in self.pending.drain(..) {
            match pending {
                Pending::Other { tag, work } => self.engine.submit(tag, work),
                Pending::Failed { tag, errno } => {
                    out.answer(tag, Err(errno));
                }
                Pending::Direct { tag, .. } => {
                    out.answer(tag, Err(Errno::FAULT));
                }
            }
        }
        if self.engine.is_idle() {
            return;
        }
        self.engine.disable_interrupts();
        self.engine.kick(&mut self.done);
        self.answer(out);
    }

    /// Waits a moment for the device: most requests are done sooner than an interrupt arrives. Others run meanwhile, if any want
    /// to. Interrupts are on afterwards.
    pub fn linger(&mut self, out: &mut Outbox) -> std::result::Result<(), virtio::QueueError> {
        if self.engine.is_idle() {
            return Ok(());
        }
        for _ in 0..LOOKS {
            if self.engine.has_finished() {
                break;
            }
            std::thread::yield_now();
        }
        self.collect(out)
    }

    /// Answers what the device has finished. An error means that the device has lost its mind: start over.
    pub fn collect(&mut self, out: &mut Outbox) -> std::result::Result<(), virtio::QueueError> {
        loop {
            self.engine.collect(&mut self.done)?;
            self.answer(out);
            if !self.engine.enable_interrupts() {
                return Ok(());
            }
        }
    }

    fn answer(&mut self, out: &mut Outbox) {
        for Completion { tag, result, data } in self.done.drain(..) {
            if let (Ok(_), Some(data)) = (result, data) {
                out.answer_bytes(tag, &data);
            } else {
                out.answer(
                    tag,
                    result
                        .map(|len| len as u64)
                        .map_err(Errno::from_raw_os_error),
                );
            }
        }
    }
}

/// Physical addresses of pages of the transfer area, learnt once: the area stays where it is.
#[derive(Default)]
struct Pages(HashMap<u64, u64>);

const PAGE: u64 = 4096;

impl Pages {
    /// The physical memory behind a buffer, contiguous pages merged.
    fn pieces(
        &mut self,
        map: &impl Physical,
        address: u64,
        len: usize,
    ) -> std::result::Result<Vec<Piece>, Errno> {
        let mut found: Vec<Piece> = Vec::new();
        let (mut at, end) = (address, address + len as u64);
        while at < end {
            let page = at & !(PAGE - 1);
            let count = (page + PAGE).min(end) - at;
            let physical = self.page(map, page, end - page)? + (at - page);
            match found.last_mut() {
                Some(last) if last.physical + u64::from(last.len) == physical => {
                    last.len += count as u32
                }
                _ => found.push(Piece {
                    physical,
                    len: count as u32,
                }),
            }
            at += count;
        }
        Ok(found)
    }

    /// A page's physical address; where it has to be asked for, also those of the pages behind it, `ahead` bytes in all.
    fn page(
        &mut self,
        map: &impl Physical,
        page: u64,
        ahead: u64,
    ) -> std::result::Result<u64, Errno> {
        if let Some(physical) = self.0.get(&page) {
            return Ok(*physical);
        }
        let (physical, contiguous) = map.physical(page, ahead.next_multiple_of(PAGE))?;
        let offsets = (0..contiguous.max(1)).step_by(PAGE as usize);
        self.0
            .extend(offsets.map(|offset| (page + offset, physical + offset)));
        Ok(physical)
    }
}

impl Scheme for Disk {
    fn openat(&mut self, cx: &mut Context<'_>, dir: u64, path: &str, flags: u64) -> Result<Opened> {
        if dir != scheme::abi::ROOT_HANDLE {
            return Err(Errno::NOTDIR.into());
        }
        // Everyone may look, root may open.
        if cx.ids.uid != 0 && flags & scheme::abi::O_STAT as u64 == 0 {
            return Err(Errno::ACCESS.into());
        }
        let number = if path.is_empty() {
            0
        } else {
            path.parse().map_err(|_| Errno::NOENT)?
        };
        // "01" would be a second name of "1".
        if number != 0 && path != number.to_string() || number == 0 && !path.is_empty() {
            return Err(Errno::NOENT.into());
        }
        self.extent(number).map_err(|_| Errno::NOENT)?;
        let is_for_writing = flags as usize & scheme::abi::O_ACCMODE & scheme::abi::O_WRONLY != 0;
        if is_for_writing && self.engine.is_read_only() {
            return Err(Errno::ROFS.into());
        }
        Ok(Opened::Handle(number))
    }

    fn read(
        &mut self,
        cx: &mut Context<'_>,
        handle: u64,
        buffer: &mut [u8],
        offset: u64,
    ) -> Result<usize> {
        let (offset, len) = self.clip(handle, offset, buffer.len())?;
        if len == 0 {
            return Ok(0);
        }
        let (tag, address) = (cx.tag, buffer.as_ptr() as u64);
        self.pending.push(if self.is_whole(offset, len) {
            Pending::Direct {
                tag,
                address,
                offset,
                len,
                is_write: false,
            }
        } else {
            Pending::Other {
                tag,
                work: Work::ReadBytes { offset, len },
            }
        });
        Err(Fail::Later)
    }

    fn write(
        &mut self,
        cx: &mut Context<'_>,
        handle: u64,
        data: &[u8],
        offset: u64,
    ) -> Result<usize> {
        let (offset, len) = self.clip(handle, offset, data.len())?;
        if self.engine.is_read_only() {
            return Err(Errno::ROFS.into());
        }
        if len == 0 {
            return if data.is_empty() {
                Ok(0)
            } else {
                Err(Errno::NOSPC.into())
            };
        }
        let (tag, address) = (cx.tag, data.as_ptr() as u64);
        self.pending.push(if self.is_whole(offset, len) {
            Pending::Direct {
                tag,
                address,
                offset,
                len,
                is_write: true,
            }
        } else {
            Pending::Other {
                tag,
                work: Work::WriteBytes {
                    offset,
                    data: data[..len].to_vec(),
                },
            }
        });
        Err(Fail::Later)
    }

    fn fsync(&mut self, cx: &mut Context<'_>, handle: u64) -> Result<()> {
        self.extent(handle)?;
        self.pending.push(Pending::Other {
            tag: cx.tag,
            work: Work::Flush,
        });
        Err(Fail::Later)
    }

    fn fevent(&mut self, handle: u64, events: EventFlags) -> Result<EventFlags> {
        self.extent(handle)?;
        Ok(events)
    }

    fn fstat(&mut self, handle: u64) -> Result<Stat> {
        let extent = self.extent(handle)?;
        let permissions = if self.engine.is_read_only() {
            0o440
        } else {
            0o660
        };
        Ok(Stat {
            st_ino: handle + 1,
            st_mode: S_IFBLK | permissions,
            st_nlink: 1,
            st_size: extent.len,
            st_blksize: 4096,
            st_blocks: extent.len / 512,
            ..Stat::default()
        })
    }

    fn call(
        &mut self,
        _cx: &mut Context<'_>,
        handle: u64,
        buffer: &mut [u8],
        metadata: [u64; 3],
    ) -> Result<u64> {
        let extent = self.extent(handle)?;
        let value = match metadata[0] {
            ioctl::BLKROGET => u64::from(self.engine.is_read_only()),
            ioctl::BLKGETSIZE => extent.len / 512,
            ioctl::BLKGETSIZE64 => extent.len,
            ioctl::BLKSSZGET | ioctl::BLKPBSZGET => u64::from(self.engine.block_bytes),
            _ => return Err(Errno::NOTTY.into()),
        };
        let len = buffer.len().min(8);
        buffer[..len].copy_from_slice(&value.to_le_bytes()[..len]);
        Ok(0)
    }

    fn cancel(&mut self, _tag: u32) -> bool {
        // The device may be writing to the request's memory: it is answered when the device is done, which is soon.
        false
    }
}
