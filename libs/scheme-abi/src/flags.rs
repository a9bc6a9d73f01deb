//! Open flags: Linux's numbers (x86-64) to Redox's, which travel in `OpenAt`, and back.

use crate::{
    O_ACCMODE, O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_FSYNC, O_NOFOLLOW, O_NONBLOCK, O_RDONLY,
    O_RDWR, O_STAT, O_TRUNC, O_WRONLY,
};

/// Linux's flag beside Redox's, for those that both have beyond the access mode.
const PAIRS: [(u32, usize); 9] = [
    (0o100, O_CREAT),
    (0o200, O_EXCL),
    (0o1000, O_TRUNC),
    (0o2000, O_APPEND),
    (0o4000, O_NONBLOCK),
    (0o10000, O_FSYNC), // O_DSYNC; O_SYNC includes it
    (0o200000, O_DIRECTORY),
    (0o400000, O_NOFOLLOW),
    (0o10000000, O_STAT), // O_PATH
];

/// Redox's flags for Linux's `flags`, with `mode` (permission bits) in the low 16 bits. Flags that only
/// the kernel acts on (`O_CLOEXEC`, `O_NOCTTY`, `O_LARGEFILE`, ...) are left out.
pub fn from_linux(flags: u32, mode: u16) -> u64 {
    let access = match flags & 3 {
        0 => O_RDONLY,
        1 => O_WRONLY,
        _ => O_RDWR,
    };
    let mut redox = access;
    for (linux, ours) in PAIRS {
        if flags & linux != 0 {
            redox |= ours;
        }
    }
    redox as u64 | u64::from(mode)
}

/// Linux's flags and the mode in the flags word of an `OpenAt`. No access bit at all (Redox's `O_STAT`
/// opens) counts as read-only.
pub fn to_linux(redox: u64) -> (u32, u16) {
    let bits = redox as usize;
    let mut linux = match bits & O_ACCMODE {
        O_WRONLY => 1,
        O_RDWR => 2,
        _ => 0,
    };
    for (flag, ours) in PAIRS {
        if bits & ours != 0 {
            linux |= flag;
        }
    }
    (linux, redox as u16)
}
