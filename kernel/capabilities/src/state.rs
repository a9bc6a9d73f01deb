//! The sets of a thread.

use crate::{Capability, Set};

/// The bits of `PR_SET_SECUREBITS`. Each has a lock, the next bit.
pub mod bits {
    /// `SECBIT_NOROOT`: user 0 gets no capabilities by execve.
    pub const NO_ROOT: u32 = 1;
    /// `SECBIT_NO_SETUID_FIXUP`: changes of user ids leave the sets alone.
    pub const NO_SETUID_FIXUP: u32 = 1 << 2;
    /// `SECBIT_KEEP_CAPS`: the permitted set survives when the last user id that is 0 goes.
    pub const KEEP_CAPS: u32 = 1 << 4;
    /// Its lock.
    pub const KEEP_CAPS_LOCKED: u32 = 1 << 5;
    /// `SECBIT_NO_CAP_AMBIENT_RAISE`
    pub const NO_AMBIENT_RAISE: u32 = 1 << 6;
    /// All bits.
    pub const ALL: u32 = 0x55;
    /// All locks.
    pub const LOCKS: u32 = 0xaa;
}

/// What the capabilities of files' owners are about: they follow the user id of file access.
const FILE_ACCESS: Set = Set::of(&[
    Capability::CHOWN,
    Capability::MKNOD,
    Capability::DAC_OVERRIDE,
    Capability::DAC_READ_SEARCH,
    Capability::FOWNER,
    Capability::FSETID,
    Capability::LINUX_IMMUTABLE,
    Capability::MAC_OVERRIDE,
]);

/// Real, effective and saved user id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Ids {
    pub real: u32,
    pub effective: u32,
    pub saved: u32,
}

impl Ids {
    fn any_root(self) -> bool {
        self.real == 0 || self.effective == 0 || self.saved == 0
    }
}

/// The sets of a thread, and its secure bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Kept over execve where the file's inheritable set has them.
    pub inheritable: Set,
    /// What may be in effect.
    pub permitted: Set,
    /// What permission checks look at.
    pub effective: Set,
    /// What execve may give.
    pub bounding: Set,
    /// Kept over the execve of a program without privileges of its own.
    pub ambient: Set,
    /// [`bits`].
    pub secure_bits: u32,
}

impl State {
    /// The first process's: everything but an inheritable set.
    pub const FULL: State =
        State { inheritable: Set::EMPTY, permitted: Set::FULL, effective: Set::FULL, bounding: Set::FULL, ambient: Set::EMPTY, secure_bits: 0 };

    /// Whether this bit of [`bits`] is set.
    #[must_use]
    pub fn is_set(&self, bit: u32) -> bool {
        self.secure_bits & bit != 0
    }

    /// `capset(2)`. `None` where that is not permitted.
    #[must_use]
    pub fn change(&self, effective: Set, permitted: Set, inheritable: Set) -> Option<Self> {
        let capped = !self.effective.has(Capability::SETPCAP);
        let allowed = (!capped || inheritable.is_subset(self.inheritable.union(self.permitted)))
            && inheritable.is_subset(self.inheritable.union(self.bounding))
            && permitted.is_subset(self.permitted)
            && effective.is_subset(permitted);
        let ambient = self.ambient.intersection(permitted).intersection(inheritable);
        allowed.then_some(Self { inheritable, permitted, effective, ambient, ..*self })
    }

    /// `PR_SET_SECUREBITS`. `None` where that is not permitted.
    #[must_use]
    pub fn with_secure_bits(&self, to: usize) -> Option<Self> {
        let to = u32::try_from(to).ok()?;
        let locked = (self.secure_bits & bits::LOCKS) >> 1;
        let refused = locked & (self.secure_bits ^ to) != 0
            || self.secure_bits & bits::LOCKS & !to != 0
            || to & !(bits::ALL | bits::LOCKS) != 0
            || !self.effective.has(Capability::SETPCAP);
        (!refused).then_some(Self { secure_bits: to, ..*self })
    }

    /// `PR_SET_KEEPCAPS`. `None` where the bit is locked.
    #[must_use]
    pub fn with_keep_caps(&self, keep: bool) -> Option<Self> {
        if self.is_set(bits::KEEP_CAPS_LOCKED) {
            return None;
        }
        let secure_bits = if keep { self.secure_bits | bits::KEEP_CAPS } else { self.secure_bits & !bits::KEEP_CAPS };
        Some(Self { secure_bits, ..*self })
    }

    /// `PR_CAP_AMBIENT_RAISE`. `None` where that is not permitted.
    #[must_use]
    pub fn with_ambient(&self, capability: Capability) -> Option<Self> {
        let allowed = self.permitted.has(capability) && self.inheritable.has(capability) && !self.is_set(bits::NO_AMBIENT_RAISE);
        allowed.then_some(Self { ambient: self.ambient.with(capability), ..*self })
    }

    /// What a change of user ids from `before` to `after` leaves.
    #[must_use]
    pub fn after_ids(&self, before: Ids, after: Ids) -> Self {
        let mut to = *self;
        if self.is_set(bits::NO_SETUID_FIXUP) {
            return to;
        }
        if before.any_root() && !after.any_root() {
            if !self.is_set(bits::KEEP_CAPS) {
                to.permitted = Set::EMPTY;
                to.effective = Set::EMPTY;
            }
            to.ambient = Set::EMPTY;
        }
        if before.effective == 0 && after.effective != 0 {
            to.effective = Set::EMPTY;
        }
        if before.effective != 0 && after.effective == 0 {
            to.effective = to.permitted;
        }
        to
    }

    /// What `setfsuid(2)` leaves.
    #[must_use]
    pub fn after_fsuid(&self, before: u32, after: u32) -> Self {
        let mut to = *self;
        if !self.is_set(bits::NO_SETUID_FIXUP) {
            if before == 0 && after != 0 {
                to.effective = to.effective.difference(FILE_ACCESS);
            }
            if before != 0 && after == 0 {
                to.effective = to.effective.union(to.permitted.intersection(FILE_ACCESS));
            }
        }
        to
    }

    /// What `access(2)` asks with, for who has this real user id.
    #[must_use]
    pub fn for_access(&self, real: u32) -> Self {
        let mut to = *self;
        if !self.is_set(bits::NO_SETUID_FIXUP) {
            to.effective = if real == 0 { to.permitted } else { Set::EMPTY };
        }
        to
    }
}
