//! How many namespaces a user may have (`namespaces(7)`, The `/proc/sys/user` directory), so that nobody fills the kernel's memory with them.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::Credentials;
use super::user_ns::UserNamespace;
use crate::error::*;
use crate::sync::SpinLock;

/// Kinds of namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Kind {
    Cgroup,
    Ipc,
    Mount,
    Net,
    Pid,
    User,
    Uts,
}

/// Most of each kind of one user: half of the most threads, as on Linux.
pub static LIMITS: [AtomicUsize; 7] = [const { AtomicUsize::new(super::process::MAX_THREADS / 2) }; 7];

static COUNTS: SpinLock<BTreeMap<(Kind, u32), usize>> = SpinLock::new(BTreeMap::new());

/// A namespace that counts among its user's.
pub struct Counted {
    kind: Kind,
    uid: u32,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = COUNTS.lock();
        if let Some(count) = counts.get_mut(&(self.kind, self.uid)) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&(self.kind, self.uid));
            }
        }
    }
}

/// Whose namespaces those that a thread makes are: its user's, or that user's who made the outermost namespace that it is in.
fn payer(creds: &Credentials) -> u32 {
    let mut uid = creds.euid;
    let mut at: &Arc<UserNamespace> = &creds.user;
    while let Some(parent) = &at.parent {
        uid = at.owner;
        at = parent;
    }
    uid
}

/// Counts another one.
///
/// # Errors
/// `ENOSPC` where there are as many as there may be.
pub fn take(kind: Kind, creds: &Credentials) -> Result<Counted> {
    let uid = payer(creds);
    let mut counts = COUNTS.lock();
    let count = counts.get(&(kind, uid)).copied().unwrap_or(0);
    if count >= LIMITS[kind as usize].load(Ordering::Relaxed) {
        return Err(ENOSPC);
    }
    counts.insert((kind, uid), count + 1);
    Ok(Counted { kind, uid })
}
