//! The names of queues, and the filesystem `mqueue`, whose only directory they are in.

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::any::Any;
use core::sync::atomic::Ordering;

use super::{Queue, QueueFile};
use crate::error::*;
use crate::fs::generic::{DirFile, ListDir};
use crate::fs::lookup::{MAY_READ, MAY_WRITE, NAME_MAX};
use crate::fs::mount::SuperBlock;
use crate::fs::{self, Attr, Caller, DirSink, FdFlags, FileOps, FileType, Inode, InodeRef, OpenFile, OpenFlags, StatFs};
use crate::ipc::namespace::{IpcNamespace, here};
use crate::sync::{Once, SpinLock};
use crate::task::{self, Capability, Credentials, Process};

/// The queues of an IPC namespace.
#[derive(Default)]
pub struct Names {
    queues: SpinLock<BTreeMap<Vec<u8>, Arc<Queue>>>,
    root: Once<Arc<SuperBlock>>,
}

static DEVICE: Once<u64> = Once::new();

/// The filesystem's device number.
pub fn device() -> u64 {
    *DEVICE.get_or_init(fs::anonymous_dev)
}

pub(super) fn statfs() -> StatFs {
    StatFs { magic: 0x1980_0202, block_size: 4096, name_max: NAME_MAX as u64, ..StatFs::default() }
}

/// Makes `mqueue` known to `mount(2)`: every mount in an IPC namespace shows the same.
pub fn init() {
    fs::mount::register_type("mqueue", true, |_, _, _| {
        let here = here();
        let directory = Directory(Arc::downgrade(&here));
        Ok(here.mqueue.root.get_or_init(|| SuperBlock::new("mqueue", Arc::new(directory), Vec::new())).clone())
    });
}

fn check_name(name: &[u8]) -> Result {
    if name.is_empty() || name == b"." || name == b".." || name.contains(&b'/') {
        return Err(EACCES);
    }
    if name.len() > NAME_MAX { Err(ENAMETOOLONG) } else { Ok(()) }
}

fn make(namespace: &IpcNamespace, name: &[u8], mode: u32, size: Option<(i64, i64)>) -> Result<Arc<Queue>> {
    let full = |count: usize| count >= namespace.limits.queues_max.load(Ordering::Relaxed) && !task::capable(Capability::SYS_RESOURCE);
    if full(namespace.mqueue.queues.lock().len()) {
        return Err(ENOSPC);
    }
    let queue = Queue::new(name, mode, size)?;
    let mut queues = namespace.mqueue.queues.lock();
    if full(queues.len()) {
        return Err(ENOSPC);
    }
    if queues.contains_key(name) {
        return Err(EEXIST);
    }
    queues.insert(name.into(), queue.clone());
    Ok(queue)
}

/// `mq_open(2)`: a descriptor. `size`: most messages, and longest message, of a new queue.
///
/// # Errors
/// As there.
pub fn open(process: &Process, name: &[u8], flags: OpenFlags, mode: u32, size: Option<(i64, i64)>) -> Result<i32> {
    check_name(name)?;
    // A queue that nobody gets a descriptor of is not made.
    process.files().check_room()?;
    let namespace = here();
    let found = namespace.mqueue.queues.lock().get(name).cloned();
    let queue = match found {
        None if !flags.contains(OpenFlags::CREAT) => return Err(ENOENT),
        None => make(&namespace, name, mode & !process.fs().umask(), size)?,
        Some(_) if flags.contains(OpenFlags::CREAT | OpenFlags::EXCL) => return Err(EEXIST),
        Some(queue) => {
            let want = match flags.bits() & 3 {
                0 => MAY_READ,
                1 => MAY_WRITE,
                2 => MAY_READ | MAY_WRITE,
                _ => return Err(EINVAL),
            };
            let inode: InodeRef = queue.clone();
            Caller::of(process).check(&inode, want)?;
            queue
        }
    };
    let kept = OpenFlags::from_bits_retain(flags.bits() & 3) | flags & OpenFlags::NONBLOCK;
    process.files().insert(OpenFile::new(Arc::new(QueueFile(queue)), kept), FdFlags::CLOEXEC)
}

/// `mq_unlink(2)`. Who has the queue open keeps it.
///
/// # Errors
/// As there.
pub fn unlink(name: &[u8]) -> Result {
    check_name(name)?;
    let creds = task::with_current(|t| t.creds());
    let namespace = here();
    let owner = namespace.mqueue.queues.lock().get(name).map(|queue| queue.meta.lock().uid).ok_or(ENOENT)?;
    // The directory is everybody's, and sticky.
    if creds.fsuid != 0 && !creds.owns(owner) {
        return Err(EPERM);
    }
    take(&namespace, name)
}

fn take(namespace: &IpcNamespace, name: &[u8]) -> Result {
    let gone = namespace.mqueue.queues.lock().remove(name).ok_or(ENOENT)?;
    gone.meta.lock().names = 0;
    Ok(())
}

/// The directory of all queues of a namespace. It keeps none alive.
struct Directory(Weak<IpcNamespace>);

impl Directory {
    fn namespace(&self) -> Result<Arc<IpcNamespace>> {
        self.0.upgrade().ok_or(ENOENT)
    }
}

impl Inode for Directory {
    fn attr(&self) -> Result<Attr> {
        Ok(Attr { dev: device(), ino: 1, mode: FileType::Directory as u32 | 0o1777, nlink: 2, size: 40, blksize: 4096, ..Attr::default() })
    }

    fn lookup(&self, name: &[u8]) -> Result<InodeRef> {
        self.namespace()?.mqueue.queues.lock().get(name).map(|queue| queue.clone() as InodeRef).ok_or(ENOENT)
    }

    fn create(&self, name: &[u8], mode: u32, _rdev: u64, _who: &Credentials) -> Result<InodeRef> {
        if FileType::from_mode(mode) != Some(FileType::Regular) {
            return Err(EPERM);
        }
        let namespace = self.namespace()?;
        Ok(make(&namespace, name, mode, None)?)
    }

    fn unlink(&self, name: &[u8]) -> Result {
        let namespace = self.namespace()?;
        take(&namespace, name)
    }

    fn open(self: Arc<Self>, _flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        Ok(Arc::new(DirFile(self)))
    }

    fn statfs(&self) -> Result<StatFs> {
        Ok(statfs())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl ListDir for Directory {
    fn list(&self, pos: u64, sink: &mut DirSink<'_>) -> Result {
        // By inode number, which is the cookie, too: names come and go meanwhile.
        let Ok(namespace) = self.namespace() else { return Ok(()) };
        let mut all: Vec<(u64, Vec<u8>)> = namespace.mqueue.queues.lock().values().filter(|queue| queue.ino > pos).map(|queue| (queue.ino, queue.name.clone())).collect();
        all.sort_unstable();
        for (ino, name) in all {
            if !sink(ino, ino, Some(FileType::Regular), &name) {
                break;
            }
        }
        Ok(())
    }
}
