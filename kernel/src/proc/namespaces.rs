//! `/proc/<pid>/ns` (`namespaces(7)`): mounts and names have namespaces; of the other kinds there is one, in which all processes are.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;

use super::node::Link;
use crate::error::*;
use crate::fs::mount;
use crate::fs::{Attr, OpenFile, Dentry, FileOps, FileType, Inode, InodeRef, OpenFlags, Path};
use crate::scheme::pseudo::Entries;
use crate::syscall::remote::may_look;
use crate::task::uts::UtsNamespace;
use crate::task::{self, Process};

/// Name of the link, kind, and inode number, which is that of the first namespace of the kind on Linux (`include/linux/proc_ns.h`).
const ALL: [(&str, &str, u64); 10] = [
    ("cgroup", "cgroup", 0xeffffffb),
    ("ipc", "ipc", 0xefffffff),
    ("mnt", "mnt", 0xf0000000),
    ("net", "net", 0xf0000098),
    ("pid", "pid", 0xeffffffc),
    ("pid_for_children", "pid", 0xeffffffc),
    ("time", "time", 0xeffffffa),
    ("time_for_children", "time", 0xeffffffa),
    ("user", "user", 0xeffffffd),
    ("uts", "uts", 0xeffffffe),
];

/// Bit of `CLONE_NEW...` of a kind; 0 for that of users, which is left and entered by none who are in it.
fn flag(kind: &str) -> u64 {
    match kind {
        "cgroup" => 0x200_0000,
        "ipc" => 0x800_0000,
        "mnt" => 0x2_0000,
        "net" => 0x4000_0000,
        "pid" => 0x2000_0000,
        "time" => 0x80,
        "uts" => 0x400_0000,
        _ => 0,
    }
}

/// setns(2) with the descriptor of a namespace. `kind` is a bit of `CLONE_NEW...`, or 0 for whichever it is.
///
/// # Errors
/// `EINVAL` for what is no namespace, or one of another kind, or the caller's user namespace, and for mounts where the working directory is shared; `EPERM`.
pub fn join(file: &OpenFile, kind: u64, who: &crate::task::Thread) -> Result {
    let namespace = file.ops.as_any().downcast_ref::<Namespace>().ok_or(EINVAL)?;
    let own = flag(namespace.kind);
    if own == 0 || kind != 0 && kind != own {
        return Err(EINVAL);
    }
    if !who.has(task::Capability::SYS_ADMIN) {
        return Err(EPERM);
    }
    namespace.which.enter(&who.process)
}

/// setns(2) with the descriptor of a process: joins those of its namespaces that `kinds` names.
///
/// # Errors
/// `ESRCH` for one that has ended; as [`join`].
pub fn join_those_of(target: &Process, kinds: u64, who: &crate::task::Thread) -> Result {
    if !who.has(task::Capability::SYS_ADMIN) {
        return Err(EPERM);
    }
    if target.is_zombie() {
        return Err(ESRCH);
    }
    for kind in ["uts", "mnt"].into_iter().filter(|kind| kinds & flag(kind) != 0) {
        Which::of(target, kind).enter(&who.process)?;
    }
    Ok(())
}

/// A namespace, where there are several of its kind.
#[derive(Clone)]
enum Which {
    Only,
    Mounts(Arc<mount::Namespace>),
    Names(Arc<UtsNamespace>),
}

impl Which {
    fn of(process: &Process, kind: &str) -> Self {
        match kind {
            "mnt" => Self::Mounts(process.fs().namespace()),
            "uts" => Self::Names(process.uts()),
            _ => Self::Only,
        }
    }

    fn enter(&self, process: &Process) -> Result {
        match self {
            Self::Only => {}
            Self::Names(names) => process.set_uts(names.clone()),
            Self::Mounts(mounts) => {
                let fs = process.fs();
                // The table's reference and ours.
                if process.threads().len() > 1 || Arc::strong_count(&fs) > 2 {
                    return Err(EINVAL);
                }
                fs.join(mounts);
            }
        }
        Ok(())
    }
}

/// `uid_map` and its like: all numbers, as they are.
pub fn id_map() -> Vec<u8> {
    format!("{:10} {:10} {:10}\n", 0, 0, u32::MAX).into_bytes()
}

/// The directory of a process.
pub struct Links(pub Arc<Process>);

impl Entries for Links {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        let (_, kind, ino) = *ALL.iter().find(|(link, ..)| link.as_bytes() == name).ok_or(ENOENT)?;
        let (shown, followed) = (self.0.clone(), self.0.clone());
        let check = |process: &Process| if task::with_current(|thread| may_look(thread, process)) { Ok(()) } else { Err(EACCES) };
        let which = Which::of(&self.0, kind);
        let ino = match &which {
            Which::Only => ino,
            Which::Mounts(mounts) => mounts.ino,
            Which::Names(names) => names.ino,
        };
        let namespace = Namespace { kind, ino, which };
        let again = namespace.clone();
        Ok(Link::magic(
            super::process::owner(&self.0),
            move || {
                check(&shown)?;
                Ok(FileOps::describe(&again).into_bytes())
            },
            move || {
                check(&followed)?;
                Ok(Path::detached(Dentry::root(Arc::new(namespace.clone()))))
            },
        ))
    }

    fn list(&self) -> Vec<(Vec<u8>, FileType)> {
        ALL.iter().map(|(name, ..)| (name.as_bytes().to_vec(), FileType::Symlink)).collect()
    }
}

/// A namespace as a file.
#[derive(Clone)]
struct Namespace {
    kind: &'static str,
    ino: u64,
    which: Which,
}

impl Namespace {
    fn attributes(&self) -> Attr {
        Attr { dev: 4, ino: self.ino, mode: FileType::Regular as u32 | 0o444, nlink: 1, blksize: 4096, ..Attr::default() }
    }
}

impl Inode for Namespace {
    fn attr(&self) -> Result<Attr> {
        Ok(self.attributes())
    }

    fn open(self: Arc<Self>, flags: OpenFlags) -> Result<Arc<dyn FileOps>> {
        if flags.writable() { Err(EACCES) } else { Ok(self) }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl FileOps for Namespace {
    fn attr(&self) -> Result<Attr> {
        Ok(self.attributes())
    }

    fn describe(&self) -> String {
        format!("{}:[{}]", self.kind, self.ino)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
