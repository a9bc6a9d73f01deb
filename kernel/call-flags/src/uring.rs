//! Rings of requests.

use crate::errno::Errno::EINVAL;
use crate::set::{Flags, Unknown, Values, idle, no, on};
use crate::sets;

const NO_THREADS: &str = "there are no threads for requests";

sets! {
    /// `io_uring_setup(2)`
    SETUP: Flags = Flags::new(&["io_uring_setup"], "flags", Unknown::Refused(EINVAL), &[
        no("IORING_SETUP_IOPOLL", 1, EINVAL, "no device is polled for its answers"),
        no("IORING_SETUP_SQPOLL", 2, EINVAL, NO_THREADS),
        no("IORING_SETUP_SQ_AFF", 4, EINVAL, NO_THREADS),
        on("IORING_SETUP_CQSIZE", 8),
        on("IORING_SETUP_CLAMP", 0x10),
        idle("IORING_SETUP_ATTACH_WQ", 0x20, "checked; there are no threads to be shared"),
        on("IORING_SETUP_R_DISABLED", 0x40),
        on("IORING_SETUP_SUBMIT_ALL", 0x80),
        idle("IORING_SETUP_COOP_TASKRUN", 0x100, "a thread in user mode is always interrupted"),
        idle("IORING_SETUP_TASKRUN_FLAG", 0x200, "as above: there is never something left to be told of"),
        no("IORING_SETUP_SQE128", 0x400, EINVAL, "for commands of devices, which there are not"),
        no("IORING_SETUP_CQE32", 0x800, EINVAL, "for commands of devices, which there are not"),
        on("IORING_SETUP_SINGLE_ISSUER", 0x1000),
        idle("IORING_SETUP_DEFER_TASKRUN", 0x2000, "results may come earlier than when they are asked for"),
    ]);
    /// `io_uring_enter(2)`
    ENTER: Flags = Flags::new(&["io_uring_enter"], "flags", Unknown::Refused(EINVAL), &[
        on("IORING_ENTER_GETEVENTS", 1),
        idle("IORING_ENTER_SQ_WAKEUP", 2, NO_THREADS),
        idle("IORING_ENTER_SQ_WAIT", 4, NO_THREADS),
        on("IORING_ENTER_EXT_ARG", 8),
        on("IORING_ENTER_REGISTERED_RING", 0x10),
    ]);
    /// The flags of a request.
    REQUEST: Flags = Flags::new(&["io_uring_enter"], "sqe->flags", Unknown::Refused(EINVAL), &[
        on("IOSQE_FIXED_FILE", 1),
        on("IOSQE_IO_DRAIN", 2),
        on("IOSQE_IO_LINK", 4),
        on("IOSQE_IO_HARDLINK", 8),
        idle("IOSQE_ASYNC", 0x10, NO_THREADS),
        // Of reads and receives into one piece.
        on("IOSQE_BUFFER_SELECT", 0x20),
        on("IOSQE_CQE_SKIP_SUCCESS", 0x40),
    ]);
    /// Requests.
    OPERATION: Values = Values::new(&["io_uring_enter"], "sqe->opcode", EINVAL, &[
        on("IORING_OP_NOP", 0),
        on("IORING_OP_READV", 1),
        on("IORING_OP_WRITEV", 2),
        on("IORING_OP_FSYNC", 3),
        on("IORING_OP_READ_FIXED", 4),
        on("IORING_OP_WRITE_FIXED", 5),
        on("IORING_OP_POLL_ADD", 6),
        on("IORING_OP_POLL_REMOVE", 7),
        on("IORING_OP_SYNC_FILE_RANGE", 8),
        on("IORING_OP_SENDMSG", 9),
        on("IORING_OP_RECVMSG", 10),
        on("IORING_OP_TIMEOUT", 11),
        on("IORING_OP_TIMEOUT_REMOVE", 12),
        on("IORING_OP_ACCEPT", 13),
        on("IORING_OP_ASYNC_CANCEL", 14),
        on("IORING_OP_LINK_TIMEOUT", 15),
        on("IORING_OP_CONNECT", 16),
        on("IORING_OP_FALLOCATE", 17),
        on("IORING_OP_OPENAT", 18),
        on("IORING_OP_CLOSE", 19),
        on("IORING_OP_FILES_UPDATE", 20),
        on("IORING_OP_STATX", 21),
        on("IORING_OP_READ", 22),
        on("IORING_OP_WRITE", 23),
        on("IORING_OP_FADVISE", 24),
        on("IORING_OP_MADVISE", 25),
        on("IORING_OP_SEND", 26),
        on("IORING_OP_RECV", 27),
        on("IORING_OP_OPENAT2", 28),
        on("IORING_OP_EPOLL_CTL", 29),
        no("IORING_OP_SPLICE", 30, EINVAL, "not there"),
        on("IORING_OP_PROVIDE_BUFFERS", 31),
        on("IORING_OP_REMOVE_BUFFERS", 32),
        no("IORING_OP_TEE", 33, EINVAL, "not there"),
        on("IORING_OP_SHUTDOWN", 34),
        on("IORING_OP_RENAMEAT", 35),
        on("IORING_OP_UNLINKAT", 36),
        on("IORING_OP_MKDIRAT", 37),
        on("IORING_OP_SYMLINKAT", 38),
        on("IORING_OP_LINKAT", 39),
        on("IORING_OP_MSG_RING", 40),
        on("IORING_OP_FSETXATTR", 41),
        on("IORING_OP_SETXATTR", 42),
        on("IORING_OP_FGETXATTR", 43),
        on("IORING_OP_GETXATTR", 44),
        on("IORING_OP_SOCKET", 45),
        no("IORING_OP_URING_CMD", 46, EINVAL, "for commands of devices, which there are not"),
        no("IORING_OP_SEND_ZC", 47, EINVAL, "data are copied"),
        no("IORING_OP_SENDMSG_ZC", 48, EINVAL, "data are copied"),
    ]);
    /// `IORING_OP_FSYNC`
    FSYNC: Flags = Flags::new(&["io_uring_enter"], "sqe->fsync_flags", Unknown::Refused(EINVAL), &[on("IORING_FSYNC_DATASYNC", 1)]);
    /// `IORING_OP_TIMEOUT` and its relatives
    TIMEOUT: Flags = Flags::new(&["io_uring_enter"], "sqe->timeout_flags", Unknown::Refused(EINVAL), &[
        on("IORING_TIMEOUT_ABS", 1),
        on("IORING_TIMEOUT_UPDATE", 2),
        on("IORING_TIMEOUT_BOOTTIME", 4),
        on("IORING_TIMEOUT_REALTIME", 8),
        on("IORING_LINK_TIMEOUT_UPDATE", 0x10),
        on("IORING_TIMEOUT_ETIME_SUCCESS", 0x20),
    ]);
    /// `IORING_OP_POLL_ADD`, `IORING_OP_POLL_REMOVE`
    POLL: Flags = Flags::new(&["io_uring_enter"], "sqe->len of polls", Unknown::Refused(EINVAL), &[
        on("IORING_POLL_ADD_MULTI", 1),
        on("IORING_POLL_UPDATE_EVENTS", 2),
        on("IORING_POLL_UPDATE_USER_DATA", 4),
        no("IORING_POLL_ADD_LEVEL", 8, EINVAL, "not there"),
    ]);
    /// `IORING_OP_ASYNC_CANCEL`
    CANCEL: Flags = Flags::new(&["io_uring_enter", "io_uring_register"], "sqe->cancel_flags", Unknown::Refused(EINVAL), &[
        on("IORING_ASYNC_CANCEL_ALL", 1),
        on("IORING_ASYNC_CANCEL_FD", 2),
        on("IORING_ASYNC_CANCEL_ANY", 4),
        on("IORING_ASYNC_CANCEL_FD_FIXED", 8),
    ]);
    /// `io_uring_register(2)`
    REGISTER: Values = Values::new(&["io_uring_register"], "opcode", EINVAL, &[
        on("IORING_REGISTER_BUFFERS", 0),
        on("IORING_UNREGISTER_BUFFERS", 1),
        on("IORING_REGISTER_FILES", 2),
        on("IORING_UNREGISTER_FILES", 3),
        on("IORING_REGISTER_EVENTFD", 4),
        on("IORING_UNREGISTER_EVENTFD", 5),
        on("IORING_REGISTER_FILES_UPDATE", 6),
        on("IORING_REGISTER_EVENTFD_ASYNC", 7),
        on("IORING_REGISTER_PROBE", 8),
        no("IORING_REGISTER_PERSONALITY", 9, EINVAL, "requests have their submitter's rights"),
        no("IORING_UNREGISTER_PERSONALITY", 10, EINVAL, "requests have their submitter's rights"),
        no("IORING_REGISTER_RESTRICTIONS", 11, EINVAL, "not there"),
        on("IORING_REGISTER_ENABLE_RINGS", 12),
        on("IORING_REGISTER_FILES2", 13),
        on("IORING_REGISTER_FILES_UPDATE2", 14),
        on("IORING_REGISTER_BUFFERS2", 15),
        no("IORING_REGISTER_BUFFERS_UPDATE", 16, EINVAL, "not there"),
        no("IORING_REGISTER_IOWQ_AFF", 17, EINVAL, NO_THREADS),
        no("IORING_UNREGISTER_IOWQ_AFF", 18, EINVAL, NO_THREADS),
        idle("IORING_REGISTER_IOWQ_MAX_WORKERS", 19, NO_THREADS),
        on("IORING_REGISTER_RING_FDS", 20),
        on("IORING_UNREGISTER_RING_FDS", 21),
        on("IORING_REGISTER_PBUF_RING", 22),
        on("IORING_UNREGISTER_PBUF_RING", 23),
        on("IORING_REGISTER_SYNC_CANCEL", 24),
        no("IORING_REGISTER_FILE_ALLOC_RANGE", 25, EINVAL, "not there"),
    ]);
}
