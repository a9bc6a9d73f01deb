//! What is in the tree from the start: the directories, the CPUs, the devices that the kernel serves.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::device::{self, Device, Node, Subsystem};
use super::tree::{self, Entry};
use crate::error::Result;
use crate::fs::FileType;
use crate::proc::sysfs;

/// Directories that programs expect.
const DIRECTORIES: [&str; 12] =
    ["block", "bus", "class/tty", "class/block", "class/mem", "class/misc", "dev/block", "dev/char", "devices/virtual", "fs", "module", "power"];

/// The kernel's character devices: class, numbers, name.
const CHARACTER: [(&str, u32, u32, &str); 11] = [
    ("mem", 1, 3, "null"),
    ("mem", 1, 4, "port"),
    ("mem", 1, 5, "zero"),
    ("mem", 1, 7, "full"),
    ("mem", 1, 8, "random"),
    ("mem", 1, 9, "urandom"),
    ("mem", 1, 11, "kmsg"),
    ("tty", 5, 0, "tty"),
    ("tty", 5, 1, "console"),
    ("tty", 5, 2, "ptmx"),
    ("tty", 4, 64, "ttyS0"),
];
/// Virtual terminals: as many as `/dev` has.
const TERMINALS: u32 = 64;

/// Fills the tree.
pub fn init() {
    if let Err(error) = fill() {
        crate::log::error!("/sys: {error:?}");
    }
}

fn fill() -> Result {
    let root = tree::root();
    for path in DIRECTORIES {
        root.make_path(path.as_bytes())?;
    }
    root.put(b"firmware", Entry::Other(FileType::Directory, sysfs::firmware));
    root.make_path(b"devices")?.put(b"system", Entry::Other(FileType::Directory, sysfs::system));
    let kernel = root.make_path(b"kernel")?;
    kernel.make(b"mm")?;
    kernel.put_file(b"uevent_seqnum", 0o444, Box::new(|| Ok(format!("{}\n", device::sequence()).into_bytes())), None)?;
    for (class, major, minor, name) in CHARACTER {
        character(class, (major, minor), name)?;
    }
    for number in 0..TERMINALS {
        character("tty", (4, number), &format!("tty{number}"))?;
    }
    Ok(())
}

/// A character device that the kernel serves.
fn character(class: &str, number: (u32, u32), name: &str) -> Result {
    device::add(Device {
        path: format!("devices/virtual/{class}/{name}").into_bytes(),
        subsystem: Some(Subsystem::Class(class.into())),
        node: Some(Node { is_block: false, number, name: name.into(), target: Vec::new() }),
        ..Device::default()
    })
}
