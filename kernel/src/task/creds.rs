//! Who a process is (`credentials(7)`).

use alloc::vec::Vec;

/// User and group ids of a process. Capabilities: uid 0 has them all, others none (full sets are kept for `capget`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// `PR_SET_KEEPCAPS`: a change from root to another user keeps the permitted capabilities.
    pub keep_caps: bool,
    /// Capabilities are permitted although no user id is 0.
    pub permitted_caps: bool,
    /// Those are in effect (`capset(2)`).
    pub effective_caps: bool,
}

impl Credentials {
    /// Whether the process may do what only root may.
    pub fn privileged(&self) -> bool {
        self.euid == 0 || self.effective_caps
    }

    /// After a change of user ids from `before`: what becomes of the capabilities (`capabilities(7)`, Effect of user ID changes on capabilities).
    pub fn user_ids_changed(&mut self, before: &Credentials) {
        let root = |c: &Credentials| c.uid == 0 || c.euid == 0 || c.suid == 0;
        if root(before) && !root(self) {
            self.permitted_caps = before.keep_caps;
            self.effective_caps = false;
        }
    }

    /// Whether `gid` is the process's group or one of its supplementary groups, for file access.
    pub fn in_group(&self, gid: u32) -> bool {
        self.fsgid == gid || self.groups.contains(&gid)
    }

    /// Whether access `want` (4 read, 2 write, 1 execute; or-ed) to an object with this owner and mode is allowed (`path_resolution(7)`).
    pub fn may_access(&self, mode: u32, uid: u32, gid: u32, want: u32) -> bool {
        if self.fsuid == 0 {
            let directory = mode & 0o170000 == 0o040000;
            return want & 1 == 0 || directory || mode & 0o111 != 0;
        }
        let shift = if self.fsuid == uid {
            6
        } else if self.in_group(gid) {
            3
        } else {
            0
        };
        (mode >> shift) & want == want
    }
}
