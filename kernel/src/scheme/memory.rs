//! `/scheme/memory`: physical memory for drivers.
//!
//! * `physical/<start hex>-<length hex>[,uc|wc|wb]`: registers of devices and other memory that is no RAM of the kernel's; to `mmap`.
//! * `dma/<bytes>`: zeroed, physically contiguous RAM; lives until every descriptor and mapping is gone, so that a device
//!   never writes to memory that has become something else: whoever turns its bus mastering off keeps a descriptor till then.
//! * `framebuffer`: the boot framebuffer.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;

use frame::FramebufferInfo;
use frame::mm::{Frame, FrameRange};
use frame::phys::CacheMode;
use scheme_abi::{FB_INFO, FbInfo, MEM_PHYS};

use super::pseudo::{self, Device, Dir, Entries};
use crate::error::*;
use crate::fs::{Attr, FileOps, FileType, InodeRef, OpenFile};
use crate::mm::{MemoryObject, ObjectPage, PAGE};
use crate::sync::SpinLock;
use crate::user;

/// Physical addresses end here (`cpuid` may say less; more cannot be in a page table).
const PHYSICAL_END: u64 = 1 << 52;
/// Largest piece of DMA memory: the largest block of the frame allocator is what really limits.
const MOST_DMA: usize = 64 << 20;

struct Root(Option<FramebufferInfo>);
struct Physical;
struct Dma;

/// The directory `/scheme/memory`.
pub fn root(framebuffer: Option<FramebufferInfo>) -> InodeRef {
    Dir::of(Root(framebuffer), pseudo::ino(b"memory"))
}

impl Entries for Root {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        let info = self.0;
        match name {
            b"physical" => Ok(Dir::of(Physical, pseudo::ino(name))),
            b"dma" => Ok(Dir::of(Dma, pseudo::ino(name))),
            b"framebuffer" => Ok(Device::for_root(pseudo::ino(name), move |_| Framebuffer::open(info.ok_or(ENODEV)?))),
            _ => Err(ENOENT),
        }
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        let names: [(&[u8], FileType); 3] =
            [(b"dma", FileType::Directory), (b"framebuffer", FileType::CharDevice), (b"physical", FileType::Directory)];
        names.iter().map(|(name, file_type)| (name.to_vec(), *file_type)).collect()
    }
}

impl Entries for Physical {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        let region = Region::parse(name).ok_or(ENOENT)?;
        Ok(Device::for_root(pseudo::ino(name), move |_| Ok(Arc::new(OpenRegion { region: Arc::new(region.checked()?), framebuffer: None }))))
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        Vec::new()
    }
}

impl Entries for Dma {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        let bytes: usize = core::str::from_utf8(name).ok().and_then(|text| text.parse().ok()).ok_or(ENOENT)?;
        Ok(Device::for_root(pseudo::ino(name), move |_| Ok(Arc::new(OpenDma(Arc::new(DmaMemory::new(bytes)?))))))
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        Vec::new()
    }
}

/// A range of physical addresses.
#[derive(Clone, Copy)]
struct Region {
    start: u64,
    len: u64,
    mode: CacheMode,
}

impl Region {
    /// `<start hex>-<length hex>[,uc|wc|wb]`.
    fn parse(name: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(name).ok()?;
        let (range, mode) = match text.split_once(',') {
            None | Some((_, "uc")) => (text.split(',').next()?, CacheMode::Uncached),
            Some((range, "wc")) => (range, CacheMode::WriteCombining),
            Some((range, "wb")) => (range, CacheMode::WriteBack),
            Some(_) => return None,
        };
        let (start, len) = range.split_once('-')?;
        let hex = |digits: &str| u64::from_str_radix(digits.strip_prefix("0x").unwrap_or(digits), 16).ok();
        Some(Self { start: hex(start)?, len: hex(len)?, mode })
    }

    /// # Errors
    /// `EINVAL` for an empty, unaligned or impossible range, `EPERM` where it touches RAM.
    fn checked(self) -> Result<Self> {
        let end = self.start.checked_add(self.len).filter(|end| *end <= PHYSICAL_END).ok_or(EINVAL)?;
        if self.len == 0 || self.start % PAGE as u64 != 0 || end == self.start {
            return Err(EINVAL);
        }
        let whole = self.len.next_multiple_of(PAGE as u64);
        if frame::phys::is_ram(self.start, whole) { Err(EPERM) } else { Ok(self) }
    }
}

impl MemoryObject for Region {
    fn page(&self, index: u64, _for_write: bool) -> Result<ObjectPage> {
        let offset = index.checked_mul(PAGE as u64).filter(|offset| *offset < self.len).ok_or(EFAULT)?;
        Ok(ObjectPage::Device(self.start + offset, self.mode))
    }
}

struct OpenRegion {
    region: Arc<Region>,
    framebuffer: Option<FramebufferInfo>,
}

struct Framebuffer;

impl Framebuffer {
    fn open(info: FramebufferInfo) -> Result<Arc<dyn FileOps>> {
        let start = info.phys / PAGE as u64 * PAGE as u64;
        let len = u64::from(info.pitch) * u64::from(info.height) + (info.phys - start);
        let region = Region { start, len, mode: CacheMode::WriteCombining }.checked()?;
        Ok(Arc::new(OpenRegion { region: Arc::new(region), framebuffer: Some(info) }))
    }
}

impl FileOps for OpenRegion {
    fn mmap(&self, _file: &OpenFile, offset: u64, len: u64, _shared_write: bool) -> Result<Arc<dyn MemoryObject>> {
        let whole = self.region.len.next_multiple_of(PAGE as u64);
        if offset.checked_add(len).is_none_or(|end| end > whole) {
            return Err(EINVAL);
        }
        Ok(self.region.clone())
    }

    fn ioctl(&self, _file: &OpenFile, cmd: u32, arg: usize) -> Result<usize> {
        let (FB_INFO, Some(fb)) = (cmd, self.framebuffer) else { return Err(ENOTTY) };
        let info = FbInfo {
            width: fb.width,
            height: fb.height,
            pitch: fb.pitch,
            bpp: u32::from(fb.bpp),
            red_shift: u32::from(fb.red_shift),
            green_shift: u32::from(fb.green_shift),
            blue_shift: u32::from(fb.blue_shift),
            reserved: 0,
        };
        let mut bytes = [0; FbInfo::BYTES];
        info.encode(&mut bytes).map_err(|_| EIO)?;
        user::write(arg, &bytes)?;
        Ok(0)
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr { size: self.region.len, ..pseudo::attr(FileType::CharDevice, 0o600, self.region.start) })
    }

    fn describe(&self) -> String {
        alloc::format!("memory:[{:x}-{:x}]", self.region.start, self.region.len)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Contiguous RAM. Its frames are counted by mappings too.
struct DmaMemory {
    frames: FrameRange,
    bytes: usize,
}

impl DmaMemory {
    fn new(bytes: usize) -> Result<Self> {
        if bytes == 0 || bytes > MOST_DMA {
            return Err(EINVAL);
        }
        let frames = FrameRange::alloc_contiguous(bytes.div_ceil(PAGE)).ok_or(ENOMEM)?;
        Ok(Self { frames, bytes })
    }
}

/// DMA memory that nobody refers to any more, and until when it is kept (ns). Its driver may have been killed while its device was at work, and nobody may be there
/// to stop the device at once (a new `pcid` knows nothing of the old one's functions): the driver's successor resets it.
static KEPT: SpinLock<Vec<(u64, Vec<Frame>)>> = SpinLock::new(Vec::new());
const KEEP_NS: u64 = 10_000_000_000;

impl Drop for DmaMemory {
    fn drop(&mut self) {
        let kept = (frame::time::now_ns() + KEEP_NS, self.frames.frames().to_vec());
        KEPT.lock().push(kept);
    }
}

/// Releases DMA memory that was kept for long enough.
pub fn release_kept() {
    let now = frame::time::now_ns();
    let over: Vec<_> = KEPT.lock().extract_if(.., |(until, _)| *until <= now).collect();
    drop(over);
}

impl MemoryObject for DmaMemory {
    fn page(&self, index: u64, _for_write: bool) -> Result<ObjectPage> {
        let at = usize::try_from(index).map_err(|_| EFAULT)?;
        self.frames.frames().get(at).cloned().map(ObjectPage::Ram).ok_or(EFAULT)
    }

    fn resident(&self, index: u64, out: &mut Vec<Frame>, max: usize) {
        out.extend(self.frames.frames().iter().skip(index as usize).take(max).cloned());
    }
}

struct OpenDma(Arc<DmaMemory>);

impl FileOps for OpenDma {
    fn mmap(&self, _file: &OpenFile, _offset: u64, _len: u64, _shared_write: bool) -> Result<Arc<dyn MemoryObject>> {
        Ok(self.0.clone())
    }

    fn ioctl(&self, _file: &OpenFile, cmd: u32, arg: usize) -> Result<usize> {
        if cmd != MEM_PHYS {
            return Err(ENOTTY);
        }
        user::write(arg, &self.0.frames.paddr())?;
        Ok(0)
    }

    fn attr(&self) -> Result<Attr> {
        Ok(Attr { size: self.0.bytes as u64, ..pseudo::attr(FileType::CharDevice, 0o600, self.0.frames.paddr()) })
    }

    fn describe(&self) -> String {
        alloc::format!("dma:[{}]", self.0.bytes)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
