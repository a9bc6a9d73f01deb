//! Reading, writing, copying.

use crate::errno::Errno::{EINVAL, EOPNOTSUPP};
use crate::set::{Entry, Flags, Unknown, Values, idle, no, on};
use crate::sets;

const HIPRI: Entry = idle("RWF_HIPRI", 1, "no device is polled for its answers");
const NOWAIT: Entry = no("RWF_NOWAIT", 8, EOPNOTSUPP, "no file can tell whether a transfer would wait");
const OF_WRITES: &str = "means writes, as on Linux";
const COPIED: &str = "a hint: data are copied";
const SPLICE_FLAGS: &[Entry] = &[
    idle("SPLICE_F_MOVE", 1, COPIED),
    on("SPLICE_F_NONBLOCK", 2),
    idle("SPLICE_F_MORE", 4, "a hint for sockets that data follow"),
    idle("SPLICE_F_GIFT", 8, COPIED),
];

sets! {
    /// `io_submit(2)`: `aio_rw_flags` are the flags of `preadv2(2)` and `pwritev2(2)`; bits of `aio_flags` without a name are not looked at.
    AIO_OPERATION: Values = Values::new(&["io_submit"], "aio_lio_opcode", EINVAL, &[
        on("IOCB_CMD_PREAD", 0),
        on("IOCB_CMD_PWRITE", 1),
        on("IOCB_CMD_FSYNC", 2),
        on("IOCB_CMD_FDSYNC", 3),
        on("IOCB_CMD_POLL", 5),
        no("IOCB_CMD_NOOP", 6, EINVAL, "as on Linux"),
        on("IOCB_CMD_PREADV", 7),
        on("IOCB_CMD_PWRITEV", 8),
    ]);
    /// `preadv2(2)`
    PREADV2: Flags = Flags::new(&["preadv2"], "flags", Unknown::Refused(EOPNOTSUPP), &[
        HIPRI,
        idle("RWF_DSYNC", 2, OF_WRITES),
        idle("RWF_SYNC", 4, OF_WRITES),
        NOWAIT,
        idle("RWF_APPEND", 16, OF_WRITES),
    ]);
    /// `pwritev2(2)`
    PWRITEV2: Flags = Flags::new(&["pwritev2"], "flags", Unknown::Refused(EOPNOTSUPP), &[HIPRI, on("RWF_DSYNC", 2), on("RWF_SYNC", 4), NOWAIT, on("RWF_APPEND", 16)]);
    /// `copy_file_range(2)`
    COPY_FILE_RANGE: Flags = Flags::none(&["copy_file_range"], "flags");
    /// `splice(2)`
    SPLICE: Flags = Flags::new(&["splice", "tee", "vmsplice"], "flags", Unknown::Refused(EINVAL), SPLICE_FLAGS);
    /// `sync_file_range(2)`: any of them writes the range and waits.
    SYNC_FILE_RANGE: Flags = Flags::new(&["sync_file_range"], "flags", Unknown::Refused(EINVAL), &[
        on("SYNC_FILE_RANGE_WAIT_BEFORE", 1),
        on("SYNC_FILE_RANGE_WRITE", 2),
        on("SYNC_FILE_RANGE_WAIT_AFTER", 4),
    ]);
    /// `posix_fadvise(2)`
    FADVISE64: Values = Values::new(&["fadvise64"], "advice", EINVAL, &[
        idle("POSIX_FADV_NORMAL", 0, "read-ahead follows what is read"),
        idle("POSIX_FADV_RANDOM", 1, "read-ahead follows what is read"),
        idle("POSIX_FADV_SEQUENTIAL", 2, "read-ahead follows what is read"),
        on("POSIX_FADV_WILLNEED", 3),
        on("POSIX_FADV_DONTNEED", 4),
        idle("POSIX_FADV_NOREUSE", 5, "as on Linux 6.1"),
    ]);
}
