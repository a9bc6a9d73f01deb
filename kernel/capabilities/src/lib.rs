//! Capabilities as `capabilities(7)` describes them: the sets of a thread and of a file, and the rules by which they change;
//! also, how the ids of a user namespace stand for others.
//!
//! Nothing here knows of threads or files: the kernel keeps [`State`] with a thread's ids, and asks it.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

mod exec;
mod file;
mod id_map;
mod state;

pub use exec::{Executed, Program, Refused};
pub use file::FileCapabilities;
pub use id_map::{Extent, IdMap};
pub use state::{Ids, State, bits};

macro_rules! capabilities {
    ($($name:ident = $number:literal,)*) => {
        /// A capability, by its number in `linux/capability.h`.
        #[allow(non_camel_case_types, missing_docs, clippy::upper_case_acronyms)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Capability { $($name = $number,)* }

        impl Capability {
            /// All, by number.
            pub const ALL: &[Capability] = &[$(Capability::$name),*];
        }
    };
}

capabilities! {
    CHOWN = 0, DAC_OVERRIDE = 1, DAC_READ_SEARCH = 2, FOWNER = 3, FSETID = 4, KILL = 5, SETGID = 6, SETUID = 7, SETPCAP = 8, LINUX_IMMUTABLE = 9,
    NET_BIND_SERVICE = 10, NET_BROADCAST = 11, NET_ADMIN = 12, NET_RAW = 13, IPC_LOCK = 14, IPC_OWNER = 15, SYS_MODULE = 16, SYS_RAWIO = 17,
    SYS_CHROOT = 18, SYS_PTRACE = 19, SYS_PACCT = 20, SYS_ADMIN = 21, SYS_BOOT = 22, SYS_NICE = 23, SYS_RESOURCE = 24, SYS_TIME = 25,
    SYS_TTY_CONFIG = 26, MKNOD = 27, LEASE = 28, AUDIT_WRITE = 29, AUDIT_CONTROL = 30, SETFCAP = 31, MAC_OVERRIDE = 32, MAC_ADMIN = 33, SYSLOG = 34,
    WAKE_ALARM = 35, BLOCK_SUSPEND = 36, AUDIT_READ = 37, PERFMON = 38, BPF = 39, CHECKPOINT_RESTORE = 40,
}

impl Capability {
    /// The one with this number.
    #[must_use]
    pub fn from_number(number: usize) -> Option<Self> {
        Self::ALL.get(number).copied()
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set(u64);

impl Set {
    /// None.
    pub const EMPTY: Set = Set(0);
    /// All that there are.
    pub const FULL: Set = Set((1 << Capability::ALL.len()) - 1);

    /// Of these.
    #[must_use]
    pub const fn of(list: &[Capability]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < list.len() {
            bits |= 1 << list[i] as u8;
            i += 1;
        }
        Set(bits)
    }

    /// Of bits by number; those without a capability are dropped.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Set(bits & Self::FULL.0)
    }

    /// The bits by number.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether it is in the set.
    #[must_use]
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & 1 << capability as u8 != 0
    }

    /// Whether all of these are in `other`.
    #[must_use]
    pub const fn is_subset(self, other: Set) -> bool {
        self.0 & !other.0 == 0
    }

    /// With another.
    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Set(self.0 | 1 << capability as u8)
    }

    /// Without one.
    #[must_use]
    pub const fn without(self, capability: Capability) -> Self {
        Set(self.0 & !(1 << capability as u8))
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Set) -> Self {
        Set(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Set) -> Self {
        Set(self.0 & other.0)
    }

    /// What is not in `other`.
    #[must_use]
    pub const fn difference(self, other: Set) -> Self {
        Set(self.0 & !other.0)
    }
}
