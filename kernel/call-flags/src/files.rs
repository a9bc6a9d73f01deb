//! Opening files, and what descriptors can be told.

use crate::errno::Errno::{EAGAIN, EINVAL, ENOPKG};
use crate::set::{Flags, Unknown, Values, idle, no, on};
use crate::sets;

/// `O_CLOEXEC`, also as `SOCK_CLOEXEC` and the like.
pub(crate) const CLOEXEC: u64 = 0o2000000;
/// `O_NONBLOCK`, also as `SOCK_NONBLOCK` and the like.
pub(crate) const NONBLOCK: u64 = 0o4000;

const LARGE: &str = "every file can be large";
const NO_SIGIO: &str = "kept for F_GETFL: signals start with F_SETFL, as on Linux (open(2), BUGS)";
const NO_DIRECT: &str = "a hint: what is written goes through the page cache";

/// `FMODE_NONOTIFY`: a bit of Linux's own that openat2(2) takes out of what programs say.
pub const NONOTIFY: u64 = 0x400_0000;

/// The flags of open(2), and what else a call has.
macro_rules! open_flags {
    ($($more:expr)?) => {
        &[
            on("O_RDONLY", 0),
            on("O_WRONLY", 0o1),
            on("O_RDWR", 0o2),
            on("O_CREAT", 0o100),
            on("O_EXCL", 0o200),
            on("O_NOCTTY", 0o400),
            on("O_TRUNC", 0o1000),
            on("O_APPEND", 0o2000),
            on("O_NONBLOCK", NONBLOCK),
            on("O_DSYNC", 0o10000),
            on("O_SYNC", 0o4010000),
            idle("O_ASYNC", 0o20000, NO_SIGIO),
            idle("O_DIRECT", 0o40000, NO_DIRECT),
            idle("O_LARGEFILE", 0o100000, LARGE),
            on("O_DIRECTORY", 0o200000),
            on("O_NOFOLLOW", 0o400000),
            on("O_NOATIME", 0o1000000),
            on("O_CLOEXEC", CLOEXEC),
            on("O_PATH", 0o10000000),
            on("O_TMPFILE", 0o20200000),
            $($more)?
        ]
    };
}

sets! {
    /// `open(2)`: bits without a name are not looked at.
    OPEN: Flags = Flags::new(&["open", "openat", "open_by_handle_at"], "flags", Unknown::Ignored, open_flags!());
    /// `openat2(2)`
    OPENAT2: Flags = Flags::new(&["openat2"], "how.flags", Unknown::Refused(EINVAL), open_flags! {
        idle("FMODE_NONOTIFY", NONOTIFY, "as on Linux: a bit of the kernel's own, which programs cannot set")
    });
    /// `openat2(2)`
    OPENAT2_RESOLVE: Flags = Flags::new(&["openat2"], "how.resolve", Unknown::Refused(EINVAL), &[
        on("RESOLVE_NO_XDEV", 1),
        on("RESOLVE_NO_MAGICLINKS", 2),
        on("RESOLVE_NO_SYMLINKS", 4),
        on("RESOLVE_BENEATH", 8),
        on("RESOLVE_IN_ROOT", 16),
        no("RESOLVE_CACHED", 32, EAGAIN, "whether a lookup can do without waiting is not known beforehand; a caller tries without"),
    ]);
    /// `close_range(2)`
    CLOSE_RANGE: Flags = Flags::new(&["close_range"], "flags", Unknown::Refused(EINVAL), &[on("CLOSE_RANGE_UNSHARE", 2), on("CLOSE_RANGE_CLOEXEC", 4)]);
    /// `dup3(2)`
    DUP3: Flags = Flags::new(&["dup3"], "flags", Unknown::Refused(EINVAL), &[on("O_CLOEXEC", CLOEXEC)]);
    /// `memfd_create(2)`
    MEMFD_CREATE: Flags = Flags::new(&["memfd_create"], "flags", Unknown::Refused(EINVAL), &[
        on("MFD_CLOEXEC", 1),
        on("MFD_ALLOW_SEALING", 2),
        no("MFD_HUGETLB", 4, EINVAL, "there is no pool of huge pages"),
    ]);
    /// `pipe2(2)`
    PIPE2: Flags = Flags::new(&["pipe2"], "flags", Unknown::Refused(EINVAL), &[
        on("O_CLOEXEC", CLOEXEC), on("O_NONBLOCK", NONBLOCK), on("O_DIRECT", 0o40000),
        no("O_NOTIFICATION_PIPE", 0o200, ENOPKG, "the error of a Linux without them"),
    ]);
    /// `fcntl(2)`
    FCNTL: Values = Values::new(&["fcntl"], "command", EINVAL, &[
        on("F_DUPFD", 0),
        on("F_GETFD", 1),
        on("F_SETFD", 2),
        on("F_GETFL", 3),
        on("F_SETFL", 4),
        on("F_GETLK", 5),
        on("F_SETLK", 6),
        on("F_SETLKW", 7),
        on("F_SETOWN", 8),
        on("F_GETOWN", 9),
        on("F_SETSIG", 10),
        on("F_GETSIG", 11),
        on("F_SETOWN_EX", 15),
        on("F_GETOWN_EX", 16),
        no("F_GETOWNER_UIDS", 17, EINVAL, "for checkpoints of processes"),
        on("F_OFD_GETLK", 36),
        on("F_OFD_SETLK", 37),
        on("F_OFD_SETLKW", 38),
        on("F_SETLEASE", 1024),
        on("F_GETLEASE", 1025),
        on("F_NOTIFY", 1026),
        on("F_DUPFD_CLOEXEC", 1030),
        on("F_SETPIPE_SZ", 1031),
        on("F_GETPIPE_SZ", 1032),
        on("F_ADD_SEALS", 1033),
        on("F_GET_SEALS", 1034),
        no("F_GET_RW_HINT", 1035, EINVAL, "no filesystem knows hints of lifetime"),
        no("F_SET_RW_HINT", 1036, EINVAL, "no filesystem knows hints of lifetime"),
        no("F_GET_FILE_RW_HINT", 1037, EINVAL, "no filesystem knows hints of lifetime"),
        no("F_SET_FILE_RW_HINT", 1038, EINVAL, "no filesystem knows hints of lifetime"),
    ]);
    /// `fcntl(2)` with F_SETFD
    FCNTL_SETFD: Flags = Flags::new(&["fcntl"], "argument of F_SETFD", Unknown::Ignored, &[on("FD_CLOEXEC", 1)]);
    /// `fcntl(2)` with F_SETFL
    FCNTL_SETFL: Flags = Flags::new(&["fcntl"], "argument of F_SETFL", Unknown::Ignored, &[
        on("O_APPEND", 0o2000),
        on("O_NONBLOCK", NONBLOCK),
        on("O_ASYNC", 0o20000),
        on("O_DIRECT", 0o40000),
        on("O_NOATIME", 0o1000000),
    ]);
    /// `fcntl(2)` with F_ADD_SEALS
    FCNTL_SEALS: Flags = Flags::new(&["fcntl"], "argument of F_ADD_SEALS", Unknown::Refused(EINVAL), &[
        on("F_SEAL_SEAL", 1),
        on("F_SEAL_SHRINK", 2),
        on("F_SEAL_GROW", 4),
        on("F_SEAL_WRITE", 8),
        on("F_SEAL_FUTURE_WRITE", 16),
    ]);
    /// `flock(2)`: one of the first three, and `LOCK_NB`.
    FLOCK: Flags = Flags::new(&["flock"], "operation", Unknown::Refused(EINVAL), &[
        on("LOCK_SH", 1),
        on("LOCK_EX", 2),
        on("LOCK_UN", 8),
        on("LOCK_NB", 4),
        idle("LOCK_MAND", 32, "as Linux since 5.16: the call does nothing and succeeds, whatever else is asked for"),
    ]);
    /// `lseek(2)`
    LSEEK: Values = Values::new(&["lseek"], "whence", EINVAL, &[on("SEEK_SET", 0), on("SEEK_CUR", 1), on("SEEK_END", 2), on("SEEK_DATA", 3), on("SEEK_HOLE", 4)]);
}
