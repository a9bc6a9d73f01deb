//! The flags and commands of each system call as data: names, values, what is supported, what has no effect and why, what Linux 6.1 has
//! and is refused here and with which error, and what becomes of bits and values that no one knows.
//!
//! The kernel checks its arguments by these sets, and `docs/src/system-calls.md` is made from them: the page cannot say anything else than
//! what the kernel does. Values are those of Linux's user-space headers (`include/uapi`).
#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code, missing_docs)]

pub mod calls;
mod errno;
pub mod events;
pub mod files;
pub mod ipc;
pub mod keys;
pub mod memory;
pub mod names;
pub mod processes;
pub mod scheduling;
mod set;
pub mod signals;
pub mod sockets;
pub mod system;
pub mod time;
pub mod transfer;
pub mod uring;

pub use errno::Errno;
pub use set::{Entry, Flags, Set, Treatment, Unknown, Values};

/// Sets on one subject.
pub struct Group {
    /// The subject, a heading of the documentation.
    pub title: &'static str,
    /// Its sets.
    pub sets: &'static [Set],
}

/// Every set, by subject.
pub static GROUPS: &[Group] = &[
    Group { title: "Opening files and descriptors", sets: files::SETS },
    Group { title: "Names, attributes and mounts", sets: names::SETS },
    Group { title: "Moving data", sets: transfer::SETS },
    Group { title: "Rings of requests", sets: uring::SETS },
    Group { title: "Memory", sets: memory::SETS },
    Group { title: "Processes", sets: processes::SETS },
    Group { title: "Signals and futexes", sets: signals::SETS },
    Group { title: "Scheduling and limits", sets: scheduling::SETS },
    Group { title: "Events", sets: events::SETS },
    Group { title: "Time", sets: time::SETS },
    Group { title: "Sockets", sets: sockets::SETS },
    Group { title: "System V IPC and message queues", sets: ipc::SETS },
    Group { title: "Keys", sets: keys::SETS },
    Group { title: "The system", sets: system::SETS },
];

/// Defines sets, and `SETS`, the list of them.
macro_rules! sets {
    ($($(#[$doc:meta])* $name:ident: $kind:ident = $value:expr;)*) => {
        $($(#[$doc])* pub static $name: $crate::set::$kind = $value;)*
        /// The sets of this module.
        pub const SETS: &[$crate::set::Set] = &[$($name.as_set()),*];
    };
}
use sets;
