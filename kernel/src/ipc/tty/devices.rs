//! The device nodes of terminals, and the filesystem `devpts`.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{pty, serial, vt};
use crate::error::*;
use crate::fs::device::register_char;
use crate::fs::mount::{SuperBlock, register_type};
use crate::fs::{Attr, FileOps, FileType, Inode, InodeRef, OpenFlags, devfs, makedev, minor};
use crate::scheme::pseudo::{Dir, Entries};
use crate::task;

/// Majors: terminals and serial lines; `/dev/tty`, console, ptmx; pty slaves.
const TTY_MAJOR: u32 = 4;
const TTYAUX_MAJOR: u32 = 5;
const SLAVE_MAJORS: core::ops::RangeInclusive<u32> = 136..=143;
/// Minor of `/dev/ttyS0`.
const SERIAL_MINOR: u32 = 64;
const CHARACTER: u32 = FileType::CharDevice as u32;
/// Device number of the devpts filesystem.
const DEVPTS_DEV: u64 = 0x16;

/// Registers the drivers and the nodes that do not depend on a terminal emulator.
pub fn init() {
    register_char(TTY_MAJOR, 0..=63, Box::new(|_, rdev, flags| pty::open_virtual(numbered(minor(rdev)), flags)));
    register_char(
        TTY_MAJOR,
        SERIAL_MINOR..=SERIAL_MINOR,
        Box::new(|_, _, flags| serial::terminal().ok_or(ENXIO)?.open(flags)),
    );
    register_char(TTYAUX_MAJOR, 0..=0, Box::new(|_, _, _| controlling()));
    register_char(TTYAUX_MAJOR, 1..=1, Box::new(|_, _, flags| console(flags)));
    register_char(TTYAUX_MAJOR, 2..=2, Box::new(|_, _, _| pty::open_master()));
    for major in SLAVE_MAJORS {
        let base = (major - SLAVE_MAJORS.start()) * 256;
        register_char(major, 0..=255, Box::new(move |_, rdev, flags| pty::open_slave(base + minor(rdev), flags)));
    }
    for n in 0..=6u32 {
        devfs::add(alloc::format!("tty{n}").as_bytes(), CHARACTER | 0o620, makedev(TTY_MAJOR, n));
    }
    if serial::terminal().is_some() {
        devfs::add(b"ttyS0", CHARACTER | 0o660, makedev(TTY_MAJOR, SERIAL_MINOR));
    }
    register_type("devpts", true, |_, _, _| Ok(SuperBlock::new("devpts", Dir::of(Slaves, 1), b"mode=620,ptmxmode=666".to_vec())));
}

/// `/dev/tty0` is the virtual terminal that is shown.
fn numbered(minor: u32) -> u32 {
    if minor == 0 { vt::active() } else { minor }
}

/// `/dev/tty`: the caller's controlling terminal.
fn controlling() -> Result<Arc<dyn FileOps>> {
    let session = task::with_current(|t| t.process.session());
    let tty = session.tty.lock().clone();
    tty.ok_or(ENXIO)?.open_self()
}

/// `/dev/console`: the serial line, or the first virtual terminal. It never becomes a controlling terminal by being opened.
fn console(flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
    let flags = flags | OpenFlags::NOCTTY;
    match serial::terminal() {
        Some(terminal) => terminal.open(flags),
        None => pty::open_virtual(1, flags),
    }
}

/// The directory `/dev/pts`.
struct Slaves;

impl Entries for Slaves {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        if name == b"ptmx" {
            return Ok(Arc::new(Node { rdev: makedev(TTYAUX_MAJOR, 2), mode: 0o666, owner: (0, 0), ino: 2 }));
        }
        let number: u32 = core::str::from_utf8(name).ok().and_then(|n| n.parse().ok()).ok_or(ENOENT)?;
        let (_, owner) = pty::list().into_iter().find(|(n, _)| *n == number).ok_or(ENOENT)?;
        Ok(Arc::new(slave(number, owner)))
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        let mut names: Vec<(Vec<u8>, FileType)> =
            pty::list().into_iter().map(|(n, _)| (alloc::format!("{n}").into_bytes(), FileType::CharDevice)).collect();
        names.push((b"ptmx".to_vec(), FileType::CharDevice));
        names
    }
}

fn slave(number: u32, owner: (u32, u32)) -> Node {
    Node { rdev: makedev(136 + number / 256, number % 256), mode: 0o620, owner, ino: u64::from(number) + 3 }
}

/// The attributes of `/dev/pts/<number>`, for a descriptor of the slave that was opened without that name (`TIOCGPTPEER`):
/// `ttyname(3)` looks for the node with the descriptor's device and inode.
pub(super) fn slave_attr(number: u32) -> Result<Attr> {
    let (_, owner) = pty::list().into_iter().find(|(n, _)| *n == number).ok_or(EIO)?;
    slave(number, owner).attr()
}

/// A node in `/dev/pts`.
struct Node {
    rdev: u64,
    mode: u32,
    owner: (u32, u32),
    ino: u64,
}

impl Inode for Node {
    fn attr(&self) -> Result<Attr> {
        let now = crate::fs::now_ns();
        Ok(Attr {
            dev: DEVPTS_DEV,
            ino: self.ino,
            mode: CHARACTER | self.mode,
            nlink: 1,
            uid: self.owner.0,
            gid: self.owner.1,
            rdev: self.rdev,
            blksize: 1024,
            atime_ns: now,
            mtime_ns: now,
            ctime_ns: now,
            ..Attr::default()
        })
    }

    fn set_attr(&self, _change: &crate::fs::SetAttr) -> Result {
        // grantpt(3) and login(1) change owner and mode; the owner is the opener's already.
        Ok(())
    }

    fn open(self: Arc<Self>, flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        match crate::fs::major(self.rdev) {
            TTYAUX_MAJOR => pty::open_master(),
            major => pty::open_slave((major - 136) * 256 + minor(self.rdev), flags),
        }
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}
