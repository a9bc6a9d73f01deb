//! `/proc/<pid>/ns` and its files (`namespaces(7)`), by which namespaces are entered and asked about. Of times there is one namespace.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;

use super::node::Link;
use crate::error::*;
use crate::fs::mount;
use crate::fs::{Attr, Dentry, FdFlags, FileOps, FileType, FsContext, Inode, InodeRef, OpenFile, OpenFlags, Path};
use crate::ipc::namespace::IpcNamespace;
use crate::ipc::network::NetNamespace;
use crate::scheme::pseudo::Entries;
use crate::syscall::remote::may_look;
use crate::task::namespaces::{CgroupNamespace, Namespaces};
use crate::task::pid_ns::PidNamespace;
use crate::task::user_ns::{self, UserNamespace};
use crate::task::uts::UtsNamespace;
use crate::task::{self, Capability, Process, Thread};

/// The links.
const ALL: [&str; 10] = ["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user", "uts"];

/// A namespace.
#[derive(Clone)]
enum Which {
    Users(Arc<UserNamespace>),
    Mounts(Arc<mount::Namespace>),
    Names(Arc<UtsNamespace>),
    Cgroups(Arc<CgroupNamespace>),
    Pids(Arc<PidNamespace>),
    Ipc(Arc<IpcNamespace>),
    Net(Arc<NetNamespace>),
    /// The only one of its kind: its name, bit and number, which is that of the first one on Linux (`include/linux/proc_ns.h`).
    Only(&'static str, u64, u64),
}

impl Which {
    /// That which a link of a process leads to.
    fn of(process: &Process, link: &str) -> Option<Self> {
        let all = process.namespaces();
        Some(match link {
            "user" => Self::Users(process.creds().user.clone()),
            "mnt" => Self::Mounts(process.fs().namespace()),
            "uts" => Self::Names(all.uts.clone()),
            "cgroup" => Self::Cgroups(all.cgroup.clone()),
            "ipc" => Self::Ipc(all.ipc.clone()),
            "net" => Self::Net(all.net.clone()),
            "pid" => Self::Pids(process.pid_ns.clone()),
            "pid_for_children" if all.pid_for_children.is_empty() => return None,
            "pid_for_children" => Self::Pids(all.pid_for_children.clone()),
            "time" | "time_for_children" => Self::Only("time", 0x80, 0xeffffffa),
            _ => return None,
        })
    }

    /// Its kind's name.
    fn kind(&self) -> &'static str {
        match self {
            Self::Users(_) => "user",
            Self::Mounts(_) => "mnt",
            Self::Names(_) => "uts",
            Self::Cgroups(_) => "cgroup",
            Self::Pids(_) => "pid",
            Self::Ipc(_) => "ipc",
            Self::Net(_) => "net",
            Self::Only(kind, ..) => kind,
        }
    }

    /// Its kind's bit of `CLONE_NEW...`.
    fn flag(&self) -> u64 {
        match self {
            Self::Users(_) => 0x1000_0000,
            Self::Mounts(_) => 0x2_0000,
            Self::Names(_) => 0x400_0000,
            Self::Cgroups(_) => 0x200_0000,
            Self::Pids(_) => 0x2000_0000,
            Self::Ipc(_) => 0x800_0000,
            Self::Net(_) => 0x4000_0000,
            Self::Only(_, flag, _) => *flag,
        }
    }

    fn ino(&self) -> u64 {
        match self {
            Self::Users(it) => it.ino,
            Self::Mounts(it) => it.ino,
            Self::Names(it) => it.ino,
            Self::Cgroups(it) => it.ino,
            Self::Pids(it) => it.ino,
            Self::Ipc(it) => it.ino,
            Self::Net(it) => it.ino,
            Self::Only(.., ino) => *ino,
        }
    }

    /// The user namespace that it belongs to; the parent of one of users, which the first has not.
    fn owner(&self) -> Option<Arc<UserNamespace>> {
        match self {
            Self::Users(it) => it.parent.clone(),
            Self::Mounts(it) => Some(it.user.clone()),
            Self::Names(it) => Some(it.user.clone()),
            Self::Cgroups(it) => Some(it.user.clone()),
            Self::Pids(it) => Some(it.user.clone()),
            Self::Ipc(it) => Some(it.user.clone()),
            Self::Net(it) => Some(it.user.clone()),
            Self::Only(..) => Some(UserNamespace::first()),
        }
    }
}

/// Which namespaces a thread is to have; nothing changes before [`Entering::done`].
struct Entering<'a> {
    who: &'a Thread,
    user: Option<Arc<UserNamespace>>,
    namespaces: Namespaces,
    mounts: Option<Arc<mount::Namespace>>,
}

impl<'a> Entering<'a> {
    fn new(who: &'a Thread) -> Self {
        Self { who, user: None, namespaces: (*who.namespaces()).clone(), mounts: None }
    }

    /// Its working directory and root are nobody else's.
    fn has_own_places(&self) -> bool {
        let fs: Arc<FsContext> = self.who.process.fs();
        // The process's reference and ours.
        self.who.process.threads().len() == 1 && Arc::strong_count(&fs) <= 2
    }

    /// Takes one in. What follows one of users is asked of who is in it.
    fn add(&mut self, which: &Which) -> Result {
        let mut creds = self.who.creds();
        if let Some(user) = &self.user {
            creds = Arc::new(task::Credentials { user: user.clone(), caps: capabilities::State::FULL, ..(*creds).clone() });
        }
        if let Which::Users(user) = which {
            if Arc::ptr_eq(user, &creds.user) || !self.has_own_places() {
                return Err(EINVAL);
            }
            if !creds.has_in(Capability::SYS_ADMIN, user) {
                return Err(EPERM);
            }
            self.user = Some(user.clone());
            return Ok(());
        }
        let is_admin = which.owner().is_some_and(|owner| creds.has_in(Capability::SYS_ADMIN, &owner)) && creds.has_own(Capability::SYS_ADMIN);
        if !is_admin {
            return Err(EPERM);
        }
        match which {
            Which::Users(_) | Which::Only(..) => {}
            Which::Names(it) => self.namespaces.uts = it.clone(),
            Which::Cgroups(it) => self.namespaces.cgroup = it.clone(),
            Which::Ipc(it) => self.namespaces.ipc = it.clone(),
            Which::Net(it) => self.namespaces.net = it.clone(),
            // Only downwards: a process never leaves the namespace that it was made in.
            Which::Pids(it) if !self.who.process.pid_ns.is_above(it) => return Err(EINVAL),
            Which::Pids(it) => self.namespaces.pid_for_children = it.clone(),
            Which::Mounts(it) => {
                if !creds.has_own(Capability::SYS_CHROOT) {
                    return Err(EPERM);
                }
                if !self.has_own_places() {
                    return Err(EINVAL);
                }
                self.mounts = Some(it.clone());
            }
        }
        Ok(())
    }

    fn done(self) -> Result {
        if let Some(user) = &self.user {
            self.who.enter_user(user)?;
        }
        if let Some(mounts) = &self.mounts {
            self.who.process.fs().join(mounts);
        }
        self.who.set_namespaces(Arc::new(self.namespaces));
        Ok(())
    }
}

/// setns(2) with the descriptor of a namespace. `kind` is a bit of `CLONE_NEW...`, or 0 for whichever it is.
///
/// # Errors
/// `EINVAL` for what is no namespace, or one of another kind, or the caller's user namespace, and for mounts and users where the working directory is
/// shared; `EPERM`.
pub fn join(file: &OpenFile, kind: u64, who: &Thread) -> Result {
    let namespace = file.ops.as_any().downcast_ref::<Namespace>().ok_or(EINVAL)?;
    if kind != 0 && kind != namespace.0.flag() {
        return Err(EINVAL);
    }
    let mut entering = Entering::new(who);
    entering.add(&namespace.0)?;
    entering.done()
}

/// setns(2) with the descriptor of a process: joins those of its namespaces that `kinds` names.
///
/// # Errors
/// `ESRCH` for one that has ended; `EPERM` for one that the caller may not look into; as [`join`].
pub fn join_those_of(target: &Process, kinds: u64, who: &Thread) -> Result {
    if target.is_zombie() {
        return Err(ESRCH);
    }
    if !may_look(who, target) {
        return Err(EPERM);
    }
    let mut entering = Entering::new(who);
    for link in ["user", "mnt", "uts", "ipc", "pid", "cgroup", "net", "time"] {
        if let Some(which) = Which::of(target, link).filter(|which| kinds & which.flag() != 0) {
            entering.add(&which)?;
        }
    }
    entering.done()
}

/// The directory of a process.
pub struct Links(pub Arc<Process>);

impl Entries for Links {
    fn find(&self, name: &[u8]) -> Result<InodeRef> {
        let (shown, followed) = (self.0.clone(), self.0.clone());
        let check = |process: &Process| if task::with_current(|thread| may_look(thread, process)) { Ok(()) } else { Err(EACCES) };
        let link = core::str::from_utf8(name).map_err(|_| ENOENT)?;
        let namespace = Namespace(Which::of(&self.0, link).ok_or(ENOENT)?);
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
        ALL.iter().map(|name| (name.as_bytes().to_vec(), FileType::Symlink)).collect()
    }
}

/// A namespace as a file.
#[derive(Clone)]
struct Namespace(Which);

/// `NS_GET_USERNS`, `NS_GET_PARENT`, `NS_GET_NSTYPE`, `NS_GET_OWNER_UID` of `ioctl_ns(2)`.
const GET_USER: u32 = 0xb701;
const GET_PARENT: u32 = 0xb702;
const GET_KIND: u32 = 0xb703;
const GET_OWNER: u32 = 0xb704;

/// Opens a descriptor for a namespace.
fn open(which: Which) -> Result<usize> {
    let file = OpenFile::new(Arc::new(Namespace(which)), OpenFlags::empty());
    task::with_current(|thread| thread.process.files().insert(file, FdFlags::CLOEXEC)).map(|fd| fd as usize)
}

impl Namespace {
    fn attributes(&self) -> Attr {
        Attr { dev: 4, ino: self.0.ino(), mode: FileType::Regular as u32 | 0o444, nlink: 1, blksize: 4096, ..Attr::default() }
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

    fn ioctl(&self, _file: &OpenFile, cmd: u32, arg: usize) -> Result<usize> {
        let mine = user_ns::current();
        // What lies outside the caller's own is not shown.
        let owner = || self.0.owner().filter(|owner| mine.is_above(owner)).ok_or(EPERM);
        match (cmd, &self.0) {
            (GET_USER, _) | (GET_PARENT, Which::Users(_)) => open(Which::Users(owner()?)),
            (GET_PARENT, Which::Pids(pids)) => {
                let mine = task::pid_ns::current();
                open(Which::Pids(pids.parent.clone().filter(|parent| mine.is_above(parent)).ok_or(EPERM)?))
            }
            (GET_PARENT, _) => Err(EINVAL),
            (GET_KIND, which) => Ok(which.flag() as usize),
            (GET_OWNER, Which::Users(user)) => crate::user::write(arg, &mine.uid_out(user.owner)).map(|()| 0),
            (GET_OWNER, _) => Err(EINVAL),
            _ => Err(ENOTTY),
        }
    }

    fn describe(&self) -> String {
        format!("{}:[{}]", self.0.kind(), self.0.ino())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
