//! `/scheme/irq`: interrupts for drivers, as files that count like `eventfd(2)`.
//!
//! * `isa/<n>`: one of the ISA interrupts; one opener at a time. A level-triggered one stays masked from its arrival until the next `read`.
//! * `msi`: a vector of its own each time it is opened; `ioctl(IRQ_MSI)` tells what to program into the device.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use frame::irq::{self, IrqError, Vector};
use scheme_abi::{IRQ_MSI, MsiMessage};

use super::pseudo::{self, Device, Dir, Entries};
use crate::error::*;
use crate::fs::{Attr, Events, FileOps, FileType, InodeRef, IoSink, OpenFile};
use crate::sync::{PollTable, WaitQueue};
use crate::user;

/// ISA interrupts are 0 to 15.
const ISA_COUNT: u8 = 16;
/// Those of the kernel itself: the timer, the cascade, the serial console.
const ISA_TAKEN: [u8; 3] = [0, 2, 4];

struct Root;
struct Isa;

/// The directory `/scheme/irq`.
pub fn root() -> InodeRef {
    Dir::of(Root, pseudo::ino(b"irq"))
}

impl Entries for Root {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        match name {
            b"isa" => Ok(Dir::of(Isa, pseudo::ino(b"isa"))),
            b"msi" => Ok(Device::for_root(pseudo::ino(b"msi"), |_| Irq::open_msi())),
            _ => Err(ENOENT),
        }
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        alloc::vec![(b"isa".to_vec(), FileType::Directory), (b"msi".to_vec(), FileType::CharDevice)]
    }
}

impl Entries for Isa {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        let number: u8 = core::str::from_utf8(name).ok().and_then(|text| text.parse().ok()).ok_or(ENOENT)?;
        if number >= ISA_COUNT {
            return Err(ENOENT);
        }
        Ok(Device::for_root(pseudo::ino(name), move |_| Irq::open_isa(number)))
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        (0..ISA_COUNT).map(|n| (alloc::format!("{n}").into_bytes(), FileType::CharDevice)).collect()
    }
}

struct Counter {
    fired: AtomicU64,
    queue: WaitQueue,
}

enum Source {
    Isa { number: u8, level: bool },
    Msi { address: u64, data: u32 },
}

struct Irq {
    counter: Arc<Counter>,
    vector: Vector,
    source: Source,
}

/// ISA interrupts that are open, a bit each.
static ISA_OPEN: AtomicU32 = AtomicU32::new(0);

fn errno(error: IrqError) -> Errno {
    match error {
        IrqError::NoVector => ENOSPC,
        IrqError::NoSuchLine | IrqError::NoSuchCpu => ENXIO,
    }
}

/// Spreads interrupts over the CPUs.
fn next_cpu() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed) % frame::cpu::count().max(1)
}

impl Irq {
    fn counter() -> Arc<Counter> {
        Arc::new(Counter { fired: AtomicU64::new(0), queue: WaitQueue::new() })
    }

    fn open_msi() -> Result<Arc<dyn FileOps>> {
        let vector = irq::alloc_vector().map_err(errno)?;
        let (address, data) = match irq::msi_message(vector, next_cpu()) {
            Ok(message) => message,
            Err(error) => {
                irq::free_vector(vector);
                return Err(errno(error));
            }
        };
        let counter = Self::counter();
        let theirs = counter.clone();
        irq::register(vector, Box::new(move || theirs.fire()));
        Ok(Arc::new(Self { counter, vector, source: Source::Msi { address, data } }))
    }

    fn open_isa(number: u8) -> Result<Arc<dyn FileOps>> {
        let bit = 1 << number;
        if ISA_TAKEN.contains(&number) || ISA_OPEN.fetch_or(bit, Ordering::AcqRel) & bit != 0 {
            return Err(EBUSY);
        }
        let opened = Self::route_isa(number);
        if opened.is_err() {
            ISA_OPEN.fetch_and(!bit, Ordering::AcqRel);
        }
        opened
    }

    fn route_isa(number: u8) -> Result<Arc<dyn FileOps>> {
        let vector = irq::alloc_vector().map_err(errno)?;
        if let Err(error) = irq::route_isa(number, vector, next_cpu()) {
            irq::free_vector(vector);
            return Err(errno(error));
        }
        let level = irq::isa_is_level(number);
        let counter = Self::counter();
        let theirs = counter.clone();
        irq::register(
            vector,
            Box::new(move || {
                if level {
                    irq::mask_isa(number);
                }
                theirs.fire();
            }),
        );
        irq::unmask_isa(number);
        Ok(Arc::new(Self { counter, vector, source: Source::Isa { number, level } }))
    }
}

impl Counter {
    fn fire(&self) {
        self.fired.fetch_add(1, Ordering::SeqCst);
        self.queue.wake_events(Events::IN | Events::RDNORM);
    }
}

impl Drop for Irq {
    fn drop(&mut self) {
        if let Source::Isa { number, .. } = self.source {
            irq::mask_isa(number);
        }
        irq::unregister(self.vector);
        // A message-signalled vector is freed here too: who programs the device (pcid) clears its entry before it lets go of the descriptor.
        irq::free_vector(self.vector);
        if let Source::Isa { number, .. } = self.source {
            ISA_OPEN.fetch_and(!(1 << number), Ordering::AcqRel);
        }
    }
}

impl FileOps for Irq {
    fn read(&self, file: &OpenFile, _pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        if dst.remaining() < 8 {
            return Err(EINVAL);
        }
        if let Source::Isa { number, level: true } = self.source {
            if self.counter.fired.load(Ordering::SeqCst) == 0 {
                irq::unmask_isa(number);
            }
        }
        let take = || Some(self.counter.fired.swap(0, Ordering::SeqCst)).filter(|count| *count > 0);
        let count = match take() {
            Some(count) => count,
            None if file.nonblocking() => return Err(EAGAIN),
            None => self.counter.queue.wait_until(take)?,
        };
        dst.write(&count.to_le_bytes())
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        table.register(&self.counter.queue);
        if self.counter.fired.load(Ordering::SeqCst) > 0 {
            return Events::IN | Events::RDNORM;
        }
        // Who polls is done with the last one.
        if let Source::Isa { number, level: true } = self.source {
            irq::unmask_isa(number);
        }
        Events::empty()
    }

    fn ioctl(&self, _file: &OpenFile, cmd: u32, arg: usize) -> Result<usize> {
        let (IRQ_MSI, Source::Msi { address, data }) = (cmd, &self.source) else { return Err(ENOTTY) };
        let mut bytes = [0; MsiMessage::BYTES];
        MsiMessage { address: *address, data: *data, reserved: 0 }.encode(&mut bytes).map_err(|_| EIO)?;
        user::write(arg, &bytes)?;
        Ok(0)
    }

    fn attr(&self) -> Result<Attr> {
        Ok(pseudo::attr(FileType::CharDevice, 0o600, 0))
    }

    fn describe(&self) -> String {
        match self.source {
            Source::Isa { number, .. } => alloc::format!("irq:[isa {number}]"),
            Source::Msi { data, .. } => alloc::format!("irq:[msi {data:#x}]"),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
