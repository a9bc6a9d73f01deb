//! The scheme `/scheme/disk.<name>`: the whole disk is handle 0, partition n is handle n.
//!
//! Handles are numbers that mean the same in a successor of this process, and requests may be sent again: this is what
//! makes the driver restartable.

use crate::engine::{Completion, Engine, MAX_REQUEST, Piece, Work};
use block_scheme::Volumes;
use partitions::Partition;
use scheme::{
    Context, Errno, EventFlags, Fail, Opened, Outbox, Result, Scheme, SchemeSocket, Stat,
};
use std::collections::HashMap;

/// How often the device is looked at before its interrupt is waited for; each look lets others run.
const LOOKS: u32 = 100;

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
    volumes: Volumes,
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
        let volumes = Volumes::new(engine.bytes, partitions, engine.block_bytes, engine.is_read_only());
        Disk {
            engine,
            volumes,
            pending: Vec::new(),
            pages: Pages::default(),
            done: Vec::new(),
        }
    }

    /// The part of a request that lies on the disk and fits into one of the device's: where it starts, and its length; 0 at and past the end.
    fn clip(&self, handle: u64, offset: u64, len: usize) -> Result<(u64, usize), Errno> {
        self.volumes.clip(handle, offset, len.min(MAX_REQUEST))
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
        Ok(Opened::Handle(self.volumes.open(cx, dir, path, flags)?))
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
        self.volumes.extent(handle)?;
        self.pending.push(Pending::Other {
            tag: cx.tag,
            work: Work::Flush,
        });
        Err(Fail::Later)
    }

    fn fevent(&mut self, handle: u64, events: EventFlags) -> Result<EventFlags> {
        self.volumes.extent(handle)?;
        Ok(events)
    }

    fn fstat(&mut self, handle: u64) -> Result<Stat> {
        Ok(self.volumes.stat(handle)?)
    }

    fn call(
        &mut self,
        _cx: &mut Context<'_>,
        handle: u64,
        buffer: &mut [u8],
        metadata: [u64; 3],
    ) -> Result<u64> {
        Ok(self.volumes.ioctl(handle, metadata[0], buffer)?)
    }

    fn cancel(&mut self, _tag: u32) -> bool {
        // The device may be writing to the request's memory: it is answered when the device is done, which is soon.
        false
    }
}
