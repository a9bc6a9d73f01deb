//! devtmpfs: one writable tree of device nodes that the kernel fills. Devices that daemons serve appear as aliases of paths in `/scheme`.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::context::FsContext;
use super::device::makedev;
use super::inode::{Inode, InodeRef};
use super::lookup::{Caller, LookupFlags};
use super::mount::SuperBlock;
use super::stat::FileType;
use super::tmpfs::{TmpFs, TmpInode};
use crate::error::*;
use crate::sync::{Once, SpinLock};
use crate::task::Credentials;

const CHAR: u32 = FileType::CharDevice as u32;
const DIR: u32 = FileType::Directory as u32;

struct DevFs {
    sb: Arc<SuperBlock>,
    root: Arc<TmpInode>,
}

/// A rule that makes names appear without an entry of their own.
enum Rule {
    /// Partitions `<disk><n>` of a disk in `/dev` are `<target>/<n>`.
    Partitions { disk: Vec<u8>, target: Vec<u8> },
    /// Every name in this directory is `<target>/<name>`.
    Directory { ino: u64, target: Vec<u8> },
}

static DEVFS: Once<DevFs> = Once::new();
static RULES: SpinLock<Vec<Rule>> = SpinLock::new(Vec::new());

/// Nodes that are always there: path, mode, major, minor.
const NODES: &[(&[u8], u32, u32, u32)] = &[
    (b"null", CHAR | 0o666, 1, 3),
    (b"port", CHAR | 0o640, 1, 4),
    (b"zero", CHAR | 0o666, 1, 5),
    (b"full", CHAR | 0o666, 1, 7),
    (b"random", CHAR | 0o666, 1, 8),
    (b"urandom", CHAR | 0o666, 1, 9),
    (b"kmsg", CHAR | 0o644, 1, 11),
    (b"tty", CHAR | 0o666, 5, 0),
    (b"console", CHAR | 0o600, 5, 1),
    (b"ptmx", CHAR | 0o666, 5, 2),
    (b"pts", DIR | 0o755, 0, 0),
    (b"shm", DIR | 0o1777, 0, 0),
];

const LINKS: &[(&[u8], &[u8])] =
    &[(b"fd", b"/proc/self/fd"), (b"stdin", b"/proc/self/fd/0"), (b"stdout", b"/proc/self/fd/1"), (b"stderr", b"/proc/self/fd/2")];

/// Makes the filesystem with its fixed nodes.
pub(super) fn init() {
    let make = || -> Result<DevFs> {
        let fs = TmpFs::new("devtmpfs", frame::mm::stats().total as u64 / 2, u64::MAX, true);
        let root = fs.make_root(0o755, 0, 0)?;
        Ok(DevFs { sb: SuperBlock::new("devtmpfs", root.clone(), b"mode=755".to_vec()), root })
    };
    match make() {
        Ok(devfs) => {
            // Called once, at boot.
            let _ = DEVFS.set(devfs);
        }
        Err(error) => crate::log::error!("devtmpfs: {error:?}"),
    }
    for (path, mode, major, minor) in NODES {
        add(path, *mode, makedev(*major, *minor));
    }
    for (path, target) in LINKS {
        add_link(path, target);
    }
    add_alias_directory(b"virtio-ports", b"/scheme/vport");
}

/// For `mount(2)`: always the same filesystem.
///
/// # Errors
/// `ENODEV` where it could not be made.
pub fn mount(_source: &[u8], _options: &[u8], _who: &Credentials) -> Result<Arc<SuperBlock>> {
    DEVFS.get().map(|d| d.sb.clone()).ok_or(ENODEV)
}

/// The directory of a path and its last component; directories on the way are made.
fn place(path: &[u8]) -> Result<(Arc<TmpInode>, &[u8])> {
    let mut dir = DEVFS.get().ok_or(ENODEV)?.root.clone();
    let mut parts = path.split(|b| *b == b'/').filter(|p| !p.is_empty()).peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return Ok((dir, part));
        }
        dir = match dir.child(part) {
            Some(child) => child,
            None => dir.add_kernel(part, DIR | 0o755, 0, 0, 0)?,
        };
    }
    Err(EINVAL)
}

fn report(what: &[u8], outcome: Result) {
    match outcome {
        Ok(()) | Err(EEXIST) => {}
        Err(error) => crate::log::warning!("/dev/{}: {error:?}", alloc::string::String::from_utf8_lossy(what)),
    }
}

/// Adds a device node (or directory) at a path below `/dev`; `mode` with type. A node that is there already stays.
pub fn add(path: &[u8], mode: u32, rdev: u64) {
    report(path, place(path).and_then(|(dir, name)| dir.add_kernel(name, mode, rdev, 0, 0)).map(|_| ()));
}

/// Adds a symbolic link.
pub fn add_link(path: &[u8], target: &[u8]) {
    report(path, place(path).and_then(|(dir, name)| dir.add_kernel_link(name, target)));
}

/// Adds a name that stands for what is at the absolute path `target` (in the root of the tree) whenever it is looked up.
pub fn add_alias(path: &[u8], target: &[u8]) {
    report(path, place(path).and_then(|(dir, name)| dir.add_kernel_alias(name, target)));
}

/// Adds a disk: an alias, and with it `<name><n>` for its partitions `<target>/<n>`.
pub fn add_disk(name: &[u8], target: &[u8]) {
    add_alias(name, target);
    let mut rules = RULES.lock();
    rules.retain(|r| !matches!(r, Rule::Partitions { disk, .. } if disk == name));
    rules.push(Rule::Partitions { disk: name.into(), target: target.into() });
}

/// Adds a directory in which every name stands for that name below `target`.
pub fn add_alias_directory(path: &[u8], target: &[u8]) {
    let make = || -> Result {
        let (dir, name) = place(path)?;
        let inode = dir.add_kernel(name, DIR | 0o755, 0, 0, 0)?;
        RULES.lock().push(Rule::Directory { ino: inode.attr()?.ino, target: target.into() });
        Ok(())
    };
    report(path, make());
}

/// Removes what was added, partitions of a disk too.
pub fn remove(path: &[u8]) {
    report(path, place(path).and_then(|(dir, name)| dir.remove_kernel(name)));
    RULES.lock().retain(|r| !matches!(r, Rule::Partitions { disk, .. } if disk == path));
}

/// What an alias stands for now.
///
/// # Errors
/// `ENOENT` where nothing is there (the daemon is gone).
pub(super) fn follow_alias(target: &[u8]) -> Result<InodeRef> {
    let kernel = Caller { creds: Arc::new(Credentials::default()), fs: FsContext::detached() };
    kernel.resolve(None, target, LookupFlags::FOLLOW).map(|path| path.inode().clone()).map_err(|_| ENOENT)
}

/// A name that has no entry: perhaps a rule makes it.
pub(super) fn dynamic_lookup(dir: &TmpInode, name: &[u8]) -> Result<InodeRef> {
    let ino = dir.attr()?.ino;
    let is_root = DEVFS.get().is_some_and(|d| core::ptr::eq(&*d.root, dir));
    let path = RULES.lock().iter().find_map(|rule| match rule {
        Rule::Partitions { disk, target } if is_root => {
            let number = name.strip_prefix(&disk[..])?;
            let valid = !number.is_empty() && number[0] != b'0' && number.iter().all(u8::is_ascii_digit);
            valid.then(|| [target, &b"/"[..], number].concat())
        }
        Rule::Directory { ino: of, target } if *of == ino => Some([target, &b"/"[..], name].concat()),
        _ => None,
    });
    follow_alias(&path.ok_or(ENOENT)?)
}
