//! Names, attributes and mounts.

use crate::errno::Errno::{EINVAL, EOPNOTSUPP};
use crate::set::{Entry, Flags, Unknown, Values, idle, no, on};
use crate::sets;

const NOFOLLOW: Entry = on("AT_SYMLINK_NOFOLLOW", 0x100);
const EMPTY_PATH: Entry = on("AT_EMPTY_PATH", 0x1000);
const NO_AUTOMOUNT: Entry = idle("AT_NO_AUTOMOUNT", 0x800, "nothing is mounted by being looked at");
const FORCE_SYNC: Entry = idle("AT_STATX_FORCE_SYNC", 0x2000, "attributes are always the daemon's own");
const DONT_SYNC: Entry = idle("AT_STATX_DONT_SYNC", 0x4000, "attributes that are newer than asked for");
const BASIC: &str = "what is always told is told whether asked for or not";

const NO_RECORDS: &str = "events name files by descriptors only";
const NO_HANDLES: &str = "as on Linux for groups that name files by descriptors";

sets! {
    /// `fstatat(2)`: also what statx(2) has, as on Linux.
    NEWFSTATAT: Flags = Flags::new(&["newfstatat"], "flags", Unknown::Refused(EINVAL), &[NOFOLLOW, NO_AUTOMOUNT, EMPTY_PATH, FORCE_SYNC, DONT_SYNC]);
    /// `statx(2)`: the last two together are an error.
    STATX: Flags = Flags::new(&["statx"], "flags", Unknown::Refused(EINVAL), &[NOFOLLOW, NO_AUTOMOUNT, EMPTY_PATH, FORCE_SYNC, DONT_SYNC]);
    /// `statx(2)`
    STATX_MASK: Flags = Flags::new(&["statx"], "mask", Unknown::Ignored, &[
        idle("STATX_BASIC_STATS", 0x7ff, BASIC),
        idle("STATX_BTIME", 0x800, "told where the filesystem knows it, whether asked for or not: RedoxFS and tmpfs do"),
        idle("STATX_MNT_ID", 0x1000, BASIC),
        idle("STATX_DIOALIGN", 0x2000, "the answer's mask lacks it"),
        no("STATX__RESERVED", 0x8000_0000, EINVAL, "as on Linux"),
    ]);
    /// `access(2)`
    ACCESS_MODE: Flags = Flags::new(&["access", "faccessat", "faccessat2"], "mode", Unknown::Refused(EINVAL), &[on("F_OK", 0), on("X_OK", 1), on("W_OK", 2), on("R_OK", 4)]);
    /// `faccessat2(2)`
    FACCESSAT2: Flags = Flags::new(&["faccessat2"], "flags", Unknown::Refused(EINVAL), &[on("AT_EACCESS", 0x200), NOFOLLOW, EMPTY_PATH]);
    /// `fchownat(2)`
    FCHOWNAT: Flags = Flags::new(&["fchownat"], "flags", Unknown::Refused(EINVAL), &[NOFOLLOW, EMPTY_PATH]);
    /// `utimensat(2)`: with a descriptor and no path there must be none.
    UTIMENSAT: Flags = Flags::new(&["utimensat"], "flags", Unknown::Refused(EINVAL), &[NOFOLLOW, EMPTY_PATH]);
    /// `linkat(2)`
    LINKAT: Flags = Flags::new(&["linkat"], "flags", Unknown::Refused(EINVAL), &[on("AT_SYMLINK_FOLLOW", 0x400), EMPTY_PATH]);
    /// `unlinkat(2)`
    UNLINKAT: Flags = Flags::new(&["unlinkat"], "flags", Unknown::Refused(EINVAL), &[on("AT_REMOVEDIR", 0x200)]);
    /// `renameat2(2)`
    RENAMEAT2: Flags = Flags::new(&["renameat2"], "flags", Unknown::Refused(EINVAL), &[
        on("RENAME_NOREPLACE", 1),
        on("RENAME_EXCHANGE", 2),
        no("RENAME_WHITEOUT", 4, EINVAL, "for overlay filesystems, which there are none of"),
    ]);
    /// `name_to_handle_at(2)`
    NAME_TO_HANDLE_AT: Flags = Flags::new(&["name_to_handle_at"], "flags", Unknown::Refused(EINVAL), &[on("AT_SYMLINK_FOLLOW", 0x400), EMPTY_PATH]);
    /// `setxattr(2)`
    SETXATTR: Flags = Flags::new(&["setxattr", "lsetxattr", "fsetxattr"], "flags", Unknown::Refused(EINVAL), &[on("XATTR_CREATE", 1), on("XATTR_REPLACE", 2)]);
    /// `fallocate(2)`: which of them a filesystem can do is for the filesystem to say.
    FALLOCATE: Flags = Flags::new(&["fallocate"], "mode", Unknown::Refused(EOPNOTSUPP), &[
        on("FALLOC_FL_KEEP_SIZE", 1),
        on("FALLOC_FL_PUNCH_HOLE", 2),
        on("FALLOC_FL_ZERO_RANGE", 0x10),
        no("FALLOC_FL_COLLAPSE_RANGE", 8, EOPNOTSUPP, "no filesystem can"),
        no("FALLOC_FL_INSERT_RANGE", 0x20, EOPNOTSUPP, "no filesystem can"),
        no("FALLOC_FL_UNSHARE_RANGE", 0x40, EOPNOTSUPP, "no filesystem can"),
    ]);
    /// `landlock_create_ruleset(2)`: the version of the interface is 3, with truncation.
    LANDLOCK_CREATE_RULESET: Flags = Flags::new(&["landlock_create_ruleset"], "flags", Unknown::Refused(EINVAL), &[on("LANDLOCK_CREATE_RULESET_VERSION", 1)]);
    /// `landlock_create_ruleset(2)`: what a ruleset handles, and rules allow.
    LANDLOCK_ACCESS: Flags = Flags::new(&["landlock_create_ruleset"], "handled_access_fs", Unknown::Refused(EINVAL), &[
        on("LANDLOCK_ACCESS_FS_EXECUTE", 1),
        on("LANDLOCK_ACCESS_FS_WRITE_FILE", 2),
        on("LANDLOCK_ACCESS_FS_READ_FILE", 4),
        on("LANDLOCK_ACCESS_FS_READ_DIR", 8),
        on("LANDLOCK_ACCESS_FS_REMOVE_DIR", 0x10),
        on("LANDLOCK_ACCESS_FS_REMOVE_FILE", 0x20),
        on("LANDLOCK_ACCESS_FS_MAKE_CHAR", 0x40),
        on("LANDLOCK_ACCESS_FS_MAKE_DIR", 0x80),
        on("LANDLOCK_ACCESS_FS_MAKE_REG", 0x100),
        on("LANDLOCK_ACCESS_FS_MAKE_SOCK", 0x200),
        on("LANDLOCK_ACCESS_FS_MAKE_FIFO", 0x400),
        on("LANDLOCK_ACCESS_FS_MAKE_BLOCK", 0x800),
        on("LANDLOCK_ACCESS_FS_MAKE_SYM", 0x1000),
        on("LANDLOCK_ACCESS_FS_REFER", 0x2000),
        on("LANDLOCK_ACCESS_FS_TRUNCATE", 0x4000),
    ]);
    /// `landlock_add_rule(2)`: none is defined.
    LANDLOCK_ADD_RULE: Flags = Flags::new(&["landlock_add_rule"], "flags", Unknown::Refused(EINVAL), &[]);
    /// `landlock_add_rule(2)`: the kind of rule.
    LANDLOCK_RULE: Values = Values::new(&["landlock_add_rule"], "rule_type", EINVAL, &[on("LANDLOCK_RULE_PATH_BENEATH", 1)]);
    /// `landlock_restrict_self(2)`: none is defined.
    LANDLOCK_RESTRICT_SELF: Flags = Flags::new(&["landlock_restrict_self"], "flags", Unknown::Refused(EINVAL), &[]);
    /// `inotify_init1(2)`
    INOTIFY_INIT1: Flags = Flags::new(&["inotify_init1"], "flags", Unknown::Refused(EINVAL), &[on("IN_CLOEXEC", crate::files::CLOEXEC), on("IN_NONBLOCK", crate::files::NONBLOCK)]);
    /// `fanotify_init(2)`
    FANOTIFY_INIT: Flags = Flags::new(&["fanotify_init"], "flags", Unknown::Refused(EINVAL), &[
        on("FAN_CLOEXEC", 1),
        on("FAN_NONBLOCK", 2),
        on("FAN_CLASS_CONTENT", 4),
        on("FAN_CLASS_PRE_CONTENT", 8),
        on("FAN_UNLIMITED_QUEUE", 0x10),
        on("FAN_UNLIMITED_MARKS", 0x20),
        no("FAN_ENABLE_AUDIT", 0x40, EINVAL, "the error of a Linux without auditing"),
        no("FAN_REPORT_PIDFD", 0x80, EINVAL, NO_RECORDS),
        on("FAN_REPORT_TID", 0x100),
        no("FAN_REPORT_FID", 0x200, EINVAL, NO_RECORDS),
        no("FAN_REPORT_DIR_FID", 0x400, EINVAL, NO_RECORDS),
        no("FAN_REPORT_NAME", 0x800, EINVAL, NO_RECORDS),
        no("FAN_REPORT_TARGET_FID", 0x1000, EINVAL, NO_RECORDS),
    ]);
    /// `fanotify_init(2)`
    FANOTIFY_EVENT_FILE: Flags = Flags::new(&["fanotify_init"], "event_f_flags", Unknown::Refused(EINVAL), &[
        on("O_WRONLY", 1),
        on("O_RDWR", 2),
        on("O_APPEND", 0o2000),
        on("O_NONBLOCK", crate::files::NONBLOCK),
        on("O_DSYNC", 0o10000),
        on("O_SYNC", 0o4010000),
        idle("O_LARGEFILE", 0o100000, "every file can be large"),
        on("O_NOATIME", 0o1000000),
        on("O_CLOEXEC", crate::files::CLOEXEC),
    ]);
    /// `fanotify_mark(2)`
    FANOTIFY_MARK: Flags = Flags::new(&["fanotify_mark"], "flags", Unknown::Refused(EINVAL), &[
        on("FAN_MARK_ADD", 1),
        on("FAN_MARK_REMOVE", 2),
        on("FAN_MARK_DONT_FOLLOW", 4),
        on("FAN_MARK_ONLYDIR", 8),
        on("FAN_MARK_MOUNT", 0x10),
        on("FAN_MARK_IGNORED_MASK", 0x20),
        on("FAN_MARK_IGNORED_SURV_MODIFY", 0x40),
        on("FAN_MARK_FLUSH", 0x80),
        on("FAN_MARK_FILESYSTEM", 0x100),
        idle("FAN_MARK_EVICTABLE", 0x200, "a hint: the mark keeps the file's inode all the same"),
        no("FAN_MARK_IGNORE", 0x400, EINVAL, "not there; FAN_MARK_IGNORED_MASK is"),
    ]);
    /// `fanotify_mark(2)`
    FANOTIFY_EVENTS: Flags = Flags::new(&["fanotify_mark"], "mask", Unknown::Refused(EINVAL), &[
        on("FAN_ACCESS", 1),
        on("FAN_MODIFY", 2),
        no("FAN_ATTRIB", 4, EINVAL, NO_HANDLES),
        on("FAN_CLOSE_WRITE", 8),
        on("FAN_CLOSE_NOWRITE", 0x10),
        on("FAN_OPEN", 0x20),
        no("FAN_MOVED_FROM", 0x40, EINVAL, NO_HANDLES),
        no("FAN_MOVED_TO", 0x80, EINVAL, NO_HANDLES),
        no("FAN_CREATE", 0x100, EINVAL, NO_HANDLES),
        no("FAN_DELETE", 0x200, EINVAL, NO_HANDLES),
        no("FAN_DELETE_SELF", 0x400, EINVAL, NO_HANDLES),
        no("FAN_MOVE_SELF", 0x800, EINVAL, NO_HANDLES),
        on("FAN_OPEN_EXEC", 0x1000),
        no("FAN_FS_ERROR", 0x8000, EINVAL, NO_HANDLES),
        on("FAN_OPEN_PERM", 0x1_0000),
        on("FAN_ACCESS_PERM", 0x2_0000),
        on("FAN_OPEN_EXEC_PERM", 0x4_0000),
        on("FAN_EVENT_ON_CHILD", 0x800_0000),
        no("FAN_RENAME", 0x1000_0000, EINVAL, NO_HANDLES),
        on("FAN_ONDIR", 0x4000_0000),
    ]);
    /// `inotify_add_watch(2)`: at least one must be given.
    INOTIFY_ADD_WATCH: Flags = Flags::new(&["inotify_add_watch"], "mask", Unknown::Refused(EINVAL), &[
        on("IN_ACCESS", 1),
        on("IN_MODIFY", 2),
        on("IN_ATTRIB", 4),
        on("IN_CLOSE_WRITE", 8),
        on("IN_CLOSE_NOWRITE", 0x10),
        on("IN_OPEN", 0x20),
        on("IN_MOVED_FROM", 0x40),
        on("IN_MOVED_TO", 0x80),
        on("IN_CREATE", 0x100),
        on("IN_DELETE", 0x200),
        on("IN_DELETE_SELF", 0x400),
        on("IN_MOVE_SELF", 0x800),
        idle("IN_UNMOUNT", 0x2000, "only ever reported"),
        idle("IN_Q_OVERFLOW", 0x4000, "only ever reported"),
        idle("IN_IGNORED", 0x8000, "only ever reported"),
        on("IN_ONLYDIR", 0x100_0000),
        on("IN_DONT_FOLLOW", 0x200_0000),
        on("IN_EXCL_UNLINK", 0x400_0000),
        on("IN_MASK_CREATE", 0x1000_0000),
        on("IN_MASK_ADD", 0x2000_0000),
        idle("IN_ISDIR", 0x4000_0000, "only ever reported"),
        on("IN_ONESHOT", 0x8000_0000),
    ]);
    /// `mount(2)`: bits that only the kernel uses are not looked at.
    MOUNT: Flags = Flags::new(&["mount"], "flags", Unknown::Ignored, &[
        on("MS_RDONLY", 1),
        on("MS_NOSUID", 2),
        on("MS_NODEV", 4),
        on("MS_NOEXEC", 8),
        idle("MS_SYNCHRONOUS", 0x10, "not yet: fsync(2) and O_SYNC are what waits for the disk"),
        on("MS_REMOUNT", 0x20),
        idle("MS_MANDLOCK", 0x40, "as Linux since 5.15: there is no mandatory locking"),
        idle("MS_DIRSYNC", 0x80, "not yet: fsync(2) of the directory is what waits for the disk"),
        on("MS_NOSYMFOLLOW", 0x100),
        on("MS_NOATIME", 0x400),
        on("MS_NODIRATIME", 0x800),
        on("MS_BIND", 0x1000),
        on("MS_MOVE", 0x2000),
        on("MS_REC", 0x4000),
        idle("MS_SILENT", 0x8000, "nothing is said that it could silence"),
        idle("MS_POSIXACL", 0x1_0000, "for the kernel's own use: filesystems say themselves whether they have them"),
        on("MS_UNBINDABLE", 0x2_0000),
        on("MS_PRIVATE", 0x4_0000),
        on("MS_SLAVE", 0x8_0000),
        on("MS_SHARED", 0x10_0000),
        on("MS_RELATIME", 0x20_0000),
        idle("MS_I_VERSION", 0x80_0000, "nothing reads the counter"),
        idle("MS_STRICTATIME", 0x100_0000, "not yet more than shown: access times follow relatime"),
        idle("MS_LAZYTIME", 0x200_0000, "times may be written later; they are written at once"),
        no("MS_NOUSER", 0x8000_0000, EINVAL, "as on Linux"),
    ]);
    /// `umount2(2)`
    UMOUNT2: Flags = Flags::new(&["umount2"], "flags", Unknown::Refused(EINVAL), &[
        idle("MNT_FORCE", 1, "for network filesystems"),
        on("MNT_DETACH", 2),
        on("MNT_EXPIRE", 4),
        on("UMOUNT_NOFOLLOW", 8),
    ]);
}
