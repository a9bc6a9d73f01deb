//! User namespaces (`user_namespaces(7)`).
//!
//! The kernel itself only knows ids of the first one, in which each stands for itself. What a thread gives or gets goes through its own namespace's
//! maps on the way ([`UserNamespace::uid_in`], [`UserNamespace::uid_out`]). A capability counts for the objects of the namespace that it was got in and of those below
//! ([`Credentials::has_in`]).

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};

use capabilities::{Capability, IdMap, State};

use super::ns_count::{self, Counted};
use super::{Credentials, Thread, uts};
use crate::error::*;
use crate::sync::{Once, SpinLock};

/// A user namespace.
pub struct UserNamespace {
    /// Its number in `/proc/<pid>/ns`.
    pub ino: u64,
    /// That in which it was made; `None` for the first.
    pub parent: Option<Arc<UserNamespace>>,
    /// How many there are above it.
    level: u32,
    /// Who made it, as the kernel knows them.
    pub owner: u32,
    /// Its maker had CAP_SETFCAP: it may map the user 0 of outside.
    maker_had_setfcap: bool,
    maps: SpinLock<Maps>,
    may_set_groups: AtomicBool,
    /// The rings of its users.
    pub(super) keys: super::keys::users::Register,
    /// Its place among its user's; the first has none.
    _count: Option<Counted>,
}

/// To the kernel's ids.
#[derive(Clone)]
struct Maps {
    users: Arc<IdMap>,
    groups: Arc<IdMap>,
    projects: Arc<IdMap>,
}

/// Of which ids a map is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    #[allow(missing_docs)]
    Users,
    #[allow(missing_docs)]
    Groups,
    /// Of quotas. There are none, but their map is there.
    Projects,
}

/// The number that Linux gives to the first.
const FIRST: u64 = 0xeffffffd;

/// The deepest that another can be made in.
const MAX_LEVEL: u32 = 32;

/// What stands for those ids that have no other (`/proc/sys/kernel/overflowuid`).
pub const OVERFLOW_ID: u32 = 65534;

impl core::fmt::Debug for UserNamespace {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "user:[{}]", self.ino)
    }
}

impl PartialEq for UserNamespace {
    fn eq(&self, other: &Self) -> bool {
        self.ino == other.ino
    }
}

impl Eq for UserNamespace {}

impl UserNamespace {
    /// That of the first process.
    pub fn first() -> Arc<Self> {
        static FIRST_ONE: Once<Arc<UserNamespace>> = Once::new();
        let make = || {
            let all = Arc::new(IdMap::identity());
            let maps = Maps { users: all.clone(), groups: all.clone(), projects: all };
            Arc::new(Self {
                ino: FIRST,
                parent: None,
                level: 0,
                owner: 0,
                maker_had_setfcap: true,
                maps: SpinLock::new(maps),
                may_set_groups: AtomicBool::new(true),
                keys: Default::default(),
                _count: None,
            })
        };
        FIRST_ONE.get_or_init(make).clone()
    }

    /// The credentials with which `maker` is in a new namespace below its own, where it may do everything.
    ///
    /// # Errors
    /// `ENOSPC` where there are too many above it, or of the maker's, `EPERM` where the maker's ids stand for nothing in its own namespace.
    pub fn entered_new(maker: &Credentials) -> Result<Credentials> {
        let parent = maker.user.clone();
        if parent.level > MAX_LEVEL {
            return Err(ENOSPC);
        }
        if parent.map(Kind::Users).up(maker.euid).is_none() || parent.map(Kind::Groups).up(maker.egid).is_none() {
            return Err(EPERM);
        }
        let count = ns_count::take(ns_count::Kind::User, maker)?;
        let none = Arc::new(IdMap::EMPTY);
        let made = Arc::new(Self {
            ino: uts::next_ino(),
            level: parent.level + 1,
            owner: maker.euid,
            maker_had_setfcap: maker.caps.effective.has(Capability::SETFCAP),
            maps: SpinLock::new(Maps { users: none.clone(), groups: none.clone(), projects: none }),
            may_set_groups: AtomicBool::new(parent.may_set_groups.load(Ordering::Acquire)),
            keys: Default::default(),
            parent: Some(parent),
            _count: Some(count),
        });
        Ok(maker.entered(made))
    }

    fn map(&self, kind: Kind) -> Arc<IdMap> {
        let maps = self.maps.lock();
        match kind {
            Kind::Users => maps.users.clone(),
            Kind::Groups => maps.groups.clone(),
            Kind::Projects => maps.projects.clone(),
        }
    }

    fn is_first(&self) -> bool {
        self.parent.is_none()
    }

    /// The kernel's user id for one that a thread in the namespace gives. `None` where it stands for nothing.
    pub fn uid_in(&self, uid: u32) -> Option<u32> {
        if self.is_first() { (uid != u32::MAX).then_some(uid) } else { self.map(Kind::Users).down(uid) }
    }

    /// As [`UserNamespace::uid_in`], of a group.
    pub fn gid_in(&self, gid: u32) -> Option<u32> {
        if self.is_first() { (gid != u32::MAX).then_some(gid) } else { self.map(Kind::Groups).down(gid) }
    }

    /// The user id that a thread in the namespace knows for the kernel's. `None` where there is none.
    pub fn uid_known(&self, uid: u32) -> Option<u32> {
        if self.is_first() { Some(uid) } else { self.map(Kind::Users).up(uid) }
    }

    /// As [`UserNamespace::uid_known`], of a group.
    pub fn gid_known(&self, gid: u32) -> Option<u32> {
        if self.is_first() { Some(gid) } else { self.map(Kind::Groups).up(gid) }
    }

    /// What a thread in the namespace sees in place of the kernel's user id.
    pub fn uid_out(&self, uid: u32) -> u32 {
        self.uid_known(uid).unwrap_or(OVERFLOW_ID)
    }

    /// As [`UserNamespace::uid_out`], of a group.
    pub fn gid_out(&self, gid: u32) -> u32 {
        self.gid_known(gid).unwrap_or(OVERFLOW_ID)
    }

    /// Whether `other` is this namespace or lies below it.
    pub fn is_above(self: &Arc<Self>, other: &Arc<UserNamespace>) -> bool {
        let mut at = Some(other);
        while let Some(namespace) = at {
            if Arc::ptr_eq(namespace, self) {
                return true;
            }
            at = namespace.parent.as_ref();
        }
        false
    }

    /// The lines of a map, as a reader in `reader` sees them.
    pub fn show(self: &Arc<Self>, kind: Kind, reader: &Arc<UserNamespace>) -> alloc::string::String {
        use core::fmt::Write;
        let below = match &self.parent {
            Some(parent) if Arc::ptr_eq(self, reader) => parent,
            _ => reader,
        };
        let outside = below.map(kind);
        let mut out = alloc::string::String::new();
        for extent in self.map(kind).extents() {
            let lower = outside.up(extent.lower).unwrap_or(u32::MAX);
            let _ = writeln!(out, "{:10} {lower:10} {:10}", extent.first, extent.count);
        }
        out
    }

    /// Whether this kind's map can be written with these credentials (`uid_map`, rules of the manual), which are those of who has opened the file.
    ///
    /// # Errors
    /// `EPERM`, `EINVAL`.
    pub fn set_map(self: &Arc<Self>, kind: Kind, text: &[u8], opener: &Credentials, writer: &Credentials) -> Result {
        let parent = self.parent.as_ref().ok_or(EPERM)?;
        if !Arc::ptr_eq(&opener.user, self) && !Arc::ptr_eq(&opener.user, parent) {
            return Err(EPERM);
        }
        if !self.map(kind).is_empty() {
            return Err(EPERM);
        }
        if kind != Kind::Projects && !opener.has_in(Capability::SYS_ADMIN, self) {
            return Err(EPERM);
        }
        let written = IdMap::parse(text).ok_or(EINVAL)?;
        if !self.may_map(kind, &written, parent, opener, writer) {
            return Err(EPERM);
        }
        let map = Arc::new(written.through(&parent.map(kind)).ok_or(EPERM)?);
        let mut maps = self.maps.lock();
        let slot = match kind {
            Kind::Users => &mut maps.users,
            Kind::Groups => &mut maps.groups,
            Kind::Projects => &mut maps.projects,
        };
        if !slot.is_empty() {
            return Err(EPERM);
        }
        *slot = map;
        Ok(())
    }

    fn may_map(self: &Arc<Self>, kind: Kind, map: &IdMap, parent: &Arc<UserNamespace>, opener: &Credentials, writer: &Credentials) -> bool {
        if kind == Kind::Users && map.has_outer_root() {
            let may = if Arc::ptr_eq(&opener.user, self) { self.maker_had_setfcap } else { opener.has_in(Capability::SETFCAP, parent) };
            if !may {
                return false;
            }
        }
        let capability = match kind {
            Kind::Users => Capability::SETUID,
            Kind::Groups => Capability::SETGID,
            Kind::Projects => return true,
        };
        if let (Some(id), true) = (map.single(), self.owner == opener.euid) {
            // Who made it may always map itself; its group only where groups cannot be dropped thereby.
            let itself = match kind {
                Kind::Users => parent.uid_in(id) == Some(opener.euid),
                _ => !self.may_set_groups.load(Ordering::Acquire) && parent.gid_in(id) == Some(opener.egid),
            };
            if itself {
                return true;
            }
        }
        writer.has_in(capability, parent) && opener.has_in(capability, parent)
    }

    /// What `/proc/<pid>/setgroups` says.
    pub fn groups_word(&self) -> &'static str {
        if self.may_set_groups.load(Ordering::Acquire) { "allow" } else { "deny" }
    }

    /// Writes there.
    ///
    /// # Errors
    /// `EINVAL` for another word, `EPERM` to allow what is denied, or to deny it once groups are mapped.
    pub fn set_groups_word(&self, word: &[u8]) -> Result {
        match word {
            b"allow" if !self.may_set_groups.load(Ordering::Acquire) => Err(EPERM),
            b"allow" => Ok(()),
            b"deny" => {
                let maps = self.maps.lock();
                if !maps.groups.is_empty() {
                    return Err(EPERM);
                }
                self.may_set_groups.store(false, Ordering::Release);
                Ok(())
            }
            _ => Err(EINVAL),
        }
    }

    /// Whether `setgroups(2)` may be called in it.
    pub fn may_set_groups(&self) -> bool {
        self.may_set_groups.load(Ordering::Acquire) && !self.map(Kind::Groups).is_empty()
    }
}

impl Credentials {
    /// These in another user namespace, where they may do everything.
    fn entered(&self, user: Arc<UserNamespace>) -> Self {
        Self { user, caps: State::FULL, ..self.clone() }
    }

    /// Whether this capability is in effect for the objects of a namespace.
    pub fn has_in(&self, capability: Capability, user: &Arc<UserNamespace>) -> bool {
        let mut at = user;
        loop {
            if Arc::ptr_eq(at, &self.user) {
                return self.has_own(capability);
            }
            if at.level <= self.user.level {
                return false;
            }
            let Some(parent) = &at.parent else { return false };
            // Who made it has all of them there.
            if Arc::ptr_eq(parent, &self.user) && at.owner == self.euid {
                return true;
            }
            at = parent;
        }
    }
}

impl Thread {
    /// Whether this capability is in effect for the objects of a namespace.
    pub fn has_in(&self, capability: Capability, user: &Arc<UserNamespace>) -> bool {
        self.creds().has_in(capability, user)
    }

    /// Goes over to a user namespace (`setns(2)`).
    ///
    /// # Errors
    /// `EINVAL` for its own, `EPERM` without CAP_SYS_ADMIN in that one.
    pub fn enter_user(&self, user: &Arc<UserNamespace>) -> Result {
        let creds = self.creds();
        if Arc::ptr_eq(user, &creds.user) {
            return Err(EINVAL);
        }
        if !creds.has_in(Capability::SYS_ADMIN, user) {
            return Err(EPERM);
        }
        self.set_creds(creds.entered(user.clone()));
        Ok(())
    }
}

/// The executing thread's user namespace.
pub fn current() -> Arc<UserNamespace> {
    super::with_current(|thread| thread.creds()).user.clone()
}

/// Whether the executing thread has this capability in effect for the objects of a namespace.
pub fn capable_in(capability: Capability, user: &Arc<UserNamespace>) -> bool {
    super::with_current(|thread| thread.has_in(capability, user))
}
