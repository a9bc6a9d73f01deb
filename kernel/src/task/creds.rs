//! Who a thread is (`credentials(7)`), and what it may do (`capabilities(7)`).

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Thread;
use super::user_ns::UserNamespace;
use crate::fs::landlock::Domain;
pub use capabilities::Capability;
use capabilities::{Ids, State};

/// User and group ids, as the kernel knows them (`task/user_ns.rs`), and capabilities of a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    #[allow(missing_docs)]
    pub uid: u32,
    #[allow(missing_docs)]
    pub euid: u32,
    #[allow(missing_docs)]
    pub suid: u32,
    /// The id that file permissions are checked with; follows `euid`.
    pub fsuid: u32,
    #[allow(missing_docs)]
    pub gid: u32,
    #[allow(missing_docs)]
    pub egid: u32,
    #[allow(missing_docs)]
    pub sgid: u32,
    /// As `fsuid`.
    pub fsgid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// The sets of capabilities.
    pub caps: State,
    /// The namespace in which its capabilities count and whose ids it knows.
    pub user: Arc<UserNamespace>,
    /// What Landlock keeps it from.
    pub domain: Option<Arc<Domain>>,
}

impl Default for Credentials {
    /// The kernel's, and the first process's: user 0 with everything.
    fn default() -> Self {
        Self { uid: 0, euid: 0, suid: 0, fsuid: 0, gid: 0, egid: 0, sgid: 0, fsgid: 0, groups: Vec::new(), caps: State::FULL, user: UserNamespace::first(), domain: None }
    }
}

impl Credentials {
    /// Whether this capability is in effect for the whole machine: in the first user namespace.
    pub fn has(&self, capability: Capability) -> bool {
        self.has_own(capability) && self.user.parent.is_none()
    }

    /// Whether this capability is in effect in its own user namespace.
    pub fn has_own(&self, capability: Capability) -> bool {
        self.caps.effective.has(capability)
    }

    /// Whether this capability is in effect for a file of these owners: both have to be known in its own user namespace.
    pub fn has_over(&self, capability: Capability, uid: u32, gid: u32) -> bool {
        self.has_own(capability) && self.user.uid_known(uid).is_some() && self.user.gid_known(gid).is_some()
    }

    /// A user id relabelled so that 0 is the root of its user namespace, as the rules of capabilities want it; what it gives is relabelled back in the same way.
    pub fn relabelled(&self, uid: u32) -> u32 {
        let root = self.user.uid_in(0).unwrap_or(u32::MAX);
        match uid {
            0 => root,
            uid if uid == root => 0,
            uid => uid,
        }
    }

    /// Real, effective and saved user id, relabelled ([`Credentials::relabelled`]).
    pub fn ids(&self) -> Ids {
        Ids { real: self.relabelled(self.uid), effective: self.relabelled(self.euid), saved: self.relabelled(self.suid) }
    }

    /// Whether `gid` is the process's group or one of its supplementary groups, for file access.
    pub fn in_group(&self, gid: u32) -> bool {
        self.fsgid == gid || self.groups.contains(&gid)
    }

    /// Whether it is the owner `uid` of a file, or may do what only the owner may.
    pub fn owns(&self, uid: u32) -> bool {
        self.fsuid == uid || self.has_own(Capability::FOWNER) && self.user.uid_known(uid).is_some()
    }

    /// Whether every directory may be searched.
    pub fn searches_all(&self) -> bool {
        self.has(Capability::DAC_READ_SEARCH) || self.has(Capability::DAC_OVERRIDE)
    }

    /// Whether access `want` (4 read, 2 write, 1 execute; or-ed) to an object with this owner and mode is allowed (`path_resolution(7)`).
    pub fn may_access(&self, mode: u32, uid: u32, gid: u32, want: u32) -> bool {
        let shift = if self.fsuid == uid {
            6
        } else if self.in_group(gid) {
            3
        } else {
            0
        };
        if (mode >> shift) & want == want {
            return true;
        }
        let directory = mode & 0o170000 == 0o040000;
        let reads = if directory { want & 2 == 0 } else { want == 4 };
        let overrides = |capability| self.has_over(capability, uid, gid);
        (reads && overrides(Capability::DAC_READ_SEARCH)) || ((directory || want & 1 == 0 || mode & 0o111 != 0) && overrides(Capability::DAC_OVERRIDE))
    }

    /// Whether a thread with these may trace one with `other`, by their sets (`ptrace(2)`, ptrace access mode checking); asked with the real ids.
    pub fn covers(&self, other: &Credentials) -> bool {
        self.user == other.user && other.caps.permitted.is_subset(self.caps.permitted) || self.has_in(Capability::SYS_PTRACE, &other.user)
    }
}

impl Thread {
    /// Who it is.
    pub fn creds(&self) -> Arc<Credentials> {
        self.creds.lock().clone()
    }

    /// Changes who it is. The first thread's are what others see of the process.
    pub fn set_creds(&self, creds: Credentials) {
        let creds = Arc::new(creds);
        if self.tid() == self.process.pid {
            self.process.show_creds(creds.clone());
        }
        let old = core::mem::replace(&mut *self.creds.lock(), creds);
        drop(old);
    }

    /// Whether this capability is in effect for the whole machine.
    pub fn has(&self, capability: Capability) -> bool {
        self.creds.lock().has(capability)
    }

    /// Whether this capability is in effect in the thread's own user namespace.
    pub fn has_own(&self, capability: Capability) -> bool {
        self.creds.lock().has_own(capability)
    }
}

/// Whether the executing thread has this capability in effect for the whole machine.
pub fn capable(capability: Capability) -> bool {
    super::with_current(|thread| thread.has(capability))
}
