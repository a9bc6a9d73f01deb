//! Which namespaces a thread is in (`namespaces(7)`), but for those of mounts, which come with root and working directory, and of users, which come
//! with the credentials.

use alloc::sync::Arc;

use capabilities::Capability;

use super::lifecycle::CloneFlags;
use super::ns_count::{self, Counted, Kind};
use super::pid_ns::PidNamespace;
use super::user_ns::UserNamespace;
use super::uts::{self, UtsNamespace};
use super::{Credentials, Thread};
use crate::error::*;
use crate::ipc::namespace::IpcNamespace;
use crate::ipc::network::NetNamespace;
use crate::sync::Once;

/// A namespace of control groups. There are no groups but the root, so that it hides nothing.
pub struct CgroupNamespace {
    /// Its number in `/proc/<pid>/ns`.
    pub ino: u64,
    /// Whose it is.
    pub user: Arc<UserNamespace>,
    /// Its place among its user's; the first has none.
    _count: Option<Counted>,
}

/// One of each kind.
#[derive(Clone)]
pub struct Namespaces {
    /// Names of the machine.
    pub uts: Arc<UtsNamespace>,
    #[allow(missing_docs)]
    pub cgroup: Arc<CgroupNamespace>,
    /// Objects of System V IPC and message queues.
    pub ipc: Arc<IpcNamespace>,
    /// Interfaces and sockets.
    pub net: Arc<NetNamespace>,
    /// Where its children will be; it is itself where it was made.
    pub pid_for_children: Arc<PidNamespace>,
}

/// The number that Linux gives to the first namespace of control groups.
const FIRST_CGROUP: u64 = 0xeffffffb;

impl Namespaces {
    /// Those of the first process.
    pub fn first() -> Arc<Self> {
        static FIRST: Once<Arc<Namespaces>> = Once::new();
        let make = || {
            let cgroup = Arc::new(CgroupNamespace { ino: FIRST_CGROUP, user: UserNamespace::first(), _count: None });
            Arc::new(Self { uts: UtsNamespace::first(), cgroup, ipc: IpcNamespace::first(), net: NetNamespace::first(), pid_for_children: PidNamespace::first() })
        };
        FIRST.get_or_init(make).clone()
    }

    /// These with new ones of the kinds that `flags` names, for who has these credentials and is in the PID namespace `own`.
    ///
    /// # Errors
    /// `EPERM` without CAP_SYS_ADMIN, `EINVAL` for a PID namespace where the children are to be in another than `own` already; `ENOSPC` where
    /// there are too many of the user's; as [`PidNamespace::below`].
    pub fn with_new(self: Arc<Self>, flags: CloneFlags, creds: &Credentials, own: &Arc<PidNamespace>) -> Result<Arc<Self>> {
        if !flags.intersects(CloneFlags::NAMESPACES) {
            return Ok(self);
        }
        if !creds.has_own(Capability::SYS_ADMIN) {
            return Err(EPERM);
        }
        let mut new = (*self).clone();
        let user = &creds.user;
        let count = |kind| ns_count::take(kind, creds);
        if flags.contains(CloneFlags::NEWUTS) {
            new.uts = self.uts.copied(user, count(Kind::Uts)?);
        }
        if flags.contains(CloneFlags::NEWCGROUP) {
            new.cgroup = Arc::new(CgroupNamespace { ino: uts::next_ino(), user: user.clone(), _count: Some(count(Kind::Cgroup)?) });
        }
        if flags.contains(CloneFlags::NEWIPC) {
            new.ipc = IpcNamespace::new(user, count(Kind::Ipc)?);
        }
        if flags.contains(CloneFlags::NEWNET) {
            new.net = NetNamespace::new(user, count(Kind::Net)?);
        }
        if flags.contains(CloneFlags::NEWPID) {
            if !Arc::ptr_eq(&self.pid_for_children, own) {
                return Err(EINVAL);
            }
            new.pid_for_children = own.below(user, count(Kind::Pid)?)?;
        }
        Ok(Arc::new(new))
    }
}

impl Thread {
    /// Which it is in.
    pub fn namespaces(&self) -> Arc<Namespaces> {
        self.namespaces.lock().clone()
    }

    /// Goes over to others. The first thread's are what others see of the process.
    pub fn set_namespaces(&self, namespaces: Arc<Namespaces>) {
        if !Arc::ptr_eq(&namespaces.ipc, &self.namespaces().ipc) {
            // What it would take back at its end it takes back where it did it.
            crate::ipc::sysv::sem::process_exit(self.process.pid);
        }
        if self.tid() == self.process.pid {
            self.process.show_namespaces(namespaces.clone());
        }
        let old = core::mem::replace(&mut *self.namespaces.lock(), namespaces);
        drop(old);
    }
}
