//! The devices of `null(4)`, `full(4)`, `random(4)`, `mem(4)` (ports only) and `/dev/kmsg`.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::any::Any;

use scheme_abi::PORT_SEQUENCE;

use super::device;
use super::file::{Events, FileOps, OpenFile, OpenFlags};
use super::inode::InodeRef;
use super::io::{IoSink, IoSource};
use super::ports;
use super::stat::Attr;
use crate::error::*;
use crate::log;
use crate::mm::MemoryObject;
use crate::random;
use crate::sync::{Mutex, PollTable};
use crate::task;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    Port,
    Zero,
    Full,
    Random,
    Urandom,
}

struct MemoryDevice {
    kind: Kind,
    inode: InodeRef,
}

/// Registers the drivers.
pub(super) fn init() {
    let of = |minor: u32| match minor {
        3 => Some(Kind::Null),
        4 => Some(Kind::Port),
        5 => Some(Kind::Zero),
        7 => Some(Kind::Full),
        8 => Some(Kind::Random),
        9 => Some(Kind::Urandom),
        _ => None,
    };
    let open = move |inode: &InodeRef, rdev: u64, _flags: OpenFlags| -> Result<Arc<dyn FileOps>> {
        let kind = of(device::minor(rdev)).ok_or(ENXIO)?;
        if kind == Kind::Port && !task::capable(task::Capability::SYS_RAWIO) {
            // Whatever the node's mode says.
            return Err(EPERM);
        }
        Ok(Arc::new(MemoryDevice { kind, inode: inode.clone() }))
    };
    device::register_char(1, 0..=255, Box::new(open));
    device::register_char(1, 11..=11, Box::new(|inode, _, flags| Ok(Arc::new(Kmsg::new(inode, flags)))));
}

fn read_random(dst: &mut IoSink<'_>) -> Result<usize> {
    let before = dst.done();
    let mut block = [0; 512];
    while dst.remaining() > 0 {
        let n = dst.remaining().min(block.len());
        random::fill(&mut block[..n]);
        let copied = match dst.write(&block[..n]) {
            Ok(copied) => copied,
            Err(error) if dst.done() == before => return Err(error),
            Err(_) => break,
        };
        if copied < n || task::with_current(|t| t.has_pending_signal()) {
            break;
        }
    }
    Ok(dst.done() - before)
}

fn discard(src: &mut IoSource<'_>) -> usize {
    // Linux does not look at the buffer of a write to /dev/null either.
    let n = src.remaining();
    src.limit(0);
    n
}

impl FileOps for MemoryDevice {
    fn has_readiness(&self) -> bool {
        // As of Linux 6.1: of the two only /dev/random can be waited for.
        self.kind == Kind::Random
    }

    fn read(&self, _file: &OpenFile, pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        match self.kind {
            Kind::Null => Ok(0),
            Kind::Zero | Kind::Full => {
                let before = dst.done();
                while dst.remaining() > 0 {
                    let n = dst.remaining().min(1 << 20);
                    if dst.write_zeros(n)? < n || task::with_current(|t| t.has_pending_signal()) {
                        break;
                    }
                }
                Ok(dst.done() - before)
            }
            Kind::Random | Kind::Urandom => read_random(dst),
            Kind::Port => ports::read(pos, dst),
        }
    }

    fn write(&self, _file: &OpenFile, pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        match self.kind {
            Kind::Null | Kind::Zero => Ok(discard(src)),
            Kind::Full => Err(ENOSPC),
            Kind::Random | Kind::Urandom => {
                let mut done = 0;
                let mut block = [0; 512];
                while src.remaining() > 0 {
                    let n = src.read(&mut block)?;
                    if n == 0 {
                        break;
                    }
                    random::add_entropy(&block[..n]);
                    done += n;
                }
                Ok(done)
            }
            Kind::Port => ports::write(pos, src),
        }
    }

    fn append(&self, file: &OpenFile, src: &mut IoSource<'_>) -> Result<(usize, u64)> {
        self.write(file, 0, src).map(|n| (n, 0))
    }

    fn seekable(&self) -> bool {
        true
    }

    fn has_no_positions(&self) -> bool {
        matches!(self.kind, Kind::Null | Kind::Zero | Kind::Full | Kind::Random | Kind::Urandom)
    }

    fn ioctl(&self, _file: &OpenFile, cmd: u32, arg: usize) -> Result<usize> {
        const RNDGETENTCNT: u32 = 0x8004_5200;
        if matches!(self.kind, Kind::Random | Kind::Urandom) && cmd == RNDGETENTCNT {
            crate::user::write(arg, &256u32)?;
            return Ok(0);
        }
        if self.kind == Kind::Port && cmd == PORT_SEQUENCE {
            return ports::sequence(arg);
        }
        Err(ENOTTY)
    }

    fn mmap(&self, _file: &OpenFile, _offset: u64, len: u64, _shared_write: bool) -> Result<Arc<dyn MemoryObject>> {
        if self.kind == Kind::Zero {
            // A fresh object each time: mappings of /dev/zero share nothing with each other.
            return Ok(Arc::new(crate::mm::anon::SharedAnon::new(_offset.saturating_add(len).div_ceil(4096))));
        }
        Err(ENODEV)
    }

    fn attr(&self) -> Result<Attr> {
        self.inode.attr()
    }

    fn inode(&self) -> Option<InodeRef> {
        Some(self.inode.clone())
    }

    fn describe(&self) -> String {
        "memory device".into()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `/dev/kmsg`: a read gives the next record of the log, a write adds one.
struct Kmsg {
    inode: InodeRef,
    next: Mutex<u64>,
}

impl Kmsg {
    fn new(inode: &InodeRef, _flags: OpenFlags) -> Self {
        Self { inode: inode.clone(), next: Mutex::new(log::bounds().0) }
    }
}

impl FileOps for Kmsg {
    fn read(&self, file: &OpenFile, _pos: u64, dst: &mut IoSink<'_>) -> Result<usize> {
        let mut next = self.next.lock();
        let (first, _) = log::bounds();
        if *next < first {
            // Records were lost: say so once and go on with the oldest.
            *next = first;
            return Err(EPIPE);
        }
        let record = match log::record(*next) {
            Some(record) => record,
            None if file.nonblocking() => return Err(EAGAIN),
            None => log::event().wait_until(|| log::record(*next))?,
        };
        let mut line = format!("{},{},{},-;", record.priority, record.sequence, record.time_us);
        for c in record.text.chars() {
            if c.is_control() || c == '\\' {
                line.push_str(&format!("\\x{:02x}", c as u32));
            } else {
                line.push(c);
            }
        }
        line.push('\n');
        if dst.remaining() < line.len() {
            return Err(EINVAL);
        }
        let n = dst.write(line.as_bytes())?;
        *next = record.sequence + 1;
        Ok(n)
    }

    fn write(&self, _file: &OpenFile, _pos: u64, src: &mut IoSource<'_>) -> Result<usize> {
        const LINE_MAX: usize = 992;
        let len = src.remaining();
        if len > LINE_MAX {
            return Err(EINVAL);
        }
        let mut line = [0; LINE_MAX];
        let n = src.read(&mut line[..len])?;
        let text = String::from_utf8_lossy(&line[..n]);
        let mut text = text.trim_end_matches('\n');
        // Facility "user", level "notice" (as Linux's default), unless the line says otherwise; the kernel's facility is not for programs.
        let mut priority = 8 | 4;
        if let Some((number, rest)) = text.strip_prefix('<').and_then(|t| t.split_once('>')) {
            if let Ok(number) = number.parse::<u32>() {
                let facility = if number >> 3 == 0 { 1 } else { (number >> 3) & 0x1f };
                priority = (facility << 3 | number & 7) as u8;
                text = rest;
            }
        }
        log::write(priority, text);
        Ok(len)
    }

    fn poll(&self, _file: &OpenFile, table: &mut PollTable<'_>) -> Events {
        table.register(&log::event());
        let next = *self.next.lock();
        if next < log::bounds().1 { Events::IN | Events::RDNORM | Events::OUT | Events::WRNORM } else { Events::OUT | Events::WRNORM }
    }

    fn attr(&self) -> Result<Attr> {
        self.inode.attr()
    }

    fn inode(&self) -> Option<InodeRef> {
        Some(self.inode.clone())
    }

    fn describe(&self) -> String {
        "/dev/kmsg".into()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
