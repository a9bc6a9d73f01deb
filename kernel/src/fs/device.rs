//! Device numbers and the drivers in the kernel that serve them: opening a device node anywhere leads here.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};

use super::file::{FileOps, OpenFlags};
use super::inode::InodeRef;
use super::stat::FileType;
use crate::error::*;
use crate::sync::{Once, RwSpinLock, SpinLock};

/// Opens a device: the node (for attributes), its number, the flags of `open(2)`.
pub type DeviceOpen = Box<dyn Fn(&InodeRef, u64, OpenFlags) -> Result<Arc<dyn FileOps>> + Send + Sync>;

struct Driver {
    minors: core::ops::RangeInclusive<u32>,
    open: Arc<DeviceOpen>,
}

/// By (is a block device, major).
static DRIVERS: RwSpinLock<BTreeMap<(bool, u32), alloc::vec::Vec<Driver>>> = RwSpinLock::new(BTreeMap::new());

/// Packs a device number as `makedev(3)` does.
pub const fn makedev(major: u32, minor: u32) -> u64 {
    let (major, minor) = (major as u64, minor as u64);
    (minor & 0xff) | (major & 0xfff) << 8 | (minor & !0xff) << 12 | (major & !0xfff) << 32
}

/// The major number.
pub const fn major(dev: u64) -> u32 {
    ((dev >> 8 & 0xfff) | (dev >> 32 & !0xfff)) as u32
}

/// The minor number.
pub const fn minor(dev: u64) -> u32 {
    ((dev & 0xff) | (dev >> 12 & !0xff)) as u32
}

/// Makes a driver for character devices known; of several for one number the one registered last counts.
pub fn register_char(major: u32, minors: core::ops::RangeInclusive<u32>, open: DeviceOpen) {
    let driver = Driver { minors, open: Arc::new(open) };
    DRIVERS.write().entry((false, major)).or_default().push(driver);
}

/// Opens the device behind a node; `None` where no driver in the kernel has its number.
pub(super) fn open(kind: FileType, inode: &InodeRef, rdev: u64, flags: OpenFlags) -> Option<Result<Arc<dyn FileOps>>> {
    let open = {
        let drivers = DRIVERS.read();
        let list = drivers.get(&(kind == FileType::BlockDevice, major(rdev)))?;
        list.iter().rev().find(|d| d.minors.contains(&minor(rdev)))?.open.clone()
    };
    Some(open(inode, rdev, flags))
}

/// The pipe behind a FIFO's inode.
pub trait Fifo: Send + Sync {
    /// Opens an end, or both: blocks for the other end as `fifo(7)` says.
    fn open(self: Arc<Self>, inode: &InodeRef, flags: OpenFlags) -> Result<Arc<dyn FileOps>>;
}

static MAKE_FIFO: Once<fn() -> Arc<dyn Fifo>> = Once::new();
/// FIFOs in use, by (device, inode).
static FIFOS: SpinLock<BTreeMap<(u64, u64), Weak<dyn Fifo>>> = SpinLock::new(BTreeMap::new());

/// Tells how pipes for FIFOs are made.
pub fn set_fifo_maker(make: fn() -> Arc<dyn Fifo>) {
    // Only the first call counts.
    let _ = MAKE_FIFO.set(make);
}

/// Opens a FIFO of any filesystem: all who have it open share one pipe, which goes with the last of them.
pub(super) fn open_fifo(inode: &InodeRef, flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
    let make = MAKE_FIFO.get().ok_or(ENXIO)?;
    let attr = inode.attr()?;
    let fifo = {
        let mut fifos = FIFOS.lock();
        fifos.retain(|_, fifo| fifo.strong_count() > 0);
        match fifos.get(&(attr.dev, attr.ino)).and_then(Weak::upgrade) {
            Some(fifo) => fifo,
            None => {
                let fifo = make();
                fifos.insert((attr.dev, attr.ino), Arc::downgrade(&fifo));
                fifo
            }
        }
    };
    fifo.open(inode, flags)
}
