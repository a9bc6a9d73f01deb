//! IPC namespaces (`ipc_namespaces(7)`): objects of System V IPC and POSIX message queues, with their limits.

use alloc::sync::Arc;

use super::limits::Limits;
use super::{mqueue, sysv};
use crate::sync::Once;
use crate::task::ns_count::Counted;
use crate::task::user_ns::UserNamespace;
use crate::task::{self, uts};

/// An IPC namespace. Its objects go with it.
pub struct IpcNamespace {
    /// Its number in `/proc/<pid>/ns`.
    pub ino: u64,
    /// Whose it is.
    pub user: Arc<UserNamespace>,
    /// What there may be of all that.
    pub limits: Limits,
    /// Segments of shared memory.
    pub(super) shm: sysv::shm::Segments,
    /// Sets of semaphores.
    pub(super) sem: sysv::sem::Sets,
    /// Message queues of System V.
    pub(super) msg: sysv::msg::Queues,
    /// POSIX message queues.
    pub(super) mqueue: mqueue::names::Names,
    /// Its place among its user's; the first has none.
    _count: Option<Counted>,
}

/// The number that Linux gives to the first.
const FIRST: u64 = 0xefffffff;

impl IpcNamespace {
    fn build(ino: u64, user: Arc<UserNamespace>, count: Option<Counted>) -> Arc<Self> {
        Arc::new(Self { ino, user, limits: Limits::default(), shm: Default::default(), sem: Default::default(), msg: Default::default(), mqueue: Default::default(), _count: count })
    }

    /// That of the first process.
    pub fn first() -> Arc<Self> {
        static FIRST_ONE: Once<Arc<IpcNamespace>> = Once::new();
        FIRST_ONE.get_or_init(|| Self::build(FIRST, UserNamespace::first(), None)).clone()
    }

    /// An empty one.
    pub fn new(user: &Arc<UserNamespace>, count: Counted) -> Arc<Self> {
        Self::build(uts::next_ino(), user.clone(), Some(count))
    }
}

/// The executing thread's.
pub fn here() -> Arc<IpcNamespace> {
    task::with_current(|thread| thread.namespaces()).ipc.clone()
}
